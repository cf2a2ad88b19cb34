"""The mock's side of app launches: what the ID app gives to whom, and what the issuer says about it."""

from __future__ import annotations

import hashlib
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import (
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    ManualClock,
    MockIssuer,
    Phone,
    RegisteredApp,
)
from cyberid_client.testing.app_launch import DECLINES, MOCK_OUTCOMES
from cyberid_client.testing.pushed import SCOPES

from .conftest import b64, make_in_process, parts_of
from .judges import is_signed

REDIRECT_URI = "https://shop.example/callback"
SECTOR = "https://shop.example"
PACKAGE = "com.example.shop"
ANDROID = RegisteredApp(app_id="shop-android", package=PACKAGE)
IOS = RegisteredApp(app_id="shop-ios", package="example.shop")
ENTRIES = {**RECEIPT_FAULTS, **RECEIPT_ODDITIES}


@pytest.fixture
def raw(issuer, clock):
    """A hand-written backend of an app for two platforms."""
    return make_in_process(issuer, register(issuer), clock)


@pytest.fixture
def phone(issuer):
    return Phone(issuer)


def register(issuer, client_id="shop", **changes):
    settings = {"org_id": "shop-org", "apps": {"android": ANDROID, "ios": IOS}, **changes}
    return issuer.register(client_id=client_id, redirect_uri=REDIRECT_URI, **settings)


def new_launch(kind=1, app=ANDROID):
    return {"orgID": "shop-org", "appID": app.app_id, "bizSeq": secrets.token_hex(16), "type": kind}


def hash_of(result):
    """Hash the blobs as the profile says, written once more."""
    blobs = [(result[name] or "").encode() for name in ("idCardAuthData", "certPwdData")]
    return b64(hashlib.sha256(b"".join(len(blob).to_bytes(4, "big") + blob for blob in blobs)).digest())


def request_of(raw, launch, result, *, header=None, drop=(), key=None, **claims):
    """Return a signed verification request."""
    now = int(raw.clock().timestamp())
    head = {"alg": "ES256", "kid": raw.registered.kid, "typ": "cyberid-app-verify+jwt", **(header or {})}
    body = {
        "iss": "shop",
        "aud": raw.issuer.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
        "client_id": "shop",
        "orgID": launch["orgID"],
        "appID": launch["appID"],
        "bizSeq": launch["bizSeq"],
        "mode": "urn:cyberid:mode:r02" if launch["type"] else "urn:cyberid:mode:r01",
        "scope": "openid",
        "idCardAuthData": result["idCardAuthData"],
        "certPwdData": result["certPwdData"],
        **claims,
    }
    left_out = {name for name, value in body.items() if value is None} | set(drop)
    return raw.sign(head, {name: value for name, value in body.items() if name not in left_out}, key)


def post(raw, token, content_type="application/jwt"):
    body = token if isinstance(token, bytes) else token.encode()
    return raw.post("/app-verification", body, {"content-type": content_type})


def ask(raw, launch, result, **changes):
    return post(raw, request_of(raw, launch, result, **changes))


def receipt_of(answer):
    assert (200, "application/jwt") == (answer.status, answer.headers["content-type"])
    return parts_of(answer.body.decode())[1]


