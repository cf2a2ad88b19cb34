"""TLS to the issuer: which authorities count, and which certificate is shown (RFC 8705)."""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
import tempfile
from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from cyberid_client.config import ClientCertificate
from cyberid_client.errors import ConfigurationError
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = ["HAS_FILES_IN_MEMORY", "make_context", "show_certificate"]

HAS_FILES_IN_MEMORY: Final = hasattr(os, "memfd_create")
PASSWORD_BYTES: Final = 32


def make_context(ca_pem: bytes | None, *, default_ca_path: str) -> ssl.SSLContext:
    """Return a context that always verifies, and that no environment variable changes.

    Args:
        ca_pem: the authorities that count.
        default_ca_path: a file with those that count without ``ca_pem``.

    Raises:
        ConfigurationError: ``ca_pem`` holds no readable certificate.
    """
    # Not ssl.create_default_context: it asks SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    if ca_pem is None:
        context.load_verify_locations(cafile=default_ca_path)
        return context
    try:
        context.load_verify_locations(cadata=ca_pem.decode("ascii"))
    except (ValueError, ssl.SSLError):
        raise ConfigurationError("config.value", "http.ca_pem") from None
    return context


def show_certificate(
    context: ssl.SSLContext, certificate: ClientCertificate, *, in_memory: bool = HAS_FILES_IN_MEMORY
) -> None:
    """Let a context show the client's certificate to whoever asks for one.

    Python's ``ssl`` reads a certificate and its key from a file only. On Linux that is a file in memory
    without a name; elsewhere a temporary one that nobody else may read and that is gone when this returns.
    In either the key is encrypted under a password of this call alone.

    Args:
        context: of a connection that shows it; the connections to all other places have another context.
        certificate: what is shown.
        in_memory: whether the system has files in memory.

    Raises:
        ConfigurationError: TLS takes no such certificate or key, or there is no place for the file.
    """
    with OwnFramesDropped():
        password = secrets.token_hex(PASSWORD_BYTES).encode()
        private_key = load_pem_private_key(certificate.key_pem, None)
        key_pem = private_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
        )
        file = _file_in_memory if in_memory else _temporary_file
        try:
            with file(certificate.certificate_pem.rstrip() + b"\n" + key_pem) as path:
                context.load_cert_chain(path, password=password)
        except OSError:  # an SSLError is one
            raise ConfigurationError("config.client_certificate", "keys.tls") from None


@contextlib.contextmanager
def _file_in_memory(content: bytes) -> Iterator[str]:
    descriptor = os.memfd_create("certificate")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{descriptor}"


@contextlib.contextmanager
def _temporary_file(content: bytes) -> Iterator[str]:
    # A folder of its own, because some systems do not let an open file be opened again.
    with tempfile.TemporaryDirectory() as folder:
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(content)
        yield file.name
