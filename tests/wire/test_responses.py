from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire import (
    DISCOVERY_MAX_BYTES,
    JWKS_MAX_BYTES,
    PAR_MAX_BYTES,
    TOKEN_MAX_BYTES,
    UnverifiedDiscovery,
    UnverifiedPAR,
    UnverifiedTokenResponse,
    parse_discovery,
    parse_jwks,
    parse_oauth_error,
    parse_par,
    parse_token,
)

DISCOVERY = {"issuer": "https://issuer.example", "signed_metadata": "a.b.c"}


class Kind(NamedTuple):
    """What the four documents over HTTP differ in."""

    name: str
    parse: Callable[[HTTPResponse], object]
    least: dict[str, object]
    limit: int


KINDS = [
    Kind("discovery", parse_discovery, DISCOVERY, DISCOVERY_MAX_BYTES),
    Kind("par", parse_par, {}, PAR_MAX_BYTES),
    Kind("token", parse_token, {}, TOKEN_MAX_BYTES),
    Kind("jwks", parse_jwks, {"keys": []}, JWKS_MAX_BYTES),
]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def _document_of_error(parse, response):
    try:
        parse(response)
    except CyberIDError as error:
        return error.code.partition(".")[0]
    return None


def _refused(parse, response):
    with pytest.raises(VerificationError) as caught:
        parse(response)
    return caught.value.code


@every_kind
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json ;x=y",
        " application/json",
    ],
)
def test_content_type(make_response, kind, content_type):
    """JSON is served as JSON, with or without parameters."""
    assert kind.parse(make_response(kind.least)) == kind.parse(make_response(kind.least, content_type))


@every_kind
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "application/jsonp",
        "application/problem+json",
        "text/json",
        "application",
        "application/json, application/json",
        "application/json,text/html",
        "text/html; x=application/json",
        "application/json\n",
    ],
)
def test_other_content_type(make_response, kind, content_type):
    """Any other media type is refused, and so is a header that came twice."""
    assert f"{kind.name}.content_type" == _refused(kind.parse, make_response(kind.least, content_type))


@every_kind
def test_no_content_type(kind):
    """A body without media type is not JSON."""
    response = HTTPResponse(status=200, body=b"{}", url="https://issuer.example/")
    assert f"{kind.name}.content_type" == _refused(kind.parse, response)


@every_kind
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"a":1,"a":1}', b"\xef\xbb\xbf{}", b"{} x", b'{"a":NaN}']
)
def test_malformed(make_response, kind, body):
    """The body is one strict JSON object."""
    assert f"{kind.name}.malformed" == _refused(kind.parse, make_response(body))


@every_kind
def test_size(make_response, kind):
    """The limit itself is allowed, one byte more is not read."""
    largest = make_response(kind.least).body.ljust(kind.limit)
    assert kind.parse(make_response(kind.least)) == kind.parse(make_response(largest))
    assert f"{kind.name}.too_large" == _refused(kind.parse, make_response(largest + b" "))


def test_discovery(make_response):
    """Only issuer and signed metadata are read."""
    page = {**DISCOVERY, "token_endpoint": 1, "jwks_uri": None}
    expected = UnverifiedDiscovery(issuer="https://issuer.example", signed_metadata="a.b.c")
    assert expected == parse_discovery(make_response(page))


@pytest.mark.parametrize(
    ("name", "code"),
    [("issuer", "discovery.issuer"), ("signed_metadata", "discovery.signed_metadata_missing")],
)
def test_discovery_incomplete(make_response, name, code):
    """Both are there, as texts that are not empty."""
    without = {key: value for key, value in DISCOVERY.items() if key != name}
    pages = [without, *({**DISCOVERY, name: value} for value in (None, "", 1, True, [], ["a"], {}))]
    assert [code] * 8 == [_refused(parse_discovery, make_response(page)) for page in pages]


def test_par(make_response):
    """Both members come out; whether they must be there is not judged."""
    assert UnverifiedPAR(request_uri="urn:x", expires_in=60) == parse_par(
        make_response({"request_uri": "urn:x", "expires_in": 60, "other": 1})
    )
    assert UnverifiedPAR(request_uri=None, expires_in=None) == parse_par(make_response({}))