class TestHonest:
    def test_the_receipt_says_what_the_profile_says(self, raw, phone, issuer, clock):
        """A receipt holds these claims and no others, and the key for assertions signs it, chain included."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        clock.advance(20)
        answer = ask(raw, launch, result)
        claims, now = receipt_of(answer), int(clock().timestamp())
        expected = {
            "iss": issuer.issuer,
            "aud": "shop",
            "iat": now,
            "exp": now + 300,
            "bizSeq": launch["bizSeq"],
            "appID": "shop-android",
            "blobs_hash": hash_of(result),
            "outcome": "success",
            "caller": "verified",
            "acr": "urn:cyberid:mode:r02",
            "factors": {"certificate": "passed", "password": "passed", "face": "not_executed"},
            "auth_time": now - 20,
            "sub": issuer.pseudonym("adult", sector=SECTOR),
            "sector": SECTOR,
            "persistence": "A",
            "sid": claims["sid"],
        }
        assert expected == claims
        signer = issuer._service.keyring.signer("assertion")
        header = {
            "alg": "ES256",
            "kid": signer.kid,
            "typ": "cyberid-receipt+jwt",
            "x5c": signer.to_jwk()["x5c"],
        }
        assert is_signed(answer.body.decode(), header, claims, signer)
        assert "no-store" == answer.headers["cache-control"]
        assert [claims["sid"]] == [session.session_id for session in issuer.sessions]
        assert claims == issuer.signed

    def test_platforms_are_one_sector(self, raw, phone):
        """A person is the same whichever app was launched."""
        subjects = set()
        for app in (ANDROID, IOS):
            launch = new_launch(app=app)
            subjects.add(receipt_of(ask(raw, launch, phone.launch(launch, package=app.package)))["sub"])
        assert 1 == len(subjects)

    @pytest.mark.parametrize(
        ("mode", "kind", "faces", "reached"),
        [
            ("r01", 0, False, "r01"),
            ("r02", 1, False, "r02"),
            ("r03", 0, True, "r03"),
            ("r04", 1, True, "r04"),
            ("r03", 0, False, "r01"),
            ("r04", 1, False, "r02"),
            ("r02", 0, False, "r01"),
            ("r01", 1, True, "r01"),
        ],
    )
    def test_the_mode_is_what_was_asked_for_and_possible(
        self, raw, phone, issuer, mode, kind, faces, reached
    ):
        """Nothing is shown that was not asked for, and what cannot be shown was not executed."""
        issuer.take_faces(faces)
        launch = new_launch(kind)
        result = phone.launch(launch, package=PACKAGE)
        claims = receipt_of(ask(raw, launch, result, mode=f"urn:cyberid:mode:{mode}"))
        assert f"urn:cyberid:mode:{reached}" == claims["acr"]
        assert (result["certPwdData"] is None) == (kind == 0)

    @pytest.mark.parametrize("faces", [False, True])
    def test_the_metadata_say_what_is_offered(self, raw, issuer, faces):
        """Where launches are verified, and whether the ID app takes pictures."""
        issuer.take_faces(faces)
        page = raw.get("/.well-known/openid-configuration").json()
        claims = parts_of(page["signed_metadata"])[1]
        assert f"{issuer.issuer}/app-verification" == claims["app_verification_endpoint"]
        assert faces is claims["app_launch_face"]
        assert page["app_verification_endpoint"] != claims["app_verification_endpoint"]

    def test_an_age_band_is_told_when_it_is_asked_for(self, raw, phone):
        """What was not asked for is not told."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE, person="teenager")
        claims = receipt_of(ask(raw, launch, result, scope=" ".join(SCOPES)))
        assert "14_17" == claims["age_band"]

    def test_the_log_holds_no_secret(self, raw, phone, issuer):
        """A line says who asked, where, and what came of it."""
        launch = new_launch()
        ask(raw, launch, phone.launch(launch, package=PACKAGE))
        ask(raw, new_launch(), {"idCardAuthData": "x", "certPwdData": None})
        lines = [(each.path, each.client_id, each.status, each.error) for each in issuer.log]
        assert [
            ("/phone/launch", None, 200, None),
            ("/app-verification", "shop", 200, None),
            ("/app-verification", "shop", 400, "invalid_grant"),
        ] == lines


