"""What is an identity number: pure functions over text.

:func:`is_resident_number` decides about one text and is the only rule that ever refuses a pseudonym.
:func:`find_identity_numbers` looks for many kinds inside a text, for logs and scans: most kinds have no
check character, so that it also finds what is none. How often is measured in
``docs/privacy-recognisers.md``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

__all__ = [
    "RECOGNISERS",
    "IdentityKind",
    "Match",
    "Recogniser",
    "find_identity_numbers",
    "is_resident_number",
]

RESIDENT_NUMBER_LENGTH: Final = 18

# GB/T 2260: the province-level regions that were ever assigned, with Taiwan (71, 83), Hong Kong (81)
# and Macau (82).
_REGIONS: Final = frozenset(
    str(region)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for region in range(first, last + 1)
)
# Nobody who was born before ever had a number, and nobody will be born later for a long time.
_BIRTH_YEARS: Final = range(1800, 2100)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"


def is_resident_number(text: str) -> bool:
    """Tell whether ``text`` is an 18-character resident or foreign-resident number (GB 11643).

    True only with an assigned region, a date of birth from 1800 to 2099 and the right check character
    (ISO 7064 MOD 11-2), so that 18 random digits are taken for one in about one case of 25,000, and 18
    random characters of base64url practically never.

    Args:
        text: exactly the characters to judge, untrusted.
    """
    if len(text) != RESIDENT_NUMBER_LENGTH or not text.isascii() or not text[:17].isdigit():
        return False
    return (
        _region_is_assigned(text) and _is_date(text[6:14]) and _check_character(text[:17]) == text[17].upper()
    )


def _region_is_assigned(text: str) -> bool:
    # A foreign permanent resident's number begins with 9, then region and nationality.
    return (text[1:3] if text[0] == "9" else text[:2]) in _REGIONS


def _is_date(digits: str) -> bool:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).year in _BIRTH_YEARS
    except ValueError:
        return False


def _check_character(digits: str) -> str:
    return _CHECK_CHARACTERS[
        sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11
    ]


class IdentityKind(StrEnum):
    """Which document, or which service, a number belongs to."""

    RESIDENT_NUMBER = "resident_number"
    RESIDENT_NUMBER_15 = "resident_number_15"
    RESIDENCE_PERMIT = "residence_permit"
    FOREIGN_RESIDENT = "foreign_resident"
    FOREIGN_RESIDENT_OLD = "foreign_resident_old"
    PASSPORT = "passport"
    TRAVEL_PERMIT = "travel_permit"
    TRAVEL_PERMIT_TAIWAN = "travel_permit_taiwan"
    MOBILE_NUMBER = "mobile_number"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a number stands; never the number itself.

    Attributes:
        kind: what it looks like.
        start: index of its first character.
        end: index behind its last character.
    """

    kind: IdentityKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One row of the table.

    Attributes:
        kind: what it finds.
        law: the form in one sentence.
        pattern: matches where a number may begin; group 1, in a lookahead, is the whole of it. It takes
            a bounded number of characters from each place, so that a search is linear.
        judge: decides about the letters and digits of group 1, without separators.
    """

    kind: IdentityKind
    law: str
    pattern: re.Pattern[str]
    judge: Callable[[str], bool]


def _row(
    kind: IdentityKind, law: str, form: str, judge: Callable[[str], bool] = bool, *, label: str = ""
) -> Recogniser:
    # Neither a letter nor a digit next to it, and no part of a decimal fraction. A hyphen, an
    # underscore and a Chinese character are borders.
    before = label or r"(?<![0-9A-Za-z])(?<![0-9]\.)"
    return Recogniser(kind, law, re.compile(rf"{before}(?=({form})(?![0-9A-Za-z]|\.[0-9]))"), judge)


def _is_resident_number_15(text: str) -> bool:
    return text[:2] in _REGIONS and _is_short_date(text[6:12])


def _is_old_foreign_resident_number(text: str) -> bool:
    return text[3:5] in _REGIONS and _is_short_date(text[7:13])


def _is_short_date(digits: str) -> bool:
    # Two digits for the year: 19.., or 18.. for who was a hundred when the numbers were given out.
    return _is_date(f"19{digits}") or _is_date(f"18{digits}")


# Six, eight and four characters, which people write with spaces or hyphens between.
_REST_OF_18: Final = "[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9Xx]"
_TAIWAN_LABEL: Final = "(?:台胞[证證]|臺胞[证證]|大[陆陸]通行[证證]|MTP)[^0-9A-Za-z]{0,8}"

RECOGNISERS: Final = (
    _row(
        IdentityKind.RESIDENT_NUMBER,
        "17 digits with assigned region and real date, and the right check character (GB 11643-1999).",
        "[1-7][0-9]{5}" + _REST_OF_18,
        is_resident_number,
    ),
    _row(
        IdentityKind.RESIDENCE_PERMIT,
        "The same for residents from Hong Kong, Macau and Taiwan: it begins with 81, 82 or 83.",
        "8[123][0-9]{4}" + _REST_OF_18,
        is_resident_number,
    ),
    _row(
        IdentityKind.FOREIGN_RESIDENT,
        "The same for foreign permanent residents since 2023: it begins with 9.",
        "9[0-9]{5}" + _REST_OF_18,
        is_resident_number,
    ),
    _row(
        IdentityKind.RESIDENT_NUMBER_15,
        "15 digits with assigned region and real date, without a check digit (GB 11643-1989).",
        "[1-8][0-9]{14}",
        _is_resident_number_15,
    ),
    _row(
        IdentityKind.FOREIGN_RESIDENT_OLD,
        "Three capital letters and 12 digits with assigned region and real date, until 2023.",
        "[A-Z]{3}[0-9]{12}",
        _is_old_foreign_resident_number,
    ),
    _row(
        IdentityKind.PASSPORT,
        "Capital letters and 7 or 8 digits, as on Chinese, Hong Kong and Macau passports.",
        "[DEGKPS][0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|(?:[DPS]E|KJ|M[AB])[0-9]{7}",
    ),
    _row(
        IdentityKind.TRAVEL_PERMIT,
        "Capital letters and 7, 8 or 10 digits, as on travel permits to and from Hong Kong, Macau and Taiwan.",
        "[HM][0-9]{8}(?:[0-9]{2})?|[CLTW][0-9]{8}|C[A-HJ-NP-Z][0-9]{7}",
    ),
    _row(
        IdentityKind.TRAVEL_PERMIT_TAIWAN,
        "8 or 10 digits, only behind the permit's name: bare, they are a date or an order number.",
        "[0-9]{8}(?:[0-9]{2})?",
        label=_TAIWAN_LABEL,
    ),
    _row(
        IdentityKind.MOBILE_NUMBER,
        "11 digits that begin with 13 to 19, in one piece or as 3-4-4, maybe behind +86.",
        r"(?:(?:\+|00)?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}",
    ),
)

_SHORTEST_RUN: Final = re.compile("[0-9]{4}")
# Full-width letters and digits, as input methods make them; one character for one, so indexes stay.
_TO_HALF_WIDTH: Final = {
    ord(half) + 0xFEE0: half for half in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"
} | {0x3000: " "}


def find_identity_numbers(text: str) -> tuple[Match, ...]:
    """Find what looks like an identity number or a mainland mobile number; linear in time.

    Not found: numbers with other separators, in other scripts, split over lines or encoded; the
    all-digit passports issued before 1997; Taiwan permits without their name in front.

    Args:
        text: of any length, untrusted.

    Returns:
        Matches in order that do not overlap; of two that do, the one that begins first, then the longer.
    """
    if not text.isascii():
        text = text.translate(_TO_HALF_WIDTH)
    if not _SHORTEST_RUN.search(text):
        return ()
    found = [
        Match(each.kind, candidate.start(1), candidate.end(1))
        for each in RECOGNISERS
        for candidate in each.pattern.finditer(text)
        if each.judge(candidate[1].replace(" ", "").replace("-", ""))
    ]
    kept: list[Match] = []
    # The sort is stable: what is equal stays in the order of the table.
    for match in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
    return tuple(kept)
