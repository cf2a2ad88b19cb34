"""Every block of Python in the documentation runs, and what it is said to print is what it prints."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import re
import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import cyberid_client
from cyberid_client import (
    AppLaunchSettings,
    Assurance,
    Client,
    HTTPLimits,
    RelyingParty,
    WalletSettings,
)
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.handshake import checklists
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.parsing import PARSING, STATUS_LOOK_UP
from cyberid_client.testing import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    EVENT_FAULTS,
    EVENT_ODDITIES,
    FAULTS,
    LOGOUT_FAULTS,
    LOGOUT_ODDITIES,
    ODDITIES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    WALLET_FAULTS,
    WALLET_ODDITIES,
)
from cyberid_client.wire.assertion import ASSERTION_MAX_BYTES
from cyberid_client.wire.callback import CALLBACK_MAX_BYTES
from cyberid_client.wire.jwks import JWKS_MAX_BYTES
from cyberid_client.wire.metadata import METADATA_MAX_BYTES
from cyberid_client.wire.responses import DISCOVERY_MAX_BYTES, PAR_MAX_BYTES, TOKEN_MAX_BYTES

from .conftest import DOCS, PAGES, ROOT, blocks_of, is_shown, run_block

PACKAGE = Path(cyberid_client.__file__).parent
PYTHON_PAGES = sorted(path for path, page in PAGES.items() if "```python" in page)
# Languages of blocks that are read and not run; any other word is a spelling that would escape the tests.
NOT_RUN = {"text", "console", "toml", "json", "{toctree}", "{eval-rst}"}
GENERATED = {f"docs/{name}" for name in runpy.run_path(str(DOCS / "generate.py"))["PAGES"]}
WRITTEN = sorted(PAGES.keys() - GENERATED)

_PYTHON_FENCE = re.compile(
    r"^\s*(?:>\s*)*[`~:]{3,}\s*(?:\{[\w-]+\}\s*)?(?:py|python|pycon|python3)\b", re.MULTILINE | re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.§])(?:[EP]\d+\.\d+[a-z]?|A2)(?![\w.]*\d)")
_SECTIONS = {code.partition(".")[0] for code in CATALOGUE}
_QUOTED = re.compile(r"`([a-z_]+\.[a-z_0-9]+)`")


@pytest.mark.parametrize("path", PYTHON_PAGES)
@pytest.mark.usefixtures("quiet_logger")
def test_the_code_of_a_page_runs_from_top_to_bottom(path):
    """The blocks of a page run in their order in one namespace, and print what stands below them."""
    namespace: dict[str, object] = {"__name__": "page"}
    blocks = blocks_of(PAGES[path])
    shown = {block.follows.line: block.text for block in blocks if block.follows and block.language == "text"}
    for block in blocks:
        if block.language == "python":
            printed = run_block(block, namespace, path)
            expected = shown.get(block.line, "")
            assert is_shown(printed, expected), f"{path}:{block.line} printed:\n{printed}"


@pytest.mark.parametrize("path", sorted(PAGES))
def test_no_block_of_python_is_left_out(path):
    """Whatever looks like Python is a block that runs; every other block says what it is."""
    blocks = blocks_of(PAGES[path])
    assert len(_PYTHON_FENCE.findall(PAGES[path])) == sum(block.language == "python" for block in blocks)
    assert [] == [
        f"{block.line}: {block.language}" for block in blocks if block.language not in {"python", *NOT_RUN}
    ]


@pytest.mark.parametrize("path", WRITTEN)
def test_a_check_that_a_page_cites_exists(path):
    """A number in the text is the number of a check."""
    assert set() == set(_NUMBER.findall(PAGES[path])) - _check_numbers()


@pytest.mark.parametrize("path", WRITTEN)
def test_a_code_that_a_page_cites_exists(path):
    """What looks like an error code in the text is one, or the name of a fault or oddity."""
    cited = {name for name in _QUOTED.findall(PAGES[path]) if name.partition(".")[0] in _SECTIONS}
    posted = {*LOGOUT_FAULTS, *EVENT_FAULTS, *LOGOUT_ODDITIES, *EVENT_ODDITIES}
    answered = {*RECEIPT_FAULTS, *RECEIPT_ODDITIES}
    shown = {*CREDENTIAL_FAULTS, *CREDENTIAL_ODDITIES, *WALLET_FAULTS, *WALLET_ODDITIES}
    assert set() == cited - CATALOGUE.keys() - FAULTS.keys() - ODDITIES.keys() - posted - answered - shown


def _check_numbers() -> set[str]:
    tuples = [value for value in vars(checklists).values() if isinstance(value, tuple)]
    checks = {each.number for each_tuple in tuples for each in each_tuple if isinstance(each, Check)}
    numbers = checks | {rule.number for rule in (*PARSING, *STATUS_LOOK_UP)}
    # "E1.1" stands for E1.1a and E1.1b together.
    return numbers | {number.rstrip("abcd") for number in numbers}


@pytest.mark.parametrize("kind", [RelyingParty, AppLaunchSettings, WalletSettings, HTTPLimits])
def test_every_setting_is_described_with_its_default(kind):
    """The page of settings has one row for each, and the default in it is the real one."""
    expected = {each.name: _default_of(each) for each in dataclasses.fields(kind) if each.init}
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", _section_of(kind.__name__), re.MULTILINE))
    assert expected == rows


def test_every_argument_of_the_client_is_described():
    """The page of settings has a row for each thing that a client takes beside the configuration."""
    section = PAGES["docs/configuration.md"].partition("## What `Client` takes")[2].partition("\n## ")[0]
    taken = [name for name in inspect.signature(Client).parameters if name != "rp"]
    assert taken == re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def _section_of(name: str) -> str:
    return PAGES["docs/configuration.md"].partition(f"## `{name}`")[2].partition("\n## ")[0]


def _default_of(each: dataclasses.Field[object]) -> str:
    if each.default_factory is not dataclasses.MISSING:
        spelt = {
            "purposes": "`PurposeTable.builtin()`",
            "http": "`HTTPLimits()`",
            "outcomes": "`{'C0000000': AppOutcome.SUCCESS}`",
        }
        return spelt.get(each.name, f"`{each.default_factory()!r}`")
    if each.default is dataclasses.MISSING:
        return "required"
    is_mode = isinstance(each.default, Assurance)
    return f"`Assurance.{each.default.name}`" if is_mode else f"`{each.default!r}`"


def test_the_runner_sees_what_a_page_does_not_print():
    """A page that shows other words than its code prints is found out, and ``…`` stands for one thing."""
    page = 'One.\n\n```python\nprint("a", "b")\n```\n\n```text\na …\n```\n'
    python, text = blocks_of(page)
    assert ("python", "text", python) == (python.language, text.language, text.follows)
    assert is_shown(run_block(python, {}, "page.md"), text.text)
    assert not is_shown("a b", "a c")


def test_every_dependency_has_its_reason():
    """What ``pyproject.toml`` asks for stands in the page of decisions, with the reason for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["project"]["dependencies"],
        *itertools.chain(*project["project"]["optional-dependencies"].values()),
        *itertools.chain(*project["dependency-groups"].values()),
    ]
    names = {re.split("[^A-Za-z0-9_.-]", each)[0] for each in asked if isinstance(each, str)}
    section = PAGES["docs/decisions.md"].partition("## Dependencies")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    assert names == {name for row in rows for name in re.findall("`(.+?)`", row)}


