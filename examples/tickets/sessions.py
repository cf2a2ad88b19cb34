"""The office's own sessions: short, kept on the server, begun by a login and by nothing else.

The cookie holds a random token, and the database its hash and the entries. ``SessionMiddleware`` reads them
before a request and writes them after it, so that the endpoints of the login, which expect a session that
waits for nothing, get one that is in memory.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .tables import SESSIONS

COOKIE = "__Host-tickets-session"
# A login is for buying a ticket or showing one, not for a day.
SESSION_SECONDS = 15 * 60
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


class Session:
    """The session of one browser during one request; the ``WebSession`` of the login's endpoints.

    Args:
        token: what the browser's cookie holds, when there is a session in the database for it.
        entries: of that session.
    """

    def __init__(self, token: str | None = None, entries: Mapping[str, str] | None = None) -> None:
        self.loaded = self.token = token
        self.entries = dict(entries or {})
        self.begun = self.changed = False

    def get(self, name: str) -> str | None:
        """Return an entry, or ``None``."""
        return self.entries.get(name)

    def set(self, name: str, value: str) -> None:
        """Keep an entry."""
        if self.token is None:
            self.replace({})
        self.entries[name] = value
        self.changed = True

    def remove(self, name: str) -> None:
        """Drop an entry, if it is there."""
        if self.entries.pop(name, None) is not None:
            self.changed = True

    def replace(self, entries: Mapping[str, str]) -> None:
        """Begin a session with exactly these entries under a token that nobody knew before."""
        self.entries, self.begun = dict(entries), True
        self.rotate()

    def rotate(self) -> None:
        """Keep all entries under a new token; the old one is worth nothing."""
        self.token, self.changed = secrets.token_urlsafe(32), True

    def clear(self) -> None:
        """Log out, here and in every copy of the cookie."""
        self.token, self.entries, self.changed = None, {}, True


def session_of(request: Request) -> Session:
    """Return the session of the browser that asks; an empty one where there is none."""
    session: Session = request.scope.get("state", {}).get("session") or Session()
    return session


class SessionMiddleware:
    """Give every request a session, and keep it.

    Args:
        app: inside.
        engine: the office's database.
        without: paths that have none: what is polled, and what does not change.
    """

    def __init__(self, app: ASGIApp, *, engine: AsyncEngine, without: frozenset[str]) -> None:
        self._app = app
        self._engine = engine
        self._without = without

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] in self._without:
            await self._app(scope, receive, send)
            return
        session = await self._load(_cookie(Headers(scope=scope)))
        scope.setdefault("state", {})["session"] = session

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and session.changed:
                await self._save(session)
                session.changed = False
                if session.token != session.loaded:
                    MutableHeaders(scope=message).append("Set-Cookie", _set_cookie(session.token))
            await send(message)

        await self._app(scope, receive, send_with_cookie)

    async def _load(self, token: str | None) -> Session:
        if token is None:
            return Session()
        alive = SESSIONS.c.expires_at > int(time.time())
        async with self._engine.connect() as db:
            found = await db.execute(select(SESSIONS).where(SESSIONS.c.token_hash == _hash(token), alive))
            row = found.first()
        return Session() if row is None else Session(token, json.loads(row.entries))

    async def _save(self, session: Session) -> None:
        now, entries = int(time.time()), json.dumps(session.entries)
        old = SESSIONS.c.token_hash == _hash(session.loaded or "")
        async with self._engine.begin() as db:
            if session.token is None or session.begun:
                await db.execute(delete(SESSIONS).where(old | (SESSIONS.c.expires_at <= now)))
            if session.token is None:
                return
            row = {"token_hash": _hash(session.token), "entries": entries}
            if session.begun:
                await db.execute(insert(SESSIONS).values(**row, expires_at=now + SESSION_SECONDS))
            else:
                # One that was ended meanwhile stays ended, and none lives longer for being used.
                await db.execute(update(SESSIONS).where(old).values(row))


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _set_cookie(token: str | None) -> str:
    return f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}" if token is None else f"{COOKIE}={token}; {_ATTRIBUTES}"


def _hash(token: str) -> str:
    """Return what stands in the database for a secret of 256 random bits: a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
