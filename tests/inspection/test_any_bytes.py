"""Whatever the bytes are, there is an explanation, and nothing else comes out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError
from cyberid_client.inspection import Explanation, Kind, Verdict
from cyberid_client.testing.pki import der

from .conftest import explain

BEGINNINGS = st.sampled_from(
    [
        b"",
        b"{",
        b"[",
        b"0\x82",
        b"MII",
        b"eyJ",
        b'{"keys":[',
        b'{"x5c":[',
        b'{"issuer":',
        b"-----BEGIN CERTIFICATE-----",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = (
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "auth_time",
    "status_list",
)
HEADERS = ("alg", "kid", "typ", "x5c", "crit", "jwk", "b64")


def outcome(data, settings):
    """Return the kind and verdict, or the code of our own error; anything else comes out as it is."""
    try:
        explanation = explain(data, settings)
    except CyberIDError as error:
        return error.code
    assert isinstance(explanation, Explanation)
    json.dumps(explanation.to_dict()).encode()
    return explanation.verdict


@pytest.mark.parametrize("kind", [None, *Kind])
@given(beginning=BEGINNINGS, rest=st.binary(max_size=200))
def test_any_bytes(desk, kind, beginning, rest):
    """Bytes of no form at all are explained as something, and never pass."""
    assert Verdict.PASSES is not outcome(beginning + rest, desk.trusting(kind=kind))


@given(changes=st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=8), VALUES, max_size=4))
def test_any_claims(desk, changes):
    """Signed claims of any type are explained, and never pass with so little known."""
    token = desk.token(**{name: value for name, value in changes.items() if name != "self"})
    assert Verdict.PASSES is not outcome(token, desk.trusting(show_values=True))


@given(changes=st.dictionaries(st.sampled_from(HEADERS) | st.text(max_size=8), VALUES, max_size=3))
def test_any_header(desk, changes):
    """A header of any members is explained."""
    assert Verdict.PASSES is not outcome(desk.token(header=changes), desk.trusting())


@given(
    entries=st.lists(
        VALUES
        | st.dictionaries(
            st.sampled_from(["kty", "crv", "x", "y", "n", "e", "alg", "kid", "x5c"]), VALUES, max_size=6
        ),
        max_size=3,
    )
)
def test_any_key_set(desk, entries):
    """Entries of any form are explained."""
    outcome(json.dumps({"keys": entries}).encode(), desk.trusting())


@given(data=st.data())
def test_any_change_of_one_byte(desk, data):
    """A chain with one byte changed is explained."""
    certificate = bytearray(der(desk.keyring.signer("assertion").chain[0]))
    place = data.draw(st.integers(0, len(certificate) - 1))
    certificate[place] = data.draw(st.integers(0, 255))
    outcome(bytes(certificate), desk.trusting())


@pytest.mark.parametrize(
    "data", [b"", b" ", b"hello", b"{}", b'{"a":1}', b"a.b c", b"\xff\xfe", "网络".encode()]
)
def test_what_looks_like_nothing(desk, data):
    """Bytes that look like no document are refused without a code, and the kind is said to be unknown."""
    explanation = explain(data, desk.settings())
    assert (Kind.UNKNOWN, Verdict.FAILS, None) == (explanation.kind, explanation.verdict, explanation.code)


def test_white_space_around_a_document(desk):
    """A line end at the end of a file is no part of the document."""
    token = desk.token()
    assert explain(token, desk.settings()) == explain(b"\n" + token + b"\r\n", desk.settings())
