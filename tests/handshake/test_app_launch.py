"""App launch: what is started, what the phone may answer, what a receipt must say, and what is asked how often."""

from __future__ import annotations

import pickle
import string
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from cyberid_client import (
    AppLaunchSettings,
    AppOutcome,
    Assurance,
    Channel,
    ClientCertificate,
    ClientKey,
    ClientKeys,
    CyberIDError,
    Factor,
    LoginDeclinedError,
)
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import TransportError
from cyberid_client.handshake.app_launch import AppAsk, launch_type, read_app_result, start_app_launch
from cyberid_client.handshake.flow import KeysWanted, ListsWanted
from cyberid_client.link import Environment
from cyberid_client.ports import HTTPRequest
from cyberid_client.testing.tls import make_client_certificate
from cyberid_client.trust import KeySet, RevocationLists
from cyberid_client.wire.app_result import hash_blobs

from .conftest import ISSUER, NOW, SECONDS
from .receipts import (
    BIZ_SEQ,
    BLOB,
    ENDPOINT,
    HONEST_RESULT,
    METADATA,
    PASSWORD_BLOB,
    SETTINGS,
    ReceiptBench,
    drive,
    lost,
    pending_launch,
    receipt_answer,
)
from .strict_issuer import Env, json_answer

MODE = "urn:cyberid:mode:"
WITH_FACE = replace(METADATA, app_launch_face=True)
PASSED = {"certificate": "passed", "password": "passed"}
MODE_OF = {mode: mode.value for mode in Assurance}


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


def factors_of(mode, **changes):
    """Return results that say exactly what a mode says."""
    results = {each.value: "passed" if each in mode.factors else "not_executed" for each in Factor}
    return {**results, **changes}


def start(bench, env, *, metadata=METADATA, settings=None, **asked):
    rp = replace(bench.launching, **(settings or {}))
    return start_app_launch(rp, AppAsk(**{"platform": "android", **asked}), metadata, env)


