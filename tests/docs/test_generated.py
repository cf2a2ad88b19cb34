"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import re
import runpy

import pytest

from cyberid_client.error_codes import CATALOGUE
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
    STATUS_FAULTS,
    WALLET_FAULTS,
    WALLET_ODDITIES,
)

from .conftest import DOCS, PAGES

EVERYTHING = {
    **FAULTS,
    **STATUS_FAULTS,
    **LOGOUT_FAULTS,
    **EVENT_FAULTS,
    **RECEIPT_FAULTS,
    **CREDENTIAL_FAULTS,
    **WALLET_FAULTS,
    **ODDITIES,
    **LOGOUT_ODDITIES,
    **EVENT_ODDITIES,
    **RECEIPT_ODDITIES,
    **CREDENTIAL_ODDITIES,
    **WALLET_ODDITIES,
}
GENERATOR = runpy.run_path(str(DOCS / "generate.py"))


# The matrix is compared where its runs are made: tests/removal.
@pytest.mark.parametrize("name", sorted(GENERATOR["PAGES"].keys() - {"removal-matrix.md"}))
def test_a_generated_page_is_current(name):
    """A change of the code without ``make docs`` is found here."""
    assert GENERATOR["PAGES"][name]() == PAGES[f"docs/{name}"]


def test_every_code_has_a_row():
    """The page of errors has each code of the catalogue once."""
    page = PAGES["docs/errors.md"]
    assert dict.fromkeys(CATALOGUE, 1) == {code: page.count(f"| `{code}` |") for code in CATALOGUE}


def test_every_fault_has_a_row():
    """The page of faults has each name once, whether fault or oddity."""
    page = PAGES["docs/faults.md"]
    assert dict.fromkeys(EVERYTHING, 1) == {name: page.count(f"\n| `{name}` |") for name in EVERYTHING}


def test_every_number_of_a_fault_is_explained():
    """A fault or oddity names a check of the checklist, or a rule that the page explains below a table."""
    checklist = PAGES["docs/checklist.md"]
    cited = {number for each in EVERYTHING.values() for number in each.numbers}
    assert set() == {
        number for number in cited if not re.search(rf"^(\| )?{number}\b", checklist, re.MULTILINE)
    }
