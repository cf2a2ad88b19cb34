"""Open a store by its URL."""

from __future__ import annotations

from typing import Final

from cyberid_client.ports import PendingStore
from cyberid_client.stores.memory import MemoryPendingStore

__all__ = ["is_redis", "open_pending_store"]

REDIS_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


def is_redis(url: str) -> bool:
    """Tell whether a URL names a Redis server."""
    return url.partition("://")[0] in REDIS_SCHEMES


def open_pending_store(url: str | None) -> PendingStore:
    """Open the store of pending logins that a URL names.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``; any other is a database URL of SQLAlchemy;
            ``None``: this process's memory.

    Raises:
        ConfigurationError: the URL cannot be read, or what it needs is not installed.
    """
    if url is None:
        return MemoryPendingStore()
    if is_redis(url):
        from cyberid_client.stores.redis import RedisPendingStore  # noqa: PLC0415 - redis is an extra

        return RedisPendingStore(url)
    from cyberid_client.stores.sql import SQLPendingStore  # noqa: PLC0415 - SQLAlchemy is an extra

    return SQLPendingStore(url)
