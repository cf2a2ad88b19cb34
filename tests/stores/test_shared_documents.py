"""A fleet fetches the issuer's documents once, and a cache that fails or lies never makes it worse than none."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from fleet import configured, registered, running_fleet, serve, serve_awaiting

from cyberid_client import Client, ConfigurationError
from cyberid_client.ports import CachedDocument, HTTPRequest, HTTPResponse
from cyberid_client.shared_documents import (
    DEFAULT_SECONDS,
    MOST_SECONDS,
    SKEW_SECONDS,
    AsyncCachedTransport,
    CachedTransport,
    require_signed,
)
from cyberid_client.stores.redis import AsyncRedisDocumentCache, RedisDocumentCache
from cyberid_client.testing import ManualClock, MockIssuer

NOW = dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
URL = "https://issuer.example/jwks"


def asked(purpose="jwks", **changes):
    return replace(HTTPRequest(method="GET", url=URL, max_bytes=1000, purpose=purpose), **changes)


class Network:
    """Answer every request with a new body, or as it is told."""

    def __init__(self, **headers):
        self.headers = {name.replace("_", "-"): text for name, text in headers.items()}
        self.sent = 0
        self.changes = {}

    def send(self, request):
        self.sent += 1
        response = HTTPResponse(
            status=200, headers=self.headers, body=f"{self.sent}".encode(), url=request.url
        )
        return replace(response, **self.changes)

    def close(self):
        self.sent = -1


class Dictionary:
    """A shared cache in a dictionary; the one who leads is the first who asks."""

    def __init__(self):
        self.kept, self.seconds, self.leader, self.calls = {}, {}, None, []

    def get(self, url):
        self.calls.append("get")
        return self.kept.get(url)

    def put(self, url, document, *, seconds):
        self.calls.append("put")
        self.kept[url], self.seconds[url] = document, seconds

    def lead(self, url, *, seconds):
        self.calls.append("lead")
        if self.leader is not None:
            return False
        self.leader = threading.get_ident()
        return True

    def follow(self, url):
        self.calls.append("follow")
        self.leader = None


class Awaited:
    """The same object with methods that are awaited."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        async def call(*arguments, **settings):
            return getattr(self._inner, "close" if name == "aclose" else name)(*arguments, **settings)

        return call


def blocking(network, cache, clock):
    return CachedTransport(network, cache, clock).send


def awaiting(network, cache, clock):
    transport = AsyncCachedTransport(Awaited(network), Awaited(cache), clock)
    return lambda request: asyncio.run(transport.send(request))


@pytest.fixture(params=[blocking, awaiting])
def make(request):
    return request.param


@pytest.fixture
def clock():
    return ManualClock(NOW)


def test_a_fresh_document_is_fetched_once(make, clock):
    """What one fetched, others get without asking the issuer, and are told how old it is."""
    network, cache = Network(cache_control="max-age=100"), Dictionary()
    first, second = (make(network, cache, clock) for _ in range(2))
    assert b"1" == first(asked()).body
    clock.advance(10)
    answer = second(asked())
    assert (b"1", "10") == (answer.body, answer.headers["age"])
    assert (1, 100.0) == (network.sent, cache.seconds[URL])
    assert ["get", "lead", "get", "put", "follow", "get"] == cache.calls


@pytest.mark.parametrize(
    ("headers", "lives"),
    [
        ({"cache_control": "max-age=100"}, 100),
        ({"cache_control": "max-age=100", "age": "30"}, 70),
        ({}, DEFAULT_SECONDS),
        ({"cache_control": "max-age=999999"}, MOST_SECONDS),
    ],
)
def test_a_document_is_stale_from_the_very_second(make, clock, headers, lives):
    """What is kept serves until, and not at, the end that the issuer gave it."""
    network, cache = Network(**headers), Dictionary()
    send = make(network, cache, clock)
    send(asked())
    clock.advance(lives - 1)
    assert b"1" == send(asked()).body
    clock.advance(1)
    assert b"2" == send(asked()).body


@pytest.mark.parametrize("words", ["no-store", "no-cache", "private, max-age=60", "max-age=0"])
def test_what_may_not_be_shared_is_not(make, clock, words):
    """An answer that says that it is for one, or for nobody to keep, is kept by none."""
    network, cache = Network(cache_control=words), Dictionary()
    make(network, cache, clock)(asked())
    assert {} == cache.kept


