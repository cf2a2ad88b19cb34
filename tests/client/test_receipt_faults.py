"""Every named fault of a receipt is refused with exactly its code; every honest oddity is accepted."""

from __future__ import annotations

import pytest

from cyberid_client.testing import RECEIPT_FAULTS, RECEIPT_ODDITIES

from .launching import make_launcher, play_fault, play_oddity


@pytest.fixture
def shop(issuer, clock, new_client):
    return make_launcher(issuer, clock, new_client=new_client)


@pytest.mark.parametrize("name", sorted(RECEIPT_FAULTS))
def test_a_fault_is_refused_with_its_code_and_nobody_logs_in(shop, name, caplog):
    """One broken rule, one typed error, and the launch is gone; then all is well again."""
    caplog.set_level("DEBUG", "cyberid_client")
    play_fault(shop, RECEIPT_FAULTS[name], caplog)


@pytest.mark.parametrize("name", sorted(RECEIPT_ODDITIES))
def test_an_honest_oddity_is_accepted(shop, name):
    """What the profile allows is no reason to turn a person away."""
    play_oddity(shop, RECEIPT_ODDITIES[name])
