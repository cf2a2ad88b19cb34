"""The envelope of an app verification: the built-in one, and one of another shape that changes nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cyberid_client import AppLaunchSettings, Assurance, Channel, CyberIDError, Factor
from cyberid_client.handshake.app_envelope import SignedJWTEnvelope
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.keyring import x5c_of
from cyberid_client.trust import KeySet
from cyberid_client.wire import AppVerification

from .conftest import ISSUER, NOW, SECONDS
from .other_envelope import KIND, NestedEnvelope, local_time
from .receipts import (
    BIZ_SEQ,
    BLOB,
    HONEST_RESULT,
    LAUNCH,
    PASSWORD_BLOB,
    SETTINGS,
    ReceiptBench,
    drive,
    lost,
    pending_launch,
    receipt_answer,
)
from .strict_issuer import Env

VERIFICATION = AppVerification(
    issuer=ISSUER,
    client_id="shop",
    org_id="org-1",
    app_id="app-1",
    biz_seq=BIZ_SEQ,
    mode="urn:cyberid:mode:r01",
    scope="openid",
    id_card_auth_data=BLOB,
    cert_pwd_data=None,
    issued_at=SECONDS,
    expires_at=SECONDS + 60,
    jti="made-up-name",
)
SAYS = {
    "platform": ISSUER,
    "orgClient": "shop",
    "appID": "app-android",
    "bizSeq": BIZ_SEQ,
    "resultCode": "0000",
    "authResult": "00XX",
    "authTime": local_time(SECONDS - 5),
    "timeStamp": local_time(SECONDS),
    "callerChecked": "Y",
    "pid": "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA",
    "pidClass": "A",
    "sector": "https://shop.example",
    "digest": LAUNCH.blobs_hash,
}


@pytest.fixture(scope="module")
def bench(parts):
    return ReceiptBench(**parts)


@pytest.fixture
def env():
    return Env(NOW)


def code_of(function, *arguments, **named):
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


class TestBuiltIn:
    def test_what_is_signed_is_what_is_sent(self):
        """Header and claims, a dot, and the signature behind another one: a compact JWS (RFC 7515 §7.1)."""
        envelope = SignedJWTEnvelope()
        prepared = envelope.prepare(VERIFICATION, algorithm="ES256", kid="k1")
        assert prepared + b".AAEC" == envelope.seal(prepared, b"\0\1\2")
        header, claims = (
            json.loads(base64.urlsafe_b64decode(part + b"===")) for part in prepared.split(b".")
        )
        assert {"alg": "ES256", "kid": "k1", "typ": "cyberid-app-verify+jwt"} == header
        assert (BIZ_SEQ, False) == (claims["bizSeq"], "certPwdData" in claims)

    def test_a_password_stands_beside_the_certificate(self):
        """What the ID app gave for it is sent as it came."""
        with_password = replace(VERIFICATION, cert_pwd_data=PASSWORD_BLOB)
        prepared = SignedJWTEnvelope().prepare(with_password, algorithm="ES256", kid="k1")
        claims = json.loads(base64.urlsafe_b64decode(prepared.split(b".")[1] + b"==="))
        assert PASSWORD_BLOB == claims["certPwdData"]

    def test_a_receipt_is_opened_and_not_believed(self, bench):
        """Whoever signed it, what stands in it comes out."""
        opened = SignedJWTEnvelope().open(bench.token(iss="https://other.example").encode())
        assert ("https://other.example", BIZ_SEQ) == (opened.iss, opened.biz_seq)


def answer(bench, *, header=None, edit=lambda draft: None, **says):
    """Return what the other platform's issuer answers, signed with the key of ours."""
    signer = bench.keyring.signer("assertion")
    honest = {"alg": "ES256", "kid": signer.kid, "typ": KIND, "x5c": x5c_of(signer.chain)}
    claims = {"bizPackage": {name: value for name, value in {**SAYS, **says}.items() if value is not ...}}
    draft = SignedDraft(
        header={**honest, **(header or {})}, claims=claims, signer=signer, keyring=bench.keyring, now=NOW
    )
    edit(draft)
    protected, payload, signature = draft.encode().split(".")
    document = {"response": {"protected": protected, "payload": payload, "signature": signature}}
    return receipt_answer(json.dumps(document), content_type="application/json;charset=UTF-8")


