"""What the issuer says about itself: discovery, signed metadata, key set."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.errors import CyberIDError, RevocationError
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.evidence import certified_key
from cyberid_client.handshake.flow import ANSWER_MAX_BYTES, Flow, ListsWanted, expect_status, fetch
from cyberid_client.handshake.revocation import LIST_CODES
from cyberid_client.handshake.subjects import (
    NO_LISTS,
    ChainOnDemand,
    DiscoverySubject,
    MetadataSubject,
    SigningKey,
    UnsignedMetadataSubject,
)
from cyberid_client.ports import FlowEnv, HTTPRequest
from cyberid_client.trust import (
    ChainCache,
    ChainProfile,
    IssuedCertificate,
    KeySet,
    RevocationLists,
    find_algorithm,
    verify_chain,
)
from cyberid_client.wire.caching import freshness
from cyberid_client.wire.jwks import parse_jwks
from cyberid_client.wire.metadata import ServerMetadata, parse_metadata, parse_unsigned_metadata
from cyberid_client.wire.responses import parse_discovery

__all__ = [
    "FetchedKeys",
    "FetchedMetadata",
    "IssuerMetadata",
    "fetch_key_set",
    "fetch_metadata",
    "judge_metadata",
    "paths_of",
]

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
        status_list_aggregation_endpoint: where the status lists are named, or ``None``.
        issued_at: ``iat``, seconds; ``None`` when nobody signed.
        expires_at: ``exp``, seconds; likewise.
        end_session_endpoint: where browsers log out, or ``None``.
        mtls_par_endpoint: where requests are pushed by who shows a certificate in TLS, RFC 8705 §5;
            ``None``: at the same place.
        mtls_token_endpoint: where codes are exchanged by who does; likewise.
        require_signed_request_object: requests are taken as signed objects only, RFC 9101 §10.5.
        backchannel_logout_supported: the issuer tells of logouts.
        backchannel_logout_session_supported: it names the session when it does.
        app_verification_endpoint: where app launches are verified, or ``None``.
        app_launch_face: the ID app takes pictures in app launches.
        credential_epoch_length: seconds, or ``None``.
        chain: of the signer; ``None`` when nobody signed.
    """

    issuer: str
    authorization_endpoint: str
    par_endpoint: str
    token_endpoint: str
    jwks_uri: str
    status_list_aggregation_endpoint: str | None
    issued_at: float | None
    expires_at: float | None
    end_session_endpoint: str | None = None
    mtls_par_endpoint: str | None = None
    mtls_token_endpoint: str | None = None
    require_signed_request_object: bool = False
    backchannel_logout_supported: bool = False
    backchannel_logout_session_supported: bool = False
    app_verification_endpoint: str | None = None
    app_launch_face: bool = False
    credential_epoch_length: int | None = None
    chain: ChainOnDemand | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> tuple[IssuedCertificate, ...]:
        """What is to be asked about the signer's chain; nothing when nobody signed."""
        return () if self.chain is None else self.chain().certificates

    def par_endpoint_for(self, *, certificate: bool) -> str:
        """Return where requests are pushed, by who shows a certificate in TLS or by who does not."""
        return (self.mtls_par_endpoint if certificate else None) or self.par_endpoint

    def token_endpoint_for(self, *, certificate: bool) -> str:
        """Return where codes are exchanged, by who shows a certificate in TLS or by who does not."""
        return (self.mtls_token_endpoint if certificate else None) or self.token_endpoint


@dataclass(frozen=True, slots=True)
class FetchedMetadata:
    """Metadata as they were fetched.

    Attributes:
        metadata: believed.
        fresh_for: seconds that the answer's Cache-Control claims; ``None`` when it says nothing.
    """

    metadata: IssuerMetadata
    fresh_for: float | None


@dataclass(frozen=True, slots=True)
class FetchedKeys:
    """A key set as it was fetched.

    Attributes:
        keys: as published.
        fresh_for: as for :class:`FetchedMetadata`.
    """

    keys: KeySet
    fresh_for: float | None


def fetch_metadata(
    rp: RelyingParty,
    env: FlowEnv,
    *,
    newest_iat: float | None,
    cache: ChainCache | None,
    crls: RevocationLists = NO_LISTS,
    newer_than: float | None = None,
    checklists: Checklists = COMPLETE,
) -> Flow[FetchedMetadata]:
    """Fetch the discovery page and believe its signed metadata, or raise.

    Args:
        rp: whom to ask and what to believe.
        env: clock and randomness.
        newest_iat: ``iat`` of the newest metadata accepted so far; older ones are refused.
        cache: remembers chain verdicts.
        crls: the revocation lists that are known; more are asked for when all else holds.
        newer_than: when the page that is known was fetched, as for :class:`~cyberid_client.ports.HTTPRequest`.
        checklists: what must hold.

    Raises:
        UnavailableError: the page did not come.
        VerificationError: it came and is not to be believed.
    """
    request = HTTPRequest(
        method="GET",
        url=rp.discovery_url,
        headers=_JSON,
        max_bytes=ANSWER_MAX_BYTES,
        purpose="discovery",
        newer_than=newer_than,
    )
    response = expect_status((yield from fetch(request)), OK)
    fresh_for = freshness(response)
    if rp.metadata_trust == "tls":
        server = parse_unsigned_metadata(response)
        unsigned = judge_unsigned_metadata(server, rp=rp, checks=checklists.unsigned_metadata)
        return FetchedMetadata(unsigned, fresh_for)
    discovery = parse_discovery(response)
    run_checks(checklists.discovery, DiscoverySubject(discovery=discovery, rp=rp))

    def believe(crls: RevocationLists) -> IssuerMetadata:
        return judge_metadata(
            discovery.signed_metadata,
            rp=rp,
            now=env.now(),
            newest_iat=newest_iat,
            cache=cache,
            checks=checklists.metadata,
            crls=crls,
        )

    try:
        return FetchedMetadata(believe(crls), fresh_for)
    except RevocationError as error:
        if error.code not in LIST_CODES:
            raise
        now = env.now()
        path = _path_of(discovery.signed_metadata, rp=rp, now=now, cache=cache)
        lacking = crls.lacking(path, policy=rp.revocation, now=now.timestamp())
    newer = yield ListsWanted(tried=crls, certificates=lacking)
    return FetchedMetadata(believe(newer if isinstance(newer, RevocationLists) else crls), fresh_for)


