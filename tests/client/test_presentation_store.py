"""What somebody can do who writes into the store, knows a link, or sees which requests the issuer gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cyberid_client import Client, CyberIDError, PresentationRequest, TrustStore
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.link import Environment
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import ManualClock, MockIssuer

from .conftest import START
from .gate import Gate, Line, make_gate


@pytest.fixture(scope="module")
def world() -> Gate:
    """An issuer, an app and a wallet for all tests that leave the clock alone."""
    clock = ManualClock(START)
    gate = make_gate(MockIssuer(clock), clock)
    gate.client.refresh()
    return gate


@pytest.fixture
def gate(world: Gate, new_client: Callable[..., Client]) -> Gate:
    gate = world.with_client(new_client)
    gate.client.refresh()
    return gate


def code_of(function: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


def id_of(ask: PresentationRequest) -> RequestId:
    """Return what stands in the link."""
    return RequestId(ask.uri.partition("request%2F")[2][:22])


def rewrite(gate: Gate, ask: PresentationRequest, **changes: object) -> None:
    """Change a record, as somebody can who writes into the store and knows the link."""
    request_id, now = id_of(ask), gate.clock()
    sealed = gate.store.peek(request_id.key, now=now)
    record = replace(PresentationRecord.unseal(sealed, request_id), **changes)
    new = record.seal(request_id, Environment(gate.clock))
    assert gate.store.swap(request_id.key, old=sealed, new=new, now=now)


class TestWhoWritesIntoTheStore:
    def test_a_response_code_of_his_own_brings_him_no_login(self, gate):
        """A victim answered the attacker's link: the answer itself says which code belongs to it."""
        ask, _ = gate.start()
        forged = PresentationCode.new(id_of(ask), Environment(gate.clock))
        rewrite(gate, ask, code_hash=forged.hash)
        finish = gate.client.finish_presentation
        assert "presentation.response_code" == code_of(finish, handle=ask.handle, response_code=forged.text())

    def test_nobody_is_sent_elsewhere(self, gate):
        """After the login people go to a path of this origin, whatever stands in the record."""
        ask, code = gate.start()
        rewrite(gate, ask, return_to="https://elsewhere.example/")
        finish = gate.client.finish_presentation
        assert "login.unknown" == code_of(finish, handle=ask.handle, response_code=code)

    @pytest.mark.parametrize("device", ["same", "other"])
    def test_another_kind_of_device_finishes_nothing(self, gate, device):
        """The answer of a presentation for one kind of device has nothing that finishes the other kind."""
        ask, _ = gate.start(device)
        forged = PresentationCode.new(id_of(ask), Environment(gate.clock))
        turned = "same" if device == "other" else "other"
        rewrite(gate, ask, device=turned, code_hash=forged.hash)
        brought = {"typed_code": forged.digits} if turned == "other" else {"response_code": forged.text()}
        refused = code_of(gate.client.finish_presentation, handle=ask.handle, **brought)
        assert refused in {"presentation.response_code", "presentation.digits_wrong"}

    def test_he_does_not_learn_who_answers(self, gate):
        """The link names the key that the answer is sealed for: no other key gets one."""
        ask = gate.client.start_presentation(device="other")
        posted = gate.hold(ask)
        rewrite(gate, ask, answer_key=PresentationHandle(b"h" * 32).public_key)
        assert 400 == gate.receive(posted).status
        assert "waiting" == gate.client.presentation_status(ask.status_handle).value

    def test_a_response_code_names_its_presentation(self, gate):
        """The right secret behind another presentation's id is no response code."""
        ask, code = gate.start()
        forged = f"{'A' * 22}.{code.partition('.')[2]}"
        finish = gate.client.finish_presentation
        assert "presentation.response_code" == code_of(finish, handle=ask.handle, response_code=forged)

    def test_a_fourth_try_is_none_even_with_the_right_digits(self, gate):
        """A process that died behind the third try leaves a record, and nobody goes on with it."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        rewrite(gate, ask, tries=3)
        finish = gate.client.finish_presentation
        assert "presentation.digits_used_up" == code_of(finish, handle=ask.handle, typed_code=digits)
        assert "login.unknown" == code_of(finish, handle=ask.handle, typed_code=digits)

    def test_the_third_try_of_three_counted_ones_may_be_right(self, gate):
        """After two tries there is one more."""
        ask, code = gate.start("other")
        rewrite(gate, ask, tries=2)
        digits = gate.client.presentation_digits(code)
        assert gate.client.finish_presentation(handle=ask.handle, typed_code=digits)


class TestAnotherVersion:
    def test_its_records_are_not_read(self, gate):
        """While a fleet is updated nobody takes the fields of one version for those of another."""
        ask = gate.client.start_presentation(device="other")
        request_id, now = id_of(ask), gate.clock()
        sealed, aad = gate.store.peek(request_id.key, now=now), request_id.key.encode()
        plain = request_id.cipher.decrypt(sealed[:12], sealed[12:], aad)
        newer = sealed[:12] + request_id.cipher.encrypt(sealed[:12], b"\x02" + plain[1:], aad)
        assert gate.store.swap(request_id.key, old=sealed, new=newer, now=now)
        assert "over" == gate.client.presentation_status(ask.status_handle).value
        assert "login.unknown" == code_of(gate.client.presentation_request_object, request_id.text)


class TestRefusalInTheOpen:
    def test_only_what_waits_can_be_refused(self, gate):
        """A refusal that everybody can read is answered with an address while the request waits, and then no more."""
        ask = gate.client.start_presentation()
        body = f"error=access_denied&state={id_of(ask).text}".encode()
        waiting = gate.client.receive_presentation(body)
        gate.wallet.answer(ask.uri)
        answered = gate.client.receive_presentation(body)
        assert (200, 400) == (waiting.status, answered.status)


class TestRootsOutOfDate:
    def test_nobody_is_logged_in_by_them(self, gate, new_client):
        """What was proved under a bundle of roots is no login once the bundle is out of date."""
        clock = ManualClock(START)
        trust = replace(gate.rp.trust, expires_at=START + timedelta(seconds=60))
        store = MemoryPendingStore()
        line = Line(gate.issuer.transport())
        rp = replace(gate.rp, trust=trust)
        client = new_client(rp, transport=line, pending=store, clock=clock, background=False)
        client.refresh()
        front = replace(gate, rp=rp, client=client, store=store, clock=clock, replies=[], posts=[])
        ask, code = front.start()
        clock.advance(60)
        assert "trust.expired" == code_of(client.finish_presentation, handle=ask.handle, response_code=code)


class TestStoreThatMakesTheBrowserCarry:
    def test_nothing_starts(self, gate, new_client):
        """A wallet brings nothing of what a store wants the browser to carry."""

        class Carrying(MemoryPendingStore):
            def __bool__(self):
                return True

            def put(self, key, record, *, expires_at, now):
                super().put(key, record, expires_at=expires_at, now=now)
                return "carried"

        client = gate.with_client(new_client, store=Carrying()).client
        client.refresh()
        assert "store.failed" == code_of(client.start_presentation)


class TestOtherDeviceRefusedMeanwhile:
    def test_what_waits_is_neither_answered_nor_finished(self, gate, new_client):
        """Who turns other devices off, because of phishing for example, turns off those on their way."""
        waiting = gate.client.start_presentation(device="other")
        posted = gate.hold(waiting)
        answered, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        strict = gate.with_client(
            new_client, store=gate.store, wallet=replace(gate.rp.wallet, cross_device="refused")
        )
        strict.client.refresh()
        assert 400 == strict.receive(posted).status
        assert "login.other_settings" == code_of(strict.client.presentation_digits, code)
        finish = strict.client.finish_presentation
        assert "login.other_settings" == code_of(finish, handle=answered.handle, typed_code=digits)


class TestWhatTheIssuerSees:
    def test_status_lists_that_do_not_come_are_not_asked_for_at_each_login(self, gate, new_client):
        """A row of people who want to log in is no row of requests."""

        class Lists(Line):
            def send(self, request):
                self.is_cut = request.purpose.startswith("status")
                return super().send(request)

        line = Lists(gate.issuer.transport())
        client = new_client(gate.rp, transport=line, clock=gate.clock, background=False)
        codes = [code_of(client.start_presentation) for _ in range(5)]
        assert ["transport.connection", *["issuer.unavailable"] * 4] == codes
        assert 1 == line.purposes.count("status_aggregation")

    def test_who_refreshed_goes_on_refreshing_before_anybody_logs_in(self, gate, new_client, timers):
        """The timers begin with the app's own refresh: the first login starts nothing that the issuer could see."""
        before = timers()
        client = new_client(gate.rp, transport=Line(gate.issuer.transport()), clock=gate.clock)
        client.refresh()
        begun = timers() - before
        client.close()
        assert 2 == len(begun)


class TestNewerRoots:
    def test_status_lists_are_fetched_under_them(self, gate):
        """Who replaces the roots has everything judged by them, the lists of who is revoked included."""
        before = len(gate.transport.purposes)
        gate.client.replace_trust(TrustStore.for_tests(gate.issuer.root_pem))
        assert {"discovery", "jwks", "status_aggregation", "status_list"} <= set(
            gate.transport.purposes[before:]
        )
