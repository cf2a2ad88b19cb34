"""Key, signature and certificate chain of a signed document."""

from __future__ import annotations

from cyberid_client.errors import SignatureError, VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import KeyedSubject, RevocableSubject, SignedSubject

__all__ = ["check_chain", "check_key", "check_key_is_published", "check_revocation", "check_signature"]


@check(
    "E3.6a",
    "There is exactly one key to try: by key id, type, curve, use and algorithm.",
    clause="OIDC Core §10.1; RFC 7517 §4",
    codes=["*.key_unknown", "*.key_ambiguous", "*.chain_missing"],
)
def check_key(subject: KeyedSubject) -> None:
    """Refuse a document for which no single key could be chosen."""
    if subject.key.problem is not None:
        raise VerificationError(f"{subject.document}.{subject.key.problem}")


@check(
    "E3.6b",
    "The signature holds over exactly the bytes that were parsed.",
    clause="RFC 7515 §5.2",
    codes=["*.signature"],
)
def check_signature(subject: KeyedSubject) -> None:
    """Verify the signature with the configured algorithm."""
    jws = subject.jws
    try:
        subject.key.algorithm.verify(subject.key.public_key, jws.signature, jws.signing_input)
    except SignatureError as error:
        raise SignatureError(f"{subject.document}.signature") from error


@check(
    "E3.6c",
    "The chain leads from the signing key, rule by rule, to a pinned root.",
    clause="RFC 5280 §6; RFC 7515 §4.1.6; profile §2",
    codes=["*.chain_missing", "*.key_mismatch", "chain.*"],
)
def check_chain(subject: SignedSubject) -> None:
    """Verify the chain and compare its leaf's key with the signing key."""
    if not subject.chain:
        raise VerificationError(f"{subject.document}.chain_missing")
    if subject.chain().public_key_info != subject.key.public_key_info:
        raise VerificationError(f"{subject.document}.key_mismatch")


@check(
    "E3.6d",
    "The signing key stands in the issuer's key set now, certificate or not.",
    clause="profile §2, keys and chains",
    codes=["*.key_unpublished"],
)
def check_key_is_published(subject: KeyedSubject) -> None:
    """Refuse a key that the issuer does not publish.

    It comes after signature and chain: only a message that the national roots vouch for may cause the
    key set to be fetched again.
    """
    if not subject.key.published:
        raise VerificationError(f"{subject.document}.key_unpublished")


@check(
    "E3.6e",
    "No certificate below the root was revoked, and lists whose time is not over say so.",
    clause="RFC 5280 §6.3; profile §2, §7",
    codes=["*.chain_missing", "chain.*", "revocation.*"],
)
def check_revocation(subject: RevocableSubject) -> None:
    """Look the certificates of the chain up.

    It comes last: lists that are not here are fetched only for a document about which all else holds.
    Without a chain that holds there is no path to ask about, and so no answer.
    """
    if not subject.chain:
        raise VerificationError(f"{subject.document}.chain_missing")
    path = subject.chain().certificates
    subject.crls.require_good(path, policy=subject.revocation, now=subject.now)
