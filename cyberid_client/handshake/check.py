"""What a check is, and the runner."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Check", "check", "run_checks"]

S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Check(Generic[S_contra]):
    """One rule: it compares, and raises or returns nothing.

    Attributes:
        number: of the rule: ``E…`` the normative list of checks, ``P…`` a section of the profile.
        law: the rule in one sentence.
        clause: the clause of the standard that it comes from.
        codes: the codes that it raises; ``*`` stands for the document's own prefix.
        function: takes the subject.
    """

    number: str
    law: str
    clause: str
    codes: tuple[str, ...]
    function: Callable[[S_contra], None]

    @property
    def name(self) -> str:
        """The function's name, by which tests address the check."""
        return self.function.__name__

    def __call__(self, subject: S_contra) -> None:
        """Judge the subject."""
        self.function(subject)


def check(
    number: str, law: str, *, clause: str, codes: Iterable[str]
) -> Callable[[Callable[[S], None]], Check[S]]:
    """Make a check of a function; see :class:`Check` for the arguments."""

    def decorate(function: Callable[[S], None]) -> Check[S]:
        return Check(number, law, clause, tuple(codes), function)

    return decorate


def run_checks(checks: tuple[Check[S], ...], subject: S) -> None:
    """Run the checks in their order; the first that fails raises.

    Private to the handshakes: public functions take no steps, so none can be left out.
    """
    for each in checks:
        each.function(subject)
