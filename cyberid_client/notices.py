"""What the issuer tells an app afterwards: a session ended, an account has another state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cyberid_client.models import Pseudonym, keep_secret

__all__ = ["AccountStanding", "AccountState", "LogoutNotice", "WebhookReply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """The issuer's word that a session, or every session of a person, is over.

    With a session id that session ends; with a pseudonym alone all sessions of that person. A session
    that the app does not know is over already: there is nothing to do, and nothing to report.

    Attributes:
        issuer: who says so.
        session_id: ``Login.session_id`` of the session, or ``None``.
        pseudonym: the person, or ``None``.
    """

    issuer: str
    session_id: str | None = field(repr=False)
    pseudonym: Pseudonym | None = field(repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "session_id")


class AccountStanding(StrEnum):
    """How a person's account at the issuer stands now."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CANCELLED = "cancelled"
    REPLACED = "replaced"
    DEVICE_CHANGED = "device-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The issuer's word about an account: the *resulting* state, not what happened on the way.

    The default reaction to anything but ``active`` is to refuse new logins by this way and to leave the
    account, its data and its other ways in alone. ``replaced`` names the old pseudonym only: nothing
    here tells an app to link a new one. Nor is ``active`` the only proof of a thaw: a login whose
    ``authenticated_at`` is later than ``issued_at`` is one, too.

    Attributes:
        pseudonym: the person, in this sector only.
        state: how the account stands now.
        reason: why, in the issuer's word for it: at most 64 characters ``[A-Za-z0-9_.:-]``.
        sequence: counts the states of this person in this sector; higher is later.
        issued_at: when the issuer said so.
    """

    pseudonym: Pseudonym
    state: AccountStanding
    reason: str
    sequence: int
    issued_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """What the app answers to the issuer's request, byte for byte.

    Attributes:
        status: the HTTP status.
        headers: all that the standard asks for; add none of your own.
        body: empty, or JSON for a security event that was refused.
        code: the error code, for the operator; ``None`` when all is well. It is not sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    code: str | None = None
