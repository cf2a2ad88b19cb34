"""One parameter out of a posted form."""

from __future__ import annotations

from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.wire.forms import media_type_of, read_form_parameter
from cyberid_client.wire.logout_token import LOGOUT_REQUEST_MAX_BYTES, read_logout_request
from cyberid_client.wire.security_event import read_event_request

FORM = "application/x-www-form-urlencoded"


def read(body, content_type=FORM, max_bytes=1_000):
    return read_form_parameter(body, content_type, name="token", document="logout_token", max_bytes=max_bytes)


def code_of(call):
    with pytest.raises(VerificationError) as refused:
        call()
    return refused.value.code


def code_or_none(body, content_type):
    try:
        read(body, content_type)
    except VerificationError as error:
        return error.code
    return None


class TestMediaType:
    @pytest.mark.parametrize(
        "text", [FORM, FORM.upper(), f"{FORM};charset=utf-8", f" {FORM} ; charset=x", f"{FORM};"]
    )
    def test_case_and_parameters_do_not_matter(self, text):
        """RFC 9110 §8.3.1."""
        assert FORM == media_type_of(text)

    @pytest.mark.parametrize("text", [None, "", 7, b"application/x-www-form-urlencoded", ";charset=utf-8"])
    def test_what_is_none_is_empty(self, text):
        """No header and a header of another type are alike."""
        assert "" == media_type_of(text)


class TestForm:
    @pytest.mark.parametrize(
        "body", [b"token=a.b.c", b"&token=a.b.c&", b"x=1&token=a.b.c&x=2&y", b"%74oken=a%2Eb.c"]
    )
    def test_the_parameter_is_found_once_among_others(self, body):
        """Others are ignored, also when they repeat, and every name is decoded."""
        assert "a.b.c" == read(body)

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"token",
            b"token=",
            b"Token=a",
            b"token=a&token=a",
            b"token=a&%74oken=b",
            b"token=a&token",
            b"token=%",
            b"token=%zz",
            b"token=%ff",
            b"x=%ff&token=a" + b"\xff=1",
            "token=a",
            None,
        ],
    )
    def test_anything_but_exactly_one_value_is_refused(self, body):
        """Absent, empty, twice, under a disguised name, or not to be decoded."""
        assert "logout_token.form" == code_of(lambda: read(body))

    def test_it_has_a_limit(self):
        """The limit itself is allowed, and one byte more is refused unread."""
        assert "a" == read(b"token=a", max_bytes=7)
        assert "logout_token.too_large" == code_of(lambda: read(b"token=a", max_bytes=6))

    @pytest.mark.parametrize("content_type", [None, "", "application/json", "text/plain", FORM + "x"])
    def test_another_media_type_is_refused(self, content_type):
        """A browser could be made to send other types across sites; this one says what it is."""
        assert "logout_token.content_type" == code_of(lambda: read(b"token=a", content_type))

    @given(st.text(min_size=1).filter(lambda text: text.encode("utf-8", "ignore").decode() == text))
    def test_what_was_encoded_comes_back(self, text):
        """Any text survives a form."""
        assert text == read(urlencode({"token": text}).encode(), max_bytes=10**6)

    @given(st.binary(max_size=64), st.one_of(st.none(), st.text(max_size=40)))
    def test_no_bytes_make_another_error(self, body, content_type):
        """A value comes out, or an error of ours."""
        allowed = {None, "logout_token.form", "logout_token.content_type"}
        assert {code_or_none(body, text) for text in (content_type, FORM)} <= allowed


class TestRequests:
    def test_a_logout_request_has_room_for_an_encrypted_token(self):
        """128 KiB, and one byte more is too many."""
        room = LOGOUT_REQUEST_MAX_BYTES - len(b"logout_token=")
        assert "a" * room == read_logout_request(b"logout_token=" + b"a" * room, FORM)
        too_much = b"logout_token=" + b"a" * (room + 1)
        assert "logout_token.too_large" == code_of(lambda: read_logout_request(too_much, FORM))

    def test_a_plus_is_a_space(self):
        """As a form has it; no token holds either."""
        assert "a b" == read_logout_request(f"logout_token={quote_plus('a b')}".encode(), FORM)

    @pytest.mark.parametrize("content_type", ["application/secevent+jwt", "Application/SecEvent+JWT; q=1"])
    def test_a_security_event_is_the_body(self, content_type):
        """RFC 8935 §2.1."""
        assert b"a.b.c" == read_event_request(b"a.b.c", content_type)

    @pytest.mark.parametrize("content_type", [None, "application/jwt", FORM])
    def test_a_security_event_says_what_it_is(self, content_type):
        """Without its own media type it is refused unread."""
        refused = code_of(lambda: read_event_request(b"a.b.c", content_type))
        assert "security_event.content_type" == refused
