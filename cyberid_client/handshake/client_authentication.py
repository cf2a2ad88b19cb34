"""Prove to the issuer who asks: ``private_key_jwt`` (RFC 7523, FAPI 2.0 §5.3.3.1)."""

from __future__ import annotations

from typing import Final

import jwt

from cyberid_client.config import RelyingParty
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["client_assertion"]

LIFETIME: Final = 60
JTI_BYTES: Final = 16
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(rp: RelyingParty, env: FlowEnv) -> dict[str, str]:
    """Return the form fields that authenticate one request; fresh for every attempt.

    The audience is the issuer as a plain string, which no endpoint of another issuer accepts.
    """
    now = int(env.now().timestamp())
    token = jwt.encode(
        {
            "iss": rp.client_id,
            "sub": rp.client_id,
            "aud": rp.issuer,
            "iat": now,
            "exp": now + LIFETIME,
            "jti": encode_base64url(env.token(JTI_BYTES)),
        },
        rp.key.private_key,
        algorithm=rp.key.algorithm,
        headers={"kid": rp.key.kid, "typ": "client-authentication+jwt"},
    )
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": token}
