"""What a signed document consists of, as far as it can be taken apart; nothing in it is believed."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.inspection.result import Step
from cyberid_client.inspection.shown import Shown
from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["explain_structure"]

_PARTS: Final = ("Header", "Claims", "Signature")
_MAX_BYTES: Final = 512 * 1024
_MARKS_MAX: Final = 4000
_IGNORED: Final = frozenset({"jku", "jwk", "x5u"})
_READ: Final = frozenset({"alg", "kid", "typ", "crit"})


def explain_structure(data: bytes, *, shown: Shown, are_public: bool) -> Step:
    """Take a compact JWS apart.

    Args:
        data: untrusted; may be damaged in any way.
        shown: how values are shown.
        are_public: whether the claims are those of a document that everybody may fetch.
    """
    parts = data.split(b".", len(_PARTS))
    size = f"{len(data)} bytes in {data.count(b'.') + 1} parts"
    if len(parts) != len(_PARTS):
        return Step(title="Structure", detail=f"{size}; a compact JWS has three")
    header, claims, signature = (_decoded(part) for part in parts)
    return Step(
        title="Structure",
        detail=size,
        children=(
            _header(header, shown),
            _claims(claims, shown, are_public=are_public),
            _signature(signature),
        ),
    )


def _decoded(part: bytes) -> bytes | None:
    try:
        return decode_base64url(part)
    except WireError:
        return None


def _members(data: bytes | None) -> dict[str, object] | None:
    if data is None:
        return None
    try:
        return parse_json_object(data, document="id_token", max_bytes=_MAX_BYTES, max_marks=_MARKS_MAX)
    except VerificationError:
        return None


def _header(data: bytes | None, shown: Shown) -> Step:
    members = _members(data)
    if members is None:
        return Step(title="Header", detail=_unreadable(data))
    read = {name: value for name, value in members.items() if name in _READ}
    others = [
        Step(title=name, detail=_of_header(name, value))
        for name, value in members.items()
        if name not in _READ
    ]
    return Step(title="Header", children=(*shown.members(read, are_public=True), *others))


def _of_header(name: str, value: object) -> str:
    if name == "x5c" and isinstance(value, list):
        return f"{len(value)} certificate{'' if len(value) == 1 else 's'}"
    return "ignored: a key never comes with the message" if name in _IGNORED else "not read by a login"


def _claims(data: bytes | None, shown: Shown, *, are_public: bool) -> Step:
    members = _members(data)
    if members is None:
        return Step(title="Claims", detail=_unreadable(data))
    return Step(title="Claims", children=shown.members(members, are_public=are_public))


def _signature(data: bytes | None) -> Step:
    return Step(title="Signature", detail="not strict base64url" if data is None else f"{len(data)} bytes")


def _unreadable(data: bytes | None) -> str:
    return (
        "not strict base64url"
        if data is None
        else f"{len(data)} bytes that are no strict JSON object of usual size"
    )
