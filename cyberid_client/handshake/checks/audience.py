"""Who says it, to whom, and in answer to what."""

from __future__ import annotations

import hmac

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import AddressedSubject, AssertionSubject, TokenOfIssuerSubject
from cyberid_client.wire.base64url import encode_base64url

__all__ = [
    "check_access_token_hash",
    "check_assertion_issuer",
    "check_audience",
    "check_authorized_party",
    "check_kind",
    "check_nonce",
]


@check(
    "P2.1",
    "A document with members of another kind of document is none of its own kind.",
    clause="profile §2, kinds; RFC 8725 §3.12",
    codes=["*.kind"],
)
def check_kind(subject: TokenOfIssuerSubject) -> None:
    """Refuse claims that only documents of another kind have."""
    if subject.claims.foreign:
        raise VerificationError(f"{subject.document}.kind")


@check(
    "E3.8",
    "The issuer is the configured one, byte for byte.",
    clause="OIDC Core §3.1.3.7 (2); JARM §2.4",
    codes=["*.issuer"],
)
def check_assertion_issuer(subject: AddressedSubject) -> None:
    """Compare ``iss``."""
    if subject.claims.iss != subject.expected.issuer:
        raise VerificationError(f"{subject.document}.issuer")


@check(
    "E3.9",
    "The audience is this client and nobody else.",
    clause="OIDC Core §3.1.3.7 (3); JARM §2.4",
    codes=["*.audience"],
)
def check_audience(subject: AddressedSubject) -> None:
    """Compare ``aud``: no other audience is trusted, so that more than one is always one too many."""
    if subject.claims.aud != (subject.expected.recipient,):
        raise VerificationError(f"{subject.document}.audience")


@check(
    "E3.10",
    "An authorized party, if one is named, is this client.",
    clause="OIDC Core §3.1.3.7 (4–5)",
    codes=["id_token.authorized_party"],
)
def check_authorized_party(subject: AssertionSubject) -> None:
    """Compare ``azp``; with one audience it may be absent."""
    azp = subject.claims.azp
    if azp is not None and azp != subject.expected.client_id:
        raise VerificationError("id_token.authorized_party")


@check(
    "E3.14",
    "The nonce is that of this login.",
    clause="OIDC Core §3.1.3.7 (11)",
    codes=["id_token.nonce"],
)
def check_nonce(subject: AssertionSubject) -> None:
    """Compare ``nonce`` in constant time; an absent one is refused."""
    nonce = subject.claims.nonce
    if nonce is None or not hmac.compare_digest(nonce.encode(), subject.expected.nonce.encode()):
        raise VerificationError("id_token.nonce")


@check(
    "E3.17",
    "A hash of the access token, if there is one, is that of the token that came with it.",
    clause="OIDC Core §3.1.3.8",
    codes=["id_token.access_token_hash"],
)
def check_access_token_hash(subject: AssertionSubject) -> None:
    """Compare ``at_hash``; it is refused when no access token is at hand."""
    at_hash = subject.claims.at_hash
    if at_hash is None:
        return
    access_token = subject.expected.access_token
    if access_token is None:
        raise VerificationError("id_token.access_token_hash")
    half = encode_base64url(subject.key.algorithm.half_hash(access_token.encode()))
    if not hmac.compare_digest(at_hash.encode(), half.encode()):
        raise VerificationError("id_token.access_token_hash")
