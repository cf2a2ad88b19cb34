"""Faults of the claims of the assertion."""

from __future__ import annotations

from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.making import BASIC, FAPI, Change, drop_claim, fault, put_claim

__all__ = ["ASSERTION_FAULTS", "hold_a_number"]

_MODE: Final = "urn:cyberid:mode:"
_WEEK: Final = 7 * 86_400


def _append(name: str, text: str) -> Change:
    def change(draft: SignedDraft) -> None:
        draft.claims[name] = f"{draft.claims[name]}{text}"

    return change


def _at(name: str, seconds: float) -> Change:
    """Set a date, in seconds from the issuer's now."""

    def change(draft: SignedDraft) -> None:
        draft.claims[name] = draft.seconds + seconds

    return change


def _audience(*others: str) -> Change:
    """Set ``aud`` to the client and others."""

    def change(draft: SignedDraft) -> None:
        draft.claims["aud"] = [draft.claims["aud"], *others]

    return change


def _audience_with_party(draft: SignedDraft) -> None:
    draft.claims["azp"] = draft.claims["aud"]
    draft.claims["aud"] = "another-client"


def _mode(name: str, *factors: str) -> Change:
    def change(draft: SignedDraft) -> None:
        draft.claims.update(acr=_MODE + name, amr=list(factors))

    return change


def hold_a_number(draft: SignedDraft) -> None:
    """Put what looks like a resident number into the subject.

    The number is made here and belongs to nobody: the serial 000 is not given to people.
    """
    digits = "110101" + "19010101" + "000"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    draft.claims["sub"] = f"{digits}{'10X98765432'[total % 11]}_{'x' * 20}"


def _fault(name: str, number: str, law: str, code: str, change: Change, module: str | None = None) -> Fault:
    return fault(
        f"id_token.{name}",
        number,
        law,
        stage="id_token",
        code=f"id_token.{code}",
        change=change,
        module=module,
    )