class Dice:
    """Bytes in a row that the test chose, and then again from the beginning."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def now(self):
        return NOW

    def token(self, nbytes: int) -> bytes:
        taken = bytes(self._data[(self._at + i) % len(self._data)] for i in range(nbytes))
        self._at += nbytes
        return taken


class TestStart:
    def test_a_launch_holds_what_its_answer_is_compared_with(self, bench, env):
        """Issuer, client, app, mode, place and time are kept; the issuer is not asked."""
        launch = start(bench, env, return_to="/cart?item=1", assurance=Assurance.R01)
        assert {
            "kind": "app",
            "issuer": ISSUER,
            "client_id": "shop",
            "app_id": "app-android",
            "assurance": Assurance.R01,
            "return_to": "/cart?item=1",
            "started_at": NOW,
            "expires_at": NOW + timedelta(seconds=190),
        } == {
            name: getattr(launch, name)
            for name in (
                *("kind", "issuer", "client_id", "app_id", "assurance", "return_to"),
                *("started_at", "expires_at"),
            )
        }

    def test_each_platform_has_its_app(self, bench, env):
        """Two apps of one service are one sector, and answer for themselves."""
        assert "app-ios" == start(bench, env, platform="ios").app_id

    @pytest.mark.parametrize("platform", ["harmony", "", "Android", None, 1, ["android"], {}])
    def test_another_platform_is_refused(self, bench, env, platform):
        """Only a platform that is configured has an app."""
        assert "config.platform_unknown" == code_of(start, bench, env, platform=platform)

    def test_without_settings_nothing_is_launched(self, bench, env):
        """App launch is configured or it is not there."""
        assert "config.app_launch" == code_of(start, bench, env, settings={"app_launch": None})

    @pytest.mark.parametrize("return_to", ["https://other.example/", "//other.example", "cart", ""])
    def test_nobody_is_led_away(self, bench, env, return_to):
        """The place to return to is a path of this origin."""
        assert "return_to.refused" == code_of(start, bench, env, return_to=return_to)

    @pytest.mark.parametrize("assurance", ["urn:cyberid:mode:r02", "R02", 2])
    def test_a_mode_is_a_mode(self, bench, env, assurance):
        """The value of a mode is a text, and a text is no mode."""
        assert "config.assurance" == code_of(start, bench, env, assurance=assurance)

    def test_without_a_mode_it_is_the_configured_one(self, bench, env):
        """What is not said is what is configured."""
        assert bench.rp.assurance is start(bench, env).assurance
        settings = {"assurance": Assurance.R01}
        assert Assurance.R01 is start(bench, env, settings=settings).assurance

    @pytest.mark.parametrize("assurance", [Assurance.R03, Assurance.R04])
    def test_a_face_needs_an_id_app_that_takes_the_picture(self, bench, env, assurance):
        """R03 and R04 are asked for only where the issuer says so; nothing here takes an image."""
        assert "config.app_launch_face" == code_of(start, bench, env, assurance=assurance)
        assert assurance is start(bench, env, assurance=assurance, metadata=WITH_FACE).assurance

    @pytest.mark.parametrize(
        ("assurance", "expected"),
        [(Assurance.R01, 0), (Assurance.R02, 1), (Assurance.R03, 0), (Assurance.R04, 1)],
    )
    def test_the_type_says_whether_a_password_is_asked_for(self, assurance, expected):
        """Type 0 shows the certificate, type 1 the password, too; a face is no part of it."""
        assert expected == launch_type(assurance)


class TestBizSeq:
    def test_it_is_32_letters_and_digits(self, bench):
        """Nothing else is in it, and two launches never share one."""
        chance = Environment(lambda: NOW)
        made = {str(start(bench, chance).biz_seq) for _ in range(50)}
        assert 50 == len(made)
        assert {32} == set(map(len, made))
        assert set("".join(made)) <= set(string.ascii_letters + string.digits)

    def test_every_character_is_as_likely_as_any_other(self, bench):
        """Each of 62 characters comes out of four bytes, and the eight bytes that are left over of none."""
        counted = Counter("".join(start(bench, Dice(bytes([byte]) * 64)).biz_seq for byte in range(248)))
        assert {4 * 32} == set(counted.values())
        assert 62 == len(counted)

    def test_bytes_that_are_left_over_are_thrown_again(self, bench):
        """A byte of 248 or more makes nothing, so that the first letters are no more frequent."""
        biased = start(bench, Dice(bytes([248, 255, 0]))).biz_seq
        assert "a" * 32 == biased


class TestPhoneAnswer:
    def test_success_is_what_the_table_says(self, bench):
        """One code means success by default, and a configured table has its own."""
        assert None is bench.result()
        settings = {
            "app_launch": replace(SETTINGS, outcomes={"OK": AppOutcome.SUCCESS, "C1": AppOutcome.BUSY})
        }
        assert None is bench.result(settings=settings, resultCode="OK")
        assert ("check_app_outcome", "app.declined") == bench.result(settings=settings)
        assert ("check_app_outcome", "app.busy") == bench.result(settings=settings, resultCode="C1")

    @pytest.mark.parametrize("outcome", [each for each in AppOutcome if each is not AppOutcome.SUCCESS])
    def test_every_outcome_has_an_error_of_its_own(self, bench, outcome):
        """What the ID app says becomes a typed decline, and only busy may be tried again."""
        table = {"C0": AppOutcome.SUCCESS, "C1": outcome}
        settings = {"app_launch": replace(SETTINGS, outcomes=table)}
        verdict = bench.result(settings=settings, resultCode="C1")
        assert ("check_app_outcome", f"app.{outcome.value}") == verdict
        assert (outcome is AppOutcome.BUSY) is CATALOGUE[f"app.{outcome.value}"].retryable

    @pytest.mark.parametrize("code", ["c0000000", "C0000000 ", "C00000000", "C000000", "0", "success"])
    def test_what_is_not_listed_is_a_decline(self, bench, code):
        """Codes are compared as they stand."""
        assert ("check_app_outcome", "app.declined") == bench.result(resultCode=code)

    @pytest.mark.parametrize(
        ("code", "kept"),
        [
            ("C1", "C1"),
            ("a", "a"),
            ("x" * 32, "x" * 32),
            ("x" * 33, None),
            ("C1\n", None),
            ("C 1", None),
            ("<b>", None),
            ("网", None),
            ("C1" + "\x00", None),
        ],
    )
    def test_a_decline_keeps_its_code_if_it_looks_like_one(self, bench, code, kept):
        """Letters and digits, at most 32: nothing that a log or a page could trip over."""
        with pytest.raises(LoginDeclinedError) as caught:
            bench_read(bench, resultCode=code)
        assert ("app.declined", kept) == (caught.value.code, caught.value.result_code)
        assert CATALOGUE["app.declined"].sentence == str(caught.value)
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made in this line
        assert (caught.value.code, kept) == (again.code, again.result_code)

    def test_a_listed_decline_keeps_its_code_too(self, bench):
        """The operator sees which of several codes with one meaning it was."""
        table = {"C0": AppOutcome.SUCCESS, "C7": AppOutcome.FROZEN}
        with pytest.raises(LoginDeclinedError) as caught:
            bench_read(bench, settings={"app_launch": replace(SETTINGS, outcomes=table)}, resultCode="C7")
        assert ("app.frozen", "C7") == (caught.value.code, caught.value.result_code)

    @pytest.mark.parametrize("blob", [..., None, ""])
    def test_success_without_data_is_none(self, bench, blob):
        """There must be something to ask the issuer about; a password may be absent."""
        assert ("check_data_present", "app_result.data_missing") == bench.result(idCardAuthData=blob)
        assert None is bench.result(certPwdData=blob)

    def test_a_decline_is_told_whatever_stands_beside_it(self, bench):
        """A phone that says no is not asked for its data."""
        assert ("check_app_outcome", "app.declined") == bench.result(resultCode="C1", idCardAuthData=...)

    def test_a_launch_holds_for_190_seconds(self, bench):
        """Its answer is too late from the very second of its end."""
        end = pending_launch().expires_at
        assert None is bench.result(now=end - timedelta(milliseconds=1))
        assert ("check_lifetime", "login.expired") == bench.result(now=end)

    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": "redirect"},
            {"kind": "wallet"},
            {"issuer": "https://other.example"},
            {"client_id": "other"},
        ],
    )
    def test_a_launch_is_finished_by_whom_it_was_started(self, bench, changes):
        """Kind, issuer and client are those of the record."""
        assert ("check_same_handshake", "login.other_kind") == bench.result(pending=changes)

    def test_another_client_is_told_before_the_time(self, bench):
        """Whose launch it was goes before how old it is."""
        verdict = bench.result(pending={"client_id": "other"}, now=NOW + timedelta(days=1))
        assert ("check_same_handshake", "login.other_kind") == verdict


def bench_read(bench, *, settings=None, **answer):
    """Read an answer with nothing between the error and the test."""
    rp = replace(bench.launching, **(settings or {}))
    return read_app_result(rp, {**HONEST_RESULT, **answer}, pending_launch(), now=NOW)


class TestReceiptKind:
    @pytest.mark.parametrize(
        "typ", ["cyberid-receipt+jwt", "Cyberid-Receipt+JWT", "application/cyberid-receipt+jwt"]
    )
    def test_it_says_that_it_is_a_receipt(self, bench, typ):
        """The type is compared without regard to case, with or without application/."""
        assert None is bench.verdict(header={"typ": typ})

    @pytest.mark.parametrize(
        "typ", [..., "JWT", "cyberid-app-verify+jwt", "logout+jwt", "dc+sd-jwt", "receipt+jwt"]
    )
    def test_any_other_type_and_none_are_refused(self, bench, typ):
        """Neither an assertion nor our own request can pass for a receipt."""
        assert ("check_type", "receipt.type") == bench.verdict(header={"typ": typ})
        assert ("check_type", "receipt.type") == bench.refusal(header={"typ": typ})

    @pytest.mark.parametrize("claim", ["nonce", "azp", "at_hash", "events", "sub_id", "code", "vct", "cnf"])
    def test_claims_of_another_document_are_refused(self, bench, claim):
        """What belongs to an assertion, a notice or a credential makes it none of ours."""
        assert ("check_kind", "receipt.kind") == bench.verdict(**{claim: "x"})
        assert ("check_kind", "receipt.kind") == bench.refusal(**{claim: "x"})

    @pytest.mark.parametrize("claim", ["sub", "sid", "sector", "persistence", "age_band"])
    def test_a_refusal_that_names_a_person_is_refused(self, bench, claim):
        """A receipt is one of the two, and says nothing of the other."""
        assert ("check_kind", "receipt.kind") == bench.refusal(**{claim: "x" * 30})

    def test_unknown_claims_are_dropped(self, bench):
        """What is not in the profile changes nothing, a status least of all."""
        assert None is bench.verdict(status={"status_list": {"idx": 1}}, jti=7, image="x" * 1000)

    def test_an_assertion_is_no_receipt(self, bench, assertion):
        """The issuer's word to another handshake is none to this one."""
        assert ("parsing", "receipt.claim_missing") == (
            "parsing",
            code_of(bench.judge, assertion.token()),
        )


