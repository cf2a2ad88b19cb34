"""The client: it owns clock, randomness, transport, store and cache, and decides nothing else."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self, TypeVar

from cyberid_client.config import RelyingParty
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginRestartError,
    StoreError,
    UnavailableError,
)
from cyberid_client.handshake import cookies
from cyberid_client.handshake.flow import Flow, KeysWanted
from cyberid_client.handshake.metadata import fetch_key_set, fetch_metadata
from cyberid_client.handshake.pending import SECRET_BYTES, Handle, seal, unseal
from cyberid_client.handshake.redirect import RedirectAsk, finish_redirect, start_redirect
from cyberid_client.models import Assurance, Login, LoginRequest, PendingLogin
from cyberid_client.ports import Clock, HTTPRequest, HTTPResponse, PendingStore, Transport
from cyberid_client.state import IssuerSnapshot, is_due, may_still_serve
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.transport import RequestsTransport
from cyberid_client.trust import ChainCache, KeySet
from cyberid_client.wire.callback import callback_state

__all__ = ["Client"]

T = TypeVar("T")

# A store keeps a record a little longer than the login lives, so that a person who comes late is told so.
EXPIRED_IS_KNOWN_FOR: Final = timedelta(minutes=1)

logger: Final = logging.getLogger("cyberid_client")


def system_clock() -> datetime:
    """Return the system's time, aware, UTC."""
    return datetime.now(UTC)


class Environment:
    """Time and randomness for the flows."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time.

        Raises:
            ConfigurationError: the app's clock gives times without a time zone.
        """
        now = self._clock()
        if now.tzinfo is None:
            raise ConfigurationError("time.naive", "clock")
        return now.astimezone(UTC)

    def token(self, nbytes: int) -> bytes:
        """Return ``nbytes`` from the system's random source."""
        return secrets.token_bytes(nbytes)


def _guarded(ask_store: Callable[[], T]) -> T:
    """Let only our own errors out of a store that somebody else may have written."""
    try:
        return ask_store()
    except CyberIDError:
        raise
    except Exception as error:
        logger.warning("store raised %s", type(error).__name__)
        raise StoreError("store.failed") from error


@contextmanager
def _logged(leg: str) -> Iterator[None]:
    """Log how a leg ended: code and reference, never a value."""
    try:
        yield
    except CyberIDError as error:
        logger.warning("%s_login: code=%s reference=%s", leg, error.code, error.reference)
        raise
    logger.info("%s_login: ok", leg)


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
    """

    def __init__(
        self,
        rp: RelyingParty,
        *,
        transport: Transport | None = None,
        pending: PendingStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._rp = rp
        self._transport: Transport = RequestsTransport(rp.http) if transport is None else transport
        self._pending: PendingStore = MemoryPendingStore() if pending is None else pending
        self._env = Environment(system_clock if clock is None else clock)
        self._cache = ChainCache()
        self._snapshot: IssuerSnapshot | None = None
        self._refreshing = threading.Lock()
        self._closed = False

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
            self._transport.close()

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
        with _logged("start"):
            snapshot = self._current_snapshot()
            started = self._run(start_redirect(self._rp, ask, snapshot.metadata, self._env))
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
        with _logged("finish"):
            pending = self._take(Handle.parse(handle))
            snapshot = self._current_snapshot()
            return self._run(
                finish_redirect(
                    self._rp,
                    callback,
                    pending,
                    metadata=snapshot.metadata,
                    keys=snapshot.keys,
                    env=self._env,
                    cache=self._cache,
                )
            )

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
        """Fetch the issuer's metadata and keys now.

        Raises:
            UnavailableError: they did not come; what was known stays.
            VerificationError: they are not to be believed; what was known stays.
        """
        with self._refreshing:
            self._fetch_snapshot()

    def _current_snapshot(self) -> IssuerSnapshot:
        if self._closed:
            raise ConfigurationError("client.closed")
        snapshot = self._snapshot
        if snapshot is not None and not is_due(snapshot, self._env.now()):
            return snapshot
        with self._refreshing:
            if self._snapshot is not None and self._snapshot is not snapshot:
                return self._snapshot
            try:
                return self._fetch_snapshot()
            except UnavailableError as error:
                if snapshot is None or not may_still_serve(snapshot, self._env.now()):
                    raise
                logger.warning("refresh failed, old metadata and keys are used: code=%s", error.code)
                return snapshot

    def _fetch_snapshot(self) -> IssuerSnapshot:
        known = self._snapshot
        newest_iat = None if known is None else known.metadata.issued_at
        metadata = self._run(fetch_metadata(self._rp, self._env, newest_iat=newest_iat, cache=self._cache))
        keys = self._run(fetch_key_set(metadata))
        now = self._env.now()
        self._snapshot = IssuerSnapshot(metadata=metadata, keys=keys, metadata_at=now, keys_at=now)
        return self._snapshot

    def _newer_keys(self, tried: KeySet) -> KeySet:
        with self._refreshing:
            snapshot = self._snapshot
            if snapshot is None or snapshot.keys is not tried:
                return tried if snapshot is None else snapshot.keys
            return self._fetch_snapshot().keys

    def _keep(self, pending: PendingLogin) -> str:
        secret = self._env.token(SECRET_BYTES)
        handle = Handle(secret)
        record = seal(pending, handle, self._env)
        expires_at, now = pending.expires_at + EXPIRED_IS_KNOWN_FOR, pending.started_at
        carried = _guarded(lambda: self._pending.put(handle.key, record, expires_at=expires_at, now=now))
        return Handle(secret, carried).text()

    def _take(self, handle: Handle) -> PendingLogin:
        now = self._env.now()
        record = _guarded(lambda: self._pending.take(handle.key, carried=handle.carried, now=now))
        if record is None:
            raise LoginRestartError("login.unknown")
        return unseal(record, handle)

    def _run(self, flow: Flow[T]) -> T:
        """Drive a flow: answer what it yields until it returns or raises."""
        try:
            effect = next(flow)
            while True:
                answer = (
                    self._newer_keys(effect.tried) if isinstance(effect, KeysWanted) else self._send(effect)
                )
                effect = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def _send(self, request: HTTPRequest) -> HTTPResponse:
        try:
            response = self._transport.send(request)
        except Exception as error:  # noqa: BLE001 - also StopIteration must not end a flow as if it had returned
            logger.warning("transport raised %s: purpose=%s", type(error).__name__, request.purpose)
            return HTTPResponse(status=0, url=request.url, error="transport.failed")
        logger.debug("sent %s: status=%s error=%s", request.purpose, response.status, response.error)
        return response
