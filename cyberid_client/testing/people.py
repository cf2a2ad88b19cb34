"""Made-up people, each enrolled with another document; none has an identity number, not even a made-up one."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cyberid_client.testing.jose import b64url

__all__ = ["FACTORS_OF_MODE", "PEOPLE", "Person", "find_person", "mode_of", "pseudonym_of"]

# Pseudonyms stay the same when the mock restarts, so that an example's accounts are found again.
# It is no secret: everybody behind it is made up.
_PSEUDONYM_KEY: Final = b"made-up people have made-up secrets"

_MODE: Final = "urn:cyberid:mode:"
FACTORS_OF_MODE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        f"{_MODE}r01": frozenset({"certificate"}),
        f"{_MODE}r02": frozenset({"certificate", "password"}),
        f"{_MODE}r03": frozenset({"certificate", "face"}),
        f"{_MODE}r04": frozenset({"certificate", "password", "face"}),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who does not exist.

    Attributes:
        key: the name that ``authorize(person=...)`` and the page's form use.
        name: shown on the issuer's page and nowhere else.
        document: what the person enrolled with.
        age_band: ``under_14``, ``14_17`` or ``adult``.
        guardian: who consents for a child under 14; ``None`` for everybody else.
    """

    key: str
    name: str
    document: str
    age_band: str
    guardian: str | None = None


PEOPLE: Final[Mapping[str, Person]] = MappingProxyType(
    {
        person.key: person
        for person in (
            Person(key="adult", name="Lin Qinghe", document="resident identity card", age_band="adult"),
            Person(key="teenager", name="Zhou Xinglan", document="resident identity card", age_band="14_17"),
            Person(
                key="child",
                name="Chen Doudou",
                document="resident identity card",
                age_band="under_14",
                guardian="Chen Yunzhou",
            ),
            Person(key="traveller", name="Wu Haiyan", document="passport", age_band="adult"),
            Person(
                key="hong_kong_macau",
                name="Ho Tsz Ching",
                document="travel permit for Hong Kong and Macau residents",
                age_band="adult",
            ),
            Person(
                key="taiwan",
                name="Hsu Yi-Chen",
                document="travel permit for Taiwan residents",
                age_band="adult",
            ),
            Person(
                key="foreign_resident",
                name="Ingrid Brandt",
                document="foreign permanent resident identity card",
                age_band="adult",
            ),
        )
    }
)


_ONE_OF_MANY: Final = re.compile("crowd-[0-9]{1,6}", re.ASCII)
_AGE_BANDS: Final = ("under_14", "14_17", "adult", "adult")


def find_person(key: str) -> Person | None:
    """Return somebody by key: one of :data:`PEOPLE`, or ``crowd-17``, one of a million for tests of many.

    Half of the crowd is adult; none of them stands on the issuer's page.
    """
    if key in PEOPLE or _ONE_OF_MANY.fullmatch(key) is None:
        return PEOPLE.get(key)
    number = int(key.removeprefix("crowd-"))
    return Person(
        key=key,
        name=f"Made-up person {number}",
        document="resident identity card",
        age_band=_AGE_BANDS[number % len(_AGE_BANDS)],
        guardian="Made-up guardian" if number % len(_AGE_BANDS) == 0 else None,
    )


def pseudonym_of(person: Person, sector: str) -> str:
    """Return the person's pseudonym in one sector: the same every time, unlinkable to another sector's.

    43 characters of base64url from a keyed hash.
    """
    message = person.key.encode() + b"\0" + sector.encode()
    return b64url(hmac.digest(_PSEUDONYM_KEY, message, hashlib.sha256))


def mode_of(factors: Iterable[str]) -> str:
    """Return the ``acr`` of exactly these factors; the certificate is always one of them.

    Raises:
        KeyError: there is a factor that the profile does not know.
    """
    wanted = frozenset(factors) | {"certificate"}
    return {mine: mode for mode, mine in FACTORS_OF_MODE.items()}[wanted]
