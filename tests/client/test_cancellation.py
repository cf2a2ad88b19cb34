"""A login that is cancelled, at whatever point, leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import traceback
from collections.abc import Awaitable, Generator
from functools import partial

import pytest

from cyberid_client import HTTPLimits, LoginRestartError
from cyberid_client.aio import AsyncClient
from cyberid_client.async_transport import HTTPXTransport
from cyberid_client.stores import MemoryPendingStore

from .conftest import make_shop

FETCH = "cyberid-fetch"


class CancelledAt:
    """Await something, and cancel the task when it has to wait for the nth time."""

    def __init__(self, awaited: Awaitable[object], nth: int) -> None:
        self._awaited = awaited
        self._nth = nth

    def __await__(self) -> Generator[object, None, object]:
        steps = self._awaited.__await__()
        raised: BaseException | None = None
        for count in itertools.count(1):
            try:
                waited_for = steps.send(None) if raised is None else steps.throw(raised)
            except StopIteration as stop:
                return stop.value
            if count == self._nth:
                asyncio.current_task().cancel()
            try:
                yield waited_for
                raised = None
            except BaseException as error:  # noqa: BLE001 - handed on to whom it is for
                raised = error


async def attempt(awaited: Awaitable[object], nth: int) -> object:
    """Return what came of it in a task of its own, ``None`` when it was cancelled."""

    async def go() -> object:
        return await CancelledAt(awaited, nth)

    try:
        return await asyncio.create_task(go())
    except asyncio.CancelledError:
        return None


async def settled() -> list[str]:
    """Let what others might wait for come to its end, and return the names of all other tasks."""
    while fetches := [task for task in asyncio.all_tasks() if task.get_name() == FETCH]:
        await asyncio.wait(fetches)
    return [task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}]


class Waiting:
    """An in-process transport and a store that wait a little before and after; they count who is inside."""

    single_use = shared = durable = True

    def __init__(self, transport, store: MemoryPendingStore) -> None:
        self._transport = transport
        self._store = store
        self.inside = 0

    async def send(self, request):
        return await self._slowly(lambda: self._transport.send(request))

    async def put(self, *args, **kwargs):
        return await self._slowly(lambda: self._store.put(*args, **kwargs))

    async def take(self, *args, **kwargs):
        return await self._slowly(lambda: self._store.take(*args, **kwargs))

    async def aclose(self):
        self._transport.close()

    async def _slowly(self, function):
        self.inside += 1
        try:
            await asyncio.sleep(0)
            result = function()
            await asyncio.sleep(0)
            return result
        finally:
            self.inside -= 1


class Shop:
    """Make one client after the other at one issuer."""

    def __init__(self, issuer, clock, *, over_http: bool) -> None:
        self.issuer = issuer
        self._shop = make_shop(issuer, clock)
        self._clock = clock
        self._over_http = over_http
        self.store = MemoryPendingStore()

    def new_client(self) -> tuple[AsyncClient, Waiting]:
        waiting = Waiting(self._shop.transport, self.store)
        # With one connection, one that is not given back is one that the next login waits for in vain.
        limits = HTTPLimits(pool_size=1, total_timeout=4.0)
        transport = HTTPXTransport(limits) if self._over_http else waiting
        client = AsyncClient(
            self._shop.rp, transport=transport, pending=waiting, clock=self._clock, background=False
        )
        return client, waiting

    async def log_in(self, client: AsyncClient) -> str:
        request = await client.start_login()
        callback = await asyncio.to_thread(self.issuer.authorize, request.url)
        return (await client.finish_login(callback, handle=request.handle)).return_to

    async def require_nothing_left(self, client: AsyncClient, waiting: Waiting) -> None:
        assert [] == await settled()
        assert not client._legs.keeper._flights.under_way
        assert 0 == waiting.inside
        assert "/" == await self.log_in(client)


async def cancel_the_start_everywhere(shop: Shop) -> int:
    """Cancel the start of a cold client's login at its first wait, at its second, and so on."""
    request, nth = None, 0
    while request is None:
        nth += 1
        client, waiting = shop.new_client()
        async with client:
            request = await attempt(client.start_login(), nth)
            await shop.require_nothing_left(client, waiting)
    return nth


async def cancel_the_finish_everywhere(shop: Shop) -> int:
    """The same for the finish, with a new key of the issuer, which must be fetched."""
    client, waiting = shop.new_client()
    async with client:
        await client.refresh()
        login, nth = None, 0
        while login is None:
            nth += 1
            request = await client.start_login()
            shop.issuer.rotate_signing_key()
            callback = await asyncio.to_thread(shop.issuer.authorize, request.url)
            login = await attempt(client.finish_login(callback, handle=request.handle), nth)
            await require_used_up_once(client, callback, request, login)
            await shop.require_nothing_left(client, waiting)
    return nth


