"""Engines of SQLAlchemy, from a URL or the app's own, and statements that raise our errors only."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import weakref
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.tracebacks import OwnFramesDropped

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, Executable
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = ["AsyncDatabase", "Database"]

logger: Final = logging.getLogger("cyberid_client")

DIALECTS: Final = ("postgresql", "sqlite")
TIMEOUT_LIMIT: Final = 60.0
POOL_LIMIT: Final = 1_000

# SQLite's result codes: somebody else writes, or the file cannot be reached just now; and the disk is full.
_SQLITE_PASSING: Final = frozenset({5, 6, 10, 14})
_SQLITE_FULL: Final = 13
# Classes of SQLSTATE: connection, rolled back, resources, object not ready, the operator's doing.
_POSTGRESQL_PASSING: Final = ("08", "40", "53", "55", "57")
_POSTGRESQL_FULL: Final = "53100"

Rows = Sequence[Any]
T = TypeVar("T")


class Database:
    """A PostgreSQL or SQLite database, its statements and transactions.

    Args:
        engine_or_url: an ``Engine``, or a URL for one of our own.
        timeout: seconds for connecting, for a statement and for a free connection; with a URL only.
        pool_size: connections kept open to PostgreSQL; with a URL only.

    Raises:
        ConfigurationError: SQLAlchemy or a driver is not installed (``config.missing_extra``), or an
            argument cannot be used.
    """

    __slots__ = ("__weakref__", "_at_once", "_is_ours", "engine")

    engine: Engine

    def __init__(self, engine_or_url: Engine | URL | str, *, timeout: float, pool_size: int) -> None:
        with OwnFramesDropped():
            self.engine, self._is_ours = _engine_of(engine_or_url, timeout, pool_size, waits=False)
        # A statement that is a transaction of its own needs no round trips for BEGIN and COMMIT.
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if self._is_ours:
            _ours.add(self)

    def run(self, statement: Executable, values: Mapping[str, object] | None = None) -> Rows:
        """Run one statement, committed when it returns.

        Raises:
            StoreError: the database could not do it.
        """
        with _judged(), self._at_once.connect() as connection:
            return _rows(connection.execute(statement, values))

    def create(self, metadata: Any) -> None:  # noqa: ANN401 - a MetaData of SQLAlchemy
        """Create the tables that are not there yet."""
        with _judged():
            if self._is_ours and self.engine.dialect.name == "sqlite":
                with self._at_once.connect() as connection:
                    # It stays with the file. Readers and the writer are not in each other's way.
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            metadata.create_all(self.engine)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection with an open transaction, which is taken back unless it is committed.

        Raises:
            StoreError: there is no connection.
            ConfigurationError: the app's engine commits every statement by itself.
        """
        with _judged():
            connection = self.engine.connect()
        try:
            with _judged():
                connection.begin()
            _refuse_autocommit(connection.connection.driver_connection)
            yield connection
        finally:
            # Closing takes back. When the database is gone, it has done so itself.
            with contextlib.suppress(Exception):
                connection.close()

    def close(self) -> None:
        """Close the connections, if the engine is ours."""
        if self._is_ours:
            self.engine.dispose()


