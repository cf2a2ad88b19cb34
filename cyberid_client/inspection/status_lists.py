"""A token status list."""

from __future__ import annotations

from cyberid_client.errors import VerificationError
from cyberid_client.handshake import checklists
from cyberid_client.handshake.status_list import KINDS
from cyberid_client.handshake.subjects import EntriesOnDemand, StatusListSubject
from cyberid_client.inspection.checks import unread
from cyberid_client.inspection.result import Step, Verdict
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.inspection.signed import READS, chain_of, header_key, judge_signed, with_chain
from cyberid_client.inspection.structure import explain_structure
from cyberid_client.ports import HTTPResponse
from cyberid_client.trust import ChainProfile
from cyberid_client.wire.status_list import UnverifiedStatusList, parse_status_list

__all__ = ["explain_status_list"]


def explain_status_list(data: bytes, settings: InspectionSettings) -> tuple[Step, ...]:
    """Explain a status list; no entry is looked up, because an index belongs to one person.

    Args:
        data: untrusted.
        settings: what is known beside it.
    """
    structure = explain_structure(data, shown=settings.shown, are_public=True)
    # The content type of a file is not known, and not judged.
    headers = {"content-type": "application/statuslist+jwt"}
    try:
        claims = parse_status_list(HTTPResponse(status=200, headers=headers, body=data, url=""))
    except VerificationError as error:
        return structure, *unread(READS, error, checklists.STATUS_LIST)
    profile = ChainProfile.status(settings.rp.issuer, purposes=settings.rp.purposes)
    certificates = claims.jws.header.x5c
    key, resolving = header_key(claims.jws.header, settings)
    subject = StatusListSubject(
        document="status_list",
        kinds=KINDS,
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=chain_of(certificates, settings, profile),
        entries=EntriesOnDemand(claims.lst),
        uri="" if settings.uri is None else settings.uri,
        rp=settings.rp,
        newest_iat=None,
        now=settings.now.timestamp(),
    )
    checks = judge_signed(checklists.STATUS_LIST, subject, claims, settings, is_resolved=not resolving)
    steps = (
        structure,
        Step(title=READS, verdict=Verdict.PASSES),
        *resolving,
        *checks,
        _size(claims, subject),
    )
    return with_chain(steps, certificates, settings, profile)


def _size(claims: UnverifiedStatusList, subject: StatusListSubject) -> Step:
    compressed = f"{len(claims.lst)} bytes compressed"
    try:
        inflated = len(subject.entries())
    except VerificationError:
        return Step(title="Entries", detail=compressed)
    count = inflated * 8 // claims.bits
    return Step(
        title="Entries", detail=f"{count} of {claims.bits} bits each; {compressed}, {inflated} inflated"
    )
