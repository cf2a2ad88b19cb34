"""What a store of pending logins promises within one process: one function per law."""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, timedelta, timezone
from types import FrameType
from typing import Any, Final, TypeVar

from cyberid_client.errors import StoreError
from cyberid_client.testing.store_probe import (
    Finding,
    Kept,
    Order,
    Probe,
    StoreCandidate,
    attempt,
    carried_of,
    is_revisable,
    opened,
    record_of,
)

T = TypeVar("T")
TraceFunction = Callable[[FrameType, str, Any], Any]

SECOND: Final = timedelta(seconds=1)
MANY: Final = 256
PORT_RECORD_BYTES: Final = 4096
PATIENCE: Final = 60.0
# A prime, so that in the course of the rounds every step of a store comes to be where a thread gives way.
STRIDE: Final = 7
DECLARED: Final = ("single_use", "shared", "durable")
REVISING: Final = ("peek", "swap")


def declares(candidate: StoreCandidate) -> None:
    """Look for the three words, and for two methods that come together."""
    with opened(candidate.fresh()) as probe:
        for name in DECLARED:
            if not isinstance(getattr(probe.store, name, None), bool):
                message = f"{name} is not True or False."
                raise Finding(message)
        if is_revisable(probe.store) != any(hasattr(probe.store, name) for name in REVISING):
            message = "It has only one of peek and swap, or one that cannot be called."
            raise Finding(message)


def round_trip(candidate: StoreCandidate) -> None:
    """Put and take one record after the other."""
    with opened(candidate.fresh()) as probe:
        for _ in range(3):
            probe.expect(probe.put(), "right after it was put")


def unknown_key(candidate: StoreCandidate) -> None:
    """Take what was never put."""
    with opened(candidate.fresh()) as probe:
        probe.expect_nothing(probe.draft(), "for a key that was never put")
        probe.expect_nothing(
            probe.draft().changed(carried="A" * 800), "for a key that was never put, with a made-up text"
        )
        kept = probe.put()
        probe.expect(kept, "after another key was asked for")


def keys_apart(candidate: StoreCandidate) -> None:
    """Ask for neighbours of a key, and for one key with the text of another."""
    with opened(candidate.fresh()) as probe:
        first = probe.draft()
        near = [first.key[:-1] + _other(first.key[-1]), _other(first.key[0]) + first.key[1:]]
        drafts = [first, *(probe.draft(key=key) for key in near)]
        kept = [probe.put(draft) for draft in drafts[: candidate.max_entries]]
        for number, each in enumerate(kept[:-1]):
            if each.carried:
                crossed = each.changed(carried=kept[number + 1].carried)
                probe.expect_nothing(crossed, "for one key with the carried text of another")
        for each in reversed(kept):
            probe.expect(each, "from among keys that differ in one digit")


def _other(digit: str) -> str:
    return "0" if digit != "0" else "1"


def carried_is_untrusted(candidate: StoreCandidate) -> None:
    """Damage what the browser carries in many ways."""
    with opened(candidate.fresh()) as probe:
        for damage in _DAMAGES:
            kept = probe.put()
            record = probe.take(kept.changed(carried=damage(kept.carried)))
            # A store that keeps the record itself does not look at what is carried.
            if kept.carried and record is not None:
                message = "A record came back for a carried text that was damaged."
                raise Finding(message)
            probe.take(kept)


def _flip(position: float) -> Callable[[str], str]:
    def flip(text: str) -> str:
        index = int(position * max(len(text) - 1, 0))
        changed = "A" if text[index : index + 1] != "A" else "B"
        return text[:index] + changed + text[index + 1 :]

    return flip


