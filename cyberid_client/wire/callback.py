"""The authorization response, as the browser brought it (RFC 6749 §4.1.2, RFC 9207)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from cyberid_client.errors import VerificationError
from cyberid_client.wire.base64url import WireError
from cyberid_client.wire.jarm import jarm_state

__all__ = ["CALLBACK_MAX_BYTES", "UnverifiedCallback", "callback_state", "parse_callback"]

CALLBACK_MAX_BYTES: Final = 8 * 1024

_DOCUMENT: Final = "callback"
_NAMES: Final = ("state", "iss", "code", "error", "response")
_URL_START: Final = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
# Visible ASCII but "%" and "+": stands for itself.
_PLAIN: Final = re.compile(r"[!-$&-*,-~]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# RFC 6749 appendix A: VSCHAR is what state and code are made of; the others are narrower still.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedCallback:
    """The parameters of a callback before any was compared; others were dropped.

    Each is visible ASCII. A parameter without a value counts as absent (RFC 6749 §3.1).

    Attributes:
        state: which login it claims to answer.
        iss: the issuer that it claims to come from.
        code: the authorization code.
        error: the error code of the issuer.
        response: a whole response as one JWT.
    """

    state: str | None = field(repr=False)
    iss: str | None = field(repr=False)
    code: str | None = field(repr=False)
    error: str | None = field(repr=False)
    response: str | None = field(repr=False)


def parse_callback(callback: str) -> UnverifiedCallback:
    """Parse a callback strictly; which parameters may stand together is *not* checked.

    Args:
        callback: untrusted; a whole URL, a path with a query, or a raw query string, of at most
            8 KiB. Only the query is read.

    Raises:
        VerificationError: ``callback.too_large``; ``callback.malformed``: a broken escape, not
            UTF-8, a control character, a parameter that we read outside visible ASCII;
            ``callback.parameter_repeated`` for any name, known or not (RFC 6749 §3.1).
    """
    query = _query_of(callback)
    pairs = _decode_pairs(query)
    if pairs is None:
        raise VerificationError("callback.malformed")
    values = dict(pairs)
    if len(values) != len(pairs):
        raise VerificationError("callback.parameter_repeated")
    known = {name: values.get(name) or None for name in _NAMES}
    if not all(value is None or _VISIBLE.fullmatch(value) for value in known.values()):
        raise VerificationError("callback.malformed")
    return UnverifiedCallback(**known)


def callback_state(callback: str) -> str | None:
    """Find the ``state`` of a callback, good enough to choose a cookie by; never raises.

    A callback that :func:`parse_callback` refuses for something else still has its state found, so
    that the login it names can be used up. Where ``state`` stands twice there is none. A signed response
    has its state inside.

    Args:
        callback: as for :func:`parse_callback`.
    """
    try:
        query = _query_of(callback)
    except VerificationError:
        return None
    pairs = [part.partition("=") for part in query.split("&")]
    names = [_decode_or_none(name) for name, _, _ in pairs]
    states, responses = (
        [value for name, (_, _, value) in zip(names, pairs, strict=True) if name == wanted]
        for wanted in ("state", "response")
    )
    state = _decode_or_none(states[0]) if len(states) == 1 else None
    if not states and len(responses) == 1:
        state = jarm_state(_decode_or_none(responses[0]) or "")
    return state if state and _VISIBLE.fullmatch(state) else None


def _query_of(callback: str) -> str:
    if not isinstance(callback, str):
        raise VerificationError("callback.malformed")
    # The method of str itself, because a subclass may have another of the same name. A lone
    # surrogate goes through here and is refused where the query is decoded.
    data = str.encode(callback, "utf-8", "surrogatepass")
    if len(data) > CALLBACK_MAX_BYTES:
        raise VerificationError("callback.too_large")
    text = data.decode("utf-8", "surrogatepass").partition("#")[0]
    # An issuer in a raw query may hold "://" and "?" unescaped, but a scheme holds no "=".
    if _URL_START.match(text):
        return text.partition("?")[2]
    return text.removeprefix("?")


def _decode_pairs(query: str) -> list[tuple[str, str]] | None:
    try:
        parts = [part.partition("=") for part in query.split("&") if part]
        return [(_decode(name), _decode(value)) for name, _, value in parts]
    except ValueError:
        return None


def _decode(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    # A framework may hand over an IRI: raw non-ASCII text is as good as its escaped form.
    if " " in text or _BROKEN_ESCAPE.search(text):
        raise WireError
    decoded = unquote_to_bytes(text.replace("+", " ").encode("utf-8")).decode("utf-8")
    if _CONTROL.search(decoded):
        raise WireError
    return decoded


def _decode_or_none(text: str) -> str | None:
    try:
        return _decode(text)
    except ValueError:
        return None
