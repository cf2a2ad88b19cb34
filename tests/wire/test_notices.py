"""Logout tokens and security events before anybody believed them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.testing.jose import b64url, json_bytes
from cyberid_client.wire.logout_token import LOGOUT_EVENT, parse_logout_token
from cyberid_client.wire.security_event import ACCOUNT_STATE_EVENT, parse_security_event

HEADER = b'{"alg":"ES256"}'
LOGOUT = {
    "iss": "https://issuer.example",
    "aud": "shop",
    "iat": 1.5,
    "exp": 2,
    "jti": "x",
    "sub": "s",
    "events": {LOGOUT_EVENT: {}},
}
EVENT = {
    "iss": "https://issuer.example",
    "aud": ["shop", "phone"],
    "iat": 1.5,
    "jti": "x",
    "sub_id": {"format": "iss_sub", "iss": "https://issuer.example", "sub": "s"},
    "events": {ACCOUNT_STATE_EVENT: {"state": "frozen", "reason": "r", "seq": 0}},
}
PARSERS = {"logout_token": (parse_logout_token, LOGOUT), "security_event": (parse_security_event, EVENT)}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def token(claims):
    return f"{b64url(HEADER)}.{b64url(json_bytes(claims))}.AA"


def code_of(parse, text):
    """Return the code with which a text is refused, or ``None``; any other error comes out."""
    try:
        parse(text)
    except VerificationError as error:
        return error.code
    return None


def test_a_logout_token_is_read_as_it_stands():
    """Dates may be fractional, one audience is a list of one, and what is absent is none."""
    read = parse_logout_token(token(LOGOUT))
    assert (("shop",), 1.5, 2.0, None, "s", None, True, False) == (
        read.aud,
        read.iat,
        read.exp,
        read.nbf,
        read.sub,
        read.sid,
        read.states_logout,
        read.has_nonce,
    )


def test_a_security_event_is_read_as_it_stands():
    """All members of subject and event, and no others."""
    read = parse_security_event(token(EVENT))
    assert (("shop", "phone"), "iss_sub", "s", True, "frozen", "r", 0, frozenset()) == (
        read.aud,
        read.subject_format,
        read.subject,
        read.is_account_state,
        read.state,
        read.reason,
        read.sequence,
        read.foreign,
    )


def test_of_another_event_nothing_is_read():
    """What it holds has no type here, so that it cannot have a wrong one."""
    read = parse_security_event(token({**EVENT, "events": {"urn:other": {"state": 1, "seq": True}}}))
    assert (False, "", "", -1) == (read.is_account_state, read.state, read.reason, read.sequence)


@pytest.mark.parametrize("document", PARSERS)
class TestBoth:
    def test_they_hold_nothing_that_their_repr_shows(self, document):
        """Neither the person nor the name of the token."""
        parse, claims = PARSERS[document]
        secret = "made-up-secret-value"
        changed = {**claims, "jti": secret, "sid": secret}
        if document == "security_event":
            changed["sub_id"] = {**EVENT["sub_id"], "sub": secret}
        else:
            changed["sub"] = secret
        assert secret not in repr(parse(token(changed)))

    def test_they_have_a_limit(self, document):
        """64 KiB are allowed, and one byte more is refused unread."""
        parse, _ = PARSERS[document]
        with pytest.raises(VerificationError) as refused:
            parse("a" * (64 * 1024 + 1))
        assert f"{document}.too_large" == refused.value.code
        with pytest.raises(VerificationError) as refused:
            parse("a" * 64 * 1024)
        assert f"{document}.malformed" == refused.value.code

    def test_a_claim_twice_is_malformed(self, document):
        """Two parsers could take two different ones."""
        parse, claims = PARSERS[document]
        payload = b'{"iss":"https://other.example",' + json_bytes(claims)[1:]
        with pytest.raises(VerificationError) as refused:
            parse(f"{b64url(HEADER)}.{b64url(payload)}.AA")
        assert f"{document}.malformed" == refused.value.code

    @given(data=st.data())
    def test_no_bytes_and_no_claims_make_another_error(self, document, data):
        """A value comes out, or an error of this document."""
        parse, claims = PARSERS[document]
        name = data.draw(st.sampled_from([*claims, "nonce", "nbf", "sid"]))
        made = token({**claims, name: data.draw(json_values)})
        for text in (made, data.draw(st.binary(max_size=80)), data.draw(st.text(max_size=80))):
            assert (code_of(parse, text) or document).startswith(document)