_DAMAGES: Final[tuple[Callable[[str], str], ...]] = (
    *(_flip(step / 32) for step in range(33)),
    lambda text: text[:-1] if text else "x",
    lambda text: text[1:] if text else "x",
    lambda text: text[: len(text) // 2] or "x",
    lambda text: text + "A",
    lambda text: text + "\n",
    lambda text: text + text + ".",
    lambda _: "",
    lambda _: ".",
    lambda _: "\x00",
    lambda _: "网号",
    lambda _: "\ud800",
    lambda _: "%" * 100_000,
)


def expiry(candidate: StoreCandidate) -> None:
    """Take on both sides of the very second, also when the expiry is written in another time zone."""
    lifetimes, zones = (SECOND, timedelta(minutes=10)), (UTC, timezone(timedelta(hours=8)))
    lateness = (timedelta(days=1), SECOND, 0 * SECOND, -SECOND)
    with opened(candidate.fresh()) as probe:
        for lives, zone, late in itertools.product(lifetimes, zones, lateness):
            kept = probe.put(_moved(probe.draft(lives=lives), zone))
            moment = kept.expires_at + late
            if late < 0 * SECOND:
                probe.expect(kept, "one second before it expires", now=moment.astimezone(UTC))
            else:
                seconds = f"{late.total_seconds():.0f} seconds"
                probe.expect_nothing(kept, f"{seconds} after it expired", now=moment.astimezone(UTC))


def _moved(kept: Kept, zone: timezone) -> Kept:
    return Kept(key=kept.key, record=kept.record, expires_at=kept.expires_at.astimezone(zone))


def big_records(candidate: StoreCandidate) -> None:
    """Put records of every size up to the promised one, and larger ones that may only be refused whole."""
    limit = candidate.max_record_bytes
    with opened(candidate.fresh()) as probe:
        for size in sorted({1, 255, 256, 1023, limit - 1, limit}):
            record = (bytes(range(256)) * (size // 256 + 1))[:size]
            probe.expect(probe.put(probe.draft(record=record)), f"with {size} bytes")
        for size in sorted({min(limit + 1, PORT_RECORD_BYTES), PORT_RECORD_BYTES} - {limit}):
            try:
                kept = probe.put(probe.draft(record=bytes(size)))
            except StoreError:
                continue
            probe.expect(kept, f"with {size} bytes, which were not refused")


def live_logins_stay(candidate: StoreCandidate) -> None:
    """Put many, then take them all."""
    with opened(candidate.fresh()) as probe:
        kept = [probe.put() for _ in range(min(MANY, candidate.max_entries or MANY))]
        for number, each in enumerate(kept):
            probe.expect(each, f"though it was alive, the {number + 1}. of {len(kept)}")


def bound(candidate: StoreCandidate) -> None:
    """Fill the store; then make room by taking, and by expiry."""
    entries = candidate.max_entries or 0
    with opened(candidate.fresh()) as probe:
        short = probe.put(probe.draft(lives=10 * SECOND))
        live = [probe.put() for _ in range(entries - 1)]
        _refused(probe, "of as many logins as it declares")
        if live:
            probe.expect(live.pop(), "from a full store")
            live.append(_accepted(probe, "after a record was taken out of the full store"))
            _refused(probe, "again, after one was taken and one was put")
        soon = short.expires_at
        live.append(_accepted(probe, "when a record of the full store had expired", late=soon - probe.now))
        for each in live:
            probe.expect(each, "though it was alive when the store was full", now=soon)


def _refused(probe: Probe, when: str) -> None:
    try:
        probe.put()
    except StoreError as error:
        if error.code == "store.full":
            return
        message = f"The store was full {when} and said {error.code}, not store.full."
    else:
        message = f"The store was full {when} and took another."
    raise Finding(message)


def _accepted(probe: Probe, when: str, *, late: timedelta = 0 * SECOND) -> Kept:
    try:
        return probe.put(now=probe.now + late)
    except StoreError as error:
        message = f"There was room {when}, but the put was refused with {error.code}."
        raise Finding(message) from error


def only_our_errors(candidate: StoreCandidate) -> None:
    """Call a store whose backend is gone."""
    with opened(candidate.gone or candidate.fresh()) as probe:
        orders = [
            Order(call="put", kept=probe.draft(), now=probe.now),
            Order(call="take", kept=probe.draft(), now=probe.now),
        ]
        if is_revisable(probe.store):
            orders += [
                Order(call="peek", kept=probe.draft(), now=probe.now),
                Order(call="swap", kept=probe.draft(), new=b"new", now=probe.now),
            ]
        for order in orders:
            outcome = attempt(probe.store, order)
            if isinstance(outcome, StoreError):
                continue
            if isinstance(outcome, Exception):
                message = f"With its backend gone, {order.call} raised {_name(outcome)}, not StoreError."
            else:
                message = f"With its backend gone, {order.call} returned as if nothing had happened."
            raise Finding(message)


def _name(error: Exception) -> str:
    return str(error) if type(error).__name__ == "ForeignError" else type(error).__name__


def taken_once(candidate: StoreCandidate) -> None:
    """Take twice, one after the other, at the moments that tempt a store to keep the record."""
    with opened(candidate.fresh()) as probe:
        kept = probe.put()
        probe.expect(kept, "right after it was put")
        probe.expect_nothing(kept, "the second time")
        late = probe.put(probe.draft(lives=SECOND))
        probe.take(late, now=late.expires_at)
        probe.expect_nothing(late, "for a clock that stepped back, after a take that came too late")


def taken_once_by_threads(candidate: StoreCandidate) -> None:
    """Let many threads take each record at the same moment."""
    with opened(candidate.fresh()) as probe:
        for each in _in_portions(candidate):
            kept = [probe.put() for _ in range(each)]
            judge_race(kept, _race(probe, kept, candidate.threads), "threads")


def _in_portions(candidate: StoreCandidate) -> Iterator[int]:
    left, most = candidate.rounds, candidate.max_entries or candidate.rounds
    while left > 0:
        yield min(left, most)
        left -= most


def _race(probe: Probe, kept: Sequence[Kept], threads: int) -> list[list[object]]:
    start = threading.Barrier(threads)

    def run() -> list[object]:
        outcomes: list[object] = []
        for each in kept:
            start.wait(PATIENCE)
            outcomes.append(attempt(probe.store, Order(call="take", kept=each, now=probe.now)))
        return outcomes

    return together(probe.store, threads, run)


def together(store: object, threads: int, run: Callable[[], T]) -> list[T]:
    """Let threads run at the same moment, each giving way amid the code of the store."""
    modules = frozenset(kind.__module__ for kind in type(store).__mro__)

    def run_impatiently() -> T:
        with impatient(modules):
            return run()

    with ThreadPoolExecutor(threads) as pool:
        return [each.result() for each in [pool.submit(run_impatiently) for _ in range(threads)]]


@contextmanager
def impatient(modules: frozenset[str]) -> Iterator[None]:
    """Let this thread give way again and again amid the code of ``modules``.

    Left alone, the interpreter changes threads so seldom that a store with a race looks good.
    """
    steps = itertools.count(threading.get_ident() % STRIDE)

    def give_way(frame: FrameType, event: str, _argument: object) -> TraceFunction | None:
        if frame.f_globals.get("__name__") not in modules:
            return None
        frame.f_trace_opcodes = True
        if event in {"line", "opcode"} and next(steps) % STRIDE == 0:
            time.sleep(0)
        return give_way

    before = sys.gettrace()
    sys.settrace(give_way)
    try:
        yield
    finally:
        sys.settrace(before)


def judge_race(kept: Sequence[Kept], racers: Sequence[Sequence[object]], who: str) -> None:
    """See that of all racers exactly one got each record.

    Raises:
        Finding: none did, several did, or what one got is not what was put.
    """
    for number, each in enumerate(kept):
        won = [record for racer in racers if (record := record_of(racer[number])) is not None]
        if len(won) != 1:
            message = f"In round {number + 1}, {len(won)} of {len(racers)} {who} got the record."
            raise Finding(message)
        if won != [each.record]:
            message = f"In round {number + 1}, the winner got another record than the one that was put."
            raise Finding(message)


def apart_under_threads(candidate: StoreCandidate) -> None:
    """Let all threads put a record of their own at the same moment, then take it."""
    threads = min(candidate.threads, candidate.max_entries or candidate.threads)
    turns = max(candidate.rounds // 5, 1)
    with opened(candidate.fresh()) as probe:
        start = threading.Barrier(threads)

        def run() -> list[tuple[Kept, object, object]]:
            done = []
            for draft in [probe.draft() for _ in range(turns)]:
                start.wait(PATIENCE)
                put = attempt(probe.store, Order(call="put", kept=draft, now=probe.now))
                kept = draft.changed(carried=put) if isinstance(put, str) else draft
                start.wait(PATIENCE)
                done.append((kept, put, attempt(probe.store, Order(call="take", kept=kept, now=probe.now))))
            return done

        for kept, put, taken in itertools.chain(*together(probe.store, threads, run)):
            carried_of(put)
            if (record := record_of(taken)) != kept.record:
                message = (
                    f"A thread got {'no' if record is None else 'another'} record while others took theirs."
                )
                raise Finding(message)
