"""A wallet's answer through its three doors, and what is kept of it until the browser is back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwe import encrypt_compact
from joserfc.jwk import ECKey

from cyberid_client import AgeBand, Assurance, Channel, CyberIDError, LoginRestartError, Persistence
from cyberid_client.handshake.bundle import COMPLETE
from cyberid_client.handshake.checks.metadata import check_epoch_length
from cyberid_client.handshake.presentation import ProvedAnswer, login_of, open_answer, pack_answer
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle
from cyberid_client.models import Factor
from cyberid_client.testing.encryption import deflate
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.presentation import parse_presentation, read_presentation_form

from .answers import AnswerBench, wallet_party
from .conftest import NOW
from .presented import AGE_BAND

FORM = "application/x-www-form-urlencoded"
DAY = 86_400


@pytest.fixture(scope="module")
def bench(parts):
    return AnswerBench.of(parts)


@pytest.fixture(scope="module")
def verified(bench):
    return bench.believe(bench.response())


def code_of(function, *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


def packed(bench, answer, rp=None):
    flow = pack_answer(answer, bench.request_id, rp=rp or bench.rp)
    with pytest.raises(StopIteration) as stop:
        next(flow)
    return stop.value.value


class TestForm:
    def test_an_encrypted_answer(self):
        """One parameter is read, and others are ignored."""
        form = read_presentation_form(b"response=a.b.c.d.e&x=y&x=z", FORM + "; charset=utf-8")
        assert ("a.b.c.d.e", None, False) == (form.response, form.error, form.unencrypted)

    def test_a_refusal(self):
        """An error may come without encryption, and names its request by the state."""
        form = read_presentation_form(b"error=access_denied&state=abc&error_description=no", FORM)
        assert (None, "access_denied", "abc") == (form.response, form.error, form.state)

    @pytest.mark.parametrize(
        "form", ["vp_token={}", "vp_token=", "vp_token={}&response=x", "vp_token=x&error=y"]
    )
    def test_an_answer_for_everybody_to_read(self, form):
        """Whatever stands beside it, it is not encrypted."""
        read = read_presentation_form(form.encode() + b"&state=abc", FORM)
        assert (True, "abc", None) == (read.unencrypted, read.state, read.response)

    @pytest.mark.parametrize(
        "form",
        ["", "x=y", "response=", "error=", "response=a&error=b", "response=a&response=a", "error=a&error=b",
         "response=a&state=b&state=c", "vp_token=a&vp_token=b", "response=%", "response=%ff"],
    )  # fmt: skip
    def test_what_is_neither(self, form):
        """There is exactly one answer in it, and nothing stands there twice."""
        assert "presentation.form" == code_of(read_presentation_form, form.encode(), FORM)

    @pytest.mark.parametrize(
        "content_type", [None, "", "application/json", "text/plain", "multipart/form-data"]
    )
    def test_another_kind_of_form(self, content_type):
        """An answer is posted as a form of one kind."""
        assert "presentation.content_type" == code_of(read_presentation_form, b"response=x", content_type)

    def test_its_size(self):
        """A form has at most 128 KiB, and one of just that size is read."""
        largest = b"response=" + b"A" * (128 * 1024 - 9)
        assert read_presentation_form(largest, FORM).response
        assert "presentation.too_large" == code_of(read_presentation_form, largest + b"A", FORM)


class TestFirstDoor:
    @pytest.mark.parametrize("parties", [{}, {"apu": "QWxpY2U", "apv": "Qm9i"}], ids=["nobody", "named"])
    @pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
    def test_what_another_library_encrypts_is_opened(self, bench, enc, parties):
        """Both ways that are offered are understood, with and without the names of the parties."""
        key = ECKey.import_key(bench.public_key)
        header = {"alg": "ECDH-ES", "enc": enc, "kid": bench.request_id.text, **parties}
        token = encrypt_compact(header, b"inside", key, algorithms=["ECDH-ES", enc])
        assert b"inside" == bench.open(token)

    @pytest.mark.parametrize("enc", ["A192GCM", "A128CBC-HS256", "A256CBC-HS512", "none", "A128gcm"])
    def test_what_was_not_offered_is_refused(self, bench, enc):
        """The header does not choose how."""

        def other(draft):
            draft.edit_header = lambda header: header.update(enc=enc)

        assert "presentation.content_encryption" == code_of(bench.open, bench.encrypt(edit=other))

    @pytest.mark.parametrize("alg", ["ECDH-ES+A256KW", "dir", "RSA-OAEP-256", "none", "ecdh-es"])
    def test_the_way_of_the_key_is_its_own(self, bench, alg):
        """The algorithm is that of the key in the request."""

        def other(draft):
            draft.edit_header = lambda header: header.update(alg=alg)

        assert "presentation.key_encryption" == code_of(bench.open, bench.encrypt(edit=other))

    def test_nothing_compressed_is_unpacked(self, bench):
        """What is compressed is refused unread, be it well made."""

        def squeeze(draft):
            draft.header["zip"] = "DEF"
            draft.content = deflate(bytes(10_000_000))

        assert "presentation.compressed" == code_of(bench.open, bench.encrypt(edit=squeeze))

    def test_another_key_s_answer(self, bench):
        """What was encrypted for another key, or another curve, is not opened."""
        for curve in (ec.SECP256R1(), ec.SECP384R1()):
            stranger = ec.generate_private_key(curve).public_key()
            assert "presentation.decryption" == code_of(bench.open, bench.encrypt(recipient=stranger))

    @pytest.mark.parametrize("kid", ["A" * 22, ...])
    def test_an_answer_that_names_another_request_is_not_opened(self, bench, kid):
        """Our own key opens nothing that does not name it."""
        assert "presentation.decryption" == code_of(bench.open, bench.encrypt(header={"kid": kid}))

    @pytest.mark.parametrize("part", [0, 1, 2, 3])
    def test_a_part_that_is_longer_opens_nothing(self, bench, part):
        """There is no encrypted key, and vector and tag have one length."""

        def longer(draft):
            draft.edit_parts = lambda parts: [each + b"x" * (at == part) for at, each in enumerate(parts)]

        assert "presentation.decryption" == code_of(bench.open, bench.encrypt(edit=longer))

    @pytest.mark.parametrize(
        "change",
        [
            {"y": encode_base64url(bytes(32))},
            {"x": encode_base64url(bytes(31))},
            {"y": encode_base64url(bytes(33))},
            {"crv": "P-384"},
            {"crv": "p-256"},
        ],
        ids=["off_curve", "short", "long", "p384", "small"],
    )
    def test_a_point_that_is_none_opens_nothing(self, bench, change):
        """The wallet's key is a point of the curve of ours, in its one spelling."""

        def bend(draft):
            draft.edit_header = lambda header: header["epk"].update(change)

        assert "presentation.decryption" == code_of(bench.open, bench.encrypt(edit=bend))

    def test_without_a_point_nothing_is_agreed(self, bench):
        """A header without the wallet's key opens nothing."""

        def drop(draft):
            draft.edit_header = lambda header: header.pop("epk")

        assert "presentation.decryption" == code_of(bench.open, bench.encrypt(edit=drop))

    def test_a_request_without_key_opens_nothing(self, bench):
        """Where the key has gone there is nothing to open with."""
        used = replace(bench, record=bench.record.spent())
        assert "login.unknown" == code_of(used.open, bench.encrypt())


