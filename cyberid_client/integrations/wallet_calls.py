"""What wallets call, and what a page that waits asks every two seconds: no cookie and no session is read here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from cyberid_client.errors import LoginRestartError, UnavailableError, VerificationError
from cyberid_client.integrations.answers import json_reply
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.models import PresentationReply, PresentationState

__all__ = ["answer_wallet_request", "answer_wallet_response", "answer_wallet_script", "answer_wallet_status"]

_FORM: Final = "application/x-www-form-urlencoded"
_STATUS_QUERY: Final = "status_handle="

# Made once: a thousand pages get one of them every two seconds.
_STATES: Final[Mapping[PresentationState, WebReply]] = MappingProxyType(
    {state: json_reply(200, {"state": state.value}) for state in PresentationState}
)


def answer_wallet_request(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Give a wallet the signed request, as often as it asks (OpenID4VP 1.0 §5.10)."""
    del session
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    nonce = request.form.get("wallet_nonce") if request.method == "POST" and kind == _FORM else None
    try:
        signed: str = yield ask(
            desk.client.presentation_request_object,
            request.path_parameters.get("request_id", ""),
            wallet_nonce=nonce,
        )
    except LoginRestartError:
        return json_reply(404, {"error": "not_found"})
    except VerificationError:
        return json_reply(400, {"error": "invalid_request"})
    except UnavailableError:
        return json_reply(503, {"error": "temporarily_unavailable"})
    headers = (("Content-Type", "application/oauth-authz-req+jwt"), ("Cache-Control", "no-store"))
    return WebReply(status=200, headers=headers, body=signed.encode())


def answer_wallet_response(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Take a wallet's answer (OpenID4VP 1.0 §8.2)."""
    del session
    reply: PresentationReply = yield ask(
        desk.client.receive_presentation,
        request.body,
        content_type=request.headers.get("content-type"),
    )
    return WebReply(status=reply.status, headers=tuple(reply.headers.items()), body=reply.body)


def answer_wallet_status(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Say how far a presentation is."""
    del session
    try:
        state: PresentationState = yield ask(
            desk.client.presentation_status, request.query.removeprefix(_STATUS_QUERY)
        )
    except UnavailableError:
        return json_reply(503, {"error": "temporarily_unavailable"})
    return _STATES[state]


def answer_wallet_script(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Give the page that waits what it runs."""
    del desk, request, session
    headers = (
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Cache-Control", "public, max-age=600"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return WebReply(status=200, headers=headers, body=(yield ask(_script)))


@cache
def _script() -> bytes:
    with files("cyberid_client.integrations.texts").joinpath("waiting.js").open("rb") as file:
        return file.read()
