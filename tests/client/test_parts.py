"""What a client is put together from, and what it tells about itself: the same for both kinds."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime

import pytest

from cyberid_client import AsyncClient, Client, ClientKey, ConfigurationError, UnavailableError
from cyberid_client import VerificationError as Refused
from cyberid_client.ports import CachedDocument, HTTPResponse
from cyberid_client.refreshing import FAILURE_IS_SHARED_FOR
from cyberid_client.stores import MemoryPendingStore
from cyberid_client.stores.memory import AsyncMemoryPendingStore, AsyncMemoryReplayStore, MemoryReplayStore

SECOND = FAILURE_IS_SHARED_FOR.total_seconds()


class Down:
    """An issuer that cannot be reached while it is down."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.is_down = True
        self.asked = 0

    def send(self, request):
        self.asked += 1
        if self.is_down:
            return HTTPResponse(status=0, url=request.url, error="transport.timeout")
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()


def test_a_warm_login_asks_the_issuer_twice(shop):
    """One request is pushed and one code is exchanged; everything else is known."""
    shop.log_in()
    before = dict(shop.client.outbound)
    shop.log_in()
    asked = {name: count - before[name] for name, count in shop.client.outbound.items()}
    assert {"par": 1, "token": 1} == {name: count for name, count in asked.items() if count}


def test_what_was_asked_is_counted_by_purpose(shop):
    """The counter says what the transport saw, failures included, and 0 for what was never asked."""
    shop.log_in()
    counted = {name: shop.transport.purposes.count(name) for name in shop.transport.purposes}
    assert counted == dict(shop.client.outbound)
    assert len(shop.transport.purposes) == shop.client.outbound.total
    assert 0 == shop.client.outbound["status_list"]
    assert repr(counted) in repr(shop.client.outbound)


def test_the_published_keys_are_public(shop):
    """The set names the key that signs, and no private half."""
    [key] = shop.client.jwks()["keys"]
    assert (shop.rp.client_keys.signing.kid, "sig") == (key["kid"], key["use"])
    assert "d" not in key


def test_who_comes_right_after_a_failure_does_not_wait_for_another(shop):
    """With nothing known and the issuer down, one attempt a second is made, whoever asks."""
    down = Down(shop.transport)
    client = shop.new_client(shop.rp, transport=down, clock=shop.clock, background=False)
    for advance, asked in ((0, 1), (0, 1), (SECOND - 0.001, 1), (0.001, 2), (0, 2)):
        shop.clock.advance(advance)
        with pytest.raises(UnavailableError) as failed:
            client.start_login()
        assert ("transport.timeout", asked) == (failed.value.code, down.asked)


def test_a_clock_that_was_set_back_does_not_keep_anybody_waiting(shop):
    """A failure that seems to lie ahead is none of a moment ago."""
    down = Down(shop.transport)
    client = shop.new_client(shop.rp, transport=down, clock=shop.clock, background=False)
    for advance, asked in ((0, 1), (-3600, 2)):
        shop.clock.advance(advance)
        with pytest.raises(UnavailableError):
            client.start_login()
        assert asked == down.asked


def test_a_refresh_by_hand_asks_right_after_a_failure(shop):
    """An operator who asks wants to know, and what comes of it serves at once."""
    down = Down(shop.transport)
    client = shop.new_client(shop.rp, transport=down, clock=shop.clock, background=False)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            client.refresh()
    assert 2 == down.asked
    down.is_down = False
    client.refresh()
    assert client.start_login().url.startswith(shop.rp.issuer)


def test_metadata_that_were_refused_are_no_failure_to_be_shared(shop):
    """What an attacker can send does not keep honest metadata out for as much as a moment."""
    shop.issuer.arm("metadata.signature_bit_flipped")
    with pytest.raises(Refused):
        shop.client.start_login()
    assert "/" == shop.log_in().return_to


def test_a_fetch_says_how_new_the_document_must_be(shop):
    """The first answer may be of any age; later ones must be newer than what is known."""

    def asked_for() -> list[tuple[str, float | None]]:
        found = [(each.purpose, each.newer_than) for each in shop.transport.requests]
        shop.transport.requests.clear()
        return [each for each in found if each[0] in {"discovery", "jwks", "crl"}]

    shop.log_in()
    assert {None} == {newer_than for _, newer_than in asked_for()}
    first = shop.clock().timestamp()
    shop.clock.advance(10)
    shop.client.refresh()
    assert [("discovery", first), ("jwks", first), *[("crl", first)] * 2] == sorted(asked_for(), key=_order)
    second = shop.clock().timestamp()
    request = shop.client.start_login()
    shop.issuer.rotate_signing_key()
    shop.client.finish_login(shop.issuer.authorize(request.url), handle=request.handle)
    assert ("jwks", second) in asked_for()


def _order(asked: tuple[str, float | None]) -> int:
    return ["discovery", "jwks", "crl"].index(asked[0])


class Shelf:
    """A cache of documents in memory; its methods are those of the port."""

    def __init__(self) -> None:
        self._documents: dict[str, CachedDocument] = {}

    def get(self, url: str) -> CachedDocument | None:
        return self._documents.get(url)

    def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        self._documents[url] = document

    def lead(self, url: str, *, seconds: float) -> bool:
        return True

    def follow(self, url: str) -> None:
        pass


