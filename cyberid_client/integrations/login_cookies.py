"""The cookies of logins that are under way: which is the oldest, and which one is of a step-up.

A browser sends its cookies without their age, and a server that keeps nothing cannot know it either. So
the value says it: ``<seconds since the epoch>!<handle>``, with an ``s`` before the ``!`` for a step-up.
Nobody but the browser itself can write a ``__Host-`` cookie, and whoever forges the time in his own
browser loses a login of his own. A value without a time, as ``LoginRequest.set_cookie`` has it, counts
as the oldest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.handshake import cookies

__all__ = ["LOGINS_PER_BROWSER", "LoginCookie", "drop_oldest", "write_login_cookie"]

LOGINS_PER_BROWSER: Final = 4

_NAME: Final = re.compile(re.escape(cookies.PREFIX) + r"[A-Za-z0-9_-]{22}", re.ASCII)
_VALUE: Final = re.compile(r"(?P<started>[0-9]{1,12})(?P<step_up>s?)!(?P<handle>.*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCookie:
    """What the cookie of a login holds.

    Attributes:
        handle: for ``finish_login``; ``None`` without a cookie.
        started: seconds since the epoch; 0 when it is not known.
        is_step_up: whether somebody who is logged in was asked again.
    """

    handle: str | None = field(repr=False)
    started: int = 0
    is_step_up: bool = False

    @classmethod
    def read(cls, value: str | None) -> LoginCookie:
        """Read a cookie's value; untrusted, and never refused here."""
        found = None if value is None else _VALUE.fullmatch(value)
        if found is None:
            return cls(handle=value)
        return cls(handle=found["handle"], started=int(found["started"]), is_step_up=found["step_up"] == "s")


def write_login_cookie(set_cookie: str, *, now: datetime, is_step_up: bool = False) -> str:
    """Return the ``Set-Cookie`` value of a login that starts now; of the client's own the time is not part."""
    name, _, rest = set_cookie.partition("=")
    stamp = f"{int(now.timestamp())}{'s' if is_step_up else ''}!"
    return f"{name}={stamp}{rest}"


def drop_oldest(sent: Mapping[str, str], *, keep: int = LOGINS_PER_BROWSER - 1) -> tuple[str, ...]:
    """Return ``Set-Cookie`` values that forget all but the newest logins, so that one more has room.

    Args:
        sent: the cookies of the request, by name; untrusted.
        keep: how many logins stay.
    """
    names = [name for name in sent if _NAME.fullmatch(name)]
    names.sort(key=lambda name: LoginCookie.read(sent[name]).started, reverse=True)
    return tuple(cookies.clear_cookie(name) for name in names[keep:])
