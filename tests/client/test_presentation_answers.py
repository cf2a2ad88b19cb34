"""What wallets and strangers post, in any order and any number, and what it does to a presentation that waits."""

from __future__ import annotations

import json
import logging
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client import (
    Client,
    ConfigurationError,
    CyberIDError,
    LoginDeclinedError,
    PresentationReply,
    UnavailableError,
)
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.ports import HTTPRequest
from cyberid_client.stores import SealedCookieStore
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.encryption import EncryptedDraft

from .conftest import START
from .gate import ENDPOINT, FORM, Gate, MoodyStore, code_in, make_gate

REFUSED = (400, {"error": "invalid_request"})
LATER = (503, {"error": "temporarily_unavailable"})


@pytest.fixture(scope="module")
def world() -> Gate:
    """An issuer, an app and a wallet for all tests that leave clock and issuer alone."""
    clock = ManualClock(START)
    return make_gate(MockIssuer(clock), clock)


@pytest.fixture
def gate(world: Gate, new_client: Callable[..., Client]) -> Gate:
    return world.with_client(new_client)


@pytest.fixture
def own_gate(issuer: MockIssuer, clock: ManualClock, new_client: Callable[..., Client]) -> Gate:
    """A gate at an issuer of its own, for tests in which time passes or the issuer fails."""
    return make_gate(issuer, clock, new_client=new_client)


class Env:
    """Chance for records that tests put into stores."""

    def token(self, nbytes: int) -> bytes:
        return b"e" * nbytes


def said(reply: PresentationReply) -> tuple[int, dict[str, str]]:
    """Return status and body of a reply, which nobody may store."""
    assert {"content-type": "application/json", "cache-control": "no-store"} == dict(reply.headers)
    return reply.status, json.loads(reply.body)


def post(gate: Gate, **parameters: str) -> tuple[int, dict[str, str]]:
    return said(gate.client.receive_presentation(urlencode(parameters).encode(), content_type=FORM))


def refusal_of(gate: Gate, ask: object, **brought: str | None) -> CyberIDError | None:
    try:
        gate.client.finish_presentation(handle=ask.handle, **brought)
    except CyberIDError as error:
        return error
    return None


