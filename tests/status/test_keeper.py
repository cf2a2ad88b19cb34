"""Whole lists, on a timer, for all threads; a failed refresh takes nothing away."""

from __future__ import annotations

import gc
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cyberid_client import CyberIDError, HTTPLimits, RevocationError, UnavailableError
from cyberid_client.testing import STATUS_FAULTS
from cyberid_client.transport import RequestsTransport

from .conftest import make_desk

PAGE, LIST = "status_aggregation", "status_list"
TICK = 300


def code_of(call, *arguments):
    try:
        call(*arguments)
    except CyberIDError as error:
        return error.code
    return None


class TestLookUp:
    def test_what_is_set_is_seen_after_the_tick_and_the_next_refresh(self, desk):
        """A credential is good until the list says otherwise, and good again when the list says so."""
        uri = desk.open()
        desk.keeper.refresh()
        desk.set(7, 1)
        desk.keeper.refresh()
        assert None is code_of(desk.keeper.look_up, uri, 7)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        assert "status.invalid" == code_of(desk.keeper.look_up, uri, 7)
        assert None is code_of(desk.keeper.look_up, uri, 6)
        desk.set(7, 0)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        assert None is code_of(desk.keeper.look_up, uri, 7)

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_lists_of_every_width(self, desk, bits):
        """Every value that an issuer can write is read as it was written."""
        uri = desk.open(bits=bits)
        for value in range(2**bits):
            desk.set(value, value)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        expected = [None, "status.invalid", "status.suspended", *["status.value"] * 253][: 2**bits]
        assert expected == [code_of(desk.keeper.look_up, uri, value) for value in range(2**bits)]

    def test_nothing_is_fetched_for_a_look_up(self, desk):
        """Neither a list that is unknown nor one that is stale causes a request."""
        uri = desk.open()
        assert "status.list_unknown" == code_of(desk.keeper.look_up, uri, 0)
        desk.keeper.refresh()
        desk.purposes()
        assert "status.list_unknown" == code_of(desk.keeper.look_up, uri + "1", 0)
        desk.clock.advance(4 * 3600)
        assert "status.list_stale" == code_of(desk.keeper.look_up, uri, 0)
        assert "status.index" != code_of(desk.keeper.look_up, uri, 10**9)
        assert [] == desk.purposes()


class TestRequests:
    def test_they_say_nothing_about_who_asks(self, desk):
        """GET, a media type, and nothing else: no cookie, no authentication, no body."""
        uri = desk.open()
        desk.keeper.refresh()
        assert [
            ("GET", f"{desk.issuer.issuer}/status-lists", {"accept": "application/json"}, b""),
            ("GET", uri, {"accept": "application/statuslist+jwt"}, b""),
        ] == [(each.method, each.url, dict(each.headers), each.body) for each in desk.transport.requests]

    def test_lists_of_32_mebibytes_may_come_and_no_more_is_read(self, desk):
        """The transport has a limit while it reads, a little above that of the parser."""
        desk.open()
        desk.keeper.refresh()
        assert [288 * 1024, 32 * 1024 * 1024 + 1024] == [each.max_bytes for each in desk.transport.requests]

    def test_an_issuer_without_lists_is_not_asked(self, desk):
        """Without an endpoint in the metadata there is nothing to fetch."""
        desk.metadata = replace(desk.metadata, status_list_aggregation_endpoint=None)
        desk.keeper.refresh()
        assert [] == desk.purposes()

    def test_before_the_metadata_nothing_is_asked(self, desk):
        """The metadata come first, and the timer looks again soon."""
        desk.metadata = None
        assert 2.0 == (desk.tick() - desk.clock()).total_seconds()
        with pytest.raises(UnavailableError):
            desk.keeper.refresh()
        assert [] == desk.purposes()

    @pytest.mark.parametrize("status", [200, 203, 299])
    def test_any_success_will_do(self, desk, status):
        """The draft asks for a status of the 2xx class (§8.2)."""
        uri = desk.open()

        class Changed:
            def send(self, request):
                response = desk.issuer.transport().send(request)
                return replace(response, status=status) if request.purpose == LIST else response

        desk.transport.inner = Changed()
        desk.keeper.refresh()
        assert None is code_of(desk.keeper.look_up, uri, 0)

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (404, "issuer.status"),
            (410, "issuer.status"),
            (429, "issuer.unavailable"),
            (500, "issuer.unavailable"),
        ],
    )
    def test_anything_else_is_no_list(self, desk, status, code):
        """An error of the issuer is no statement about anybody."""
        uri = desk.open()

        class Changed:
            def send(self, request):
                response = desk.issuer.transport().send(request)
                return replace(response, status=status) if request.purpose == LIST else response

        desk.transport.inner = Changed()
        assert code == code_of(desk.keeper.refresh)
        assert "status.list_unknown" == code_of(desk.keeper.look_up, uri, 0)


