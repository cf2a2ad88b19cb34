"""What a store promises whose records can be read and changed before they are taken: one function per law."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, timedelta, timezone
from typing import Final

from cyberid_client.testing.store_laws import PATIENCE, SECOND, together
from cyberid_client.testing.store_probe import (
    Finding,
    Kept,
    Order,
    Probe,
    StoreCandidate,
    attempt,
    has_won,
    opened,
    record_of,
)
from cyberid_client.testing.store_processes import HEAD_START, child

RECORD_BYTES: Final = 700


def peek_leaves(candidate: StoreCandidate) -> None:
    """Read a record twice, then take it; and read where nothing is."""
    with opened(candidate.fresh()) as probe:
        kept = probe.put()
        _expect_peeked(probe, kept, "right after it was put")
        _expect_peeked(probe, kept, "the second time it was looked at")
        probe.expect(kept, "after it was looked at")
        _expect_unseen(probe, kept, "was looked at after it was taken")
        _expect_unseen(probe, probe.draft(), "was looked at under a key that was never put")


def peek_expiry(candidate: StoreCandidate) -> None:
    """Read on both sides of the very second, in another time zone too."""
    with opened(candidate.fresh()) as probe:
        for zone in (UTC, timezone(timedelta(hours=8))):
            kept = probe.put(probe.draft(lives=timedelta(minutes=10)))
            moment = kept.expires_at.astimezone(zone)
            _expect_peeked(probe, kept, "one second before it expires", late=moment - SECOND - probe.now)
            _expect_unseen(probe, kept, "was looked at when it expired", late=moment - probe.now)
            _expect_unseen(probe, kept, "was looked at after it expired", late=moment + SECOND - probe.now)
            probe.take(kept)


def swap_compares(candidate: StoreCandidate) -> None:
    """Change a record, also in its length, and try with an old record that is none (any more)."""
    limit = candidate.max_record_bytes
    with opened(candidate.fresh()) as probe:
        kept = probe.put()
        for size in (RECORD_BYTES, 1, limit):
            new = secrets.token_bytes(size)
            if not probe.swap(kept, new):
                message = f"A record that was still the old one was not changed for one of {size} bytes."
                raise Finding(message)
            for wrong in (kept, kept.with_record(new[:-1]), kept.with_record(new + b"\x00")):
                _expect_refused(probe, wrong, "though the record was another")
            kept = kept.with_record(new)
            _expect_peeked(probe, kept, "after it was put in the place of another")
        probe.expect(kept, "after it was put in the place of another")
        nowhere = probe.draft()
        _expect_refused(probe, nowhere, "under a key that was never put")
        _expect_unseen(probe, nowhere, "was made by a swap under a key that was never put")


def swap_keeps_expiry(candidate: StoreCandidate) -> None:
    """Change a record in the middle of its life, and look on both sides of its end."""
    lives = timedelta(minutes=10)
    with opened(candidate.fresh()) as probe:
        for late in (-SECOND, 0 * SECOND, lives / 2):
            kept = probe.put(probe.draft(lives=lives))
            new = kept.with_record(secrets.token_bytes(RECORD_BYTES))
            probe.swap(kept, new.record, now=probe.now + lives / 2)
            if late < 0 * SECOND:
                probe.expect(new, "one second before it expires, after a swap", now=new.expires_at + late)
            else:
                _expect_unseen(
                    probe, new, "was looked at when it had expired, after a swap", late=lives + late
                )
                probe.expect_nothing(new, "after it expired, after a swap", now=new.expires_at + late)


def swap_revives_nothing(candidate: StoreCandidate) -> None:
    """Change what was taken, and what has expired; also for a clock that steps back."""
    with opened(candidate.fresh()) as probe:
        taken = probe.put()
        probe.take(taken)
        _expect_refused(probe, taken, "though it was taken")
        _expect_unseen(probe, taken, "came back by a swap after it was taken")
        for late in (0 * SECOND, SECOND):
            over = probe.put(probe.draft(lives=SECOND))
            _expect_refused(probe, over, "though it had expired", late=SECOND + late)
            if probe.take(over) not in {None, over.record}:
                message = "A record was changed though it had expired."
                raise Finding(message)


def swapped_once_by_threads(candidate: StoreCandidate) -> None:
    """Let many threads change each record at the same moment, each to a record of its own."""
    _let_threads_race(candidate, takers=0)


def taken_amid_swaps(candidate: StoreCandidate) -> None:
    """Let some threads take each record while the others change it."""
    _let_threads_race(candidate, takers=2)


def revised_by_processes(candidate: StoreCandidate) -> None:
    """Let processes change each record at the same moment, then let some take while the others change."""
    opener = candidate.fresh()
    rounds = min(candidate.rounds, candidate.max_entries or candidate.rounds)
    with opened(opener) as probe, ExitStack() as stack:
        racers = [stack.enter_context(child(opener)) for _ in range(candidate.processes)]
        kept = [probe.put() for _ in range(rounds)]
        # In every second round one of them takes.
        orders = [
            [_order(probe, each, takes=number % 2 == 1 and racer == 0) for number, each in enumerate(kept)]
            for racer in range(candidate.processes)
        ]
        start = time.time() + HEAD_START
        for racer, ordered in zip(racers, orders, strict=True):
            racer.order(ordered, start=start)
        outcomes = [racer.outcomes(rounds) for racer in racers]
        for number, each in enumerate(kept):
            done = [
                (ordered[number], outcome[number]) for ordered, outcome in zip(orders, outcomes, strict=True)
            ]
            _judge(probe, each, done, "processes")


def _let_threads_race(candidate: StoreCandidate, *, takers: int) -> None:
    rounds = min(candidate.rounds, candidate.max_entries or candidate.rounds)
    with opened(candidate.fresh()) as probe:
        kept = [probe.put() for _ in range(rounds)]
        start, numbers = threading.Barrier(candidate.threads), iter(range(candidate.threads))

        def run() -> list[tuple[Order, object]]:
            takes = next(numbers) < takers
            orders = [_order(probe, each, takes=takes) for each in kept]
            done = []
            for order in orders:
                start.wait(PATIENCE)
                done.append((order, attempt(probe.store, order)))
            return done

        racers = together(probe.store, candidate.threads, run)
        for number, each in enumerate(kept):
            _judge(probe, each, [racer[number] for racer in racers], "threads")


def _order(probe: Probe, kept: Kept, *, takes: bool) -> Order:
    if takes:
        return Order(call="take", kept=kept, now=probe.now)
    return Order(call="swap", kept=kept, new=secrets.token_bytes(RECORD_BYTES), now=probe.now)


def _judge(probe: Probe, kept: Kept, done: Sequence[tuple[Order, object]], who: str) -> None:
    """See that one changed the record, or none where it was taken before, and that one state came of it."""
    won = [order.new for order, outcome in done if order.call == "swap" and has_won(outcome)]
    takes = [outcome for order, outcome in done if order.call == "take"]
    taken = [record for outcome in takes if (record := record_of(outcome)) is not None]
    least = 0 if takes else 1
    if not least <= len(won) <= 1:
        message = f"Of {len(done)} {who}, {len(won)} changed the same record."
        raise Finding(message)
    if takes and len(taken) != 1:
        message = f"Of {len(takes)} {who} that took a record while others changed it, {len(taken)} got it."
        raise Finding(message)
    last = (won or [kept.record])[0]
    if taken and taken != [last]:
        message = (
            "Who took a record got neither the old one, unchanged, nor the one that was put in its place."
        )
        raise Finding(message)
    if probe.take(kept) != (None if takes else last):
        message = f"After {who} changed and took a record at the same time, it was in no state that one of them left."
        raise Finding(message)


def _expect_peeked(probe: Probe, kept: Kept, when: str, *, late: timedelta = 0 * SECOND) -> None:
    record = probe.peek(kept, now=probe.now + late)
    if record != kept.record:
        message = f"{'No' if record is None else 'Another'} record was seen {when}."
        raise Finding(message)


def _expect_unseen(probe: Probe, kept: Kept, what: str, *, late: timedelta = 0 * SECOND) -> None:
    if probe.peek(kept, now=probe.now + late) is not None:
        message = f"A record was seen that {what}."
        raise Finding(message)


def _expect_refused(probe: Probe, kept: Kept, why: str, *, late: timedelta = 0 * SECOND) -> None:
    if probe.swap(kept, secrets.token_bytes(RECORD_BYTES), now=probe.now + late):
        message = f"A swap said that it changed a record {why}."
        raise Finding(message)
