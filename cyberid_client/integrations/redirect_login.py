"""The redirect: to the issuer's page and back, for a login and for a step-up, and out again."""

from __future__ import annotations

import logging
from typing import Final

from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    StoreError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.languages import choose_language
from cyberid_client.integrations.login_cookies import LoginCookie, drop_oldest, write_login_cookie
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession, redirect
from cyberid_client.integrations.sessions import Finished, SessionLogin, read_login
from cyberid_client.integrations.site import RETURN_TO_MAX
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.models import Assurance, Login, LoginRequest, Persistence

__all__ = ["answer_callback", "answer_login", "answer_logout", "answer_step_up", "start_step_up"]

logger: Final = logging.getLogger("cyberid_client")

_UI_LOCALES: Final = {"en": "en zh-CN", "zh": "zh-CN en"}


def answer_login(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Show the button, or start a login when it was pressed."""
    del session
    fields = request.parameters if request.method == "GET" else request.form
    asked = fields.get("return_to")
    if request.method == "GET" or not desk.site.is_own(request):
        # A page of somebody else may lead here, but the person decides.
        return desk.site.start_page(request, desk.site.place(request, asked))
    try:
        started: LoginRequest = yield ask(
            desk.client.start_login,
            # A short one is judged by the client, which refuses what leads away.
            return_to=asked if asked and len(asked) <= RETURN_TO_MAX else desk.site.place(request, None),
            ui_locales=_ui_locales(request),
        )
    except CyberIDError as error:
        return desk.failed(error, request)
    return _leave(desk, request, started)


def answer_callback(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Finish what the browser brought back; a page that is loaded again goes on to where its login went."""
    name = desk.client.cookie_name_for(request.query) or ""
    gone_on = Finished.of(session).place(name)
    if gone_on is not None:
        return redirect(gone_on)
    cookie = LoginCookie.read(request.cookies.get(name))
    is_step_up = cookie.is_step_up and read_login(session) is not None
    was_taken = name != ""
    try:
        login: Login = yield ask(desk.client.finish_login, request.query, handle=cookie.handle)
        yield from desk.admit(login, session, name=name, is_step_up=is_step_up)
    except CyberIDError as error:
        reply = desk.failed(error, request, is_step_up=is_step_up)
        # A store that cannot be reached gave nothing out: the same page, loaded again, may yet succeed.
        was_taken = was_taken and not isinstance(error, StoreError)
    else:
        reply = redirect(login.return_to)
    if was_taken:
        reply = reply.with_cookies((desk.client.clear_cookie(request.query),))
    return reply


def answer_step_up(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Ask who is logged in to prove it again."""
    if not desk.site.is_own(request):
        return desk.site.page("foreign_form", request)
    login = read_login(session)
    if login is None:
        return redirect(desk.site.login_place(request))
    asked = request.form.get("assurance", Assurance.R04.name)
    assurance = Assurance[asked] if asked in Assurance.__members__ else Assurance.R04
    place = desk.site.place(request, request.form.get("return_to"))
    return (yield from start_step_up(desk, request, login, assurance=assurance, return_to=place))


def start_step_up(
    desk: Desk, request: WebRequest, login: SessionLogin, *, assurance: Assurance, return_to: str
) -> Steps[WebReply]:
    """Send the browser to the issuer for a step-up, or say that it cannot be."""
    if login.persistence is Persistence.SESSION:
        # The answer would name another pseudonym: nothing could tell that it is the same person.
        logger.warning("no step-up: the pseudonym is for this session only")
        return desk.site.page("step_up", request)
    try:
        started: LoginRequest = yield ask(
            desk.client.start_step_up,
            login.pseudonym_digest,
            assurance=assurance,
            max_age=0,
            return_to=return_to,
            ui_locales=_ui_locales(request),
        )
    except CyberIDError as error:
        return desk.failed(error, request, is_step_up=True)
    return _leave(desk, request, started, is_step_up=True)


def answer_logout(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """End the session here, and then the one at the issuer."""
    if not desk.site.is_own(request):
        return desk.site.page("foreign_form", request)
    login = read_login(session)
    session.clear()
    place = yield from _place_after_logout(desk, login)
    return redirect(place or desk.site.home_page(request))


def _place_after_logout(desk: Desk, login: SessionLogin | None) -> Steps[str | None]:
    """Return where the session at the issuer is ended; ``None`` where that cannot be done."""
    if login is None:
        return None
    try:
        place: str = yield ask(
            desk.client.logout_url,
            session_id=login.session_id,
            post_logout_redirect_uri=desk.post_logout_redirect_uri,
        )
    except (ConfigurationError, UnavailableError, VerificationError) as error:
        # The app's own session is over, and that is what was asked of it.
        logger.info("no logout at the issuer: code=%s reference=%s", error.code, error.reference)
        return None
    return place


def _leave(desk: Desk, request: WebRequest, started: LoginRequest, *, is_step_up: bool = False) -> WebReply:
    fresh = write_login_cookie(started.set_cookie, now=desk.clock(), is_step_up=is_step_up)
    return redirect(started.url).with_cookies((*drop_oldest(request.cookies), fresh))


def _ui_locales(request: WebRequest) -> str:
    return _UI_LOCALES[choose_language(request.headers.get("accept-language"))]
