"""What the library asks of the outside world, and the values that cross the border.

Protocols only: HTTP, the store of pending logins, clock and randomness. Implementations of ours are
in :mod:`cyberid_client.transport` and :mod:`cyberid_client.stores`; an app may bring its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

__all__ = ["Clock", "FlowEnv", "HTTPRequest", "HTTPResponse", "PendingStore", "Transport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """A request to the issuer, complete: a transport adds nothing that matters.

    Attributes:
        method: ``GET`` or ``POST``.
        url: absolute; https, or http to a literal loopback address in tests.
        headers: what the flow wants sent.
        body: the form body, empty for ``GET``; holds secrets and is never shown.
        max_bytes: the response body may be at most this long.
        purpose: a word for logs: ``discovery``, ``jwks``, ``par``, ``token``, ``crl``,
            ``status_aggregation`` or ``status_list``.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_bytes: int
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPResponse:
    """What came back, or why nothing did.

    Attributes:
        status: the HTTP status, 0 when there is none.
        headers: names in lower case; a header that came twice is joined with ``", "``.
        body: at most ``max_bytes`` of the request, decoded from its content coding.
        url: the URL that answered.
        error: ``None``, or a code ``transport.*`` of the error catalogue.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    url: str
    error: str | None = None


class Transport(Protocol):
    """Send one request and bring back one response."""

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Return the response; failures are ``HTTPResponse.error``, not exceptions.

        An exception that comes out all the same is taken as ``transport.failed``.
        """
        ...

    def close(self) -> None:
        """Give back connections; the transport is not used afterwards."""
        ...


class PendingStore(Protocol):
    """Keep the encrypted record of a login between its two legs.

    Attributes:
        single_use: a record can be taken at most once, also by callers at the same time.
        shared: what one process puts, another can take.
        durable: a record survives the end of the process.
    """

    single_use: bool
    shared: bool
    durable: bool

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """Keep ``record`` under ``key`` until ``expires_at``.

        Args:
            key: 64 hex digits, the hash of a handle.
            record: opaque and encrypted, at most 4 KiB.
            expires_at: aware; from this moment on the record is gone.
            now: the client's clock.

        Returns:
            What the browser must carry beside the handle: ``""`` for a store that keeps the record
            itself, the sealed record for one that keeps nothing.

        Raises:
            StoreError: the record is not kept, and the login must not start.
        """
        ...

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """Remove the record and return it; ``None`` when there is none (any more).

        Args:
            key: as for :meth:`put`.
            carried: what :meth:`put` returned, brought back by a browser: untrusted.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there is a record.
        """
        ...


class Clock(Protocol):
    """Tell the time: aware, UTC."""

    def __call__(self) -> datetime:
        """Return the current time."""
        ...


class FlowEnv(Protocol):
    """Time and randomness for a flow, asked anew after each response."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        ...

    def token(self, nbytes: int) -> bytes:
        """Return ``nbytes`` from the system's random source."""
        ...
