"""Encrypt for a client (RFC 7516), with an encoder of the mock's own: well, and in every wrong way."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7

from cyberid_client.testing.jose import PublicKey, b64url, decode_part, json_bytes, jwk_of
from cyberid_client.testing.keyring import Keyring

__all__ = ["CONTENT_ENCRYPTIONS", "KEY_ENCRYPTIONS", "EncryptedDraft", "deflate"]

KEY_ENCRYPTIONS: Final = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256")
# Bytes of the content encryption key: RFC 7518 §5.1.
CONTENT_ENCRYPTIONS: Final[Mapping[str, int]] = MappingProxyType(
    {"A128GCM": 16, "A256GCM": 32, "A128CBC-HS256": 32, "A256CBC-HS512": 64}
)
_WRAPPED_BITS: Final = {"ECDH-ES+A128KW": 128, "ECDH-ES+A256KW": 256}
_OAEP: Final = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
# RSA1_5 is none of the profile's: it is here because a fault encrypts with it.
_RSA_PADDINGS: Final[Mapping[str, padding.AsymmetricPadding]] = MappingProxyType(
    {"RSA-OAEP-256": _OAEP, "RSA1_5": padding.PKCS1v15()}
)


@dataclass(slots=True, kw_only=True)
class EncryptedDraft:
    """A compact JWE before it is encrypted.

    Attributes:
        header: the protected header; ``epk`` is added when it is encrypted. Its ``alg`` and ``enc`` are
            what is really done.
        content: what is inside.
        recipient: for whose private key.
        keyring: the issuer's keys; ``None`` where a wallet encrypts.
        header_bytes: bytes that replace the encoded header, made from the finished one.
        edit_header: the last change to the header, ``epk`` included, before it is authenticated.
        edit_parts: the last change to encrypted key, initialisation vector, ciphertext and tag.
        edit_token: the last change to the compact form.
    """

    header: dict[str, object]
    content: bytes = field(repr=False)
    recipient: PublicKey = field(repr=False)
    keyring: Keyring | None = field(default=None, repr=False)
    header_bytes: Callable[[dict[str, object]], bytes] = field(default=json_bytes, repr=False)
    edit_header: Callable[[dict[str, object]], None] = field(default=lambda _header: None, repr=False)
    edit_parts: Callable[[list[bytes]], list[bytes]] = field(default=lambda parts: parts, repr=False)
    edit_token: Callable[[str], str] = field(default=lambda token: token, repr=False)

    def encode(self) -> str:
        """Return the compact JWE: RFC 7516 §5.1."""
        header = dict(self.header)
        content_key, encrypted_key = self._keys(header)
        self.edit_header(header)
        protected = b64url(self.header_bytes(header))
        sealed = _seal(str(self.header["enc"]), content_key, self.content, protected.encode())
        parts = self.edit_parts([encrypted_key, *sealed])
        return self.edit_token(".".join((protected, *map(b64url, parts))))

    def _keys(self, header: dict[str, object]) -> tuple[bytes, bytes]:
        """Return content encryption key and encrypted key; put ``epk`` where one is used."""
        algorithm, size = str(header["alg"]), CONTENT_ENCRYPTIONS[str(header["enc"])]
        fresh = secrets.token_bytes(size)
        if algorithm == "dir":
            return fresh, b""
        if isinstance(self.recipient, rsa.RSAPublicKey):
            return fresh, self.recipient.encrypt(fresh, _RSA_PADDINGS[algorithm])
        if not isinstance(self.recipient, ec.EllipticCurvePublicKey):
            raise TypeError(algorithm)
        ephemeral = ec.generate_private_key(self.recipient.curve)
        header["epk"] = jwk_of(ephemeral.public_key())
        shared = ephemeral.exchange(ec.ECDH(), self.recipient)
        parties = tuple(decode_part(str(header.get(name, ""))) for name in ("apu", "apv"))
        if algorithm == "ECDH-ES":
            return _derive(shared, str(header["enc"]), size * 8, parties), b""
        wrapping = _derive(shared, algorithm, _WRAPPED_BITS[algorithm], parties)
        return fresh, aes_key_wrap(wrapping, fresh)


def deflate(content: bytes) -> bytes:
    """Return the content as ``zip: DEF`` has it: raw DEFLATE (RFC 7516 §4.1.3)."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _derive(shared: bytes, algorithm: str, bits: int, parties: tuple[bytes, ...]) -> bytes:
    """Return the derived key: RFC 7518 §4.6.2."""
    fields = (algorithm.encode(), *parties)
    info = b"".join(len(each).to_bytes(4, "big") + each for each in fields) + bits.to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), length=bits // 8, otherinfo=info).derive(shared)


def _seal(encryption: str, key: bytes, content: bytes, authenticated: bytes) -> list[bytes]:
    """Return initialisation vector, ciphertext and tag: RFC 7518 §5."""
    if encryption.endswith("GCM"):
        vector = secrets.token_bytes(12)
        sealed = AESGCM(key).encrypt(vector, content, authenticated)
        return [vector, sealed[:-16], sealed[-16:]]
    half = len(key) // 2
    vector = secrets.token_bytes(16)
    padder = PKCS7(128).padder()
    padded = padder.update(content) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(vector)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    bits = (len(authenticated) * 8).to_bytes(8, "big")
    digest = hashlib.sha256 if half == 16 else hashlib.sha512  # noqa: PLR2004 - bytes of an AES-128 key
    mac = hmac.digest(key[:half], authenticated + vector + ciphertext + bits, digest)
    return [vector, ciphertext, mac[:half]]
