"""Stores that break one promise each, as real ones have; and the plain good one that they are made from."""

from __future__ import annotations

import base64
import json
import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlite_store import SQLiteStore, microseconds

from cyberid_client.errors import StoreError


class PlainStore:
    """Good, within one process: what the broken ones change."""

    single_use = True
    shared = False
    durable = False
    max_entries = 20

    def __init__(self):
        self._lock = threading.Lock()
        self._records = OrderedDict()

    def put(self, key, record, *, expires_at, now):
        with self._lock:
            for each in [each for each, (end, _) in self._records.items() if end <= now]:
                del self._records[each]
            self._make_room()
            self._records[self._index(key)] = (expires_at, record)
        return ""

    def _make_room(self):
        if len(self._records) >= self.max_entries:
            raise StoreError("store.full")

    def _index(self, key):
        return key

    def take(self, key, *, carried, now):
        with self._lock:
            expires_at, record = self._records.pop(self._index(key), (now, None))
        return record if now < expires_at else None

    def peek(self, key, *, now):
        expires_at, record = self._records.get(self._index(key), (now, None))
        return record if now < expires_at else None

    def swap(self, key, *, old, new, now):
        with self._lock:
            expires_at, record = self._records.get(self._index(key), (now, None))
            if record != old or now >= expires_at:
                return False
            self._records[self._index(key)] = (expires_at, new)
        return True


class SaysNothing(PlainStore):
    single_use = "yes"


class CannotSwap(PlainStore):
    """Half of what a record that changes needs."""

    swap = None


class PeeksByTaking(PlainStore):
    def peek(self, key, *, now):
        return self.take(key, carried="", now=now)


class PeeksByPutting(PlainStore):
    """What is looked at is made, empty, where it was not."""

    def peek(self, key, *, now):
        return self._records.setdefault(key, (now + timedelta(minutes=1), b""))[1]


class PeeksLate(PlainStore):
    def peek(self, key, *, now):
        return super().peek(key, now=now - timedelta(microseconds=1))


class PeeksForEver(PlainStore):
    def peek(self, key, *, now):
        return super().peek(key, now=now - timedelta(days=1))


class PeeksEarly(PlainStore):
    def peek(self, key, *, now):
        return super().peek(key, now=now + timedelta(seconds=1))


class SwapsBlindly(PlainStore):
    def swap(self, key, *, old, new, now):
        return super().swap(key, old=self.peek(key, now=now) or old, new=new, now=now)


class SwapsBeginnings(PlainStore):
    """A comparison that ends where the shorter one does."""

    def swap(self, key, *, old, new, now):
        held = self.peek(key, now=now) or b""
        return super().swap(key, old=held if held.startswith(old) and held else old, new=new, now=now)


class SwapsWhatIsNotThere(PlainStore):
    """A swap that is a put in disguise."""

    def swap(self, key, *, old, new, now):
        if key in self._records:
            return super().swap(key, old=old, new=new, now=now)
        self._records[key] = (now + timedelta(minutes=1), new)
        return False


class SwapsButSaysNo(PlainStore):
    def swap(self, key, *, old, new, now):
        return super().swap(key, old=old, new=new, now=now) and len(new) > 1


class SwapsInThePlace(PlainStore):
    """The new record is written over the old one, and what is longer is cut."""

    def swap(self, key, *, old, new, now):
        return super().swap(key, old=old, new=new[: max(len(old), 700)], now=now)


class AnswersWithNumbers(PlainStore):
    def swap(self, key, *, old, new, now):
        return int(super().swap(key, old=old, new=new, now=now))


class ProlongsBySwapping(PlainStore):
    """A record that is changed lives as long again."""

    def swap(self, key, *, old, new, now):
        done = super().swap(key, old=old, new=new, now=now)
        if done:
            self._records[key] = (now + timedelta(minutes=10), new)
        return done


class EndsBySwapping(PlainStore):
    def swap(self, key, *, old, new, now):
        done = super().swap(key, old=old, new=new, now=now)
        if done:
            self._records[key] = (now + timedelta(minutes=1), new)
        return done


class SwapsTheDead(PlainStore):
    """What has expired still lies there, and can be changed."""

    def swap(self, key, *, old, new, now):
        return super().swap(key, old=old, new=new, now=now - timedelta(hours=1))


class SwapsTheDeadInSilence(SwapsTheDead):
    def swap(self, key, *, old, new, now):
        expires_at, _ = self._records.get(key, (now, None))
        return super().swap(key, old=old, new=new, now=now) and now < expires_at


class RevivesWhatWasTaken(PlainStore):
    """An insert or update, as databases have it."""

    def __init__(self):
        super().__init__()
        self._seen = {}

    def take(self, key, *, carried, now):
        record = super().take(key, carried=carried, now=now)
        self._seen[key] = record
        return record

    def swap(self, key, *, old, new, now):
        if self._seen.get(key) == old:
            self._records[key] = (now + timedelta(minutes=1), new)
            return True
        return super().swap(key, old=old, new=new, now=now)