class TestSecondDoor:
    @pytest.mark.parametrize("state", [..., "", "another", "é"])
    def test_the_state_is_that_of_the_request(self, bench, state):
        """An answer to another request, or to none, is refused."""
        expected = {"": "presentation.claim_type"}.get(state, "presentation.state")
        assert expected == code_of(bench.believe, bench.response(state=state))

    @pytest.mark.parametrize(
        "vp_token",
        [..., None, "x", [], {}, {"sd-jwt": []}, {"sd-jwt": "x"}, {"sd-jwt": [""]}, {"sd-jwt": [{}]},
         {"sd-jwt": ["x", "y"]}, {"other": ["x"]}, {"sd-jwt": ["x"], "other": ["y"]}, {"SD-JWT": ["x"]}],
        ids=repr,
    )  # fmt: skip
    def test_exactly_what_was_asked_for_is_there(self, bench, vp_token):
        """One list of one text under the one id, and nothing else."""
        assert "presentation.credentials" == code_of(bench.believe, bench.response(vp_token=vp_token))

    @pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"state":1,"state":2}', b"\xff", b'"x"'])
    def test_what_is_inside_is_one_object(self, bench, payload):
        """Strict JSON, as everywhere."""
        assert "presentation.malformed" == code_of(bench.believe, payload)

    def test_a_refusal_goes_before_all_else(self, bench):
        """Who says no needs no state and shows nothing."""
        assert None is bench.believe({"error": "access_denied"})
        assert "presentation.claim_type" == code_of(bench.believe, {"error": ""})

    def test_members_that_nobody_knows_are_dropped(self):
        """What else a wallet says is not read."""
        parsed = parse_presentation(b'{"state":"s","vp_token":{"a":["b"]},"id_token":"x"}')
        assert ("s", None, {"a": ("b",)}) == (parsed.state, parsed.error, parsed.presentations)

    def test_a_presentation_has_a_size(self, bench):
        """One that is longer than its format allows is refused unread."""
        long = {"sd-jwt": ["x" * 70_000]}
        assert "presentation.too_large" == code_of(bench.believe, bench.response(vp_token=long))


