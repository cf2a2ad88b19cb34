"""An OAuth error answer on its way to the client."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Refusal", "invalid_client", "invalid_request"]


class Refusal(Exception):  # noqa: N818 - an answer of the protocol, not an error of the program
    """An OAuth error answer on its way to the client.

    Args:
        error: the value of ``error``.
        reason: the value of ``error_description``: a fixed sentence for the developer.
        status: the HTTP status.
        headers: what the answer carries beside it, names in lower case.
    """

    def __init__(
        self, error: str, reason: str, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.status = status
        self.headers = {} if headers is None else dict(headers)


def invalid_client(reason: str) -> Refusal:
    """Return the refusal of a client that is not believed (RFC 6749 §5.2)."""
    return Refusal("invalid_client", reason, 401)


def invalid_request(reason: str) -> Refusal:
    """Return the refusal of a request that breaks a rule (RFC 6749 §5.2)."""
    return Refusal("invalid_request", reason)
