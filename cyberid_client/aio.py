"""The async client: the same legs as the blocking one, awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Literal, Self

from cyberid_client import app_legs as apps
from cyberid_client import presentation_legs as presentations
from cyberid_client.async_driver import AsyncDriver
from cyberid_client.async_refresher import AsyncRefresher
from cyberid_client.async_transport import HTTPXTransport
from cyberid_client.config import RelyingParty, WalletSettings
from cyberid_client.handshake.app_launch import AppAsk
from cyberid_client.handshake.redirect import RedirectAsk
from cyberid_client.health import Health
from cyberid_client.legs import Ending, Legs, run_each
from cyberid_client.models import (
    AppLaunch,
    Assurance,
    Login,
    LoginRequest,
    PresentationReply,
    PresentationRequest,
    PresentationState,
    Pseudonym,
    PseudonymDigest,
)
from cyberid_client.notices import AccountState, LogoutNotice, WebhookReply
from cyberid_client.outbound import AsyncCounted, Outbound
from cyberid_client.ports import (
    AsyncDocumentCache,
    AsyncPendingStore,
    AsyncReplayStore,
    AsyncTransport,
    Clock,
)
from cyberid_client.receiving import receive_event, receive_logout
from cyberid_client.replies import require_kind
from cyberid_client.shared_documents import AsyncCachedTransport, require_signed
from cyberid_client.status_keeper import AsyncKeptStatusLists
from cyberid_client.stores.memory import AsyncMemoryPendingStore, AsyncMemoryReplayStore, MemoryPendingStore
from cyberid_client.stores.requirements import (
    require_revisable,
    require_single_use,
    require_transactional,
)
from cyberid_client.stores.sealed_cookie import SealedCookieStore
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import TrustStore

__all__ = ["AsyncClient"]


class AsyncClient:
    """Log people in as :class:`cyberid_client.client.Client` does, awaited; one for all tasks of a loop.

    The constructor starts nothing and does no I/O. A caller who is cancelled, at whatever point, leaves
    nothing behind: what others wait for too goes on, and everything else ends there. Whoever makes a client
    awaits :meth:`aclose` before the event loop ends, or uses ``async with``.

    Args:
        rp: who asks, whom, and what is believed. A signer may be awaited or blocking; a blocking one runs in
            a thread.
        transport: HTTP to the issuer; over ``httpx2`` by default.
        pending: where logins wait between their two legs; this process's memory by default. Of the
            blocking stores those are taken that never wait: memory and sealed cookie.
        replay: which messages of the issuer took effect already; this process's memory by default.
        documents: shares the issuer's public documents with the other processes of a fleet.
        clock: gives the time, aware; the system's by default.
        background: refresh ahead of time in a task of its own, which starts at first use. Without it the
            login that finds something due fetches it.

    Raises:
        ConfigurationError: ``httpx2`` is not installed (``config.missing_extra``), a store or the cache
            blocks (``client.wrong_kind``), or ``documents`` beside a configuration in which TLS alone
            vouches for keys (``config.shared_documents``).
    """

    def __init__(
        self,
        rp: RelyingParty,
        *,
        transport: AsyncTransport | None = None,
        pending: AsyncPendingStore | MemoryPendingStore | SealedCookieStore | None = None,
        replay: AsyncReplayStore | None = None,
        documents: AsyncDocumentCache | None = None,
        clock: Clock | None = None,
        background: bool = True,
    ) -> None:
        taken = AsyncMemoryReplayStore() if replay is None else replay
        require_kind(taken, "once", "replay", awaited=True)
        self._legs = Legs(rp, clock=clock)
        self._outbound = Outbound()
        carrier = _default_transport(rp) if transport is None else transport
        counted: AsyncTransport = AsyncCounted(carrier, self._outbound)
        if documents is not None:
            require_kind(documents, "get", "documents", awaited=True)
            require_signed(rp)
            counted = AsyncCachedTransport(counted, documents, self._legs.env.now)
        self._driver = AsyncDriver(
            transport=counted,
            pending=_awaited(pending),
            replay=taken,
        )
        self._refresher = AsyncRefresher(self._legs.keeper, self._driver, self._legs.env.now)
        self._status_refresher = AsyncRefresher(self._legs.status, self._driver, self._legs.env.now)
        self._status_lists = AsyncKeptStatusLists(self._legs.status, self._driver.run)
        self._background = background
        if background:
            self._legs.refresh_ahead = self._refresher.ensure_running
            if rp.wallet is not None:
                both = (self._refresher.ensure_running, self._status_refresher.ensure_running)
                self._legs.refresh_ahead = partial(run_each, both)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient(issuer={self._legs.rp.issuer!r}, client_id={self._legs.rp.client_id!r})"

    async def aclose(self) -> None:
        """End what goes on in the background and give back connections; may be awaited twice."""
        if not self._legs.closed:
            self._legs.closed = True
            try:
                for refresher in (self._refresher, self._status_refresher):
                    await refresher.stop()
            finally:
                await self._driver.aclose()

    async def start_login(
        self,
        *,
        return_to: str = "/",
        max_age: int | None = None,
        assurance: Assurance | None = None,
        redirect_uri: str | None = None,
        prompt: str | None = None,
        ui_locales: str | None = None,
    ) -> LoginRequest:
        """Ask the issuer for a login and say where the browser goes; see :meth:`Client.start_login`."""
        with Ending("start_login"):
            ask = RedirectAsk(
                return_to=return_to,
                max_age=max_age,
                assurance=assurance,
                redirect_uri=redirect_uri,
                prompt=prompt,
                ui_locales=ui_locales,
            )
            return await self._driver.run(self._legs.start_login(ask))

    async def finish_login(self, callback: str, *, handle: str | None) -> Login:
        """Judge what the browser brought back, and return the login; see :meth:`Client.finish_login`."""
        with Ending("finish_login"):
            return await self._driver.run(self._legs.finish_login(callback, handle))

    async def start_step_up(
        self,
        person: Pseudonym | PseudonymDigest,
        *,
        assurance: Assurance = Assurance.R04,
        max_age: int | None = 0,
        return_to: str = "/",
        ui_locales: str | None = None,
        redirect_uri: str | None = None,
    ) -> LoginRequest:
        """Ask the person who is logged in to authenticate again; see :meth:`Client.start_step_up`."""
        with Ending("start_step_up"):
            require_single_use(self._driver.pending)
            ask = RedirectAsk(
                person=person,
                return_to=return_to,
                max_age=max_age,
                assurance=assurance,
                redirect_uri=redirect_uri,
                ui_locales=ui_locales,
            )
            return await self._driver.run(self._legs.start_step_up(ask))

    async def start_presentation(
        self,
        *,
        device: Literal["same", "other"] = "same",
        return_to: str = "/",
        assurance: Assurance | None = None,
    ) -> PresentationRequest:
        """Ask for a login by a wallet; see :meth:`Client.start_presentation`."""
        with Ending("start_presentation"):
            require_revisable(self._driver.pending)
            ask = presentations.PresentationAsk(device=device, return_to=return_to, assurance=assurance)
            return await self._driver.run(presentations.start_presentation(self._legs, ask))

    async def presentation_request_object(self, request_id: str, *, wallet_nonce: str | None = None) -> str:
        """Return the signed request that a wallet fetches; see :meth:`Client.presentation_request_object`."""
        with Ending("presentation_request_object"):
            require_revisable(self._driver.pending)
            leg = presentations.presentation_request_object(self._legs, request_id, wallet_nonce)
            return await self._driver.run(leg)

    async def receive_presentation(
        self, form_body: bytes, *, content_type: str | None = "application/x-www-form-urlencoded"
    ) -> PresentationReply:
        """Take what a wallet posts; see :meth:`Client.receive_presentation`."""
        with OwnFramesDropped():
            require_revisable(self._driver.pending)
            leg = presentations.receive_presentation(self._legs, form_body, content_type)
            return await self._driver.run(leg)

    async def presentation_status(self, status_handle: str) -> PresentationState:
        """Say how far a presentation from another device is; see :meth:`Client.presentation_status`."""
        with OwnFramesDropped():
            require_revisable(self._driver.pending)
            return await self._driver.run(presentations.presentation_status(self._legs, status_handle))

    async def presentation_digits(self, response_code: str) -> str:
        """Return the six digits that the wallet's device shows; see :meth:`Client.presentation_digits`."""
        with Ending("presentation_digits"):
            require_revisable(self._driver.pending)
            return await self._driver.run(presentations.presentation_digits(self._legs, response_code))

    async def finish_presentation(
        self, *, handle: str | None, response_code: str | None = None, typed_code: str | None = None
    ) -> Login:
        """Return the login that a wallet's answer proved; see :meth:`Client.finish_presentation`."""
        with Ending("finish_presentation"):
            require_revisable(self._driver.pending)
            leg = presentations.finish_presentation(self._legs, handle, response_code, typed_code)
            return await self._driver.run(leg)

    def presentation_cookie_name(self, code: str) -> str | None:
        """Return the name of the cookie in which a presentation's handle is."""
        return presentations.presentation_cookie_name(code)

    async def start_app_login(
        self, *, platform: str, return_to: str = "/", assurance: Assurance | None = None
    ) -> AppLaunch:
        """Make what the app on a phone launches the ID app with; see :meth:`Client.start_app_login`."""
        with Ending("start_app_login"):
            require_single_use(self._driver.pending)
            ask = AppAsk(platform=platform, return_to=return_to, assurance=assurance)
            return await self._driver.run(apps.start_app_login(self._legs, ask))

    async def finish_app_login(
        self, result: Mapping[str, object] | bytes | str, *, handle: str | None
    ) -> Login:
        """Judge what the ID app answered, and return the login; see :meth:`Client.finish_app_login`."""
        with Ending("finish_app_login"):
            return await self._driver.run(apps.finish_app_login(self._legs, result, handle))

    async def receive_logout(
        self,
        body: bytes,
        *,
        content_type: str | None,
        end_sessions: Callable[[LogoutNotice, object], Awaitable[None] | None],
    ) -> WebhookReply:
        """Take a logout token of the issuer; see :meth:`Client.receive_logout`.

        ``end_sessions`` may be a coroutine function.
        """
        with OwnFramesDropped():
            return await self._driver.run(receive_logout(self._legs, body, content_type, end_sessions))

    async def receive_event(
        self,
        body: bytes,
        *,
        content_type: str | None,
        apply: Callable[[AccountState, object], Awaitable[None] | None],
    ) -> WebhookReply:
        """Take a security event of the issuer about an account; see :meth:`Client.receive_event`.

        ``apply`` may be a coroutine function.
        """
        with OwnFramesDropped():
            require_transactional(self._driver.replay)
            return await self._driver.run(receive_event(self._legs, body, content_type, apply))

    async def logout_url(
        self,
        *,
        session_id: str | None,
        post_logout_redirect_uri: str | None = None,
        state: str | None = None,
    ) -> str:
        """Say where the browser goes to log out at the issuer, too; see :meth:`Client.logout_url`."""
        with Ending("logout_url"):
            leg = self._legs.logout_url(session_id, post_logout_redirect_uri, state)
            return await self._driver.run(leg)

    def cookie_name_for(self, callback: str) -> str | None:
        """Return the name of the cookie in which this callback's handle is, if it has a state."""
        return self._legs.cookie_name_for(callback)

    def clear_cookie(self, callback: str) -> str:
        """Return the ``Set-Cookie`` value that forgets this callback's handle; ``""`` without a state."""
        return self._legs.clear_cookie(callback)

    async def refresh(self) -> None:
        """Fetch what is known about the issuer anew, now; see :meth:`Client.refresh`."""
        await self._driver.run(self._legs.refresh())

    async def replace_trust(self, trust: TrustStore) -> None:
        """Put newer pinned roots in place of the present ones; see :meth:`Client.replace_trust`."""
        await self._driver.run(self._legs.replace_trust(trust))

    def health(self) -> Health:
        """Say how this client is doing, from what it knows; fetches nothing."""
        return self._legs.health()

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the client's public keys as a JWK set; see :meth:`Client.jwks`."""
        return self._legs.rp.client_keys.jwks

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """Where the issuer may send browsers back, as configured; the first one by default."""
        return self._legs.rp.redirect_uris

    @property
    def app_platforms(self) -> tuple[str, ...]:
        """The platforms on which an app launch can start, as configured; none without app launch."""
        settings = self._legs.rp.app_launch
        return () if settings is None else tuple(settings.app_ids)

    @property
    def wallet_settings(self) -> WalletSettings | None:
        """How wallets are served, as configured; ``None``: not at all."""
        return self._legs.rp.wallet

    @property
    def outbound(self) -> Mapping[str, int]:
        """How many requests were sent to the issuer, by purpose: ``client.outbound["token"]``."""
        return self._outbound

    @property
    def status_lists(self) -> AsyncKeptStatusLists:
        """The issuer's token status lists, kept on a timer from first use; wallet logins read them.

        Without ``background`` nothing is fetched until
        ``await status_lists.refresh()``.
        """
        self._legs.require_open()
        if self._background:
            self._status_refresher.ensure_running()
        return self._status_lists


