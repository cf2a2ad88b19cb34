"""The table of the conformance suite's modules says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .modules import BEYOND, PLANS
from .page import EVERYTHING, FAULTY, ODD, page

ROOT = Path(__file__).resolve().parents[2]
MODULES = [module for plan in PLANS for module in plan.modules]
ROWS = [*MODULES, *BEYOND]


def test_a_module_stands_there_once():
    """A module has one row, in the first plan that has it."""
    names = [module.name for module in MODULES]
    assert sorted(set(names)) == sorted(names)


def test_a_module_is_of_the_suite():
    """Names are whole, so that one can look for them in the suite's own output."""
    pattern = r"oidcc-client-test(-[a-z0-9]+)*|fapi2-security-profile-final-client-[a-z0-9_-]+"
    pattern += r"|oid4vp-1final-verifier(-[a-z0-9]+)*"
    assert [] == [module.name for module in MODULES if not re.fullmatch(pattern, module.name)]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_module_is_tested_or_has_a_reason(module):
    """Every row has a proof or a reason, and never both."""
    assert (module.absent is None) == bool(module.by or module.tests)
    assert module.absent != ""


def test_every_name_is_one_of_the_mock():
    """A row names faults and oddities that exist."""
    assert set() == {name for row in ROWS for name in row.by} - set(EVERYTHING)


@pytest.mark.parametrize("module", [module for module in MODULES if module.by], ids=lambda each: each.name)
def test_a_module_has_one_verdict(module):
    """What does a module's work is refused or accepted, and not one of each."""
    assert len({name in FAULTY for name in module.by}) == 1
    assert all(name in FAULTY or name in ODD for name in module.by)


@pytest.mark.parametrize("name", [name for name, each in EVERYTHING.items() if each.module is not None])
def test_what_names_a_module_stands_in_its_row(name):
    """A fault or oddity that says which module does the same is found in the row of that module."""
    rows = {module.name: module for module in MODULES}
    assert name in rows[EVERYTHING[name].module].by


@pytest.mark.parametrize("test", sorted({test for row in ROWS for test in row.tests}))
def test_every_test_is_there(test):
    """A test that is named exists under that name."""
    file, _, function = test.partition("::")
    assert re.search(rf"^ *def {function}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_plans_refer_to_plans():
    """A plan that has the modules of others names plans of this page."""
    names = [plan.name for plan in PLANS]
    assert set() == {other for plan in PLANS for other in plan.also} - set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("plan", "count"),
    [
        ("oidcc-client-basic-certification-test-plan", 14),
        ("oidcc-client-config-certification-test-plan", 5),
        ("oidcc-client-test-plan", 20),
        ("oidcc-client-refreshtoken-test-plan", 3),
        ("oidcc-client-test-3rd-party-init-login-test-plan", 1),
        ("oidcc-client-back-channel-logout-rp-basic", 8),
        ("oidcc-client-rp-initiated-logout-rp-basic", 3),
        ("fapi2-security-profile-final-client-test-plan", 27),
        ("fapi2-message-signing-final-client-test-plan", 8),
        ("oid4vp-1final-verifier-test-plan", 12),
    ],
)
def test_a_plan_is_complete(plan, count):
    """A plan has as many modules of its own as the suite gives it; a row that gets lost is missed here."""
    assert {plan: count} == {each.name: len(each.modules) for each in PLANS if each.name == plan}


def test_the_page_has_every_row():
    """Each module is one line of the page."""
    text = page()
    assert dict.fromkeys((module.name for module in MODULES), 1) == {
        module.name: text.count(f"\n| `{module.name}` |") for module in MODULES
    }