async def require_used_up_once(client, callback, request, login) -> None:
    """Whatever happened, a login is finished at most once."""
    finished = int(login is not None)
    for _ in range(2):
        with contextlib.suppress(LoginRestartError):
            await client.finish_login(callback, handle=request.handle)
            finished += 1
    assert finished <= 1


# For the fetch that is everybody's, and before and after each of store, request and store.
FEWEST_WAITS = 5


@pytest.mark.parametrize("over_http", [False, True], ids=["in process", "over http"])
@pytest.mark.parametrize("cancel_everywhere", [cancel_the_start_everywhere, cancel_the_finish_everywhere])
def test_cancelled_anywhere_a_login_leaves_nothing_behind(issuer, clock, cancel_everywhere, over_http):
    """No task, no fetch that others would wait for in vain, no connection; and the next login works."""
    if not over_http:
        nth = asyncio.run(cancel_everywhere(Shop(issuer, clock, over_http=False)))
        assert nth > FEWEST_WAITS
        return
    with issuer.serve():
        nth = asyncio.run(cancel_everywhere(Shop(issuer, clock, over_http=True)))
        assert nth > FEWEST_WAITS


def test_who_waits_for_a_fetch_gets_it_though_its_beginner_was_cancelled(issuer, clock):
    """The fetch belongs to all who wait: one goes, the others log in, and the issuer was asked once."""
    shop = Shop(issuer, clock, over_http=False)

    async def go() -> tuple[int, list[str]]:
        client, _ = shop.new_client()
        async with client:
            first = asyncio.create_task(client.start_login())
            await asyncio.sleep(0)
            others = [asyncio.create_task(client.start_login()) for _ in range(20)]
            await asyncio.sleep(0)
            first.cancel()
            requests = await asyncio.gather(*others)
            assert first.cancelled()
            return client.outbound["discovery"], [request.url for request in requests]

    asked, urls = asyncio.run(go())
    assert (1, 20) == (asked, len(set(urls)))


def test_nobody_waits_for_a_fetch_of_a_loop_that_was_closed(issuer, clock):
    """A loop that is closed while its fetch is under way takes no login of the next loop with it."""
    client, _ = Shop(issuer, clock, over_http=False).new_client()
    closed = asyncio.new_event_loop()
    left = closed.create_task(client.start_login())
    while not client._legs.keeper._flights.under_way:
        closed.run_until_complete(asyncio.sleep(0))
    closed.close()

    async def go() -> str:
        async with client:
            return (await asyncio.wait_for(client.start_login(), 30)).url

    assert asyncio.run(go()).startswith(issuer.issuer)
    assert not left.done()


@pytest.mark.parametrize("over_http", [False, True], ids=["in process", "over http"])
def test_close_ends_what_goes_on_in_the_background(issuer, clock, over_http):
    """After aclose no task is left, however far a fetch had come that nobody waits for any more."""

    async def close_after(shop: Shop, turns: int) -> bool:
        client, waiting = shop.new_client()
        login = asyncio.create_task(client.start_login())
        for _ in range(turns):
            await asyncio.sleep(0)
        login.cancel()
        await asyncio.gather(login, return_exceptions=True)
        was_under_way = client._legs.keeper._flights.under_way
        await client.aclose()
        assert not client._legs.keeper._flights.under_way
        assert 0 == waiting.inside
        assert set() == asyncio.all_tasks() - {asyncio.current_task()}
        return was_under_way

    async def close_everywhere(shop: Shop) -> None:
        turns = 1
        while await close_after(shop, turns):
            turns += 1
        assert turns > FEWEST_WAITS

    if not over_http:
        asyncio.run(close_everywhere(Shop(issuer, clock, over_http=False)))
        return
    with issuer.serve():
        asyncio.run(close_everywhere(Shop(issuer, clock, over_http=True)))


def test_a_cancelled_login_shows_no_secret(issuer, clock):
    """An error tracker that records a timeout with all local variables sees no frame of ours."""
    shop = Shop(issuer, clock, over_http=False)

    async def go() -> BaseException:
        client, waiting = shop.new_client()
        async with client:
            request = await client.start_login()
            callback = issuer.authorize(request.url)
            waiting.send = lambda _request: asyncio.get_running_loop().create_future()
            # The app's own frames hold callback and handle; what is looked at begins below them.
            finish = partial(client.finish_login, callback, handle=request.handle)
            return await cut_off(finish)

    error = asyncio.run(go())
    frames = []
    while error is not None:
        frames += [frame.f_code.co_qualname for frame, _ in traceback.walk_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    assert "cut_off" in frames
    assert [] == [name for name in frames if "finish_login" in name or "Driver" in name]


async def cut_off(finish) -> BaseException:
    """Return the error of a login that was given no time."""
    try:
        async with asyncio.timeout(0.05):
            await finish()
    except TimeoutError as error:
        return error
