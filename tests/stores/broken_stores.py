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


class SaysNothing(PlainStore):
    single_use = "yes"


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
