"""Give the login to the browser that asked for it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Final

from cyberid_client.effects import Leg
from cyberid_client.errors import (
    LoginDeclinedError,
    LoginRestartError,
)
from cyberid_client.handshake.presentation import (
    ProvedAnswer,
    login_of,
    open_answer,
    require_code,
    require_digits,
)
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.legs import Legs
from cyberid_client.models import Login
from cyberid_client.presentation_legs.records import (
    Found,
    find,
    require_answer,
    require_response_code,
    require_timely,
    revise,
    take,
    taking,
)

__all__ = ["finish_presentation"]

TRIES_MAX: Final = 3
# What people type holds spaces; no more of it is looked at than this.
TYPED_MAX: Final = 64
_SEPARATORS: Final = re.compile(r"[\s-]+")
_TYPED: Final = re.compile(r"[0-9]{6}", re.ASCII)


def finish_presentation(
    legs: Legs, handle: str | None, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Give the login to the browser that asked for it."""
    legs.require_open()
    legs.rp.require_current(legs.env.now())
    parsed = PresentationHandle.parse(handle)
    found = yield from find(legs, parsed.request_id)
    if found[1].device == "same":
        login = yield from _finish_here(legs, parsed, response_code, typed_code)
    else:
        login = yield from _finish_elsewhere(legs, parsed, found, response_code, typed_code)
    legs.note_identity_shape(login)
    return login


def _finish_here(
    legs: Legs, handle: PresentationHandle, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Use the presentation up, and then look whether the browser brought the response code."""
    record = yield from take(legs, handle.request_id)
    if typed_code is not None:
        raise LoginRestartError("login.other_kind")
    require_timely(legs, record)
    code = None if response_code is None else PresentationCode.parse(response_code)
    if code is None or code.request_id != handle.request_id:
        raise LoginRestartError("presentation.response_code")
    require_response_code(record, code)
    require_answer(record)
    answer = open_answer(record, handle, rp=legs.rp)
    # The record's own hash stands where whoever has store and link can write; this one is signed.
    require_code(answer, code)
    return login_of(answer, record)


def _finish_elsewhere(
    legs: Legs, handle: PresentationHandle, found: Found, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Look at what was typed; use the presentation up unless more may be typed."""
    try:
        answer = yield from _judge_digits(legs, handle, found, response_code, typed_code)
    except (LoginDeclinedError, LoginRestartError) as error:
        if not error.retryable:
            yield taking(legs, handle.request_id)
        raise
    # Of two who typed the right digits at the same moment one is logged in.
    record = yield from take(legs, handle.request_id)
    return login_of(answer, record)


def _judge_digits(
    legs: Legs, handle: PresentationHandle, found: Found, response_code: str | None, typed_code: str | None
) -> Leg[ProvedAnswer]:
    """Count the try, and only then compare: whoever tries at the same moment has tried as well."""
    if response_code is not None:
        raise LoginRestartError("login.other_kind")
    require_timely(legs, found[1])
    require_answer(found[1])
    typed = _plain_digits(typed_code)
    record = yield from revise(legs, handle.request_id, found, _count_try)
    answer = open_answer(record, handle, rp=legs.rp)
    try:
        require_digits(answer, typed)
    except LoginDeclinedError:
        if record.tries < TRIES_MAX:
            raise
        raise LoginRestartError("presentation.digits_used_up") from None
    return answer


def _count_try(record: PresentationRecord) -> PresentationRecord:
    require_answer(record)
    if record.tries >= TRIES_MAX:
        raise LoginRestartError("presentation.digits_used_up")
    return replace(record, tries=record.tries + 1)


def _plain_digits(typed: object) -> str:
    """Return six ASCII digits as a person may type them: with spaces, a hyphen, or in full width.

    Raises:
        LoginDeclinedError: what was typed cannot be any; no try is counted for it.
    """
    text = unicodedata.normalize("NFKC", typed[:TYPED_MAX]) if isinstance(typed, str) else ""
    match = _TYPED.fullmatch(_SEPARATORS.sub("", text))
    if match is None:
        raise LoginDeclinedError("presentation.digits_wrong")
    return match[0]
