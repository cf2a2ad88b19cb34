"""The times in an assertion, against one clock reading."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subject_shapes import LoginSubject
from cyberid_client.handshake.subjects import AddressedSubject, JARMSubject, TokenOfIssuerSubject

__all__ = [
    "check_authentication_time",
    "check_expiry",
    "check_issued_at",
    "check_not_before",
    "check_response_lifetime",
]

MAX_TOKEN_AGE: Final = 600
MAX_RESPONSE_LIFETIME: Final = 600


@check(
    "E3.11",
    "An assertion is refused from the very second of its expiry.",
    clause="OIDC Core §3.1.3.7 (9); JARM §2.4",
    codes=["*.expired"],
)
def check_expiry(subject: AddressedSubject) -> None:
    """Compare ``exp`` with now; nothing is forgiven."""
    if subject.claims.exp <= subject.now:
        raise VerificationError(f"{subject.document}.expired")


@check(
    "E1.8",
    "A signed response ends at most ten minutes from now.",
    clause="JARM §2.1, exp",
    codes=["jarm.lifetime"],
)
def check_response_lifetime(subject: JARMSubject) -> None:
    """Compare ``exp`` with now; the leeway forgives an issuer whose clock is ahead of ours."""
    if subject.claims.exp > subject.now + MAX_RESPONSE_LIFETIME + subject.expected.leeway:
        raise VerificationError("jarm.lifetime")


@check(
    "E3.12",
    "An assertion was issued at most ten minutes ago, and not ahead of our clock by more than the leeway.",
    clause="OIDC Core §3.1.3.7 (10)",
    codes=["*.issued_in_future", "*.issued_too_long_ago"],
)
def check_issued_at(subject: LoginSubject) -> None:
    """Compare ``iat`` with now on both sides."""
    if subject.claims.iat > subject.now + subject.expected.leeway:
        raise VerificationError(f"{subject.document}.issued_in_future")
    if subject.claims.iat < subject.now - MAX_TOKEN_AGE:
        raise VerificationError(f"{subject.document}.issued_too_long_ago")


@check(
    "E3.13",
    "An assertion is not used before its time.",
    clause="RFC 7519 §4.1.5",
    codes=["*.not_yet_valid"],
)
def check_not_before(subject: TokenOfIssuerSubject) -> None:
    """Compare ``nbf`` with now, when it is there."""
    nbf = subject.claims.nbf
    if nbf is not None and nbf > subject.now + subject.expected.leeway:
        raise VerificationError(f"{subject.document}.not_yet_valid")


@check(
    "E3.16",
    "The person authenticated no earlier than was asked for, and not in the future.",
    clause="OIDC Core §3.1.2.1, §3.1.3.7 (13); profile §6",
    codes=["*.auth_time_missing", "*.auth_time_in_future", "*.auth_time_stale"],
)
def check_authentication_time(subject: LoginSubject) -> None:
    """Compare ``auth_time`` with now, and with the start of the request less ``max_age``."""
    auth_time, expected = subject.claims.auth_time, subject.expected
    if auth_time is None:
        raise VerificationError(f"{subject.document}.auth_time_missing")
    if auth_time > subject.now + expected.leeway:
        raise VerificationError(f"{subject.document}.auth_time_in_future")
    earliest = 0.0
    if expected.max_age is not None:
        earliest = expected.started_at.timestamp() - expected.max_age - expected.leeway
    if auth_time < earliest:
        raise VerificationError(f"{subject.document}.auth_time_stale")
