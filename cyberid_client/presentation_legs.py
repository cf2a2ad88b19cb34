"""The calls of a wallet presentation, each as a leg over one record in the store of pending logins (profile §5).

Nothing here fetches, except the start of a client that knows nothing at all about its issuer yet.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from cyberid_client.effects import Leg, StorePeek, StorePut, StoreSwap, StoreTake
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginDeclinedError,
    LoginRestartError,
    StoreError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.handshake import cookies
from cyberid_client.handshake.bundle import COMPLETE
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.checks.presentation import check_presentation_lifetime, check_same_client
from cyberid_client.handshake.formats import KnownAhead, VerifiedPresentation
from cyberid_client.handshake.presentation import (
    ProvedAnswer,
    believe_response,
    login_of,
    open_answer,
    open_response,
    pack_answer,
    require_code,
    require_digits,
)
from cyberid_client.handshake.presentation_record import (
    SECRET_BYTES,
    PresentationCode,
    PresentationHandle,
    PresentationRecord,
    RequestId,
    Stage,
    read_state,
)
from cyberid_client.handshake.presentation_request import (
    PresentationAsk,
    new_record,
    request_object,
    require_wallet,
    wallet_of,
    wallet_uri,
)
from cyberid_client.handshake.presentation_subjects import PendingPresentationSubject
from cyberid_client.handshake.revocation import LIST_CODES
from cyberid_client.legs import EXPIRED_IS_KNOWN_FOR, Ending, Legs
from cyberid_client.models import Login, PresentationReply, PresentationRequest, PresentationState
from cyberid_client.wire.jwe import parse_jwe
from cyberid_client.wire.presentation import PresentationForm, read_presentation_form

__all__ = [
    "PresentationAsk",
    "finish_presentation",
    "presentation_cookie_name",
    "presentation_digits",
    "presentation_request_object",
    "presentation_status",
    "receive_presentation",
    "start_presentation",
]

# So many answers to one request may fail to decrypt, and so many times digits may be typed.
MISSES_MAX: Final = 10
TRIES_MAX: Final = 3
# However many come at the same moment: each swap that is lost was won by somebody else.
SWAPS_MAX: Final = 16

# What people type holds spaces; no more of it is looked at than this.
TYPED_MAX: Final = 64
_SEPARATORS: Final = re.compile(r"[\s-]+")
_TYPED: Final = re.compile(r"[0-9]{6}", re.ASCII)

OK: Final = 200
BAD_REQUEST: Final = 400
UNAVAILABLE: Final = 503
_HEADERS: Final = MappingProxyType({"content-type": "application/json", "cache-control": "no-store"})

logger: Final = logging.getLogger("cyberid_client")

# A record with its sealed form, which a swap compares.
_Found = tuple[bytes, PresentationRecord]


def start_presentation(legs: Legs, ask: PresentationAsk) -> Leg[PresentationRequest]:
    """Make the request and keep what must be kept until wallet and browser are back."""
    legs.require_open()
    rp, now = legs.rp, legs.env.now()
    rp.require_current(now)
    require_wallet(rp, now, cache=legs.cache)
    handle = PresentationHandle(legs.env.token(SECRET_BYTES))
    record = new_record(rp, ask, handle, legs.env)
    yield from legs.know_something()
    request_id = handle.request_id
    carried: object = yield StorePut(
        key=request_id.key,
        record=record.seal(request_id, legs.env),
        expires_at=record.expires_at + EXPIRED_IS_KNOWN_FOR,
        now=record.started_at,
    )
    if carried != "":
        # The wallet brings nothing that a store made a browser carry.
        logger.warning("store returned what no wallet can carry")
        raise StoreError("store.failed")
    name = cookies.cookie_name(request_id.text)
    settings, _ = wallet_of(rp)
    return PresentationRequest(
        uri=wallet_uri(rp, record, request_id),
        handle=handle.text(),
        status_handle=handle.status.text() if record.device == "other" else None,
        cookie_name=name,
        set_cookie=cookies.set_cookie(name, handle.text(), max_age=settings.lifetime),
        expires_at=record.expires_at,
    )


def presentation_request_object(legs: Legs, request_id: str, wallet_nonce: str | None) -> Leg[str]:
    """Sign the request object of a presentation that waits."""
    legs.require_open()
    parsed = RequestId.parse(request_id)
    _, record = yield from _find(legs, parsed)
    flow = request_object(legs.rp, record, parsed, wallet_nonce=wallet_nonce, now=legs.env.now())
    return (yield from legs.keeper.answering(flow))


def receive_presentation(legs: Legs, body: bytes, content_type: str | None) -> Leg[PresentationReply]:
    """Judge what a wallet posted, keep what it proved, and say what to answer."""
    legs.require_open()
    try:
        with Ending("receive_presentation"):
            address = yield from _receive(legs, read_presentation_form(body, content_type))
    except CyberIDError as error:
        return _refusal(error)
    return _reply(OK, {"redirect_uri": address})


def _receive(legs: Legs, form: PresentationForm) -> Leg[str]:
    """Return where the wallet sends the person on to (OpenID4VP 1.0 §8.2)."""
    if form.response is None:
        return (yield from _receive_unencrypted(legs, form))
    jwe = parse_jwe(form.response, document="presentation")
    request_id = RequestId.parse(jwe.kid)
    found = yield from _find_waiting(legs, request_id)
    try:
        payload = open_response(jwe, found[1], request_id)
    except VerificationError:
        yield from _count_miss(legs, request_id, found)
        raise
    try:
        verified = _believe(legs, payload, found[1], request_id)
    except VerificationError as error:
        if not _is_trouble(error):
            yield from _revise_waiting(legs, request_id, found, PresentationRecord.spent)
        raise
    return (yield from _keep_answer(legs, request_id, found, verified))


def _receive_unencrypted(legs: Legs, form: PresentationForm) -> Leg[str]:
    """Take a refusal, which may come for everybody to read and changes nothing; count everything else."""
    request_id = RequestId.parse(form.state)
    found = yield from _find_waiting(legs, request_id)
    if form.unencrypted:
        yield from _count_miss(legs, request_id, found)
        raise VerificationError("presentation.unencrypted")
    logger.info("receive_presentation: the wallet refused")
    settings, _ = wallet_of(legs.rp)
    return settings.code_uri if found[1].device == "other" else settings.return_uri


def _believe(
    legs: Legs, payload: bytes, record: PresentationRecord, request_id: RequestId
) -> VerifiedPresentation | None:
    snapshot = legs.known_snapshot()
    return believe_response(
        payload,
        record,
        request_id,
        rp=legs.rp,
        known=KnownAhead(
            keys=snapshot.keys, crls=snapshot.crls, statuses=legs.status.lists, cache=legs.cache
        ),
        epoch_length=snapshot.metadata.credential_epoch_length or 0,
        now=legs.env.now(),
    )


def _keep_answer(
    legs: Legs, request_id: RequestId, found: _Found, verified: VerifiedPresentation | None
) -> Leg[str]:
    """Keep what a wallet proved, or that it said no, unless somebody was faster; and send the person on."""
    code = PresentationCode.new(request_id, legs.env)
    is_other = found[1].device == "other"
    if verified is None:
        yield from _revise_waiting(legs, request_id, found, lambda record: record.declined(code))
    else:
        answer = ProvedAnswer(
            verified=verified,
            received_at=legs.env.now(),
            digits=code.digits if is_other else None,
            code_hash=code.hash,
        )
        packed = yield from pack_answer(answer, request_id, rp=legs.rp)
        yield from _revise_waiting(legs, request_id, found, lambda record: record.answered(packed, code))
    settings, _ = wallet_of(legs.rp)
    address = settings.code_uri if is_other else settings.return_uri
    return f"{address}?{urlencode({'response_code': code.text()})}"


def _count_miss(legs: Legs, request_id: RequestId, found: _Found) -> Leg[None]:
    def count(record: PresentationRecord) -> PresentationRecord:
        misses = record.misses + 1
        return record.spent() if misses >= MISSES_MAX else replace(record, misses=misses)

    yield from _revise_waiting(legs, request_id, found, count)


def presentation_status(legs: Legs, status_handle: str) -> Leg[PresentationState]:
    """Say how far a presentation from another device is; a thousand pages ask this every two seconds."""
    legs.require_open()
    try:
        code = PresentationCode.parse(status_handle)
    except LoginRestartError:
        return PresentationState.OVER
    now = legs.env.now()
    record: bytes | None = yield StorePeek(key=code.request_id.key, now=now)
    return PresentationState.OVER if record is None else read_state(record, code, now)


def presentation_digits(legs: Legs, response_code: str) -> Leg[str]:
    """Return the six digits of an answered presentation."""
    legs.require_open()
    code = PresentationCode.parse(response_code)
    _, record = yield from _find(legs, code.request_id)
    _require_timely(legs, record)
    if record.device != "other":
        raise LoginRestartError("login.other_kind")
    _require_code(record, code)
    _require_answer(record)
    return code.digits


def finish_presentation(
    legs: Legs, handle: str | None, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Give the login to the browser that asked for it."""
    legs.require_open()
    legs.rp.require_current(legs.env.now())
    parsed = PresentationHandle.parse(handle)
    found = yield from _find(legs, parsed.request_id)
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
    record = yield from _take(legs, handle.request_id)
    if typed_code is not None:
        raise LoginRestartError("login.other_kind")
    _require_timely(legs, record)
    code = None if response_code is None else PresentationCode.parse(response_code)
    if code is None or code.request_id != handle.request_id:
        raise LoginRestartError("presentation.response_code")
    _require_code(record, code)
    _require_answer(record)
    answer = open_answer(record, handle, rp=legs.rp)
    # The record's own hash stands where whoever has store and link can write; this one is signed.
    require_code(answer, code)
    return login_of(answer, record)


