"""HTTP to the issuer over requests: limits and TLS as configured, and no decision about trust.

There is no ``requests.Session`` here, only its adapter: what a session would add (the environment's
proxies and certificate bundles, ``.netrc``, cookies, redirects) is exactly what must not happen.

Every read goes through :class:`_DeadlineReader`, so that the total deadline also ends a server that
drips one byte at a time, be it in the headers or in the body. The one thing that Python cannot
interrupt is the system's name resolution: its own limit (``resolv.conf``) comes on top.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import ssl
import time
from contextvars import ContextVar
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ReadTimeoutError

from cyberid_client.config import ClientCertificate, HTTPLimits
from cyberid_client.http_rules import Body, BodyError, failure, headers_to_send
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.tls import make_context, show_certificate

__all__ = ["RequestsTransport"]

_CHUNK: Final = 16 * 1024
_HOSTS_KEPT: Final = 4

# The moment at which the request of this thread must have ended, on the monotonic clock.
_deadline: ContextVar[float] = ContextVar("cyberid_client_deadline")


class RequestsTransport:
    """Send requests to the issuer within limits; :class:`cyberid_client.ports.Transport`.

    TLS certificates are always verified, against ``ca_pem`` alone when it is given and against the
    built-in list otherwise. Plain http goes to a literal loopback address only, and never through
    the proxy. Redirects are errors, cookies are neither kept nor sent, and no environment variable
    changes anything. It may be used by many threads; after a fork the child opens connections of
    its own.

    The client's certificate is shown on connections of their own, which only requests use that ask for it
    (``HTTPRequest.shows_certificate``); such a request is not sent without one, nor without TLS.

    Args:
        limits: timeouts, proxy, certificate authorities and the size of the pool.
        certificate: of the client; ``None``: there is none to show.

    Raises:
        ConfigurationError: ``ca_pem`` holds no readable certificate, or TLS does not take the client's.
    """

    def __init__(self, limits: HTTPLimits, *, certificate: ClientCertificate | None = None) -> None:
        self._limits = limits
        self._plain = _Side(limits)
        self._showing = None if certificate is None else _Side(limits, certificate)
        self._closed = False

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Send ``request`` once and return the answer; failures are codes, not exceptions.

        Args:
            request: its ``max_bytes`` bounds the body before *and* after decoding it.

        Returns:
            The answer; a ``transport.*`` code in ``error`` when there is none that counts.
        """
        if self._closed:
            return failure(request, "transport.failed")
        prepared = _prepare(request)
        side = self._showing if request.shows_certificate else self._plain
        if prepared is None or side is None:
            return failure(request, "transport.request")
        deadline = time.monotonic() + self._limits.total_timeout
        token = _deadline.set(deadline)
        try:
            return self._exchange(request, prepared, side.adapter())
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            OSError,
        ) as error:
            # Whatever broke once the time was up broke because of it.
            late = time.monotonic() >= deadline
            return failure(request, "transport.timeout" if late else _code_of(error))
        finally:
            _deadline.reset(token)

    def close(self) -> None:
        """Close the connections; every later :meth:`send` fails."""
        self._closed = True
        for side in (self._plain, self._showing):
            if side is not None:
                side.close()

    def _exchange(
        self, request: HTTPRequest, prepared: requests.PreparedRequest, adapter: _Adapter
    ) -> HTTPResponse:
        limits = self._limits
        timeout = (limits.connect_timeout, limits.read_timeout)
        # The proxy is asked for https only; `verify` is said aloud, though the adapter knows no other way.
        proxies = {} if limits.proxy is None else {"https": limits.proxy}
        answer = adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies=proxies)
        with contextlib.closing(answer):
            if 300 <= answer.status_code < 400:  # noqa: PLR2004 - the 3xx class
                return failure(request, "transport.redirect", status=answer.status_code)
            headers = {name.lower(): value for name, value in answer.raw.headers.itermerged()}
            try:
                body = _read_body(answer.raw, headers.get("content-encoding", ""), limit=request.max_bytes)
            except BodyError as error:
                return failure(request, error.code, status=answer.status_code)
            return HTTPResponse(status=answer.status_code, headers=headers, body=body, url=request.url)


