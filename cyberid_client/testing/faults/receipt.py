"""Faults and oddities of receipts for app launches, and of the answers that carry them."""

from __future__ import annotations

from typing import Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.drafts import Page, SignedDraft
from cyberid_client.testing.faults.making import (
    Change,
    append_to_claim,
    date_claim,
    drop_claim,
    drop_header,
    fault,
    oddity,
    put_claim,
    put_header,
)
from cyberid_client.testing.faults.notices import claim_twice, shared_faults
from cyberid_client.testing.jose import json_bytes

__all__ = ["ALL_RECEIPT_FAULTS", "ALL_RECEIPT_ODDITIES"]

_DOCUMENT: Final = "receipt"
_NEEDS: Final = "app_launch"
_MODE: Final = "urn:cyberid:mode:"
_WEEK: Final = 7 * 86_400
_OF_SUCCESS: Final = (
    *("caller", "acr", "factors", "auth_time", "sub", "sector", "persistence", "sid"),
    "age_band",
)


def _fault(name: str, number: str, law: str, code: str, change: Change, *, stage: str = "receipt") -> Fault:
    return fault(
        f"{_DOCUMENT}.{name}",
        number,
        law,
        stage=stage,
        code=code if "." in code else f"{_DOCUMENT}.{code}",
        change=change,
        needs=_NEEDS,
    )


def _odd(name: str, number: str, law: str, change: Change, *, stage: str = "receipt") -> Oddity:
    return oddity(f"{_DOCUMENT}.{name}", number, law, stage=stage, change=change, needs=_NEEDS)


def _audience(*others: str) -> Change:
    """Name the client and others."""

    def change(draft: SignedDraft) -> None:
        draft.claims["aud"] = [draft.claims["aud"], *others]

    return change


def _mode(name: str, *passed: str) -> Change:
    """Reach another mode, with exactly its factors."""

    def change(draft: SignedDraft) -> None:
        results = {each: "passed" if each in passed else "not_executed" for each in _factors(draft)}
        draft.claims.update(acr=_MODE + name, factors=results)

    return change


def _factors(draft: SignedDraft) -> dict[str, object]:
    factors = draft.claims["factors"]
    return dict(factors) if isinstance(factors, dict) else {}


def _results(**results: object) -> Change:
    """State other results of factors; ``None`` takes one out."""

    def change(draft: SignedDraft) -> None:
        stated = {**_factors(draft), **results}
        draft.claims["factors"] = {name: value for name, value in stated.items() if value is not None}

    return change


def _refusal(outcome: str) -> Change:
    """Say why nobody logged in, and nothing of a login."""

    def change(draft: SignedDraft) -> None:
        draft.claims = {name: value for name, value in draft.claims.items() if name not in _OF_SUCCESS}
        draft.claims["outcome"] = outcome

    return change


def _identity_number(draft: SignedDraft) -> None:
    """Name the person by what looks like a resident number; the serial 000 is not given to people."""
    digits = "110101" + "19010101" + "000"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    draft.claims["sub"] = f"{digits}{'10X98765432'[total % 11]}_{'x' * 20}"


_SHAPE_FAULTS: Final = (
    _fault("claim_twice", "E3.2", "A duplicate claim is refused.", "malformed", claim_twice),
    _fault(
        "too_large",
        "E3.2",
        "A receipt above 64 KiB is refused unread.",
        "too_large",
        put_claim("padding", "x" * 60_000),
    ),
    *(
        _fault(f"{name}_missing", "E3.2", f"A receipt has {claim}.", "claim_missing", drop_claim(claim))
        for name, claim in (
            *((claim, claim) for claim in ("iss", "aud", "exp", "iat", "sub", "outcome", "blobs_hash")),
            ("biz_seq", "bizSeq"),
            ("app_id", "appID"),
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
            ("biz_seq_as_number", "bizSeq", 12_345),
            ("app_id_as_list", "appID", ["x"]),
            ("blobs_hash_as_list", "blobs_hash", ["x"]),
            ("outcome_as_boolean", "outcome", True),
            ("caller_as_boolean", "caller", True),
            ("factors_as_list", "factors", ["certificate", "password"]),
            ("factor_as_boolean", "factors", {"certificate": True, "password": True}),
        )
    ),
    _fault("type_absent", "E3.7", "A receipt says that it is one.", "type", drop_header("typ")),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind is no receipt, however well it is signed.",
            "type",
            put_header("typ", typ),
        )
        for name, typ in (
            ("jwt", "JWT"),
            ("logout_token", "logout+jwt"),
            ("security_event", "secevent+jwt"),
            ("access_token", "at+jwt"),
            ("request", "cyberid-app-verify+jwt"),
            ("credential", "dc+sd-jwt"),
        )
    ),
    *(
        _fault(
            f"kind_{name.lower()}",
            "P2.1",
            "A receipt with a claim of another kind of document is refused.",
            "kind",
            put_claim(name, value),
        )
        for name, value in (
            ("nonce", "n" * 43),
            ("azp", "shop"),
            ("at_hash", "A" * 22),
            ("events", {"http://schemas.openid.net/event/backchannel-logout": {}}),
            ("sub_id", {"format": "opaque", "id": "x"}),
            ("code", "x"),
            ("state", "x"),
            ("error", "access_denied"),
            ("vct", "urn:cyberid:pairwise:1"),
            ("cnf", {"jwk": {}}),
            ("status_list", {"bits": 1, "lst": ""}),
        )
    ),
)

