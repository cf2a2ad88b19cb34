"""Try to find the same person in what two apps received: by every value, every nearness and every order.

What somebody would do who has both apps' disks. Whoever passes every column of one to every column of the other
needs no idea of what they mean.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Received", "flatten", "guesses", "joins", "limit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one app received from one person.

    Attributes:
        person: who it was; no join may look at it.
        group: what the app is meant to know, and is told: people of one group may be told from others.
        columns: everything else, flat.
    """

    person: str
    group: Hashable
    columns: Mapping[str, str | float]


def flatten(value: object, path: str = "") -> dict[str, str | float]:
    """Return every leaf of a JSON value under its path, and of each text also its length, head and tail."""
    if isinstance(value, Mapping):
        return {k: v for name, each in value.items() for k, v in flatten(each, f"{path}.{name}").items()}
    if isinstance(value, list | tuple):
        return {k: v for n, each in enumerate(value) for k, v in flatten(each, f"{path}[{n}]").items()}
    if isinstance(value, bool | int | float):
        return {path: float(value)}
    if isinstance(value, str):
        return {
            path: value,
            f"{path}#length": float(len(value)),
            f"{path}#head": value[:4],
            f"{path}#tail": value[-4:],
        }
    return {}


def joins(first: Sequence[Received], second: Sequence[Received]) -> Iterator[tuple[str, float]]:
    """Yield (name, how many people it found) for every pair of columns and every way to join them."""
    mine, theirs = _grouped(first), _grouped(second)
    for left in _columns(first):
        for right in _columns(second):
            if not _is_one_kind(first[0].columns[left], second[0].columns[right]):
                continue
            pairs = [
                (_column(mine[group], left), _column(theirs[group], right))
                for group in mine
                if group in theirs
            ]
            name = f"{left} = {right}"
            yield f"{name}, equal", sum(_by_equality(*pair) for pair in pairs)
            yield f"{name}, in order", sum(_by_rank(*pair, step=1) for pair in pairs)
            yield f"{name}, in reverse", sum(_by_rank(*pair, step=-1) for pair in pairs)
            yield f"{name}, nearest", sum(_by_nearness(*pair) for pair in pairs)


def guesses(first: Sequence[Received], second: Sequence[Received]) -> float:
    """Return how many people one finds on average who guesses within each group."""
    mine, theirs = _grouped(first), _grouped(second)
    return float(
        sum(
            min(len(mine[group]), len(theirs[group])) / len(theirs[group])
            for group in mine
            if group in theirs
        )
    )


def limit(mean: float, *, tries: int, chance: float = 1e-6) -> float:
    """Return what so many guessers together stay below, but for ``chance``: the tail of a Poisson distribution."""
    count, below = 0, math.exp(-mean)
    term = below
    while 1 - below > chance / tries and term > 0:
        count += 1
        term *= mean / count
        below += term
    return float(count + 1)


_Column = list[tuple[str, str | float]]


def _grouped(received: Sequence[Received]) -> dict[Hashable, list[Received]]:
    groups: dict[Hashable, list[Received]] = defaultdict(list)
    for each in received:
        groups[each.group].append(each)
    return groups


def _columns(received: Sequence[Received]) -> list[str]:
    """Return the names of the columns that everybody has, and in which not everybody has the same."""
    common = set.intersection(*(set(each.columns) for each in received))
    return sorted(name for name in common if len({each.columns[name] for each in received}) > 1)


def _column(received: Sequence[Received], name: str) -> _Column:
    return [(each.person, each.columns[name]) for each in received]


def _is_one_kind(left: str | float, right: str | float) -> bool:
    return isinstance(left, str) == isinstance(right, str)


def _by_equality(left: _Column, right: _Column) -> float:
    """Guess among those with the same value; where nobody has it, nobody is found."""
    people = defaultdict(list)
    for person, value in right:
        people[value].append(person)
    return sum(people[value].count(person) / len(people[value]) for person, value in left if value in people)


def _by_rank(left: _Column, right: _Column, *, step: int) -> float:
    """Pair the first with the first, the second with the second, and so on."""
    one = [person for person, _ in sorted(left, key=lambda pair: pair[1])]
    other = [person for person, _ in sorted(right, key=lambda pair: pair[1])][::step]
    return float(sum(a == b for a, b in zip(one, other, strict=False)))


def _by_nearness(left: _Column, right: _Column) -> float:
    """Take for each the next one above, in the order of numbers or of letters."""
    ordered = sorted(right, key=lambda pair: pair[1])
    values = [value for _, value in ordered]
    found = 0
    for person, value in left:
        place = bisect.bisect_left(values, value)
        if place < len(ordered):
            found += ordered[place][0] == person
    return float(found)
