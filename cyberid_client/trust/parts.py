"""How many parts a certificate may have: judged before anything takes it apart.

A name in two bytes costs the parser more time than its bytes suggest: 16 KiB can hold thousands of
names, name constraints, policies or extensions, and each of them becomes an object. Counting the
elements of the encoding costs a fraction of that and stops at the limit.
"""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import ChainError

__all__ = ["PARTS_MAX", "require_few_parts"]

PARTS_MAX: Final = 192

_CONSTRUCTED: Final = 0x20
_LONG: Final = 0x80
_NUMBER: Final = 0x1F
_OCTET_STRING: Final = 0x04
_SEQUENCE: Final = b"\x30"


def require_few_parts(der: bytes) -> None:
    """Refuse an encoding with more than 192 elements; it need not be one that can be read.

    Sequences inside octet strings count, too: that is how extensions are wrapped. A well-made signer
    has about 60, and the certificates of public authorities have up to 150.

    Args:
        der: untrusted.

    Raises:
        ChainError: ``chain.too_complex``; ``chain.malformed`` for tags that no certificate has.
    """
    try:
        _count(der, 0, len(der), PARTS_MAX)
    except IndexError as error:
        raise ChainError("chain.malformed") from error


def _count(der: bytes, position: int, end: int, left: int) -> int:
    """Return how many elements are left after those from position to end."""
    while position < end:
        tag, length = der[position], der[position + 1]
        position += 2
        if length >= _LONG:
            octets = length - _LONG
            length = int.from_bytes(der[position : position + octets], "big")
            position += octets
        left -= 1
        if left < 0:
            raise ChainError("chain.too_complex")
        if tag & _NUMBER == _NUMBER:  # a tag of several octets would hide what follows
            raise ChainError("chain.malformed")
        if tag & _CONSTRUCTED:
            continue  # its elements come next
        if tag == _OCTET_STRING and der[position : position + 1] == _SEQUENCE:
            left = _count(der, position, min(end, position + length), left)
        position += length
    return left
