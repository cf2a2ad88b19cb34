"""What a client registers, and what the issuer makes for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.client_keys import ClientPublicKey, read_client_keys
from cyberid_client.testing.compact import Members
from cyberid_client.testing.encryption import CONTENT_ENCRYPTIONS, KEY_ENCRYPTIONS
from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, PublicKey, jwk_of, thumbprint
from cyberid_client.testing.refusal import Refusal
from cyberid_client.testing.tls import make_client_certificate, sha256_of_pem

__all__ = [
    "CHOICES",
    "RegisteredApp",
    "RegisteredClient",
    "Registration",
    "is_web_origin",
    "is_web_url",
    "key_for",
    "make_client",
    "origin_of",
]

# The first of each is what a client gets that says nothing.
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "sender_constraint": ("none", "dpop", "mtls"),
    "response": ("plain", "jarm"),
    "id_token": ("jws", "jwe"),
    "key_encryption": KEY_ENCRYPTIONS,
    "content_encryption": ("A256GCM", *CONTENT_ENCRYPTIONS),
    "client_authentication": ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"),
    "request_object": ("plain", "signed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What protects the logins of a client.

    Attributes:
        sender_constraint: ``none``, ``dpop`` or ``mtls``.
        response: ``plain`` or ``jarm``.
        id_token: ``jws`` or ``jwe``.
        key_encryption: the ``alg`` of the key that is made for encrypted ID tokens.
        content_encryption: the ``enc`` of encrypted ID tokens.
        client_authentication: ``private_key_jwt``, ``tls_client_auth`` or ``self_signed_tls_client_auth``.
        request_object: ``plain`` or ``signed``.
        jwks: the client's own public keys; ``None``: they are made.
        certificate_pem: the client's own certificate; ``None``: one is made where it is needed.

    Raises:
        ConfigurationError: ``config.value``: one of them is none of the words for it.
    """

    sender_constraint: str = "none"
    response: str = "plain"
    id_token: str = "jws"  # noqa: S105 - the name of a setting
    key_encryption: str = "ECDH-ES"
    content_encryption: str = "A256GCM"
    client_authentication: str = "private_key_jwt"
    request_object: str = "plain"
    jwks: Mapping[str, object] | None = None
    certificate_pem: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigurationError("config.value", name)

    @property
    def uses_certificate(self) -> bool:
        """Whether the client shows a certificate in TLS."""
        return self.sender_constraint == "mtls" or self.client_authentication != "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredApp:
    """An app for one platform, as the institution registered it.

    Attributes:
        app_id: its ``appID``; unlike that of any other platform.
        package: the name by which the phone knows it. Receipts call no other caller verified.
        return_urls: where the page that plays the phone may lead back to; compared byte by byte.
    """

    app_id: str
    package: str
    return_urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """A client as the issuer knows it.

    Attributes:
        client_id: its OAuth name.
        redirect_uri: the first of its redirect URIs.
        redirect_uris: all of them; compared byte by byte.
        sector: its sector identifier.
        algorithm: the JWS algorithm of its first signing key.
        kid: the key id of that key; the RFC 7638 thumbprint of one that the mock made.
        key_pem: the private key that the mock made for it, PKCS #8; empty when the client brought its own.
        signing_keys: all keys that it may sign with; several during a rotation.
        encryption_key: for whom ID tokens are encrypted; ``None`` for a client that gets them plain.
        decryption_key_pem: the private half, when the mock made it; else empty.
        certificate_pem: what it shows in TLS; empty for a client that shows nothing.
        certificate_key_pem: its private key, when the mock made it; else empty.
        certificate_sha256: of the certificate, in hex; ``None`` for a client that shows none.
        sender_constraint: as registered: ``none``, ``dpop`` or ``mtls``.
        response: as registered: ``plain`` or ``jarm``.
        content_encryption: the ``enc`` of encrypted ID tokens.
        client_authentication: as registered.
        request_object: as registered: ``plain`` or ``signed``.
        post_logout_redirect_uris: where it may be sent back to after a logout; compared byte by byte.
        backchannel_logout_uri: where logout tokens go; ``None`` for a client that wants none.
        backchannel_logout_session_required: whether each of them names a session.
        events_uri: where security events go; ``None`` for a client that wants none.
        org_id: the institution, where it has apps on phones.
        apps: platform to app.
    """

    client_id: str
    redirect_uri: str
    redirect_uris: tuple[str, ...] = field(repr=False)
    sector: str
    algorithm: str
    kid: str
    key_pem: bytes = field(repr=False)
    signing_keys: tuple[ClientPublicKey, ...] = field(repr=False)
    encryption_key: ClientPublicKey | None = field(default=None, repr=False)
    decryption_key_pem: bytes = field(default=b"", repr=False)
    certificate_pem: bytes = field(default=b"", repr=False)
    certificate_key_pem: bytes = field(default=b"", repr=False)
    certificate_sha256: str | None = field(default=None, repr=False)
    sender_constraint: str = "none"
    response: str = "plain"
    content_encryption: str = "A256GCM"
    client_authentication: str = "private_key_jwt"
    request_object: str = "plain"
    post_logout_redirect_uris: tuple[str, ...] = field(default=(), repr=False)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    events_uri: str | None = None
    org_id: str | None = None
    apps: Mapping[str, RegisteredApp] = field(default_factory=dict, hash=False, repr=False)