_LAUNCH_FAULTS: Final = (
    _fault(
        "biz_seq_other",
        "P4.4a",
        "A receipt for another launch is refused.",
        "biz_seq",
        put_claim("bizSeq", "0" * 32),
    ),
    _fault(
        "biz_seq_in_other_case",
        "P4.4a",
        "The launch is compared byte by byte.",
        "biz_seq",
        lambda draft: draft.claims.update(bizSeq=str(draft.claims["bizSeq"]).swapcase()),
    ),
    _fault(
        "app_id_other",
        "P4.4b",
        "A receipt for another app of the same sector is refused.",
        "app_id",
        append_to_claim("appID", "1"),
    ),
    _fault(
        "blobs_hash_other",
        "P4.4c",
        "A receipt for another answer of the ID app is refused.",
        "blobs_hash",
        put_claim("blobs_hash", "A" * 43),
    ),
    _fault(
        "caller_missing",
        "P4.4d",
        "A receipt that is silent about the caller is refused.",
        "caller",
        drop_claim("caller"),
    ),
    _fault(
        "caller_unverified",
        "P4.4d",
        "A receipt for an answer that any app could get is refused.",
        "caller",
        put_claim("caller", "unverified"),
    ),
    _fault(
        "caller_in_other_case",
        "P4.4d",
        "One word means verified, and no other.",
        "caller",
        put_claim("caller", "Verified"),
    ),
    _fault(
        "refusal_with_person",
        "P2.1",
        "A refusal that names somebody is neither one nor the other.",
        "kind",
        put_claim("outcome", "frozen"),
    ),
    _fault(
        "outcome_unknown",
        "P4.2a",
        "An outcome that nobody has heard of is no success.",
        "app.declined",
        _refusal("perhaps"),
    ),
    _fault(
        "outcome_in_other_case",
        "P4.2a",
        "One word means success, and no other.",
        "app.declined",
        _refusal("Success"),
    ),
)

_PARTY_FAULTS: Final = (
    _fault(
        "other_issuer",
        "E3.8",
        "A receipt of another issuer is refused.",
        "issuer",
        append_to_claim("iss", "1"),
    ),
    _fault(
        "issuer_trailing_slash",
        "E3.8",
        "The issuer is compared byte by byte.",
        "issuer",
        append_to_claim("iss", "/"),
    ),
    _fault(
        "other_audience",
        "E3.9",
        "A receipt for another client is refused.",
        "audience",
        append_to_claim("aud", "1"),
    ),
    _fault(
        "audience_with_stranger",
        "E3.9",
        "A receipt for this client and another is refused.",
        "audience",
        _audience("another-client"),
    ),
)

