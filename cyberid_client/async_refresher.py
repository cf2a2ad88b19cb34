"""Refresh ahead of time, in a task of its own."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from datetime import datetime

from cyberid_client.async_driver import AsyncDriver
from cyberid_client.refresher import Refreshable, pause_until

__all__ = ["AsyncRefresher"]


class AsyncRefresher:
    """A task that refreshes ahead of time; started at first use, and again in the next event loop.

    Args:
        keeper: what it keeps current. It is held weakly: a forgotten client ends its task.
        driver: runs the keeper's legs; held weakly likewise.
        now: the client's clock.
    """

    def __init__(self, keeper: Refreshable, driver: AsyncDriver, now: Callable[[], datetime]) -> None:
        self._keeper = weakref.ref(keeper)
        self._driver = weakref.ref(driver)
        self._now = now
        self._forget()
        _refreshers.add(self)

    def _forget(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def ensure_running(self) -> None:
        """Start the task unless it runs already, be it in another event loop that is alive."""
        task = self._task
        if task is not None and not task.done() and task.get_loop().is_running():
            return
        work = _work(self._keeper, self._driver, self._now)
        self._task = asyncio.get_running_loop().create_task(work, name="cyberid-refresh")

    async def stop(self) -> None:
        """End the task."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _work(
    keeper_ref: weakref.ref[Refreshable], driver_ref: weakref.ref[AsyncDriver], now: Callable[[], datetime]
) -> None:
    while True:
        keeper, driver = keeper_ref(), driver_ref()
        if keeper is None or driver is None:
            return
        wake_at = await driver.run(keeper.refresh_if_due())
        del keeper, driver
        await asyncio.sleep(pause_until(wake_at, now()))


_refreshers: weakref.WeakSet[AsyncRefresher] = weakref.WeakSet()


def _forget_in_child() -> None:
    for refresher in _refreshers:
        refresher._forget()  # noqa: SLF001 - this module's own class


# The parent's event loop does not run in the child, though its tasks look alive there.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
