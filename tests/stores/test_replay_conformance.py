"""The suite for replay stores finds every broken store by the guarantee that it breaks, and passes good ones."""

from __future__ import annotations

from functools import partial

import broken_replay_stores as broken
import pytest

from cyberid_client.errors import ConfigurationError
from cyberid_client.stores import AsyncMemoryReplayStore, MemoryReplayStore
from cyberid_client.testing.store_async import BlockingReplayStore
from cyberid_client.testing.store_conformance import BrokenGuaranteeError
from cyberid_client.testing.store_replay import (
    REPLAY_GUARANTEES,
    ReplayCandidate,
    check_replay_store,
    replay_guarantees_of,
)

BY_NAME = {each.name: each for each in REPLAY_GUARANTEES}
WITHIN_ONE = {
    "declares",
    "one_effect",
    "transaction",
    "failed_effect",
    "one_effect_by_threads",
    "no_counters",
}


# (store, the guarantee that it breaks, a word of what is found)
BROKEN = [
    (broken.SaysNothing, "declares", "shared is not True or False"),
    (broken.RunsAgain, "one_effect", "again 0 seconds later"),
    (broken.ForgetsEarly, "one_effect", "again 0 seconds later"),
    (broken.GivesNothing, "transaction", "was given None"),
    (broken.KnowsBeforeTheEffect, "failed_effect", "did not come out"),
    (broken.SwallowsErrors, "failed_effect", "did not come out"),
    (broken.LooksFirst, "one_effect_by_threads", "threads"),
    (broken.EvictsTheOldest, "full", "took another"),
    (broken.AnswersWithoutBackend, "only_our_errors", "as if nothing had happened"),
    (broken.CountsAnything, "counters", "was not raised to 0|was raised to 0"),
    (broken.KeepsCounters, "taken_back_together", "stayed raised"),
    (broken.CountsWithoutTransactions, "no_counters", "counted"),
    (broken.PretendsToBeShared, "shared", "did not know"),
    (broken.PretendsToBeShared, "one_effect_by_processes", "processes"),
    (broken.PretendsToBeDurable, "durable", "again after its process was killed"),
]


def candidate(store, **settings):
    return ReplayCandidate(fresh=lambda: store, gone=store, max_entries=20, processes=2, **settings)


@pytest.mark.parametrize(
    "fresh",
    [partial(MemoryReplayStore, 20), partial(BlockingReplayStore, partial(AsyncMemoryReplayStore, 20))],
)
def test_the_memory_stores_keep_what_they_declare(fresh):
    """A message has one effect in a process, and a full store says so."""
    kept = check_replay_store(ReplayCandidate(fresh=lambda: fresh, max_entries=20))
    assert WITHIN_ONE | {"full"} == set(kept)


def test_what_the_broken_stores_are_made_from_is_good():
    """Each broken store breaks what it changes, and nothing else is wrong with it."""
    kept = check_replay_store(ReplayCandidate(fresh=lambda: broken.Good, max_entries=20))
    assert (WITHIN_ONE - {"no_counters"}) | {"full", "counters", "taken_back_together"} == set(kept)


@pytest.mark.parametrize(("store", "name", "found"), BROKEN)
def test_a_broken_replay_store_is_named(store, name, found):
    """A store that breaks a promise fails the guarantee of that name, in a sentence that says how."""
    asked = candidate(store)
    assert name in {each.name for each in replay_guarantees_of(asked)}
    with pytest.raises(BrokenGuaranteeError, match=found) as caught:
        BY_NAME[name].check(asked)
    assert name == caught.value.guarantee
    assert str(caught.value).startswith(f"{name} is broken. {BY_NAME[name].law} ")


def test_every_guarantee_but_death_can_fail_here():
    """For each guarantee there is a store that breaks it; what a death breaks needs a server."""
    assert BY_NAME.keys() - {"death_in_the_effect"} == {name for _, name, _ in BROKEN}


def test_an_opener_that_does_not_open_elsewhere_is_the_developers_error():
    """A store that cannot be opened in another process is not called broken."""
    with pytest.raises(ConfigurationError) as caught:
        BY_NAME["shared"].check(ReplayCandidate(fresh=lambda: lambda *_: broken.PretendsToBeShared()))
    assert ("testing.store_opener", "fresh") == (caught.value.code, caught.value.setting)
