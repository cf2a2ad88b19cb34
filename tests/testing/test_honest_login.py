"""An honest login, step by step, by hand: in process and over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import ManualClock, MockIssuer

R04 = "urn:cyberid:mode:r04"


@pytest.fixture(params=["raw", "served"])
def client(request):
    return request.getfixturevalue(request.param)


def leaf_of(header):
    return x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def assert_signed_by_leaf(token, header):
    message, _, signature = token.rpartition(".")
    raw = unb64(signature)
    pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    leaf_of(header).public_key().verify(pair, message.encode(), ec.ECDSA(hashes.SHA256()))


def test_every_claim_of_the_assertion(client, decode):
    """The assertion says exactly what the profile lists, and its signature is the leaf's."""
    answer = client.log_in()
    token = answer.json()["id_token"]
    header, claims = decode(token)
    now = int(client.clock().timestamp())
    half = hashlib.sha256(answer.json()["access_token"].encode()).digest()[:16]
    session_id = claims.pop("sid")
    assert claims == {
        "iss": client.issuer.issuer,
        "sub": client.issuer.pseudonym("adult", sector="https://shop.example"),
        "aud": "shop",
        "exp": now + 300,
        "iat": now,
        "auth_time": now,
        "nonce": "n" * 43,
        "acr": "urn:cyberid:mode:r02",
        "amr": ["certificate", "password"],
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "sector": "https://shop.example",
        "persistence": "A",
    }
    assert 22 <= len(session_id) <= 128
    assert client.issuer.signed == {**claims, "sid": session_id}
    assert len(header["x5c"]) == 2
    assert_signed_by_leaf(token, header)


def test_token_response(client):
    """The token response is a bearer's, with a scope, and is not to be cached."""
    answer = client.log_in()
    found = {name: value for name, value in answer.json().items() if name not in {"access_token", "id_token"}}
    assert found == {"token_type": "Bearer", "expires_in": 300, "scope": "openid"}
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"


def test_callback(client):
    """The callback holds code, state and issuer, each once."""
    found = client.authorize()
    assert sorted(found) == ["code", "iss", "state"]
    assert (found["state"], found["iss"]) == ("s" * 43, client.issuer.issuer)


def test_discovery_tells_the_truth_only_where_it_is_signed(client, decode):
    """Of the discovery page only the issuer is true beside the signed metadata."""
    page = client.get("/.well-known/openid-configuration").json()
    header, signed = decode(page["signed_metadata"])
    assert_signed_by_leaf(page["signed_metadata"], header)
    assert header["typ"] == "cyberid-metadata+jwt"
    assert (signed["iss"], signed["sub"], signed["issuer"]) == (client.issuer.issuer,) * 3
    assert 0 < signed["exp"] - signed["iat"] <= 7 * 86_400
    shared = {name for name in page if name in signed}
    assert {name for name in shared if page[name] == signed[name]} == {"issuer"}
    for name in ("token_endpoint", "jwks_uri", "pushed_authorization_request_endpoint"):
        assert client.get(page[name].removeprefix(client.issuer.issuer)).status == 404


def test_signed_endpoints_work(client, decode):
    """Every signed endpoint is one that answers."""
    page = client.get("/.well-known/openid-configuration").json()
    _, signed = decode(page["signed_metadata"])
    base = client.issuer.issuer
    assert signed["authorization_endpoint"] == f"{base}/authorize"
    assert signed["pushed_authorization_request_endpoint"] == f"{base}/par"
    assert signed["token_endpoint"] == f"{base}/token"
    assert signed["jwks_uri"] == f"{base}/jwks.json"
    assert client.get("/jwks.json").status == 200


def test_key_set_holds_the_signing_key(client, decode):
    """The key set publishes the one key that signs, with its chain."""
    header, _ = decode(client.log_in().json()["id_token"])
    keys = client.get("/jwks.json").json()["keys"]
    numbers = leaf_of(header).public_key().public_numbers()
    assert [(key["kid"], key["x5c"]) for key in keys] == [(header["kid"], header["x5c"])]
    assert int.from_bytes(unb64(keys[0]["x"]), "big") == numbers.x


