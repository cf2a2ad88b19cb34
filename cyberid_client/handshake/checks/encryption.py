"""The encryption around a signed document: for which key of ours, and how."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import EncryptedSubject, OpenableSubject, SealSubject

__all__ = [
    "check_content_encryption",
    "check_content_type",
    "check_decryption_key",
    "check_encrypted_critical",
    "check_key_encryption",
    "check_sealed_as_configured",
    "check_uncompressed",
]

_SIGNED_INSIDE: Final = "jwt"


@check(
    "E3.22",
    "A token is encrypted exactly when that is configured.",
    clause="OIDC Core §3.1.3.7 (1); RFC 8725 §3.1",
    codes=["*.encrypted", "*.not_encrypted"],
)
def check_sealed_as_configured(subject: SealSubject) -> None:
    """Refuse the other form, whichever is configured."""
    is_configured = subject.rp.id_token == "jwe"  # noqa: S105 - the name of a setting
    if subject.encrypted != is_configured:
        raise VerificationError(f"{subject.document}.{'encrypted' if subject.encrypted else 'not_encrypted'}")


@check(
    "E3.1a",
    "An encrypted token names a decryption key of ours; it names none only when there is just one.",
    clause="RFC 7516 §4.1.6, §5.2 (6–7)",
    codes=["*.decryption_key"],
)
def check_decryption_key(subject: OpenableSubject) -> None:
    """Refuse a token for which no single key of ours could be chosen."""
    if subject.key is None:
        raise VerificationError(f"{subject.document}.decryption_key")


@check(
    "E3.1b",
    "The content key is encrypted in the one way that our key is registered for.",
    clause="RFC 7516 §4.1.1; RFC 8725 §3.1",
    codes=["*.key_encryption"],
)
def check_key_encryption(subject: OpenableSubject) -> None:
    """Compare ``alg`` with the key's own; ``dir``, passwords and PKCS #1 v1.5 are none of any key."""
    if subject.key is None or subject.jwe.alg != subject.key.algorithm:
        raise VerificationError(f"{subject.document}.key_encryption")


@check(
    "E3.1c",
    "The content is encrypted in the one way that is configured.",
    clause="RFC 7516 §4.1.2; RFC 8725 §3.1",
    codes=["*.content_encryption"],
)
def check_content_encryption(subject: EncryptedSubject) -> None:
    """Compare ``enc``."""
    if subject.jwe.enc != subject.rp.content_encryption:
        raise VerificationError(f"{subject.document}.content_encryption")


@check(
    "E3.1d",
    "What is inside says that it is a signed token.",
    clause="RFC 7519 §5.2",
    codes=["*.content_type"],
)
def check_content_type(subject: EncryptedSubject) -> None:
    """Compare ``cty`` case-insensitively, with or without ``application/``; an absent one is refused."""
    cty = subject.jwe.cty
    if cty is None or cty.lower().removeprefix("application/") != _SIGNED_INSIDE:
        raise VerificationError(f"{subject.document}.content_type")


@check(
    "E3.1e",
    "A compressed token is refused: its length would tell of its content, and its content could be a bomb.",
    clause="RFC 7516 §4.1.3; RFC 8725 §3.6",
    codes=["*.compressed"],
)
def check_uncompressed(subject: OpenableSubject) -> None:
    """Refuse ``zip``."""
    if subject.jwe.compressed:
        raise VerificationError(f"{subject.document}.compressed")


@check(
    "E3.1f",
    "A header of encryption with critical extensions is refused: none is understood.",
    clause="RFC 7516 §4.1.13",
    codes=["*.critical"],
)
def check_encrypted_critical(subject: OpenableSubject) -> None:
    """Refuse ``crit``."""
    if subject.jwe.critical:
        raise VerificationError(f"{subject.document}.critical")
