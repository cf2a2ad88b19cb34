"""Every named fault is refused with exactly the code that it names; every honest oddity is accepted."""

from __future__ import annotations

import pytest

from cyberid_client import CyberIDError, HTTPLimits
from cyberid_client.testing import FAULTS, ODDITIES, Fault
from cyberid_client.transport import RequestsTransport

from .conftest import make_shop
from .playing import arm, attempt, settings_of

# Loopback speaks no TLS; the transport has tests of its own for it.
OVER_HTTP = sorted(name for name, each in {**FAULTS, **ODDITIES}.items() if each.needs != "in_process")
# Stages before which nothing was asked of the endpoint, so that nothing may be asked of it afterwards.
NO_PUSH = frozenset({"discovery", "metadata", "jwks", "crl", "crl_authority", "crl_root"})
NO_TOKEN = NO_PUSH | {"par", "callback", "jarm"}
# The list says it from the beginning, of a signer that is met last.
MET_LAST = frozenset({"revocation.signer", "revocation.signer_on_hold"})


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_refused_with_its_code_and_leaves_nothing_behind(make, name, caplog):
    """One broken rule, one typed error, a clean store, a log that has the code; then all is well again.

    But for who was revoked: that is for good.
    """
    caplog.set_level("DEBUG", "cyberid_client")
    fault = FAULTS[name]
    shop = make(**settings_of(fault))
    arm(shop, fault)
    with pytest.raises(CyberIDError) as refused:
        attempt(shop, fault)
    assert (type(refused.value).__name__, refused.value.code) == (fault.expected_error, fault.expected_code)
    assert len(shop.store) == 0
    assert fault.expected_code in caplog.text
    shop.issuer.disarm()
    if fault.expected_code == "revocation.revoked":
        with pytest.raises(CyberIDError) as still:
            attempt(shop, fault)
        assert still.value.code == "revocation.revoked"
        return
    shop.clock.advance(30)  # What could not be fetched is asked for again after a while.
    assert attempt(shop, fault).return_to == "/"


@pytest.mark.parametrize(
    "name", sorted(name for name, fault in FAULTS.items() if fault.stage in {"callback", "jarm"})
)
def test_no_call_follows_a_callback_that_is_refused(make, name):
    """What the browser brings back is judged before a code is shown to the issuer.

    Of a signed response whose key is unknown, or certified and not published, the key set is asked once more.
    """
    fault = FAULTS[name]
    shop = make(**settings_of(fault))
    shop.issuer.arm(name)
    with pytest.raises(CyberIDError):
        attempt(shop, fault)
    once_more = ["jwks"] if fault.expected_code in {"jarm.key_unknown", "jarm.key_unpublished"} else []
    assert shop.transport.purposes == ["discovery", "crl", "crl", "jwks", "par", *once_more]
    assert "/token" not in {record.path for record in shop.issuer.log}


@pytest.mark.parametrize("name", sorted(ODDITIES))
def test_an_honest_oddity_is_accepted(make, name):
    """What a standard allows is no reason to turn a person away."""
    oddity = ODDITIES[name]
    shop = make(**settings_of(oddity))
    arm(shop, oddity)
    assert attempt(shop, oddity).return_to == "/"


def _calls_after_arming(shop, before):
    """Return the paths of what a client asked since, its aliases under the names of the endpoints."""
    return [record.path.removeprefix("/mtls") for record in shop.issuer.log[before:]]


# What the conformance suite plays is played over HTTP every day, the rest where there is time.
@pytest.mark.parametrize(
    "name",
    [
        name if {**FAULTS, **ODDITIES}[name].module else pytest.param(name, marks=pytest.mark.slow)
        for name in OVER_HTTP
    ],
)
def test_the_verdict_over_real_http_is_the_same(issuer, clock, name):
    """What is refused in process is refused over loopback, with the same code, and no further call is made."""
    each = {**FAULTS, **ODDITIES}[name]
    settings = settings_of(each)
    uses_tls = each.needs in {"mtls", "tls_client_auth"}
    # Little patience only where patience is what is tried.
    is_slow = isinstance(each, Fault) and each.expected_code == "transport.timeout"
    limits = HTTPLimits(
        read_timeout=0.4 if is_slow else 5.0,
        total_timeout=0.8 if is_slow else 8.0,
        ca_pem=issuer.tls_ca_pem if uses_tls else None,
    )
    with issuer.serve(slow_seconds=1.5, tls=uses_tls):
        shop = make_shop(
            issuer, clock, lambda keys: RequestsTransport(limits, certificate=keys.tls), **settings
        )
        with shop.client:
            arm(shop, each)
            before = len(issuer.log)
            if name in ODDITIES:
                assert attempt(shop, each).return_to == "/"
                return
            with pytest.raises(CyberIDError) as refused:
                attempt(shop, each)
            assert refused.value.code == each.expected_code
            calls = _calls_after_arming(shop, before)
            is_late = name in MET_LAST
            assert calls.count("/par") == (is_late or each.stage not in NO_PUSH)
            # One nonce that is refused is tried again with the one that was given, and no other.
            again = 2 if name == "dpop.nonce_forever" else 1
            assert calls.count("/token") == (again if is_late or each.stage not in NO_TOKEN else 0)