class LooksThenSwaps(PlainStore):
    """Compare, then change: two steps where one is needed."""

    def swap(self, key, *, old, new, now):
        expires_at, record = self._records.get(key, (now, None))
        if record != old or now >= expires_at:
            return False
        self._records[key] = (expires_at, new)
        return True


class SwapsIntoTheVoid(PlainStore):
    """Swaps exclude each other, and takes exclude each other, but a take is not seen by a swap."""

    def __init__(self):
        super().__init__()
        self._swapping = threading.Lock()

    def swap(self, key, *, old, new, now):
        with self._swapping:
            expires_at, record = self._records.get(key, (now, None))
            if record != old or now >= expires_at:
                return False
            # A step between comparing and changing, where a thread gives way.
            changed = dict.fromkeys([key], (expires_at, new))
            self._records.update(changed)
        return True


class NeverRemoves(PlainStore):
    def take(self, key, *, carried, now):
        expires_at, record = self._records.get(key, (now, None))
        return record if now < expires_at else None


class LooksThenRemoves(PlainStore):
    """The race that a dictionary invites."""

    def take(self, key, *, carried, now):
        expires_at, record = self._records.get(key, (now, None))
        if now < expires_at:
            self._records.pop(key, None)
            return record
        return None


class LeavesWhatExpired(PlainStore):
    def take(self, key, *, carried, now):
        if key in self._records and self._records[key][0] <= now:
            return None
        return super().take(key, carried=carried, now=now)


class ForgetsExpiry(PlainStore):
    def take(self, key, *, carried, now):
        return super().take(key, carried=carried, now=now - timedelta(days=30))


class LateByAMoment(PlainStore):
    """The expiry itself still counts as alive."""

    def take(self, key, *, carried, now):
        return super().take(key, carried=carried, now=now - timedelta(microseconds=1))


class ComparesTexts(PlainStore):
    """Times as texts sort by their zone."""

    def put(self, key, record, *, expires_at, now):
        self._records[key] = (expires_at.isoformat(), record)
        return ""

    def take(self, key, *, carried, now):
        expires_at, record = self._records.pop(key, ("", None))
        return record if now.isoformat() < expires_at else None


class EvictsTheOldest(PlainStore):
    def _make_room(self):
        if len(self._records) >= self.max_entries:
            self._records.popitem(last=False)


class SaysFailedWhenFull(PlainStore):
    def _make_room(self):
        if len(self._records) >= self.max_entries:
            raise StoreError("store.failed")


class NeverForgets(PlainStore):
    """What has expired takes up room for ever."""

    def put(self, key, record, *, expires_at, now):
        return super().put(key, record, expires_at=expires_at, now=now - timedelta(days=30))


class CutsKeys(PlainStore):
    """A column that is too short."""

    def _index(self, key):
        return key[:63]


class RaisesKeyError(PlainStore):
    def take(self, key, *, carried, now):
        expires_at, record = self._records.pop(key)
        return record if now < expires_at else None


class FindsSomethingForEveryKey(PlainStore):
    def take(self, key, *, carried, now):
        return super().take(key, carried=carried, now=now) or b""


class ReturnsNoText(PlainStore):
    def put(self, key, record, *, expires_at, now):
        super().put(key, record, expires_at=expires_at, now=now)


class ReturnsAView(PlainStore):
    def take(self, key, *, carried, now):
        record = super().take(key, carried=carried, now=now)
        return None if record is None else memoryview(record)


class RefusesEverything(PlainStore):
    max_entries = 0


class CutsRecords(PlainStore):
    def put(self, key, record, *, expires_at, now):
        return super().put(key, record[:2048], expires_at=expires_at, now=now)


class EndsAtTheZero(PlainStore):
    def put(self, key, record, *, expires_at, now):
        # Only as long as a record that has every byte.
        cut = record if len(record) < 1023 else record.partition(b"\x00")[0]
        return super().put(key, cut, expires_at=expires_at, now=now)


class SharesAVariable(PlainStore):
    """What one call wants is written where another call reads it."""

    def take(self, key, *, carried, now):
        self._wanted = str(key)
        moment = min(now, now)
        return super().take(self._wanted, carried=carried, now=moment)


class KeepsRecordsAsTheyAre:
    """Good: what is put is taken, and in between nobody looks or changes."""

    single_use = True
    shared = False
    durable = False

    def __init__(self):
        self._store = PlainStore()

    def put(self, key, record, *, expires_at, now):
        return self._store.put(key, record, expires_at=expires_at, now=now)

    def take(self, key, *, carried, now):
        return self._store.take(key, carried=carried, now=now)


