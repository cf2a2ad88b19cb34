"""Pending logins, and messages that took effect, in PostgreSQL or SQLite.

Over SQLAlchemy 2 Core; with psycopg 3 for PostgreSQL, and with aiosqlite for SQLite where one waits.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores.sql_engines import (
    AsyncDatabase,
    Database,
    commit,
    commit_async,
    execute,
    execute_async,
)
from cyberid_client.stores.sql_tables import pending_tables, replay_tables
from cyberid_client.stores.times import microseconds

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine, MetaData
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["AsyncSQLPendingStore", "AsyncSQLReplayStore", "SQLPendingStore", "SQLReplayStore"]

PURGE_EVERY: Final = 100


class SQLPendingStore:
    """Keep pending logins in a database; :class:`cyberid_client.ports.RevisableStore`.

    A take is one ``DELETE … RETURNING``, a swap one ``UPDATE``, each committed by itself: no two callers both
    win. Every hundredth
    put tidies up some of what has expired.

    Args:
        engine_or_url: ``postgresql://…``, ``sqlite:///file``, or an ``Engine`` of the app's own. An
            engine of our own sees that its connections are alive, and is made anew after a fork; both
            are the app's business with its own.
        table_prefix: in front of the table's name, at most 32 characters ``[a-z0-9_]``.
        timeout: seconds for connecting, for a statement and for a free connection, with a URL only.
        pool_size: connections kept open to PostgreSQL, with a URL only.

    Raises:
        ConfigurationError: SQLAlchemy or a driver is not installed (``config.missing_extra``), or an
            argument cannot be used: another database, one in memory, a URL that is none.
    """

    __slots__ = ("_database", "_puts", "_tables")

    single_use: bool = True
    shared: bool = True
    durable: bool = True

    def __init__(
        self,
        engine_or_url: Engine | URL | str,
        *,
        table_prefix: str = "cyberid_",
        timeout: float = 5.0,
        pool_size: int = 5,
    ) -> None:
        self._database = Database(engine_or_url, timeout=timeout, pool_size=pool_size)
        self._tables = pending_tables(table_prefix)
        self._puts = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.engine.dialect.name})"

    @property
    def metadata(self) -> MetaData:
        """The table, for an app that migrates its database by itself."""
        return self._tables.metadata

    def create_tables(self) -> None:
        """Create the table unless it is there; once, before the first login.

        Raises:
            StoreError: the database could not do it.
        """
        self._database.create(self._tables.metadata)

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
            StoreError: the database did not answer (``store.unavailable``), has no room (``store.full``),
                or refused (``store.failed``); also when a login is pending under this key.
        """
        self._database.run(self._tables.put, _row(key, record, expires_at))
        if next(self._puts) % PURGE_EVERY == 0:
            # The login is kept, whether or not others could be tidied up.
            with contextlib.suppress(StoreError):
                self.purge(now)
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
        return _live(self._database.run(self._tables.take, {"wanted": key}), now)

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        """Return the record and leave it where it is; ``None`` when there is none, or it has expired.

        Args:
            key: as for :meth:`put`.
            now: the client's clock.

        Raises:
            StoreError: it is not known whether there is a record.
        """
        return _live(self._database.run(self._tables.peek, {"wanted": key}), now)

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """Put ``new`` in the place of ``old``, if the record is still ``old`` and alive.

        The expiry stays as it was put.

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
        return len(self._database.run(self._tables.swap, _change(key, old, new, now))) > 0

    def purge(self, now: datetime) -> int:
        """Remove some hundred records that have expired, and return how many.

        Args:
            now: the client's clock.

        Raises:
            StoreError: the database could not do it.
        """
        return len(self._database.run(self._tables.purge, {"moment": microseconds(now)}))

    def close(self) -> None:
        """Close the connections that were opened for a URL; an engine of the app's own stays open."""
        self._database.close()


