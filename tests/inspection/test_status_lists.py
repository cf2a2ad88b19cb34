"""A status list, judged by its own checklist."""

from __future__ import annotations

import pytest

from cyberid_client.handshake import checklists
from cyberid_client.inspection import Kind, Verdict
from cyberid_client.ports import HTTPRequest
from cyberid_client.testing import STATUS_FAULTS

from .conftest import SECTOR, every_step, explain, note_of, step_of

# The content type is none of a file's, and a rollback is one only for whoever saw something newer.
ELSEWHERE = {"status_list.content_type", "status_list.rolled_back"}
REFUSED = sorted(name for name in STATUS_FAULTS if name.startswith("status_list.") and name not in ELSEWHERE)


def fetch(shop, *, bits=1):
    """Publish a list, and return its address and what is served there."""
    uri = shop.issuer.status_lists.open(sector=SECTOR, epoch="one", bits=bits)
    request = HTTPRequest(method="GET", url=uri, max_bytes=2**26, purpose="status_list")
    return uri, shop.issuer.transport().send(request).body


def settings(shop, **changes):
    return shop.settings(**{"nonce": None, "jwks": None, "access_token": None, **changes})


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_an_honest_list_passes(shop, bits):
    """Every check passes, in its order, and size and width of the list are told."""
    uri, data = fetch(shop, bits=bits)
    explanation = explain(data, settings(shop, uri=uri))
    assert (Kind.STATUS_LIST, Verdict.PASSES) == (explanation.kind, explanation.verdict)
    numbers = [each.number for each in checklists.STATUS_LIST]
    assert numbers == [step.number for step in every_step(explanation) if step.number]
    assert note_of(explanation, "Entries").startswith(f"131072 of {bits} bits each; ")


def test_without_its_address_a_list_is_open(shop):
    """Whose list it is cannot be judged without the address that it came from."""
    _, data = fetch(shop)
    explanation = explain(data, settings(shop))
    assert (Verdict.NOT_JUDGED, ("uri",)) == (explanation.verdict, explanation.needs)
    assert "status_list.subject" == explain(data, settings(shop, uri="https://issuer.example/other")).code


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_is_refused_with_its_code(shop, name):
    """What a refresh refuses is refused first here with the same code."""
    shop.issuer.arm(name)
    uri, data = fetch(shop)
    explanation = explain(data, settings(shop, uri=uri, kind=Kind.STATUS_LIST))
    assert STATUS_FAULTS[name].expected_code == explanation.code


def test_entries_that_cannot_be_inflated_are_not_counted(shop):
    """The size of a damaged list is that of its compressed bytes alone."""
    shop.issuer.arm("status_list.entries_cut_off")
    uri, data = fetch(shop)
    explanation = explain(data, settings(shop, uri=uri))
    assert Verdict.FAILS is step_of(explanation, "E9.7").verdict
    assert note_of(explanation, "Entries").endswith("bytes compressed")