class TestThirdDoor:
    def test_what_it_proves(self, verified):
        """A presentation that was believed says who, how well, and by which checks."""
        assert (Assurance.R02, Persistence.LIFE, None) == (
            verified.assurance,
            verified.persistence,
            verified.age_band,
        )
        numbers = verified.evidence.checks
        around = [
            each.number
            for checks in (
                COMPLETE.pending_presentation,
                COMPLETE.presentation_envelope,
                COMPLETE.presentation_response,
                COMPLETE.presentation_query,
            )
            for each in checks
        ]
        assert around == list(numbers[: len(around)])
        assert len(numbers) > len(around) + 30

    def test_nonce_and_audience_are_those_of_the_request(self, bench):
        """What was made for another request of ours is refused by the format."""
        response = bench.response()
        assert "key_binding.nonce" == code_of(bench.believe, response, nonce=b"m" * 32)
        assert "key_binding.audience" == code_of(bench.believe, response, client_id="x509_hash:other")

    def test_an_age_band_only_when_it_was_asked_for(self, bench):
        """What nobody asked for is refused; what was asked for is told."""
        shown = {"sd-jwt": [bench.presentation(disclosures=(AGE_BAND,))]}
        response = bench.response(vp_token=shown)
        assert "credential.age_band" == code_of(bench.believe, response)
        assert AgeBand.ADULT is bench.believe(response, age_band=True).age_band
        assert None is bench.believe(bench.response(), age_band=True).age_band


