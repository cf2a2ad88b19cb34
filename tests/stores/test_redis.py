"""The Redis stores: URLs and clients, one round trip, typed errors, and what a cancelled caller leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
import secrets
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import redis
import redis.asyncio
from redis.cluster import ClusterNode, RedisCluster
from redis.sentinel import Sentinel
from servers import RedisServer, SentinelServer, running

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.stores.redis import (
    AsyncRedisDocumentCache,
    AsyncRedisPendingStore,
    AsyncRedisReplayStore,
    RedisDocumentCache,
    RedisPendingStore,
    RedisReplayStore,
)

NOW = dt.datetime.now(dt.UTC)
LATER = NOW + dt.timedelta(minutes=11)
ALL = [
    RedisPendingStore,
    RedisReplayStore,
    RedisDocumentCache,
    AsyncRedisPendingStore,
    AsyncRedisReplayStore,
    AsyncRedisDocumentCache,
]


def new_key():
    return secrets.token_hex(32)


def put_and_take(store):
    key, record = new_key(), secrets.token_bytes(600)
    assert "" == store.put(key, record, expires_at=LATER, now=NOW)
    assert record == store.take(key, carried="", now=NOW)
    assert None is store.take(key, carried="", now=NOW)


def put_and_swap(store):
    key, old, new = new_key(), secrets.token_bytes(600), secrets.token_bytes(900)
    store.put(key, old, expires_at=LATER, now=NOW)
    assert [old, old] == [store.peek(key, now=NOW) for _ in range(2)]
    assert [True, False] == [store.swap(key, old=old, new=new, now=NOW) for _ in range(2)]
    assert new == store.peek(key, now=NOW)
    assert new == store.take(key, carried="", now=NOW)
    assert None is store.peek(key, now=NOW)


def code_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


@pytest.fixture
def client(redis_server):
    with redis.Redis.from_url(redis_server.url) as client:
        yield client


@pytest.mark.parametrize("decodes", [False, True])
def test_a_client_of_the_apps_own_serves(redis_server, decodes):
    """A ready client serves, also one that decodes its answers: records come back as they were put."""
    with redis.Redis.from_url(redis_server.url, decode_responses=decodes) as ready:
        put_and_take(RedisPendingStore(ready))
        put_and_swap(RedisPendingStore(ready))
        replay, key, times = RedisReplayStore(ready), new_key(), {"expires_at": LATER, "now": NOW}
        assert [True, False] == [replay.once(key, lambda _: None, **times) for _ in range(2)]
        store = RedisPendingStore(ready)
        store.close()
        put_and_take(store)


def test_a_cluster_serves(redis_server):
    """Every command has one key, so that a cluster can place it."""
    with running(RedisServer, settings=("--cluster-enabled", "yes")) as server:
        with redis.Redis.from_url(server.url) as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            while "cluster_state:ok" not in str(node.execute_command("CLUSTER", "INFO")):
                pass
        with RedisCluster(startup_nodes=[ClusterNode("127.0.0.1", server.port)]) as cluster:
            for _ in range(5):
                put_and_take(RedisPendingStore(cluster))
                put_and_swap(RedisPendingStore(cluster))
            replay, times = RedisReplayStore(cluster), {"expires_at": LATER, "now": NOW}

            def fail(_transaction):
                raise KeyError

            key = new_key()
            with pytest.raises(KeyError):
                replay.once(key, fail, **times)
            assert [True, False] == [replay.once(key, lambda _: None, **times) for _ in range(2)]


def test_a_sentinels_primary_serves(redis_server):
    """What a sentinel says who the primary is serves as any client."""
    with running(SentinelServer, watched=redis_server) as server:
        sentinel = Sentinel([("127.0.0.1", server.port)])
        with sentinel.master_for("primary") as primary:
            put_and_take(RedisPendingStore(primary))
            put_and_swap(RedisPendingStore(primary))
        for each in sentinel.sentinels:
            each.close()


def test_a_take_is_one_command(client, redis_server):
    """A take is one GETDEL, sent once, and nothing else."""
    store, key = RedisPendingStore(redis_server.url), new_key()
    store.put(key, b"record", expires_at=LATER, now=NOW)
    client.config_resetstat()
    store.take(key, carried="", now=NOW)
    stats = client.info("commandstats")
    calls = {name: values["calls"] for name, values in stats.items() if name != "cmdstat_config|resetstat"}
    assert {"cmdstat_getdel": 1} == calls
    store.close()


def test_a_swap_is_one_command_and_keeps_the_servers_own_countdown(client, redis_server):
    """A peek is one GET and a swap one script, and Redis counts on down from where it was."""
    store, key = RedisPendingStore(redis_server.url, prefix="counts:"), new_key()
    store.put(key, b"old", expires_at=LATER, now=NOW)
    # As if some of its time were over.
    client.pexpire(f"counts:pending:{key}", 200_000)
    client.config_resetstat()
    assert b"old" == store.peek(key, now=NOW)
    assert store.swap(key, old=b"old", new=b"a longer one", now=NOW)
    stats = client.info("commandstats")
    calls = {name: values["calls"] for name, values in stats.items() if name != "cmdstat_config|resetstat"}
    assert {"cmdstat_get": 2, "cmdstat_eval": 1, "cmdstat_set": 1} == calls
    assert 190_000 < client.pttl(f"counts:pending:{key}") <= 200_000
    store.close()


@pytest.mark.parametrize(("late", "swapped"), [(-1, True), (0, False), (1, False)])
@pytest.mark.parametrize("after", [0, 1, 255, 256, 65_535])
def test_a_swap_ends_with_the_very_microsecond(redis_server, late, swapped, after):
    """A record is changed until, and not at, the microsecond in which it expires by the client's clock."""
    store, key, tick = RedisPendingStore(redis_server.url), new_key(), dt.timedelta(microseconds=1)
    end = LATER + after * tick
    store.put(key, b"old", expires_at=end, now=NOW)
    assert swapped == store.swap(key, old=b"old", new=b"new", now=end + late * tick)
    assert (b"new" if swapped else b"old") == store.take(key, carried="", now=end - tick)
    store.close()