class TestReceiptLaunch:
    @pytest.mark.parametrize("value", [BIZ_SEQ[:-1], BIZ_SEQ + "x", BIZ_SEQ.lower(), "网", "\u0000"])
    def test_it_answers_this_launch(self, bench, value):
        """The launch is compared byte for byte: a receipt for an attacker's own launch logs nobody in here."""
        assert ("check_biz_seq", "receipt.biz_seq") == bench.verdict(bizSeq=value)
        assert ("check_biz_seq", "receipt.biz_seq") == bench.refusal(bizSeq=value)

    @pytest.mark.parametrize("value", ["app-ios", "app-android1", "App-Android"])
    def test_it_is_for_this_app(self, bench, value):
        """Another app of the same sector is another app."""
        assert ("check_app_id", "receipt.app_id") == bench.verdict(appID=value)
        assert ("check_app_id", "receipt.app_id") == bench.refusal(appID=value)
        assert None is bench.verdict(appID=value, launch={"app_id": value})

    @pytest.mark.parametrize("hashed", [("other", PASSWORD_BLOB), (BLOB, None), (BLOB, "other"), ("", None)])
    def test_it_is_about_what_was_sent(self, bench, hashed):
        """A receipt for other data of the same launch is refused."""
        assert ("check_blobs_hash", "receipt.blobs_hash") == bench.verdict(blobs_hash=hash_blobs(*hashed))
        assert ("check_blobs_hash", "receipt.blobs_hash") == bench.refusal(blobs_hash=hash_blobs(*hashed))

    @pytest.mark.parametrize("caller", [..., "unverified", "Verified", "verified ", "yes"])
    def test_the_caller_was_verified(self, bench, caller):
        """Without that word any app on the phone could relay a login; with the setting it may."""
        assert ("check_caller", "receipt.caller") == bench.verdict(caller=caller)
        assert None is bench.verdict(caller=caller, launch={"any_caller": True})

    def test_a_refusal_says_nothing_of_the_caller(self, bench):
        """Where nobody logs in, nobody can have relayed it."""
        assert None is bench.refusal()


