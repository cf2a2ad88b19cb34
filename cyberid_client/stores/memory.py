"""Pending logins in the memory of one process: bounded, and full means full."""

from __future__ import annotations

import heapq
import os
import threading
import weakref
from datetime import datetime
from typing import Final

from cyberid_client.errors import ConfigurationError, StoreError

__all__ = ["MemoryPendingStore"]

# The heap may hold this many entries of logins that are gone already, beside one per live login.
_SLACK: Final = 64


class MemoryPendingStore:
    """Keep pending logins in this process; :class:`cyberid_client.ports.PendingStore`.

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
        if type(max_entries) is not int or max_entries < 1:
            raise ConfigurationError("config.value", "max_entries")
        self._max_entries = max_entries
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


_stores: weakref.WeakSet[MemoryPendingStore] = weakref.WeakSet()


def _start_children_empty() -> None:
    for store in _stores:
        store._start_empty()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_children_empty)
