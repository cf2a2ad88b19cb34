"""Servers are killed between put and take, and amid takes; run with ``-s``, the ledger is printed."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import pytest
from real_stores import pending_opener, replay_opener
from servers import PostgreSQLServer, RedisServer, find_program, running
from sqlalchemy import create_engine, text

from cyberid_client.errors import StoreError
from cyberid_client.stores.sql import SQLReplayStore

ROUNDS = 3
RECORDS = 40
TAKEN_BEFORE_DEATH = 8
TAKERS = 4
LIVES = dt.timedelta(minutes=11)
NOW = dt.datetime.now(dt.UTC)

# (name, server, what it is started with, whether records outlive it)
RUNS = [
    ("redis", RedisServer, {"aof": True}, True),
    ("redis-async", RedisServer, {"aof": True}, True),
    ("redis", RedisServer, {"aof": False}, False),
    ("redis-async", RedisServer, {"aof": False}, False),
    ("postgresql", PostgreSQLServer, {}, True),
    ("postgresql-async", PostgreSQLServer, {}, True),
]


@dataclass
class Ledger:
    """What became of the records.

    ``refused`` counts calls while the server was down, ``unanswered`` takes whose answer was lost with the
    server: nobody can say more of those than that they are not given out twice.
    """

    kills: int = 0
    put: int = 0
    taken_before: int = 0
    unanswered: int = 0
    refused: int = 0
    taken_after: int = 0
    gone: int = 0
    lost: int = 0
    twice: int = 0


@pytest.fixture
def server_of(not_here):
    def start(kind, settings):
        program = "redis-server" if kind is RedisServer else "postgres"
        if find_program(program) is None:
            not_here(f"{program} is not installed")
        return running(kind, **settings)

    return start


def new_records(store, count):
    records = {secrets.token_hex(32): secrets.token_bytes(600) for _ in range(count)}
    for key, record in records.items():
        store.put(key, record, expires_at=NOW + LIVES, now=NOW)
    return records


def takes_until_death(store, records, kill):
    """Let threads take records until the server is killed amid it; return what each key gave."""
    seen, enough, waiting, lock = {}, threading.Event(), list(records), threading.Lock()

    def run():
        while True:
            with lock:
                if not waiting:
                    return
                key = waiting.pop()
            try:
                seen[key] = store.take(key, carried="", now=NOW)
            except StoreError as error:
                # This one was on its way; what others left is for later.
                seen[key] = error.code
                return
            if len(seen) >= TAKEN_BEFORE_DEATH:
                enough.set()

    with ThreadPoolExecutor(TAKERS) as pool:
        takers = [pool.submit(run) for _ in range(TAKERS)]
        enough.wait(60)
        kill()
        [taker.result() for taker in takers]
    return seen


def refusals(store):
    """Call a store whose server is down; return what came."""
    codes = []
    for call in (
        lambda: store.put(secrets.token_hex(32), b"record", expires_at=NOW + LIVES, now=NOW),
        lambda: store.take(secrets.token_hex(32), carried="", now=NOW),
    ):
        with pytest.raises(StoreError) as caught:
            call()
        codes.append((caught.value.code, caught.value.retryable))
    return codes


def one_kill(server, store, ledger):
    """Put, take some, kill, find it down, start again, and take the rest: and all a second time."""
    records = new_records(store, RECORDS)
    seen = takes_until_death(store, records, server.kill)
    assert [("store.unavailable", True)] * 2 == refusals(store)
    server.start()
    later = {key: store.take(key, carried="", now=NOW) for key in records}
    again = [store.take(key, carried="", now=NOW) for key in records]
    ledger.kills += 1
    ledger.put += len(records)
    ledger.refused += 2
    for key, record in records.items():
        before, after = seen.get(key), later[key]
        assert before in (None, record, "store.unavailable")
        assert after in (None, record)
        ledger.taken_before += before == record
        ledger.unanswered += before == "store.unavailable"
        ledger.taken_after += after == record
        ledger.twice += before == record and after == record
        ledger.lost += before is None and after is None
        ledger.gone += before == "store.unavailable" and after is None
    ledger.twice += sum(each is not None for each in again)


@pytest.mark.parametrize(
    ("name", "kind", "settings", "outlives"),
    [run if "async" not in run[0] else pytest.param(*run, marks=pytest.mark.slow) for run in RUNS],
)
def test_no_record_is_taken_twice_however_a_server_dies(server_of, name, kind, settings, outlives):
    """A killed server is a typed error, gives nothing out twice, and is used again without a restart."""
    ledger = Ledger()
    with server_of(kind, settings) as server:
        store = pending_opener(name, server.url)()
        for _ in range(ROUNDS):
            one_kill(server, store, ledger)
        store.close()
    print(f"\n{name} {settings}: {asdict(ledger)}")  # noqa: T201 - the ledger is for who reads it
    assert 0 == ledger.twice
    assert ledger.taken_before >= ROUNDS * TAKEN_BEFORE_DEATH
    if outlives:
        assert 0 == ledger.lost
        assert ledger.put == ledger.taken_before + ledger.taken_after + ledger.gone
    else:
        # A server without persistence comes back empty: those people start again.
        assert 0 == ledger.taken_after
        assert ledger.lost == ledger.put - ledger.taken_before - ledger.unanswered


@pytest.mark.parametrize(
    "name",
    [
        "redis",
        pytest.param("redis-async", marks=pytest.mark.slow),
        "postgresql",
        pytest.param("postgresql-async", marks=pytest.mark.slow),
    ],
)
def test_a_message_is_known_after_its_server_died(server_of, name):
    """What took effect before a kill has none after it, and a message that could not be received has."""
    kind = RedisServer if "redis" in name else PostgreSQLServer
    effects = []
    with server_of(kind, {}) as server:
        store = replay_opener(name, server.url)()
        before, during = secrets.token_hex(32), secrets.token_hex(32)
        times = {"expires_at": NOW + LIVES, "now": NOW}
        assert store.once(before, lambda _: effects.append("before"), **times)
        server.kill()
        with pytest.raises(StoreError) as caught:
            store.once(during, lambda _: effects.append("never"), **times)
        assert ("store.unavailable", True) == (caught.value.code, caught.value.retryable)
        server.start()
        assert not store.once(before, lambda _: effects.append("never"), **times)
        assert store.once(during, lambda _: effects.append("after"), **times)
        store.close()
    assert ["before", "after"] == effects


def test_key_and_effect_die_together(server_of):
    """A database that is killed before the commit keeps neither the key nor what the effect wrote."""
    with server_of(PostgreSQLServer, {}) as server:
        engine = create_engine(server.url, pool_pre_ping=True)
        store = SQLReplayStore(engine)
        store.create_tables()
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE accounts (state TEXT)"))
        key, times = secrets.token_hex(32), {"expires_at": NOW + LIVES, "now": NOW}

        def freeze(connection):
            connection.execute(text("INSERT INTO accounts VALUES ('frozen')"))

        def freeze_and_die(connection):
            freeze(connection)
            server.kill()

        with pytest.raises(StoreError) as caught:
            store.once(key, freeze_and_die, **times)
        assert "store.unavailable" == caught.value.code
        server.start()
        assert store.once(key, freeze, **times)
        assert not store.once(key, freeze, **times)
        with engine.connect() as connection:
            assert ["frozen"] == list(connection.execute(text("SELECT state FROM accounts")).scalars())
        engine.dispose()
