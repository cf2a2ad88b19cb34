"""The memory store: bounded, taken once, empty after a fork."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores import MemoryPendingStore

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def _put(store, key, *, seconds=600, record=b"record", now=NOW):
    return store.put(key, record, expires_at=NOW + seconds * SECOND, now=now)


def _take(store, key, *, now=NOW):
    return store.take(key, carried="", now=now)


def test_what_was_put_is_taken():
    """A record comes back as it was put, and the browser carries nothing for this store."""
    store = MemoryPendingStore()
    assert "" == _put(store, "a", record=b"one")
    assert b"one" == _take(store, "a")


def test_a_record_is_taken_once():
    """The second take of a record finds nothing."""
    store = MemoryPendingStore()
    _put(store, "a")
    _take(store, "a")
    assert _take(store, "a") is None


def test_an_unknown_key_is_nothing():
    """A key that was never put is no error."""
    assert MemoryPendingStore().take("a", carried="anything", now=NOW) is None


@pytest.mark.parametrize(("seconds", "expected"), [(599, b"record"), (600, None), (601, None)])
def test_a_record_is_gone_from_the_very_second_it_expires(seconds, expected):
    """A record lives until, and not at, its expiry."""
    store = MemoryPendingStore()
    _put(store, "a", seconds=600)
    assert expected == _take(store, "a", now=NOW + seconds * SECOND)


def test_an_expired_record_does_not_come_back():
    """Taking an expired record removes it, also for a clock that steps back."""
    store = MemoryPendingStore()
    _put(store, "a", seconds=1)
    _take(store, "a", now=NOW + SECOND)
    assert _take(store, "a", now=NOW) is None


def test_a_full_store_refuses_and_evicts_nobody():
    """At the bound the next login does not start, and every pending one can still be finished."""
    store = MemoryPendingStore(max_entries=2)
    _put(store, "a")
    _put(store, "b")
    with pytest.raises(StoreError) as caught:
        _put(store, "c")
    assert ("store.full", True) == (caught.value.code, caught.value.retryable)
    assert [b"record", b"record", None] == [_take(store, key) for key in "abc"]


def test_a_taken_record_makes_room():
    """A finished login makes room for another."""
    store = MemoryPendingStore(max_entries=1)
    _put(store, "a")
    _take(store, "a")
    assert "" == _put(store, "b")


@pytest.mark.parametrize(("seconds", "fits"), [(9, False), (10, True)])
def test_an_expired_record_makes_room_from_its_second(seconds, fits):
    """A full store first drops what has expired."""
    store = MemoryPendingStore(max_entries=1)
    _put(store, "a", seconds=10)
    now = NOW + seconds * SECOND
    if fits:
        assert "" == _put(store, "b", now=now)
    else:
        with pytest.raises(StoreError):
            _put(store, "b", now=now)


def test_expiry_does_not_follow_the_order_of_arrival():
    """What expires first is dropped first, whenever it came."""
    store = MemoryPendingStore(max_entries=2)
    _put(store, "late", seconds=100)
    _put(store, "early", seconds=1)
    _put(store, "next", now=NOW + SECOND)
    assert [b"record", None, b"record"] == [
        _take(store, key, now=NOW + SECOND) for key in ("late", "early", "next")
    ]


def test_a_pending_key_is_not_overwritten():
    """Putting under a key that is pending is refused, and the pending login stays."""
    store = MemoryPendingStore()
    _put(store, "a", record=b"first")
    with pytest.raises(StoreError) as caught:
        _put(store, "a", record=b"second")
    assert "store.failed" == caught.value.code
    assert b"first" == _take(store, "a")


def test_a_key_put_again_keeps_its_new_time():
    """The old expiry of a key that was taken and put again does not end the new record."""
    store = MemoryPendingStore()
    _put(store, "a", seconds=1)
    _take(store, "a")
    _put(store, "a", seconds=600)
    _put(store, "b", now=NOW + SECOND)
    assert b"record" == _take(store, "a", now=NOW + SECOND)


def test_finished_logins_leave_nothing_behind():
    """However many logins come and go within their lifetime, the store's bookkeeping stays small."""
    store = MemoryPendingStore()
    _put(store, "waiting")
    for turn in range(5_000):
        _put(store, f"{turn}")
        _take(store, f"{turn}")
    assert len(store._expiries) < 200
    assert b"record" == _take(store, "waiting")


