"""Faults and oddities of logout tokens, of the request around them, and of the way back after a logout."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.delivery import PostDraft
from cyberid_client.testing.drafts import CallbackDraft
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

__all__ = ["ALL_LOGOUT_FAULTS", "ALL_LOGOUT_ODDITIES"]

# Prefixes of the conformance suite's module names.
BACK_CHANNEL: Final = "oidcc-client-test-rp-backchannel-rpinitlogout"
INITIATED: Final = "oidcc-client-test-rp-init-logout"
_DOCUMENT: Final = "logout_token"
_DAY: Final = 86_400


def _fault(name: str, number: str, law: str, code: str, change: Change, module: str | None = None) -> Fault:
    return notice_fault(
        _DOCUMENT,
        name,
        number,
        law,
        code,
        change,
        stage="logout_token",
        needs="logout",
        module=None if module is None else f"{BACK_CHANNEL}-{module}",
    )


def _post(name: str, law: str, code: str, change: Change) -> Fault:
    return notice_fault(_DOCUMENT, name, "E6.1", law, code, change, stage="logout_delivery", needs="logout")


def _without_person_and_session(draft: NoticeDraft) -> None:
    for name in ("sub", "sid"):
        draft.claims.pop(name, None)


def _other_audience_too(draft: NoticeDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"], "another-client"]


def _identity_number(draft: NoticeDraft) -> None:
    """Name the person by what looks like a resident number; the serial 000 is not given to people."""
    digits = "110101" + "19010101" + "000"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))
    draft.claims["sub"] = f"{digits}{'10X98765432'[total % 11]}_{'x' * 20}"


_CLAIM_FAULTS: Final = (
    _fault("claim_twice", "E6.5", "A duplicate claim is refused.", "malformed", claim_twice),
    _fault(
        "too_large",
        "E6.5",
        "A logout token above 64 KiB is refused unread.",
        "too_large",
        put_claim("padding", "x" * 60_000),
    ),
    *(
        _fault(f"{name}_missing", "E6.5", f"A logout token has {name}.", "claim_missing", drop_claim(name))
        for name in ("iss", "aud", "iat", "exp", "jti")
    ),
    *(
        _fault(name, "E6.5", "A claim of a wrong type is refused.", "claim_type", put_claim(claim, value))
        for name, claim, value in (
            ("exp_as_text", "exp", "9999999999"),
            ("iat_as_boolean", "iat", True),
            ("aud_empty", "aud", []),
            ("jti_as_number", "jti", 12_345),
            ("sub_as_number", "sub", 12_345),
            ("sid_as_list", "sid", ["x"]),
        )
    ),
    _fault(
        "type_absent",
        "E3.7",
        "A logout token says that it is one.",
        "type",
        drop_header("typ"),
    ),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind ends no session, however well it is signed.",
            "type",
            put_header("typ", typ),
        )
        for name, typ in (("jwt", "JWT"), ("security_event", "secevent+jwt"), ("access_token", "at+jwt"))
    ),
    _fault(
        "other_issuer",
        "E6.5a",
        "A logout token of another issuer is refused.",
        "issuer",
        appended("iss", "1"),
        "wrong-iss",
    ),
    _fault(
        "other_audience",
        "E6.5b",
        "A logout token for another client is refused.",
        "audience",
        appended("aud", "1"),
        "wrong-aud",
    ),
    _fault(
        "audience_with_stranger",
        "E6.5b",
        "A logout token for this client and another is refused.",
        "audience",
        _other_audience_too,
    ),
    _fault(
        "expired",
        "E6.5c",
        "A logout token is refused from the very second of exp.",
        "expired",
        dated(exp=0),
    ),
    _fault(
        "issued_in_future",
        "E6.5d",
        "A logout token from the future is refused beyond the leeway.",
        "issued_in_future",
        dated(iat=120, exp=240),
    ),
    _fault(
        "issued_day_ago",
        "E6.5d",
        "A logout token that was issued yesterday is refused, however long it lives.",
        "issued_too_long_ago",
        dated(iat=-_DAY),
    ),
    _fault(
        "not_yet_valid",
        "E6.5e",
        "A logout token is not used before its time.",
        "not_yet_valid",
        dated(nbf=120),
    ),
    _fault(
        "nobody",
        "E6.6",
        "A logout token names a person or a session.",
        "nobody",
        _without_person_and_session,
    ),
    _fault(
        "subject_too_short",
        "E6.6a",
        "A pseudonym has at least 22 characters.",
        "subject",
        put_claim("sub", "x" * 21),
    ),
    _fault(
        "subject_holds_identity_number",
        "E6.6b",
        "A subject that carries an identity number is refused.",
        "identity_number",
        _identity_number,
    ),
    _fault(
        "session_id_malformed",
        "E6.6c",
        "A session id has the agreed shape.",
        "session_id",
        put_claim("sid", "short"),
    ),
    _fault(
        "events_missing",
        "E6.7",
        "A logout token states an event.",
        "event",
        drop_claim("events"),
        "no-event",
    ),
    _fault(
        "event_other",
        "E6.7",
        "Another event ends no session.",
        "event",
        put_claim("events", {"http://schemas.openid.net/event/foobar": {}}),
        "wrong-event",
    ),
    _fault(
        "events_no_object",
        "E6.7",
        "Events are an object, and no list of names.",
        "event",
        put_claim("events", [LOGOUT_EVENT]),
    ),
    _fault(
        "event_no_object",
        "E6.7",
        "The value of an event is an object.",
        "event",
        put_claim("events", {LOGOUT_EVENT: True}),
    ),
    _fault(
        "nonce",
        "E6.8",
        "A logout token with a nonce could be an assertion, and is refused.",
        "nonce",
        put_claim("nonce", "n" * 22),
        "with-nonce",
    ),
)


def _twice(draft: PostDraft) -> None:
    draft.body = draft.body + b"&" + draft.body


def _renamed(draft: PostDraft) -> None:
    draft.body = draft.body.replace(b"logout_token=", b"token=", 1)


def _empty(draft: PostDraft) -> None:
    draft.body = b"logout_token="


def _oversized(draft: PostDraft) -> None:
    draft.body += b"&" + urlencode({"padding": "x" * 300_000}).encode()


def _broken_escape(draft: PostDraft) -> None:
    draft.body += b"%zz"


def _content_type(value: str | None) -> Change:
    def change(draft: PostDraft) -> None:
        draft.content_type = value

    return change


_POST_FAULTS: Final = (
    _post(
        "content_type_json", "A logout request is a form.", "content_type", _content_type("application/json")
    ),
    _post(
        "content_type_jwt",
        "A logout request is a form, and no bare token.",
        "content_type",
        _content_type("application/logout+jwt"),
    ),
    _post("content_type_absent", "A logout request says what it is.", "content_type", _content_type(None)),
    _post(
        "request_too_large", "A logout request above its limit is refused unread.", "too_large", _oversized
    ),
    _post("two_tokens", "A logout request carries exactly one token.", "form", _twice),
    _post("token_absent", "A logout request carries a token.", "form", _renamed),
    _post("token_empty", "A token is not empty.", "form", _empty),
    _post("broken_escape", "A form that cannot be decoded is refused.", "form", _broken_escape),
)

ALL_LOGOUT_FAULTS: Final = (
    *_POST_FAULTS,
    *shared_faults(
        _DOCUMENT,
        stage="logout_token",
        needs="logout",
        parsing="E6.5",
        modules={
            "algorithm_none": f"{BACK_CHANNEL}-alg-none",
            "algorithm_rs256_published": f"{BACK_CHANNEL}-wrong-alg",
        },
    ),
    *_CLAIM_FAULTS,
)


def _odd(
    name: str,
    number: str,
    law: str,
    change: Change,
    *,
    stage: str = "logout_token",
    module: str | None = None,
    needs: str = "logout",
) -> Oddity:
    return oddity(f"{_DOCUMENT}.{name}", number, law, stage=stage, change=change, module=module, needs=needs)


def _as_the_suite(draft: NoticeDraft) -> None:
    """Do as the conformance suite's honest token does."""
    draft.claims.update({"exp": draft.seconds + 120, "urn:example:unknown": {"a": [1, None]}})