class AsyncDatabase:
    """The same as :class:`Database`, awaited.

    Args:
        engine_or_url: an ``AsyncEngine``, or a URL for one of our own.
        timeout: as there.
        pool_size: as there.

    Raises:
        ConfigurationError: as there.
    """

    __slots__ = ("__weakref__", "_at_once", "_is_ours", "engine")

    engine: AsyncEngine

    def __init__(self, engine_or_url: AsyncEngine | URL | str, *, timeout: float, pool_size: int) -> None:
        with OwnFramesDropped():
            self.engine, self._is_ours = _engine_of(engine_or_url, timeout, pool_size, waits=True)
        self._at_once = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        if self._is_ours:
            _ours.add(self)

    async def run(self, statement: Executable, values: Mapping[str, object] | None = None) -> Rows:
        """As :meth:`Database.run`; who is cancelled leaves when the statement is done."""
        with _judged():
            return await _whole(self._run(statement, values))

    async def _run(self, statement: Executable, values: Mapping[str, object] | None) -> Rows:
        async with self._at_once.connect() as connection:
            return _rows(await connection.execute(statement, values))

    async def create(self, metadata: Any) -> None:  # noqa: ANN401 - a MetaData of SQLAlchemy
        """As :meth:`Database.create`."""
        with _judged():
            if self._is_ours and self.engine.dialect.name == "sqlite":
                async with self._at_once.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            async with self.engine.begin() as connection:
                await connection.run_sync(metadata.create_all)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """As :meth:`Database.transaction`."""
        connection = self.engine.connect()
        try:
            with _judged():
                await _whole(_begun(connection))
            _refuse_autocommit((await connection.get_raw_connection()).driver_connection)
            yield connection
        finally:
            with contextlib.suppress(Exception):
                await _whole(connection.close())

    async def aclose(self) -> None:
        """As :meth:`Database.close`."""
        if self._is_ours:
            await self.engine.dispose()


def execute(connection: Connection, statement: Executable, values: Mapping[str, object]) -> Rows:
    """Run a statement inside a transaction.

    Raises:
        StoreError: the database could not do it.
    """
    with _judged():
        return _rows(connection.execute(statement, values))


async def execute_async(
    connection: AsyncConnection, statement: Executable, values: Mapping[str, object]
) -> Rows:
    """As :func:`execute`."""
    with _judged():
        return _rows(await _whole(connection.execute(statement, values)))


def commit(connection: Connection) -> None:
    """Commit a transaction.

    Raises:
        StoreError: it is not known whether it is committed.
    """
    with _judged():
        connection.commit()


async def commit_async(connection: AsyncConnection) -> None:
    """As :func:`commit`."""
    with _judged():
        await _whole(connection.commit())


async def _begun(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    # A driver that is interrupted amid a statement may leave it running, and a lock or a connection behind.
    # The timeouts bound how long a cancelled caller waits here.
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _rows(result: Any) -> Rows:  # noqa: ANN401 - a result of SQLAlchemy
    return result.all() if result.returns_rows else ()


def _refuse_autocommit(driver: Any) -> None:  # noqa: ANN401 - each driver has its own type
    # SQLite's driver opens a transaction with the first change unless it is told never to.
    in_transaction = getattr(driver, "in_transaction", False) is True
    never_begins = getattr(driver, "isolation_level", "") is None and hasattr(driver, "in_transaction")
    if not in_transaction and (never_begins or getattr(driver, "autocommit", False) is True):
        raise ConfigurationError("config.value", "engine_or_url")


@contextmanager
def _judged() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - drivers raise their own kinds beside SQLAlchemy's
        # The message would quote what was sent.
        raise StoreError(_code_of(error)) from None


def _code_of(error: Exception) -> str:
    from sqlalchemy import exc  # noqa: PLC0415 - an extra, which is missed only by who uses it

    cause = getattr(error, "orig", None)
    logger.warning("database raised %s: %s", type(error).__name__, type(cause).__name__)
    sqlite, sqlstate = getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None)
    if sqlite is not None:
        # The upper bits say more exactly what happened.
        primary = sqlite & 0xFF
        passing, full = primary in _SQLITE_PASSING, primary == _SQLITE_FULL
    elif sqlstate is not None:
        passing, full = sqlstate.startswith(_POSTGRESQL_PASSING), sqlstate == _POSTGRESQL_FULL
    else:
        kinds = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, OSError)
        passing, full = isinstance(error, kinds) or getattr(error, "connection_invalidated", False), False
    return "store.full" if full else "store.unavailable" if passing else "store.failed"


