"""Logins by wallet, on the same device and on another, blocking and awaited."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from cyberid_client import (
    Assurance,
    Channel,
    Client,
    ConfigurationError,
    CyberIDError,
    Factor,
    LoginDeclinedError,
    PresentationState,
)
from cyberid_client.testing import ManualClock, MockIssuer

from .conftest import START
from .gate import ENDPOINT, SECTOR, Gate, code_in, make_gate


@pytest.fixture(scope="module")
def world() -> Gate:
    """An issuer, an app and a wallet for all tests that leave the clock alone."""
    clock = ManualClock(START)
    return make_gate(MockIssuer(clock), clock)


@pytest.fixture
def gate(world: Gate, new_client: Callable[..., Client]) -> Gate:
    return world.with_client(new_client)


def code_of(function: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


def finish(gate: Gate, ask: object, **brought: str | None) -> str | None:
    """Finish and return the code of the refusal, or ``None``."""
    try:
        gate.client.finish_presentation(handle=ask.handle, **brought)
    except CyberIDError as error:
        return error.code
    return None


def state_of(gate: Gate, ask: object) -> str:
    return gate.client.presentation_status(ask.status_handle).value


class TestSameDevice:
    def test_a_login(self, gate):
        """Response code and handle together give a login, with all that the presentation proved."""
        login = gate.log_in(return_to="/cart")
        assert (Assurance.R02, {Factor.CERTIFICATE, Factor.PASSWORD}) == (login.assurance, login.factors)
        assert (Channel.WALLET_SAME, "/cart", None) == (login.channel, login.return_to, login.session_id)
        assert (gate.issuer.issuer, SECTOR) == (login.issuer, login.sector)
        assert gate.clock() == login.authenticated_at == login.evidence.verified_at
        assert {"E11.2b", "E11.3", "E11.7", "E10.12b", "E3.6d"} < set(login.evidence.checks)

    def test_the_same_person_as_by_redirect(self, gate):
        """In one sector a person has one pseudonym, whichever way in."""
        request = gate.client.start_login()
        by_redirect = gate.client.finish_login(
            gate.issuer.authorize(request.url, person="adult"), handle=request.handle
        )
        assert by_redirect.pseudonym == gate.log_in().pseudonym == gate.log_in("other").pseudonym

    def test_the_reply_to_the_wallet(self, gate):
        """The wallet is answered with JSON that nobody stores and that says where the person goes."""
        ask, code = gate.start()
        (reply,) = gate.replies
        assert 200 == reply.status
        assert {"content-type": "application/json", "cache-control": "no-store"} == dict(reply.headers)
        assert {"redirect_uri": f"{ENDPOINT}/return?response_code={code}"} == json.loads(reply.body)
        assert ask.cookie_name == gate.client.presentation_cookie_name(code)
        assert ask.set_cookie.startswith(f"{ask.cookie_name}={ask.handle}; Max-Age=300; ")

    def test_nothing_is_polled(self, gate):
        """On the same device there is no status handle, and no digits."""
        ask, code = gate.start()
        assert None is ask.status_handle
        assert "login.other_kind" == code_of(gate.client.presentation_digits, code)

    def test_a_login_is_given_once(self, gate):
        """Who reloads the page is told to start again."""
        ask, code = gate.start()
        assert [None, "login.unknown"] == [finish(gate, ask, response_code=code) for _ in range(2)]

    @pytest.mark.parametrize("brought", ["", "x", None])
    def test_any_finish_uses_it_up(self, gate, brought):
        """A response code that is none, and none at all, leave nothing to try again with."""
        ask, code = gate.start()
        refused = finish(gate, ask, response_code=brought)
        assert refused in {"presentation.response_code", "login.unknown"}
        assert "login.unknown" == finish(gate, ask, response_code=code)

    def test_a_code_of_another_answer_is_refused(self, gate):
        """The code must belong to this very presentation."""
        ask, code = gate.start()
        _, others = gate.start()
        forged = f"{code.partition('.')[0]}.{others.partition('.')[2]}"
        assert "presentation.response_code" == finish(gate, ask, response_code=others)
        ask, _ = gate.start()
        assert "presentation.response_code" == finish(
            gate, ask, response_code=forged.replace(code[:22], ask.uri.partition("request%2F")[2][:22])
        )

    def test_session_fixation(self, gate):
        """A victim who answers an attacker's link brings a code without handle; the attacker has no code."""
        attackers = gate.client.start_presentation()
        code = code_in(gate.wallet.answer(attackers.uri))
        refused = code_of(gate.client.finish_presentation, handle=None, response_code=code)
        victims = gate.client.start_presentation()
        assert "login.handle_missing" == refused
        assert "presentation.response_code" == finish(gate, victims, response_code=code)
        assert "presentation.response_code" == finish(gate, attackers)

    def test_digits_finish_nothing_here(self, gate):
        """A presentation for the same device is never finished by digits."""
        ask, code = gate.start()
        assert "login.other_kind" == finish(gate, ask, typed_code="123456", response_code=code)
        assert "login.unknown" == finish(gate, ask, response_code=code)

    def test_before_the_wallet_answered(self, gate):
        """Without an answer there is no code that could be right."""
        ask = gate.client.start_presentation()
        made_up = f"{ask.uri.partition('request%2F')[2][:22]}.{'A' * 43}"
        assert "presentation.response_code" == finish(gate, ask, response_code=made_up)


