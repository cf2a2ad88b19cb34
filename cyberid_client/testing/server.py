"""The issuer over real HTTP, on loopback and nowhere else."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Final, cast

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.drafts import Reply
from cyberid_client.testing.service import Call

__all__ = ["run_server"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_MAX_BODY: Final = 65_536
_MAX_TARGET: Final = 8_192
_IDLE_SECONDS: Final = 30.0
_DRIP_SECONDS: Final = 0.25
# The only headers that are looked at. Cookies ignore ports, so on loopback those of every app
# arrive here: they are not read, not kept and not logged.
_HEADERS_READ: Final = ("content-type", "authorization", "accept", "dpop")


# Returns the server's side of TLS for the next handshake at a host.
TLSContexts = Callable[[str], ssl.SSLContext]


@contextmanager
def run_server(
    *,
    host: str,
    port: int,
    handle: Callable[[Call], Reply],
    slow_seconds: float,
    tls: TLSContexts | None = None,
) -> Iterator[str]:
    """Listen until the block ends, and yield the origin, ``http://127.0.0.1:PORT``.

    Args:
        host: ``127.0.0.1`` or ``::1`` (``[::1]``).
        port: 0 for any free one.
        handle: answers a call; called from many threads.
        slow_seconds: how long a slow answer takes; the end of the block cuts it short.
        tls: speak TLS; the origin is an https one then.

    Raises:
        ConfigurationError: ``testing.not_loopback``.
        OSError: the port cannot be bound.
    """
    address = host.removeprefix("[").removesuffix("]")
    if address not in _LOOPBACK:
        raise ConfigurationError("testing.not_loopback")
    server = _Server(address, port, handle=handle, slow_seconds=slow_seconds, tls=tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.origin
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    # Only connections that are still served are waited for, and hang_up ends those.
    block_on_close = True
    # As many as connect at the same moment; five, the default, turns the others of a busy test away.
    request_queue_size = 128

    def __init__(
        self,
        address: str,
        port: int,
        *,
        handle: Callable[[Call], Reply],
        slow_seconds: float,
        tls: TLSContexts | None,
    ) -> None:
        version = ipaddress.ip_address(address).version
        self.address_family = socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
        self.handle_call = handle
        self.slow_seconds = slow_seconds
        self._tls = tls
        self._host = address
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__((address, port), _Handler)
        shown = address if version == 4 else f"[{address}]"  # noqa: PLR2004 - IPv4
        self.authority = f"{shown}:{self.server_address[1]}"
        self.origin = f"{'http' if tls is None else 'https'}://{self.authority}"

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver says
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as socketserver says
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver says
        """Shake hands first where TLS is spoken, in the thread of this connection."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        context = self._tls(self._host)
        with context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as connection:
            with self._open_lock:
                self._open.add(connection)
            try:
                connection.settimeout(_IDLE_SECONDS)
                connection.do_handshake()
                super().finish_request(connection, client_address)
            finally:
                with self._open_lock:
                    self._open.discard(connection)

    def hang_up(self) -> None:
        """End idle keep-alive connections, so that their threads end."""
        with self._open_lock:
            for connection in self._open:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as socketserver says
        """Say nothing: a client that hung up is no event, and a traceback could hold a secret."""


def _shut(connection: socket.socket) -> None:
    try:
        # That of the plain class: another thread may be reading what TLS would take apart here.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "mock-issuer"
    sys_version = ""
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server says
        """Keep silent: the issuer's own log is ``MockIssuer.log``."""

    @property
    def _mine(self) -> _Server:
        return cast("_Server", self.server)

    def _serve(self) -> None:
        # A foreign Host is somebody's page that rebound its name to loopback.
        if self.headers.get_all("host") != [self._mine.authority]:
            self._refuse(421)
            return
        body = self._read_body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        # A header that stands there twice arrives as one value that is no good.
        headers = {name: ", ".join(found) for name in _HEADERS_READ if (found := self.headers.get_all(name))}
        call = Call(
            method=self.command,
            path=path,
            query=query,
            headers=headers,
            body=body,
            certificate=_shown(self.connection),
        )
        self._send(self._mine.handle_call(call))

    def _read_body(self) -> bytes | None:
        """Return the body, or refuse the request: too large, or of unknown length."""
        lengths = self.headers.get_all("content-length", [])
        length = lengths[0] if lengths else "0"
        refusal = None
        if len(self.path) > _MAX_TARGET:
            refusal = 414
        elif "transfer-encoding" in self.headers or len(lengths) > 1:
            refusal = 411
        elif not (length.isascii() and length.isdigit()):
            refusal = 400
        elif len(length) > len(str(_MAX_BODY)) or int(length) > _MAX_BODY:
            refusal = 413
        if refusal is not None:
            self._refuse(refusal)
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(Reply(status=status, headers={"content-type": "text/plain; charset=utf-8"}))

    def _send(self, reply: Reply) -> None:
        if reply.quirk == "slow":
            self._mine.stopping.wait(self._mine.slow_seconds)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if reply.quirk in {"cut", "tls"}:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        elif reply.quirk == "drip":
            self._drip(reply.body)
        else:
            self.wfile.write(reply.body)

    def _drip(self, body: bytes) -> None:
        """Send one byte at a time: no single read times out, the whole takes too long."""
        for position in range(len(body)):
            if self._mine.stopping.wait(_DRIP_SECONDS):
                self.close_connection = True
                return
            self.wfile.write(body[position : position + 1])
            self.wfile.flush()


def _shown(connection: socket.socket) -> str | None:
    """Return the SHA-256 of the certificate that the client's side of TLS proved, in hex."""
    certificate = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
    return None if certificate is None else hashlib.sha256(certificate).hexdigest()
