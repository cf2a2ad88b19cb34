"""The claims of the issuer's signed metadata."""

from __future__ import annotations

from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.dpop import ALGORITHM as DPOP_ALGORITHM
from cyberid_client.handshake.subjects import MetadataSubject, ServerSubject
from cyberid_client.wire.metadata import ServerMetadata
from cyberid_client.wire.urls import parse_web_url

__all__ = [
    "check_capabilities",
    "check_endpoints",
    "check_epoch_length",
    "check_metadata_expiry",
    "check_metadata_issued_at",
    "check_metadata_issuer",
    "check_metadata_lifetime",
    "check_not_rolled_back",
]

MAX_LIFETIME: Final = 7 * 24 * 3600
EPOCH_MIN: Final = 24 * 3600
EPOCH_MAX: Final = 14 * 24 * 3600
# A mock issuer may have weeks go by in minutes.
EPOCH_MIN_FOR_TESTS: Final = 60


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
        server.app_verification_endpoint,
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
    clause="profile §3; FAPI 2.0 Security Profile §5.3.2; RFC 9207 §3; JARM §4; RFC 9449 §5.1; RFC 8705 §3.3",
    codes=["metadata.capability"],
)
def check_capabilities(subject: ServerSubject) -> None:
    """Compare what the issuer says it supports with what a login needs."""
    server, rp = subject.server, subject.rp
    offered = (
        "code" in server.response_types_supported,
        "pairwise" in server.subject_types_supported,
        "S256" in server.code_challenge_methods_supported,
        rp.algorithm in server.id_token_signing_alg_values_supported,
        rp.acr_value(rp.assurance) in server.acr_values_supported,
        _offers_authentication(server, rp),
        _offers_response(server, rp),
        _offers_binding(server, rp),
        _offers_encryption(server, rp),
        _offers_request_objects(server, rp),
        rp.app_launch is None or server.app_verification_endpoint is not None,
    )
    if not all(offered):
        raise VerificationError("metadata.capability")


@check(
    "P5.8",
    "Where wallets may log in, the issuer says how long an epoch of its credentials is: 1 to 14 days.",
    clause="profile §5, epochs",
    codes=["metadata.epoch_length"],
)
def check_epoch_length(subject: MetadataSubject) -> None:
    """Compare the length of an epoch with its bounds; a credential lives for two."""
    rp, length = subject.rp, subject.claims.server.credential_epoch_length
    if rp.wallet is None:
        return
    for_tests = rp.trust is not None and rp.trust.is_for_tests
    shortest = EPOCH_MIN_FOR_TESTS if for_tests else EPOCH_MIN
    if length is None or not shortest <= length <= EPOCH_MAX:
        raise VerificationError("metadata.epoch_length")


def _offers_authentication(server: ServerMetadata, rp: RelyingParty) -> bool:
    if rp.client_authentication not in server.token_endpoint_auth_methods_supported:
        return False
    algorithms = server.token_endpoint_auth_signing_alg_values_supported
    return rp.client_authentication != "private_key_jwt" or rp.client_keys.signing.algorithm in algorithms


def _offers_response(server: ServerMetadata, rp: RelyingParty) -> bool:
    if rp.response == "jarm":
        algorithms = server.authorization_signing_alg_values_supported
        return "query.jwt" in server.response_modes_supported and rp.algorithm in algorithms
    # An absent list stands for query and fragment (RFC 8414 §2); a plain response needs its own iss.
    is_plain = "query" in (server.response_modes_supported or ("query",))
    return is_plain and server.authorization_response_iss_parameter_supported


def _offers_binding(server: ServerMetadata, rp: RelyingParty) -> bool:
    if rp.sender_constraint == "dpop":
        return DPOP_ALGORITHM in server.dpop_signing_alg_values_supported
    return rp.sender_constraint == "none" or server.tls_client_certificate_bound_access_tokens


def _offers_encryption(server: ServerMetadata, rp: RelyingParty) -> bool:
    if rp.id_token == "jws":  # noqa: S105 - the name of a setting
        return True
    newest = rp.client_keys.decryption[0].algorithm
    is_offered = rp.content_encryption in server.id_token_encryption_enc_values_supported
    return is_offered and newest in server.id_token_encryption_alg_values_supported


def _offers_request_objects(server: ServerMetadata, rp: RelyingParty) -> bool:
    if rp.request_object == "plain" and not server.require_signed_request_object:
        return True
    return rp.client_keys.signing.algorithm in server.request_object_signing_alg_values_supported
