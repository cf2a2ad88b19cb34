"""The SQL stores: URLs and engines, transactions, tidying up, typed errors, forks and cancelled callers."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
import sqlite3
import subprocess
import sys
import threading
import traceback

import pytest
from real_stores import url_of
from sqlalchemy import create_engine, event, inspect, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores.sql import (
    AsyncSQLPendingStore,
    AsyncSQLReplayStore,
    SQLPendingStore,
    SQLReplayStore,
)

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(minutes=11)
TIMES = {"expires_at": LATER, "now": NOW}
ALL = [SQLPendingStore, SQLReplayStore, AsyncSQLPendingStore, AsyncSQLReplayStore]
DATABASES = ["postgresql", "sqlite"]


def new_key():
    return secrets.token_hex(32)


def new_prefix():
    return f"s{secrets.token_hex(5)}_"


@pytest.fixture(params=DATABASES)
def url(request):
    return url_of(request.param, request)


@pytest.fixture
def engine(url):
    engine = create_engine(url, hide_parameters=False)
    yield engine
    engine.dispose()


@pytest.fixture
def pending(url):
    store = SQLPendingStore(url, table_prefix=new_prefix())
    store.create_tables()
    yield store
    store.close()


@pytest.fixture
def replay(engine):
    store = SQLReplayStore(engine, table_prefix=new_prefix())
    store.create_tables()
    return store


def put(store, *, lives=660):
    key = new_key()
    store.put(key, b"record", expires_at=NOW + dt.timedelta(seconds=lives), now=NOW)
    return key


def test_an_engine_of_the_apps_own_serves_and_stays_open(engine):
    """A store over the app's engine leaves it as it was, transactions and all."""
    store = SQLPendingStore(engine, table_prefix=new_prefix())
    store.create_tables()
    store.create_tables()
    assert b"record" == store.take(put(store), carried="", now=NOW)
    store.close()
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE own (a INT)"))
        connection.commit()
        connection.execute(text("INSERT INTO own VALUES (1)"))
        connection.rollback()
        assert [] == list(connection.execute(text("SELECT a FROM own")))
        connection.execute(text("DROP TABLE own"))
        connection.commit()


def test_a_take_is_one_statement_and_commits_by_itself(engine):
    """What the database is told for a take is one DELETE, without BEGIN, and it holds at once."""
    store, said = SQLPendingStore(engine, table_prefix=new_prefix()), []
    store.create_tables()
    key = put(store)
    event.listen(engine, "before_cursor_execute", lambda *arguments: said.append(arguments[2]))
    store.take(key, carried="", now=NOW)
    assert [True] == [statement.startswith("DELETE") for statement in said]
    assert None is store.take(key, carried="", now=NOW)


def test_a_swap_is_one_statement_and_commits_by_itself(engine):
    """What the database is told for a swap is one UPDATE, without BEGIN, and it holds at once."""
    store, said = SQLPendingStore(engine, table_prefix=new_prefix()), []
    store.create_tables()
    key = put(store)
    event.listen(engine, "before_cursor_execute", lambda *arguments: said.append(arguments[2]))
    assert store.swap(key, old=b"record", new=b"another", now=NOW)
    assert [True] == [statement.startswith("UPDATE") for statement in said]
    assert b"another" == store.peek(key, now=NOW)
    assert [True, True] == [len(said) == 2, said[1].startswith("SELECT")]
    assert not store.swap(key, old=b"record", new=b"a third", now=NOW)


@pytest.mark.parametrize(("late", "swapped"), [(-1, True), (0, False), (1, False)])
def test_a_swap_ends_with_the_very_microsecond(pending, late, swapped):
    """A record is changed until, and not at, the microsecond in which it expires; and it still ends then."""
    key, tick = put(pending, lives=60), dt.timedelta(microseconds=1)
    end = NOW + dt.timedelta(seconds=60)
    assert swapped == pending.swap(key, old=b"record", new=b"new", now=end + late * tick)
    assert None is pending.peek(key, now=end)
    assert (b"new" if swapped else b"record") == pending.take(key, carried="", now=end - tick)


