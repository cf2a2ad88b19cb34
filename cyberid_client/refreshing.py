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
from cyberid_client.handshake.flow import KeysWanted, ListsWanted
from cyberid_client.handshake.metadata import FetchedKeys, FetchedMetadata, IssuerMetadata
from cyberid_client.list_memory import ListMemory, ListSource
from cyberid_client.state import IssuerSnapshot, RefreshPlan, plan_refresh
from cyberid_client.trust import IssuedCertificate, KeySet, RevocationLists

__all__ = ["IssuerSource", "Refresher", "SnapshotKeeper", "TokenBucket"]

logger: Final = logging.getLogger("cyberid_client")

NOTHING_KNOWN_PAUSE: Final = timedelta(seconds=2)
BUCKET_SIZE: Final = 5
BUCKET_REFILL: Final = timedelta(seconds=30)
UNKNOWN_KEY_IS_REMEMBERED_FOR: Final = timedelta(seconds=30)
UNKNOWN_KEYS_MAX: Final = 256


class IssuerSource(ListSource, Protocol):
    """Where a keeper gets documents, time and chance from: the client."""

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        ...

    def fetch_metadata(
        self,
        newest_iat: float | None,
        crls: RevocationLists,
        newer_lists: Callable[[ListsWanted], RevocationLists],
    ) -> FetchedMetadata:
        """Fetch and believe the metadata, or raise."""
        ...

    def paths_of(self, metadata: IssuerMetadata, keys: KeySet) -> tuple[IssuedCertificate, ...]:
        """Return what revocation lists must answer for."""
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


# One more counted failure makes nothing fresher, so that snapshots are compared by a part of them.
Part = Callable[[IssuerSnapshot], object]


def _keys_of(snapshot: IssuerSnapshot) -> KeySet:
    return snapshot.keys


def _lists_of(snapshot: IssuerSnapshot) -> RevocationLists:
    return snapshot.crls


