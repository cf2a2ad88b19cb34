"""The relying party's own keys: what signs its requests, opens what is sent to it, and shows it to TLS."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, Never

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import AsyncSigner, Signer
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = [
    "CONTENT_ENCRYPTIONS",
    "KEY_ENCRYPTIONS",
    "ClientCertificate",
    "ClientKey",
    "DecryptionKey",
]

RSA_FLOOR: Final = 2048
KID_LIMIT: Final = 255
# What a key on a curve signs with, and the curve's name in a JWK: RFC 7518 §3.4, §6.2.1.
_CURVES: Final = {"secp256r1": ("ES256", "P-256"), "secp384r1": ("ES384", "P-384")}

# RFC 7518 §4.1 and §5.1, cut down: no RSA1_5, no dir, no password, nothing that is not authenticated.
KEY_ENCRYPTIONS: Final = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256")
CONTENT_ENCRYPTIONS: Final = ("A256GCM", "A128GCM", "A128CBC-HS256", "A256CBC-HS512")

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
_PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_DecryptionKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class ClientKey:
    """The relying party's own signing key; it signs requests and proves who asks.

    Make it with :meth:`from_pem`, or with :meth:`from_signer` when the key never leaves a KMS or an HSM.
    It prints its key id only and refuses to be pickled.
    """

    __slots__ = ("_algorithm", "_jwk", "_kid", "_private_key", "_public_key_info", "_signer")

    def __init__(
        self,
        private_key: _PrivateKey | None,
        *,
        kid: str | None = None,
        signer: Signer | AsyncSigner | None = None,
    ) -> None:
        self._private_key = private_key
        self._signer = signer
        public_key = _public_half(private_key, signer)
        self._algorithm, self._jwk = _usual_algorithm(public_key), _public_members(public_key)
        self._public_key_info = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._kid = _thumbprint(self._jwk) if kid is None else _checked_kid(kid)

    @classmethod
    def from_pem(cls, pem: bytes, *, password: bytes | None = None, kid: str | None = None) -> ClientKey:
        """Read a private key: P-256, P-384, Ed25519, or RSA of at least 2048 bits.

        Args:
            pem: PKCS#8 or a traditional form, PEM.
            password: for an encrypted key.
            kid: the key id that the issuer knows; the RFC 7638 thumbprint by default.

        Raises:
            ConfigurationError: the key cannot be read or is of another kind.
        """
        with OwnFramesDropped():
            return cls(_load_private_key(pem, password), kid=kid)

    @classmethod
    def from_signer(cls, signer: Signer | AsyncSigner, *, kid: str | None = None) -> ClientKey:
        """Use a key that somebody else holds: a KMS, an HSM, an agent.

        Args:
            signer: signs, and says with which public key.
            kid: as for :meth:`from_pem`.

        Raises:
            ConfigurationError: the signer's public key cannot be read, is of another kind, or its
                algorithm is not that of the key.
        """
        key = cls(None, kid=kid, signer=signer)
        if getattr(signer, "algorithm", None) != key.algorithm:
            raise ConfigurationError("config.client_key")
        return key

    @property
    def algorithm(self) -> str:
        """The JWS name of the algorithm that this key signs with."""
        return self._algorithm

    @property
    def kid(self) -> str:
        """The key id."""
        return self._kid

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as a JWK, for the issuer's registration."""
        return {**self._jwk, "kid": self._kid, "use": "sig", "alg": self._algorithm}

    @property
    def public_key_info(self) -> bytes:
        """The public half as DER, SubjectPublicKeyInfo."""
        return self._public_key_info

    @property
    def private_key(self) -> _PrivateKey | None:
        """The key object itself, for the one module that signs; ``None`` with a signer."""
        return self._private_key

    @property
    def signer(self) -> Signer | AsyncSigner | None:
        """Who signs in this key's place; ``None`` when the key is here."""
        return self._signer

    def __repr__(self) -> str:
        return f"ClientKey(kid={self._kid!r}, algorithm={self._algorithm!r})"

    def __reduce__(self) -> Never:
        message = "ClientKey is not written out"
        raise TypeError(message)