def _needing(needs: str, name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return fault(
        f"id_token.{name}",
        number,
        law,
        stage="id_token",
        code=f"id_token.{code}",
        change=change,
        needs=needs,
    )


_SHAPE_FAULTS: Final = (
    _fault(
        "too_large",
        "E3.2",
        "An assertion above 64 KiB is refused unread.",
        "too_large",
        put_claim("padding", "x" * 60_000),
    ),
    *(
        _fault(
            f"{name}_missing",
            "E3.2",
            "An assertion without one of its basic claims is refused.",
            "claim_missing",
            drop_claim(name),
            module,
        )
        for name, module in (
            ("iss", FAPI + "invalid-missing-iss"),
            ("sub", BASIC + "missing-sub"),
            ("aud", FAPI + "invalid-missing-aud"),
            ("exp", FAPI + "invalid-missing-exp"),
            ("iat", BASIC + "missing-iat"),
        )
    ),
    *(
        _fault(name, "E3.2", "A claim of a wrong type is refused.", "claim_type", put_claim(claim, value))
        for name, claim, value in (
            ("exp_as_text", "exp", "9999999999"),
            ("iat_as_boolean", "iat", True),
            ("aud_as_number", "aud", 1),
            ("aud_empty", "aud", []),
            ("sub_as_number", "sub", 12_345),
            ("nonce_as_list", "nonce", ["x"]),
            ("amr_as_text", "amr", "certificate password"),
        )
    ),
    *(
        _fault(
            f"kind_{name.lower()}",
            "P2.1",
            "An assertion with a claim of another kind of document is refused.",
            "kind",
            put_claim(name, value),
        )
        for name, value in (
            ("events", {"http://schemas.openid.net/event/backchannel-logout": {}}),
            ("bizSeq", "A" * 32),
            ("sub_id", {"format": "opaque", "id": "x"}),
            ("code", "x"),
            ("state", "x"),
            ("error", "access_denied"),
        )
    ),
)

_PARTY_FAULTS: Final = (
    _fault(
        "other_issuer",
        "E3.8",
        "An assertion of another issuer is refused.",
        "issuer",
        _append("iss", "1"),
        FAPI + "invalid-iss",
    ),
    _fault(
        "issuer_trailing_slash",
        "E3.8",
        "The issuer is compared byte by byte.",
        "issuer",
        _append("iss", "/"),
    ),
    _fault(
        "other_audience",
        "E3.9",
        "An assertion for another client is refused.",
        "audience",
        _append("aud", "1"),
        FAPI + "invalid-aud",
    ),
    _fault(
        "audience_array_with_stranger",
        "E3.9",
        "An assertion for this client and another is refused.",
        "audience",
        _audience("another-client"),
        FAPI + "invalid-secondary-aud",
    ),
    _fault(
        "audience_of_other_with_my_party",
        "E3.9",
        "An authorized party does not stand in for the audience.",
        "audience",
        _audience_with_party,
    ),
    _fault(
        "authorized_party_other",
        "E3.10",
        "An assertion that was issued to another party is refused.",
        "authorized_party",
        put_claim("azp", "another-client"),
    ),
    _fault(
        "nonce_changed",
        "E3.14",
        "An assertion that answers another login is refused.",
        "nonce",
        _append("nonce", "1"),
        FAPI + "invalid-nonce",
    ),
    _fault(
        "nonce_missing",
        "E3.14",
        "An assertion that answers no login is refused.",
        "nonce",
        drop_claim("nonce"),
        FAPI + "invalid-missing-nonce",
    ),
    _fault(
        "access_token_hash_changed",
        "E3.17",
        "An assertion that came with another access token is refused.",
        "access_token_hash",
        put_claim("at_hash", "A" * 22),
        BASIC + "invalid-athash",
    ),
)

_TIME_FAULTS: Final = (
    _fault(
        "expired",
        "E3.11",
        "An assertion is refused from the very second of exp.",
        "expired",
        _at("exp", 0),
    ),
    _fault(
        "expired_six_minutes_ago",
        "E3.11",
        "No leeway saves an expired assertion.",
        "expired",
        _at("exp", -360),
        FAPI + "invalid-expired-exp",
    ),
    _fault(
        "issued_in_future",
        "E3.12",
        "An assertion from the future is refused beyond the leeway.",
        "issued_in_future",
        _at("iat", 120),
    ),
    _fault(
        "issued_week_ago",
        "E3.12",
        "An assertion that was issued a week ago is refused, however long it lives.",
        "issued_too_long_ago",
        _at("iat", -_WEEK),
    ),
    _needing(
        "manual_clock",
        "issued_eleven_seconds_ahead",
        "E3.12",
        "The leeway of ten seconds ends after ten seconds.",
        "issued_in_future",
        _at("iat", 11),
    ),
    _needing(
        "manual_clock",
        "issued_601_seconds_ago",
        "E3.12",
        "An assertion is accepted for ten minutes and not a second longer.",
        "issued_too_long_ago",
        _at("iat", -601),
    ),
    _fault(
        "not_yet_valid",
        "E3.13",
        "An assertion is not used before its time.",
        "not_yet_valid",
        _at("nbf", 120),
    ),
    _fault(
        "auth_time_missing",
        "E3.16",
        "An assertion says when the person authenticated.",
        "auth_time_missing",
        drop_claim("auth_time"),
    ),
    _fault(
        "auth_time_in_future",
        "E3.16",
        "Nobody authenticates in the future.",
        "auth_time_in_future",
        _at("auth_time", 120),
    ),
    _needing(
        "max_age",
        "auth_time_stale",
        "E3.16",
        "An authentication older than asked for is refused.",
        "auth_time_stale",
        _at("auth_time", -2 * 366 * 86_400),
    ),
)

_PERSON_FAULTS: Final = (
    _fault(
        "assurance_lower",
        "E3.15",
        "Less than was asked for is refused, however honest it is.",
        "assurance",
        _mode("r01", "certificate"),
    ),
    _fault(
        "assurance_sideways",
        "E3.15",
        "A face is no password: R03 does not satisfy R02.",
        "assurance",
        _mode("r03", "certificate", "face"),
    ),
    _fault("assurance_absent", "E3.15", "An absent mode is no mode.", "assurance", drop_claim("acr")),
    _fault(
        "assurance_unknown",
        "E3.15",
        "An unknown mode is no mode.",
        "assurance",
        put_claim("acr", _MODE + "r05"),
    ),
    _fault(
        "factor_missing_from_amr",
        "P6.1",
        "A mode whose factors did not all pass is refused.",
        "factors",
        put_claim("amr", ["certificate"]),
    ),
    _fault("amr_missing", "P6.1", "A mode without factors is refused.", "factors", drop_claim("amr")),
    _fault(
        "factor_not_executed",
        "P6.1",
        "A factor that was not executed never counts.",
        "factors",
        put_claim("amr", ["certificate", "X"]),
    ),
    _fault(
        "subject_too_short",
        "E3.18a",
        "A pseudonym has at least 22 characters.",
        "subject",
        put_claim("sub", "x" * 21),
    ),
    _fault(
        "subject_too_long",
        "E3.18a",
        "A pseudonym has at most 128 characters.",
        "subject",
        put_claim("sub", "x" * 129),
    ),
    _fault(
        "subject_of_other_alphabet",
        "E3.18a",
        "A pseudonym is made of URL-safe characters.",
        "subject",
        put_claim("sub", "made-up.person@example.com"),
    ),
    _fault(
        "subject_holds_identity_number",
        "E3.18b",
        "A pseudonym that carries an identity number is refused.",
        "identity_number",
        hold_a_number,
    ),
    _fault(
        "session_id_malformed",
        "E3.19",
        "A session id has the agreed shape.",
        "session_id",
        put_claim("sid", "short"),
    ),
    _fault(
        "other_sector",
        "P6.2",
        "A pseudonym of another sector is refused.",
        "sector",
        put_claim("sector", "https://other.example"),
    ),
    _fault("sector_missing", "P6.2", "A pseudonym names its sector.", "sector", drop_claim("sector")),
    _fault(
        "persistence_missing",
        "P6.3",
        "A pseudonym says how stable it is.",
        "persistence",
        drop_claim("persistence"),
    ),
    _fault(
        "persistence_unknown",
        "P6.3",
        "A pseudonym is stable in one of three ways.",
        "persistence",
        put_claim("persistence", "D"),
    ),
    _fault(
        "age_band_unasked",
        "P6.4",
        "An age band that was not asked for is refused.",
        "age_band",
        put_claim("age_band", "adult"),
    ),
    _fault(
        "age_band_unknown",
        "P6.4",
        "An age band is one of three.",
        "age_band",
        put_claim("age_band", "older_than_the_hills"),
    ),
)

ASSERTION_FAULTS: Final = (*_SHAPE_FAULTS, *_PARTY_FAULTS, *_TIME_FAULTS, *_PERSON_FAULTS)
