"""Keep the issuer's status lists current: whole lists, on a timer, never because somebody logs in."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from cyberid_client.errors import CyberIDError, UnavailableError, VerificationError
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.status_state import StatusSnapshot, plan_status_refresh
from cyberid_client.tracebacks import drop_frames
from cyberid_client.trust import StatusList, StatusLists

__all__ = ["StatusKeeper", "StatusSource"]

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

    def fetch_status_aggregation(self, metadata: IssuerMetadata) -> tuple[str, ...]:
        """Fetch the addresses of all lists, or raise."""
        ...

    def fetch_status_list(self, uri: str, newest_iat: float | None) -> StatusList:
        """Fetch and believe one list, or raise."""
        ...


class StatusKeeper:
    """Hold the status lists of one issuer for all threads of a process.

    A failed refresh changes nothing but its own count: a list serves for as long as it holds. One
    thread refreshes at a time; look-ups wait for nobody and fetch nothing.

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
        self._rounds = 0
        self._failure: CyberIDError | None = None
        self._reset_locks()
        _keepers.add(self)

    def _reset_locks(self) -> None:
        self._lock = threading.Lock()

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

    def refresh(self) -> None:
        """Fetch the page and every list that it names, or join a refresh that is under way.

        A list that fails does not keep the others from being fetched (draft, §9).

        Raises:
            CyberIDError: something failed, and this is the first of it; what was known stays.
        """
        seen = self._rounds
        with self._lock:
            if self._rounds != seen:
                if self._failure is not None:
                    raise type(self._failure)(self._failure.code)
                return
            self._round(everything=True)
            if self._failure is not None:
                raise self._failure

    def refresh_if_due(self) -> datetime:
        """Fetch what is due and return when to look again; for a timer."""
        with self._lock:
            self._round(everything=False)
            now = self._source.now()
            if self._metadata() is None:
                return now + NOTHING_KNOWN_PAUSE
            return plan_status_refresh(self._snapshot, now).wake_at

    def _round(self, *, everything: bool) -> None:
        """Fetch the page and then the lists, as far as they are due, and keep the first error."""
        self._failure = None
        metadata = self._metadata()
        if metadata is None:
            self._failure = UnavailableError("issuer.unavailable")
        else:
            if everything or plan_status_refresh(self._snapshot, self._source.now()).page:
                self._fetch_page(metadata)
            uris = plan_status_refresh(self._snapshot, self._source.now()).uris
            for uri in tuple(self._snapshot.announced) if everything else uris:
                self._fetch_list(uri)
        self._rounds += 1

    def _fetch_page(self, metadata: IssuerMetadata) -> None:
        try:
            uris = self._source.fetch_status_aggregation(metadata)
        except CyberIDError as error:
            self._note(error)
            self._snapshot = self._snapshot.with_failed_page(error.code, now=self._source.now())
            return
        now, jitter = self._source.now(), self._source.jitter()
        self._snapshot = self._snapshot.with_page(uris, now=now, jitter=jitter)

    def _fetch_list(self, uri: str) -> None:
        known = self._snapshot.lists.by_uri.get(uri)
        try:
            fetched = self._source.fetch_status_list(uri, None if known is None else known.issued_at)
            if self._snapshot.size_without(uri) + len(fetched.entries) > self._max_bytes:
                raise VerificationError("status_list.no_room")
        except CyberIDError as error:
            self._note(error)
            self._snapshot = self._snapshot.with_failed_list(uri, error.code, now=self._source.now())
            return
        self._snapshot = self._snapshot.with_list(fetched, jitter=self._source.jitter())

    def _note(self, error: CyberIDError) -> None:
        # It is kept until the next round, and its frames hold whole lists.
        drop_frames(error)
        self._failure = self._failure or error
        # Neither the address nor anything else of the list: a log is no place to learn who asks about whom.
        logger.warning("status lists: refresh failed: code=%s reference=%s", error.code, error.reference)


_keepers: weakref.WeakSet[StatusKeeper] = weakref.WeakSet()


def _reset_in_child() -> None:
    for keeper in _keepers:
        keeper._reset_locks()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