class TestReceiptParties:
    @pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER + "1", ISSUER.upper(), "issuer.example"])
    def test_another_issuer_is_refused(self, bench, issuer):
        """The issuer is compared byte for byte."""
        assert ("check_assertion_issuer", "receipt.issuer") == bench.verdict(iss=issuer)

    @pytest.mark.parametrize("audience", ["shop", ["shop"]])
    def test_this_client_alone_is_the_audience(self, bench, audience):
        """One audience may stand alone or in a list of one."""
        assert None is bench.verdict(aud=audience)

    @pytest.mark.parametrize("audience", ["shop1", ["other"], ["shop", "other"], ISSUER])
    def test_anybody_else_is_one_too_many(self, bench, audience):
        """Another audience is refused, also beside the right one."""
        assert ("check_audience", "receipt.audience") == bench.verdict(aud=audience)


class TestReceiptTimes:
    @pytest.mark.parametrize(
        ("exp", "code"), [(SECONDS + 0.001, None), (SECONDS, "expired"), (SECONDS - 1, "expired")]
    )
    def test_it_holds_until_its_expiry(self, bench, exp, code):
        """No leeway forgives an expiry."""
        assert (None if code is None else ("check_expiry", "receipt.expired")) == bench.verdict(exp=exp)

    @pytest.mark.parametrize(
        ("iat", "code"),
        [
            (SECONDS + 10, None),
            (SECONDS + 10.001, "issued_in_future"),
            (SECONDS - 600, None),
            (SECONDS - 600.001, "issued_too_long_ago"),
        ],
    )
    def test_it_was_issued_just_now(self, bench, iat, code):
        """Ten minutes ago and ten seconds ahead are the bounds, themselves included."""
        expected = None if code is None else ("check_issued_at", f"receipt.{code}")
        assert expected == bench.verdict(iat=iat)
        assert expected == bench.refusal(iat=iat)

    def test_it_is_not_used_before_its_time(self, bench):
        """The leeway forgives ten seconds and not one more."""
        assert None is bench.verdict(nbf=SECONDS + 10)
        assert ("check_not_before", "receipt.not_yet_valid") == bench.verdict(nbf=SECONDS + 10.001)

    @pytest.mark.parametrize(
        ("auth_time", "code"),
        [
            # The launch was made ten seconds ago, and ten more are forgiven.
            (SECONDS - 20, None),
            (SECONDS - 20.001, "auth_time_stale"),
            (SECONDS - 86_400, "auth_time_stale"),
            (0, "auth_time_stale"),
            (SECONDS + 10, None),
            (SECONDS + 10.001, "auth_time_in_future"),
            (..., "auth_time_missing"),
        ],
    )
    def test_the_person_authenticated_for_this_launch(self, bench, auth_time, code):
        """A launch is a new authentication, always: what was before it does not count."""
        expected = None if code is None else ("check_authentication_time", f"receipt.{code}")
        assert expected == bench.verdict(auth_time=auth_time)


