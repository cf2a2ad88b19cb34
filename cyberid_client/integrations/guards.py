"""Pages of the app that ask for a login, or for more than the login that there is."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.integrations.answers import challenge, is_tentative, login_required, return_to_query
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession, redirect
from cyberid_client.integrations.redirect_login import start_step_up
from cyberid_client.integrations.sessions import StepUpGuard, read_login
from cyberid_client.integrations.steps import Steps
from cyberid_client.models import Assurance, Channel

__all__ = ["require", "require_login"]

logger: Final = logging.getLogger("cyberid_client")


def require_login(desk: Desk, request: WebRequest, session: WebSession) -> WebReply | None:
    """Return ``None`` when somebody is logged in with the ID, and else what to answer instead."""
    if read_login(session) is not None:
        return None
    if request.wants_json:
        return login_required()
    return redirect(f"{desk.site.login_place(request)}?{return_to_query(desk.site.here(request))}")


def require(
    desk: Desk,
    request: WebRequest,
    session: WebSession,
    *,
    assurance: Assurance,
    max_age: int | None,
    return_to: str | None,
    channels: Collection[Channel] | None,
) -> Steps[WebReply | None]:
    """Return ``None`` when the login is good enough, and else what to answer instead; as ``WebLogin.require``."""
    if max_age is not None and max_age < 1:
        raise ConfigurationError("config.max_age", "max_age")
    if channels is not None and Channel.REDIRECT not in channels:
        # A step-up comes by the redirect: whoever is asked for one could never satisfy it.
        raise ConfigurationError("config.value", "channels")
    missing = require_login(desk, request, session)
    login, now = read_login(session), desk.clock()
    if missing is not None or login is None:
        return missing
    guard = StepUpGuard(session)
    is_enough = login.satisfies(assurance, max_age=max_age, now=now, channels=channels)
    if is_tentative(request) and not is_enough:
        # A step-up begins only when somebody wants the page.
        return WebReply(status=403, headers=(("Cache-Control", "no-store"),))
    if is_enough:
        guard.take(assurance, now=now)
        return None
    if request.wants_json:
        return challenge(assurance, max_age)
    if guard.take(assurance, now=now):
        logger.warning("a step-up was not enough for the page that asked for it")
        return desk.site.page("step_up", request)
    place = desk.site.here(request) if return_to is None else return_to
    return (yield from start_step_up(desk, request, login, assurance=assurance, return_to=place))
