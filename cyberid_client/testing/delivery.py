"""Post a message to an app over real HTTP, and judge what it answers."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.errors import TransportError
from cyberid_client.testing.browser_http import exchange
from cyberid_client.testing.keyring import Keyring

__all__ = ["HELD", "Delivery", "PostDraft", "Posting", "deliver", "hold_back"]

# What stands in ``Delivery.error`` while nobody tried: it waits for ``EventDesk.release``.
HELD: Final = "held"
_MAX_ANSWER: Final = 65_536
_SECONDS: Final = 10.0
_ERROR_CODES: Final = frozenset(
    {
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    }
)
# What a receiver answers to a message that it took, and to one that it refused.
_STATUSES: Final[Mapping[str, tuple[int, int]]] = {"logout": (200, 400), "event": (202, 400)}


@dataclass(slots=True, kw_only=True)
class PostDraft:
    """A request to an app before it is sent.

    Attributes:
        content_type: the media type; ``None`` for none.
        body: the bytes.
        keyring: the issuer's keys.
        now: the issuer's time.
    """

    content_type: str | None
    body: bytes = field(repr=False)
    keyring: Keyring = field(repr=False)
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A request to an app, ready to be sent as often as need be: the bytes never change again.

    Attributes:
        kind: ``logout`` or ``event``.
        client_id: whose app it is for.
        uri: where it goes; ``None`` when the client registered no place for its kind.
        content_type: the media type; ``None`` for none.
        body: the bytes.
        token: the compact JWS or JWE that is in the body.
        jti: the token's own name, as it was before any fault.
    """

    kind: str
    client_id: str
    uri: str | None
    content_type: str | None
    body: bytes = field(repr=False)
    token: str = field(repr=False)
    jti: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a posting.

    Attributes:
        posting: what was sent.
        status: the HTTP status; ``None`` when no answer came.
        headers: names in lower case.
        body: what the app answered.
        error: the code of what went wrong on the way, or ``held``; ``None`` when an answer came.
        complaints: the rules that the answer breaks: OpenID Connect Back-Channel Logout 1.0 §2.8 in the
            strict reading (exactly 200 or 400, nothing kept in caches, nothing said), RFC 8935 §2.2 and §2.3.
    """

    posting: Posting
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str | None = None
    complaints: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the app took the message, and said so as it must."""
        return self.status == _STATUSES[self.posting.kind][0] and not self.complaints

    @property
    def refused(self) -> bool:
        """Whether the app refused the message, and said so as it must."""
        return self.status == _STATUSES[self.posting.kind][1] and not self.complaints

    @property
    def err(self) -> str | None:
        """The error code of a refused security event, RFC 8935 §2.4."""
        return _member(self.body, "err") if self.posting.kind == "event" else None


def hold_back(posting: Posting) -> Delivery:
    """Return what stands for a posting that nobody has sent yet."""
    return Delivery(posting=posting, error=HELD)


def deliver(posting: Posting, *, seconds: float = _SECONDS) -> Delivery:
    """Send a posting on a connection of its own, and return what the app made of it; never raises.

    Redirects are not followed, cookies are not kept, proxy variables are not read.

    Args:
        posting: what to send.
        seconds: the whole exchange may take so long.
    """
    if posting.uri is None:
        return Delivery(posting=posting, error="testing.url")
    content_type = {} if posting.content_type is None else {"Content-Type": posting.content_type}
    accept = {"Accept": "application/json"} if posting.kind == "event" else {}
    try:
        answer = exchange(
            method="POST",
            url=posting.uri,
            form=posting.body,
            headers={**accept, **content_type},
            deadline=time.monotonic() + seconds,
            max_bytes=_MAX_ANSWER,
            is_form=False,
        )
    except TransportError as error:
        return Delivery(posting=posting, error=error.code)
    headers = answer.joined()
    complain = _complaints_about_logout if posting.kind == "logout" else _complaints_about_event
    return Delivery(
        posting=posting,
        status=answer.status,
        headers=headers,
        body=answer.body,
        complaints=complain(answer.status, headers, answer.body),
    )


def _complaints_about_logout(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    directives = {part.strip().lower() for part in headers.get("cache-control", "").split(",")}
    rules = (
        (status in _STATUSES["logout"], "the status is neither 200 nor 400"),
        ("no-store" in directives, "Cache-Control lacks no-store"),
        (not body, "the body is not empty"),
        ("set-cookie" not in headers, "a cookie is set"),
    )
    return tuple(reason for holds, reason in rules if not holds)


def _complaints_about_event(status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    accepted, refused = _STATUSES["event"]
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    rules = (
        (status in {accepted, refused}, "the status is neither 202 nor 400"),
        (status != accepted or not body, "the body of a 202 is not empty"),
        (status != refused or media_type == "application/json", "a 400 is not JSON"),
        (status != refused or _member(body, "err") in _ERROR_CODES, "err is no code of RFC 8935"),
        (
            _member(body, "description") is None or "content-language" in headers,
            "a description is in no language",
        ),
        ("set-cookie" not in headers, "a cookie is set"),
    )
    return tuple(reason for holds, reason in rules if not holds)


def _member(body: bytes, name: str) -> str | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else None
