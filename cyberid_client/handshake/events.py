"""Security events: the issuer's word about the state of an account (RFC 8417, RFC 8935; profile §7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checks.events import STANDINGS
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence, choose_key
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.notices import NoticeDemands, name_of
from cyberid_client.handshake.subjects import NO_LISTS, ChainOnDemand, EventSubject
from cyberid_client.models import Pseudonym
from cyberid_client.notices import AccountStanding, AccountState
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.security_event import (
    UnverifiedSecurityEvent,
    parse_security_event,
    read_event_request,
)

__all__ = ["REMEMBERED_FOR", "BelievedEvent", "believe_event", "judge_event", "open_event_request"]

# An event has no end. Whoever sends one again after that meets the counter of its subject, which is kept
# for ever: it is acknowledged and has no effect.
REMEMBERED_FOR: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedEvent:
    """A security event that passed every check.

    Attributes:
        state: what it says.
        key: by which a store knows it.
        subject: by which a store knows the person in this sector: a hash, not keyed, of issuer, sector
            and pseudonym. A pseudonym is random, so that nobody can find it by trying.
        expires_at: from this moment on a store may forget the key.
    """

    state: AccountState
    key: str = field(repr=False)
    subject: str = field(repr=False)
    expires_at: datetime


def open_event_request(body: bytes, content_type: str | None) -> bytes:
    """Return the token of a transmission request, which is whole and not believed.

    It comes before anything is fetched: what is no security event causes no request.

    Args:
        body: of the request, untrusted.
        content_type: of the request, untrusted.

    Raises:
        VerificationError: there is no event in it.
    """
    token = read_event_request(body, content_type)
    parse_security_event(token)
    return token


def believe_event(
    rp: RelyingParty,
    token: str | bytes,
    *,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists = NO_LISTS,
    checklists: Checklists = COMPLETE,
) -> Flow[BelievedEvent]:
    """Judge a security event; whether it was seen before, or is late, is *not* checked here.

    Args:
        rp: whose word counts.
        token: from :func:`open_event_request`, untrusted.
        keys: the issuer's key set.
        env: the clock.
        cache: remembers chain verdicts.
        crls: the revocation lists that are known.
        checklists: as for every flow.

    Raises:
        VerificationError: it is not to be believed.
        UnavailableError: newer keys or lists could not be fetched.
    """

    def judge(keys: KeySet, crls: RevocationLists) -> BelievedEvent:
        checks = checklists.for_security_event(rp)
        return judge_event(token, rp=rp, keys=keys, crls=crls, now=env.now(), cache=cache, checks=checks)

    message = SignedMessage(
        token=token, document="security_event", entry="events", expected=NoticeDemands.of(rp), judge=judge
    )
    return (yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache))


def judge_event(
    token: str | bytes,
    *,
    rp: RelyingParty,
    keys: KeySet,
    crls: RevocationLists,
    now: datetime,
    cache: ChainCache | None,
    checks: tuple[Check[EventSubject], ...],
) -> BelievedEvent:
    """Parse, resolve, check and build; private, because it takes the checks."""
    claims = parse_security_event(token)
    demands = NoticeDemands.of(rp)
    key, certificates = choose_key(claims.jws.header, keys, demands)
    chain = ChainOnDemand(certificates, trust=rp.trust, profile=demands.profile, now=now, cache=cache)
    subject = EventSubject(
        jws=claims.jws, claims=claims, key=key, chain=chain, rp=rp, now=now.timestamp(), crls=crls
    )
    run_checks(checks, subject)
    return _build(claims, rp, now)


def _build(claims: UnverifiedSecurityEvent, rp: RelyingParty, now: datetime) -> BelievedEvent:
    sub, sector = claims.subject or "", rp.sector_identifier
    return BelievedEvent(
        state=AccountState(
            pseudonym=Pseudonym(sub, issuer=rp.issuer, sector=sector),
            state=STANDINGS.get(claims.state, AccountStanding.FROZEN),
            reason=claims.reason,
            sequence=claims.sequence,
            issued_at=datetime.fromtimestamp(claims.iat, UTC),
        ),
        key=name_of("cyberid-security-event-1", rp.issuer, rp.client_id, claims.jti),
        subject=name_of("cyberid-account-1", rp.issuer, sector, sub),
        expires_at=now + REMEMBERED_FOR,
    )