class TestTimer:
    def test_nothing_is_fetched_before_it_is_due(self, desk):
        """A timer that looks every second asks for each list once in its time, the page apart."""
        desk.open()
        asked = {}
        for second in range(1200):
            desk.tick()
            for purpose in desk.purposes():
                asked.setdefault(purpose, []).append(second)
            desk.clock.advance(1)
        assert [0, 0] == [asked[LIST][0], asked[PAGE][0]]
        gaps = [after - before for before, after in zip(asked[LIST], asked[LIST][1:], strict=False)]
        assert all(0.75 * 300 <= gap <= 0.9 * 300 + 1 for gap in gaps)
        assert all(
            0.75 * 600 <= gap <= 0.9 * 600 + 1 for gap in [asked[PAGE][1], asked[PAGE][-1] - asked[PAGE][-2]]
        )

    def test_it_says_when_to_look_again(self, desk):
        """Not before that moment is anything due, and at it something is."""
        desk.open()
        wake_at = desk.tick()
        desk.purposes()
        desk.clock.set(wake_at)
        desk.clock.advance(-0.001)
        assert wake_at == desk.tick()
        assert [] == desk.purposes()
        desk.clock.set(wake_at)
        desk.tick()
        assert [LIST] == desk.purposes()

    def test_a_new_list_is_known_after_the_page_is_fetched_again(self, desk):
        """The list of a new epoch is announced, and fetched in the same round."""
        desk.open("1")
        desk.tick()
        uri = desk.open("2")
        desk.clock.advance(540)
        desk.tick()
        assert None is code_of(desk.keeper.look_up, uri, 0)

    def test_a_list_that_is_announced_no_more_serves_until_its_end(self, desk):
        """Taking it off the page ends the fetching; the list goes when it holds no more."""
        uri = desk.open()
        desk.keeper.refresh()
        desk.issuer.status_lists.close(sector="https://shop.example", epoch="1")
        desk.keeper.refresh()
        desk.purposes()
        assert None is code_of(desk.keeper.look_up, uri, 0)
        desk.clock.advance(4 * 3600)
        desk.tick()
        assert [PAGE] == desk.purposes()
        assert "status.list_unknown" == code_of(desk.keeper.look_up, uri, 0)

    def test_failures_are_spaced_out(self, desk):
        """Two seconds, four, eight, up to five minutes: an issuer in trouble is left alone."""
        desk.open()
        desk.keeper.refresh()
        desk.clock.advance(270)
        asked = []
        for second in range(900):
            desk.issuer.arm("status_list.signature_bit_flipped")
            desk.tick()
            if LIST in desk.purposes():
                asked.append(second)
            desk.clock.advance(1)
        assert [0, 2, 6, 14, 30, 62, 126, 254, 510, 810] == asked