def code_of(function: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


def request_id_of(ask: object) -> str:
    return ask.uri.partition("request%2F")[2][:22]


def encrypted_for(
    ask: object, recipient: ec.EllipticCurvePublicKey | None = None, content: object = None
) -> str:
    """Encrypt something under the name of a request."""
    recipient = recipient or ec.generate_private_key(ec.SECP256R1()).public_key()
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": request_id_of(ask)}
    return EncryptedDraft(header=header, content=json.dumps(content).encode(), recipient=recipient).encode()


def key_of(gate: Gate, ask: object) -> ec.EllipticCurvePublicKey:
    """Return the key of a request, as every wallet learns it."""
    record = PresentationRecord.unseal(
        gate.store.peek(RequestId(request_id_of(ask)).key, now=gate.clock()), RequestId(request_id_of(ask))
    )
    return ec.derive_private_key(int.from_bytes(record.decryption_key, "big"), ec.SECP256R1()).public_key()


class TestFetching:
    def test_a_request_is_fetched_as_often_as_a_wallet_likes(self, gate):
        """By GET and by POST, twice each, and the answer is taken all the same."""
        ask = gate.client.start_presentation()
        for name in ("wallet.fetched_twice", "wallet.fetched_by_get", "wallet.fetched_by_post"):
            gate.wallet.arm(name)
            gate.wallet.read(ask.uri)
        code = code_in(gate.wallet.answer(ask.uri))
        assert None is refusal_of(gate, ask, response_code=code)

    def test_what_is_no_request(self, gate):
        """There is nothing to fetch under another name."""
        for made_up in ("", "A" * 22, "A" * 21, "../etc", None, "é" * 22, "A" * 100_000):
            assert "login.unknown" == code_of(gate.client.presentation_request_object, made_up)

    def test_an_answered_request_is_not_fetched_again(self, gate):
        """Who comes after the answer is told that there is none."""
        ask, _ = gate.start()
        refused = code_of(gate.client.presentation_request_object, request_id_of(ask))
        assert "presentation.over" == refused


class TestOneAnswer:
    @pytest.mark.parametrize("device", ["same", "other"])
    def test_the_same_answer_twice(self, gate, device):
        """The second time it is refused, and changes nothing."""
        ask = gate.client.start_presentation(device=device)
        posted = gate.hold(ask)
        first, second = gate.receive(posted), gate.receive(posted)
        code = parse_qs(json.loads(first.body)["redirect_uri"].partition("?")[2])["response_code"][0]
        assert REFUSED == said(second)
        if device == "same":
            assert None is refusal_of(gate, ask, response_code=code)
        else:
            assert None is refusal_of(gate, ask, typed_code=gate.client.presentation_digits(code))

    def test_two_wallets_at_the_same_moment(self, gate):
        """However many answer at once, one of them is taken."""
        ask = gate.client.start_presentation()
        posts = [gate.hold(ask, wallet) for wallet in (gate.wallet, gate.wallet.another("traveller"))]
        barrier = threading.Barrier(6)
        replies: list[PresentationReply] = []

        def answer(posted: HTTPRequest) -> None:
            barrier.wait()
            replies.append(gate.receive(posted))

        threads = [threading.Thread(target=answer, args=(posted,)) for posted in posts * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [200, 400, 400, 400, 400, 400] == sorted(reply.status for reply in replies)

    def test_a_wrong_answer_that_decrypts_uses_it_up(self, gate):
        """What was made for this request and is wrong leaves nothing for a second try."""
        ask = gate.client.start_presentation(device="other")
        gate.wallet.arm("wallet.nonce_other")
        assert 400 == gate.wallet.answer(ask.uri).status
        assert "over" == gate.client.presentation_status(ask.status_handle)
        assert "presentation.over" == refusal_of(gate, ask, typed_code="123456").code
        assert "login.unknown" == refusal_of(gate, ask, typed_code="123456").code

    def test_rubbish_that_decrypts_uses_it_up(self, gate):
        """Anybody who has the link can end it; nobody can log in by it."""
        ask = gate.client.start_presentation()
        posted = gate.hold(ask)
        assert REFUSED == post(gate, response=encrypted_for(ask, key_of(gate, ask), content=["x"]))
        assert REFUSED == said(gate.receive(posted))

    def test_nine_misses_do_no_harm_and_the_tenth_ends_it(self, gate):
        """An outsider's rubbish uses nothing up until it is too much."""
        patient, ended = gate.client.start_presentation(), gate.client.start_presentation()
        held = gate.hold(ended)
        for _ in range(9):
            assert REFUSED == post(gate, response=encrypted_for(patient))
            assert REFUSED == post(gate, response=encrypted_for(ended))
        assert 200 == gate.wallet.answer(patient.uri).status
        assert REFUSED == post(gate, response=encrypted_for(ended))
        assert REFUSED == said(gate.receive(held))
        assert "presentation.over" == code_of(gate.client.presentation_request_object, request_id_of(ended))

    def test_an_answer_for_everybody_to_read_is_a_miss(self, gate):
        """What comes unencrypted counts as what does not decrypt."""
        ask = gate.client.start_presentation(device="other")
        for _ in range(9):
            assert REFUSED == post(gate, vp_token="{}", state=request_id_of(ask))
        assert "waiting" == gate.client.presentation_status(ask.status_handle)
        assert REFUSED == post(gate, vp_token="{}", state=request_id_of(ask))
        assert "over" == gate.client.presentation_status(ask.status_handle)

    def test_many_misses_at_the_same_moment_are_all_counted(self, gate):
        """Ten that come at once are ten."""
        ask = gate.client.start_presentation(device="other")
        barrier = threading.Barrier(10)
        forms = [urlencode({"response": encrypted_for(ask)}).encode() for _ in range(10)]

        def miss(form: bytes) -> None:
            barrier.wait()
            gate.client.receive_presentation(form, content_type=FORM)

        threads = [threading.Thread(target=miss, args=(form,)) for form in forms]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "over" == gate.client.presentation_status(ask.status_handle)


class TestRefusal:
    @pytest.mark.parametrize(("device", "page"), [("same", "return"), ("other", "code")])
    def test_one_that_everybody_can_read_changes_nothing(self, gate, device, page):
        """A wallet may say no without encryption; so may everybody, so that it uses nothing up."""
        ask = gate.client.start_presentation(device=device)
        for _ in range(12):
            assert (200, {"redirect_uri": f"{ENDPOINT}/{page}"}) == said(
                gate.client.receive_presentation(
                    urlencode({"error": "access_denied", "state": request_id_of(ask)}).encode()
                )
            )
        assert gate.wallet.answer(ask.uri).accepted

    @pytest.mark.parametrize("state", ["", "A" * 22, "x", "é"])
    def test_one_to_no_request_is_refused(self, gate, state):
        """An error that names no request is nobody's."""
        assert REFUSED == post(gate, error="access_denied", state=state)
        assert REFUSED == post(gate, error="access_denied")

    @pytest.mark.parametrize("device", ["same", "other"])
    def test_one_that_is_encrypted_ends_it(self, gate, device):
        """An encrypted no is the wallet's own: the person is told, and it is over."""
        ask = gate.client.start_presentation(device=device)
        refusal = encrypted_for(ask, key_of(gate, ask), {"error": "access_denied"})
        status, body = post(gate, response=refusal)
        code = body["redirect_uri"].partition("response_code=")[2]
        brought = {"response_code": code} if device == "same" else {"typed_code": "123456"}
        refused = refusal_of(gate, ask, **brought)
        assert (200, "presentation.declined", False) == (status, refused.code, refused.retryable)
        assert isinstance(refused, LoginDeclinedError)
        assert "login.unknown" == refusal_of(gate, ask, **brought).code

    def test_its_response_code_gives_no_digits(self, gate):
        """Where the wallet said no there is nothing to type."""
        ask = gate.client.start_presentation(device="other")
        _, body = post(gate, response=encrypted_for(ask, key_of(gate, ask), {"error": "access_denied"}))
        code = body["redirect_uri"].partition("response_code=")[2]
        assert "presentation.declined" == code_of(gate.client.presentation_digits, code)


class TestRubbish:
    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"", FORM),
            (b"response=x", None),
            (b"response=x", "application/json"),
            (b"response=x&response=y", FORM),
            (b"response=x&error=y", FORM),
            (b"response=%zz", FORM),
            (b"response=%ff", FORM),
            (b"response=a.b.c.d.e", FORM),
            (b"response=....", FORM),
            (b"vp_token=x", FORM),
            (b"x" * 200_000, FORM),
            (b"response=" + b"A" * 120_000, FORM),
            (None, FORM),
            ("response=x", FORM),
            (b"\x00\xff" * 9, FORM),
        ],
        ids=[
            "empty",
            "no_type",
            "json",
            "twice",
            "both",
            "escape",
            "not_utf8",
            "no_jwe",
            "dots",
            "unencrypted",
            "large",
            "large_jwe",
            "none",
            "text",
            "bytes",
        ],
    )
    def test_whatever_is_posted_is_answered(self, gate, body, content_type):
        """No bytes make the call raise, and none are told what was wrong with them."""
        assert REFUSED == said(gate.client.receive_presentation(body, content_type=content_type))

    @pytest.mark.parametrize("kid", [..., "", "A" * 22, "A" * 21, 5, "é", "A" * 5_000])
    def test_a_key_id_that_names_no_request(self, gate, kid):
        """An answer to no request is nobody's."""
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        header = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": kid}
        draft = EncryptedDraft(
            header={name: value for name, value in header.items() if value is not ...},
            content=b"{}",
            recipient=key,
        )
        assert REFUSED == post(gate, response=draft.encode())

    @pytest.mark.parametrize(
        "value", [None, "", "x", "é", "\ud800", "A" * 43, "\x00" * 43, "." * 66, 7, b"x"]
    )
    def test_whatever_is_brought_only_our_errors_come_out(self, gate, value):
        """Handles, codes and digits are untrusted, whatever their type."""
        client = gate.client
        ask, code = gate.start("other")
        calls = [
            lambda: client.presentation_request_object(value),
            lambda: client.presentation_request_object(request_id_of(ask), wallet_nonce=value or "\n"),
            lambda: client.presentation_digits(value),
            lambda: client.finish_presentation(handle=value, typed_code="123456"),
            lambda: client.finish_presentation(handle=ask.handle, typed_code=value),
            lambda: client.finish_presentation(handle=ask.handle, response_code=value, typed_code=value),
        ]
        for call in calls:
            with pytest.raises(CyberIDError):
                call()
        assert "over" == client.presentation_status(value)
        assert None is client.presentation_cookie_name(value)
        assert isinstance(code, str)


