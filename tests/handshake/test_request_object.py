"""Signed request objects: what RFC 9101, RFC 9126 and FAPI message signing ask of them."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

from cyberid_client import Assurance

from .strict_issuer import ISSUER, Env, StrictIssuer, claims_of, form_of

AUTHENTICATION = {"client_id", "client_assertion", "client_assertion_type"}


@pytest.fixture
def plain(assertion) -> StrictIssuer:
    return StrictIssuer(assertion, assertion.rp, Env(assertion.now))


@pytest.fixture
def signed(plain) -> StrictIssuer:
    return plain.other(request_object="signed")


def object_of(issuer: StrictIssuer) -> str:
    return form_of(issuer.requests[0])["request"]


def claims(issuer: StrictIssuer) -> dict[str, object]:
    return claims_of(object_of(issuer), issuer.rp.client_keys.signing.public_jwk, audience=ISSUER)


def test_its_header_says_what_it_is(signed):
    """RFC 9101 §10.8: its own type, the registered algorithm, and the key's name."""
    signed.start()
    key = signed.rp.client_keys.signing
    assert {"alg": "ES256", "kid": key.kid, "typ": "oauth-authz-req+jwt"} == jwt.get_unverified_header(
        object_of(signed)
    )


def test_it_is_from_the_client_to_the_issuer_for_a_minute(signed):
    """Issuer and audience are plain strings; it begins now, ends in a minute, and has a name of its own."""
    signed.start()
    found, now = claims(signed), signed.bench.seconds
    assert ("shop", ISSUER, now, now, now + 60) == tuple(
        found[name] for name in ("iss", "aud", "iat", "nbf", "exp")
    )
    assert 22 == len(found["jti"])


def test_it_cannot_pass_for_something_else(signed):
    """No sub, so that it is no client assertion; no request inside a request."""
    signed.start()
    assert set() == {"sub", "request", "request_uri"} & set(claims(signed))


def test_everything_that_is_asked_for_stands_inside(plain, signed):
    """RFC 9126 §3: beside the object there is what authenticates the client, and nothing else."""
    asked = {"max_age": 60, "assurance": Assurance.R02, "prompt": "login", "ui_locales": "zh-CN en"}
    signed.start(**asked)
    assert {"request", *AUTHENTICATION} == set(form_of(signed.requests[0]))
    plain.start(**asked)
    parameters = set(form_of(plain.requests[0])) - AUTHENTICATION
    assert parameters | {"client_id", "iss", "aud", "iat", "nbf", "exp", "jti"} == set(claims(signed))


def test_the_values_are_those_of_the_login(signed):
    """State, nonce and challenge inside the object are those that the answer is compared with."""
    started = signed.start()
    found = claims(signed)
    assert (started.pending.state, started.pending.nonce, "shop", "code") == tuple(
        found[name] for name in ("state", "nonce", "client_id", "response_type")
    )


@pytest.mark.parametrize("max_age", [0, 1, 86400])
def test_a_number_is_a_number(signed, max_age):
    """RFC 9101 §4: max_age is no text in there."""
    signed.start(max_age=max_age)
    assert (int, max_age) == (type(claims(signed)["max_age"]), claims(signed)["max_age"])


def test_every_object_and_every_assertion_has_its_own_name(signed):
    """No two tokens of a client have the same jti, of whatever kind they are."""
    for _ in range(3):
        signed.start()
        signed._judge_freshness(claims(signed))
        signed.requests.clear()
    assert 6 == len(signed.jtis)


def test_the_key_of_the_login_is_named_inside(signed):
    """What binds the code is signed with the rest."""
    issuer = signed.other(sender_constraint="dpop")
    started = issuer.start()
    assert "dpop_jkt" not in form_of(issuer.requests[0])
    named = claims(issuer)["dpop_jkt"]
    issuer.finish(started)
    assert named == issuer.proof_of(issuer.requests[-1])[1]


def test_an_issuer_that_demands_objects_gets_them(plain):
    """RFC 9101 §10.5: what the signed metadata demand is done without being configured."""
    issuer = replace(plain, metadata=replace(plain.metadata, require_signed_request_object=True))
    issuer.start()
    assert "request" in form_of(issuer.requests[0])


def test_nobody_else_gets_one(plain):
    """Without setting and demand the parameters go as they are."""
    plain.start()
    assert "request" not in form_of(plain.requests[0])