class AwaitedShelf:
    """The same, awaited."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def get(self, url: str) -> CachedDocument | None:
        return self._shelf.get(url)

    async def put(self, url: str, document: CachedDocument, *, seconds: float) -> None:
        self._shelf.put(url, document, seconds=seconds)

    async def lead(self, url: str, *, seconds: float) -> bool:
        return self._shelf.lead(url, seconds=seconds)

    async def follow(self, url: str) -> None:
        self._shelf.follow(url)


def test_a_fleet_fetches_public_documents_once(shop, kind):
    """What one client fetched another finds, and neither counts it as asked."""
    shelf = Shelf()
    documents = shelf if kind == "blocking" else AwaitedShelf(shelf)

    def make():
        return shop.new_client(
            shop.rp, transport=shop.transport, documents=documents, clock=shop.clock, background=False
        )

    first, second = make(), make()
    first.start_login()
    asked = dict(first.outbound)
    second.start_login()
    assert {"discovery", "jwks", "crl", "par"} == set(asked)
    assert {"par": 1} == dict(second.outbound)


class Signer:
    """A key that somebody else holds; remembers in which thread it was asked."""

    algorithm = "ES256"

    def __init__(self, key: ClientKey, raised: Exception | None = None) -> None:
        self.public_key_info = key.public_key_info
        self._key = key
        self._raised = raised
        self.asked_in: int | None = None

    def sign(self, message: bytes) -> bytes:
        self.asked_in = threading.get_ident()
        if self._raised is not None:
            raise self._raised
        from jwt import get_algorithm_by_name  # noqa: PLC0415 - for this signer alone

        return get_algorithm_by_name("ES256").sign(message, self._key.private_key)


class AwaitedSigner(Signer):
    """The same, awaited."""

    async def sign(self, message: bytes) -> bytes:
        return super().sign(message)


def _signed_by(shop, signer):
    keys = replace(shop.rp.client_keys, signing=ClientKey.from_signer(signer))
    return replace(shop.rp, keys=keys, key=None)


def test_a_signer_that_blocks_stops_no_other_task(shop, kind, request):
    """The async client asks it in a thread; the blocking one asks it where it is."""
    signer = Signer(shop.rp.client_keys.signing)
    client = shop.new_client(_signed_by(shop, signer), transport=shop.transport, clock=shop.clock)
    asked = client.start_login()
    assert "/" == client.finish_login(shop.issuer.authorize(asked.url), handle=asked.handle).return_to
    here = threading.get_ident()
    if kind == "awaited":
        loop = request.getfixturevalue("beside").call(threading.get_ident)
        assert signer.asked_in not in {here, loop}
    else:
        assert here == signer.asked_in
    client.close()


@pytest.mark.parametrize("raised", [OSError("secret"), StopIteration()])
@pytest.mark.parametrize("make_signer", [Signer, AwaitedSigner])
def test_a_signer_that_fails_is_an_issuer_that_was_not_asked(shop, kind, make_signer, raised, caplog):
    """Whatever it raises becomes one code, no request leaves, and its words stay out of the log."""
    if kind == "blocking" and make_signer is AwaitedSigner:
        make_signer = Signer
    rp = _signed_by(shop, make_signer(shop.rp.client_keys.signing, raised))
    client = shop.new_client(rp, transport=shop.transport, clock=shop.clock, background=False)
    with pytest.raises(UnavailableError) as failed:
        client.start_login()
    assert "signer.failed" == failed.value.code
    assert "par" not in shop.transport.purposes
    assert "secret" not in caplog.text


def test_a_signer_that_is_awaited_signs(shop, kind):
    """The async client awaits it; the blocking one refuses it when it is made."""
    rp = _signed_by(shop, AwaitedSigner(shop.rp.client_keys.signing))
    if kind == "blocking":
        with pytest.raises(ConfigurationError) as refused:
            Client(rp)
        assert ("client.wrong_kind", "keys.signing") == (refused.value.code, refused.value.setting)
        return
    client = shop.new_client(rp, transport=shop.transport, clock=shop.clock, background=False)
    assert client.start_login().url


class BlockingStore:
    """A store of somebody else that may wait for a network."""

    single_use = shared = durable = True

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        raise AssertionError

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        raise AssertionError


def _code_of(make) -> tuple[str, str | None]:
    with pytest.raises(ConfigurationError) as refused:
        make()
    return refused.value.code, refused.value.setting


@pytest.mark.parametrize(
    ("client_class", "part"),
    [
        (Client, {"pending": AsyncMemoryPendingStore()}),
        (Client, {"replay": AsyncMemoryReplayStore()}),
        (Client, {"documents": AwaitedShelf(Shelf())}),
        (AsyncClient, {"pending": BlockingStore()}),
        (AsyncClient, {"replay": MemoryReplayStore()}),
        (AsyncClient, {"documents": Shelf()}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value.__name__,
)
def test_a_part_of_the_other_kind_is_refused(shop, client_class, part):
    """Whoever mixes the two up hears of it when the client is made, not at the first login."""
    assert ("client.wrong_kind", next(iter(part))) == _code_of(lambda: client_class(shop.rp, **part))


def test_a_store_in_memory_fits_both(shop):
    """It never waits, so that the async client takes the blocking one as well."""
    assert AsyncClient(shop.rp, pending=MemoryPendingStore())
    assert AsyncClient(shop.rp, pending=AsyncMemoryPendingStore())