@pytest.mark.parametrize(
    ("what", "limit"),
    [
        ("callback", CALLBACK_MAX_BYTES),
        ("discovery page, signed metadata, assertion", DISCOVERY_MAX_BYTES),
        ("discovery page, signed metadata, assertion", METADATA_MAX_BYTES),
        ("discovery page, signed metadata, assertion", ASSERTION_MAX_BYTES),
        ("key set", JWKS_MAX_BYTES),
        ("answer to the pushed request", PAR_MAX_BYTES),
        ("token response", TOKEN_MAX_BYTES),
    ],
)
def test_a_limit_is_the_real_one(what, limit):
    """The sizes on the page of settings are those of the parsers."""
    assert f"| {what} | {limit // 1024} KiB" in PAGES["docs/configuration.md"]


def test_every_public_module_is_described():
    """The page of the API has each module of the listing of public names; the front door offers theirs."""
    listing = (ROOT / "tests/architecture/public_api.txt").read_text(encoding="utf-8")
    modules = set(re.findall(r"^\S+$", listing, re.MULTILINE)) - {"cyberid_client"}
    described = re.findall(r"^\.\. automodule:: (\S+)$", PAGES["docs/api.md"], re.MULTILINE)
    assert modules == modules & set(described)


def test_every_line_of_the_log_is_explained():
    """What the library may write to the log stands on the page for operators."""
    said = {
        literal for path in PACKAGE.rglob("*.py") for literal in _logged(ast.parse(path.read_text("utf-8")))
    }
    assert {literal for literal in said if _first_words(literal) in PAGES["docs/operations.md"]} == said


def _logged(tree: ast.Module) -> Iterator[str]:
    """Yield the formats of all calls on a logger."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            is_logger = ast.unparse(node.func.value) in {"logger", "_logger"}
            if is_logger and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                yield node.args[0].value


def _first_words(literal: str) -> str:
    """Return the first piece of a format with two words in it, else the longest."""
    pieces = [piece.strip() for piece in re.split(r"%\w|[:,]", literal)]
    return next((piece for piece in pieces if " " in piece), max(pieces, key=len))
