"""Open what a client signed: one strict reader for assertions, request objects and DPoP proofs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature

from cyberid_client.testing.jose import ALGORITHMS, PublicKey, decode_part
from cyberid_client.testing.refusal import Refusal

__all__ = ["CLIENT_ALGORITHMS", "Members", "number_of", "open_jws"]

Members = dict[str, object]

# What a client may sign with: FAPI 2.0 §5.4.1, and ES384, which the profile allows beside them.
CLIENT_ALGORITHMS: Final = ("ES256", "ES384", "PS256", "EdDSA")
_MAX_TOKEN: Final = 16_384
_JWS_PARTS: Final = 3


def open_jws(
    token: str,
    *,
    types: frozenset[str],
    key_of: Callable[[Members], tuple[str, PublicKey]],
    refuse: Callable[[str], Refusal],
) -> Members:
    """Return the claims of a compact JWS whose header is understood and whose signature holds.

    Args:
        token: untrusted.
        types: the values of ``typ`` that it may have; ``""`` stands for none.
        key_of: returns algorithm and key for a header, or raises a refusal.
        refuse: makes the refusal out of the broken rule.

    Raises:
        Refusal: as ``refuse`` makes it.
    """
    parts = token.split(".")
    if len(parts) != _JWS_PARTS or len(token) > _MAX_TOKEN:
        raise refuse("this is not a compact JWS")
    try:
        header, claims = (json.loads(decode_part(part), object_pairs_hook=_once) for part in parts[:2])
        signature = decode_part(parts[2])
    except (ValueError, RecursionError):
        raise refuse("this is not a compact JWS") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise refuse("the JWS holds no JSON objects")
    typ = header.get("typ", "")
    if not isinstance(typ, str) or typ not in types or "crit" in header:
        raise refuse("typ or crit of the JWS is not understood")
    algorithm, key = key_of(header)
    if algorithm not in CLIENT_ALGORITHMS or header.get("alg") != algorithm:
        raise refuse("alg is not the algorithm of the key")
    try:
        ALGORITHMS[algorithm].verify(key, signature, f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, ValueError):
        raise refuse("the signature does not verify") from None
    return claims


def number_of(value: object) -> float | None:
    """Return a NumericDate; a boolean is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _once(pairs: list[tuple[str, object]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member stands there twice"
        raise ValueError(message)
    return members
