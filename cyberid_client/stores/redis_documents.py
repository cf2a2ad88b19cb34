"""The issuer's public documents in Redis, fetched once for a whole fleet."""

from __future__ import annotations

import contextlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any, Final

from cyberid_client.errors import StoreError
from cyberid_client.ports import CachedDocument, HTTPResponse
from cyberid_client.stores.redis_commands import AsyncCommands, Commands

__all__ = ["AsyncRedisDocumentCache", "RedisDocumentCache"]

MAX_BYTES: Final = 16 * 1024 * 1024
TOKEN_BYTES: Final = 16
# What judging a document needs to know about its answer; everything else stays with who fetched it.
_HEADERS_KEPT: Final = ("content-type", "cache-control", "age")
_DELETE_IF_SAME: Final = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)


class RedisDocumentCache:
    """Share documents in Redis; :class:`cyberid_client.ports.DocumentCache`.

    It never fails a login: when Redis cannot be reached, every process fetches for itself.

    Args:
        client_or_url: as for :class:`cyberid_client.stores.redis.RedisPendingStore`.
        prefix: in front of every key.
        max_bytes: larger documents are not shared, and no more than that is ever read.
        timeout: seconds for connecting and for each answer, with a URL only; a login may wait for it.
        max_connections: how many may be open at once, with a URL only.

    Raises:
        ConfigurationError: redis-py is not installed (``config.missing_extra``), or an argument cannot be
            used.
    """

    __slots__ = ("_commands", "_max_bytes", "_prefix", "_token")

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        max_bytes: int = MAX_BYTES,
        timeout: float = 0.5,
        max_connections: int = 10,
    ) -> None:
        self._commands = Commands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix, self._max_bytes = prefix, max_bytes
        self._token = secrets.token_bytes(TOKEN_BYTES)

    def get(self, url: str) -> CachedDocument | None:
        """Return what is kept; ``None`` when there is nothing, or when Redis cannot be reached.

        Args:
            url: that of the document.
        """
        try:
            # Of what somebody else may have put there, no more is read than is kept.
            value = self._commands.call("GETRANGE", f"{self._prefix}doc:{url}", 0, self._max_bytes)
        except StoreError:
            return None
        return _decoded(url, value, self._max_bytes)

    def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        """Keep a document for so long; without Redis nothing is kept.

        Args:
            url: that of the document.
            document: as it was fetched.
            seconds: above 0.
        """
        value = _encoded(document)
        if len(value) <= self._max_bytes:
            with contextlib.suppress(StoreError):
                self._commands.call("SET", f"{self._prefix}doc:{url}", value, "PX", _milliseconds(seconds))

    def lead(self, url: str, *, seconds: float) -> bool:
        """Tell whether this process is the one that fetches; without Redis each one is.

        Args:
            url: that of the document.
            seconds: for so long the others wait.
        """
        try:
            taken = self._commands.call(*_lead(self._prefix, url, self._token, seconds))
        except StoreError:
            return True
        return taken is True

    def follow(self, url: str) -> None:
        """Lead no longer.

        Args:
            url: that of the document.
        """
        with contextlib.suppress(StoreError):
            self._commands.call("EVAL", _DELETE_IF_SAME, 1, f"{self._prefix}lead:{url}", self._token)

    def close(self) -> None:
        """Close the connections that were opened for a URL; a client of the app's own stays open."""
        self._commands.close()


class AsyncRedisDocumentCache:
    """The same as :class:`RedisDocumentCache`, awaited; belongs to one event loop.

    Args:
        client_or_url: as there, with a client of ``redis.asyncio``.
        prefix: as there.
        max_bytes: as there.
        timeout: as there.
        max_connections: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_commands", "_max_bytes", "_prefix", "_token")

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        max_bytes: int = MAX_BYTES,
        timeout: float = 0.5,
        max_connections: int = 10,
    ) -> None:
        self._commands = AsyncCommands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix, self._max_bytes = prefix, max_bytes
        self._token = secrets.token_bytes(TOKEN_BYTES)

    async def get(self, url: str) -> CachedDocument | None:
        """As :meth:`RedisDocumentCache.get`."""
        key = f"{self._prefix}doc:{url}"
        try:
            value = await self._commands.call("GETRANGE", key, 0, self._max_bytes)
        except StoreError:
            return None
        return _decoded(url, value, self._max_bytes)

    async def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        """As :meth:`RedisDocumentCache.put`."""
        value = _encoded(document)
        if len(value) <= self._max_bytes:
            key = f"{self._prefix}doc:{url}"
            with contextlib.suppress(StoreError):
                await self._commands.call("SET", key, value, "PX", _milliseconds(seconds))

    async def lead(self, url: str, *, seconds: float) -> bool:
        """As :meth:`RedisDocumentCache.lead`."""
        try:
            taken = await self._commands.call(*_lead(self._prefix, url, self._token, seconds))
        except StoreError:
            return True
        return taken is True

    async def follow(self, url: str) -> None:
        """As :meth:`RedisDocumentCache.follow`."""
        with contextlib.suppress(StoreError):
            await self._commands.call("EVAL", _DELETE_IF_SAME, 1, f"{self._prefix}lead:{url}", self._token)

    async def aclose(self) -> None:
        """As :meth:`RedisDocumentCache.close`."""
        await self._commands.aclose()


def _lead(prefix: str, url: str, token: bytes, seconds: float) -> tuple[str | bytes | int, ...]:
    return ("SET", f"{prefix}lead:{url}", token, "NX", "PX", _milliseconds(seconds))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _encoded(document: CachedDocument) -> bytes:
    headers = document.response.headers
    head = {
        "fetched_at": document.fetched_at.timestamp(),
        "headers": {name: headers[name] for name in _HEADERS_KEPT if name in headers},
    }
    return json.dumps(head).encode() + b"\n" + document.response.body


def _decoded(url: str, value: object, most: int) -> CachedDocument | None:
    """Read what somebody put there; whatever is not of our shape, or was cut, is nothing."""
    if not isinstance(value, bytes) or len(value) > most:
        return None
    head, line_end, body = value.partition(b"\n")
    try:
        members: object = json.loads(head) if line_end else None
        if not isinstance(members, dict):
            return None
        fetched_at = datetime.fromtimestamp(members["fetched_at"], UTC)
        headers = {str(name): str(text) for name, text in members["headers"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        return None
    return CachedDocument(
        response=HTTPResponse(status=200, headers=headers, body=body, url=url), fetched_at=fetched_at
    )
