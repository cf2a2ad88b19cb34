"""What an inspection says: a tree of steps, without a secret in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from cyberid_client.models import Evidence

__all__ = ["Explanation", "Kind", "Step", "Verdict"]


class Kind(StrEnum):
    """Which document was inspected."""

    ID_TOKEN = "id-token"  # noqa: S105 - the name of a kind
    METADATA = "metadata"
    DISCOVERY = "discovery"
    JWKS = "jwks"
    CHAIN = "chain"
    STATUS_LIST = "status-list"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What is said about one step.

    ``NOT_JUDGED`` is never a pass: something is missing that a login would have. ``NOTE`` explains and
    judges nothing.
    """

    PASSES = "passes"
    FAILS = "fails"
    NOT_JUDGED = "not judged"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the tree.

    Attributes:
        title: the law of a check, or the name of what is explained.
        verdict: what holds.
        detail: why, or the value; identity numbers in it are replaced.
        code: the error code with which a login refuses, when it fails.
        number: of the check, when it is one.
        needs: names of the settings without which it was not judged.
        children: what it consists of.
    """

    title: str
    verdict: Verdict = Verdict.NOTE
    detail: str = ""
    code: str | None = None
    number: str | None = None
    needs: tuple[str, ...] = ()
    children: tuple[Step, ...] = ()

    @property
    def first_failure(self) -> Step | None:
        """The first step that fails, from the top down; itself before its children."""
        if self.verdict is Verdict.FAILS:
            return self
        return first_failure_of(self.children)

    @property
    def is_complete(self) -> bool:
        """Whether nothing in it was left unjudged."""
        return self.verdict is not Verdict.NOT_JUDGED and all(one.is_complete for one in self.children)

    def to_dict(self) -> dict[str, object]:
        """Return the step as JSON has it; what is empty is left out."""
        members: dict[str, object] = {
            "number": self.number,
            "title": self.title,
            "verdict": self.verdict.value,
            "code": self.code,
            "detail": self.detail,
            "needs": list(self.needs),
            "children": [child.to_dict() for child in self.children],
        }
        return {name: value for name, value in members.items() if value}


def first_failure_of(steps: Iterable[Step]) -> Step | None:
    """Return the first step that fails, in the order in which a login would meet them."""
    return next((found for step in steps if (found := step.first_failure)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What one document is, and what a login would say to it.

    Attributes:
        kind: which document it was taken for.
        steps: the tree.
        evidence: ``Login.evidence`` of the login that this assertion would make; only for an assertion
            that passes every check.
    """

    kind: Kind
    steps: tuple[Step, ...]
    evidence: Evidence | None = None

    @property
    def verdict(self) -> Verdict:
        """``FAILS`` if any step fails, ``PASSES`` if every step was judged, else ``NOT_JUDGED``."""
        if first_failure_of(self.steps) is not None:
            return Verdict.FAILS
        is_complete = all(step.is_complete for step in self.steps)
        return Verdict.PASSES if is_complete else Verdict.NOT_JUDGED

    @property
    def code(self) -> str | None:
        """The code with which a login would refuse: that of the first failure."""
        failure = first_failure_of(self.steps)
        return None if failure is None else failure.code

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of all settings that would have to be given to judge what was not judged."""
        return tuple(dict.fromkeys(name for step in self.steps for name in _needs_of(step)))

    def to_dict(self) -> dict[str, object]:
        """Return the explanation as JSON has it; times are ISO 8601."""
        evidence = None
        if self.evidence is not None:
            evidence = {name: _as_json(value) for name, value in asdict(self.evidence).items()}
        return {
            "kind": self.kind.value,
            "verdict": self.verdict.value,
            "code": self.code,
            "needs": list(self.needs),
            "steps": [step.to_dict() for step in self.steps],
            "evidence": evidence,
        }


def _needs_of(step: Step) -> Iterable[str]:
    yield from step.needs
    for child in step.children:
        yield from _needs_of(child)


def _as_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
