"""One fetch for a whole fleet: the issuer's public documents out of a cache that processes share.

What comes out of the cache is as untrusted as what comes from the network, and judged the same. That holds
only as long as signatures and chains vouch for the documents, see :func:`require_signed`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from cyberid_client.config import RelyingParty
from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import (
    AsyncDocumentCache,
    AsyncTransport,
    CachedDocument,
    Clock,
    DocumentCache,
    HTTPRequest,
    HTTPResponse,
    Transport,
)
from cyberid_client.wire.caching import age_of, freshness

__all__ = ["AsyncCachedTransport", "CachedTransport", "require_signed"]

logger: Final = logging.getLogger("cyberid_client")

SHARED: Final = frozenset({"discovery", "jwks", "crl", "status_list", "status_aggregation"})
# Without a word of the issuer a document is shared for so long, and never for longer than a day.
DEFAULT_SECONDS: Final = 60.0
MOST_SECONDS: Final = 86_400.0
# Clocks of a fleet may differ by so much.
SKEW_SECONDS: Final = 60.0
# The one who fetches may take so long, and the others wait for it no longer than that.
LEAD_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.05
PAUSES_MAX: Final = 60


def require_signed(rp: RelyingParty) -> None:
    """Refuse a shared cache where TLS alone vouches for keys: whoever can write to it could put keys there.

    Args:
        rp: the configuration of the client that was given a cache.

    Raises:
        ConfigurationError: metadata or assertions are believed without a chain to a pinned root
            (``config.shared_documents``).
    """
    if rp.metadata_trust != "signed" or rp.assertion_chain != "required":
        raise ConfigurationError("config.shared_documents", "documents")


@dataclass(frozen=True, slots=True)
class _Keep:
    document: CachedDocument
    seconds: float


# What is asked of the cache, the clock on the wall and the network, one after the other.
_Step = Literal["get", "lead", "follow", "pause", "send"] | _Keep


class CachedTransport:
    """Answer with documents out of a shared cache, and fetch for all what is not there.

    Only public documents are shared, fetched without credentials. A cache that fails is as good as none.

    Args:
        inner: HTTP to the issuer.
        cache: shared by the fleet.
        clock: the client's.
    """

    def __init__(self, inner: Transport, cache: DocumentCache, clock: Clock) -> None:
        self._inner = inner
        self._cache = cache
        self._clock = clock

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """As :meth:`cyberid_client.ports.Transport.send`.

        A document out of the cache says in its ``age`` header for how long it has lain there.
        """
        if not _is_shared(request):
            return self._inner.send(request)
        steps = _steps(request, self._clock)
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._do(step, request)
                except BaseException as error:  # noqa: BLE001 - it goes through the steps, which lead no longer
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as stop:
            response: HTTPResponse = stop.value
            return response

    def close(self) -> None:
        """Give back the connections to the issuer; the cache stays open."""
        self._inner.close()

    def _do(self, step: _Step, request: HTTPRequest) -> object:
        if step == "send":
            return self._inner.send(request)
        if step == "pause":
            return threading.Event().wait(PAUSE_SECONDS)
        try:
            if step == "get":
                return self._cache.get(request.url)
            if step == "lead":
                return self._cache.lead(request.url, seconds=LEAD_SECONDS)
            if isinstance(step, _Keep):
                self._cache.put(request.url, step.document, seconds=step.seconds)
            else:
                self._cache.follow(request.url)
        except Exception as error:  # noqa: BLE001 - a cache that somebody else wrote may raise anything
            return _without_cache(step, error)
        return None


class AsyncCachedTransport:
    """The same as :class:`CachedTransport`, awaited.

    Args:
        inner: HTTP to the issuer.
        cache: shared by the fleet.
        clock: the client's.
    """

    def __init__(self, inner: AsyncTransport, cache: AsyncDocumentCache, clock: Clock) -> None:
        self._inner = inner
        self._cache = cache
        self._clock = clock

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """As :meth:`CachedTransport.send`; who is cancelled leads no longer."""
        if not _is_shared(request):
            return await self._inner.send(request)
        steps = _steps(request, self._clock)
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._do(step, request)
                except BaseException as error:  # noqa: BLE001 - it goes through the steps, which lead no longer
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as stop:
            response: HTTPResponse = stop.value
            return response

    async def aclose(self) -> None:
        """As :meth:`CachedTransport.close`."""
        await self._inner.aclose()

    async def _do(self, step: _Step, request: HTTPRequest) -> object:
        if step == "send":
            return await self._inner.send(request)
        try:
            if step == "get":
                return await self._cache.get(request.url)
            if step == "lead":
                return await self._cache.lead(request.url, seconds=LEAD_SECONDS)
            if step == "pause":
                await asyncio.sleep(PAUSE_SECONDS)
            elif isinstance(step, _Keep):
                await self._cache.put(request.url, step.document, seconds=step.seconds)
            else:
                await self._cache.follow(request.url)
        except Exception as error:  # noqa: BLE001 - a cache that somebody else wrote may raise anything
            return _without_cache(step, error)
        return None


def _without_cache(step: _Step, error: Exception) -> bool | None:
    logger.warning("document cache raised %s", type(error).__name__)
    # Without a cache everybody fetches for himself.
    return True if step == "lead" else None


def _is_shared(request: HTTPRequest) -> bool:
    return request.method == "GET" and request.purpose in SHARED and not request.shows_certificate


def _steps(request: HTTPRequest, clock: Clock) -> Generator[_Step, Any, HTTPResponse]:
    """Say what to do, one step after the other, and return the answer."""
    leads = False
    try:
        for _ in range(PAUSES_MAX):
            kept = _served((yield "get"), request, clock())
            if kept is not None:
                return kept
            # The one who led may have put the document after it was looked for, so that it is looked for again.
            if leads:
                break
            leads = bool((yield "lead"))
            if not leads:
                yield "pause"
        asked_at = clock()
        response: HTTPResponse = yield "send"
        seconds = _seconds_to_keep(response)
        if seconds > 0:
            yield _Keep(CachedDocument(response=response, fetched_at=asked_at), seconds)
        return response
    finally:
        if leads:
            yield "follow"


def _served(kept: object, request: HTTPRequest, now: datetime) -> HTTPResponse | None:
    """Return what is kept, as an answer that says its age, if it may serve."""
    if not isinstance(kept, CachedDocument) or kept.response.status != 200:  # noqa: PLR2004 - OK
        return None
    lain = (now - kept.fetched_at).total_seconds()
    if lain < -SKEW_SECONDS or len(kept.response.body) > request.max_bytes:
        return None
    if request.newer_than is not None and kept.fetched_at.timestamp() <= request.newer_than:
        return None
    age = math.ceil(max(0.0, lain) + age_of(kept.response))
    response = replace(kept.response, url=request.url, headers={**kept.response.headers, "age": str(age)})
    fresh_for = freshness(response)
    left = DEFAULT_SECONDS - age if fresh_for is None else min(fresh_for, MOST_SECONDS - age)
    return response if left > 0 else None


def _seconds_to_keep(response: object) -> float:
    if not isinstance(response, HTTPResponse) or response.error is not None or response.status != 200:  # noqa: PLR2004 - OK
        return 0.0
    # It is for one recipient (RFC 9111 §5.2.2.7).
    if "private" in response.headers.get("cache-control", "").lower():
        return 0.0
    fresh_for = freshness(response)
    return min(DEFAULT_SECONDS if fresh_for is None else fresh_for, MOST_SECONDS)