class TestTime:
    def test_an_answer_is_late_from_the_very_second(self, own_gate):
        """A moment before the end it is taken, at the end it is not."""
        asks = [own_gate.client.start_presentation() for _ in range(2)]
        posts = [own_gate.hold(ask) for ask in asks]
        own_gate.clock.advance(299.999)
        assert 200 == own_gate.receive(posts[0]).status
        own_gate.clock.advance(0.001)
        assert asks[1].expires_at == own_gate.clock()
        assert REFUSED == said(own_gate.receive(posts[1]))

    def test_so_is_the_finish(self, own_gate):
        """At its end a presentation is over for everybody."""
        (ask, code), (other, others) = own_gate.start(), own_gate.start("other")
        own_gate.clock.advance(300)
        assert "login.expired" == refusal_of(own_gate, ask, response_code=code).code
        assert "login.expired" == code_of(own_gate.client.presentation_digits, others)
        assert "over" == own_gate.client.presentation_status(other.status_handle)
        assert "login.expired" == refusal_of(own_gate, other, typed_code="123456").code
        assert "login.unknown" == refusal_of(own_gate, other, typed_code="123456").code
        ask = own_gate.client.start_presentation()
        own_gate.clock.advance(300)
        assert "login.expired" == code_of(own_gate.client.presentation_request_object, request_id_of(ask))

    def test_a_moment_before_its_end_it_finishes(self, own_gate):
        """Until then all is well."""
        (ask, code), (other, others) = own_gate.start(), own_gate.start("other")
        own_gate.clock.advance(299.999)
        assert None is refusal_of(own_gate, ask, response_code=code)
        digits = own_gate.client.presentation_digits(others)
        assert None is refusal_of(own_gate, other, typed_code=digits)

    def test_the_lifetime_is_configured(self, world, new_client):
        """It is the one of the settings, also in the cookie."""
        gate = world.with_client(new_client, wallet=replace(world.rp.wallet, lifetime=60))
        ask = gate.client.start_presentation()
        assert START + timedelta(seconds=60) == ask.expires_at
        assert "Max-Age=60;" in ask.set_cookie