REQUEST_FAULTS = {
    "iss": ({"iss": "another"}, "invalid_client"),
    "client_id": ({"client_id": "another"}, "invalid_client"),
    "no client_id": ({"drop": ("client_id",)}, "invalid_client"),
    "client_id no text": ({"client_id": ["shop"]}, "invalid_client"),
    "sub": ({"sub": "shop"}, "invalid_client"),
    "aud endpoint": ({"aud": "https://issuer.example/app-verification"}, "invalid_client"),
    "aud array": ({"aud": ["https://issuer.example"]}, "invalid_client"),
    "no aud": ({"drop": ("aud",)}, "invalid_client"),
    "no iat": ({"drop": ("iat",)}, "invalid_client"),
    "iat boolean": ({"iat": True}, "invalid_client"),
    "no exp": ({"drop": ("exp",)}, "invalid_client"),
    "exp text": ({"exp": "9999999999"}, "invalid_client"),
    "no jti": ({"drop": ("jti",)}, "invalid_client"),
    "short jti": ({"jti": "x" * 15}, "invalid_client"),
    "other typ": ({"header": {"typ": "JWT"}}, "invalid_client"),
    "client assertion": ({"header": {"typ": "client-authentication+jwt"}}, "invalid_client"),
    "other alg": ({"header": {"alg": "ES384"}}, "invalid_client"),
    "none": ({"header": {"alg": "none"}}, "invalid_client"),
    "other kid": ({"header": {"kid": "another"}}, "invalid_client"),
    "crit": ({"header": {"crit": ["x"]}}, "invalid_client"),
    "stranger": ({"key": ec.generate_private_key(ec.SECP256R1())}, "invalid_client"),
    "orgID": ({"orgID": "other-org"}, "invalid_request"),
    "appID": ({"appID": "other-app"}, "invalid_request"),
    "no bizSeq": ({"drop": ("bizSeq",)}, "invalid_request"),
    "short bizSeq": ({"bizSeq": "x" * 31}, "invalid_request"),
    "bizSeq of other alphabet": ({"bizSeq": "-" * 32}, "invalid_request"),
    "mode": ({"mode": "urn:cyberid:mode:r05"}, "invalid_request"),
    "mode no text": ({"mode": ["urn:cyberid:mode:r02"]}, "invalid_request"),
    "no data": ({"drop": ("idCardAuthData",)}, "invalid_request"),
    "data no text": ({"idCardAuthData": 1}, "invalid_request"),
    "password empty": ({"certPwdData": ""}, "invalid_request"),
    "unheard-of claim": ({"nonce": "n" * 43}, "invalid_request"),
    "no scope": ({"drop": ("scope",)}, "invalid_scope"),
    "other scope": ({"scope": "openid profile"}, "invalid_scope"),
}