def test_token(make_response):
    """The five members come out; others, a refresh token among them, are dropped."""
    members = {
        "access_token": "a",
        "token_type": "Bearer",
        "id_token": "i",
        "scope": "openid",
        "expires_in": 0.5,
    }
    assert UnverifiedTokenResponse(**members) == parse_token(make_response({**members, "refresh_token": 1}))
    nothing = dict.fromkeys(members)
    assert UnverifiedTokenResponse(**nothing) == parse_token(make_response({}))


@pytest.mark.parametrize(
    ("parse", "name", "code"),
    [
        (parse_par, "request_uri", "par.request_uri"),
        (parse_token, "access_token", "token.access_token"),
        (parse_token, "token_type", "token.token_type"),
        (parse_token, "id_token", "token.id_token_missing"),
        (parse_token, "scope", "token.scope"),
    ],
)
@pytest.mark.parametrize("value", [None, "", 1, True, [], ["a"], {}])
def test_no_text(make_response, parse, name, code, value):
    """A member that is there is a text that is not empty."""
    assert code == _refused(parse, make_response({name: value}))


@pytest.mark.parametrize(("document", "parse"), [("par", parse_par), ("token", parse_token)])
@pytest.mark.parametrize("value", [None, "", "60", True, False, [], [60], {}])
def test_no_lifetime(make_response, document, parse, value):
    """A lifetime that is there is a number, never a text or a truth value."""
    assert f"{document}.expires_in" == _refused(parse, make_response({"expires_in": value}))


@pytest.mark.parametrize("parse", [parse_par, parse_token])
@pytest.mark.parametrize(
    ("sent", "read"),
    [(0, 0), (-1, -1), (0.5, 0.5), (2**31, 2**31), (2**31 + 1, 2**31), (10**19, 2**31), (1e300, 2**31)],
)
def test_lifetime(make_response, parse, sent, read):
    """A lifetime of any sign is read as it stands, a very long one as 2³¹ seconds."""
    assert read == parse(make_response({"expires_in": sent})).expires_in


@pytest.mark.parametrize(
    "error", ["invalid_grant", "x", "a b", " ", "!", "#", "[", "]", "~", "x" * 64, "urn:error:1"]
)
def test_oauth_error(make_response, error):
    """An error code of allowed characters is returned, whatever the media type."""
    body = {"error": error, "error_description": "x"}
    assert [error] * 2 == [
        parse_oauth_error(make_response(body, kind)) for kind in ("text/html", "application/json")
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"error":"a","error":"a"}',
        b'{"error":"a"}'.ljust(PAR_MAX_BYTES + 1),
        *(
            {"error": value}
            for value in (None, "", 1, True, [], {}, "x" * 65, 'a"', "a\\", "a\n", "\x7f", "é")
        ),
    ],
)
def test_no_oauth_error(make_response, body):
    """Anything else is no error code."""
    assert parse_oauth_error(make_response(body)) is None


@every_kind
@given(body=st.binary(max_size=60))
def test_any_body(make_response, kind, body):
    """Whatever bytes arrive, a value or our own error of this document comes out."""
    assert _document_of_error(kind.parse, make_response(body)) in (None, kind.name)


@given(st.binary(max_size=60))
def test_any_error_body(make_response, body):
    """Whatever bytes arrive, an error code or nothing comes out."""
    assert parse_oauth_error(make_response(body)) is None or b"error" in body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)
MEMBERS = [
    "issuer",
    "signed_metadata",
    "request_uri",
    "expires_in",
    "access_token",
    "id_token",
    "scope",
    "keys",
]


@every_kind
@given(members=st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_any_members(make_response, kind, members):
    """Whatever the members hold, a value or our own error of this document comes out."""
    assert _document_of_error(kind.parse, make_response(members)) in (None, kind.name)


@given(st.text(max_size=30))
def test_any_content_type(make_response, content_type):
    """Whatever the media type is, a value or our own error comes out."""
    assert _document_of_error(parse_par, make_response({}, content_type)) in (None, "par")


def test_repr(make_response):
    """No token and no reference is shown."""
    secret = make_response({"access_token": "secret", "id_token": "secret", "request_uri": "secret"})
    assert [
        shown for shown in (repr(parse_par(secret)), repr(parse_token(secret))) if "secret" in shown
    ] == []