@pytest.mark.parametrize(
    "changes",
    [{"status": 404}, {"status": 500}, {"status": 0, "error": "transport.timeout"}, {"status": 304}],
)
def test_a_failure_is_not_shared(make, clock, changes):
    """Only a document that came whole is kept, and who could not fetch it leads no longer."""
    network, cache = Network(), Dictionary()
    network.changes = changes
    answer = make(network, cache, clock)(asked())
    assert changes["status"] == answer.status
    assert ({}, None) == (cache.kept, cache.leader)


@pytest.mark.parametrize(
    "request_",
    [
        asked("par", method="POST"),
        asked("token", method="POST"),
        asked("jwks", method="POST"),
        asked("something"),
        asked("jwks", shows_certificate=True),
    ],
)
def test_only_public_documents_are_shared(make, clock, request_):
    """Nothing that is sent with credentials, and nothing unknown, comes near the cache."""
    network, cache = Network(), Dictionary()
    make(network, cache, clock)(request_)
    assert ([], 1) == (cache.calls, network.sent)


@pytest.mark.parametrize(("newer_than", "body"), [(-1, b"1"), (0, b"2"), (1, b"2")])
def test_who_needs_a_newer_one_gets_it(make, clock, newer_than, body):
    """A document that was fetched at the very moment, or before, is fetched again, for all."""
    network, cache = Network(cache_control="max-age=100"), Dictionary()
    send = make(network, cache, clock)
    send(asked())
    clock.advance(2)
    assert body == send(asked(newer_than=NOW.timestamp() + newer_than)).body
    assert body == send(asked()).body


@pytest.mark.parametrize(
    ("kept", "serves"),
    [
        ({}, True),
        ({"fetched_at": NOW + (SKEW_SECONDS * SECOND)}, True),
        ({"fetched_at": NOW + (SKEW_SECONDS + 1) * SECOND}, False),
        ({"body": b"x" * 1000}, True),
        ({"body": b"x" * 1001}, False),
        ({"status": 500}, False),
    ],
)
def test_what_lies_in_the_cache_is_not_believed(make, clock, kept, serves):
    """A document from the future, too large, or that is none, is fetched from the issuer."""
    network, cache = Network(), Dictionary()
    headers = {"cache-control": "max-age=100"}
    response = HTTPResponse(
        status=kept.get("status", 200), headers=headers, body=kept.get("body", b"x"), url=URL
    )
    cache.kept[URL] = CachedDocument(response=response, fetched_at=kept.get("fetched_at", NOW))
    make(network, cache, clock)(asked())
    assert (0 if serves else 1) == network.sent


class Broken(Dictionary):
    """A cache whose every call raises."""

    def __getattribute__(self, name):
        if name in {"get", "put", "lead", "follow"}:
            raise OSError
        return super().__getattribute__(name)


class Lying(Dictionary):
    """A cache that returns something else."""

    def get(self, url):
        return b"something"


@pytest.mark.parametrize("cache", [Broken(), Lying()])
def test_a_cache_that_fails_is_as_good_as_none(make, clock, cache):
    """Without its cache, every process fetches for itself, and nothing else changes."""
    network = Network()
    send = make(network, cache, clock)
    assert [b"1", b"2"] == [send(asked()).body for _ in range(2)]


def test_who_does_not_lead_waits_for_the_document(clock):
    """While one fetches the others wait, and take what it brought."""
    network, cache, came, go = Network(cache_control="max-age=60"), Dictionary(), [], threading.Event()
    arrived = threading.Event()

    class Slow:
        def send(self, request):
            arrived.set()
            go.wait(30)
            return network.send(request)

    leader = threading.Thread(target=lambda: CachedTransport(Slow(), cache, clock).send(asked()))
    leader.start()
    arrived.wait(30)
    follower = threading.Thread(
        target=lambda: came.append(CachedTransport(network, cache, clock).send(asked()).body)
    )
    follower.start()
    go.set()
    for each in (leader, follower):
        each.join(30)
    assert ([b"1"], 1) == (came, network.sent)


@pytest.mark.slow
def test_who_waits_in_vain_fetches_for_himself(make, clock):
    """A leader that never comes back holds nobody up for long."""
    network, cache = Network(), Dictionary()
    cache.leader = "somebody who died"
    assert b"1" == make(network, cache, clock)(asked()).body
    assert "somebody who died" == cache.leader


