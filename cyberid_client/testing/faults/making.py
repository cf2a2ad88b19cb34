"""Small words in which faults and oddities are written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.drafts import CallbackDraft, Page, SignedDraft
from cyberid_client.testing.keyring import Keyring

__all__ = [
    "BASIC",
    "FAPI",
    "Change",
    "append_to_claim",
    "by_name",
    "date_claim",
    "drop_claim",
    "drop_header",
    "fault",
    "finish",
    "oddity",
    "put_claim",
    "put_header",
    "put_member",
]

# Prefixes of the conformance suite's module names.
BASIC: Final = "oidcc-client-test-"
FAPI: Final = "fapi2-security-profile-final-client-test-"

_CLASS_OF_CODE: Final[Mapping[str, str]] = {
    "par.client_refused": "ConfigurationError",
    "par.request_refused": "ConfigurationError",
    "token.client_refused": "ConfigurationError",
    "token.proof_refused": "ConfigurationError",
    "id_token.signature": "SignatureError",
    "logout_token.signature": "SignatureError",
    "security_event.signature": "SignatureError",
    "jarm.signature": "SignatureError",
    "receipt.signature": "SignatureError",
    "app_verification.client_refused": "ConfigurationError",
    "app_verification.request_refused": "ConfigurationError",
    "metadata.signature": "SignatureError",
    "status_list.signature": "SignatureError",
    "credential.signature": "SignatureError",
    "key_binding.signature": "SignatureError",
}
_CLASS_OF_SECTION: Final[Mapping[str, str]] = {
    "app": "LoginDeclinedError",
    "chain": "ChainError",
    "declined": "LoginDeclinedError",
    "issuer": "UnavailableError",
    "login": "LoginRestartError",
    "revocation": "RevocationError",
    "status": "RevocationError",
    "transport": "TransportError",
}

Change = Callable[[Any], None]


def fault(  # noqa: PLR0913 - one row of a table
    name: str,
    number: str,
    law: str,
    *,
    stage: str,
    code: str,
    change: Change,
    module: str | None = None,
    needs: str | None = None,
    prepare: Callable[[Keyring], None] | None = None,
) -> Fault:
    """Write one fault down; the class of the error follows from its code."""
    section = code.partition(".")[0]
    return Fault(
        name=name,
        numbers=(number,),
        law=law,
        expected_error=_CLASS_OF_CODE.get(code) or _CLASS_OF_SECTION.get(section, "VerificationError"),
        expected_code=code,
        module=module,
        needs=needs,
        stage=stage,
        change=change,
        prepare=prepare,
    )


def oddity(
    name: str,
    number: str,
    law: str,
    *,
    stage: str,
    change: Change,
    module: str | None = None,
    needs: str | None = None,
    prepare: Callable[[Keyring], None] | None = None,
) -> Oddity:
    """Write one oddity down."""
    return Oddity(
        name=name,
        numbers=(number,),
        law=law,
        module=module,
        needs=needs,
        stage=stage,
        change=change,
        prepare=prepare,
    )


def by_name(*groups: Iterable[Fault]) -> dict[str, Fault]:
    """Return the faults of all groups by name.

    Raises:
        ValueError: two have the same name.
    """
    everything = [each for group in groups for each in group]
    named = {each.name: each for each in everything}
    if len(named) != len(everything):
        message = "two faults have the same name"
        raise ValueError(message)
    return named


def put_claim(name: str, value: object) -> Change:
    """Set a claim of a signed document."""

    def change(draft: SignedDraft) -> None:
        draft.claims[name] = value

    return change


def drop_claim(name: str) -> Change:
    """Take a claim out of a signed document."""

    def change(draft: SignedDraft) -> None:
        del draft.claims[name]

    return change


def append_to_claim(name: str, text: str) -> Change:
    """Append text to a claim."""

    def change(draft: SignedDraft) -> None:
        draft.claims[name] = f"{draft.claims[name]}{text}"

    return change


def date_claim(name: str, seconds: float) -> Change:
    """Set a date, in seconds from the issuer's now."""

    def change(draft: SignedDraft) -> None:
        draft.claims[name] = draft.seconds + seconds

    return change


def put_header(name: str, value: object) -> Change:
    """Set a member of the protected header."""

    def change(draft: SignedDraft) -> None:
        draft.header[name] = value

    return change


def drop_header(*names: str) -> Change:
    """Take members out of the protected header."""

    def change(draft: SignedDraft) -> None:
        for name in names:
            del draft.header[name]

    return change


def put_member(name: str, value: object) -> Change:
    """Set a member of a JSON page."""

    def change(page: Page) -> None:
        page.document[name] = value

    return change


def finish(error: str) -> Change:
    """Answer the browser with an error in the code's place."""

    def change(draft: CallbackDraft) -> None:
        draft.parameters = [
            ("error", error) if name in {"code", "error"} else (name, value)
            for name, value in draft.parameters
        ]

    return change