class TestStrictness:
    @pytest.mark.parametrize("name", REQUEST_FAULTS)
    def test_a_sloppy_request_is_refused(self, raw, phone, issuer, name):
        """A request that breaks one rule gets the error for it, and no receipt."""
        changes, error = REQUEST_FAULTS[name]
        launch = new_launch()
        answer = ask(raw, launch, phone.launch(launch, package=PACKAGE), **changes)
        assert (401 if error == "invalid_client" else 400, error) == (answer.status, answer.json()["error"])
        assert () == issuer.sessions

    @pytest.mark.parametrize(
        ("ahead", "lives", "status"),
        [(0, 60, 200), (10, 60, 200), (11, 60, 401), (-60, 60, 401), (0, 61, 401)],
    )
    def test_a_request_lives_for_a_minute(self, raw, phone, clock, ahead, lives, status):
        """It is made now, and ends at most 60 seconds later."""
        launch, now = new_launch(), int(clock().timestamp())
        result = phone.launch(launch, package=PACKAGE)
        assert status == ask(raw, launch, result, iat=now + ahead, exp=now + ahead + lives).status

    @pytest.mark.parametrize(
        "body", [b"", b"x", b"a.b.c", b"\xff.\xff.\xff", b"e30.e30.", b"e30.W10.", b"x" * 20_000]
    )
    def test_garbage_is_refused(self, raw, body):
        """What is no signed request gets an answer all the same."""
        assert (401, "invalid_client") == (post(raw, body).status, post(raw, body).json()["error"])

    def test_the_content_type_must_be_right(self, raw, phone):
        """A request is served as what it is."""
        launch = new_launch()
        token = request_of(raw, launch, phone.launch(launch, package=PACKAGE))
        assert 400 == post(raw, token, "application/x-www-form-urlencoded").status
        assert 200 == post(raw, token, "Application/JWT; charset=us-ascii").status

    def test_a_request_is_taken_once(self, raw, phone):
        """The same bytes are refused; the same question in fresh ones is not."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        token = request_of(raw, launch, result)
        assert [200, 401] == [post(raw, token).status, post(raw, token).status]
        assert 200 == ask(raw, launch, result).status

    def test_a_certificate_that_is_registered_is_demanded(self, issuer, phone, clock):
        """There is no alias: the certificate is shown at the endpoint itself."""
        made = register(issuer, client_authentication="tls_client_auth")
        with_it = make_in_process(issuer, made, clock)
        with_it.shows = True
        without = make_in_process(issuer, made, clock)
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        assert [401, 200] == [ask(each, launch, result).status for each in (without, with_it)]


class TestIdempotency:
    def test_the_same_question_gets_the_same_receipt(self, raw, phone, issuer, clock):
        """Byte for byte, also when the data would be too old by now, and it opens one session."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        first = ask(raw, launch, result)
        clock.advance(61)
        assert first.body == ask(raw, launch, result).body
        assert 1 == len(issuer.sessions)

    def test_another_answer_for_a_used_launch_is_refused(self, raw, phone):
        """One launch has one answer, and the receipt for it stays what it is."""
        launch, other = new_launch(), new_launch()
        result, strange = (phone.launch(each, package=PACKAGE) for each in (launch, other))
        first = ask(raw, launch, result)
        for changed in ({**result, "certPwdData": None}, strange, {**result, "idCardAuthData": "x"}):
            answer = ask(raw, launch, changed)
            assert (400, "invalid_grant") == (answer.status, answer.json()["error"])
        assert first.body == ask(raw, launch, result).body

    @pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (600, 400)])
    def test_data_are_good_for_a_minute(self, raw, phone, clock, seconds, status):
        """From the very second on they are refused."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        clock.advance(seconds)
        assert status == ask(raw, launch, result).status

    def test_data_of_another_launch_app_or_client_are_refused(self, issuer, raw, phone, clock):
        """Data answer one launch of one app of one client."""
        launch = new_launch()
        result = phone.launch(launch, package=PACKAGE)
        assert 400 == ask(raw, new_launch(), result).status
        assert 400 == ask(raw, {**launch, "appID": "shop-ios"}, result).status
        other = register(
            issuer, "bank", org_id="bank-org", apps={"android": RegisteredApp(app_id="b", package="b")}
        )
        bank = make_in_process(issuer, other, clock)
        stolen = {**launch, "orgID": "bank-org", "appID": "b"}
        assert 400 == ask(bank, stolen, result, iss="bank", client_id="bank").status
        assert 200 == ask(raw, launch, result).status

    def test_nothing_is_remembered_at_another_address(self, issuer, phone, clock):
        """An issuer that moves is another one."""
        register(issuer)
        launch = new_launch()
        phone.launch(launch, package=PACKAGE)
        with issuer.serve():
            assert "C0000000" == phone.launch(launch, package=PACKAGE)["resultCode"]


class TestCaller:
    def test_only_the_registered_app_is_verified(self, raw, phone):
        """The ID app answers whoever launched it, and the receipt says whether that was the registered app."""
        callers = []
        for package in (PACKAGE, "com.evil.relay", IOS.package):
            launch = new_launch()
            callers.append(receipt_of(ask(raw, launch, phone.launch(launch, package=package)))["caller"])
        assert ["verified", "unverified", "unverified"] == callers


class TestRefusals:
    @pytest.mark.parametrize(
        "outcome", ["factor_failed", "frozen", "cancelled_id", "expired", "device_changed", "busy"]
    )
    def test_a_refusal_names_nobody(self, raw, phone, issuer, outcome, clock):
        """It answers the question, says why not, and opens no session."""
        launch, now = new_launch(), int(clock().timestamp())
        result = phone.launch(launch, package=PACKAGE, outcome=outcome, decided_by="issuer")
        assert "C0000000" == result["resultCode"]
        expected = {
            "iss": issuer.issuer,
            "aud": "shop",
            "iat": now,
            "exp": now + 300,
            "bizSeq": launch["bizSeq"],
            "appID": "shop-android",
            "blobs_hash": hash_of(result),
            "outcome": outcome,
        }
        answer = ask(raw, launch, result)
        assert expected == receipt_of(answer)
        assert answer.body == ask(raw, launch, result).body
        assert () == issuer.sessions

    @pytest.mark.parametrize(
        ("state", "outcome"),
        [
            ("frozen", "frozen"),
            ("cancelled", "cancelled_id"),
            ("expired", "expired"),
            ("device-changed", "device_changed"),
        ],
    )
    def test_what_became_of_an_account_is_said_of_this_person_only(self, raw, phone, issuer, state, outcome):
        """A state lasts until it is set again."""
        issuer.set_account("adult", state)
        found = []
        for person in ("adult", "traveller"):
            launch = new_launch()
            found.append(
                receipt_of(ask(raw, launch, phone.launch(launch, package=PACKAGE, person=person)))["outcome"]
            )
        issuer.set_account("adult")
        launch = new_launch()
        found.append(receipt_of(ask(raw, launch, phone.launch(launch, package=PACKAGE)))["outcome"])
        assert [outcome, "success", "success"] == found

    @pytest.mark.parametrize(("person", "state"), [("nobody", "frozen"), ("adult", "asleep")])
    def test_unknown_people_and_states_are_refused(self, issuer, person, state):
        """A slip of the pen in a script is an error at once."""
        with pytest.raises(ConfigurationError):
            issuer.set_account(person, state)


class TestRegistration:
    @pytest.mark.parametrize(
        "changes",
        [
            {"org_id": None},
            {"apps": {"android": ANDROID, "ios": RegisteredApp(app_id="shop-android", package="x")}},
        ],
    )
    def test_apps_have_an_institution_and_ids_of_their_own(self, issuer, changes):
        """What could not be told apart is not registered."""
        with pytest.raises(ConfigurationError) as refused:
            register(issuer, **changes)
        assert "config.value" == refused.value.code

    def test_an_address_to_return_to_is_one(self, issuer):
        """Where the phone's page leads back to is a web address."""
        app = RegisteredApp(app_id="x", package="x", return_urls=("shop://back",))
        with pytest.raises(ConfigurationError) as refused:
            register(issuer, apps={"android": app})
        assert "config.redirect_uri" == refused.value.code

    def test_a_client_without_apps_has_no_launches(self, issuer, clock, phone):
        """A client that registered no app cannot verify one."""
        made = issuer.register(client_id="shop", redirect_uri=REDIRECT_URI)
        launch = new_launch()
        assert "C0500002" == phone.launch(launch, package=PACKAGE)["resultCode"]
        result = {"idCardAuthData": "x", "certPwdData": None}
        assert 400 == ask(make_in_process(issuer, made, clock), launch, result).status


