"""No check without a fault that needs it, and no fault that nothing stops."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from cyberid_client.handshake import checklists
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.parsing import PARSING as PARSING_RULES

from .cases import BROWSERS, NAMED, NOTHING_TO_BUILD, PARSING, Case, case_of
from .matrix import COOKIES, SHARED, STORES, TITLES, page, rows, verdicts
from .runner import attempt, goal_of
from .wallets import TITLES as WALLETS

# Every day each check is left out once, in tests/handshake/test_checklists.py; this is every fault against every list.
pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "removal-matrix.md"
NUMBER_OF = {
    (document, each.name): each.number for document in TITLES for each in getattr(checklists, document)
}
# That state and issuer go before code and error is the order of the tuple, and no check of its own.
ORDER = {"callback.error_of_other_issuer": "E1.3", "jarm.state_changed_beside_error": "E1.1b"}


@pytest.mark.parametrize("setting", ["signed", "unsigned", "without_chain", "jarm"])
def test_an_honest_login_passes_the_complete_checklists(setting):
    """The private runner is no stricter than the client: without a fault there is a login."""
    assert "login" == attempt(Case("", setting)).accepted


@pytest.mark.parametrize(("setting", "accepted"), [("app", "login"), ("app_refusal", "refusal")])
def test_an_honest_launch_passes_the_complete_checklists(setting, accepted):
    """Without a fault somebody logs in, or the issuer's word that nobody did is believed."""
    assert accepted == attempt(Case("", setting)).accepted == goal_of(Case("", setting))


@pytest.mark.parametrize("setting", ["logout", "logout_without_chain", "event", "event_without_chain"])
def test_an_honest_notice_passes_the_complete_checklists(setting):
    """Without a fault the app is told."""
    case = Case("", setting)
    assert goal_of(case) == attempt(case).accepted


def test_the_complete_checklists_are_those_that_a_reviewer_prints():
    """The bundle of a login adds nothing to the tuples, and the matrix leaves out none of the bundle."""
    assert Checklists() == COMPLETE
    assert {*TITLES, *WALLETS} == {one.name.upper() for one in fields(Checklists)}
    assert set() == TITLES.keys() & WALLETS.keys()
    for document in (*TITLES, *WALLETS):
        assert getattr(checklists, document) is getattr(COMPLETE, document.lower())


# Only who takes presentations looks at it, and no fault makes it, but an issuer with epochs of such a length: without
# the check the wallets of tests/handshake/test_checklists.py get through.
ELSEWHERE = {("METADATA", "check_epoch_length")}


@pytest.mark.parametrize("document", TITLES)
def test_every_check_has_a_fault_that_needs_it(document):
    """Without the check its fault gets through; where others stop it too, exactly the named ones do."""
    found = {row.check.name: row.others for row in rows(document)}
    expected = {
        each.name: SHARED.get((document, each.name), ())
        for each in getattr(checklists, document)
        if (document, each.name) not in ELSEWHERE
    }
    assert {name: set(others) for name, others in expected.items()} == {
        name: set(others) for name, others in found.items()
    }


def test_a_fault_gets_through_whole():
    """With the last check gone a fault ends in a login or in the accepted value of its own step."""
    stuck = {
        name: verdict.last.code or verdict.last.by[1]
        for name, verdict in verdicts().items()
        if verdict.stops and verdict.last.accepted not in {"login", goal_of(case_of(name))}
    }
    without_code = {
        *(name for name in NAMED if name.startswith("declined.")),
        "callback.error_of_other_issuer",
        "callback.error_without_iss",
        "callback.neither_code_nor_error",
        "issuer.server_error",
        "issuer.temporarily_unavailable",
        "jarm.access_denied",
        "jarm.temporarily_unavailable",
        "jarm.neither_code_nor_error",
        "jarm.state_changed_beside_error",
    }
    # What is around an encrypted assertion is stopped by the decryption at the latest.
    shut = {
        name
        for name, verdict in verdicts().items()
        if any(document == "ENCRYPTED_TOKEN" for document, _ in verdict.stops)
    } - {"id_token.content_type_missing", "id_token.content_type_other"}
    assert {
        # Nobody can exchange a code that is not there.
        **dict.fromkeys(without_code, "login.code_refused"),
        **dict.fromkeys(shut, "id_token.decryption"),
        "token.id_token_missing": "id_token.malformed",
        "dpop.nonce_demanded_with_403": "id_token.malformed",
        "callback.plain_unasked": "jarm.malformed",
        "id_token.six_parts": "id_token.malformed",
        # A login has room for one of the three bands and for nothing else.
        "id_token.age_band_unknown": NOTHING_TO_BUILD,
        # What the ID app did not give cannot be asked about, and what refuses logs nobody in.
        "phone.brings_nothing": "app_verification.request_refused",
        "receipt.refusal_with_person": "app.frozen",
    } == stuck


@pytest.mark.parametrize("name", [*NAMED, *BROWSERS])
def test_every_fault_is_stopped_with_its_code(name):
    """There is no fault that nothing stops, and the code is the one that it names."""
    assert case_of(name).code == verdicts()[name].first.code


@pytest.mark.parametrize("name", NAMED)
def test_a_fault_is_stopped_by_the_rule_that_it_names(name):
    """The check that refuses has the fault's number; what no check refuses is listed as parsing."""
    verdict, [number] = verdicts()[name], NAMED[name].numbers
    if verdict.stops:
        assert ORDER.get(name, number) == NUMBER_OF[verdict.stops[0]]
        return
    assert ("", PARSING) == verdict.first.by
    code = NAMED[name].expected_code
    by_rule = any(rule.number == number and code in rule.codes for rule in PARSING_RULES)
    # A parser that reads by type carries out part of a check, under the check's own number and code.
    assert by_rule or code in _codes_of(number) or f"{code.partition('.')[0]}.*" in _codes_of(number)


def _codes_of(number: str) -> set[str]:
    """Return the codes of a check in all their spellings."""
    return {
        f"{prefix}{code[1:]}" if code.startswith("*") else code
        for document in TITLES
        for each in getattr(checklists, document)
        if each.number == number
        for code in each.codes
        for prefix in (
            *("id_token", "metadata", "callback", "jarm", "logout_token", "security_event"),
            "receipt",
        )
    }


def test_the_page_is_current():
    """The published matrix is what the runs of today say."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_guarantee_of_the_page_is_proved():
    """Each row about stores and cookies names a test, and each such test stands on the page."""
    named = {each.test for each in (*STORES, *COOKIES)}
    tests = {
        node.name
        for name in ("test_stores.py", "test_cookies.py")
        for node in ast.walk(ast.parse((HERE / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith(("test_with_", "test_without_"))
    }
    assert named == tests
