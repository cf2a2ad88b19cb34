"""A small store in an SQLite file: single use, shared by the processes of one machine, durable."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cyberid_client.errors import StoreError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS pending (key TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, record BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pending_by_expiry ON pending (expires_at);
"""
_EXPIRED = "DELETE FROM pending WHERE expires_at <= ?"
_COUNT = "SELECT count(*) FROM pending"
_PUT = "INSERT INTO pending (key, expires_at, record) VALUES (?, ?, ?)"
# One statement finds and removes: two callers cannot both find.
_TAKE = "DELETE FROM pending WHERE key = ? RETURNING record, expires_at"
_PEEK = "SELECT record, expires_at FROM pending WHERE key = ?"
# One statement compares and changes: two callers with the same old record cannot both change it.
_SWAP = "UPDATE pending SET record = ? WHERE key = ? AND record = ? AND expires_at > ?"


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


class SQLiteStore:
    """Keep pending logins in a file; a connection for each call, so that threads and forks share none."""

    single_use = True
    shared = True
    durable = True

    def __init__(self, path: Path, *, max_entries: int = 100_000) -> None:
        self._path = path
        self._max_entries = max_entries
        # Threads of one process queue up here rather than in SQLite, where waiting means sleeping.
        self._one_at_a_time = threading.Lock()

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_EXPIRED, (microseconds(now),))
            if connection.execute(_COUNT).fetchone()[0] >= self._max_entries:
                raise StoreError("store.full")
            connection.execute(_PUT, (key, microseconds(expires_at), record))
            connection.execute("COMMIT")
        return ""

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        with self._connection() as connection:
            row = connection.execute(_TAKE, (key,)).fetchall()
        return row[0][0] if row and microseconds(now) < row[0][1] else None

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        with self._connection() as connection:
            row = connection.execute(_PEEK, (key,)).fetchone()
        return row[0] if row and microseconds(now) < row[1] else None

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        with self._connection() as connection:
            changed = connection.execute(_SWAP, (new, key, old, microseconds(now)))
        return changed.rowcount == 1

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with (
                self._one_at_a_time,
                closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection,
            ):
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(_SCHEMA)
                yield connection
        except sqlite3.Error as error:
            raise StoreError("store.failed") from error
