"""No check of a wallet's answer without a fault that needs it, and no fault that nothing stops."""

from __future__ import annotations

import pytest

from cyberid_client.handshake import checklists
from cyberid_client.handshake.parsing import PARSING as PARSING_RULES

from .cases import NOTHING_TO_BUILD, PARSING
from .wallets import EXPECTED, FAULTS, TITLES, attempt, best, others, verdicts

# Checks whose fault something else stops too. Why each is kept is on the page.
SHARED = {
    ("PRESENTATION_ENVELOPE", "check_offered_encryption"): {PARSING},
    ("PRESENTATION_ENVELOPE", "check_uncompressed"): {PARSING},
    ("CREDENTIAL", "check_critical"): {"check_header_members"},
    ("CREDENTIAL", "check_key"): {
        *("check_signature", "check_chain", "check_key_is_published", "check_revocation"),
        NOTHING_TO_BUILD,
    },
    ("CREDENTIAL", "check_age_band"): {"check_query_answered"},
    ("PRESENTATION_QUERY", "check_query_answered"): {"check_assurance"},
}


def test_an_honest_answer_passes_the_complete_checklists():
    """The private runner is no stricter than the client: without a fault there is a login."""
    assert "login" == attempt("").accepted


@pytest.mark.parametrize("document", TITLES)
def test_every_check_has_a_fault_that_needs_it(document):
    """Without the check its fault gets through; where others stop it too, exactly the named ones do."""
    found = {check: set(others(check, fault)) for check, fault in best(document).items()}
    names = [each.name for each in getattr(checklists, document)]
    assert {name: SHARED.get((document, name), set()) for name in names} == found


def test_every_fault_is_stopped_with_its_code():
    """There is no fault that nothing stops, and the code is the one that it names."""
    assert {name: verdict.first.code for name, verdict in verdicts().items()} == EXPECTED


def test_a_fault_is_stopped_by_the_rule_that_it_names():
    """The check that refuses has the fault's number; what no check refuses is a rule of parsing."""
    number_of = {
        (document, each.name): each.number for document in TITLES for each in getattr(checklists, document)
    }
    by_checks = {name: verdicts()[name].stops for name in FAULTS if verdicts()[name].stops}
    expected = {name: FAULTS[name].numbers[0] for name in by_checks}
    assert expected == {name: number_of[stops[0]] for name, stops in by_checks.items()}
    by_parsing = {name: FAULTS[name] for name in FAULTS.keys() - by_checks.keys()}
    assert all(("", PARSING) == verdicts()[name].first.by for name in by_parsing)
    rules = {(rule.number, code) for rule in PARSING_RULES for code in rule.codes}
    unruled = {
        name for name, fault in by_parsing.items() if (fault.numbers[0], fault.expected_code) not in rules
    }
    # An answer that names no request of ours is looked for before anything is parsed.
    assert {"wallet.kid_other", "wallet.kid_missing"} == unruled


def test_a_fault_gets_through_whole():
    """With the last check gone a fault ends in a login; what does not leaves nothing to make a login of."""
    stuck = {
        name: verdict.last.code or verdict.last.by[1]
        for name, verdict in verdicts().items()
        if verdict.stops and verdict.last.accepted is None
    }
    # What is really encrypted in another way stays shut, and what is compressed inside is no answer.
    shut = {
        "wallet.other_key_encryption": "presentation.decryption",
        "wallet.direct": "presentation.decryption",
        "wallet.other_content_encryption": "presentation.decryption",
        "wallet.compressed": "presentation.malformed",
        "wallet.compression_bomb": "presentation.malformed",
    }
    # An answer in which the credential is not where it belongs holds none.
    empty = {
        name: NOTHING_TO_BUILD
        for name in verdicts()
        if name.startswith("wallet.vp_token_")
        and name not in {"wallet.vp_token_with_more", "wallet.vp_token_of_two"}
    }
    # The evidence names signer and root, and there is none without a chain that holds.
    chains = {name: EXPECTED[name] for name in verdicts() if EXPECTED[name].startswith("chain.")}
    assert {
        **shut,
        **empty,
        **chains,
        "credential.key_unknown": NOTHING_TO_BUILD,
        "credential.age_band_unknown": NOTHING_TO_BUILD,
    } == stuck