def judge_metadata(
    token: str,
    *,
    rp: RelyingParty,
    now: datetime,
    newest_iat: float | None,
    cache: ChainCache | None,
    checks: tuple[Check[MetadataSubject], ...],
    crls: RevocationLists = NO_LISTS,
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
        crls=crls,
    )
    run_checks(checks, subject)
    return _build(claims.server, issued_at=claims.iat, expires_at=claims.exp, chain=subject.chain)


def _path_of(
    token: str, *, rp: RelyingParty, now: datetime, cache: ChainCache | None
) -> tuple[IssuedCertificate, ...]:
    """Return what is to be asked about the path of signed metadata that were judged already."""
    certificates = parse_metadata(token).jws.header.x5c
    if not certificates or rp.trust is None:
        return ()
    profile = ChainProfile.metadata(rp.issuer, purposes=rp.purposes)
    chain = verify_chain(
        certificates[0], certificates[1:], trust=rp.trust, profile=profile, now=now, cache=cache
    )
    return chain.certificates


def judge_unsigned_metadata(
    server: ServerMetadata, *, rp: RelyingParty, checks: tuple[Check[UnsignedMetadataSubject], ...]
) -> IssuerMetadata:
    """Check and build what TLS alone vouches for: the named exception ``metadata_trust="tls"``."""
    run_checks(checks, UnsignedMetadataSubject(server=server, rp=rp))
    return _build(server, issued_at=None, expires_at=None)


def _build(
    server: ServerMetadata,
    *,
    issued_at: float | None,
    expires_at: float | None,
    chain: ChainOnDemand | None = None,
) -> IssuerMetadata:
    return IssuerMetadata(
        issuer=server.issuer,
        authorization_endpoint=server.authorization_endpoint,
        par_endpoint=server.pushed_authorization_request_endpoint,
        token_endpoint=server.token_endpoint,
        jwks_uri=server.jwks_uri,
        status_list_aggregation_endpoint=server.status_list_aggregation_endpoint,
        issued_at=issued_at,
        expires_at=expires_at,
        end_session_endpoint=server.end_session_endpoint,
        mtls_par_endpoint=server.mtls_pushed_authorization_request_endpoint,
        mtls_token_endpoint=server.mtls_token_endpoint,
        require_signed_request_object=server.require_signed_request_object,
        backchannel_logout_supported=server.backchannel_logout_supported,
        backchannel_logout_session_supported=server.backchannel_logout_session_supported,
        app_verification_endpoint=server.app_verification_endpoint,
        app_launch_face=server.app_launch_face,
        credential_epoch_length=server.credential_epoch_length,
        chain=chain,
    )


def paths_of(
    keys: KeySet, *, rp: RelyingParty, now: datetime, cache: ChainCache | None
) -> tuple[IssuedCertificate, ...]:
    """Return what is to be asked about the published keys whose chains hold; the others count for nothing."""
    if rp.trust is None or rp.assertion_chain == "absent":
        return ()
    profiles = [ChainProfile.assertion(rp.issuer, purposes=rp.purposes)]
    if rp.wallet is not None:
        # Who signs credentials is published beside who signs assertions, and no wallet login fetches a list.
        profiles.append(ChainProfile.credential(rp.issuer, purposes=rp.purposes))
    found: list[IssuedCertificate] = []
    for key, profile in product(keys.keys, profiles):
        if not key.chain:
            continue
        with contextlib.suppress(CyberIDError):
            found += verify_chain(
                key.chain[0], key.chain[1:], trust=rp.trust, profile=profile, now=now, cache=cache
            ).certificates
    return tuple(found)


def fetch_key_set(metadata: IssuerMetadata, *, newer_than: float | None = None) -> Flow[FetchedKeys]:
    """Fetch the issuer's key set.

    Entries that are not understood are skipped. A key in it is believed only with a chain to a pinned
    root, so the set itself needs no signature.

    Args:
        metadata: say where it is.
        newer_than: when the set that is known was fetched, as for :class:`~cyberid_client.ports.HTTPRequest`.

    Raises:
        UnavailableError: it did not come.
        VerificationError: it came and is not a key set.
    """
    request = HTTPRequest(
        method="GET",
        url=metadata.jwks_uri,
        headers=_JSON,
        max_bytes=ANSWER_MAX_BYTES,
        purpose="jwks",
        newer_than=newer_than,
    )
    response = expect_status((yield from fetch(request)), OK)
    return FetchedKeys(KeySet.from_jwks(parse_jwks(response)), freshness(response))