def _default_transport(rp: RelyingParty) -> AsyncTransport:
    return HTTPXTransport(rp.http, certificate=rp.client_keys.tls)


def _awaited(pending: AsyncPendingStore | MemoryPendingStore | SealedCookieStore | None) -> AsyncPendingStore:
    if pending is None:
        return AsyncMemoryPendingStore()
    if isinstance(pending, MemoryPendingStore):
        return _NeverWaitingForMemory(pending)
    if isinstance(pending, SealedCookieStore):
        return _NeverWaiting(pending)
    require_kind(pending, "take", "pending", awaited=True)
    return pending


class _NeverWaiting:
    """A blocking store that never waits, awaited."""

    def __init__(self, store: MemoryPendingStore | SealedCookieStore) -> None:
        self._store = store
        self.single_use = store.single_use
        self.shared = store.shared
        self.durable = store.durable

    async def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        return self._store.put(key, record, expires_at=expires_at, now=now)

    async def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        return self._store.take(key, carried=carried, now=now)


class _NeverWaitingForMemory(_NeverWaiting):
    """The same of a store whose records can be read and changed in their place."""

    _store: MemoryPendingStore

    async def peek(self, key: str, *, now: datetime) -> bytes | None:
        return self._store.peek(key, now=now)

    async def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        return self._store.swap(key, old=old, new=new, now=now)