class TestTables:
    def test_codes_are_told_apart(self):
        """Each outcome has one code, only success is the platform's own, and what is no outcome is in no table."""
        assert len(set(MOCK_OUTCOMES.values())) == len(MOCK_OUTCOMES) == 10
        assert "success" == MOCK_OUTCOMES["C0000000"]
        assert set() == MOCK_OUTCOMES.keys() & DECLINES.keys()

    def test_every_code_of_a_receipt_has_a_fault(self):
        """Whatever an issuer can do wrong about a launch, it does under some name."""
        sections = {"receipt", "app_verification"}
        wanted = {code for code in CATALOGUE if code.partition(".")[0] in sections}
        assert set() == wanted - {fault.expected_code for fault in RECEIPT_FAULTS.values()}

    @pytest.mark.parametrize("name", RECEIPT_FAULTS)
    def test_rows_are_complete(self, name):
        """A fault names check, law, need, and an error that the catalogue has for this class."""
        fault = RECEIPT_FAULTS[name]
        assert CATALOGUE[fault.expected_code].family == fault.expected_error
        assert (name, "app_launch", None, None) == (fault.name, fault.needs, fault.err, fault.module)
        assert fault.numbers
        assert fault.law.endswith(".")
        assert fault.stage in {"receipt", "receipt_answer", "metadata"}

    @pytest.mark.parametrize("name", [name for name, each in ENTRIES.items() if each.stage == "metadata"])
    def test_metadata_are_changed_once(self, raw, issuer, name):
        """What the metadata say about launches is changed, and the next time it is honest again."""
        issuer.arm(name)
        pages = [raw.get("/.well-known/openid-configuration").json() for _ in range(2)]
        changed, honest = (parts_of(page["signed_metadata"])[1] for page in pages)
        said = ("app_verification_endpoint", "app_launch_face")
        assert [f"{issuer.issuer}/app-verification", False] == [honest[member] for member in said]
        assert 1 == sum(changed.get(member) != honest[member] for member in said)
        assert len(honest) - len(changed) in {0, 1}

    @pytest.mark.parametrize("name", RECEIPT_ODDITIES)
    def test_rows_of_oddities_are_complete(self, name):
        """An oddity names check, law and need."""
        odd = RECEIPT_ODDITIES[name]
        assert (name, "app_launch", None) == (odd.name, odd.needs, odd.module)
        assert odd.numbers
        assert odd.law.endswith(".")


