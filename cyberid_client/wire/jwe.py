"""Compact JWE, taken apart and not decrypted (RFC 7516 §3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "JWE_HEADER_MAX_BYTES",
    "JWE_KEY_MAX_BYTES",
    "JWE_MAX_BYTES",
    "EphemeralKey",
    "UnverifiedJWE",
    "parse_jwe",
]

# The largest assertion in base64 (a third more), with a header, a key and a tag beside it.
JWE_MAX_BYTES: Final = 112 * 1024
# A certificate or two may stand in it, which are not read.
JWE_HEADER_MAX_BYTES: Final = 16 * 1024
# The key of RSA-16384 has 2048 bytes.
JWE_KEY_MAX_BYTES: Final = 2048

_PARTS: Final = 5
_EPHEMERAL_MEMBERS: Final = frozenset({"kty", "crv", "x", "y"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralKey:
    """The sender's key of this one message (RFC 7518 §4.6.1.1); that it lies on its curve is not known yet.

    Attributes:
        crv: the curve.
        x: decoded bytes.
        y: decoded bytes.
    """

    crv: str
    x: bytes = field(repr=False)
    y: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedJWE:
    """The parts of a JWE before anybody opened it; ``jku``, ``jwk``, ``x5u`` and ``x5c`` are not read.

    Attributes:
        token: the whole, as it came; its parts are strict base64url.
        alg: how the sender says that the content key is encrypted; never a reason to do so.
        enc: how the sender says that the content is encrypted; likewise.
        kid: the key that the sender names.
        cty: what the sender says is inside, as written.
        epk: the sender's ephemeral key, if there is one.
        compressed: a ``zip`` member is there, whatever it holds.
        critical: a ``crit`` member is there, whatever it holds.
        apu: what the sender says about itself, decoded; empty when it says nothing.
        apv: what the sender says about us, likewise.
        encrypted_key: decoded; empty where the key is agreed upon.
        iv: decoded.
        ciphertext: decoded.
        tag: decoded.
    """

    token: bytes = field(repr=False)
    alg: str
    enc: str
    kid: str | None
    cty: str | None
    epk: EphemeralKey | None
    compressed: bool
    critical: bool
    apu: bytes = field(repr=False)
    apv: bytes = field(repr=False)
    encrypted_key: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    tag: bytes = field(repr=False)


def parse_jwe(token: str | bytes, *, document: str) -> UnverifiedJWE:
    """Take a compact JWE apart (RFC 7516 §7.1); nothing is decrypted.

    Args:
        token: untrusted; five parts of strict base64url with dots between.
        document: the prefix of the error codes.

    Raises:
        VerificationError: ``too_large``; ``malformed``.
    """
    if not isinstance(token, (str, bytes)):
        raise refusal(document, "malformed")
    if len(token) > JWE_MAX_BYTES:
        raise refusal(document, "too_large")
    parts = _split(token)
    if parts is None:
        raise refusal(document, "malformed")
    raw, (header, encrypted_key, iv, ciphertext, tag) = parts
    if len(header) > JWE_HEADER_MAX_BYTES or len(encrypted_key) > JWE_KEY_MAX_BYTES:
        raise refusal(document, "too_large")
    members = parse_json_object(header, document=document, max_bytes=JWE_HEADER_MAX_BYTES)
    fields = Fields(document, members)
    alg, enc, kid, cty, *parties = (
        fields.optional_text(name, wrong="malformed") for name in ("alg", "enc", "kid", "cty", "apu", "apv")
    )
    apu, apv = (_party(text) for text in parties)
    if alg is None or enc is None or apu is None or apv is None:
        raise refusal(document, "malformed")
    return UnverifiedJWE(
        token=raw,
        alg=alg,
        enc=enc,
        kid=kid,
        cty=cty,
        epk=_read_ephemeral_key(members["epk"], document) if "epk" in members else None,
        compressed="zip" in members,
        critical="crit" in members,
        apu=apu,
        apv=apv,
        encrypted_key=encrypted_key,
        iv=iv,
        ciphertext=ciphertext,
        tag=tag,
    )


def _split(token: str | bytes) -> tuple[bytes, list[bytes]] | None:
    try:
        # The methods of str and bytes themselves: a subclass may have others of the same name.
        raw = str.encode(token, "ascii") if isinstance(token, str) else bytes.__getitem__(token, slice(None))
        parts = [decode_base64url(part) for part in raw.split(b".", _PARTS)]
    except ValueError:
        return None
    return (raw, parts) if len(parts) == _PARTS else None


def _party(text: str | None) -> bytes | None:
    try:
        return decode_base64url(text or "")
    except WireError:
        return None


def _read_ephemeral_key(value: object, document: str) -> EphemeralKey:
    # Nothing stands beside the point: a private member is an alarm, and all others would be a second
    # opinion on what the key is for.
    if type(value) is not dict or value.keys() != _EPHEMERAL_MEMBERS or value["kty"] != "EC":
        raise refusal(document, "malformed")
    crv, x, y = value["crv"], value["x"], value["y"]
    if type(crv) is not str or type(x) is not str or type(y) is not str:
        raise refusal(document, "malformed")
    try:
        return EphemeralKey(crv=crv, x=decode_base64url(x), y=decode_base64url(y))
    except WireError:
        raise refusal(document, "malformed") from None
