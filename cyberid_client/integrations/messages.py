"""What crosses between a web framework and the endpoints: a request, a reply, and a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from urllib.parse import parse_qsl

__all__ = ["BODY_MAX_BYTES", "WebReply", "WebRequest", "WebSession", "redirect"]

# More than any endpoint reads; a framework's adapter need not read further.
BODY_MAX_BYTES: Final = 256 * 1024
FORM_MAX_FIELDS: Final = 20

SEE_OTHER: Final = 303


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRequest:
    """A request as the framework got it; everything in it is untrusted.

    Attributes:
        method: in capitals.
        path: below the place where the app is mounted, as its own router sees it.
        query: as it stands in the URL, not parsed: a parsed one hides that a parameter came twice.
        headers: names in lower case.
        cookies: by name.
        body: at most :data:`BODY_MAX_BYTES`; empty when there was more.
        path_parameters: what stood in the place of the parts in braces of an endpoint's path, by name.
        root: the prefix under which the app is mounted, ``""`` or ``"/shop"``: WSGI's ``SCRIPT_NAME``, ASGI's
            ``root_path``.
        is_secure: whether the browser came over https, as far as the app can tell.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    path_parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    root: str = ""
    is_secure: bool = True

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of a posted form; empty when the body is no small well-formed one."""
        return _fields(self.body.decode("latin-1"))

    @property
    def parameters(self) -> Mapping[str, str]:
        """The fields of the query; empty when it is no small well-formed one."""
        return _fields(self.query)

    @property
    def wants_json(self) -> bool:
        """Whether a program asks, which could do nothing with a page or a redirect."""
        accept = self.headers.get("accept", "")
        return "application/json" in accept and "text/html" not in accept


@dataclass(frozen=True, slots=True, kw_only=True)
class WebReply:
    """What the framework sends back, complete.

    Attributes:
        status: the HTTP status.
        headers: pairs, because ``Set-Cookie`` may stand there several times.
        body: the bytes.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def with_cookies(self, set_cookies: Iterable[str]) -> WebReply:
        """Return the same reply with further ``Set-Cookie`` headers."""
        return replace(self, headers=(*self.headers, *(("Set-Cookie", each) for each in set_cookies)))


class WebSession(Protocol):
    """The app's session of one browser; the app or the framework brings it.

    Texts only. It must not be readable or writable by anybody but the server (a signed cookie may be
    read by its owner, which is good enough), and its cookie must be ``SameSite=Lax``: with ``Strict``
    it does not come along when the issuer sends the browser back.
    """

    def get(self, name: str) -> str | None:
        """Return an entry, or ``None``."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keep an entry."""
        ...

    def remove(self, name: str) -> None:
        """Drop an entry, if it is there."""
        ...

    def replace(self, entries: Mapping[str, str]) -> None:
        """Begin a session with exactly these entries under a new id; the old id is worth nothing."""
        ...

    def rotate(self) -> None:
        """Keep all entries under a new id; the old id is worth nothing."""
        ...

    def clear(self) -> None:
        """End the session."""
        ...


def redirect(place: str) -> WebReply:
    """Return a reply that sends the browser on with a GET, whatever the request was (RFC 9110 §15.4.4)."""
    headers = (("Location", place), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"))
    return WebReply(status=SEE_OTHER, headers=headers)


def _fields(text: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FORM_MAX_FIELDS)
    except ValueError:
        return {}
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else {}
