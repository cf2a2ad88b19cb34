"""What a leaf and its chain must look like, apart from leading to a pinned root."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from cyberid_client.errors import ConfigurationError
from cyberid_client.trust.purposes import Purpose, PurposeTable, is_set_of_object_identifiers

__all__ = ["ChainProfile"]

_INTERMEDIATES_MAX: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProfile:
    """The demands on one chain; equal profiles give equal verdicts, so it is part of the cache key.

    Attributes:
        eku: the leaf has exactly one extended key usage, and it is this one (or one of this set);
            ``None`` for a chain whose purpose does not matter.
        san_uri: the leaf has exactly one SAN URI, byte-equal to this.
        san_host: the leaf has exactly one SAN host: a dNSName, or an iPAddress if this is one.
        policies: the leaf asserts every one of these policies, and so does each authority above it
            up to the pinned root, by name or by anyPolicy (RFC 5280 §6.1 without mappings).
        key_usage: the leaf allows digital signatures; ``None`` asks for no key usage.
        max_intermediates: certificates between leaf and root, 0 to 10.

    Raises:
        ConfigurationError: ``config.value``, when an attribute is out of its range.
    """

    eku: str | frozenset[str] | None = None
    san_uri: str | None = None
    san_host: str | None = None
    policies: frozenset[str] = frozenset()
    key_usage: Literal["digital_signature"] | None = "digital_signature"
    max_intermediates: int = 3

    def __post_init__(self) -> None:
        if self.ekus is not None and not is_set_of_object_identifiers(self.ekus, empty=False):
            raise ConfigurationError("config.value", "profile.eku")
        if not is_set_of_object_identifiers(self.policies, empty=True):
            raise ConfigurationError("config.value", "profile.policies")
        if self.key_usage not in ("digital_signature", None):
            raise ConfigurationError("config.value", "profile.key_usage")
        if "" in (self.san_uri, self.san_host):
            raise ConfigurationError("config.value", "profile.san")
        depth = self.max_intermediates
        if type(depth) is not int or not 0 <= depth <= _INTERMEDIATES_MAX:
            raise ConfigurationError("config.value", "profile.max_intermediates")

    @property
    def ekus(self) -> frozenset[str] | None:
        """The usages of which the leaf has exactly one, or ``None`` when any will do."""
        return frozenset({self.eku}) if isinstance(self.eku, str) else self.eku

    @classmethod
    def assertion(cls, issuer: str, *, purposes: PurposeTable | None = None) -> ChainProfile:
        """Return the profile of the certificates that sign ID tokens of ``issuer``.

        Args:
            issuer: the configured issuer identifier, never one that was received.
            purposes: the app's table; the built-in one if none is given.

        Raises:
            ConfigurationError: ``config.issuer``, when the issuer is no URL with a host.
        """
        return cls._of_issuer(issuer, Purpose.ASSERTION, purposes)

    @classmethod
    def metadata(cls, issuer: str, *, purposes: PurposeTable | None = None) -> ChainProfile:
        """Return the profile of the certificates that sign metadata of ``issuer``.

        Args and errors are those of :meth:`assertion`.
        """
        return cls._of_issuer(issuer, Purpose.METADATA, purposes)

    @classmethod
    def status(cls, issuer: str, *, purposes: PurposeTable | None = None) -> ChainProfile:
        """Return the profile of the certificates that sign status lists of ``issuer``.

        Args and errors are those of :meth:`assertion`.
        """
        return cls._of_issuer(issuer, Purpose.STATUS, purposes)

    @classmethod
    def credential(cls, issuer: str, *, purposes: PurposeTable | None = None) -> ChainProfile:
        """Return the profile of the certificates that sign credentials of ``issuer``.

        Args and errors are those of :meth:`assertion`.
        """
        return cls._of_issuer(issuer, Purpose.CREDENTIAL, purposes)

    @classmethod
    def relying_party(
        cls, sector: str, *, response_uri: str, purposes: PurposeTable | None = None
    ) -> ChainProfile:
        """Return the profile of the certificate that a relying party shows to wallets.

        Args:
            sector: the sector identifier: its one SAN URI.
            response_uri: where wallets send their answers: its host is the one SAN host.
            purposes: the app's table; the built-in one if none is given.

        Raises:
            ConfigurationError: ``config.wallet``, when the address has no host.
        """
        rule = (purposes or PurposeTable.builtin()).rules[Purpose.RELYING_PARTY]
        return cls(
            eku=rule.ekus,
            san_uri=sector,
            san_host=_host(response_uri, "config.wallet", "wallet") if rule.names == "uri_and_host" else None,
            policies=rule.policies,
        )

    @classmethod
    def _of_issuer(cls, issuer: str, purpose: Purpose, purposes: PurposeTable | None) -> ChainProfile:
        rule = (purposes or PurposeTable.builtin()).rules[purpose]
        return cls(
            eku=rule.ekus,
            san_uri=issuer,
            san_host=_host(issuer) if rule.names == "uri_and_host" else None,
            policies=rule.policies,
        )


def _host(url: str, code: str = "config.issuer", setting: str = "issuer") -> str:
    """Return the host of a URL in lower case, an address in its shortest spelling."""
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise ConfigurationError(code, setting) from error
    if not host:
        raise ConfigurationError(code, setting)
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host
