"""What a certificate may be for: purpose → extended key usages, rule for names, policies.

The built-in table uses the example arc of RFC 5612 and serves mock issuers. A national platform has
object identifiers of its own: the app then replaces the whole table at start-up.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from cryptography import x509

from cyberid_client.errors import ConfigurationError

__all__ = ["TEST_MARK_POLICY", "Purpose", "PurposeRule", "PurposeTable", "is_set_of_object_identifiers"]

_ARC: Final = "1.3.6.1.4.1.32473.1"

#: The policy that every certificate of a mock issuer carries, root included.
TEST_MARK_POLICY: Final = f"{_ARC}.99"

_logger = logging.getLogger(__name__)


class Purpose(StrEnum):
    """What a signer signs."""

    ASSERTION = "assertion"
    METADATA = "metadata"
    CREDENTIAL = "credential"
    STATUS = "status"
    RELYING_PARTY = "relying_party"


def is_set_of_object_identifiers(value: object, *, empty: bool) -> bool:
    """Tell whether this is a frozen set of object identifiers in dotted numbers.

    Types are looked at in spite of the annotations: a list or a set would not hash, and a string in
    the place of a set would be read letter by letter.

    Args:
        value: what a developer configured.
        empty: whether the set may be empty.
    """
    if not isinstance(value, frozenset):
        return False
    return (empty or bool(value)) and all(map(_is_object_identifier, value))


def _is_object_identifier(text: str) -> bool:
    try:
        return x509.ObjectIdentifier(text).dotted_string == text
    except (ValueError, TypeError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeRule:
    """What a certificate of one purpose must carry.

    Attributes:
        ekus: its one extended key usage is from this set; at least one.
        names: ``uri_and_host``, one SAN URI and one SAN host, so that name constraints bind the
            certificate; ``uri``, the URI alone, for an authority that writes no hosts.
        policies: every one of these policies is asserted.
    """

    ekus: frozenset[str]
    names: Literal["uri_and_host", "uri"] = "uri_and_host"
    policies: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not is_set_of_object_identifiers(self.ekus, empty=False):
            raise ConfigurationError("config.purposes")
        if not is_set_of_object_identifiers(self.policies, empty=True):
            raise ConfigurationError("config.purposes")
        if self.names not in {"uri_and_host", "uri"}:
            raise ConfigurationError("config.purposes")


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeTable:
    """One rule per purpose, none missing.

    Two purposes never share an extended key usage, or a certificate for one kind of document could
    sign another. ``shared_purpose_keys=True`` allows it for an authority that knows only one usage;
    then the document's ``typ`` alone separates the kinds, and a warning is logged.

    Raises:
        ConfigurationError: ``config.purposes``, when a purpose is missing or two share a usage.
    """

    rules: Mapping[Purpose, PurposeRule] = field(hash=False)
    shared_purpose_keys: bool = False

    def __post_init__(self) -> None:
        if not _is_table_of_rules(self.rules):
            raise ConfigurationError("config.purposes")
        object.__setattr__(self, "rules", MappingProxyType(dict(self.rules)))
        uses = Counter(oid for rule in self.rules.values() for oid in rule.ekus)
        if uses.most_common(1)[0][1] == 1:
            return
        if not self.shared_purpose_keys:
            raise ConfigurationError("config.purposes")
        _logger.warning("config.shared_purpose_keys: only the type of a document separates its purpose")

    @classmethod
    def builtin(cls) -> PurposeTable:
        """Return the table on the example arc, for mock issuers."""
        return _BUILTIN


def _is_table_of_rules(rules: object) -> bool:
    return (
        isinstance(rules, Mapping)
        and set(rules) == set(Purpose)
        and all(isinstance(rule, PurposeRule) for rule in rules.values())
    )


_BUILTIN: Final = PurposeTable(
    rules={
        Purpose.ASSERTION: PurposeRule(ekus=frozenset({f"{_ARC}.1"})),
        Purpose.METADATA: PurposeRule(ekus=frozenset({f"{_ARC}.2"})),
        Purpose.CREDENTIAL: PurposeRule(ekus=frozenset({f"{_ARC}.3"})),
        # The second one is id-kp-oauthStatusSigning.
        Purpose.STATUS: PurposeRule(ekus=frozenset({f"{_ARC}.4", "1.3.6.1.5.5.7.3.30"})),
        Purpose.RELYING_PARTY: PurposeRule(ekus=frozenset({f"{_ARC}.5"})),
    }
)
