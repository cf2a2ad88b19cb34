"""The three spellings of a bare chain: PEM, DER, and the JSON of an ``x5c`` member."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.errors import ChainError, VerificationError
from cyberid_client.inspection.chain import explain_chain
from cyberid_client.inspection.checks import refused
from cyberid_client.inspection.result import Step
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.wire.base64url import WireError, decode_base64
from cyberid_client.wire.jws import CERTIFICATES_MAX
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["explain_certificates"]

_TITLE: Final = "A chain is one or more certificates, the signer's first."
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")
_JSON_MAX_BYTES: Final = 512 * 1024
_SEQUENCE: Final = 0x30


def explain_certificates(data: bytes, settings: InspectionSettings) -> tuple[Step, ...]:
    """Explain a bare chain.

    Args:
        data: untrusted; PEM, one certificate in DER or base64, a JSON list of base64, or an object with
            such a list as ``x5c``.
        settings: roots, issuer, purpose and time.
    """
    try:
        certificates = _split(data)
    except ChainError as error:
        return (refused(_TITLE, error),)
    return explain_chain(certificates, settings=settings, profile=settings.profile())


def _split(data: bytes) -> tuple[bytes, ...]:
    try:
        certificates = _decode(data)
    except (WireError, VerificationError):
        raise ChainError("chain.malformed") from None
    if not certificates:
        raise ChainError("chain.malformed")
    if len(certificates) > CERTIFICATES_MAX:
        raise ChainError("chain.too_long")
    return certificates


def _decode(data: bytes) -> tuple[bytes, ...]:
    if b"-----BEGIN" in data:
        bodies = (match[1] for match in _PEM.finditer(data))
        return tuple(decode_base64(b"".join(body.split()).decode("ascii")) for body in bodies)
    if data[:1] in {b"[", b"{"}:
        object_bytes = data if data[:1] == b"{" else b'{"x5c":' + data + b"}"
        members = parse_json_object(object_bytes, document="jwks", max_bytes=_JSON_MAX_BYTES)
        listed = members.get("x5c")
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise WireError
        return tuple(map(decode_base64, listed))
    if data[:1] == bytes([_SEQUENCE]):
        return (data,)
    return (decode_base64(b"".join(data.split()).decode("ascii", "replace")),)