_TIME_FAULTS: Final = (
    _fault(
        "expired",
        "E3.11",
        "A receipt is refused from the very second of exp.",
        "expired",
        date_claim("exp", 0),
    ),
    _fault(
        "issued_in_future",
        "E3.12",
        "A receipt from the future is refused beyond the leeway.",
        "issued_in_future",
        date_claim("iat", 120),
    ),
    _fault(
        "issued_week_ago",
        "E3.12",
        "A receipt that was issued a week ago is refused, however long it lives.",
        "issued_too_long_ago",
        date_claim("iat", -_WEEK),
    ),
    _fault(
        "not_yet_valid",
        "E3.13",
        "A receipt is not used before its time.",
        "not_yet_valid",
        date_claim("nbf", 120),
    ),
    _fault(
        "auth_time_missing",
        "E3.16",
        "A receipt says when the person authenticated.",
        "auth_time_missing",
        drop_claim("auth_time"),
    ),
    _fault(
        "auth_time_in_future",
        "E3.16",
        "Nobody authenticates in the future.",
        "auth_time_in_future",
        date_claim("auth_time", 120),
    ),
    _fault(
        "auth_time_before_launch",
        "E3.16",
        "Who authenticated before the launch did not answer it.",
        "auth_time_stale",
        date_claim("auth_time", -3_600),
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
        "factors_missing", "P4.4e", "A mode without factors is refused.", "factors", drop_claim("factors")
    ),
    _fault(
        "factors_empty", "P4.4e", "A mode without factors is refused.", "factors", put_claim("factors", {})
    ),
    *(
        _fault(name, "P4.4e", law, "factors", _results(**results))
        for name, law, results in (
            (
                "factor_not_executed",
                "A factor that was not executed never counts.",
                {"password": "not_executed"},
            ),
            ("factor_marked_x", "X means not executed, and never counts.", {"password": "X"}),
            ("factor_failed", "A factor that failed never counts.", {"password": "failed"}),
            ("factor_absent", "A factor of which nothing is said never counts.", {"password": None}),
            ("factor_beyond_failed", "A factor that failed is no login.", {"face": "failed"}),
            ("factor_beyond_mode", "The factors are those of the mode.", {"face": "passed"}),
            (
                "certificate_not_executed",
                "No mode is without a certificate.",
                {"certificate": "not_executed"},
            ),
        )
    ),
    *(
        _fault(name, "E3.18a", law, "subject", put_claim("sub", value))
        for name, law, value in (
            ("subject_too_short", "A pseudonym has at least 22 characters.", "x" * 21),
            ("subject_too_long", "A pseudonym has at most 128 characters.", "x" * 129),
            (
                "subject_of_other_alphabet",
                "A pseudonym is made of URL-safe characters.",
                "made-up.person@example.com",
            ),
        )
    ),
    _fault(
        "subject_holds_identity_number",
        "E3.18b",
        "A pseudonym that carries an identity number is refused.",
        "identity_number",
        _identity_number,
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
)


def _text(page: Page) -> None:
    page.headers["content-type"] = "text/plain"


def _json(page: Page) -> None:
    """Serve the receipt inside of JSON."""
    page.headers["content-type"] = "application/json"
    page.body = json_bytes({"receipt": page.encode().decode()})


def _error(status: int, error: str) -> Change:
    """Answer with an error in the receipt's place."""

    def change(page: Page) -> None:
        page.headers["content-type"] = "application/json"
        page.status, page.body, page.document = status, None, {"error": error}

    return change


def _status(status: int) -> Change:
    def change(page: Page) -> None:
        page.status = status

    return change


def _quirk(quirk: str) -> Change:
    def change(page: Page) -> None:
        page.quirk = quirk

    return change


def _redirected(page: Page) -> None:
    page.status = 302
    page.headers["location"] = "https://other.example/app-verification"


def _packed(page: Page) -> None:
    page.headers["content-encoding"] = "gzip"


def _oversized(page: Page) -> None:
    page.body = page.encode() + b"x" * 2_000_000


_ANSWER_FAULTS: Final = tuple(
    _fault(f"answer_{name}", number, law, code, change, stage="receipt_answer")
    for name, number, law, code, change in (
        ("content_type", "E2.3", "A receipt is served as one.", "content_type", _text),
        ("in_json", "E2.3", "A receipt is served bare.", "content_type", _json),
        ("status_created", "E2.8", "A receipt comes with 200.", "issuer.status", _status(201)),
        ("redirect", "E2.2", "Nobody follows a redirect.", "transport.redirect", _redirected),
        ("gzip", "E2.2", "A coding that nobody asked for is refused.", "transport.content_coding", _packed),
        ("too_large", "E2.2", "An answer above its limit is not read.", "transport.too_large", _oversized),
        ("tls_failure", "E2.2", "A broken TLS connection carries nothing.", "transport.tls", _quirk("tls")),
        (
            "client_refused",
            "E2.8",
            "A client that is not known is not asked again.",
            "app_verification.client_refused",
            _error(401, "invalid_client"),
        ),
        (
            "request_refused",
            "E2.8",
            "A request that is refused is not repeated.",
            "app_verification.request_refused",
            _error(400, "invalid_request"),
        ),
        (
            "launch_refused",
            "E2.8",
            "A launch that the issuer does not accept is over.",
            "login.launch_refused",
            _error(400, "invalid_grant"),
        ),
    )
)

_METADATA_FAULTS: Final = (
    fault(
        "metadata.app_verification_missing",
        "P3.7",
        "An issuer that verifies no app launches is of no use to an app that launches.",
        stage="metadata",
        code="metadata.capability",
        change=drop_claim("app_verification_endpoint"),
        needs=_NEEDS,
    ),
    fault(
        "metadata.app_verification_elsewhere",
        "P3.6",
        "What the ID app gave is sent to hosts of the issuer only.",
        stage="metadata",
        code="metadata.endpoint",
        change=put_claim("app_verification_endpoint", "https://other.example/app-verification"),
        needs=_NEEDS,
    ),
    fault(
        "metadata.app_launch_face_as_text",
        "E3.2",
        "A flag is a boolean.",
        stage="metadata",
        code="metadata.claim_type",
        change=put_claim("app_launch_face", "true"),
        needs=_NEEDS,
    ),
)

ALL_RECEIPT_FAULTS: Final = (
    *_METADATA_FAULTS,
    *shared_faults(_DOCUMENT, stage="receipt", needs=_NEEDS, parsing="E3.2"),
    *_SHAPE_FAULTS,
    *_PARTY_FAULTS,
    *_TIME_FAULTS,
    *_LAUNCH_FAULTS,
    *_PERSON_FAULTS,
    *_ANSWER_FAULTS,
)


def _unknown_claims(draft: SignedDraft) -> None:
    """Add what no profile knows, and a status, which is dropped unread."""
    status = {"status_list": {"uri": "https://issuer.example/status-lists/other", "idx": 7}}
    draft.claims.update(
        {"locale": "zh-CN", "https://issuer.example/note": {"a": [1, None]}, "status": status}
    )


def _fractions(draft: SignedDraft) -> None:
    for name in ("iat", "exp"):
        draft.claims[name] = float(str(draft.claims[name])) + 0.5


def _rotate(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.rotate(draft.now))


def _root_at_the_end(draft: SignedDraft) -> None:
    draft.use_chain((*draft.signer.chain, draft.keyring.root.certificate))


def _charset(page: Page) -> None:
    page.headers["content-type"] = "Application/JWT; charset=UTF-8"


_RECEIPT_ODDITIES: Final = (
    _odd("unknown_claims", "E3.2", "Unknown claims are dropped, a status among them.", _unknown_claims),
    _odd("audience_array", "E3.9", "An audience may be a list of one.", _audience()),
    _odd(
        "type_in_odd_case",
        "E3.7",
        "A type is compared without case and without application/.",
        put_header("typ", "application/CyberID-Receipt+JWT"),
    ),
    _odd("fractional_dates", "E3.11", "A date may be fractional.", _fractions),
    _odd(
        "expires_next_second", "E3.11", "A receipt is good until the second before exp.", date_claim("exp", 1)
    ),
    _odd("issued_ten_seconds_ahead", "E3.12", "Ten seconds ahead are forgiven.", date_claim("iat", 10)),
    _odd("issued_ten_minutes_ago", "E3.12", "A receipt is good for ten minutes.", date_claim("iat", -600)),
    _odd("not_before_now", "E3.13", "A receipt may say from when it is good.", date_claim("nbf", 0)),
    _odd(
        "authenticated_ten_seconds_ahead", "E3.16", "The leeway holds here too.", date_claim("auth_time", 10)
    ),
    _odd(
        "authenticated_ten_seconds_before",
        "E3.16",
        "An issuer's clock may be ten seconds late.",
        date_claim("auth_time", -10),
    ),
    _odd("session_id_absent", "E3.19", "A session need not have a name.", drop_claim("sid")),
    _odd("subject_shortest", "E3.18a", "22 characters are enough.", put_claim("sub", "x" * 22)),
    _odd("subject_longest", "E3.18a", "128 characters are not too many.", put_claim("sub", "x" * 128)),
    _odd(
        "persistence_of_session", "P6.3", "A pseudonym may be for one session.", put_claim("persistence", "C")
    ),
    _odd(
        "factor_of_future",
        "P4.4e",
        "A factor that nobody knows counts for nothing.",
        _results(voice="passed"),
    ),
    _odd(
        "mode_higher",
        "E3.15",
        "More than was asked for satisfies it.",
        _mode("r04", "certificate", "password", "face"),
    ),
    _odd("kid_absent_single_key", "E3.6a", "Without kid one fitting key is enough.", drop_header("kid")),
    _odd(
        "chain_in_key_set_only", "E3.6c", "Without x5c the chain of the key set counts.", drop_header("x5c")
    ),
    _odd("root_at_the_end", "E3.6c", "The pinned root may come along.", _root_at_the_end),
    _odd(
        "rotation_just_before_signing",
        "E3.6d",
        "A key that was published a moment ago is found by one more look.",
        _rotate,
    ),
)
_ANSWER_ODDITIES: Final = tuple(
    _odd(f"answer_{name}", number, law, change, stage="receipt_answer")
    for name, number, law, change in (
        ("charset", "E2.3", "A content type may have parameters, and any case.", _charset),
        ("lost_once", "P4.3", "An answer that is lost is asked for again.", _quirk("cut")),
        ("late_once", "P4.3", "An answer that does not come is asked for again.", _quirk("slow")),
        ("server_error_once", "P4.3", "After an error of the server one asks again.", _status(503)),
    )
)

ALL_RECEIPT_ODDITIES: Final = (*_RECEIPT_ODDITIES, *_ANSWER_ODDITIES)
