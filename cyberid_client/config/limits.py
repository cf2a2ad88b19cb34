"""How long, how much and through what the library talks to the issuer."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyberid_client.config.bounds import POOL_LIMIT, TIMEOUT_LIMIT, is_proxy_or_none, is_whole
from cyberid_client.errors import ConfigurationError

__all__ = ["HTTPLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPLimits:
    """How long, how much and through what the library talks to the issuer.

    Attributes:
        connect_timeout: seconds for TCP and TLS.
        read_timeout: seconds of silence that are borne.
        total_timeout: seconds for the whole request, body included.
        proxy: ``http://host:port``, or ``None``; the environment is never asked.
        ca_pem: the certificate authorities for TLS in place of the built-in ones.
        pool_size: connections kept open.
    """

    connect_timeout: float = 3.0
    read_timeout: float = 5.0
    total_timeout: float = 8.0
    proxy: str | None = field(default=None, repr=False)
    ca_pem: bytes | None = field(default=None, repr=False)
    pool_size: int = 10

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "read_timeout", "total_timeout"):
            value: object = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 < value <= TIMEOUT_LIMIT
            ):
                raise ConfigurationError("config.value", f"http.{name}")
        if not isinstance(self.ca_pem, bytes | None):
            raise ConfigurationError("config.value", "http.ca_pem")
        if not is_proxy_or_none(self.proxy):
            raise ConfigurationError("config.value", "http.proxy")
        if not is_whole(self.pool_size, 1, POOL_LIMIT):
            raise ConfigurationError("config.value", "http.pool_size")
