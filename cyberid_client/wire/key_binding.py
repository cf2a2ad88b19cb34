"""The key binding JWT before anybody believed it: the holder's word to one verifier (RFC 9901 §4.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["KEY_BINDING_MAX_BYTES", "UnverifiedKeyBinding", "parse_key_binding"]

KEY_BINDING_MAX_BYTES: Final = 8 * 1024

_DOCUMENT: Final = "key_binding"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedKeyBinding:
    """A key binding JWT, parsed and not verified; claims that are not listed here were dropped unread.

    Attributes:
        jws: the token around the claims.
        iat: when it was made by the clock of a phone; seconds since 1970, maybe fractional.
        nbf: not valid before, likewise, or ``None``.
        exp: when it ends, likewise, or ``None``.
        aud: for which verifier.
        nonce: of the request that it answers.
        sd_hash: of the credential that is shown with it, and of what is disclosed of it.
    """

    jws: UnverifiedJWS
    iat: float
    nbf: float | None
    exp: float | None
    aud: str
    nonce: str = field(repr=False)
    sd_hash: str = field(repr=False)


def parse_key_binding(token: str) -> UnverifiedKeyBinding:
    """Parse a key binding JWT; neither signature nor claims are judged.

    Args:
        token: untrusted, a compact JWS of at most :data:`KEY_BINDING_MAX_BYTES`.

    Raises:
        VerificationError: ``key_binding.too_large``, ``key_binding.malformed``, ``key_binding.critical``,
            ``key_binding.claim_missing``; ``key_binding.claim_type``, also for an ``aud`` that is a list.
    """
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=KEY_BINDING_MAX_BYTES)
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=KEY_BINDING_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    return UnverifiedKeyBinding(
        jws=jws,
        iat=claims.date("iat"),
        nbf=claims.optional_date("nbf"),
        exp=claims.optional_date("exp"),
        aud=claims.text("aud"),
        nonce=claims.text("nonce"),
        sd_hash=claims.text("sd_hash"),
    )
