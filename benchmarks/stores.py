"""Measure what a take costs beyond the driver's own: ``python benchmarks/stores.py [--quick]``.

Redis and PostgreSQL are started for it, on loopback; PostgreSQL and SQLite commit to the disk, Redis keeps
all in memory, where what we add shows most. In each round every contender takes as many records, one after
the other, and the best round of each counts. The bare driver
does what a careful app would write by hand: one ``GETDEL``, or one ``DELETE … RETURNING`` and a commit.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "services"))

import aiosqlite  # noqa: E402 - with the others that are measured
import psycopg  # noqa: E402 - as above
import redis  # noqa: E402 - as above
import redis.asyncio  # noqa: E402 - as above
from servers import PostgreSQLServer, RedisServer, running  # noqa: E402 - found by the path above

from cyberid_client.stores.redis import AsyncRedisPendingStore, RedisPendingStore  # noqa: E402 - as above
from cyberid_client.stores.sql import AsyncSQLPendingStore, SQLPendingStore  # noqa: E402 - as above

TAKES: Final = 25
ROUNDS: Final = 120
ROUNDS_QUICK: Final = 40
MICRO: Final = 1e6
NOW: Final = datetime.now(UTC)
EXPIRES: Final = NOW + timedelta(minutes=11)
RECORD: Final = secrets.token_bytes(700)
DELETE: Final = "DELETE FROM cyberid_pending WHERE key = {} RETURNING expires_at, record"

# Puts that many records and returns their keys; takes one.
Put = Callable[[int], list[str]]
Contender = Callable[[str], object]


def keys(count: int) -> list[str]:
    """Return keys of a client's shape."""
    return [secrets.token_hex(32) for _ in range(count)]


def compare(put: Put, contenders: dict[str, Contender], rounds: int) -> dict[str, float]:
    """Return the seconds that one take of each contender costs, in its best round."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, take in contenders.items():
            waiting = put(TAKES)
            start = time.perf_counter()
            for key in waiting:
                if take(key) is None:
                    raise SystemExit(f"{name} found nothing")
            best[name] = min(best[name], (time.perf_counter() - start) / TAKES)
    return best


def into(store: Any) -> Put:  # noqa: ANN401 - any of the blocking stores
    """Return what puts records into a store."""

    def put(count: int) -> list[str]:
        new = keys(count)
        for key in new:
            store.put(key, RECORD, expires_at=EXPIRES, now=NOW)
        return new

    return put


@contextmanager
def awaited() -> Iterator[Callable[[Any], Any]]:
    """Give what runs a coroutine in one loop that stays."""
    with asyncio.Runner() as runner:
        yield runner.run


def measure_redis(rounds: int) -> dict[str, float]:
    """Compare with a bare ``GETDEL`` of a client as redis-py makes it."""
    with running(RedisServer, aof=False) as server, awaited() as run:
        store, bare = RedisPendingStore(server.url), redis.Redis.from_url(server.url)
        slow_store = AsyncRedisPendingStore(server.url)
        slow_bare = redis.asyncio.Redis.from_url(server.url)
        prefix = "cyberid:pending:"

        found = compare(
            into(store),
            {
                "bare `GETDEL`": lambda key: bare.getdel(prefix + key),
                "`take`": lambda key: store.take(key, carried="", now=NOW),
            },
            rounds,
        )
        found |= compare_awaited(
            into(store),
            run,
            {
                "bare `GETDEL`, awaited": lambda key: slow_bare.getdel(prefix + key),
                "`take`, awaited": lambda key: slow_store.take(key, carried="", now=NOW),
            },
            rounds,
        )
        run(slow_store.aclose())
        run(slow_bare.aclose())
        store.close()
        bare.close()
    return found


def compare_awaited(
    put: Put,
    run: Callable[[Any], Any],
    contenders: dict[str, Contender],
    rounds: int,
) -> dict[str, float]:
    """As :func:`compare`, in one loop, without the cost of entering it for each take."""
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, take in contenders.items():
            waiting = put(TAKES)
            start = time.perf_counter()
            run(_one_by_one(take, waiting))
            best[name] = min(best[name], (time.perf_counter() - start) / TAKES)
    return best


async def _one_by_one(take: Any, waiting: list[str]) -> None:  # noqa: ANN401 - of any store
    for key in waiting:
        if await take(key) is None:
            raise SystemExit("nothing was found")


def measure_postgresql(rounds: int) -> dict[str, float]:
    """Compare with psycopg's statement and commit."""
    delete = DELETE.format("%s")
    with running(PostgreSQLServer) as server, awaited() as run:
        store, slow_store = SQLPendingStore(server.url), AsyncSQLPendingStore(server.url)
        store.create_tables()
        plain = server.url.replace("+psycopg", "")
        slow = run(psycopg.AsyncConnection.connect(plain))
        with psycopg.connect(plain) as bare:

            def take(key: str) -> object:
                row = bare.execute(delete, (key,)).fetchone()
                bare.commit()
                return row

            async def slow_take(key: str) -> object:
                row = await (await slow.execute(delete, (key,))).fetchone()
                await slow.commit()
                return row

            found = compare(
                into(store),
                {
                    "bare statement and commit": take,
                    "`take`": lambda key: store.take(key, carried="", now=NOW),
                },
                rounds,
            )
            found |= compare_awaited(
                into(store),
                run,
                {
                    "bare statement and commit, awaited": slow_take,
                    "`take`, awaited": lambda key: slow_store.take(key, carried="", now=NOW),
                },
                rounds,
            )
        run(slow.close())
        run(slow_store.aclose())
        store.close()
    return found