def _other_events_too(draft: NoticeDraft) -> None:
    draft.claims["events"] = {LOGOUT_EVENT: {"a": 1}, "urn:example:event": {}}


def _audience_array(draft: NoticeDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"]]


def _repeated(draft: NoticeDraft) -> None:
    """Use the name of the token before: to a receiver it is the same message once more."""
    draft.claims["jti"] = draft.previous.get("jti", draft.claims["jti"])


def _session_of_nobody(draft: NoticeDraft) -> None:
    draft.claims["sid"] = "x" * 32


def _more_parameters(draft: PostDraft) -> None:
    draft.body = b"note=%E7%BD%91&" + draft.body


def _other_state(draft: CallbackDraft) -> None:
    draft.put("state", "another-state")


def _without_state(draft: CallbackDraft) -> None:
    draft.drop("state")


ALL_LOGOUT_ODDITIES: Final = (
    _odd(
        "as_the_suite",
        "E6.5",
        "A token lives for two minutes, and unknown claims are dropped.",
        _as_the_suite,
        module=BACK_CHANNEL,
    ),
    _odd(
        "type_in_odd_case",
        "E3.7",
        "A type is compared without case and without application/.",
        put_header("typ", "application/Logout+JWT"),
    ),
    _odd("audience_array", "E6.5b", "An audience may be a list of one.", _audience_array),
    _odd("other_events_too", "E6.7", "Other events beside the logout are ignored.", _other_events_too),
    _odd("session_unknown", "E6.10", "A session that nobody knows is over already.", _session_of_nobody),
    _odd("jti_repeated", "E6.9", "A known token gets the same answer and no second effect.", _repeated),
    _odd(
        "content_type_charset",
        "E6.1",
        "A content type may have parameters.",
        _content_type("application/x-www-form-urlencoded;charset=UTF-8"),
        stage="logout_delivery",
    ),
    _odd(
        "more_parameters",
        "E6.1",
        "Other parameters of the form are ignored.",
        _more_parameters,
        stage="logout_delivery",
    ),
    oddity(
        "post_logout.other_state",
        "E1.5",
        "A person who comes back from a logout with a foreign state is logged out all the same.",
        stage="post_logout",
        change=_other_state,
        module=f"{INITIATED}-other-state",
        needs="logout",
    ),
    oddity(
        "post_logout.without_state",
        "E1.5",
        "A person who comes back from a logout without the state is logged out all the same.",
        stage="post_logout",
        change=_without_state,
        module=f"{INITIATED}-no-state",
        needs="logout",
    ),
)