class TestReceiptFactors:
    @pytest.mark.parametrize("asked", Assurance)
    @pytest.mark.parametrize("reached", Assurance)
    def test_what_was_reached_includes_what_was_asked(self, bench, asked, reached):
        """Every factor that was asked for is there; more is no harm."""
        verdict = bench.verdict(
            pending={"assurance": asked}, acr=MODE_OF[reached], factors=factors_of(reached)
        )
        refused = ("check_assurance", "receipt.assurance")
        assert (None if reached.factors >= asked.factors else refused) == verdict

    @pytest.mark.parametrize("acr", [..., MODE + "r05", MODE + "R02", "r02", "0"])
    def test_an_unknown_mode_is_none(self, bench, acr):
        """Words that are not the issuer's count for nothing."""
        assert ("check_assurance", "receipt.assurance") == bench.verdict(acr=acr)

    @pytest.mark.parametrize("result", ["not_executed", "failed", "X", "Passed", "passed ", "true"])
    def test_a_factor_counts_only_when_it_passed(self, bench, result):
        """What was not executed, failed, or is not understood never counts."""
        refused = ("check_executed_factors", "receipt.factors")
        assert refused == bench.verdict(factors={"certificate": "passed", "password": result})

    @pytest.mark.parametrize("factors", [..., {}, {"password": "passed"}, {"voice": "passed"}])
    def test_factors_that_are_not_there_did_not_pass(self, bench, factors):
        """A receipt that is silent about a factor of its mode is refused."""
        assert ("check_executed_factors", "receipt.factors") == bench.verdict(factors=factors)

    @pytest.mark.parametrize("result", ["passed", "failed", "perhaps"])
    def test_mode_and_factors_agree(self, bench, result):
        """A factor beyond the mode contradicts it, and a success in which one failed is none."""
        refused = ("check_executed_factors", "receipt.factors")
        assert refused == bench.verdict(factors={**PASSED, "face": result})
        assert None is bench.verdict(factors={**PASSED, "face": "not_executed"})
        assert None is bench.verdict(factors=PASSED)

    def test_names_that_are_no_factor_are_dropped(self, bench):
        """A factor that this version does not know counts for nothing, either way."""
        login = bench.judge(bench.token(factors={**PASSED, "voice": "failed"}))
        assert frozenset({Factor.CERTIFICATE, Factor.PASSWORD}) == login.factors


class TestReceiptPerson:
    @pytest.mark.parametrize("text", ["a" * 21, "a" * 129, "a" * 21 + ".", "a" * 22 + "\n"])
    def test_pseudonym_and_session_have_their_shape(self, bench, text):
        """Shapes that no assertion could have are refused."""
        assert ("check_subject", "receipt.subject") == bench.verdict(sub=text)
        assert ("check_session_id", "receipt.session_id") == bench.verdict(sid=text)

    def test_an_identity_number_names_nobody(self, bench):
        """A subject that holds one is refused."""
        refused = ("check_no_identity_number", "receipt.identity_number")
        assert refused == bench.verdict(sub="user_110101189001010075")

    def test_sector_and_persistence_are_said(self, bench):
        """Both are demanded, as in an assertion."""
        for sector in (..., "https://other.example"):
            assert ("check_sector", "receipt.sector") == bench.verdict(sector=sector)
        for persistence in (..., "D", "a"):
            assert ("check_persistence", "receipt.persistence") == bench.verdict(persistence=persistence)

    def test_an_age_band_comes_when_it_was_asked_for(self, bench):
        """One of three, and only then."""
        asked = {"age_band": True}
        assert None is bench.verdict(age_band="adult", settings=asked)
        assert ("check_age_band", "receipt.age_band") == bench.verdict(age_band="30", settings=asked)
        assert ("check_age_band", "receipt.age_band") == bench.verdict(age_band="adult")


