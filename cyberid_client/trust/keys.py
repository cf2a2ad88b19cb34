"""The signing keys that an issuer publishes, as far as this library can use them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cyberid_client.trust.algorithms import ALGORITHMS, Algorithm, encode_public_key
from cyberid_client.wire.jwks import JWK

__all__ = ["KeySet", "PublishedKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One usable entry of a JSON Web Key Set.

    Attributes:
        kid: the key's name, if it has one.
        algorithm: the one row of the table that the entry fits.
        public_key: loaded, for :meth:`Algorithm.verify`.
        public_key_info: SubjectPublicKeyInfo, canonical DER.
        chain: the certificates of the entry, leaf first, DER and unverified; the leaf may be stale
            and hold another key, so compare ``public_key_info`` once the chain is believed.
    """

    kid: str | None
    algorithm: Algorithm
    public_key: object = field(repr=False, compare=False)
    public_key_info: bytes = field(repr=False)
    chain: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """The usable signing keys of one issuer at one moment."""

    keys: tuple[PublishedKey, ...] = ()

    @classmethod
    def from_jwks(cls, keys: Iterable[JWK]) -> KeySet:
        """Keep the entries that are usable for checking signatures and skip all others.

        Skipped are, without an error (RFC 7517 §5): other kinds, curves and algorithms than those
        of the table, keys for encryption, keys below the floor, broken key material, and an entry
        that repeats name, algorithm and key of an earlier one.

        Args:
            keys: parsed entries; untrusted.
        """
        usable: dict[tuple[str | None, str, bytes], PublishedKey] = {}
        for jwk in keys:
            key = _load(jwk)
            if key is not None:
                usable.setdefault((key.kid, key.algorithm.name, key.public_key_info), key)
        return cls(keys=tuple(usable.values()))

    def candidates(self, *, kid: str | None, algorithm: Algorithm) -> tuple[PublishedKey, ...]:
        """Return the keys that may have made a signature.

        Several keys may share a name as long as their algorithms differ; more than one candidate
        is therefore ambiguous, and the caller refuses it.

        Args:
            kid: the name in the header; ``None`` when it has none, and then every key of the
                algorithm is a candidate.
            algorithm: the row that was configured, never one chosen by the header.
        """
        name = algorithm.name
        return tuple(
            [key for key in self.keys if key.algorithm.name == name and (kid is None or kid == key.kid)]
        )

    def find_public_key_info(self, public_key_info: bytes, algorithm: Algorithm) -> PublishedKey | None:
        """Return the published key with this SubjectPublicKeyInfo, or ``None``."""
        for key in self.keys:
            if key.public_key_info == public_key_info and key.algorithm.name == algorithm.name:
                return key
        return None


def _load(jwk: JWK) -> PublishedKey | None:
    algorithm = _algorithm_of(jwk)
    if algorithm is None or algorithm.build is None or not _is_for_signatures(jwk):
        return None
    try:
        public_key = algorithm.build(jwk)
        if not algorithm.accepts(public_key):
            return None
        public_key_info = encode_public_key(public_key)
    except Exception:  # noqa: BLE001 - broken key material, whatever the library calls it
        return None
    return PublishedKey(
        kid=jwk.kid,
        algorithm=algorithm,
        public_key=public_key,
        public_key_info=public_key_info,
        chain=jwk.x5c,
    )


def _algorithm_of(jwk: JWK) -> Algorithm | None:
    """Return the one row that fits; a key of kind AKP always says its algorithm (RFC 9964 §3)."""
    fitting = [
        row
        for row in ALGORITHMS.values()
        if row.kty == jwk.kty and row.crv == jwk.crv and jwk.alg in {None, row.name}
    ]
    return fitting[0] if len(fitting) == 1 else None


def _is_for_signatures(jwk: JWK) -> bool:
    return jwk.use in {None, "sig"} and (jwk.key_ops is None or "verify" in jwk.key_ops)
