"""Faults of the authorization response, and the ways in which it says no."""

from __future__ import annotations

from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import CallbackDraft
from cyberid_client.testing.faults.making import FAPI, Change, fault, finish

__all__ = ["CALLBACK_FAULTS", "DECLINED_FAULTS"]


def _drop(name: str) -> Change:
    def change(draft: CallbackDraft) -> None:
        draft.drop(name)

    return change


def _append(name: str, text: str) -> Change:
    """Append text to a parameter's value."""

    def change(draft: CallbackDraft) -> None:
        draft.put(name, draft.get(name) + text)

    return change


def _repeat(name: str) -> Change:
    def change(draft: CallbackDraft) -> None:
        draft.parameters.append((name, draft.get(name)))

    return change


def _add(*pairs: tuple[str, str]) -> Change:
    def change(draft: CallbackDraft) -> None:
        draft.parameters.extend(pairs)

    return change


def _suffix(text: str) -> Change:
    def change(draft: CallbackDraft) -> None:
        draft.raw_suffix = text

    return change


def _both(first: Change, second: Change) -> Change:
    def change(draft: CallbackDraft) -> None:
        first(draft)
        second(draft)

    return change


def _fault(name: str, number: str, law: str, code: str, change: Change, module: str | None = None) -> Fault:
    return fault(name, number, law, stage="callback", code=code, change=change, module=module)


CALLBACK_FAULTS: Final = (
    _fault(
        "callback.state_changed",
        "E1.1b",
        "A state of another login is refused before anything else is looked at.",
        "callback.state",
        _append("state", "1"),
        FAPI + "ensure-authorization-response-with-invalid-state-fails",
    ),
    _fault(
        "callback.state_missing",
        "E1.1b",
        "A callback without state is refused.",
        "callback.state",
        _drop("state"),
        FAPI + "ensure-authorization-response-with-invalid-missing-state-fails",
    ),
    _fault(
        "callback.iss_missing",
        "E1.3",
        "A callback that does not name its issuer is refused.",
        "callback.issuer_missing",
        _drop("iss"),
        FAPI + "remove-authorization-response-iss",
    ),
    _fault(
        "callback.iss_other",
        "E1.3",
        "A callback of another issuer is refused.",
        "callback.issuer",
        _append("iss", "1"),
        FAPI + "invalid-authorization-response-iss",
    ),
    _fault(
        "callback.iss_trailing_slash",
        "E1.3",
        "The issuer is compared byte by byte: one slash more is another issuer.",
        "callback.issuer",
        _append("iss", "/"),
    ),
    _fault(
        "callback.error_without_iss",
        "E1.3",
        "An error that does not name its issuer is not believed either.",
        "callback.issuer_missing",
        _both(finish("access_denied"), _drop("iss")),
    ),
    _fault(
        "callback.error_of_other_issuer",
        "E1.4",
        "An error of another issuer does not end the login as a decline.",
        "callback.issuer",
        _both(finish("access_denied"), _append("iss", "1")),
    ),
    _fault(
        "callback.state_twice",
        "E1.2",
        "A state that stands there twice is refused, even with equal values.",
        "callback.parameter_repeated",
        _repeat("state"),
    ),
    _fault(
        "callback.code_twice",
        "E1.2",
        "A code that stands there twice is refused.",
        "callback.parameter_repeated",
        _repeat("code"),
    ),
    _fault(
        "callback.unknown_twice",
        "E1.2",
        "An unknown parameter that stands there twice is refused as well.",
        "callback.parameter_repeated",
        _add(("note", "1"), ("note", "1")),
    ),
    _fault(
        "callback.code_and_error",
        "P2.2",
        "A callback with code and error is neither.",
        "callback.code_or_error",
        _add(("error", "access_denied")),
    ),
    _fault(
        "callback.neither_code_nor_error",
        "P2.2",
        "A callback without code and error is refused.",
        "callback.code_or_error",
        _drop("code"),
    ),
    _fault(
        "callback.jarm_unasked",
        "E1.7",
        "A signed response is refused where a plain one was asked for.",
        "callback.response_mode",
        _add(("response", "e30.e30.AA")),
    ),
    _fault(
        "callback.too_large",
        "E1.5",
        "A callback above 8 KiB is refused unread.",
        "callback.too_large",
        _add(("padding", "x" * 8_200)),
    ),
    _fault(
        "callback.broken_escape",
        "E1.5",
        "A broken percent escape is refused, also in an unknown parameter.",
        "callback.malformed",
        _suffix("&note=%zz"),
    ),
    _fault(
        "callback.not_utf8",
        "E1.5",
        "Bytes that are not UTF-8 are refused.",
        "callback.malformed",
        _suffix("&note=%ff"),
    ),
    _fault(
        "callback.control_character",
        "E1.5",
        "A control character is refused.",
        "callback.malformed",
        _suffix("&note=%00"),
    ),
)

DECLINED_FAULTS: Final = tuple(
    _fault(name, "E1.6", law, code, finish(error))
    for name, law, code, error in (
        (
            "declined.access_denied",
            "The person said no: the login ends as declined.",
            "declined.access_denied",
            "access_denied",
        ),
        (
            "declined.login_required",
            "The issuer wants the person to authenticate: the login ends as declined.",
            "declined.login_required",
            "login_required",
        ),
        (
            "declined.interaction_required",
            "The issuer wants the person to act: the login ends as declined.",
            "declined.interaction_required",
            "interaction_required",
        ),
        (
            "declined.consent_required",
            "A consent that was not given is a need to act.",
            "declined.interaction_required",
            "consent_required",
        ),
        (
            "declined.assurance_unmet",
            "A person who cannot show the factors is told so.",
            "declined.assurance_unmet",
            "unmet_authentication_requirements",
        ),
        (
            "declined.request_refused",
            "A request that the issuer refuses in front of the person is the operator's to fix.",
            "declined.request_refused",
            "invalid_request",
        ),
        (
            "declined.other",
            "An error that nobody listed is a decline with a code of its own.",
            "declined.other",
            "something_unheard_of",
        ),
        (
            "issuer.temporarily_unavailable",
            "An issuer that asks for patience in the callback is unavailable; nobody declined.",
            "issuer.unavailable",
            "temporarily_unavailable",
        ),
        (
            "issuer.server_error",
            "An issuer that failed while the person was there is unavailable; nobody declined.",
            "issuer.unavailable",
            "server_error",
        ),
    )
)
