"""The authorization request as a signed object (RFC 9101, pushed as RFC 9126 §3 says; FAPI message signing)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.signing import sign_jws
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["sign_request"]

LIFETIME: Final = 60
JTI_BYTES: Final = 16
# RFC 9101 §4: a number is a number in there.
_NUMBERS: Final = frozenset({"max_age"})


def sign_request(rp: RelyingParty, parameters: Mapping[str, str], env: FlowEnv) -> Flow[str]:
    """Return the request object that holds all parameters of an authorization request.

    It lives for a minute, has no ``sub`` (so that it can never pass for a client assertion, RFC 9101 §10.8)
    and neither ``request`` nor ``request_uri``.

    Args:
        rp: who asks.
        parameters: of the authorization request.
        env: clock and randomness.

    Raises:
        UnavailableError: the signer that holds the key failed.
    """
    now = int(env.now().timestamp())
    claims: dict[str, object] = {
        name: int(value) if name in _NUMBERS else value for name, value in parameters.items()
    }
    claims |= {
        "iss": rp.client_id,
        "aud": rp.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "jti": encode_base64url(env.token(JTI_BYTES)),
    }
    return (yield from sign_jws(claims, typ="oauth-authz-req+jwt", key=rp.client_keys.signing))