class _Side:
    """The connections that show one certificate, or none."""

    def __init__(self, limits: HTTPLimits, certificate: ClientCertificate | None = None) -> None:
        self._limits = limits
        self._certificate = certificate
        # Reading the built-in authorities waits until they are needed, but whatever is given is looked at.
        self._tls = None if limits.ca_pem is None and certificate is None else self._make_tls()
        self._opened: tuple[int, _Adapter] | None = None
        # A child never closes what it inherited: a lock in there may be held by a thread that does
        # not exist in the child.
        self._inherited: list[_Adapter] = []

    def close(self) -> None:
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].close()

    def adapter(self) -> _Adapter:
        # No lock: two threads that meet here each make an adapter, and the loser's is collected.
        if self._opened is not None:
            pid, adapter = self._opened
            if pid == os.getpid():
                return adapter
            self._inherited.append(adapter)
        if self._tls is None:
            self._tls = self._make_tls()
        # A proxy that speaks TLS itself is shown nothing.
        proxy_tls = self._tls if self._certificate is None else _tls_of(self._limits)
        adapter = _Adapter(self._tls, proxy_tls=proxy_tls, pool_size=self._limits.pool_size)
        self._opened = (os.getpid(), adapter)
        return adapter

    def _make_tls(self) -> ssl.SSLContext:
        context = _tls_of(self._limits)
        if self._certificate is not None:
            show_certificate(context, self._certificate)
        return context


def _tls_of(limits: HTTPLimits) -> ssl.SSLContext:
    return make_context(limits.ca_pem, default_ca_path=DEFAULT_CA_BUNDLE_PATH)


def _prepare(request: HTTPRequest) -> requests.PreparedRequest | None:
    headers = headers_to_send(request)
    if headers is None:
        return None
    try:
        return requests.Request(request.method, request.url, headers=headers, data=request.body).prepare()
    except (requests.RequestException, ValueError):
        return None


def _code_of(error: Exception) -> str:
    if isinstance(error, requests.Timeout | ReadTimeoutError | TimeoutError):
        return "transport.timeout"
    # A certificate that does not hold, or a peer that speaks no TLS, needs an operator; a handshake
    # that was cut is a lost connection like any other.
    if isinstance(error, requests.exceptions.SSLError) and "UNEXPECTED_EOF" not in str(error):
        return "transport.tls"
    return "transport.connection"


def _read_body(raw: urllib3.HTTPResponse, coding: str, *, limit: int) -> bytes:
    body = Body(coding, limit=limit)
    while chunk := raw.read(min(_CHUNK, body.wanted), decode_content=False):
        body.feed(chunk)
    return body.whole()


def _remaining(at_most: float) -> float:
    seconds = _deadline.get() - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return min(at_most, seconds)


class _DeadlineReader(io.RawIOBase):
    """A socket's raw reader that gives each read no more than what is left of the whole time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._read_timeout = sock.gettimeout() or 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any writable buffer, which has no name before 3.12
        self._sock.settimeout(_remaining(self._read_timeout))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on as they come
        super().__init__(sock, *args, **kwargs)
        # The raw reader keeps the socket open for as long as the body is read, so it is kept.
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Response
    # Whoever sets it on http.client's class would have every request body printed, secrets and all.
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _TLSConnection(HTTPSConnection):
    response_class = _Response
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        return _connect(self)


def _connect(connection: HTTPConnection) -> socket.socket:
    """Connect to the first address that answers; all of them together share the connect timeout."""
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NameResolutionError(connection.host, connection, socket.gaierror(str(error))) from error
    ends_at = time.monotonic() + _remaining(float(connection.timeout or 0))
    failure: OSError = OSError("no address")
    for index, (family, kind, protocol, _, address) in enumerate(found):
        share = (ends_at - time.monotonic()) / (len(found) - index)
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(max(share, 0.001))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # The TLS handshake comes next, and has one time limit for all of it.
            sock.settimeout(_remaining(float(connection.timeout or 0)))
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, "timed out") from failure
    raise NewConnectionError(connection, "refused or unreachable") from failure


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _Adapter(HTTPAdapter):
    """An adapter with one TLS context that nothing outside can loosen."""

    def __init__(self, tls: ssl.SSLContext, *, proxy_tls: ssl.SSLContext, pool_size: int) -> None:
        self._tls = tls
        self._proxy_tls = proxy_tls
        super().__init__(pool_connections=_HOSTS_KEPT, pool_maxsize=pool_size)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature of requests
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature of requests
        kwargs |= {"ssl_context": self._tls, "proxy_ssl_context": self._proxy_tls}
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager

    def cert_verify(self, conn: Any, url: object, verify: object, cert: object) -> None:  # noqa: ANN401, ARG002 - the signature of requests
        # The context already holds the one set of authorities that counts; requests would add its own.
        conn.cert_reqs = "CERT_REQUIRED"
        conn.ca_certs = conn.ca_cert_dir = None
