"""The client keeps the issuer's status lists; no login reads or fetches them."""

from __future__ import annotations

import pytest

from cyberid_client import ConfigurationError, RevocationError


def test_lists_are_fetched_when_they_are_wanted_and_never_for_a_login(shop):
    """A login makes no request about status; the lists come by a refresh of their own."""
    of_shop = {"sector": "https://shop.example", "epoch": "2026-11-19"}
    uri = shop.issuer.status_lists.open(**of_shop)
    shop.issuer.status_lists.set(7, 1, **of_shop)
    shop.clock.advance(300)
    shop.log_in()
    assert not [purpose for purpose in shop.transport.purposes if purpose.startswith("status")]
    keeper = shop.client.status_lists
    keeper.refresh()
    keeper.look_up(uri, 6)
    with pytest.raises(RevocationError) as revoked:
        keeper.look_up(uri, 7)
    assert revoked.value.code == "status.invalid"


def test_a_list_that_is_not_known_ahead_is_refused_without_a_fetch(shop):
    """Nobody can make us fetch by naming a list."""
    shop.log_in()
    shop.client.status_lists.refresh()
    shop.transport.purposes.clear()
    with pytest.raises(RevocationError) as unknown:
        shop.client.status_lists.look_up("https://issuer.example/status/unknown", 0)
    assert unknown.value.code == "status.list_unknown"
    assert shop.transport.purposes == []


def test_the_timer_starts_at_first_use_and_ends_with_the_client(shop, timers):
    """Whoever never asks for lists pays nothing for them."""
    others = timers()
    with shop.new_client(shop.rp, transport=shop.transport, clock=shop.clock) as client:
        client.refresh()
        assert "status" not in " ".join(shop.transport.purposes)
        assert client.status_lists is client.status_lists
        started = timers() - others
        assert started
    assert set() == started & timers()
    with pytest.raises(ConfigurationError):
        client.status_lists  # noqa: B018 - reading it is the test
