"""When to fetch what, as a pure function of what is known and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cyberid_client.handshake.metadata import FetchedKeys, FetchedMetadata, IssuerMetadata
from cyberid_client.state import IssuerSnapshot, RefreshPlan, clamp_lifetime, plan_refresh
from cyberid_client.trust import KeySet

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
METADATA = IssuerMetadata(
    issuer="https://issuer.example",
    authorization_endpoint="https://issuer.example/a",
    par_endpoint="https://issuer.example/p",
    token_endpoint="https://issuer.example/t",
    jwks_uri="https://issuer.example/j",
    status_list_aggregation_endpoint=None,
    issued_at=T0.timestamp(),
    expires_at=(T0 + timedelta(days=1)).timestamp(),
)


def snapshot(*, jitter=0.0, fresh_for=None, **changes):
    metadata = FetchedMetadata(replace(METADATA, **changes), None)
    return IssuerSnapshot.first(metadata, FetchedKeys(KeySet(), fresh_for), now=T0, jitter=jitter)


def plan_after(seconds, **settings):
    return plan_refresh(snapshot(**settings), T0 + timedelta(seconds=seconds))


def test_nothing_known_means_fetch_everything_and_let_nobody_in():
    """Before the first fetch no login can go on."""
    assert plan_refresh(None, T0) == RefreshPlan(
        metadata=True, keys=True, crls=True, usable=False, wake_at=T0
    )


@pytest.mark.parametrize(
    ("claimed", "lifetime"),
    [(None, 600), (0, 60), (59.9, 60), (60, 60), (3600, 3600), (86400, 86400), (86401, 86400), (1e9, 86400)],
)
def test_a_cache_header_is_taken_between_our_own_bounds(claimed, lifetime):
    """One minute at least, one day at most, our own default when nothing is said."""
    assert lifetime == clamp_lifetime(claimed, 600)


@pytest.mark.parametrize(
    ("jitter", "seconds", "due"),
    [(0.0, 449.999, False), (0.0, 450, True), (1.0, 539.999, False), (1.0, 540, True)],
)
def test_keys_are_due_ahead_of_their_end_at_a_moment_of_chance(jitter, seconds, due):
    """Between 75 and 90 per cent of their life, so that a fleet does not ask at once."""
    plan = plan_after(seconds, jitter=jitter)
    assert (plan.keys, plan.metadata, plan.usable) == (due, False, True)


def test_the_plan_says_when_to_look_again():
    """The next moment is the earliest at which something falls due."""
    assert plan_after(0).wake_at == T0 + timedelta(seconds=450)


def test_metadata_that_end_by_their_own_word_are_fetched_before():
    """A short life of the signed document counts, not only the age of the copy."""
    plan = plan_after(75, expires_at=T0.timestamp() + 100)
    assert plan.metadata


@pytest.mark.parametrize(("seconds", "usable"), [(24 * 3600 + 599.999, True), (24 * 3600 + 600, False)])
def test_keys_serve_for_a_day_past_their_end_and_no_longer(seconds, usable):
    """Stale keys are better than none, until the hard cap."""
    assert plan_after(seconds, expires_at=T0.timestamp() + 10 * 86400).usable is usable


@pytest.mark.parametrize(("seconds", "usable"), [(100 + 24 * 3600 - 0.001, True), (100 + 24 * 3600, False)])
def test_signed_metadata_serve_for_a_day_past_their_end_and_no_longer(seconds, usable):
    """Profile §3: an expired document is used for at most 24 hours while refresh fails."""
    late = replace(snapshot(expires_at=T0.timestamp() + 100), keys_at=T0 + timedelta(days=1))
    assert plan_refresh(late, T0 + timedelta(seconds=seconds)).usable is usable


@pytest.mark.parametrize(("failures", "pause"), [(1, 2), (2, 4), (5, 32), (6, 60), (1000, 60)])
def test_a_failed_refresh_is_tried_again_later_and_later(failures, pause):
    """Two seconds at first, a minute at most; meanwhile nobody waits for a dead issuer."""
    failed_at = T0 + timedelta(seconds=500)
    known = replace(snapshot(), failures=failures - 1).with_failure("transport.timeout", now=failed_at)
    early = plan_refresh(known, failed_at + timedelta(seconds=pause - 0.001))
    assert (early.due, early.usable, early.wake_at) == (False, True, failed_at + timedelta(seconds=pause))
    assert plan_refresh(known, failed_at + timedelta(seconds=pause)).keys


def test_a_success_forgets_the_failures():
    """What was counted against an issuer ends when it answers."""
    known = snapshot().with_failure("transport.timeout", now=T0)
    fresh = known.with_keys(FetchedKeys(KeySet(), 120), now=T0, jitter=0.5)
    assert (fresh.failures, fresh.failed_at, fresh.failure, fresh.keys_lifetime) == (0, None, None, 120)
