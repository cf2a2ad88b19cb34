"""Every store over a real server keeps everything that it promises, whether it is awaited or not."""

from __future__ import annotations

from functools import partial

import pytest
from real_stores import PENDING, REPLAY, gone, pending_opener, replay_opener, url_of

from cyberid_client.testing.store_async import BlockingPendingStore, BlockingReplayStore
from cyberid_client.testing.store_conformance import GUARANTEES, StoreCandidate, guarantees_of
from cyberid_client.testing.store_replay import (
    REPLAY_GUARANTEES,
    ReplayCandidate,
    replay_guarantees_of,
)

UNBOUNDED = [each for each in GUARANTEES if each.name != "bound"]
REPLAYS = [each for each in REPLAY_GUARANTEES if each.name != "full"]
ONLY_TRANSACTIONAL = {"counters", "taken_back_together"}
# Every day these, beside the tests that each store has of its own; the others are slow.
EVERY_DAY = {"round_trip", "taken_once", "peek_leaves", "swap_compares", "one_effect", "transaction"}


def combined(names, guarantees):
    """Return every pair, most of them marked as slow."""
    return [
        pytest.param(
            name,
            guarantee,
            id=f"{name}-{guarantee}",
            marks=() if guarantee.name in EVERY_DAY else pytest.mark.slow,
        )
        for name in names
        for guarantee in guarantees
    ]


@pytest.fixture
def pending(request):
    def candidate(name):
        return StoreCandidate(
            fresh=lambda: pending_opener(name, url_of(name, request)),
            gone=partial(gone, PENDING, name, BlockingPendingStore),
            processes=3,
            rounds=20,
        )

    return candidate


@pytest.fixture
def replay(request):
    def candidate(name):
        return ReplayCandidate(
            fresh=lambda: replay_opener(name, url_of(name, request)),
            gone=partial(gone, REPLAY, name, BlockingReplayStore),
            processes=2,
        )

    return candidate


@pytest.mark.parametrize(("name", "guarantee"), combined(PENDING, UNBOUNDED))
def test_a_pending_store_keeps(pending, name, guarantee):
    """A shared store is single use, shared and durable, and whatever else the suite knows."""
    guarantee.check(pending(name))


@pytest.mark.parametrize("name", PENDING)
def test_a_pending_store_promises_all(pending, name):
    """A shared store makes every promise but that of a bound."""
    assert {each.name for each in UNBOUNDED} == {each.name for each in guarantees_of(pending(name))}


@pytest.mark.parametrize(
    ("name", "guarantee"),
    [
        case
        for case in combined(REPLAY, REPLAYS)
        if case.values[1].name
        not in ({"no_counters"} if "redis" not in case.values[0] else ONLY_TRANSACTIONAL)
    ],
)
def test_a_replay_store_keeps(replay, name, guarantee):
    """A message has one effect, whoever receives it, and whoever dies over it."""
    guarantee.check(replay(name))


@pytest.mark.parametrize("name", REPLAY)
def test_a_replay_store_promises_all(replay, name):
    """A shared replay store makes every promise that its transactions allow."""
    left_out = ONLY_TRANSACTIONAL if "redis" in name else {"no_counters"}
    made = {each.name for each in replay_guarantees_of(replay(name))}
    assert {each.name for each in REPLAYS} - left_out == made
