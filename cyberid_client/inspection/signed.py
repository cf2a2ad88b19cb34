"""What the explanations of all signed documents share: the key to try, and the chain beside it."""

from __future__ import annotations

from typing import Final, TypeVar

from cyberid_client.errors import ChainError
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.evidence import certified_key
from cyberid_client.handshake.subjects import ChainOnDemand, SignedSubject, SigningKey
from cyberid_client.inspection.chain import explain_chain
from cyberid_client.inspection.checks import gap_of, judge_checks, key_gap, refused
from cyberid_client.inspection.result import Step
from cyberid_client.inspection.revocation import revocation_gap
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.trust import ChainProfile, find_algorithm
from cyberid_client.wire.jws import JWSHeader

__all__ = ["KEY", "READS", "UNREADABLE_KEY", "chain_of", "header_key", "judge_signed", "with_chain"]

S = TypeVar("S", bound=SignedSubject)

READS: Final = "It is a strict compact JWS with all claims that must be there."
KEY: Final = "The certificate of the signing key can be read."
UNREADABLE_KEY: Final = "the certificate of the signing key cannot be read"


def header_key(header: JWSHeader, settings: InspectionSettings) -> tuple[SigningKey, tuple[Step, ...]]:
    """Return the key of the header's certificate, and the step that says why there is none."""
    algorithm = find_algorithm(settings.algorithm)
    if not header.x5c:
        return SigningKey("chain_missing", algorithm), ()
    try:
        return certified_key(header.x5c, algorithm), ()
    except ChainError as error:
        return SigningKey("chain_missing", algorithm), (refused(KEY, error),)


def chain_of(
    certificates: tuple[bytes, ...], settings: InspectionSettings, profile: ChainProfile
) -> ChainOnDemand:
    """Return the chain as a checklist judges it."""
    return ChainOnDemand(certificates, trust=settings.rp.trust, profile=profile, now=settings.now, cache=None)


def judge_signed(
    checks: tuple[Check[S], ...],
    subject: S,
    claims: object,
    settings: InspectionSettings,
    *,
    is_resolved: bool,
) -> tuple[Step, ...]:
    """Judge a document whose key comes with its own certificate.

    Args:
        checks: its checklist.
        subject: what they judge.
        claims: what stands in it.
        settings: what is known beside it.
        is_resolved: whether the certificate could be read, if there is one.
    """
    unresolved = "" if is_resolved else UNREADABLE_KEY

    def gap(each: Check[S]) -> tuple[str, ...] | str:
        # No key set is asked here: the certificate alone says which key it is.
        if each.name == "check_key" and is_resolved:
            return ()
        return (
            key_gap(each, subject, unresolved=unresolved)
            or gap_of(each, claims, settings)
            or revocation_gap(each, subject.chain, settings)
        )

    return judge_checks(checks, subject, gap=gap)


def with_chain(
    steps: tuple[Step, ...],
    certificates: tuple[bytes, ...],
    settings: InspectionSettings,
    profile: ChainProfile,
    *,
    lists: tuple[Step, ...] = (),
) -> tuple[Step, ...]:
    """Lay the explanation of the chain, and of the lists about it, below the steps of a document."""
    if not certificates:
        return steps
    children = explain_chain(certificates, settings=settings, profile=profile)
    return *steps, Step(title="Chain", children=(*children, *lists))
