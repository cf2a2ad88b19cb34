"""URLs and paths from configuration and from outside, read more strictly than browsers do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["WebURL", "is_local_path", "parse_web_url"]

MAX_URL: Final = 2048

# Visible ASCII without what browsers and libraries read differently: quotes, angle brackets, "\\".
_URL: Final = re.compile(r"https?://[!#-;=?-\[\]^-~]+", re.ASCII)
_HOST: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\]"
)
# No empty segment either: what one layer takes for a path of dots, another may shorten to "//host".
_PATH: Final = re.compile(r"/(?![^?#]*//)(?![/\\])[!-\[\]-~]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebURL:
    """An absolute http or https URL without user information, in the parts that decisions need.

    Attributes:
        scheme: ``https`` or ``http``.
        host: lower case; an IPv6 literal keeps its brackets.
        port: as written, or the scheme's default.
        path: as written, maybe empty.
        query: whether there is one.
        fragment: whether there is one.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: bool
    fragment: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port as RFC 6454 writes them."""
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{self.host}" + ("" if self.port == default else f":{self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether the host is one of the two literal loopback addresses."""
        return self.host in {"127.0.0.1", "[::1]"}


def parse_web_url(text: object) -> WebURL | None:
    """Return the parts of an absolute URL, or ``None`` when it is not one that may be used.

    Args:
        text: untrusted; anything but a string gives ``None``.
    """
    if not isinstance(text, str) or len(text) > MAX_URL or not _URL.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    if port == 0 or not _HOST.fullmatch(host):
        return None
    return WebURL(
        scheme=parts.scheme,
        host=host,
        port=port if port is not None else (443 if parts.scheme == "https" else 80),
        path=parts.path,
        query="?" in text,
        fragment="#" in text,
    )


def is_local_path(text: object) -> bool:
    r"""Tell whether ``text`` is a path of this origin: ``/cart?item=1``.

    ``//host``, a backslash anywhere, a scheme, control characters, spaces and anything outside visible
    ASCII are refused, because browsers resolve some of them to another origin.
    """
    return isinstance(text, str) and len(text) <= MAX_URL and _PATH.fullmatch(text) is not None
