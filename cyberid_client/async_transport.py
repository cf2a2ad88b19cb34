"""HTTP to the issuer over httpx2, awaited: limits and TLS as configured, and no decision about trust.

There is no ``httpx2.AsyncClient`` here, only its transport: what a client would add (the environment's
proxies and certificate bundles, ``.netrc``, cookies, redirects) is exactly what must not happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Final

import certifi

from cyberid_client.config import ClientCertificate, HTTPLimits
from cyberid_client.errors import ConfigurationError
from cyberid_client.http_rules import Body, BodyError, failure, headers_to_send
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.tls import make_context, show_certificate

if TYPE_CHECKING:
    import httpx2

__all__ = ["HTTPXTransport"]

_HEADERS_MAX: Final = 100
_HEADER_LINE_MAX: Final = 64 * 1024


class HTTPXTransport:
    """Send requests to the issuer within limits; :class:`cyberid_client.ports.AsyncTransport`.

    The laws are those of :class:`cyberid_client.transport.RequestsTransport`. As many connections as
    ``pool_size`` are open at the same time, and whoever finds none free waits within the total timeout.
    Each event loop has connections of its own.

    Args:
        limits: timeouts, proxy, certificate authorities and the number of connections.
        certificate: of the client; ``None``: there is none to show.

    Raises:
        ConfigurationError: httpx2 is not installed (``config.missing_extra``), ``ca_pem`` holds no readable
            certificate, or TLS does not take the client's.
    """

    def __init__(self, limits: HTTPLimits, *, certificate: ClientCertificate | None = None) -> None:
        try:
            import httpx2  # noqa: F401, PLC0415 - an optional part, loaded by who uses it
        except ImportError:
            raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[async]"') from None
        self._limits = limits
        self._plain = _Side(limits)
        self._showing = None if certificate is None else _Side(limits, certificate)
        self._closed = False

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """Send ``request`` once and return the answer; failures are codes, not exceptions.

        Args:
            request: its ``max_bytes`` bounds the body before *and* after decoding it.

        Returns:
            The answer; a ``transport.*`` code in ``error`` when there is none that counts.
        """
        if self._closed:
            return failure(request, "transport.failed")
        headers = headers_to_send(request)
        side = self._showing if request.shows_certificate else self._plain
        if headers is None or side is None:
            return failure(request, "transport.request")
        prepared = _prepare(request, headers, self._limits)
        if prepared is None:
            return failure(request, "transport.request")
        try:
            async with asyncio.timeout(self._limits.total_timeout):
                return await _exchange(request, prepared, side.transport(request.url))
        except Exception as error:  # noqa: BLE001 - whatever breaks below is a failure of ours to name
            return failure(request, _code_of(error))

    async def aclose(self) -> None:
        """Close the connections of this event loop; every later :meth:`send` fails."""
        self._closed = True
        for side in (self._plain, self._showing):
            if side is not None:
                await side.aclose()


class _Side:
    """The connections that show one certificate, or none."""

    def __init__(self, limits: HTTPLimits, certificate: ClientCertificate | None = None) -> None:
        self._limits = limits
        self._certificate = certificate
        # Reading the built-in authorities waits until they are needed, but whatever is given is looked at.
        self._tls = None if limits.ca_pem is None and certificate is None else self._make_tls()
        self._opened: dict[asyncio.AbstractEventLoop, tuple[httpx2.AsyncHTTPTransport, ...]] = {}

    def transport(self, url: str) -> httpx2.AsyncHTTPTransport:
        loop = asyncio.get_running_loop()
        if loop not in self._opened:
            # Connections of a loop that is closed cannot be used, nor closed, any more.
            for other in [each for each in self._opened if each.is_closed()]:
                del self._opened[other]
            self._opened[loop] = self._open()
        direct, through_proxy = self._opened[loop][0], self._opened[loop][-1]
        return through_proxy if url[:6].lower() == "https:" else direct

    async def aclose(self) -> None:
        for transport in self._opened.pop(asyncio.get_running_loop(), ()):
            await transport.aclose()

    def _open(self) -> tuple[httpx2.AsyncHTTPTransport, ...]:
        import httpx2  # noqa: PLC0415 - an optional part, loaded by who uses it

        from cyberid_client.async_connections import (  # noqa: PLC0415 - as above
            close_what_is_given_up,
        )

        if self._tls is None:
            self._tls = self._make_tls()
        limits = httpx2.Limits(
            max_connections=self._limits.pool_size, max_keepalive_connections=self._limits.pool_size
        )
        direct = close_what_is_given_up(
            httpx2.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=limits)
        )
        if self._limits.proxy is None:
            return (direct,)
        # A proxy that speaks TLS itself is shown nothing.
        speaks_tls = self._limits.proxy.startswith("https:")
        proxy = httpx2.Proxy(self._limits.proxy, ssl_context=_tls_of(self._limits) if speaks_tls else None)
        through_proxy = httpx2.AsyncHTTPTransport(
            verify=self._tls, trust_env=False, limits=limits, proxy=proxy
        )
        return direct, close_what_is_given_up(through_proxy)

    def _make_tls(self) -> ssl.SSLContext:
        context = _tls_of(self._limits)
        if self._certificate is not None:
            show_certificate(context, self._certificate)
        return context


def _tls_of(limits: HTTPLimits) -> ssl.SSLContext:
    return make_context(limits.ca_pem, default_ca_path=certifi.where())


def _prepare(request: HTTPRequest, headers: dict[str, str], limits: HTTPLimits) -> httpx2.Request | None:
    import httpx2  # noqa: PLC0415 - an optional part, loaded by who uses it

    timeout = {
        "connect": limits.connect_timeout,
        "read": limits.read_timeout,
        "write": limits.read_timeout,
        "pool": limits.total_timeout,
    }
    try:
        return httpx2.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.body,
            extensions={"timeout": timeout},
        )
    except (httpx2.InvalidURL, ValueError):
        return None


async def _exchange(
    request: HTTPRequest, prepared: httpx2.Request, transport: httpx2.AsyncHTTPTransport
) -> HTTPResponse:
    answer = await transport.handle_async_request(prepared)
    async with contextlib.aclosing(answer):
        if 300 <= answer.status_code < 400:  # noqa: PLR2004 - the 3xx class
            return failure(request, "transport.redirect", status=answer.status_code)
        headers = _headers_of(answer)
        if headers is None:
            return failure(request, "transport.connection")
        try:
            body = Body(headers.get("content-encoding", ""), limit=request.max_bytes)
            async for chunk in answer.aiter_raw():
                body.feed(chunk)
            return HTTPResponse(
                status=answer.status_code, headers=headers, body=body.whole(), url=request.url
            )
        except BodyError as error:
            return failure(request, error.code, status=answer.status_code)


def _headers_of(answer: httpx2.Response) -> dict[str, str] | None:
    """Return the headers by lower-case name, or ``None`` when they are too many or too long."""
    raw = answer.headers.raw
    if len(raw) > _HEADERS_MAX or any(len(name) + len(value) > _HEADER_LINE_MAX for name, value in raw):
        return None
    headers: dict[str, str] = {}
    for name, value in raw:
        lower, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[lower] = f"{headers[lower]}, {text}" if lower in headers else text
    return headers


def _code_of(error: Exception) -> str:
    import httpx2  # noqa: PLC0415 - an optional part, loaded by who uses it

    if isinstance(error, httpx2.TimeoutException | TimeoutError):
        return "transport.timeout"
    # A certificate that does not hold, or a peer that speaks no TLS, needs an operator; a handshake
    # that was cut is a lost connection like any other.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and "UNEXPECTED_EOF" not in str(cause):
            return "transport.tls"
        cause = cause.__cause__ or cause.__context__
    return "transport.connection"
