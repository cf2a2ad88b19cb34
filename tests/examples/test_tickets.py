"""The ticket office over HTTP: three ways in, one ticket each, the gate, and the way of the money back."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tickets.handset import Handset
from tickets.mock import register
from tickets.running import HOST, listen, serve
from tickets.serve import create
from tickets.sessions import SESSION_SECONDS
from tickets.walk import Walk

from cyberid_client.testing import Browser, MockIssuer

from .running_tickets import run_tickets

EXAMPLES = Path(__file__).parents[2] / "examples"
SESSION = "__Host-tickets-session"


@pytest.fixture(scope="module")
def running(served_issuer, tmp_path_factory):
    """Give an office that listens."""
    with run_tickets(served_issuer, tmp_path_factory.mktemp("tickets")) as made:
        yield made


@pytest.fixture
def office(running, issuer):
    """Give the office, with nobody in it."""
    assert running.issuer is issuer
    running.forget()
    return running


@pytest.fixture
def handset(office):
    """Give the office's app on a phone."""
    return Handset(office.url, office.issuer)


class TestTheRedirect:
    def test_a_person_logs_in_and_buys_a_ticket(self, office, browser):
        """The page of the platform is one of the ways, and the ticket is shown at the end."""
        page = office.log_in(browser, return_to="/")
        assert "logged in on the platform’s page" in page.text
        page = browser.submit(page, form="buy-lanterns")
        assert (200, True) == (page.status, "The Night of a Thousand Lanterns" in page.text)
        assert "199 left" not in browser.open(office.url).text

    def test_a_second_ticket_is_refused(self, office, browser):
        """Two pages with the same button sell one ticket."""
        first = office.log_in(browser, return_to="/")
        browser.submit(first, form="buy-lanterns")
        page = browser.submit(first, form="buy-lanterns")
        assert (409, True) == (page.status, "Everybody gets one" in page.text)
        assert 1 == len(office.rows("tickets"))


class TestTheApp:
    def test_a_person_logs_in_with_the_id_app(self, office, handset):
        """The app asks for a launch, gives the answer back, and is logged in."""
        assert (200, {"return_to": "/tickets"}) == handset.log_in()
        status, page = handset.open("/tickets")
        assert (200, True) == (status, "with the ID app" in page)

    @pytest.mark.parametrize(("outcome", "status"), [("cancelled", 403), ("busy", 503)])
    def test_what_the_id_app_says_instead_is_no_login(self, office, handset, outcome, status):
        """A person who cancels is not logged in."""
        found, answer = handset.log_in(outcome=outcome)
        assert (status, outcome) == (found, answer["error"])
        assert [] == office.rows("sessions")

    def test_the_answer_of_another_phone_is_worth_nothing(self, office, handset):
        """What the ID app said to one phone logs nobody in on another one."""
        stranger = Handset(office.url, office.issuer)
        stranger.start()
        result = handset._phone.launch(handset.start(), package="example.tickets.android")
        assert 200 != stranger.finish(result)[0]
        assert [] == office.rows("sessions")


class TestTheWallet:
    def test_a_person_logs_in_on_the_same_device(self, office, browser):
        """The wallet answers, its browser comes back, and the platform hears of nothing."""
        asked = len(office.issuer.log)
        page = office.enter(browser)
        assert (f"{office.url}/tickets", True) == (page.url, "with the wallet on this device" in page.text)
        assert asked == len(office.issuer.log)

    def test_another_process_finishes_what_one_began(self, office, browser):
        """Several processes of the office share what is under way: any of them may be asked next."""
        with closing(listen()) as where, serve(create(office.environ), where):
            other = f"http://{HOST}:{where.getsockname()[1]}"
            page = office.enter(browser, url=other)
            assert (f"{other}/tickets", True) == (page.url, "with the wallet on this device" in page.text)
            assert "with the wallet on this device" in browser.open(f"{office.url}/tickets").text

    def test_the_link_of_another_logs_nobody_in(self, office, browser):
        """A victim who answers a stranger's link is not logged in, and neither is the stranger."""
        page = office.leave(Browser(), form="wallet-login")
        victim = browser.open(office.wallet.answer(page.url).redirect_uri)
        assert (400, []) == (victim.status, office.rows("sessions"))

    def test_every_way_leads_to_the_same_person(self, office, handset, browser):
        """Redirect, app and both kinds of wallet are one holder."""
        office.log_in(Browser())
        handset.log_in()
        office.enter(browser)
        office.enter_at_screen(Browser())
        assert (1, 4) == (len(office.rows("holders")), len(office.rows("sessions")))


