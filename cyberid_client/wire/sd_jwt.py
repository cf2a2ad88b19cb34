"""SD-JWT, taken apart and not verified (RFC 9901): what an issuer signed, and what of it the holder shows.

All that RFC 9901 allows is understood here: digests at any depth, of members and of array elements, decoys,
and disclosures inside of disclosures. What a profile allows of it is decided elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.wire.base64url import WireError, decode_base64url, encode_base64url
from cyberid_client.wire.fields import as_texts
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_array, parse_json_object

__all__ = ["DISCLOSURES_MAX", "Path", "UnverifiedSDJWT", "parse_sd_jwt", "sd_hash"]

DISCLOSURES_MAX: Final = 100

Path = tuple[str | int, ...]

# Every disclosure may hold the digest of the next, so that the depth of each alone says little.
_DEPTH_MAX: Final = 32
_DIGEST_ALGORITHM: Final = "sha-256"
_DIGESTS, _ELEMENT, _ALGORITHM = "_sd", "...", "_sd_alg"
_RESERVED: Final = frozenset({_DIGESTS, _ELEMENT})
_OF_MEMBER, _OF_ELEMENT = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedSDJWT:
    """An SD-JWT before anybody believed it.

    Attributes:
        jws: what the issuer signed.
        claims: the payload with what the holder disclosed in its place, without digests.
        disclosed: where that is: names of members and positions in arrays, from the outside in.
        digests_at: for each embedded digest, decoys included, the object or array that it is in.
        bound: what the hash of a key binding covers: all in front of it, exactly as received.
        key_binding: the key binding JWT, or ``None``.
    """

    jws: UnverifiedJWS
    claims: Mapping[str, object] = field(repr=False)
    disclosed: frozenset[Path]
    digests_at: tuple[Path, ...]
    bound: bytes = field(repr=False)
    key_binding: str | None = field(repr=False)


def parse_sd_jwt(presentation: str, *, document: str, max_bytes: int) -> UnverifiedSDJWT:
    """Take an SD-JWT apart and put what is disclosed in its place (RFC 9901 §4, §7.1 (3)); *nothing* is verified.

    Args:
        presentation: untrusted: ``<jwt>~<disclosure>~…~<key binding or nothing>``.
        document: the prefix of the error codes.
        max_bytes: a longer one is refused unread, and so are more than :data:`DISCLOSURES_MAX` disclosures.

    Raises:
        VerificationError: ``too_large``; ``malformed``; ``critical`` as for a JWS; ``digest_algorithm`` for any
            but SHA-256; ``digests`` when they are not in their form; ``disclosure``; ``disclosure_name`` for a
            reserved name or one that is there already; ``digest_repeated``; ``disclosure_unreferenced``.
    """
    jwt, texts, key_binding, bound = _split(presentation, document=document, max_bytes=max_bytes)
    jws = parse_jws(jwt, document=document, max_bytes=max_bytes)
    members = parse_json_object(jws.payload, document=document, max_bytes=max_bytes)
    if members.pop(_ALGORITHM, _DIGEST_ALGORITHM) != _DIGEST_ALGORITHM:
        raise refusal(document, "digest_algorithm")
    opening = _Opening(document, texts, max_bytes=max_bytes)
    opening.open_object(members, (), is_flat=_is_flat(jws.payload, members))
    if opening.waiting:
        raise refusal(document, "disclosure_unreferenced")
    return UnverifiedSDJWT(
        jws=jws,
        claims=members,
        disclosed=frozenset(opening.disclosed),
        digests_at=tuple(opening.digests_at),
        bound=bound,
        key_binding=key_binding,
    )


def _is_flat(payload: bytes, members: dict[str, object]) -> bool:
    """Tell whether no object but the outermost can have digests, which is so of nearly every payload."""
    # An escape may spell a reserved name in another way.
    return (
        b"\\" not in payload
        and payload.count(b'"_sd"') == (_DIGESTS in members)
        and payload.count(b'"..."') == 0
    )


def sd_hash(data: bytes) -> str:
    """Return the digest of a disclosure, or of what a key binding covers, as it is written (RFC 9901 §4.2.3, §4.3.1)."""
    return encode_base64url(hashlib.sha256(data).digest())


def _split(
    presentation: str, *, document: str, max_bytes: int
) -> tuple[bytes, list[bytes], str | None, bytes]:
    try:
        # The methods of str itself: a subclass may have others of the same name.
        raw = str.encode(presentation, "ascii")
    except (TypeError, ValueError):
        raise refusal(document, "malformed") from None
    if len(raw) > max_bytes or raw.count(b"~") > DISCLOSURES_MAX + 1:
        raise refusal(document, "too_large")
    jwt, tilde, rest = raw.partition(b"~")
    if not tilde:
        raise refusal(document, "malformed")
    *disclosures, last = rest.split(b"~")
    if not last:
        return jwt, disclosures, None, raw
    return jwt, disclosures, last.decode("ascii"), raw[: len(raw) - len(last)]


class _Opening:
    """Puts disclosures in the place of their digests; each digest is met once, and so is each disclosure."""

    __slots__ = ("_document", "_met", "digests_at", "disclosed", "waiting")

    def __init__(self, document: str, texts: list[bytes], *, max_bytes: int) -> None:
        self._document = document
        self._met: set[str] = set()
        self.disclosed: list[Path] = []
        self.digests_at: list[Path] = []
        self.waiting = {sd_hash(text): self._read(text, max_bytes) for text in texts}
        if len(self.waiting) != len(texts):
            raise self._refusal("digest_repeated")

    def open(self, value: object, path: Path) -> None:
        """Open an object or an array in place, and all that is in it."""
        if len(path) > _DEPTH_MAX:
            raise self._refusal("malformed")
        if type(value) is dict:
            self.open_object(value, path)
        elif type(value) is list:
            self._open_array(value, path)

    def open_object(self, members: dict[str, object], path: Path, *, is_flat: bool = False) -> None:
        """Open an object in place; nothing inside of a flat one is looked at, but for what is disclosed."""
        has_digests = _DIGESTS in members
        digests = as_texts(members.pop(_DIGESTS)) if has_digests else ()
        if digests is None or _ELEMENT in members:
            raise self._refusal("digests")
        if not is_flat:
            for name, value in members.items():
                if type(value) is dict or type(value) is list:
                    self.open(value, (*path, name))
        for digest in digests:
            disclosure = self._take(digest, path, _OF_MEMBER)
            if disclosure is not None:
                _, disclosed, value = disclosure
                if type(disclosed) is not str or disclosed in _RESERVED or disclosed in members:
                    raise self._refusal("disclosure_name")
                members[disclosed] = value
                self.disclosed.append((*path, disclosed))
                self.open(value, (*path, disclosed))

    def _open_array(self, items: list[object], path: Path) -> None:
        kept: list[object] = []
        for item in items:
            value, place = item, (*path, len(kept))
            if type(item) is dict and _ELEMENT in item:
                digests = as_texts(list(item.values()))
                if digests is None or len(digests) != 1:
                    raise self._refusal("digests")
                disclosure = self._take(digests[0], path, _OF_ELEMENT)
                if disclosure is None:
                    continue
                value = disclosure[1]
                self.disclosed.append(place)
            self.open(value, place)
            kept.append(value)
        items[:] = kept

    def _take(self, digest: str, path: Path, length: int) -> list[object] | None:
        if digest in self._met:
            raise self._refusal("digest_repeated")
        self._met.add(digest)
        self.digests_at.append(path)
        disclosure = self.waiting.pop(digest, None)
        if disclosure is not None and len(disclosure) != length:
            raise self._refusal("disclosure")
        return disclosure

    def _read(self, text: bytes, max_bytes: int) -> list[object]:
        try:
            data = decode_base64url(text)
        except WireError:
            raise self._refusal("disclosure") from None
        disclosure = parse_json_array(data, document=self._document, max_bytes=max_bytes)
        if len(disclosure) not in (_OF_MEMBER, _OF_ELEMENT) or type(disclosure[0]) is not str:
            raise self._refusal("disclosure")
        return disclosure

    def _refusal(self, kind: str) -> VerificationError:
        return refusal(self._document, kind)
