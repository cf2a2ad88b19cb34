"""Receipts of app launches, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import ASSERTION_MAX_BYTES, UnverifiedReceipt, parse_jws, parse_receipt

REFUSAL = {
    "iss": "https://issuer.example",
    "aud": "shop",
    "iat": 1_800_000_000,
    "exp": 1_800_000_300,
    "bizSeq": "made-up-sequence",
    "appID": "app-1",
    "blobs_hash": "made-up-hash",
    "outcome": "frozen",
}
LEAST = {**REFUSAL, "outcome": "success", "sub": "Zq3vT8wLx0aPf5RkYd2mNb"}
TEXTS = ["caller", "acr", "sector", "persistence", "sid", "age_band"]
FOREIGN = [
    *("nonce", "azp", "at_hash", "events", "sub_id", "code", "state", "error"),
    *("vct", "cnf", "status_list"),
]


def _refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_receipt(token)
    return caught.value.code


def test_least(make_token):
    """What a success must have is enough to be parsed; the checklist asks for more."""
    token = make_token(LEAST)
    assert UnverifiedReceipt(
        jws=parse_jws(token, document="receipt", max_bytes=10_000),
        iss="https://issuer.example",
        aud=("shop",),
        exp=1_800_000_300.0,
        iat=1_800_000_000.0,
        nbf=None,
        auth_time=None,
        biz_seq="made-up-sequence",
        app_id="app-1",
        blobs_hash="made-up-hash",
        caller=None,
        outcome="success",
        acr=None,
        factors={},
        sub="Zq3vT8wLx0aPf5RkYd2mNb",
        sector=None,
        persistence=None,
        sid=None,
        age_band=None,
        foreign=frozenset(),
    ) == parse_receipt(token)


def test_all(make_token):
    """Every claim comes out under its own name; no other claim does, a status least of all."""
    more = {name: f"value of {name}" for name in TEXTS}
    dates = {"nbf": 1.5, "auth_time": 0}
    factors = {"certificate": "passed", "password": "not_executed", "voice": "perhaps"}
    others = {"status": {"status_list": {"idx": 1, "uri": "x"}}, "name": "nobody", "jti": 1}
    value = parse_receipt(make_token({**LEAST, **more, **dates, **others, "factors": factors}))
    assert more == {name: getattr(value, name) for name in TEXTS}
    assert (1.5, 0.0, factors, frozenset()) == (value.nbf, value.auth_time, value.factors, value.foreign)


def test_a_refusal_names_nobody(make_token):
    """A receipt that says why nobody logged in needs neither pseudonym nor mode."""
    value = parse_receipt(make_token(REFUSAL))
    assert ("frozen", "", None, {}) == (value.outcome, value.sub, value.acr, value.factors)
    assert frozenset() == value.foreign


@pytest.mark.parametrize("name", ["sub", "sid", "sector", "persistence", "age_band"])
def test_what_only_a_login_has_is_foreign_to_a_refusal(make_token, name):
    """A refusal that speaks of a person is neither one nor the other; a person in it is not read."""
    value = parse_receipt(make_token({**REFUSAL, name: "x" * 30}))
    assert (frozenset({name}), "") == (value.foreign, value.sub)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("outcome", ["success", "frozen"])
def test_claims_of_other_documents_are_told(make_token, name, outcome):
    """What belongs to an assertion, a notice, an answer or a credential is noted, whatever it holds."""
    members = LEAST if outcome == "success" else REFUSAL
    assert frozenset({name}) == parse_receipt(make_token({**members, name: None})).foreign


@pytest.mark.parametrize("name", LEAST)
def test_missing(make_token, name):
    """Each required claim is missed by its absence."""
    rest = {key: value for key, value in LEAST.items() if key != name}
    assert "receipt.claim_missing" == _refused(make_token(rest))


@pytest.mark.parametrize("name", [*LEAST, *TEXTS, "nbf", "auth_time"])
@pytest.mark.parametrize("value", [None, True, "", {}, [1], [""], -1])
def test_wrong_type(make_token, name, value):
    """A claim that is there with another type, null included, is of a wrong type."""
    assert "receipt.claim_type" == _refused(make_token({**LEAST, name: value}))


@pytest.mark.parametrize(
    "value", [None, True, "passed", ["passed"], {"face": None}, {"face": True}, {"": {}}]
)
def test_factors_are_an_object_of_texts(make_token, value):
    """A list of what passed is the form of another document."""
    assert "receipt.claim_type" == _refused(make_token({**LEAST, "factors": value}))


@pytest.mark.parametrize(
    "token", ["", "a.b", "a.b.c.d.e", "e30.e30.", "e30.e30.AAAA", "null", b"\xff", 1, None]
)
def test_malformed(token):
    """A receipt is a compact JWS."""
    assert "receipt.malformed" == _refused(token)


def test_size(make_token):
    """The limit itself is allowed, four characters more are not read."""
    token = make_token(LEAST, signature=b"")
    room = ASSERTION_MAX_BYTES - len(token)
    largest = token + "A" * (room - (room % 4 == 1))
    assert "success" == parse_receipt(largest).outcome
    assert "receipt.too_large" == _refused(largest + "AAAA")


def test_another_payload_than_base64url_is_critical(make_token):
    """RFC 7797 is not understood."""
    assert "receipt.critical" == _refused(make_token(LEAST, {"alg": "ES256", "b64": False}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, *TEXTS, *FOREIGN, "factors"]), JSON))
def test_any_members(make_token, changes):
    """Whatever the claims hold, a value or our own error comes out."""
    try:
        value = parse_receipt(make_token({**LEAST, **changes}))
    except CyberIDError:
        return
    assert type(value.biz_seq) is str


@given(st.text() | st.binary())
def test_any_input(token):
    """Whatever arrives, our own error comes out."""
    with pytest.raises(CyberIDError):
        parse_receipt(token)
