"""The claims of a credential come out by name and type, and what the profile does not have is told by name."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.wire.credential import CREDENTIAL_MAX_BYTES, parse_credential

X, Y = bytes(range(32)), bytes(range(32, 64))
CLAIMS = {
    "iss": "https://issuer.example",
    "sub": "Zq3vT8wLx0aPf5RkYd2mNb",
    "aud": "https://shop.example",
    "iat": 1_799_884_800,
    "exp": 1_801_094_400,
    "vct": "urn:cyberid:pairwise:1",
    "acr": "urn:cyberid:mode:r01",
    "persistence": "A",
}


def b64(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def digest(text):
    return b64(hashlib.sha256(text.encode()).digest())


JWK = {"kty": "EC", "crv": "P-256", "x": b64(X), "y": b64(Y)}
STATUS = {"uri": "https://issuer.example/status-lists/1", "idx": 5}
AGE_BAND = b64(["salt", "age_band", "adult"])
HONEST = {
    **CLAIMS,
    "cnf": {"jwk": JWK},
    "status": {"status_list": STATUS},
    "_sd": [digest(AGE_BAND)],
    "_sd_alg": "sha-256",
}


def make(claims=None, *disclosures, binding="", header=None, **changes):
    members = {**(HONEST if claims is None else claims), **changes}
    members = {name: value for name, value in members.items() if value is not ...}
    return "~".join((f"{b64(header or {'alg': 'ES256'})}.{b64(members)}.AA", *disclosures, binding))


def refused(text):
    with pytest.raises(VerificationError) as caught:
        parse_credential(text)
    return caught.value.code


def test_all():
    """Every claim of the profile comes out under its own name."""
    parsed = parse_credential(make(None, AGE_BAND, binding="x.y.z"))
    assert CLAIMS == {name: getattr(parsed, name) if name != "aud" else parsed.aud[0] for name in CLAIMS}
    key = parsed.holder_key
    assert ("EC", "P-256", X, Y) == (key.kty, key.crv, key.x, key.y)
    assert ("adult", "x.y.z", {("age_band",)}, ((),)) == (
        parsed.age_band,
        parsed.key_binding,
        parsed.disclosed,
        parsed.digests_at,
    )
    assert (STATUS["uri"], STATUS["idx"]) == (parsed.status_uri, parsed.status_idx)
    assert frozenset() == parsed.foreign == parsed.holder_key_others


def test_what_is_not_disclosed_is_not_there():
    """Without its disclosure the age band is ``None``, and its digest is counted all the same."""
    parsed = parse_credential(make())
    assert (None, frozenset(), ((),)) == (parsed.age_band, parsed.disclosed, parsed.digests_at)


@pytest.mark.parametrize("name", [*CLAIMS, "cnf", "status"])
def test_missing(name):
    """Each claim is missed by its absence, and has one type."""
    assert "credential.claim_missing" == refused(make(**{name: ...}))
    for value in (None, True, [], ["x"], {}) if name not in {"cnf", "status"} else (None, True, [], "x"):
        assert "credential.claim_type" == refused(make(**{name: value}))


def test_the_audience_is_one_text():
    """A list is refused, also one of one: there is no second sector for which one credential is good."""
    assert "credential.claim_type" == refused(make(aud=[CLAIMS["aud"]]))


@pytest.mark.parametrize("value", [-1, "1799884800", 253_370_764_801])
@pytest.mark.parametrize("name", ["iat", "exp"])
def test_dates(name, value):
    """A date is a number that a date can have."""
    assert "credential.claim_type" == refused(make(**{name: value}))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({}, "claim_missing"),
        ({"status_list": {}}, "claim_missing"),
        ({"status_list": []}, "claim_type"),
        ({"status_list": {"uri": "x"}}, "claim_missing"),
        ({"status_list": {"idx": 1}}, "claim_missing"),
        ({"status_list": {**STATUS, "idx": 1.0}}, "claim_type"),
        ({"status_list": {**STATUS, "idx": True}}, "claim_type"),
        ({"status_list": {**STATUS, "idx": "1"}}, "claim_type"),
        ({"status_list": {**STATUS, "uri": ""}}, "claim_type"),
    ],
)
def test_status(status, code):
    """A credential names its list and its place in it; both are needed."""
    assert f"credential.{code}" == refused(make(status=status))


@pytest.mark.parametrize(
    ("cnf", "code"),
    [
        ({}, "claim_missing"),
        ({"jkt": "x"}, "claim_missing"),
        ({"jwk": "x"}, "claim_type"),
        ({"jwk": {}}, "claim_missing"),
        ({"jwk": {"kty": "EC", "crv": "P-256"}}, "claim_missing"),
        ({"jwk": {**JWK, "x": 1}}, "claim_type"),
        ({"jwk": {**JWK, "y": None}}, "claim_type"),
        ({"jwk": {**JWK, "x": "AA=="}}, "malformed"),
        ({"jwk": {**JWK, "y": "AB"}}, "malformed"),
    ],
)
def test_holder_key(cnf, code):
    """The key that a credential is bound to stands in it, by its coordinates."""
    assert f"credential.{code}" == refused(make(cnf=cnf))


def test_a_key_of_another_kind_has_one_coordinate():
    """Whether it is the kind that is configured is judged later."""
    parsed = parse_credential(make(cnf={"jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(X)}}))
    assert ("OKP", X, None) == (parsed.holder_key.kty, parsed.holder_key.x, parsed.holder_key.y)


@pytest.mark.parametrize("name", ["d", "kid", "use", "alg", "k"])
def test_members_beside_the_key_are_told(name):
    """A private member and a name are told alike; neither belongs there."""
    assert {name} == parse_credential(make(cnf={"jwk": {**JWK, name: "AA"}})).holder_key_others


@pytest.mark.parametrize(
    ("changes", "foreign"),
    [
        ({"nbf": 1}, {"nbf"}),
        ({"jti": "x", "nonce": "y"}, {"jti", "nonce"}),
        ({"vct#integrity": "x"}, {"vct#integrity"}),
        ({"aka_vcts": ["x"]}, {"aka_vcts"}),
        ({"age_band": "adult"}, {"age_band"}),
        ({"cnf": {"jwk": JWK, "kid": "x"}}, {"kid"}),
        ({"status": {"status_list": STATUS, "more": 1}}, {"more"}),
        ({"status": {"status_list": {**STATUS, "ttl": 1}}}, {"ttl"}),
    ],
)
def test_what_the_profile_does_not_have_is_told(changes, foreign):
    """Every name beyond the profile's comes out, wherever it stands."""
    assert foreign == parse_credential(make(**changes)).foreign