class TestBelieved:
    def test_a_login_says_what_was_signed(self, bench):
        """Everything in it stood in the receipt; the channel is the app."""
        claims = bench.claims()
        login = bench.judge(bench.token())
        assert {
            "sub": claims["sub"],
            "acr": Assurance.R02,
            "factors": frozenset({Factor.CERTIFICATE, Factor.PASSWORD}),
            "channel": Channel.APP,
            "at": datetime.fromtimestamp(SECONDS - 5, UTC),
            "sector": claims["sector"],
            "sid": claims["sid"],
            "return_to": "/cart",
            "evidence": 27,
        } == {
            "sub": login.pseudonym.value,
            "acr": login.assurance,
            "factors": login.factors,
            "channel": login.channel,
            "at": login.authenticated_at,
            "sector": login.sector,
            "sid": login.session_id,
            "return_to": login.return_to,
            "evidence": len(login.evidence.checks),
        }
        assert login.evidence.signer_sha256 is not None

    def test_more_than_was_asked_for_is_told(self, bench):
        """Who asked for R01 and got R02 sees both factors."""
        login = bench.judge(bench.token(), pending={"assurance": Assurance.R01})
        assert (Assurance.R02, 2) == (login.assurance, len(login.factors))

    @pytest.mark.parametrize("outcome", [each for each in AppOutcome if each is not AppOutcome.SUCCESS])
    def test_a_refusal_is_a_typed_decline(self, bench, outcome):
        """What the issuer signed of the outcome is what the app is told; there is no code of the ID app in it."""
        with pytest.raises(LoginDeclinedError) as caught:
            bench.judge(bench.token(outcome=outcome.value))
        assert (f"app.{outcome.value}", None) == (caught.value.code, caught.value.result_code)

    @pytest.mark.parametrize("outcome", ["perhaps", "Success", "success ", "FROZEN", "网"])
    def test_an_outcome_that_is_none_of_ours_is_a_decline(self, bench, outcome):
        """One word means success, and no other."""
        assert "app.declined" == code_of(bench.judge, bench.token(outcome=outcome))


class TestRequest:
    def test_it_says_what_is_asked(self, bench, env):
        """One signed request to the endpoint of the metadata, with the data of the phone and without a subject."""
        [request], login = drive(bench.flow(env), receipt_answer(bench.token()))
        assert ("POST", ENDPOINT, "app_verification", False) == (
            request.method,
            request.url,
            request.purpose,
            request.shows_certificate,
        )
        assert {"accept": "application/jwt", "content-type": "application/jwt"} == request.headers
        assert Channel.APP is login.channel
        claims = read(bench, request)
        assert len(claims.pop("jti")) >= 22
        assert {
            "iss": "shop",
            "aud": ISSUER,
            "iat": SECONDS,
            "exp": SECONDS + 60,
            "client_id": "shop",
            "orgID": "org-1",
            "appID": "app-android",
            "bizSeq": BIZ_SEQ,
            "mode": MODE + "r02",
            "scope": "openid",
            "idCardAuthData": BLOB,
            "certPwdData": PASSWORD_BLOB,
        } == claims

    def test_a_password_that_was_not_asked_for_is_not_sent(self, bench, env):
        """Where the phone gave no second blob there is no such claim."""
        result = {**HONEST_RESULT, "certPwdData": ""}
        token = bench.token(blobs_hash=hash_blobs(BLOB, None))
        [request], _ = drive(bench.flow(env, result=result), receipt_answer(token))
        assert "certPwdData" not in read(bench, request)

    def test_an_age_band_is_asked_for_by_its_scope(self, bench, env):
        """As in a pushed request."""
        rp = replace(bench.launching, age_band=True)
        [request], login = drive(bench.flow(env, rp=rp), receipt_answer(bench.token(age_band="adult")))
        assert ("openid age_band", "adult") == (read(bench, request)["scope"], login.age_band)

    def test_nothing_of_it_is_shown(self, bench, env):
        """Neither data nor launch can reach a log by way of a repr."""
        flow = bench.flow(env)
        shown = repr(next(flow)) + repr(pending_launch())
        assert not any(secret in shown for secret in (BLOB, PASSWORD_BLOB, BIZ_SEQ))

    def test_who_shows_a_certificate_shows_it_here_too(self, bench, env):
        """Where the client is known by its certificate, the request is sent with it (RFC 8705 §2)."""
        made = make_client_certificate("shop")
        tls = ClientCertificate(certificate_pem=made.certificate_pem, key_pem=made.key_pem)
        keys = ClientKeys(signing=bench.rp.client_keys.signing, tls=tls)
        rp = replace(bench.launching, key=None, keys=keys, sender_constraint="mtls")
        [request], _ = drive(bench.flow(env, rp=rp), receipt_answer(bench.token()))
        assert request.shows_certificate

    def test_without_an_endpoint_nothing_is_sent(self, bench, env):
        """Metadata that lost the endpoint since the launch was made are refused as such."""
        flow = bench.flow(env, metadata=replace(METADATA, app_verification_endpoint=None))
        assert "metadata.capability" == code_of(drive, flow)

    def test_a_key_that_is_elsewhere_signs(self, bench, env):
        """Each attempt asks for a signature of its own, and what does not verify is not sent."""
        key = bench.rp.client_keys.signing
        signer = Elsewhere(key)
        rp = replace(bench.launching, key=ClientKey.from_signer(signer))
        requests, _ = drive(bench.flow(env, rp=rp), lost(), receipt_answer(bench.token()))
        assert 2 == len(set(signer.messages)) == len(requests)
        assert {read(bench, each)["bizSeq"] for each in requests} == {BIZ_SEQ}
        signer.honest = False
        assert "signer.failed" == code_of(drive, bench.flow(env, rp=rp))