class TestOtherHandshakes:
    def test_the_handle_of_a_redirect_finishes_nothing(self, gate):
        """Handles of other handshakes lead to nothing here, and the other way round."""
        ask, code = gate.start()
        request = gate.client.start_login()
        assert "login.unknown" == code_of(
            gate.client.finish_presentation, handle=request.handle, response_code=code
        )
        callback = gate.issuer.authorize(request.url)
        assert "login.unknown" == code_of(gate.client.finish_login, callback, handle=ask.handle)

    def test_another_issuer_s_presentation_is_not_ours(self, gate, world, new_client):
        """A store that two apps share gives neither the other's presentations."""
        ask, code = gate.start()
        rp = replace(world.rp, sector="https://gate.example/other")
        sealed = gate.store.peek(RequestId(request_id_of(ask)).key, now=gate.clock())
        record = PresentationRecord.unseal(sealed, RequestId(request_id_of(ask)))
        moved = replace(record, sector=rp.sector).seal(RequestId(request_id_of(ask)), Env())
        gate.store.swap(RequestId(request_id_of(ask)).key, old=sealed, new=moved, now=gate.clock())
        assert "login.other_settings" == refusal_of(gate, ask, response_code=code).code


class TestStore:
    def test_a_sealed_cookie_is_refused(self, world, new_client):
        """What nobody keeps nobody can answer."""
        client = new_client(
            world.rp,
            transport=world.transport,
            pending=SealedCookieStore({"k1": bytes(32)}),
            clock=world.clock,
            background=False,
        )
        for call in (
            client.start_presentation,
            lambda: client.presentation_request_object("A" * 22),
            lambda: client.receive_presentation(b""),
            lambda: client.presentation_status("x"),
            lambda: client.presentation_digits("x"),
            lambda: client.finish_presentation(handle=None),
        ):
            assert "store.not_single_use" == code_of(call)

    def test_a_pending_presentation_is_small(self, world):
        """In memory one that waits costs at most 2 kB, all included."""
        gate = world.with_client()
        gate.client.start_presentation(device="other")
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(100):
                gate.client.start_presentation(device="other", return_to="/events/2027/spring?seat=12")
            each = (tracemalloc.get_traced_memory()[0] - before) / 100
        finally:
            tracemalloc.stop()
        assert 2_000 > each
        assert 101 == len(gate.store)

    def test_whoever_can_write_into_the_store_makes_no_login(self, gate):
        """An answer counts only with a signature by the key that wallets know."""
        ask = gate.client.start_presentation()
        handle = PresentationHandle.parse(ask.handle)
        request_id = handle.request_id
        sealed = gate.store.peek(request_id.key, now=gate.clock())
        record = PresentationRecord.unseal(sealed, request_id)
        code = PresentationCode(request_id, "c" * 43)
        forged = record.answered(b"\x00\x04" + b"sign" + b"[]", code).seal(request_id, Env())
        assert gate.store.swap(request_id.key, old=sealed, new=forged, now=gate.clock())
        assert "login.other_settings" == refusal_of(gate, ask, response_code=code.text()).code

    def test_nothing_of_the_person_is_in_it(self, gate):
        """Who has the store and the QR code finds neither pseudonym, mode nor digits."""
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        request_id = RequestId(request_id_of(ask))
        sealed = gate.store.peek(request_id.key, now=gate.clock())
        plain = request_id.cipher.decrypt(sealed[:12], sealed[12:], request_id.key.encode())
        login = gate.client.finish_presentation(handle=ask.handle, typed_code=digits)
        for secret in (login.pseudonym.value, digits, "r02", "E10", "persistence"):
            assert secret.encode() not in plain + sealed

    def test_when_it_fails_nothing_is_decided(self, world, new_client):
        """The wallet may come again, the page may ask again, and nobody is logged in."""
        gate = world.with_client(new_client, store=MoodyStore())
        ask = gate.client.start_presentation(device="other")
        posted = gate.hold(ask)
        gate.store.is_gone = True
        assert LATER == said(gate.receive(posted))
        for call in (
            lambda: gate.client.presentation_status(ask.status_handle),
            lambda: gate.client.presentation_digits(f"{'A' * 22}.{'A' * 43}"),
            lambda: gate.client.finish_presentation(handle=ask.handle, typed_code="123456"),
            lambda: gate.client.presentation_request_object("A" * 22),
        ):
            with pytest.raises(UnavailableError):
                call()

    def test_one_that_makes_browsers_carry_something_starts_nothing(self, world, new_client):
        """A wallet brings nothing that a store gave to a browser."""
        gate = world.with_client(new_client, store=MoodyStore())
        gate.store.carries = "something"
        assert "store.failed" == code_of(gate.client.start_presentation)

    def test_who_loses_every_swap_is_told_to_come_again(self, world, new_client):
        """A wallet that was never fast enough is not told that it is wrong."""
        gate = world.with_client(new_client, store=MoodyStore())
        ask = gate.client.start_presentation()
        posted = gate.hold(ask)
        gate.store.is_restless = True
        assert LATER == said(gate.receive(posted))
        gate.store.is_restless = False
        assert 200 == gate.receive(posted).status