class TestTheGate:
    def test_the_screen_shows_the_ticket_and_forgets_the_person(self, office, browser):
        """Who has a ticket is let in once; afterwards the screen is nobody's."""
        browser.submit(office.enter(browser, return_to="/"), form="buy-erhu")
        screen = Browser()
        page = office.enter_at_screen(screen, return_to="/gate/erhu")
        assert "This ticket is yours, and good" in page.text
        assert "Welcome" in screen.submit(page, form="admit").text
        assert "Log in" in screen.open(f"{office.url}/").text
        page = office.enter_at_screen(screen, return_to="/gate/erhu")
        assert "Somebody was let in with ticket" in page.text
        assert "Nobody was let in" in screen.submit(page, form="admit").text

    def test_who_has_no_ticket_is_told_so(self, office):
        """A person without a ticket for this event is not let in."""
        screen = Browser()
        page = office.enter_at_screen(screen, return_to="/gate/dawn")
        assert "There is no ticket of yours" in page.text
        assert "Nobody was let in" in screen.submit(page, form="admit").text

    def test_wrong_digits_let_nobody_in(self, office):
        """Digits of another phone are refused, and the right ones still count."""
        screen = Browser()
        page, digits = office.show_code(screen, return_to="/gate/dawn")
        wrong = "000000" if digits.replace(" ", "") != "000000" else "111111"
        page = screen.submit(page, {"typed_code": wrong}, button="Log in")
        assert [] == office.rows("sessions")
        assert "Gate: Dawn Choir" == screen.submit(page, {"typed_code": digits}, button="Log in").title


class TestTheMoney:
    def test_a_wallet_on_another_device_gets_none(self, office, browser):
        """The page of the refund says why, and posting its form anyway changes nothing."""
        page = browser.submit(office.enter(browser, return_to="/"), form="buy-erhu")
        form = browser.open(f"{page.url}/refund")
        office.enter_at_screen(browser)
        refused = browser.open(f"{page.url}/refund")
        assert (403, True) == (refused.status, "Not with a wallet on another device" in refused.text)
        assert 403 == browser.submit(form, form="refund").status
        assert 1 == len(office.rows("tickets"))
        assert f"{office.url}/login" == browser.click(refused, "Log in another way").url.partition("?")[0]

    @pytest.mark.parametrize("way", ["enter", "log_in"])
    def test_every_other_way_in_gets_it(self, office, browser, way):
        """A wallet on the same device and the platform's page are good enough for money."""
        page = browser.submit(getattr(office, way)(browser, return_to="/"), form="buy-dawn")
        page = browser.submit(browser.open(f"{page.url}/refund"), form="refund")
        assert (200, True) == (page.status, "on sale again" in page.text)
        assert [] == office.rows("tickets")

    def test_the_ticket_of_another_is_not_there(self, office, browser):
        """Whose ticket it is not, sees neither the ticket nor its refund."""
        page = browser.submit(office.enter(browser, return_to="/"), form="buy-erhu")
        other = Browser()
        office.log_in(other, person="traveller")
        assert [404, 404] == [other.open(f"{page.url}{more}").status for more in ("", "/refund")]


