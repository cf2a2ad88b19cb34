"""One HTTP exchange of the scripted browser, bounded in time and size; no cookies, no redirects."""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

from cyberid_client.errors import ConfigurationError, TransportError

__all__ = ["Answer", "check_url", "exchange", "resolve"]

_CHUNK: Final = 16 * 1024
_FORM_TYPE: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response with its headers still apart, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def all(self, name: str) -> tuple[str, ...]:
        """Return the values of a header in their order."""
        return tuple(value for one, value in self.headers if one == name)

    def joined(self) -> dict[str, str]:
        """Return one value per header; what came twice is joined with ``", "``."""
        return {name: ", ".join(self.all(name)) for name, _ in self.headers}


def exchange(
    *,
    method: str,
    url: str,
    form: bytes,
    headers: dict[str, str],
    deadline: float,
    max_bytes: int,
    is_form: bool = True,
) -> Answer:
    """Send one request on a connection of its own and read the whole answer.

    Environment variables (proxies, CA files) are ignored; TLS is always verified.

    Args:
        method: ``GET`` or ``POST``.
        url: absolute, http or https.
        form: the body of a ``POST``.
        headers: beside ``Host``, ``Content-Length`` and ``Content-Type``.
        deadline: in terms of ``time.monotonic()``; each wait ends there.
        max_bytes: the response body may be at most this long.
        is_form: whether a ``POST`` says that it is a form; if not, ``headers`` say what it is.

    Raises:
        ConfigurationError: the URL is not one to open.
        TransportError: no complete answer within the limits.
    """
    connection, target = _prepare(url, timeout=_left(deadline))
    extra = {"Content-Type": _FORM_TYPE} if method == "POST" and is_form else {}
    try:
        connection.connect()
        connection.request(method, target, body=form or None, headers={**headers, **extra})
        # The connection lets go of its socket when the answer says "close"; the deadline still needs it.
        socket = connection.sock
        socket.settimeout(_left(deadline))
        with connection.getresponse() as response:
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if len(body) > max_bytes:
                    raise TransportError("transport.too_large")
                socket.settimeout(_left(deadline))
            named = tuple((name.lower(), value) for name, value in response.getheaders())
            return Answer(status=response.status, headers=named, body=bytes(body))
    except TimeoutError:
        raise TransportError("transport.timeout") from None
    except ssl.SSLError:
        raise TransportError("transport.tls") from None
    except (OSError, http.client.HTTPException):
        raise TransportError("transport.connection") from None
    finally:
        connection.close()


def check_url(url: str) -> SplitResult:
    """Return the parts of a URL that may be opened.

    Raises:
        ConfigurationError: it is not absolute, not http or https, names a user, or is not printable ASCII.
    """
    try:
        parts = urlsplit(url)
        fits = parts.port is None or parts.port > 0
    except ValueError:
        raise ConfigurationError("testing.url") from None
    printable = url.isascii() and url.isprintable() and " " not in url
    fits = fits and parts.scheme in {"http", "https"} and parts.hostname is not None and printable
    if not fits or parts.username is not None:
        raise ConfigurationError("testing.url")
    return parts


def resolve(base: str, reference: str) -> str:
    """Return the absolute URL of a link; one that cannot be read stays as it is and opens nothing."""
    try:
        return urldefrag(urljoin(base, reference)).url
    except ValueError:
        return reference


def _prepare(url: str, *, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection, not yet open, and the request target."""
    parts = check_url(url)
    host, target = parts.hostname or "", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout), target
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=context), target


def _left(deadline: float) -> float:
    """Return the seconds that are left; a socket takes 0 for "never wait", so none left is the end."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TransportError("transport.timeout")
    return left
