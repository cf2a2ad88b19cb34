"""One fetch at a time: whoever comes while it is under way waits for it and shares its end."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future

from cyberid_client.effects import Background, Flight, Leg, Wait
from cyberid_client.errors import CyberIDError, UnavailableError

__all__ = ["Flights"]


class Flights:
    """Let one fetch run at a time, for all threads and tasks of a process.

    Args:
        count: told of each fetch that failed, once, before anybody hears of it.
    """

    def __init__(self, count: Callable[[CyberIDError], None]) -> None:
        self._count = count
        self._reset_locks()
        _all.add(self)

    def _reset_locks(self) -> None:
        self._lock = threading.Lock()
        self._flight: Flight | None = None

    @property
    def under_way(self) -> bool:
        """Whether a fetch runs now."""
        return self._flight is not None

    def fly(self, begin: Callable[[], Leg[None]], *, is_done: Callable[[], bool]) -> Leg[None]:
        """Fetch, unless a fetch runs already or has just ended; return when it is over.

        The fetch goes on though the caller is cancelled, because others may wait for it.

        Args:
            begin: returns the fetch.
            is_done: whether somebody else's fetch has brought what is wanted; asked when none runs.

        Raises:
            CyberIDError: it failed.
        """
        mine: Flight = Future()
        with self._lock:
            flight = self._flight
            if flight is None:
                if is_done():
                    return
                self._flight = mine
        if flight is None:
            yield Background(self._lead(begin(), mine))
            failure = yield Wait(mine)
            if failure is not None:
                raise failure
        elif (failure := (yield Wait(flight))) is not None:
            raise type(failure)(failure.code)

    def _lead(self, fetch: Leg[None], flight: Flight) -> Leg[None]:
        failure: CyberIDError | None = UnavailableError("issuer.unavailable")
        try:
            yield from fetch
            failure = None
        except CyberIDError as error:
            failure = error
            self._count(error)
        finally:
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            flight.set_result(failure)


_all: weakref.WeakSet[Flights] = weakref.WeakSet()


def _reset_in_child() -> None:
    for flights in _all:
        flights._reset_locks()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child, and a
# fetch of that thread would never end there.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
