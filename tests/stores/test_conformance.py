"""The conformance suite finds every broken store by the guarantee that it breaks, and passes good ones."""

from __future__ import annotations

import itertools
from functools import partial
from pathlib import Path

import broken_stores as broken
import pytest
import sqlite_store
from sqlite_store import SQLiteStore

from cyberid_client.errors import ConfigurationError
from cyberid_client.stores import AsyncMemoryPendingStore, MemoryPendingStore, SealedCookieStore
from cyberid_client.testing.store_async import BlockingPendingStore
from cyberid_client.testing.store_conformance import (
    GUARANTEES,
    BrokenGuaranteeError,
    StoreCandidate,
    check_store,
    guarantees_of,
)

BY_NAME = {each.name: each for each in GUARANTEES}
ELSEWHERE = {
    "shared",
    "taken_once_by_processes",
    "revised_by_processes",
    "durable",
    "taken_once_through_death",
}
KEYS = {"new": b"n" * 32, "old": b"o" * 32}


def in_memory(store=broken.PlainStore, **settings):
    return StoreCandidate(fresh=lambda: store, **{"max_entries": 20, **settings})


@pytest.fixture
def in_a_file(tmp_path):
    numbers = itertools.count()

    def candidate(store=SQLiteStore, **settings):
        return StoreCandidate(
            fresh=lambda: partial(store, tmp_path / f"{next(numbers)}.sqlite", max_entries=100),
            gone=lambda: store(tmp_path / "no such folder" / "file.sqlite"),
            max_entries=100,
            **settings,
        )

    return candidate


# Each starts several processes or races long; two of them for every day.
SLOW = {
    "shared",
    "durable",
    "only_our_errors",
    "taken_once_through_death",
    "revised_by_processes",
    "swapped_once_by_threads",
    "taken_amid_swaps",
    "bound",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in BY_NAME]
)
def test_the_sqlite_store_keeps_every_guarantee(in_a_file, name):
    """A store in a file that says that it is single use, shared and durable is all of that."""
    candidate = in_a_file()
    assert name in {each.name for each in guarantees_of(candidate)}
    BY_NAME[name].check(candidate)


def test_the_memory_store_keeps_what_it_declares():
    """The memory store is single use and bounded, and promises nothing to other processes."""
    kept = check_store(StoreCandidate(fresh=lambda: partial(MemoryPendingStore, 100), max_entries=100))
    assert BY_NAME.keys() - ELSEWHERE - {"only_our_errors"} == set(kept)


@pytest.mark.parametrize(
    "name",
    ["peek_leaves", "peek_expiry", "swap_compares", "swap_keeps_expiry", "swap_revives_nothing"]
    + [
        pytest.param(name, marks=pytest.mark.slow) for name in ("swapped_once_by_threads", "taken_amid_swaps")
    ],
)
def test_the_awaited_memory_store_keeps(name):
    """The awaited memory store changes records as the other one does, its tasks among each other too."""
    opener = partial(BlockingPendingStore, AsyncMemoryPendingStore)
    BY_NAME[name].check(StoreCandidate(fresh=lambda: opener))


def test_a_store_that_changes_no_records_is_examined_without():
    """A store without peek and swap promises nothing of them, whether it is awaited or not."""
    made = {each.name for each in guarantees_of(in_memory(broken.PlainStore))}
    for opener in (broken.KeepsRecordsAsTheyAre, partial(BlockingPendingStore, broken.AwaitsAndKeeps)):
        less = {
            each.name
            for each in guarantees_of(StoreCandidate(fresh=lambda opener=opener: opener, max_entries=20))
        }
        assert {name for name in BY_NAME if name.startswith(("peek_", "swap", "taken_amid"))} == made - less
        BY_NAME["declares"].check(StoreCandidate(fresh=lambda opener=opener: opener))


def test_the_sealed_cookie_store_keeps_what_it_declares():
    """The sealed cookie is shared and durable, and never promises that a record is taken once."""
    limit = SealedCookieStore(KEYS).max_record_bytes
    kept = check_store(StoreCandidate(fresh=lambda: partial(SealedCookieStore, KEYS), max_record_bytes=limit))
    assert {"shared", "durable"} < set(kept)
    assert set() == {name for name in kept if name.startswith("taken_once")}
    assert "bound" not in kept
    assert not any(name.startswith(("peek", "swap")) for name in kept)


