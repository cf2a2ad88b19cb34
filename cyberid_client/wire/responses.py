"""The issuer's answers to discovery, pushed request and token request; statuses are not judged."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.refusal import refusal
from cyberid_client.wire.strict_json import parse_json_object

__all__ = [
    "DISCOVERY_MAX_BYTES",
    "PAR_MAX_BYTES",
    "TOKEN_MAX_BYTES",
    "UnverifiedDiscovery",
    "UnverifiedPAR",
    "UnverifiedTokenResponse",
    "parse_discovery",
    "parse_oauth_error",
    "parse_par",
    "parse_token",
]

# The page holds the signed metadata (at most 64 KiB) or nothing that we want.
DISCOVERY_MAX_BYTES: Final = 64 * 1024
PAR_MAX_BYTES: Final = 16 * 1024
TOKEN_MAX_BYTES: Final = 128 * 1024

# A longer lifetime is taken for this one, as RFC 9111 §1.2.2 does: no date arithmetic overflows.
_LIFETIME_MAX: Final = 2**31
_ERROR: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedDiscovery:
    """The two members of the discovery page that are read at all (RFC 8414 §2.1).

    Attributes:
        issuer: whom the page is about.
        signed_metadata: a compact JWS, unread.
    """

    issuer: str
    signed_metadata: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedPAR:
    """The answer to a pushed authorization request (RFC 9126 §2.2).

    Attributes:
        request_uri: the one-time reference; not empty.
        expires_in: seconds, of any sign, at most 2³¹.
    """

    request_uri: str | None = field(repr=False)
    expires_in: int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedTokenResponse:
    """The answer to a token request (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).

    Attributes:
        access_token: not empty.
        token_type: as written; to be compared without regard to case.
        id_token: a compact JWS, unread.
        scope: what was granted, as written; ``None`` means what was asked for.
        expires_in: seconds, of any sign, at most 2³¹.
    """

    access_token: str | None = field(repr=False)
    token_type: str | None
    id_token: str | None = field(repr=False)
    scope: str | None
    expires_in: int | float | None


def parse_discovery(response: HTTPResponse) -> UnverifiedDiscovery:
    """Parse the discovery page; whether the issuer is the right one is *not* checked.

    Raises:
        VerificationError: ``discovery.content_type``, ``discovery.too_large``,
            ``discovery.malformed``; ``discovery.issuer`` when it names none;
            ``discovery.signed_metadata_missing``.
    """
    page = read_json(response, document="discovery", max_bytes=DISCOVERY_MAX_BYTES)
    issuer = page.optional_text("issuer", wrong="issuer")
    signed_metadata = page.optional_text("signed_metadata", wrong="signed_metadata_missing")
    if issuer is None:
        raise VerificationError("discovery.issuer")
    if signed_metadata is None:
        raise VerificationError("discovery.signed_metadata_missing")
    return UnverifiedDiscovery(issuer=issuer, signed_metadata=signed_metadata)


def parse_par(response: HTTPResponse) -> UnverifiedPAR:
    """Parse the answer to a pushed request; presence and range of its members are *not* checked.

    Raises:
        VerificationError: ``par.content_type``, ``par.too_large``, ``par.malformed``; by type:
            ``par.request_uri``, ``par.expires_in``.
    """
    answer = read_json(response, document="par", max_bytes=PAR_MAX_BYTES)
    return UnverifiedPAR(
        request_uri=answer.optional_text("request_uri", wrong="request_uri"), expires_in=_lifetime(answer)
    )


def parse_token(response: HTTPResponse) -> UnverifiedTokenResponse:
    """Parse a token response; presence and range of its members are *not* checked.

    Raises:
        VerificationError: ``token.content_type``, ``token.too_large``, ``token.malformed``; by
            type: ``token.access_token``, ``token.token_type``, ``token.id_token_missing``,
            ``token.scope``, ``token.expires_in``.
    """
    answer = read_json(response, document="token", max_bytes=TOKEN_MAX_BYTES)
    return UnverifiedTokenResponse(
        access_token=answer.optional_text("access_token", wrong="access_token"),
        token_type=answer.optional_text("token_type", wrong="token_type"),
        id_token=answer.optional_text("id_token", wrong="id_token_missing"),
        scope=answer.optional_text("scope", wrong="scope"),
        expires_in=_lifetime(answer),
    )


def parse_oauth_error(response: HTTPResponse) -> str | None:
    """Return the ``error`` member of an error response, or ``None``; never raises.

    The content type is not asked for: whatever the answer is, it is an error already.

    Returns:
        1 to 64 characters that RFC 6749 §5.2 allows.
    """
    try:
        answer = parse_json_object(response.body, document="token", max_bytes=PAR_MAX_BYTES)
    except VerificationError:
        return None
    error = answer.get("error")
    return error if type(error) is str and _ERROR.fullmatch(error) else None


def read_json(
    response: HTTPResponse,
    *,
    document: str,
    max_bytes: int,
    media_types: tuple[str, ...] = ("application/json",),
) -> Fields:
    """Return the members of a JSON body that is also served as one.

    Args:
        response: untrusted.
        document: the prefix of the error codes.
        max_bytes: a longer body is refused unread.
        media_types: accepted, in lower case; parameters are allowed and ignored, because JSON is
            UTF-8 whatever they say (RFC 8259 §8.1).

    Raises:
        VerificationError: ``content_type``, ``too_large``, ``malformed``.
    """
    expect_media_type(response, document=document, media_types=media_types)
    return Fields(document, parse_json_object(response.body, document=document, max_bytes=max_bytes))


def expect_media_type(response: HTTPResponse, *, document: str, media_types: tuple[str, ...]) -> None:
    """Refuse a body that is served as something else.

    Args:
        response: untrusted.
        document: the prefix of the error codes.
        media_types: accepted, in lower case; parameters are allowed and ignored.

    Raises:
        VerificationError: ``content_type``.
    """
    content_type = response.headers.get("content-type", "")
    if content_type.partition(";")[0].strip(" \t").lower() not in media_types:
        raise refusal(document, "content_type")


def _lifetime(answer: Fields) -> int | float | None:
    seconds = answer.optional_number("expires_in", wrong="expires_in")
    return None if seconds is None else min(seconds, _LIFETIME_MAX)
