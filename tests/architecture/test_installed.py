"""The tests judge what users get."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import cyberid_client


def test_the_installed_package_is_tested():
    """When the tests are run against the wheel, the package comes from site-packages."""
    home = Path(cyberid_client.__file__).resolve().parent.parent
    installed = home == Path(sysconfig.get_paths()["purelib"]).resolve()
    assert installed or os.environ.get("CYBERID_WHEEL") != "1"


def test_the_package_is_typed():
    """The marker of PEP 561 is shipped."""
    assert (Path(cyberid_client.__file__).parent / "py.typed").is_file()
