"""Every way in which a wallet can be dishonest, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cyberid_client.testing.arming import Fault, Oddity

__all__ = ["WALLET_FAULTS", "WALLET_ODDITIES"]

WALLET_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({})
WALLET_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType({})
