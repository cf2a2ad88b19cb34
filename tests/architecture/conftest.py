"""The package's own source, as it is installed, read once."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

PACKAGE = "cyberid_client"


@pytest.fixture(scope="session")
def sources() -> dict[str, str]:
    """Return the text of every module of the package by its dotted name."""
    spec = importlib.util.find_spec(PACKAGE)
    root = Path(spec.submodule_search_locations[0])
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def trees(sources) -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the package by its dotted name."""
    return {name: ast.parse(text) for name, text in sources.items()}
