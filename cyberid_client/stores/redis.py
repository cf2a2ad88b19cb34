"""Pending logins, messages that took effect, and the issuer's documents in Redis, for all processes together.

Redis 6.2 or newer, Valkey, or a service that speaks the same: the commands are ``SET``, ``GETDEL``, ``GET``,
``GETRANGE`` and ``EVAL``, each on one key, so that clusters and sentinels serve as well.

Redis counts down by its own clock only to tidy up; what has expired by the client's clock is gone, whatever
Redis still holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores.redis_commands import AsyncCommands, Commands, milliseconds
from cyberid_client.stores.redis_documents import AsyncRedisDocumentCache, RedisDocumentCache
from cyberid_client.stores.times import EXPIRY_BYTES, expiry_as_bytes, is_over

__all__ = [
    "AsyncRedisDocumentCache",
    "AsyncRedisPendingStore",
    "AsyncRedisReplayStore",
    "RedisDocumentCache",
    "RedisPendingStore",
    "RedisReplayStore",
]

DONE: Final = b"done"
TOKEN_BYTES: Final = 16
LEASE_LIMIT: Final = 3600.0
_DELETE_IF_SAME: Final = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)
# ARGV: the old record, the new one, and the client's clock as it stands in front of a record. Moments are compared
# byte by byte: Lua's numbers are not exact to the microsecond for ever, and its texts sort by the server's locale.
_SWAP_IF_SAME_AND_LIVE: Final = """
local held = redis.call('GET', KEYS[1])
if not held then return 0 end
local size = #ARGV[3]
if #held < size then return -1 end
if string.sub(held, size + 1) ~= ARGV[1] then return 0 end
for place = 1, size do
  local expiry, now = string.byte(held, place), string.byte(ARGV[3], place)
  if expiry > now then
    redis.call('SET', KEYS[1], string.sub(held, 1, size) .. ARGV[2], 'KEEPTTL')
    return 1
  end
  if expiry < now then return 0 end
end
return 0
"""


class RedisPendingStore:
    """Keep pending logins in Redis; :class:`cyberid_client.ports.RevisableStore`.

    A take is one ``GETDEL``, a swap one script: one round trip, and no two callers both win. A client that is made here from
    a URL never sends a command twice: an answer that was lost is ``store.unavailable``. A client of the
    app's own keeps its own timeouts and retries; a ``GETDEL`` that it repeats finds nothing the second
    time, so that the person starts again, and never gives a record out twice; a swap that it repeats says that
    somebody else was first.

    What survives a crash of the server is the server's configuration; ``docs/stores.md`` says which.

    Args:
        client_or_url: ``redis://``, ``rediss://`` or ``unix://``; or a client of redis-py, be it ``Redis``,
            ``RedisCluster`` or what ``Sentinel.master_for`` returns.
        prefix: in front of every key, so that several apps can share a database.
        timeout: seconds for connecting and for each answer, with a URL only.
        max_connections: how many may be open at once, with a URL only; who finds none waits for one.

    Raises:
        ConfigurationError: redis-py is not installed (``config.missing_extra``), or an argument cannot be
            used.
    """

    __slots__ = ("_commands", "_prefix")

    single_use: bool = True
    shared: bool = True
    durable: bool = True

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        timeout: float = 2.0,
        max_connections: int = 50,
    ) -> None:
        self._commands = Commands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix = f"{prefix}pending:"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """Keep ``record`` under ``key`` until ``expires_at``.

        Args:
            key: 64 hex digits, the hash of a handle; used once.
            record: opaque and encrypted.
            expires_at: aware; from this moment on the record is gone.
            now: the client's clock.

        Returns:
            ``""``: the browser carries nothing beside the handle.

        Raises:
            StoreError: Redis did not answer (``store.unavailable``), has no room (``store.full``), or
                refused (``store.failed``); also when a login is pending under this key.
        """
        value = expiry_as_bytes(expires_at) + record
        _expect_set(self._commands.call(*_put(self._prefix + key, value, expires_at - now)))
        return ""

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:  # noqa: ARG002 - nothing is carried for this store
        """Remove the record and return it; ``None`` when there is none, or it has expired.

        Args:
            key: as for :meth:`put`.
            carried: ignored.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there was a record.
        """
        return _live(self._commands.call("GETDEL", self._prefix + key), now)

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        """Return the record and leave it where it is; ``None`` when there is none, or it has expired.

        Args:
            key: as for :meth:`put`.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there is a record.
        """
        return _live(self._commands.call("GET", self._prefix + key), now)

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """Put ``new`` in the place of ``old``, if the record is still ``old`` and alive.

        The expiry stays as it was put, by the client's clock and by Redis's own.

        Args:
            key: as for :meth:`put`.
            old: what :meth:`peek` returned.
            new: opaque and encrypted.
            now: the client's clock.

        Returns:
            Whether it was ``old``.

        Raises:
            StoreError: it is not known which of the two the record is.
        """
        return _swapped(self._commands.call(*_swap(self._prefix + key, old, new, now)))

    def close(self) -> None:
        """Close the connections that were opened for a URL; a client of the app's own stays open."""
        self._commands.close()


