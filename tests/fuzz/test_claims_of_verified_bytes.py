"""What a login says is what stands in the bytes whose signature holds: read a second time, by others' code."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st

from cyberid_client import Login
from cyberid_client.testing.jose import b64url, json_bytes

from .bench import SECONDS, bench, closed
from .strategies import changed, mild_values, mutated, mutated_text

BENCH = bench()
TOKEN = BENCH.token_document["id_token"]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified_claims(token):
    """Return the payload, plainly parsed, after its signature held by nothing but ``cryptography``."""
    message, _, signature = token.rpartition(".")
    raw = decode(signature)
    half = len(raw) // 2
    numbers = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    public_key = BENCH.keyring.signer("assertion").key.public_key()
    public_key.verify(encode_dss_signature(*numbers), message.encode(), ECDSA(hashes.SHA256()))
    return json.loads(decode(message.partition(".")[2]))


def assert_says_what_was_signed(login, token):
    claims = verified_claims(token)
    assert {
        "sub": claims["sub"],
        "acr": claims["acr"],
        "amr": set(claims["amr"]) & {"certificate", "password", "face"},
        "auth_time": datetime.fromtimestamp(claims["auth_time"], UTC),
        "iss": claims["iss"],
        "aud": claims["aud"] if isinstance(claims["aud"], str) else claims["aud"][0],
        "sector": claims["sector"],
        "persistence": claims["persistence"],
        "age_band": claims.get("age_band"),
        "sid": claims.get("sid"),
    } == {
        "sub": login.pseudonym.value,
        "acr": login.assurance.value,
        "amr": {factor.value for factor in login.factors},
        "auth_time": login.authenticated_at,
        "iss": login.issuer,
        "aud": "shop",
        "sector": login.sector,
        "persistence": login.persistence.value,
        "age_band": login.age_band,
        "sid": login.session_id,
    }


@given(token=mutated_text(TOKEN))
@example(token=TOKEN)
def test_a_changed_token_that_is_still_believed_says_what_was_signed(token):
    """After any change of its text a token is refused, or its login is that of verified bytes."""
    login = closed(lambda: BENCH.finish_with(token))
    if isinstance(login, Login):
        assert_says_what_was_signed(login, token)
    else:
        assert token != TOKEN


def test_the_other_signature_of_the_same_bytes_is_the_same_login():
    """ECDSA has two signatures for everything: the second is no other message."""
    message, _, signature = TOKEN.rpartition(".")
    raw = decode(signature)
    other = (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    token = f"{message}.{b64url(raw[:32] + other)}"
    assert_says_what_was_signed(BENCH.finish_with(token), token)


good = st.fixed_dictionaries(
    {},
    optional={
        "sub": st.text("abcXYZ019-_", min_size=22, max_size=128),
        "aud": st.sampled_from(["shop", ["shop"]]),
        "exp": st.integers(SECONDS + 1, SECONDS + 10**9) | st.floats(SECONDS + 0.5, SECONDS + 10**9),
        "iat": st.integers(SECONDS - 600, SECONDS + 10) | st.floats(SECONDS - 600, SECONDS + 10),
        "nbf": st.floats(0, SECONDS + 10),
        "auth_time": st.integers(0, SECONDS + 10) | st.floats(0, SECONDS + 10),
        "azp": st.just("shop"),
        "acr": st.sampled_from(["urn:cyberid:mode:r02", "urn:cyberid:mode:r04"]),
        "amr": st.lists(st.text(min_size=1, max_size=5), max_size=3).map(
            lambda more: ["certificate", "password", "face", *more]
        ),
        "persistence": st.sampled_from("ABC"),
        "sid": st.text("abcXYZ019-_", min_size=22, max_size=128),
        "x": mild_values,
        "status": mild_values,
        "name": st.text(max_size=20),
    },
)


@given(changes=good)
def test_every_honest_variety_is_a_login_that_says_what_was_signed(changes):
    """All that the rules allow is accepted, and comes out as it was signed."""
    everything = {"amr": ["certificate", "password", "face"], **changes}
    token = BENCH.sign(BENCH.header, {**BENCH.claims, **everything})
    login = BENCH.finish_with(token)
    assert_says_what_was_signed(login, token)


@given(
    claims=changed(BENCH.claims)
    | st.tuples(good, changed(BENCH.claims)).map(lambda two: {**two[1], **two[0]})
)
def test_signed_claims_of_any_kind_say_what_was_signed(claims):
    """Whatever the issuer signs is refused, or its login says it."""
    token = BENCH.sign(BENCH.header, claims)
    login = closed(lambda: BENCH.finish_with(token))
    if isinstance(login, Login):
        assert_says_what_was_signed(login, token)


@given(payload=mutated(json_bytes(BENCH.claims)))
@example(payload=b" " + json_bytes(BENCH.claims))
@example(payload=json_bytes(BENCH.claims).replace(b'"sub":"', b'"sub":"A\\u0041'))
@example(payload=json_bytes(BENCH.claims).replace(b'"aud"', b'"a\\u0075d"'))
@example(payload=json_bytes(BENCH.claims)[:-1] + b',"\\u0073ub":"another-person-of-22-ch"}')
def test_signed_bytes_of_any_kind_say_what_was_signed(payload):
    """Whatever bytes the issuer signs are refused, or read by us as by any other reader of JSON."""
    token = BENCH.sign(BENCH.header, {}, payload=payload)
    login = closed(lambda: BENCH.finish_with(token))
    if isinstance(login, Login):
        assert_says_what_was_signed(login, token)
