"""Keep the issuer's status lists current: whole lists, on a timer, never because somebody logs in."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from cyberid_client.effects import Leg
from cyberid_client.errors import CyberIDError, UnavailableError, VerificationError
from cyberid_client.flights import Flights
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.status_state import StatusSnapshot, plan_status_refresh
from cyberid_client.tracebacks import drop_frames
from cyberid_client.trust import StatusList, StatusLists

__all__ = ["AsyncKeptStatusLists", "KeptStatusLists", "StatusKeeper", "StatusSource"]

logger: Final = logging.getLogger("cyberid_client")

# All lists of one issuer together, inflated.
TOTAL_MAX_BYTES: Final = 1024 * 1024 * 1024
NOTHING_KNOWN_PAUSE: Final = timedelta(seconds=2)


class StatusSource(Protocol):
    """Where a keeper gets lists, time and chance from: the line to the issuer."""

    def now(self) -> datetime:
        """Return the current time."""
        ...

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        ...

    def fetch_status_aggregation(
        self, metadata: IssuerMetadata, newer_than: float | None
    ) -> Flow[tuple[str, ...]]:
        """Fetch the addresses of all lists, or raise."""
        ...

    def fetch_status_list(self, uri: str, known: StatusList | None) -> Flow[StatusList]:
        """Fetch and believe one list, newer than the one that is known, or raise."""
        ...


class StatusKeeper:
    """Hold the status lists of one issuer for all threads and tasks of a process.

    A failed refresh changes nothing but its own count: a list serves for as long as it holds. One
    refresh runs at a time; look-ups wait for nobody and fetch nothing.

    Args:
        source: where lists, time and chance come from.
        metadata: returns what is believed about the issuer, ``None`` before it is known.
        max_bytes: so many bytes may all lists together take; one that does not fit is not held.
    """

    def __init__(
        self,
        source: StatusSource,
        *,
        metadata: Callable[[], IssuerMetadata | None],
        max_bytes: int = TOTAL_MAX_BYTES,
    ) -> None:
        self._source = source
        self._metadata = metadata
        self._max_bytes = max_bytes
        self._snapshot = StatusSnapshot()
        # What fails is counted and logged one by one, where it fails.
        self._flights = Flights(lambda _error: None)

    @property
    def snapshot(self) -> StatusSnapshot:
        """What is known; empty before the first refresh."""
        return self._snapshot

    @property
    def lists(self) -> StatusLists:
        """The lists that are known, for look-ups at one moment."""
        return self._snapshot.lists

    def look_up(self, uri: object, idx: object) -> None:
        """Return if the credential with this address and index is valid now, raise otherwise.

        Args:
            uri: as for :meth:`StatusLists.look_up`.
            idx: likewise.

        Raises:
            RevocationError: as there.
        """
        self._snapshot.lists.look_up(uri, idx, self._source.now())

    def refresh(self) -> Leg[None]:
        """Fetch the page and every list that it names, or join a refresh that is under way.

        A list that fails does not keep the others from being fetched (draft, §9).

        Raises:
            CyberIDError: something failed, and this is the first of it; what was known stays.
        """
        yield from self._flights.fly(lambda: self._round(everything=True), is_done=lambda: False)

    def refresh_if_due(self) -> Leg[datetime]:
        """Fetch what is due and return when to look again; for a timer."""
        with contextlib.suppress(CyberIDError):  # It is counted and logged where it happened.
            yield from self._flights.fly(lambda: self._round(everything=False), is_done=lambda: False)
        now = self._source.now()
        if self._metadata() is None:
            return now + NOTHING_KNOWN_PAUSE
        return plan_status_refresh(self._snapshot, now).wake_at

    def _round(self, *, everything: bool) -> Leg[None]:
        """Fetch the page and then the lists, as far as they are due, and raise the first error."""
        metadata = self._metadata()
        if metadata is None:
            raise UnavailableError("issuer.unavailable")
        failures: list[CyberIDError] = []
        if everything or plan_status_refresh(self._snapshot, self._source.now()).page:
            yield from self._fetch_page(metadata, failures)
        uris = plan_status_refresh(self._snapshot, self._source.now()).uris
        for uri in tuple(self._snapshot.announced) if everything else uris:
            yield from self._fetch_list(uri, failures)
        if failures:
            raise failures[0]

    def _fetch_page(self, metadata: IssuerMetadata, failures: list[CyberIDError]) -> Leg[None]:
        fetched_at = self._snapshot.page.fetched_at
        newer_than = None if fetched_at is None else fetched_at.timestamp()
        try:
            uris = yield from self._source.fetch_status_aggregation(metadata, newer_than)
        except CyberIDError as error:
            failures.append(_noted(error))
            self._snapshot = self._snapshot.with_failed_page(error.code, now=self._source.now())
            return
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = self._snapshot.with_page(uris, now=now, jitter=jitter)

    def _fetch_list(self, uri: str, failures: list[CyberIDError]) -> Leg[None]:
        known = self._snapshot.lists.by_uri.get(uri)
        try:
            fetched = yield from self._source.fetch_status_list(uri, known)
            if self._snapshot.size_without(uri) + len(fetched.entries) > self._max_bytes:
                raise VerificationError("status_list.no_room")
        except CyberIDError as error:
            failures.append(_noted(error))
            self._snapshot = self._snapshot.with_failed_list(uri, error.code, now=self._source.now())
            return
        self._snapshot = self._snapshot.with_list(fetched, jitter=self._source.jitter())


def _noted(error: CyberIDError) -> CyberIDError:
    """Log a failure and return it without its frames, which hold whole lists."""
    drop_frames(error)
    # Neither the address nor anything else of the list: a log is no place to learn who asks about whom.
    logger.warning("status lists: refresh failed: code=%s reference=%s", error.code, error.reference)
    return error


class KeptStatusLists:
    """The status lists that a client keeps.

    Args:
        keeper: holds them.
        run: drives the keeper's legs.
    """

    __slots__ = ("_keeper", "_run")

    def __init__(self, keeper: StatusKeeper, run: Callable[[Leg[None]], None]) -> None:
        self._keeper = keeper
        self._run = run

    @property
    def snapshot(self) -> StatusSnapshot:
        """What is known; empty before the first refresh."""
        return self._keeper.snapshot

    @property
    def lists(self) -> StatusLists:
        """The lists that are known, for look-ups at one moment."""
        return self._keeper.lists

    def look_up(self, uri: object, idx: object) -> None:
        """Return if the credential with this address and index is valid now; see :meth:`StatusKeeper.look_up`."""
        self._keeper.look_up(uri, idx)

    def refresh(self) -> None:
        """Fetch the page and every list that it names; see :meth:`StatusKeeper.refresh`."""
        self._run(self._keeper.refresh())


class AsyncKeptStatusLists:
    """The same, awaited where it waits.

    Args:
        keeper: as for :class:`KeptStatusLists`.
        run: likewise.
    """

    __slots__ = ("_keeper", "_run")

    def __init__(self, keeper: StatusKeeper, run: Callable[[Leg[None]], Awaitable[None]]) -> None:
        self._keeper = keeper
        self._run = run

    @property
    def snapshot(self) -> StatusSnapshot:
        """What is known; empty before the first refresh."""
        return self._keeper.snapshot

    @property
    def lists(self) -> StatusLists:
        """The lists that are known, for look-ups at one moment."""
        return self._keeper.lists

    def look_up(self, uri: object, idx: object) -> None:
        """Return if the credential is valid now, without waiting; see :meth:`StatusKeeper.look_up`."""
        self._keeper.look_up(uri, idx)

    async def refresh(self) -> None:
        """Fetch the page and every list that it names; see :meth:`StatusKeeper.refresh`."""
        await self._run(self._keeper.refresh())
