"""Step-up: ask the person who is logged in to authenticate again, and more strictly (RFC 9470; profile §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from cyberid_client.config import RelyingParty
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checks.person import has_subject_shape
from cyberid_client.handshake.subjects import StepUpSubject
from cyberid_client.models import (
    Login,
    PendingLogin,
    Pseudonym,
    PseudonymDigest,
    PseudonymKeys,
    keep_secret,
)
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import decode_base64url, encode_base64url

__all__ = ["StepUpPerson", "require_same_person"]

KEY_BYTES: Final = 32
_OWN_KEY: Final = "once"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUpPerson:
    """Who it must be, as the pending record keeps it: a digest only.

    Attributes:
        person: ``key_id.mac``.
        person_key: base64url of the key, when it was made for this step-up alone; ``None`` for one of the
            app's own.
        login_hint: the pseudonym itself, for the pushed request; ``None`` when only a digest is held.
    """

    person: str = field(repr=False)
    person_key: str | None = field(repr=False)
    login_hint: str | None = field(repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "person", "person_key", "login_hint")

    @classmethod
    def of(cls, person: Pseudonym | PseudonymDigest, rp: RelyingParty, env: FlowEnv) -> Self:
        """Digest a pseudonym under a fresh random key, or take a digest as it is.

        Raises:
            ConfigurationError: the app's keys do not hold the one that made the digest, or ``person`` is
                neither, or is a pseudonym of another issuer or sector.
        """
        if isinstance(person, Pseudonym):
            _require_ours(person, rp)
            key = env.token(KEY_BYTES)
            digest = person.digest(PseudonymKeys({_OWN_KEY: key}))
            return cls(person=str(digest), person_key=encode_base64url(key), login_hint=person.value)
        if not isinstance(person, PseudonymDigest):
            raise ConfigurationError("config.value", "person")
        if rp.pseudonym_keys is None or person.key_id not in rp.pseudonym_keys.ids:
            raise ConfigurationError("config.pseudonym_key", "pseudonym_keys")
        return cls(person=str(PseudonymDigest.parse(str(person))), person_key=None, login_hint=None)


def _require_ours(person: Pseudonym, rp: RelyingParty) -> None:
    """Refuse a pseudonym of another issuer or sector: this issuer must not learn it, and it could never match."""
    value: object = person.value
    if not isinstance(value, str) or not has_subject_shape(value, any_allowed=True):
        raise ConfigurationError("config.value", "person")
    if person != Pseudonym(value, issuer=rp.issuer, sector=rp.sector_identifier):
        raise ConfigurationError("config.value", "person")


def require_same_person(
    login: Login, pending: PendingLogin, rp: RelyingParty, checks: tuple[Check[StepUpSubject], ...]
) -> None:
    """Refuse a step-up that somebody else did; nothing to refuse when it was an ordinary login.

    Raises:
        VerificationError: ``step_up.other_person``, ``step_up.session_only``.
        ConfigurationError: the app's keys do not hold the one any more that made the digest.
    """
    if pending.person is None:
        return
    person = PseudonymDigest.parse(pending.person)
    if pending.person_key is None:
        keys = rp.pseudonym_keys
    else:
        keys = PseudonymKeys({person.key_id: decode_base64url(pending.person_key)})
    if keys is None:
        raise ConfigurationError("config.pseudonym_key", "pseudonym_keys")
    run_checks(checks, StepUpSubject(login=login, person=person, keys=keys))
