"""Async stores under the same laws: a store that waits, called from threads that do not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Generic, TypeVar

from cyberid_client.ports import AsyncPendingStore, AsyncReplayStore

__all__ = ["BlockingPendingStore", "BlockingReplayStore"]

S = TypeVar("S")
T = TypeVar("T")


class _Blocking(Generic[S]):
    """Own an event loop in a thread, and a store that lives in it."""

    def __init__(self, opener: Callable[[], S]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._store = self._wait(_called(opener))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the store declares
        if name in {"single_use", "shared", "durable", "transactional"}:
            return getattr(self._store, name)
        raise AttributeError(name)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        """Close the store, then its loop."""
        if callable(close := getattr(self._store, "aclose", None)):
            self._wait(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _called(opener: Callable[[], T]) -> T:
    return opener()


class BlockingPendingStore(_Blocking[AsyncPendingStore]):
    """Call an async store of pending logins as if it were none; for the conformance suite.

    It has ``peek`` and ``swap`` if the store has them.

    Args:
        opener: opens the store, inside the loop to which it then belongs.
    """

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the store declares, and what not every store can do
        if name not in {"peek", "swap"}:
            return super().__getattr__(name)
        awaited = getattr(self._store, name)
        return lambda *arguments, **named: self._wait(awaited(*arguments, **named))

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """As the store's own."""
        return self._wait(_put(self._store, key, record, expires_at, now))

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """As the store's own."""
        return self._wait(_take(self._store, key, carried, now))


async def _put(store: AsyncPendingStore, key: str, record: bytes, expires_at: datetime, now: datetime) -> str:
    return await store.put(key, record, expires_at=expires_at, now=now)


async def _take(store: AsyncPendingStore, key: str, carried: str, now: datetime) -> bytes | None:
    return await store.take(key, carried=carried, now=now)


class BlockingReplayStore(_Blocking[AsyncReplayStore]):
    """Call an async replay store as if it were none; for the conformance suite.

    Args:
        opener: opens the store, inside the loop to which it then belongs.
    """

    def once(
        self, key: str, effect: Callable[[object], None], *, expires_at: datetime, now: datetime
    ) -> bool:
        """As the store's own; the effect runs in a thread beside the loop, and may call the store."""

        async def awaited(transaction: object) -> None:
            await asyncio.get_running_loop().run_in_executor(None, effect, transaction)

        return self._wait(_once(self._store, key, awaited, expires_at, now))

    def advance(self, transaction: object, subject: str, sequence: int) -> bool:
        """As the store's own."""
        return self._wait(_advance(self._store, transaction, subject, sequence))


async def _once(
    store: AsyncReplayStore,
    key: str,
    effect: Callable[[object], Awaitable[None]],
    expires_at: datetime,
    now: datetime,
) -> bool:
    return await store.once(key, effect, expires_at=expires_at, now=now)


async def _advance(store: AsyncReplayStore, transaction: object, subject: str, sequence: int) -> bool:
    return await store.advance(transaction, subject, sequence)
