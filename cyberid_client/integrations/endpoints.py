"""The table of endpoints: where each one is, and what it answers to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["ENDPOINTS", "SESSIONLESS", "Endpoint"]


class Endpoint(NamedTuple):
    """One endpoint: its path below the prefix, and the methods that it answers.

    A part of a path in braces stands for any one part; what it was is in ``WebRequest.path_parameters``.
    """

    path: str
    methods: tuple[str, ...]


ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "login": Endpoint("/login", ("GET", "POST")),
    "callback": Endpoint("/callback", ("GET",)),
    "step_up": Endpoint("/step-up", ("POST",)),
    "logout": Endpoint("/logout", ("POST",)),
    "backchannel_logout": Endpoint("/backchannel-logout", ("POST",)),
    "security_events": Endpoint("/security-events", ("POST",)),
    "jwks": Endpoint("/jwks.json", ("GET",)),
    "app_start": Endpoint("/app/start", ("POST",)),
    "app_finish": Endpoint("/app/finish", ("POST",)),
    "wallet_start": Endpoint("/wallet/start", ("POST",)),
    "wallet_request": Endpoint("/wallet/request/{request_id}", ("GET", "POST")),
    "wallet_response": Endpoint("/wallet/response", ("POST",)),
    "wallet_return": Endpoint("/wallet/return", ("GET",)),
    "wallet_code": Endpoint("/wallet/code", ("GET",)),
    "wallet_status": Endpoint("/wallet/status", ("GET",)),
    "wallet_script": Endpoint("/wallet/waiting.js", ("GET",)),
    "wallet_finish": Endpoint("/wallet/finish", ("POST",)),
}

# What no browser of somebody who logs in asks, and what is polled: none of these touches a session.
SESSIONLESS: Final = frozenset(
    {
        "backchannel_logout",
        "security_events",
        "jwks",
        "wallet_request",
        "wallet_response",
        "wallet_code",
        "wallet_status",
        "wallet_script",
    }
)