@pytest.fixture(scope="module")
def played():
    """One issuer, one backend and one phone for all faults: each disarms what it armed."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    return issuer, make_in_process(issuer, register(issuer), clock), Phone(issuer)


@pytest.mark.parametrize("name", [name for name, each in ENTRIES.items() if each.stage != "metadata"])
def test_one_answer_is_changed(played, name):
    """The next receipt is changed in one message, and the one after it is honest again."""
    issuer, _, _ = played
    issuer.arm(name)
    assert not answers_honestly(*played)
    assert {} == issuer.armed
    issuer.disarm()
    assert answers_honestly(*played)


def test_a_fault_of_the_receipt_stays_when_it_is_asked_again(played):
    """A receipt is made once: asking again does not mend it."""
    issuer, raw, phone = played
    issuer.arm("receipt.caller_missing")
    launch = new_launch()
    result = phone.launch(launch, package=PACKAGE)
    first = ask(raw, launch, result)
    assert "caller" not in receipt_of(first)
    assert first.body == ask(raw, launch, result).body


def test_another_issuer_can_be_faulty_too():
    """Faults do not depend on the algorithm of the issuer."""
    clock = ManualClock()
    issuer = MockIssuer(clock, algorithm="EdDSA")
    raw, phone = make_in_process(issuer, register(issuer), clock), Phone(issuer)
    for name in RECEIPT_FAULTS:
        issuer.arm(name)
        launch = new_launch()
        ask(raw, launch, phone.launch(launch, package=PACKAGE))
        issuer.disarm()


def answers_honestly(issuer, raw, phone):
    """Tell whether an honest issuer could answer as it does, byte for byte but for what is fresh."""
    signer, now, launch = (
        issuer._service.keyring.signer("assertion"),
        int(raw.clock().timestamp()),
        new_launch(),
    )
    result = phone.launch(launch, package=PACKAGE)
    answer = ask(raw, launch, result)
    served = {"content-type": "application/jwt", "cache-control": "no-store"}
    if (200, None, served) != (answer.status, answer.error, answer.headers):
        return False
    claims = {
        "iss": issuer.issuer,
        "aud": "shop",
        "iat": now,
        "exp": now + 300,
        "bizSeq": launch["bizSeq"],
        "appID": "shop-android",
        "blobs_hash": hash_of(result),
        "outcome": "success",
        "caller": "verified",
        "acr": "urn:cyberid:mode:r02",
        "factors": {"certificate": "passed", "password": "passed", "face": "not_executed"},
        "auth_time": now,
        "sub": issuer.pseudonym("adult", sector=SECTOR),
        "sector": SECTOR,
        "persistence": "A",
        "sid": issuer.sessions[-1].session_id,
    }
    header = {"alg": "ES256", "kid": signer.kid, "typ": "cyberid-receipt+jwt", "x5c": signer.to_jwk()["x5c"]}
    return is_signed(answer.body.decode("utf-8", "replace"), header, claims, signer)
