"""What the shop keeps, in SQLite: its own user ids, ways to log in, sessions and orders.

Of a person who logs in with the ID it keeps a keyed hash of the pseudonym. There is no column for a
name, a number or a birth date, and none for a token.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

SESSION_SECONDS = 12 * 3600

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS id_logins (
    pseudonym_digest TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id)
);
CREATE TABLE IF NOT EXISTS local_logins (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id)
);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    expires_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    item TEXT NOT NULL
);
"""

# Checked when a name is unknown, so that the time of an answer does not tell which names exist.
_NOBODY = generate_password_hash("a password that nobody has")


class Accounts:
    """The shop's only storage; each call is one transaction."""

    def __init__(self, database: Path) -> None:
        self._database = database
        with self._transaction() as db:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)

    def user_of_pseudonym(self, digests: Sequence[str]) -> str:
        """Return the user behind a pseudonym, a new one if there is none.

        Args:
            digests: of the same pseudonym, one under each of the shop's keys, newest first. A record
                under an old key is written anew under the newest.
        """
        with self._transaction() as db:
            for digest in digests:
                row = db.execute(
                    "SELECT user_id FROM id_logins WHERE pseudonym_digest = ?", (digest,)
                ).fetchone()
                if row is not None:
                    db.execute(
                        "UPDATE id_logins SET pseudonym_digest = ? WHERE pseudonym_digest = ?",
                        (digests[0], digest),
                    )
                    return str(row[0])
            user_id = _new_user(db)
            db.execute("INSERT INTO id_logins VALUES (?, ?)", (digests[0], user_id))
            return user_id

    def register(self, name: str, password: str) -> str | None:
        """Make a user who logs in with a password; ``None`` if the name is taken."""
        password_hash = generate_password_hash(password)
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM local_logins WHERE name = ?", (name,)).fetchone():
                return None
            user_id = _new_user(db)
            db.execute("INSERT INTO local_logins VALUES (?, ?, ?)", (name, password_hash, user_id))
            return user_id

    def authenticate(self, name: str, password: str) -> str | None:
        """Return the user with this name and password, or ``None``."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT password_hash, user_id FROM local_logins WHERE name = ?", (name,)
            ).fetchone()
        known = check_password_hash(_NOBODY if row is None else row[0], password)
        return str(row[1]) if known and row is not None else None

    def open_session(self, user_id: str) -> str:
        """Return the token of a new session; only its hash is kept."""
        token, now = secrets.token_urlsafe(32), int(time.time())
        with self._transaction() as db:
            db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?)", (_hash(token), user_id, now + SESSION_SECONDS)
            )
        return token

    def user_of_session(self, token: str) -> str | None:
        """Return the user of a session that is open, or ``None``."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT user_id FROM sessions WHERE token_hash = ? AND expires_at > ?",
                (_hash(token), int(time.time())),
            ).fetchone()
        return None if row is None else str(row[0])

    def close_session(self, token: str) -> None:
        """End a session: a copy of its cookie is worth nothing afterwards."""
        with self._transaction() as db:
            db.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash(token),))

    def add_order(self, user_id: str, item: str) -> None:
        """Keep an order."""
        with self._transaction() as db:
            db.execute("INSERT INTO orders (user_id, item) VALUES (?, ?)", (user_id, item))

    def orders_of(self, user_id: str) -> list[str]:
        """Return what a user ordered, oldest first."""
        with self._transaction() as db:
            rows = db.execute("SELECT item FROM orders WHERE user_id = ? ORDER BY id", (user_id,)).fetchall()
        return [str(row[0]) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._database, timeout=5, isolation_level=None)
        try:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()  # What was not committed is rolled back.


def _new_user(db: sqlite3.Connection) -> str:
    user_id = secrets.token_hex(8)
    db.execute("INSERT INTO users VALUES (?)", (user_id,))
    return user_id


def _hash(token: str) -> str:
    # The token has 256 random bits: a plain hash is enough to keep it out of the database.
    return hashlib.sha256(token.encode()).hexdigest()