class AsyncRedisPendingStore:
    """The same as :class:`RedisPendingStore`, awaited, over ``redis.asyncio``; belongs to one event loop.

    Args:
        client_or_url: as there, with a client of ``redis.asyncio``.
        prefix: as there.
        timeout: as there.
        max_connections: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_commands", "_prefix")

    single_use: bool = True
    shared: bool = True
    durable: bool = True

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        timeout: float = 2.0,
        max_connections: int = 50,
    ) -> None:
        self._commands = AsyncCommands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix = f"{prefix}pending:"

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"

    async def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """As :meth:`RedisPendingStore.put`."""
        value = expiry_as_bytes(expires_at) + record
        _expect_set(await self._commands.call(*_put(self._prefix + key, value, expires_at - now)))
        return ""

    async def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:  # noqa: ARG002 - nothing is carried for this store
        """As :meth:`RedisPendingStore.take`."""
        return _live(await self._commands.call("GETDEL", self._prefix + key), now)

    async def peek(self, key: str, *, now: datetime) -> bytes | None:
        """As :meth:`RedisPendingStore.peek`."""
        return _live(await self._commands.call("GET", self._prefix + key), now)

    async def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """As :meth:`RedisPendingStore.swap`."""
        return _swapped(await self._commands.call(*_swap(self._prefix + key, old, new, now)))

    async def aclose(self) -> None:
        """As :meth:`RedisPendingStore.close`."""
        await self._commands.aclose()


def _put(key: str, value: bytes, lives: timedelta) -> tuple[str | bytes | int, ...]:
    return ("SET", key, value, "NX", "PX", milliseconds(lives))


def _swap(key: str, old: bytes, new: bytes, now: datetime) -> tuple[str | bytes | int, ...]:
    return ("EVAL", _SWAP_IF_SAME_AND_LIVE, 1, key, old, new, expiry_as_bytes(now))


def _swapped(answer: object) -> bool:
    # Anything else stands there by somebody else's doing.
    if answer not in (0, 1):
        raise StoreError("store.failed")
    return answer == 1


def _expect_set(answer: object) -> None:
    # A key is the hash of random bits: a second login under it is no coincidence.
    if answer is not True:
        raise StoreError("store.failed")


def _live(value: object, now: datetime) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) < EXPIRY_BYTES:
        raise StoreError("store.failed")
    return None if is_over(value[:EXPIRY_BYTES], now) else value[EXPIRY_BYTES:]


class RedisReplayStore:
    """Remember in Redis which messages took effect; :class:`cyberid_client.ports.ReplayStore`.

    It is not transactional: the effect happens elsewhere. While it runs, a lease keeps others off the key;
    a process that dies there lets the message through again when the lease is over. So the effect must be
    one that may happen twice, as ending sessions is. For effects that may not, there is
    :class:`cyberid_client.stores.sql.SQLReplayStore` in the app's own database.

    Args:
        client_or_url: as for :class:`RedisPendingStore`.
        prefix: as there.
        lease: seconds that an effect may take, above 0 to an hour.
        timeout: as there.
        max_connections: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_commands", "_lease", "_prefix")

    shared: bool = True
    durable: bool = True
    transactional: bool = False

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        lease: float = 30.0,
        timeout: float = 2.0,
        max_connections: int = 50,
    ) -> None:
        self._commands = Commands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix = f"{prefix}replay:"
        self._lease = _checked(lease)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"

    def once(
        self, key: str, effect: Callable[[object], None], *, expires_at: datetime, now: datetime
    ) -> bool:
        """Run ``effect(None)`` unless ``key`` is known, and know the key from then on.

        Args:
            key: 64 hex digits.
            effect: when it raises, the key stays unknown and the error comes out.
            expires_at: aware; from this moment on the key may be forgotten.
            now: the client's clock.

        Returns:
            Whether the effect ran.

        Raises:
            StoreError: Redis could not say or did not answer, or the effect of this key is under way
                elsewhere (``replay.busy``).
        """
        lease = _Lease(self._prefix + key, self._lease)
        try:
            if not self._commands.call(*lease.take()):
                return _known_or_busy(self._commands.call("GET", lease.key))
            effect(None)
        except BaseException:
            # What cannot be given back ends by itself.
            with contextlib.suppress(StoreError):
                self._commands.call(*lease.give_back())
            raise
        self._commands.call(*lease.done(expires_at - now))
        return True

    def advance(self, transaction: object, subject: str, sequence: int) -> bool:  # noqa: ARG002 - the port's arguments
        """Refuse: a counter needs a transaction.

        Raises:
            StoreError: always (``replay.no_counters``).
        """
        raise StoreError("replay.no_counters")

    def close(self) -> None:
        """As :meth:`RedisPendingStore.close`."""
        self._commands.close()