def test_pseudonym_is_stable_and_pairwise(clock, new_client):
    """One person has one pseudonym per sector, the same after a restart, and another in each sector."""
    first, second = MockIssuer(clock), MockIssuer(clock)
    for issuer in (first, second):
        issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    found = {
        issuer.pseudonym(person, sector=sector)
        for issuer in (first, second)
        for person in issuer.people
        for sector in ("https://shop.example", "https://rail.example")
    }
    assert len(found) == 2 * len(first.people)


@pytest.mark.parametrize(
    ("asked", "factors", "reached"),
    [
        ("r01", None, "r01"),
        ("r02", None, "r02"),
        ("r03", None, "r03"),
        ("r04", None, "r04"),
        ("r01", {"certificate", "password", "face"}, "r04"),
        ("r02", {"password"}, "r02"),
    ],
)
def test_assurance(raw, asked, factors, reached):
    """The mode that is stated is made of what the person showed, never of what was asked."""
    raw.log_in({"acr_values": f"urn:cyberid:mode:{asked}"}, factors=factors)
    assert raw.issuer.signed["acr"] == f"urn:cyberid:mode:{reached}"


@pytest.mark.parametrize("person", ["adult", "teenager", "child", "traveller"])
def test_age_band_only_when_asked(raw, person):
    """The age band comes when its scope was asked for, and only then."""
    raw.log_in(person=person)
    assert "age_band" not in raw.issuer.signed
    raw.log_in({"scope": "openid age_band"}, person=person)
    assert raw.issuer.signed["age_band"] == raw.issuer.people[person].age_band


@pytest.mark.parametrize(
    ("choices", "push", "error"),
    [
        ({"deny": True}, {}, "access_denied"),
        ({"factors": {"certificate"}}, {}, "unmet_authentication_requirements"),
        ({"factors": {"face"}}, {}, "unmet_authentication_requirements"),
        ({}, {"prompt": "none"}, "login_required"),
    ],
)
def test_saying_no(raw, choices, push, error):
    """A no comes back with state and issuer, and without a code."""
    found = raw.authorize(push, **choices)
    assert found == {"error": error, "state": "s" * 43, "iss": raw.issuer.issuer}


def test_login_hint_chooses_beforehand(raw):
    """A pseudonym as login_hint chooses its person on the page."""
    hint = raw.issuer.pseudonym("taiwan", sector="https://shop.example")
    page = raw.send("GET", raw.url_for(raw.push(login_hint=hint)), b"", {}).body
    assert b'value="taiwan" required checked' in page


def test_automatic_consent(raw):
    """With automatic consent the authorization URL answers without a page."""
    raw.issuer.agree_automatically("teenager")
    answer = raw.get(raw.url_for(raw.push()).removeprefix(raw.issuer.issuer))
    assert answer.error == "transport.redirect"
    raw.issuer.agree_automatically(None)
    assert raw.get(raw.url_for(raw.push()).removeprefix(raw.issuer.issuer)).status == 200


def test_log_holds_no_secret(raw):
    """The log has method, path, client and status; no query, code, state or token."""
    answer = raw.log_in()
    found = [(record.method, record.path, record.client_id, record.status) for record in raw.issuer.log]
    assert found == [
        ("POST", "/par", "shop", 201),
        ("GET", "/authorize", "shop", 200),
        ("POST", "/authorize", "shop", 303),
        ("POST", "/token", "shop", 200),
    ]
    text = repr(raw.issuer.log) + repr(raw.issuer) + repr(raw.registered)
    for secret in (answer.json()["access_token"], answer.json()["id_token"], "s" * 43, "PRIVATE"):
        assert secret not in text


def test_metadata_never_goes_back(raw, decode):
    """The iat of the metadata stays when the clock goes back."""
    pages = []
    for seconds in (0, -3_600, 7_200):
        raw.clock.advance(seconds)
        pages.append(raw.get("/.well-known/openid-configuration").json()["signed_metadata"])
    first, second, third = (decode(page)[1]["iat"] for page in pages)
    assert (second, third) == (first, first + 3_600)


