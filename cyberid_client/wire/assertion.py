"""The ID token before anybody believed it: every claim that the checklist reads, by type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["ASSERTION_MAX_BYTES", "UnverifiedAssertion", "parse_assertion"]

# A chain of four with ML-DSA-87 keys is about 30 kB of base64, a third more inside the header.
ASSERTION_MAX_BYTES: Final = 64 * 1024

_DOCUMENT: Final = "id_token"
_FOREIGN: Final = frozenset({"events", "bizSeq", "sub_id", "code", "state", "error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedAssertion:
    """An ID token, parsed and not verified (OpenID Connect Core §2).

    Claims that are not listed here were dropped unread, ``status`` among them.

    Attributes:
        jws: the token around the claims.
        iss: who says that it issued.
        sub: the pseudonym, of any shape.
        aud: whom it is for; at least one, none twice.
        exp: seconds since 1970, maybe fractional; likewise ``iat``, ``nbf`` and ``auth_time``.
        iat: when it was issued.
        nbf: not valid before.
        auth_time: when the person authenticated.
        nonce: of the request that it answers.
        azp: the authorized party.
        acr: the assurance reached.
        at_hash: half a hash of the access token.
        sector: for which sector the pseudonym was made.
        persistence: how long the pseudonym stays the same.
        sid: the issuer's name for the session.
        age_band: of the person.
        amr: the factors that passed.
        foreign: which claims stand in it that belong to documents of other kinds.
    """

    jws: UnverifiedJWS
    iss: str
    sub: str = field(repr=False)
    aud: tuple[str, ...]
    exp: float
    iat: float
    nbf: float | None
    auth_time: float | None = field(repr=False)
    nonce: str | None = field(repr=False)
    azp: str | None
    acr: str | None = field(repr=False)
    at_hash: str | None = field(repr=False)
    sector: str | None
    persistence: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    age_band: str | None = field(repr=False)
    amr: tuple[str, ...] | None = field(repr=False)
    foreign: frozenset[str]


def parse_assertion(token: str | bytes) -> UnverifiedAssertion:
    """Parse an ID token; nothing in it is believed, and no claim is compared with anything.

    Args:
        token: untrusted compact JWS of at most :data:`ASSERTION_MAX_BYTES`.

    Raises:
        VerificationError: ``id_token.too_large``, ``id_token.malformed``, ``id_token.critical``,
            ``id_token.claim_missing``, ``id_token.claim_type``.
    """
    jws = parse_jws(token, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    nonce, azp, acr, at_hash, sector, persistence, sid, age_band = claims.each_optional_text(
        "nonce", "azp", "acr", "at_hash", "sector", "persistence", "sid", "age_band"
    )
    return UnverifiedAssertion(
        jws=jws,
        iss=claims.text("iss"),
        sub=claims.text("sub"),
        aud=claims.audience(),
        exp=claims.date("exp"),
        iat=claims.date("iat"),
        nbf=claims.optional_date("nbf"),
        auth_time=claims.optional_date("auth_time"),
        amr=claims.optional_texts("amr"),
        foreign=_FOREIGN.intersection(members),
        nonce=nonce,
        azp=azp,
        acr=acr,
        at_hash=at_hash,
        sector=sector,
        persistence=persistence,
        sid=sid,
        age_band=age_band,
    )