class TestFailure:
    @pytest.mark.parametrize("name", sorted(STATUS_FAULTS))
    def test_every_fault_is_refused_with_its_code_and_takes_nothing_away(self, desk, name, caplog):
        """The error is typed, the log has its code and no address, and the old list serves on."""
        fault = STATUS_FAULTS[name]
        uri = desk.open()
        desk.set(7, 1)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        known = desk.keeper.lists
        desk.issuer.arm(name)
        with pytest.raises(CyberIDError) as refused:
            desk.keeper.refresh()
        assert (type(refused.value).__name__, refused.value.code) == (
            fault.expected_error,
            fault.expected_code,
        )
        assert fault.expected_code in caplog.text
        assert refused.value.reference in caplog.text
        assert uri not in caplog.text
        assert known.by_uri == desk.keeper.lists.by_uri
        assert "status.invalid" == code_of(desk.keeper.look_up, uri, 7)
        desk.issuer.disarm()
        desk.keeper.refresh()
        assert "status.invalid" == code_of(desk.keeper.look_up, uri, 7)

    def test_one_bad_list_does_not_keep_the_others_from_being_fetched(self, desk):
        """The others are fetched all the same (§9), and the first error is told."""
        first, second = desk.open("1"), desk.open("2")
        desk.issuer.arm("status_list.bomb")
        assert "status_list.inflated_too_large" == code_of(desk.keeper.refresh)
        assert "status.list_unknown" == code_of(desk.keeper.look_up, first, 0)
        assert None is code_of(desk.keeper.look_up, second, 0)

    def test_an_error_holds_no_list(self, desk):
        """What is kept of a failure has no frames, in which megabytes would live on."""
        desk.open()
        desk.issuer.arm("status_list.expired")
        with pytest.raises(CyberIDError) as refused:
            desk.keeper.refresh()
        gc.collect()
        place = refused.value.__traceback__
        names = []
        while place is not None:
            names.append(place.tb_frame.f_code.co_name)
            place = place.tb_next
        assert "judge_status_list" not in names

    def test_all_lists_together_have_a_limit(self, desk):
        """A list that does not fit is refused and not held; what is held is not pushed out."""
        first, second = desk.open("1"), desk.open("2")
        size = 131_072 // 8
        for limit, codes in ((2 * size, (None, None)), (2 * size - 1, (None, "status.list_unknown"))):
            keeper = desk.new_keeper(max_bytes=limit)
            assert code_of(keeper.refresh) == (None if limit == 2 * size else "status_list.no_room")
            assert codes == (code_of(keeper.look_up, first, 0), code_of(keeper.look_up, second, 0))
            # A newer list takes the place of the older one.
            assert code_of(keeper.refresh) == (None if limit == 2 * size else "status_list.no_room")

    def test_an_older_list_does_not_bring_anybody_back(self, desk):
        """Who was revoked stays revoked when an older list is served again."""
        uri = desk.open()
        desk.set(7, 1)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        desk.clock.advance(-TICK)
        assert "status_list.rolled_back" == code_of(desk.keeper.refresh)
        assert "status.invalid" == code_of(desk.keeper.look_up, uri, 7)


class TestThreads:
    def test_look_ups_go_on_during_a_refresh(self, desk):
        """Readers take no lock: they see the old lists or the new ones, never half of each."""
        uri = desk.open()
        desk.keeper.refresh()
        entered, leave = threading.Event(), threading.Event()

        def wait(request):
            if request.purpose == LIST:
                entered.set()
                assert leave.wait(10)

        desk.transport.before = wait
        refreshing = threading.Thread(target=desk.keeper.refresh)
        refreshing.start()
        assert entered.wait(10)
        assert None is code_of(desk.keeper.look_up, uri, 0)
        leave.set()
        refreshing.join(10)
        assert not refreshing.is_alive()

    @pytest.mark.parametrize("fault", [None, "status_list.expired"])
    def test_many_who_refresh_at_once_share_one_round(self, desk, fault):
        """Whoever comes while a refresh is under way gets what came of it, and nothing is fetched twice."""
        desk.open()
        entered = threading.Semaphore(0)
        started = threading.Barrier(9)

        def slow(_request):
            entered.release()
            time.sleep(0.2)

        desk.transport.before = slow
        if fault is not None:
            desk.issuer.arm(fault, 8)

        def refresh():
            started.wait(10)
            return code_of(desk.keeper.refresh)

        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(refresh) for _ in range(8)]
            started.wait(10)
            codes = [each.result() for each in waiting]
        assert [fault] * 8 == codes
        assert [PAGE, LIST] == desk.purposes()

    def test_a_fork_during_a_refresh_leaves_the_child_able_to_refresh(self, desk):
        """The lock of a thread that does not exist in the child is not waited for."""
        uri = desk.open()
        entered, leave = threading.Event(), threading.Event()

        def wait(_request):
            entered.set()
            leave.wait(10)

        desk.transport.before = wait
        refreshing = threading.Thread(target=desk.keeper.refresh)
        refreshing.start()
        assert entered.wait(10)
        desk.transport.before = lambda _request: None
        child = os.fork()
        if child == 0:
            code = 1
            try:
                desk.keeper.refresh()
                code = 0
            finally:
                os._exit(code)
        leave.set()
        refreshing.join(10)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert None is code_of(desk.keeper.look_up, uri, 0)


def test_over_real_http_it_is_the_same(issuer, clock):
    """Lists come over loopback as they come in process."""
    with issuer.serve():
        desk = make_desk(issuer, clock, RequestsTransport(HTTPLimits()))
        uri = desk.open()
        desk.set(7, 1)
        desk.clock.advance(TICK)
        desk.keeper.refresh()
        with pytest.raises(RevocationError):
            desk.keeper.look_up(uri, 7)
        assert uri.startswith("http://127.0.0.1:")
        desk.driver.close()
