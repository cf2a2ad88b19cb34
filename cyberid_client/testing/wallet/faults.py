"""Every way in which a wallet can be dishonest, or odd and honest, by name.

A client that is asked through a dishonest wallet refuses, with the code that the fault names, and nobody is
logged in by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.faults.making import by_name
from cyberid_client.testing.wallet.faults_of_answers import ALL_WALLET_ODDITIES, ANSWER_FAULTS
from cyberid_client.testing.wallet.faults_of_bindings import BINDING_FAULTS

__all__ = ["WALLET_FAULTS", "WALLET_ODDITIES"]

WALLET_FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(by_name(BINDING_FAULTS, ANSWER_FAULTS))
WALLET_ODDITIES: Final[Mapping[str, Oddity]] = MappingProxyType(
    {each.name: each for each in ALL_WALLET_ODDITIES}
)
