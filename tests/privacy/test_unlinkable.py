"""Two apps that put everything together that they receive find nobody again."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from .crowd import gather
from .joins import guesses, joins, limit

PEOPLE = 1_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def crowd():
    """A thousand people at two apps."""
    return gather(PEOPLE, seed=20261122)


def best(first, second, *, only=""):
    """Return the join that finds most people, and what all the joins together stay below by guessing."""
    tried = [(found, name) for name, found in joins(first, second) if only in name]
    return max(tried), limit(guesses(first, second), tries=len(tried))


def test_the_apps_received_the_same_people(crowd):
    """All of them logged in to both, and what each app was told of them is the same."""
    told = [{each.person: each.group for each in received} for received in (crowd.first, crowd.second)]
    assert PEOPLE == len(told[0])
    assert told[0] == told[1]


def test_some_had_the_next_credential_already(crowd):
    """Nobody shows it before its second epoch, so that it is of one date for everybody."""
    dates = {each.columns[".credential.payload.iat"] for each in (*crowd.first, *crowd.second)}
    assert 1 == len(dates)


def test_no_join_does_better_than_guessing(crowd, record_testsuite_property):
    """Among people of equal mode, persistence and disclosed age band nobody is found but by luck."""
    (found, name), below = best(crowd.first, crowd.second)
    record_testsuite_property("best_join", f"{name}: {found} of {PEOPLE}, limit {below}")
    assert found < below, name


def test_the_smallest_group_is_as_large_as_the_documentation_says(crowd):
    """Two modes and three age bands, of which half of the people have one: six kinds, the smallest an eighth."""
    sizes = Counter(each.group for each in crowd.first)
    assert 6 == len(sizes)
    assert PEOPLE // 8 == min(sizes.values())


@pytest.mark.parametrize("leak", ["value", "order", "nearness"])
def test_a_leak_would_be_found(crowd, leak):
    """One column of one of these kinds, and most people are found: the search can fail."""

    def leaky(received, app):
        for each in received:
            number = int(hashlib.sha256(each.person.encode()).hexdigest()[:12], 16)
            value = {
                "value": hashlib.sha256(each.person.encode()).hexdigest(),
                "order": float(number + app * 1_000),
                "nearness": float(number * 2 - app),
            }[leak]
            yield replace(each, columns={"leak": value, "noise": each.columns[".credential.payload.sub"]})

    (found, name), below = best(list(leaky(crowd.first, 0)), list(leaky(crowd.second, 1)))
    assert "leak = leak" in name.replace("leak#head", "leak")
    assert found > 0.9 * PEOPLE > below
