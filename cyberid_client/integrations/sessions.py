"""What the endpoints keep in the app's session: who is logged in, how well that was proved, what is finished."""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cyberid_client.errors import CyberIDError
from cyberid_client.integrations.messages import WebSession
from cyberid_client.models import (
    Assurance,
    Channel,
    Login,
    Persistence,
    PseudonymDigest,
    PseudonymKeys,
    keep_secret,
)

__all__ = ["Finished", "SessionLogin", "StepUpGuard", "begin_session", "raise_session", "read_login"]

LOGIN: Final = "cyberid.login"
PROOFS: Final = "cyberid.proofs"
FINISHED: Final = "cyberid.finished"
GUARD: Final = "cyberid.step_up"

FINISHED_KEPT: Final = 4
PLACE_MAX: Final = 200

# Between the end of a step-up and the page that asked for it lies one redirect.
GUARD_HOLDS: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLogin:
    """Who is logged in with the ID in this session.

    Attributes:
        pseudonym_digest: the person.
        assurance: the mode of the latest login or step-up.
        authenticated_at: when that was, as the issuer says.
        persistence: how long the pseudonym stays the same.
        session_id: the issuer's name for this session, for logout; ``None`` when it gave none.
        channel: which way in the latest login or step-up came.
        proofs: when each mode was last proved in this session; never forgotten for a weaker one.
    """

    pseudonym_digest: PseudonymDigest
    assurance: Assurance
    authenticated_at: datetime
    persistence: Persistence
    session_id: str | None = field(repr=False)
    channel: Channel = Channel.REDIRECT
    proofs: Mapping[Assurance, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keep_secret(self, "session_id")

    def satisfies(
        self,
        asked: Assurance,
        *,
        max_age: int | None,
        now: datetime,
        channels: Collection[Channel] | None = None,
    ) -> bool:
        """Tell whether some proof has every factor that is asked for and is young enough.

        Args:
            asked: the mode that is needed.
            max_age: seconds, or ``None`` for any age.
            now: aware.
            channels: the ways in that are good enough; any by default. Where they are named only the latest
                proof counts, because of earlier ones it is not known which way they came.
        """
        proofs = self.proofs
        if channels is not None:
            proofs = {self.assurance: self.authenticated_at} if self.channel in channels else {}
        return any(
            proved.satisfies(asked) and (max_age is None or now - at <= timedelta(seconds=max_age))
            for proved, at in proofs.items()
        )

    def is_person_of(self, login: Login, keys: PseudonymKeys) -> bool:
        """Tell whether a login is of the same person.

        Raises:
            ConfigurationError: the key of this session's digest is gone.
        """
        digest = login.pseudonym.digest(keys, key_id=self.pseudonym_digest.key_id)
        return hmac.compare_digest(digest.mac.encode(), self.pseudonym_digest.mac.encode())


def read_login(session: WebSession) -> SessionLogin | None:
    """Return who is logged in with the ID; ``None`` when nobody is, or the entry cannot be read."""
    try:
        members = json.loads(session.get(LOGIN) or "null")
        if members is None:
            return None
        return SessionLogin(
            pseudonym_digest=PseudonymDigest.parse(members["pseudonym_digest"]),
            assurance=Assurance[members["assurance"]],
            authenticated_at=_moment(members["authenticated_at"]),
            persistence=Persistence(members["persistence"]),
            session_id=members["session_id"],
            channel=Channel(members["channel"]),
            proofs=_read_proofs(session),
        )
    except (CyberIDError, ValueError, KeyError, TypeError, AttributeError):
        return None


def begin_session(
    session: WebSession, login: Login, entries: Mapping[str, str], *, keys: PseudonymKeys, finished: Finished
) -> None:
    """Begin a new session for a login: nothing of the one before stays, but for what was finished in it."""
    proofs = {login.assurance.name: login.authenticated_at.isoformat()}
    session.replace(
        {
            **entries,
            LOGIN: login.to_session(keys),
            PROOFS: json.dumps(proofs),
            FINISHED: Finished.of(session).adding(finished).text(),
        }
    )


def raise_session(
    session: WebSession, login: Login, entries: Mapping[str, str], *, keys: PseudonymKeys, finished: Finished
) -> None:
    """Note a step-up of the same person: the session stays, under a new id."""
    proofs = {**_read_proofs(session), login.assurance: login.authenticated_at}
    session.rotate()
    kept = {
        **entries,
        LOGIN: login.to_session(keys),
        PROOFS: json.dumps({mode.name: at.isoformat() for mode, at in proofs.items()}),
        FINISHED: Finished.of(session).adding(finished).text(),
    }
    for name, value in kept.items():
        session.set(name, value)


@dataclass(frozen=True, slots=True)
class Finished:
    """The last logins that were finished in this session, so that a reloaded callback goes on.

    A list of pairs: the name of the login's cookie, which is a hash of its state, and the place to go.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, session: WebSession) -> Finished:
        """Read the list; what cannot be read is an empty one."""
        try:
            pairs = tuple(
                (str(name), str(place)) for name, place in json.loads(session.get(FINISHED) or "[]")
            )
        except (ValueError, TypeError):
            return cls()
        return cls(pairs)

    def adding(self, other: Finished) -> Finished:
        """Return both lists as one, without what is too old to be reloaded."""
        return Finished((*self.pairs, *other.pairs)[-FINISHED_KEPT:])

    def place(self, name: str) -> str | None:
        """Return where the login with this cookie name went, if it was finished here."""
        return dict(self.pairs).get(name)

    def text(self) -> str:
        """Return what :meth:`of` reads; a long place is kept out of it, because sessions may be cookies."""
        return json.dumps([pair for pair in self.pairs if len(pair[1]) <= PLACE_MAX], separators=(",", ":"))


class StepUpGuard:
    """Remember for a moment that a step-up has just ended, so that it is not asked for again in a circle."""

    __slots__ = ("_session",)

    def __init__(self, session: WebSession) -> None:
        self._session = session

    def set(self, proved: Assurance, *, now: datetime) -> None:
        """Note that a step-up ended, and what it proved."""
        self._session.set(GUARD, f"{proved.name} {now.isoformat()}")

    def take(self, asked: Assurance, *, now: datetime) -> bool:
        """Tell whether one ended a moment ago that proved what is asked for, and forget it."""
        text = self._session.get(GUARD)
        if text is None:
            return False
        self._session.remove(GUARD)
        name, _, at = text.partition(" ")
        try:
            return Assurance[name].satisfies(asked) and now - _moment(at) <= GUARD_HOLDS
        except (ValueError, KeyError):
            return False


def _read_proofs(session: WebSession) -> dict[Assurance, datetime]:
    members = json.loads(session.get(PROOFS) or "{}")
    return {Assurance[name]: _moment(at) for name, at in members.items()}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time without a zone"
        raise ValueError(message)
    return moment