class AsyncSQLPendingStore:
    """The same as :class:`SQLPendingStore`, awaited; belongs to one event loop.

    Args:
        engine_or_url: as there, with an ``AsyncEngine``.
        table_prefix: as there.
        timeout: as there.
        pool_size: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_database", "_puts", "_tables")

    single_use: bool = True
    shared: bool = True
    durable: bool = True

    def __init__(
        self,
        engine_or_url: AsyncEngine | URL | str,
        *,
        table_prefix: str = "cyberid_",
        timeout: float = 5.0,
        pool_size: int = 5,
    ) -> None:
        self._database = AsyncDatabase(engine_or_url, timeout=timeout, pool_size=pool_size)
        self._tables = pending_tables(table_prefix)
        self._puts = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.engine.dialect.name})"

    @property
    def metadata(self) -> MetaData:
        """As :attr:`SQLPendingStore.metadata`."""
        return self._tables.metadata

    async def create_tables(self) -> None:
        """As :meth:`SQLPendingStore.create_tables`."""
        await self._database.create(self._tables.metadata)

    async def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        """As :meth:`SQLPendingStore.put`."""
        await self._database.run(self._tables.put, _row(key, record, expires_at))
        if next(self._puts) % PURGE_EVERY == 0:
            with contextlib.suppress(StoreError):
                await self.purge(now)
        return ""

    async def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:  # noqa: ARG002 - nothing is carried for this store
        """As :meth:`SQLPendingStore.take`."""
        return _live(await self._database.run(self._tables.take, {"wanted": key}), now)

    async def peek(self, key: str, *, now: datetime) -> bytes | None:
        """As :meth:`SQLPendingStore.peek`."""
        return _live(await self._database.run(self._tables.peek, {"wanted": key}), now)

    async def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        """As :meth:`SQLPendingStore.swap`."""
        return len(await self._database.run(self._tables.swap, _change(key, old, new, now))) > 0

    async def purge(self, now: datetime) -> int:
        """As :meth:`SQLPendingStore.purge`."""
        return len(await self._database.run(self._tables.purge, {"moment": microseconds(now)}))

    async def aclose(self) -> None:
        """As :meth:`SQLPendingStore.close`."""
        await self._database.aclose()


def _row(key: str, record: bytes, expires_at: datetime) -> dict[str, object]:
    return {"key": key, "record": record, "expires_at": microseconds(expires_at)}


def _change(key: str, old: bytes, new: bytes, now: datetime) -> dict[str, object]:
    return {"wanted": key, "old": old, "new": new, "moment": microseconds(now)}


def _live(rows: Sequence[Any], now: datetime) -> bytes | None:
    for expires_at, record in rows:
        return bytes(record) if microseconds(now) < expires_at else None
    return None


class SQLReplayStore:
    """Remember in the app's database which messages took effect; :class:`cyberid_client.ports.ReplayStore`.

    It is transactional: the effect is given the open transaction (a ``Connection``), writes what it changes
    through it, and key and effect are committed together or not at all. Of two processes with the same
    message, the second waits until the first is done. The effect neither commits nor closes, and calls
    nothing that cannot be taken back.

    Args:
        engine_or_url: as for :class:`SQLPendingStore`: the database that the effects write to. An engine
            that commits every statement by itself (``AUTOCOMMIT``) is refused at the first message.
        table_prefix: as there.
        timeout: as there.
        pool_size: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_calls", "_database", "_tables")

    shared: bool = True
    durable: bool = True
    transactional: bool = True

    def __init__(
        self,
        engine_or_url: Engine | URL | str,
        *,
        table_prefix: str = "cyberid_",
        timeout: float = 5.0,
        pool_size: int = 5,
    ) -> None:
        self._database = Database(engine_or_url, timeout=timeout, pool_size=pool_size)
        self._tables = replay_tables(table_prefix, self._database.engine.dialect.name)
        self._calls = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.engine.dialect.name})"

    @property
    def metadata(self) -> MetaData:
        """The tables, for an app that migrates its database by itself."""
        return self._tables.metadata

    def create_tables(self) -> None:
        """Create the tables unless they are there; once, before the first message.

        Raises:
            StoreError: the database could not do it.
        """
        self._database.create(self._tables.metadata)

    def once(
        self, key: str, effect: Callable[[object], None], *, expires_at: datetime, now: datetime
    ) -> bool:
        """Run ``effect(connection)`` unless ``key`` is known, and commit both together.

        Args:
            key: 64 hex digits.
            effect: when it raises, nothing is committed and the error comes out.
            expires_at: aware; from this moment on the key may be forgotten.
            now: the client's clock.

        Returns:
            Whether the effect ran and is committed.

        Raises:
            StoreError: the database could not do it; when the answer to the commit was lost, it is not
                known whether key and effect are there, but not one without the other.
            ConfigurationError: the engine commits every statement by itself.
        """
        with self._database.transaction() as connection:
            if not execute(connection, self._tables.remember, _known(key, expires_at)):
                return False
            effect(connection)
            commit(connection)
        if next(self._calls) % PURGE_EVERY == 0:
            with contextlib.suppress(StoreError):
                self.purge(now)
        return True

    def advance(self, transaction: object, subject: str, sequence: int) -> bool:
        """Raise the subject's counter to ``sequence``, inside the transaction of :meth:`once`.

        Args:
            transaction: what the effect was given.
            subject: 64 hex digits.
            sequence: 0 to 2**63 - 1.

        Returns:
            Whether ``sequence`` is above the last; if not, the counter stays.

        Raises:
            StoreError: the database could not do it.
            ConfigurationError: ``transaction`` is something else.
        """
        from sqlalchemy import Connection  # noqa: PLC0415 - an extra, which is missed only by who uses it

        if not isinstance(transaction, Connection):
            raise ConfigurationError("config.value", "transaction")
        return bool(execute(transaction, self._tables.advance, {"subject": subject, "sequence": sequence}))

    def purge(self, now: datetime) -> int:
        """Forget some hundred keys whose time is over, and return how many.

        Args:
            now: the client's clock.

        Raises:
            StoreError: the database could not do it.
        """
        return len(self._database.run(self._tables.purge, {"moment": microseconds(now)}))

    def close(self) -> None:
        """Close the connections that were opened for a URL; an engine of the app's own stays open."""
        self._database.close()


