"""Judge what a wallet posted, and keep what it proved."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from cyberid_client.effects import Leg
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.handshake.formats import KnownAhead, VerifiedPresentation
from cyberid_client.handshake.presentation import (
    ProvedAnswer,
    believe_response,
    open_response,
    pack_answer,
)
from cyberid_client.handshake.presentation_ids import PresentationCode, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.handshake.presentation_request import (
    wallet_of,
)
from cyberid_client.handshake.revocation import LIST_CODES
from cyberid_client.legs import Ending, Legs
from cyberid_client.models import PresentationReply
from cyberid_client.presentation_legs.records import (
    Found,
    find_waiting,
    revise_waiting,
)
from cyberid_client.wire.jwe import parse_jwe
from cyberid_client.wire.presentation import PresentationForm, read_presentation_form

__all__ = ["receive_presentation"]

# So many answers to one request may fail to decrypt, and so many times digits may be typed.
MISSES_MAX: Final = 10
OK: Final = 200
BAD_REQUEST: Final = 400
UNAVAILABLE: Final = 503
_HEADERS: Final = MappingProxyType({"content-type": "application/json", "cache-control": "no-store"})

logger: Final = logging.getLogger("cyberid_client")


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
    found = yield from find_waiting(legs, request_id)
    try:
        payload = open_response(jwe, found[1], request_id)
    except VerificationError:
        yield from _count_miss(legs, request_id, found)
        raise
    try:
        verified = _believe(legs, payload, found[1], request_id)
    except VerificationError as error:
        if not _is_trouble(error):
            yield from revise_waiting(legs, request_id, found, PresentationRecord.spent)
        raise
    return (yield from _keep_answer(legs, request_id, found, verified))


def _receive_unencrypted(legs: Legs, form: PresentationForm) -> Leg[str]:
    """Take a refusal, which may come for everybody to read and changes nothing; count everything else."""
    request_id = RequestId.parse(form.state)
    found = yield from find_waiting(legs, request_id)
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
    legs: Legs, request_id: RequestId, found: Found, verified: VerifiedPresentation | None
) -> Leg[str]:
    """Keep what a wallet proved, or that it said no, unless somebody was faster; and send the person on."""
    code = PresentationCode.new(request_id, legs.env)
    is_other = found[1].device == "other"
    if verified is None:
        yield from revise_waiting(legs, request_id, found, lambda record: record.declined(code))
    else:
        answer = ProvedAnswer(
            verified=verified,
            received_at=legs.env.now(),
            digits=code.digits if is_other else None,
            code_hash=code.hash,
        )
        packed = yield from pack_answer(answer, request_id, rp=legs.rp)
        yield from revise_waiting(legs, request_id, found, lambda record: record.answered(packed, code))
    settings, _ = wallet_of(legs.rp)
    address = settings.code_uri if is_other else settings.return_uri
    return f"{address}?{urlencode({'response_code': code.text()})}"


def _count_miss(legs: Legs, request_id: RequestId, found: Found) -> Leg[None]:
    def count(record: PresentationRecord) -> PresentationRecord:
        misses = record.misses + 1
        return record.spent() if misses >= MISSES_MAX else replace(record, misses=misses)

    yield from revise_waiting(legs, request_id, found, count)


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
