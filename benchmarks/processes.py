"""Believe assertions in one process and in two: ``python processes.py [--quick]``; writes rates as JSON.

Two processes share nothing of ours, so that two processors do twice the work. Nothing else may run on the
machine meanwhile, else the ratio says how busy that is: a loop of bare verifications is measured beside.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Final

from samples import make_sample

from cyberid_client.handshake import verify_assertion
from cyberid_client.trust import ChainCache

SECONDS: Final = 2.0
SECONDS_QUICK: Final = 0.2
ROUNDS: Final = 5
ROUNDS_QUICK: Final = 1
_AT_ONCE: Final = 50


def _workloads() -> dict[str, Callable[[], object]]:
    sample, cache = make_sample("ES256", strangers=0), ChainCache()
    signed = sample.honest

    def verify() -> object:
        return verify_assertion(
            signed.token,
            expected=sample.expected,
            keys=signed.keys,
            now=sample.now,
            crls=signed.crls,
            cache=cache,
        )

    return {"bare": sample.bare, "verify_assertion": verify}


def _count(function: Callable[[], object], seconds: float) -> float:
    """Return how many a second."""
    start, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        for _ in range(_AT_ONCE):
            function()
        count += _AT_ONCE
    return count / passed


def _work(name: str, together: Barrier, seconds: float, results: multiprocessing.SimpleQueue[float]) -> None:
    function = _workloads()[name]
    function()
    together.wait()
    results.put(_count(function, seconds))


def _rate(name: str, processes: int, seconds: float) -> float:
    """Return how many a second all processes together believe."""
    context = multiprocessing.get_context("spawn")
    together, results = context.Barrier(processes), context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(name, together, seconds, results)) for _ in range(processes)
    ]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    rates: list[float] = [results.get() for _ in workers]
    return sum(rates)


def main() -> None:
    """Measure in turn, and write the best of each."""
    quick = "--quick" in sys.argv
    seconds, rounds = (SECONDS_QUICK, ROUNDS_QUICK) if quick else (SECONDS, ROUNDS)
    found = {}
    for name in ("bare", "verify_assertion"):
        rates = [[_rate(name, processes, seconds) for processes in (1, 2)] for _ in range(rounds)]
        one, two = (max(column) for column in zip(*rates, strict=True))
        found[name] = {"one_per_s": one, "two_per_s": two, "ratio": two / one}
    json.dump(found, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
