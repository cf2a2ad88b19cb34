"""What was proved, how lasting it is, and which way it came."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Never

__all__ = ["AgeBand", "Assurance", "Channel", "Factor", "Persistence"]


class Factor(StrEnum):
    """What the person showed: the certificate (网证), the password (口令), the face (人脸)."""

    CERTIFICATE = "certificate"
    PASSWORD = "password"  # noqa: S105 - the name of a factor
    FACE = "face"


class Assurance(StrEnum):
    """A mode of authentication: the *set* of factors behind a login, hence only partly ordered."""

    R01 = "urn:cyberid:mode:r01"
    R02 = "urn:cyberid:mode:r02"
    R03 = "urn:cyberid:mode:r03"
    R04 = "urn:cyberid:mode:r04"

    @property
    def factors(self) -> frozenset[Factor]:
        """The factors that this mode is made of."""
        return _FACTORS_OF[self]

    def satisfies(self, asked: Assurance) -> bool:
        """Tell whether every factor of ``asked`` is in this mode: R02 does not satisfy R03."""
        return self.factors >= asked.factors

    def __lt__(self, other: object) -> bool:
        return self._refuse_order()

    __le__ = __gt__ = __ge__ = __lt__

    def _refuse_order(self) -> Never:
        message = "assurance is only partly ordered; ask Assurance.satisfies"
        raise TypeError(message)


_FACTORS_OF: Final[Mapping[Assurance, frozenset[Factor]]] = {
    Assurance.R01: frozenset({Factor.CERTIFICATE}),
    Assurance.R02: frozenset({Factor.CERTIFICATE, Factor.PASSWORD}),
    Assurance.R03: frozenset({Factor.CERTIFICATE, Factor.FACE}),
    Assurance.R04: frozenset({Factor.CERTIFICATE, Factor.PASSWORD, Factor.FACE}),
}


class Persistence(StrEnum):
    """How long the pseudonym stays the same."""

    LIFE = "A"
    RECORD = "B"
    SESSION = "C"


class AgeBand(StrEnum):
    """The only thing about age that exists in the profile."""

    UNDER_14 = "under_14"
    FROM_14_TO_17 = "14_17"
    ADULT = "adult"


class Channel(StrEnum):
    """Which way in a login came: by redirect, by app launch, by a wallet on the same or on another device."""

    REDIRECT = "redirect"
    APP = "app"
    WALLET_SAME = "wallet_same"
    WALLET_OTHER = "wallet_other"