def _is_fresher(snapshot: IssuerSnapshot | None, than: IssuerSnapshot | None, part: Part) -> bool:
    return snapshot is not None and (than is None or part(snapshot) is not part(than))


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
        self._quiet: tuple[IssuerSnapshot, datetime] | None = None
        self._lists = ListMemory(source)
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
            ahead: somebody else refreshes ahead of time, so that only what is out of date is fetched here.

        Raises:
            CyberIDError: nothing that is known may serve, and the fetch failed.
        """
        snapshot, now = self._snapshot, self._source.now()
        if self._quiet is not None:
            planned_for, quiet_until = self._quiet
            if planned_for is snapshot and now < quiet_until:
                return planned_for
        plan = plan_refresh(snapshot, now)
        # Nobody refreshed while the machine slept, or before this process was forked.
        in_time = snapshot is not None and ahead and not snapshot.is_out_of_date(now)
        if snapshot is not None and plan.usable and (in_time or not plan.due):
            if not plan.due and snapshot.failed_at is None:
                # Nothing is due before that moment, so that no login until then needs a plan of its own.
                self._quiet = (snapshot, plan.wake_at)
            return snapshot
        try:
            self._fly_as_planned(plan, instead_of=snapshot)
        except CyberIDError:
            if snapshot is None or not plan.usable:
                raise
        return self._known()

    def _known(self) -> IssuerSnapshot:
        if self._snapshot is None:
            raise UnavailableError("issuer.unavailable")
        return self._snapshot

    def refresh(self) -> None:
        """Fetch metadata, keys and revocation lists, or join a fetch that is under way.

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
                self._fly_as_planned(plan, instead_of=snapshot)
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
            self._remember(wanted.proven_key)
        return keys

    def newer_lists(self, wanted: ListsWanted) -> RevocationLists:
        """Return revocation lists that answer for the certificates.

        Raises:
            RevocationError: a list did not come, now or a moment ago, or is not to be believed.
        """
        snapshot = self._known()
        if snapshot.crls is wanted.tried:
            self._lists.require_untried(wanted.certificates)
        # A fetch of something else may be under way: wait for it, and then fetch.
        for _ in range(3):
            if self._known().crls is not wanted.tried:
                break
            self._fly(lambda: self._fetch_lists(wanted.certificates), instead_of=snapshot, part=_lists_of)
        return self._known().crls

    def _may_fetch_for(self, wanted: KeysWanted) -> bool:
        now = self._source.now()
        with self._lock:
            if self._flight is not None:
                return True  # Somebody fetches already: to wait costs the issuer nothing.
            if wanted.proven_key:
                known_at = self._unknown.get(wanted.proven_key)
                return known_at is None or now - known_at >= UNKNOWN_KEY_IS_REMEMBERED_FOR
            return self._buckets.setdefault(wanted.entry, TokenBucket()).take(now)

    def _remember(self, public_key_info: bytes) -> None:
        # Also a key that is published, for it may stand there under a name that no message gives it.
        with self._lock:
            self._unknown.pop(public_key_info, None)
            self._unknown[public_key_info] = self._source.now()
            if len(self._unknown) > UNKNOWN_KEYS_MAX:
                self._unknown.popitem(last=False)

    def _fly_as_planned(self, plan: RefreshPlan, *, instead_of: IssuerSnapshot | None) -> None:
        if plan.metadata or not plan.usable:
            self._fly(self._fetch_all, instead_of=instead_of)
            return

        def fetch() -> None:
            if plan.keys:
                self._fetch_keys()
            if plan.crls:
                self._fetch_lists(self._known().due_certificates(self._source.now()))

        self._fly(fetch, instead_of=instead_of, part=_keys_of if plan.keys else _lists_of)

    def _fly(
        self, fetch: Callable[[], None], *, instead_of: IssuerSnapshot | None, part: Part = _keys_of
    ) -> None:
        """Run ``fetch`` unless one runs already or has just ended; share the end of one that runs.

        Args:
            fetch: replaces the snapshot or raises.
            instead_of: the snapshot that the caller found wanting; a fresher one is good enough.
            part: by which it is told which of two is fresher.
        """
        mine: Flight = Future()
        with self._lock:
            flight = self._flight
            if flight is None:
                if _is_fresher(self._snapshot, instead_of, part):
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
        known, began = self._snapshot, self._source.now()
        newest_iat = None if known is None else known.metadata.issued_at
        metadata = self._source.fetch_metadata(newest_iat, self._lists.crls, self._learn)
        keys = self._source.fetch_keys(metadata.metadata)
        certificates = self._source.paths_of(metadata.metadata, keys.keys)
        asked_at = {name: one.asked_at for name, one in self._lists.crls.by_authority.items()}
        self._lists.refresh(
            one
            for one in certificates
            if one.required and (one.authority not in asked_at or asked_at[one.authority] < began)
        )
        self._snapshot = IssuerSnapshot.first(
            metadata,
            keys,
            now=self._source.now(),
            jitter=self._source.jitter(),
            crls=self._lists.crls,
            certificates=certificates,
        )

    def _learn(self, wanted: ListsWanted) -> RevocationLists:
        """Fetch lists in the middle of a fetch of the metadata that need them."""
        self._lists.fetch(wanted.certificates)
        return self._lists.crls

    def _fetch_lists(self, certificates: tuple[IssuedCertificate, ...]) -> None:
        try:
            self._lists.fetch(certificates)
        except CyberIDError:
            self._snapshot = self._known().with_lists(self._lists.crls)
            raise
        self._snapshot = self._known().with_lists(self._lists.crls).without_failures()

    def _fetch_keys(self) -> None:
        known = self._known()
        keys = self._source.fetch_keys(known.metadata)
        certificates = self._source.paths_of(known.metadata, keys.keys)
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = known.with_keys(keys, now=now, jitter=jitter, certificates=certificates)

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


class Refreshable(Protocol):
    """What a timer can keep current."""

    def refresh_if_due(self) -> datetime:
        """Fetch what is due and return when to look again."""
        ...


class Refresher:
    """A daemon thread that refreshes ahead of time; started at first use, and again after a fork.

    Args:
        keeper: what it keeps current. It is held weakly: a forgotten client ends its thread.
        now: the client's clock.
    """

    # However far away the next refresh is: a clock that was set anew is noticed after this many seconds.
    LONGEST_SLEEP: Final = 60.0

    def __init__(self, keeper: Refreshable, now: Callable[[], datetime]) -> None:
        self._keeper = weakref.ref(keeper)
        self._now = now
        self._reset_locks()
        _refreshers.add(self)

    def _reset_locks(self) -> None:
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

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
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()


def _work(
    keeper_ref: weakref.ref[Refreshable], now: Callable[[], datetime], stopping: threading.Event
) -> None:
    while not stopping.is_set():
        keeper = keeper_ref()
        if keeper is None:
            return
        wake_at = keeper.refresh_if_due()
        del keeper
        pause = (wake_at - now()).total_seconds()
        stopping.wait(min(max(pause, 0.05), Refresher.LONGEST_SLEEP))
