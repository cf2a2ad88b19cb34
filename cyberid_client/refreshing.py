"""Keep the snapshot of the issuer current: one fetch at a time, ahead of time, never evicting good keys."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from cyberid_client.effects import Leg
from cyberid_client.errors import CyberIDError, UnavailableError, VerificationError
from cyberid_client.flights import Flights
from cyberid_client.handshake.flow import Flow, KeysWanted, ListsWanted
from cyberid_client.handshake.metadata import FetchedKeys, FetchedMetadata, IssuerMetadata
from cyberid_client.list_memory import ListMemory, ListSource
from cyberid_client.state import IssuerSnapshot, RefreshPlan, plan_refresh
from cyberid_client.trust import IssuedCertificate, KeySet, RevocationLists

__all__ = ["IssuerSource", "SnapshotKeeper", "TokenBucket"]

T = TypeVar("T")

logger: Final = logging.getLogger("cyberid_client")

NOTHING_KNOWN_PAUSE: Final = timedelta(seconds=2)
# Who comes so soon after a fetch in vain, and cannot do without, hears of it and does not wait for another.
FAILURE_IS_SHARED_FOR: Final = timedelta(seconds=1)
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
        self, newest_iat: float | None, crls: RevocationLists, newer_than: float | None
    ) -> Flow[FetchedMetadata]:
        """Fetch and believe the metadata, or raise."""
        ...

    def paths_of(self, metadata: IssuerMetadata, keys: KeySet) -> tuple[IssuedCertificate, ...]:
        """Return what revocation lists must answer for."""
        ...

    def fetch_keys(self, metadata: IssuerMetadata, newer_than: float | None) -> Flow[FetchedKeys]:
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


# One more counted failure makes nothing fresher, so that snapshots are compared by a part of them.
Part = Callable[[IssuerSnapshot], object]


def _keys_of(snapshot: IssuerSnapshot) -> KeySet:
    return snapshot.keys


def _lists_of(snapshot: IssuerSnapshot) -> RevocationLists:
    return snapshot.crls


def _is_fresher(snapshot: IssuerSnapshot | None, than: IssuerSnapshot | None, part: Part) -> bool:
    return snapshot is not None and (than is None or part(snapshot) is not part(than))


def _answering(
    flow: Flow[T],
    newer_keys: Callable[[KeysWanted], Leg[KeySet]] | None,
    newer_lists: Callable[[ListsWanted], Leg[RevocationLists]],
) -> Leg[T]:
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, KeysWanted):
                keys = effect.tried if newer_keys is None else (yield from newer_keys(effect))
                effect = flow.send(keys)
            elif isinstance(effect, ListsWanted):
                effect = flow.send((yield from newer_lists(effect)))
            else:
                effect = flow.send((yield effect))
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


class SnapshotKeeper:
    """Hold the current snapshot for all threads and tasks of a process.

    A failed refresh changes nothing but its own count. However many ask, one fetch runs at a time, and
    all who waited for it share what came of it.

    Args:
        source: where documents, time and chance come from.
    """

    def __init__(self, source: IssuerSource) -> None:
        self._source = source
        self._snapshot: IssuerSnapshot | None = None
        self._quiet: tuple[IssuerSnapshot, datetime] | None = None
        self._lists = ListMemory(source)
        self._flights = Flights(self._count)
        self._in_vain: tuple[datetime, UnavailableError] | None = None
        self._reset_locks()
        _keepers.add(self)

    def _reset_locks(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._unknown: OrderedDict[bytes, datetime] = OrderedDict()

    @property
    def snapshot(self) -> IssuerSnapshot | None:
        """What is known, or ``None`` before the first fetch."""
        return self._snapshot

    def current(self, *, ahead: bool) -> Leg[IssuerSnapshot]:
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
        if not plan.usable:
            self._require_no_fresh_failure(now)
        try:
            yield from self._fly_as_planned(plan, instead_of=snapshot)
        except CyberIDError:
            if snapshot is None or not plan.usable:
                raise
        return self._known()

    def _require_no_fresh_failure(self, now: datetime) -> None:
        # With nothing to go on with, each login would wait its turn for a timeout of its own.
        if self._in_vain is not None:
            failed_at, failure = self._in_vain
            if timedelta() <= now - failed_at < FAILURE_IS_SHARED_FOR:
                raise type(failure)(failure.code)

    def _known(self) -> IssuerSnapshot:
        if self._snapshot is None:
            raise UnavailableError("issuer.unavailable")
        return self._snapshot

    def refresh(self) -> Leg[None]:
        """Fetch metadata, keys and revocation lists, or join a fetch that is under way.

        Raises:
            CyberIDError: it failed; what was known stays.
        """
        yield from self._fly(self._fetch_all, instead_of=self._snapshot)

    def refresh_if_due(self) -> Leg[datetime]:
        """Fetch what is due and return when to look again; for a timer."""
        snapshot = self._snapshot
        plan = plan_refresh(snapshot, self._source.now())
        if plan.due:
            with contextlib.suppress(CyberIDError):  # It is counted and logged where it happened.
                yield from self._fly_as_planned(plan, instead_of=snapshot)
            plan = plan_refresh(self._snapshot, self._source.now())
        if self._snapshot is None:
            return self._source.now() + NOTHING_KNOWN_PAUSE
        return plan.wake_at

    def answering(self, flow: Flow[T]) -> Leg[T]:
        """Run a flow and answer from here when it asks for keys and lists; hand on whatever else it asks.

        Args:
            flow: not begun.
        """
        return _answering(flow, self.newer_keys, self.newer_lists)

    def newer_keys(self, wanted: KeysWanted) -> Leg[KeySet]:
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
        yield from self._fly(self._fetch_keys_or_all, instead_of=snapshot)
        keys = (self._snapshot or snapshot).keys
        if wanted.proven_key:
            self._remember(wanted.proven_key)
        return keys

    def newer_lists(self, wanted: ListsWanted) -> Leg[RevocationLists]:
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
            yield from self._fly(
                lambda: self._fetch_lists(wanted.certificates), instead_of=snapshot, part=_lists_of
            )
        return self._known().crls

    def _may_fetch_for(self, wanted: KeysWanted) -> bool:
        if self._flights.under_way:
            return True  # Somebody fetches already: to wait costs the issuer nothing.
        now = self._source.now()
        with self._lock:
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

    def _fly_as_planned(self, plan: RefreshPlan, *, instead_of: IssuerSnapshot | None) -> Leg[None]:
        if plan.metadata or not plan.usable:
            return self._fly(self._fetch_all, instead_of=instead_of)

        def fetch() -> Leg[None]:
            if plan.keys:
                yield from self._fetch_keys()
            if plan.crls:
                yield from self._fetch_lists(self._known().due_certificates(self._source.now()))

        return self._fly(fetch, instead_of=instead_of, part=_keys_of if plan.keys else _lists_of)

    def _fly(
        self, fetch: Callable[[], Leg[None]], *, instead_of: IssuerSnapshot | None, part: Part = _keys_of
    ) -> Leg[None]:
        """Run ``fetch`` unless one runs already or has just ended; share the end of one that runs.

        Args:
            fetch: replaces the snapshot or raises.
            instead_of: the snapshot that the caller found wanting; a fresher one is good enough.
            part: by which it is told which of two is fresher.
        """
        return self._flights.fly(fetch, is_done=lambda: _is_fresher(self._snapshot, instead_of, part))

    def _count(self, error: CyberIDError) -> None:
        known, now = self._snapshot, self._source.now()
        if known is not None:
            self._snapshot = known.with_failure(error.code, now=now)
        if isinstance(error, UnavailableError):
            self._in_vain = (now, type(error)(error.code))
        logger.warning("refresh failed: code=%s reference=%s", error.code, error.reference)

    def _fetch_all(self) -> Leg[None]:
        known, began = self._snapshot, self._source.now()
        newest_iat = None if known is None else known.metadata.issued_at
        metadata_at = None if known is None else known.metadata_at.timestamp()
        keys_at = None if known is None else known.keys_at.timestamp()
        flow = self._source.fetch_metadata(newest_iat, self._lists.crls, metadata_at)
        metadata = yield from _answering(flow, None, self._learn)
        keys = yield from self._source.fetch_keys(metadata.metadata, keys_at)
        certificates = self._source.paths_of(metadata.metadata, keys.keys)
        asked_at = {name: one.asked_at for name, one in self._lists.crls.by_authority.items()}
        yield from self._lists.refresh(
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

    def _learn(self, wanted: ListsWanted) -> Leg[RevocationLists]:
        """Fetch lists in the middle of a fetch of the metadata that need them."""
        yield from self._lists.fetch(wanted.certificates)
        return self._lists.crls

    def _fetch_lists(self, certificates: tuple[IssuedCertificate, ...]) -> Leg[None]:
        try:
            yield from self._lists.fetch(certificates)
        except CyberIDError:
            self._snapshot = self._known().with_lists(self._lists.crls)
            raise
        self._snapshot = self._known().with_lists(self._lists.crls).without_failures()

    def _fetch_keys(self) -> Leg[None]:
        known = self._known()
        keys = yield from self._source.fetch_keys(known.metadata, known.keys_at.timestamp())
        certificates = self._source.paths_of(known.metadata, keys.keys)
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = known.with_keys(keys, now=now, jitter=jitter, certificates=certificates)

    def _fetch_keys_or_all(self) -> Leg[None]:
        # The key set may have moved since the metadata were fetched.
        try:
            yield from self._fetch_keys()
        except (UnavailableError, VerificationError):
            yield from self._fetch_all()


_keepers: weakref.WeakSet[SnapshotKeeper] = weakref.WeakSet()


def _reset_in_child() -> None:
    for keeper in _keepers:
        keeper._reset_locks()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
