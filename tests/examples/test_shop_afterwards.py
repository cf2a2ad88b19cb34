"""The example shop after the login: the checkout, and what the platform says later."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from cyberid_client.testing import Browser
from cyberid_client.testing.browser_pages import Form

LOCAL = {"name": "Made-up Mei", "password": "a long made-up password"}


def standing(shop):
    """Return what the shop knows of the only account with an ID."""
    with closing(sqlite3.connect(shop.database)) as db:
        return db.execute("SELECT standing FROM id_logins").fetchone()[0]


def token_of(browser, shop):
    """Return the session cookie's value."""
    return next(one.value for one in browser.cookies(shop.url) if one.name == "__Host-shop-session")


def order(shop, browser):
    """Log in and order one thing; return the page with the orders."""
    return browser.click(shop.log_in(browser), "Clay teapot")


class TestCheckout:
    def test_asks_for_all_factors_and_comes_back(self, shop, browser):
        """Who pays is asked for certificate, password and face, and then pays."""
        page = browser.click(order(shop, browser), "Go to the checkout")
        assert page.url.startswith(shop.issuer.issuer)
        assert ("urn:cyberid:mode:r04", "0") == (
            shop.issuer.asked["acr_values"],
            shop.issuer.asked["max_age"],
        )
        page = shop.agree(browser, page)
        assert (page.url, page.status) == (f"{shop.url}/checkout", 200)
        assert "R04: certificate and face and password" in page.text
        page = browser.submit(page, form="pay")
        assert (page.url, "Clay teapot paid" in page.text) == (f"{shop.url}/orders", True)

    def test_session_has_a_new_id(self, shop, browser):
        """After the step-up the session goes on under a new id, and the old cookie is worth nothing."""
        page = order(shop, browser)
        before = token_of(browser, shop)
        shop.agree(browser, browser.click(page, "Go to the checkout"))
        assert before != token_of(browser, shop)

    def test_another_person_changes_nothing(self, shop, browser):
        """When somebody else answers, the page says so, nothing is paid, and the session stays."""
        page = browser.click(order(shop, browser), "Go to the checkout")
        page = shop.agree(browser, page, person="traveller")
        assert (page.status, "It was not confirmed that it is you" in page.text) == (403, True)
        page = browser.click(page, "Back to the home page")
        assert "R02: certificate and password" in page.text

    def test_no_changes_nothing(self, shop, browser):
        """When the person says no, the session stays, and one may try again."""
        page = browser.click(order(shop, browser), "Go to the checkout")
        page = browser.submit(page, button="deny")
        assert (page.status, "you are logged in as before" in page.text) == (403, True)
        assert browser.open(f"{shop.url}/checkout").url.startswith(shop.issuer.issuer)

    def test_fresh_proof_is_not_asked_for_again(self, shop, browser):
        """Between the checkout page and the payment nobody is asked again."""
        page = shop.agree(browser, browser.click(order(shop, browser), "Go to the checkout"))
        calls = len(shop.issuer.log)
        browser.submit(browser.open(page.url), form="pay")
        assert calls == len(shop.issuer.log)

    def test_password_is_as_good(self, shop, browser):
        """Who has no ID gives the password again, and is served alike."""
        page = browser.open(f"{shop.url}/login")
        browser.submit(page, LOCAL, form="local-login", button="Make an account")
        page = browser.click(browser.click(browser.open(shop.url), "Clay teapot"), "Go to the checkout")
        wrong = browser.submit(page, {"password": "another password"}, form="pay")
        assert (403, True) == (wrong.status, "This is not your password" in wrong.text)
        page = browser.submit(page, {"password": LOCAL["password"]}, form="pay")
        assert "Clay teapot paid" in page.text

    def test_empty_basket(self, shop, browser):
        """Who has nothing to pay is asked for nothing."""
        shop.log_in(browser)
        assert f"{shop.url}/orders" == browser.open(f"{shop.url}/checkout").url


