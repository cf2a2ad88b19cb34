"""DPoP, certificates and request objects: a client that does less than it registered learns it here."""

from __future__ import annotations

import json
import secrets
import warnings
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cyberid_client.errors import ConfigurationError

from .conftest import ASSERTION_TYPE, FORM, b64, make_in_process

URL = "https://issuer.example/token"
PRIVATE_JWK = {"crv": "P-256", "kty": "EC", "x": "A" * 43, "y": "A" * 43, "d": "A" * 43}

PROOF_FAULTS = {
    "another typ": {"header": {"typ": "JWT"}},
    "no typ": {"header": {"typ": None}},
    "alg none": {"header": {"alg": "none"}},
    "alg symmetric": {"header": {"alg": "HS256"}},
    "alg of another curve": {"header": {"alg": "ES384"}},
    "a private key": {"header": {"jwk": PRIVATE_JWK}},
    "a symmetric key": {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    "a point off the curve": {"header": {"jwk": {"crv": "P-256", "kty": "EC", "x": "A" * 43, "y": "A" * 43}}},
    "no key": {"header": {"jwk": None}},
    "crit": {"header": {"crit": ["x"]}},
    "signed by another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "no jti": {"drop": ("jti",)},
    "short jti": {"jti": "x" * 15},
    "jti no text": {"jti": 1},
    "another method": {"htm": "GET"},
    "a method in lower case": {"htm": "post"},
    "no method": {"drop": ("htm",)},
    "another endpoint": {"htu": "https://issuer.example/par"},
    "another host": {"htu": "https://other.example/token"},
    "a slash more": {"htu": URL + "/"},
    "a query": {"htu": URL + "?x"},
    "no URL": {"drop": ("htu",)},
    "no iat": {"drop": ("iat",)},
    "iat text": {"iat": "1"},
    "iat boolean": {"iat": True},
    "ath": {"ath": "A" * 43},
    "nonce no text": {"nonce": 1},
}


@pytest.mark.parametrize("name", PROOF_FAULTS)
def test_proof(protected, name):
    """A proof with one wrong detail is refused, and the code is still good for an honest one."""
    raw = protected("dpop")
    code = raw.authorize()["code"]
    answer = raw.exchange(code, headers={"dpop": raw.proof(**PROOF_FAULTS[name])})
    assert (answer.status, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert raw.exchange(code).status == 200


@pytest.mark.parametrize(("offset", "status"), [(-60, 200), (-61, 400), (10, 200), (11, 400)])
def test_proof_is_of_now(protected, offset, status):
    """A proof is a minute old at most, and at most ten seconds ahead."""
    raw = protected("dpop")
    code = raw.authorize()["code"]
    now = int(raw.clock().timestamp())
    assert raw.exchange(code, headers={"dpop": raw.proof(iat=now + offset)}).status == status


def test_proof_is_used_once(protected):
    """A jti is never seen twice, not even when the request with it came to nothing."""
    raw = protected("dpop")
    proof = raw.proof()
    first = raw.exchange("no such code", headers={"dpop": proof})
    assert first.json()["error"] == "invalid_grant"
    second = raw.exchange(raw.authorize()["code"], headers={"dpop": proof})
    assert second.json()["error_description"] == "DPoP: jti was used before"


def test_proof_by_a_weak_key(protected):
    """A key of 1024 bits proves nothing, however well it signs; one of 2048 does."""
    raw = protected("dpop")
    for bits, error in ((1024, "invalid_dpop_proof"), (2048, "invalid_grant")):
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        public = json.loads(jwt.get_algorithm_by_name("PS256").to_jwk(key.public_key()))
        jwk = {name: public[name] for name in ("kty", "n", "e")}
        claims = {"jti": secrets.token_urlsafe(16), "htm": "POST", "htu": URL}
        with warnings.catch_warnings():
            # That the key is weak is the point.
            warnings.simplefilter("ignore")
            proof = jwt.encode(
                claims | {"iat": int(raw.clock().timestamp())},
                key,
                algorithm="PS256",
                headers={"typ": "dpop+jwt", "jwk": jwk},
            )
        assert raw.exchange("no such code", headers={"dpop": proof}).json()["error"] == error


def test_proof_is_there(protected):
    """A client that registered for DPoP gets nothing without a proof."""
    raw = protected("dpop")
    form = raw.token_form(raw.authorize()["code"])
    assert raw.post("/token", form).json()["error"] == "invalid_dpop_proof"


def test_two_proofs_are_none(issuer, clock, protected):
    """Two headers arrive as one value that is no JWS."""
    raw = protected("dpop")
    two = f"{raw.proof()}, {raw.proof()}"
    answer = raw.exchange(raw.authorize()["code"], headers={"dpop": two})
    assert answer.json()["error"] == "invalid_dpop_proof"


def test_code_is_bound_to_the_key_that_was_named(protected):
    """Another key than that of dpop_jkt gets nothing for the code, which is gone."""
    raw = protected("dpop")
    code = raw.authorize()["code"]
    honest, raw.dpop_key = raw.dpop_key, ec.generate_private_key(ec.SECP256R1())
    assert raw.exchange(code).json()["error_description"] == "the code is bound to another DPoP key"
    raw.dpop_key = honest
    assert raw.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("jkt", ["", "A" * 42, "A" * 44, "=" * 43])
def test_thumbprint_has_its_shape(protected, jkt):
    """dpop_jkt is a SHA-256 in base64url."""
    assert protected("dpop").push(dpop_jkt=jkt).json()["error"] == "invalid_request"


def test_key_is_named_when_the_request_is_pushed(protected):
    """A request that names no key is refused, unless a proof came along and names it."""
    raw = protected("dpop")
    assert raw.push(drop=("dpop_jkt",)).json()["error"] == "invalid_request"
    form = {name: value for name, value in raw.par_form().items() if name != "dpop_jkt"}
    answer = raw.post("/par", form, FORM | {"dpop": raw.proof("/par")})
    assert answer.status == 201
    assert raw.exchange(_code_of(raw, answer)).status == 200


def test_thumbprint_is_that_of_the_proof(protected):
    """When key and proof are both there, they are of one key."""
    raw = protected("dpop")
    answers = [
        raw.post("/par", raw.par_form() | changes, FORM | {"dpop": raw.proof("/par")})
        for changes in ({}, {"dpop_jkt": "A" * 43})
    ]
    assert [answer.status for answer in answers] == [201, 400]
    assert answers[1].json()["error"] == "invalid_dpop_proof"


def test_nobody_else_sends_proofs(protected):
    """A client that did not register for DPoP neither names a key nor sends a proof."""
    raw = protected()
    assert raw.push(dpop_jkt="A" * 43).json()["error"] == "invalid_request"
    answer = raw.exchange(raw.authorize()["code"], headers={"dpop": raw.proof()})
    assert answer.json()["error"] == "invalid_request"


def test_nonce_is_demanded_and_renewed(protected):
    """With every success comes a new nonce, and the one before is not taken again."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    code = raw.authorize()["code"]
    first = raw.nonce
    raw.nonce = None
    refused = raw.exchange(code)
    assert (refused.status, refused.json()["error"]) == (400, "use_dpop_nonce")
    assert raw.nonce == refused.headers["dpop-nonce"] != first
    shown = raw.nonce
    assert raw.exchange(code).status == 200
    assert raw.nonce not in {None, first, shown}
    code, raw.nonce = raw.authorize()["code"], shown
    assert raw.exchange(code).json()["error"] == "use_dpop_nonce"
    assert raw.exchange(code).status == 200


def test_nonce_is_demanded_of_a_proof_that_is_pushed(protected):
    """A proof at the other endpoint needs one as well; a request without a proof is not asked."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    answers = [
        raw.learn(raw.post("/par", raw.par_form(), FORM | {"dpop": raw.proof("/par")})) for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [400, 201]
    assert answers[0].json()["error"] == "use_dpop_nonce"
    assert "dpop-nonce" in answers[1].headers


@pytest.mark.parametrize("nonce", ["", "unheard-of"])
def test_nonce_of_nobody(protected, nonce):
    """A nonce that was never given is answered with one that is."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    code, raw.nonce = raw.authorize()["code"], nonce
    assert raw.exchange(code).json()["error"] == "use_dpop_nonce"


def test_nonce_grows_old(protected):
    """A nonce is good for five minutes, and not in the last second of them."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    raw.push()
    old = raw.nonce
    raw.clock.advance(299)
    code, raw.nonce = raw.authorize()["code"], old
    assert raw.exchange(code).status == 200
    raw.push()
    old = raw.nonce
    raw.clock.advance(300)
    code, raw.nonce = raw.authorize()["code"], old
    assert raw.exchange(code).json()["error"] == "use_dpop_nonce"


def test_no_nonce_without_demand(protected):
    """An issuer that demands none gives none, and takes a proof with one all the same."""
    raw = protected("dpop")
    raw.nonce = "of-another-time"
    answers = [raw.push(), raw.exchange(raw.authorize()["code"])]
    assert [answer.status for answer in answers] == [201, 200]
    assert [name for answer in answers for name in answer.headers if name == "dpop-nonce"] == []


def test_log_shows_the_retry(protected):
    """The log tells a challenge from a success, and holds neither nonce nor proof."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    code, raw.nonce = raw.authorize()["code"], None
    raw.exchange(code)
    raw.exchange(code)
    found = [(record.status, record.error) for record in raw.issuer.log if record.path == "/token"]
    assert found == [(400, "use_dpop_nonce"), (200, None)]
    assert raw.nonce not in repr(raw.issuer.log)


def test_stubborn_until_disarmed(protected):
    """Under the fault no nonce is good enough; without it the next one is."""
    raw = protected("dpop")
    raw.issuer.demand_dpop_nonce()
    raw.issuer.arm("dpop.nonce_forever")
    code = raw.authorize()["code"]
    assert [raw.exchange(code).status for _ in range(3)] == [400] * 3
    raw.issuer.disarm()
    assert raw.exchange(code).status == 200


CERTIFICATE_FAULTS = {
    "nothing shown": ("mtls", "/mtls", False, "invalid_client"),
    "not at the alias": ("mtls", "", True, "invalid_request"),
    "nothing shown, not at the alias": ("tls_client_auth", "", False, "invalid_request"),
    "nothing shown for authentication": ("tls_client_auth", "/mtls", False, "invalid_client"),
    "shown by who registered none": (None, "", True, "invalid_request"),
    "the alias of others": (None, "/mtls", False, "invalid_request"),
}


@pytest.mark.parametrize("name", CERTIFICATE_FAULTS)
def test_certificate(protected, issuer, clock, name):
    """A certificate is shown by who registered one, at the alias, and by nobody else and nowhere else."""
    word, alias, shows, error = CERTIFICATE_FAULTS[name]
    foreign = protected("mtls").registered.certificate_pem
    raw = make_in_process(issuer, protected(word).registered, clock, None if word else foreign)
    raw.shows = shows
    answer = raw.post(f"{alias}/token", raw.token_form("no such code"))
    assert answer.json()["error"] == error


def test_certificate_of_another(protected, issuer, clock):
    """Another certificate than the registered one is refused, though somebody registered it."""
    foreign = issuer.register(
        client_id="rail", redirect_uri="https://rail.example/cb", sender_constraint="mtls"
    )
    raw = make_in_process(issuer, protected("mtls").registered, clock, foreign.certificate_pem)
    answer = raw.post("/mtls/token", raw.token_form("no such code"))
    assert answer.json()["error_description"] == "another certificate was shown than the registered one"


def test_certificate_that_binds_is_not_needed_for_a_push(protected):
    """Where an assertion authenticates and the certificate only binds, a push needs none (RFC 8705 §3)."""
    raw = protected("mtls")
    assert raw.post("/par", raw.par_form()).status == 201
    other = protected("tls_client_auth")
    assert other.post("/par", other.par_form()).json()["error"] == "invalid_request"


def test_certificate_stands_in_for_the_assertion(protected):
    """Who authenticates with a certificate sends no assertion, and gets in without."""
    raw = protected("tls_client_auth")
    answer = raw.log_in()
    assert (answer.status, answer.json()["token_type"]) == (200, "Bearer")
    both = {"client_assertion": raw.assertion(), "client_assertion_type": "x"}
    assert raw.push(**both).json()["error"] == "invalid_client"


@pytest.mark.parametrize("method", ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"])
def test_log_in_with_a_certificate(protected, method):
    """Every way to authenticate goes together with a token that is bound to the certificate."""
    raw = protected(sender_constraint="mtls", client_authentication=method)
    assert raw.log_in().status == 200
    assert {record.path for record in raw.issuer.log if "/mtls" in record.path} == {
        "/mtls/par",
        "/mtls/token",
    }


REQUEST_FAULTS = {
    "another typ": {"header": {"typ": "JWT"}},
    "no typ": {"header": {"typ": None}},
    "alg none": {"header": {"alg": "none"}},
    "another kid": {"header": {"kid": "another"}},
    "crit": {"header": {"crit": ["x"]}},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "another issuer": {"iss": "another"},
    "no issuer": {"drop": ("iss",)},
    "another client": {"client_id": "another"},
    "another audience": {"aud": "https://other.example"},
    "audience of an endpoint": {"aud": "https://issuer.example/par"},
    "audience in an array": {"aud": ["https://issuer.example"]},
    "no audience": {"drop": ("aud",)},
    "no nbf": {"drop": ("nbf",)},
    "no exp": {"drop": ("exp",)},
    "exp text": {"exp": "9999999999"},
    "sub": {"sub": "shop"},
    "request inside": {"request": "e30.e30.AA"},
    "request_uri inside": {"request_uri": "urn:x"},
    "an object inside": {"claims": {}},
    "a boolean inside": {"max_age": True},
}


@pytest.mark.parametrize("name", REQUEST_FAULTS)
def test_request_object(protected, name):
    """A request object with one wrong detail is refused."""
    raw = protected("request_object")
    answer = raw.push(request=raw.request_object(**REQUEST_FAULTS[name]))
    assert (answer.status, answer.json()["error"]) == (400, "invalid_request_object")


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({"nbf": -3600, "exp": 0}, 400),
        ({"nbf": -3599, "exp": 1}, 201),
        ({"nbf": -3601, "exp": -1}, 400),
        ({"nbf": 0, "exp": 3600}, 201),
        ({"nbf": 0, "exp": 3601}, 400),
        ({"nbf": 10, "exp": 60}, 201),
        ({"nbf": 11, "exp": 60}, 400),
    ],
)
def test_request_object_times(protected, times, status):
    """A request object lives for an hour at most, and not before its time."""
    raw = protected("request_object")
    now = int(raw.clock().timestamp())
    moved = {name: now + offset for name, offset in times.items()}
    assert raw.push(request=raw.request_object(**moved)).status == status


@pytest.mark.parametrize("beside", ["state", "scope", "request_uri", "redirect_uri"])
def test_nothing_stands_beside_a_request_object(protected, beside):
    """What a pushed object does not hold is not asked for: RFC 9126 §3."""
    assert protected("request_object").push(**{beside: "x"}).json()["error"] == "invalid_request"


def test_parameters_inside_are_judged_like_those_outside(protected):
    """A signature makes no sloppy request good."""
    raw = protected("request_object")
    assert raw.push(request=raw.request_object(scope="openid profile")).json()["error"] == "invalid_scope"
    assert raw.push(request=raw.request_object(max_age=60)).status == 201
    assert raw.issuer.asked["max_age"] == "60"


def test_plain_request_where_signed_ones_are_registered(protected):
    """Who registered for signed requests pushes no plain one."""
    raw = protected("request_object")
    answer = raw.post("/par", raw.authentication() | raw.parameters())
    assert answer.json()["error_description"] == "the request must be a signed object"


def test_issuer_that_demands_signed_requests(protected, decode):
    """An issuer may demand them of everyone, and says so where it is signed."""
    raw = protected()
    signed = raw.authentication() | {"request": raw.request_object()}
    assert raw.post("/par", signed).json()["error"] == "request_not_supported"
    raw.issuer.demand_signed_requests()
    assert raw.push().json()["error"] == "invalid_request"
    signed = raw.authentication() | {"request": raw.request_object()}
    assert raw.post("/par", signed).status == 201
    page = raw.get("/.well-known/openid-configuration").json()
    assert decode(page["signed_metadata"])[1]["require_signed_request_object"] is True


@pytest.mark.parametrize(
    "registration",
    [
        {"sender_constraint": "bearer"},
        {"response": "form_post"},
        {"id_token": "jwt"},
        {"key_encryption": "RSA1_5"},
        {"content_encryption": "A192GCM"},
        {"client_authentication": "client_secret_basic"},
        {"request_object": "none"},
    ],
)
def test_registration_has_closed_lists(protected, registration):
    """A word that stands for nothing is refused."""
    with pytest.raises(ConfigurationError) as refused:
        protected(**registration)
    assert refused.value.code == "config.value"


def jwk_of(key, **members):
    point = key.public_key().public_numbers()
    x, y = (b64(number.to_bytes(32, "big")) for number in (point.x, point.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", **members}


def test_keys_of_ones_own(protected):
    """During a rotation either registered key may sign, and no third."""
    old, new, third = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    raw = protected(jwks={"keys": [jwk_of(old, kid="old"), jwk_of(new, kid="new")]})
    form = raw.parameters() | {"client_assertion_type": ASSERTION_TYPE}
    signed = [
        raw.post("/par", form | {"client_assertion": raw.assertion(header={"kid": kid}, key=key)}).status
        for kid, key in (("old", old), ("new", new), ("new", old), ("third", third))
    ]
    assert signed == [201, 201, 401, 401]
    assert (raw.registered.kid, raw.registered.key_pem) == ("old", b"")


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{}],
        ["x"],
        [{"kid": ""}],
        [{"kid": 1}],
        [{"alg": "RS256"}],
        [{"alg": "ES384"}],
        [{"d": "AA"}],
        [{"use": None}],
        [{"y": "AA"}],
        [{}, {}],
    ],
)
def test_keys_that_are_none(protected, entries):
    """A key set without one usable signing key, or with anything strange, is refused."""
    key = ec.generate_private_key(ec.SECP256R1())
    found = [entry if isinstance(entry, str) else jwk_of(key, **({"kid": "a"} | entry)) for entry in entries]
    if entries == [{}]:
        found[0].pop("kid")
    with pytest.raises(ConfigurationError) as refused:
        protected(jwks={"keys": found})
    assert refused.value.code == "config.client_key"


def test_decryption_key_of_ones_own_is_needed(protected):
    """Who wants encrypted ID tokens and brings keys brings one for them."""
    own = {"keys": [jwk_of(ec.generate_private_key(ec.SECP256R1()), kid="a")]}
    with pytest.raises(ConfigurationError) as refused:
        protected("jwe", jwks=own)
    assert refused.value.code == "config.decryption_key"


def test_certificate_that_is_none(protected):
    """What cannot be read as a certificate is not registered."""
    with pytest.raises(ConfigurationError) as refused:
        protected("mtls", certificate_pem=b"x")
    assert refused.value.code == "config.client_certificate"


def test_nothing_secret_is_shown(protected):
    """A client prints none of its keys."""
    raw = protected("mtls", id_token="jwe")
    shown = repr(raw.registered)
    assert "PRIVATE" not in shown
    assert "CERTIFICATE" not in shown
    assert json.dumps(raw.issuer.asked) == "{}"


def _code_of(raw, answer):
    return dict(parse_qsl(urlsplit(raw.issuer.authorize(raw.url_for(answer))).query))["code"]
