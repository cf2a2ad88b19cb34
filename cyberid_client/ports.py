"""What the library asks of the outside world, and the values that cross the border.

Protocols only: HTTP, the stores, the shared cache, signers, clock and randomness; where one waits, its
async twin stands beside it. Implementations of ours are in :mod:`cyberid_client.transport` and
:mod:`cyberid_client.stores`; an app may bring its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

__all__ = [
    "AsyncDocumentCache",
    "AsyncPendingStore",
    "AsyncReplayStore",
    "AsyncRevisableStore",
    "AsyncSigner",
    "AsyncTransport",
    "CachedDocument",
    "Clock",
    "DocumentCache",
    "FlowEnv",
    "HTTPRequest",
    "HTTPResponse",
    "PendingStore",
    "ReplayStore",
    "RevisableStore",
    "Signer",
    "Transport",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """A request to the issuer, complete: a transport adds nothing that matters.

    Attributes:
        method: ``GET`` or ``POST``.
        url: absolute; https, or http to a literal loopback address in tests.
        headers: what the flow wants sent.
        body: the form body, empty for ``GET``; holds secrets and is never shown.
        max_bytes: the response body may be at most this long.
        purpose: a word for logs: ``discovery``, ``jwks``, ``par``, ``token``, ``crl``,
            ``app_verification``, ``status_aggregation`` or ``status_list``.
        shows_certificate: the client's certificate is shown in TLS (RFC 8705); never otherwise.
        newer_than: seconds since the epoch, by the client's clock: an answer that a shared cache got at that
            moment or before is not good enough. ``None``: any fresh one is. Who fetches again what it holds
            names the moment at which it got that, so that one process fetches and the rest of the fleet
            takes what came; who wants the issuer's own word names the present.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    max_bytes: int
    purpose: str
    shows_certificate: bool = False
    newer_than: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPResponse:
    """What came back, or why nothing did.

    Attributes:
        status: the HTTP status, 0 when there is none.
        headers: names in lower case; a header that came twice is joined with ``", "``.
        body: at most ``max_bytes`` of the request, decoded from its content coding.
        url: the URL that answered.
        error: ``None``, or a code ``transport.*`` of the error catalogue.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    url: str
    error: str | None = None


class Transport(Protocol):
    """Send one request and bring back one response."""

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Return the response; failures are ``HTTPResponse.error``, not exceptions.

        An exception that comes out all the same is taken as ``transport.failed``.
        """
        ...

    def close(self) -> None:
        """Give back connections; the transport is not used afterwards."""
        ...


class AsyncTransport(Protocol):
    """The same, awaited."""

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """As :meth:`Transport.send`."""
        ...

    async def aclose(self) -> None:
        """Give back connections; the transport is not used afterwards."""
        ...


class PendingStore(Protocol):
    """Keep the encrypted record of a login between its two legs.

    Attributes:
        single_use: a record can be taken at most once, also by callers at the same time.
        shared: what one process puts, another can take.
        durable: a record survives the end of the process.
    """

    single_use: bool
    shared: bool
    durable: bool

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """Keep ``record`` under ``key`` until ``expires_at``.

        Args:
            key: 64 hex digits, the hash of a handle.
            record: opaque and encrypted, at most 4 KiB.
            expires_at: aware; from this moment on the record is gone.
            now: the client's clock.

        Returns:
            What the browser must carry beside the handle: ``""`` for a store that keeps the record
            itself, the sealed record for one that keeps nothing.

        Raises:
            StoreError: the record is not kept, and the login must not start.
        """
        ...

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """Remove the record and return it; ``None`` when there is none (any more).

        Args:
            key: as for :meth:`put`.
            carried: what :meth:`put` returned, brought back by a browser: untrusted.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there is a record.
        """
        ...


class AsyncPendingStore(Protocol):
    """The same as :class:`PendingStore`, awaited."""

    single_use: bool
    shared: bool
    durable: bool

    async def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """As :meth:`PendingStore.put`."""
        ...

    async def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """As :meth:`PendingStore.take`."""
        ...


class RevisableStore(PendingStore, Protocol):
    """A store of pending logins whose records can be read and changed before they are taken.

    A wallet presentation has three parties that come in any order: the wallet that fetches the request, maybe
    twice, the wallet that answers, and the browser that finishes. A store that keeps nothing itself
    (:class:`~cyberid_client.stores.SealedCookieStore`) cannot serve it.
    """

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        """Return the record and leave it where it is; ``None`` when there is none (any more).

        Args:
            key: as for :meth:`PendingStore.put`.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there is a record.
        """
        ...

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """Put ``new`` in the place of ``old``, if the record is still ``old``; in one step.

        The moment from which the record is gone stays as it was put.

        Args:
            key: as for :meth:`PendingStore.put`.
            old: what :meth:`peek` returned.
            new: opaque and encrypted, at most 4 KiB.
            now: the client's clock.

        Returns:
            Whether it was ``old``; ``False`` also when there is no record (any more).

        Raises:
            StoreError: it is not known which of the two the record is.
        """
        ...


