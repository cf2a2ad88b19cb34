"""Pending logins, and messages that took effect, in the memory of one process: bounded, and full means full."""

from __future__ import annotations

import heapq
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from cyberid_client.errors import ConfigurationError, StoreError

__all__ = ["AsyncMemoryPendingStore", "AsyncMemoryReplayStore", "MemoryPendingStore", "MemoryReplayStore"]

# The heap may hold this many entries of logins that are gone already, beside one per live login.
_SLACK: Final = 64


class MemoryPendingStore:
    """Keep pending logins in this process; :class:`cyberid_client.ports.RevisableStore`.

    It never evicts a live login: when it is full after dropping what has expired, the next login
    does not start. It ends with the process, and a forked child starts empty, so that nothing can be
    taken twice. An app that runs in several processes needs a store that they share.

    Args:
        max_entries: how many logins may be pending at the same time.

    Raises:
        ConfigurationError: ``max_entries`` is not a whole number from 1 up.
    """

    __slots__ = ("__weakref__", "_expiries", "_lock", "_max_entries", "_records")

    single_use: bool = True
    shared: bool = False
    durable: bool = False

    _lock: threading.Lock
    _records: dict[str, tuple[datetime, bytes]]
    _expiries: list[tuple[datetime, str]]

    def __init__(self, max_entries: int = 100_000) -> None:
        self._max_entries = _checked(max_entries)
        self._start_empty()
        _stores.add(self)

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"MemoryPendingStore({len(self)} of {self._max_entries})"

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """Keep ``record`` under ``key`` until ``expires_at``.

        Args:
            key: 64 hex digits, the hash of a handle; used once.
            record: opaque and encrypted.
            expires_at: aware; from this moment on the record is gone.
            now: the client's clock.

        Returns:
            ``""``: the browser carries nothing beside the handle.

        Raises:
            StoreError: the store is full (``store.full``), or a login is pending under this key
                (``store.failed``).
        """
        with self._lock:
            self._drop_expired(now)
            if key in self._records:
                raise StoreError("store.failed")
            if len(self._records) >= self._max_entries:
                raise StoreError("store.full")
            self._records[key] = (expires_at, record)
            heapq.heappush(self._expiries, (expires_at, key))
        return ""

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:  # noqa: ARG002 - nothing is carried for this store
        """Remove the record and return it; ``None`` when there is none, or it has expired.

        Args:
            key: as for :meth:`put`.
            carried: ignored.
            now: the client's clock.
        """
        with self._lock:
            expires_at, record = self._records.pop(key, (now, b""))
            if len(self._expiries) > 2 * len(self._records) + _SLACK:
                self._forget_taken()
        return record if now < expires_at else None

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        """Return the record and leave it where it is; ``None`` when there is none, or it has expired.

        Args:
            key: as for :meth:`put`.
            now: the client's clock.
        """
        # One look-up of a pair that is never changed in its place: nothing to wait for.
        expires_at, record = self._records.get(key, (now, b""))
        return record if now < expires_at else None

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """Put ``new`` in the place of ``old``, if the record is still ``old`` and alive.

        The expiry stays as it was put.

        Args:
            key: as for :meth:`put`.
            old: what :meth:`peek` returned.
            new: opaque and encrypted.
            now: the client's clock.

        Returns:
            Whether it was ``old``.
        """
        with self._lock:
            expires_at, record = self._records.get(key, (now, b""))
            if now >= expires_at or record != old:
                return False
            self._records[key] = (expires_at, new)
        return True

    def _drop_expired(self, now: datetime) -> None:
        while self._expiries and self._expiries[0][0] <= now:
            expires_at, key = heapq.heappop(self._expiries)
            # A key that was taken and put again stands under another time.
            if key in self._records and self._records[key][0] == expires_at:
                del self._records[key]

    def _forget_taken(self) -> None:
        # Paid for by as many takes as it removes entries.
        self._expiries = [(expires_at, key) for key, (expires_at, _) in self._records.items()]
        heapq.heapify(self._expiries)

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._records = {}
        self._expiries = []


