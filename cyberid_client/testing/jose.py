"""Encode and sign as an issuer does; an encoder of its own, so that no bug of the library repeats here."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

__all__ = [
    "ALGORITHMS",
    "PRIVATE_MEMBERS",
    "SIGNING_NAMES",
    "MLDSAPrivateKey",
    "PrivateKey",
    "PublicKey",
    "SigningAlgorithm",
    "b64url",
    "decode_part",
    "json_bytes",
    "jwk_of",
    "public_key_of",
    "thumbprint",
]

MLDSAPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
MLDSAPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | MLDSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey | MLDSAPublicKey

_CURVES: Final[Mapping[str, str]] = {"secp256r1": "P-256", "secp384r1": "P-384", "secp256k1": "secp256k1"}
# RFC 7518 §6.2.2, §6.3.2 and §6.4.1, RFC 8037 §2, RFC 9964 §3: a public JWK has none of them.
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
_MLDSA: Final[tuple[tuple[str, type[MLDSAPrivateKey], type[MLDSAPublicKey]], ...]] = (
    ("ML-DSA-44", mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    ("ML-DSA-65", mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
    ("ML-DSA-87", mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey),
)
_PSS: Final = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def b64url(data: bytes) -> str:
    """Return base64url without padding, RFC 7515 §2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_part(text: str) -> bytes:
    """Decode one part of a compact JWS; refuse padding, foreign characters and loose trailing bits.

    Raises:
        ValueError: the text is not what :func:`b64url` writes.
    """
    data = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if b64url(data) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return data


