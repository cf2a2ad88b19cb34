"""Write the pages of this folder that are made from the code: ``python docs/generate.py [--check]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import checklists
from cyberid_client.handshake.parsing import PARSING

HERE = Path(__file__).parent

DOCUMENTS = (
    ("Discovery page", "discovery", checklists.DISCOVERY),
    ("Signed metadata", "metadata", checklists.METADATA),
    ("Answer to the pushed request", "par", checklists.PAR_RESPONSE),
    ("Authorization response", "callback", checklists.AUTHORIZATION_RESPONSE),
    ("Token response", "token", checklists.TOKEN_RESPONSE),
    ("Assertion (ID token)", "id_token", checklists.ID_TOKEN),
)


def codes_of(patterns: Iterable[str], document: str) -> list[str]:
    """Return the catalogue's codes behind ``*.suffix``, ``prefix.*`` and plain codes."""
    codes: list[str] = []
    for pattern in patterns:
        if pattern.startswith("*."):
            codes += [code for code in CATALOGUE if code == f"{document}{pattern[1:]}"]
        elif pattern.endswith(".*"):
            codes += [code for code in CATALOGUE if code.startswith(pattern[:-1])]
        else:
            codes.append(pattern)
    return codes


def _row(number: str, law: str, clause: str, codes: Iterable[str]) -> str:
    shown = ", ".join(f"`{code}`" for code in codes) or "–"
    return f"| {number} | {law} | {clause} | {shown} |"


def checklist() -> str:
    """Return the page of all checks."""
    lines = [
        "# The checklist",
        "",
        "What is refused, in the order in which it is looked at. Numbers beginning with `E` and `A` are those of",
        "the normative list of checks, numbers beginning with `P` sections of the profile. This page is made from",
        "`cyberid_client/handshake/checklists.py`, which is what runs.",
        "",
        "## While parsing",
        "",
        "No value that breaks one of these rules exists after parsing.",
        "",
        "| number | law | clause | codes |",
        "|---|---|---|---|",
        *(_row(rule.number, rule.law, rule.clause, rule.codes) for rule in PARSING),
    ]
    for title, document, checks in DOCUMENTS:
        lines += ["", f"## {title}", "", "| number | law | clause | codes |", "|---|---|---|---|"]
        lines += [_row(each.number, each.law, each.clause, codes_of(each.codes, document)) for each in checks]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {"checklist.md": checklist}


def main() -> int:
    """Write the pages, or with ``--check`` say which of them are not current."""
    stale = [name for name, make in PAGES.items() if not _is_current(HERE / name, make())]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is not current; run: python docs/generate.py\n")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    raise SystemExit(main())
