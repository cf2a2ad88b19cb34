"""The client: it owns clock, randomness, transport, store and cache, and decides nothing else."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import TracebackType
from typing import Final, Self, TypeVar

from cyberid_client.config import RelyingParty
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginRestartError,
    StoreError,
)
from cyberid_client.handshake import cookies
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.pending import SECRET_BYTES, Handle, seal, unseal
from cyberid_client.handshake.redirect import RedirectAsk, finish_redirect, start_redirect
from cyberid_client.health import Health, examine
from cyberid_client.link import Environment, IssuerLink, system_clock
from cyberid_client.models import Assurance, Login, LoginRequest, PendingLogin
from cyberid_client.ports import Clock, PendingStore, Transport
from cyberid_client.privacy.recognisers import find_identity_numbers
from cyberid_client.refreshing import Refresher, SnapshotKeeper
from cyberid_client.state import IssuerSnapshot
from cyberid_client.status_keeper import StatusKeeper
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.tracebacks import drop_frames, where_raised
from cyberid_client.transport import RequestsTransport
from cyberid_client.trust import ChainCache, TrustStore
from cyberid_client.wire.callback import callback_state

__all__ = ["Client"]

T = TypeVar("T")

# What a store may let the browser carry: it becomes part of a cookie (RFC 6265 §4.1.1).
_CARRIED: Final = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
PSEUDONYMS_LOOKED_AT: Final = 1_000

# A store keeps a record a little longer than the login lives, so that a person who comes late is told so.
EXPIRED_IS_KNOWN_FOR: Final = timedelta(minutes=1)

logger: Final = logging.getLogger("cyberid_client")


def _guarded(ask_store: Callable[[], T]) -> T:
    """Let only our own errors out of a store that somebody else may have written."""
    try:
        return ask_store()
    except CyberIDError:
        raise
    except Exception as error:
        logger.warning("store raised %s", type(error).__name__)
        raise StoreError("store.failed") from error


def _can_be_carried(value: object) -> bool:
    return isinstance(value, str) and _CARRIED.fullmatch(value) is not None


class _Leg:
    """Log how a leg ended, and let an error out without the frames that hold the login's secrets."""

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
        if isinstance(error, CyberIDError):
            logger.warning("%s_login: code=%s reference=%s", self._name, error.code, error.reference)
            logger.debug("raised in %s: reference=%s", where_raised(error), error.reference)
            drop_frames(error)
        elif error is None:
            logger.info("%s_login: ok", self._name)