@pytest.mark.slow
def test_the_plain_store_is_good():
    """What the broken stores are made from keeps every guarantee, so that each breaks what it changes."""
    assert BY_NAME.keys() - ELSEWHERE - {"only_our_errors"} == set(check_store(in_memory()))


# (store, the guarantee that is tested, the guarantee that is named, a word of what is found)
IN_MEMORY = [
    (broken.SaysNothing, "declares", "declares", "single_use is not True or False"),
    (broken.RefusesEverything, "round_trip", "round_trip", "store.full"),
    (broken.ReturnsNoText, "round_trip", "round_trip", "returned NoneType"),
    (broken.ReturnsAView, "round_trip", "round_trip", "returned memoryview"),
    (broken.FindsSomethingForEveryKey, "unknown_key", "unknown_key", "never put"),
    (broken.RaisesKeyError, "unknown_key", "only_our_errors", "KeyError"),
    (broken.CutsKeys, "keys_apart", "keys_apart", "differ in one digit"),
    (broken.OpensForAnyKey, "keys_apart", "keys_apart", "the carried text of another"),
    (broken.SharesAVariable, "keys_apart_under_threads", "keys_apart_under_threads", "while others took theirs"),
    (broken.OnlyEncodes, "carried_is_untrusted", "carried_is_untrusted", "damaged"),
    (broken.BreaksOnGarbage, "carried_is_untrusted", "only_our_errors", "UnicodeEncodeError"),
    (broken.ForgetsExpiry, "expiry", "expiry", "after it expired"),
    (broken.LateByAMoment, "expiry", "expiry", "0 seconds after it expired"),
    (broken.ComparesTexts, "expiry", "expiry", "after it expired"),
    (broken.CutsRecords, "big_records", "big_records", "with 4095 bytes"),
    (broken.EndsAtTheZero, "big_records", "big_records", "with 1023 bytes"),
    (broken.EvictsTheOldest, "bound", "bound", "took another"),
    (broken.SaysFailedWhenFull, "bound", "bound", "said store.failed"),
    (broken.NeverForgets, "bound", "bound", "had expired"),
    (broken.NeverRemoves, "taken_once", "taken_once", "the second time"),
    (broken.LeavesWhatExpired, "taken_once", "taken_once", "stepped back"),
    (broken.LooksThenRemoves, "taken_once_by_threads", "taken_once_by_threads", "of 32 threads"),
    (broken.CannotSwap, "declares", "declares", "only one of peek and swap"),
    (broken.PeeksByTaking, "peek_leaves", "peek_leaves", "the second time it was looked at"),
    (broken.PeeksByPutting, "peek_leaves", "peek_leaves", "after it was taken"),
    (broken.PeeksLate, "peek_expiry", "peek_expiry", "when it expired"),
    (broken.PeeksForEver, "peek_expiry", "peek_expiry", "when it expired"),
    (broken.PeeksEarly, "peek_expiry", "peek_expiry", "one second before"),
    (broken.SwapsBlindly, "swap_compares", "swap_compares", "though the record was another"),
    (broken.SwapsBeginnings, "swap_compares", "swap_compares", "though the record was another"),
    (broken.SwapsWhatIsNotThere, "swap_compares", "swap_compares", "made by a swap"),
    (broken.SwapsButSaysNo, "swap_compares", "swap_compares", "one of 1 bytes"),
    (broken.SwapsInThePlace, "swap_compares", "swap_compares", "Another record was seen"),
    (broken.AnswersWithNumbers, "swap_compares", "swap_compares", "returned int"),
    (broken.ProlongsBySwapping, "swap_keeps_expiry", "swap_keeps_expiry", "had expired"),
    (broken.EndsBySwapping, "swap_keeps_expiry", "swap_keeps_expiry", "gone one second before"),
    (broken.SwapsTheDead, "swap_revives_nothing", "swap_revives_nothing", "though it had expired"),
    (broken.SwapsTheDeadInSilence, "swap_revives_nothing", "swap_revives_nothing", "was changed though it had expired"),
    (broken.RevivesWhatWasTaken, "swap_revives_nothing", "swap_revives_nothing", "though it was taken"),
    (broken.LooksThenSwaps, "swapped_once_by_threads", "swapped_once_by_threads", "changed the same record"),
    (broken.SwapsIntoTheVoid, "taken_amid_swaps", "taken_amid_swaps", "neither the old one|no state|got it"),
    (broken.PretendsToBeShared, "shared", "shared", "in another process"),
    (broken.PretendsToBeDurable, "durable", "durable", "was killed"),
]  # fmt: skip
IN_A_FILE = [
    (broken.PassesItsBackendsErrors, "only_our_errors", "only_our_errors", "OperationalError"),
    (broken.TakesAbsenceForAnAnswer, "only_our_errors", "only_our_errors", "as if nothing had happened"),
    (broken.LooksThenRemovesInAFile, "taken_once_by_processes", "taken_once_by_processes", "of 4 processes"),
    (broken.LooksThenSwapsInAFile, "revised_by_processes", "revised_by_processes", "processes"),
    (broken.TakesAbsenceForAnUnseenRecord, "only_our_errors", "only_our_errors", "peek returned as if"),
    (broken.TakesAbsenceForARefusal, "only_our_errors", "only_our_errors", "swap returned as if"),
    (broken.WritesLater, "durable", "durable", "was killed"),
    (broken.RemovesLater, "taken_once_through_death", "taken_once_through_death", "a second time"),
    (broken.ClaimsAll, "taken_once_through_death", "taken_once_through_death", "gone or torn"),
]