def json_bytes(value: object) -> bytes:
    """Return compact JSON, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningAlgorithm:
    """One JWS algorithm as the mock speaks it.

    Attributes:
        name: the value of ``alg``.
        digest: the hash of ``at_hash``, by its :mod:`hashlib` name.
        generate: makes a fresh private key.
        sign: private key and message to the raw JWS signature.
        verify: public key, raw signature and message; raises when it does not hold.
    """

    name: str
    digest: str
    generate: Callable[[], PrivateKey] = field(repr=False)
    sign: Callable[[PrivateKey, bytes], bytes] = field(repr=False)
    verify: Callable[[PublicKey, bytes, bytes], None] = field(repr=False)

    def half_hash(self, text: str) -> str:
        """Return the left half of the hash of ASCII ``text``, base64url: OIDC Core §3.1.3.6."""
        digest = hashlib.new(self.digest, text.encode()).digest()
        return b64url(digest[: len(digest) // 2])


def _ecdsa(name: str, curve: ec.EllipticCurve, hash_algorithm: hashes.HashAlgorithm) -> SigningAlgorithm:
    size = (curve.key_size + 7) // 8
    scheme = ec.ECDSA(hash_algorithm)

    def sign(key: PrivateKey, message: bytes) -> bytes:
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(name)
        r, s = decode_dss_signature(key.sign(message, scheme))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def verify(key: PublicKey, signature: bytes, message: bytes) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 2 * size:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        key.verify(encode_dss_signature(r, s), message, scheme)

    return SigningAlgorithm(
        name=name,
        digest=hash_algorithm.name,
        generate=lambda: ec.generate_private_key(curve),
        sign=sign,
        verify=verify,
    )


def _eddsa() -> SigningAlgorithm:
    def sign(key: PrivateKey, message: bytes) -> bytes:
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise TypeError("EdDSA")
        return key.sign(message)

    def verify(key: PublicKey, signature: bytes, message: bytes) -> None:
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise InvalidSignature
        key.verify(signature, message)

    return SigningAlgorithm(
        name="EdDSA",
        digest="sha512",
        generate=ed25519.Ed25519PrivateKey.generate,
        sign=sign,
        verify=verify,
    )


def _rsa(name: str, scheme: padding.AsymmetricPadding) -> SigningAlgorithm:
    def sign(key: PrivateKey, message: bytes) -> bytes:
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError(name)
        return key.sign(message, scheme, hashes.SHA256())

    def verify(key: PublicKey, signature: bytes, message: bytes) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise InvalidSignature
        key.verify(signature, message, scheme, hashes.SHA256())

    return SigningAlgorithm(
        name=name,
        digest="sha256",
        generate=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        sign=sign,
        verify=verify,
    )


def _mldsa(name: str, private: type[MLDSAPrivateKey], public: type[MLDSAPublicKey]) -> SigningAlgorithm:
    def sign(key: PrivateKey, message: bytes) -> bytes:
        if not isinstance(key, private):
            raise TypeError(name)
        return key.sign(message)  # pure, with the empty context: RFC 9964 §4

    def verify(key: PublicKey, signature: bytes, message: bytes) -> None:
        if not isinstance(key, public):
            raise InvalidSignature
        key.verify(signature, message)

    return SigningAlgorithm(name=name, digest="sha512", generate=private.generate, sign=sign, verify=verify)


ALGORITHMS: Final[Mapping[str, SigningAlgorithm]] = MappingProxyType(
    {
        algorithm.name: algorithm
        for algorithm in (
            _ecdsa("ES256", ec.SECP256R1(), hashes.SHA256()),
            _ecdsa("ES384", ec.SECP384R1(), hashes.SHA384()),
            _eddsa(),
            _rsa("PS256", _PSS),
            *(_mldsa(*row) for row in _MLDSA),
            _rsa("RS256", padding.PKCS1v15()),
        )
    }
)
# RS256 is no algorithm of the profile: it is above because a fault signs with it.
SIGNING_NAMES: Final = tuple(name for name in ALGORITHMS if name != "RS256")


def jwk_of(key: PublicKey) -> dict[str, object]:
    """Return the required members of the key's JWK, and no others (RFC 7518 §6, RFC 8037 §2, RFC 9964 §3)."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers, size = key.public_numbers(), (key.curve.key_size + 7) // 8
        return {
            "kty": "EC",
            "crv": _CURVES[key.curve.name],
            "x": b64url(numbers.x.to_bytes(size, "big")),
            "y": b64url(numbers.y.to_bytes(size, "big")),
        }
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(key.public_bytes_raw())}
    if not isinstance(key, rsa.RSAPublicKey):
        name = next(name for name, _, public in _MLDSA if isinstance(key, public))
        # The algorithm is a required member: a key of this type is for one algorithm only.
        return {"kty": "AKP", "alg": name, "pub": b64url(key.public_bytes_raw())}
    rsa_numbers = key.public_numbers()
    n = rsa_numbers.n.to_bytes((key.key_size + 7) // 8, "big")
    e = rsa_numbers.e.to_bytes((rsa_numbers.e.bit_length() + 7) // 8, "big")
    return {"kty": "RSA", "n": b64url(n), "e": b64url(e)}


def public_key_of(jwk: Mapping[str, object]) -> PublicKey:
    """Return the key of a public JWK: P-256, P-384, Ed25519 or RSA.

    Raises:
        ValueError: a required member is missing or wrong, or the key is of another kind.
    """
    if jwk.get("kty") == "EC" and jwk.get("crv") in {"P-256", "P-384"}:
        curve = ec.SECP256R1() if jwk["crv"] == "P-256" else ec.SECP384R1()
        x, y = _member(jwk, "x"), _member(jwk, "y")
        if not len(x) == len(y) == curve.key_size // 8:
            message = "a coordinate has a wrong length"
            raise ValueError(message)
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
        return point.public_key()
    if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(_member(jwk, "x"))
    if jwk.get("kty") == "RSA":
        n, e = (int.from_bytes(_member(jwk, name), "big") for name in ("n", "e"))
        return rsa.RSAPublicNumbers(e, n).public_key()
    message = "a key of another kind"
    raise ValueError(message)


def _member(jwk: Mapping[str, object], name: str) -> bytes:
    value = jwk.get(name)
    return decode_part(value if isinstance(value, str) else "=")


def thumbprint(key: PublicKey) -> str:
    """Return the SHA-256 thumbprint of the key, base64url: RFC 7638."""
    members = json.dumps(jwk_of(key), separators=(",", ":"), sort_keys=True)
    return b64url(hashlib.sha256(members.encode()).digest())