class TestOtherDevice:
    def test_a_login(self, gate):
        """The six digits of the wallet's device, typed where the QR code stands, give a login."""
        login = gate.log_in("other", return_to="/gate")
        assert (Channel.WALLET_OTHER, "/gate") == (login.channel, login.return_to)

    def test_the_page_that_waits(self, gate):
        """It is told three things: waiting, answered, over."""
        ask = gate.client.start_presentation(device="other")
        seen = [state_of(gate, ask)]
        code = code_in(gate.wallet.answer(ask.uri))
        seen.append(state_of(gate, ask))
        digits = gate.client.presentation_digits(code)
        gate.client.finish_presentation(handle=ask.handle, typed_code=digits)
        assert ["waiting", "answered", "over"] == [*seen, state_of(gate, ask)]
        assert ask.cookie_name == gate.client.presentation_cookie_name(ask.status_handle)

    def test_a_status_handle_that_is_none(self, gate):
        """Whatever a page sends, it is over."""
        for handle in ("", "x", None, "A" * 66, f"{'A' * 22}.{'A' * 43}"):
            assert PresentationState.OVER is gate.client.presentation_status(handle)

    @pytest.mark.parametrize(
        "shape",
        ["{0}{1}", " {0} {1} ", "{0}-{1}", "{0}\t{1}\n"],
        ids=["bare", "spaces", "hyphen", "tab"],
    )
    def test_digits_as_people_type_them(self, gate, shape):
        """Spaces and a hyphen do not matter."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        assert None is finish(gate, ask, typed_code=shape.format(digits[:3], digits[3:]))

    def test_digits_in_full_width(self, gate):
        """An input method for Chinese may write wide digits."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        wide = "".join(chr(ord(each) + 0xFEE0) for each in digits)
        assert None is finish(gate, ask, typed_code=wide)

    def test_what_cannot_be_digits_is_no_try(self, gate):
        """Who types something else may go on, for it can never be right."""
        ask, code = gate.start("other")
        rubbish = (None, "", "12345", "1234567", "abcdef", "12 34", "x" * 10_000)
        assert {"presentation.digits_wrong"} == {finish(gate, ask, typed_code=typed) for typed in rubbish}
        assert None is finish(gate, ask, typed_code=gate.client.presentation_digits(code))

    def test_the_third_wrong_try_uses_it_up(self, gate):
        """Two wrong tries leave a third; the third wrong one leaves nothing."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        wrong = [f"{(int(digits) + add) % 10**6:06}" for add in (1, 2, 3)]
        assert ["presentation.digits_wrong", "presentation.digits_wrong", "presentation.digits_used_up"] == [
            finish(gate, ask, typed_code=each) for each in wrong
        ]
        assert "login.unknown" == finish(gate, ask, typed_code=digits)
        assert "over" == state_of(gate, ask)

    def test_the_third_try_may_be_right(self, gate):
        """Three tries are three."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        wrong = f"{(int(digits) + 1) % 10**6:06}"
        refused = [finish(gate, ask, typed_code=each) for each in (wrong, wrong, digits)]
        assert ["presentation.digits_wrong", "presentation.digits_wrong", None] == refused

    def test_before_the_wallet_answered(self, gate):
        """Who types too early is told so, and nothing is used up."""
        ask = gate.client.start_presentation(device="other")
        with pytest.raises(LoginDeclinedError) as caught:
            gate.client.finish_presentation(handle=ask.handle, typed_code="123456")
        assert ("presentation.not_answered", True) == (caught.value.code, caught.value.retryable)
        code = code_in(gate.wallet.answer(ask.uri))
        assert None is finish(gate, ask, typed_code=gate.client.presentation_digits(code))

    def test_a_response_code_finishes_nothing_here(self, gate):
        """A presentation for another device is never finished by a response code."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        assert "login.other_kind" == finish(gate, ask, response_code=code)
        assert "login.unknown" == finish(gate, ask, typed_code=digits)

    def test_the_stranger_who_answers_first(self, gate):
        """Whoever answers first, the person types the digits of her own phone, and nobody is logged in."""
        ask = gate.client.start_presentation(device="other")
        stranger = gate.wallet.another("traveller")
        assert stranger.answer(ask.uri).accepted
        hers = gate.wallet.answer(ask.uri)
        assert (None, None) == (hers.status, hers.redirect_uri)
        assert "presentation.digits_wrong" == finish(gate, ask, typed_code="000000")

    def test_the_digits_need_the_response_code(self, gate):
        """Neither the QR code nor the status handle gives the digits."""
        ask, code = gate.start("other")
        for made_up in (ask.status_handle, f"{code[:22]}.{'A' * 43}"):
            assert "presentation.response_code" == code_of(gate.client.presentation_digits, made_up)
        assert 6 == len(gate.client.presentation_digits(code))
        assert gate.client.presentation_digits(code) == gate.client.presentation_digits(code)

    def test_it_is_off_by_default(self, world, new_client):
        """Without cross_device there is no QR code."""
        gate = world.with_client(new_client, wallet=replace(world.rp.wallet, cross_device="refused"))
        with pytest.raises(ConfigurationError) as caught:
            gate.client.start_presentation(device="other")
        assert "presentation.other_device" == caught.value.code
        assert Channel.WALLET_SAME is gate.log_in().channel
