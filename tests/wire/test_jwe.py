import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import (
    JWE_HEADER_MAX_BYTES,
    JWE_KEY_MAX_BYTES,
    JWE_MAX_BYTES,
    EphemeralKey,
    is_jwe,
    parse_jwe,
)

LEAST = {"alg": "ECDH-ES", "enc": "A256GCM"}
POINT = {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "Ag"}
# The header of the example in RFC 7516 §3.3.
EXAMPLE = {"alg": "RSA-OAEP", "enc": "A256GCM"}


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def make(header=None, *, key=b"key", iv=b"iv", content=b"content", tag=b"tag", **changes):
    if not isinstance(header, bytes):
        header = json.dumps({**(LEAST if header is None else header), **changes}).encode()
    return ".".join(map(b64, (header, key, iv, content, tag)))


def refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_jwe(token, document="id_token")
    return caught.value.code


def test_least():
    """What may be absent is None or false when it is, and the parts come out decoded."""
    token = make()
    jwe = parse_jwe(token, document="id_token")
    assert (token.encode(), "ECDH-ES", "A256GCM") == (jwe.token, jwe.alg, jwe.enc)
    assert (None, None, None, False, False) == (jwe.kid, jwe.cty, jwe.epk, jwe.compressed, jwe.critical)
    assert (b"key", b"iv", b"tag") == (jwe.encrypted_key, jwe.iv, jwe.tag)


def test_all():
    """Every member comes out under its own name, and those that are not read do not matter."""
    odd = {"jku": 1, "jwk": 2, "x5u": [], "x5c": None, "p2c": 10**9, "typ": 3}
    token = make(kid="k", cty="JWT", epk=POINT, apu="QQ", apv="Qg", zip=None, crit=None, **odd)
    jwe = parse_jwe(token.encode(), document="id_token")
    assert ("k", "JWT", True, True) == (jwe.kid, jwe.cty, jwe.compressed, jwe.critical)
    assert EphemeralKey(crv="P-256", x=b"\x01", y=b"\x02") == jwe.epk


def test_the_header_of_the_standard_is_read():
    """Which algorithms are good is not this parser's business."""
    jwe = parse_jwe(make(EXAMPLE), document="id_token")
    assert EXAMPLE == {"alg": jwe.alg, "enc": jwe.enc}


@pytest.mark.parametrize("name", ["alg", "enc", "kid", "cty", "apu", "apv"])
@pytest.mark.parametrize("value", [None, True, 1, "", {}, []])
def test_texts(name, value):
    """A text is a text, and not an empty one."""
    assert refused(make(**{name: value})) == "id_token.malformed"


@pytest.mark.parametrize("name", LEAST)
def test_missing(name):
    """Both algorithms are there."""
    assert refused(make({key: value for key, value in LEAST.items() if key != name})) == "id_token.malformed"


@pytest.mark.parametrize("name", ["apu", "apv"])
@pytest.mark.parametrize("value", ["A", "AB", "QQ==", "Q Q", "é", "+w"])
def test_party_information_is_base64url(name, value):
    """It goes into the key as bytes, which have one spelling."""
    assert refused(make(**{name: value})) == "id_token.malformed"


@pytest.mark.parametrize(
    "epk",
    [
        None,
        "x",
        [],
        {},
        {**POINT, "kty": "OKP"},
        {**POINT, "crv": 1},
        {**POINT, "x": 1},
        {**POINT, "y": None},
        {**POINT, "x": "A"},
        {**POINT, "y": "AB"},
        {**POINT, "d": "AQ"},
        {**POINT, "kid": "x"},
        {name: value for name, value in POINT.items() if name != "y"},
    ],
)
def test_an_ephemeral_key_is_a_point(epk):
    """Its four members are all there, and no other is."""
    assert refused(make(epk=epk)) == "id_token.malformed"


@pytest.mark.parametrize(
    "head", [b"", b"x", b"[]", b"null", b'{"alg":"a","enc":"b","enc":"b"}', b'{"alg":NaN}', b"\xff"]
)
def test_the_header_is_strict_json(head):
    """A header with two meanings, or with none, is refused."""
    assert refused(make(head)) == "id_token.malformed"


@pytest.mark.parametrize(
    "token", ["", "....", "a.b.c", None, 1, "A" * 9, make() + ".", "." + make(), make() + "\n"]
)
def test_malformed(token):
    """Five parts of strict base64url, and nothing else."""
    assert refused(token) == "id_token.malformed"


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("part", ["=", "A", "AB", "a+", "a/", "é", " ", "AA=="])
def test_each_part_is_strict(number, part):
    """One value has one spelling."""
    parts = make().split(".")
    assert refused(".".join([*parts[:number], part, *parts[number + 1 :]])) == "id_token.malformed"


def test_sizes():
    """The limits themselves are allowed, one byte more is not."""
    least = len(json.dumps({**LEAST, "x": ""}))
    fitting = make(x="x" * (JWE_HEADER_MAX_BYTES - least), key=bytes(JWE_KEY_MAX_BYTES))
    assert parse_jwe(fitting, document="id_token").alg == "ECDH-ES"
    assert refused(make(x="x" * (JWE_HEADER_MAX_BYTES - least + 1))) == "id_token.too_large"
    assert refused(make(key=bytes(JWE_KEY_MAX_BYTES + 1))) == "id_token.too_large"
    token = make(content=b"", tag=b"")
    room = JWE_MAX_BYTES - len(token)
    largest = token + "A" * (room - (room % 4 == 1))
    assert parse_jwe(largest, document="id_token").enc == "A256GCM"
    assert refused(largest + "AAAA") == "id_token.too_large"


def test_the_document_gives_the_codes():
    """Another document has codes of its own."""
    with pytest.raises(VerificationError) as caught:
        parse_jwe("x", document="logout_token")
    assert caught.value.code == "logout_token.malformed"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("a.b.c.d.e", True),
        (b"....", True),
        ("a.b.c", False),
        ("a.b.c.d.e.f", False),
        ("", False),
        (None, False),
    ],
)
def test_the_number_of_parts_tells_what_it_is(token, expected):
    """Five parts are an encrypted token (RFC 7516 §9)."""
    assert is_jwe(token) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["alg", "enc", "kid", "cty", "epk", "apu", "apv", "zip", "crit"]), JSON)
)
def test_any_header(changes):
    """Whatever the header holds, a value or our own error comes out."""
    try:
        jwe = parse_jwe(make(**changes), document="id_token")
    except CyberIDError:
        return
    assert type(jwe.alg) is str


@given(st.text() | st.binary())
def test_any_input(token):
    """Whatever arrives, our own error comes out."""
    with pytest.raises(CyberIDError):
        parse_jwe(token, document="id_token")
