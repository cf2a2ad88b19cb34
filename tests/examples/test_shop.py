"""The example shop: one login after another, as browsers make them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cyberid_client.testing import Browser, MockIssuer
from cyberid_client.testing.browser_pages import Button

SESSION = "__Host-shop-session"
SECTOR = "https://shop.example"
REFERENCE = re.compile(r"Reference: ([0-9A-Z]{8})\b")
GUEST = re.compile(r"Guest ([0-9a-f]{6})\b")
LOCAL = {"name": "Made-up Mei", "password": "a long made-up password"}


def session_of(browser, shop):
    """Return the value of the shop's session cookie, or ``None``."""
    return next((one.value for one in browser.cookies(shop.url) if one.name == SESSION), None)


def rows(shop, table):
    """Return all rows of a table of the shop."""
    with closing(sqlite3.connect(shop.database)) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a fixed name


class TestLoginWithID:
    def test_page_shows_short_form_and_assurance(self, shop, browser):
        """After the login the page shows six characters and the assurance, and nothing of the pseudonym."""
        page = shop.log_in(browser)
        pseudonym = shop.issuer.pseudonym("adult", sector=SECTOR)
        assert (page.url, page.status) == (f"{shop.url}/", 200)
        assert "You logged in with R02: certificate and password" in page.text
        assert not pseudonym.startswith(GUEST.search(page.text)[1])
        assert pseudonym not in page.body.decode()

    def test_same_person_has_one_account(self, shop):
        """A person comes back to the same account; another person gets another one."""
        pages = [shop.log_in(Browser(), person=person) for person in ("adult", "adult", "traveller")]
        names = [GUEST.search(page.text)[1] for page in pages]
        assert names[0] == names[1]
        assert names[0] != names[2]
        assert len(rows(shop, "users")) == 2

    def test_session_cookie(self, shop, browser):
        """The session cookie has a name of its own with the __Host- prefix, Secure, HttpOnly, Lax."""
        shop.log_in(browser)
        (cookie,) = browser.cookies(shop.url)
        assert (cookie.name, cookie.secure, cookie.http_only, cookie.same_site) == (
            SESSION,
            True,
            True,
            "Lax",
        )
        assert (cookie.path, cookie.host_only, cookie.expires_at) == ("/", True, None)

    def test_cookie_of_the_login_is_cleared(self, shop, browser):
        """Each login has a cookie of its own, and the callback clears it."""
        shop.log_in(browser)
        start = next(hop for hop in browser.history if hop.url.endswith("/id/login"))
        end = next(hop for hop in browser.history if "/callback?" in hop.url)
        (name,) = (one for one in start.set_cookies if one.startswith("__Host-cyberid-"))
        assert name in end.sent_cookies
        assert name in end.set_cookies
        assert [one.name for one in browser.cookies(shop.url)] == [SESSION]

    def test_session_is_new_after_login(self, shop, browser):
        """Each login has a session of its own, and the one before is closed."""
        browser.open(f"{shop.url}/login")
        sessions = [session_of(browser, shop)]
        for _ in range(2):
            shop.log_in(browser)
            sessions.append(session_of(browser, shop))
        assert len(set(sessions)) == 3
        assert len({row[0] for row in rows(shop, "sessions")}) == 1

    def test_two_tabs_both_end_logged_in(self, shop, browser):
        """Two logins begun in two tabs both end well, in whichever order."""
        one, two = shop.leave(browser), shop.leave(browser)
        assert "Welcome" in shop.agree(browser, two).text
        assert "Welcome" in shop.agree(browser, one).text

    def test_return_to_is_honoured(self, shop, browser):
        """The person ends where the login began, query and all."""
        page = shop.log_in(browser, return_to="/orders%3Fpage=2")
        assert page.url == f"{shop.url}/orders?page=2"

    def test_closed_page_leads_to_the_login_and_back(self, shop, browser):
        """Who opens the orders without a login is asked to log in and then sees them."""
        page = browser.open(f"{shop.url}/orders")
        page = shop.agree(browser, browser.submit(page, form="id-login"))
        assert (page.url, "Nothing yet" in page.text) == (f"{shop.url}/orders", True)