@pytest.fixture
def launch(bench, env):
    """Begin to finish a launch at the other platform."""
    settings = replace(SETTINGS, envelope=NestedEnvelope())

    def begin(**asked):
        return bench.flow(env, rp=replace(bench.rp, app_launch=settings), **asked)

    return begin


class TestAnotherShape:
    def test_a_login_through_another_envelope_is_the_same_login(self, bench, env, launch):
        """The handshake does not see what the wire looks like."""
        _, ours = drive(bench.flow(env), receipt_answer(bench.token(sid=...)))
        [request], theirs = drive(launch(), answer(bench))
        assert ours == theirs
        assert ours.evidence == theirs.evidence
        assert (Channel.APP, frozenset({Factor.CERTIFICATE, Factor.PASSWORD})) == (
            theirs.channel,
            theirs.factors,
        )
        assert {"accept": "application/json", "content-type": "application/json"} == request.headers

    def test_its_request_is_signed_with_the_clients_key(self, bench, launch):
        """What the envelope prepared is what the signature covers."""
        [request], _ = drive(launch(), answer(bench))
        asked = json.loads(request.body)["request"]
        message = f"{asked['protected']}.{asked['payload']}".encode()
        raw = base64.urlsafe_b64decode(asked["signature"] + "==")
        numbers = [int.from_bytes(raw[at : at + 32], "big") for at in (0, 32)]
        key = bench.rp.client_keys.signing.private_key
        key.public_key().verify(encode_dss_signature(*numbers), message, ECDSA(SHA256()))
        package = json.loads(base64.urlsafe_b64decode(asked["payload"] + "==="))["bizPackage"]
        assert ("R02", "2026-11-22 16:00:00") == (package["mode"], package["timeStamp"])

    @pytest.mark.parametrize(
        ("says", "code"),
        [
            ({"authResult": "0XXX"}, "receipt.assurance"),
            ({"authResult": "0X0X"}, "receipt.assurance"),
            ({"authResult": "01XX"}, "receipt.assurance"),
            ({"bizSeq": "0" * 32}, "receipt.biz_seq"),
            ({"appID": "app-ios"}, "receipt.app_id"),
            ({"digest": hashlib.sha256().hexdigest()}, "receipt.blobs_hash"),
            ({"callerChecked": "N"}, "receipt.caller"),
            ({"platform": "https://other.example"}, "receipt.issuer"),
            ({"orgClient": "other"}, "receipt.audience"),
            ({"timeStamp": "2026-11-22 15:49:59"}, "receipt.expired"),
            ({"timeStamp": "2026-11-22 16:00:11"}, "receipt.issued_in_future"),
            ({"authTime": "2026-11-22 15:59:39"}, "receipt.auth_time_stale"),
            ({"authTime": ...}, "receipt.auth_time_missing"),
            ({"pid": "short"}, "receipt.subject"),
            ({"sector": ...}, "receipt.sector"),
            ({"resultCode": "3001"}, "app.frozen"),
            ({"resultCode": "9999"}, "app.declined"),
        ],
    )
    def test_every_rule_holds_all_the_same(self, bench, launch, says, code):
        """X means not executed and never counts; times are read in their zone; nothing is waived."""
        assert code == code_of(drive, launch(), answer(bench, **says))

    def test_its_kind_is_part_of_what_is_signed(self, bench, launch):
        """A document of another kind is none, whatever is inside."""
        assert "receipt.type" == code_of(drive, launch(), answer(bench, header={"typ": "JWT"}))

    def test_a_forgery_is_refused(self, bench, launch):
        """The signature covers the very bytes that were parsed."""

        def forge(draft):
            draft.edit_signature = lambda _: bytes(64)

        assert "receipt.signature" == code_of(drive, launch(), answer(bench, edit=forge))

    def test_a_lost_answer_is_asked_for_again(self, bench, launch):
        """Each attempt is prepared and signed anew."""
        requests, _ = drive(launch(), lost(), lost("transport.connection"), answer(bench))
        assert 3 == len({request.body for request in requests})

    def test_newer_keys_are_asked_for_as_ever(self, bench, launch):
        """The header of another shape tells which key is lacking."""
        flow = launch(keys=KeySet())
        next(flow)
        wanted = flow.send(answer(bench))
        with pytest.raises(StopIteration) as done:
            flow.send(bench.keys)
        assert ("app", True, Channel.APP) == (wanted.entry, bool(wanted.proven_key), done.value.value.channel)

    @pytest.mark.parametrize(
        ("asked", "result", "code"),
        [
            (Assurance.R01, "0XXX", None),
            (Assurance.R02, "00XX", None),
            (Assurance.R01, "00XX", None),
            (Assurance.R02, "X0XX", "receipt.assurance"),
            (Assurance.R01, "XXXX", "receipt.assurance"),
        ],
    )
    def test_results_as_characters_are_factors(self, bench, launch, asked, result, code):
        """Each character stands for one factor."""
        flow = launch(pending=replace(pending_launch(), assurance=asked))
        if code is None:
            assert Assurance.R01.factors <= drive(flow, answer(bench, authResult=result))[1].factors
        else:
            assert code == code_of(drive, flow, answer(bench, authResult=result))

    def test_the_built_in_form_is_no_answer_to_it(self, bench, launch):
        """An envelope reads its own form only."""
        assert "receipt.content_type" == code_of(drive, launch(), receipt_answer(bench.token()))