@pytest.mark.parametrize(("store", "tested", "named", "found"), IN_MEMORY)
def test_a_broken_store_is_named(store, tested, named, found):
    """A store that breaks a promise fails the guarantee of that name, in a sentence that says how."""
    candidate = in_memory(store)
    assert tested in {each.name for each in guarantees_of(candidate)}
    with pytest.raises(BrokenGuaranteeError, match=found) as caught:
        BY_NAME[tested].check(candidate)
    assert named == caught.value.guarantee
    assert str(caught.value).startswith(f"{named} is broken. {BY_NAME[named].law} ")


@pytest.mark.slow
@pytest.mark.parametrize(("store", "tested", "named", "found"), IN_A_FILE)
def test_a_broken_store_in_a_file_is_named(in_a_file, store, tested, named, found):
    """What only another process or a dead backend shows is found too."""
    with pytest.raises(BrokenGuaranteeError, match=found) as caught:
        BY_NAME[tested].check(in_a_file(store))
    assert named == caught.value.guarantee


def test_eviction_is_found_without_a_declared_bound():
    """A store that drops live logins fails also when nobody says how many it holds."""
    with pytest.raises(BrokenGuaranteeError) as caught:
        BY_NAME["live_logins_stay"].check(in_memory(broken.EvictsTheOldest, max_entries=None))
    assert "live_logins_stay" == caught.value.guarantee


def test_every_guarantee_can_fail():
    """For each guarantee there is a store that breaks it."""
    named = {named for _, _, named, _ in (*IN_MEMORY, *IN_A_FILE)} | {"live_logins_stay"}
    assert BY_NAME.keys() == named


@pytest.mark.slow
def test_two_statements_pass_the_threads_of_one_process(in_a_file):
    """What only processes can show is not shown by threads: both parts are needed."""
    BY_NAME["taken_once_by_threads"].check(in_a_file(broken.LooksThenRemovesInAFile))


@pytest.mark.parametrize(
    "fresh",
    [
        lambda: lambda: SealedCookieStore(KEYS),
        broken.CannotBeOpenedTwice,
    ],
)
def test_an_opener_that_does_not_cross_is_the_developers_error(fresh):
    """A store that declares shared and cannot be opened in another process is not called broken."""
    with pytest.raises(ConfigurationError) as caught:
        BY_NAME["shared"].check(StoreCandidate(fresh=fresh))
    assert ("testing.store_opener", "fresh") == (caught.value.code, caught.value.setting)


def test_an_opener_that_does_not_open_is_the_developers_error(capfd):
    """What went wrong in the other process stands in its own traceback."""
    with pytest.raises(ConfigurationError) as caught:
        BY_NAME["durable"].check(StoreCandidate(fresh=lambda: broken.open_nothing))
    assert "testing.store_opener" == caught.value.code
    assert "open_nothing" in capfd.readouterr().err


def test_the_store_that_the_page_shows_is_the_one_that_is_tested():
    """The documentation shows the SQLite store byte for byte."""
    page = Path(__file__).parents[2] / "docs" / "stores.md"
    shown = Path(sqlite_store.__file__).read_text(encoding="utf-8")
    assert f"```python\n{shown}```\n" in page.read_text(encoding="utf-8")


def test_laws_are_sentences():
    """What a report says can be read by somebody who has never seen the suite."""
    assert [] == [each.name for each in GUARANTEES if not each.law[0].isupper() or each.law[-1] != "."]
    assert [each.name for each in GUARANTEES] == [str(each) for each in GUARANTEES]
