"""The claims of the issuer's signed metadata."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import MetadataSubject, ServerSubject
from cyberid_client.wire.urls import parse_web_url

__all__ = [
    "check_capabilities",
    "check_endpoints",
    "check_metadata_expiry",
    "check_metadata_issued_at",
    "check_metadata_issuer",
    "check_metadata_lifetime",
    "check_not_rolled_back",
]

MAX_LIFETIME: Final = 7 * 24 * 3600


@check(
    "P3.1",
    "Signed metadata are issued by the configured issuer about itself.",
    clause="RFC 8414 §2.1, §3.3; profile §3",
    codes=["metadata.issuer"],
)
def check_metadata_issuer(subject: MetadataSubject) -> None:
    """Compare ``iss``, ``sub`` and ``issuer``."""
    claims, issuer = subject.claims, subject.rp.issuer
    if (claims.iss, claims.sub, claims.server.issuer) != (issuer, issuer, issuer):
        raise VerificationError("metadata.issuer")


@check(
    "P3.2",
    "Signed metadata were not issued ahead of our clock by more than the leeway.",
    clause="profile §2, clocks; §3",
    codes=["metadata.issued_in_future"],
)
def check_metadata_issued_at(subject: MetadataSubject) -> None:
    """Compare ``iat`` with now."""
    if subject.claims.iat > subject.now + subject.rp.clock_leeway:
        raise VerificationError("metadata.issued_in_future")


@check(
    "P3.3",
    "Signed metadata are refused from the very second of their expiry.",
    clause="profile §3; RFC 7519 §4.1.4",
    codes=["metadata.expired"],
)
def check_metadata_expiry(subject: MetadataSubject) -> None:
    """Compare ``exp`` with now; nothing is forgiven."""
    if subject.claims.exp <= subject.now:
        raise VerificationError("metadata.expired")


@check(
    "P3.4",
    "Signed metadata live for at most seven days.",
    clause="profile §3",
    codes=["metadata.lifetime"],
)
def check_metadata_lifetime(subject: MetadataSubject) -> None:
    """Compare ``exp`` with ``iat``."""
    if not 0 < subject.claims.exp - subject.claims.iat <= MAX_LIFETIME:
        raise VerificationError("metadata.lifetime")


@check(
    "P3.5",
    "Signed metadata are not older than the newest that were accepted.",
    clause="profile §3",
    codes=["metadata.rolled_back"],
)
def check_not_rolled_back(subject: MetadataSubject) -> None:
    """Compare ``iat`` with that of the newest document."""
    if subject.newest_iat is not None and subject.claims.iat < subject.newest_iat:
        raise VerificationError("metadata.rolled_back")


@check(
    "P3.6",
    "Every endpoint is https on a host that is allowed for this issuer.",
    clause="profile §3; RFC 9700 §4.15",
    codes=["metadata.endpoint"],
)
def check_endpoints(subject: ServerSubject) -> None:
    """Compare scheme and host of all endpoints; test issuers may use literal loopback http."""
    server = subject.server
    endpoints = (
        server.authorization_endpoint,
        server.pushed_authorization_request_endpoint,
        server.token_endpoint,
        server.jwks_uri,
        server.end_session_endpoint,
        server.status_list_aggregation_endpoint,
        server.mtls_pushed_authorization_request_endpoint,
        server.mtls_token_endpoint,
    )
    for text in endpoints:
        if text is None:
            continue
        url = parse_web_url(text)
        if url is None or url.fragment or not subject.rp.allows_url(url):
            raise VerificationError("metadata.endpoint")
        if url.host not in subject.rp.endpoint_hosts:
            raise VerificationError("metadata.endpoint")


@check(
    "P3.7",
    "The issuer offers all the protection that is configured; less is never negotiated.",
    clause="profile §3; FAPI 2.0 Security Profile §5.3.2; RFC 9207 §3",
    codes=["metadata.capability"],
)
def check_capabilities(subject: ServerSubject) -> None:
    """Compare what the issuer says it supports with what a login needs."""
    server, rp = subject.server, subject.rp
    offered = (
        server.authorization_response_iss_parameter_supported,
        "code" in server.response_types_supported,
        "query" in (server.response_modes_supported or ("query",)),
        "pairwise" in server.subject_types_supported,
        "S256" in server.code_challenge_methods_supported,
        "private_key_jwt" in server.token_endpoint_auth_methods_supported,
        rp.client_keys.signing.algorithm in server.token_endpoint_auth_signing_alg_values_supported,
        rp.algorithm in server.id_token_signing_alg_values_supported,
        rp.acr_value(rp.assurance) in server.acr_values_supported,
    )
    if not all(offered):
        raise VerificationError("metadata.capability")
