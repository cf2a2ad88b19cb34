"""The public names and their signatures stand in ``public_api.txt``; they change on purpose only.

``make api`` writes the listing anew. It is read off the source, so that it is the same under every
version of Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

LISTING = Path(__file__).with_name("public_api.txt")

# The modules that users import from. All others are our own affair.
PUBLIC = (
    "cyberid_client",
    "cyberid_client.aio",
    "cyberid_client.config",
    "cyberid_client.doctor",
    "cyberid_client.error_codes",
    "cyberid_client.errors",
    "cyberid_client.handshake",
    "cyberid_client.inspection",
    "cyberid_client.integrations.fastapi",
    "cyberid_client.integrations.flask",
    "cyberid_client.integrations.web",
    "cyberid_client.models",
    "cyberid_client.notices",
    "cyberid_client.ports",
    "cyberid_client.privacy.recognisers",
    "cyberid_client.privacy.redaction",
    "cyberid_client.stores",
    "cyberid_client.stores.redis",
    "cyberid_client.stores.sql",
    "cyberid_client.testing",
    "cyberid_client.testing.store_async",
    "cyberid_client.testing.store_conformance",
    "cyberid_client.testing.store_replay",
    "cyberid_client.transport",
    "cyberid_client.trust",
)


def list_api(trees: Mapping[str, ast.Module]) -> str:
    """Return the listing: modules, their public names, and each name's shape."""
    lines = []
    for module in PUBLIC:
        lines.append(module)
        for name in sorted(_public_names(trees[module])):
            home, node = _find(trees, module, name)
            # A name that two modules offer is described where it is at home, and once.
            offered = [other for other in PUBLIC[1:] if name in _public_names(trees[other])]
            if module == PUBLIC[0] and offered:
                lines.append(f"    {name} = {offered[0]}.{name}")
            elif home != module and home in PUBLIC:
                lines.append(f"    {name} = {home}.{name}")
            else:
                lines += [f"    {line}" for line in _describe(name, node)]
        lines.append("")
    return "\n".join(lines)


def _public_names(tree: ast.Module) -> list[str]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
    return []


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])
        else:
            yield node


def _find(trees: Mapping[str, ast.Module], module: str, name: str) -> tuple[str, ast.stmt]:
    """Follow ``name`` from ``module`` through imports to the statement that defines it."""
    for node in _statements(trees[module].body):
        match node:
            case ast.ClassDef(name=found) | ast.FunctionDef(name=found) | ast.AsyncFunctionDef(name=found):
                if found == name:
                    return module, node
            case ast.Assign(targets=[ast.Name(id=found)]) | ast.AnnAssign(target=ast.Name(id=found)):
                if found == name:
                    return module, node
            case ast.ImportFrom(module=origin, names=aliases):
                for alias in aliases:
                    if (alias.asname or alias.name) == name:
                        return _find(trees, origin, alias.name)
    message = f"{module}.{name} is in __all__ but is not defined"
    raise LookupError(message)


def _describe(name: str, node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield _signature(node)
        case ast.ClassDef():
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            yield f"class {name}({bases})" if bases else f"class {name}"
            for line in sorted(_members(node)):
                yield f"    {line}"
        case ast.AnnAssign(annotation=annotation):
            yield f"{name}: {ast.unparse(annotation)}"
        case ast.Assign(value=value):
            yield f"{name} = {ast.unparse(value)}"


def _members(owner: ast.ClassDef) -> Iterator[str]:
    for node in owner.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name == "__init__" or not name.startswith("_"):
                    marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
                    yield marks + _signature(node)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                if not name.startswith("_"):
                    yield f"{name}: {ast.unparse(annotation)}" + (_default(value) if value else "")
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if not name.startswith("_"):
                    yield f"{name}{_default(value)}"


def _default(value: ast.expr) -> str:
    match value:
        case ast.Call(func=ast.Name(id="field"), keywords=keywords):
            # What counts is whether a value may be left out, and which; not how it is shown.
            defaults = [word for word in keywords if word.arg in {"default", "default_factory"}]
            return f" = {ast.unparse(defaults[0].value)}" if defaults else ""
    return f" = {ast.unparse(value)}"


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    return f"{word} {node.name}({ast.unparse(node.args)}){returns}"


def test_the_public_api_is_the_listed_one(trees):
    """A public name or signature changes together with the listing: run ``make api`` and look at the diff."""
    assert LISTING.read_text(encoding="utf-8") == list_api(trees)


def test_a_public_name_that_is_not_defined_is_found(trees):
    """The listing does not pass over a name in silence."""
    with pytest.raises(LookupError):
        list_api({**trees, "cyberid_client": ast.parse("__all__ = ['Nothing']")})


def _write() -> None:
    root = Path(__file__).resolve().parents[2]
    trees = {}
    for path in sorted((root / "cyberid_client").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        trees[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(
            path.read_text(encoding="utf-8")
        )
    LISTING.write_text(list_api(trees), encoding="utf-8")


if __name__ == "__main__":
    _write()
