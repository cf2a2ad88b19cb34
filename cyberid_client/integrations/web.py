"""Every endpoint of a login, for any web framework: a ``WebRequest`` in, a ``WebReply`` out.

============================  ====  ==========================================================
``/login``                    GET   a page with the ways to log in; nothing is started
``/login``                    POST  start a login, ``return_to`` says where it ends
``/callback``                 GET   where the issuer sends the browser back
``/step-up``                  POST  ask the person who is logged in to prove it again
``/logout``                   POST  end the app's session, then the issuer's
``/backchannel-logout``       POST  the issuer says that a session ended
``/security-events``          POST  the issuer says that an account has another state
``/jwks.json``                GET   the public keys of this client
``/app/start``                POST  JSON for the app on a phone that launches the ID app
``/app/finish``               POST  what the ID app answered, as JSON
``/wallet/start``             POST  open a wallet on this ``device`` or on another one
``/wallet/request/…``         both  the signed request, for the wallet
``/wallet/response``          POST  the wallet's answer
``/wallet/return``            GET   where the wallet sends the browser of the same device back
``/wallet/code``              GET   six digits, on the wallet's device
``/wallet/status``            GET   whether the wallet has answered, for the page that waits
``/wallet/waiting.js``        GET   what that page runs
``/wallet/finish``            POST  the six digits, typed on the other device
============================  ====  ==========================================================

The paths stand below ``prefix``, which stands below the place where the app is mounted. Those of an app launch and
of a wallet are there when the client is configured for it. The POSTs of a browser do something only when they
come from a page of the app's own origin; the issuer and the wallets read no cookie and prove themselves by
signature and key.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Never

from cyberid_client.client import Client
from cyberid_client.errors import ConfigurationError, LoginDeclinedError
from cyberid_client.integrations import (
    app_login,
    guards,
    issuer_calls,
    redirect_login,
    wallet_calls,
    wallet_login,
)
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.endpoints import ENDPOINTS, Endpoint
from cyberid_client.integrations.messages import BODY_MAX_BYTES, WebReply, WebRequest, WebSession
from cyberid_client.integrations.sessions import SessionLogin, read_login
from cyberid_client.integrations.site import Site
from cyberid_client.integrations.steps import Steps, run, run_awaited
from cyberid_client.link import system_clock
from cyberid_client.models import Assurance, Channel, Login, PseudonymKeys
from cyberid_client.notices import AccountState, LogoutNotice
from cyberid_client.ports import Clock

if TYPE_CHECKING:
    from cyberid_client.aio import AsyncClient

__all__ = [
    "BODY_MAX_BYTES",
    "ENDPOINTS",
    "AsyncWebLogin",
    "Endpoint",
    "SessionLogin",
    "WebLogin",
    "WebReply",
    "WebRequest",
    "WebSession",
    "refuse_login",
]

_HANDLERS: Final[Mapping[str, Callable[[Desk, WebRequest, WebSession], Steps[WebReply]]]] = MappingProxyType(
    {
        "login": redirect_login.answer_login,
        "callback": redirect_login.answer_callback,
        "step_up": redirect_login.answer_step_up,
        "logout": redirect_login.answer_logout,
        "backchannel_logout": issuer_calls.answer_backchannel_logout,
        "security_events": issuer_calls.answer_security_events,
        "jwks": issuer_calls.answer_jwks,
        "app_start": app_login.answer_app_start,
        "app_finish": app_login.answer_app_finish,
        "wallet_start": wallet_login.answer_wallet_start,
        "wallet_request": wallet_calls.answer_wallet_request,
        "wallet_response": wallet_calls.answer_wallet_response,
        "wallet_return": wallet_login.answer_wallet_return,
        "wallet_code": wallet_login.answer_wallet_code,
        "wallet_status": wallet_calls.answer_wallet_status,
        "wallet_script": wallet_calls.answer_wallet_script,
        "wallet_finish": wallet_login.answer_wallet_finish,
    }
)


def refuse_login() -> Never:
    """Let the app say no in ``on_login`` or ``on_step_up``: the person stays logged out, or as before.

    Raises:
        LoginDeclinedError: always, ``declined.app``.
    """
    raise LoginDeclinedError("declined.app")


def _is_awaited(client: object) -> bool:
    # By what it does and not by its class: an app may have wrapped the client to count or to log.
    return inspect.iscoroutinefunction(getattr(client, "start_login", None))


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
            the configuration ends in ``prefix + "/callback"``, and the wallets' endpoint, if there is one, in
            ``prefix + "/wallet"``.
        login_page: the app's page with all its ways to log in; the page of ``/login`` by default.
        home: where a login ends that began nowhere.
        app_name: stands on the pages.
        post_logout_redirect_uri: absolute, as registered: where the issuer sends the browser after the
            logout there.
        clock: the system's by default.

    Raises:
        ConfigurationError: ``config.redirect_uri``: no redirect URI of the client leads to the callback;
            ``config.wallet``: the wallets' endpoint is elsewhere; ``client.wrong_kind``: the client is async.
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
    _desk: Desk = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if _is_awaited(self.client):
            raise ConfigurationError("client.wrong_kind", "client")
        object.__setattr__(self, "_desk", _desk(self))

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints that this app has."""
        return self._desk.endpoints

    def answer(self, name: str, request: WebRequest, session: WebSession) -> WebReply:
        """Answer a request to one of :attr:`endpoints`.

        Every error of the library ends as a page, or as JSON where a program asks. What the app's own hooks
        raise comes out, and so does, at the endpoints of the issuer and the wallets, that this deployment can
        never serve them.

        Args:
            name: of the endpoint.
            request: untrusted.
            session: of this browser; not touched by the endpoints that issuer and wallets call, nor by
                ``wallet_status``.

        Raises:
            ConfigurationError: ``replay.not_transactional``: security events need a replay store in the
                app's own database; ``client.closed``.
        """
        if (refused := _refused(name, request)) is not None:
            return refused
        return run(_HANDLERS[name](self._desk, request, session))

    def current(self, session: WebSession) -> SessionLogin | None:
        """Return who is logged in with the ID in this session."""
        return read_login(session)

    def require_login(self, request: WebRequest, session: WebSession) -> WebReply | None:
        """Return ``None`` when somebody is logged in with the ID, and else what to answer instead.

        A browser is led to the login page and comes back; a program gets 401.
        """
        return guards.require_login(self._desk, request, session)

    def require(
        self,
        request: WebRequest,
        session: WebSession,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
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
            channels: the ways in that are good enough; any by default. ``Channel.REDIRECT`` is among them,
                because by it a step-up comes.

        Raises:
            ConfigurationError: ``config.max_age`` when it is 0 or less: no proof is that young;
                ``config.value`` when ``channels`` lacks the redirect.
        """
        return run(
            guards.require(
                self._desk,
                request,
                session,
                assurance=assurance,
                max_age=max_age,
                return_to=return_to,
                channels=channels,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AsyncWebLogin:
    """The same endpoints for an async client in an async app; see :class:`WebLogin`.

    The hooks may be coroutine functions. One that is not runs in the event loop and must not block it.

    Attributes:
        client: logs people in.
        keys: as for :class:`WebLogin`, and so are all that follow.
        on_login: may be awaited.
        on_step_up: likewise.
        end_sessions: likewise.
        apply_event: likewise.
        prefix: as for :class:`WebLogin`.
        login_page: likewise.
        home: likewise.
        app_name: likewise.
        post_logout_redirect_uri: likewise.
        clock: likewise.

    Raises:
        ConfigurationError: as :class:`WebLogin`; ``client.wrong_kind``: the client blocks.
    """

    client: AsyncClient
    keys: PseudonymKeys
    on_login: Callable[[Login, WebSession], Mapping[str, str] | Awaitable[Mapping[str, str]]]
    on_step_up: Callable[[Login, WebSession], Mapping[str, str] | Awaitable[Mapping[str, str]]] | None = None
    end_sessions: Callable[[LogoutNotice, object], Awaitable[None] | None] | None = None
    apply_event: Callable[[AccountState, object], Awaitable[None] | None] | None = None
    prefix: str = "/cyberid"
    login_page: str | None = None
    home: str = "/"
    app_name: str = ""
    post_logout_redirect_uri: str | None = None
    clock: Clock = system_clock
    _desk: Desk = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not _is_awaited(self.client):
            raise ConfigurationError("client.wrong_kind", "client")
        object.__setattr__(self, "_desk", _desk(self))

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints that this app has."""
        return self._desk.endpoints

    async def answer(self, name: str, request: WebRequest, session: WebSession) -> WebReply:
        """Answer a request to one of :attr:`endpoints`; see :meth:`WebLogin.answer`."""
        if (refused := _refused(name, request)) is not None:
            return refused
        return await run_awaited(_HANDLERS[name](self._desk, request, session))

    def current(self, session: WebSession) -> SessionLogin | None:
        """Return who is logged in with the ID in this session."""
        return read_login(session)

    def require_login(self, request: WebRequest, session: WebSession) -> WebReply | None:
        """Return ``None`` when somebody is logged in, and else what to answer instead; nothing waits here."""
        return guards.require_login(self._desk, request, session)

    async def require(
        self,
        request: WebRequest,
        session: WebSession,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
    ) -> WebReply | None:
        """Return ``None`` when the login is good enough, and else what to answer; see :meth:`WebLogin.require`."""
        return await run_awaited(
            guards.require(
                self._desk,
                request,
                session,
                assurance=assurance,
                max_age=max_age,
                return_to=return_to,
                channels=channels,
            )
        )


def _desk(web: WebLogin | AsyncWebLogin) -> Desk:
    wallet = web.client.wallet_settings
    devices = () if wallet is None else ("same", "other") if wallet.cross_device == "allowed" else ("same",)
    site = Site(
        redirect_uris=web.client.redirect_uris,
        prefix=web.prefix,
        login_page=web.login_page,
        home=web.home,
        app_name=web.app_name,
        devices=devices,
    )
    return Desk(
        client=web.client,
        keys=web.keys,
        on_login=web.on_login,
        on_step_up=web.on_step_up,
        end_sessions=web.end_sessions,
        apply_event=web.apply_event,
        post_logout_redirect_uri=web.post_logout_redirect_uri,
        clock=web.clock,
        site=site,
    )


def _refused(name: str, request: WebRequest) -> WebReply | None:
    """Return what a method gets that the endpoint does not have."""
    methods = ENDPOINTS[name].methods
    if request.method in methods:
        return None
    return WebReply(status=405, headers=(("Allow", ", ".join(methods)), ("Cache-Control", "no-store")))
