"""The claims of a key binding come out by name and type."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.wire.key_binding import KEY_BINDING_MAX_BYTES, parse_key_binding

CLAIMS = {"iat": 1_800_000_000.5, "aud": "x509_hash:abc", "nonce": "made-up-nonce", "sd_hash": "made-up-hash"}


def refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_key_binding(token)
    return caught.value.code


def test_least(make_token):
    """Four claims are enough; other dates are absent."""
    parsed = parse_key_binding(make_token(CLAIMS))
    assert {**CLAIMS, "nbf": None, "exp": None} == {
        name: getattr(parsed, name) for name in (*CLAIMS, "nbf", "exp")
    }


def test_more(make_token):
    """Further dates are read, all else is dropped unread."""
    parsed = parse_key_binding(make_token({**CLAIMS, "nbf": 1, "exp": 2.5, "_sd": [1], "iss": 7}))
    assert (1.0, 2.5) == (parsed.nbf, parsed.exp)


@pytest.mark.parametrize("name", CLAIMS)
def test_missing(make_token, name):
    """Each required claim is missed by its absence, and has one type."""
    rest = {key: value for key, value in CLAIMS.items() if key != name}
    assert "key_binding.claim_missing" == refused(make_token(rest))
    for value in (None, True, ["x"], {}, ""):
        assert "key_binding.claim_type" == refused(make_token({**CLAIMS, name: value}))


def test_the_audience_is_one_text(make_token):
    """A list is refused, also one of one (RFC 9901 §4.3)."""
    assert "key_binding.claim_type" == refused(make_token({**CLAIMS, "aud": ["x509_hash:abc"]}))


@pytest.mark.parametrize("value", [-1, "x", None, 253_370_764_801])
@pytest.mark.parametrize("name", ["iat", "nbf", "exp"])
def test_dates(make_token, name, value):
    """A date is a number that a date can have."""
    assert "key_binding.claim_type" == refused(make_token({**CLAIMS, name: value}))


@pytest.mark.parametrize("token", ["", "a.b", "e30.e30.", "x~y.z", None])
def test_what_is_no_jws_is_refused(token):
    """It is one strict compact JWS."""
    assert "key_binding.malformed" == refused(token)


def test_the_longest_is_taken(make_token):
    """One more character than is allowed is refused unread."""
    least = make_token(CLAIMS)
    room = (KEY_BINDING_MAX_BYTES - len(least)) * 3 // 4 - 20
    token = make_token({**CLAIMS, "more": "x" * room})
    longest = f"{token[:-1]}{'A' * ((KEY_BINDING_MAX_BYTES - len(token)) // 4 * 4)}{token[-1:]}"
    assert len(longest) in range(KEY_BINDING_MAX_BYTES - 3, KEY_BINDING_MAX_BYTES + 1)
    assert CLAIMS["nonce"] == parse_key_binding(longest).nonce
    assert "key_binding.too_large" == refused("x" * (KEY_BINDING_MAX_BYTES + 1))
    assert "key_binding.malformed" == refused("x" * KEY_BINDING_MAX_BYTES)


def test_a_payload_outside_of_the_token_is_refused(make_token):
    """What is signed is what is there (RFC 7797)."""
    assert "key_binding.critical" == refused(make_token(CLAIMS, {"alg": "ES256", "b64": False}))


def test_nothing_secret_is_shown(make_token):
    """What is printed has neither nonce nor hash."""
    shown = repr(parse_key_binding(make_token(CLAIMS)))
    assert "made-up" not in shown


values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just({}) | st.just([])
)


@given(claims=st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "exp", "x"]), values, max_size=6))
def test_any_claims_are_parsed_or_refused(make_token, claims):
    """No value of any claim raises anything of another kind."""
    with suppress(VerificationError):
        parse_key_binding(make_token({**CLAIMS, **claims}))
