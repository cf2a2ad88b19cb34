"""Logins through a wallet go on while the issuer's process is stopped, and it never learns of them."""

from __future__ import annotations

import pytest

from cyberid_client import (
    Client,
    ClientKey,
    ClientKeys,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import Wallet
from cyberid_client.testing.clock import system_clock

from .issuer_process import issuer_in_a_process
from .presenting import WalletShop

pytestmark = pytest.mark.slow

APPS = {f"https://{name}.example": f"https://{name}.example/wallet" for name in ("shop", "theatre", "bank")}
PEOPLE = ("adult", "teenager", "child", "traveller")


def open_shop(issuer, sector):
    """Configure an app over real HTTP, and let it know all that it will need."""
    certificate_pem, key_pem = issuer.certified[sector]
    rp = RelyingParty(
        issuer=issuer.origin,
        client_id="app",
        redirect_uri=f"{sector}/callback",
        sector=sector,
        keys=ClientKeys(
            signing=ClientKey.from_pem(key_pem), wallet=WalletIdentity.from_pem(certificate_pem, key_pem)
        ),
        trust=TrustStore.for_tests(issuer.root_pem),
        wallet=WalletSettings(endpoint=APPS[sector], cross_device="allowed"),
    )
    store = MemoryPendingStore()
    client = Client(rp, pending=store, background=False)
    client.refresh()
    return WalletShop(None, system_clock, rp, store, client, [])


def set_up(issuer):
    """Open every app, and let everybody's wallet fetch ahead: all buckets, so that two runs are the same."""
    shops = {sector: open_shop(issuer, sector) for sector in APPS}

    def send(request):
        [shop] = [shop for sector, shop in shops.items() if request.url.startswith(f"{sector}/")]
        return shop.send(request)

    wallets = {}
    for person in PEOPLE:
        wallets[person] = Wallet(issuer.origin, root_pem=issuer.root_pem, send=send).enrol(person)
        wallets[person].prefetch(everything=True)
    return shops, wallets


def log_in_everywhere(shops, wallets, device="same"):
    """Log everybody in everywhere, and return who is who."""
    return {
        (sector, person): shop.log_in(wallet, device=device).pseudonym.value
        for sector, shop in shops.items()
        for person, wallet in wallets.items()
    }


def close(shops):
    for shop in shops.values():
        shop.client.close()


@pytest.fixture(scope="module")
def issuer():
    with issuer_in_a_process(APPS) as issuer:
        yield issuer


def test_the_log_of_a_day_with_logins_is_that_of_a_day_without(issuer):
    """What the issuer sees does not depend on who logs in where, or whether anybody does."""
    logs = []
    for logs_in in (False, True, False):
        before = len(issuer.log())
        shops, wallets = set_up(issuer)
        if logs_in:
            log_in_everywhere(shops, wallets)
            log_in_everywhere(shops, wallets, "other")
        for shop in shops.values():
            shop.client.refresh()
        close(shops)
        logs.append(sorted(issuer.log()[before:]))
    assert logs[0] == logs[1] == logs[2]
    assert {200} == {status for _, _, status in logs[0]}
    assert not any(sector.split("/")[2] in path for sector in APPS for _, path, _ in logs[1])


def test_logins_go_on_while_the_issuer_is_stopped(issuer):
    """No login needs the issuer, and none is in its log when it runs again."""
    shops, wallets = set_up(issuer)
    before = issuer.log()
    issuer.stop()
    try:
        first = log_in_everywhere(shops, wallets)
        second = log_in_everywhere(shops, wallets, "other")
    finally:
        issuer.wake()
    assert first == second
    assert len(APPS) * len(PEOPLE) == len(set(first.values()))
    assert before == issuer.log()
    close(shops)


def test_logins_go_on_when_the_issuer_is_gone():
    """When the process has ended, whoever fetched ahead logs in as before."""
    with issuer_in_a_process(APPS) as issuer:
        shops, wallets = set_up(issuer)
        with_issuer = log_in_everywhere(shops, wallets)
        issuer.end()
        assert with_issuer == log_in_everywhere(shops, wallets)
        close(shops)