class AsyncRevisableStore(AsyncPendingStore, Protocol):
    """The same as :class:`RevisableStore`, awaited."""

    async def peek(self, key: str, *, now: datetime) -> bytes | None:
        """As :meth:`RevisableStore.peek`."""
        ...

    async def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """As :meth:`RevisableStore.swap`."""
        ...


class ReplayStore(Protocol):
    """Remember which messages took effect, so that one that comes again has no second effect.

    Attributes:
        shared: what one process remembers, another knows.
        durable: what is remembered survives the end of the process.
        transactional: key and effect are one transaction of the app's own database: either both
            happened or neither.
    """

    shared: bool
    durable: bool
    transactional: bool

    def once(
        self, key: str, effect: Callable[[object], None], *, expires_at: datetime, now: datetime
    ) -> bool:
        """Run ``effect`` unless ``key`` is known, and know the key from then on.

        When the effect raises, the key stays unknown and the error comes out. A store that is not
        transactional keeps others off the key while the effect runs, for a limited time; a process that
        dies there lets a later message through again.

        Args:
            key: 64 hex digits.
            effect: is given the open transaction, or ``None`` by a store that is not transactional.
            expires_at: aware; from this moment on the key may be forgotten.
            now: the client's clock.

        Returns:
            Whether the effect ran; ``False``: the key was known.

        Raises:
            StoreError: it is not known whether the key is known, or its effect runs elsewhere right now.
        """
        ...

    def advance(self, transaction: object, subject: str, sequence: int) -> bool:
        """Raise the subject's counter to ``sequence``, inside the transaction of :meth:`once`.

        Only a transactional store has counters.

        Args:
            transaction: what the effect was given.
            subject: 64 hex digits.
            sequence: 0 to 2**63 - 1.

        Returns:
            Whether ``sequence`` is above the last; if not, the counter stays.

        Raises:
            StoreError: the database could not do it, or this store has no counters.
        """
        ...


class AsyncReplayStore(Protocol):
    """The same as :class:`ReplayStore`, awaited."""

    shared: bool
    durable: bool
    transactional: bool

    async def once(
        self, key: str, effect: Callable[[object], Awaitable[None]], *, expires_at: datetime, now: datetime
    ) -> bool:
        """As :meth:`ReplayStore.once`."""
        ...

    async def advance(self, transaction: object, subject: str, sequence: int) -> bool:
        """As :meth:`ReplayStore.advance`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedDocument:
    """A public document of the issuer as one process fetched it for all.

    Attributes:
        response: what came, with status 200.
        fetched_at: aware.
    """

    response: HTTPResponse
    fetched_at: datetime


class DocumentCache(Protocol):
    """Share the issuer's public documents among the processes of a fleet.

    What comes out is untrusted: it is judged like an answer from the network.
    """

    def get(self, url: str) -> CachedDocument | None:
        """Return what is kept; ``None`` when there is nothing, or when the cache cannot be reached."""
        ...

    def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        """Keep a document for so long; a cache that cannot be reached keeps nothing, and says nothing."""
        ...

    def lead(self, url: str, *, seconds: float) -> bool:
        """Tell whether this process is the one that fetches; for so long the others wait for it."""
        ...

    def follow(self, url: str) -> None:
        """Lead no longer, if this process led: it has put the document, or could not get it."""
        ...


class AsyncDocumentCache(Protocol):
    """The same as :class:`DocumentCache`, awaited."""

    async def get(self, url: str) -> CachedDocument | None:
        """As :meth:`DocumentCache.get`."""
        ...

    async def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        """As :meth:`DocumentCache.put`."""
        ...

    async def lead(self, url: str, *, seconds: float) -> bool:
        """As :meth:`DocumentCache.lead`."""
        ...

    async def follow(self, url: str) -> None:
        """As :meth:`DocumentCache.follow`."""
        ...


class Signer(Protocol):
    """Sign with a key that does not leave where it is: a KMS, an HSM, an agent.

    Attributes:
        algorithm: the JWS name: ES256, ES384, PS256 or EdDSA.
        public_key_info: the public half, SubjectPublicKeyInfo, DER.
    """

    algorithm: str
    public_key_info: bytes

    def sign(self, message: bytes) -> bytes:
        """Return the signature over ``message`` in the form of JWS: raw ``r‖s`` for ECDSA (RFC 7518 §3.4).

        Whatever it raises becomes ``signer.failed``; no request is sent.
        """
        ...


class AsyncSigner(Protocol):
    """The same as :class:`Signer`, awaited; for :class:`cyberid_client.aio.AsyncClient` only."""

    algorithm: str
    public_key_info: bytes

    async def sign(self, message: bytes) -> bytes:
        """As :meth:`Signer.sign`."""
        ...


class Clock(Protocol):
    """Tell the time: aware, UTC."""

    def __call__(self) -> datetime:
        """Return the current time."""
        ...


class FlowEnv(Protocol):
    """Time and randomness for a flow, asked anew after each response."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        ...

    def token(self, nbytes: int) -> bytes:
        """Return ``nbytes`` from the system's random source."""
        ...
