"""Every named fault is refused with exactly the code that it names; every honest oddity is accepted."""

from __future__ import annotations

import pytest

from cyberid_client import CyberIDError, HTTPLimits
from cyberid_client.testing import FAULTS, ODDITIES
from cyberid_client.transport import RequestsTransport

from .conftest import make_shop


def _attempt(shop, person="adult"):
    request = shop.client.start_login()
    return shop.client.finish_login(shop.issuer.authorize(request.url, person=person), handle=request.handle)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_refused_with_its_code_and_leaves_nothing_behind(shop, name, caplog):
    """One broken rule, one typed error, a clean store, and a log that has the code."""
    caplog.set_level("DEBUG", "cyberid_client")
    fault = FAULTS[name]
    _warm_up_if_needed(shop, fault)
    shop.issuer.arm(name)
    with pytest.raises(CyberIDError) as refused:
        _attempt(shop)
    assert refused.value.code == fault.expected_code
    assert type(refused.value).__name__ == fault.expected_error
    assert len(shop.store) == 0
    assert fault.expected_code in caplog.text
    shop.issuer.disarm()
    assert _attempt(shop).return_to == "/"


def _warm_up_if_needed(shop, fault):
    # A rollback is one only for a client that has seen something newer.
    if fault.expected_code == "metadata.rolled_back":
        _attempt(shop)
        shop.clock.advance(3600)


@pytest.mark.parametrize("name", sorted(ODDITIES))
def test_an_honest_oddity_is_accepted(shop, name):
    """What a standard allows is no reason to turn a person away."""
    shop.issuer.arm(name)
    assert _attempt(shop).return_to == "/"


@pytest.mark.parametrize("name", sorted({**FAULTS, **ODDITIES}))
def test_the_verdict_over_real_http_is_the_same(issuer, clock, name):
    """What is refused in process is refused over loopback, with the same code."""
    with issuer.serve(slow_seconds=3.0):
        limits = HTTPLimits(connect_timeout=1.0, read_timeout=0.5, total_timeout=1.0)
        shop = make_shop(issuer, clock, RequestsTransport(limits))
        with shop.client:
            fault = FAULTS.get(name)
            if fault is not None:
                _warm_up_if_needed(shop, fault)
            issuer.arm(name)
            if fault is None:
                assert _attempt(shop).return_to == "/"
                return
            with pytest.raises(CyberIDError) as refused:
                _attempt(shop)
            assert refused.value.code == fault.expected_code
