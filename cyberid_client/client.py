"""The blocking client: it owns clock, randomness, transport, stores and cache, and decides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from cyberid_client.config import RelyingParty
from cyberid_client.driver import Driver
from cyberid_client.handshake.redirect import RedirectAsk
from cyberid_client.health import Health
from cyberid_client.legs import Ending, Legs
from cyberid_client.models import Assurance, Login, LoginRequest, Pseudonym, PseudonymDigest
from cyberid_client.notices import AccountState, LogoutNotice, WebhookReply
from cyberid_client.outbound import Counted, Outbound
from cyberid_client.ports import Clock, DocumentCache, PendingStore, ReplayStore, Transport
from cyberid_client.receiving import receive_event, receive_logout
from cyberid_client.refresher import Refresher
from cyberid_client.replies import require_kind
from cyberid_client.shared_documents import CachedTransport, require_signed
from cyberid_client.status_keeper import KeptStatusLists
from cyberid_client.stores.memory import MemoryPendingStore, MemoryReplayStore
from cyberid_client.stores.requirements import require_single_use, require_transactional
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
        """Fetch the issuer's metadata, keys and revocation lists now.

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
    def outbound(self) -> Mapping[str, int]:
        """How many requests were sent to the issuer, by purpose: ``client.outbound["token"]``."""
        return self._outbound

    @property
    def status_lists(self) -> KeptStatusLists:
        """The issuer's token status lists, kept on a timer from first use; no login reads them yet.

        Without ``background`` nothing is fetched until ``status_lists.refresh()``.
        """
        self._legs.require_open()
        if self._background:
            self._status_refresher.ensure_running()
        return self._status_lists
