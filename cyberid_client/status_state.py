"""Which status lists are known, as one immutable value, and when to ask for each again.

Everything here is pure. :func:`plan_status_refresh` looks at a snapshot and a time and says what should
be fetched now and when to look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from cyberid_client.trust import StatusList, StatusLists

__all__ = ["Freshness", "StatusPlan", "StatusSnapshot", "plan_status_refresh"]

# Seconds after which the page that names the lists is fetched again: a credential of a new epoch is
# good only once its list is known.
PAGE_LIFETIME: Final = 600.0

# Fetched again when between 75 % and 90 % of its life is over: a fleet does not ask at once.
AHEAD_EARLIEST: Final = 0.75
AHEAD_SPREAD: Final = 0.15

BACKOFF_FIRST: Final = 2
BACKOFF_MAX: Final = 300

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """When something was fetched last, and what came of the attempts since.

    Attributes:
        fetched_at: aware; ``None`` when it never came.
        lifetime: seconds from then until it is out of date.
        jitter: 0 to 1, drawn when it was fetched.
        failures: how many attempts in a row have failed since.
        failed_at: when the last of them did.
        failure: the code of its error.
    """

    fetched_at: datetime | None = None
    lifetime: float = 0.0
    jitter: float = 0.0
    failures: int = 0
    failed_at: datetime | None = None
    failure: str | None = None

    def with_failure(self, code: str, *, now: datetime) -> Freshness:
        """Return it with one more failed attempt."""
        return replace(self, failures=self.failures + 1, failed_at=now, failure=code)

    @property
    def due_at(self) -> datetime:
        """From when on it should be fetched: ahead of time, and not at once after a failure."""
        due_at = _AT_ONCE
        if self.fetched_at is not None:
            share = AHEAD_EARLIEST + AHEAD_SPREAD * self.jitter
            due_at = self.fetched_at + timedelta(seconds=self.lifetime * share)
        if self.failed_at is None:
            return due_at
        wait = min(BACKOFF_FIRST ** min(self.failures, 10), BACKOFF_MAX)
        return max(due_at, self.failed_at + timedelta(seconds=wait))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSnapshot:
    """What is known about status lists at one moment.

    Attributes:
        lists: every list that was believed, for look-ups.
        page: of the page that names the lists.
        announced: of each list that the page names, by address.
    """

    lists: StatusLists = field(default_factory=StatusLists)
    page: Freshness = field(default_factory=Freshness)
    announced: Mapping[str, Freshness] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "announced", MappingProxyType(dict(self.announced)))

    def with_page(self, uris: tuple[str, ...], *, now: datetime, jitter: float) -> StatusSnapshot:
        """Return the snapshot with the lists that are announced now.

        One that is not announced any more is not fetched again, and goes when it holds no more.
        """
        kept = {
            uri: known for uri, known in self.lists.by_uri.items() if uri in uris or now < known.holds_until
        }
        return StatusSnapshot(
            lists=StatusLists(kept),
            page=Freshness(fetched_at=now, lifetime=PAGE_LIFETIME, jitter=jitter),
            announced={uri: self.announced.get(uri, Freshness()) for uri in uris},
        )

    def with_list(self, status_list: StatusList, *, jitter: float) -> StatusSnapshot:
        """Return the snapshot with a newer list."""
        uri = status_list.uri
        fresh = Freshness(fetched_at=status_list.fetched_at, lifetime=status_list.lifetime, jitter=jitter)
        return replace(
            self,
            lists=StatusLists({**self.lists.by_uri, uri: status_list}),
            announced={**self.announced, uri: fresh},
        )

    def with_failed_page(self, code: str, *, now: datetime) -> StatusSnapshot:
        """Return the snapshot with one more failed fetch of the page; no list goes."""
        return replace(self, page=self.page.with_failure(code, now=now))

    def with_failed_list(self, uri: str, code: str, *, now: datetime) -> StatusSnapshot:
        """Return the snapshot with one more failed fetch of a list; the list that is known stays."""
        failed = self.announced[uri].with_failure(code, now=now)
        return replace(self, announced={**self.announced, uri: failed})

    def size_without(self, uri: str) -> int:
        """Return how many bytes the entries of all other lists take."""
        return sum(len(each.entries) for each in self.lists.by_uri.values() if each.uri != uri)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPlan:
    """What to do about status lists at one moment.

    Attributes:
        page: fetch the page that names the lists now, and then plan anew.
        uris: fetch these lists now.
        wake_at: when to look again.
    """

    page: bool
    uris: tuple[str, ...]
    wake_at: datetime


def plan_status_refresh(snapshot: StatusSnapshot, now: datetime) -> StatusPlan:
    """Say what to fetch now and when to look again."""
    due = {uri: each.due_at for uri, each in snapshot.announced.items()}
    return StatusPlan(
        page=snapshot.page.due_at <= now,
        uris=tuple(uri for uri, due_at in due.items() if due_at <= now),
        wake_at=max(now, min([snapshot.page.due_at, *due.values()])),
    )
