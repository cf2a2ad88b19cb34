"""Texts that never show themselves."""

from __future__ import annotations

from typing import Never

__all__ = ["Secret", "keep_secret"]


class Secret(str):
    """A text that prints redacted: in a ``repr``, and so among the local variables of a traceback.

    Wherever it is written, formatted or sent it is the text itself. It refuses to be pickled and to be
    copied deeply, and with it ``dataclasses.asdict`` of whatever holds it.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(redacted)"

    def __reduce_ex__(self, protocol: object) -> Never:
        message = "a secret is not written out; str() gives the text"
        raise TypeError(message)


def keep_secret(value: object, *names: str) -> None:
    """Make the named text fields of a frozen dataclass :class:`Secret`; ``None`` stays."""
    for name in names:
        text = getattr(value, name)
        if text is not None:
            object.__setattr__(value, name, Secret(text))
