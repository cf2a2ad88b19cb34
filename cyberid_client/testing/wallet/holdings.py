"""What a wallet holds: per sector and epoch a credential with a key of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, decode_part, jwk_of

__all__ = ["Disclosure", "Holding", "Holdings", "open_credential"]

_MEMBER: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One member that may be shown or kept.

    Attributes:
        text: as it is sent, base64url.
        name: of the member.
        value: of the member.
    """

    text: str = field(repr=False)
    name: str
    value: object = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A credential and the key that it is bound to.

    Attributes:
        sector: for which it was issued.
        jwt: what the issuer signed.
        claims: what stands in it.
        disclosures: what stands beside it.
        key: the private key.
    """

    sector: str
    jwt: str = field(repr=False)
    claims: dict[str, object] = field(repr=False)
    disclosures: tuple[Disclosure, ...] = field(repr=False)
    key: PrivateKey = field(repr=False)

    @property
    def iat(self) -> float:
        """The beginning of its epoch; 0 when it says none."""
        return _number(self.claims.get("iat"))

    @property
    def exp(self) -> float:
        """From when on it is good no more."""
        return _number(self.claims.get("exp"))


def open_credential(sector: str, credential: str, key: PrivateKey) -> Holding:
    """Take apart what the issuer sent; a wallet believes its issuer and verifies nothing of it."""
    jwt, *disclosures = credential.removesuffix("~").split("~")
    claims = json.loads(decode_part(jwt.split(".")[1]))
    return Holding(
        sector=sector, jwt=jwt, claims=claims, disclosures=tuple(map(_disclosure, disclosures)), key=key
    )


def _disclosure(text: str) -> Disclosure:
    elements = json.loads(decode_part(text))
    name = str(elements[1]) if len(elements) == _MEMBER else ""
    return Disclosure(text=text, name=name, value=elements[-1])


class Holdings:
    """Keep credentials by sector, and one key for each of them.

    Args:
        algorithm: the JWS name of the keys.
    """

    def __init__(self, algorithm: str) -> None:
        self._algorithm = ALGORITHMS[algorithm]
        self._keys: dict[str, PrivateKey] = {}
        self._held: dict[str, list[str]] = {}

    def public_jwk(self, sector: str) -> dict[str, object]:
        """Return the public half of the sector's own key, made when it is first wanted."""
        if sector not in self._keys:
            self._keys[sector] = self._algorithm.generate()
        return jwk_of(self._keys[sector].public_key())

    def put(self, sector: str, credential: str) -> None:
        """Keep what the issuer sent, beside the one of the epoch before."""
        self._held[sector] = [credential, *self._held.get(sector, [])[:1]]

    def best(self, sector: str, now: datetime) -> Holding | None:
        """Return the oldest credential of a sector that is good now.

        The next one is fetched at a random moment and used from the beginning of its second epoch, by
        everybody at once: otherwise two apps could tell who has fetched already from who has not.
        """
        seconds = now.timestamp()
        held = map(self._opener(sector), reversed(self._held.get(sector, [])))
        return next((each for each in held if seconds < each.exp), None)

    def newest(self, sector: str) -> Holding | None:
        """Return the newest credential of a sector, whether or not it is good."""
        return next(map(self._opener(sector), self._held.get(sector, [])), None)

    def _opener(self, sector: str) -> Callable[[str], Holding]:
        """Return what opens a credential when it is looked at: most of them never are."""
        return lambda credential: open_credential(sector, credential, self._keys[sector])

    def keep_only(self, sectors: Collection[str]) -> None:
        """Throw away what is held for all other sectors, keys included."""
        self._keys = {sector: key for sector, key in self._keys.items() if sector in sectors}
        self._held = {sector: held for sector, held in self._held.items() if sector in sectors}

    @property
    def sectors(self) -> tuple[str, ...]:
        """The sectors for which there is a credential, most of them made up."""
        return tuple(self._held)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
