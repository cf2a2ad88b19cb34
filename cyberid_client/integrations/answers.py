"""Small answers of the endpoints: which page an error gets, and what programs are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginDeclinedError,
    LoginRestartError,
    UnavailableError,
)
from cyberid_client.integrations.messages import WebReply, WebRequest
from cyberid_client.models import Assurance
from cyberid_client.notices import WebhookReply

__all__ = [
    "challenge",
    "from_webhook",
    "is_tentative",
    "json_reply",
    "kind_of",
    "login_required",
    "return_to_query",
]

# What has a page of its own among its family.
_PAGES: Final[Mapping[str, str]] = {"presentation.digits_used_up": "digits_used_up"}

# Words that apps put into the name of the browser inside them. A wrong guess costs a sentence.
_IN_APP: Final = (
    "MicroMessenger",
    "AlipayClient",
    "DingTalk",
    "Lark/",
    "Feishu",
    "Weibo",
    "aweme",
    "xhsdiscover",
    " QQ/",
    "; wv)",
    "FBAN/",
    "Line/",
)


def kind_of(error: CyberIDError, request: WebRequest, *, is_step_up: bool) -> str:
    """Return the kind of page for an error, by what one must do about it.

    Args:
        error: of the library.
        request: untrusted.
        is_step_up: whether somebody who is logged in was asked again.
    """
    if isinstance(error, UnavailableError):
        return "unavailable"
    if isinstance(error, ConfigurationError):
        return "setup"
    if is_step_up:
        return "step_up"
    if isinstance(error, LoginDeclinedError):
        return "declined"
    if error.code == "login.handle_missing" and _is_in_app(request):
        return "in_app"
    return _PAGES.get(error.code, "restart" if isinstance(error, LoginRestartError) else "refused")


def _is_in_app(request: WebRequest) -> bool:
    name = request.headers.get("user-agent", "")
    return any(word in name for word in _IN_APP)


def is_tentative(request: WebRequest) -> bool:
    """Tell whether nobody waits for the page: a browser fetches ahead, or something looks what is there."""
    return request.method == "HEAD" or "prefetch" in request.headers.get("sec-purpose", "")


def json_reply(
    status: int, members: Mapping[str, object], headers: tuple[tuple[str, str], ...] = ()
) -> WebReply:
    """Return an answer for a program."""
    body = json.dumps(members).encode()
    shared = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return WebReply(status=status, headers=(*shared, *headers), body=body)


def challenge(assurance: Assurance, max_age: int | None) -> WebReply:
    """Return what a program is told when its login is not strong or fresh enough (RFC 9470 §3)."""
    needed = f'error="insufficient_user_authentication", acr_values="{assurance.value}"'
    age = "" if max_age is None else f', max_age="{max_age}"'
    members: dict[str, object] = {
        "error": "insufficient_user_authentication",
        "acr_values": assurance.value,
        "max_age": max_age,
    }
    return json_reply(401, members, (("WWW-Authenticate", f"Bearer {needed}{age}"),))


def login_required() -> WebReply:
    """Return what a program is told when nobody is logged in (RFC 9110 §15.5.2, RFC 6750 §3)."""
    shown = (("WWW-Authenticate", 'Bearer realm="login"'),)
    return json_reply(401, {"error": "login_required"}, shown)


def from_webhook(reply: WebhookReply) -> WebReply:
    """Return what the issuer is answered, byte for byte."""
    return WebReply(status=reply.status, headers=tuple(reply.headers.items()), body=reply.body)


def return_to_query(place: str) -> str:
    """Return the query that asks for a place to return to."""
    return urlencode({"return_to": place}, safe="/")
