"""An explanation on paper: a tree for people, JSON for machines."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import click

from cyberid_client.inspection import Explanation, Step, Verdict

__all__ = ["print_json", "print_tree"]

_WIDTH: Final = 104
_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.PASSES: "✓ passes",
    Verdict.FAILS: "✗ FAILS",
    Verdict.NOT_JUDGED: "? not judged",
}
_COLOURS: Final[Mapping[Verdict, str]] = {
    Verdict.PASSES: "green",
    Verdict.FAILS: "red",
    Verdict.NOT_JUDGED: "yellow",
}
_WORD_WIDTH: Final = 12
# Settings that have another name as an option.
_OPTIONS: Final[Mapping[str, str]] = {
    "trust": "--roots",
    "crls": "--crl",
    "age_band": "--age-band or --no-age-band",
}


def print_json(explanation: Explanation) -> None:
    """Print the whole explanation as one JSON object."""
    click.echo(json.dumps(explanation.to_dict(), indent=2))


def print_tree(explanation: Explanation) -> None:
    """Print the explanation as a tree, and the verdict below it; colours only on a terminal."""
    _say(click.style(f"Document: {explanation.kind}", bold=True))
    steps = explanation.steps
    if explanation.evidence is not None:
        steps = (*steps, _evidence(explanation))
    for line in _lines(steps, ""):
        _say(line)
    _say(click.style(_summary(explanation), bold=True, fg=_COLOURS.get(explanation.verdict)))


def _say(line: str) -> None:
    # A terminal without these characters gets question marks, not a traceback.
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(line.encode(encoding, "replace").decode(encoding))


def _lines(steps: Iterable[Step], prefix: str) -> Iterator[str]:
    steps = list(steps)
    for place, step in enumerate(steps, start=1):
        branch, below = ("└─ ", "   ") if place == len(steps) else ("├─ ", "│  ")
        hanging = prefix + below + ("│  " if step.children else "   ")
        text = _text(step)
        first, *rest = textwrap.wrap(
            text, _WIDTH - len(hanging), break_long_words=False, break_on_hyphens=False
        ) or [""]
        yield prefix + branch + _coloured(first, step.verdict)
        yield from (hanging + line for line in rest)
        yield from _lines(step.children, prefix + below)


def _text(step: Step) -> str:
    if step.verdict is Verdict.NOTE:
        return f"{step.title}: {step.detail}" if step.detail else step.title
    head = f"{_WORDS[step.verdict].ljust(_WORD_WIDTH)} {f'{step.number} ' if step.number else ''}{step.title}"
    reason = [part for part in (step.code, _needs(step.needs), step.detail) if part]
    return f"{head} – {': '.join(reason)}" if reason else head


def _needs(needs: Iterable[str]) -> str:
    options = [_OPTIONS.get(name, "--" + name.replace("_", "-")) for name in needs]
    return f"needs {', '.join(options)}" if options else ""


def _coloured(line: str, verdict: Verdict) -> str:
    word = _WORDS.get(verdict, "")
    if not word:
        return line
    return click.style(word, fg=_COLOURS[verdict]) + line.removeprefix(word)


def _evidence(explanation: Explanation) -> Step:
    evidence = explanation.to_dict()["evidence"]
    items = evidence.items() if isinstance(evidence, dict) else ()
    children = tuple(
        Step(title=name, detail=", ".join(value) if isinstance(value, list) else str(value))
        for name, value in items
    )
    return Step(title="Evidence, as Login.evidence has it", children=children)


def _summary(explanation: Explanation) -> str:
    match explanation.verdict:
        case Verdict.PASSES:
            return "Verdict: everything passes."
        case Verdict.FAILS:
            code = explanation.code
            return "Verdict: refused." if code is None else f"Verdict: refused with {code}."
        case _:
            needs = _needs(explanation.needs)
            return f"Verdict: nothing fails, but not everything was judged{f'; it {needs}' if needs else ''}."
