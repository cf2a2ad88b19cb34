"""Sign the relying party's own documents, with a key that is here or with one that somebody else holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from cyberid_client.config import ClientKey
from cyberid_client.errors import SignatureError, UnavailableError
from cyberid_client.handshake.flow import Flow, SignatureWanted, Signed
from cyberid_client.trust import verify_signature
from cyberid_client.wire.base64url import encode_base64url

__all__ = ["encode_part", "sign_es256", "sign_jws", "sign_message"]

HEADERS_KEPT: Final = 64

_COORDINATE: Final = 32
_ES256: Final = ec.ECDSA(hashes.SHA256())
# Made once: json.dumps makes a new one for every call that wants no white space.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def sign_jws(
    claims: Mapping[str, object], *, typ: str, key: ClientKey, chain: tuple[bytes, ...] = ()
) -> Flow[str]:
    """Return a compact JWS (RFC 7515 §7.1); jwt.encode would do the same in twice the time.

    What a signer returns is verified before it is used: a key that was replaced where it is kept, or a
    signature in another form, is found here and not by the issuer.

    Args:
        claims: the payload.
        typ: the media type of the document, without ``application/``.
        key: one of the relying party's own.
        chain: DER, leaf first, for the header (``x5c``, RFC 7515 §4.1.6); none is put there when empty.

    Raises:
        UnavailableError: the signer that holds the key failed, or what it returned is no signature of it.
    """
    message = f"{_header(key.algorithm, key.kid, typ, chain)}.{encode_part(claims)}"
    signature = yield from sign_message(message.encode(), key)
    return f"{message}.{encode_base64url(signature)}"


def sign_message(message: bytes, key: ClientKey) -> Flow[bytes]:
    """Return a signature over any bytes, in the form of JWS, whoever holds the key.

    Args:
        message: what is signed.
        key: one of the relying party's own.

    Raises:
        UnavailableError: as for :func:`sign_jws`.
    """
    if key.signer is None:
        return _sign_here(message, key)
    answer = yield SignatureWanted(signer=key.signer, message=message)
    signature = answer.signature if isinstance(answer, Signed) else b""
    _check_signature(message, signature, key)
    return signature


def sign_es256(message: bytes, private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return an ES256 signature: two numbers of fixed length (RFC 7518 §3.4).

    Nearly every key signs this way, for which jwt takes a tenth longer.
    """
    r, s = decode_dss_signature(private_key.sign(message, _ES256))
    return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def encode_part(members: Mapping[str, object]) -> str:
    """Return the header or the payload of a JWS: JSON in base64url."""
    return encode_base64url(_encode(members).encode())


@lru_cache(HEADERS_KEPT)
def _header(algorithm: str, kid: str, typ: str, chain: tuple[bytes, ...]) -> str:
    header: dict[str, object] = {"alg": algorithm, "kid": kid, "typ": typ}
    if chain:
        header["x5c"] = [base64.b64encode(der).decode() for der in chain]
    return encode_part(header)


def _sign_here(message: bytes, key: ClientKey) -> bytes:
    if key.algorithm == "ES256" and isinstance(key.private_key, ec.EllipticCurvePrivateKey):
        return sign_es256(message, key.private_key)
    signature: bytes = jwt.get_algorithm_by_name(key.algorithm).sign(message, key.private_key)
    return signature


def _check_signature(message: bytes, signature: bytes, key: ClientKey) -> None:
    try:
        verify_signature(message, signature, algorithm=key.algorithm, public_key_info=key.public_key_info)
    except SignatureError:
        raise UnavailableError("signer.failed") from None