class TestTheSession:
    def test_it_is_short_and_kept_on_the_server(self, office, browser):
        """The cookie holds a token alone, with the strict attributes, and the database its hash."""
        office.enter(browser)
        (cookie,) = [each for each in browser.cookies(office.url) if each.name == SESSION]
        assert (True, True, "Lax", "/", None) == (
            cookie.secure,
            cookie.http_only,
            cookie.same_site,
            cookie.path,
            cookie.expires_at,
        )
        ((token_hash, entries, expires_at),) = office.rows("sessions")
        assert (64, True) == (len(token_hash), cookie.value not in entries)
        assert 0 <= SESSION_SECONDS - (expires_at - int(time.time())) < 60

    def test_one_that_is_over_is_nobody(self, office, browser):
        """From the second of its end on a session says nothing, whatever cookies there are."""
        office.enter(browser)
        with closing(sqlite3.connect(office.database)) as db:
            db.execute("UPDATE sessions SET expires_at = ?", (int(time.time()),))
            db.commit()
        assert f"{office.url}/login" == browser.open(f"{office.url}/tickets").url.partition("?")[0]

    def test_a_logout_ends_it(self, office, browser):
        """After a logout the cookie is gone, and the session with it."""
        browser.click(office.enter(browser), "Log out")
        assert [] == office.rows("sessions")
        assert [] == [each for each in browser.cookies(office.url) if each.name == SESSION]

    def test_nothing_of_the_person_is_kept(self, office, browser):
        """The database holds a digest, and neither pseudonym nor name."""
        office.enter(browser)
        ((holder, digest),) = office.rows("holders")
        assert (16, True) == (len(holder), digest.startswith("k1."))
        pseudonym = office.issuer.pseudonym("adult", sector=office.url)
        kept = office.database.read_bytes()
        assert not [each for each in (pseudonym, office.issuer.people["adult"].name) if each.encode() in kept]


class TestThePages:
    @pytest.mark.parametrize("path", ["/", "/login", "/gate", "/gate/erhu", "/phone", "/nowhere"])
    def test_they_load_nothing_from_elsewhere(self, office, browser, path):
        """Pages are not cached, stand in no foreign frame, and name no other host."""
        page = browser.open(f"{office.url}{path}")
        assert "no-store" == page.headers["cache-control"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        body = page.body.decode().replace(office.issuer.issuer, "").replace(office.url, "")
        assert "//" not in body.replace("<!doctype html>", "")

    @pytest.mark.parametrize("path", ["/events/erhu/ticket", "/gate/erhu", "/tickets/ABCDEFGH/refund"])
    def test_forms_of_others_are_refused(self, office, browser, path):
        """A form on a foreign page changes nothing."""
        office.enter(browser)
        page = browser.open(f"{office.url}/gate/erhu")
        foreign = replace(page, url="https://evil.example/")
        form = replace(page.form("admit"), action=f"{office.url}{path}")
        assert 400 == browser.submit(replace(foreign, forms=(form,))).status
        assert 1 == len(office.rows("sessions"))

    def test_who_is_not_logged_in_is_led_to_the_ways_in(self, office, browser):
        """A closed page leads to the login and back."""
        page = browser.open(f"{office.url}/tickets")
        assert f"{office.url}/login?return_to=/tickets" == page.url.replace("%2F", "/")


def test_the_whole_walk(office):
    """What the script of the example walks, step by step, goes as it must."""
    Walk(url=office.url, issuer=office.issuer).all()


def test_the_office_opens_without_the_platform(tmp_path, browser):
    """With nobody at the platform's address the programme is there, and who logs in reads to try again."""
    with closing(listen()) as where:
        url = f"http://{HOST}:{where.getsockname()[1]}"
        issuer = MockIssuer()
        with issuer.serve():
            environ = register(issuer, url=url, folder=tmp_path)
        with serve(create(environ), where):
            assert 200 == browser.open(url).status
            page = browser.submit(browser.open(f"{url}/login"), form="wallet-login")
            assert (503, "Please try again soon · The ticket office") == (page.status, page.title)


@pytest.mark.slow
def test_the_command_walks_and_ends():
    """One command starts issuer, wallet and office, walks through them, and ends with 0."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "tickets", "--script"],
        cwd=EXAMPLES,
        env={**environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "Three ways in, one person" in done.stdout
