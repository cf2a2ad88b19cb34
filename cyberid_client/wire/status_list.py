"""Status lists before anybody believed them (draft-ietf-oauth-status-list-21 §4.2, §5.1, §9.3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire.base64url import WireError, decode_base64url
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.responses import expect_media_type, read_json
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "STATUS_AGGREGATION_MAX_BYTES",
    "STATUS_LISTS_MAX",
    "STATUS_LIST_MAX_BYTES",
    "UnverifiedStatusList",
    "parse_status_aggregation",
    "parse_status_list",
]

STATUS_LIST_MAX_BYTES: Final = 32 * 1024 * 1024
STATUS_AGGREGATION_MAX_BYTES: Final = 256 * 1024
STATUS_LISTS_MAX: Final = 1000

_DOCUMENT: Final = "status_list"
_AGGREGATION: Final = "status_aggregation"
_MEDIA_TYPE: Final = "application/statuslist+jwt"
# Ten certificates of 16 KiB, base64 in base64, and some more. Headers are remembered while they are used.
_HEADER_MAX_BYTES: Final = 320 * 1024
_MARKS_MAX: Final = 1000
_BITS: Final = frozenset({1, 2, 4, 8})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedStatusList:
    """A status list token, parsed and not verified; members of other names were dropped unread.

    Attributes:
        jws: the token around the claims; its payload is not kept, because it is large.
        sub: the address that the list says it has.
        aud: for whom the list is; ``()`` when it does not say.
        iat: seconds since 1970, maybe fractional, like every date here.
        nbf: from when on it counts, or ``None``.
        exp: when it ends, or ``None``.
        ttl: after so many seconds a newer one should be fetched, or ``None``; any number.
        bits: how many stand for one entry: 1, 2, 4 or 8.
        lst: the entries, compressed.
    """

    jws: UnverifiedJWS
    sub: str
    aud: tuple[str, ...]
    iat: float
    nbf: float | None
    exp: float | None
    ttl: float | None
    bits: int
    lst: bytes = field(repr=False)


def parse_status_list(response: HTTPResponse) -> UnverifiedStatusList:
    """Parse the answer of a status list's address; its entries stay compressed.

    Args:
        response: untrusted, with a body of at most :data:`STATUS_LIST_MAX_BYTES`. Its caching headers
            are not read: ``exp`` and ``ttl`` go before them (§8.2).

    Raises:
        VerificationError: ``status_list.content_type``, ``status_list.too_large``,
            ``status_list.malformed``, ``status_list.critical``, ``status_list.claim_missing``,
            ``status_list.claim_type``, ``status_list.bits``.
    """
    expect_media_type(response, document=_DOCUMENT, media_types=(_MEDIA_TYPE,))
    body = response.body
    header_ends = b"." in body[:_HEADER_MAX_BYTES]
    if len(body) > (STATUS_LIST_MAX_BYTES if header_ends else _HEADER_MAX_BYTES):
        raise refusal(_DOCUMENT, "too_large")
    jws = parse_jws(body, document=_DOCUMENT, max_bytes=STATUS_LIST_MAX_BYTES)
    members = parse_json_object(
        jws.payload, document=_DOCUMENT, max_bytes=STATUS_LIST_MAX_BYTES, max_marks=_MARKS_MAX
    )
    claims = Fields(_DOCUMENT, members)
    status_list = claims.inner("status_list")
    ttl = claims.optional_number("ttl")
    return UnverifiedStatusList(
        jws=replace(jws, payload=b""),
        sub=claims.text("sub"),
        aud=claims.audience() if "aud" in members else (),
        iat=claims.date("iat"),
        nbf=claims.optional_date("nbf"),
        exp=claims.optional_date("exp"),
        ttl=None if ttl is None else float(ttl),
        bits=_bits(status_list),
        lst=_lst(status_list),
    )


def _bits(status_list: Fields) -> int:
    bits = status_list.integer("bits")
    if bits not in _BITS:
        raise VerificationError("status_list.bits")
    return bits


def _lst(status_list: Fields) -> bytes:
    text = status_list.text("lst")
    try:
        return decode_base64url(text)
    except WireError:
        raise refusal(_DOCUMENT, "malformed") from None


def parse_status_aggregation(response: HTTPResponse) -> tuple[str, ...]:
    """Parse the page that names an issuer's status lists (§9.3); the addresses are *not* judged.

    Args:
        response: untrusted.

    Returns:
        Texts of any shape, at most :data:`STATUS_LISTS_MAX`, none twice.

    Raises:
        VerificationError: ``status_aggregation.content_type``, ``status_aggregation.too_large``,
            ``status_aggregation.malformed``, ``status_aggregation.claim_missing``,
            ``status_aggregation.claim_type``, ``status_aggregation.too_many``.
    """
    page = read_json(response, document=_AGGREGATION, max_bytes=STATUS_AGGREGATION_MAX_BYTES)
    uris = tuple(dict.fromkeys(page.texts("status_lists")))
    if len(uris) > STATUS_LISTS_MAX:
        raise VerificationError("status_aggregation.too_many")
    return uris