def test_putting_stays_cheap_in_a_large_store():
    """A put into a store of fifty thousand logins looks at none of them."""
    store = MemoryPendingStore(max_entries=60_000)
    for turn in range(50_000):
        _put(store, f"{turn}", seconds=600 + turn % 7)
    started = time.thread_time()
    for turn in range(1_000):
        _put(store, f"more {turn}")
    assert time.thread_time() - started < 0.5


def test_of_many_takers_one_wins():
    """Threads that take the same record at the same time: exactly one gets it."""
    store = MemoryPendingStore()
    won = []
    barrier = threading.Barrier(8)

    def take():
        for turn in range(200):
            barrier.wait()
            if _take(store, f"{turn}") is not None:
                won.append(turn)

    for turn in range(200):
        _put(store, f"{turn}")
    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(range(200)) == sorted(won)


def test_threads_do_not_pass_the_bound():
    """Threads that put at the same time fill the store exactly to its bound."""
    store = MemoryPendingStore(max_entries=100)
    kept = []

    def put(name):
        for turn in range(50):
            try:
                _put(store, f"{name}.{turn}")
            except StoreError:
                return
            kept.append(1)

    threads = [threading.Thread(target=put, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (100, 100) == (len(kept), len(store))


_FORK = """
import datetime, os, sys, threading
from cyberid_client.stores import MemoryPendingStore
now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
later = now + datetime.timedelta(seconds=1)
store = MemoryPendingStore()
store.put("a", b"one", expires_at=later, now=now)
store._lock.acquire()
child = os.fork()
if child == 0:
    assert store.take("a", carried="", now=now) is None
    store.put("b", b"two", expires_at=later, now=now)
    assert store.take("b", carried="", now=now) == b"two"
    os._exit(0)
_, status = os.waitpid(child, 0)
store._lock.release()
assert status == 0
assert store.take("a", carried="", now=now) == b"one"
"""


def test_a_child_starts_empty_and_unlocked():
    """After a fork, even one amid a take, the child works and cannot take the parent's logins."""
    result = subprocess.run([sys.executable, "-W", "error", "-c", _FORK], check=False, timeout=30)  # noqa: S603 - our own script
    assert 0 == result.returncode


@pytest.mark.parametrize("max_entries", [0, -1, True, 1.5, "10", None])
def test_a_bound_that_is_none_is_a_configuration_error(max_entries):
    """The bound is a whole number from 1 up."""
    with pytest.raises(ConfigurationError) as caught:
        MemoryPendingStore(max_entries)
    assert ("config.value", "max_entries") == (caught.value.code, caught.value.setting)


def test_it_says_what_it_guarantees():
    """Single use, one process, gone with it."""
    store = MemoryPendingStore()
    assert (True, False, False) == (store.single_use, store.shared, store.durable)


def test_it_shows_no_record():
    """The store prints how full it is, no key and no record."""
    store = MemoryPendingStore(max_entries=3)
    _put(store, "key", record=b"record")
    assert "MemoryPendingStore(1 of 3)" == repr(store)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["put", "take"]), st.sampled_from("abcd"), st.integers(1, 5), st.integers(0, 3)
        ),
        max_size=60,
    )
)
def test_it_behaves_like_the_plainest_model(steps):
    """Any order of puts and takes gives what a list that is searched from end to end would give."""
    store, model, seconds = MemoryPendingStore(max_entries=3), {}, 0
    for action, key, lifetime, pause in steps:
        seconds += pause
        now = NOW + seconds * SECOND
        model = {name: end for name, end in model.items() if end > seconds}
        if action == "take":
            expected = b"record" if model.pop(key, None) is not None else None
            assert expected == _take(store, key, now=now)
        elif key in model or len(model) >= 3:
            with pytest.raises(StoreError):
                _put(store, key, seconds=seconds + lifetime, now=now)
        else:
            _put(store, key, seconds=seconds + lifetime, now=now)
            model[key] = seconds + lifetime
