"""Whole logins whose record travels in the browser's cookie."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cyberid_client import ClientKey, CyberIDError, LoginRestartError, StoreError
from cyberid_client.stores import SealedCookieStore

KEYS = {"new": b"n" * 32, "old": b"o" * 32}


def client_with(shop, keys=KEYS):
    return shop.new_client(
        shop.rp, transport=shop.transport, pending=SealedCookieStore(keys), clock=shop.clock
    )


def refusal(client, callback, handle):
    with pytest.raises(CyberIDError) as refused:
        client.finish_login(callback, handle=handle)
    return type(refused.value), refused.value.code


def test_a_login_begun_by_one_process_is_finished_by_another(shop):
    """Two clients that share nothing but the keys serve the two legs of one login."""
    request = client_with(shop).start_login(return_to="/cart?item=1")
    login = client_with(shop).finish_login(shop.issuer.authorize(request.url), handle=request.handle)
    assert "/cart?item=1" == login.return_to
    assert shop.issuer.pseudonym("adult", sector="https://shop.example") == login.pseudonym.value


def test_the_cookie_is_one_that_browsers_keep(shop):
    """Name, value and attributes have together at most 4096 bytes, and need no quoting."""
    request = client_with(shop).start_login(return_to="/" + "x" * 1000)
    assert len(request.set_cookie) <= 4096
    assert request.set_cookie.isascii()
    assert set('",;\\ ').isdisjoint(request.handle)


def test_a_record_that_does_not_fit_starts_no_login(shop):
    """A cookie that no browser would keep is an error of its own, at once and not at the callback."""
    registered = shop.issuer.register(client_id="long", redirect_uri="https://shop.example/" + "c" * 1500)
    keys = replace(shop.rp.keys, signing=ClientKey.from_pem(registered.key_pem))
    shop.rp = replace(shop.rp, client_id="long", redirect_uri=registered.redirect_uri, keys=keys)
    client = client_with(shop)
    with pytest.raises(StoreError) as refused:
        client.start_login(return_to="/" + "x" * 2000)
    assert "store.record_too_large" == refused.value.code
    request = client.start_login(return_to="/cart")
    assert "/cart" == client.finish_login(shop.issuer.authorize(request.url), handle=request.handle).return_to


def test_the_cookie_shows_nothing_of_the_login(shop):
    """Who holds the cookie's secret but no key of the store reads neither state nor where it goes."""
    request = client_with(shop).start_login(return_to="/cart-of-the-person")
    assert "cart-of-the-person" not in request.handle
    stranger = client_with(shop, {"new": b"x" * 32})
    assert (LoginRestartError, "login.unknown") == refusal(
        stranger, shop.issuer.authorize(request.url), request.handle
    )


def test_a_replayed_callback_is_stopped_by_the_one_time_code(shop):
    """Cookie and callback together open the record again; the issuer then refuses the code, and no login comes of it."""
    client = client_with(shop)
    request = client.start_login()
    callback = shop.issuer.authorize(request.url)
    client.finish_login(callback, handle=request.handle)
    shop.transport.purposes.clear()
    assert (LoginRestartError, "login.code_refused") == refusal(client, callback, request.handle)
    assert ["token"] == shop.transport.purposes


def test_a_replay_after_the_login_expired_reaches_nobody(shop):
    """What the record itself says is judged before the issuer is asked."""
    client = client_with(shop)
    request = client.start_login()
    callback = shop.issuer.authorize(request.url)
    shop.clock.advance(600)
    shop.transport.purposes.clear()
    assert (LoginRestartError, "login.expired") == refusal(client, callback, request.handle)
    shop.clock.advance(60)
    assert (LoginRestartError, "login.unknown") == refusal(client, callback, request.handle)
    assert "token" not in shop.transport.purposes


def test_the_record_of_another_login_does_not_fit(shop):
    """The secret of one login with the sealed record of another opens nothing."""
    client = client_with(shop)
    mine, other = client.start_login(), client.start_login()
    mixed = mine.handle.partition(".")[0] + "." + other.handle.partition(".")[2]
    assert (LoginRestartError, "login.unknown") == refusal(client, shop.issuer.authorize(mine.url), mixed)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda handle: handle[:-1], "login.unknown"),
        (lambda handle: handle + "A", "login.unknown"),
        (lambda handle: handle.partition(".")[0], "login.unknown"),
        (lambda handle: handle.replace(".new.", ".old."), "login.unknown"),
        (lambda handle: handle[1:], "login.handle_malformed"),
        (lambda handle: handle + "A" * 4096, "login.handle_malformed"),
        (lambda _: "", "login.handle_missing"),
    ],
)
def test_a_damaged_cookie_restarts_the_login(shop, damage, code):
    """Whatever happens to the cookie, the person starts again and the issuer is not asked."""
    client = client_with(shop)
    request = client.start_login()
    callback = shop.issuer.authorize(request.url)
    shop.transport.purposes.clear()
    assert (LoginRestartError, code) == refusal(client, callback, damage(request.handle))
    assert [] == shop.transport.purposes


def test_keys_are_rotated_while_logins_wait(shop):
    """A login that was begun under the old key is finished after the rotation, until the old key is taken out."""
    handles = [client_with(shop, {"old": KEYS["old"]}).start_login() for _ in range(2)]
    callbacks = [shop.issuer.authorize(request.url) for request in handles]
    login = client_with(shop).finish_login(callbacks[0], handle=handles[0].handle)
    assert login.authenticated_at <= shop.clock() + timedelta(seconds=1)
    without = client_with(shop, {"new": KEYS["new"]})
    assert (LoginRestartError, "login.unknown") == refusal(without, callbacks[1], handles[1].handle)
