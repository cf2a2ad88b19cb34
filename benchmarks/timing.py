"""Measure functions against each other on a machine that also does other things.

All functions take turns, many times over, and the best turn of each counts: what disturbs the machine
disturbs all of them, and the best turn is the one that nothing disturbed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

__all__ = ["best_of"]

TURN: Final = 0.001
CALLS_MIN: Final = 3
ROUNDS: Final = 600
ROUNDS_QUICK: Final = 60


def best_of(functions: Mapping[str, Callable[[], object]], *, quick: bool) -> dict[str, float]:
    """Return the seconds that one call of each function takes.

    Args:
        functions: by name; each is called often and must mean the same every time.
        quick: fewer rounds.
    """
    calls = {name: _calls_per_turn(function) for name, function in functions.items()}
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS_QUICK if quick else ROUNDS):
        for name, function in functions.items():
            best[name] = min(best[name], _turn(function, calls[name]))
    return best


def _calls_per_turn(function: Callable[[], object]) -> int:
    _turn(function, 3)
    return max(CALLS_MIN, int(TURN / _turn(function, 3)))


def _turn(function: Callable[[], object], calls: int) -> float:
    turns = range(calls)
    function()  # whatever ran before has filled the processor's caches with its own
    start = time.perf_counter()
    for _ in turns:
        function()
    return (time.perf_counter() - start) / calls
