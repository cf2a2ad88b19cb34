"""House rules for the tests themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def test_trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every file of tests by its path."""
    return {
        str(path.relative_to(TESTS)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(TESTS.rglob("*.py"))
    }


def _test_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def test_every_test_states_its_law(test_trees):
    """Each test says in one sentence what holds."""
    silent = [
        f"{path}:{function.lineno} {function.name}"
        for path, tree in test_trees.items()
        for function in _test_functions(tree)
        if not (ast.get_docstring(function) or "").endswith((".", "!", "?")) and not _is_fixture(function)
    ]
    assert [] == silent


def _is_fixture(function: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(mark) for mark in function.decorator_list)


# Services that a machine may lack: one fixture says so, and fails where all must be there.
MAY_SKIP = "conftest.py"


def test_nothing_is_patched_skipped_or_expected_to_fail(test_trees):
    """If a test needs a patch, a parameter is missing; a test that does not run says nothing."""
    banned = (
        "monkeypatch.setattr",
        "monkeypatch.setitem",
        "mock.",
        "unittest",
        "pytest.skip",
        "mark.skip",
        "mark.xfail",
    )
    wrong = [
        f"{path}:{node.lineno} {dotted}"
        for path, tree in test_trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.alias)
        and (dotted := node.name if isinstance(node, ast.alias) else ast.unparse(node))
        and any(word in f"{dotted}." for word in banned)
        and (path, dotted) != (MAY_SKIP, "pytest.skip")
    ]
    assert [] == wrong