class AsyncMemoryPendingStore:
    """The same as :class:`MemoryPendingStore`, awaited; nothing in it waits.

    Args:
        max_entries: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_store",)

    single_use: bool = True
    shared: bool = False
    durable: bool = False

    def __init__(self, max_entries: int = 100_000) -> None:
        self._store = MemoryPendingStore(max_entries)

    def __len__(self) -> int:
        return len(self._store)

    def __repr__(self) -> str:
        return f"Async{self._store!r}"

    async def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """As :meth:`MemoryPendingStore.put`."""
        return self._store.put(key, record, expires_at=expires_at, now=now)

    async def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """As :meth:`MemoryPendingStore.take`."""
        return self._store.take(key, carried=carried, now=now)

    async def peek(self, key: str, *, now: datetime) -> bytes | None:
        """As :meth:`MemoryPendingStore.peek`."""
        return self._store.peek(key, now=now)

    async def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """As :meth:`MemoryPendingStore.swap`."""
        return self._store.swap(key, old=old, new=new, now=now)


class _Known:
    """The keys of a replay store: those whose effect is under way, and those whose effect took place."""

    __slots__ = ("__weakref__", "_expiries", "_lock", "_max_entries", "_until")

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._lock = threading.Lock()
        # When the key may be forgotten; ``None`` while its effect is under way.
        self._until: dict[str, datetime | None] = {}
        self._expiries: list[tuple[datetime, str]] = []
        _known.add(self)

    def __len__(self) -> int:
        return len(self._until)

    def claim(self, key: str, now: datetime) -> bool:
        """Keep others off the key; ``False`` when it is known."""
        with self._lock:
            while self._expiries and self._expiries[0][0] <= now:
                _, expired = heapq.heappop(self._expiries)
                self._until.pop(expired, None)
            if key in self._until:
                if self._until[key] is None:
                    raise StoreError("replay.busy")
                return False
            if len(self._until) >= self._max_entries:
                raise StoreError("store.full")
            self._until[key] = None
            return True

    def keep(self, key: str, expires_at: datetime) -> None:
        """Know the key from now on."""
        with self._lock:
            self._until[key] = expires_at
            heapq.heappush(self._expiries, (expires_at, key))

    def release(self, key: str) -> None:
        """Let the next message with this key have its effect."""
        with self._lock:
            self._until.pop(key, None)

    def start_child(self) -> None:
        """Go on in a forked process with what is known; what was under way is under way elsewhere."""
        self._lock = threading.Lock()
        self._until = {key: until for key, until in self._until.items() if until is not None}
        self._expiries = [(until, key) for key, until in self._until.items() if until is not None]
        heapq.heapify(self._expiries)


class MemoryReplayStore:
    """Remember in this process which messages took effect; :class:`cyberid_client.ports.ReplayStore`.

    It forgets nothing before its time: when it is full, the next message has no effect and is to be sent
    again. It ends with the process, and another process knows nothing of it. It has no transaction, and
    so no counters.

    Args:
        max_entries: how many messages may be remembered at the same time.

    Raises:
        ConfigurationError: ``max_entries`` is not a whole number from 1 up.
    """

    __slots__ = ("_known",)

    shared: bool = False
    durable: bool = False
    transactional: bool = False

    def __init__(self, max_entries: int = 100_000) -> None:
        self._known = _Known(_checked(max_entries))

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"MemoryReplayStore({len(self)})"

    def once(
        self, key: str, effect: Callable[[object], None], *, expires_at: datetime, now: datetime
    ) -> bool:
        """Run ``effect(None)`` unless ``key`` is known, and know the key from then on.

        Args:
            key: 64 hex digits.
            effect: when it raises, the key stays unknown and the error comes out.
            expires_at: aware; from this moment on the key is forgotten.
            now: the client's clock.

        Returns:
            Whether the effect ran.

        Raises:
            StoreError: the store is full (``store.full``), or the effect of this key is under way in
                another thread (``replay.busy``).
        """
        if not self._known.claim(key, now):
            return False
        try:
            effect(None)
        except BaseException:
            self._known.release(key)
            raise
        self._known.keep(key, expires_at)
        return True

    def advance(self, transaction: object, subject: str, sequence: int) -> bool:  # noqa: ARG002 - the port's arguments
        """Refuse: a counter needs a transaction.

        Raises:
            StoreError: always (``replay.no_counters``).
        """
        raise StoreError("replay.no_counters")


class AsyncMemoryReplayStore:
    """The same as :class:`MemoryReplayStore`, with an effect that is awaited.

    Args:
        max_entries: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_known",)

    shared: bool = False
    durable: bool = False
    transactional: bool = False

    def __init__(self, max_entries: int = 100_000) -> None:
        self._known = _Known(_checked(max_entries))

    def __len__(self) -> int:
        return len(self._known)

    def __repr__(self) -> str:
        return f"AsyncMemoryReplayStore({len(self)})"

    async def once(
        self, key: str, effect: Callable[[object], Awaitable[None]], *, expires_at: datetime, now: datetime
    ) -> bool:
        """As :meth:`MemoryReplayStore.once`."""
        if not self._known.claim(key, now):
            return False
        try:
            await effect(None)
        except BaseException:
            self._known.release(key)
            raise
        self._known.keep(key, expires_at)
        return True

    async def advance(self, transaction: object, subject: str, sequence: int) -> bool:  # noqa: ARG002 - the port's arguments
        """As :meth:`MemoryReplayStore.advance`."""
        raise StoreError("replay.no_counters")


def _checked(max_entries: object) -> int:
    if type(max_entries) is not int or max_entries < 1:
        raise ConfigurationError("config.value", "max_entries")
    return max_entries


_stores: weakref.WeakSet[MemoryPendingStore] = weakref.WeakSet()
_known: weakref.WeakSet[_Known] = weakref.WeakSet()


def _start_children() -> None:
    for store in _stores:
        store._start_empty()  # noqa: SLF001 - this module's own class
    for known in _known:
        known.start_child()


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_children)