class TestSomebodyElsesMistakes:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b"[]",
            b'{"response":{}}',
            b'{"response":null}',
            b'{"response":{"protected":"","payload":"","signature":""}}',
            b"\xff",
        ],
    )
    def test_an_envelope_that_trips_is_a_malformed_receipt(self, launch, body, caplog):
        """Whatever it raises, nothing but our own error comes out, and the log names the kind of it."""
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            refused = receipt_answer(body, content_type="application/json")
            assert "receipt.malformed" == code_of(drive, launch(), refused)
        assert not any(record.exc_info for record in caplog.records)

    def test_the_log_names_what_it_raised(self, launch, caplog):
        """An operator sees that it was the envelope, and nothing of the message."""
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            code_of(drive, launch(), receipt_answer(b'{"response":{}}', content_type="application/json"))
        assert ["envelope raised KeyError"] == [record.getMessage() for record in caplog.records]

    @pytest.mark.parametrize("trips", ["prepare", "seal"])
    def test_what_it_cannot_carry_is_not_sent(self, bench, env, trips, caplog):
        """A blob that an envelope does not understand ends the launch, and leaves no trace at the issuer."""
        settings = replace(SETTINGS, envelope=Tripping(trips))
        flow = bench.flow(env, rp=replace(bench.rp, app_launch=settings))
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            assert "app_result.malformed" == code_of(next, flow)
        assert ["envelope raised ZeroDivisionError"] == [each.getMessage() for each in caplog.records]

    def test_it_raises_nothing_of_ours_by_accident(self, bench, env):
        """Our own errors pass through an envelope as they are."""
        settings = AppLaunchSettings(org_id="org-1", app_ids={"android": "a"}, envelope=SignedJWTEnvelope())
        flow = bench.flow(env, rp=replace(bench.rp, app_launch=settings), result=HONEST_RESULT)
        assert "receipt.too_large" == code_of(drive, flow, receipt_answer(b"x" * 70_000))

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            ("prepare", "app_result.malformed"),
            ("seal", "app_result.malformed"),
            ("open", "receipt.malformed"),
        ],
    )
    @pytest.mark.parametrize("returned", [None, "text"], ids=["nothing", "text"])
    def test_what_it_does_not_promise_goes_nowhere(self, bench, env, part, code, returned, caplog):
        """An envelope that returns something else is stopped where it did, and not where that is used."""
        envelope = SignedJWTEnvelope()
        parts = {
            name: getattr(envelope, name) for name in ("content_type", "accept", "prepare", "seal", "open")
        }
        wrong = SimpleNamespace(**{**parts, part: lambda *_, **__: returned})
        settings = replace(SETTINGS, envelope=wrong)
        flow = bench.flow(env, rp=replace(bench.rp, app_launch=settings), result=HONEST_RESULT)
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            assert code == code_of(drive, flow, receipt_answer(b"x"))
        assert [f"envelope returned {type(returned).__name__}"] == [
            each.getMessage() for each in caplog.records
        ]


class Tripping(SignedJWTEnvelope):
    """An envelope with a mistake in one of its halves."""

    def __init__(self, where: str) -> None:
        self._where = where

    def prepare(self, verification, *, algorithm, kid):
        return super().prepare(verification, algorithm=algorithm, kid=kid) * (1 // (self._where != "prepare"))

    def seal(self, prepared, signature):
        return super().seal(prepared, signature) * (1 // (self._where != "seal"))
