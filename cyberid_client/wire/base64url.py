"""Base64 that has one spelling for each value.

The decoders of the standard library skip foreign characters and loose trailing bits, so that many
texts stand for one value. Here alphabet, padding and last character are looked at first.
"""

from __future__ import annotations

import binascii
import string
from typing import Final

__all__ = ["WireError", "decode_base64", "decode_base64url", "encode_base64url"]

# What is not in the alphabet for URLs becomes a character that is in none.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/???")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_ALPHANUMERIC: Final = (string.ascii_letters + string.digits).encode()
# By length modulo four, the last characters that leave no loose bits: any for a whole quantum, none
# for one character, then those whose low four or two bits are zero.
_LAST: Final = (_ALPHANUMERIC + b"+/-_", b"", b"AQgw", b"AEIMQUYcgkosw048")
_PADDING: Final = (b"", b"", b"==", b"=")
# A longer text is decoded piece by piece, so that no copy of the whole is made on the way. Whole quanta.
_PIECE: Final = 1024 * 1024


class WireError(ValueError):
    """Say that a text is malformed, without its value; whoever knows the document gives the code.

    Only the decoders of this module let it out.
    """


def encode_base64url(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 7515 §2)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode_base64url(text: str | bytes) -> bytes:
    """Decode base64url without padding, in its one canonical spelling (RFC 7515 §2, RFC 4648 §3.5).

    Args:
        text: untrusted, as text or as the bytes of one; the empty one stands for no bytes.

    Raises:
        WireError: a character outside the alphabet, padding, whitespace, or loose trailing bits.
    """
    # What is not ASCII becomes a character that is in no alphabet.
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    if len(raw) > _PIECE:
        return b"".join(decode_base64url(raw[at : at + _PIECE]) for at in range(0, len(raw), _PIECE))
    quantum = len(raw) % 4
    if raw[-1:] not in _LAST[quantum]:
        raise WireError
    return _decode(raw.translate(_TO_STANDARD) + _PADDING[quantum])


def decode_base64(text: str) -> bytes:
    """Decode standard base64 with padding, in its one canonical spelling (RFC 4648 §4, for ``x5c``).

    Args:
        text: untrusted; the empty text stands for no bytes.

    Raises:
        WireError: a character outside the alphabet, wrong padding, whitespace, or loose bits.
    """
    padded = text.encode("ascii", "replace")
    raw = padded.rstrip(b"=")
    quantum = len(raw) % 4
    if len(padded) - len(raw) != len(_PADDING[quantum]) or raw[-1:] not in _LAST[quantum]:
        raise WireError
    return _decode(padded)


def _decode(padded: bytes) -> bytes:
    try:
        # The strict mode refuses foreign characters, but neither loose bits nor superfluous padding.
        return binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:
        raise WireError from None
