import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import CERTIFICATE_MAX_BYTES, CERTIFICATES_MAX, JWSHeader, UnverifiedJWS, parse_jws


def _parse(token, max_bytes=10_000):
    return parse_jws(token, document="id_token", max_bytes=max_bytes)


def _refused(token, **limits):
    with pytest.raises(VerificationError) as caught:
        _parse(token, **limits)
    return caught.value.code


def _b64(data):
    return base64.b64encode(data).decode()


def test_parts(make_token):
    """The parts come out decoded, and the signing input is the token up to the second dot."""
    header = {"alg": "ES256", "kid": "k", "typ": "JWT", "x5c": [_b64(b"leaf"), _b64(b"ca")], "crit": ["x"]}
    token = make_token(b"payload", header)
    assert _parse(token) == UnverifiedJWS(
        header=JWSHeader(alg="ES256", kid="k", typ="JWT", x5c=(b"leaf", b"ca"), critical=True),
        payload=b"payload",
        signing_input=token.rpartition(".")[0].encode(),
        signature=b"signature",
    )


def test_least_header(make_token):
    """Only the algorithm must be in the header."""
    assert (
        JWSHeader(alg="x", kid=None, typ=None, x5c=(), critical=False)
        == _parse(make_token(b"", {"alg": "x"})).header
    )


def test_keys_in_the_header_are_not_read(make_token):
    """A header that brings or points to a key is read as if it did not."""
    plain = _parse(make_token(b"", {"alg": "x"})).header
    assert plain == _parse(make_token(b"", {"alg": "x", "jku": 1, "jwk": [], "x5u": {}, "zip": "DEF"})).header


def test_text_and_bytes(make_token):
    """Text, bytes and their subclasses are the same token, whatever methods a subclass has."""

    class Text(str):
        __slots__ = ()

        def encode(self, *_args):
            return b"other"

        def split(self, *_args):
            return ["other"]

    class Octets(bytes):
        def __getitem__(self, _key):
            return b"other"

        def decode(self, *_args):
            return "other"

    token = make_token(b"payload")
    assert [_parse(token)] * 3 == [
        _parse(token.encode()),
        _parse(Text(token)),
        _parse(Octets(token.encode())),
    ]


@pytest.mark.parametrize("token", [None, 1, [], {}, bytearray(b"a.b.c"), memoryview(b"a.b.c")])
def test_no_token_type(token):
    """What is neither text nor bytes is malformed."""
    assert _refused(token) == "id_token.malformed"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: "",
        lambda _: "..",
        lambda token: token + ".",
        lambda token: token + ".e30",
        lambda token: "." + token,
        lambda token: token.rpartition(".")[0],
        lambda token: token.replace(".", ""),
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token + "=",
        lambda token: token.replace(".", ". "),
        lambda token: token.replace(".", "%2E"),
        lambda token: token + "\u0130",
        lambda token: token + "\ud800",
        lambda token: token.encode() + b"\xff",
        lambda _: "null",
    ],
)
def test_not_compact(make_token, change):
    """A compact JWS is three parts of strict base64url and nothing else."""
    assert _refused(change(make_token(b"{}"))) == "id_token.malformed"


def test_empty_signature(make_token):
    """An empty signature is well formed; it is for the algorithm to refuse it."""
    token = make_token(b"{}", signature=b"")
    assert (b"", token[:-1].encode()) == (_parse(token).signature, _parse(token).signing_input)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_loose_bits(make_token, part):
    """Loose trailing bits are refused in every part."""
    token = make_token(b"payload", b'{"alg":"x"} ' + b" ", signature=b"x")
    parts = token.split(".")
    assert len(parts[part]) % 4 == 2
    parts[part] = parts[part][:-1] + chr(ord(parts[part][-1]) + 1)
    assert _refused(".".join(parts)) == "id_token.malformed"


@pytest.mark.parametrize(
    "header",
    [
        [],
        "x",
        b"",
        b"null",
        b'{"alg":"ES256","alg":"ES256"}',
        b'{"alg":"ES256"} x',
        {},
        {"alg": ""},
        {"alg": None},
        {"alg": 1},
        {"alg": ["ES256"]},
        {"alg": "x", "kid": 1},
        {"alg": "x", "kid": None},
        {"alg": "x", "kid": ""},
        {"alg": "x", "typ": True},
        {"alg": "x", "typ": None},
        {"alg": "x", "typ": ""},
    ],
)
def test_header(make_token, header):
    """The header is a strict JSON object whose members have their types."""
    assert _refused(make_token(b"{}", header)) == "id_token.malformed"


