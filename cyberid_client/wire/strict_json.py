"""JSON with one meaning: no duplicate members, no number that is none, no text that is no text."""

from __future__ import annotations

import json
import math
import re
from typing import Final, Never

from cyberid_client.wire.base64url import WireError
from cyberid_client.wire.refusal import refusal

__all__ = ["parse_json_array", "parse_json_object"]

# Nineteen digits and a sign hold every 64-bit integer; a longer literal is no date, count or index.
_INTEGER_CHARACTERS_MAX: Final = 20
_FLOAT_CHARACTERS_MAX: Final = 64

# A closing quote is optional, so that every quote matches at once and the search stays linear.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_WHITE_SPACE: Final = " \t\n\r"
_ONE_BRACKET_KIND: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def parse_json_object(
    data: bytes, *, document: str, max_bytes: int, max_depth: int = 16, max_marks: int | None = None
) -> dict[str, object]:
    """Parse a JSON object strictly (RFC 8259, and RFC 7493 where it is stricter).

    Args:
        data: untrusted bytes; UTF-8 without byte order mark.
        document: the prefix of the error codes.
        max_bytes: longer input is refused unread.
        max_depth: so many arrays and objects may stand in one another, the outermost included.
        max_marks: so many commas and opening brackets may stand in it, those in texts included. Each
            value needs one, and a small value takes tens of times its bytes in memory: a document of
            megabytes has a limit here.

    Returns:
        The members; every value is of exactly the type that ``json`` makes, every number finite,
        every text encodable.

    Raises:
        VerificationError: ``too_large``; or ``malformed``: not UTF-8, not one JSON object, too
            deep, a member twice in any object, ``NaN``, an infinite or oversized number, a lone
            surrogate, more marks than allowed.
    """
    if len(data) > max_bytes:
        raise refusal(document, "too_large")
    if max_marks is not None and sum(map(data.count, (b",", b"[", b"{"))) > max_marks:
        raise refusal(document, "malformed")
    members = _load(data, max_depth)
    if type(members) is not dict:
        raise refusal(document, "malformed")
    return members


def parse_json_array(data: bytes, *, document: str, max_bytes: int, max_depth: int = 16) -> list[object]:
    """Parse a JSON array as strictly as :func:`parse_json_object` does an object.

    Args and errors are those of :func:`parse_json_object`.
    """
    if len(data) > max_bytes:
        raise refusal(document, "too_large")
    items = _load(data, max_depth)
    if type(items) is not list:
        raise refusal(document, "malformed")
    return items


def _load(data: bytes, max_depth: int) -> object:
    # The error is raised by the caller, outside of the handler: json's own error keeps the whole
    # document in an attribute, and as a context it would travel with ours.
    if data.count(b"{") + data.count(b"[") > max_depth and _is_deeper(data, max_depth):
        return None
    try:
        text = data.decode("utf-8").strip(_WHITE_SPACE)
        value, end = _DECODER.raw_decode(text)
        if b"\\u" in data:
            # An escaped lone surrogate is the one thing left that cannot be encoded.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _is_deeper(data: bytes, max_depth: int) -> bool:
    # Before the real parser, because its recursion is only as safe as the interpreter's setting.
    # Each round takes off the innermost level; what is left over is too deep (or never closed).
    brackets = _STRING.sub(b"", data).translate(_ONE_BRACKET_KIND, _NO_BRACKETS)
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WireError
    return members


def _integer(literal: str) -> int:
    if len(literal) > _INTEGER_CHARACTERS_MAX:
        raise WireError
    return int(literal)


def _float(literal: str) -> float:
    value = float(literal) if len(literal) <= _FLOAT_CHARACTERS_MAX else math.inf
    if not math.isfinite(value):
        raise WireError
    return value


def _constant(_name: str) -> Never:
    raise WireError


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
