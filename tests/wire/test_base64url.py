import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.wire.base64url import WireError, decode_base64, decode_base64url, encode_base64url

CHARACTERS = st.text("ABgw-_+/=159 \n", max_size=9)


@given(st.binary(max_size=100))
def test_round_trip_url(data):
    """What was encoded comes back, and our encoder writes what the standard library writes."""
    text = encode_base64url(data)
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text
    assert data == decode_base64url(text)


@given(st.binary(max_size=100))
def test_round_trip_standard(data):
    """Standard base64 with padding comes back."""
    assert data == decode_base64(base64.b64encode(data).decode())


@given(st.text(max_size=12) | CHARACTERS)
def test_one_spelling_url(text):
    """A text is decoded exactly when encoding the result gives it again."""
    try:
        data = decode_base64url(text)
    except WireError:
        return
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@given(st.text(max_size=12) | CHARACTERS)
def test_one_spelling_standard(text):
    """A text with padding is decoded exactly when encoding the result gives it again."""
    try:
        data = decode_base64(text)
    except WireError:
        return
    assert text == base64.b64encode(data).decode()


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AA==",
        "AAA=",
        "AA\n",
        "AA ",
        " AA",
        "A A",
        "A+AA",
        "A/AA",
        "ÅAAA",
        "AAA\u0130",
        "\ud800AAA",
    ],
)
def test_foreign_character_url(text):
    """Padding, whitespace, the other alphabet and an impossible length are refused."""
    with pytest.raises(WireError):
        decode_base64url(text)


@pytest.mark.parametrize(
    ("good", "data", "loose"),
    [("AQ", b"\x01", "AR"), ("AQI", b"\x01\x02", "AQJ"), ("_w", b"\xff", "_x"), ("__8", b"\xff\xff", "__9")],
)
def test_loose_bits(good, data, loose):
    """The bits after the last byte are zero; one set bit makes another text for the same bytes."""
    assert data == decode_base64url(good)
    with pytest.raises(WireError):
        decode_base64url(loose)


@pytest.mark.parametrize(
    "text",
    [
        "AQ",
        "AQ=",
        "AQ===",
        "AQI",
        "AQI==",
        "AAAA=",
        "====",
        "=",
        "AR==",
        "AQJ=",
        "A-AA",
        "A_AA",
        "AQ==\n",
        "AQ==AQ==",
    ],
)
def test_not_canonical_standard(text):
    """In standard base64 the padding is there, whole, at the end and nowhere else."""
    with pytest.raises(WireError):
        decode_base64(text)


def test_empty():
    """The empty text stands for no bytes."""
    assert (decode_base64url(""), decode_base64(""), encode_base64url(b"")) == (b"", b"", "")
