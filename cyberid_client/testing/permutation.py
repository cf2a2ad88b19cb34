"""A keyed permutation of the indexes of a status list, so that an index tells nothing about who has it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

__all__ = ["permute"]

_HALF_BITS: Final = 9
_HALF: Final = (1 << _HALF_BITS) - 1
_ROUNDS: Final = 8


def permute(number: int, *, key: bytes, size: int) -> int:
    """Return where ``number`` goes under the permutation that the key draws.

    A balanced Feistel network of eight rounds over 18 bits, whose round function is HMAC-SHA-256 under the
    key; what falls outside of ``size`` is sent through again until it is inside (cycle walking), so that
    this is a permutation of exactly the numbers below ``size``: two never meet, and nothing is remembered.

    Args:
        number: 0 to ``size`` - 1.
        key: secret.
        size: at most 2¹⁸; the walk is short when it is more than half of that.

    Raises:
        ValueError: ``number`` or ``size`` lies outside.
    """
    if not 0 <= number < size <= 1 << 2 * _HALF_BITS:
        message = "there is no such number"
        raise ValueError(message)
    walked = _feistel(number, key)
    while walked >= size:
        walked = _feistel(walked, key)
    return walked


def _feistel(number: int, key: bytes) -> int:
    left, right = number >> _HALF_BITS, number & _HALF
    for turn in range(_ROUNDS):
        digest = hmac.digest(key, bytes([turn]) + right.to_bytes(2, "big"), hashlib.sha256)
        left, right = right, left ^ (int.from_bytes(digest[:2], "big") & _HALF)
    return left << _HALF_BITS | right
