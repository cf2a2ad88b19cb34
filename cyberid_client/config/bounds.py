"""What a setting may be: small questions that the configuration asks of its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.models import Assurance
from cyberid_client.wire.urls import parse_web_url

__all__ = [
    "LEEWAY_LIMIT",
    "MAX_AGE_LIMIT",
    "PENDING_LIFETIME_LIMIT",
    "POOL_LIMIT",
    "TIMEOUT_LIMIT",
    "check_max_age",
    "is_client_id",
    "is_proxy_or_none",
    "is_table_of_modes",
    "is_whole",
]

MAX_AGE_LIMIT: Final = 366 * 24 * 3600
LEEWAY_LIMIT: Final = 60
PENDING_LIFETIME_LIMIT: Final = 3600
CLIENT_ID_LIMIT: Final = 255
TIMEOUT_LIMIT: Final = 600
POOL_LIMIT: Final = 10_000


def check_max_age(max_age: int | None) -> None:
    """Refuse a maximum age that cannot be asked for.

    Raises:
        ConfigurationError: it is not a whole number of seconds from 0 to one year.
    """
    if max_age is not None and not is_whole(max_age, 0, MAX_AGE_LIMIT):
        raise ConfigurationError("config.max_age", "max_age")


def is_whole(value: object, lowest: int, highest: int) -> bool:
    """Tell whether a value is a whole number between two others, both included."""
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def is_proxy_or_none(value: object) -> bool:
    """Tell whether a proxy is ``http://host:port``, maybe with ``user:password@`` in front of the host."""
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    scheme, slashes, rest = value.partition("://")
    return parse_web_url(f"{scheme}{slashes}{rest.rpartition('@')[2]}") is not None


def is_client_id(value: object) -> bool:
    """Tell whether a value is visible ASCII, RFC 6749 appendix A.1."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= CLIENT_ID_LIMIT
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def is_table_of_modes(value: object) -> bool:
    """Tell whether a value maps words to modes."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(mode, Assurance) for name, mode in value.items()
    )