def test_what_comes_from_disclosures_is_told_apart():
    """A claim from a disclosure is a claim, and is known to come from there."""
    text = b64(["salt", "iss", "https://issuer.example"])
    parsed = parse_credential(make(None, text, iss=..., _sd=[digest(text)]))
    assert ("https://issuer.example", {("iss",)}, frozenset()) == (
        parsed.iss,
        parsed.disclosed,
        parsed.foreign,
    )


def test_an_age_band_in_the_open_and_in_a_disclosure_is_refused():
    """One name, one claim."""
    assert "credential.disclosure_name" == refused(make(None, AGE_BAND, age_band="adult"))


def test_the_longest_is_taken():
    """One more character than is allowed is refused unread."""
    room = CREDENTIAL_MAX_BYTES - len(make(jti=""))
    text = make(jti="x" * (room * 3 // 4 - 2))
    padded = text + "x" * (CREDENTIAL_MAX_BYTES - len(text))
    assert CREDENTIAL_MAX_BYTES == len(padded)
    assert {"jti"} == parse_credential(padded).foreign
    assert "credential.too_large" == refused(padded + "x")


def test_nothing_about_the_person_is_shown():
    """What is printed has neither pseudonym nor mode, nor where the status is."""
    shown = repr(parse_credential(make(None, AGE_BAND, binding="secret.binding.x")))
    for text in (CLAIMS["sub"], CLAIMS["acr"], STATUS["uri"], "idx", "adult", "secret", b64(X), repr(X)):
        assert text not in shown


values = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just({}) | st.just([])


@given(claims=st.dictionaries(st.sampled_from([*HONEST, "age_band"]), values, max_size=4), disclosed=values)
def test_any_claims_are_parsed_or_refused(claims, disclosed):
    """No value of any claim raises anything of another kind."""
    text = b64(["salt", "age_band", disclosed])
    with suppress(VerificationError):
        parse_credential(make(HONEST, text, **{"_sd": [digest(text)], **claims}))
