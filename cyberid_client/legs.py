"""The calls of a client, each as a leg: what is asked, in which order, and what is decided on the way.

:class:`cyberid_client.Client` and :class:`cyberid_client.AsyncClient` are drivers of the same legs.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Final, TypeVar

from cyberid_client.config import RelyingParty
from cyberid_client.effects import Leg, StorePut, StoreTake
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginRestartError,
    StoreError,
    UnavailableError,
)
from cyberid_client.handshake import cookies
from cyberid_client.handshake.dpop import NonceMemory
from cyberid_client.handshake.encryption import require_decryption
from cyberid_client.handshake.logout import logout_page
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.pending import SECRET_BYTES, Handle, seal, unseal
from cyberid_client.handshake.presentation_request import require_wallet
from cyberid_client.handshake.redirect import RedirectAsk, finish_redirect, start_redirect
from cyberid_client.health import Health, examine
from cyberid_client.link import Environment, IssuerLink, system_clock
from cyberid_client.models import Login, LoginRequest, PendingAppLogin, PendingLogin
from cyberid_client.ports import Clock
from cyberid_client.privacy.recognisers import find_identity_numbers
from cyberid_client.refreshing import SnapshotKeeper
from cyberid_client.state import IssuerSnapshot
from cyberid_client.status_keeper import StatusKeeper
from cyberid_client.tracebacks import drop_frames, where_raised
from cyberid_client.trust import ChainCache, TrustStore
from cyberid_client.wire.callback import callback_state

__all__ = ["Ending", "Legs", "run_each"]

P = TypeVar("P", PendingLogin, PendingAppLogin)

# What a store may let the browser carry: it becomes part of a cookie (RFC 6265 §4.1.1).
_CARRIED: Final = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
PSEUDONYMS_LOOKED_AT: Final = 1_000

# A store keeps a record a little longer than the login lives, so that a person who comes late is told so.
EXPIRED_IS_KNOWN_FOR: Final = timedelta(minutes=1)

logger: Final = logging.getLogger("cyberid_client")


class Ending:
    """Log how a call ended, and let an error out without the frames that hold the login's secrets.

    The public function itself encloses its body with it, so that its own frame, which holds the arguments,
    is not among those that are shown.

    Args:
        name: of the public function.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            logger.info("%s: ok", self._name)
        elif isinstance(error, CyberIDError):
            logger.warning("%s: code=%s reference=%s", self._name, error.code, error.reference)
            logger.debug("raised in %s: reference=%s", where_raised(error), error.reference)
            drop_frames(error)
        elif not isinstance(error, Exception):
            # Whoever cancels or interrupts wants to know where the app stood, not what a login held.
            error.__traceback__ = None


