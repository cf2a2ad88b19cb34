"""The issuer's receipt for an app launch before anybody believed it (profile §4)."""

from __future__ import annotations

from typing import Final

from cyberid_client.wire.app_verification import UnverifiedReceipt
from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES
from cyberid_client.wire.fields import Fields
from cyberid_client.wire.jws import UnverifiedJWS, parse_jws
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["SUCCESS", "parse_receipt", "read_receipt"]

SUCCESS: Final = "success"

_DOCUMENT: Final = "receipt"
# What only documents of other kinds have: a receipt is no assertion, no notice, no answer and no credential.
_FOREIGN: Final = frozenset(
    {"nonce", "azp", "at_hash", "events", "sub_id", "code", "state", "error", "vct", "cnf", "status_list"}
)
# What a refusal has no reason to say, because nobody logged in.
_OF_SUCCESS_ONLY: Final = frozenset({"sub", "sid", "sector", "persistence", "age_band"})


def parse_receipt(token: str | bytes) -> UnverifiedReceipt:
    """Parse a receipt; nothing in it is believed, and no claim is compared with anything.

    Args:
        token: untrusted compact JWS of at most 64 KiB.

    Raises:
        VerificationError: ``receipt.too_large``, ``receipt.malformed``, ``receipt.critical``,
            ``receipt.claim_missing``, ``receipt.claim_type``.
    """
    return read_receipt(parse_jws(token, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES))


def read_receipt(jws: UnverifiedJWS) -> UnverifiedReceipt:
    """Read the claims of a receipt out of its payload, which is JSON; for every envelope that signs such a one.

    Claims that are not listed in :class:`~cyberid_client.wire.app_verification.UnverifiedReceipt` are dropped
    unread, ``status`` among them. A refusal needs neither mode nor pseudonym.

    Args:
        jws: the receipt, taken apart.

    Raises:
        VerificationError: ``receipt.malformed``, ``receipt.claim_missing``, ``receipt.claim_type``.
    """
    members = parse_json_object(jws.payload, document=_DOCUMENT, max_bytes=ASSERTION_MAX_BYTES)
    claims = Fields(_DOCUMENT, members)
    outcome = claims.text("outcome")
    foreign = _FOREIGN if outcome == SUCCESS else _FOREIGN | _OF_SUCCESS_ONLY
    caller, acr, sector, persistence, sid, age_band = claims.each_optional_text(
        "caller", "acr", "sector", "persistence", "sid", "age_band"
    )
    factors = claims.optional_inner("factors")
    return UnverifiedReceipt(
        jws=jws,
        iss=claims.text("iss"),
        aud=claims.audience(),
        exp=claims.date("exp"),
        iat=claims.date("iat"),
        nbf=claims.optional_date("nbf"),
        auth_time=claims.optional_date("auth_time"),
        biz_seq=claims.text("bizSeq"),
        app_id=claims.text("appID"),
        blobs_hash=claims.text("blobs_hash"),
        caller=caller,
        outcome=outcome,
        acr=acr,
        factors={name: factors.text(name) for name in factors.members},
        sub=claims.text("sub") if outcome == SUCCESS else "",
        sector=sector,
        persistence=persistence,
        sid=sid,
        age_band=age_band,
        foreign=foreign.intersection(members),
    )
