"""Faults and oddities of security events and of the request around them; each with the answer of RFC 8935."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.delivery import PostDraft
from cyberid_client.testing.events import ACCOUNT_STATE_EVENT
from cyberid_client.testing.faults.making import (
    Change,
    drop_claim,
    drop_header,
    oddity,
    put_claim,
    put_header,
)
from cyberid_client.testing.faults.notices import appended, claim_twice, dated, notice_fault, shared_faults
from cyberid_client.testing.logout import LOGOUT_EVENT, NoticeDraft

__all__ = ["ALL_EVENT_FAULTS", "ALL_EVENT_ODDITIES"]

_DOCUMENT: Final = "security_event"
_YEAR: Final = 365 * 86_400
# RFC 8935 §2.4. What is not here is invalid_request: the body is no event, or not of the one kind.
_ERR: Final[Mapping[str, str]] = {
    f"{_DOCUMENT}.{code}": err
    for err, codes in (
        ("invalid_issuer", ("issuer",)),
        ("invalid_audience", ("audience",)),
        (
            "invalid_key",
            (
                "algorithm",
                "signature",
                "key_unknown",
                "key_unpublished",
                "key_ambiguous",
                "key_mismatch",
                "chain_missing",
            ),
        ),
    )
    for code in codes
}


def _fault(name: str, number: str, law: str, code: str, change: Change) -> Fault:
    return notice_fault(_DOCUMENT, name, number, law, code, change, stage="secevent", needs="events")


def _post(name: str, law: str, code: str, change: Change) -> Fault:
    return notice_fault(_DOCUMENT, name, "P7.13", law, code, change, stage="event_delivery", needs="events")


def _answered(each: Fault) -> Fault:
    is_chain = each.expected_code.startswith("chain.")
    return replace(each, err="invalid_key" if is_chain else _ERR.get(each.expected_code, "invalid_request"))


def _inside(claim: str, **changes: object) -> Change:
    """Change members inside a claim; ``...`` takes one out."""

    def change(draft: NoticeDraft) -> None:
        held = draft.claims[claim]
        members = {**(held if isinstance(held, dict) else {}), **changes}
        draft.claims[claim] = {name: value for name, value in members.items() if value is not ...}

    return change


def _event(**changes: object) -> Change:
    """Change members of the event; ``...`` takes one out."""

    def change(draft: NoticeDraft) -> None:
        events = draft.claims["events"]
        held = events[ACCOUNT_STATE_EVENT] if isinstance(events, dict) else {}
        members = {name: value for name, value in {**held, **changes}.items() if value is not ...}
        draft.claims["events"] = {ACCOUNT_STATE_EVENT: members}

    return change


def _second_event(draft: NoticeDraft) -> None:
    events = draft.claims["events"]
    draft.claims["events"] = {**(events if isinstance(events, dict) else {}), "urn:example:event": {}}


def _other_audience_too(draft: NoticeDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"], "another-client"]


def _number_as_subject(draft: NoticeDraft) -> None:
    """Name the person by what looks like a resident number; the serial 000 is not given to people."""
    digits = "110101" + "19010101" + "000"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    _inside("sub_id", sub=f"{digits}{'10X98765432'[total % 11]}_{'x' * 20}")(draft)


_CLAIM_FAULTS: Final = (
    _fault("claim_twice", "P7.13", "A duplicate claim is refused.", "malformed", claim_twice),
    *(
        _fault(f"{name}_missing", "P7.13", f"A security event has {name}.", "claim_missing", drop_claim(name))
        for name in ("iss", "aud", "iat", "jti", "sub_id", "events")
    ),
    *(
        _fault(name, "P7.13", "A claim of a wrong type is refused.", "claim_type", put_claim(claim, value))
        for name, claim, value in (
            ("iat_as_text", "iat", "1700000000"),
            ("jti_as_number", "jti", 12_345),
            ("aud_empty", "aud", []),
            ("sub_id_as_text", "sub_id", "x" * 43),
            ("events_as_list", "events", [ACCOUNT_STATE_EVENT]),
            ("event_as_text", "events", {ACCOUNT_STATE_EVENT: "frozen"}),
        )
    ),
    _fault("type_absent", "E3.7", "A security event says that it is one.", "type", drop_header("typ")),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind is no security event, however well it is signed.",
            "type",
            put_header("typ", typ),
        )
        for name, typ in (("jwt", "JWT"), ("logout_token", "logout+jwt"), ("access_token", "at+jwt"))
    ),
    *(
        _fault(
            f"kind_{name}",
            "P7.1",
            "An event with a claim of an assertion is refused.",
            "kind",
            put_claim(name, "x" * 43),
        )
        for name in ("sub", "nonce")
    ),
    _fault("other_issuer", "P7.2", "An event of another issuer is refused.", "issuer", appended("iss", "1")),
    _fault(
        "other_audience",
        "P7.3",
        "An event for another client is refused.",
        "audience",
        appended("aud", "1"),
    ),
    _fault(
        "audience_with_stranger",
        "P7.3",
        "An event for this client and another is refused.",
        "audience",
        _other_audience_too,
    ),
    _fault(
        "issued_in_future",
        "P7.4",
        "An event from the future is refused beyond the leeway.",
        "issued_in_future",
        dated(iat=120),
    ),
)

_EVENT_FAULTS: Final = (
    _fault(
        "event_other",
        "P7.5",
        "An event that is not understood is refused and not swallowed.",
        "event",
        put_claim("events", {"https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}}),
    ),
    _fault(
        "event_of_logout",
        "P7.5",
        "A logout is no state of an account.",
        "event",
        put_claim("events", {LOGOUT_EVENT: {}}),
    ),
    _fault("second_event", "P7.5", "One message states one event.", "event", _second_event),
    _fault("events_empty", "P7.5", "An event without event is none.", "event", put_claim("events", {})),
    _fault(
        "subject_format_missing",
        "P7.13",
        "A subject says how it is named.",
        "claim_missing",
        _inside("sub_id", format=...),
    ),
    _fault(
        "subject_format_other",
        "P7.6",
        "A subject that is named in another way is refused.",
        "subject_format",
        put_claim("sub_id", {"format": "opaque", "id": "x" * 43}),
    ),
    _fault(
        "subject_format_unknown",
        "P7.6",
        "A subject that is said to be named in another way is refused, whatever it holds.",
        "subject_format",
        _inside("sub_id", format="opaque"),
    ),
    _fault(
        "subject_missing",
        "P7.6",
        "A subject names somebody.",
        "subject_format",
        _inside("sub_id", sub=...),
    ),
    _fault(
        "subject_issuer_missing",
        "P7.6",
        "A subject names whose it is.",
        "subject_format",
        _inside("sub_id", iss=...),
    ),
    _fault(
        "subject_as_number",
        "P7.13",
        "A subject is a text.",
        "claim_type",
        _inside("sub_id", sub=12_345),
    ),
    _fault(
        "subject_of_other_issuer",
        "P7.7",
        "An issuer says nothing about subjects of another.",
        "subject_issuer",
        _inside("sub_id", iss="https://other.example"),
    ),
    _fault(
        "subject_too_short",
        "P7.8",
        "A pseudonym has at least 22 characters.",
        "subject",
        _inside("sub_id", sub="x" * 21),
    ),
    _fault(
        "subject_holds_identity_number",
        "P7.9",
        "A subject that carries an identity number is refused.",
        "identity_number",
        _number_as_subject,
    ),
    _fault("state_unknown", "P7.10", "An unknown state is refused.", "state", _event(state="asleep")),
    _fault("state_in_other_case", "P7.10", "A state has one spelling.", "state", _event(state="Frozen")),
    _fault("state_missing", "P7.13", "An event states a state.", "claim_missing", _event(state=...)),
    _fault("reason_too_long", "P7.11", "A reason is short.", "reason", _event(reason="x" * 65)),
    _fault("reason_of_words", "P7.11", "A reason is one word.", "reason", _event(reason="lost or stolen")),
    _fault("reason_missing", "P7.13", "An event says why.", "claim_missing", _event(reason=...)),
    _fault("sequence_missing", "P7.13", "A state has a number.", "claim_missing", _event(seq=...)),
    _fault("sequence_negative", "P7.12", "A number counts from 0.", "sequence", _event(seq=-1)),
    _fault(
        "sequence_huge",
        "P7.12",
        "A number that no counter holds is refused, and does not freeze the account's state for good.",
        "sequence",
        _event(seq=2**63),
    ),
    *(
        _fault(f"sequence_as_{name}", "P7.13", "A number is a whole number.", "claim_type", _event(seq=value))
        for name, value in (("boolean", True), ("text", "7"), ("fraction", 7.5))
    ),
)


def _content_type(value: str | None) -> Change:
    def change(draft: PostDraft) -> None:
        draft.content_type = value

    return change


def _oversized(draft: PostDraft) -> None:
    draft.body += b"A" * 70_000


def _as_form(draft: PostDraft) -> None:
    draft.body = b"logout_token=" + draft.body


def _cut_off(draft: PostDraft) -> None:
    draft.body = draft.body[: len(draft.body) // 2]


def _nothing(draft: PostDraft) -> None:
    draft.body = b""


_POST_FAULTS: Final = (
    _post(
        "content_type_jwt",
        "A request says what it carries.",
        "content_type",
        _content_type("application/jwt"),
    ),
    _post("content_type_absent", "A request says what it carries.", "content_type", _content_type(None)),
    _post("too_large", "An event above 64 KiB is refused unread.", "too_large", _oversized),
    _post("body_as_form", "The body is the token and nothing else.", "malformed", _as_form),
    _post("body_cut_off", "A token that was cut off is refused.", "malformed", _cut_off),
    _post("body_empty", "No token is none.", "malformed", _nothing),
)

ALL_EVENT_FAULTS: Final = tuple(
    _answered(each)
    for each in (
        *_POST_FAULTS,
        *shared_faults(_DOCUMENT, stage="secevent", needs="events", parsing="P7.13"),
        *_CLAIM_FAULTS,
        *_EVENT_FAULTS,
    )
)


def _odd(name: str, number: str, law: str, change: Change, *, stage: str = "secevent") -> Oddity:
    return oddity(f"{_DOCUMENT}.{name}", number, law, stage=stage, change=change, needs="events")


def _audience_array(draft: NoticeDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"]]


def _repeated(draft: NoticeDraft) -> None:
    """Use the name of the event before: to a receiver it is the same message once more."""
    draft.claims["jti"] = draft.previous.get("jti", draft.claims["jti"])


def _unknown_members(draft: NoticeDraft) -> None:
    draft.claims["txn"] = "8a1c"
    _event(note={"a": [1, None]})(draft)


ALL_EVENT_ODDITIES: Final = (
    _odd("audience_array", "P7.3", "An audience may be a list of one.", _audience_array),
    _odd(
        "type_in_odd_case",
        "E3.7",
        "A type is compared without case and without application/.",
        put_header("typ", "application/SecEvent+JWT"),
    ),
    _odd("issued_year_ago", "P7.4", "An event may be of any age.", dated(iat=-_YEAR)),
    _odd("expired", "P7.4", "An event stays true: exp is not looked at.", dated(exp=-_YEAR)),
    _odd("unknown_members", "P7.5", "Unknown claims and members are dropped.", _unknown_members),
    _odd("jti_repeated", "P7.14", "A known event gets the same answer and no second effect.", _repeated),
    _odd("sequence_zero", "P7.12", "A count may begin at 0.", _event(seq=0)),
    _odd("sequence_highest", "P7.12", "A count may end at the highest.", _event(seq=2**63 - 1)),
    _odd(
        "content_type_in_odd_case",
        "P7.13",
        "A content type is compared without case and parameters.",
        _content_type("Application/SecEvent+JWT; charset=utf-8"),
        stage="event_delivery",
    ),
)