class TestNoLogin:
    def test_second_callback(self, shop, browser):
        """A callback that is opened again goes on to where the login went, and asks nobody anything."""
        callback = shop.callback(browser)
        assert "Welcome" in browser.open(callback).text
        calls = len(shop.issuer.log)
        page = browser.open(callback)
        assert (page.status, page.url, "Welcome" in page.text) == (200, f"{shop.url}/", True)
        assert calls == len(shop.issuer.log)

    def test_second_callback_after_the_logout(self, shop, browser):
        """Once the session is over, the callback that began it is over, too."""
        callback = shop.callback(browser)
        browser.click(browser.open(callback), "Log out")
        page = browser.open(callback)
        assert (page.status, "This login is over" in page.text) == (400, True)

    def test_callback_in_another_browser(self, shop, browser):
        """A callback opened in another browser logs nobody in there, and offers to start again."""
        callback, other = shop.callback(browser), Browser()
        page = other.open(callback)
        assert (page.status, "This login is over" in page.text) == (400, True)
        assert "Welcome" in shop.agree(other, other.click(page, "Start again")).text

    def test_declined(self, shop, browser):
        """Who says no at the issuer reads so, and finds the other ways to log in."""
        page = browser.submit(shop.leave(browser), button="deny")
        assert (page.status, "You are not logged in" in page.text) == (403, True)
        assert browser.click(page, "Other ways to log in").url == f"{shop.url}/login"
        assert rows(shop, "users") == []

    def test_bad_answer_is_denied_in_plain_words(self, shop, browser, caplog):
        """A forged answer is denied; page and log share a reference, and the log has the code and no value."""
        forged = shop.callback(browser).replace("iss=http", "iss=https")
        page = browser.open(forged)
        reference = REFERENCE.search(page.text)[1]
        lines = [one.getMessage() for one in caplog.records if one.name == "cyberid_client"]
        assert (page.status, "We could not log you in" in page.text) == (403, True)
        assert f"page shown: kind=refused code=callback.issuer reference={reference}" in lines
        assert "callback.issuer" not in page.text
        assert rows(shop, "users") == []

    def test_failed_login_clears_its_cookie(self, shop, browser):
        """Also a login that failed leaves no cookie of its own behind."""
        browser.open(shop.callback(browser, deny=True))
        assert [one.name for one in browser.cookies(shop.url)] == [SESSION]

    @pytest.mark.parametrize(
        "query",
        ["", "?", "?state=x", "?state=x&state=y", "?code=%ff&state=x", "?state=%zz", "?" + "x" * 9000],
    )
    def test_garbage_at_the_callback(self, shop, browser, query):
        """Whatever arrives at the callback gets a plain page with a reference and a way on."""
        page = browser.open(f"{shop.url}/id/callback{query}")
        assert page.status in {400, 403}
        assert REFERENCE.search(page.text)
        assert page.form().find_button("Start again")

    @pytest.mark.parametrize(
        "return_to", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil"]
    )
    def test_return_to_stays_here(self, shop, browser, return_to):
        """A place to return to that leads away is refused before anybody is asked anything."""
        page = browser.open(f"{shop.url}/login")
        page = browser.submit(page, {"return_to": return_to}, form="id-login")
        assert (page.status, page.url) == (403, f"{shop.url}/id/login")
        page = browser.open(f"{shop.url}/login")
        page = browser.submit(
            page, {**LOCAL, "return_to": return_to}, form="local-login", button="Make an account"
        )
        assert page.url == f"{shop.url}/"

    def test_forms_of_others_are_refused(self, shop, browser):
        """A POST without this session's form token is refused, whatever the form."""
        page = browser.open(f"{shop.url}/login")
        for token in ("", "wrong", "网"):
            answer = browser.submit(page, {"csrf": token, **LOCAL}, form="local-login")
            assert (answer.status, "too old" in answer.text) == (400, True)
        stranger = Browser()
        assert stranger.submit(page, form="local-login").status == 400

    def test_a_page_of_others_starts_no_login(self, shop, browser):
        """A form on a foreign page that starts a login leads to a page with a button, and to no platform."""
        page = replace(browser.open(f"{shop.url}/login"), url="https://evil.example/")
        calls = len(shop.issuer.log)
        asked = browser.submit(page, form="id-login")
        assert (asked.status, asked.url) == (200, f"{shop.url}/id/login")
        assert calls == len(shop.issuer.log)
        assert browser.click(asked, "Go on").url.startswith(shop.issuer.issuer)

    def test_unknown_page(self, shop, browser):
        """A page that is not there is a plain page with the status 404."""
        page = browser.open(f"{shop.url}/nowhere")
        assert (page.status, page.links[-1].text) == (404, "Back to the shop")


