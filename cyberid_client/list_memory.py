"""What a client remembers about revocation lists, whatever becomes of the fetch that brought them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from cyberid_client.effects import Leg
from cyberid_client.errors import RevocationError
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.revocation import FetchedLists
from cyberid_client.trust import IssuedCertificate, RevocationLists

__all__ = ["ListMemory", "ListSource"]

logger: Final = logging.getLogger("cyberid_client")

PROBLEM_IS_REMEMBERED_FOR: Final = timedelta(seconds=30)
PROBLEMS_MAX: Final = 256


class ListSource(Protocol):
    """Where lists and time come from."""

    def now(self) -> datetime:
        """Return the current time."""
        ...

    def fetch_lists(
        self, certificates: Iterable[IssuedCertificate], known: RevocationLists
    ) -> Flow[FetchedLists]:
        """Fetch the lists that answer for these certificates."""
        ...


class ListMemory:
    """Hold every list that was believed; one fetch at a time, which its owner sees to.

    A number that was seen on a list stays, also when the fetch of which the list was a part failed: a
    later answer never makes a revoked certificate good. Only a new process starts without memory.

    Args:
        source: where lists and time come from.
    """

    def __init__(self, source: ListSource) -> None:
        self._source = source
        self._problems: dict[bytes, tuple[datetime, str]] = {}
        self.crls = RevocationLists()

    def fetch(self, certificates: Iterable[IssuedCertificate]) -> Leg[None]:
        """Fetch the lists that answer for these certificates.

        Raises:
            RevocationError: one of them did not come or is not to be believed; the others are kept.
        """
        asked = tuple(certificates)
        fetched = yield from self._source.fetch_lists(asked, self.crls)
        before, self.crls = self.crls, fetched.crls
        if fetched.problem is None:
            return
        now = self._source.now()
        if len(self._problems) > PROBLEMS_MAX:
            self._problems.clear()
        for one in asked:
            if self.crls.by_authority.get(one.authority) is before.by_authority.get(one.authority):
                self._problems[one.authority] = (now, fetched.problem.code)
        raise fetched.problem

    def refresh(self, certificates: Iterable[IssuedCertificate]) -> Leg[None]:
        """Fetch, and only log what did not come: what is known may go on serving."""
        try:
            yield from self.fetch(certificates)
        except RevocationError as error:
            logger.warning("revocation list: code=%s reference=%s", error.code, error.reference)

    def require_untried(self, certificates: Iterable[IssuedCertificate]) -> None:
        """Return if none of these lists failed to come a moment ago.

        Raises:
            RevocationError: as then; nobody waits once more for an authority that does not answer.
        """
        now = self._source.now()
        for one in certificates:
            failed_at, code = self._problems.get(one.authority, (None, ""))
            if failed_at is not None and now - failed_at < PROBLEM_IS_REMEMBERED_FOR:
                raise RevocationError(code)
