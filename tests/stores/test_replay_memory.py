"""The replay stores in memory: bounded, busy while an effect is under way, and what a fork keeps."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import sys

import pytest

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores import AsyncMemoryReplayStore, MemoryReplayStore

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=2)


def nothing(_transaction):
    pass


async def nothing_awaited(_transaction):
    pass


@pytest.mark.parametrize("store", [MemoryReplayStore, AsyncMemoryReplayStore])
@pytest.mark.parametrize("max_entries", [0, -1, True, 1.5, "1", None])
def test_a_bound_is_a_whole_number_from_one_up(store, max_entries):
    """A store without room for a message is a mistake of the configuration."""
    with pytest.raises(ConfigurationError) as caught:
        store(max_entries)
    assert ("config.value", "max_entries") == (caught.value.code, caught.value.setting)
    assert 0 == len(store(1))


def test_a_key_is_forgotten_at_the_very_moment_of_its_expiry():
    """A message is known until, and not at, the moment that was named."""
    store = MemoryReplayStore()
    assert store.once("a" * 64, nothing, expires_at=LATER, now=NOW)
    just_before = LATER - dt.timedelta(microseconds=1)
    assert not store.once("a" * 64, nothing, expires_at=LATER, now=just_before)
    assert store.once("a" * 64, nothing, expires_at=LATER + dt.timedelta(1), now=LATER)


def test_what_expired_makes_room():
    """A full store takes a message as soon as another is over."""
    store = MemoryReplayStore(1)
    store.once("a" * 64, nothing, expires_at=LATER, now=NOW)
    with pytest.raises(StoreError) as caught:
        store.once("b" * 64, nothing, expires_at=LATER, now=NOW)
    assert ("store.full", True) == (caught.value.code, caught.value.retryable)
    assert store.once("b" * 64, nothing, expires_at=LATER, now=LATER)
    assert 1 == len(store)


def test_an_effect_under_way_is_neither_known_nor_unknown():
    """The same message amid its own effect is told to come again, and the first one goes on."""
    store, codes = MemoryReplayStore(), []

    def effect(_transaction):
        with pytest.raises(StoreError) as caught:
            store.once("a" * 64, nothing, expires_at=LATER, now=NOW)
        codes.append((caught.value.code, caught.value.retryable))

    assert store.once("a" * 64, effect, expires_at=LATER, now=NOW)
    assert [("replay.busy", True)] == codes
    assert not store.once("a" * 64, nothing, expires_at=LATER, now=NOW)


def test_a_cancelled_effect_leaves_nothing_behind():
    """A task that is cancelled amid the effect lets the message come again at once."""

    async def run():
        store, began = AsyncMemoryReplayStore(), asyncio.Event()

        async def wait_for_ever(_transaction):
            began.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(store.once("a" * 64, wait_for_ever, expires_at=LATER, now=NOW))
        await began.wait()
        with pytest.raises(StoreError):
            await store.once("a" * 64, nothing_awaited, expires_at=LATER, now=NOW)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await store.once("a" * 64, nothing_awaited, expires_at=LATER, now=NOW)

    assert asyncio.run(run())


FORK = """
import datetime as dt, os, sys
from cyberid_client.stores import MemoryReplayStore

now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
times = {"expires_at": now + dt.timedelta(minutes=2), "now": now}
store = MemoryReplayStore()
store.once("a" * 64, lambda _: None, **times)

def effect(_transaction):
    child = os.fork()
    if child == 0:
        known = not store.once("a" * 64, lambda _: None, **times)
        free = store.once("b" * 64, lambda _: None, **times)
        os._exit(0 if known and free else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

store.once("b" * 64, effect, **times)
"""


def test_a_forked_child_knows_what_was_known_and_waits_for_nobody():
    """What took effect before a fork has none in the child; what was under way there is free here."""
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert "0\n" == done.stdout


@pytest.mark.parametrize("store", [MemoryReplayStore(3), AsyncMemoryReplayStore(3)])
def test_a_store_says_how_much_it_holds_and_nothing_else(store):
    """A printed store shows no key."""
    assert f"{type(store).__name__}(0)" == repr(store)