def test_a_key_is_put_once(pending):
    """A login that is pending under this key stays as it is."""
    key = put(pending)
    with pytest.raises(StoreError) as caught:
        pending.put(key, b"second", **TIMES)
    assert "store.failed" == caught.value.code
    assert b"record" == pending.take(key, carried="", now=NOW)


@pytest.mark.parametrize(("late", "purged"), [(-1, 0), (0, 1), (1, 1)])
def test_what_expired_is_tidied_up(pending, late, purged):
    """A record can be tidied up at, and not before, the second in which it expires."""
    key = put(pending, lives=60)
    moment = NOW + dt.timedelta(seconds=60 + late)
    assert [purged, 0] == [pending.purge(moment), pending.purge(moment - dt.timedelta(seconds=2))]
    assert (None if purged else b"record") == pending.take(key, carried="", now=NOW)


def test_every_hundredth_put_tidies_up(engine):
    """A store that is used does not grow with what nobody came back for."""
    prefix = new_prefix()
    store = SQLPendingStore(engine, table_prefix=prefix)
    store.create_tables()
    for _ in range(99):
        put(store, lives=-1)
    count = text(f"SELECT count(*) FROM {prefix}pending")  # noqa: S608 - a name of our own
    with engine.connect() as connection:
        assert 99 == connection.execute(count).scalar()
    kept = put(store)
    with engine.connect() as connection:
        assert 1 == connection.execute(count).scalar()
    assert b"record" == store.take(kept, carried="", now=NOW)


def test_a_replay_store_tidies_up(replay):
    """A key is forgotten when its time is over, and then a message with it is a new one."""
    key = new_key()
    assert replay.once(key, lambda _: None, **TIMES)
    assert [0, 1] == [replay.purge(LATER - dt.timedelta(seconds=1)), replay.purge(LATER)]
    assert replay.once(key, lambda _: None, **TIMES)


def test_the_effect_writes_to_the_apps_own_tables(engine, replay):
    """What an effect writes through the connection is there when it succeeded, and not when it failed."""
    table = new_prefix()
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (state TEXT)"))

    def freeze(connection):
        connection.execute(text(f"INSERT INTO {table} VALUES ('frozen')"))  # noqa: S608 - a name of our own

    def fail(connection):
        freeze(connection)
        raise KeyError

    key = new_key()
    with pytest.raises(KeyError):
        replay.once(key, fail, **TIMES)
    assert [True, False] == [replay.once(key, freeze, **TIMES) for _ in range(2)]
    with engine.connect() as connection:
        states = connection.execute(text(f"SELECT state FROM {table}")).scalars()  # noqa: S608 - as above
        assert ["frozen"] == list(states)


def test_a_counter_needs_the_transaction_of_its_store(replay):
    """A counter that is raised outside of a transaction would stay when the effect fails."""
    with pytest.raises(ConfigurationError) as caught:
        replay.advance(None, new_key(), 1)
    assert ("config.value", "transaction") == (caught.value.code, caught.value.setting)


def test_the_apps_own_error_comes_out_as_it_is(replay):
    """A mistake in the effect's SQL is the app's, and the message may come again."""
    key = new_key()
    with pytest.raises(Exception, match="nowhere") as caught:
        replay.once(key, lambda connection: connection.execute(text("SELECT * FROM nowhere")), **TIMES)
    assert not isinstance(caught.value, StoreError)
    assert replay.once(key, lambda _: None, **TIMES)


@pytest.mark.parametrize("name", DATABASES)
def test_an_engine_that_commits_by_itself_is_refused(request, name):
    """Where every statement is committed at once, key and effect are no one thing; nothing is kept."""
    url = url_of(name, request)
    engine = create_engine(url)
    good = SQLReplayStore(engine, table_prefix=new_prefix())
    good.create_tables()
    bad = SQLReplayStore(create_engine(url, isolation_level="AUTOCOMMIT"), table_prefix="cyberid_")
    key, effects = new_key(), []
    with pytest.raises(ConfigurationError) as caught:
        bad.once(key, effects.append, **TIMES)
    assert ("config.value", "engine_or_url", []) == (caught.value.code, caught.value.setting, effects)
    bad._database.engine.dispose()
    engine.dispose()