class TestOtherWayIn:
    def test_register_log_out_and_in(self, shop, browser):
        """A name and a password are enough: no ID is asked for."""
        page = browser.open(f"{shop.url}/login")
        page = browser.submit(page, LOCAL, form="local-login", button="Make an account")
        assert "Welcome, Made-up Mei" in page.text
        page = browser.click(browser.click(page, "Log out"), "Log in")
        page = browser.submit(page, LOCAL, form="local-login", button="Log in")
        assert "Welcome, Made-up Mei" in page.text
        assert [hop.url for hop in browser.history if not hop.url.startswith(shop.url)] == []

    @pytest.mark.parametrize(
        ("fields", "button", "words"),
        [
            ({"name": LOCAL["name"], "password": "another password"}, "Log in", "do not fit together"),
            ({"name": "Nobody", "password": LOCAL["password"]}, "Log in", "do not fit together"),
            (LOCAL, "Make an account", "This name is taken"),
            ({"name": "", "password": "x" * 10}, "Make an account", "Please choose a name"),
            ({"name": "x" * 41, "password": "x" * 10}, "Make an account", "Please choose a name"),
            ({"name": "x", "password": "x" * 9}, "Make an account", "at least 10 characters"),
            ({"name": "x", "password": "x" * 201}, "Make an account", "at least 10 characters"),
        ],
    )
    def test_refusals(self, shop, fields, button, words):
        """Wrong, taken, empty, too short and too long are refused with a sentence."""
        first, browser = Browser(), Browser()
        page = first.open(f"{shop.url}/login")
        first.submit(page, LOCAL, form="local-login", button="Make an account")
        page = browser.submit(browser.open(f"{shop.url}/login"), fields, form="local-login", button=button)
        assert (page.status, words in page.text) == (403, True)

    def test_works_while_the_issuer_is_away(self, start_shop, browser):
        """When the platform cannot be reached the page says so, and the other way in still works."""
        gone = MockIssuer()
        with gone.serve() as origin:
            pass
        with start_shop(issuer_url=origin) as shop:
            page = shop.leave(browser)
            assert (page.status, "Please try again soon" in page.text) == (503, True)
            page = browser.click(page, "Other ways to log in")
            page = browser.submit(page, LOCAL, form="local-login", button="Make an account")
            assert "Welcome" in page.text


class TestAfterwards:
    def test_logout_ends_copies_of_the_cookie(self, shop, browser):
        """After the logout a copy of the session cookie is worth nothing."""
        shop.log_in(browser)
        thief = Browser()
        thief.jar.store(
            shop.url, f"{SESSION}={session_of(browser, shop)}; Secure; Path=/", now=datetime.now(UTC)
        )
        assert "Welcome" in thief.open(shop.url).text
        browser.click(browser.open(shop.url), "Log out")
        assert "Welcome" not in browser.open(shop.url).text
        assert "Welcome" not in thief.open(shop.url).text

    def test_orders_survive_a_restart(self, start_shop, browser):
        """What was ordered is there after a restart, and so is the person's account."""
        with start_shop() as shop:
            page = browser.click(shop.log_in(browser), "Clay teapot")
            assert "Clay teapot" in page.text
        with start_shop() as shop:
            page = shop.log_in(browser)
            assert "Clay teapot" in browser.click(page, "Orders").text

    def test_only_what_is_sold_can_be_ordered(self, shop, browser):
        """An item that is not for sale is no order."""
        shop.log_in(browser)
        page = browser.open(shop.url)
        (form,) = (one for one in page.forms if one.find_button("Jasmine tea"))
        odd = replace(form, buttons=(Button(name="item", value="The whole shop", text="Order"),))
        assert "Nothing yet" in browser.submit(replace(page, forms=(odd,))).text

    def test_rotated_key_finds_the_account(self, start_shop, browser):
        """After a change of key an account is found under the old one and written anew under the new."""
        with start_shop() as shop:
            shop.log_in(browser)
            (before,) = rows(shop, "id_logins")
        with start_shop(keys={"k2": b"3" * 32, "k1": b"1" * 32}) as shop:
            shop.log_in(browser)
            (after,) = rows(shop, "id_logins")
        assert (before[0][:3], after[0][:3]) == ("k1.", "k2.")
        assert before[1] == after[1]

    def test_database_holds_ids_and_digests_only(self, shop, browser):
        """Of a person who logs in with the ID the database holds the shop's own id and a digest."""
        browser.click(shop.log_in(browser), "Jasmine tea")
        ((user_id,),) = rows(shop, "users")
        ((digest, owner, *_),) = rows(shop, "id_logins")
        assert re.fullmatch(r"[0-9a-f]{16}", user_id)
        assert re.fullmatch(r"k1\.[A-Za-z0-9_-]{43}", digest)
        assert owner == user_id
        assert rows(shop, "local_logins") == []
        assert [row[1:] for row in rows(shop, "orders")] == [(user_id, "Jasmine tea", False)]
        sessions = rows(shop, "sessions")
        assert {64} == {len(token_hash) for token_hash, *_ in sessions}
        assert [user_id] == [value for _, name, value, _ in sessions if name == "user"]
        seen = [shop.issuer.pseudonym("adult", sector=SECTOR), shop.issuer.people["adult"].name]
        seen += [hop.url.partition("code=")[2][:43] for hop in browser.history if "code=" in hop.url]
        assert not [value for value in seen if value.encode() in shop.database.read_bytes()]

    def test_headers(self, shop, browser):
        """Pages are not cached, run no scripts, and stand in no foreign frame."""
        page = browser.open(shop.url)
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