class TestPseudonymOfOneSession:
    def test_is_linked_to_no_account(self, shop, browser):
        """Who comes under a pseudonym of one session has an account for it, to which no pseudonym is linked."""
        shop.issuer.arm("id_token.persistence_c")
        page = browser.click(shop.log_in(browser), "Clay teapot")
        assert "Clay teapot" in page.text
        with closing(sqlite3.connect(shop.database)) as db:
            assert [] == db.execute("SELECT * FROM id_logins").fetchall()
        page = browser.click(page, "Go to the checkout")
        assert (403, True) == (page.status, "It was not confirmed that it is you" in page.text)


class TestWhatThePlatformSays:
    @pytest.mark.parametrize("by_session", [True, False])
    def test_logout_token_ends_the_session(self, shop, browser, by_session):
        """A logout token ends the session that it names, or all of the person, whatever cookies there are."""
        shop.log_in(browser)
        other = Browser()
        shop.log_in(other, person="traveller")
        sid = shop.issuer.sessions[-2].session_id if by_session else None
        delivery = shop.issuer.log_out("adult", client_id="shop", sid=sid)
        assert 200 == delivery.status
        assert "Log in to order" in browser.open(shop.url).text
        assert "Welcome" in other.open(shop.url).text

    def test_logout_token_of_the_step_up(self, shop, browser):
        """The session ends whether the platform names its login or any of its step-ups."""
        for number in (0, 1, 2):
            page = shop.agree(browser, browser.click(order(shop, browser), "Go to the checkout"))
            again = Form(id="", action=f"{shop.url}/id/step-up", method="POST", fields=(), buttons=())
            shop.agree(browser, browser.submit(replace(page, forms=(again,))))
            sid = shop.issuer.sessions[-3:][number].session_id
            assert 200 == shop.issuer.log_out("adult", client_id="shop", sid=sid).status
            assert "Log in to order" in browser.open(shop.url).text

    def test_frozen_account_keeps_its_session_and_other_ways(self, shop, browser):
        """A frozen account is noted; who is logged in stays so, and a later login proves that it thawed."""
        shop.log_in(browser)
        assert 202 == shop.issuer.send_event("adult", client_id="shop").status
        assert "frozen" == standing(shop)
        assert "Welcome" in browser.open(shop.url).text
        assert 202 == shop.issuer.send_event("adult", client_id="shop", state="active").status
        assert "active" == standing(shop)

    def test_frozen_account_lets_nobody_in(self, shop, browser):
        """A login that is not later than the freeze is refused, and the way to the other logins is shown."""
        shop.log_in(Browser())
        with closing(sqlite3.connect(shop.database)) as db:
            db.execute("UPDATE id_logins SET standing = 'frozen', standing_since = 9999999999")
            db.commit()
        page = shop.log_in(browser)
        assert (403, True) == (page.status, "You are not logged in" in page.text)
        assert f"{shop.url}/login" == browser.click(page, "Other ways to log in").url

    def test_old_events_change_nothing(self, shop, browser):
        """Of two events the later counts, in whichever order they come."""
        shop.log_in(browser)
        shop.issuer.send_event("adult", client_id="shop", state="active", sequence=9)
        assert 202 == shop.issuer.send_event("adult", client_id="shop", state="frozen", sequence=8).status
        assert "active" == standing(shop)

    @pytest.mark.parametrize(("place", "status"), [("backchannel-logout", 400), ("security-events", 400)])
    def test_garbage_from_the_platform(self, shop, browser, place, status):
        """What is no notice is refused without a look at cookies or forms, and ends nothing."""
        page = shop.log_in(browser)
        form = Form(id="", action=f"{shop.url}/id/{place}", method="POST", fields=(), buttons=())
        assert status == browser.submit(replace(page, forms=(form,))).status
        assert "Welcome" in browser.open(shop.url).text

    def test_logout_goes_to_the_platform(self, shop, browser):
        """The shop's session is over at once, and the browser goes on to the platform's logout."""
        page = browser.click(shop.log_in(browser), "Log out")
        assert page.url.startswith(shop.issuer.issuer)
        assert "Log in to order" in browser.open(shop.url).text
        page = browser.submit(page)
        assert (f"{shop.url}/", "Log in to order" in page.text) == (page.url, True)