class TestLog:
    def test_no_line_holds_what_a_login_holds(self, gate, caplog):
        """Codes, handles, digits, nonces and pseudonyms stay out of the log, at every level."""
        caplog.set_level(logging.DEBUG, "cyberid_client")
        ask, code = gate.start("other")
        digits = gate.client.presentation_digits(code)
        refusal_of(gate, ask, typed_code=f"{(int(digits) + 1) % 10**6:06}")
        login = gate.client.finish_presentation(handle=ask.handle, typed_code=digits)
        for secret in (
            ask.handle,
            code,
            digits,
            login.pseudonym.value,
            request_id_of(ask),
            ask.status_handle,
        ):
            assert secret not in caplog.text

    def test_a_refusal_is_told_to_the_operator_only(self, gate, caplog):
        """The code and a reference stand in the log, and the wallet learns neither."""
        caplog.set_level(logging.INFO, "cyberid_client")
        assert REFUSED == post(gate, response="a.b.c.d.e")
        assert "receive_presentation: code=presentation.malformed reference=" in caplog.text

    def test_a_page_that_waits_is_not_logged(self, gate, caplog):
        """A thousand pages ask every two seconds."""
        ask = gate.client.start_presentation(device="other")
        caplog.clear()
        caplog.set_level(logging.DEBUG, "cyberid_client")
        gate.client.presentation_status(ask.status_handle)
        gate.client.presentation_status("x")
        assert [] == caplog.records


def test_a_closed_client_takes_nothing(world):
    """After the end there are no more presentations."""
    gate = world.with_client()
    gate.client.close()
    for call in (
        gate.client.start_presentation,
        lambda: gate.client.presentation_request_object("A" * 22),
        lambda: gate.client.receive_presentation(b""),
        lambda: gate.client.presentation_status("x"),
        lambda: gate.client.presentation_digits("x"),
        lambda: gate.client.finish_presentation(handle="A" * 43),
    ):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert "client.closed" == caught.value.code
