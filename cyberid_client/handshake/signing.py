"""Sign the relying party's own documents, with a key that is here or with one that somebody else holds."""

from __future__ import annotations

import json
from collections.abc import Mapping

import jwt

from cyberid_client.config import ClientKey
from cyberid_client.errors import UnavailableError
from cyberid_client.handshake.flow import Flow, SignatureWanted, Signed
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["sign_jws"]


def sign_jws(claims: Mapping[str, object], *, typ: str, key: ClientKey) -> Flow[str]:
    """Return a compact JWS (RFC 7515 §7.1); jwt.encode would do the same in twice the time.

    Args:
        claims: the payload.
        typ: the media type of the document, without ``application/``.
        key: one of the relying party's own.

    Raises:
        UnavailableError: the signer that holds the key failed.
    """
    header = {"alg": key.algorithm, "kid": key.kid, "typ": typ}
    message = f"{_encode(header)}.{_encode(claims)}"
    if key.signer is None:
        signature: bytes = jwt.get_algorithm_by_name(key.algorithm).sign(message.encode(), key.private_key)
    else:
        answer = yield SignatureWanted(signer=key.signer, message=message.encode())
        signature = answer.signature if isinstance(answer, Signed) else b""
        if not signature:
            raise UnavailableError("signer.failed")
    return f"{message}.{encode_base64url(signature)}"


def _encode(members: Mapping[str, object]) -> str:
    return encode_base64url(json.dumps(members, separators=(",", ":")).encode())
