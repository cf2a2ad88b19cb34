"""Fetch certificate revocation lists.

When lists are fetched, and for whom:

1. A document is believed as far as its signature, its chain and its claims go. Nothing is fetched
   before that, so that a forgery causes no request.
2. Lists are fetched for the certificates on that one path, and, on a timer, for those on the paths of
   the published keys; from hosts that are configured, over https (test issuers: literal loopback http).
3. The document is judged once more, revocation last, and only then accepted.

So the first metadata of a process are checked against lists that were fetched because of them, and a
login finds its lists here already, unless its authority is a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.errors import CyberIDError, RevocationError, UnavailableError
from cyberid_client.handshake.flow import Flow, expect_response, expect_status
from cyberid_client.ports import FlowEnv, HTTPRequest, HTTPResponse
from cyberid_client.trust import IssuedCertificate, RevocationList, RevocationLists, load_crl
from cyberid_client.trust.crl import CRL_BYTES_MAX
from cyberid_client.wire.urls import parse_web_url

__all__ = ["LIST_CODES", "FetchedLists", "fetch_lists"]

#: A document with one of these is worth a fetch: nothing else is wrong with it.
LIST_CODES: Final = frozenset({"revocation.unknown", "revocation.unreachable"})

ADDRESSES_MAX: Final = 3
OK: Final = 200
_NOTHING_CAME: Final = frozenset({"revocation.unreachable", "revocation.unknown"})
# A little more than a list may have, so that one that has more is refused by its own code.
_ANSWER_MAX_BYTES: Final = CRL_BYTES_MAX + 1024


@dataclass(frozen=True, slots=True)
class FetchedLists:
    """What came of fetching.

    Attributes:
        crls: what was known, and what is new.
        problem: why the first list that could not be fetched or believed is not among them.
        refused: whether a list came that is not to be believed.
    """

    crls: RevocationLists
    problem: RevocationError | None
    refused: bool = False


def fetch_lists(
    rp: RelyingParty,
    env: FlowEnv,
    certificates: Iterable[IssuedCertificate],
    known: RevocationLists,
    *,
    refused_at: float | None = None,
) -> Flow[FetchedLists]:
    """Fetch the list of each authority that issued one of the certificates; never raises.

    Args:
        rp: what may be asked.
        env: the clock.
        certificates: of believed paths.
        known: stays, whatever comes.
        refused_at: when a document was refused last; only one that was fetched later will do.
    """
    problem: RevocationError | None = None
    refused = False
    for one in {each.authority: each for each in certificates}.values():
        try:
            before = known.by_authority.get(one.authority)
            asked_at = None if before is None else before.asked_at.timestamp()
            newer_than = max((at for at in (asked_at, refused_at) if at is not None), default=None)
            known = known.with_list((yield from _fetch_list(rp, env, one, newer_than)))
        except RevocationError as error:
            problem = problem or error
            refused = refused or error.code not in _NOTHING_CAME
    return FetchedLists(known, problem, refused)


def _fetch_list(
    rp: RelyingParty, env: FlowEnv, certificate: IssuedCertificate, newer_than: float | None
) -> Flow[RevocationList]:
    """Try the addresses in their order; the problem of the first one is told."""
    problem: RevocationError | None = None
    usable = [url for url in certificate.distribution_points if _may_be_asked(url, rp)]
    for url in usable[:ADDRESSES_MAX]:
        request = HTTPRequest(
            method="GET",
            url=url,
            headers={"accept": "application/pkix-crl"},
            max_bytes=_ANSWER_MAX_BYTES,
            purpose="crl",
            newer_than=newer_than,
        )
        try:
            body = _body_of(expect_response((yield request)))
            return load_crl(body, issuer=certificate.issuer, now=env.now(), leeway=rp.clock_leeway)
        except CyberIDError as error:
            problem = problem or _as_revocation(error)
    raise problem or RevocationError("revocation.unknown")


def _may_be_asked(text: str, rp: RelyingParty) -> bool:
    url = parse_web_url(text)
    return url is not None and not url.fragment and rp.allows_url(url) and url.host in rp.list_hosts


def _body_of(response: HTTPResponse) -> bytes:
    return expect_status(response, OK).body


def _as_revocation(error: CyberIDError) -> RevocationError:
    if isinstance(error, RevocationError):
        return error
    too_large = isinstance(error, UnavailableError) and error.code == "transport.too_large"
    problem = RevocationError("revocation.list_too_large" if too_large else "revocation.unreachable")
    problem.__cause__ = error
    return problem
