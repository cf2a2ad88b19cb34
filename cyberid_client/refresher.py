"""Refresh ahead of time, in a thread of its own."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from cyberid_client.driver import Driver
from cyberid_client.effects import Leg

__all__ = ["Refreshable", "Refresher", "pause_until"]

# However far away the next refresh is: a clock that was set anew is noticed after this many seconds.
LONGEST_SLEEP: Final = 60.0


class Refreshable(Protocol):
    """What a timer can keep current."""

    def refresh_if_due(self) -> Leg[datetime]:
        """Fetch what is due and return when to look again."""
        ...


class Refresher:
    """A daemon thread that refreshes ahead of time; started at first use, and again after a fork.

    Args:
        keeper: what it keeps current. It is held weakly: a forgotten client ends its thread.
        driver: runs the keeper's legs; held weakly likewise.
        now: the client's clock.
    """

    def __init__(self, keeper: Refreshable, driver: Driver, now: Callable[[], datetime]) -> None:
        self._keeper = weakref.ref(keeper)
        self._driver = weakref.ref(driver)
        self._now = now
        self._reset_locks()
        _refreshers.add(self)

    def _reset_locks(self) -> None:
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def ensure_running(self) -> None:
        """Start the thread if there is none in this process; of two callers at once both may start one.

        A second thread does no harm: it finds nothing due.
        """
        if self._thread is not None and self._thread.is_alive():
            return
        arguments = (self._keeper, self._driver, self._now, self._stopping)
        self._thread = threading.Thread(target=_work, args=arguments, name="cyberid-refresh", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a fetch that is under way is waited for."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()


def _work(
    keeper_ref: weakref.ref[Refreshable],
    driver_ref: weakref.ref[Driver],
    now: Callable[[], datetime],
    stopping: threading.Event,
) -> None:
    while not stopping.is_set():
        keeper, driver = keeper_ref(), driver_ref()
        if keeper is None or driver is None:
            return
        wake_at = driver.run(keeper.refresh_if_due())
        del keeper, driver
        stopping.wait(pause_until(wake_at, now()))


def pause_until(wake_at: datetime, now: datetime) -> float:
    """Return how many seconds a timer sleeps; never nothing, and never for longer than a clock may be wrong."""
    return min(max((wake_at - now).total_seconds(), 0.05), LONGEST_SLEEP)


_refreshers: weakref.WeakSet[Refresher] = weakref.WeakSet()


def _reset_in_child() -> None:
    for refresher in _refreshers:
        refresher._reset_locks()  # noqa: SLF001 - this module's own class


# The parent's thread does not exist in the child, and a lock that it held would never be released there.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
