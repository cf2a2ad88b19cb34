"""The sealed cookie: what a browser carries, it can neither read, change, prolong nor mix up."""

from __future__ import annotations

import copy
import datetime as dt
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cyberid_client.config import PENDING_LIFETIME_LIMIT
from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.handshake.cookies import cookie_name, set_cookie
from cyberid_client.handshake.pending import Handle
from cyberid_client.stores import MemoryPendingStore, SealedCookieStore, require_single_use
from cyberid_client.wire.base64url import decode_base64url, encode_base64url

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=10)
TICK = dt.timedelta(microseconds=1)
KEY = "a" * 64
OLD, NEW = b"o" * 32, b"n" * 32


def seal(store, record=b"record", *, key=KEY, expires_at=LATER):
    return store.put(key, record, expires_at=expires_at, now=NOW)


def open_(store, carried, *, key=KEY, now=NOW):
    return store.take(key, carried=carried, now=now)


@pytest.fixture
def store():
    return SealedCookieStore({"new": NEW, "old": OLD})


def test_what_was_sealed_opens(store):
    """The browser brings the record back, under the id of the newest key."""
    carried = seal(store)
    assert ("new", b"record") == (carried.partition(".")[0], open_(store, carried))


def test_the_record_cannot_be_read(store):
    """Neither the record nor the key is in what the browser carries, and no two texts are equal."""
    first, second = seal(store, b"record" * 20), seal(store, b"record" * 20)
    raw = decode_base64url(first.partition(".")[2])
    assert (False, False, False) == (b"record" in raw, KEY.encode() in raw, first == second)


@pytest.mark.parametrize(
    ("late", "expected"), [(-TICK, b"record"), (0 * TICK, None), (TICK, None), (dt.timedelta(days=1), None)]
)
def test_a_record_does_not_open_from_the_very_moment_it_expires(store, late, expected):
    """The expiry inside decides, to the microsecond."""
    assert expected == open_(store, seal(store), now=LATER + late)


def test_the_expiry_is_a_moment_and_not_a_text(store):
    """An expiry in another time zone is the same moment."""
    beijing = LATER.astimezone(dt.timezone(dt.timedelta(hours=8)))
    carried = seal(store, expires_at=beijing)
    assert [b"record", None] == [open_(store, carried, now=now) for now in (LATER - TICK, LATER)]


@pytest.mark.parametrize("year", [1969, 2038, 2106, 9999])
def test_every_year_that_a_clock_can_show_is_an_expiry(store, year):
    """No expiry overflows, before 1970, after 2038, after 2106."""
    end = dt.datetime(year, 12, 31, tzinfo=dt.UTC)
    carried = seal(store, expires_at=end)
    assert [b"record", None] == [open_(store, carried, now=now) for now in (end - TICK, end)]


def test_a_record_opens_for_its_own_key_only(store):
    """The text of one login is worth nothing with the handle of another."""
    assert open_(store, seal(store), key="b" * 64) is None


def test_an_older_key_still_opens(store):
    """After a rotation, what the old key sealed opens, and the new key seals."""
    before = SealedCookieStore({"old": OLD})
    assert b"record" == open_(store, seal(before))
    assert seal(store).startswith("new.")


def test_a_key_that_was_taken_out_opens_nothing(store):
    """A record under a key that the store no longer has is gone."""
    assert open_(SealedCookieStore({"old": OLD}), seal(store)) is None


def test_another_key_of_the_same_id_opens_nothing(store):
    """The id only says which key to try."""
    assert open_(SealedCookieStore({"new": OLD}), seal(store)) is None
    assert open_(store, "old." + seal(store).partition(".")[2]) is None


