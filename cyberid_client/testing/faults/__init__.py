"""Every named fault, and every oddity that must be let through."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cyberid_client.testing.arming import Fault, Oddity

__all__ = ["FAULTS", "ODDITIES"]

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({})
ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType({})
