"""What a leg is: a generator that asks for whatever waits, and never waits itself.

A leg is one call of the client from its beginning to its end. Beside what flows yield
(:mod:`cyberid_client.handshake.flow`) it yields the effects below; a driver, blocking or awaiting, does what
they say and sends back what came. Errors of a store are thrown into the leg as
:class:`~cyberid_client.errors.StoreError`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from cyberid_client.errors import CyberIDError
from cyberid_client.handshake.flow import Effect

__all__ = [
    "Advance",
    "Background",
    "Call",
    "Flight",
    "Leg",
    "LegEffect",
    "Once",
    "StorePeek",
    "StorePut",
    "StoreSwap",
    "StoreTake",
    "Wait",
]

T = TypeVar("T")

# How a fetch ended that others wait for: with an error, or with something newer.
Flight = Future[CyberIDError | None]


@dataclass(frozen=True, slots=True)
class Background:
    """Begin a piece of work that goes on though the caller is cancelled; answered with ``None`` at once.

    Attributes:
        work: a leg that was not begun; it tells its end by a flight and raises nothing of ours.
    """

    work: Leg[None] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until a fetch has ended; answered with its error, or ``None``.

    Attributes:
        flight: of the fetch, which somebody else may have begun.
    """

    flight: Flight


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePut:
    """Put a sealed record into the store of pending logins; answered with what the store returned.

    Attributes:
        key: as for :meth:`cyberid_client.ports.PendingStore.put`.
        record: likewise.
        expires_at: likewise.
        now: likewise.
    """

    key: str
    record: bytes = field(repr=False)
    expires_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreTake:
    """Take a record out of the store of pending logins; answered with the record or ``None``.

    Attributes:
        key: as for :meth:`cyberid_client.ports.PendingStore.take`.
        carried: likewise.
        now: likewise.
    """

    key: str
    carried: str = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StorePeek:
    """Read a record and leave it where it is; answered with the record or ``None``.

    Attributes:
        key: as for :meth:`cyberid_client.ports.RevisableStore.peek`.
        now: likewise.
    """

    key: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSwap:
    """Change a record that is still what it was; answered with whether it was.

    Attributes:
        key: as for :meth:`cyberid_client.ports.RevisableStore.swap`.
        old: likewise.
        new: likewise.
        now: likewise.
    """

    key: str
    old: bytes = field(repr=False)
    new: bytes = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """Run an effect unless its key is known; answered with whether it ran.

    What the effect raises is thrown into the leg as it is.

    Attributes:
        key: as for :meth:`cyberid_client.ports.ReplayStore.once`.
        effect: given the open transaction, or ``None``, returns the leg that is run inside it.
        expires_at: as for :meth:`cyberid_client.ports.ReplayStore.once`.
        now: likewise.
    """

    key: str
    effect: Callable[[object], Leg[None]] = field(repr=False)
    expires_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """Raise a subject's counter inside the transaction of :class:`Once`; answered with whether it rose.

    Attributes:
        transaction: what the effect was given.
        subject: as for :meth:`cyberid_client.ports.ReplayStore.advance`.
        sequence: likewise.
    """

    transaction: object = field(repr=False)
    subject: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Call:
    """Call a function of the app; answered with what it returned, or awaited to.

    What it raises is thrown into the leg as it is.

    Attributes:
        function: may be a coroutine function where the client is async.
        arguments: positional.
    """

    function: Callable[..., object] = field(repr=False)
    arguments: tuple[object, ...] = field(default=(), repr=False)


LegEffect = Effect | Background | Wait | StorePut | StoreTake | StorePeek | StoreSwap | Once | Advance | Call
# Each effect has an answer of its own kind, which no type can say of a generator.
Leg = Generator[LegEffect, Any, T]
