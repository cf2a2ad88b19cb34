import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire import (
    DISCOVERY_MAX_BYTES,
    METADATA_MAX_BYTES,
    parse_metadata,
    parse_unsigned_metadata,
)

TEXTS = [
    "iss",
    "sub",
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "pushed_authorization_request_endpoint",
    "jwks_uri",
]
DATES = ["iat", "exp"]
LISTS = [
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "id_token_signing_alg_values_supported",
    "acr_values_supported",
    "subject_types_supported",
    "scopes_supported",
    "authorization_signing_alg_values_supported",
    "id_token_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "request_object_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
]
OPTIONAL = ["end_session_endpoint", "status_list_aggregation_endpoint", "app_verification_endpoint"]
ALIASES = ["token_endpoint", "pushed_authorization_request_endpoint"]
FLAGS = [
    "authorization_response_iss_parameter_supported",
    "tls_client_certificate_bound_access_tokens",
    "require_signed_request_object",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "app_launch_face",
]
NUMBERS = ["credential_epoch_length"]
LEAST = {**{name: f"value of {name}" for name in TEXTS}, **dict.fromkeys(DATES, 1_800_000_000)}
ABSENT = {
    **dict.fromkeys(LISTS, ()),
    **dict.fromkeys([*OPTIONAL, *NUMBERS]),
    **dict.fromkeys([f"mtls_{name}" for name in ALIASES]),
    **dict.fromkeys(FLAGS, False),
}


def _refused(token):
    with pytest.raises(VerificationError) as caught:
        parse_metadata(token)
    return caught.value.code


def _read(token):
    value = parse_metadata(token)
    envelope = {name: getattr(value, name) for name in ("iss", "sub", "iat", "exp")}
    return {**envelope, **_members(value.server)}


def _members(server):
    return {field.name: getattr(server, field.name) for field in dataclasses.fields(server)}


def test_least(make_token):
    """What may be absent is empty, false or None when it is."""
    assert {**LEAST, **ABSENT} == _read(make_token(LEAST))


def test_all(make_token):
    """Every member comes out under its own name, and no other member does."""
    lists = {name: [f"value of {name}", "x"] for name in LISTS}
    more = {**dict.fromkeys(OPTIONAL, "e"), **dict.fromkeys(FLAGS, True), **dict.fromkeys(NUMBERS, 86_400)}
    aliases = {name: f"alias of {name}" for name in ALIASES}
    expected = {
        **LEAST,
        **more,
        **{name: tuple(value) for name, value in lists.items()},
        **{f"mtls_{name}": value for name, value in aliases.items()},
    }
    token = {**LEAST, **lists, **more, "mtls_endpoint_aliases": {**aliases, "x": 1}, "userinfo_endpoint": 1}
    assert expected == _read(make_token(token))


@pytest.mark.parametrize("value", [None, True, "", "x", [], 1, {"token_endpoint": None}, {ALIASES[1]: ""}])
def test_aliases_have_the_types_of_what_they_stand_for(make_token, value):
    """The aliases are an object of texts, and nothing else."""
    assert _refused(make_token({**LEAST, "mtls_endpoint_aliases": value})) == "metadata.claim_type"


@pytest.mark.parametrize("name", ALIASES)
def test_one_alias_may_stand_without_the_other(make_token, name):
    """An issuer names only the endpoints that have another address (RFC 8705 §5)."""
    expected = {**LEAST, **ABSENT, f"mtls_{name}": "e"}
    assert expected == _read(make_token({**LEAST, "mtls_endpoint_aliases": {name: "e"}}))


@pytest.mark.parametrize("name", [*TEXTS, *DATES])
def test_missing(make_token, name):
    """Each required member is missed by its absence."""
    rest = {key: value for key, value in LEAST.items() if key != name}
    assert _refused(make_token(rest)) == "metadata.claim_missing"


@pytest.mark.parametrize("name", [*TEXTS, *DATES, *LISTS, *OPTIONAL])
@pytest.mark.parametrize("value", [None, True, "", {}, [1], [""], [None], -1])
def test_wrong_type(make_token, name, value):
    """A member that is there with another type, null included, is of a wrong type."""
    assert _refused(make_token({**LEAST, name: value})) == "metadata.claim_type"


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("value", [None, 0, 1, "true", [], {}])
def test_flag(make_token, name, value):
    """Only true is true, and nothing but true and false is a truth value."""
    assert _refused(make_token({**LEAST, name: value})) == "metadata.claim_type"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [None, True, "1", 1.0, [], {}])
def test_number(make_token, name, value):
    """A length of time is a whole number, and nothing that looks like one."""
    assert _refused(make_token({**LEAST, name: value})) == "metadata.claim_type"


@pytest.mark.parametrize("token", ["", "a.b", "e30.e30.", "e30.e30.AAAA", "null", "{}"])
def test_malformed(token):
    """Signed metadata is a compact JWS."""
    assert _refused(token) == "metadata.malformed"


def test_size(make_token):
    """The limit itself is allowed, four characters more are not read."""
    token = make_token(LEAST, signature=b"")
    room = METADATA_MAX_BYTES - len(token)
    largest = token + "A" * (room - (room % 4 == 1))
    assert parse_metadata(largest).iss == "value of iss"
    assert _refused(largest + "AAAA") == "metadata.too_large"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, *LISTS, *FLAGS, "mtls_endpoint_aliases"]), JSON))
def test_any_members(make_token, changes):
    """Whatever the members hold, a value or our own error comes out."""
    try:
        value = parse_metadata(make_token({**LEAST, **changes}))
    except CyberIDError:
        return
    assert type(value.server.jwks_uri) is str


@given(st.text() | st.binary())
def test_any_input(token):
    """Whatever arrives, our own error comes out."""
    with pytest.raises(CyberIDError):
        parse_metadata(token)


PAGE = {name: value for name, value in LEAST.items() if name not in {"iss", "sub", "iat", "exp"}}


def _page(members, content_type="application/json"):
    return HTTPResponse(
        status=200,
        url="https://issuer.example/",
        headers={"content-type": content_type},
        body=json.dumps(members).encode(),
    )


def test_an_unsigned_page_has_the_members_of_a_server_and_no_envelope():
    """Who is believed by TLS alone says the same of the server, and nothing of signature or age."""
    assert _members(parse_unsigned_metadata(_page({**PAGE, "iat": "ignored"}))) == {**PAGE, **ABSENT}


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (_page({**PAGE, "jwks_uri": 1}), "discovery.claim_type"),
        (
            _page({name: value for name, value in PAGE.items() if name != "jwks_uri"}),
            "discovery.claim_missing",
        ),
        (_page(PAGE, "text/html"), "discovery.content_type"),
        (_page([]), "discovery.malformed"),
        (_page({**PAGE, "padding": "x" * DISCOVERY_MAX_BYTES}), "discovery.too_large"),
    ],
)
def test_an_unsigned_page_is_parsed_as_strictly(response, code):
    """The exception is about the signature, not about the form."""
    with pytest.raises(VerificationError) as caught:
        parse_unsigned_metadata(response)
    assert caught.value.code == code
