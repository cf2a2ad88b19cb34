"""Prove to the issuer who asks: with a signed assertion (RFC 7523, FAPI 2.0 §5.3.3.1) or in TLS (RFC 8705)."""

from __future__ import annotations

from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.signing import sign_jws
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["authenticate_client", "client_assertion"]

LIFETIME: Final = 60
JTI_BYTES: Final = 16
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def authenticate_client(rp: RelyingParty, env: FlowEnv) -> Flow[dict[str, str]]:
    """Return the form fields that say who asks, and prove it unless TLS does; fresh for every attempt.

    Raises:
        UnavailableError: the signer that holds the key failed.
    """
    # RFC 8705 §2: the certificate proves it, and only the client id says whose it should be.
    fields = {"client_id": rp.client_id}
    if rp.client_authentication == "private_key_jwt":
        fields |= yield from client_assertion(rp, env)
    return fields


def client_assertion(rp: RelyingParty, env: FlowEnv) -> Flow[dict[str, str]]:
    """Return the form fields of ``private_key_jwt``; fresh for every attempt.

    The audience is the issuer as a plain string, which no endpoint of another issuer accepts.

    Raises:
        UnavailableError: the signer that holds the key failed.
    """
    now = int(env.now().timestamp())
    claims = {
        "iss": rp.client_id,
        "sub": rp.client_id,
        "aud": rp.issuer,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": encode_base64url(env.token(JTI_BYTES)),
    }
    token = yield from sign_jws(claims, typ="client-authentication+jwt", key=rp.client_keys.signing)
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
