"""The signed authorization response before anybody believed it (JARM §2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, is_jwe, parse_jws
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["JARM_MAX_BYTES", "UnverifiedJARM", "jarm_state", "parse_jarm"]

# It comes inside a URL, and none of our callbacks may be longer.
JARM_MAX_BYTES: Final = 8 * 1024

_DOCUMENT: Final = "jarm"
_FOREIGN: Final = frozenset({"sub", "nonce", "events", "bizSeq", "sub_id"})
# RFC 6749 appendix A: VSCHAR is what state and code are made of; error is narrower still.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedJARM:
    """A signed authorization response, parsed and not verified.

    Claims that are not listed here were dropped unread.

    Attributes:
        jws: the token around the claims.
        iss: who says that it issued.
        aud: whom it is for; at least one, none twice.
        exp: seconds since 1970, maybe fractional; likewise ``nbf``.
        nbf: not valid before.
        state: which login it claims to answer; visible ASCII, like ``code`` and ``error``.
        code: the authorization code.
        error: the error code of the issuer.
        foreign: which claims stand in it that belong to documents of other kinds.
    """

    jws: UnverifiedJWS
    iss: str
    aud: tuple[str, ...]
    exp: float
    nbf: float | None
    state: str | None = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None = field(repr=False)
    foreign: frozenset[str]


def parse_jarm(token: str | bytes) -> UnverifiedJARM:
    """Parse a signed response; nothing in it is believed, and no claim is compared with anything.

    Args:
        token: untrusted compact JWS of at most :data:`JARM_MAX_BYTES`.

    Raises:
        VerificationError: ``jarm.encrypted``, ``jarm.too_large``, ``jarm.malformed``,
            ``jarm.critical``, ``jarm.claim_missing``, ``jarm.claim_type``.
    """
    if is_jwe(token):
        raise VerificationError("jarm.encrypted")
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=JARM_MAX_BYTES)
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=JARM_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    state, code, error = claims.each_optional_text("state", "code", "error")
    if not all(value is None or _VISIBLE.fullmatch(value) for value in (state, code, error)):
        raise VerificationError("jarm.claim_type")
    return UnverifiedJARM(
        jws=jws,
        iss=claims.text("iss"),
        aud=claims.audience(),
        exp=claims.date("exp"),
        nbf=claims.optional_date("nbf"),
        state=state,
        code=code,
        error=error,
        foreign=_FOREIGN.intersection(members),
    )


def jarm_state(token: str) -> str | None:
    """Find the ``state`` of a signed response, good enough to choose a cookie by; never raises.

    A response that :func:`parse_jarm` refuses for one of its other claims still has its state found, so
    that the login it names can be used up.

    Args:
        token: as for :func:`parse_jarm`.
    """
    try:
        payload = parse_jws(token, document=_DOCUMENT, max_bytes=JARM_MAX_BYTES).payload
        members = parse_json_object(payload, document=_DOCUMENT, max_bytes=JARM_MAX_BYTES)
        return Fields(_DOCUMENT, members).optional_text("state")
    except VerificationError:
        return None
