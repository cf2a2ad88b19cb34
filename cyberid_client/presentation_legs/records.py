"""The one record of a presentation: find it, change it in one step, take it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final

from cyberid_client.effects import Leg, StorePeek, StoreSwap, StoreTake
from cyberid_client.errors import (
    LoginDeclinedError,
    LoginRestartError,
    UnavailableError,
)
from cyberid_client.handshake.bundle import COMPLETE
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.checks.presentation import check_presentation_lifetime, check_same_client
from cyberid_client.handshake.presentation_ids import PresentationCode, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord, Stage
from cyberid_client.handshake.presentation_subjects import PendingPresentationSubject
from cyberid_client.legs import Legs

__all__ = [
    "Found",
    "find",
    "find_waiting",
    "require_answer",
    "require_response_code",
    "require_timely",
    "revise",
    "revise_waiting",
    "take",
    "taking",
]

# However many come at the same moment: each swap that is lost was won by somebody else.
SWAPS_MAX: Final = 16
# A record with its sealed form, which a swap compares.
Found = tuple[bytes, PresentationRecord]


def find(legs: Legs, request_id: RequestId) -> Leg[Found]:
    """Return the record of a presentation of this client, and its sealed form.

    Raises:
        LoginRestartError: there is none (any more), or another client asked.
    """
    sealed: bytes | None = yield StorePeek(key=request_id.key, now=legs.env.now())
    if sealed is None:
        raise LoginRestartError("login.unknown")
    record = PresentationRecord.unseal(sealed, request_id)
    check_same_client(PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now()))
    return sealed, record


def find_waiting(legs: Legs, request_id: RequestId) -> Leg[Found]:
    """Return it as :func:`find` does, if it waits for a wallet.

    Raises:
        LoginRestartError: it does not, or too much time has passed.
    """
    found = yield from find(legs, request_id)
    _require_waiting(legs, found[1])
    return found


def _require_waiting(legs: Legs, record: PresentationRecord) -> None:
    subject = PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now())
    run_checks(COMPLETE.pending_presentation, subject)


def taking(legs: Legs, request_id: RequestId) -> StoreTake:
    """Return the effect that takes a record away."""
    return StoreTake(key=request_id.key, carried="", now=legs.env.now())


def take(legs: Legs, request_id: RequestId) -> Leg[PresentationRecord]:
    """Take the record away, and return it.

    Raises:
        LoginRestartError: somebody else did.
    """
    sealed: bytes | None = yield taking(legs, request_id)
    if sealed is None:
        raise LoginRestartError("login.unknown")
    return PresentationRecord.unseal(sealed, request_id)


def revise(
    legs: Legs,
    request_id: RequestId,
    found: Found,
    change: Callable[[PresentationRecord], PresentationRecord],
) -> Leg[PresentationRecord]:
    """Change a record, again and again while others change it at the same moment.

    Args:
        legs: of the client.
        request_id: of the presentation.
        found: the record as it was read.
        change: returns another record, or raises when there is nothing to change any more.

    Raises:
        LoginRestartError: the record is gone.
        UnavailableError: others were always faster.
    """
    for _ in range(SWAPS_MAX):
        sealed, record = found
        changed = change(record)
        is_changed: bool = yield StoreSwap(
            key=request_id.key, old=sealed, new=changed.seal(request_id, legs.env), now=legs.env.now()
        )
        if is_changed:
            return changed
        found = yield from find(legs, request_id)
    raise UnavailableError("presentation.busy")


def revise_waiting(
    legs: Legs,
    request_id: RequestId,
    found: Found,
    change: Callable[[PresentationRecord], PresentationRecord],
) -> Leg[PresentationRecord]:
    """Change a record that waits; somebody else's change that ended that stands."""

    def change_waiting(record: PresentationRecord) -> PresentationRecord:
        _require_waiting(legs, record)
        return change(record)

    return (yield from revise(legs, request_id, found, change_waiting))


def require_timely(legs: Legs, record: PresentationRecord) -> None:
    """Return unless too much time has passed, or another client asked.

    Raises:
        LoginRestartError: that is so.
    """
    subject = PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now())
    check_same_client(subject)
    check_presentation_lifetime(subject)


def require_response_code(record: PresentationRecord, code: PresentationCode) -> None:
    """Return if this is the code that the wallet was answered with.

    Raises:
        LoginRestartError: ``presentation.response_code``.
    """
    if not hmac.compare_digest(record.code_hash, code.hash):
        raise LoginRestartError("presentation.response_code")


def require_answer(record: PresentationRecord) -> None:
    """Return if a wallet has answered.

    Raises:
        LoginDeclinedError: none has yet, or the person said no.
        LoginRestartError: the presentation is over.
    """
    if record.stage is Stage.WAITING:
        raise LoginDeclinedError("presentation.not_answered")
    if record.stage is Stage.DECLINED:
        raise LoginDeclinedError("presentation.declined")
    if record.stage is Stage.SPENT:
        raise LoginRestartError("presentation.over")
