"""The wire form of verification that the profile describes: a signed JWT asks, a signed JWT answers (§4)."""

from __future__ import annotations

from typing import Final

from cyberid_client.handshake.signing import encode_part
from cyberid_client.wire.app_verification import AppVerification, UnverifiedReceipt
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.receipt import parse_receipt

__all__ = ["SignedJWTEnvelope"]

_TYPE: Final = "cyberid-app-verify+jwt"


class SignedJWTEnvelope:
    """The built-in :class:`~cyberid_client.wire.app_verification.AppEnvelope`.

    The request has no ``sub``, so that it can never pass for a client assertion (RFC 9101 §10.8), and its own
    ``typ``.
    """

    __slots__ = ()

    content_type = "application/jwt"
    accept = "application/jwt"

    def prepare(self, verification: AppVerification, *, algorithm: str, kid: str) -> bytes:
        """Return header and claims of a compact JWS (RFC 7515 §7.1)."""
        claims: dict[str, object] = {
            "iss": verification.client_id,
            "aud": verification.issuer,
            "iat": verification.issued_at,
            "exp": verification.expires_at,
            "jti": verification.jti,
            "client_id": verification.client_id,
            "orgID": verification.org_id,
            "appID": verification.app_id,
            "bizSeq": verification.biz_seq,
            "mode": verification.mode,
            "scope": verification.scope,
            "idCardAuthData": verification.id_card_auth_data,
        }
        if verification.cert_pwd_data is not None:
            claims["certPwdData"] = verification.cert_pwd_data
        header = encode_part({"alg": algorithm, "kid": kid, "typ": _TYPE})
        return f"{header}.{encode_part(claims)}".encode()

    def seal(self, prepared: bytes, signature: bytes) -> bytes:
        """Return the compact JWS."""
        return prepared + b"." + encode_base64url(signature).encode()

    def open(self, body: bytes) -> UnverifiedReceipt:
        """Parse the compact JWS that answers."""
        return parse_receipt(body)
