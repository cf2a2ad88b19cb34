"""The blocking client: it owns clock, randomness, transport, stores and cache, and decides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Literal, Self

from cyberid_client import app_legs as apps
from cyberid_client import presentation_legs as presentations
from cyberid_client.config import RelyingParty, WalletSettings
from cyberid_client.driver import Driver
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
from cyberid_client.outbound import Counted, Outbound
from cyberid_client.ports import Clock, DocumentCache, PendingStore, ReplayStore, Transport
from cyberid_client.receiving import receive_event, receive_logout
from cyberid_client.refresher import Refresher
from cyberid_client.replies import require_kind
from cyberid_client.shared_documents import CachedTransport, require_signed
from cyberid_client.status_keeper import KeptStatusLists
from cyberid_client.stores.memory import MemoryPendingStore, MemoryReplayStore
from cyberid_client.stores.requirements import (
    require_revisable,
    require_single_use,
    require_transactional,
)
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.transport import RequestsTransport
from cyberid_client.trust import TrustStore

__all__ = ["Client"]


def _default_transport(rp: RelyingParty) -> Transport:
    return RequestsTransport(rp.http, certificate=rp.client_keys.tls)


class Client:
    """Log people in, at one issuer, with one configuration; shared by all threads of a process.

    The constructor starts nothing and does no I/O. What is known about the issuer is fetched at first
    use, kept, and fetched again when it is due.

    Args:
        rp: who asks, whom, and what is believed.
        transport: HTTP to the issuer; over ``requests`` by default.
        pending: where logins wait between their two legs; this process's memory by default, which
            serves one process only.
        replay: which messages of the issuer took effect already; this process's memory by default.
        documents: shares the issuer's public documents with the other processes of a fleet.
        clock: gives the time, aware; the system's by default.
        background: refresh ahead of time in a thread of its own, which starts at first use, and again
            after a fork. Without it the login that finds something due fetches it.

    Raises:
        ConfigurationError: a store, the cache or the signer is one of those that are awaited
            (``client.wrong_kind``), or ``documents`` beside a configuration in which TLS alone vouches for keys
            (``config.shared_documents``).
    """

    def __init__(
        self,
        rp: RelyingParty,
        *,
        transport: Transport | None = None,
        pending: PendingStore | None = None,
        replay: ReplayStore | None = None,
        documents: DocumentCache | None = None,
        clock: Clock | None = None,
        background: bool = True,
    ) -> None:
        require_kind(pending, "take", "pending", awaited=False)
        require_kind(replay, "once", "replay", awaited=False)
        require_kind(documents, "get", "documents", awaited=False)
        require_kind(rp.client_keys.signing.signer, "sign", "keys.signing", awaited=False)
        self._legs = Legs(rp, clock=clock)
        self._outbound = Outbound()
        counted: Transport = Counted(
            _default_transport(rp) if transport is None else transport, self._outbound
        )
        if documents is not None:
            require_signed(rp)
            counted = CachedTransport(counted, documents, self._legs.env.now)
        self._driver = Driver(
            transport=counted,
            pending=MemoryPendingStore() if pending is None else pending,
            replay=MemoryReplayStore() if replay is None else replay,
        )
        self._refresher = Refresher(self._legs.keeper, self._driver, self._legs.env.now)
        self._status_refresher = Refresher(self._legs.status, self._driver, self._legs.env.now)
        self._status_lists = KeptStatusLists(self._legs.status, self._driver.run)
        self._background = background
        if background:
            self._legs.refresh_ahead = self._refresher.ensure_running
            if rp.wallet is not None:
                both = (self._refresher.ensure_running, self._status_refresher.ensure_running)
                self._legs.refresh_ahead = partial(run_each, both)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(issuer={self._legs.rp.issuer!r}, client_id={self._legs.rp.client_id!r})"

    def close(self) -> None:
        """Give back connections; may be called twice."""
        if not self._legs.closed:
            self._legs.closed = True
            for refresher in (self._refresher, self._status_refresher):
                refresher.stop()
            self._driver.close()

    def start_login(
        self,
        *,
        return_to: str = "/",
        max_age: int | None = None,
        assurance: Assurance | None = None,
        redirect_uri: str | None = None,
        prompt: str | None = None,
        ui_locales: str | None = None,
    ) -> LoginRequest:
        """Ask the issuer for a login and say where the browser goes.

        Args:
            return_to: a path of this origin, maybe from the browser; comes back in ``Login.return_to``.
            max_age: the person must have authenticated at most so many seconds ago; 0 means now.
            assurance: the mode to ask for; the configured one by default.
            redirect_uri: one of the configured redirect URIs; the first by default.
            prompt: as in OpenID Connect, for example ``"login"``.
            ui_locales: languages for the issuer's page, for example ``"zh-CN en"``.

        Returns:
            A URL for the redirect and a cookie to set with it.

        Raises:
            VerificationError: ``return_to`` leads away from this origin, or the issuer's metadata or
                answer is not to be believed.
            ConfigurationError: this configuration can never make this request.
            UnavailableError: issuer or store could not be reached.
        """
        with Ending("start_login"):
            ask = RedirectAsk(
                return_to=return_to,
                max_age=max_age,
                assurance=assurance,
                redirect_uri=redirect_uri,
                prompt=prompt,
                ui_locales=ui_locales,
            )
            return self._driver.run(self._legs.start_login(ask))

    def finish_login(self, callback: str, *, handle: str | None) -> Login:
        """Judge what the browser brought back, and return the login.

        The pending login is removed before anything is judged, so that every outcome uses it up.

        Args:
            callback: the whole URL of the request or its raw query string, untrusted; only the query
                is read.
            handle: the value of the cookie that :meth:`cookie_name_for` names, or ``None``.

        Raises:
            LoginDeclinedError: the person or the issuer said no.
            LoginRestartError: this attempt is gone; offer to start again.
            VerificationError: deny; the code is for the log.
            UnavailableError: issuer or store could not be reached; never a login.
        """
        with Ending("finish_login"):
            return self._driver.run(self._legs.finish_login(callback, handle))

    def start_step_up(
        self,
        person: Pseudonym | PseudonymDigest,
        *,
        assurance: Assurance = Assurance.R04,
        max_age: int | None = 0,
        return_to: str = "/",
        ui_locales: str | None = None,
        redirect_uri: str | None = None,
    ) -> LoginRequest:
        """Ask the person who is logged in to authenticate again, and more strictly (RFC 9470).

        :meth:`finish_login` finishes it, and raises unless this very person did it: then, and on every
        other error, leave the session as it was. On success give the browser a new session id.

        Args:
            person: whose session it is. A pseudonym is sent to the issuer as ``login_hint`` inside the
                pushed request; of a digest nothing is sent, and ``pseudonym_keys`` of the configuration
                must hold the key that made it.
            assurance: the mode that is needed.
            max_age: the person must have authenticated at most so many seconds ago; 0 means now, ``None``
                any time.
            return_to: as for :meth:`start_login`.
            ui_locales: likewise.
            redirect_uri: likewise.

        Returns:
            As :meth:`start_login`.

        Raises:
            ConfigurationError: ``store.not_single_use``: the pending store gives a record out twice;
                ``config.pseudonym_key``: the key of the digest is missing; and as :meth:`start_login`.
            VerificationError: as :meth:`start_login`.
            UnavailableError: likewise.
        """
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
            return self._driver.run(self._legs.start_step_up(ask))

    def start_presentation(
        self,
        *,
        device: Literal["same", "other"] = "same",
        return_to: str = "/",
        assurance: Assurance | None = None,
    ) -> PresentationRequest:
        """Ask for a login by a wallet (OpenID4VP 1.0), in which the issuer has no part (profile §5).

        Nothing is fetched, except by a client that knows nothing at all about its issuer yet.

        Args:
            device: ``"same"``: the wallet is where the browser is, which comes back by itself. ``"other"``: it
                reads a QR code, and the person types six digits that it shows.
            return_to: as for :meth:`start_login`.
            assurance: the mode to ask for; the configured one by default. A wallet reaches R01 and R02.

        Returns:
            What starts the wallet, and a cookie to set.

        Raises:
            ConfigurationError: ``config.wallet``; ``presentation.assurance``: no wallet reaches the mode;
                ``presentation.other_device``: ``cross_device`` is not allowed; ``store.not_revisable``; or the
                relying party's own certificate does not hold (any more).
            VerificationError: ``return_to`` leads away from this origin, or the issuer is not to be believed.
            UnavailableError: nothing is known about the issuer and nothing came, or the store failed.
        """
        with Ending("start_presentation"):
            require_revisable(self._driver.pending)
            ask = presentations.PresentationAsk(device=device, return_to=return_to, assurance=assurance)
            return self._driver.run(presentations.start_presentation(self._legs, ask))

    def presentation_request_object(self, request_id: str, *, wallet_nonce: str | None = None) -> str:
        """Return the signed request that a wallet fetches, as often as it likes (OpenID4VP 1.0 §5).

        Serve it as ``application/oauth-authz-req+jwt`` below ``WalletSettings.request_uri``.

        Args:
            request_id: the last part of the path, untrusted.
            wallet_nonce: the member of this name of a POST form (§5.10), untrusted; ``None`` without.

        Raises:
            LoginRestartError: there is no such presentation (any more), or it was answered.
            VerificationError: ``presentation.wallet_nonce``: it cannot be repeated.
            ConfigurationError: as :meth:`start_presentation`.
            UnavailableError: the store failed, or the signer that holds the key.
        """
        with Ending("presentation_request_object"):
            require_revisable(self._driver.pending)
            leg = presentations.presentation_request_object(self._legs, request_id, wallet_nonce)
            return self._driver.run(leg)

    def receive_presentation(
        self, form_body: bytes, *, content_type: str | None = "application/x-www-form-urlencoded"
    ) -> PresentationReply:
        """Take what a wallet posts to ``WalletSettings.response_uri`` (OpenID4VP 1.0 §8.2, §8.3).

        Nothing is fetched. What was wrong is logged and never said to the wallet.

        Args:
            form_body: of the POST request, untrusted.
            content_type: its header of this name, untrusted; ``None`` without.

        Returns:
            200 with the address to which the wallet sends the person on, 400, or 503 when no decision was
            possible and the wallet may try again: send it as it is.

        Raises:
            ConfigurationError: this client cannot take presentations at all, or was closed.
        """
        with OwnFramesDropped():
            require_revisable(self._driver.pending)
            return self._driver.run(presentations.receive_presentation(self._legs, form_body, content_type))

    def presentation_status(self, status_handle: str) -> PresentationState:
        """Say how far a presentation from another device is, for a page that waits.

        It holds no lock, changes nothing and is not logged.

        Args:
            status_handle: of the :class:`PresentationRequest`, as the page sends it; untrusted.

        Raises:
            UnavailableError: the store failed.
            ConfigurationError: as :meth:`receive_presentation`.
        """
        with OwnFramesDropped():
            require_revisable(self._driver.pending)
            return self._driver.run(presentations.presentation_status(self._legs, status_handle))

    def presentation_digits(self, response_code: str) -> str:
        """Return the six digits that the wallet's device shows, and the person types on the other one.

        Args:
            response_code: from the query of the address (``WalletSettings.code_uri``), untrusted.

        Raises:
            LoginRestartError: there is no such presentation (any more).
            UnavailableError: the store failed.
            ConfigurationError: as :meth:`receive_presentation`.
        """
        with Ending("presentation_digits"):
            require_revisable(self._driver.pending)
            return self._driver.run(presentations.presentation_digits(self._legs, response_code))

    def finish_presentation(
        self, *, handle: str | None, response_code: str | None = None, typed_code: str | None = None
    ) -> Login:
        """Return the login that a wallet's answer proved, to the browser that asked for it.

        On the same device any call uses the presentation up. On another one it stays while the wallet has not
        answered, and while fewer than three wrong codes were typed.

        Args:
            handle: the value of the cookie that :meth:`presentation_cookie_name` names, or ``None``.
            response_code: from the query of the address that the browser came back to; same device.
            typed_code: what the person typed; other device. White space around and between is ignored.

        Raises:
            LoginDeclinedError: ``presentation.not_answered`` and ``presentation.digits_wrong``, both retryable
                with the same presentation; ``presentation.declined``: the wallet said no.
            LoginRestartError: this attempt is gone, is another browser's or another device's, or
                ``presentation.digits_used_up``.
            UnavailableError: the store failed; never a login.
            ConfigurationError: as :meth:`receive_presentation`.
        """
        with Ending("finish_presentation"):
            require_revisable(self._driver.pending)
            leg = presentations.finish_presentation(self._legs, handle, response_code, typed_code)
            return self._driver.run(leg)

    def presentation_cookie_name(self, code: str) -> str | None:
        """Return the name of the cookie in which a presentation's handle is.

        Args:
            code: a response code or a status handle, untrusted.
        """
        return presentations.presentation_cookie_name(code)

    def start_app_login(
        self, *, platform: str, return_to: str = "/", assurance: Assurance | None = None
    ) -> AppLaunch:
        """Make what the app on a phone launches the ID app with; the issuer is not asked (profile §4).

        The ID app may answer for 130 seconds, and its answer has 60 more to come here.

        Args:
            platform: one of those that ``app_launch.app_ids`` names, for example ``"android"``.
            return_to: as for :meth:`start_login`.
            assurance: the mode to ask for; the configured one by default. A mode with a face needs an issuer
                whose ID app takes the picture.

        Returns:
            What the app's own app on the phone is handed (:meth:`AppLaunch.to_dict`), and the handle, which
            stays in the session that began: never send it along with the launch.

        Raises:
            ConfigurationError: ``store.not_single_use``: the pending store gives a record out twice;
                ``config.app_launch``: app launch is not configured; ``config.platform_unknown``;
                ``config.app_launch_face``: this issuer's ID app takes no pictures.
            VerificationError: ``return_to`` leads away from this origin, or the issuer's metadata are not to be
                believed.
            UnavailableError: issuer or store could not be reached.
        """
        with Ending("start_app_login"):
            require_single_use(self._driver.pending)
            ask = AppAsk(platform=platform, return_to=return_to, assurance=assurance)
            return self._driver.run(apps.start_app_login(self._legs, ask))

    def finish_app_login(self, result: Mapping[str, object] | bytes | str, *, handle: str | None) -> Login:
        """Judge what the ID app answered, have the issuer vouch for it, and return the login (profile §4).

        The pending launch is removed before anything is judged, so that every outcome uses it up. Where the
        issuer's answer is lost, it is asked twice more inside this call.

        Args:
            result: the answer of the ID app as the phone sent it, untrusted: a JSON object of at most 64 KiB as
                text or bytes, or its members.
            handle: ``AppLaunch.handle``, out of the session that began, or ``None``.

        Raises:
            LoginDeclinedError: ``app.*``: the ID app or the issuer said no; its ``result_code`` is what the ID
                app answered. Only ``app.busy`` is retryable, and by a new launch.
            LoginRestartError: this launch is gone; offer to start again.
            VerificationError: deny; the code is for the log.
            ConfigurationError: the issuer does not know this client, or refuses its request.
            UnavailableError: issuer or store could not be reached; never a login.
        """
        with Ending("finish_app_login"):
            return self._driver.run(apps.finish_app_login(self._legs, result, handle))

    def receive_logout(
        self,
        body: bytes,
        *,
        content_type: str | None,
        end_sessions: Callable[[LogoutNotice, object], None],
    ) -> WebhookReply:
        """Take a logout token of the issuer (OpenID Connect Back-Channel Logout 1.0).

        A token that comes again gets the same answer and has no second effect. Whether the app knew the
        session or the person is not to be seen in the answer.

        Args:
            body: of the POST request, untrusted.
            content_type: its header of this name, untrusted; ``None`` without.
            end_sessions: ends the session with this id, or without one all sessions of this person; to
                know none is no error. Its second argument is the open transaction of the replay store, or
                ``None``. When it raises, the token had no effect and the issuer may send it again.

        Returns:
            Exactly 200 or 400, with an empty body: send it as it is.

        Raises:
            ConfigurationError: the client was closed.
        """
        with OwnFramesDropped():
            return self._driver.run(receive_logout(self._legs, body, content_type, end_sessions))

    def receive_event(
        self,
        body: bytes,
        *,
        content_type: str | None,
        apply: Callable[[AccountState, object], None],
    ) -> WebhookReply:
        """Take a security event of the issuer about an account (RFC 8417, RFC 8935).

        Events may come late, twice and in any order: only one that is later than all before it for its
        person is applied, the others are acknowledged. The event's key, the counter of its person and what
        ``apply`` writes through the transaction are committed together or not at all.

        Args:
            body: of the POST request, untrusted.
            content_type: its header of this name, untrusted; ``None`` without.
            apply: writes the state of the account. Its second argument is the open transaction of the
                replay store. When it raises, the event had no effect and the issuer is asked to send it
                again.

        Returns:
            Exactly 202, or 400 with one of the codes of RFC 8935: send it as it is.

        Raises:
            ConfigurationError: ``replay.not_transactional``: the replay store cannot do it; or the client
                was closed.
        """
        with OwnFramesDropped():
            require_transactional(self._driver.replay)
            return self._driver.run(receive_event(self._legs, body, content_type, apply))

    def logout_url(
        self,
        *,
        session_id: str | None,
        post_logout_redirect_uri: str | None = None,
        state: str | None = None,
    ) -> str:
        """Say where the browser goes to log out at the issuer, too (RP-Initiated Logout 1.0).

        End the app's own session first: the person may never come back. The page that the browser comes
        back to must hold for any ``state``, or none: it proves nothing.

        Args:
            session_id: ``Login.session_id``; without it the issuer asks who it is.
            post_logout_redirect_uri: where the browser comes back to; the issuer must know it.
            state: comes back with it.

        Raises:
            ConfigurationError: ``logout.not_offered``: the issuer has no such page;
                ``config.redirect_uri``.
            VerificationError: the issuer's metadata are not to be believed.
            UnavailableError: they could not be fetched.
        """
        with Ending("logout_url"):
            return self._driver.run(self._legs.logout_url(session_id, post_logout_redirect_uri, state))

    def cookie_name_for(self, callback: str) -> str | None:
        """Return the name of the cookie in which this callback's handle is, if it has a state.

        Args:
            callback: as for :meth:`finish_login`.
        """
        return self._legs.cookie_name_for(callback)

    def clear_cookie(self, callback: str) -> str:
        """Return the ``Set-Cookie`` value that forgets this callback's handle; ``""`` without a state.

        Args:
            callback: as for :meth:`finish_login`.
        """
        return self._legs.clear_cookie(callback)

    def refresh(self) -> None:
        """Fetch the issuer's metadata, keys and revocation lists now; with wallets its status lists, too.

        Raises:
            UnavailableError: they did not come; what was known stays.
            VerificationError: they are not to be believed; what was known stays.
        """
        self._driver.run(self._legs.refresh())

    def replace_trust(self, trust: TrustStore) -> None:
        """Put newer pinned roots in place of the present ones while logins go on.

        Add a root before you remove another: the new store must share one with the present one. Chains
        are judged by the new roots from the next check on; metadata and keys are fetched anew.

        Args:
            trust: from a file that the operator rolled out.

        Raises:
            ConfigurationError: ``trust.disjoint``, ``trust.rolled_back``, ``trust.expired`` or
                ``trust.test_root``; the present roots stay.
            UnavailableError, VerificationError: the new roots are in place, but the metadata could not
                be fetched or are not to be believed under them; what was known stays.
        """
        self._driver.run(self._legs.replace_trust(trust))

    def health(self) -> Health:
        """Say how this client is doing, from what it knows; fetches nothing."""
        return self._legs.health()

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Return the client's public keys as a JWK set (RFC 7517 §5), for the issuer to know it by.

        Public keys only: the one that signs, those that decrypt, and what is to be published besides while
        keys change. Serve it as ``application/jwk-set+json`` where the issuer was told.
        """
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
    def status_lists(self) -> KeptStatusLists:
        """The issuer's token status lists, kept on a timer from first use; wallet logins read them.

        Without ``background`` nothing is fetched until ``status_lists.refresh()``.
        """
        self._legs.require_open()
        if self._background:
            self._status_refresher.ensure_running()
        return self._status_lists
