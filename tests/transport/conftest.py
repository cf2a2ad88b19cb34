"""Real servers on loopback that misbehave on purpose, and a certificate authority made on the fly."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cyberid_client.async_transport import HTTPXTransport
from cyberid_client.config import HTTPLimits
from cyberid_client.ports import HTTPRequest
from cyberid_client.transport import RequestsTransport


class Server:
    """A server on 127.0.0.1 that hands each request to ``answer`` and records it.

    ``answer(connection, request)`` writes what it likes and returns whether the connection stays.
    """

    def __init__(self, answer: Callable[[socket.socket, bytes], bool], *, tls: ssl.SSLContext | None = None):
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def settle(self) -> None:
        """Wait until every connection that is closed after its answer is closed."""
        for thread in self._threads[1:]:
            thread.join()

    def close(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(5)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                connection.settimeout(0.02)
                while request := self._read_request(connection):
                    self.requests.append(request)
                    connection.settimeout(5)
                    if not self._answer(connection, request):
                        return
                    connection.settimeout(0.02)

    def _read_request(self, connection: socket.socket) -> bytes:
        received = b""
        while not self.over.is_set():
            head, end, body = received.partition(b"\r\n\r\n")
            if end and len(body) >= _content_length(head):
                return received
            with contextlib.suppress(TimeoutError):
                piece = connection.recv(65536)
                if not piece:
                    return b""
                received += piece
        return b""


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class Authority:
    """A certificate authority of its own kind of trust."""

    def __init__(self, directory):
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Test CA")])
        self._certificate = self._sign(self._name, self._key, ca=True, names=[], days=30)

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server_context(self, host: str = "127.0.0.1", *, days: int = 30) -> ssl.SSLContext:
        """Return a server's TLS context whose certificate names ``host``."""
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        certificate = self._sign(subject, key, ca=False, names=[name], days=days)
        path = self._directory / f"{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(self, subject, key, *, ca, names, days):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that end with the test; bytes are sent as they stand, then the connection closes."""
    servers = []

    def start(answer, *, tls=None):
        if isinstance(answer, bytes):
            script = answer

            def answer(connection, _request):
                connection.sendall(script)
                return False

        servers.append(Server(answer, tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def authority(tmp_path) -> Authority:
    """One authority."""
    return Authority(tmp_path)


@pytest.fixture
def make_authority(tmp_path):
    """Make as many authorities as a test needs."""
    return lambda: Authority(tmp_path)


@pytest.fixture(params=["requests", "httpx2"])
def over(request):
    """Make a transport, blocking, or awaited and used as if it blocked."""
    if request.param == "requests":
        return RequestsTransport
    awaited = request.getfixturevalue("awaited")
    return lambda *args, **kwargs: awaited(lambda: HTTPXTransport(*args, **kwargs))


@pytest.fixture
def transport(over) -> Iterator[Callable[..., RequestsTransport]]:
    """Make transports that are closed after the test; short limits unless the test says otherwise."""
    made = []

    def make(**limits):
        defaults = {"connect_timeout": 2.0, "read_timeout": 2.0, "total_timeout": 4.0}
        made.append(over(HTTPLimits(**{**defaults, **limits})))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def get() -> Callable[..., HTTPRequest]:
    """Make a GET request."""

    def make(url, *, max_bytes=1000, headers=None):
        return HTTPRequest(method="GET", url=url, headers=headers or {}, max_bytes=max_bytes, purpose="jwks")

    return make
