"""What somebody posts to the app: a form, of which one parameter is read."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from cyberid_client.wire.base64url import WireError
from cyberid_client.wire.refusal import refusal

__all__ = ["media_type_of", "read_form_parameter"]

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def media_type_of(content_type: str | None) -> str:
    """Return the media type of a ``Content-Type`` in lower case, without its parameters; never raises.

    Args:
        content_type: untrusted; ``None`` when the header is absent.
    """
    return content_type.partition(";")[0].strip(" \t").lower() if isinstance(content_type, str) else ""


def read_form_parameter(
    body: bytes, content_type: str | None, *, name: str, document: str, max_bytes: int
) -> str:
    """Return the one value of a parameter of a posted form; other parameters are ignored.

    Args:
        body: untrusted; ``application/x-www-form-urlencoded``.
        content_type: untrusted; parameters in it are ignored, because the form is UTF-8 in any case.
        name: of the parameter, which must stand there exactly once and not be empty.
        document: the prefix of the error codes.
        max_bytes: a longer body is refused unread.

    Raises:
        VerificationError: ``content_type``, ``too_large``; ``form``: a broken escape, not UTF-8, or the
            parameter is absent, empty or there twice.
    """
    if media_type_of(content_type) != "application/x-www-form-urlencoded":
        raise refusal(document, "content_type")
    if not isinstance(body, bytes):
        raise refusal(document, "form")
    if len(body) > max_bytes:
        raise refusal(document, "too_large")
    value = _only_value(body, name)
    if not value:
        raise refusal(document, "form")
    return value


def _only_value(body: bytes, name: str) -> str | None:
    try:
        pairs = [part.partition(b"=") for part in body.split(b"&") if part]
        values = [_decode(value) for key, _, value in pairs if _decode(key) == name]
    except ValueError:
        return None
    return values[0] if len(values) == 1 else None


def _decode(text: bytes) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise WireError
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