class Elsewhere:
    """Hold the client's key where the client is not."""

    def __init__(self, key) -> None:
        self._key = key
        self.algorithm, self.public_key_info = key.algorithm, key.public_key_info
        self.honest, self.messages = True, []

    def sign(self, message: bytes) -> bytes:
        self.messages.append(message)
        asked = message if self.honest else message + b"x"
        return jwt.get_algorithm_by_name(self.algorithm).sign(asked, self._key.private_key)


def read(bench, request: HTTPRequest) -> dict[str, object]:
    """Return the claims of a request, by another library's reading of it."""
    key = jwt.PyJWK(bench.rp.client_keys.signing.public_jwk)
    token = request.body.decode("ascii")
    assert "cyberid-app-verify+jwt" == jwt.get_unverified_header(token)["typ"]
    untimed = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(token, key, algorithms=["ES256"], audience=ISSUER, options=untimed)


LOST = ["transport.timeout", "transport.connection", "transport.failed"]
HOPELESS = [
    code for code, entry in CATALOGUE.items() if entry.family == TransportError.__name__ and code not in LOST
]


class TestLostAnswer:
    @pytest.mark.parametrize("times", [0, 1, 2])
    @pytest.mark.parametrize("way", [*LOST, 500, 503, 599])
    def test_it_is_asked_for_twice_more(self, bench, env, times, way):
        """A lost answer costs the person nothing: the issuer gives the same receipt again."""
        nothing = json_answer(way, {}) if isinstance(way, int) else lost(way)
        requests, login = drive(bench.flow(env), *[nothing] * times, receipt_answer(bench.token()))
        assert (times + 1, Channel.APP) == (len(requests), login.channel)

    @pytest.mark.parametrize("code", LOST)
    def test_a_third_loss_is_the_end(self, bench, env, code):
        """What kept the last answer from coming is what the app is told."""
        assert code == code_of(drive, bench.flow(env), lost("transport.timeout"), lost(), lost(code))

    def test_a_third_trouble_is_the_end(self, bench, env):
        """An issuer that cannot answer is not asked a fourth time."""
        answers = [json_answer(503, {})] * 3
        assert "issuer.unavailable" == code_of(drive, bench.flow(env), *answers)

    def test_every_attempt_is_a_request_of_its_own(self, bench):
        """Each has a name and a time of its own, and says the same in all else."""
        env = Env(NOW)
        flow, bodies = bench.flow(env), []
        request = next(flow)
        for number in range(3):
            bodies.append(read(bench, request))
            env.time = NOW + timedelta(seconds=8 * (number + 1))
            if number < 2:
                request = flow.send(lost())
        assert 3 == len({each["jti"] for each in bodies})
        assert [SECONDS, SECONDS + 8, SECONDS + 16] == [each["iat"] for each in bodies]
        assert [each["iat"] + 60 for each in bodies] == [each["exp"] for each in bodies]
        same = [
            {name: value for name, value in each.items() if name not in {"jti", "iat", "exp"}}
            for each in bodies
        ]
        assert same[0] == same[1] == same[2]

    @pytest.mark.parametrize("code", HOPELESS)
    def test_what_would_fail_again_is_not_asked_again(self, bench, env, code):
        """An answer that came and was none is not lost."""
        assert code == code_of(drive, bench.flow(env), lost(code))

    def test_too_many_requests_are_not_made_more(self, bench, env):
        """Who is told to come later comes later."""
        assert "issuer.unavailable" == code_of(drive, bench.flow(env), json_answer(429, {}))


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "error", "code"),
        [
            (400, "invalid_client", "app_verification.client_refused"),
            (401, "invalid_client", "app_verification.client_refused"),
            (400, "unauthorized_client", "app_verification.client_refused"),
            (400, "invalid_grant", "login.launch_refused"),
            (400, "invalid_request", "app_verification.request_refused"),
            (400, "made_up", "app_verification.request_refused"),
            (400, None, "issuer.status"),
            (400, 7, "issuer.status"),
            (403, "invalid_grant", "issuer.status"),
            (404, "invalid_grant", "issuer.status"),
            (302, "invalid_grant", "issuer.status"),
            (201, "invalid_grant", "issuer.status"),
        ],
    )
    def test_an_error_says_who_must_act(self, bench, env, status, error, code):
        """Errors are those of a token endpoint, and none is asked for again."""
        assert code == code_of(drive, bench.flow(env), json_answer(status, {"error": error}))

    @pytest.mark.parametrize("status", [201, 204, 206, 302])
    def test_another_status_is_no_receipt(self, bench, env, status):
        """A receipt comes with 200, or it is none."""
        answer = receipt_answer(bench.token(), status=status)
        assert "issuer.status" == code_of(drive, bench.flow(env), answer)

    @pytest.mark.parametrize("content_type", ["", "application/json", "text/plain", "application/jwtx"])
    def test_a_receipt_is_served_as_one(self, bench, env, content_type):
        """The media type of the envelope is demanded; its parameters and its case are not."""
        answer = receipt_answer(bench.token(), content_type=content_type)
        assert "receipt.content_type" == code_of(drive, bench.flow(env), answer)
        other = receipt_answer(bench.token(), content_type="Application/JWT; charset=utf-8")
        assert Channel.APP is drive(bench.flow(env), other)[1].channel

    @pytest.mark.parametrize("body", [b"", b"null", b"a.b.c", b"\xff", b"{}", b"x" * 70_000])
    def test_rubbish_is_refused_inside_the_error_tree(self, bench, env, body):
        """Whatever the issuer sends, nothing but our own error comes out."""
        expected = "receipt.too_large" if len(body) > 65_536 else "receipt.malformed"
        assert expected == code_of(drive, bench.flow(env), receipt_answer(body))

    def test_what_no_transport_answers_is_a_failure(self, bench, env):
        """A key set is no answer to a request."""
        flow = bench.flow(env)
        next(flow)
        for _ in range(2):
            flow.send(KeySet())
        assert "transport.failed" == code_of(flow.send, KeySet())

    def test_the_relay_loses(self, bench, env):
        """A hostile app brings its own launch's data here: what the issuer says of them is not of this launch."""
        attacker = "AttackersOwnSequence0123456789ab"
        token = bench.token(bizSeq=attacker, blobs_hash=hash_blobs(BLOB, PASSWORD_BLOB))
        assert "receipt.biz_seq" == code_of(drive, bench.flow(env), receipt_answer(token))
        released = bench.token(caller="unverified")
        assert "receipt.caller" == code_of(drive, bench.flow(env), receipt_answer(released))

    def test_who_does_without_a_verified_caller_says_so(self, bench, env):
        """The named exception reaches the check."""
        settings = AppLaunchSettings(org_id="org-1", app_ids=SETTINGS.app_ids, app_caller="unverified")
        flow = bench.flow(env, rp=replace(bench.rp, app_launch=settings))
        assert Channel.APP is drive(flow, receipt_answer(bench.token(caller=...)))[1].channel


