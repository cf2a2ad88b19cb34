"""What a logout token says, and to whom (OpenID Connect Back-Channel Logout 1.0 §2.6)."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.checks.person import has_subject_shape, holds_identity_number
from cyberid_client.handshake.subjects import LogoutSubject

__all__ = [
    "check_logout_audience",
    "check_logout_event",
    "check_logout_expiry",
    "check_logout_issued_at",
    "check_logout_issuer",
    "check_logout_not_before",
    "check_logout_session_id",
    "check_logout_subject",
    "check_no_identity_number_logged_out",
    "check_no_nonce",
    "check_somebody_is_named",
]

MAX_TOKEN_AGE: Final = 600


@check(
    "E6.5a",
    "The issuer of a logout token is the configured one, byte for byte.",
    clause="Back-Channel Logout 1.0 §2.6 (4)",
    codes=["logout_token.issuer"],
)
def check_logout_issuer(subject: LogoutSubject) -> None:
    """Compare ``iss``."""
    if subject.claims.iss != subject.rp.issuer:
        raise VerificationError("logout_token.issuer")


@check(
    "E6.5b",
    "The audience of a logout token is this client and nobody else.",
    clause="Back-Channel Logout 1.0 §2.6 (4); OIDC Core §3.1.3.7 (3)",
    codes=["logout_token.audience"],
)
def check_logout_audience(subject: LogoutSubject) -> None:
    """Compare ``aud``: no other audience is trusted, so that more than one is always one too many."""
    if subject.claims.aud != (subject.rp.client_id,):
        raise VerificationError("logout_token.audience")


@check(
    "E6.5c",
    "A logout token is refused from the very second of its expiry.",
    clause="Back-Channel Logout 1.0 §2.4, §2.6 (4)",
    codes=["logout_token.expired"],
)
def check_logout_expiry(subject: LogoutSubject) -> None:
    """Compare ``exp`` with now; nothing is forgiven."""
    if subject.claims.exp <= subject.now:
        raise VerificationError("logout_token.expired")


@check(
    "E6.5d",
    "A logout token was issued at most ten minutes ago, and not ahead of our clock by more than the leeway.",
    clause="Back-Channel Logout 1.0 §2.6 (4); OIDC Core §3.1.3.7 (10)",
    codes=["logout_token.issued_in_future", "logout_token.issued_too_long_ago"],
)
def check_logout_issued_at(subject: LogoutSubject) -> None:
    """Compare ``iat`` with now on both sides."""
    if subject.claims.iat > subject.now + subject.rp.clock_leeway:
        raise VerificationError("logout_token.issued_in_future")
    if subject.claims.iat < subject.now - MAX_TOKEN_AGE:
        raise VerificationError("logout_token.issued_too_long_ago")


@check(
    "E6.5e",
    "A logout token is not used before its time.",
    clause="RFC 7519 §4.1.5",
    codes=["logout_token.not_yet_valid"],
)
def check_logout_not_before(subject: LogoutSubject) -> None:
    """Compare ``nbf`` with now, when it is there."""
    nbf = subject.claims.nbf
    if nbf is not None and nbf > subject.now + subject.rp.clock_leeway:
        raise VerificationError("logout_token.not_yet_valid")


@check(
    "E6.7",
    "A logout token states the event of a logout, and its value is an object.",
    clause="Back-Channel Logout 1.0 §2.4, §2.6 (6)",
    codes=["logout_token.event"],
)
def check_logout_event(subject: LogoutSubject) -> None:
    """Look for the event's URI in ``events``; others beside it are ignored."""
    if not subject.claims.states_logout:
        raise VerificationError("logout_token.event")


@check(
    "E6.8",
    "A logout token holds no nonce, so that it can never be taken for an assertion.",
    clause="Back-Channel Logout 1.0 §2.4, §2.6 (7)",
    codes=["logout_token.nonce"],
)
def check_no_nonce(subject: LogoutSubject) -> None:
    """Refuse ``nonce``, whatever it holds."""
    if subject.claims.has_nonce:
        raise VerificationError("logout_token.nonce")


@check(
    "E6.6",
    "A logout token names a person, a session, or both.",
    clause="Back-Channel Logout 1.0 §2.4, §2.6 (5)",
    codes=["logout_token.nobody"],
)
def check_somebody_is_named(subject: LogoutSubject) -> None:
    """Refuse a token with neither ``sub`` nor ``sid``."""
    if subject.claims.sub is None and subject.claims.sid is None:
        raise VerificationError("logout_token.nobody")


@check(
    "E6.6a",
    "The subject of a logout token, if there is one, has the shape of a pseudonym.",
    clause="OIDC Core §8; profile §6, sub",
    codes=["logout_token.subject"],
)
def check_logout_subject(subject: LogoutSubject) -> None:
    """Compare the shape of ``sub`` as for an assertion."""
    sub = subject.claims.sub
    if sub is not None and not has_subject_shape(sub, any_allowed=subject.any_subject):
        raise VerificationError("logout_token.subject")


@check(
    "E6.6b",
    "No part of a logout token's subject is a resident's or foreign resident's identity number.",
    clause="profile §6, sub",
    codes=["logout_token.identity_number"],
)
def check_no_identity_number_logged_out(subject: LogoutSubject) -> None:
    """Look at the parts of ``sub`` as for an assertion."""
    if holds_identity_number(subject.claims.sub or ""):
        raise VerificationError("logout_token.identity_number")


@check(
    "E6.6c",
    "The session id of a logout token, if there is one, has the shape of a pseudonym.",
    clause="Back-Channel Logout 1.0 §2.4; profile §6, sid",
    codes=["logout_token.session_id"],
)
def check_logout_session_id(subject: LogoutSubject) -> None:
    """Compare the shape of ``sid`` as for an assertion."""
    sid = subject.claims.sid
    if sid is not None and not has_subject_shape(sid, any_allowed=subject.any_subject):
        raise VerificationError("logout_token.session_id")