def test_who_is_interrupted_leads_no_longer(make, clock):
    """An exception out of the network comes out, and the next one may lead."""
    cache = Dictionary()

    class Interrupted(Network):
        def send(self, request):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(Interrupted(), cache, clock)(asked())
    assert None is cache.leader


def test_a_closed_transport_closes_the_network(clock):
    """The connections to the issuer are given back, and the cache stays with who made it."""
    network, other = Network(), Network()
    CachedTransport(network, Dictionary(), clock).close()
    asyncio.run(AsyncCachedTransport(Awaited(other), Dictionary(), clock).aclose())
    assert (-1, -1) == (network.sent, other.sent)


@pytest.mark.parametrize("weak", [{"metadata_trust": "tls"}, {"assertion_chain": "absent"}])
def test_a_cache_needs_signatures(weak):
    """Where TLS alone vouches for keys, whoever writes to the cache could put his own there."""
    rp = configured(registered(MockIssuer()))
    require_signed(rp)
    settings = {"assurance_values": {"gold": rp.assurance}} if "metadata_trust" in weak else {}
    with pytest.raises(ConfigurationError) as caught:
        Client(replace(rp, **weak, **settings), documents=Dictionary())
    assert ("config.shared_documents", "documents") == (caught.value.code, caught.value.setting)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("works", "kind"), [(serve, RedisDocumentCache), (serve_awaiting, AsyncRedisDocumentCache)]
)
def test_a_fleet_fetches_each_document_once(redis_server, works, kind):
    """Four processes that log people in ask the issuer no more often, together, than one does alone."""
    issuer = MockIssuer()
    with issuer.serve():
        known = registered(issuer)
        with Client(configured(known), background=False) as client:
            client.start_login()
        alone = fetched_from(issuer)
        openers = {"documents": partial(kind, redis_server.url, prefix=f"{kind.__name__}:", timeout=5)}
        with running_fleet(known, openers, size=4, works=works) as fleet:
            started = [*fleet.all_at_once("start_login"), *fleet.all_at_once("start_login")]
        together = fetched_from(issuer) - alone
    assert 8 == sum(isinstance(each, tuple) for each in started)
    assert 1 == together["/jwks.json"]
    assert alone == together
    print(f"\n{works.__name__}: one process {dict(alone)}, four {dict(together)}")  # noqa: T201 - to be read


def fetched_from(issuer):
    return Counter(record.path for record in issuer.log if record.method == "GET")


def test_documents_go_through_redis_whole(redis_server):
    """What one process keeps, another gets byte for byte; what somebody else put there is nothing."""
    cache, other = (RedisDocumentCache(redis_server.url, prefix="whole:", max_bytes=2000) for _ in range(2))
    body = bytes(range(256)) + b"\n\n"
    headers = {"content-type": "a/b", "cache-control": "max-age=5", "set-cookie": "secret"}
    response = HTTPResponse(status=200, headers=headers, body=body, url=URL)
    assert None is other.get(URL)
    cache.put(URL, CachedDocument(response=response, fetched_at=NOW), seconds=60)
    found = other.get(URL)
    assert (body, NOW, {"content-type", "cache-control"}) == (
        found.response.body,
        found.fetched_at,
        set(found.response.headers),
    )
    large = replace(response, body=bytes(2000))
    cache.put("large", CachedDocument(response=large, fetched_at=NOW), seconds=60)
    assert None is other.get("large")
    assert [True, False] == [cache.lead(URL, seconds=60), other.lead(URL, seconds=60)]
    other.follow(URL)
    assert not other.lead(URL, seconds=60)
    cache.follow(URL)
    assert other.lead(URL, seconds=60)
    for each in (cache, other):
        each.close()


def test_without_redis_everybody_fetches():
    """A cache that cannot be reached has nothing, keeps nothing, and lets everybody lead."""
    cache = RedisDocumentCache("redis://127.0.0.1:1/0")
    document = CachedDocument(response=HTTPResponse(status=200, url=URL), fetched_at=NOW)
    cache.put(URL, document, seconds=60)
    cache.follow(URL)
    assert (None, True) == (cache.get(URL), cache.lead(URL, seconds=60))
    cache.close()
