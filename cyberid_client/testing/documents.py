"""The honest documents of the issuer: metadata, discovery page, assertion."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.testing.compact import CLIENT_ALGORITHMS
from cyberid_client.testing.credentials import EPOCH_LENGTH
from cyberid_client.testing.crls import CRLS_PATH
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.encryption import CONTENT_ENCRYPTIONS, KEY_ENCRYPTIONS, EncryptedDraft
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.people import FACTORS_OF_MODE, Person, mode_of, pseudonym_of
from cyberid_client.testing.pushed import SCOPES, PushedRequest
from cyberid_client.testing.registration import RegisteredClient
from cyberid_client.testing.status_lists import STATUS_LISTS_PATH

__all__ = [
    "ALIASES",
    "PATHS",
    "Grant",
    "draft_assertion",
    "draft_encrypted",
    "draft_metadata",
    "draft_response",
    "unsigned_page",
]

PATHS: Final = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/jwks.json",
    "par": "/par",
    "authorize": "/authorize",
    "token": "/token",
    "status_lists": STATUS_LISTS_PATH,
    "crls": CRLS_PATH,
    "mtls_par": "/mtls/par",
    "mtls_token": "/mtls/token",
    "end_session": "/end-session",
    "app_verification": "/app-verification",
    "phone": "/phone",
    "phone_launch": "/phone/launch",
}
# Where clients with a certificate go: RFC 8705 §5.
ALIASES: Final = frozenset({PATHS["mtls_par"], PATHS["mtls_token"]})
_METADATA_LIFE: Final = 86_400
_ASSERTION_LIFE: Final = 300
_RESPONSE_LIFE: Final = 600
# The order in which the profile lists the factors.
_FACTORS: Final = ("certificate", "password", "face")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a person agreed to.

    Attributes:
        request: what was asked.
        person: who agreed.
        factors: what was shown.
        auth_time: when, a NumericDate.
        session_id: this session's name in this sector.
        expires_at: seconds since the epoch; the code is good until then.
    """

    request: PushedRequest = field(repr=False)
    person: Person
    factors: frozenset[str]
    auth_time: int
    session_id: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    expires_at: float


