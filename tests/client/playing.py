"""Play one named fault or oddity of a login against a client that is configured to meet it."""

from __future__ import annotations

from dataclasses import replace

from cyberid_client import Login, PurposeTable
from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.trust import TEST_MARK_POLICY, Purpose

from .conftest import PROTECTIONS, Shop

BUILTIN = PurposeTable.builtin()
DEMANDING = PurposeTable(
    rules={
        **BUILTIN.rules,
        Purpose.ASSERTION: replace(BUILTIN.rules[Purpose.ASSERTION], policies=frozenset({TEST_MARK_POLICY})),
    }
)


def settings_of(each: Fault | Oddity) -> dict[str, object]:
    """Return what ``make_shop`` is given beside the defaults."""
    settings: dict[str, object] = {}
    if each.needs in PROTECTIONS:
        settings["protection"] = PROTECTIONS[each.needs]
    return settings | ({"purposes": DEMANDING} if each.needs == "policy" else {})


def arm(shop: Shop, each: Fault | Oddity) -> None:
    """Let the issuer be faulty or odd, after an honest login where that is needed."""
    if each.needs == "earlier_login":
        # A rollback is one only for a client that has seen something newer.
        attempt(shop, each)
        shop.clock.advance(3600)
    if each.needs == "dpop_nonce":
        shop.issuer.demand_dpop_nonce()
    shop.issuer.arm(each.name)


def attempt(shop: Shop, each: Fault | Oddity) -> Login | None:
    """Log in as the fault or oddity needs it, or refresh what is known."""
    if each.needs == "earlier_login" and each.name in shop.issuer.armed:
        # Logins go on with what is known; it is the refresh that is refused.
        shop.client.refresh()
        return None
    asked = {"max_age": 60} if each.needs == "max_age" else {}
    request = shop.client.start_login(**asked)
    return shop.client.finish_login(shop.issuer.authorize(request.url), handle=request.handle)