def test_a_later_moment_is_later_whatever_its_last_byte_is(redis_server):
    """Moments are compared from their first byte on: the first that differs decides."""
    store, key, tick = RedisPendingStore(redis_server.url), new_key(), dt.timedelta(microseconds=1)
    since = (LATER - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // tick
    end = LATER + (255 - since % 256) * tick
    store.put(key, b"old", expires_at=end, now=NOW)
    assert not store.swap(key, old=b"old", new=b"new", now=end + tick)
    assert b"old" == store.take(key, carried="", now=end - tick)
    store.close()


def test_no_swap_of_what_somebody_else_put_there(client, redis_server):
    """A value of another shape is an error of the store, looked at or changed, and stays."""
    store, key = RedisPendingStore(redis_server.url), new_key()
    name = f"cyberid:pending:{key}"
    client.set(name, b"short")
    assert "store.failed" == code_of(lambda: store.peek(key, now=NOW))
    assert "store.failed" == code_of(lambda: store.swap(key, old=b"", new=b"new", now=NOW))
    assert b"short" == client.getdel(name)
    client.lpush(name, b"a list")
    assert "store.failed" == code_of(lambda: store.swap(key, old=b"", new=b"new", now=NOW))
    client.delete(name)
    store.close()


def test_the_rights_that_the_page_names_are_enough(client, redis_server):
    """A user with these commands puts, looks, changes and takes, also from within the script."""
    page = (Path(__file__).parents[2] / "docs" / "stores.md").read_text(encoding="utf-8")
    (rule,) = re.findall("^ACL SETUSER shop on >password ~shop:\\* (.*)$", page, re.MULTILINE)
    major, minor = map(int, client.info("server")["redis_version"].split(".")[:2])
    words = [word for word in rule.split() if (major, minor) >= (7, 2) or word != "+client|setinfo"]
    client.execute_command("ACL", "SETUSER", "shop", "on", ">password", "~shop:*", *words)
    store = RedisPendingStore(redis_server.url.replace("//", "//shop:password@"), prefix="shop:")
    put_and_take(store)
    put_and_swap(store)
    store.close()
    client.execute_command("ACL", "DELUSER", "shop")


def test_a_lost_answer_is_not_asked_for_again(client, redis_server):
    """A server that does not answer in time is store.unavailable, and the command was sent once."""
    store, key = RedisPendingStore(redis_server.url, timeout=0.2), new_key()
    store.put(key, b"record", expires_at=LATER, now=NOW)
    client.config_resetstat()
    client.execute_command("CLIENT", "PAUSE", 1000, "WRITE")
    assert "store.unavailable" == code_of(lambda: store.take(key, carried="", now=NOW))
    client.execute_command("CLIENT", "UNPAUSE")
    # The next one has a connection of its own, and no answer of another call.
    assert None is store.take(new_key(), carried="", now=NOW)
    assert client.info("commandstats")["cmdstat_getdel"]["calls"] <= 2
    store.close()


def test_redis_keeps_a_record_no_longer_than_a_minute_more(client, redis_server):
    """The server tidies up by itself, later than the client's clock and never earlier."""
    store, key = RedisPendingStore(redis_server.url, prefix="tidy:"), new_key()
    store.put(key, b"record", expires_at=NOW + dt.timedelta(seconds=90), now=NOW)
    assert 140_000 < client.pttl(f"tidy:pending:{key}") <= 150_000
    store.close()


def test_a_key_is_put_once(redis_server):
    """A login that is pending under this key stays as it is."""
    store, key = RedisPendingStore(redis_server.url), new_key()
    store.put(key, b"first", expires_at=LATER, now=NOW)
    assert "store.failed" == code_of(lambda: store.put(key, b"second", expires_at=LATER, now=NOW))
    assert b"first" == store.take(key, carried="", now=NOW)
    store.close()


def test_what_somebody_else_put_there_is_no_record(client, redis_server):
    """A value of another shape is an error of the store and no login."""
    store, key = RedisPendingStore(redis_server.url), new_key()
    client.set(f"cyberid:pending:{key}", b"short")
    assert "store.failed" == code_of(lambda: store.take(key, carried="", now=NOW))
    client.lpush(f"cyberid:pending:{key}", b"a list")
    assert "store.failed" == code_of(lambda: store.take(key, carried="", now=NOW))
    client.delete(f"cyberid:pending:{key}")
    store.close()


def test_a_server_without_room_is_full():
    """A server that may evict nothing and has no memory left says so, and no login starts."""
    settings = ("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    with running(RedisServer, aof=False, settings=settings) as server:
        store = RedisPendingStore(server.url)
        assert "store.full" == code_of(lambda: store.put(new_key(), b"r", expires_at=LATER, now=NOW))
        store.close()


def test_a_wrong_password_is_no_passing_trouble():
    """A server that wants another password has to be configured; trying again helps nobody."""
    with running(RedisServer, aof=False, settings=("--requirepass", "right")) as server:
        for url in (server.url, server.url.replace("//", "//:wrong@")):
            store = RedisPendingStore(url)
            assert "store.failed" == code_of(lambda store=store: store.take(new_key(), carried="", now=NOW))
            store.close()
        right = RedisPendingStore(server.url.replace("//", "//:right@"))
        put_and_take(right)
        right.close()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"client_or_url": "http://127.0.0.1"}, "client_or_url"),
        ({"client_or_url": "redis://user:hunter2@127.0.0.1:none/0"}, "client_or_url"),
        ({"client_or_url": "redis://127.0.0.1/0?socket_timeout=hunter2"}, "client_or_url"),
        ({"client_or_url": None}, "client_or_url"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 61}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": "1"}, "timeout"),
        ({"max_connections": 0}, "max_connections"),
        ({"max_connections": 10_001}, "max_connections"),
        ({"max_connections": 1.5}, "max_connections"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(kind, settings, wrong):
    """A mistake is found when the store is made, and no message shows a password."""
    arguments = {"client_or_url": "redis://127.0.0.1:1/0", **settings}
    with pytest.raises(ConfigurationError) as caught:
        kind(arguments.pop("client_or_url"), **arguments)
    assert ("config.value", wrong) == (caught.value.code, caught.value.setting)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("lease", [0, -1, 3601, True, "30", None])
@pytest.mark.parametrize("kind", [RedisReplayStore, AsyncRedisReplayStore])
def test_a_lease_is_a_time(kind, lease):
    """An effect may take some time, and at most an hour."""
    with pytest.raises(ConfigurationError) as caught:
        kind("redis://127.0.0.1:1/0", lease=lease)
    assert ("config.value", "lease") == (caught.value.code, caught.value.setting)


def test_a_client_of_the_other_kind_is_refused(client, redis_server):
    """A client that is awaited is none for a store that is not, and the other way round."""
    for kind, wrong in [(RedisPendingStore, redis.asyncio.Redis()), (AsyncRedisPendingStore, client)]:
        with pytest.raises(ConfigurationError) as caught:
            kind(wrong)
        assert ("config.value", "client_or_url") == (caught.value.code, caught.value.setting)


@pytest.mark.parametrize("kind", ALL)
def test_a_printed_store_shows_no_password(kind):
    """What a log shows of a store is nothing that opens the server."""
    assert "hunter2" not in repr(kind("redis://user:hunter2@127.0.0.1:1/0"))


def test_an_error_says_nothing_of_what_was_sent(caplog):
    """Neither message, nor log, nor the error behind it shows key or record."""
    store, key = RedisPendingStore("redis://127.0.0.1:1/0"), new_key()
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as caught:
        store.put(key, b"the record", expires_at=LATER, now=NOW)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "redis raised ConnectionError" in caplog.text
    assert [] == [text for text in (key, "the record\\", "cyberid:pending") if text in shown]


def test_a_store_needs_its_extra():
    """Without redis-py the error says what to install."""
    script = """
import sys
sys.modules["redis"] = None
from cyberid_client.errors import ConfigurationError
from cyberid_client.stores.redis import RedisPendingStore
try:
    RedisPendingStore("redis://127.0.0.1/0")
except ConfigurationError as error:
    print(error.code, error.setting)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own script
    assert 'config.missing_extra pip install "cyberid_client[redis]"\n' == done.stdout


def test_a_lease_that_ran_out_is_nobodys_to_give_back(client, redis_server):
    """Who took too long does not take the key from the one who has it now."""
    slow, fast = (RedisReplayStore(redis_server.url, prefix="slow:", lease=0.05) for _ in range(2))
    key, times, done = new_key(), {"expires_at": LATER, "now": NOW}, []

    def fail_late(_transaction):
        client.delete(f"slow:replay:{key}")  # as if its time were over
        fast.once(key, lambda _: done.append("fast"), **times)
        raise KeyError

    with pytest.raises(KeyError):
        slow.once(key, fail_late, **times)
    assert not fast.once(key, lambda _: done.append("again"), **times)
    assert ["fast"] == done
    for store in (slow, fast):
        store.close()


def test_a_cancelled_take_leaves_no_answer_to_another(redis_server):
    """Wherever a task is cancelled, it takes its connection with it: the next one gets its own record."""

    async def run():
        store, wrong, cancelled = AsyncRedisPendingStore(redis_server.url, max_connections=1), [], 0
        for steps in range(60):
            first, second = new_key(), new_key()
            for key in (first, second):
                await store.put(key, key.encode(), expires_at=LATER, now=NOW)
            task = asyncio.create_task(store.take(first, carried="", now=NOW))
            for _ in range(steps):
                await asyncio.sleep(0)
            cancelled += task.cancel()
            await asyncio.wait([task])
            if second.encode() != await store.take(second, carried="", now=NOW):
                wrong.append(steps)
        await store.aclose()
        return wrong, cancelled

    wrong, cancelled = asyncio.run(run())
    assert [] == wrong
    assert cancelled > 3


def test_many_tasks_share_few_connections(redis_server):
    """A thousand tasks wait for one of two connections, and each gets its own record."""

    async def run():
        store = AsyncRedisPendingStore(redis_server.url, max_connections=2, timeout=30)
        keys = [new_key() for _ in range(1000)]
        await asyncio.gather(*(store.put(key, key.encode(), expires_at=LATER, now=NOW) for key in keys))
        records = await asyncio.gather(*(store.take(key, carried="", now=NOW) for key in keys))
        await store.aclose()
        return [key.encode() for key in keys] == records

    assert asyncio.run(run())


def test_a_cancelled_effect_gives_its_lease_back(redis_server):
    """A task that is cancelled amid the effect lets the message come again at once."""

    async def run():
        store, key, began = AsyncRedisReplayStore(redis_server.url), new_key(), asyncio.Event()
        times = {"expires_at": LATER, "now": NOW}

        async def wait_for_ever(_transaction):
            began.set()
            await asyncio.Event().wait()

        async def end(_transaction):
            pass

        task = asyncio.create_task(store.once(key, wait_for_ever, **times))
        await began.wait()
        with pytest.raises(StoreError) as caught:
            await store.once(key, end, **times)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ran = await store.once(key, end, **times)
        await store.aclose()
        return caught.value.code, ran

    assert ("replay.busy", True) == asyncio.run(run())