def _finish_elsewhere(
    legs: Legs, handle: PresentationHandle, found: _Found, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Look at what was typed; use the presentation up unless more may be typed."""
    try:
        answer = yield from _judge_digits(legs, handle, found, response_code, typed_code)
    except (LoginDeclinedError, LoginRestartError) as error:
        if not error.retryable:
            yield _taking(legs, handle.request_id)
        raise
    # Of two who typed the right digits at the same moment one is logged in.
    record = yield from _take(legs, handle.request_id)
    return login_of(answer, record)


def _judge_digits(
    legs: Legs, handle: PresentationHandle, found: _Found, response_code: str | None, typed_code: str | None
) -> Leg[ProvedAnswer]:
    """Count the try, and only then compare: whoever tries at the same moment has tried as well."""
    if response_code is not None:
        raise LoginRestartError("login.other_kind")
    _require_timely(legs, found[1])
    _require_answer(found[1])
    typed = _plain_digits(typed_code)
    record = yield from _revise(legs, handle.request_id, found, _count_try)
    answer = open_answer(record, handle, rp=legs.rp)
    try:
        require_digits(answer, typed)
    except LoginDeclinedError:
        if record.tries < TRIES_MAX:
            raise
        raise LoginRestartError("presentation.digits_used_up") from None
    return answer


def _count_try(record: PresentationRecord) -> PresentationRecord:
    _require_answer(record)
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


def presentation_cookie_name(code: str) -> str | None:
    """Return the name of the cookie in which a presentation's handle is.

    Args:
        code: a response code or a status handle, untrusted.
    """
    try:
        return cookies.cookie_name(PresentationCode.parse(code).request_id.text)
    except LoginRestartError:
        return None


def _find(legs: Legs, request_id: RequestId) -> Leg[_Found]:
    sealed: bytes | None = yield StorePeek(key=request_id.key, now=legs.env.now())
    if sealed is None:
        raise LoginRestartError("login.unknown")
    record = PresentationRecord.unseal(sealed, request_id)
    check_same_client(PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now()))
    return sealed, record


def _find_waiting(legs: Legs, request_id: RequestId) -> Leg[_Found]:
    found = yield from _find(legs, request_id)
    _require_waiting(legs, found[1])
    return found


def _require_waiting(legs: Legs, record: PresentationRecord) -> None:
    subject = PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now())
    run_checks(COMPLETE.pending_presentation, subject)


def _taking(legs: Legs, request_id: RequestId) -> StoreTake:
    return StoreTake(key=request_id.key, carried="", now=legs.env.now())


def _take(legs: Legs, request_id: RequestId) -> Leg[PresentationRecord]:
    sealed: bytes | None = yield _taking(legs, request_id)
    if sealed is None:
        raise LoginRestartError("login.unknown")
    return PresentationRecord.unseal(sealed, request_id)


def _revise(
    legs: Legs,
    request_id: RequestId,
    found: _Found,
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
        found = yield from _find(legs, request_id)
    raise UnavailableError("presentation.busy")


def _revise_waiting(
    legs: Legs,
    request_id: RequestId,
    found: _Found,
    change: Callable[[PresentationRecord], PresentationRecord],
) -> Leg[PresentationRecord]:
    """Change a record that waits; somebody else's change that ended that stands."""

    def change_waiting(record: PresentationRecord) -> PresentationRecord:
        _require_waiting(legs, record)
        return change(record)

    return (yield from _revise(legs, request_id, found, change_waiting))


def _require_timely(legs: Legs, record: PresentationRecord) -> None:
    subject = PendingPresentationSubject(record=record, rp=legs.rp, now=legs.env.now())
    check_same_client(subject)
    check_presentation_lifetime(subject)


def _require_code(record: PresentationRecord, code: PresentationCode) -> None:
    if not hmac.compare_digest(record.code_hash, code.hash):
        raise LoginRestartError("presentation.response_code")


def _require_answer(record: PresentationRecord) -> None:
    if record.stage is Stage.WAITING:
        raise LoginDeclinedError("presentation.not_answered")
    if record.stage is Stage.DECLINED:
        raise LoginDeclinedError("presentation.declined")
    if record.stage is Stage.SPENT:
        raise LoginRestartError("presentation.over")


def _is_trouble(error: CyberIDError) -> bool:
    """Tell whether it was us who could not judge, so that the same answer may be believed later."""
    return error.retryable or error.code in LIST_CODES


def _refusal(error: CyberIDError) -> PresentationReply:
    """Say no more than whether it is worth another try; why stands in the log."""
    if isinstance(error, UnavailableError | ConfigurationError) or _is_trouble(error):
        return _reply(UNAVAILABLE, {"error": "temporarily_unavailable"})
    return _reply(BAD_REQUEST, {"error": "invalid_request"})


def _reply(status: int, members: dict[str, str]) -> PresentationReply:
    return PresentationReply(status=status, headers=dict(_HEADERS), body=json.dumps(members).encode())
