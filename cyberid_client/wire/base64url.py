"""Base64 that has one spelling for each value.

The decoders of the standard library skip foreign characters and loose trailing bits. Here whatever
does not come out of our own encoder again, character for character, is refused: that one comparison
covers alphabet, padding, whitespace and trailing bits.
"""

from __future__ import annotations

import binascii
from typing import Final

__all__ = ["WireError", "decode_base64", "decode_base64url", "encode_base64url"]

_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_PADDING: Final = (b"", b"===", b"==", b"=")


class WireError(ValueError):
    """Say inside this folder that something is malformed; the parsers give it its code.

    It carries no received value, and no function that other folders call lets it out.
    """


def encode_base64url(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Decode base64url without padding, in its one canonical spelling (RFC 7515 §2, RFC 4648 §3.5).

    Args:
        text: untrusted; the empty text stands for no bytes.

    Raises:
        WireError: a character outside the alphabet, padding, whitespace, or loose trailing bits.
    """
    data = _decode(text, to_standard=_TO_STANDARD, padding=_PADDING[len(text) % 4])
    if data is None or encode_base64url(data) != text:
        raise WireError
    return data


def decode_base64(text: str) -> bytes:
    """Decode standard base64 with padding, in its one canonical spelling (RFC 4648 §4, for ``x5c``).

    Args:
        text: untrusted; the empty text stands for no bytes.

    Raises:
        WireError: a character outside the alphabet, missing padding, whitespace, or loose bits.
    """
    data = _decode(text, to_standard=None, padding=b"")
    if data is None or binascii.b2a_base64(data, newline=False).decode("ascii") != text:
        raise WireError
    return data


def _decode(text: str, *, to_standard: bytes | None, padding: bytes) -> bytes | None:
    # Failure is a return value: an exception raised while another is handled would keep it, and
    # with it the received text, as its context.
    try:
        return binascii.a2b_base64(text.encode("ascii").translate(to_standard) + padding)
    except ValueError:
        return None
