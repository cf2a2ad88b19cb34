"""Every public module in a fresh interpreter in which every warning is an error."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import cyberid_client

MODULES = sorted(
    each.name
    for each in pkgutil.walk_packages(cyberid_client.__path__, f"{cyberid_client.__name__}.")
    if not each.name.rpartition(".")[2].startswith("_")
)
# Where users import from; every other module is imported by one of these.
FRONT = [
    "cyberid_client",
    *(
        f"cyberid_client.{name}"
        for name in ("client", "config", "error_codes", "errors", "handshake", "models")
    ),
    *(f"cyberid_client.{name}" for name in ("ports", "stores", "testing", "transport", "trust", "cli")),
    *(f"cyberid_client.privacy.{name}" for name in ("recognisers", "redaction")),
]


def _import(*names: str) -> tuple[int, str, str]:
    script = "\n".join(f"import {name}" for name in names)
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", FRONT)
def test_a_public_module_is_imported_first_without_a_warning(name):
    """Alone, as the first of all: no cycle, no warning, not a word."""
    assert (0, "", "") == _import(name)


@pytest.mark.slow
def test_every_module_is_imported_without_a_warning():
    """All of them in one interpreter, those that nobody should import included."""
    assert set(FRONT) - {"cyberid_client"} <= set(MODULES)
    assert (0, "", "") == _import(*MODULES)
    assert (0, "", "") == _import(*reversed(MODULES))


def test_every_name_of_the_package_is_there_without_a_warning():
    """The lazy names, each asked for once."""
    names = ", ".join(cyberid_client.__all__)
    assert (0, "", "") == _import(f"sys; from cyberid_client import {names}")
