"""Logout: the issuer's word that a session is over, and the way to the issuer's own page for it.

OpenID Connect Back-Channel Logout 1.0 and RP-Initiated Logout 1.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from cyberid_client.config import RelyingParty
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checks.logout import MAX_TOKEN_AGE
from cyberid_client.handshake.encryption import open_sealed
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence, choose_key
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.notices import NoticeDemands, name_of
from cyberid_client.handshake.subjects import NO_LISTS, ChainOnDemand, LogoutSubject
from cyberid_client.models import Pseudonym
from cyberid_client.notices import LogoutNotice
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.logout_token import UnverifiedLogoutToken, parse_logout_token, read_logout_request
from cyberid_client.wire.urls import parse_web_url

__all__ = ["BelievedLogout", "believe_logout", "judge_logout", "logout_page", "open_logout_request"]

# The clocks of two servers of one app may differ.
_REMEMBERED_BEYOND: Final = timedelta(minutes=1)
# RFC 6749 appendix A.5: what state is made of; it becomes part of an address.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]{1,1024}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BelievedLogout:
    """A logout token that passed every check.

    Attributes:
        notice: what it says.
        key: by which a store knows it.
        expires_at: from this moment on the token itself would be refused.
    """

    notice: LogoutNotice
    key: str = field(repr=False)
    expires_at: datetime


def open_logout_request(
    rp: RelyingParty, body: bytes, content_type: str | None, *, checklists: Checklists = COMPLETE
) -> str | bytes:
    """Return the token of a logout request, which is whole and not believed.

    Where assertions are encrypted, logout tokens are too, under the same rules (§2.4). It comes before
    anything is fetched: what is no logout token causes no request.

    Args:
        rp: says whether tokens are encrypted.
        body: of the request, untrusted.
        content_type: of the request, untrusted.
        checklists: as for every flow.

    Raises:
        VerificationError: there is no token in it.
        ConfigurationError: the extra that decrypts is not installed.
    """
    sealed = read_logout_request(body, content_type)
    token = open_sealed(sealed, rp=rp, document="logout_token", checklists=checklists)
    parse_logout_token(token)
    return token


def believe_logout(
    rp: RelyingParty,
    token: str | bytes,
    *,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists = NO_LISTS,
    checklists: Checklists = COMPLETE,
) -> Flow[BelievedLogout]:
    """Judge a logout token; whether it was seen before is *not* checked here.

    Args:
        rp: whose word counts.
        token: from :func:`open_logout_request`, untrusted.
        keys: the issuer's key set.
        env: the clock.
        cache: remembers chain verdicts.
        crls: the revocation lists that are known.
        checklists: as for every flow.

    Raises:
        VerificationError: it is not to be believed.
        UnavailableError: newer keys or lists could not be fetched.
    """

    def judge(keys: KeySet, crls: RevocationLists) -> BelievedLogout:
        checks = checklists.for_logout_token(rp)
        return judge_logout(token, rp=rp, keys=keys, crls=crls, now=env.now(), cache=cache, checks=checks)

    message = SignedMessage(
        token=token, document="logout_token", entry="logout", expected=NoticeDemands.of(rp), judge=judge
    )
    return (yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache))


def judge_logout(
    token: str | bytes,
    *,
    rp: RelyingParty,
    keys: KeySet,
    crls: RevocationLists,
    now: datetime,
    cache: ChainCache | None,
    checks: tuple[Check[LogoutSubject], ...],
) -> BelievedLogout:
    """Parse, resolve, check and build; private, because it takes the checks."""
    claims = parse_logout_token(token)
    demands = NoticeDemands.of(rp)
    key, certificates = choose_key(claims.jws.header, keys, demands)
    chain = ChainOnDemand(certificates, trust=rp.trust, profile=demands.profile, now=now, cache=cache)
    subject = LogoutSubject(
        jws=claims.jws, claims=claims, key=key, chain=chain, rp=rp, now=now.timestamp(), crls=crls
    )
    run_checks(checks, subject)
    return _build(claims, rp)


def _build(claims: UnverifiedLogoutToken, rp: RelyingParty) -> BelievedLogout:
    sub, sector = claims.sub, rp.sector_identifier
    pseudonym = None if sub is None else Pseudonym(sub, issuer=rp.issuer, sector=sector)
    end = datetime.fromtimestamp(min(claims.exp, claims.iat + MAX_TOKEN_AGE), UTC)
    return BelievedLogout(
        notice=LogoutNotice(issuer=rp.issuer, session_id=claims.sid, pseudonym=pseudonym),
        key=name_of("cyberid-logout-token-1", rp.issuer, rp.client_id, claims.jti),
        expires_at=end + _REMEMBERED_BEYOND,
    )


def logout_page(
    rp: RelyingParty,
    metadata: IssuerMetadata,
    *,
    session_id: str | None,
    post_logout_redirect_uri: str | None,
    state: str | None,
) -> str:
    """Return where the browser goes to log out at the issuer (RP-Initiated Logout 1.0 §2).

    Raises:
        ConfigurationError: the issuer names no such page, the address to come back to is none, or another
            value is not visible ASCII.
    """
    page = metadata.end_session_endpoint
    if page is None:
        raise ConfigurationError("logout.not_offered")
    given: tuple[tuple[str, object], ...] = (("session_id", session_id), ("state", state))
    for name, value in given:
        if value is not None and not (isinstance(value, str) and _VISIBLE.fullmatch(value)):
            raise ConfigurationError("config.value", name)
    fields = {"client_id": rp.client_id}
    if session_id is not None:
        fields["logout_hint"] = session_id
    if post_logout_redirect_uri is not None:
        url = parse_web_url(post_logout_redirect_uri)
        if url is None or url.fragment or not rp.allows_url(url):
            raise ConfigurationError("config.redirect_uri", "post_logout_redirect_uri")
        fields["post_logout_redirect_uri"] = post_logout_redirect_uri
    if state is not None:
        fields["state"] = state
    return f"{page}{'&' if '?' in page else '?'}{urlencode(fields)}"
