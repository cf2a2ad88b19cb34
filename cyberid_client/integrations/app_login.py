"""App launch, for the app's own app on a phone: JSON in, JSON out, and a cookie that keeps the handle between."""

from __future__ import annotations

from typing import Final

from cyberid_client.errors import CyberIDError, LoginDeclinedError, LoginRestartError, StoreError
from cyberid_client.handshake import cookies
from cyberid_client.integrations.answers import json_reply, kind_of
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession
from cyberid_client.integrations.pages import PAGES, words_of
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.models import AppLaunch, Login
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["answer_app_finish", "answer_app_start"]

START_MAX_BYTES: Final = 4096
_JSON: Final = "application/json"
_APP: Final = "app."


def answer_app_start(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Return what the ID app is launched with, and set the cookie that ties its answer to this app."""
    del session
    refused = _foreign(desk, request)
    if refused is not None:
        return refused
    members = _members(request.body)
    platform, place = members.get("platform"), members.get("return_to")
    if platform not in desk.client.app_platforms:
        return json_reply(400, {"error": "platform", "retry": False})
    try:
        launch: AppLaunch = yield ask(
            desk.client.start_app_login,
            platform=platform,
            return_to=desk.site.place(request, place if isinstance(place, str) else None),
        )
    except CyberIDError as error:
        return _failed(desk, error, request)
    return json_reply(200, launch.to_dict()).with_cookies((launch.set_cookie,))


def answer_app_finish(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Judge what the ID app answered, and begin the session."""
    refused = _foreign(desk, request)
    if refused is not None:
        return refused
    handle = request.cookies.get(cookies.APP_COOKIE)
    was_taken = True
    try:
        login: Login = yield ask(desk.client.finish_app_login, request.body, handle=handle)
        yield from desk.admit(login, session)
    except CyberIDError as error:
        reply = _failed(desk, error, request)
        # A store that cannot be reached gave nothing out: the same answer, sent again, may yet succeed.
        was_taken = not isinstance(error, StoreError)
    else:
        reply = json_reply(200, {"return_to": login.return_to})
    return reply.with_cookies((cookies.clear_cookie(cookies.APP_COOKIE),)) if was_taken else reply


def _foreign(desk: Desk, request: WebRequest) -> WebReply | None:
    """Return what a request gets that a page of somebody else may have caused.

    An app on a phone says nothing of an origin, and every browser does with a POST. JSON besides: no form of
    a foreign page can send it without asking first (Fetch §3.3).
    """
    headers = request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        return json_reply(415, {"error": "content_type", "retry": False})
    is_silent = "sec-fetch-site" not in headers and "origin" not in headers
    if is_silent or desk.site.is_own(request):
        return None
    return json_reply(403, {"error": "foreign_form", "retry": False})


def _members(body: bytes) -> dict[str, object]:
    try:
        return parse_json_object(body, document="app_result", max_bytes=START_MAX_BYTES)
    except CyberIDError:
        return {}


def _failed(desk: Desk, error: CyberIDError, request: WebRequest) -> WebReply:
    """Return what the app on the phone is told, with words that it may show."""
    kind = error.code.removeprefix(_APP) if isinstance(error, LoginDeclinedError) else ""
    if not error.code.startswith(_APP) or kind not in PAGES:
        kind = kind_of(error, request, is_step_up=False)
    desk.note(kind, error)
    words = words_of(kind, request.headers.get("accept-language"))
    members: dict[str, object] = {
        "error": kind,
        "retry": error.retryable or isinstance(error, LoginRestartError),
        "reference": error.reference,
        **words,
    }
    return json_reply(PAGES[kind], members)
