"""Does a replay store keep what it declares? A suite for any ``ReplayStore``.

As :mod:`cyberid_client.testing.store_conformance` for pending logins, and used the same way::

    candidate = ReplayCandidate(fresh=lambda: MemoryReplayStore)
    check_replay_store(candidate)

An async store is brought as :class:`cyberid_client.testing.store_async.BlockingReplayStore`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import CyberIDError
from cyberid_client.ports import ReplayStore
from cyberid_client.testing import store_replay_laws as laws
from cyberid_client.testing.store_conformance import BrokenGuaranteeError
from cyberid_client.testing.store_probe import Finding
from cyberid_client.testing.store_replay_laws import ReplayCandidate, opened_replay

__all__ = [
    "REPLAY_GUARANTEES",
    "ReplayCandidate",
    "ReplayGuarantee",
    "check_replay_store",
    "replay_guarantees_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayGuarantee:
    """One promise of a replay store.

    Attributes:
        name: for test ids and reports.
        law: the promise, one sentence.
        concerns: tell from a store and how it is brought whether it makes this promise.
        look: raise when the promise is broken.
    """

    name: str
    law: str
    concerns: Callable[[ReplayStore, ReplayCandidate], bool] = field(repr=False)
    look: Callable[[ReplayCandidate], None] = field(repr=False)

    def __str__(self) -> str:
        return self.name

    def check(self, candidate: ReplayCandidate) -> None:
        """Test this promise on a fresh store.

        Args:
            candidate: the store and how to get at it.

        Raises:
            BrokenGuaranteeError: the promise is broken.
            ConfigurationError: the store cannot be opened in another process
                (``testing.store_opener``).
        """
        try:
            self.look(candidate)
        except Finding as found:
            raise BrokenGuaranteeError(self.name, self.law, str(found)) from None
        except CyberIDError as error:
            if error.code == "testing.store_opener":
                raise
            seen = f"A call that must succeed raised {type(error).__name__} with the code {error.code}."
            raise BrokenGuaranteeError(self.name, self.law, seen) from error


def _always(_store: ReplayStore, _candidate: ReplayCandidate) -> bool:
    return True


def _declaring(*names: str) -> Callable[[ReplayStore, ReplayCandidate], bool]:
    return lambda store, _candidate: all(getattr(store, name, None) is True for name in names)


def _without_transactions(store: ReplayStore, _candidate: ReplayCandidate) -> bool:
    return store.transactional is False


def _has_backend(_store: ReplayStore, candidate: ReplayCandidate) -> bool:
    return candidate.gone is not None


def _bounded(_store: ReplayStore, candidate: ReplayCandidate) -> bool:
    return candidate.max_entries is not None


def _row(
    name: str,
    law: str,
    concerns: Callable[[ReplayStore, ReplayCandidate], bool],
    look: Callable[[ReplayCandidate], None],
) -> ReplayGuarantee:
    return ReplayGuarantee(name=name, law=law, concerns=concerns, look=look)


REPLAY_GUARANTEES: Final[tuple[ReplayGuarantee, ...]] = (
    _row("declares", "A store says of shared, durable and transactional whether it is that.", _always, laws.declares),
    _row("one_effect", "A message has its effect the first time and no other, until its key expires.", _always, laws.one_effect),
    _row("transaction", "An effect is given a transaction by a transactional store, and None by any other.", _always, laws.transaction),
    _row("failed_effect", "A message whose effect failed has it the next time.", _always, laws.failed_effect),
    _row("one_effect_by_threads", "Of threads with the same message at the same time, exactly one has the effect.", _always, laws.one_effect_by_threads),
    _row("full", "A full store refuses with store.full, without effect, and forgets nothing.", _bounded, laws.full),
    _row("only_our_errors", "When the backend is gone there is a StoreError and no effect.", _has_backend, laws.only_our_errors),
    _row("counters", "A counter is raised by a higher number and by no other.", _declaring("transactional"), laws.counters),
    _row("taken_back_together", "Counter and key are taken back with an effect that failed.", _declaring("transactional"), laws.taken_back_together),
    _row("no_counters", "A store without transactions refuses to count.", _without_transactions, laws.no_counters),
    _row("shared", "What took effect in one process has none in another.", _declaring("shared"), laws.shared),
    _row("one_effect_by_processes", "Of processes with the same message at the same time, exactly one has the effect.", _declaring("shared"), laws.one_effect_by_processes),
    _row("durable", "What took effect is known after its process was killed.", _declaring("durable"), laws.durable),
    _row("death_in_the_effect", "A message whose process was killed amid the effect has it elsewhere, whole.", _declaring("shared", "durable"), laws.death_in_the_effect),
)  # fmt: skip


def replay_guarantees_of(candidate: ReplayCandidate) -> tuple[ReplayGuarantee, ...]:
    """Return what the store promises by what it declares and how it is brought.

    Args:
        candidate: the store and how to get at it; it is opened once.
    """
    with opened_replay(candidate.fresh()) as store:
        return tuple(each for each in REPLAY_GUARANTEES if each.concerns(store, candidate))


def check_replay_store(candidate: ReplayCandidate) -> tuple[str, ...]:
    """Test everything that the store promises.

    Args:
        candidate: the store and how to get at it.

    Returns:
        The names of the guarantees that it keeps: all that it makes.

    Raises:
        BrokenGuaranteeError: the first one that is broken.
        ConfigurationError: the store cannot be opened in another process (``testing.store_opener``).
    """
    promised = replay_guarantees_of(candidate)
    for guarantee in promised:
        guarantee.check(candidate)
    return tuple(each.name for each in promised)
