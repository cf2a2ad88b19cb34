"""Redis commands, one at a time: from a URL or a client of the app's own, and with our errors only."""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from datetime import timedelta
from typing import Any, Final

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = ["AsyncCommands", "Commands", "milliseconds"]

logger: Final = logging.getLogger("cyberid_client")

SCHEMES: Final = ("redis://", "rediss://", "unix://")
TIMEOUT_LIMIT: Final = 60.0
CONNECTIONS_LIMIT: Final = 10_000
# Redis counts down to tidy up, by its own clock: later than the client's, never earlier.
TIDY_UP_LATER: Final = 60_000

_Argument = str | bytes | int


class Commands:
    """Send commands and wait for their answers, as bytes whatever the client decodes.

    Args:
        client_or_url: ``redis://``, ``rediss://`` or ``unix://``, or a client of redis-py.
        timeout: seconds for connecting and for each answer, with a URL only.
        max_connections: how many may be open at once, with a URL only.

    Raises:
        ConfigurationError: redis-py is not installed (``config.missing_extra``), or an argument cannot be
            used.
    """

    __slots__ = ("_client", "_is_ours")

    def __init__(self, client_or_url: Any, *, timeout: float, max_connections: int) -> None:  # noqa: ANN401 - redis-py need not be installed
        with OwnFramesDropped():
            self._is_ours = isinstance(client_or_url, str)
            self._client = _client_of(client_or_url, timeout, max_connections, waits=False)

    def call(self, *arguments: _Argument) -> Any:  # noqa: ANN401 - each command has its own answer
        """Send one command, once, and return its answer.

        Raises:
            StoreError: there is no answer (``store.unavailable``), no room (``store.full``), or a refusal
                (``store.failed``). What Redis said is not repeated: it may quote what was sent.
        """
        try:
            return self._client.execute_command(*arguments, NEVER_DECODE=True)
        except Exception as error:  # noqa: BLE001 - a client that somebody else made may raise anything
            raise StoreError(_code_of(error)) from None

    def close(self) -> None:
        """Close the connections, if they are ours."""
        if self._is_ours:
            self._client.close()


class AsyncCommands:
    """The same as :class:`Commands`, awaited.

    Args:
        client_or_url: as there, with a client of ``redis.asyncio``.
        timeout: as there.
        max_connections: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_client", "_is_ours", "_room", "_timeout")

    def __init__(self, client_or_url: Any, *, timeout: float, max_connections: int) -> None:  # noqa: ANN401 - redis-py need not be installed
        with OwnFramesDropped():
            self._is_ours = isinstance(client_or_url, str)
            self._client = _client_of(client_or_url, timeout, max_connections, waits=True)
        self._timeout = timeout
        self._room = asyncio.Semaphore(max_connections) if self._is_ours else None

    async def call(self, *arguments: _Argument) -> Any:  # noqa: ANN401 - each command has its own answer
        """As :meth:`Commands.call`."""
        try:
            if self._room is None:
                return await self._client.execute_command(*arguments, NEVER_DECODE=True)
            if self._room.locked():
                # Only who really waits pays for a timer.
                await asyncio.wait_for(self._room.acquire(), self._timeout)
            else:
                await self._room.acquire()
            try:
                return await self._client.execute_command(*arguments, NEVER_DECODE=True)
            finally:
                self._room.release()
        except Exception as error:  # noqa: BLE001 - a client that somebody else made may raise anything
            raise StoreError(_code_of(error)) from None

    async def aclose(self) -> None:
        """Close the connections, if they are ours."""
        if self._is_ours:
            await self._client.aclose()


def milliseconds(lives: timedelta) -> int:
    """Return after how many milliseconds Redis may tidy up what lives so long."""
    return max(0, math.ceil(lives / timedelta(milliseconds=1))) + TIDY_UP_LATER


def _client_of(client_or_url: Any, timeout: object, max_connections: object, *, waits: bool) -> Any:  # noqa: ANN401 - redis-py need not be installed
    if not _is_number(timeout, TIMEOUT_LIMIT):
        raise ConfigurationError("config.value", "timeout")
    if type(max_connections) is not int or not 1 <= max_connections <= CONNECTIONS_LIMIT:
        raise ConfigurationError("config.value", "max_connections")
    _require_redis()
    if isinstance(client_or_url, str):
        return _open(client_or_url, timeout, max_connections, waits=waits)
    execute = getattr(client_or_url, "execute_command", None)
    # A client of the other kind would give a promise in the place of an answer, or the other way round.
    if execute is None or inspect.iscoroutinefunction(execute) is not waits:
        raise ConfigurationError("config.value", "client_or_url")
    return client_or_url


def _is_number(value: object, highest: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= highest


def _require_redis() -> None:
    try:
        import redis.asyncio  # noqa: F401, PLC0415 - an extra, which is missed only by who uses it
    except ImportError:
        raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[redis]"') from None


def _open(url: str, timeout: object, max_connections: int, *, waits: bool) -> Any:  # noqa: ANN401 - redis-py need not be installed
    import redis.asyncio.retry  # noqa: PLC0415 - an extra, as above
    import redis.backoff  # noqa: PLC0415 - an extra, as above

    retries = redis.asyncio.retry if waits else redis.retry
    settings = {
        "max_connections": max_connections,
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        # A command that is sent again after its answer was lost would not mean the same.
        "retry": retries.Retry(redis.backoff.NoBackoff(), 0),
    }
    if not url.startswith(SCHEMES):
        raise ConfigurationError("config.value", "client_or_url")
    try:
        if waits:
            # Who finds no free connection waits before the pool, which costs less than in it.
            return redis.asyncio.Redis.from_pool(redis.asyncio.ConnectionPool.from_url(url, **settings))
        return redis.Redis.from_pool(redis.BlockingConnectionPool.from_url(url, timeout=timeout, **settings))
    except (TypeError, ValueError):
        # Their messages quote the URL, and so its password.
        raise ConfigurationError("config.value", "client_or_url") from None


def _code_of(error: Exception) -> str:
    from redis import exceptions  # noqa: PLC0415 - an extra, as above

    logger.warning("redis raised %s", type(error).__name__)
    if isinstance(error, exceptions.OutOfMemoryError):
        return "store.full"
    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError):
        return "store.failed"
    passing = (
        exceptions.ConnectionError,
        exceptions.TimeoutError,
        exceptions.ReadOnlyError,  # a replica, until the client has found the new primary
        exceptions.TryAgainError,
        exceptions.ClusterError,
        exceptions.RedisClusterException,
        OSError,
    )
    return "store.unavailable" if isinstance(error, passing) else "store.failed"
