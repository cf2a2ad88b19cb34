"""What the issuer says about itself: discovery, signed metadata, key set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.handshake.assertion import certified_key
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checklists import DISCOVERY, METADATA
from cyberid_client.handshake.flow import ANSWER_MAX_BYTES, Flow, expect_status, fetch
from cyberid_client.handshake.subjects import ChainOnDemand, DiscoverySubject, MetadataSubject, SigningKey
from cyberid_client.ports import FlowEnv, HTTPRequest
from cyberid_client.trust import ChainCache, ChainProfile, KeySet, find_algorithm
from cyberid_client.wire.jwks import parse_jwks
from cyberid_client.wire.metadata import UnverifiedMetadata, parse_metadata
from cyberid_client.wire.responses import parse_discovery

__all__ = ["IssuerMetadata", "fetch_key_set", "fetch_metadata", "judge_metadata"]

KINDS: Final[frozenset[str | None]] = frozenset({"cyberid-metadata+jwt"})
_JSON: Final = {"accept": "application/json"}
OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerMetadata:
    """The issuer's verified word about itself.

    Attributes:
        issuer: the configured one.
        authorization_endpoint: where browsers go.
        par_endpoint: where requests are pushed, RFC 9126.
        token_endpoint: where codes are exchanged.
        jwks_uri: where the key set is.
        issued_at: ``iat``, seconds.
        expires_at: ``exp``, seconds.
    """

    issuer: str
    authorization_endpoint: str
    par_endpoint: str
    token_endpoint: str
    jwks_uri: str
    issued_at: float
    expires_at: float


def fetch_metadata(
    rp: RelyingParty, env: FlowEnv, *, newest_iat: float | None, cache: ChainCache | None
) -> Flow[IssuerMetadata]:
    """Fetch the discovery page and believe its signed metadata, or raise.

    Args:
        rp: whom to ask and what to believe.
        env: clock and randomness.
        newest_iat: ``iat`` of the newest metadata accepted so far; older ones are refused.
        cache: remembers chain verdicts.

    Raises:
        UnavailableError: the page did not come.
        VerificationError: it came and is not to be believed.
    """
    request = HTTPRequest(
        method="GET", url=rp.discovery_url, headers=_JSON, max_bytes=ANSWER_MAX_BYTES, purpose="discovery"
    )
    response = expect_status((yield from fetch(request)), OK)
    discovery = parse_discovery(response)
    run_checks(DISCOVERY, DiscoverySubject(discovery=discovery, rp=rp))
    return judge_metadata(
        discovery.signed_metadata, rp=rp, now=env.now(), newest_iat=newest_iat, cache=cache, checks=METADATA
    )


def judge_metadata(
    token: str,
    *,
    rp: RelyingParty,
    now: datetime,
    newest_iat: float | None,
    cache: ChainCache | None,
    checks: tuple[Check[MetadataSubject], ...],
) -> IssuerMetadata:
    """Parse, resolve, check and build; private, because it takes the checks."""
    claims = parse_metadata(token)
    certificates, algorithm = claims.jws.header.x5c, find_algorithm(rp.algorithm)
    key = certified_key(certificates, algorithm) if certificates else SigningKey("chain_missing", algorithm)
    profile = ChainProfile.metadata(rp.issuer, purposes=rp.purposes)
    subject = MetadataSubject(
        document="metadata",
        kinds=KINDS,
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=ChainOnDemand(certificates, trust=rp.trust, profile=profile, now=now, cache=cache),
        rp=rp,
        newest_iat=newest_iat,
        now=now.timestamp(),
    )
    run_checks(checks, subject)
    return _build(claims)


def _build(claims: UnverifiedMetadata) -> IssuerMetadata:
    return IssuerMetadata(
        issuer=claims.issuer,
        authorization_endpoint=claims.authorization_endpoint,
        par_endpoint=claims.pushed_authorization_request_endpoint,
        token_endpoint=claims.token_endpoint,
        jwks_uri=claims.jwks_uri,
        issued_at=claims.iat,
        expires_at=claims.exp,
    )


def fetch_key_set(metadata: IssuerMetadata) -> Flow[KeySet]:
    """Fetch the issuer's key set.

    Entries that are not understood are skipped. A key in it is believed only with a chain to a pinned
    root, so the set itself needs no signature.

    Raises:
        UnavailableError: it did not come.
        VerificationError: it came and is not a key set.
    """
    request = HTTPRequest(
        method="GET", url=metadata.jwks_uri, headers=_JSON, max_bytes=ANSWER_MAX_BYTES, purpose="jwks"
    )
    response = expect_status((yield from fetch(request)), OK)
    return KeySet.from_jwks(parse_jwks(response))
