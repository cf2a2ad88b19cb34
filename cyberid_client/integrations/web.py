"""Every endpoint of a login, for any web framework: a ``WebRequest`` in, a ``WebReply`` out.

============================  ====  ==========================================================
``/login``                    GET   a page with one button; nothing is started
``/login``                    POST  start a login, ``return_to`` says where it ends
``/callback``                 GET   where the issuer sends the browser back
``/step-up``                  POST  ask the person who is logged in to prove it again
``/logout``                   POST  end the app's session, then the issuer's
``/backchannel-logout``       POST  the issuer says that a session ended
``/security-events``          POST  the issuer says that an account has another state
``/jwks.json``                GET   the public keys of this client
============================  ====  ==========================================================

The paths stand below ``prefix``, which stands below the place where the app is mounted. The three POSTs of a
browser do something only when they come from a page of the app's own origin; the two of the issuer read
no cookie and prove themselves by their signature.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Never

from cyberid_client.client import Client
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginDeclinedError,
    StoreError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.integrations.answers import (
    challenge,
    from_webhook,
    is_tentative,
    kind_of,
    login_required,
    return_to_query,
)
from cyberid_client.integrations.languages import choose_language
from cyberid_client.integrations.login_cookies import LoginCookie, drop_oldest, write_login_cookie
from cyberid_client.integrations.messages import BODY_MAX_BYTES, WebReply, WebRequest, WebSession, redirect
from cyberid_client.integrations.sessions import (
    Finished,
    SessionLogin,
    StepUpGuard,
    begin_session,
    raise_session,
    read_login,
)
from cyberid_client.integrations.site import ENDPOINTS, RETURN_TO_MAX, Endpoint, Site
from cyberid_client.link import system_clock
from cyberid_client.models import Assurance, Login, LoginRequest, Persistence, PseudonymKeys
from cyberid_client.notices import AccountState, LogoutNotice
from cyberid_client.ports import Clock

__all__ = [
    "BODY_MAX_BYTES",
    "ENDPOINTS",
    "Endpoint",
    "SessionLogin",
    "WebLogin",
    "WebReply",
    "WebRequest",
    "WebSession",
    "refuse_login",
]

logger: Final = logging.getLogger("cyberid_client")

_UI_LOCALES: Final = {"en": "en zh-CN", "zh": "zh-CN en"}


def refuse_login() -> Never:
    """Let the app say no in ``on_login`` or ``on_step_up``: the person stays logged out, or as before.

    Raises:
        LoginDeclinedError: always, ``declined.app``.
    """
    raise LoginDeclinedError("declined.app")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WebLogin:
    """The endpoints of one client in one app.

    Attributes:
        client: logs people in.
        keys: digest pseudonyms; the ``pseudonym_keys`` of the client's configuration.
        on_login: given a login and the session before it, returns what the new session begins with: the
            app's own user id above all. It may call :func:`refuse_login`.
        on_step_up: likewise after a step-up of the same person; what it returns is added to the session.
        end_sessions: ends the sessions that a logout notice names, inside the transaction that is its
            second argument, or ``None`` when the replay store has none. Without it there is no
            endpoint for the issuer's logout tokens.
        apply_event: applies the resulting state of an account, likewise. Without it there is no endpoint
            for security events.
        prefix: where the endpoints are, below the place where the app is mounted; the redirect URI of
            the configuration ends in ``prefix + "/callback"``.
        login_page: the app's page with all its ways to log in; the page of ``/login`` by default.
        home: where a login ends that began nowhere.
        app_name: stands on the pages.
        post_logout_redirect_uri: absolute, as registered: where the issuer sends the browser after the
            logout there.
        clock: the system's by default.

    Raises:
        ConfigurationError: ``config.redirect_uri``: no redirect URI of the client leads to the callback.
    """

    client: Client
    keys: PseudonymKeys
    on_login: Callable[[Login, WebSession], Mapping[str, str]]
    on_step_up: Callable[[Login, WebSession], Mapping[str, str]] | None = None
    end_sessions: Callable[[LogoutNotice, object], None] | None = None
    apply_event: Callable[[AccountState, object], None] | None = None
    prefix: str = "/cyberid"
    login_page: str | None = None
    home: str = "/"
    app_name: str = ""
    post_logout_redirect_uri: str | None = None
    clock: Clock = system_clock
    _site: Site = field(init=False, repr=False)

    def __post_init__(self) -> None:
        callback = self.prefix + ENDPOINTS["callback"].path
        if not any(each.endswith(callback) for each in self.client.redirect_uris):
            raise ConfigurationError("config.redirect_uri", "prefix")
        site = Site(
            redirect_uris=self.client.redirect_uris,
            prefix=self.prefix,
            login_page=self.login_page,
            home=self.home,
            app_name=self.app_name,
        )
        object.__setattr__(self, "_site", site)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints that this app has."""
        absent = {
            "backchannel_logout": self.end_sessions is None,
            "security_events": self.apply_event is None,
        }
        return tuple(name for name in ENDPOINTS if not absent.get(name, False))

    def answer(self, name: str, request: WebRequest, session: WebSession) -> WebReply:
        """Answer a request to one of :attr:`endpoints`.

        Every error of the library ends as a page. What the app's own hooks raise comes out, and so does, at
        the two endpoints of the issuer, that this deployment can never serve them.

        Args:
            name: of the endpoint.
            request: untrusted.
            session: of this browser; not touched by the endpoints that the issuer calls.

        Raises:
            ConfigurationError: ``replay.not_transactional``: security events need a replay store in the
                app's own database; ``client.closed``.
        """
        methods = ENDPOINTS[name].methods
        if request.method not in methods:
            return WebReply(
                status=405, headers=(("Allow", ", ".join(methods)), ("Cache-Control", "no-store"))
            )
        handlers = {
            "login": self._login,
            "callback": self._callback,
            "step_up": self._step_up,
            "logout": self._logout,
            "backchannel_logout": self._backchannel_logout,
            "security_events": self._security_events,
            "jwks": self._jwks,
        }
        return handlers[name](request, session)

    def current(self, session: WebSession) -> SessionLogin | None:
        """Return who is logged in with the ID in this session."""
        return read_login(session)

    def require_login(self, request: WebRequest, session: WebSession) -> WebReply | None:
        """Return ``None`` when somebody is logged in with the ID, and else what to answer instead.

        A browser is led to the login page and comes back; a program gets 401.
        """
        if read_login(session) is not None:
            return None
        if request.wants_json:
            return login_required()
        return redirect(f"{self._site.login_place(request)}?{return_to_query(self._site.here(request))}")

    def require(
        self,
        request: WebRequest,
        session: WebSession,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
    ) -> WebReply | None:
        """Return ``None`` when the login is strong and fresh enough, and else what to answer instead.

        A browser is sent to the issuer for a step-up and comes back; when that was not enough it is not
        sent again, but told so. A program gets 401 with what is needed (RFC 9470 §3).

        Args:
            request: of the page that asks for it.
            session: of this browser.
            assurance: the mode that is needed.
            max_age: how many seconds ago it may have been proved; from 1.
            return_to: where to go on after the step-up; this page by default, or ``home`` when it was
                posted to.

        Raises:
            ConfigurationError: ``config.max_age`` when it is 0 or less: no proof is that young.
        """
        if max_age is not None and max_age < 1:
            raise ConfigurationError("config.max_age", "max_age")
        missing = self.require_login(request, session)
        login, now = read_login(session), self.clock()
        if missing is not None or login is None:
            return missing
        guard = StepUpGuard(session)
        if is_tentative(request) and not login.satisfies(assurance, max_age=max_age, now=now):
            # A step-up begins only when somebody wants the page.
            return WebReply(status=403, headers=(("Cache-Control", "no-store"),))
        if login.satisfies(assurance, max_age=max_age, now=now):
            guard.take(assurance, now=now)
            return None
        if request.wants_json:
            return challenge(assurance, max_age)
        if guard.take(assurance, now=now):
            logger.warning("a step-up was not enough for the page that asked for it")
            return self._site.page("step_up", request)
        place = self._site.here(request) if return_to is None else return_to
        return self._start_step_up(request, login, assurance=assurance, return_to=place)

    def _login(self, request: WebRequest, session: WebSession) -> WebReply:
        del session
        fields = request.parameters if request.method == "GET" else request.form
        asked = fields.get("return_to")
        if request.method == "GET" or not self._site.is_own(request):
            # A page of somebody else may lead here, but the person decides.
            return self._site.start_page(request, self._site.place(request, asked))
        try:
            ask = self.client.start_login(
                # A short one is judged by the client, which refuses what leads away.
                return_to=asked if asked and len(asked) <= RETURN_TO_MAX else self._site.place(request, None),
                ui_locales=_UI_LOCALES[choose_language(request.headers.get("accept-language"))],
            )
        except CyberIDError as error:
            return self._failed(error, request)
        return self._leave(request, ask)

    def _step_up(self, request: WebRequest, session: WebSession) -> WebReply:
        if not self._site.is_own(request):
            return self._site.page("foreign_form", request)
        login = read_login(session)
        if login is None:
            return redirect(self._site.login_place(request))
        asked = request.form.get("assurance", Assurance.R04.name)
        assurance = Assurance[asked] if asked in Assurance.__members__ else Assurance.R04
        place = self._site.place(request, request.form.get("return_to"))
        return self._start_step_up(request, login, assurance=assurance, return_to=place)

    def _start_step_up(
        self, request: WebRequest, login: SessionLogin, *, assurance: Assurance, return_to: str
    ) -> WebReply:
        if login.persistence is Persistence.SESSION:
            # The answer would name another pseudonym: nothing could tell that it is the same person.
            logger.warning("no step-up: the pseudonym is for this session only")
            return self._site.page("step_up", request)
        try:
            ask = self.client.start_step_up(
                login.pseudonym_digest,
                assurance=assurance,
                max_age=0,
                return_to=return_to,
                ui_locales=_UI_LOCALES[choose_language(request.headers.get("accept-language"))],
            )
        except CyberIDError as error:
            return self._failed(error, request, is_step_up=True)
        return self._leave(request, ask, is_step_up=True)

    def _leave(self, request: WebRequest, ask: LoginRequest, *, is_step_up: bool = False) -> WebReply:
        fresh = write_login_cookie(ask, now=self.clock(), is_step_up=is_step_up)
        return redirect(ask.url).with_cookies((*drop_oldest(request.cookies), fresh))

    def _callback(self, request: WebRequest, session: WebSession) -> WebReply:
        name = self.client.cookie_name_for(request.query) or ""
        gone_on = Finished.of(session).place(name)
        if gone_on is not None:
            return redirect(gone_on)
        cookie = LoginCookie.read(request.cookies.get(name))
        is_step_up = cookie.is_step_up and read_login(session) is not None
        was_taken = name != ""
        try:
            login = self.client.finish_login(request.query, handle=cookie.handle)
            self._admit(login, session, name=name, is_step_up=is_step_up)
        except CyberIDError as error:
            reply = self._failed(error, request, is_step_up=is_step_up)
            # A store that cannot be reached gave nothing out: the same page, loaded again, may yet succeed.
            was_taken = was_taken and not isinstance(error, StoreError)
        else:
            reply = redirect(login.return_to)
        if was_taken:
            reply = reply.with_cookies((self.client.clear_cookie(request.query),))
        return reply

    def _admit(self, login: Login, session: WebSession, *, name: str, is_step_up: bool) -> None:
        """Open the session of a login, or raise the one that is open, if it is the same person's."""
        current, finished = read_login(session), Finished(((name, login.return_to),))
        if not is_step_up or current is None:
            entries = self.on_login(login, session)
            begin_session(session, login, entries, keys=self.keys, finished=finished)
            return
        if not current.is_person_of(login, self.keys):
            raise VerificationError("step_up.other_person")
        more = {} if self.on_step_up is None else self.on_step_up(login, session)
        raise_session(session, login, more, keys=self.keys, finished=finished)
        StepUpGuard(session).set(login.assurance, now=self.clock())

    def _logout(self, request: WebRequest, session: WebSession) -> WebReply:
        if not self._site.is_own(request):
            return self._site.page("foreign_form", request)
        login = read_login(session)
        session.clear()
        return redirect(self._place_after_logout(login) or self._site.home_page(request))

    def _place_after_logout(self, login: SessionLogin | None) -> str | None:
        """Return where the session at the issuer is ended; ``None`` where that cannot be done."""
        if login is None:
            return None
        try:
            return self.client.logout_url(
                session_id=login.session_id, post_logout_redirect_uri=self.post_logout_redirect_uri
            )
        except (ConfigurationError, UnavailableError, VerificationError) as error:
            # The app's own session is over, and that is what was asked of it.
            logger.info("no logout at the issuer: code=%s reference=%s", error.code, error.reference)
            return None

    def _backchannel_logout(self, request: WebRequest, session: WebSession) -> WebReply:
        del session
        if self.end_sessions is None:
            return WebReply(status=404)
        content_type = request.headers.get("content-type")
        return from_webhook(
            self.client.receive_logout(
                request.body, content_type=content_type, end_sessions=self.end_sessions
            )
        )

    def _security_events(self, request: WebRequest, session: WebSession) -> WebReply:
        del session
        if self.apply_event is None:
            return WebReply(status=404)
        content_type = request.headers.get("content-type")
        return from_webhook(
            self.client.receive_event(request.body, content_type=content_type, apply=self.apply_event)
        )

    def _jwks(self, request: WebRequest, session: WebSession) -> WebReply:
        del request, session
        headers = (("Content-Type", "application/jwk-set+json"), ("Cache-Control", "public, max-age=600"))
        return WebReply(status=200, headers=headers, body=json.dumps(self.client.jwks()).encode())

    def _failed(self, error: CyberIDError, request: WebRequest, *, is_step_up: bool = False) -> WebReply:
        kind = kind_of(error, request, is_step_up=is_step_up)
        logger.warning("page shown: kind=%s code=%s reference=%s", kind, error.code, error.reference)
        is_https = self.client.redirect_uris[0].startswith("https:")
        if error.code == "login.handle_missing" and is_https and not request.is_secure:
            logger.warning("the callback came over http, where browsers send back no cookie of a login")
        return self._site.page(kind, request, reference=error.reference, is_logged_in=is_step_up)
