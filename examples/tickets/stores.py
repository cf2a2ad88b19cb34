"""Where things are kept: the office's database, and the store of logins that are under way.

Both are shared by all processes of the office, whichever answers: one shows the code, another is asked by the
wallet, a third gets the digits.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateTable

from cyberid_client import StoreError
from cyberid_client.stores.redis import AsyncRedisPendingStore
from cyberid_client.stores.sql import AsyncSQLPendingStore

from .tables import METADATA

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}


@dataclass(frozen=True, slots=True)
class Stores:
    """The database, and where logins wait.

    Attributes:
        engine: the office's database.
        pending: in the same database, or in Redis.
    """

    engine: AsyncEngine
    pending: AsyncSQLPendingStore | AsyncRedisPendingStore

    async def open(self) -> None:
        """Make the tables that are not there yet."""
        try:
            await self._create()
        except (DBAPIError, StoreError):  # Another process made the same one at the same moment.
            await self._create()

    async def _create(self) -> None:
        async with self.engine.begin() as db:
            for table in METADATA.sorted_tables:
                await db.execute(CreateTable(table, if_not_exists=True))
        if isinstance(self.pending, AsyncSQLPendingStore):
            await self.pending.create_tables()

    async def close(self) -> None:
        """Give back connections."""
        await self.pending.aclose()
        await self.engine.dispose()


def open_stores(database_url: str, redis_url: str | None = None) -> Stores:
    """Name the stores; nothing is connected yet.

    Args:
        database_url: ``sqlite:///tickets.sqlite3``, ``postgresql://…``.
        redis_url: ``redis://…``: logins that are under way wait there instead of the database.
    """
    url = make_url(database_url)
    url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    engine = create_async_engine(url, pool_pre_ping=True)
    pending = AsyncSQLPendingStore(engine) if redis_url is None else AsyncRedisPendingStore(redis_url)
    return Stores(engine, pending)
