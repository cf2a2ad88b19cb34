"""The client's certificate is shown where it is asked to be, nowhere else, and its key is not left lying about."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from cyberid_client import ConfigurationError
from cyberid_client.config import ClientCertificate, HTTPLimits
from cyberid_client.ports import HTTPRequest
from cyberid_client.tls import HAS_FILES_IN_MEMORY, show_certificate

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KINDS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}
FILES = [True, False] if HAS_FILES_IN_MEMORY else [False]


def pem_of(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed(subject: str, key, *, by: str, with_key, days: int = 30) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=subject != "shop", path_length=None), critical=True)
        .sign(with_key, hashes.SHA256())
    )


@dataclass
class Made:
    """A client's certificate and what a server needs to know to believe it."""

    certificate: ClientCertificate
    der: bytes
    authority_pem: bytes


def make(kind: str = "P-256", **dates: int) -> Made:
    authority_key, key = KINDS["P-256"](), KINDS[kind]()
    authority = signed("Example Client CA", authority_key, by="Example Client CA", with_key=authority_key)
    leaf = signed("shop", key, by="Example Client CA", with_key=authority_key, **dates)
    pem = leaf.public_bytes(Encoding.PEM)
    return Made(
        ClientCertificate(certificate_pem=pem, key_pem=pem_of(key)),
        leaf.public_bytes(Encoding.DER),
        authority.public_bytes(Encoding.PEM),
    )


@pytest.fixture
def made() -> Made:
    return make()


class Place:
    """A server that asks for a certificate and notes, for each request, which one was shown."""

    def __init__(self, serve, authority, made: Made, *, demands: bool = False, closes: bool = False):
        self.shown: list[bytes | None] = []
        self._closes = closes
        context = authority.server_context()
        context.verify_mode = ssl.CERT_REQUIRED if demands else ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=made.authority_pem.decode())
        self.server = serve(self._answer, tls=context)
        self.url = self.server.url

    def _answer(self, connection, _request) -> bool:
        self.shown.append(connection.getpeercert(binary_form=True))
        connection.sendall(ANSWER)
        return not self._closes


@pytest.fixture
def place(serve, authority, made):
    return Place(serve, authority, made)


@pytest.fixture
def sender(authority, over):
    """Make transports that show a certificate."""
    opened = []

    def open_one(certificate: ClientCertificate | None, **limits):
        settings = {"ca_pem": authority.pem, "total_timeout": 4.0, **limits}
        opened.append(over(HTTPLimits(**settings), certificate=certificate))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


def ask(url: str, *, shows: bool) -> HTTPRequest:
    return HTTPRequest(method="GET", url=url, max_bytes=1000, purpose="par", shows_certificate=shows)


class TestWhoIsShownIt:
    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_shown_when_a_request_asks_for_it(self, serve, authority, sender, kind):
        """The server's TLS has proof of the key of exactly the configured certificate."""
        made = make(kind)
        place = Place(serve, authority, made)
        assert None is sender(made.certificate).send(ask(place.url, shows=True)).error
        assert [made.der] == place.shown

    def test_it_is_not_shown_to_anybody_else(self, place, sender, made):
        """A request that does not ask for it shows nothing, though the server would like to see it."""
        sender(made.certificate).send(ask(place.url, shows=False))
        assert [None] == place.shown

    def test_connections_are_not_shared(self, place, sender, made):
        """A connection that showed it never carries a request that does not, nor the other way round."""
        client = sender(made.certificate)
        for shows in (True, False, True, False):
            assert None is client.send(ask(place.url, shows=shows)).error
        assert [made.der, None, made.der, None] == place.shown
        assert 2 == place.server.connections

    def test_a_server_that_demands_it_gets_it(self, serve, authority, sender, made):
        """An endpoint for certificates serves who shows one, and nobody else."""
        place = Place(serve, authority, made, demands=True)
        client = sender(made.certificate)
        assert None is client.send(ask(place.url, shows=True)).error
        assert client.send(ask(place.url, shows=False)).error in {"transport.tls", "transport.connection"}
        assert [made.der] == place.shown

    def test_the_server_decides_whether_it_is_believed(self, serve, authority, sender, made):
        """A certificate of another authority ends the connection, not the process."""
        place = Place(serve, authority, make(), demands=True)
        answer = sender(made.certificate).send(ask(place.url, shows=True))
        assert answer.error in {"transport.tls", "transport.connection"}
        assert [] == place.shown

    def test_a_chain_is_shown_whole(self, serve, authority, sender):
        """Certificates between leaf and authority go along."""
        keys = [KINDS["P-256"]() for _ in range(3)]
        root = signed("Root", keys[0], by="Root", with_key=keys[0])
        between = signed("Between", keys[1], by="Root", with_key=keys[0])
        leaf = signed("shop", keys[2], by="Between", with_key=keys[1])
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, between))
        made = Made(
            ClientCertificate(certificate_pem=chain, key_pem=pem_of(keys[2])),
            leaf.public_bytes(Encoding.DER),
            root.public_bytes(Encoding.PEM),
        )
        place = Place(serve, authority, made)
        sender(made.certificate).send(ask(place.url, shows=True))
        assert [made.der] == place.shown

    def test_a_proxy_is_not_shown_it(self, place, sender, made):
        """A proxy that speaks TLS and asks for a certificate sees none: it is for the issuer."""
        proxy = place.url
        sender(made.certificate, proxy=proxy).send(ask("https://issuer.example/par", shows=True))
        assert [None] == place.shown
        assert place.server.requests[0].startswith(b"CONNECT issuer.example:443 ")


