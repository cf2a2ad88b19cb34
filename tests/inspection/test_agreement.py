"""An inspection says what a login says: the same verdict, the same code, the same evidence."""

from __future__ import annotations

import pytest

from cyberid_client.handshake import checklists
from cyberid_client.inspection import Kind, Verdict
from cyberid_client.testing import FAULTS, ODDITIES

from .conftest import every_step, explain

DOCUMENTS = ("id_token", "metadata", "chain", "discovery", "jwks")
# The content type is none of a file's, a rollback is one only for whoever saw something newer, and what is
# encrypted is no kind of document that an inspection reads.
ELSEWHERE = {"discovery.content_type", "jwks.content_type", "metadata.rolled_back", "id_token.encrypted"}
# An inspection knows nothing of what protects a login: it has no keys to open anything with, and no callback.
PLAIN = {None, "max_age", "in_process", "manual_clock"}
REFUSED = sorted(
    name
    for name, fault in FAULTS.items()
    if fault.expected_code.partition(".")[0] in DOCUMENTS
    and fault.expected_code not in ELSEWHERE
    and fault.needs in PLAIN
)
ACCEPTED = sorted(name for name, each in ODDITIES.items() if each.needs in PLAIN)


def explanations(shop, **changes):
    """Explain everything that the last login brought."""
    answers = shop.kept.answers
    kinds = {"discovery": Kind.DISCOVERY, "jwks": Kind.JWKS}
    found = [
        explain(answers[name], shop.settings(kind=kind, **changes))
        for name, kind in kinds.items()
        if name in answers
    ]
    if "id_token" in shop.token_response():
        found.append(explain(shop.id_token, shop.settings(kind=Kind.ID_TOKEN, **changes)))
    return found


def test_an_honest_login_passes_with_its_own_evidence(shop):
    """Every check of the checklist passes, in its order, and the evidence is that of the login."""
    login = shop.log_in()
    explanation = explain(shop.id_token, shop.settings())
    assert (Kind.ID_TOKEN, Verdict.PASSES, None, ()) == (
        explanation.kind,
        explanation.verdict,
        explanation.code,
        explanation.needs,
    )
    assert login.evidence == explanation.evidence
    numbers = [each.number for each in checklists.ID_TOKEN]
    assert numbers == [step.number for step in every_step(explanation) if step.number]


@pytest.mark.parametrize(("purpose", "kind"), [("discovery", Kind.DISCOVERY), ("jwks", Kind.JWKS)])
def test_an_honest_page_passes(shop, purpose, kind):
    """Discovery page and key set of an honest issuer pass as a whole."""
    shop.log_in()
    explanation = explain(shop.kept.answers[purpose], shop.settings())
    assert (kind, Verdict.PASSES) == (explanation.kind, explanation.verdict)


@pytest.mark.parametrize("name", REFUSED)
def test_the_first_failure_is_the_code_of_the_login(shop, name):
    """What a login refuses, the inspection of one of its documents refuses first with the same code."""
    shop.issuer.arm(name)
    max_age = 60 if FAULTS[name].needs == "max_age" else None
    code = shop.log_in(max_age=max_age)
    assert FAULTS[name].expected_code == code
    codes = [each.code for each in explanations(shop, max_age=max_age)]
    assert code in codes
    assert {code, None} >= set(codes) - {"id_token.key_unknown"}


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_oddity_that_logs_in_passes(shop, name):
    """What is odd and honest passes here as there."""
    shop.issuer.arm(name)
    login = shop.log_in()
    *_, explanation = explanations(shop)
    assert (Verdict.PASSES, login.evidence) == (explanation.verdict, explanation.evidence)
