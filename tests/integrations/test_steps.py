"""The two drivers of an endpoint: what is called, what is awaited, and what an error becomes."""

from __future__ import annotations

import asyncio

import pytest

from cyberid_client.integrations.steps import ask, run, run_awaited

ended = []


def add(left, *, right):
    """Add two numbers."""
    return left + right


async def add_later(left, *, right):
    """Add two numbers when others have had their turn."""
    await asyncio.sleep(0)
    return left + right


def endpoint(function):
    """Call twice, and note the end."""
    try:
        first = yield ask(function, 1, right=2)
        second = yield ask(function, first, right=10)
    finally:
        ended.append(function)
    return second


def raising(error):
    """Return a function that raises."""

    def function():
        raise error

    return function


def catching(error):
    """Call what raises, and say what was caught."""
    try:
        yield ask(raising(error))
    except ValueError as caught:
        return caught


def drive(steps):
    """Drive with what waits."""
    return asyncio.run(run_awaited(steps))


@pytest.mark.parametrize(
    ("driver", "function"), [(run, add), (drive, add), (drive, add_later)], ids=["run", "mixed", "awaited"]
)
def test_what_is_called_is_answered(driver, function):
    """An endpoint gets what its calls return, whether it is awaited or not."""
    assert 13 == driver(endpoint(function))


@pytest.mark.parametrize("driver", [run, drive])
def test_what_is_raised_is_thrown_in(driver):
    """What a call raises an endpoint may catch, and what it does not catch comes out."""
    error = ValueError("mine")
    assert error is driver(catching(error))
    with pytest.raises(KeyError):
        driver(catching(KeyError("not mine")))


@pytest.mark.parametrize("driver", [run, drive])
def test_a_hook_cannot_end_an_endpoint(driver):
    """A call that raises what ends generators is an error like any other."""
    with pytest.raises(RuntimeError):
        driver(catching(StopIteration("not the end")))


@pytest.mark.parametrize("driver", [run, drive])
def test_interrupted_endpoint_is_ended(driver):
    """When a call is interrupted, the endpoint is ended before the interruption goes on."""
    ended.clear()

    def interrupted(_left, *, right):
        raise KeyboardInterrupt(right)

    with pytest.raises(KeyboardInterrupt):
        driver(endpoint(interrupted))
    assert [interrupted] == ended


def test_cancelled_endpoint_is_ended():
    """When a task is cancelled while it waits, the endpoint is ended."""
    ended.clear()

    async def never(_left, *, right):
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(run_awaited(endpoint(never)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [never] == ended
