"""What a document is, by its looks; nothing is believed for it."""

from __future__ import annotations

import json
import re
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.inspection.result import Kind
from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["detect_kind"]

_JSON_MAX_BYTES: Final = 1024 * 1024
_HEADER_MAX_BYTES: Final = 512 * 1024
_SEQUENCE: Final = 0x30
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MEMBERS: Final = {
    "keys": Kind.JWKS,
    "x5c": Kind.CHAIN,
    "signed_metadata": Kind.DISCOVERY,
    "issuer": Kind.DISCOVERY,
}
_TYPES: Final = {"cyberid-metadata+jwt": Kind.METADATA, "statuslist+jwt": Kind.STATUS_LIST}
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]{64,}={0,2}")


def detect_kind(data: bytes) -> Kind:
    """Return what the document looks like.

    Args:
        data: untrusted, without white space around it.
    """
    # A byte order mark is refused where it matters; it hides nothing here.
    data = data.removeprefix(_BYTE_ORDER_MARK)
    if b"-----BEGIN" in data or data[:1] == b"[":
        return Kind.CHAIN
    if data[:1] == b"{":
        return _kind_of_object(data)
    if data.count(b".", 0, _HEADER_MAX_BYTES) and data.isascii() and len(data.split()) == 1:
        return _kind_of_token(data)
    if data[:1] == bytes([_SEQUENCE]) or (data[:1] == b"M" and _BASE64.fullmatch(data)):
        return Kind.CHAIN
    return Kind.UNKNOWN


def _kind_of_object(data: bytes) -> Kind:
    try:
        members = parse_json_object(data, document="discovery", max_bytes=_JSON_MAX_BYTES)
    except VerificationError:
        # What is damaged is still taken for what it was meant to be.
        named = (kind for name, kind in _MEMBERS.items() if json.dumps(name).encode() in data)
    else:
        named = (kind for name, kind in _MEMBERS.items() if name in members)
    return next(named, Kind.UNKNOWN)


def _kind_of_token(data: bytes) -> Kind:
    try:
        header = decode_base64url(data[:_HEADER_MAX_BYTES].partition(b".")[0])
        members = parse_json_object(header, document="id_token", max_bytes=_HEADER_MAX_BYTES)
    except (WireError, VerificationError):
        return Kind.ID_TOKEN
    typ = members.get("typ")
    name = typ.lower().removeprefix("application/") if isinstance(typ, str) else ""
    return _TYPES.get(name, Kind.ID_TOKEN)