def metadata_claims(
    issuer: str,
    algorithm: str,
    *,
    requires_signed_requests: bool = False,
    epoch_length: int = EPOCH_LENGTH,
    takes_faces: bool = False,
) -> dict[str, object]:
    """Return what the signed metadata says about this issuer, RFC 8414 §2."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + PATHS["authorize"],
        "token_endpoint": issuer + PATHS["token"],
        "pushed_authorization_request_endpoint": issuer + PATHS["par"],
        "jwks_uri": issuer + PATHS["jwks"],
        "status_list_aggregation_endpoint": issuer + PATHS["status_lists"],
        "require_pushed_authorization_requests": True,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "query.jwt"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "private_key_jwt",
            "tls_client_auth",
            "self_signed_tls_client_auth",
        ],
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "id_token_signing_alg_values_supported": [algorithm],
        "acr_values_supported": list(FACTORS_OF_MODE),
        "subject_types_supported": ["pairwise"],
        "scopes_supported": list(SCOPES),
        "authorization_response_iss_parameter_supported": True,
        "end_session_endpoint": issuer + PATHS["end_session"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        **_protections(issuer, algorithm),
        "require_signed_request_object": requires_signed_requests,
        "app_verification_endpoint": issuer + PATHS["app_verification"],
        "app_launch_face": takes_faces,
        "credential_epoch_length": epoch_length,
    }


def _protections(issuer: str, algorithm: str) -> dict[str, object]:
    """Return what the metadata say about protection: RFC 9449 §5.1, RFC 8705 §3.3 and §5, JARM §4, RFC 9101 §10.5."""
    return {
        "dpop_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "tls_client_certificate_bound_access_tokens": True,
        "mtls_endpoint_aliases": {
            "token_endpoint": issuer + PATHS["mtls_token"],
            "pushed_authorization_request_endpoint": issuer + PATHS["mtls_par"],
        },
        "authorization_signing_alg_values_supported": [algorithm],
        "id_token_encryption_alg_values_supported": list(KEY_ENCRYPTIONS),
        "id_token_encryption_enc_values_supported": list(CONTENT_ENCRYPTIONS),
        "request_object_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
    }


def draft_metadata(
    keyring: Keyring,
    *,
    issued_at: int,
    now: datetime,
    requires_signed_requests: bool = False,
    epoch_length: int = EPOCH_LENGTH,
    takes_faces: bool = False,
) -> SignedDraft:
    """Draft the signed metadata: profile §3, RFC 8414 §2.1."""
    signer = keyring.signer("metadata")
    claims: dict[str, object] = {
        "iss": keyring.issuer,
        "sub": keyring.issuer,
        "iat": issued_at,
        "exp": issued_at + _METADATA_LIFE,
        **metadata_claims(
            keyring.issuer,
            keyring.algorithm.name,
            requires_signed_requests=requires_signed_requests,
            epoch_length=epoch_length,
            takes_faces=takes_faces,
        ),
    }
    header: dict[str, object] = {
        "alg": signer.algorithm.name,
        "kid": signer.kid,
        "typ": "cyberid-metadata+jwt",
        "x5c": x5c_of(signer.chain),
    }
    return SignedDraft(header=header, claims=claims, signer=signer, keyring=keyring, now=now)


def unsigned_page(issuer: str, signed_metadata: str) -> dict[str, object]:
    """Return the discovery page: beside issuer and signed metadata every value is deliberately wrong.

    A client that uses an unsigned value runs into an endpoint that does not exist, or believes in
    an algorithm that nobody signs with.
    """
    wrong = f"{issuer}/unsigned"
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{wrong}/authorize",
        "token_endpoint": f"{wrong}/token",
        "pushed_authorization_request_endpoint": f"{wrong}/par",
        "jwks_uri": f"{wrong}/jwks.json",
        "end_session_endpoint": f"{wrong}/end-session",
        "app_verification_endpoint": f"{wrong}/app-verification",
        "response_types_supported": ["id_token"],
        "code_challenge_methods_supported": ["plain"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "id_token_signing_alg_values_supported": ["none"],
        "acr_values_supported": [],
        "authorization_response_iss_parameter_supported": False,
        "signed_metadata": signed_metadata,
    }


def draft_assertion(keyring: Keyring, grant: Grant, *, access_token: str, now: datetime) -> SignedDraft:
    """Draft the ID token for a grant: profile §6."""
    signer = keyring.signer("assertion")
    client, seconds = grant.request.client, int(now.timestamp())
    claims: dict[str, object] = {
        "iss": keyring.issuer,
        "sub": pseudonym_of(grant.person, client.sector),
        "aud": client.client_id,
        "exp": seconds + _ASSERTION_LIFE,
        "iat": seconds,
        "auth_time": grant.auth_time,
        "nonce": grant.request.nonce,
        "acr": mode_of(grant.factors),
        "amr": [factor for factor in _FACTORS if factor in grant.factors],
        "at_hash": signer.algorithm.half_hash(access_token),
        "sector": client.sector,
        "persistence": "A",
        "sid": grant.session_id,
    }
    if "age_band" in grant.request.scopes:
        claims["age_band"] = grant.person.age_band
    header: dict[str, object] = {
        "alg": signer.algorithm.name,
        "kid": signer.kid,
        "typ": "JWT",
        "x5c": x5c_of(signer.chain),
    }
    return SignedDraft(header=header, claims=claims, signer=signer, keyring=keyring, now=now)


def draft_response(
    keyring: Keyring, client_id: str, parameters: dict[str, str], *, now: datetime
) -> SignedDraft:
    """Draft the signed authorization response: JARM §2.1."""
    signer = keyring.signer("assertion")
    claims: dict[str, object] = {
        "iss": keyring.issuer,
        "aud": client_id,
        "exp": int(now.timestamp()) + _RESPONSE_LIFE,
        **parameters,
    }
    header: dict[str, object] = {
        "alg": signer.algorithm.name,
        "kid": signer.kid,
        "typ": "JWT",
        "x5c": x5c_of(signer.chain),
    }
    return SignedDraft(header=header, claims=claims, signer=signer, keyring=keyring, now=now)


def draft_encrypted(client: RegisteredClient, id_token: str, *, keyring: Keyring) -> EncryptedDraft | None:
    """Draft the nested JWE of an ID token (RFC 7519 §5.2); ``None`` for a client that gets it plain."""
    recipient = client.encryption_key
    if recipient is None:
        return None
    header: dict[str, object] = {
        "alg": recipient.algorithm,
        "enc": client.content_encryption,
        "kid": recipient.kid,
        "cty": "JWT",
    }
    return EncryptedDraft(header=header, content=id_token.encode(), recipient=recipient.key, keyring=keyring)
