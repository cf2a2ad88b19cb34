"""Sessions at the issuer, how they end, and what apps are told (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.delivery import Delivery, PostDraft, Posting, deliver
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.people import PEOPLE, pseudonym_of
from cyberid_client.testing.registration import RegisteredClient

__all__ = ["LOGOUT_EVENT", "Courier", "LogoutDesk", "NoticeDraft", "Session", "draft_notice"]

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_TOKEN_LIFE: Final = 120
_MAX_SESSIONS: Final = 10_000
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login that has not ended at the issuer.

    Attributes:
        session_id: its name in its sector, the ``sid`` of the assertion.
        person: who logged in, a key of ``MockIssuer.people``.
        client_id: where.
        since: when, by the issuer's clock.
    """

    session_id: str = field(repr=False)
    person: str
    client_id: str
    since: datetime


@dataclass(slots=True, kw_only=True)
class NoticeDraft(SignedDraft):
    """A logout token or a security event before it is signed.

    Attributes:
        previous: the claims of the one of its kind that was made before it; empty for the first.
    """

    previous: Mapping[str, object] = field(default_factory=dict, repr=False)


def draft_notice(
    keyring: Keyring, *, typ: str, claims: dict[str, object], previous: Mapping[str, object], now: datetime
) -> NoticeDraft:
    """Draft a message that the signer of assertions signs, with its chain in the header."""
    signer = keyring.signer("assertion")
    header: dict[str, object] = {
        "alg": signer.algorithm.name,
        "kid": signer.kid,
        "typ": typ,
        "x5c": x5c_of(signer.chain),
    }
    return NoticeDraft(
        header=header, claims=claims, signer=signer, keyring=keyring, now=now, previous=previous
    )


class Courier:
    """Carry postings to apps, and remember what became of them.

    Whoever calls holds no lock of the issuer: an app asks the issuer for its keys before it answers.
    """

    def __init__(self) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=1_000)

    def carry(self, posting: Posting) -> Delivery:
        """Send a posting now."""
        delivery = deliver(posting)
        self.deliveries.append(delivery)
        return delivery


class LogoutDesk:
    """Remember who is logged in where, and make the logout tokens when that ends.

    Args:
        keyring: the issuer's keys.
        clients: the registered clients.
        clock: aware, UTC.
        arming: the faults.
        lock: the issuer's; held while sessions change and tokens are made.
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        clients: ClientDesk,
        clock: Clock,
        arming: Arming,
        lock: threading.RLock,
        seal: Callable[[RegisteredClient, str], str] = lambda _client, token: token,
    ) -> None:
        self._keyring = keyring
        self._clients = clients
        self._clock = clock
        self._arming = arming
        self._lock = lock
        self._seal = seal
        self._sessions: dict[str, Session] = {}
        self._previous: dict[str, object] = {}

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Every session that has not ended, oldest first."""
        with self._lock:
            return tuple(self._sessions.values())

    def remember(self, session_id: str, *, person: str, client_id: str, now: datetime) -> None:
        """Open a session; of more than 10,000 the oldest is forgotten."""
        session = Session(session_id=session_id, person=person, client_id=client_id, since=now)
        self._sessions[session_id] = session
        if len(self._sessions) > _MAX_SESSIONS:
            del self._sessions[next(iter(self._sessions))]

    def forget_all(self) -> None:
        """End every session and tell nobody: the issuer has become another."""
        self._sessions.clear()

    def person_of(self, session_id: str | None, client: RegisteredClient) -> str | None:
        """Return whose session a client names; sessions of other sectors are none of its business."""
        session = self._sessions.get(session_id or "")
        if session is None or self._sector_of(session) != client.sector:
            return None
        return session.person

    def end_everywhere(self, person: str) -> tuple[Posting, ...]:
        """End all sessions of a person, who has one browser, and write to every app that wants to know."""
        ended = [session for session in self._sessions.values() if session.person == person]
        postings = []
        for session in ended:
            del self._sessions[session.session_id]
            client = self._clients.find(session.client_id)
            if client is not None and client.backchannel_logout_uri is not None:
                postings.append(self._write(client, person, session.session_id))
        return tuple(postings)

    def log_out(self, person: str, *, client_id: str, sid: str | None) -> Posting:
        """End one session, or all that a person has with a client, and write to its app.

        Args:
            person: a key of ``MockIssuer.people``.
            client_id: whose app is told.
            sid: the session; ``None`` for all of them: the token then names the person only, but for a
                client that registered ``backchannel_logout_session_required``, which is told of the last.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: there is no such client, or such a
                client has no session to name.
        """
        with self._lock:
            client = self._clients.find(client_id)
            if person not in PEOPLE:
                raise ConfigurationError("testing.unknown_person")
            if client is None:
                raise ConfigurationError("config.value", "client_id")
            mine = [
                session.session_id
                for session in self._sessions.values()
                if (session.person, session.client_id) == (person, client_id)
            ]
            named = sid
            if sid is None and client.backchannel_logout_session_required:
                if not mine:
                    raise ConfigurationError("config.value", "sid")
                named = mine[-1]
            for each in mine if sid is None else (sid,):
                self._sessions.pop(each, None)
            return self._write(client, person, named)

    def _sector_of(self, session: Session) -> str | None:
        client = self._clients.find(session.client_id)
        return None if client is None else client.sector

    def _write(self, client: RegisteredClient, person: str, sid: str | None) -> Posting:
        """Make a logout token (§2.4) and the request around it (§2.5)."""
        now = self._clock()
        seconds, jti = int(now.timestamp()), secrets.token_urlsafe(24)
        claims: dict[str, object] = {
            "iss": self._keyring.issuer,
            "aud": client.client_id,
            "iat": seconds,
            "exp": seconds + _TOKEN_LIFE,
            "jti": jti,
            "events": {LOGOUT_EVENT: {}},
            "sub": pseudonym_of(PEOPLE[person], client.sector),
        }
        if sid is not None:
            claims["sid"] = sid
        draft = draft_notice(self._keyring, typ="logout+jwt", claims=claims, previous=self._previous, now=now)
        self._previous = dict(claims)
        self._arming.apply("logout_token", draft)
        token = self._seal(client, draft.encode())
        body = urlencode({"logout_token": token}).encode()
        request = PostDraft(content_type=_FORM, body=body, keyring=self._keyring, now=now)
        self._arming.apply("logout_delivery", request)
        return Posting(
            kind="logout",
            client_id=client.client_id,
            uri=client.backchannel_logout_uri,
            content_type=request.content_type,
            body=request.body,
            token=token,
            jti=jti,
        )