class AsyncRedisReplayStore:
    """The same as :class:`RedisReplayStore`, with an effect that is awaited; belongs to one event loop.

    Args:
        client_or_url: as there, with a client of ``redis.asyncio``.
        prefix: as there.
        lease: as there.
        timeout: as there.
        max_connections: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_commands", "_lease", "_prefix")

    shared: bool = True
    durable: bool = True
    transactional: bool = False

    def __init__(
        self,
        client_or_url: Any,  # noqa: ANN401 - a client of redis-py, which need not be installed
        *,
        prefix: str = "cyberid:",
        lease: float = 30.0,
        timeout: float = 2.0,
        max_connections: int = 50,
    ) -> None:
        self._commands = AsyncCommands(client_or_url, timeout=timeout, max_connections=max_connections)
        self._prefix = f"{prefix}replay:"
        self._lease = _checked(lease)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(prefix={self._prefix!r})"

    async def once(
        self, key: str, effect: Callable[[object], Awaitable[None]], *, expires_at: datetime, now: datetime
    ) -> bool:
        """As :meth:`RedisReplayStore.once`; a caller that is cancelled leaves no lease behind."""
        lease = _Lease(self._prefix + key, self._lease)
        try:
            if not await self._commands.call(*lease.take()):
                return _known_or_busy(await self._commands.call("GET", lease.key))
            await effect(None)
        except BaseException:
            # What cannot be given back ends by itself.
            with contextlib.suppress(StoreError):
                await self._commands.call(*lease.give_back())
            raise
        done = lease.done(expires_at - now)
        try:
            await self._commands.call(*done)
        except asyncio.CancelledError:
            # The effect took place, whoever still waits for it: that is said before the caller ends.
            await self._commands.call(*done)
            raise
        return True

    async def advance(self, transaction: object, subject: str, sequence: int) -> bool:  # noqa: ARG002 - the port's arguments
        """As :meth:`RedisReplayStore.advance`."""
        raise StoreError("replay.no_counters")

    async def aclose(self) -> None:
        """As :meth:`RedisPendingStore.close`."""
        await self._commands.aclose()


class _Lease:
    """The right to run the effect of one key, for a limited time; nobody else's is ever given back."""

    __slots__ = ("_milliseconds", "_token", "key")

    def __init__(self, key: str, milliseconds: int) -> None:
        self.key = key
        self._milliseconds = milliseconds
        self._token = secrets.token_bytes(TOKEN_BYTES)

    def take(self) -> tuple[str | bytes | int, ...]:
        return ("SET", self.key, self._token, "NX", "PX", self._milliseconds)

    def give_back(self) -> tuple[str | bytes | int, ...]:
        return ("EVAL", _DELETE_IF_SAME, 1, self.key, self._token)

    def done(self, lives: timedelta) -> tuple[str | bytes | int, ...]:
        # Also when the lease ran out meanwhile: the effect took place.
        return ("SET", self.key, DONE, "PX", milliseconds(lives))


def _known_or_busy(value: object) -> bool:
    # The answer of `once` to a key that somebody else has: its effect does not run again.
    if value != DONE:
        raise StoreError("replay.busy")
    return False


def _checked(lease: object) -> int:
    if not isinstance(lease, int | float) or isinstance(lease, bool) or not 0 < lease <= LEASE_LIMIT:
        raise ConfigurationError("config.value", "lease")
    return math.ceil(lease * 1000)
