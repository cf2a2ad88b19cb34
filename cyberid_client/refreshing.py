"""Keep the snapshot of the issuer current: one fetch at a time, ahead of time, never evicting good keys."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Final, Protocol

from cyberid_client.errors import CyberIDError, UnavailableError, VerificationError
from cyberid_client.handshake.flow import KeysWanted
from cyberid_client.handshake.metadata import FetchedKeys, FetchedMetadata, IssuerMetadata
from cyberid_client.state import IssuerSnapshot, plan_refresh
from cyberid_client.trust import KeySet

__all__ = ["IssuerSource", "Refresher", "SnapshotKeeper", "TokenBucket"]

logger: Final = logging.getLogger("cyberid_client")

NOTHING_KNOWN_PAUSE: Final = timedelta(seconds=2)
BUCKET_SIZE: Final = 5
BUCKET_REFILL: Final = timedelta(seconds=30)
UNKNOWN_KEY_IS_REMEMBERED_FOR: Final = timedelta(seconds=30)
UNKNOWN_KEYS_MAX: Final = 256


class IssuerSource(Protocol):
    """Where a keeper gets documents, time and chance from: the client."""

    def now(self) -> datetime:
        """Return the current time."""
        ...

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        ...

    def fetch_metadata(self, newest_iat: float | None) -> FetchedMetadata:
        """Fetch and believe the metadata, or raise."""
        ...

    def fetch_keys(self, metadata: IssuerMetadata) -> FetchedKeys:
        """Fetch the key set, or raise."""
        ...


class TokenBucket:
    """Allow a few fetches at once and then one in a while; not thread-safe, its owner holds a lock."""

    __slots__ = ("_refilled_at", "_tokens")

    def __init__(self) -> None:
        self._tokens: float = BUCKET_SIZE
        self._refilled_at: datetime | None = None

    def take(self, now: datetime) -> bool:
        """Take a token if there is one."""
        if self._refilled_at is not None and now > self._refilled_at:
            self._tokens = min(BUCKET_SIZE, self._tokens + (now - self._refilled_at) / BUCKET_REFILL)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


# How a fetch ended that others wait for: with an error, or with a newer snapshot.
Flight = Future[CyberIDError | None]


def _is_fresher(snapshot: IssuerSnapshot | None, than: IssuerSnapshot | None) -> bool:
    """Tell whether keys were fetched since; one more counted failure makes nothing fresher."""
    return snapshot is not None and (than is None or snapshot.keys is not than.keys)


class SnapshotKeeper:
    """Hold the current snapshot for all threads of a process.

    A failed refresh changes nothing but its own count. However many threads ask, one fetch runs at a
    time, and all who waited for it share what came of it.

    Args:
        source: where documents, time and chance come from.
    """

    def __init__(self, source: IssuerSource) -> None:
        self._source = source
        self._snapshot: IssuerSnapshot | None = None
        self._reset_locks()
        _keepers.add(self)

    def _reset_locks(self) -> None:
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._buckets: dict[str, TokenBucket] = {}
        self._unknown: OrderedDict[bytes, datetime] = OrderedDict()

    @property
    def snapshot(self) -> IssuerSnapshot | None:
        """What is known, or ``None`` before the first fetch."""
        return self._snapshot

    def current(self, *, ahead: bool) -> IssuerSnapshot:
        """Return a snapshot that logins may use, fetching first if need be.

        Args:
            ahead: somebody else refreshes ahead of time, so that only what cannot serve is fetched here.

        Raises:
            CyberIDError: nothing that is known may serve, and the fetch failed.
        """
        snapshot = self._snapshot
        plan = plan_refresh(snapshot, self._source.now())
        if snapshot is not None and plan.usable and (ahead or not plan.due):
            return snapshot
        everything = plan.metadata or not plan.usable
        try:
            self._fly(self._fetch_all if everything else self._fetch_keys, instead_of=snapshot)
        except CyberIDError:
            if snapshot is None or not plan.usable:
                raise
        return self._known()

    def _known(self) -> IssuerSnapshot:
        if self._snapshot is None:
            raise UnavailableError("issuer.unavailable")
        return self._snapshot

    def refresh(self) -> None:
        """Fetch metadata and keys, or join a fetch that is under way.

        Raises:
            CyberIDError: it failed; what was known stays.
        """
        self._fly(self._fetch_all, instead_of=self._snapshot)

    def refresh_if_due(self) -> datetime:
        """Fetch what is due and return when to look again; for a timer."""
        snapshot = self._snapshot
        plan = plan_refresh(snapshot, self._source.now())
        if plan.due:
            with contextlib.suppress(CyberIDError):  # It is counted and logged where it happened.
                self._fly(self._fetch_all if plan.metadata else self._fetch_keys, instead_of=snapshot)
            plan = plan_refresh(self._snapshot, self._source.now())
        if self._snapshot is None:
            return self._source.now() + NOTHING_KNOWN_PAUSE
        return plan.wake_at

    def newer_keys(self, wanted: KeysWanted) -> KeySet:
        """Return a key set that may hold the key which was not found, or the one that was tried.

        A key that the national roots vouch for is worth a fetch at once, unless the last fetch did not
        bring it either. An unproven one takes from the bucket of its entry.

        Raises:
            UnavailableError: the key set could not be fetched.
        """
        snapshot = self._snapshot
        if snapshot is None or snapshot.keys is not wanted.tried:
            return wanted.tried if snapshot is None else snapshot.keys
        if not self._may_fetch_for(wanted):
            return wanted.tried
        self._fly(self._fetch_keys_or_all, instead_of=snapshot)
        keys = (self._snapshot or snapshot).keys
        if wanted.proven_key:
            self._remember_if_unknown(wanted.proven_key, keys)
        return keys

    def _may_fetch_for(self, wanted: KeysWanted) -> bool:
        now = self._source.now()
        with self._lock:
            if self._flight is not None:
                return True  # Somebody fetches already: to wait costs the issuer nothing.
            if wanted.proven_key:
                known_at = self._unknown.get(wanted.proven_key)
                return known_at is None or now - known_at >= UNKNOWN_KEY_IS_REMEMBERED_FOR
            return self._buckets.setdefault(wanted.entry, TokenBucket()).take(now)

    def _remember_if_unknown(self, public_key_info: bytes, keys: KeySet) -> None:
        with self._lock:
            self._unknown.pop(public_key_info, None)
            if any(key.public_key_info == public_key_info for key in keys.keys):
                return
            self._unknown[public_key_info] = self._source.now()
            if len(self._unknown) > UNKNOWN_KEYS_MAX:
                self._unknown.popitem(last=False)

    def _fly(self, fetch: Callable[[], None], *, instead_of: IssuerSnapshot | None) -> None:
        """Run ``fetch`` unless one runs already or has just ended; share the end of one that runs.

        Args:
            fetch: replaces the snapshot or raises.
            instead_of: the snapshot that the caller found wanting; a fresher one is good enough.
        """
        mine: Flight = Future()
        with self._lock:
            flight = self._flight
            if flight is None:
                if _is_fresher(self._snapshot, instead_of):
                    return
                self._flight = mine
        if flight is None:
            self._lead(fetch, mine)
        elif (failure := flight.result()) is not None:
            raise type(failure)(failure.code)

    def _lead(self, fetch: Callable[[], None], flight: Flight) -> None:
        failure: CyberIDError | None = UnavailableError("issuer.unavailable")
        try:
            fetch()
            failure = None
        except CyberIDError as error:
            failure = error
            self._count(error)
            raise
        finally:
            with self._lock:
                self._flight = None
            flight.set_result(failure)

    def _count(self, error: CyberIDError) -> None:
        known = self._snapshot
        if known is not None:
            self._snapshot = known.with_failure(error.code, now=self._source.now())
        logger.warning("refresh failed: code=%s reference=%s", error.code, error.reference)

    def _fetch_all(self) -> None:
        known = self._snapshot
        metadata = self._source.fetch_metadata(None if known is None else known.metadata.issued_at)
        keys = self._source.fetch_keys(metadata.metadata)
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = IssuerSnapshot.first(metadata, keys, now=now, jitter=jitter)

    def _fetch_keys(self) -> None:
        known = self._known()
        keys = self._source.fetch_keys(known.metadata)
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = known.with_keys(keys, now=now, jitter=jitter)

    def _fetch_keys_or_all(self) -> None:
        # The key set may have moved since the metadata were fetched.
        try:
            self._fetch_keys()
        except (UnavailableError, VerificationError):
            self._fetch_all()


_keepers: weakref.WeakSet[SnapshotKeeper] = weakref.WeakSet()
_refreshers: weakref.WeakSet[Refresher] = weakref.WeakSet()


def _reset_in_child() -> None:
    for keeper in _keepers:
        keeper._reset_locks()  # noqa: SLF001 - this module's own class
    for refresher in _refreshers:
        refresher._reset_locks()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)


class Refresher:
    """A daemon thread that refreshes ahead of time; started at first use, and again after a fork.

    Args:
        keeper: what it keeps current. It is held weakly: a forgotten client ends its thread.
        now: the client's clock.
    """

    # However far away the next refresh is: a clock that was set anew is noticed after this many seconds.
    LONGEST_SLEEP: Final = 60.0

    def __init__(self, keeper: SnapshotKeeper, now: Callable[[], datetime]) -> None:
        self._keeper = weakref.ref(keeper)
        self._now = now
        self._is_stopped = False
        self._reset_locks()
        _refreshers.add(self)

    def _reset_locks(self) -> None:
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        if self._is_stopped:
            self._stopping.set()

    def ensure_running(self) -> None:
        """Start the thread if there is none in this process; of two callers at once both may start one.

        A second thread does no harm: it finds nothing due.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        arguments = (self._keeper, self._now, self._stopping)
        self._thread = threading.Thread(target=_work, args=arguments, name="cyberid-refresh", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a fetch that is under way is waited for."""
        self._is_stopped = True
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()


def _work(
    keeper_ref: weakref.ref[SnapshotKeeper], now: Callable[[], datetime], stopping: threading.Event
) -> None:
    while not stopping.is_set():
        keeper = keeper_ref()
        if keeper is None:
            return
        wake_at = keeper.refresh_if_due()
        del keeper
        pause = (wake_at - now()).total_seconds()
        stopping.wait(min(max(pause, 0.05), Refresher.LONGEST_SLEEP))
