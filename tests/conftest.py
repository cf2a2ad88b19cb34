"""What all tests share: how hard Hypothesis tries, a loop beside the test, and no way beyond this machine."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Self

import pytest
from hypothesis import HealthCheck, settings

# Two cores that others share: how long an example takes says nothing about the code.
_SHARED_CORES = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.register_profile("dev", _SHARED_CORES, max_examples=25)
# The same examples in every run, so that a red run stays red until something is mended.
settings.register_profile("ci", _SHARED_CORES, max_examples=50, derandomize=True, database=None)
settings.register_profile("full", _SHARED_CORES, max_examples=2_000)
settings.load_profile(os.environ.get("CYBERID_HYPOTHESIS", "dev"))

_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")


def _refuse_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        connection, address = arguments
        if connection.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK_NAMES:
            message = f"a test tried to reach {address[0]}"
            raise AssertionError(message)


# An audit hook sees every connection, whatever library makes it, and needs nothing patched.
sys.addaudithook(_refuse_the_outside)


@pytest.fixture(scope="session")
def not_here() -> Callable[[str], None]:
    """Give up a test for want of something on this machine, and say so; never where all must be there."""

    def give_up(reason: str) -> None:
        if os.environ.get("CYBERID_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    return give_up


class LoopBeside:
    """An event loop in a thread of its own, so that blocking tests can call what is awaited."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop beside")
        self._thread.start()

    def call(self, function: Callable[..., object], *args: object, **kwargs: object) -> object:
        """Call a function inside the loop, await what it returns, and return the result."""

        async def called() -> object:
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result()

    def tasks(self, name: str) -> set[asyncio.Task[object]]:
        """Return the tasks with this name that are not done."""
        return {task for task in asyncio.all_tasks(self._loop) if task.get_name() == name}

    def close(self) -> None:
        self.call(self._loop.shutdown_default_executor)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Awaited:
    """An async object that is used as if it were a blocking one."""

    def __init__(self, inner: object, beside: LoopBeside) -> None:
        self._inner = inner
        self._beside = beside
        self._parts: dict[str, Awaited] = {}

    def __getattr__(self, name: str) -> object:
        value = self._beside.call(getattr, self._inner, name)
        if name in {"_driver", "status_lists"}:
            return self._parts.setdefault(name, Awaited(value, self._beside))
        if name.startswith("_") or not callable(value):
            return value
        return lambda *args, **kwargs: self._beside.call(value, *args, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Awaited({self._inner!r})"

    def close(self) -> None:
        self._beside.call(self._inner.aclose)


class Unblocked:
    """A blocking transport or store, awaited; it runs in threads, as it would for a blocking client."""

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    async def send(self, request: object) -> object:
        return await _in_a_thread(lambda: self._inner.send(request))

    async def put(self, *args: object, **kwargs: object) -> object:
        return await _in_a_thread(lambda: self._inner.put(*args, **kwargs))

    async def take(self, *args: object, **kwargs: object) -> object:
        return await _in_a_thread(lambda: self._inner.take(*args, **kwargs))

    async def aclose(self) -> None:
        self._inner.close()


async def _in_a_thread(function: Callable[[], object]) -> object:
    raised = []

    def attempt() -> object:
        try:
            return function()
        except Exception as error:  # noqa: BLE001 - a StopIteration would never leave the thread
            raised.append(error)
            return None

    result = await asyncio.to_thread(attempt)
    if raised:
        raise raised[0]
    return result


@pytest.fixture
def beside() -> Iterator[LoopBeside]:
    """Return a loop that ends with the test."""
    loop = LoopBeside()
    yield loop
    loop.close()


@pytest.fixture
def awaited(beside: LoopBeside) -> Iterator[Callable[[Callable[[], object]], Awaited]]:
    """Return a function that makes an async object inside the loop and returns it as if it blocked."""
    made: list[Awaited] = []

    def make(factory: Callable[[], object]) -> Awaited:
        made.append(Awaited(beside.call(factory), beside))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def unblocked() -> type[Unblocked]:
    """Return what makes a blocking transport or store one that is awaited."""
    return Unblocked