class AsyncSQLReplayStore:
    """The same as :class:`SQLReplayStore`, awaited; its effects are given an ``AsyncConnection``.

    Args:
        engine_or_url: as there, with an ``AsyncEngine``.
        table_prefix: as there.
        timeout: as there.
        pool_size: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("_calls", "_database", "_tables")

    shared: bool = True
    durable: bool = True
    transactional: bool = True

    def __init__(
        self,
        engine_or_url: AsyncEngine | URL | str,
        *,
        table_prefix: str = "cyberid_",
        timeout: float = 5.0,
        pool_size: int = 5,
    ) -> None:
        self._database = AsyncDatabase(engine_or_url, timeout=timeout, pool_size=pool_size)
        self._tables = replay_tables(table_prefix, self._database.engine.dialect.name)
        self._calls = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._database.engine.dialect.name})"

    @property
    def metadata(self) -> MetaData:
        """As :attr:`SQLReplayStore.metadata`."""
        return self._tables.metadata

    async def create_tables(self) -> None:
        """As :meth:`SQLReplayStore.create_tables`."""
        await self._database.create(self._tables.metadata)

    async def once(
        self, key: str, effect: Callable[[object], Awaitable[None]], *, expires_at: datetime, now: datetime
    ) -> bool:
        """As :meth:`SQLReplayStore.once`."""
        async with self._database.transaction() as connection:
            if not await execute_async(connection, self._tables.remember, _known(key, expires_at)):
                return False
            await effect(connection)
            await commit_async(connection)
        if next(self._calls) % PURGE_EVERY == 0:
            with contextlib.suppress(StoreError):
                await self.purge(now)
        return True

    async def advance(self, transaction: object, subject: str, sequence: int) -> bool:
        """As :meth:`SQLReplayStore.advance`."""
        from sqlalchemy.ext.asyncio import AsyncConnection  # noqa: PLC0415 - an extra, as above

        if not isinstance(transaction, AsyncConnection):
            raise ConfigurationError("config.value", "transaction")
        values = {"subject": subject, "sequence": sequence}
        return bool(await execute_async(transaction, self._tables.advance, values))

    async def purge(self, now: datetime) -> int:
        """As :meth:`SQLReplayStore.purge`."""
        return len(await self._database.run(self._tables.purge, {"moment": microseconds(now)}))

    async def aclose(self) -> None:
        """As :meth:`SQLReplayStore.close`."""
        await self._database.aclose()


def _known(key: str, expires_at: datetime) -> dict[str, object]:
    return {"key": key, "expires_at": microseconds(expires_at)}
