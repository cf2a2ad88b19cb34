"""The README says what is true: its login is the shop's, its commands exist, its tables are complete."""

from __future__ import annotations

import re

import pytest

from cyberid_client import errors

from .conftest import PAGES, ROOT, blocks_of, run_block

README = PAGES["README.md"]
LOGIN = next(block for block in blocks_of(README) if "def on_login" in block.text)
CLASS_ROWS = re.findall(r"^\| `(\w+Error)` \|(.+)$", README, re.MULTILINE)


def test_the_login_lets_in_the_browser_that_began_it():
    """The README's app logs a browser in and keeps another one out."""
    names: dict[str, object] = {"__name__": "readme"}
    run_block(LOGIN, names, "README.md")
    shop, stranger = names["app"].test_client(), names["app"].test_client()
    page = {"base_url": "https://shop.example", "headers": {"Sec-Fetch-Site": "same-origin"}}
    away = shop.post("/cyberid/login", **page)
    callback = names["issuer"].authorize(away.location, person="traveller")
    assert stranger.get(callback).status_code == 400
    assert (shop.get(callback).status_code, len(names["users"])) == (303, 2)


def test_the_error_table_has_every_class():
    """Each class right below the root has a row of its own, and every class is named in the table."""
    root = errors.CyberIDError
    assert [name for name, _ in CLASS_ROWS] == [one.__name__ for one in root.__subclasses__()]
    named = {name for name, _ in CLASS_ROWS} | set(re.findall(r"`(\w+Error)`", str(CLASS_ROWS)))
    assert named == {name for name in errors.__all__ if name.endswith("Error")} - {root.__name__}


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)[^)]*\)", README))
def test_links_lead_somewhere(target):
    """A link of the README leads to a file or folder of this project."""
    assert (ROOT / target).exists()


def test_the_commands_exist():
    """What is said to be typed is there, targets of the Makefile and extras; and every target is told of."""
    typed = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.removeprefix("make ") for line in typed if line.startswith("make ")]
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `make (\w+)` \|", contributing, re.MULTILINE))
    assert set(re.findall(r"^\t@echo 'make (\w+) ", makefile, re.MULTILINE)) == told
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = re.search(r"\.\[([\w,]+)\]", "\n".join(typed))[1].split(",")
    assert [extra for extra in extras if not re.search(rf"^{extra} = ", project, re.MULTILINE)] == []