class TestNewerEvidence:
    def test_a_receipt_is_worth_newer_keys_and_lists(self, bench, env):
        """What an assertion may cause to be fetched a receipt may, through a door of its own, once each."""
        flow = bench.flow(env, keys=KeySet(), crls=RevocationLists())
        next(flow)
        wanted = flow.send(receipt_answer(bench.token()))
        assert isinstance(wanted, KeysWanted)
        assert ("app", True) == (wanted.entry, bool(wanted.proven_key))
        lists = flow.send(bench.keys)
        assert isinstance(lists, ListsWanted)
        with pytest.raises(StopIteration) as done:
            flow.send(bench.crls)
        assert Channel.APP is done.value.value.channel

    def test_a_forgery_is_worth_nothing(self, bench, env):
        """What no key of the issuer signed makes nobody fetch."""

        def forge(draft):
            draft.edit_signature = lambda _: bytes(64)

        flow = bench.flow(env, crls=RevocationLists())
        next(flow)
        assert "receipt.signature" == code_of(flow.send, receipt_answer(bench.token(edit=forge)))

    def test_a_refusal_of_a_revoked_signer_is_not_believed(self, bench, env):
        """Nobody can end a launch whose key the lists do not answer for."""
        answer = receipt_answer(bench.token(outcome="frozen"))
        assert "revocation.unknown" == code_of(drive, bench.flow(env, crls=RevocationLists()), answer)
