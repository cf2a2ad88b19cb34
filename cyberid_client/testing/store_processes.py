"""What a store of pending logins promises across processes: one function per law.

The children are real processes, started afresh, and the ones that die are killed by SIGKILL: nothing
of theirs gets a chance to tidy up.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import PendingStore
from cyberid_client.testing.store_laws import judge_race
from cyberid_client.testing.store_probe import (
    Finding,
    Kept,
    Order,
    Probe,
    StoreCandidate,
    attempt,
    carried_of,
    current_second,
    make_up,
    opened,
    record_of,
)

PATIENCE: Final = 60.0
# Racers start each round at the same moment; what they call in between takes less, or they race on.
STEP: Final = 0.004
HEAD_START: Final = 0.05
BEFORE_DEATH: Final = 40
DEATHS_AFTER: Final = (3, 17)

# A forked child would share locks and connections with this process: not what is meant.
_CONTEXT: Final = multiprocessing.get_context("spawn")


def obey(opener: Callable[[], PendingStore], pipe: Connection) -> None:
    """Open the store in a child process and do what the parent orders, reporting after each call."""
    with opened(opener) as probe:
        pipe.send("open")
        try:
            while True:
                orders, start = pipe.recv()
                for number, order in enumerate(orders):
                    if start is not None:
                        time.sleep(max(0.0, start + number * STEP - time.time()))
                    pipe.send(attempt(probe.store, order))
        except EOFError:
            return


class Child:
    """Another process that has the same store open.

    Args:
        opener: opens the store; crosses to the process.
        works: what the process does with opener and pipe.

    Raises:
        ConfigurationError: it does not cross, or does not open (``testing.store_opener``).
    """

    def __init__(
        self, opener: Callable[[], Any], works: Callable[[Callable[[], Any], Connection], None] = obey
    ) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process: SpawnProcess = _CONTEXT.Process(target=works, args=(opener, theirs), daemon=True)
        try:
            self._process.start()
        except Exception as error:
            self._pipe.close()
            raise ConfigurationError("testing.store_opener", "fresh") from error
        finally:
            theirs.close()
        try:
            self._receive()
        except EOFError:
            self.end()
            raise ConfigurationError("testing.store_opener", "fresh") from None

    def order(self, orders: Sequence[object], *, start: float | None = None) -> None:
        """Let the process begin, at a moment or at once."""
        self._pipe.send((orders, start))

    def outcomes(self, count: int) -> list[object]:
        """Wait for the next reports."""
        return [self._receive() for _ in range(count)]

    def kill(self) -> list[object]:
        """Kill the process where it stands, and return the reports that had not been read yet."""
        self._process.kill()
        self._process.join(PATIENCE)
        reports = []
        try:
            while True:
                reports.append(self._receive())
        except (EOFError, OSError):
            return reports

    def end(self) -> None:
        """Let the process end by itself, or kill it."""
        self._pipe.close()
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _receive(self) -> object:
        if not self._pipe.poll(PATIENCE):
            message = f"Another process that called the store gave no answer within {PATIENCE:.0f} seconds."
            raise Finding(message)
        received: object = self._pipe.recv()
        return received


@contextmanager
def child(
    opener: Callable[[], Any], works: Callable[[Callable[[], Any], Connection], None] = obey
) -> Iterator[Child]:
    """Start a process that has the store open, and end it afterwards."""
    started = Child(opener, works)
    try:
        yield started
    finally:
        started.end()


def shared(candidate: StoreCandidate) -> None:
    """Put here and take there, and the other way round."""
    opener = candidate.fresh()
    with opened(opener) as probe, child(opener) as other:
        here = probe.put()
        _expect_taken(other, [here], probe.now, "in another process after it was put in this one")
        other.order([Order(call="put", kept=(draft := probe.draft()), now=probe.now)])
        there = _carrying([draft], other.outcomes(1))[0]
        probe.expect(there, "in this process after it was put in another one")


def _carrying(drafts: Sequence[Kept], outcomes: Sequence[object]) -> list[Kept]:
    pairs = zip(drafts, outcomes, strict=False)
    return [draft.changed(carried=carried_of(outcome)) for draft, outcome in pairs]


def _expect_taken(other: Child, kept: Sequence[Kept], now: datetime, when: str) -> None:
    other.order([Order(call="take", kept=each, now=now) for each in kept])
    for each, outcome in zip(kept, other.outcomes(len(kept)), strict=True):
        if (record := record_of(outcome)) != each.record:
            message = f"{'The record was gone' if record is None else 'Another record came back'} {when}."
            raise Finding(message)


def taken_once_by_processes(candidate: StoreCandidate) -> None:
    """Let several processes take each record at the same moment."""
    opener = candidate.fresh()
    rounds = min(candidate.rounds, candidate.max_entries or candidate.rounds)
    with opened(opener) as probe, ExitStack() as stack:
        racers = [stack.enter_context(child(opener)) for _ in range(candidate.processes)]
        kept = [probe.put() for _ in range(rounds)]
        orders = [Order(call="take", kept=each, now=probe.now) for each in kept]
        start = time.time() + HEAD_START
        for racer in racers:
            racer.order(orders, start=start)
        judge_race(kept, [racer.outcomes(rounds) for racer in racers], "processes")


def survives(candidate: StoreCandidate) -> None:
    """Kill a process amid its puts, and look from a new one for all that it had reported.

    This process never opens the store: a durable one need not be shared.
    """
    opener, now = candidate.fresh(), current_second()
    count = min(2 * BEFORE_DEATH, candidate.max_entries or 2 * BEFORE_DEATH)
    drafts = [make_up(now) for _ in range(count)]
    with child(opener) as first:
        first.order([Order(call="put", kept=each, now=now) for each in drafts])
        reports = first.outcomes((count + 1) // 2)
        reports += first.kill()
    with child(opener) as second:
        kept = _carrying(drafts, reports)
        _expect_taken(second, kept, now, "after the process that had put it was killed")


def taken_once_through_death(candidate: StoreCandidate) -> None:
    """Kill a process amid its takes: what it had not taken is there, and what it had taken is not."""
    for deaths_after in DEATHS_AFTER:
        opener = candidate.fresh()
        with opened(opener) as probe, child(opener) as other:
            count = min(BEFORE_DEATH, candidate.max_entries or BEFORE_DEATH)
            kept = [probe.put() for _ in range(count)]
            other.order([Order(call="take", kept=each, now=probe.now) for each in kept])
            reports = other.outcomes(min(deaths_after, count))
            reports += other.kill()
            _judge_death(kept, reports, probe)


def _judge_death(kept: Sequence[Kept], reports: Sequence[object], probe: Probe) -> None:
    for each, report in zip(kept, reports, strict=False):
        if record_of(report) != each.record:
            message = "A process that took records one by one did not get what was put."
            raise Finding(message)
        probe.expect_nothing(each, "a second time, after the process that had taken it was killed")
    # Of the one that was being taken when death came, nobody can say more than that it is not torn.
    for number, each in enumerate(kept[len(reports) :]):
        record = probe.take(each)
        if record not in ({each.record} if number else {each.record, None}):
            message = (
                "A record that nobody had taken was gone or torn after a process was killed amid its takes."
            )
            raise Finding(message)
