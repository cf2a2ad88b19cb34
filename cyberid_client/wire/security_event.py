"""The security event before anybody believed it (RFC 8417, RFC 8935)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.forms import media_type_of
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "ACCOUNT_STATE_EVENT",
    "UnverifiedSecurityEvent",
    "parse_security_event",
    "read_event_request",
]

ACCOUNT_STATE_EVENT: Final = "urn:cyberid:event:account-state"

_DOCUMENT: Final = "security_event"
# Members with which the same bytes could be taken for an assertion (RFC 8417 §4.5, RFC 9493 §4.1).
_FOREIGN: Final = frozenset({"sub", "nonce"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedSecurityEvent:
    """A security event, parsed and not verified; claims that are not listed here were dropped unread.

    Attributes:
        jws: the token around the claims.
        iss: who says that it issued.
        aud: whom it is for; at least one, none twice.
        iat: seconds since 1970, maybe fractional.
        jti: its own name.
        subject_format: how the subject is named (RFC 9493).
        subject_issuer: whose subject it is; ``None`` in other formats, likewise ``subject``.
        subject: the pseudonym, of any shape.
        is_account_state: exactly one event stands there, of the one kind that is understood.
        state: of the account; empty when the event is another, likewise ``reason``.
        reason: why, in one word.
        sequence: the number of the state; -1 when the event is another.
        foreign: which claims stand in it that belong to documents of other kinds.
    """

    jws: UnverifiedJWS
    iss: str
    aud: tuple[str, ...]
    iat: float
    jti: str = field(repr=False)
    subject_format: str
    subject_issuer: str | None
    subject: str | None = field(repr=False)
    is_account_state: bool
    state: str = field(repr=False)
    reason: str = field(repr=False)
    sequence: int = field(repr=False)
    foreign: frozenset[str]


def read_event_request(body: bytes, content_type: str | None) -> bytes:
    """Return the token of a transmission request (RFC 8935 §2.1), unread.

    Args:
        body: untrusted.
        content_type: untrusted.

    Raises:
        VerificationError: ``security_event.content_type``, ``security_event.malformed``.
    """
    if media_type_of(content_type) != "application/secevent+jwt":
        raise refusal(_DOCUMENT, "content_type")
    if not isinstance(body, bytes):
        raise refusal(_DOCUMENT, "malformed")
    return body


def parse_security_event(token: str | bytes) -> UnverifiedSecurityEvent:
    """Parse a security event; nothing in it is believed, and no claim is compared with anything.

    ``exp`` is not read: an event says what is, and stays true (RFC 8417 §2.2).

    Args:
        token: untrusted compact JWS of at most 64 KiB.

    Raises:
        VerificationError: ``security_event.too_large``, ``security_event.malformed``,
            ``security_event.critical``, ``security_event.claim_missing``,
            ``security_event.claim_type``.
    """
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    subject, events = claims.inner("sub_id"), claims.inner("events")
    # What another event holds is not known, so that none of it is looked at.
    event = events.inner(ACCOUNT_STATE_EVENT) if set(events.members) == {ACCOUNT_STATE_EVENT} else None
    return UnverifiedSecurityEvent(
        jws=jws,
        iss=claims.text("iss"),
        aud=claims.audience(),
        iat=claims.date("iat"),
        jti=claims.text("jti"),
        subject_format=subject.text("format"),
        subject_issuer=subject.optional_text("iss"),
        subject=subject.optional_text("sub"),
        is_account_state=event is not None,
        state="" if event is None else event.text("state"),
        reason="" if event is None else event.text("reason"),
        sequence=-1 if event is None else event.integer("seq"),
        foreign=_FOREIGN.intersection(members),
    )
