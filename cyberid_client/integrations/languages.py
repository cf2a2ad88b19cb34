"""Choose the language of a page from ``Accept-Language`` (RFC 9110 §12.5.4), strictly and within bounds."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["LANGUAGES", "choose_language"]

# The first one is for everybody whose wish is unknown.
LANGUAGES: Final = ("en", "zh")

MAX_CHARACTERS: Final = 512
MAX_RANGES: Final = 32
_RANGE: Final = re.compile(
    r"[ \t]*(?P<main>[A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8}){0,4}"
    r"(?:[ \t]*;[ \t]*q=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?[ \t]*",
    re.ASCII | re.IGNORECASE,
)


def choose_language(header: str | None) -> str:
    """Return the language of :data:`LANGUAGES` that the browser likes best.

    Args:
        header: the value of ``Accept-Language``, untrusted. One that is too long or malformed counts as
            none at all. Of a language tag only the first part is compared: ``zh-TW`` gets ``zh``.
    """
    if header is None or len(header) > MAX_CHARACTERS:
        return LANGUAGES[0]
    ranges = header.split(",", MAX_RANGES)
    weights: dict[str, float] = {}
    for each in ranges:
        found = _RANGE.fullmatch(each)
        if found is None or len(ranges) > MAX_RANGES:
            return LANGUAGES[0]
        weights.setdefault(found["main"].lower(), float(found["weight"] or 1))
    others = weights.get("*", 0.0)
    # Among equals the one that the browser names first, and then the one that stands first here.
    named = [*(name for name in weights if name in LANGUAGES), *LANGUAGES]
    best = max(named, key=lambda name: weights.get(name, others))
    return best if weights.get(best, others) > 0 else LANGUAGES[0]
