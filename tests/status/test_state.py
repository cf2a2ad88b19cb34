"""When to fetch which list, as a pure function of what is known and the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cyberid_client.status_state import (
    BACKOFF_MAX,
    PAGE_LIFETIME,
    Freshness,
    StatusPlan,
    StatusSnapshot,
    plan_status_refresh,
)
from cyberid_client.trust import StatusList

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def make_list(uri: str, *, lifetime: float = 300.0, ends: float = 3600.0) -> StatusList:
    return StatusList(
        uri=uri,
        bits=1,
        entries=memoryview(bytes(2)),
        issued_at=T0.timestamp(),
        expires_at=T0.timestamp() + ends,
        fetched_at=T0,
        lifetime=lifetime,
    )


def known(*uris: str, jitter: float = 0.0) -> StatusSnapshot:
    snapshot = StatusSnapshot().with_page(uris, now=T0, jitter=jitter)
    for uri in uris:
        snapshot = snapshot.with_list(make_list(uri), jitter=jitter)
    return snapshot


def test_nothing_known_means_fetch_the_page():
    """Before the first page no list has a name."""
    assert StatusPlan(page=True, uris=(), wake_at=T0) == plan_status_refresh(StatusSnapshot(), T0)


def test_an_announced_list_is_due_at_once():
    """What the page names is fetched in the same round."""
    snapshot = StatusSnapshot().with_page(("a", "b"), now=T0, jitter=0.0)
    assert StatusPlan(page=False, uris=("a", "b"), wake_at=T0) == plan_status_refresh(snapshot, T0)


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 0.75), (0.5, 0.825), (1.0, 0.9)])
def test_each_is_fetched_ahead_of_its_time(jitter, share):
    """Between 75 % and 90 % of its life, list and page each by its own."""
    snapshot = known("a", jitter=jitter)
    at = T0 + seconds(300 * share)
    early = plan_status_refresh(snapshot, at - seconds(0.001))
    assert StatusPlan(page=False, uris=(), wake_at=at) == early
    assert ("a",) == plan_status_refresh(snapshot, at).uris
    page_at = T0 + seconds(PAGE_LIFETIME * share)
    assert [False, True] == [
        plan_status_refresh(snapshot, now).page for now in (page_at - seconds(0.001), page_at)
    ]


def test_lists_that_are_known_are_kept_when_the_page_comes_again():
    """A list that is announced still is not fetched for that, a new one is."""
    snapshot = known("a").with_page(("a", "b"), now=T0 + seconds(1), jitter=0.0)
    assert ("b",) == plan_status_refresh(snapshot, T0 + seconds(1)).uris
    assert ["a"] == list(snapshot.lists.by_uri)


@pytest.mark.parametrize(("after", "kept"), [(3599.999, ["a"]), (3600.0, [])])
def test_a_list_that_is_announced_no_more_goes_when_it_holds_no_more(after, kept):
    """Until the very second of its end it serves."""
    snapshot = known("a").with_page((), now=T0 + seconds(after), jitter=0.0)
    assert (kept, []) == (list(snapshot.lists.by_uri), list(snapshot.announced))


def test_a_stale_list_that_is_announced_is_kept_for_its_date():
    """It answers nothing, but an older one is still refused for it."""
    snapshot = known("a").with_page(("a",), now=T0 + seconds(9999), jitter=0.0)
    assert ["a"] == list(snapshot.lists.by_uri)


@pytest.mark.parametrize(
    ("failures", "wait"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, BACKOFF_MAX), (1000, BACKOFF_MAX)]
)
def test_failures_are_spaced_out(failures, wait):
    """Twice as long each time, and never more than five minutes."""
    fresh = Freshness()
    for _ in range(failures):
        fresh = fresh.with_failure("issuer.unavailable", now=T0)
    assert (T0 + seconds(wait), failures, "issuer.unavailable") == (
        fresh.due_at,
        fresh.failures,
        fresh.failure,
    )


def test_a_failure_does_not_bring_the_next_attempt_forward():
    """A list that was refreshed by hand and failed is due when it is due."""
    fresh = Freshness(fetched_at=T0, lifetime=3600.0).with_failure("issuer.status", now=T0)
    assert T0 + seconds(2700) == fresh.due_at


def test_a_failed_fetch_changes_nothing_but_its_count():
    """Lists stay, and one failed list says nothing about another."""
    snapshot = known("a", "b")
    failed = snapshot.with_failed_list("a", "issuer.status", now=T0).with_failed_page("issuer.status", now=T0)
    assert snapshot.lists == failed.lists
    assert (1, 0, 1) == (failed.announced["a"].failures, failed.announced["b"].failures, failed.page.failures)
    assert 0 == failed.with_list(make_list("a"), jitter=0.0).announced["a"].failures


def test_the_size_of_all_other_lists():
    """A newer list takes the place of the older one, so that one is not counted."""
    snapshot = known("a", "b", "c")
    assert (4, 6) == (snapshot.size_without("a"), snapshot.size_without("x"))