def test_sqlites_explicit_transactions_are_transactions(tmp_path):
    """An engine that says BEGIN by itself, as SQLAlchemy advises for SQLite, is not taken for autocommit."""
    engine = create_engine(f"sqlite:///{tmp_path}/own.sqlite")

    @event.listens_for(engine, "connect")
    def stop_begin(connection, _record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    store = SQLReplayStore(engine)
    store.create_tables()
    assert [True, False] == [store.once("a" * 64, lambda _: None, **TIMES) for _ in range(2)]
    engine.dispose()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"engine_or_url": "mysql://user:hunter2@127.0.0.1/x"}, "engine_or_url"),
        ({"engine_or_url": "postgresql+psycopg2://user:hunter2@127.0.0.1/x"}, "engine_or_url"),
        ({"engine_or_url": "hunter2"}, "engine_or_url"),
        ({"engine_or_url": "postgresql://user:hunter2@127.0.0.1:none/x"}, "engine_or_url"),
        ({"engine_or_url": "sqlite://"}, "engine_or_url"),
        ({"engine_or_url": "sqlite:///:memory:"}, "engine_or_url"),
        ({"engine_or_url": "sqlite:///file:x?mode=memory&uri=true"}, "engine_or_url"),
        ({"engine_or_url": None}, "engine_or_url"),
        ({"table_prefix": "a-b"}, "table_prefix"),
        ({"table_prefix": "a" * 33}, "table_prefix"),
        ({"table_prefix": 'a"; DROP'}, "table_prefix"),
        ({"table_prefix": "A"}, "table_prefix"),
        ({"table_prefix": None}, "table_prefix"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 61}, "timeout"),
        ({"timeout": "5"}, "timeout"),
        ({"pool_size": 0}, "pool_size"),
        ({"pool_size": True}, "pool_size"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(kind, settings, wrong):
    """A mistake is found when the store is made, and no message shows a password."""
    arguments = {"engine_or_url": "sqlite:////no/file", **settings}
    with pytest.raises(ConfigurationError) as caught:
        kind(arguments.pop("engine_or_url"), **arguments)
    assert ("config.value", wrong) == (caught.value.code, caught.value.setting)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_an_engine_of_the_other_kind_is_refused(tmp_path):
    """An engine that is awaited is none for a store that is not, and the other way round."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    waits = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    for kind, wrong in [(SQLPendingStore, waits), (AsyncSQLPendingStore, create_engine(url))]:
        with pytest.raises(ConfigurationError) as caught:
            kind(wrong)
        assert ("config.value", "engine_or_url") == (caught.value.code, caught.value.setting)


@pytest.mark.parametrize("kind", ALL)
def test_a_printed_store_shows_no_password(kind):
    """What a log shows of a store is nothing that opens the database."""
    store = kind(make_url("postgresql://user:hunter2@127.0.0.1/x"))
    assert f"{kind.__name__}(postgresql)" == repr(store)


def test_an_error_says_nothing_of_what_was_sent(engine, caplog):
    """Neither message, nor log, nor the error behind it shows key or record."""
    store, key, record = SQLPendingStore(engine, table_prefix="none_"), new_key(), new_key()
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as caught:
        store.put(key, record.encode(), **TIMES)
    assert "store.failed" == caught.value.code
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert [] == [word for word in (key, record, "none_pending") if word in shown]


def test_a_locked_file_is_a_passing_trouble(tmp_path):
    """A file that somebody else writes to for too long can be tried again."""
    path = tmp_path / "x.sqlite"
    store = SQLPendingStore(f"sqlite:///{path}", timeout=0.05)
    store.create_tables()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as caught:
        put(store)
    assert ("store.unavailable", True) == (caught.value.code, caught.value.retryable)
    other.execute("ROLLBACK")
    other.close()
    assert b"record" == store.take(put(store), carried="", now=NOW)
    store.close()


def test_the_second_of_two_messages_waits_for_the_first(engine, replay):
    """While the effect of a message is under way, the same message waits, and then has none."""
    key, began, go, outcomes = new_key(), threading.Event(), threading.Event(), []

    def slow(_connection):
        began.set()
        go.wait(30)

    first = threading.Thread(target=lambda: outcomes.append(replay.once(key, slow, **TIMES)))
    first.start()
    began.wait(30)
    second = threading.Thread(target=lambda: outcomes.append(replay.once(key, lambda _: None, **TIMES)))
    second.start()
    go.set()
    for each in (first, second):
        each.join(30)
    assert [False, True] == sorted(outcomes)


def test_the_tables_are_there_for_migrations(engine):
    """An app that migrates its database by itself finds the tables in the store's metadata."""
    prefix = new_prefix()
    tables = set()
    for kind in (SQLPendingStore, SQLReplayStore):
        store = kind(engine, table_prefix=prefix)
        store.metadata.create_all(engine)
        tables |= set(store.metadata.tables)
    assert {f"{prefix}pending", f"{prefix}replay", f"{prefix}sequence"} == tables
    assert tables <= set(inspect(engine).get_table_names())


def test_a_wal_file_stays_one(tmp_path):
    """The file is set up so that readers and the writer are not in each other's way."""
    path = tmp_path / "x.sqlite"
    store = SQLPendingStore(f"sqlite:///{path}")
    store.create_tables()
    store.close()
    connection = sqlite3.connect(path)
    assert [("wal",)] == list(connection.execute("PRAGMA journal_mode"))
    connection.close()


@pytest.mark.parametrize(("module", "awaited"), [("sqlalchemy", ""), ("psycopg", ""), ("aiosqlite", "Async")])
def test_a_store_needs_its_extra(module, awaited):
    """Without SQLAlchemy or a driver the error says what to install."""
    url = "sqlite:///x" if module == "aiosqlite" else "postgresql://127.0.0.1/x"
    script = f"""
import sys
sys.modules["{module}"] = None
from cyberid_client.errors import ConfigurationError
from cyberid_client.stores.sql import {awaited}SQLPendingStore as Store
try:
    Store("{url}")
except ConfigurationError as error:
    print(error.code, error.setting)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert 'config.missing_extra pip install "cyberid_client[sql]"\n' == done.stdout


FORK = """
import datetime as dt, os, sys
from cyberid_client.stores.sql import SQLPendingStore

now = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
times = {"expires_at": now + dt.timedelta(minutes=11), "now": now}
store = SQLPendingStore(sys.argv[1], table_prefix=sys.argv[2], pool_size=1)
store.create_tables()
keys = [format(number, "064x") for number in range(200)]
for key in keys:
    store.put(key, key.encode(), **times)

def take(part):
    return all(store.take(key, carried="", now=now) == key.encode() for key in part)

child = os.fork()
good = take(keys[::2] if child == 0 else keys[1::2])
if child == 0:
    os._exit(0 if good else 1)
print(good, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_has_connections_of_its_own(url):
    """Parent and child take at the same time, and each gets what it asked for."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, url, new_prefix()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert "True 0\n" == done.stdout


@pytest.mark.parametrize("name", DATABASES)
def test_a_cancelled_call_leaves_the_connection_usable(request, name):
    """Wherever a task is cancelled, the next one gets its own record, and a message comes again."""
    url, prefix = url_of(name, request), new_prefix()

    async def run():
        store = AsyncSQLPendingStore(url, table_prefix=prefix, pool_size=1)
        replay = AsyncSQLReplayStore(url, table_prefix=prefix, pool_size=1)
        await store.create_tables()
        await replay.create_tables()
        wrong = []

        async def nothing(_connection):
            pass

        for steps in range(0, 60, 4):
            first, second = new_key(), new_key()
            for key in (first, second):
                await store.put(key, key.encode(), **TIMES)
            tasks = [
                asyncio.create_task(store.take(first, carried="", now=NOW)),
                asyncio.create_task(replay.once(first, nothing, **TIMES)),
            ]
            for _ in range(steps):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if second.encode() != await store.take(second, carried="", now=NOW):
                wrong.append(steps)
            if not await replay.once(second, nothing, **TIMES):
                wrong.append(-steps)
        await store.aclose()
        await replay.aclose()
        return wrong

    assert [] == asyncio.run(run())
