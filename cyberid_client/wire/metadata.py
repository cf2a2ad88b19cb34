"""The issuer's signed metadata before anybody believed it (RFC 8414 §2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cyberid_client.ports import HTTPResponse
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.responses import DISCOVERY_MAX_BYTES, read_json
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "METADATA_MAX_BYTES",
    "ServerMetadata",
    "UnverifiedMetadata",
    "parse_metadata",
    "parse_unsigned_metadata",
]

METADATA_MAX_BYTES: Final = 64 * 1024

_DOCUMENT: Final = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata:
    """What an issuer says about its server (RFC 8414 §2); members of other names were dropped unread.

    Attributes:
        issuer: the issuer identifier.
        authorization_endpoint: text of any shape, like every endpoint here.
        token_endpoint: likewise.
        pushed_authorization_request_endpoint: likewise (RFC 9126 §5).
        jwks_uri: likewise.
        end_session_endpoint: likewise, or ``None``.
        status_list_aggregation_endpoint: likewise (Token Status List §9.1).
        response_types_supported: as listed; an absent list is empty, like every list here.
        response_modes_supported: likewise.
        grant_types_supported: likewise.
        code_challenge_methods_supported: likewise.
        token_endpoint_auth_methods_supported: likewise.
        token_endpoint_auth_signing_alg_values_supported: likewise.
        id_token_signing_alg_values_supported: likewise.
        acr_values_supported: likewise.
        subject_types_supported: likewise.
        scopes_supported: likewise.
        authorization_signing_alg_values_supported: likewise (JARM §4).
        id_token_encryption_alg_values_supported: likewise.
        id_token_encryption_enc_values_supported: likewise.
        request_object_signing_alg_values_supported: likewise.
        dpop_signing_alg_values_supported: likewise (RFC 9449 §5.1).
        authorization_response_iss_parameter_supported: false when absent, like every truth value here
            (RFC 9207 §3).
        tls_client_certificate_bound_access_tokens: likewise (RFC 8705 §3.3).
        require_signed_request_object: likewise (RFC 9101 §10.5).
        backchannel_logout_supported: likewise (Back-Channel Logout 1.0 §2.1).
        backchannel_logout_session_supported: likewise.
        mtls_token_endpoint: of ``mtls_endpoint_aliases``, or ``None`` (RFC 8705 §5).
        mtls_pushed_authorization_request_endpoint: likewise.
        app_verification_endpoint: where app launches are verified, or ``None`` (profile §4).
        app_launch_face: whether the ID app takes pictures in app launches.
        credential_epoch_length: seconds, or ``None`` (profile §5).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    pushed_authorization_request_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    status_list_aggregation_endpoint: str | None
    response_types_supported: tuple[str, ...]
    response_modes_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    code_challenge_methods_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    id_token_signing_alg_values_supported: tuple[str, ...]
    acr_values_supported: tuple[str, ...]
    subject_types_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    authorization_signing_alg_values_supported: tuple[str, ...]
    id_token_encryption_alg_values_supported: tuple[str, ...]
    id_token_encryption_enc_values_supported: tuple[str, ...]
    request_object_signing_alg_values_supported: tuple[str, ...]
    dpop_signing_alg_values_supported: tuple[str, ...]
    authorization_response_iss_parameter_supported: bool
    tls_client_certificate_bound_access_tokens: bool
    require_signed_request_object: bool
    backchannel_logout_supported: bool
    backchannel_logout_session_supported: bool
    mtls_token_endpoint: str | None
    mtls_pushed_authorization_request_endpoint: str | None
    app_verification_endpoint: str | None
    app_launch_face: bool
    credential_epoch_length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedMetadata:
    """Signed metadata, parsed and not verified.

    Attributes:
        jws: the token around the claims.
        iss: who says that it signed.
        sub: whom the metadata is about.
        iat: seconds since 1970, maybe fractional; likewise ``exp``.
        exp: when it ends.
        server: what it says; that its issuer equals ``iss`` is not checked here.
    """

    jws: UnverifiedJWS
    iss: str
    sub: str
    iat: float
    exp: float
    server: ServerMetadata