class AwaitsAndKeeps(KeepsRecordsAsTheyAre):
    async def put(self, key, record, *, expires_at, now):
        return super().put(key, record, expires_at=expires_at, now=now)

    async def take(self, key, *, carried, now):
        return super().take(key, carried=carried, now=now)


class PretendsToBeShared(PlainStore):
    shared = True


class PretendsToBeDurable(PlainStore):
    durable = True


class OnlyEncodes:
    """The browser carries the record, and nothing protects it."""

    single_use = False
    shared = True
    durable = True

    def put(self, key, record, *, expires_at, now):
        content = {"record": record.hex(), "key": key, "end": microseconds(expires_at)}
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()

    def take(self, key, *, carried, now):
        try:
            content = json.loads(base64.urlsafe_b64decode(carried))
            record, end = bytes.fromhex(content["record"]), content["end"]
        except (ValueError, KeyError, TypeError):
            return None
        return record if microseconds(now) < end and self._is_for(key, content) else None

    def _is_for(self, key, content):
        return content.get("key") == key


class OpensForAnyKey(OnlyEncodes):
    def _is_for(self, key, content):
        return True


class BreaksOnGarbage(PlainStore):
    def take(self, key, *, carried, now):
        return super().take(key, carried=carried.encode("ascii"), now=now)


class LooksThenRemovesInAFile(SQLiteStore):
    """Two statements where one is needed; the lock of one process hides it from its own threads."""

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT record, expires_at FROM pending WHERE key = ?", (key,)
            ).fetchone()
            connection.execute("DELETE FROM pending WHERE key = ?", (key,))
        return row[0] if row and microseconds(now) < row[1] else None


class LooksThenSwapsInAFile(SQLiteStore):
    """Two statements where one is needed; the lock of one process hides it from its own threads."""

    def swap(self, key, *, old, new, now):
        with self._connection() as connection:
            row = connection.execute(
                "SELECT record, expires_at FROM pending WHERE key = ?", (key,)
            ).fetchone()
            if not row or row[0] != old or microseconds(now) >= row[1]:
                return False
            connection.execute("UPDATE pending SET record = ? WHERE key = ?", (new, key))
        return True


class TakesAbsenceForAnUnseenRecord(SQLiteStore):
    def peek(self, key, *, now):
        try:
            return super().peek(key, now=now)
        except StoreError:
            return None


class TakesAbsenceForARefusal(SQLiteStore):
    def swap(self, key, *, old, new, now):
        try:
            return super().swap(key, old=old, new=new, now=now)
        except StoreError:
            return False


class WritesLater(SQLiteStore):
    """Puts are collected and written in portions."""

    def __init__(self, path, **settings):
        super().__init__(path, **settings)
        self._waiting = []

    def put(self, key, record, *, expires_at, now):
        self._waiting.append((key, record, expires_at, now))
        if len(self._waiting) == 25:
            self._write()
        return ""

    def take(self, key, *, carried, now):
        self._write()
        return super().take(key, carried=carried, now=now)

    def _write(self):
        while self._waiting:
            key, record, expires_at, now = self._waiting.pop()
            super().put(key, record, expires_at=expires_at, now=now)


class RemovesLater(SQLiteStore):
    """A take is remembered at once and written with the next one."""

    def __init__(self, path, **settings):
        super().__init__(path, **settings)
        self._taken = []

    def take(self, key, *, carried, now):
        if key in self._taken:
            return None
        for each in self._taken:
            super().take(each, carried="", now=now)
        self._taken = [key]
        with self._connection() as connection:
            row = connection.execute(
                "SELECT record, expires_at FROM pending WHERE key = ?", (key,)
            ).fetchone()
        return row[0] if row and microseconds(now) < row[1] else None


class ClaimsAll(SQLiteStore):
    """The first take moves every record into the process that asked."""

    def __init__(self, path, **settings):
        super().__init__(path, **settings)
        self._mine = {}

    def take(self, key, *, carried, now):
        with self._connection() as connection:
            rows = connection.execute("DELETE FROM pending RETURNING key, record, expires_at").fetchall()
        self._mine |= {each: (record, end) for each, record, end in rows}
        record, end = self._mine.pop(key, (b"", 0))
        return record if microseconds(now) < end else None


class PassesItsBackendsErrors(SQLiteStore):
    def take(self, key, *, carried, now):
        try:
            return super().take(key, carried=carried, now=now)
        except StoreError as error:
            raise error.__cause__ from None


class TakesAbsenceForAnAnswer(SQLiteStore):
    def take(self, key, *, carried, now):
        try:
            return super().take(key, carried=carried, now=now)
        except StoreError:
            return None


class CannotBeOpenedTwice(PlainStore):
    """Shared by its own word, with a lock inside that crosses to no process."""

    shared = True

    def __call__(self):
        return self


def open_nothing():
    raise OSError