@pytest.mark.parametrize("crit", [[], ["exp"], None, 0, "x"])
def test_critical(make_token, crit):
    """That crit is there is said, whatever it holds."""
    assert _parse(make_token(b"{}", {"alg": "x", "crit": crit})).header.critical


@pytest.mark.parametrize("b64_member", [False, True, None])
def test_unencoded_payload(make_token, b64_member):
    """A header that speaks about the payload's encoding is refused."""
    assert (
        _refused(make_token(b"{}", {"alg": "x", "b64": b64_member, "crit": ["b64"]})) == "id_token.critical"
    )


def test_size(make_token):
    """The limit itself is allowed, one byte more is not read."""
    token = make_token(b"{}")
    assert _parse(token, max_bytes=len(token)).payload == b"{}"
    assert _refused(token, max_bytes=len(token) - 1) == "id_token.too_large"


@pytest.mark.parametrize(
    "x5c",
    [
        None,
        [],
        "AQI=",
        {},
        [1],
        [None],
        [""],
        ["AQ"],
        ["AQI"],
        ["A-AA"],
        ["AQI=\n"],
        ["AR=="],
        ["AQI=", ""],
        ["AQI=", ["AQI="]],
        ["====", "AQI="],
        ["-----BEGIN CERTIFICATE-----"],
    ],
)
def test_certificates(make_token, x5c):
    """A chain is a list of at least one text in standard base64."""
    assert _refused(make_token(b"{}", {"alg": "x", "x5c": x5c})) == "id_token.malformed"


@pytest.mark.parametrize("escaped", [b"/", rb"\/"])
def test_escaped_slash(make_token, escaped):
    """A slash in a certificate may be escaped, as some JSON writers do."""
    token = make_token(b"{}", b'{"alg":"x","x5c":["' + escaped * 4 + b'"]}')
    assert _parse(token).header.x5c == (b"\xff\xff\xff",)


def test_number_of_certificates(make_token):
    """Ten certificates are read, eleven are not."""
    x5c = [_b64(b"certificate")] * (CERTIFICATES_MAX + 1)
    assert _parse(make_token(b"{}", {"alg": "x", "x5c": x5c[1:]})).header.x5c == (b"certificate",) * 10
    assert _refused(make_token(b"{}", {"alg": "x", "x5c": x5c})) == "id_token.too_large"


@pytest.mark.parametrize("excess", [1, 2, 3, 1000])
def test_size_of_certificate(make_token, excess):
    """A certificate of 16 KiB is read, one byte more is not."""
    largest, larger = bytes(CERTIFICATE_MAX_BYTES), bytes(CERTIFICATE_MAX_BYTES + excess)
    good, bad = (make_token(b"{}", {"alg": "x", "x5c": [_b64(data)]}) for data in (largest, larger))
    assert (largest,) == _parse(good, max_bytes=50_000).header.x5c
    assert _refused(bad, max_bytes=50_000) == "id_token.too_large"


def test_document(make_token):
    """The code begins with the document that was read, also for a header that was read before."""
    token = make_token(b"{}", {"alg": ""})
    for document in ("id_token", "metadata"):
        with pytest.raises(VerificationError) as caught:
            parse_jws(token, document=document, max_bytes=1000)
        assert f"{document}.malformed" == caught.value.code


@given(st.text() | st.binary() | st.text("AQgwe30.=- ", max_size=40))
def test_any_input(token):
    """Whatever arrives, a value or our own error comes out."""
    try:
        value = _parse(token)
    except CyberIDError:
        return
    assert type(value) is UnverifiedJWS


@given(st.binary(max_size=80), st.binary(max_size=20))
def test_any_header(make_token, header, payload):
    """Whatever the parts hold, a value or our own error comes out."""
    try:
        value = _parse(make_token(payload, header))
    except CyberIDError:
        return
    assert payload == value.payload


def test_repr(make_token):
    """Neither payload nor signature nor chain is shown."""
    shown = repr(_parse(make_token(b"payload", {"alg": "ES256", "x5c": [_b64(b"leaf")]})))
    assert shown == "UnverifiedJWS(header=JWSHeader(alg='ES256', kid=None, typ=None, critical=False))"
