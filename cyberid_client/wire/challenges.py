"""The challenges of a ``WWW-Authenticate`` header (RFC 9110 §11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CHALLENGES_MAX", "Challenge", "parse_challenges"]

CHALLENGES_MAX: Final = 4096

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the name of a rule of RFC 9110
_END: Final = r"(?=[ \t]*(?:,|$))"
_SEPARATORS: Final = re.compile(r"[ \t,]*", re.ASCII)
_SCHEME: Final = re.compile(rf"({_TOKEN})(?:[ ]+|{_END})", re.ASCII)
_TOKEN68: Final = re.compile(rf"[A-Za-z0-9._~+/-]+=*{_END}", re.ASCII)
_PARAMETER: Final = re.compile(
    rf'({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[\t !#-\[\]-~]|\\[\t -~])*)"){_END}', re.ASCII
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to authenticate that a server offers.

    Attributes:
        scheme: in lower case.
        parameters: names in lower case, values as they are meant; none beside a ``token68``.
    """

    scheme: str
    parameters: Mapping[str, str] = field(repr=False)


def parse_challenges(header: object) -> tuple[Challenge, ...]:
    """Return the challenges in their order; none when the header is malformed, and it never raises.

    Args:
        header: untrusted; several headers are joined with ``", "``. Anything but a text of at most 4096
            characters holds no challenge.

    Returns:
        One value for each scheme. A parameter that stands twice in one makes the whole header malformed.
    """
    if not isinstance(header, str) or len(header) > CHALLENGES_MAX:
        return ()
    found: list[tuple[str, dict[str, str]]] = []
    at = _past(_SEPARATORS, header, 0)
    while at < len(header):
        # A parameter belongs to the scheme before it; without one there is nothing that it could belong to.
        parameter = _PARAMETER.match(header, at) if found else None
        if parameter is not None:
            name = parameter[1].lower()
            if name in found[-1][1]:
                return ()
            found[-1][1][name] = parameter[2] or _ESCAPED.sub(r"\1", parameter[3] or "")
            at = parameter.end()
        elif scheme := _SCHEME.match(header, at):
            found.append((scheme[1].lower(), {}))
            at = _past(_TOKEN68, header, scheme.end())
        else:
            return ()
        at = _past(_SEPARATORS, header, at)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