def test_every_changed_character_is_refused(store):
    """There is no character of the sealed text that can be another one."""
    carried = seal(store)
    changed = [
        carried[:index] + ("A" if carried[index] != "A" else "B") + carried[index + 1 :]
        for index in range(len(carried))
    ]
    assert [None] * len(carried) == [open_(store, each) for each in changed]


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: "new." + encode_base64url(raw)))
@example("")
@example("new")
@example("new.")
@example("new." + encode_base64url(bytes(28)))
@example("new." + "A" * 5000)
@example("new.\ud800")
def test_whatever_is_carried_is_no_record(carried):
    """Text that the store did not seal, of whatever shape, is nothing, and no error."""
    assert open_(SealedCookieStore({"new": NEW}), carried) is None


@given(st.text(max_size=80))
@example("\ud800")
def test_whatever_the_key_is_the_record_is_bound_to_it(key):
    """Any text is a key, and opens its own record."""
    store = SealedCookieStore({"new": NEW})
    carried = seal(store, key=key)
    assert [b"record", None] == [open_(store, carried, key=each) for each in (key, key + "x")]


def test_the_largest_record_makes_the_largest_cookie(store):
    """A record of the promised size fits, with name and attributes, into what browsers keep; one more byte does not."""
    carried = seal(store, bytes(store.max_record_bytes))
    handle = Handle(bytes(32), carried).text()
    cookie = set_cookie(cookie_name("state"), handle, max_age=PENDING_LIFETIME_LIMIT)
    assert 4094 <= len(cookie) <= 4096
    assert bytes(store.max_record_bytes) == open_(store, Handle.parse(handle).carried)
    with pytest.raises(StoreError) as caught:
        seal(store, bytes(store.max_record_bytes + 1))
    assert ("store.record_too_large", False) == (caught.value.code, caught.value.retryable)


@pytest.mark.parametrize("length", range(1, 17))
def test_no_key_id_makes_the_cookie_too_large(length):
    """The promised size takes the id's length into account."""
    store = SealedCookieStore({"k" * length: NEW})
    handle = Handle(bytes(32), seal(store, bytes(store.max_record_bytes))).text()
    assert 4092 <= len(set_cookie(cookie_name(""), handle, max_age=PENDING_LIFETIME_LIMIT)) <= 4096


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"": NEW},
        {"A": NEW},
        {"k.1": NEW},
        {"k" * 17: NEW},
        {1: NEW},
        {"k": b"n" * 31},
        {"k": "n" * 32},
        {"k": None},
        {"new": NEW, "old": b""},
    ],
)
def test_unfit_keys_are_a_configuration_error(keys):
    """A store without keys, or with an unfit id or key among them, is not made; the error shows no key."""
    with pytest.raises(ConfigurationError) as caught:
        SealedCookieStore(keys)
    assert ("config.store_key", "keys") == (caught.value.code, caught.value.setting)


def test_keys_are_not_shown_and_not_written_out(store):
    """The store prints the ids of its keys, and refuses to be pickled or copied."""
    assert "SealedCookieStore(new, old)" == repr(store)
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not written out"):
            write(store)
    assert not hasattr(store, "__dict__")


def test_keys_are_copied():
    """What is done to the mapping afterwards changes no store."""
    keys = {"new": NEW}
    store = SealedCookieStore(keys)
    carried = seal(store)
    keys.clear()
    assert b"record" == open_(store, carried)


def test_it_says_what_it_does_not_guarantee(store):
    """Not single use; shared and durable, because the browser keeps the record. So it opens again."""
    carried = seal(store)
    assert (False, True, True) == (store.single_use, store.shared, store.durable)
    assert [b"record", b"record"] == [open_(store, carried), open_(store, carried)]


def test_a_handshake_can_demand_a_store_that_is_single_use(store):
    """A store that does not say of itself that it is single use is refused; the memory store passes."""
    require_single_use(MemoryPendingStore())
    for refused in (store, object()):
        with pytest.raises(ConfigurationError) as caught:
            require_single_use(refused)
        assert ("store.not_single_use", "pending") == (caught.value.code, caught.value.setting)


def test_a_word_that_is_only_truthy_declares_nothing():
    """What a store declares is True or it is not declared."""
    store = type("Store", (), {"single_use": "false"})()
    with pytest.raises(ConfigurationError):
        require_single_use(store)
