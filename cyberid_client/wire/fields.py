"""Typed readers over a parsed JSON object: what they return has the type that they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.wire.refusal import refusal

__all__ = ["DATE_MAX", "Fields", "as_texts"]

# 9999-01-01T00:00:00Z. One year is left before the last date that a datetime can hold, so that
# whoever adds a leeway to a received date stays inside its range.
DATE_MAX: Final = 253_370_764_800


@dataclass(frozen=True, slots=True)
class Fields:
    """The members of one document, read by type.

    A member with the value ``null`` is there and has a wrong type. A text is never empty, because
    an empty one is a trap for whoever tests for absence by truth.

    Attributes:
        document: the prefix of the error codes.
        members: as :func:`~cyberid_client.wire.strict_json.parse_json_object` returned them.
    """

    document: str
    members: Mapping[str, object] = field(repr=False)

    def text(self, name: str) -> str:
        """Return a required text.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type``.
        """
        value = self.members.get(name)
        if type(value) is str and value:
            return value
        raise self._refusal(name)

    def inner(self, name: str) -> Fields:
        """Return a required object, to be read in the same way.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type``.
        """
        value = self.members.get(name)
        if type(value) is dict:
            return Fields(self.document, value)
        raise self._refusal(name)

    def optional_inner(self, name: str) -> Fields:
        """Return an object as :meth:`inner` does, or one without members when the member is absent.

        Raises:
            VerificationError: ``claim_type``.
        """
        return self.inner(name) if name in self.members else Fields(self.document, {})

    def optional_text(self, name: str, *, wrong: str = "claim_type") -> str | None:
        """Return a text, or ``None`` when the member is absent.

        Args:
            name: of the member.
            wrong: the last part of the error code for another type.

        Raises:
            VerificationError: the code that ``wrong`` names.
        """
        value = self.members.get(name)
        if (type(value) is str and value) or (value is None and name not in self.members):
            return value
        raise refusal(self.document, wrong)

    def each_optional_text(self, *names: str) -> list[str | None]:
        """Return several texts in the order of their names, each as :meth:`optional_text` does.

        Raises:
            VerificationError: ``claim_type``.
        """
        members = self.members
        texts = []
        for name in names:
            value = members.get(name)
            if not ((type(value) is str and value) or (value is None and name not in members)):
                raise self._refusal(name)
            texts.append(value)
        return texts

    def optional_number(self, name: str, *, wrong: str = "claim_type") -> int | float | None:
        """Return a number, never a truth value, or ``None`` when the member is absent.

        Args:
            name: of the member.
            wrong: the last part of the error code for another type.

        Raises:
            VerificationError: the code that ``wrong`` names.
        """
        value = self.members.get(name)
        if type(value) is int or type(value) is float:
            return value
        if value is None and name not in self.members:
            return None
        raise refusal(self.document, wrong)

    def integer(self, name: str) -> int:
        """Return a required whole number without fraction or exponent, never a truth value.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type``.
        """
        value = self.members.get(name)
        if type(value) is int:
            return value
        raise self._refusal(name)

    def date(self, name: str) -> float:
        """Return a required NumericDate, which may be fractional (RFC 7519 §2).

        Returns:
            Seconds since 1970, from 0 to :data:`DATE_MAX`.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type``.
        """
        value = self.members.get(name)
        if (type(value) is int or type(value) is float) and 0 <= value <= DATE_MAX:
            return float(value)
        raise self._refusal(name)

    def optional_date(self, name: str) -> float | None:
        """Return a NumericDate as :meth:`date` does, or ``None`` when the member is absent.

        Raises:
            VerificationError: ``claim_type``.
        """
        return self.date(name) if name in self.members else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a required list of texts, which may be empty.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type``.
        """
        texts = as_texts(self.members.get(name))
        if texts is None:
            raise self._refusal(name)
        return texts

    def optional_texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, or ``None`` when the member is absent.

        Raises:
            VerificationError: ``claim_type``.
        """
        if name not in self.members:
            return None
        texts = as_texts(self.members[name])
        if texts is None:
            raise self._refusal(name)
        return texts

    def audience(self) -> tuple[str, ...]:
        """Return ``aud``: one text, or a list of at least one in which none stands twice.

        Raises:
            VerificationError: ``claim_missing``, ``claim_type`` (RFC 7519 §4.1.3).
        """
        value = self.members.get("aud")
        if type(value) is str and value:
            return (value,)
        texts = as_texts(value)
        if not texts or len(set(texts)) != len(texts):
            raise self._refusal("aud")
        return texts

    def flag(self, name: str) -> bool:
        """Return a truth value; an absent one is false.

        Raises:
            VerificationError: ``claim_type``.
        """
        value = self.members.get(name, False)
        if type(value) is bool:
            return value
        raise self._refusal(name)

    def _refusal(self, name: str) -> VerificationError:
        kind = "claim_type" if name in self.members else "claim_missing"
        return refusal(self.document, kind)


def as_texts(value: object) -> tuple[str, ...] | None:
    """Return a JSON list of non-empty texts as a tuple, anything else as ``None``."""
    if type(value) is not list:
        return None
    for item in value:
        if type(item) is not str or not item:
            return None
    return tuple(value)