def test_rotation_replaces_the_key(raw, decode):
    """After a rotation the new key signs and the old one is gone from the key set."""
    before, _ = decode(raw.log_in().json()["id_token"])
    raw.issuer.rotate_signing_key()
    after, _ = decode(raw.log_in().json()["id_token"])
    assert before["kid"] != after["kid"]
    assert [key["kid"] for key in raw.get("/jwks.json").json()["keys"]] == [after["kid"]]


@pytest.mark.parametrize("algorithm", ["ES384", "EdDSA", "PS256"])
def test_other_algorithms(clock, new_client, decode, algorithm):
    """The signers' algorithm is a parameter; metadata and key set follow."""
    issuer = MockIssuer(clock, algorithm=algorithm)
    raw = new_client(issuer, issuer.register(client_id="shop", redirect_uri="https://s.example/cb"), clock)
    header, _ = decode(raw.log_in().json()["id_token"])
    page = raw.get("/.well-known/openid-configuration").json()
    _, signed = decode(page["signed_metadata"])
    assert header["alg"] == algorithm
    assert signed["id_token_signing_alg_values_supported"] == [algorithm]
    assert raw.get("/jwks.json").json()["keys"][0]["alg"] == algorithm


def test_foreign_hosts_are_out_of_reach(raw):
    """The in-process transport reaches the issuer and nobody else."""
    answers = [
        raw.send("GET", url, b"", {}).error
        for url in (
            "https://other.example/jwks.json",
            "http://issuer.example/jwks.json",
            "https://issuer.example:8443/",
        )
    ]
    assert answers == ["transport.connection"] * 3


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (
            lambda issuer: issuer.authorize("https://issuer.example/authorize", person="nobody"),
            "testing.unknown_person",
        ),
        (lambda issuer: issuer.pseudonym("nobody", sector="https://s.example"), "testing.unknown_person"),
        (lambda issuer: issuer.agree_automatically("nobody"), "testing.unknown_person"),
        (
            lambda issuer: issuer.authorize("https://issuer.example/authorize", factors={"iris"}),
            "config.value",
        ),
        (lambda issuer: issuer.authorize("https://other.example/authorize?x"), "testing.request_refused"),
        (lambda issuer: issuer.authorize("https://issuer.example/authorize?x=1"), "testing.request_refused"),
        (lambda issuer: issuer.authorize("https://issuer.example/authorize"), "testing.request_refused"),
        (lambda issuer: issuer.arm("no.such_fault"), "testing.unknown_fault"),
        (lambda issuer: issuer.arm("callback.state_changed", 0), "config.value"),
        (lambda issuer: issuer.register(client_id="x", redirect_uri="/callback"), "config.redirect_uri"),
        (
            lambda issuer: issuer.register(client_id="x", redirect_uri="https://[::1/cb"),
            "config.redirect_uri",
        ),
        (lambda _: MockIssuer(issuer="http://issuer.example"), "config.issuer"),
        (lambda _: MockIssuer(issuer="https://issuer.example/"), "config.issuer"),
        (lambda _: MockIssuer(algorithm="RS256"), "config.no_algorithm"),
        (lambda _: MockIssuer(algorithm="none"), "config.no_algorithm"),
    ],
)
def test_misuse(issuer, call, code):
    """Misuse is a configuration error with a code."""
    with pytest.raises(ConfigurationError) as caught:
        call(issuer)
    assert caught.value.code == code


def test_clock_needs_a_zone():
    """A time without a time zone is refused."""
    start = ManualClock()()
    with pytest.raises(ValueError, match="time zone"):
        ManualClock(start.replace(tzinfo=None))
    clock = ManualClock(start)
    clock.advance(1.5)
    assert (clock() - start).total_seconds() == 1.5
    clock.set(start)
    assert clock() == start


def test_page_is_json_free_of_people(raw):
    """What an app can fetch names nobody."""
    body = raw.log_in().body + raw.get("/.well-known/openid-configuration").body
    text = body.decode() + json.dumps(raw.issuer.signed)
    assert [person.name for person in raw.issuer.people.values() if person.name in text] == []
