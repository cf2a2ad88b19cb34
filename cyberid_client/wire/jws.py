"""Compact JWS, taken apart and not verified (RFC 7515 §3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cyberid_client.wire.base64url import WireError, decode_base64, decode_base64url
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["CERTIFICATES_MAX", "CERTIFICATE_MAX_BYTES", "JWSHeader", "UnverifiedJWS", "is_jwe", "parse_jws"]

CERTIFICATES_MAX: Final = 10
CERTIFICATE_MAX_BYTES: Final = 16 * 1024

_JWE_DOTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JWSHeader:
    """What the header of a JWS says; ``jku``, ``jwk`` and ``x5u`` are not read at all.

    Attributes:
        alg: the algorithm that the sender names; never a reason to use it.
        kid: the key that the sender names.
        typ: the kind of document that the sender names, as written.
        x5c: DER of what should be certificates, leaf first; ``()`` when absent.
        critical: a ``crit`` member is there, whatever it holds.
        names: of all its members, those that are not read included.
    """

    alg: str
    kid: str | None
    typ: str | None
    x5c: tuple[bytes, ...] = field(repr=False)
    critical: bool
    names: frozenset[str] = field(default=frozenset(), repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedJWS:
    """The parts of a JWS before anybody believed them.

    Attributes:
        header: decoded.
        payload: decoded from base64url, nothing more.
        signing_input: the very bytes that the signature must cover.
        signature: decoded; may be empty, which no algorithm accepts.
    """

    header: JWSHeader
    payload: bytes = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse_jws(token: str | bytes, *, document: str, max_bytes: int) -> UnverifiedJWS:
    """Take a compact JWS apart (RFC 7515 §3.1, §7.1); the signature is *not* checked.

    Args:
        token: untrusted; three parts of strict base64url with a dot between.
        document: the prefix of the error codes.
        max_bytes: a longer token is refused unread.

    Raises:
        VerificationError: ``too_large`` (also for a certificate or their number); ``malformed``;
            ``critical`` when the payload would not be base64url (RFC 7797).
    """
    if not isinstance(token, (str, bytes)):
        raise refusal(document, "malformed")
    if len(token) > max_bytes:
        raise refusal(document, "too_large")
    parts = _split(token)
    if parts is None:
        raise refusal(document, "malformed")
    header, payload, signature, signing_input = parts
    return UnverifiedJWS(
        header=_parse_header(header, document),
        payload=payload,
        signing_input=signing_input,
        signature=signature,
    )


def is_jwe(token: object) -> bool:
    """Tell whether a token has the five parts of a compact JWE (RFC 7516 §9); what is in them is *not* checked.

    Args:
        token: untrusted; anything but text and bytes gives ``False``.
    """
    if isinstance(token, str):
        return str.count(token, ".") == _JWE_DOTS
    return isinstance(token, bytes) and bytes.count(token, b".") == _JWE_DOTS


def _split(token: str | bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    try:
        # The methods of str and bytes themselves: a subclass may have others of the same name.
        raw = str.encode(token, "ascii") if isinstance(token, str) else bytes.__getitem__(token, slice(None))
        # Only the outermost dots are looked for: one more is in no alphabet.
        first, last = raw.index(b"."), raw.rindex(b".")
        payload, signature = decode_base64url(raw[first + 1 : last]), decode_base64url(raw[last + 1 :])
    except ValueError:
        # Not ASCII, no dot, or not base64url; the header is decoded by its own parser.
        return None
    return None if first == last else (raw[:first], payload, signature, raw[:last])


# An issuer sends the same header, chain included, with every token until it changes its key, and
# decoding it is most of the work. Only the text is remembered, never whether it was believed.
@lru_cache(maxsize=8)
def _parse_header(text: bytes, document: str) -> JWSHeader:
    try:
        data = decode_base64url(text)
    except WireError:
        data = b""
    members = parse_json_object(data, document=document, max_bytes=len(data))
    header = Fields(document, members)
    alg = header.optional_text("alg", wrong="malformed")
    if alg is None:
        raise refusal(document, "malformed")
    if "b64" in members:
        raise refusal(document, "critical")
    return JWSHeader(
        alg=alg,
        kid=header.optional_text("kid", wrong="malformed"),
        typ=header.optional_text("typ", wrong="malformed"),
        x5c=read_certificates(members["x5c"], document=document) if "x5c" in members else (),
        critical="crit" in members,
        names=frozenset(members),
    )


def read_certificates(value: object, *, document: str) -> tuple[bytes, ...]:
    """Decode an ``x5c`` member (RFC 7515 §4.1.6); what the bytes are is *not* checked.

    Args:
        value: untrusted JSON; a list of at least one text in standard base64.
        document: the prefix of the error codes.

    Raises:
        VerificationError: ``malformed``; ``too_large`` for more than :data:`CERTIFICATES_MAX` or
            one of more than :data:`CERTIFICATE_MAX_BYTES`.
    """
    if type(value) is not list or not all(type(item) is str and item for item in value):
        raise refusal(document, "malformed")
    if len(value) > CERTIFICATES_MAX:
        raise refusal(document, "too_large")
    try:
        certificates = tuple(map(decode_base64, value))
    except WireError:
        certificates = ()
    if not certificates:
        raise refusal(document, "malformed")
    if any(len(item) > CERTIFICATE_MAX_BYTES for item in certificates):
        raise refusal(document, "too_large")
    return certificates
