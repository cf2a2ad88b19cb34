"""Pages of the documentation as a list of fenced blocks, and a place in which a page's code runs."""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*sorted(DOCS.glob("*.md")), *ROOT.glob("README.md"))
}
_FENCE = re.compile(r" *(?P<mark>`{3,}|~{3,}|:{3,})(?P<language>[^\s`]*)[^`]*")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: the first word behind the fence.
        text: without the fence.
        line: of the first line of the text, counted from 1.
        follows: the block that ends directly before it, with nothing but empty lines between.
    """

    language: str
    text: str
    line: int
    follows: Block | None


def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page in their order (CommonMark §4.5)."""
    blocks: list[Block] = []
    mark, language, body, begin, neighbour = "", "", [], 0, None
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.fullmatch(line)
        if mark and fence and fence["mark"].startswith(mark) and not fence["language"]:
            neighbour = Block(language=language, text="\n".join(body), line=begin, follows=neighbour)
            blocks.append(neighbour)
            mark = ""
        elif mark:
            body.append(line)
        elif fence:
            mark, language, body, begin = fence["mark"], fence["language"], [], number + 1
        elif line.strip():
            neighbour = None
    assert "" == mark, "a fence is not closed"
    return blocks


def run_block(block: Block, namespace: dict[str, object], path: str) -> str:
    """Run a block of Python and return what it printed; a traceback names page and line."""
    code = compile("\n" * (block.line - 1) + block.text, path, "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)  # noqa: S102 - running the page is the test
    return printed.getvalue().strip()


def is_shown(printed: str, shown: str) -> bool:
    """Tell whether this is what the page shows; ``…`` there stands for what differs from run to run."""
    parts = [re.escape(part) for part in shown.strip().split("…")]
    return re.fullmatch(".+?".join(parts), printed) is not None


@pytest.fixture
def quiet_logger() -> Iterator[None]:
    """Put the library's logger back as it was, whatever a page did to it."""
    logger = logging.getLogger("cyberid_client")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)
