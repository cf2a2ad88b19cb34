"""Replay stores that each break one promise; other processes import them from here."""

from __future__ import annotations

from cyberid_client.errors import StoreError
from cyberid_client.stores import MemoryReplayStore


class Good:
    """A transactional store in a dictionary, one message at a time; each broken one changes a part of it."""

    shared, durable, transactional = False, False, True

    def __init__(self):
        self.store, self.counters = MemoryReplayStore(20), {}

    def once(self, key, effect, *, expires_at, now):
        before = dict(self.counters)

        def guarded(_none):
            try:
                effect(self)
            except BaseException:
                self.counters = before
                raise

        return self.store.once(key, guarded, expires_at=expires_at, now=now)

    def advance(self, transaction, subject, sequence):
        higher = sequence > self.counters.get(subject, -1)
        if higher:
            self.counters[subject] = sequence
        return higher


class SaysNothing(Good):
    shared = None


class RunsAgain(Good):
    def once(self, key, effect, *, expires_at, now):
        effect(self)
        return True


class ForgetsEarly(Good):
    def once(self, key, effect, *, expires_at, now):
        return super().once(key, effect, expires_at=now, now=now)


class GivesNothing(Good):
    def once(self, key, effect, *, expires_at, now):
        return self.store.once(key, effect, expires_at=expires_at, now=now)


class KnowsBeforeTheEffect(Good):
    def once(self, key, effect, *, expires_at, now):
        ran = self.store.once(key, lambda _none: None, expires_at=expires_at, now=now)
        if ran:
            effect(self)
        return ran


class SwallowsErrors(Good):
    def once(self, key, effect, *, expires_at, now):
        try:
            return super().once(key, effect, expires_at=expires_at, now=now)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - what it does wrong
            return False


class LooksFirst(Good):
    def __init__(self):
        super().__init__()
        self.known = set()

    def once(self, key, effect, *, expires_at, now):
        if key in self.known:
            return False
        effect(self)
        self.known.add(key)
        return True


class EvictsTheOldest(Good):
    def __init__(self):
        super().__init__()
        self.known = []

    def once(self, key, effect, *, expires_at, now):
        if key in self.known:
            return False
        effect(self)
        self.known = [*self.known, key][-20:]
        return True


class AnswersWithoutBackend(Good):
    pass


class CountsAnything(Good):
    def advance(self, transaction, subject, sequence):
        return True


class KeepsCounters(Good):
    def once(self, key, effect, *, expires_at, now):
        return self.store.once(key, lambda _none: effect(self), expires_at=expires_at, now=now)


class CountsWithoutTransactions(MemoryReplayStore):
    def advance(self, transaction, subject, sequence):
        return True


class PretendsToBeShared(MemoryReplayStore):
    shared = True


class PretendsToBeDurable(MemoryReplayStore):
    shared = durable = True
