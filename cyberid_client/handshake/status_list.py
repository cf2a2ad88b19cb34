"""Status lists: which there are, and each of them. No login causes any of this (profile §5, §7)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.errors import UnavailableError
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checklists import STATUS_AGGREGATION, STATUS_LIST
from cyberid_client.handshake.evidence import certified_key
from cyberid_client.handshake.flow import ANSWER_MAX_BYTES, Flow, expect_available, expect_status, fetch
from cyberid_client.handshake.metadata import OK, IssuerMetadata
from cyberid_client.handshake.subjects import (
    ChainOnDemand,
    EntriesOnDemand,
    SigningKey,
    StatusAggregationSubject,
    StatusListSubject,
)
from cyberid_client.ports import FlowEnv, HTTPRequest, HTTPResponse
from cyberid_client.trust import ChainCache, ChainProfile, StatusList, find_algorithm
from cyberid_client.trust.status_list import lifetime_of
from cyberid_client.wire.status_list import (
    STATUS_LIST_MAX_BYTES,
    UnverifiedStatusList,
    parse_status_aggregation,
    parse_status_list,
)

__all__ = ["fetch_status_aggregation", "fetch_status_list", "judge_status_list"]

KINDS: Final[frozenset[str | None]] = frozenset({"statuslist+jwt"})
# A little more than a list may have, so that one that has more is refused by its own code.
_LIST_ANSWER_MAX_BYTES: Final = STATUS_LIST_MAX_BYTES + 1024
_SUCCESS: Final = range(200, 300)


def fetch_status_aggregation(
    rp: RelyingParty, metadata: IssuerMetadata, *, newer_than: float | None = None
) -> Flow[tuple[str, ...]]:
    """Fetch the addresses of the issuer's status lists; none, without a request, if it names no such page.

    The page is not signed: it decides what is fetched, never what is believed.

    Args:
        rp: what may be asked.
        metadata: names the page.
        newer_than: when the page that is known was fetched, as for :class:`~cyberid_client.ports.HTTPRequest`.

    Raises:
        UnavailableError: it did not come.
        VerificationError: it came and is not to be used.
    """
    url = metadata.status_list_aggregation_endpoint
    if url is None:
        return ()
    request = HTTPRequest(
        method="GET",
        url=url,
        headers={"accept": "application/json"},
        max_bytes=ANSWER_MAX_BYTES,
        purpose="status_aggregation",
        newer_than=newer_than,
    )
    uris = parse_status_aggregation(expect_status((yield from fetch(request)), OK))
    run_checks(STATUS_AGGREGATION, StatusAggregationSubject(uris=uris, rp=rp))
    return uris


def fetch_status_list(
    rp: RelyingParty,
    env: FlowEnv,
    uri: str,
    *,
    newest_iat: float | None,
    cache: ChainCache | None,
    newer_than: float | None = None,
) -> Flow[StatusList]:
    """Fetch one whole status list and believe it, or raise.

    Args:
        rp: what to believe.
        env: the clock.
        uri: one that :func:`fetch_status_aggregation` returned.
        newest_iat: ``iat`` of the newest list of this address accepted so far; older ones are refused.
        cache: remembers chain verdicts.
        newer_than: when the list that is known was fetched, as for :class:`~cyberid_client.ports.HTTPRequest`.

    Raises:
        UnavailableError: it did not come.
        VerificationError: it came and is not to be believed.
    """
    request = HTTPRequest(
        method="GET",
        url=uri,
        headers={"accept": "application/statuslist+jwt"},
        max_bytes=_LIST_ANSWER_MAX_BYTES,
        purpose="status_list",
        newer_than=newer_than,
    )
    response = expect_available((yield from fetch(request)))
    if response.status not in _SUCCESS:
        raise UnavailableError("issuer.status")
    return judge_status_list(
        response, uri=uri, rp=rp, now=env.now(), newest_iat=newest_iat, cache=cache, checks=STATUS_LIST
    )


def judge_status_list(
    response: HTTPResponse,
    *,
    uri: str,
    rp: RelyingParty,
    now: datetime,
    newest_iat: float | None,
    cache: ChainCache | None,
    checks: tuple[Check[StatusListSubject], ...],
) -> StatusList:
    """Parse, resolve, check and build; private, because it takes the checks."""
    claims = parse_status_list(response)
    subject = resolve_status_list(claims, uri=uri, rp=rp, now=now, newest_iat=newest_iat, cache=cache)
    run_checks(checks, subject)
    return StatusList(
        uri=uri,
        bits=claims.bits,
        entries=subject.entries(),
        issued_at=claims.iat,
        expires_at=claims.exp,
        fetched_at=now,
        lifetime=lifetime_of(ttl=claims.ttl, exp=claims.exp, now=now),
    )


def resolve_status_list(
    claims: UnverifiedStatusList,
    *,
    uri: str,
    rp: RelyingParty,
    now: datetime,
    newest_iat: float | None,
    cache: ChainCache | None,
) -> StatusListSubject:
    """Lay key and chain beside the claims; decide nothing."""
    certificates, algorithm = claims.jws.header.x5c, find_algorithm(rp.algorithm)
    key = certified_key(certificates, algorithm) if certificates else SigningKey("chain_missing", algorithm)
    profile = ChainProfile.status(rp.issuer, purposes=rp.purposes)
    return StatusListSubject(
        document="status_list",
        kinds=KINDS,
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=ChainOnDemand(certificates, trust=rp.trust, profile=profile, now=now, cache=cache),
        entries=EntriesOnDemand(claims.lst),
        uri=uri,
        rp=rp,
        newest_iat=newest_iat,
        now=now.timestamp(),
    )
