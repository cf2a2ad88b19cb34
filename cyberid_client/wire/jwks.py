"""The issuer's key set: public keys by their members, unjudged (RFC 7517, RFC 7518 §6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.fields import Fields, as_texts
from cyberid_client.wire.jws import read_certificates
from cyberid_client.wire.responses import read_json

__all__ = ["JWK", "JWKS_MAX_BYTES", "KEYS_MAX", "parse_jwks"]

JWKS_MAX_BYTES: Final = 256 * 1024
KEYS_MAX: Final = 100

_DOCUMENT: Final = "jwks"
_MEDIA_TYPES: Final = ("application/json", "application/jwk-set+json")
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed"})
# What a key of each kind must have; a key of another kind is skipped.
_MEMBERS_OF: Final[Mapping[str, frozenset[str]]] = {
    "EC": frozenset({"crv", "x", "y"}),
    "OKP": frozenset({"crv", "x"}),
    "RSA": frozenset({"n", "e"}),
    "AKP": frozenset({"alg", "pub"}),
}
# Above every key in use (RSA-16384 has 2048 bytes, ML-DSA-87 has 2592).
_KEY_MEMBER_MAX_BYTES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class JWK:
    """One public key of a key set; whether its numbers make a key is not known yet.

    Attributes:
        kty: ``EC``, ``OKP``, ``RSA`` or ``AKP`` (RFC 9964).
        kid: its name, if any.
        use: what it is for, if it says so.
        alg: the algorithm that it is for, if it says so; always there for ``AKP``.
        crv: the curve, for ``EC`` and ``OKP``.
        key_ops: the operations that it is for, if it says so.
        x: decoded bytes, for ``EC`` and ``OKP``.
        y: decoded bytes, for ``EC``.
        n: decoded bytes, for ``RSA``.
        e: decoded bytes, for ``RSA``.
        pub: decoded bytes, for ``AKP``.
        x5c: DER of what should be certificates, leaf first; ``()`` when absent.
    """

    kty: str
    kid: str | None
    use: str | None
    alg: str | None
    crv: str | None
    key_ops: tuple[str, ...] | None
    x: bytes | None = field(repr=False)
    y: bytes | None = field(repr=False)
    n: bytes | None = field(repr=False)
    e: bytes | None = field(repr=False)
    pub: bytes | None = field(repr=False)
    x5c: tuple[bytes, ...] = field(repr=False)


def parse_jwks(response: HTTPResponse) -> tuple[JWK, ...]:
    """Parse a key set; an entry that is not understood is skipped, not fatal (RFC 7517 §5).

    Args:
        response: untrusted; status is judged by the caller.

    Returns:
        The keys in their order, maybe none.

    Raises:
        VerificationError: ``jwks.content_type``, ``jwks.too_large``, ``jwks.malformed``,
            ``jwks.too_many_keys``; ``jwks.private_key`` when any entry, understood or not, has a
            private member.
    """
    page = read_json(response, document=_DOCUMENT, max_bytes=JWKS_MAX_BYTES, media_types=_MEDIA_TYPES)
    entries = page.members.get("keys")
    if type(entries) is not list:
        raise VerificationError("jwks.malformed")
    if len(entries) > KEYS_MAX:
        raise VerificationError("jwks.too_many_keys")
    objects = [entry for entry in entries if type(entry) is dict]
    if not all(_PRIVATE.isdisjoint(entry) for entry in objects):
        raise VerificationError("jwks.private_key")
    keys = map(_read_key, objects)
    return tuple(key for key in keys if key is not None)


def _read_key(entry: dict[str, object]) -> JWK | None:
    kty = entry.get("kty")
    if type(kty) is not str or kty not in _MEMBERS_OF or "crit" in entry:
        return None
    try:
        return _read_members(entry, kty=kty)
    except (VerificationError, WireError):
        return None


def _read_members(entry: dict[str, object], *, kty: str) -> JWK:
    fields = Fields(_DOCUMENT, entry)
    needed = _MEMBERS_OF[kty]

    def text(name: str) -> str | None:
        value = fields.optional_text(name, wrong="malformed")
        if value is None and name in needed:
            raise WireError
        return value

    def octets(name: str) -> bytes | None:
        return _read_octets(entry.get(name)) if name in needed else None

    return JWK(
        kty=kty,
        kid=text("kid"),
        use=text("use"),
        alg=text("alg"),
        crv=text("crv"),
        key_ops=_read_key_ops(entry),
        x=octets("x"),
        y=octets("y"),
        n=octets("n"),
        e=octets("e"),
        pub=octets("pub"),
        x5c=read_certificates(entry["x5c"], document=_DOCUMENT) if "x5c" in entry else (),
    )


def _read_key_ops(entry: dict[str, object]) -> tuple[str, ...] | None:
    if "key_ops" not in entry:
        return None
    operations = as_texts(entry["key_ops"])
    if operations is None or len(set(operations)) != len(operations):
        raise WireError
    return operations


def _read_octets(value: object) -> bytes:
    data = decode_base64url(value) if type(value) is str else b""
    if not 0 < len(data) <= _KEY_MEMBER_MAX_BYTES:
        raise WireError
    return data
