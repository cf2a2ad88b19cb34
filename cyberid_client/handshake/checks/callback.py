"""The authorization response: does it answer this login, and from whom does it come."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final

from cyberid_client.errors import LoginDeclinedError, LoginRestartError, UnavailableError, VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subject_shapes import PendingSubject
from cyberid_client.handshake.subjects import AnswerSubject, CallbackSubject

__all__ = [
    "check_callback_issuer",
    "check_code_or_error",
    "check_declined",
    "check_lifetime",
    "check_response_mode",
    "check_same_handshake",
    "check_state",
]

_DECLINED: Final[Mapping[str, str]] = {
    "access_denied": "declined.access_denied",
    "login_required": "declined.login_required",
    "account_selection_required": "declined.interaction_required",
    "consent_required": "declined.interaction_required",
    "interaction_required": "declined.interaction_required",
    "unmet_authentication_requirements": "declined.assurance_unmet",
    "invalid_request": "declined.request_refused",
    "invalid_request_object": "declined.request_refused",
    "invalid_request_uri": "declined.request_refused",
    "invalid_scope": "declined.request_refused",
    "request_not_supported": "declined.request_refused",
    "request_uri_not_supported": "declined.request_refused",
    "unauthorized_client": "declined.request_refused",
    "unsupported_response_type": "declined.request_refused",
}
_UNAVAILABLE: Final = frozenset({"server_error", "temporarily_unavailable"})


@check(
    "P5.1",
    "A pending login finishes only as the handshake that started it, for the same issuer and client.",
    clause="profile §5, devices; RFC 9700 §4.4",
    codes=["login.other_kind"],
)
def check_same_handshake(subject: PendingSubject) -> None:
    """Compare kind, issuer and client of the pending login with our own."""
    pending, rp = subject.pending, subject.rp
    if (pending.kind, pending.issuer, pending.client_id) != (subject.kind, rp.issuer, rp.client_id):
        raise LoginRestartError("login.other_kind")


@check(
    "E1.1a",
    "A pending login is gone from the very second in which its time is up.",
    clause="RFC 9700 §4.7.1",
    codes=["login.expired"],
)
def check_lifetime(subject: PendingSubject) -> None:
    """Compare the end of the pending login with now."""
    if subject.pending.expires_at <= subject.now:
        raise LoginRestartError("login.expired")


@check(
    "E1.1b",
    "The state is that of the login which this browser started.",
    clause="RFC 6749 §10.12; RFC 9700 §4.7.1",
    codes=["*.state"],
)
def check_state(subject: AnswerSubject) -> None:
    """Compare ``state`` in constant time; an absent one is refused."""
    state = subject.answer.state
    if state is None or not hmac.compare_digest(state.encode(), subject.pending.state.encode()):
        raise VerificationError(f"{subject.document}.state")


@check(
    "E1.3",
    "The response names its issuer, which is the one that was asked, also when it is an error.",
    clause="RFC 9207 §2.4",
    codes=["callback.issuer_missing", "callback.issuer"],
)
def check_callback_issuer(subject: CallbackSubject) -> None:
    """Compare ``iss`` with the issuer that the pending login recorded."""
    iss = subject.callback.iss
    if iss is None:
        raise VerificationError("callback.issuer_missing")
    if iss != subject.pending.issuer:
        raise VerificationError("callback.issuer")


@check(
    "E1.7",
    "The response came in the response mode that is configured; nothing plain stands beside a signed one.",
    clause="OAuth 2.0 Multiple Response Types §2.1; JARM §2.3.1; profile §3",
    codes=["callback.response_mode"],
)
def check_response_mode(subject: CallbackSubject) -> None:
    """Refuse a signed response where a plain one was asked for, a plain one for a signed one, and both."""
    callback = subject.callback
    is_signed = callback.response is not None
    is_plain = any(each is not None for each in (callback.state, callback.iss, callback.code, callback.error))
    if is_signed != (subject.rp.response == "jarm") or (is_signed and is_plain):
        raise VerificationError("callback.response_mode")


@check(
    "P2.2",
    "The response holds exactly one of code and error.",
    clause="RFC 6749 §4.1.2; profile §2, kinds",
    codes=["*.code_or_error"],
)
def check_code_or_error(subject: AnswerSubject) -> None:
    """Refuse both and neither; an empty code is none."""
    if bool(subject.answer.code) == (subject.answer.error is not None):
        raise VerificationError(f"{subject.document}.code_or_error")


@check(
    "E1.6",
    "An error becomes one of a closed list; its description is dropped.",
    clause="RFC 6749 §4.1.2.1; OIDC Core §3.1.2.6",
    codes=["declined.*", "issuer.unavailable"],
)
def check_declined(subject: AnswerSubject) -> None:
    """End the login when the response says no; after all else, so that only the issuer can."""
    error = subject.answer.error
    if error is None:
        return
    if error in _UNAVAILABLE:
        raise UnavailableError("issuer.unavailable")
    raise LoginDeclinedError(_DECLINED.get(error, "declined.other"))
