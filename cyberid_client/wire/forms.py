"""What somebody posts to the app: a form, of which one parameter is read."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from cyberid_client.wire.base64url import WireError
from cyberid_client.wire.refusal import refusal

__all__ = ["media_type_of", "read_form_parameter", "read_form_parameters"]

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
    values = read_form_parameters(body, content_type, names=(name,), document=document, max_bytes=max_bytes)
    value = values[name]
    if not value:
        raise refusal(document, "form")
    return value


def read_form_parameters(
    body: bytes, content_type: str | None, *, names: tuple[str, ...], document: str, max_bytes: int
) -> dict[str, str | None]:
    """Return the values of some parameters of a posted form; other parameters are ignored.

    Args:
        body: as for :func:`read_form_parameter`.
        content_type: likewise.
        names: of the parameters.
        document: likewise.
        max_bytes: likewise.

    Returns:
        One value, maybe empty, for each name; ``None`` where it is absent.

    Raises:
        VerificationError: ``content_type``, ``too_large``; ``form``: a broken escape, not UTF-8, or one of
            them is there twice.
    """
    if media_type_of(content_type) != "application/x-www-form-urlencoded":
        raise refusal(document, "content_type")
    if not isinstance(body, bytes):
        raise refusal(document, "form")
    if len(body) > max_bytes:
        raise refusal(document, "too_large")
    found = _values(body, names)
    if found is None or any(len(values) > 1 for values in found.values()):
        raise refusal(document, "form")
    return {name: values[0] if values else None for name, values in found.items()}


def _values(body: bytes, names: tuple[str, ...]) -> dict[str, list[str]] | None:
    found: dict[str, list[str]] = {name: [] for name in names}
    try:
        for part in body.split(b"&"):
            key, _, value = part.partition(b"=")
            if part and (name := _decode(key)) in found:
                found[name].append(_decode(value))
    except ValueError:
        return None
    return found


def _decode(text: bytes) -> str:
    if _BROKEN_ESCAPE.search(text):
        raise WireError
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