def measure_sqlite(rounds: int) -> dict[str, float]:
    """Compare with the statement and commit of the standard library's driver, on the same file."""
    delete = DELETE.format("?")
    with tempfile.TemporaryDirectory() as folder, awaited() as run:
        path = Path(folder) / "pending.sqlite"
        store, slow_store = SQLPendingStore(f"sqlite:///{path}"), AsyncSQLPendingStore(f"sqlite:///{path}")
        store.create_tables()
        slow = run(_opened(path))
        with closing(sqlite3.connect(path)) as bare:

            def take(key: str) -> object:
                row = bare.execute(delete, (key,)).fetchone()
                bare.commit()
                return row

            async def slow_take(key: str) -> object:
                async with slow.execute(delete, (key,)) as cursor:
                    row = await cursor.fetchone()
                await slow.commit()
                return row

            found = compare(
                into(store),
                {
                    "bare statement and commit": take,
                    "`take`": lambda key: store.take(key, carried="", now=NOW),
                },
                rounds,
            )
            found |= compare_awaited(
                into(store),
                run,
                {
                    "bare statement and commit, awaited": slow_take,
                    "`take`, awaited": lambda key: slow_store.take(key, carried="", now=NOW),
                },
                rounds,
            )
        run(slow.close())
        run(slow_store.aclose())
        store.close()
    return found


async def _opened(path: Path) -> aiosqlite.Connection:
    return await aiosqlite.connect(path)


LIMITS: Final = {"Redis": 1.2, "PostgreSQL": 3.0, "SQLite": 4.0}
MEASURES: Final = {"Redis": measure_redis, "PostgreSQL": measure_postgresql, "SQLite": measure_sqlite}


def main() -> None:
    """Measure all and print a table."""
    rounds = ROUNDS_QUICK if "--quick" in sys.argv else ROUNDS
    print("| | µs | ratio | target | |\n|---|---:|---:|---:|---|")
    for name, measure in MEASURES.items():
        found = list(measure(rounds).items())
        for (bare, seconds), (take, with_store) in zip(found[::2], found[1::2], strict=True):
            ratio, limit = with_store / seconds, LIMITS[name]
            print(f"| {name}: {bare} | {seconds * MICRO:.1f} | 1.00 | | |")
            verdict = "ok" if ratio <= limit else "over"
            print(
                f"| {name}: {take} | {with_store * MICRO:.1f} | {ratio:.2f} | ≤ {limit:.2f} | {verdict} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