class TestWhatIsNotSent:
    def test_nothing_goes_without_the_certificate_that_it_needs(self, place, sender):
        """A request that must show one is not sent by a transport that has none."""
        assert "transport.request" == sender(None).send(ask(place.url, shows=True)).error
        assert 0 == place.server.connections

    def test_nothing_goes_without_tls_that_must_show_it(self, serve, sender, made):
        """Plain http shows nothing, so it is not asked, not even on loopback."""
        server = serve(ANSWER)
        assert "transport.request" == sender(made.certificate).send(ask(server.url, shows=True)).error
        assert [] == server.requests

    def test_nothing_goes_after_close(self, place, sender, made):
        """A closed transport shows nothing to anybody."""
        client = sender(made.certificate)
        client.send(ask(place.url, shows=True))
        client.close()
        assert "transport.failed" == client.send(ask(place.url, shows=True)).error
        assert [made.der] == place.shown

    def test_the_server_is_verified_first(self, serve, make_authority, sender, made):
        """A server of another authority learns nothing of the client."""
        place = Place(serve, make_authority(), made)
        assert "transport.tls" == sender(made.certificate).send(ask(place.url, shows=True)).error
        assert [] == place.shown


class Watching(ssl.SSLContext):
    """Look at the file while it is there."""

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        self.path = Path(certfile)
        self.content = self.path.read_bytes()
        self.mode = stat.S_IMODE(self.path.stat().st_mode)
        self.folder_mode = stat.S_IMODE(self.path.parent.stat().st_mode)
        super().load_cert_chain(certfile, keyfile, password)


class TestTheKey:
    @pytest.mark.parametrize("in_memory", FILES)
    def test_no_file_holds_it_in_the_clear(self, made, in_memory):
        """What TLS reads holds the certificate and an encrypted key, in memory as on a disk."""
        context = Watching(ssl.PROTOCOL_TLS_CLIENT)
        show_certificate(context, made.certificate, in_memory=in_memory)
        assert b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in context.content
        assert b"-----BEGIN PRIVATE KEY-----" not in context.content
        assert made.certificate.certificate_pem.strip() in context.content

    @pytest.mark.parametrize("in_memory", FILES)
    def test_the_file_is_gone_afterwards(self, made, in_memory):
        """Neither file nor folder stays, and no descriptor."""
        context = Watching(ssl.PROTOCOL_TLS_CLIENT)
        show_certificate(context, made.certificate, in_memory=in_memory)
        assert not context.path.exists()

    def test_a_file_on_a_disk_is_its_owners_alone(self, made):
        """Nobody else may read it, nor look into its folder."""
        context = Watching(ssl.PROTOCOL_TLS_CLIENT)
        show_certificate(context, made.certificate, in_memory=False)
        assert (0o600, 0o700) == (context.mode, context.folder_mode)

    def test_each_file_has_a_password_of_its_own(self, made):
        """No two of them are alike."""
        contexts = [Watching(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2)]
        for context in contexts:
            show_certificate(context, made.certificate)
        assert contexts[0].content != contexts[1].content

    @pytest.mark.parametrize("in_memory", FILES)
    def test_what_tls_does_not_take_is_a_matter_of_configuration(self, in_memory):
        """A chain with a key that TLS finds too weak is refused when the transport is made."""
        weak, key = rsa.generate_private_key(65537, 1024), KINDS["P-256"]()  # noqa: S505 - weakness is the case
        authority = signed("Weak CA", weak, by="Weak CA", with_key=weak)
        leaf = signed("shop", key, by="Weak CA", with_key=weak)
        chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.raises(ConfigurationError) as caught:
            show_certificate(
                context, ClientCertificate(certificate_pem=chain, key_pem=pem_of(key)), in_memory=in_memory
            )
        assert ("config.client_certificate", "keys.tls") == (caught.value.code, caught.value.setting)

    def test_a_transport_shows_no_key(self, over, made):
        """Nothing of the key stands in a representation."""
        transport = over(HTTPLimits(), certificate=made.certificate)
        assert "PRIVATE" not in repr(transport) + repr(made.certificate)
        transport.close()
