"""SD-JWT VC with key binding (RFC 9901, OpenID4VP 1.0 Appendix B.3): the first entry of the registry.

(1) *Parse* makes complete values of the credential and of the key binding, or raises; nothing is believed yet.
(2) *Resolve* chooses the issuer's key, lays the chain beside it, and makes the holder's key.
(3) *Check* runs ``checklists.CREDENTIAL`` on the issuer's word, ``KEY_BINDING`` on the holder's, and only then
    ``CREDENTIAL_STATUS``: nothing is looked up about a presentation that is not believed.
(4) *Build* says what it proves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cyberid_client.config import ExpectedPresentation
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.checks.credential import CREDENTIAL_TYPE
from cyberid_client.handshake.checks.factors import reached_mode
from cyberid_client.handshake.checks.person import AGE_BANDS, stated_persistence
from cyberid_client.handshake.credential_subjects import CredentialSubject, KeyBindingSubject, holder_key
from cyberid_client.handshake.evidence import choose_key
from cyberid_client.handshake.formats.format import KnownAhead, VerifiedPresentation
from cyberid_client.handshake.subjects import ChainOnDemand
from cyberid_client.models import Evidence, Persistence
from cyberid_client.wire.credential import (
    AGE_BAND,
    CREDENTIAL_MAX_BYTES,
    UnverifiedCredential,
    parse_credential,
)
from cyberid_client.wire.key_binding import UnverifiedKeyBinding, parse_key_binding

__all__ = ["SDJWTFormat"]

_HIDES: Final = MappingProxyType(
    {
        "which app a person logs in to, when, and whether at all": "the issuer",
        "the age band, unless it is asked for and granted": "the app",
        "that two pseudonyms are one person": "two apps together, the issuer aside",
    }
)


class SDJWTFormat:
    """SD-JWT VC with key binding; see :class:`~cyberid_client.handshake.formats.format.CredentialFormat`.

    What it does not hide: issuer and app together know everything, because the issuer signed every credential
    and the app sees its signature.
    """

    __slots__ = ()

    name: str = "sd-jwt"
    identifier: str = "dc+sd-jwt"
    max_bytes: int = CREDENTIAL_MAX_BYTES
    hides: Mapping[str, str] = _HIDES

    def query(self, *, acr_values: tuple[str, ...], age_band: bool) -> Mapping[str, object]:
        """Return the credential query; the age band stands in one of two sets, so that it may be withheld."""
        claims: list[object] = [{"id": "acr", "path": ["acr"], "values": list(acr_values)}]
        meta = {"vct_values": [CREDENTIAL_TYPE]}
        if not age_band:
            return {"format": self.identifier, "meta": meta, "claims": claims}
        claims.append({"id": AGE_BAND, "path": [AGE_BAND]})
        sets = [["acr", AGE_BAND], ["acr"]]
        return {"format": self.identifier, "meta": meta, "claims": claims, "claim_sets": sets}

    def abilities(self, *, algorithm: str, holder_algorithm: str) -> Mapping[str, object]:
        """Return which algorithms are understood (OpenID4VP 1.0 Appendix B.3.4)."""
        return {"sd-jwt_alg_values": [algorithm], "kb-jwt_alg_values": [holder_algorithm]}

    def verify(
        self,
        presentation: str,
        *,
        expected: ExpectedPresentation,
        known: KnownAhead,
        now: datetime,
        checklists: Checklists,
    ) -> VerifiedPresentation:
        """Believe a presentation, or raise; all checks of its three checklists run.

        Args:
            presentation: ``<jwt>~<disclosure>~…~<key binding>``, untrusted.
            expected: what it must say.
            known: what it is judged with; nothing is fetched.
            now: aware.
            checklists: what must hold.

        Raises:
            VerificationError: ``credential.*``, ``key_binding.*``, ``chain.*``, ``revocation.*``, ``status.*``.
            ConfigurationError: ``time.naive``.
        """
        if now.tzinfo is None:
            raise ConfigurationError("time.naive")
        claims = parse_credential(presentation)
        binding = None if claims.key_binding is None else parse_key_binding(claims.key_binding)
        subject = _resolve(claims, expected=expected, known=known, now=now)
        run_checks(checklists.credential, subject)
        if binding is not None:
            run_checks(checklists.key_binding, _resolve_binding(binding, subject))
        run_checks(checklists.credential_status, subject)
        return _build(subject, checklists)


def _resolve(
    claims: UnverifiedCredential, *, expected: ExpectedPresentation, known: KnownAhead, now: datetime
) -> CredentialSubject:
    """Lay keys and chain beside the claims; decide nothing."""
    key, certificates = choose_key(claims.jws.header, known.keys, expected)
    return CredentialSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        holder_key=holder_key(claims.holder_key, expected.holder_algorithm),
        chain=ChainOnDemand(
            certificates, trust=expected.trust, profile=expected.profile, now=now, cache=known.cache
        ),
        expected=expected,
        now=now.timestamp(),
        moment=now,
        crls=known.crls,
        statuses=known.statuses,
    )


def _resolve_binding(binding: UnverifiedKeyBinding, subject: CredentialSubject) -> KeyBindingSubject:
    return KeyBindingSubject(
        jws=binding.jws,
        claims=binding,
        key=subject.holder_key,
        bound=subject.claims.bound,
        expected=subject.expected,
        now=subject.now,
    )


def _build(subject: CredentialSubject, checklists: Checklists) -> VerifiedPresentation:
    claims, expected = subject.claims, subject.expected
    chain = subject.chain()
    return VerifiedPresentation(
        pseudonym=claims.sub,
        assurance=reached_mode(subject) or expected.assurance,
        persistence=stated_persistence(subject) or Persistence.SESSION,
        age_band=None if claims.age_band is None else AGE_BANDS[claims.age_band],
        evidence=Evidence(
            checks=_COMPLETE_NUMBERS if checklists is COMPLETE else _numbers(checklists),
            algorithm=expected.algorithm.name,
            signer_sha256=chain.leaf_sha256,
            anchor_sha256=chain.anchor_sha256,
            chain_expires_at=chain.not_after,
            trust_fingerprint=expected.trust.fingerprint,
            verified_at=subject.moment,
        ),
    )


def _numbers(checklists: Checklists) -> tuple[str, ...]:
    return (
        *[each.number for each in checklists.credential],
        *[each.number for each in checklists.key_binding],
        *[each.number for each in checklists.credential_status],
    )


_COMPLETE_NUMBERS: Final = _numbers(COMPLETE)