def _engine_of(engine_or_url: Any, timeout: object, pool_size: object, *, waits: bool) -> tuple[Any, bool]:  # noqa: ANN401 - SQLAlchemy need not be installed
    if not isinstance(timeout, int | float) or isinstance(timeout, bool) or not 0 < timeout <= TIMEOUT_LIMIT:
        raise ConfigurationError("config.value", "timeout")
    if type(pool_size) is not int or not 1 <= pool_size <= POOL_LIMIT:
        raise ConfigurationError("config.value", "pool_size")
    sqlalchemy = _sqlalchemy(waits=waits)
    kind = sqlalchemy.ext.asyncio.AsyncEngine if waits else sqlalchemy.Engine
    is_ours = isinstance(engine_or_url, str | sqlalchemy.URL)
    if is_ours:
        engine = _open(sqlalchemy, engine_or_url, timeout, pool_size, waits=waits)
    elif isinstance(engine_or_url, kind):
        engine = engine_or_url
    else:
        raise ConfigurationError("config.value", "engine_or_url")
    if engine.dialect.name not in DIALECTS or _is_in_memory(engine.url):
        raise ConfigurationError("config.value", "engine_or_url")
    return engine, is_ours


def _sqlalchemy(*, waits: bool) -> ModuleType:
    try:
        import sqlalchemy  # noqa: PLC0415 - an extra, which is missed only by who uses it

        if waits:
            import sqlalchemy.ext.asyncio  # noqa: PLC0415 - as above
    except ImportError:
        raise _missing() from None
    return sqlalchemy


def _missing() -> ConfigurationError:
    return ConfigurationError("config.missing_extra", 'pip install "cyberid_client[sql]"')


def _open(sqlalchemy: Any, url: Any, timeout: float, pool_size: int, *, waits: bool) -> Any:  # noqa: ANN401 - SQLAlchemy need not be installed
    try:
        parsed = sqlalchemy.make_url(url)
        if _is_in_memory(parsed):
            raise ConfigurationError("config.value", "engine_or_url")
        driver = _driver(parsed.drivername, waits=waits)
        make = sqlalchemy.ext.asyncio.create_async_engine if waits else sqlalchemy.create_engine
        settings = (
            _sqlite_settings(timeout) if "sqlite" in driver else _postgresql_settings(timeout, pool_size)
        )
        return make(parsed.set(drivername=driver), pool_timeout=timeout, hide_parameters=True, **settings)
    except ImportError:
        raise _missing() from None
    except (sqlalchemy.exc.ArgumentError, TypeError, ValueError):
        # Their messages quote the URL, and so its password.
        raise ConfigurationError("config.value", "engine_or_url") from None


def _driver(name: str, *, waits: bool) -> str:
    drivers = {
        "postgresql": "postgresql+psycopg",
        "postgresql+psycopg": "postgresql+psycopg",
        "sqlite": "sqlite+aiosqlite" if waits else "sqlite",
        "sqlite+pysqlite": "sqlite",
        "sqlite+aiosqlite": "sqlite+aiosqlite",
    }
    if (
        name not in drivers
        or (name == "sqlite+pysqlite" and waits)
        or (name == "sqlite+aiosqlite" and not waits)
    ):
        raise ConfigurationError("config.value", "engine_or_url")
    return drivers[name]


def _sqlite_settings(timeout: float) -> dict[str, Any]:
    # One connection: threads queue up for it, in order, rather than in SQLite, where waiting is polling.
    return {"pool_size": 1, "max_overflow": 0, "connect_args": {"timeout": timeout}}


def _postgresql_settings(timeout: float, pool_size: int) -> dict[str, Any]:
    milliseconds = math.ceil(timeout * 1000)
    return {
        "pool_size": pool_size,
        "max_overflow": pool_size,
        # One round trip more, so that after a restart of the server no login fails on an old connection.
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": max(2, math.ceil(timeout)),  # libpq knows no shorter one
            "tcp_user_timeout": milliseconds,
            "options": f"-c statement_timeout={milliseconds}",
        },
    }


def _is_in_memory(url: Any) -> bool:  # noqa: ANN401 - SQLAlchemy need not be installed
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"


_ours: weakref.WeakSet[Database | AsyncDatabase] = weakref.WeakSet()


def _forget_in_child() -> None:
    for database in _ours:
        engine = database.engine if isinstance(database, Database) else database.engine.sync_engine
        engine.dispose(close=False)


# A connection that parent and child both used would mix up their answers.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
