"""What a replay store promises: one function per law."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Final

from cyberid_client.errors import CyberIDError, StoreError
from cyberid_client.ports import ReplayStore
from cyberid_client.testing.store_laws import together
from cyberid_client.testing.store_probe import Finding, ForeignError, current_second
from cyberid_client.testing.store_processes import HEAD_START, STEP, Child, child

__all__ = ["ReplayCandidate", "opened_replay"]

PATIENCE: Final = 60.0
PAUSE: Final = 0.01
REMEMBERED: Final = timedelta(minutes=10)
SECOND: Final = timedelta(seconds=1)
DECLARED: Final = ("shared", "durable", "transactional")
LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCandidate:
    """A replay store, and how the suite gets at it.

    Attributes:
        fresh: as of :class:`cyberid_client.testing.store_conformance.StoreCandidate`.
        gone: return a store whose backend cannot be reached; ``None`` for a store without a backend.
        max_entries: how many messages a store out of ``fresh`` remembers; ``None`` without a bound.
        threads: how many have the same message.
        processes: how many have the same message.
        rounds: how many messages they have.
    """

    fresh: Callable[[], Callable[[], ReplayStore]]
    gone: Callable[[], ReplayStore] | None = None
    max_entries: int | None = None
    threads: int = 8
    processes: int = 4
    rounds: int = 25


class EffectFailedError(Exception):
    """What an effect raises here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message that another process shall receive.

    Attributes:
        key: its key.
        now: the clock.
        lasts: the effect never ends.
    """

    key: str
    now: datetime
    lasts: bool = False


@contextmanager
def opened_replay(opener: Callable[[], ReplayStore]) -> Iterator[ReplayStore]:
    """Open a store, and close it afterwards if it can be closed."""
    store = opener()
    try:
        yield store
    finally:
        close = getattr(store, "close", None)
        if callable(close):
            close()


def new_key() -> str:
    """Return a key that no store has seen."""
    return secrets.token_hex(32)


class Effects:
    """Count how often an effect ran, and keep what it was given."""

    def __init__(self, also: Callable[[object], None] | None = None) -> None:
        self.given: list[object] = []
        self._also = also

    def __call__(self, transaction: object) -> None:
        self.given.append(transaction)
        if self._also is not None:
            self._also(transaction)


def receive(
    store: ReplayStore, key: str, effect: Callable[[object], None], *, now: datetime | None = None
) -> bool:
    """Receive a message as often as it takes until its effect is under way nowhere else.

    Raises:
        Finding: that takes too long, or something that is no error of ours came out.
    """
    moment = current_second() if now is None else now
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return store.once(key, effect, expires_at=moment + REMEMBERED, now=moment)
        except StoreError as error:
            if error.code != "replay.busy":
                raise
        except (CyberIDError, EffectFailedError, Finding):
            raise
        except Exception as error:
            message = f"{type(error).__name__} came out of the store."
            raise Finding(message) from error
        if time.monotonic() > give_up:
            message = "An effect that was under way nowhere was said to be under way."
            raise Finding(message)
        time.sleep(PAUSE)


def expect(seen: bool, message: str) -> None:  # noqa: FBT001 - it is what is expected
    """Go on only if something was seen.

    Raises:
        Finding: it was not.
    """
    if not seen:
        raise Finding(message)


def declares(candidate: ReplayCandidate) -> None:
    """Look for the three words."""
    with opened_replay(candidate.fresh()) as store:
        for name in DECLARED:
            expect(isinstance(getattr(store, name, None), bool), f"{name} is not True or False.")


def one_effect(candidate: ReplayCandidate) -> None:
    """Receive a message again and again, up to the last second, and another one between."""
    with opened_replay(candidate.fresh()) as store:
        key, other, now = new_key(), new_key(), current_second()
        first, again = Effects(), Effects()
        expect(receive(store, key, first, now=now), "A new message was said to be known.")
        expect(len(first.given) == 1, f"A new message had its effect {len(first.given)} times.")
        for late in (timedelta(0), SECOND, REMEMBERED - SECOND):
            # The clock goes on; the key was to be known until its own end.
            known = not store.once(key, again, expires_at=now + REMEMBERED, now=now + late)
            expect(known and not again.given, f"A message had its effect again {late.seconds} seconds later.")
            expect(receive(store, other, Effects(), now=now) is (late == timedelta(0)), "Keys were mixed up.")


def transaction(candidate: ReplayCandidate) -> None:
    """Look at what an effect is given."""
    with opened_replay(candidate.fresh()) as store:
        effects = Effects()
        receive(store, new_key(), effects)
        given = effects.given[0] is not None
        expect(given is store.transactional, f"The effect was given {'something' if given else 'None'}.")


def failed_effect(candidate: ReplayCandidate) -> None:
    """Let an effect raise, then receive the message again."""
    with opened_replay(candidate.fresh()) as store:
        key = new_key()
        for _ in range(2):
            _fail(store, key)
        effects = Effects()
        ran = receive(store, key, effects)
        expect(ran and len(effects.given) == 1, "A message whose effect had failed was said to be known.")


def _fail(store: ReplayStore, key: str, also: Callable[[object], None] | None = None) -> None:
    error = EffectFailedError()

    def fail(given: object) -> None:
        if also is not None:
            also(given)
        raise error

    try:
        receive(store, key, fail)
    except EffectFailedError as raised:
        expect(raised is error, "Another error than the effect's own came out.")
    else:
        message = "The error of an effect did not come out."
        raise Finding(message)


def one_effect_by_threads(candidate: ReplayCandidate) -> None:
    """Let many threads receive each message at the same moment."""
    with opened_replay(candidate.fresh()) as store:
        start = threading.Barrier(candidate.threads)
        keys = [new_key() for _ in range(min(candidate.rounds, candidate.max_entries or candidate.rounds))]

        def run() -> list[int]:
            counts = []
            for key in keys:
                effects = Effects()
                start.wait(PATIENCE)
                ran = receive(store, key, effects)
                counts.append(len(effects.given) if ran is bool(effects.given) else -1)
            return counts

        _judge(together(store, candidate.threads, run), "threads")


def _judge(racers: Sequence[Sequence[int]], who: str) -> None:
    for number, counts in enumerate(zip(*racers, strict=True)):
        wrong = f"In round {number + 1}, the effect ran {sum(counts)} times in {len(counts)} {who}."
        expect(sorted(counts) == [0] * (len(counts) - 1) + [1], wrong)


def full(candidate: ReplayCandidate) -> None:
    """Fill the store; then see that nothing was forgotten, and that time makes room."""
    now, entries, effects = current_second(), candidate.max_entries or 0, Effects()
    with opened_replay(candidate.fresh()) as store:
        keys = [new_key() for _ in range(entries)]
        for key in keys:
            receive(store, key, Effects(), now=now)
        try:
            receive(store, new_key(), effects, now=now)
        except StoreError as error:
            expect(error.code == "store.full", f"A full store said {error.code}, not store.full.")
        else:
            message = "A full store took another message."
            raise Finding(message)
        known = not any(receive(store, key, effects, now=now) for key in keys)
        expect(known and not effects.given, "A full store forgot a message.")
        expect(receive(store, new_key(), effects, now=now + REMEMBERED), "Time made no room.")


def only_our_errors(candidate: ReplayCandidate) -> None:
    """Call a store whose backend is gone."""
    effects = Effects()
    with opened_replay(candidate.gone or candidate.fresh()) as store, suppress(StoreError):
        receive(store, new_key(), effects)
        message = "With its backend gone, the store answered as if nothing had happened."
        raise Finding(message)
    expect(not effects.given, "With its backend gone, the effect ran.")


def counters(candidate: ReplayCandidate) -> None:
    """Raise counters of two subjects, and try to raise them by what is not higher."""
    subject, other = new_key(), new_key()
    steps = [(0, True), (0, False), (5, True), (5, False), (4, False), (6, True), (LARGEST, True)]
    with opened_replay(candidate.fresh()) as store:
        for number, due in [*steps, (LARGEST, False), (1, False)]:
            _count(store, subject, number, due=due)
            _count(store, other, 0, due=(number, due) == steps[0])


def _count(store: ReplayStore, subject: str, number: int, *, due: bool) -> None:
    raised: list[bool] = []
    receive(store, new_key(), lambda given: raised.append(store.advance(given, subject, number)))
    expect(raised == [due], f"A counter was{' not' if due else ''} raised to {number}.")


def taken_back_together(candidate: ReplayCandidate) -> None:
    """Let an effect fail after it had raised a counter."""
    subject, key = new_key(), new_key()
    with opened_replay(candidate.fresh()) as store:
        _fail(store, key, lambda given: expect(store.advance(given, subject, 7), "A counter was not raised."))
        raised: list[bool] = []
        receive(store, key, lambda given: raised.append(store.advance(given, subject, 7)))
        expect(
            raised == [True], "A counter stayed raised though the effect had failed, or the key was known."
        )


def no_counters(candidate: ReplayCandidate) -> None:
    """Ask a store without transactions to count."""
    with opened_replay(candidate.fresh()) as store:
        try:
            store.advance(None, new_key(), 1)
        except StoreError:
            return
        message = "A store without transactions counted."
        raise Finding(message)


def obey(opener: Callable[[], ReplayStore], pipe: Connection) -> None:
    """Open the store in a child process and receive what the parent orders, reporting each effect."""
    with opened_replay(opener) as store:
        pipe.send("open")
        try:
            while True:
                messages, start = pipe.recv()
                for number, message in enumerate(messages):
                    if start is not None:
                        time.sleep(max(0.0, start + number * STEP - time.time()))
                    pipe.send(_obeyed(store, message, pipe))
        except EOFError:
            return


def _obeyed(store: ReplayStore, message: Message, pipe: Connection) -> object:
    effects = Effects()

    def last(given: object) -> None:
        if store.transactional:
            store.advance(given, message.key, 7)
        pipe.send("in the effect")
        threading.Event().wait()

    try:
        ran = receive(store, message.key, last if message.lasts else effects, now=message.now)
    except (CyberIDError, Finding) as error:
        return error
    except Exception as error:  # noqa: BLE001 - what a store may raise is what is tested
        return ForeignError(type(error).__name__)
    return len(effects.given) if ran is bool(effects.given) else -1


def _ran(report: object) -> int:
    if isinstance(report, Exception):
        raise report
    return report if isinstance(report, int) else -1


def shared(candidate: ReplayCandidate) -> None:
    """Receive a message here and there."""
    opener, now, key, other_key = candidate.fresh(), current_second(), new_key(), new_key()
    with opened_replay(opener) as store, child(opener, obey) as other:
        receive(store, key, Effects(), now=now)
        other.order([Message(key=key, now=now), Message(key=other_key, now=now)])
        seen = [_ran(report) for report in other.outcomes(2)]
        expect(seen == [0, 1], "Another process did not know what had taken effect here, or knew too much.")
        expect(not receive(store, other_key, Effects(), now=now), "What took effect there had one here.")


def one_effect_by_processes(candidate: ReplayCandidate) -> None:
    """Let several processes receive each message at the same moment."""
    opener, now = candidate.fresh(), current_second()
    racers = [Child(opener, obey) for _ in range(candidate.processes)]
    try:
        messages = [Message(key=new_key(), now=now) for _ in range(candidate.rounds)]
        start = time.time() + HEAD_START
        for racer in racers:
            racer.order(messages, start=start)
        _judge([[_ran(one) for one in racer.outcomes(len(messages))] for racer in racers], "processes")
    finally:
        for racer in racers:
            racer.end()


def durable(candidate: ReplayCandidate) -> None:
    """Kill a process after it received messages, and receive them again in a new one."""
    opener, now = candidate.fresh(), current_second()
    messages = [Message(key=new_key(), now=now) for _ in range(candidate.rounds)]
    with child(opener, obey) as first:
        first.order(messages)
        reports = [_ran(report) for report in first.outcomes(len(messages))]
        first.kill()
    expect(reports == [1] * len(messages), "A new message had no effect, or more than one.")
    with child(opener, obey) as second:
        second.order(messages)
        again = [_ran(report) for report in second.outcomes(len(messages))]
    expect(again == [0] * len(messages), "A message had its effect again after its process was killed.")


def death_in_the_effect(candidate: ReplayCandidate) -> None:
    """Kill a process amid an effect, and receive the message here."""
    opener, now, key = candidate.fresh(), current_second(), new_key()
    with child(opener, obey) as other:
        other.order([Message(key=key, now=now, lasts=True)])
        expect(other.outcomes(1) == ["in the effect"], "A new message had no effect.")
        other.kill()
    with opened_replay(opener) as store:
        raised: list[bool] = []

        def effect(given: object) -> None:
            raised.append(not store.transactional or store.advance(given, key, 7))

        expect(receive(store, key, effect, now=now), "A message whose effect had not ended was known.")
        expect(raised == [True], "What the killed process had begun was not taken back.")
        expect(not receive(store, key, effect, now=now), "A message had its effect twice.")
