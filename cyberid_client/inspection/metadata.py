"""Signed metadata, and the discovery page that carries them."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake import checklists
from cyberid_client.handshake.metadata import KINDS
from cyberid_client.handshake.subjects import DiscoverySubject, MetadataSubject
from cyberid_client.inspection.checks import gap_of, judge_checks, unread
from cyberid_client.inspection.key_sets import json_page
from cyberid_client.inspection.result import Step, Verdict
from cyberid_client.inspection.revocation import read_lists
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.inspection.signed import READS, chain_of, header_key, judge_signed, with_chain
from cyberid_client.inspection.structure import explain_structure
from cyberid_client.trust import ChainProfile
from cyberid_client.wire.metadata import parse_metadata
from cyberid_client.wire.responses import parse_discovery

__all__ = ["explain_discovery", "explain_metadata"]

_PAGE: Final = "The page is a strict JSON object with an issuer and signed metadata."


def explain_metadata(data: bytes, settings: InspectionSettings) -> tuple[Step, ...]:
    """Explain signed metadata.

    Args:
        data: untrusted.
        settings: what is known beside it.
    """
    structure = explain_structure(data, shown=settings.shown, are_public=True)
    try:
        claims = parse_metadata(data)
    except VerificationError as error:
        return structure, *unread(READS, error, checklists.METADATA)
    profile = ChainProfile.metadata(settings.rp.issuer, purposes=settings.rp.purposes)
    certificates = claims.jws.header.x5c
    key, resolving = header_key(claims.jws.header, settings)
    chain = chain_of(certificates, settings, profile)
    crls, lists = read_lists(chain, settings)
    subject = MetadataSubject(
        document="metadata",
        kinds=KINDS,
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=chain,
        rp=settings.rp,
        newest_iat=None,
        now=settings.now.timestamp(),
        crls=crls,
    )
    checks = judge_signed(checklists.METADATA, subject, claims, settings, is_resolved=not resolving)
    steps = (structure, Step(title=READS, verdict=Verdict.PASSES), *resolving, *checks)
    return with_chain(steps, certificates, settings, profile, lists=lists)


def explain_discovery(data: bytes, settings: InspectionSettings) -> tuple[Step, ...]:
    """Explain a discovery page: two members are read, and the signed metadata among them is explained.

    Args:
        data: untrusted.
        settings: what is known beside it.
    """
    try:
        discovery = parse_discovery(json_page(data))
    except VerificationError as error:
        return unread(_PAGE, error, checklists.DISCOVERY)
    subject = DiscoverySubject(discovery=discovery, rp=settings.rp)
    checks = judge_checks(checklists.DISCOVERY, subject, gap=lambda each: gap_of(each, discovery, settings))
    token = discovery.signed_metadata.encode("utf-8")
    return (
        Step(title=_PAGE, verdict=Verdict.PASSES, detail="all other members are unsigned and not read"),
        *checks,
        Step(title="Signed metadata", children=explain_metadata(token, settings)),
    )
