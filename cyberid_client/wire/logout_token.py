"""The logout token before anybody believed it (OpenID Connect Back-Channel Logout 1.0 §2.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.forms import read_form_parameter
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "LOGOUT_EVENT",
    "LOGOUT_REQUEST_MAX_BYTES",
    "UnverifiedLogoutToken",
    "parse_logout_token",
    "read_logout_request",
]

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
# An encrypted token is a third longer than the one inside it, and a form may hold other values.
LOGOUT_REQUEST_MAX_BYTES: Final = 2 * ASSERTION_MAX_BYTES

_DOCUMENT: Final = "logout_token"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedLogoutToken:
    """A logout token, parsed and not verified; claims that are not listed here were dropped unread.

    Attributes:
        jws: the token around the claims.
        iss: who says that it issued.
        aud: whom it is for; at least one, none twice.
        exp: seconds since 1970, maybe fractional; likewise ``iat`` and ``nbf``.
        iat: when it was issued.
        nbf: not valid before.
        jti: its own name.
        sub: whose sessions end.
        sid: which session ends.
        states_logout: ``events`` is an object in which the logout event has an object.
        has_nonce: a ``nonce`` is there, whatever it holds.
    """

    jws: UnverifiedJWS
    iss: str
    aud: tuple[str, ...]
    exp: float
    iat: float
    nbf: float | None
    jti: str = field(repr=False)
    sub: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    states_logout: bool
    has_nonce: bool


def read_logout_request(body: bytes, content_type: str | None) -> str:
    """Return the token of a logout request (§2.5), unread.

    Args:
        body: untrusted; a form of at most :data:`LOGOUT_REQUEST_MAX_BYTES`.
        content_type: untrusted.

    Raises:
        VerificationError: ``logout_token.content_type``, ``logout_token.too_large``,
            ``logout_token.form``.
    """
    return read_form_parameter(
        body,
        content_type,
        name="logout_token",
        document=_DOCUMENT,
        max_bytes=LOGOUT_REQUEST_MAX_BYTES,
    )


def parse_logout_token(token: str | bytes) -> UnverifiedLogoutToken:
    """Parse a logout token; nothing in it is believed, and no claim is compared with anything.

    Args:
        token: untrusted compact JWS of at most 64 KiB.

    Raises:
        VerificationError: ``logout_token.too_large``, ``logout_token.malformed``,
            ``logout_token.critical``, ``logout_token.claim_missing``, ``logout_token.claim_type``.
    """
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    events = members.get("events")
    sub, sid = claims.each_optional_text("sub", "sid")
    return UnverifiedLogoutToken(
        jws=jws,
        iss=claims.text("iss"),
        aud=claims.audience(),
        exp=claims.date("exp"),
        iat=claims.date("iat"),
        nbf=claims.optional_date("nbf"),
        jti=claims.text("jti"),
        sub=sub,
        sid=sid,
        states_logout=type(events) is dict and type(events.get(LOGOUT_EVENT)) is dict,
        has_nonce="nonce" in members,
    )
