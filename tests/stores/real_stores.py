"""Every store over a real server, as the suites open it, also in other processes."""

from __future__ import annotations

import itertools
import secrets
from functools import partial

from cyberid_client.stores.redis import (
    AsyncRedisPendingStore,
    AsyncRedisReplayStore,
    RedisPendingStore,
    RedisReplayStore,
)
from cyberid_client.stores.sql import (
    AsyncSQLPendingStore,
    AsyncSQLReplayStore,
    SQLPendingStore,
    SQLReplayStore,
)
from cyberid_client.testing.store_async import BlockingPendingStore, BlockingReplayStore

# Long enough for an effect of the suites, short enough to wait for after a death.
LEASE = 1.0
NOWHERE = {
    "redis": "redis://127.0.0.1:1/0",
    "postgresql": "postgresql://tests@127.0.0.1:1/postgres",
    "sqlite": "sqlite:////no/such/folder/file.sqlite",
}
PENDING = {
    "redis": RedisPendingStore,
    "redis-async": AsyncRedisPendingStore,
    "postgresql": SQLPendingStore,
    "postgresql-async": AsyncSQLPendingStore,
    "sqlite": SQLPendingStore,
    "sqlite-async": AsyncSQLPendingStore,
}
REPLAY = {
    "redis": RedisReplayStore,
    "redis-async": AsyncRedisReplayStore,
    "postgresql": SQLReplayStore,
    "postgresql-async": AsyncSQLReplayStore,
    "sqlite": SQLReplayStore,
    "sqlite-async": AsyncSQLReplayStore,
}
_files = itertools.count()


def blocking(opener, name, facade):
    """Return what opens a store as the suites want it: one that does not have to be awaited."""
    return partial(facade, opener) if name.endswith("-async") else opener


def url_of(name, request):
    """Return the URL of a server that runs, or of a new file."""
    kind = name.removesuffix("-async")
    if kind == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path')}/{next(_files)}.sqlite"
    return request.getfixturevalue(f"{kind}_server").url


def opener_of(name, url):
    """Make an empty place and return what opens the store itself."""
    return _opener(PENDING[name], SQLPendingStore, url)


def pending_opener(name, url):
    """Make an empty place and return what opens it, without waiting."""
    return blocking(opener_of(name, url), name, BlockingPendingStore)


def replay_opener(name, url):
    """Make an empty place and return what opens it, without waiting."""
    settings = {"lease": LEASE} if "redis" in name else {}
    return blocking(_opener(REPLAY[name], SQLReplayStore, url, **settings), name, BlockingReplayStore)


def _opener(kind, sql_kind, url, **settings):
    prefix = f"t{secrets.token_hex(6)}_"
    if url.startswith("redis"):
        return partial(kind, url, prefix=prefix, **settings)
    tables = sql_kind(url, table_prefix=prefix)
    tables.create_tables()
    tables.close()
    return partial(kind, url, table_prefix=prefix, **settings)


def gone(kinds, name, facade):
    """Return a store whose server is not there."""
    opener = partial(kinds[name], NOWHERE[name.removesuffix("-async")], timeout=2)
    return blocking(opener, name, facade)()
