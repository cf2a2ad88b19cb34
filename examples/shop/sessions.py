"""Who is logged in, and which forms are ours.

Sessions are rows of the database and the cookie holds a token, so that the shop, and a logout token of the
platform, can end one whatever copies of the cookie there are. ``Sessions`` is the ``WebSession`` that the
endpoints of the ID login write to.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import Flask, abort, g, request, session
from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, select, update
from tables import SESSIONS

SESSION_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in.

    Attributes:
        user_id: the shop's own.
        shown: what the page calls the person: a short hash, or the name of a local login.
        assurance: how the person logged in, for the page.
    """

    user_id: str
    shown: str
    assurance: str


class Sessions:
    """The session of the browser that asks; the cookie is signed by Flask, the entries are in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def get(self, name: str) -> str | None:
        """Return an entry, or ``None``."""
        return self._entries().get(name)

    def set(self, name: str, value: str) -> None:
        """Keep an entry."""
        entries = {**self._entries(), name: value}
        with self._engine.begin() as db:
            self._write(db, {name: value})
        g.entries = entries

    def remove(self, name: str) -> None:
        """Drop an entry, if it is there."""
        entries = self._entries()
        if entries.pop(name, None) is not None:
            with self._engine.begin() as db:
                db.execute(delete(SESSIONS).where(self._is_here(), SESSIONS.c.name == name))

    def replace(self, entries: Mapping[str, str]) -> None:
        """Begin a session with exactly these entries under a token that nobody knew before."""
        self.clear()
        with self._engine.begin() as db:
            db.execute(delete(SESSIONS).where(SESSIONS.c.expires_at <= int(time.time())))
            self._write(db, entries)
        g.entries = dict(entries)

    def rotate(self) -> None:
        """Keep all entries under a new token; the old one is worth nothing."""
        fresh, here = secrets.token_urlsafe(32), self._is_here()
        with self._engine.begin() as db:
            db.execute(update(SESSIONS).where(here).values(token_hash=hash_of(fresh)))
        session["token"] = fresh

    def clear(self) -> None:
        """Log out, here and in every copy of the cookie."""
        with self._engine.begin() as db:
            db.execute(delete(SESSIONS).where(self._is_here()))
        session.clear()
        g.entries = {}

    def visitor(self) -> Visitor | None:
        """Return who is logged in."""
        entries = self._entries()
        if "user" not in entries:
            return None
        return Visitor(entries["user"], entries["shown"], entries["assurance"])

    @staticmethod
    def end_all(db: Connection, *, name: str, values: Iterable[str]) -> None:
        """End every session with one of these values in an entry whose name so begins, in an open transaction."""
        where = SESSIONS.c.name.startswith(name, autoescape=True) & SESSIONS.c.value.in_(values)
        found = select(SESSIONS.c.token_hash).where(where)
        db.execute(delete(SESSIONS).where(SESSIONS.c.token_hash.in_(found)))

    def _entries(self) -> dict[str, str]:
        """Return all entries, read once per request."""
        if "entries" not in g:
            alive = SESSIONS.c.expires_at > int(time.time())
            with self._engine.begin() as db:
                rows = (
                    db.execute(select(SESSIONS).where(self._is_here(), alive)) if "token" in session else ()
                )
                g.entries = {str(row.name): str(row.value) for row in rows}
        entries: dict[str, str] = g.entries
        return entries

    def _write(self, db: Connection, entries: Mapping[str, str]) -> None:
        token = session.setdefault("token", secrets.token_urlsafe(32))
        db.execute(delete(SESSIONS).where(self._is_here(), SESSIONS.c.name.in_(entries)))
        shared = {"token_hash": hash_of(token), "expires_at": int(time.time()) + SESSION_SECONDS}
        rows = [{"name": name, "value": value, **shared} for name, value in entries.items()]
        db.execute(insert(SESSIONS), rows)

    def _is_here(self) -> ColumnElement[bool]:
        return SESSIONS.c.token_hash == hash_of(session.get("token", ""))


def hash_of(secret: str) -> str:
    """Return what stands in the database for a secret of 256 random bits: a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_form_guard(app: Flask) -> None:
    """Refuse every POST that does not come from one of the shop's own pages."""

    @app.before_request
    def check_form() -> None:
        if request.blueprint == "cyberid":  # These have a guard of their own.
            return
        sent, expected = request.form.get("csrf", ""), session.get("csrf", "")
        if request.method == "POST" and not (
            expected and hmac.compare_digest(sent.encode(), expected.encode())
        ):
            abort(400, "This page was too old. Please open it again.")

    @app.context_processor
    def give_form_token() -> dict[str, object]:
        def form_token() -> str:
            return str(session.setdefault("csrf", secrets.token_urlsafe(32)))

        return {"form_token": form_token}
