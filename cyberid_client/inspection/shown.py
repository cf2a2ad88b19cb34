"""What of a received value is shown: nothing personal unless it is asked for, never an identity number."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from cyberid_client.inspection.result import Step
from cyberid_client.privacy.recognisers import find_identity_numbers
from cyberid_client.wire.fields import DATE_MAX

__all__ = ["Shown", "clean", "clean_step"]

_REDACTED: Final = "[redacted]"
_LENGTH_MAX: Final = 400
_HASH_BYTES: Final = 4

_TIMES: Final = frozenset({"exp", "iat", "nbf", "auth_time"})
# What a login compares and what says nothing about the person; everything else is shortened.
_PLAIN: Final = frozenset(
    {"iss", "aud", "azp", "acr", "amr", "sector", "persistence", *_TIMES, "ttl", "alg", "typ", "kid", "crit"}
)
_MEANINGS: Final[Mapping[str, str]] = {
    "iss": "who vouches",
    "sub": "the pseudonym",
    "aud": "for whom it is",
    "azp": "to whom it was issued",
    "exp": "good until",
    "iat": "issued",
    "nbf": "not before",
    "auth_time": "when the person proved it",
    "nonce": "ties it to one login",
    "acr": "the mode that was reached",
    "amr": "the factors that passed",
    "at_hash": "ties it to the access token",
    "sector": "for whom the pseudonym was made",
    "persistence": "how long the pseudonym stays",
    "sid": "the issuer's name for the session",
    "age_band": "only if asked for",
}


def clean(text: str) -> str:
    """Return a text that may be printed anywhere.

    Identity numbers are replaced, what is not printable (control and direction characters among it) is
    written as an escape, and a long text is cut.
    """
    text = _without_numbers(text)
    if not text.isprintable():
        escaped = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
        text = _without_numbers("".join(escaped))
    return text if len(text) <= _LENGTH_MAX else f"{text[:_LENGTH_MAX]}… ({len(text)} characters)"


def clean_step(step: Step) -> Step:
    """Return the step and all below it with clean texts: the last net, whatever made them."""
    return replace(
        step,
        title=clean(step.title),
        detail=clean(step.detail),
        children=tuple(clean_step(child) for child in step.children),
    )


def _without_numbers(text: str) -> str:
    kept, end = [], 0
    for match in find_identity_numbers(text):
        kept.append(text[end : match.start])
        end = match.end
    return _REDACTED.join([*kept, text[end:]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How values are shown.

    Attributes:
        everything: the pseudonym and all other personal or secret values too.
        hash_key: for the short hashes that stand in the place of hidden values: equal hashes, equal
            values, and nothing can be found out without the key. ``None``: lengths only.
    """

    everything: bool = False
    hash_key: bytes | None = field(default=None, repr=False)

    def members(self, members: Mapping[str, object], *, are_public: bool = False) -> tuple[Step, ...]:
        """Return one note for each member, in their order.

        Args:
            members: untrusted.
            are_public: whether the document is one that everybody may fetch.
        """
        return tuple(self._member(name, value, is_public=are_public) for name, value in members.items())

    def _member(self, name: str, value: object, *, is_public: bool) -> Step:
        shown = text_of(name, value) if is_public or name in _PLAIN else self.hidden(value)
        meaning = "" if is_public else _MEANINGS.get(name, "not read by a login")
        return Step(title=clean(name), detail=f"{shown} ({meaning})" if meaning else shown)

    def hidden(self, value: object) -> str:
        """Return a value's size and its keyed hash, or the value itself when everything is shown."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if self.everything:
            return clean(text)
        unit = "characters" if isinstance(value, str) else "characters of JSON"
        if self.hash_key is None:
            return f"{len(text)} {unit}"
        digest = hmac.digest(self.hash_key, text.encode("utf-8", "surrogatepass"), "sha256")
        return f"{len(text)} {unit}, #{digest[:_HASH_BYTES].hex()}"


def text_of(name: str, value: object) -> str:
    """Return a value as it is read best; a date as a date."""
    if name in _TIMES and type(value) in {int, float} and isinstance(value, int | float):
        return moment(value) if 0 <= value <= DATE_MAX else clean(str(value))
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return clean(", ".join(value)) or "an empty list"
    return clean(json.dumps(value, ensure_ascii=False))


def moment(seconds: float) -> str:
    """Return a NumericDate as ISO 8601, with a fraction only if it has one."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