class Client:
    """Log people in, at one issuer, with one configuration; shared by all threads of a process.

    The constructor starts nothing and does no I/O. What is known about the issuer is fetched at first
    use, kept, and fetched again when it is due.

    Args:
        rp: who asks, whom, and what is believed.
        transport: HTTP to the issuer; over ``requests`` by default.
        pending: where logins wait between their two legs; this process's memory by default, which
            serves one process only.
        clock: gives the time, aware; the system's by default.
        background: refresh ahead of time in a thread of its own, which starts at first use, and again
            after a fork. Without it the login that finds something due fetches it.
    """

    def __init__(
        self,
        rp: RelyingParty,
        *,
        transport: Transport | None = None,
        pending: PendingStore | None = None,
        clock: Clock | None = None,
        background: bool = True,
    ) -> None:
        self._pending: PendingStore = MemoryPendingStore() if pending is None else pending
        self._env = Environment(system_clock if clock is None else clock)
        self._cache = ChainCache()
        self._link = IssuerLink(
            rp,
            transport=RequestsTransport(rp.http) if transport is None else transport,
            env=self._env,
            cache=self._cache,
        )
        self._keeper = SnapshotKeeper(self._link)
        self._status = StatusKeeper(self._link, metadata=self._believed_metadata)
        self._refresher = Refresher(self._keeper, self._env.now) if background else None
        self._status_refresher = Refresher(self._status, self._env.now) if background else None
        self._identity_shapes: deque[bool] = deque(maxlen=PSEUDONYMS_LOOKED_AT)
        self._closed = False

    @property
    def _rp(self) -> RelyingParty:
        return self._link.rp

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
        return f"Client(issuer={self._rp.issuer!r}, client_id={self._rp.client_id!r})"

    def close(self) -> None:
        """Give back connections; may be called twice."""
        if not self._closed:
            self._closed = True
            for refresher in (self._refresher, self._status_refresher):
                if refresher is not None:
                    refresher.stop()
            self._link.close()

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
        ask = RedirectAsk(
            return_to=return_to,
            max_age=max_age,
            assurance=assurance,
            redirect_uri=redirect_uri,
            prompt=prompt,
            ui_locales=ui_locales,
        )
        with _Leg("start"):
            snapshot = self._current_snapshot()
            started = self._link.run(start_redirect(self._rp, ask, snapshot.metadata, self._env))
            handle = self._keep(started.pending)
            name = cookies.cookie_name(started.pending.state)
            return LoginRequest(
                url=started.url,
                handle=handle,
                cookie_name=name,
                set_cookie=cookies.set_cookie(name, handle, max_age=self._rp.pending_lifetime),
            )

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
        with _Leg("finish"):
            pending = self._take(Handle.parse(handle))
            snapshot = self._current_snapshot()
            login = self._link.run(
                finish_redirect(
                    self._rp,
                    callback,
                    pending,
                    metadata=snapshot.metadata,
                    keys=snapshot.keys,
                    env=self._env,
                    cache=self._cache,
                    crls=snapshot.crls,
                ),
                self._keeper.newer_keys,
                self._keeper.newer_lists,
            )
            self._note_identity_shape(login)
            return login

    def cookie_name_for(self, callback: str) -> str | None:
        """Return the name of the cookie in which this callback's handle is, if it has a state.

        Args:
            callback: as for :meth:`finish_login`.
        """
        state = callback_state(callback)
        return None if state is None else cookies.cookie_name(state)

    def clear_cookie(self, callback: str) -> str:
        """Return the ``Set-Cookie`` value that forgets this callback's handle; ``""`` without a state.

        Args:
            callback: as for :meth:`finish_login`.
        """
        name = self.cookie_name_for(callback)
        return "" if name is None else cookies.clear_cookie(name)

    def refresh(self) -> None:
        """Fetch the issuer's metadata, keys and revocation lists now.

        Raises:
            UnavailableError: they did not come; what was known stays.
            VerificationError: they are not to be believed; what was known stays.
        """
        self._require_open()
        self._keeper.refresh()

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
        self._require_open()
        if self._rp.trust is not None:
            self._rp.trust.check_successor(trust)
        rp = replace(self._rp, trust=trust)
        rp.require_current(self._env.now())
        self._link.rp = rp
        logger.info("trust replaced: fingerprint=%s version=%s", trust.fingerprint, trust.version)
        self._keeper.refresh()

    def health(self) -> Health:
        """Say how this client is doing, from what it knows; fetches nothing."""
        shapes = tuple(self._identity_shapes)
        share = sum(shapes) / len(shapes) if shapes else 0.0
        return examine(self._rp, self._keeper.snapshot, now=self._env.now(), identity_shapes=share)

    @property
    def status_lists(self) -> StatusKeeper:
        """The issuer's token status lists, kept on a timer from first use; no login reads them yet.

        Without ``background`` nothing is fetched until ``status_lists.refresh()``.
        """
        self._require_open()
        if self._status_refresher is not None:
            self._status_refresher.ensure_running()
        return self._status

    def _believed_metadata(self) -> IssuerMetadata | None:
        snapshot = self._keeper.snapshot
        return None if snapshot is None else snapshot.metadata

    def _note_identity_shape(self, login: Login) -> None:
        # Shapes without a check digit refuse nobody: a person whose random string looks like a permit
        # could never log in. Many of them in a row are the operator's business.
        self._identity_shapes.append(bool(find_identity_numbers(login.pseudonym.value)))

    def _require_open(self) -> None:
        if self._closed:
            raise ConfigurationError("client.closed")

    def _current_snapshot(self) -> IssuerSnapshot:
        self._require_open()
        self._rp.require_current(self._env.now())
        snapshot = self._keeper.current(ahead=self._refresher is not None)
        if self._refresher is not None:
            self._refresher.ensure_running()
        return snapshot

    def _keep(self, pending: PendingLogin) -> str:
        secret = self._env.token(SECRET_BYTES)
        handle = Handle(secret)
        record = seal(pending, handle, self._env)
        expires_at, now = pending.expires_at + EXPIRED_IS_KNOWN_FOR, pending.started_at
        carried = _guarded(lambda: self._pending.put(handle.key, record, expires_at=expires_at, now=now))
        if not _can_be_carried(carried):
            logger.warning("store returned what no cookie can carry")
            raise StoreError("store.failed")
        return Handle(secret, carried).text()

    def _take(self, handle: Handle) -> PendingLogin:
        now = self._env.now()
        record = _guarded(lambda: self._pending.take(handle.key, carried=handle.carried, now=now))
        if record is None:
            raise LoginRestartError("login.unknown")
        return unseal(record, handle)