def make_client(
    *,
    client_id: str,
    redirect_uris: tuple[str, ...],
    sector: str | None,
    algorithm: str,
    registration: Registration,
) -> RegisteredClient:
    """Make a client, with a fresh key for everything that it does not bring.

    Raises:
        ConfigurationError: ``config.client_key``, ``config.decryption_key`` or
            ``config.client_certificate``: what it brings cannot be used.
    """
    key_pem, decryption_key_pem, jwks = b"", b"", registration.jwks
    if jwks is None:
        key_pem, decryption_key_pem, jwks = _make_keys(algorithm, registration)
    signing, encryption = read_client_keys(jwks)
    is_encrypted = registration.id_token == "jwe"  # noqa: S105 - the name of a setting
    if is_encrypted and not encryption:
        raise ConfigurationError("config.decryption_key", "jwks")
    certificate_pem, certificate_key_pem = _certificate_of(client_id, registration)
    return RegisteredClient(
        client_id=client_id,
        redirect_uri=redirect_uris[0],
        redirect_uris=redirect_uris,
        sector=origin_of(redirect_uris[0]) if sector is None else sector,
        algorithm=signing[0].algorithm,
        kid=signing[0].kid,
        key_pem=key_pem,
        signing_keys=signing,
        encryption_key=encryption[0] if is_encrypted else None,
        decryption_key_pem=decryption_key_pem,
        certificate_pem=certificate_pem,
        certificate_key_pem=certificate_key_pem,
        certificate_sha256=sha256_of_pem(certificate_pem) if certificate_pem else None,
        sender_constraint=registration.sender_constraint,
        response=registration.response,
        content_encryption=registration.content_encryption,
        client_authentication=registration.client_authentication,
        request_object=registration.request_object,
    )


def _make_keys(algorithm: str, registration: Registration) -> tuple[bytes, bytes, Mapping[str, object]]:
    """Return signing key and decryption key, PEM, and the set with their public halves."""
    signing: PrivateKey = ALGORITHMS[algorithm].generate()
    entries = [_entry(signing.public_key(), use="sig", algorithm=algorithm)]
    decryption_pem = b""
    if registration.id_token == "jwe":  # noqa: S105 - the name of a setting
        name = registration.key_encryption
        decryption: PrivateKey = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if name.startswith("RSA")
            else ec.generate_private_key(ec.SECP256R1())
        )
        entries.append(_entry(decryption.public_key(), use="enc", algorithm=name))
        decryption_pem = _pem_of(decryption)
    return _pem_of(signing), decryption_pem, {"keys": entries}


def _entry(key: PublicKey, *, use: str, algorithm: str) -> dict[str, object]:
    return {**jwk_of(key), "kid": thumbprint(key), "use": use, "alg": algorithm}


def _pem_of(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate_of(client_id: str, registration: Registration) -> tuple[bytes, bytes]:
    if not registration.uses_certificate:
        return b"", b""
    if registration.certificate_pem is not None:
        return registration.certificate_pem, b""
    made = make_client_certificate(client_id)
    return made.certificate_pem, made.key_pem


def key_for(
    client: RegisteredClient, header: Members, refuse: Callable[[str], Refusal]
) -> tuple[str, PublicKey]:
    """Return algorithm and key of the client's key that a header names.

    Raises:
        Refusal: as ``refuse`` makes it: there is none.
    """
    for each in client.signing_keys:
        if each.kid == header.get("kid"):
            return each.algorithm, each.key
    raise refuse("kid names no registered key")


def origin_of(url: str) -> str:
    """Return scheme and authority of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_web_url(url: str) -> bool:
    """Tell whether this is an absolute http or https URL without fragment."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "#" not in url
    except ValueError:
        return False


def is_web_origin(url: str) -> bool:
    """Tell whether this is an http or https URL with a host and nothing behind it."""
    return is_web_url(url) and url == origin_of(url)
