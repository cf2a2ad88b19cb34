"""What only the transport that is awaited can get wrong: loops, a limit of connections, and cancellation."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading

import pytest

from cyberid_client.async_transport import HTTPXTransport
from cyberid_client.config import HTTPLimits

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SHORT = {"connect_timeout": 2.0, "read_timeout": 2.0, "total_timeout": 4.0}


@pytest.fixture
def gate(serve):
    """Return a server that answers as long as it may."""

    def answer(connection, _request):
        server.entered.set()
        if server.may_answer:
            connection.sendall(ANSWER)
            return True
        return server.over.wait(0.5)

    server = serve(answer)
    server.may_answer = True
    server.entered = threading.Event()
    return server


def test_each_loop_has_connections_of_its_own(gate, get):
    """A client that outlives a loop, as in tests and in command line tools, works in the next one."""
    transport = HTTPXTransport(HTTPLimits(**SHORT))

    async def ask_and_give_back() -> str | None:
        error = (await transport.send(get(gate.url))).error
        for side in (transport._plain, transport._showing):
            if side is not None:
                await side.aclose()
        return error

    assert [None, None] == [asyncio.run(ask_and_give_back()) for _ in range(2)]
    assert 2 == gate.connections


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_loop_that_was_closed_on_open_connections_is_forgotten(gate, get):
    """Nothing of the old loop is touched in the new one; whoever did not close hears of it from Python."""
    transport = HTTPXTransport(HTTPLimits(**SHORT))

    async def ask() -> str | None:
        return (await transport.send(get(gate.url))).error

    async def ask_and_close() -> str | None:
        error = await ask()
        await transport.aclose()
        return error

    assert None is asyncio.run(ask())
    assert None is asyncio.run(ask_and_close())
    gc.collect()


@pytest.mark.parametrize("size", [1, 3])
def test_no_more_connections_are_open_than_configured(serve, get, size):
    """Whoever finds none free waits for one, and everybody gets an answer."""

    def answer(connection, _request):
        connection.sendall(ANSWER)
        return True

    server = serve(answer)

    async def ask_often() -> set[str | None]:
        transport = HTTPXTransport(HTTPLimits(**SHORT, pool_size=size))
        answers = await asyncio.gather(*(transport.send(get(server.url)) for _ in range(20)))
        await transport.aclose()
        return {each.error for each in answers}

    assert {None} == asyncio.run(ask_often())
    assert size == server.connections


def test_a_wait_for_a_connection_ends_with_the_total_timeout(gate, get):
    """A pool that is busy is an issuer that does not answer in time."""
    gate.may_answer = False

    async def ask_twice() -> list[str | None]:
        limits = HTTPLimits(connect_timeout=2.0, read_timeout=2.0, total_timeout=0.3, pool_size=1)
        transport = HTTPXTransport(limits)
        answers = await asyncio.gather(*(transport.send(get(gate.url)) for _ in range(2)))
        await transport.aclose()
        return [each.error for each in answers]

    assert ["transport.timeout"] * 2 == asyncio.run(ask_twice())


def test_a_request_that_is_cancelled_gives_its_connection_back(gate, get):
    """The next request finds a connection, and no answer of the one before in it."""

    async def cancel_and_ask() -> tuple[bool, str | None]:
        transport = HTTPXTransport(HTTPLimits(**SHORT, pool_size=1))
        gate.may_answer = False
        request = asyncio.create_task(transport.send(get(gate.url)))
        await asyncio.to_thread(gate.entered.wait)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        gate.may_answer = True
        answer = await transport.send(get(gate.url))
        await transport.aclose()
        return request.cancelled(), answer.error

    assert (True, None) == asyncio.run(cancel_and_ask())


WITHOUT = """
import sys
sys.modules["httpx2"] = None
from cyberid_client.errors import ConfigurationError
from cyberid_client.config import HTTPLimits
from cyberid_client.async_transport import HTTPXTransport
try:
    HTTPXTransport(HTTPLimits())
except ConfigurationError as error:
    print(error.code, error.setting)
"""


def test_without_httpx2_the_way_to_it_is_told():
    """Importing works without the optional part, and making a transport says what to install."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    assert 'config.missing_extra pip install "cyberid_client[async]"\n' == done.stdout