def parse_metadata(token: str | bytes) -> UnverifiedMetadata:
    """Parse signed metadata; nothing in it is believed, and no URL in it is judged.

    Args:
        token: untrusted compact JWS of at most :data:`METADATA_MAX_BYTES`.

    Raises:
        VerificationError: ``metadata.too_large``, ``metadata.malformed``, ``metadata.critical``,
            ``metadata.claim_missing``, ``metadata.claim_type``.
    """
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=METADATA_MAX_BYTES)
    claims = Fields(
        _DOCUMENT, parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=METADATA_MAX_BYTES)
    )

    return UnverifiedMetadata(
        jws=jws,
        iss=claims.text("iss"),
        sub=claims.text("sub"),
        iat=claims.date("iat"),
        exp=claims.date("exp"),
        server=_server_metadata(claims),
    )


def parse_unsigned_metadata(response: HTTPResponse) -> ServerMetadata:
    """Parse the discovery page of an ordinary OpenID Provider, for which TLS alone speaks.

    Raises:
        VerificationError: ``discovery.content_type``, ``discovery.too_large``,
            ``discovery.malformed``, ``discovery.claim_missing``, ``discovery.claim_type``.
    """
    return _server_metadata(read_json(response, document="discovery", max_bytes=DISCOVERY_MAX_BYTES))


def _server_metadata(claims: Fields) -> ServerMetadata:
    def texts(name: str) -> tuple[str, ...]:
        return claims.optional_texts(name) or ()

    aliases = claims.optional_inner("mtls_endpoint_aliases")
    return ServerMetadata(
        issuer=claims.text("issuer"),
        authorization_endpoint=claims.text("authorization_endpoint"),
        token_endpoint=claims.text("token_endpoint"),
        pushed_authorization_request_endpoint=claims.text("pushed_authorization_request_endpoint"),
        jwks_uri=claims.text("jwks_uri"),
        end_session_endpoint=claims.optional_text("end_session_endpoint"),
        status_list_aggregation_endpoint=claims.optional_text("status_list_aggregation_endpoint"),
        response_types_supported=texts("response_types_supported"),
        response_modes_supported=texts("response_modes_supported"),
        grant_types_supported=texts("grant_types_supported"),
        code_challenge_methods_supported=texts("code_challenge_methods_supported"),
        token_endpoint_auth_methods_supported=texts("token_endpoint_auth_methods_supported"),
        token_endpoint_auth_signing_alg_values_supported=texts(
            "token_endpoint_auth_signing_alg_values_supported"
        ),
        id_token_signing_alg_values_supported=texts("id_token_signing_alg_values_supported"),
        acr_values_supported=texts("acr_values_supported"),
        subject_types_supported=texts("subject_types_supported"),
        scopes_supported=texts("scopes_supported"),
        authorization_signing_alg_values_supported=texts("authorization_signing_alg_values_supported"),
        id_token_encryption_alg_values_supported=texts("id_token_encryption_alg_values_supported"),
        id_token_encryption_enc_values_supported=texts("id_token_encryption_enc_values_supported"),
        request_object_signing_alg_values_supported=texts("request_object_signing_alg_values_supported"),
        dpop_signing_alg_values_supported=texts("dpop_signing_alg_values_supported"),
        authorization_response_iss_parameter_supported=claims.flag(
            "authorization_response_iss_parameter_supported"
        ),
        tls_client_certificate_bound_access_tokens=claims.flag("tls_client_certificate_bound_access_tokens"),
        require_signed_request_object=claims.flag("require_signed_request_object"),
        backchannel_logout_supported=claims.flag("backchannel_logout_supported"),
        backchannel_logout_session_supported=claims.flag("backchannel_logout_session_supported"),
        mtls_token_endpoint=aliases.optional_text("token_endpoint"),
        mtls_pushed_authorization_request_endpoint=aliases.optional_text(
            "pushed_authorization_request_endpoint"
        ),
        app_verification_endpoint=claims.optional_text("app_verification_endpoint"),
        app_launch_face=claims.flag("app_launch_face"),
        credential_epoch_length=_seconds(claims, "credential_epoch_length"),
    )


def _seconds(claims: Fields, name: str) -> int | None:
    return claims.integer(name) if name in claims.members else None
