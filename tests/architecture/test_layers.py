"""The house has floors: who may import whom, and who may reach for clock, files, chance and network."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

PACKAGE = "cyberid_client"

# From the ground up. A module imports from floors below its own, and from its own entry (a folder).
FLOORS = (
    ("error_codes",),
    ("errors",),
    ("tracebacks",),
    ("ports",),
    ("models",),
    ("notices",),
    ("privacy.recognisers", "privacy"),
    ("privacy.redaction",),
    ("wire",),
    ("trust",),
    ("config",),
    ("handshake",),
    ("inspection",),
    ("tls", "http_rules", "async_connections"),
    (
        "stores",
        "transport",
        "async_transport",
        "state",
        "status_state",
        "effects",
        "replies",
        "outbound",
        "shared_documents",
    ),
    ("list_memory", "flights", "driver", "async_driver"),
    ("link", "refreshing", "refresher", "health", "status_keeper"),
    ("legs", "async_refresher"),
    ("receiving", "app_legs", "presentation_legs"),
    ("loading",),
    ("client", "aio"),
    ("",),  # the package itself: the front door, which those above use and those below never do
    ("doctor", "integrations"),
    ("testing",),
    ("cli",),
)
FLOOR_OF = {entry: number for number, entries in enumerate(FLOORS) for entry in entries}

# (importing entry, imported entry): classmethods that read files or the environment import the one place
# where that is done, inside their bodies.
UPWARD_EDGES: frozenset[tuple[str, str]] = frozenset({("config", "loading"), ("trust", "loading")})

# A mock that encoded with our encoder would repeat our bugs.
TESTING_IMPORTS = frozenset({"errors", "ports", "testing"})

# What is reached for -> the entries that may. Prefixes of dotted names, after resolving imports; the
# longest that fits decides.
REACHES: dict[str, frozenset[str]] = {
    # clocks
    "time": frozenset({"testing", "cli"}),
    "time.monotonic": frozenset({"transport", "testing", "cli"}),
    "datetime.datetime.now": frozenset({"link", "testing", "cli"}),
    "datetime.datetime.utcnow": frozenset(),
    "datetime.datetime.today": frozenset(),
    "datetime.date.today": frozenset(),
    # chance
    "random": frozenset(),
    "secrets": frozenset({"tls", "errors", "stores", "link", "testing", "cli"}),
    "uuid": frozenset(),
    "os.urandom": frozenset(),
    # files
    "open": frozenset(),
    "os.environ": frozenset({"loading", "cli"}),
    "os.PathLike": frozenset({"loading", "config", "trust"}),
    "io.open": frozenset(),
    "pathlib": frozenset({"cli", "loading"}),
    "tempfile": frozenset({"tls", "testing", "cli"}),
    "shutil": frozenset(),
    "sqlite3": frozenset({"cli"}),
    "importlib.resources": frozenset({"integrations"}),
    # the process and its environment
    "os": frozenset({"cli"}),
    "os.fdopen": frozenset({"tls"}),
    "os.memfd_create": frozenset({"tls"}),
    "os.getpid": frozenset({"transport"}),
    "os.register_at_fork": frozenset(
        {"async_refresher", "trust", "stores", "flights", "outbound", "refreshing", "refresher"}
    ),
    "sys": frozenset({"privacy.redaction", "cli"}),
    "sys.gettrace": frozenset({"testing"}),
    "sys.settrace": frozenset({"testing"}),
    "subprocess": frozenset({"cli"}),
    "multiprocessing": frozenset({"testing"}),
    "threading": frozenset(
        {"trust", "stores", "flights", "outbound", "refreshing", "refresher", "shared_documents", "testing"}
    ),
    # the network
    "socket": frozenset({"transport", "testing", "cli"}),
    "ssl": frozenset({"async_connections", "async_transport", "tls", "transport", "testing"}),
    "http": frozenset({"transport", "testing"}),
    "http.client": frozenset({"transport", "testing"}),
    "urllib.request": frozenset(),
    "requests": frozenset({"transport"}),
    "urllib3": frozenset({"transport"}),
    "httpx2": frozenset({"async_connections", "async_transport"}),
    # code out of data
    "pickle": frozenset(),
    "marshal": frozenset(),
    "eval": frozenset(),
    "exec": frozenset(),
    "importlib": frozenset({""}),
}

# Methods that read or write files, whatever object they are called on.
FILE_METHODS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes"})


def entry_of(module: str) -> str | None:
    """Return the entry of the table that ``module`` belongs to; ``""`` is the package itself."""
    if module == PACKAGE:
        return ""
    inner = module.removeprefix(f"{PACKAGE}.")
    fitting = [entry for entry in FLOOR_OF if inner == entry or inner.startswith(f"{entry}.")]
    return max(fitting, key=len, default=None)


def imports_of(tree: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield (local name, what it is bound to, what is imported) for every import, wherever it stands."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    # `import os.path` binds `os`; `import os.path as path` binds `os.path`.
                    top = name.name.partition(".")[0]
                    yield name.asname or top, name.name if name.asname else top, name.name
            case ast.ImportFrom(module=module, names=names, level=level):
                for name in names:
                    target = f"{'.' * level}{module or ''}.{name.name}"
                    yield name.asname or name.name, target, target


def own_imports_of(tree: ast.Module, modules: dict[str, object]) -> Iterator[str]:
    """Yield the modules of the package that a module imports."""
    for _, _, target in imports_of(tree):
        if target.partition(".")[0] == PACKAGE:
            yield target if target in modules else target.rpartition(".")[0]


def reaches_of(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports or refers to."""
    names = {}
    for local, bound, target in imports_of(tree):
        names[local] = bound
        if not target.startswith("."):
            yield target
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (dotted := _dotted(node, names)):
            yield dotted


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    match node:
        case ast.Name(id=name):
            return names.get(name, name if name in {"open", "eval", "exec"} else None)
        case ast.Attribute(value=value, attr=attr):
            inner = _dotted(value, names)
            return None if inner is None else f"{inner}.{attr}"
    return None


