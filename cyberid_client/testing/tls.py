"""TLS on loopback, and the certificates of clients: RFC 8705.

Certificates of this page are dated by the machine's clock, whatever clock the issuer goes by: it is the
other side's TLS that judges them.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.clock import system_clock
from cyberid_client.testing.pki import Authority, CertificateForm, make_root, pem
from cyberid_client.testing.refusal import invalid_client, invalid_request

if TYPE_CHECKING:
    from cyberid_client.testing.registration import RegisteredClient

__all__ = ["MadeCertificate", "TLSDesk", "judge_certificate", "make_client_certificate", "sha256_of_pem"]

_LIFE: Final = timedelta(days=90)
_SERVER_AUTHENTICATION: Final = "1.3.6.1.5.5.7.3.1"
_CLIENT_AUTHENTICATION: Final = "1.3.6.1.5.5.7.3.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCertificate:
    """A certificate with its key, both PEM."""

    certificate_pem: bytes = field(repr=False)
    key_pem: bytes = field(repr=False)


def make_client_certificate(client_id: str) -> MadeCertificate:
    """Make a self-signed certificate for TLS, as RFC 8705 §2.2 has them."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = system_clock()
    form = CertificateForm(
        subject=f"Mock client {client_id}"[:64],
        not_before=now - timedelta(hours=1),
        not_after=now + _LIFE,
        purposes=(_CLIENT_AUTHENTICATION,),
    )
    # A root of its own name signs itself: what comes out names itself as its issuer.
    own = make_root(now, subject=form.subject, key=key)
    return MadeCertificate(certificate_pem=pem(own.issue(form, key.public_key())), key_pem=_key_pem(key))


def sha256_of_pem(certificate_pem: bytes) -> str:
    """Return the SHA-256 of the leaf, in hex.

    Raises:
        ConfigurationError: ``config.client_certificate``: this is no certificate.
    """
    try:
        leaf = x509.load_pem_x509_certificates(certificate_pem)[0]
    except ValueError:
        raise ConfigurationError("config.client_certificate", "certificate_pem") from None
    return leaf.fingerprint(hashes.SHA256()).hex()


def judge_certificate(client: RegisteredClient, shown: str | None, *, endpoint: str, at_alias: bool) -> None:
    """Refuse a client without its certificate, with another's, or with one that nobody asked for.

    Stricter than RFC 8705 §2.1 for ``tls_client_auth``: the certificate itself is registered, not its name.

    Args:
        client: who says that it asks.
        shown: the SHA-256 of the certificate that the TLS handshake proved, in hex.
        endpoint: ``par`` or ``token``.
        at_alias: whether the request came to the endpoint's alias (RFC 8705 §5).

    Raises:
        Refusal: with the broken rule.
    """
    if client.certificate_sha256 is None:
        if at_alias or shown is not None:
            raise invalid_request(
                "a certificate and the endpoints for it are for clients that registered one"
            )
        return
    is_for_authentication = client.client_authentication != "private_key_jwt"
    if not at_alias:
        # Where a certificate only binds the token, a pushed request needs none.
        if endpoint == "par" and not is_for_authentication and shown is None:
            return
        raise invalid_request("a client with a certificate uses the alias of the endpoint")
    if shown is None:
        raise invalid_client("no certificate was shown")
    if shown != client.certificate_sha256:
        raise invalid_client("another certificate was shown than the registered one")


class TLSDesk:
    """Hold the authority of the issuer's own TLS certificate, and know whose certificates may be shown."""

    def __init__(self) -> None:
        self._authority: Authority | None = None
        self._clients: list[bytes] = []
        self._lock = threading.Lock()
        self._contexts: dict[tuple[str, int], ssl.SSLContext] = {}

    @property
    def authority_pem(self) -> bytes:
        """The throwaway authority that the server's certificate stands under; made when first asked for."""
        with self._lock:
            return pem(self._found().certificate)

    def accept(self, certificate_pem: bytes) -> None:
        """Let handshakes with this certificate succeed; each is an anchor of its own."""
        with self._lock:
            self._clients.append(certificate_pem)

    def context(self, host: str) -> ssl.SSLContext:
        """Return the server's side for the next handshake."""
        with self._lock:
            wanted = (host, len(self._clients))
            if wanted not in self._contexts:
                self._contexts = {wanted: self._make_context(host)}
            return self._contexts[wanted]

    def _found(self) -> Authority:
        if self._authority is None:
            self._authority = make_root(system_clock(), subject="Mock TLS Root (test only)")
        return self._authority

    def _make_context(self, host: str) -> ssl.SSLContext:
        now = system_clock()
        key = ec.generate_private_key(ec.SECP256R1())
        form = CertificateForm(
            subject="Mock issuer (test only)",
            not_before=now - timedelta(hours=1),
            not_after=now + _LIFE,
            purposes=(_SERVER_AUTHENTICATION,),
            hosts=(host,),
        )
        certificate = self._found().issue(form, key.public_key())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The module takes a file and nothing else; it is gone as soon as it was read.
        with tempfile.NamedTemporaryFile() as file:
            file.write(_key_pem(key) + pem(certificate))
            file.flush()
            context.load_cert_chain(file.name)
        if self._clients:
            context.load_verify_locations(cadata=b"".join(self._clients).decode("ascii"))
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        # Optional, so that a client that shows none gets an answer that says so.
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