class TestKept:
    def answer(self, verified, **changes: object):
        honest = {"verified": verified, "received_at": NOW, "digits": "012345"}
        return ProvedAnswer(**{**honest, **changes})

    def opened(self, bench, content, handle=None, rp=None):
        code = PresentationCode(bench.request_id, "c" * 43)
        record = bench.record.answered(content, code)
        return open_answer(record, handle or bench.handle, rp=rp or bench.rp)

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"digits": None},
            {"received_at": datetime(2026, 11, 22, 8, 0, 0, 123_456, tzinfo=UTC)},
        ],
        ids=["digits", "none", "fraction"],
    )
    def test_it_comes_back_as_it_was(self, bench, verified, changes):
        """The handle opens what was proved, evidence included."""
        answer = self.answer(verified, **changes)
        assert answer == self.opened(bench, packed(bench, answer))

    def test_an_age_band_comes_back(self, bench, verified):
        """Every value that a presentation can prove is kept."""
        answer = self.answer(
            replace(verified, age_band=AgeBand.FROM_14_TO_17, persistence=Persistence.RECORD)
        )
        assert answer == self.opened(bench, packed(bench, answer))

    def test_another_certificate_s_signature_is_refused(self, bench, verified):
        """What somebody else signed is no answer."""
        content = packed(bench, self.answer(verified))
        other = wallet_party(bench)
        assert "login.other_settings" == code_of(self.opened, bench, content, rp=other)

    @pytest.mark.parametrize("at", [2, 20, 70, -1])
    def test_an_answer_that_was_changed_is_refused(self, bench, verified, at):
        """One bit of it, or of its signature, and it is none."""
        content = bytearray(packed(bench, self.answer(verified)))
        content[at] ^= 1
        assert "login.other_settings" == code_of(self.opened, bench, bytes(content))

    @pytest.mark.parametrize("content", [b"", b"\x00", b"\xff\xff", b"\x00\x00[]", b"\x00\x02ab{}"])
    def test_rubbish_is_refused(self, bench, content):
        """Whatever was sealed for the handle, only our errors come out."""
        assert "login.other_settings" == code_of(self.opened, bench, content)

    def test_an_answer_to_another_request_is_refused(self, bench, verified):
        """Signed for one request, sealed for another: no."""
        other = PresentationHandle(bytes(32))
        content = packed(bench, self.answer(verified))
        code = PresentationCode(other.request_id, "c" * 43)
        record = replace(bench.record, answer_key=other.public_key).answered(content, code)
        with pytest.raises(LoginRestartError) as caught:
            open_answer(record, other, rp=bench.rp)
        assert "login.other_settings" == caught.value.code

    def test_it_is_small_enough_for_every_store(self, bench, verified):
        """With the longest pseudonym an answered record stays under 4 KiB."""
        answer = self.answer(replace(verified, pseudonym="p" * 128))
        code = PresentationCode(bench.request_id, "c" * 43)
        record = replace(bench.record, return_to="/" + "p" * 1_000).answered(packed(bench, answer), code)
        sealed = record.seal(bench.request_id, SimpleNamespace(token=bytes))
        assert 4_096 > len(sealed)

    @pytest.mark.parametrize(
        ("device", "channel"), [("same", Channel.WALLET_SAME), ("other", Channel.WALLET_OTHER)]
    )
    def test_the_login_that_it_makes(self, bench, verified, device, channel):
        """A login says which device answered, when the answer came, and how well the person is known."""
        login = login_of(self.answer(verified), replace(bench.record, device=device))
        assert (channel, NOW, None, "/cart") == (
            login.channel,
            login.authenticated_at,
            login.session_id,
            login.return_to,
        )
        assert {Factor.CERTIFICATE, Factor.PASSWORD} == login.factors
        assert verified.evidence == login.evidence

    def test_a_presentation_of_r01_has_one_factor(self, bench, verified):
        """Nothing raises what the issuer checked about the key."""
        login = login_of(self.answer(replace(verified, assurance=Assurance.R01)), bench.record)
        assert {Factor.CERTIFICATE} == login.factors

    def test_nothing_of_it_is_shown(self, verified):
        """Neither pseudonym nor digits are printed."""
        shown = repr(self.answer(verified))
        assert verified.pseudonym not in shown
        assert "012345" not in shown


class TestEpochLength:
    def judge(
        self, length: int | None, *, for_tests: bool = False, wallet: object = "settings"
    ) -> str | None:
        rp = SimpleNamespace(wallet=wallet, trust=SimpleNamespace(is_for_tests=for_tests))
        claims = SimpleNamespace(server=SimpleNamespace(credential_epoch_length=length))
        try:
            check_epoch_length(SimpleNamespace(rp=rp, claims=claims))
        except CyberIDError as error:
            return error.code
        return None

    @pytest.mark.parametrize("length", [DAY, 7 * DAY, 14 * DAY])
    def test_from_a_day_to_two_weeks(self, length):
        """Both ends are good."""
        assert None is self.judge(length)

    @pytest.mark.parametrize("length", [None, 0, 60, DAY - 1, 14 * DAY + 1])
    def test_nothing_else(self, length):
        """Less, more, and nothing at all are refused."""
        assert "metadata.epoch_length" == self.judge(length)

    @pytest.mark.parametrize(("length", "code"), [(59, "metadata.epoch_length"), (60, None)])
    def test_a_mock_s_weeks_may_be_minutes(self, length, code):
        """With a store for tests a minute will do."""
        assert code == self.judge(length, for_tests=True)

    def test_without_wallets_nobody_asks(self):
        """Who takes no presentations needs no epochs."""
        assert None is self.judge(None, wallet=None)


def test_every_door_is_passed_in_one_go(bench, verified):
    """What an honest wallet encrypts goes through all three."""
    assert verified.pseudonym == bench.believe(bench.open(bench.encrypt(bench.response()))).pseudonym
