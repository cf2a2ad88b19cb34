"""Challenges are read as RFC 9110 writes them, and what is malformed holds none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.wire.challenges import CHALLENGES_MAX, parse_challenges


def read(header: object) -> list[tuple[str, dict[str, str]]]:
    return [(each.scheme, dict(each.parameters)) for each in parse_challenges(header)]


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ('DPoP error="use_dpop_nonce"', [("dpop", {"error": "use_dpop_nonce"})]),
        ('dPoP error="use_dpop_nonce"', [("dpop", {"error": "use_dpop_nonce"})]),
        ('DPoP ERROR="use_dpop_nonce"', [("dpop", {"error": "use_dpop_nonce"})]),
        ("DPoP error=use_dpop_nonce", [("dpop", {"error": "use_dpop_nonce"})]),
        ('DPoP error = "a" , algs\t=\t"ES256 PS256"', [("dpop", {"error": "a", "algs": "ES256 PS256"})]),
        ("DPoP", [("dpop", {})]),
        ("DPoP error=", [("dpop", {})]),
        ("DPoP, Bearer", [("dpop", {}), ("bearer", {})]),
        (' ,, DPoP error="a",, , algs="ES256",', [("dpop", {"error": "a", "algs": "ES256"})]),
        (
            'Bearer realm="a, DPoP error=x", DPoP algs="ES256", error="use_dpop_nonce", Basic realm="b"',
            [
                ("bearer", {"realm": "a, DPoP error=x"}),
                ("dpop", {"algs": "ES256", "error": "use_dpop_nonce"}),
                ("basic", {"realm": "b"}),
            ],
        ),
        ('Negotiate abc==, DPoP error="a"', [("negotiate", {}), ("dpop", {"error": "a"})]),
        ('Negotiate a.b/c+d, DPoP error="a"', [("negotiate", {}), ("dpop", {"error": "a"})]),
        (r'DPoP error="a\"b\\c"', [("dpop", {"error": 'a"b\\c'})]),
        ('DPoP error=""', [("dpop", {"error": ""})]),
        ('DPoP   error="a"', [("dpop", {"error": "a"})]),
        ('Bearer error="a", DPoP error="b"', [("bearer", {"error": "a"}), ("dpop", {"error": "b"})]),
    ],
)
def test_challenges_are_read(header, challenges):
    """Schemes and names have no case, values have; several challenges stand in one header."""
    assert challenges == read(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " , ",
        None,
        1,
        b'DPoP error="a"',
        'DPoP error="a',
        'DPoP error="a" algs="b"',
        'DPoP error="a", error="b"',
        'DPoP error="a", ERROR="b"',
        'error="use_dpop_nonce"',
        "DPoP =a",
        'DPoP error="a\x00b"',
        'DPoP error="é"',
        'DPoP error="a"; algs="b"',
        "(DPoP)",
        'DPoP error="a" x',
    ],
)
def test_what_is_malformed_holds_no_challenge(header):
    """Half a header is not read, and a parameter that stands twice spoils all of it."""
    assert [] == read(header)


def test_a_header_that_is_too_long_is_not_read():
    """Up to the limit a header is read, one character more and it is not."""
    longest = 'DPoP a="' + "x" * (CHALLENGES_MAX - 9) + '"'
    assert CHALLENGES_MAX == len(longest)
    assert 1 == len(read(longest))
    assert [] == read(longest + " ")


@given(st.text(st.sampled_from('DPoP error="\\,=;\t\x00é'), max_size=60) | st.text(max_size=60))
def test_nothing_raises(header):
    """Whatever text arrives, it is read or it is not."""
    for scheme, parameters in read(header):
        assert scheme == scheme.lower()
        assert all(name == name.lower() for name in parameters)


@pytest.mark.parametrize("part", ["a=b,", '"', "a", "a=", ", ", '\\"', "a ", "Basic a=b,"])
def test_reading_takes_no_longer_than_the_header_is(part):
    """No header of the allowed length keeps a login waiting: what is repeated is looked at once."""
    parse_challenges("DPoP " + part * (CHALLENGES_MAX // len(part) - 2))