class Legs:
    """One generator per public call, over what a client knows.

    Args:
        rp: who asks, whom, and what is believed.
        clock: gives the time, aware; the system's by default.

    Attributes:
        link: to the issuer; holds the configuration, which is replaced whole when the roots change.
        keeper: what is known about the issuer.
        status: the issuer's status lists.
        refresh_ahead: starts what refreshes ahead of time, if it does not run; ``None`` when nobody does
            and the login that finds something due fetches it.
        closed: every further call is refused.
    """

    def __init__(self, rp: RelyingParty, *, clock: Clock | None) -> None:
        require_decryption(rp)
        self.env = Environment(system_clock if clock is None else clock)
        self.cache = ChainCache()
        self.nonces = NonceMemory()
        if rp.wallet is not None:
            require_wallet(rp, self.env.now(), cache=self.cache)
        self.link = IssuerLink(rp, env=self.env, cache=self.cache)
        self.keeper = SnapshotKeeper(self.link)
        self.status = StatusKeeper(self.link, metadata=self._believed_metadata)
        self.refresh_ahead: Callable[[], None] | None = None
        self.closed = False
        self._identity_shapes: deque[bool] = deque(maxlen=PSEUDONYMS_LOOKED_AT)

    @property
    def rp(self) -> RelyingParty:
        """Who asks, whom, and what is believed now."""
        return self.link.rp

    def start_login(self, ask: RedirectAsk) -> Leg[LoginRequest]:
        """Push the request and keep what must be kept until the browser is back."""
        snapshot = yield from self.current_snapshot()
        flow = start_redirect(self.rp, ask, snapshot.metadata, self.env, nonces=self.nonces)
        started = yield from self.keeper.answering(flow)
        handle = yield from self.keep(started.pending)
        name = cookies.cookie_name(started.pending.state)
        return LoginRequest(
            url=started.url,
            handle=handle,
            cookie_name=name,
            set_cookie=cookies.set_cookie(name, handle, max_age=self.rp.pending_lifetime),
        )

    def start_step_up(self, ask: RedirectAsk) -> Leg[LoginRequest]:
        """Start a login that nobody but ``ask.person`` may finish."""
        if ask.person is None:
            # Without a person it would be a login that anybody may finish.
            raise ConfigurationError("config.value", "person")
        return self.start_login(ask)

    def finish_login(self, callback: str, handle: str | None) -> Leg[Login]:
        """Use up the pending login, and then judge what the browser brought back."""
        pending = yield from self.take(Handle.parse(handle), PendingLogin)
        snapshot = yield from self.current_snapshot()
        flow = finish_redirect(
            self.rp,
            callback,
            pending,
            metadata=snapshot.metadata,
            keys=snapshot.keys,
            env=self.env,
            cache=self.cache,
            crls=snapshot.crls,
            nonces=self.nonces,
        )
        login = yield from self.keeper.answering(flow)
        self.note_identity_shape(login)
        return login

    def logout_url(
        self, session_id: str | None, post_logout_redirect_uri: str | None, state: str | None
    ) -> Leg[str]:
        """Say where the browser goes to log out at the issuer."""
        snapshot = yield from self.current_snapshot()
        return logout_page(
            self.rp,
            snapshot.metadata,
            session_id=session_id,
            post_logout_redirect_uri=post_logout_redirect_uri,
            state=state,
        )

    def refresh(self) -> Leg[None]:
        """Fetch the issuer's metadata, keys and revocation lists now; with wallets its status lists, too."""
        self.require_open()
        return self._refresh_with_lists() if self.rp.wallet is not None else self.keeper.refresh()

    def _refresh_with_lists(self) -> Leg[None]:
        problem: CyberIDError | None = None
        for refresh in (self.keeper.refresh, self.status.refresh):
            try:
                yield from refresh()
            except CyberIDError as error:
                problem = problem or error
        if self.refresh_ahead is not None:
            # From here on: if it began with the first login, the issuer would see when that was.
            self.refresh_ahead()
        if problem is not None:
            raise problem

    def replace_trust(self, trust: TrustStore) -> Leg[None]:
        """Put newer roots in place of the present ones, and fetch everything anew."""
        self.require_open()
        if self.rp.trust is not None:
            self.rp.trust.check_successor(trust)
        rp = replace(self.rp, trust=trust)
        rp.require_current(self.env.now())
        self.link.rp = rp
        logger.info("trust replaced: fingerprint=%s version=%s", trust.fingerprint, trust.version)
        return self.refresh()

    def cookie_name_for(self, callback: str) -> str | None:
        """Return the name of the cookie in which this callback's handle is, if it has a state."""
        state = callback_state(callback)
        return None if state is None else cookies.cookie_name(state)

    def clear_cookie(self, callback: str) -> str:
        """Return the ``Set-Cookie`` value that forgets this callback's handle; ``""`` without a state."""
        name = self.cookie_name_for(callback)
        return "" if name is None else cookies.clear_cookie(name)

    def health(self) -> Health:
        """Say how the client is doing, from what it knows."""
        shapes = tuple(self._identity_shapes)
        share = sum(shapes) / len(shapes) if shapes else 0.0
        return examine(self.rp, self.keeper.snapshot, now=self.env.now(), identity_shapes=share)

    def require_open(self) -> None:
        """Return unless the client is closed.

        Raises:
            ConfigurationError: it is.
        """
        if self.closed:
            raise ConfigurationError("client.closed")

    def _believed_metadata(self) -> IssuerMetadata | None:
        snapshot = self.keeper.snapshot
        return None if snapshot is None else snapshot.metadata

    def note_identity_shape(self, login: Login) -> None:
        """Count whether a pseudonym looks as if it held an identity number, for :meth:`health`."""
        # Shapes without a check digit refuse nobody: a person whose random string looks like a permit
        # could never log in. Many of them in a row are the operator's business.
        self._identity_shapes.append(bool(find_identity_numbers(login.pseudonym.value)))

    def current_snapshot(self) -> Leg[IssuerSnapshot]:
        """Return what is known about the issuer, fetched anew where it is due."""
        self.require_open()
        self.rp.require_current(self.env.now())
        snapshot = yield from self.keeper.current(ahead=self.refresh_ahead is not None)
        if self.refresh_ahead is not None:
            self.refresh_ahead()
        return snapshot

    def know_something(self) -> Leg[None]:
        """Fetch what wallet logins are judged with, if nothing at all is known of it yet.

        Raises:
            UnavailableError: nothing came.
            VerificationError: what came is not to be believed.
        """
        if self.keeper.snapshot is None:
            yield from self.keeper.current(ahead=self.refresh_ahead is not None)
        page = self.status.snapshot.page
        if page.fetched_at is None:
            if page.due_at > self.env.now():
                # It failed a moment ago: a row of logins is no row of requests.
                raise UnavailableError("issuer.unavailable")
            try:
                yield from self.status.refresh()
            except CyberIDError:
                # One list of many that does not come is the affair of those whose credentials name it.
                if self.status.snapshot.page.fetched_at is None:
                    raise
        self.known_snapshot()

    def known_snapshot(self) -> IssuerSnapshot:
        """Return what is known about the issuer, and fetch nothing: nobody shall see by it that somebody logs in.

        Raises:
            UnavailableError: nothing is known that may serve.
        """
        self.require_open()
        now = self.env.now()
        self.rp.require_current(now)
        if self.refresh_ahead is not None:
            self.refresh_ahead()
        snapshot = self.keeper.snapshot
        if snapshot is None or now >= snapshot.serves_until or snapshot.is_revoked:
            raise UnavailableError("issuer.unavailable")
        return snapshot

    def keep(self, pending: PendingLogin | PendingAppLogin) -> Leg[str]:
        """Put a login that starts into the store, and return the text of its handle.

        Raises:
            StoreError: it is not kept.
        """
        secret = self.env.token(SECRET_BYTES)
        handle = Handle(secret)
        carried: object = yield StorePut(
            key=handle.key,
            record=seal(pending, handle, self.env),
            expires_at=pending.expires_at + EXPIRED_IS_KNOWN_FOR,
            now=pending.started_at,
        )
        if not isinstance(carried, str) or _CARRIED.fullmatch(carried) is None:
            logger.warning("store returned what no cookie can carry")
            raise StoreError("store.failed")
        return Handle(secret, carried).text()

    def take(self, handle: Handle, wanted: type[P]) -> Leg[P]:
        """Use up the login of a handle and return it, if it is one that ``wanted`` finishes.

        Raises:
            LoginRestartError: there is none, or another handshake started it.
            StoreError: it is not known whether there is one.
        """
        record = yield StoreTake(key=handle.key, carried=handle.carried, now=self.env.now())
        if record is None:
            raise LoginRestartError("login.unknown")
        pending = unseal(record, handle)
        if not isinstance(pending, wanted):
            raise LoginRestartError("login.other_kind")
        return pending


def run_each(functions: Iterable[Callable[[], None]]) -> None:
    """Call functions one after the other."""
    for function in functions:
        function()
