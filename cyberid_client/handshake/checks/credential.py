"""What a credential is allowed to be, beyond what every statement of the issuer is (profile §5)."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.checks.person import stated_persistence
from cyberid_client.handshake.credential_subjects import CredentialSubject
from cyberid_client.models import Persistence
from cyberid_client.wire.credential import AGE_BAND

__all__ = [
    "check_credential_type",
    "check_digests",
    "check_disclosures",
    "check_epoch",
    "check_epoch_has_begun",
    "check_header_members",
    "check_holder_key",
    "check_key_binding_is_there",
    "check_known_claims",
    "check_lasting_credential",
    "check_status",
]

CREDENTIAL_TYPE: Final = "urn:cyberid:pairwise:1"
EPOCHS: Final = 2

_HEADER: Final = frozenset({"alg", "kid", "typ", "x5c"})


@check(
    "P5.9",
    "The header has no members but the four that are the same for everybody.",
    clause="profile §5, credential",
    codes=["credential.header"],
)
def check_header_members(subject: CredentialSubject) -> None:
    """Refuse any member but ``alg``, ``kid``, ``typ`` and ``x5c``: it could be a person's number across sectors."""
    if not subject.jws.header.names <= _HEADER:
        raise VerificationError("credential.header")


@check(
    "E10.11",
    "A presentation has a key binding, because the rules say so and not because one is there.",
    clause="RFC 9901 §7.3 (1–2)",
    codes=["key_binding.missing"],
)
def check_key_binding_is_there(subject: CredentialSubject) -> None:
    """Refuse a bare credential: whoever copied it could show it."""
    if subject.claims.key_binding is None:
        raise VerificationError("key_binding.missing")


@check(
    "E10.10",
    "The credential is of the type that was asked for.",
    clause="draft-ietf-oauth-sd-jwt-vc, vct; OpenID4VP 1.0 §8.6",
    codes=["credential.vct"],
)
def check_credential_type(subject: CredentialSubject) -> None:
    """Compare ``vct``; other names of the same type (``aka_vcts``) do not exist in the profile."""
    if subject.claims.vct != CREDENTIAL_TYPE:
        raise VerificationError("credential.vct")


@check(
    "P5.2",
    "The credential has no claim that the profile does not have.",
    clause="profile §5, credential",
    codes=["credential.unknown_claim"],
)
def check_known_claims(subject: CredentialSubject) -> None:
    """Refuse further claims: each could vary per person, and so lead from one sector to another."""
    if subject.claims.foreign:
        raise VerificationError("credential.unknown_claim")


@check(
    "P5.3",
    "The credential has exactly one digest, that of the age band, whether or not that is disclosed.",
    clause="profile §5, credential; RFC 9901 §10.1",
    codes=["credential.digest_count"],
)
def check_digests(subject: CredentialSubject) -> None:
    """Refuse more digests, fewer, and digests elsewhere: their number and place would tell of the person."""
    if subject.claims.digests_at != ((),):
        raise VerificationError("credential.digest_count")


@check(
    "E10.9",
    "No claim comes from a disclosure but the age band.",
    clause="draft-ietf-oauth-sd-jwt-vc, registered claims; profile §5",
    codes=["credential.disclosed_claim"],
)
def check_disclosures(subject: CredentialSubject) -> None:
    """Refuse all that the issuer lets the holder withhold or show but must not: issuer, key, status, dates, mode."""
    if not subject.claims.disclosed <= {(AGE_BAND,)}:
        raise VerificationError("credential.disclosed_claim")


@check(
    "P5.4",
    "A credential begins with an epoch and is good for exactly two.",
    clause="profile §5, epochs",
    codes=["credential.epoch"],
)
def check_epoch(subject: CredentialSubject) -> None:
    """Compare ``iat`` with the beginnings of epochs, and ``exp`` with it."""
    claims, length = subject.claims, subject.expected.epoch_length
    if length < 1 or claims.iat % length or claims.exp != claims.iat + EPOCHS * length:
        raise VerificationError("credential.epoch")


@check(
    "P5.5",
    "A credential is not used before its epoch.",
    clause="profile §5, epochs; §2, clocks",
    codes=["credential.not_yet_valid"],
)
def check_epoch_has_begun(subject: CredentialSubject) -> None:
    """Compare ``iat`` with now; the leeway forgives a phone that has the next one before our clock is there."""
    if subject.claims.iat > subject.now + subject.expected.leeway:
        raise VerificationError("credential.not_yet_valid")


@check(
    "P5.6",
    "The pseudonym of a credential lasts longer than one session.",
    clause="profile §5, epochs; §6, persistence",
    codes=["credential.session_only"],
)
def check_lasting_credential(subject: CredentialSubject) -> None:
    """Refuse a pseudonym for one session: the credential shows the same one for two epochs."""
    if stated_persistence(subject) is Persistence.SESSION:
        raise VerificationError("credential.session_only")


@check(
    "E10.12a",
    "The credential is bound to one public key of the configured kind, and says nothing else about it.",
    clause="RFC 7800 §3.2; RFC 9901 §4.1.2; profile §5",
    codes=["credential.holder_key"],
)
def check_holder_key(subject: CredentialSubject) -> None:
    """Refuse a key of another kind or curve, one that is none, and members beside it, private ones first of all."""
    if subject.holder_key.problem is not None or subject.claims.holder_key_others:
        raise VerificationError("credential.holder_key")


@check(
    "E10.13",
    "The status list that the credential names is known ahead, and says that it is valid.",
    clause="draft-ietf-oauth-status-list-21 §8.3; profile §5, status",
    codes=["status.*"],
)
def check_status(subject: CredentialSubject) -> None:
    """Look the credential up, last of all; nothing is fetched, and neither address nor index is kept."""
    claims = subject.claims
    subject.statuses.look_up(claims.status_uri, claims.status_idx, subject.moment)
