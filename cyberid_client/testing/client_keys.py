"""A client's public keys as it registered them: RFC 7517 read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.compact import CLIENT_ALGORITHMS
from cyberid_client.testing.encryption import KEY_ENCRYPTIONS
from cyberid_client.testing.jose import PRIVATE_MEMBERS, PublicKey, public_key_of

__all__ = ["ClientPublicKey", "fits", "read_client_keys"]

_RSA_FLOOR = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPublicKey:
    """One public key of a client.

    Attributes:
        kid: its key id.
        algorithm: the one ``alg`` that it is for.
        key: the key itself.
    """

    kid: str
    algorithm: str
    key: PublicKey = field(repr=False)


def read_client_keys(
    jwks: Mapping[str, object],
) -> tuple[tuple[ClientPublicKey, ...], tuple[ClientPublicKey, ...]]:
    """Return the signing keys and the encryption keys of a JWK set, in its order.

    Raises:
        ConfigurationError: ``config.client_key``: an entry is private, has no name, is for no listed
            algorithm, or is weak; or two have the same name.
    """
    entries = jwks.get("keys")
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigurationError("config.client_key", "jwks")
    signing = tuple(_read(entry, CLIENT_ALGORITHMS) for entry in entries if entry.get("use") == "sig")
    encryption = tuple(_read(entry, KEY_ENCRYPTIONS) for entry in entries if entry.get("use") == "enc")
    kids = [each.kid for each in (*signing, *encryption)]
    if len(kids) != len(entries) or len(set(kids)) != len(kids) or not signing:
        raise ConfigurationError("config.client_key", "jwks")
    return signing, encryption


def _read(entry: Mapping[str, object], algorithms: tuple[str, ...]) -> ClientPublicKey:
    kid, algorithm = entry.get("kid"), entry.get("alg")
    try:
        key = public_key_of(entry)
    except ValueError:
        raise ConfigurationError("config.client_key", "jwks") from None
    is_named = isinstance(kid, str) and kid and algorithm in algorithms
    if PRIVATE_MEMBERS & set(entry) or not is_named or not fits(key, str(algorithm)):
        raise ConfigurationError("config.client_key", "jwks")
    return ClientPublicKey(kid=str(kid), algorithm=str(algorithm), key=key)


def fits(key: PublicKey, algorithm: str) -> bool:
    """Tell whether a key is of the kind and size that an algorithm of a client needs."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = {"ES256": "secp256r1", "ES384": "secp384r1"}.get(algorithm)
        return key.curve.name == curve or (
            algorithm.startswith("ECDH-ES") and key.curve.name in {"secp256r1", "secp384r1"}
        )
    if isinstance(key, rsa.RSAPublicKey):
        return algorithm in {"PS256", "RSA-OAEP-256"} and key.key_size >= _RSA_FLOOR
    return isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "EdDSA"
