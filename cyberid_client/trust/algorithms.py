"""The signature algorithms that this library believes in: one closed table, nothing negotiated.

A row knows all that depends on an algorithm: its JOSE name, the key type that goes with it, the
signatures on certificates that belong to its family, the floor of its keys, how a signature is
checked and which hash ``at_hash`` is made with. Adding an algorithm is adding a row.

The row ``SM2-SM3`` stands in the table because the profile names it; the part that computes is not
in this installation, so using it is a ``ConfigurationError`` and never a silent refusal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from cyberid_client.errors import ConfigurationError, SignatureError

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "KeyMembers",
    "encode_public_key",
    "find_algorithm",
    "is_accepted_key",
    "load_public_key",
    "verify_signature",
]

RSA_BITS_MIN: Final = 2048
RSA_EXPONENT_MIN: Final = 65537
# Ceilings, for whoever forges keys wants to keep the verifier busy: the work grows with the square of
# the modulus and with every bit of the exponent.
RSA_BITS_MAX: Final = 4096
RSA_EXPONENT_BITS_MAX: Final = 32


class KeyMembers(Protocol):
    """The members of a JSON Web Key that hold key material, decoded (RFC 7518 §6, RFC 9964 §3)."""

    @property
    def x(self) -> bytes | None:
        """First coordinate of an EC key, or the whole key of kind OKP."""

    @property
    def y(self) -> bytes | None:
        """Second coordinate of an EC key."""

    @property
    def n(self) -> bytes | None:
        """Modulus of an RSA key."""

    @property
    def e(self) -> bytes | None:
        """Exponent of an RSA key."""

    @property
    def pub(self) -> bytes | None:
        """The whole key of kind AKP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """One row of the closed table.

    Attributes:
        name: the JOSE name, as in ``alg``.
        kty: the key type of a JSON Web Key for it.
        crv: the curve of such a key, ``None`` where there is none.
        certificate_oids: object identifiers of certificate signatures made with keys of this kind.
        admits: whether a loaded key is of the right kind and not below the floor.
        digest: the algorithm's own hash; ``None`` when the part is not installed.
        check: raises anything when a signature does not hold; ``None`` as for ``digest``.
        build: makes a key from the members of a JSON Web Key; raises anything when they are bad.
    """

    name: str
    kty: str
    crv: str | None = None
    certificate_oids: frozenset[str]
    admits: Callable[[object], bool] = field(repr=False)
    digest: Callable[[bytes], bytes] | None = field(repr=False)
    check: Callable[[object, bytes, bytes], None] | None = field(repr=False)
    build: Callable[[KeyMembers], object] | None = field(repr=False)

    @property
    def is_available(self) -> bool:
        """Whether the part that computes is installed."""
        return self.check is not None

    def half_hash(self, data: bytes) -> bytes:
        """Return the left half of the algorithm's own hash of ``data`` (OIDC Core §3.1.3.6).

        Raises:
            ConfigurationError: the algorithm's part is not installed.
        """
        if self.digest is None:
            raise ConfigurationError("config.algorithm_unavailable")
        digest = self.digest(data)
        return digest[: len(digest) // 2]

    def accepts(self, public_key: object) -> bool:
        """Tell whether a loaded key has this algorithm's type and curve and reaches its floor."""
        return self.admits(public_key)

    def verify(self, public_key: object, signature: bytes, message: bytes) -> None:
        """Check a signature as it stands in a JWS; return only when it holds.

        Args:
            public_key: a key object of ``cryptography``.
            signature: untrusted; ECDSA as raw ``r || s`` of exact length (RFC 7518 §3.4).
            message: the very bytes that were signed.

        Raises:
            ConfigurationError: the algorithm's part is not installed.
            SignatureError: the key is not one of this algorithm, or the signature does not hold.
        """
        if self.check is None:
            raise ConfigurationError("config.algorithm_unavailable")
        if not self.admits(public_key):
            raise SignatureError("signature.key")
        try:
            self.check(public_key, signature, message)
        except Exception as error:
            raise SignatureError("signature.invalid") from error


def find_algorithm(name: str) -> Algorithm:
    """Return the row of this JOSE name; names are compared exactly (RFC 7515 §4.1.1).

    Raises:
        SignatureError: ``signature.algorithm``, for every name outside the table, ``none`` included.
    """
    try:
        return ALGORITHMS[name]
    except (KeyError, TypeError) as error:
        raise SignatureError("signature.algorithm") from error


def is_accepted_key(public_key: object) -> bool:
    """Tell whether any row of the table accepts this key."""
    return any(row.admits(public_key) for row in ALGORITHMS.values())


def encode_public_key(public_key: object) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a loaded key, in the one canonical form."""
    return cast("PublicKeyTypes", public_key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_public_key(public_key_info: bytes, algorithm: Algorithm) -> object:
    """Load a SubjectPublicKeyInfo for use with one algorithm.

    Args:
        public_key_info: canonical DER (uncompressed points, NULL parameters for RSA); untrusted.
        algorithm: the row that the key must belong to.

    Raises:
        ConfigurationError: the algorithm's part is not installed.
        SignatureError: ``signature.key``, when it is no such key, or one below the floor.
    """
    if algorithm.check is None:
        raise ConfigurationError("config.algorithm_unavailable")
    try:
        key = load_der_public_key(public_key_info)
        # The loader also takes PKCS#1 keys and loose parameters; only the canonical form may pass.
        canonical = encode_public_key(key) == public_key_info
    except Exception as error:
        raise SignatureError("signature.key") from error
    if not (canonical and algorithm.admits(key)):
        raise SignatureError("signature.key")
    return key


def verify_signature(message: bytes, signature: bytes, *, algorithm: str, public_key_info: bytes) -> None:
    """Check one signature with one key; nothing is said about whom the key belongs to.

    Args:
        message: the very bytes that were signed.
        signature: as it stands in a JWS; untrusted.
        algorithm: the JOSE name that the caller expects, never one read from the message.
        public_key_info: SubjectPublicKeyInfo, DER.

    Raises:
        ConfigurationError: the algorithm's part is not installed.
        SignatureError: unknown algorithm, key of another kind, or a signature that does not hold.
    """
    row = find_algorithm(algorithm)
    row.verify(load_public_key(public_key_info, row), signature, message)


def _needed(member: bytes | None) -> bytes:
    if member is None:
        message = "a member of the key is missing"
        raise ValueError(message)
    return member


def _ecdsa(name: str, crv: str, curve: ec.EllipticCurve, hash_: hashes.HashAlgorithm, oid: str) -> Algorithm:
    width = (curve.key_size + 7) // 8
    order = curve.group_order
    scheme = ec.ECDSA(hash_)

    def admits(key: object) -> bool:
        return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == curve.name

    def check(key: object, signature: bytes, message: bytes) -> None:
        r = int.from_bytes(signature[:width], "big")
        s = int.from_bytes(signature[width:], "big")
        if len(signature) != 2 * width or not (0 < r < order and 0 < s < order):
            raise InvalidSignature
        cast("ec.EllipticCurvePublicKey", key).verify(encode_dss_signature(r, s), message, scheme)

    def build(members: KeyMembers) -> object:
        x, y = _needed(members.x), _needed(members.y)
        if len(x) != width or len(y) != width:
            message = "a coordinate has another length than the field"
            raise ValueError(message)
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
        return numbers.public_key()

    return Algorithm(
        name=name,
        kty="EC",
        crv=crv,
        certificate_oids=frozenset({oid}),
        admits=admits,
        digest=_digest(hash_.name),
        check=check,
        build=build,
    )


def _pss() -> Algorithm:
    hash_ = hashes.SHA256()
    # RFC 7518 §3.5: MGF1 with the same hash, and a salt as long as the hash.
    scheme = padding.PSS(mgf=padding.MGF1(hash_), salt_length=hash_.digest_size)

    def admits(key: object) -> bool:
        return (
            isinstance(key, rsa.RSAPublicKey)
            and RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX
            and (exponent := key.public_numbers().e) >= RSA_EXPONENT_MIN
            and exponent.bit_length() <= RSA_EXPONENT_BITS_MAX
        )

    def check(key: object, signature: bytes, message: bytes) -> None:
        cast("rsa.RSAPublicKey", key).verify(signature, message, scheme, hash_)

    def build(members: KeyMembers) -> object:
        n, e = _needed(members.n), _needed(members.e)
        if n[:1] == b"\0" or e[:1] == b"\0":
            message = "a number is not written with the fewest octets (RFC 7518 section 2)"
            raise ValueError(message)
        return rsa.RSAPublicNumbers(int.from_bytes(e, "big"), int.from_bytes(n, "big")).public_key()

    return Algorithm(
        name="PS256",
        kty="RSA",
        certificate_oids=frozenset(
            {
                "1.2.840.113549.1.1.10",  # RSASSA-PSS
                "1.2.840.113549.1.1.11",  # sha256WithRSAEncryption
                "1.2.840.113549.1.1.12",  # sha384WithRSAEncryption
                "1.2.840.113549.1.1.13",  # sha512WithRSAEncryption
            }
        ),
        admits=admits,
        digest=_digest("sha256"),
        check=check,
        build=build,
    )


def _eddsa() -> Algorithm:
    def admits(key: object) -> bool:
        return isinstance(key, ed25519.Ed25519PublicKey)

    def check(key: object, signature: bytes, message: bytes) -> None:
        cast("ed25519.Ed25519PublicKey", key).verify(signature, message)

    def build(members: KeyMembers) -> object:
        return ed25519.Ed25519PublicKey.from_public_bytes(_needed(members.x))

    return Algorithm(
        name="EdDSA",
        kty="OKP",
        crv="Ed25519",
        certificate_oids=frozenset({"1.3.101.112"}),
        admits=admits,
        digest=_digest("sha512"),
        check=check,
        build=build,
    )


_MLDSAKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey


def _mldsa(name: str, kind: type[_MLDSAKey], oid: str) -> Algorithm:
    def admits(key: object) -> bool:
        return isinstance(key, kind)

    def check(key: object, signature: bytes, message: bytes) -> None:
        cast("_MLDSAKey", key).verify(signature, message)  # the context stays empty, RFC 9964 §4

    def build(members: KeyMembers) -> object:
        return kind.from_public_bytes(_needed(members.pub))

    return Algorithm(
        name=name,
        kty="AKP",
        certificate_oids=frozenset({oid}),
        admits=admits,
        digest=_digest("sha512"),
        check=check,
        build=build,
    )


def _digest(name: str) -> Callable[[bytes], bytes]:
    new = getattr(hashlib, name)  # faster than hashlib.new, which looks the name up each time

    def digest(data: bytes) -> bytes:
        value: bytes = new(data).digest()
        return value

    return digest


_ROWS: Final = (
    _ecdsa("ES256", "P-256", ec.SECP256R1(), hashes.SHA256(), "1.2.840.10045.4.3.2"),
    _ecdsa("ES384", "P-384", ec.SECP384R1(), hashes.SHA384(), "1.2.840.10045.4.3.3"),
    _pss(),
    _eddsa(),
    _mldsa("ML-DSA-44", mldsa.MLDSA44PublicKey, "2.16.840.1.101.3.4.3.17"),
    _mldsa("ML-DSA-65", mldsa.MLDSA65PublicKey, "2.16.840.1.101.3.4.3.18"),
    _mldsa("ML-DSA-87", mldsa.MLDSA87PublicKey, "2.16.840.1.101.3.4.3.19"),
    Algorithm(
        name="SM2-SM3",
        kty="EC",
        crv="SM2",
        certificate_oids=frozenset({"1.2.156.10197.1.501"}),
        admits=lambda _key: False,
        digest=None,
        check=None,
        build=None,
    ),
)

ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType({row.name: row for row in _ROWS})