def forbidden(dotted: str, entry: str) -> bool:
    """Tell whether ``entry`` may not reach for ``dotted``."""
    above = [prefix for prefix in REACHES if dotted == prefix or dotted.startswith(f"{prefix}.")]
    # Who may use a part of a module may import the module.
    below = [prefix for prefix in REACHES if prefix.startswith(f"{dotted}.") and entry in REACHES[prefix]]
    return bool(above) and not below and entry not in REACHES[max(above, key=len)]


def test_every_module_has_a_floor(trees):
    """A module that the table does not list has no place in the house."""
    assert [] == [module for module in trees if entry_of(module) is None]


def test_every_floor_has_a_module(trees):
    """The table lists nothing that is not there."""
    assert set(FLOOR_OF) == {entry_of(module) for module in trees}


def test_a_module_imports_only_from_below(trees):
    """No import goes up or sideways, but for the edges that are listed."""
    wrong = []
    for module, tree in trees.items():
        entry = entry_of(module)
        for target in own_imports_of(tree, trees):
            other = entry_of(target)
            if entry == other or (entry, other) in UPWARD_EDGES:
                continue
            if FLOOR_OF[other] >= FLOOR_OF[entry]:
                wrong.append(f"{module} imports {target}")
    assert [] == wrong


def test_every_listed_upward_edge_is_used(trees):
    """An exception that nobody needs any more leaves the list."""
    used = {
        (entry_of(module), entry_of(target))
        for module, tree in trees.items()
        for target in own_imports_of(tree, trees)
    }
    assert set() == UPWARD_EDGES - used


def test_the_mock_shares_nothing_with_the_library(trees):
    """``testing`` imports errors and ports, and nothing else of ours."""
    wrong = [
        f"{module} imports {target}"
        for module, tree in trees.items()
        if entry_of(module) == "testing"
        for target in own_imports_of(tree, trees)
        if entry_of(target) not in TESTING_IMPORTS
    ]
    assert [] == wrong


def test_nothing_but_the_command_line_imports_the_mock(trees):
    """What runs in production never loads what makes test identities."""
    wrong = [
        f"{module} imports {target}"
        for module, tree in trees.items()
        if entry_of(module) not in {"testing", "cli"}
        for target in own_imports_of(tree, trees)
        if entry_of(target) == "testing"
    ]
    assert [] == wrong


def test_imports_are_absolute(trees):
    """A relative import would slip past this page."""
    assert [] == [
        module for module, tree in trees.items() for _, _, name in imports_of(tree) if name.startswith(".")
    ]


def test_nobody_reaches_for_what_belongs_elsewhere(trees):
    """Clock, chance, files, environment and network are used only where the table allows it."""
    wrong = sorted(
        {
            f"{module} uses {dotted}"
            for module, tree in trees.items()
            for dotted in reaches_of(tree)
            if forbidden(dotted, entry_of(module))
        }
    )
    assert [] == wrong


def test_only_the_command_line_reads_files(trees):
    """No object's file methods are called below the command line."""
    wrong = [
        f"{module} calls .{node.attr}"
        for module, tree in trees.items()
        if entry_of(module) != "cli"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FILE_METHODS
    ]
    assert [] == wrong


@pytest.mark.parametrize(
    ("source", "dotted"),
    [
        ("import datetime as dt\ndt.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime\nfield(default_factory=datetime.utcnow)", "datetime.datetime.utcnow"),
        ("from time import time as clock\nclock()", "time.time"),
        ("def f():\n    import os\n    return os.environ['X']", "os.environ"),
        ("from os import getenv", "os.getenv"),
        ("import os.path\nos.getcwd()", "os.getcwd"),
        ("import random", "random"),
        ("open('x')", "open"),
    ],
)
def test_this_page_sees_through_aliases(source, dotted):
    """A forbidden thing is found under any name that an import gives it."""
    assert dotted in set(reaches_of(ast.parse(source)))
    assert forbidden(dotted, "wire")


def test_the_longest_rule_decides():
    """The transport may read the monotonic clock and no other."""
    assert not forbidden("time.monotonic", "transport")
    assert forbidden("time.time", "transport")
    assert not forbidden("json.loads", "wire")


def test_importing_the_package_loads_no_dependency():
    """``import cyberid_client`` pulls in none of the libraries that it stands on."""
    script = "import sys, cyberid_client; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    heavy = {"cryptography", "requests", "urllib3", "jwt", "pydantic", "click", "flask"}
    assert set() == heavy & set(result.stdout.split())


def test_importing_the_client_does_not_load_the_mock():
    """A production process holds no code that makes test identities."""
    script = "import sys; from cyberid_client import Client; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    assert [] == [name for name in result.stdout.split() if name.startswith(f"{PACKAGE}.testing")]


def test_every_public_name_is_there(trees):
    """Every name in every ``__all__`` can be imported."""
    missing = []
    for name in trees:
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(name)
        missing += [
            f"{name}.{public}" for public in getattr(module, "__all__", ()) if not hasattr(module, public)
        ]
    assert [] == missing


def test_an_unknown_name_is_an_attribute_error():
    """The lazy package says of a name that it has not what every module says."""
    package = importlib.import_module(PACKAGE)
    with pytest.raises(AttributeError):
        package.no_such_name  # noqa: B018 - reading it is the test
