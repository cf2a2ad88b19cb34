"""A store under test, as the laws of the conformance suite see it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, cast

from cyberid_client.errors import CyberIDError
from cyberid_client.ports import PendingStore, RevisableStore

__all__ = [
    "Finding",
    "ForeignError",
    "Kept",
    "Order",
    "Probe",
    "StoreCandidate",
    "attempt",
    "carried_of",
    "current_second",
    "has_won",
    "is_revisable",
    "make_up",
    "opened",
    "record_of",
]

RECORD_BYTES: Final = 600
LIFETIME: Final = timedelta(minutes=11)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCandidate:
    """A store, and how the suite gets at it.

    Attributes:
        fresh: make an empty place and return what opens it. The suite calls ``fresh`` for every
            guarantee, and what it returned as often as it needs the *same* store again. For a store
            that declares ``shared`` or ``durable`` the opener crosses to another process: it must be
            picklable (a class, a function of a module, a ``functools.partial`` of one), and a script
            needs ``if __name__ == "__main__":``. For any other store it is opened once.
        gone: return a store whose backend cannot be reached; ``None`` for a store without a backend.
        max_entries: how many logins a store out of ``fresh`` can hold, so that the suite can fill it;
            ``None`` when it declares no bound.
        max_record_bytes: how large a record it promises to keep.
        threads: how many race for a record.
        processes: how many race for a record.
        rounds: how many records they race for.
    """

    fresh: Callable[[], Callable[[], PendingStore]]
    gone: Callable[[], PendingStore] | None = None
    max_entries: int | None = None
    max_record_bytes: int = 4096
    threads: int = 32
    processes: int = 4
    rounds: int = 50


class Finding(Exception):  # noqa: N818 - it is what a law found, and becomes the error that says which guarantee
    """Something that breaks the law which looked."""


class ForeignError(Exception):
    """Something that is not of :class:`CyberIDError` came out of a store; carries the class's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was put, and what came back for the browser."""

    key: str
    record: bytes = field(repr=False)
    carried: str = field(default="", repr=False)
    expires_at: datetime

    def changed(self, **changes: str) -> Kept:
        """Return it with another key or another carried text."""
        return replace(self, **changes)  # type: ignore[arg-type]  # only the two texts are ever changed

    def with_record(self, record: bytes) -> Kept:
        """Return it with the record that stands in its place."""
        return replace(self, record=record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One call of a store, so that a thread or a process can make it."""

    call: Literal["put", "take", "peek", "swap"]
    kept: Kept
    new: bytes = field(default=b"", repr=False)
    now: datetime


def attempt(store: PendingStore, order: Order) -> object:
    """Make the call and return what came out: a value or an exception, which may cross processes."""
    kept = order.kept
    try:
        if order.call == "put":
            return store.put(kept.key, kept.record, expires_at=kept.expires_at, now=order.now)
        if order.call == "take":
            return store.take(kept.key, carried=kept.carried, now=order.now)
        revisable = cast("RevisableStore", store)
        if order.call == "peek":
            return revisable.peek(kept.key, now=order.now)
        return revisable.swap(kept.key, old=kept.record, new=order.new, now=order.now)
    except CyberIDError as error:
        return error
    except Exception as error:  # noqa: BLE001 - what a store may raise is what is tested
        return ForeignError(type(error).__name__)


def carried_of(outcome: object) -> str:
    """Return what a put said that the browser carries.

    Raises:
        Finding: it said something else than a text.
    """
    if isinstance(outcome, Exception):
        raise outcome
    if not isinstance(outcome, str):
        message = f"A put returned {type(outcome).__name__} where a text is due."
        raise Finding(message)
    return outcome


def is_revisable(store: object) -> bool:
    """Tell whether records can be read and changed before they are taken: it has ``peek`` and ``swap``."""
    return callable(getattr(store, "peek", None)) and callable(getattr(store, "swap", None))


def has_won(outcome: object) -> bool:
    """Return what a swap said.

    Raises:
        Finding: it said something else than ``True`` or ``False``.
    """
    if isinstance(outcome, Exception):
        raise outcome
    if not isinstance(outcome, bool):
        message = f"A swap returned {type(outcome).__name__} where True or False is due."
        raise Finding(message)
    return outcome


def record_of(outcome: object) -> bytes | None:
    """Return what a take or a peek gave.

    Raises:
        Finding: it gave something else than bytes or ``None``.
    """
    if isinstance(outcome, Exception):
        raise outcome
    if outcome is not None and not isinstance(outcome, bytes):
        message = f"A call returned {type(outcome).__name__} where bytes or None is due."
        raise Finding(message)
    return outcome


def current_second() -> datetime:
    """Return a time near the real one, for a backend that counts down by itself."""
    return datetime.now(UTC).replace(microsecond=0)


def make_up(
    now: datetime, *, key: str | None = None, record: bytes | None = None, lives: timedelta = LIFETIME
) -> Kept:
    """Return a record of a client's shape that no store has seen."""
    return Kept(
        key=secrets.token_hex(32) if key is None else key,
        record=secrets.token_bytes(RECORD_BYTES) if record is None else record,
        expires_at=now + lives,
    )


class Probe:
    """Call a store as a client does, with keys and records of the client's shape.

    Args:
        store: the one under test.
    """

    def __init__(self, store: PendingStore) -> None:
        self.store = store
        self.now: Final = current_second()

    def draft(
        self, *, key: str | None = None, record: bytes | None = None, lives: timedelta = LIFETIME
    ) -> Kept:
        """Make up a record that no store has seen."""
        return make_up(self.now, key=key, record=record, lives=lives)

    def put(self, draft: Kept | None = None, *, now: datetime | None = None) -> Kept:
        """Put a record and return it with what the browser carries."""
        kept = self.draft() if draft is None else draft
        outcome = attempt(self.store, Order(call="put", kept=kept, now=self.now if now is None else now))
        return kept.changed(carried=carried_of(outcome))

    def take(self, kept: Kept, *, now: datetime | None = None) -> bytes | None:
        """Take a record, or what is asked for in its place."""
        order = Order(call="take", kept=kept, now=self.now if now is None else now)
        return record_of(attempt(self.store, order))

    def peek(self, kept: Kept, *, now: datetime) -> bytes | None:
        """Read a record, or what is asked for in its place."""
        return record_of(attempt(self.store, Order(call="peek", kept=kept, now=now)))

    def swap(self, kept: Kept, new: bytes, *, now: datetime | None = None) -> bool:
        """Change a record for another, if it is still ``kept.record``."""
        order = Order(call="swap", kept=kept, new=new, now=self.now if now is None else now)
        return has_won(attempt(self.store, order))

    def expect(self, kept: Kept, when: str, *, now: datetime | None = None) -> None:
        """Take a record that must be there.

        Raises:
            Finding: it is not, or is another; ``when`` completes the sentence.
        """
        record = self.take(kept, now=now)
        if record is None:
            message = f"The record was gone {when}."
            raise Finding(message)
        if record != kept.record:
            message = f"Another record than the one that was put came back {when}."
            raise Finding(message)

    def expect_nothing(self, kept: Kept, when: str, *, now: datetime | None = None) -> None:
        """Take a record that must not be there.

        Raises:
            Finding: there is one; ``when`` completes the sentence.
        """
        if self.take(kept, now=now) is not None:
            message = f"A record came back {when}."
            raise Finding(message)


@contextmanager
def opened(opener: Callable[[], PendingStore]) -> Iterator[Probe]:
    """Open a store, and close it afterwards if it can be closed."""
    store = opener()
    try:
        yield Probe(store)
    finally:
        close = getattr(store, "close", None)
        if callable(close):
            close()
