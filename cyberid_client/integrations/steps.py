"""One body for blocking and async apps: what an endpoint waits for it yields, and one of two drivers waits.

An endpoint is a generator. Everything that may wait is a call: of the client, or of one of the app's hooks. It
yields the call as an :class:`Ask` and gets back what the call returned; what the call raised is thrown into it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

__all__ = ["Ask", "Steps", "ask", "run", "run_awaited"]

T = TypeVar("T")

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ask:
    """Call a function; answered with what it returned, or awaited to.

    Attributes:
        function: a method of the client, or a hook of the app.
        arguments: positional.
        named: by keyword.
    """

    function: Callable[..., object] = field(repr=False)
    arguments: tuple[object, ...] = field(default=(), repr=False)
    named: Mapping[str, object] = field(default_factory=lambda: _NOTHING, repr=False)


# Each call has an answer of its own kind, which no type can say of a generator.
Steps = Generator[Ask, Any, T]


def ask(function: Callable[..., object], *arguments: object, **named: object) -> Ask:
    """Return a call, its arguments written as one writes them otherwise.

    Example::

        started = yield ask(client.start_login, return_to=place)
    """
    return Ask(function, arguments, named)


def run(steps: Steps[T]) -> T:
    """Drive an endpoint to its end in the calling thread."""
    try:
        wanted = next(steps)
        while True:
            try:
                answer = wanted.function(*wanted.arguments, **wanted.named)
            except Exception as error:  # noqa: BLE001 - the endpoint decides what becomes of it
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()


async def run_awaited(steps: Steps[T]) -> T:
    """Drive an endpoint to its end and await what is awaited; a hook need not be."""
    try:
        wanted = next(steps)
        while True:
            try:
                answer = wanted.function(*wanted.arguments, **wanted.named)
                if inspect.isawaitable(answer):
                    answer = await answer
            except Exception as error:  # noqa: BLE001 - the endpoint decides what becomes of it
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        steps.close()
