import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import JWK, KEYS_MAX, parse_jwks

EC = {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "Ag"}
OKP = {"kty": "OKP", "crv": "Ed25519", "x": "AQ"}
RSA = {"kty": "RSA", "n": "AQ", "e": "AQAB"}
AKP = {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AQ"}
KINDS = [EC, OKP, RSA, AKP]
PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed"]


def _key(**values):
    nothing = dict.fromkeys(["kid", "use", "alg", "crv", "key_ops", "x", "y", "n", "e", "pub"])
    return JWK(**{**nothing, "x5c": (), **values})


def _refused(response):
    with pytest.raises(VerificationError) as caught:
        parse_jwks(response)
    return caught.value.code


def test_kinds(make_response):
    """The four kinds of public keys come out decoded and in their order."""
    expected = (
        _key(kty="EC", crv="P-256", x=b"\x01", y=b"\x02"),
        _key(kty="OKP", crv="Ed25519", x=b"\x01"),
        _key(kty="RSA", n=b"\x01", e=b"\x01\x00\x01"),
        _key(kty="AKP", alg="ML-DSA-65", pub=b"\x01"),
    )
    assert expected == parse_jwks(make_response({"keys": KINDS}))


def test_all_members(make_response):
    """What a key says about itself comes out, and other members are dropped."""
    more = {"kid": "k", "use": "sig", "alg": "ES256", "key_ops": ["verify"], "x5c": ["AQI="]}
    expected = _key(
        kty="EC",
        crv="P-256",
        x=b"\x01",
        y=b"\x02",
        kid="k",
        use="sig",
        alg="ES256",
        key_ops=("verify",),
        x5c=(b"\x01\x02",),
    )
    assert (expected,) == parse_jwks(make_response({"keys": [{**EC, **more, "n": 1, "x5u": 1, "iat": 1}]}))


def test_media_type_of_key_sets(make_response):
    """A key set may be served under its own media type."""
    assert parse_jwks(make_response({"keys": []}, "application/jwk-set+json")) == ()


@pytest.mark.parametrize("page", [{}, {"keys": None}, {"keys": {}}, {"keys": "x"}, {"keys": 1}, {"Keys": []}])
def test_no_list(make_response, page):
    """A key set is an object with a list of keys."""
    assert _refused(make_response(page)) == "jwks.malformed"


@pytest.mark.parametrize("needed", [(kind, name) for kind in KINDS for name in kind])
@pytest.mark.parametrize("value", [None, "", 1, True, [], {}, "A", "AR", "A=", "A A", "AQ==", "ab+/"])
def test_malformed_member(make_response, needed, value):
    """A key with a needed member that cannot be read is skipped; its neighbours stay."""
    kind, name = needed
    if name in ("crv", "alg") and isinstance(value, str) and value:
        value = 1
    assert parse_jwks(make_response({"keys": [EC]})) == parse_jwks(
        make_response({"keys": [{**kind, name: value}, EC]})
    )


@pytest.mark.parametrize("needed", [(kind, name) for kind in KINDS for name in kind])
def test_absent_member(make_response, needed):
    """A key without a needed member is skipped."""
    kind, name = needed
    rest = {key: value for key, value in kind.items() if key != name}
    assert parse_jwks(make_response({"keys": [rest]})) == ()


@pytest.mark.parametrize(
    "oddity",
    [
        {"kid": 1},
        {"kid": None},
        {"kid": ""},
        {"use": ["sig"]},
        {"alg": 1},
        {"crit": ["x"]},
        {"key_ops": "verify"},
        {"key_ops": [1]},
        {"key_ops": ["verify", "verify"]},
        {"key_ops": None},
        {"x5c": []},
        {"x5c": "AQI="},
        {"x5c": ["AQI"]},
        {"x5c": [1]},
        {"x5c": ["AQI="] * 11},
        {"x5c": None},
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_odd_key(make_response, kind, oddity):
    """A key that says about itself what cannot be read is skipped, not fatal."""
    assert parse_jwks(make_response({"keys": [{**kind, **oddity}]})) == ()


@pytest.mark.parametrize(
    "entry", [None, 1, "x", [], {}, {"kty": "oct"}, {"kty": "XYZ", "x": "AQ"}, {"kty": ["EC"]}]
)
def test_unknown_entry(make_response, entry):
    """An entry of an unknown kind is skipped, not fatal."""
    assert parse_jwks(make_response({"keys": [EC]})) == parse_jwks(make_response({"keys": [entry, EC]}))


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("kind", [*KINDS, {"kty": "oct"}, {"kty": "XYZ"}, {}])
def test_private(make_response, name, kind):
    """A private member in any entry, understood or not, condemns the whole set."""
    assert _refused(make_response({"keys": [EC, {**kind, name: None}]})) == "jwks.private_key"


def test_number(make_response):
    """A hundred keys are read, one more is not."""
    assert len(parse_jwks(make_response({"keys": [OKP] * KEYS_MAX}))) == KEYS_MAX
    assert _refused(make_response({"keys": [OKP] * (KEYS_MAX + 1)})) == "jwks.too_many_keys"


def test_size_of_member(make_response):
    """A member of 4096 bytes is read, a longer one makes no key."""
    largest, larger = (base64.urlsafe_b64encode(bytes(size)).rstrip(b"=").decode() for size in (4096, 4097))
    keys = parse_jwks(make_response({"keys": [{**RSA, "n": largest}, {**RSA, "n": larger}]}))
    assert [bytes(4096)] == [key.n for key in keys]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)
NAMES = ["kty", "kid", "use", "alg", "crv", "key_ops", "x", "y", "n", "e", "pub", "x5c", "crit"]


@given(st.lists(st.sampled_from(KINDS), max_size=2), st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_entry(make_response, kinds, changes):
    """Whatever an entry holds, keys of the promised types or our own error come out."""
    try:
        keys = parse_jwks(make_response({"keys": [changes, *({**kind, **changes} for kind in kinds)]}))
    except CyberIDError:
        return
    assert all(key.kty in ("EC", "OKP", "RSA", "AKP") for key in keys)
