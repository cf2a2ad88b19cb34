"""Does a store of pending logins keep what it declares? A suite for any ``PendingStore``.

A store declares ``single_use``, ``shared`` and ``durable`` (:class:`cyberid_client.ports.PendingStore`), and by
having ``peek`` and ``swap`` that it is a :class:`cyberid_client.ports.RevisableStore`; the suite runs what
follows from that, with threads, other processes and processes that are killed. It needs no test runner::

    candidate = StoreCandidate(fresh=lambda: MemoryPendingStore)
    check_store(candidate)

and under pytest each guarantee is a test of its own::

    @pytest.mark.parametrize("guarantee", guarantees_of(candidate), ids=str)
    def test_the_store_keeps(guarantee):
        guarantee.check(candidate)

What it cannot see: a store that is wrong only when its machine loses power, or when a network splits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import CyberIDError
from cyberid_client.ports import PendingStore
from cyberid_client.testing import store_laws, store_processes, store_revisions
from cyberid_client.testing.store_probe import (
    Finding,
    ForeignError,
    StoreCandidate,
    is_revisable,
    opened,
)

__all__ = [
    "GUARANTEES",
    "BrokenGuaranteeError",
    "Guarantee",
    "StoreCandidate",
    "check_store",
    "guarantees_of",
]


class BrokenGuaranteeError(AssertionError):
    """A store does not keep what it declares.

    Args:
        guarantee: the name of the broken one.
        law: what it promises, a sentence.
        finding: what was seen, a sentence.
    """

    def __init__(self, guarantee: str, law: str, finding: str) -> None:
        super().__init__(guarantee, law, finding)
        self.guarantee = guarantee

    def __str__(self) -> str:
        guarantee, law, finding = self.args
        return f"{guarantee} is broken. {law} {finding}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarantee:
    """One promise of a store.

    Attributes:
        name: for test ids and reports.
        law: the promise, one sentence.
        concerns: tell from a store and how it is brought whether it makes this promise.
        look: raise when the promise is broken.
    """

    name: str
    law: str
    concerns: Callable[[PendingStore, StoreCandidate], bool] = field(repr=False)
    look: Callable[[StoreCandidate], None] = field(repr=False)

    def __str__(self) -> str:
        return self.name

    def check(self, candidate: StoreCandidate) -> None:
        """Test this promise on a fresh store.

        Args:
            candidate: the store and how to get at it.

        Raises:
            BrokenGuaranteeError: the promise is broken; or, while it was tested, something that is no
                ``CyberIDError`` came out of the store, which breaks ``only_our_errors``.
            ConfigurationError: the store cannot be opened in another process
                (``testing.store_opener``).
        """
        try:
            self.look(candidate)
        except Finding as found:
            raise BrokenGuaranteeError(self.name, self.law, str(found)) from None
        except ForeignError as error:
            seen = f"While {self.name} was tested, {error} came out of the store."
            raise BrokenGuaranteeError(_ONLY_OUR_ERRORS.name, _ONLY_OUR_ERRORS.law, seen) from None
        except CyberIDError as error:
            if error.code == "testing.store_opener":
                raise
            seen = f"A call that must succeed raised {type(error).__name__} with the code {error.code}."
            raise BrokenGuaranteeError(self.name, self.law, seen) from error


def _always(_store: PendingStore, _candidate: StoreCandidate) -> bool:
    return True


def _declaring(*names: str) -> Callable[[PendingStore, StoreCandidate], bool]:
    return lambda store, _candidate: all(getattr(store, name, None) is True for name in names)


def _revisable(*names: str) -> Callable[[PendingStore, StoreCandidate], bool]:
    declares = _declaring(*names)
    return lambda store, candidate: is_revisable(store) and declares(store, candidate)


def _bounded(_store: PendingStore, candidate: StoreCandidate) -> bool:
    return candidate.max_entries is not None


def _has_backend(_store: PendingStore, candidate: StoreCandidate) -> bool:
    return candidate.gone is not None


_ONLY_OUR_ERRORS: Final = Guarantee(
    name="only_our_errors",
    law="Whatever happens, only a CyberIDError comes out of a store, and a StoreError when its backend is gone.",
    concerns=_has_backend,
    look=store_laws.only_our_errors,
)


def _row(
    name: str,
    law: str,
    concerns: Callable[[PendingStore, StoreCandidate], bool],
    look: Callable[[StoreCandidate], None],
) -> Guarantee:
    return Guarantee(name=name, law=law, concerns=concerns, look=look)


GUARANTEES: Final[tuple[Guarantee, ...]] = (
    _row("declares", "A store says of single_use, shared and durable whether it is that, and has both of peek and swap or neither.", _always, store_laws.declares),
    _row("round_trip", "What was put is taken, byte for byte.", _always, store_laws.round_trip),
    _row("unknown_key", "A key that was never put is no error and no record.", _always, store_laws.unknown_key),
    _row("keys_apart", "A record comes back for its own key and for no other.", _always, store_laws.keys_apart),
    _row("keys_apart_under_threads", "Threads that use one store do not get each other's records.", _always, store_laws.apart_under_threads),
    _row("carried_is_untrusted", "A damaged text from the browser is no record.", _always, store_laws.carried_is_untrusted),
    _row("expiry", "A record is there until, and not at, the second in which it expires.", _always, store_laws.expiry),
    _row("big_records", "A record of any promised size comes back whole, and a larger one is refused, not cut.", _always, store_laws.big_records),
    _row("live_logins_stay", "No live login makes way for another.", _always, store_laws.live_logins_stay),
    _row("bound", "A full store refuses with store.full and evicts no live login.", _bounded, store_laws.bound),
    _ONLY_OUR_ERRORS,
    _row("taken_once", "A record is taken at most once.", _declaring("single_use"), store_laws.taken_once),
    _row("taken_once_by_threads", "Of threads that take a record at the same time, exactly one gets it.", _declaring("single_use"), store_laws.taken_once_by_threads),
    _row("peek_leaves", "A record that is looked at stays as it is, where it is.", _revisable(), store_revisions.peek_leaves),
    _row("peek_expiry", "A record is seen until, and not at, the second in which it expires.", _revisable(), store_revisions.peek_expiry),
    _row("swap_compares", "A record is changed if it is still the old one, and else is left as it is.", _revisable(), store_revisions.swap_compares),
    _row("swap_keeps_expiry", "A record that is changed expires when it would have expired.", _revisable(), store_revisions.swap_keeps_expiry),
    _row("swap_revives_nothing", "What was taken or has expired is not changed, and does not come back.", _revisable("single_use"), store_revisions.swap_revives_nothing),
    _row("swapped_once_by_threads", "Of threads that change a record at the same time, exactly one does.", _revisable(), store_revisions.swapped_once_by_threads),
    _row("taken_amid_swaps", "A record that is taken while others change it is given once, as one of them left it.", _revisable("single_use"), store_revisions.taken_amid_swaps),
    _row("shared", "What one process puts, another can take.", _declaring("shared"), store_processes.shared),
    _row("taken_once_by_processes", "Of processes that take a record at the same time, exactly one gets it.", _declaring("single_use", "shared"), store_processes.taken_once_by_processes),
    _row("revised_by_processes", "Of processes that change a record at the same time exactly one does, and who takes it meanwhile gets it whole.", _revisable("single_use", "shared"), store_revisions.revised_by_processes),
    _row("durable", "What was put outlives its process, however that ends.", _declaring("durable"), store_processes.survives),
    _row("taken_once_through_death", "A process that is killed between put and take loses nothing and lets no record be taken twice.", _declaring("single_use", "shared", "durable"), store_processes.taken_once_through_death),
)  # fmt: skip


def guarantees_of(candidate: StoreCandidate) -> tuple[Guarantee, ...]:
    """Return what the store promises by what it declares and how it is brought.

    Args:
        candidate: the store and how to get at it; it is opened once.
    """
    with opened(candidate.fresh()) as probe:
        return tuple(each for each in GUARANTEES if each.concerns(probe.store, candidate))


def check_store(candidate: StoreCandidate) -> tuple[str, ...]:
    """Test everything that the store promises.

    Args:
        candidate: the store and how to get at it.

    Returns:
        The names of the guarantees that it keeps: all that it makes.

    Raises:
        BrokenGuaranteeError: the first one that is broken.
        ConfigurationError: the store cannot be opened in another process (``testing.store_opener``).
    """
    promised = guarantees_of(candidate)
    for guarantee in promised:
        guarantee.check(candidate)
    return tuple(each.name for each in promised)
