"""What a phone sends in the place of an answer of the ID app."""

from __future__ import annotations

import base64
import hashlib
import json
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.wire import APP_RESULT_MAX_BYTES, BLOB_MAX_BYTES, UnverifiedAppResult, parse_app_result
from cyberid_client.wire.app_result import hash_blobs

HONEST = {
    "resultCode": "C0000000",
    "resultDesc": "success",
    "idCardAuthData": "card",
    "certPwdData": "password",
}
PARSED = UnverifiedAppResult(result_code="C0000000", id_card_auth_data="card", cert_pwd_data="password")


def _refused(result):
    with pytest.raises(VerificationError) as caught:
        parse_app_result(result)
    return caught.value.code


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(json.dumps, id="text"),
        pytest.param(lambda members: json.dumps(members).encode(), id="bytes"),
        pytest.param(dict, id="members"),
        pytest.param(MappingProxyType, id="read-only-members"),
    ],
)
def test_text_bytes_and_members_are_the_same_answer(form):
    """However the app got the answer, the same value comes out, and what is not known is dropped."""
    assert PARSED == parse_app_result(form({**HONEST, "image": "x" * 1000, "extra": {"a": [1]}}))


@pytest.mark.parametrize("name", ["idCardAuthData", "certPwdData"])
@pytest.mark.parametrize("absent", [..., None, ""])
def test_a_blob_may_be_absent(name, absent):
    """A bridge between app and web may send nothing as null or as an empty text."""
    members = {key: value for key, value in {**HONEST, name: absent}.items() if value is not ...}
    parsed = parse_app_result(json.dumps(members))
    assert None is {"idCardAuthData": parsed.id_card_auth_data, "certPwdData": parsed.cert_pwd_data}[name]


def test_without_a_code_it_is_no_answer():
    """Only the code says what became of the launch."""
    assert "app_result.claim_missing" == _refused({"idCardAuthData": "card"})
    assert "app_result.claim_missing" == _refused(b"{}")


@pytest.mark.parametrize("name", ["resultCode", "idCardAuthData", "certPwdData"])
@pytest.mark.parametrize("value", [True, False, 0, 1, 1.5, [], ["x"], {}, {"a": 1}])
def test_each_member_is_a_text(name, value):
    """Numbers, truth values, lists and objects are none, as JSON and as members."""
    assert "app_result.claim_type" == _refused({**HONEST, name: value})
    assert "app_result.claim_type" == _refused(json.dumps({**HONEST, name: value}))


def test_bytes_are_no_text_among_members():
    """A blob that the app decoded already is not taken for its text."""
    assert "app_result.claim_type" == _refused({**HONEST, "idCardAuthData": b"card"})


@pytest.mark.parametrize("code", [None, ""])
def test_a_code_that_is_empty_is_none(code):
    """The code is the one member that is always there."""
    assert "app_result.claim_type" == _refused({**HONEST, "resultCode": code})


@pytest.mark.parametrize(
    "result",
    [
        "",
        b"",
        "null",
        "[]",
        '"x"',
        "{",
        '{"resultCode":"C0000000"} x',
        '{"resultCode":"C0000000","resultCode":"C1"}',
        '{"resultCode":"C0000000","extra":{"a":1,"a":2}}',
        b'{"resultCode":"\xff"}',
        '{"resultCode":"\\ud800"}',
        '{"resultCode":"\ud800"}',
        '{"resultCode":"C0000000","extra":NaN}',
        "\ufeff{}",
        None,
        1,
        ["resultCode"],
        bytearray(b"{}"),
    ],
)
def test_what_is_no_strict_object_is_malformed(result):
    """One JSON object in which nothing stands twice, as text or bytes, and nothing else."""
    assert "app_result.malformed" == _refused(result)


def test_a_blob_that_no_text_can_carry_is_malformed():
    """A lone surrogate among members could be neither sent nor hashed."""
    assert "app_result.malformed" == _refused({**HONEST, "idCardAuthData": "\ud800"})


@pytest.mark.parametrize("name", ["idCardAuthData", "certPwdData"])
def test_a_blob_has_a_limit_of_bytes(name):
    """The limit itself is allowed, and counts bytes, not characters."""
    largest = "x" * BLOB_MAX_BYTES
    parse_app_result({**HONEST, name: largest})
    assert "app_result.too_large" == _refused({**HONEST, name: largest + "x"})
    assert "app_result.too_large" == _refused({**HONEST, name: "网" * (BLOB_MAX_BYTES // 3 + 1)})


def test_an_answer_has_a_limit_too():
    """The limit itself is allowed, one byte more is not read."""
    text = json.dumps({**HONEST, "extra": ""})
    largest = text.replace('""', '"' + "x" * (APP_RESULT_MAX_BYTES - len(text)) + '"')
    assert APP_RESULT_MAX_BYTES == len(largest)
    assert PARSED == parse_app_result(largest)
    assert "app_result.too_large" == _refused(largest + " ")


def test_nothing_of_it_is_shown():
    """Blobs are secrets for as long as they live, and a code is what a stranger chose."""
    assert "UnverifiedAppResult()" == repr(PARSED)


class TestHash:
    def test_it_is_made_of_length_and_bytes(self):
        """SHA-256 over each blob in UTF-8 behind its length in four bytes, in base64url."""
        data = b"\0\0\0\x03\xe7\xbd\x91" + b"\0\0\0\x02pw"
        expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert expected == hash_blobs("网", "pw")

    def test_an_absent_blob_is_an_empty_one(self):
        """Without a password the second length is zero."""
        assert hash_blobs("card", None) == hash_blobs("card", "")

    def test_no_two_pairs_run_together(self):
        """What belongs to one blob cannot be moved to the other."""
        pairs = [("ab", "c"), ("a", "bc"), ("abc", None), ("", "abc"), ("a\0\0\0\2", "bc")]
        assert len(pairs) == len({hash_blobs(*pair) for pair in pairs})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(HONEST)), JSON) | st.text() | st.binary() | JSON)
def test_any_input(result):
    """Whatever the phone sends, an answer or our own error comes out."""
    try:
        value = parse_app_result(result)
    except CyberIDError:
        return
    assert type(value.result_code) is str