class DecryptionKey:
    """A key with which the relying party opens encrypted assertions (RFC 7516).

    It prints its key id only and refuses to be pickled.
    """

    __slots__ = ("_algorithm", "_jwk", "_kid", "_private_key")

    def __init__(self, private_key: _DecryptionKey, *, algorithm: str, kid: str | None = None) -> None:
        if not _opens(private_key, algorithm):
            raise ConfigurationError("config.decryption_key")
        self._private_key = private_key
        self._algorithm = algorithm
        _usual_algorithm(private_key.public_key())
        # A key that opens one answer of a wallet is never described.
        self._jwk: dict[str, str] | None = None
        self._kid = _thumbprint(self._described) if kid is None else _checked_kid(kid)

    @classmethod
    def from_pem(
        cls,
        pem: bytes,
        *,
        algorithm: str | None = None,
        password: bytes | None = None,
        kid: str | None = None,
    ) -> DecryptionKey:
        """Read a private key: P-256 or P-384 for ``ECDH-ES…``, RSA of at least 2048 bits for ``RSA-OAEP-256``.

        Args:
            pem: PKCS#8 or a traditional form, PEM.
            algorithm: the one ``alg`` that this key is registered for, one of :data:`KEY_ENCRYPTIONS`;
                ``ECDH-ES`` or ``RSA-OAEP-256`` by default, as the key is.
            password: for an encrypted key.
            kid: the key id that the issuer knows; the RFC 7638 thumbprint by default.

        Raises:
            ConfigurationError: the key cannot be read, is of another kind, or not for this algorithm.
        """
        with OwnFramesDropped():
            private_key = _load_private_key(pem, password)
            if not isinstance(private_key, _DecryptionKey):
                raise ConfigurationError("config.decryption_key")
            usual = "RSA-OAEP-256" if isinstance(private_key, rsa.RSAPrivateKey) else "ECDH-ES"
            return cls(private_key, algorithm=usual if algorithm is None else algorithm, kid=kid)

    @property
    def algorithm(self) -> str:
        """The one ``alg`` of RFC 7518 §4.1 that this key opens."""
        return self._algorithm

    @property
    def kid(self) -> str:
        """The key id."""
        return self._kid

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as a JWK, for the issuer's registration."""
        return {**self._described, "kid": self._kid, "use": "enc", "alg": self._algorithm}

    @property
    def _described(self) -> dict[str, str]:
        if self._jwk is None:
            self._jwk = _public_members(self._private_key.public_key())
        return self._jwk

    @property
    def private_key(self) -> _DecryptionKey:
        """The key object itself, for the one module that decrypts."""
        return self._private_key

    def __repr__(self) -> str:
        return f"DecryptionKey(kid={self._kid!r}, algorithm={self._algorithm!r})"

    def __reduce__(self) -> Never:
        message = "DecryptionKey is not written out"
        raise TypeError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """What the relying party shows in TLS (RFC 8705): a certificate chain and its key, both PEM.

    Attributes:
        certificate_pem: leaf first.
        key_pem: unencrypted.

    Raises:
        ConfigurationError: one of them cannot be read, or they do not belong together.
    """

    certificate_pem: bytes = field(repr=False)
    key_pem: bytes = field(repr=False)

    def __post_init__(self) -> None:
        with OwnFramesDropped():
            private_key = _load_private_key(self.key_pem, None)
            try:
                leaf = x509.load_pem_x509_certificates(self.certificate_pem)[0]
                own = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            except (TypeError, ValueError, UnsupportedAlgorithm):
                raise ConfigurationError("config.client_certificate", "keys.tls") from None
            public_key = private_key.public_key()
            if own != public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo):
                raise ConfigurationError("config.client_certificate", "keys.tls")

    def __reduce__(self) -> Never:
        message = "ClientCertificate is not written out"
        raise TypeError(message)


def _checked_kid(kid: object) -> str:
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_LIMIT:
        raise ConfigurationError("config.client_key", "kid")
    return kid


def _load_private_key(pem: bytes, password: bytes | None) -> _PrivateKey:
    try:
        private_key = load_pem_private_key(pem, password)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("config.client_key") from None
    if not isinstance(private_key, _PrivateKey):
        raise ConfigurationError("config.client_key")
    return private_key


def _opens(private_key: object, algorithm: object) -> bool:
    is_rsa = isinstance(private_key, rsa.RSAPrivateKey)
    names = [name for name in KEY_ENCRYPTIONS if name.startswith("RSA") == is_rsa]
    return isinstance(private_key, _DecryptionKey) and algorithm in names


def _public_half(private_key: object, signer: object) -> _PublicKey:
    if isinstance(private_key, _PrivateKey):
        return private_key.public_key()
    if private_key is not None:
        raise ConfigurationError("config.client_key")
    try:
        public_key = load_der_public_key(getattr(signer, "public_key_info", b""))
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("config.client_key") from None
    if not isinstance(public_key, _PublicKey):
        raise ConfigurationError("config.client_key")
    return public_key


def _usual_algorithm(key: _PublicKey) -> str:
    """Return what a key of this kind signs with, or refuse the kind."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name not in _CURVES:
            raise ConfigurationError("config.client_key")
        return _CURVES[key.curve.name][0]
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < RSA_FLOOR:
            raise ConfigurationError("config.client_key")
        return "PS256"
    return "EdDSA"


def _public_members(key: _PublicKey) -> dict[str, str]:
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), (key.key_size + 7) // 8
        curve = _CURVES[key.curve.name][1]
        return {"crv": curve, "kty": "EC", "x": _uint(point.x, size), "y": _uint(point.y, size)}
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"e": _uint(numbers.e), "kty": "RSA", "n": _uint(numbers.n)}
    return {"crv": "Ed25519", "kty": "OKP", "x": _b64(key.public_bytes_raw())}


def _uint(number: int, size: int | None = None) -> str:
    return _b64(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _thumbprint(jwk: dict[str, str]) -> str:
    # RFC 7638 §3: the required members only, sorted, without white space.
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
    return _b64(hashlib.sha256(canonical).digest())
