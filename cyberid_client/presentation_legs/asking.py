"""Begin a presentation, and say what is asked about one: by the wallet, by a page that waits, by the wallet's page."""

from __future__ import annotations

import logging
from typing import Final

from cyberid_client.effects import Leg, StorePeek, StorePut
from cyberid_client.errors import (
    LoginRestartError,
    StoreError,
)
from cyberid_client.handshake import cookies
from cyberid_client.handshake.presentation_ids import (
    SECRET_BYTES,
    PresentationCode,
    PresentationHandle,
    RequestId,
)
from cyberid_client.handshake.presentation_record import read_state
from cyberid_client.handshake.presentation_request import (
    PresentationAsk,
    new_record,
    request_object,
    require_wallet,
    wallet_of,
    wallet_uri,
)
from cyberid_client.legs import EXPIRED_IS_KNOWN_FOR, Legs
from cyberid_client.models import PresentationRequest, PresentationState
from cyberid_client.presentation_legs.records import (
    find,
    require_answer,
    require_response_code,
    require_timely,
)

__all__ = [
    "presentation_cookie_name",
    "presentation_digits",
    "presentation_request_object",
    "presentation_status",
    "start_presentation",
]


logger: Final = logging.getLogger("cyberid_client")


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
    _, record = yield from find(legs, parsed)
    flow = request_object(legs.rp, record, parsed, wallet_nonce=wallet_nonce, now=legs.env.now())
    return (yield from legs.keeper.answering(flow))


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
    _, record = yield from find(legs, code.request_id)
    require_timely(legs, record)
    if record.device != "other":
        raise LoginRestartError("login.other_kind")
    require_response_code(record, code)
    require_answer(record)
    return code.digits


def presentation_cookie_name(code: str) -> str | None:
    """Return the name of the cookie in which a presentation's handle is.

    Args:
        code: a response code or a status handle, untrusted.
    """
    try:
        return cookies.cookie_name(PresentationCode.parse(code).request_id.text)
    except LoginRestartError:
        return None
