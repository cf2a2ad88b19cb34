"""Wallet presentations through the endpoints: browsers with cookies, wallets without."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from cyberid_client import Channel, Client, ConfigurationError
from cyberid_client.integrations.endpoints import ENDPOINTS
from cyberid_client.integrations.sessions import read_login
from cyberid_client.integrations.web import WebLogin, WebRequest, refuse_login
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.browser_html import read_page

from .conftest import KEYS, ORIGIN, Visitor, location
from .test_web import title
from .wallets import Untouched, Wallets, query_of

WALLET_ENDPOINTS = {name for name in ENDPOINTS if name.startswith("wallet_")}


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def issuer(clock):
    """One issuer, and so wallets that fetch ahead once."""
    return MockIssuer(clock=clock)


@pytest.fixture(scope="module")
def wallets(issuer):
    return Wallets(issuer)


@pytest.fixture
def ways_in():
    return frozenset({"wallet", "other_device"})


@pytest.fixture
def client(client, beside_or_not):
    """Give a client that knows its issuer, before anybody logs in."""
    if beside_or_not is None:
        client.refresh()
    else:
        beside_or_not.call(client.refresh)
    return client


class Shopper(Visitor):
    """A browser and a wallet of one person, on one device or on two."""

    def __init__(self, web, issuer, wallets):
        super().__init__(web, issuer)
        self.wallets = wallets

    def wallet(self, person="adult"):
        return self.wallets.of(person, self.web)

    def scan(self, **form):
        """Ask for a QR code; return the page, and what stands in it for the person's devices."""
        reply = self.post("wallet_start", device="other", **form)
        assert 200 == reply.status, reply.body.decode()
        return reply

    def read(self, reply):
        return read_page(
            url=f"{ORIGIN}/cyberid/wallet/start",
            status=reply.status,
            headers={name.lower(): value for name, value in reply.headers},
            body=reply.body,
        )

    def type(self, page, digits):
        """Type digits into the form of a page, and press its button."""
        form = next(each for each in self.read(page).forms if each.action.endswith("/wallet/finish"))
        return self.post("wallet_finish", **dict(form.fill({"typed_code": digits})))

    def status(self, page):
        reply = self.ask_status(page)
        return reply.status, json.loads(reply.body)["state"]

    def ask_status(self, page):
        place = re.search('data-place="([^"]*)"', page.body.decode())[1]
        request = WebRequest(method="GET", path="", query=place.partition("?")[2])
        return self.web.answer("wallet_status", request, Untouched())


@pytest.fixture
def shopper(web, issuer, wallets):
    return Shopper(web, issuer, wallets)


@pytest.fixture
def other_browser(web, issuer, wallets):
    return Shopper(web, issuer, wallets)


def digits_on(shopper, answer):
    """Return the digits that the wallet's device shows; that browser has no cookie and no session."""
    request = WebRequest(method="GET", path="", query=query_of(answer))
    reply = shopper.web.answer("wallet_code", request, Untouched())
    assert (200, "Your six digits") == (reply.status, title(reply))
    assert "Set-Cookie" not in dict(reply.headers)
    shown = reply.body.decode().partition('<p class="code">')[2].partition("</p>")[0]
    return re.sub("<[^>]*>", "", shown)


class TestSameDevice:
    def start(self, shopper, **form):
        reply = shopper.post("wallet_start", device="same", **form)
        assert 303 == reply.status, reply.body.decode()
        return location(reply)

    def test_login(self, shopper):
        """The wallet opens, answers, and sends the browser back into a session of its own under a new id."""
        shopper.session.set("cart", "of somebody unknown")
        uri = self.start(shopper, return_to="/cart?item=1")
        assert uri.startswith("openid4vp://authorize?")
        answer = shopper.wallet().answer(uri)
        back = shopper.get("wallet_return", query=query_of(answer))
        assert (303, "/cart?item=1") == (back.status, location(back))
        assert Channel.WALLET_SAME == read_login(shopper.session).channel
        assert (1, None, {}) == (shopper.session.number, shopper.session.get("cart"), shopper.cookies)

    def test_same_person_as_by_redirect(self, shopper, other_browser):
        """Whoever logs in by wallet is the same user as by the redirect."""
        answer = shopper.wallet().answer(self.start(shopper))
        shopper.get("wallet_return", query=query_of(answer))
        other_browser.log_in()
        assert shopper.session.get("user") == other_browser.session.get("user")

    def test_cookie(self, shopper):
        """The cookie is this host's only, comes by https only, and no page's script reads it."""
        reply = shopper.post("wallet_start", device="same")
        cookie = dict(reply.headers)["Set-Cookie"]
        assert cookie.startswith("__Host-cyberid-")
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=300"} <= set(cookie.split("; "))
        assert ("no-store", "no-referrer") == (
            dict(reply.headers)["Cache-Control"],
            dict(reply.headers)["Referrer-Policy"],
        )

    def test_return_that_is_opened_again(self, shopper, other_browser):
        """In this session the address goes on to where the login went; anywhere else it is over."""
        answer = shopper.wallet().answer(self.start(shopper, return_to="/cart"))
        query, copied = query_of(answer), dict(shopper.cookies)
        shopper.get("wallet_return", query=query)
        before = dict(shopper.session.entries)
        assert "/cart" == location(shopper.get("wallet_return", query=query))
        other_browser.cookies = copied
        assert 400 == other_browser.get("wallet_return", query=query).status
        assert ({}, before) == (other_browser.session.entries, shopper.session.entries)

    def test_victim_answers_an_attackers_link(self, shopper, other_browser):
        """A person whose wallet answers somebody else's link logs nobody in: one has the code, the other the handle."""
        uri = self.start(shopper)
        answer = shopper.wallet("traveller").answer(uri)
        refused = other_browser.get("wallet_return", query=query_of(answer))
        assert (400, "This login is over") == (refused.status, title(refused))
        assert 400 == shopper.get("wallet_return", query="response_code=guessed").status
        assert ({}, {}) == (other_browser.session.entries, shopper.session.entries)

    def test_wallet_says_no(self, shopper):
        """A wallet that says no sends the browser to a page that says so."""
        answer = shopper.wallet().decline(self.start(shopper))
        reply = shopper.get("wallet_return", query=query_of(answer))
        assert (403, "You are not logged in", {}) == (reply.status, title(reply), shopper.session.entries)

    def test_store_that_was_away(self, shopper, pending):
        """While the store is away the cookie stays, so that the same address, opened again, logs in."""
        answer = shopper.wallet().answer(self.start(shopper, return_to="/cart"))
        pending.is_away = True
        query = query_of(answer)
        assert (503, 1) == (shopper.get("wallet_return", query=query).status, len(shopper.cookies))
        pending.is_away = False
        assert "/cart" == location(shopper.get("wallet_return", query=query))

    def test_not_by_digits(self, shopper):
        """What began on this device is not finished by typing, and is over then."""
        answer = shopper.wallet().answer(self.start(shopper))
        code = query_of(answer).partition("=")[2]
        reply = shopper.post("wallet_finish", status_handle=code, typed_code="123456")
        assert (400, {}) == (reply.status, shopper.session.entries)
        assert 400 == shopper.get("wallet_return", query=query_of(answer)).status

    def test_state_is_not_told(self, shopper):
        """Nothing is polled on the same device: whatever is asked, it is over."""
        answer = shopper.wallet().answer(self.start(shopper))
        query = query_of(answer).replace("response_code", "status_handle")
        request = WebRequest(method="GET", path="", query=query)
        assert b'{"state": "over"}' == shopper.web.answer("wallet_status", request, Untouched()).body

    def test_app_says_no(self, shopper):
        """An app that refuses somebody leaves the session as it was."""
        shopper.web = replace(shopper.web, on_login=lambda *_: refuse_login())
        shopper.session.set("cart", "1")
        answer = shopper.wallet().answer(self.start(shopper))
        reply = shopper.get("wallet_return", query=query_of(answer))
        assert (403, "You are not logged in") == (reply.status, title(reply))
        assert ({"cart": "1"}, 0) == (shopper.session.entries, shopper.session.number)

    @pytest.mark.parametrize("place", ["//evil.example", "https://evil.example/"])
    def test_return_to_stays_here(self, shopper, place):
        """A place that leads away is refused before a wallet is asked."""
        assert 403 == shopper.post("wallet_start", device="same", return_to=place).status

    @pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}])
    def test_foreign_pages(self, shopper, headers):
        """A POST from elsewhere starts nothing and finishes nothing; the person decides on a page of ours."""
        shopper.headers = headers
        reply = shopper.post("wallet_start", device="same", return_to="/cart")
        assert (200, {}) == (reply.status, shopper.cookies)
        assert b'name="return_to" value="/cart"' in reply.body
        assert "Nothing was done" == title(shopper.post("wallet_finish", typed_code="123456"))

    def test_at_most_four(self, shopper, clock):
        """Logins of all ways in share the four places that a browser has."""
        shopper.post("login")
        first = set(shopper.cookies)
        for _ in range(4):
            clock.advance(1)
            self.start(shopper)
        assert (4, set()) == (len(shopper.cookies), first & set(shopper.cookies))


class TestOtherDevice:
    def test_login(self, shopper, client):
        """A code is scanned, digits are shown on one device and typed on the other."""
        page = shopper.scan(return_to="/cart")
        assert "Scan this code with your wallet" == title(page)
        assert (
            client.started.qr_svg(title="QR code that opens the login in your wallet") in page.body.decode()
        )
        assert (200, "waiting") == shopper.status(page)
        answer = shopper.wallet().answer(client.started.uri)
        assert (200, "answered") == shopper.status(page)
        back = shopper.type(page, digits_on(shopper, answer))
        assert (303, "/cart", {}) == (back.status, location(back), shopper.cookies)
        assert Channel.WALLET_OTHER == read_login(shopper.session).channel
        assert 1 == shopper.session.number
        assert (200, "over") == shopper.status(page)

    def test_reloaded_form(self, shopper, client):
        """Digits that are sent again go on to where the login went."""
        page = shopper.scan(return_to="/cart")
        digits = digits_on(shopper, shopper.wallet().answer(client.started.uri))
        shopper.type(page, digits)
        assert "/cart" == location(shopper.type(page, digits))
        assert 1 == shopper.session.number

    def test_three_tries(self, shopper, client):
        """After wrong digits the page asks again and says how often; the third time it is over, also for the right ones."""
        page = shopper.scan()
        digits = digits_on(shopper, shopper.wallet().answer(client.started.uri)).replace(" ", "")
        wrong = f"{(int(digits) + 1) % 1_000_000:06}"
        second = shopper.type(page, wrong)
        assert (403, "These were not the digits") == (second.status, title(second))
        assert b"You can try twice more." in second.body
        third = shopper.type(second, wrong)
        assert b"You can try once more." in third.body
        last = shopper.type(third, wrong)
        assert (400, "The digits were wrong three times") == (last.status, title(last))
        assert ({}, 400) == (shopper.cookies, shopper.type(third, digits).status)
        assert {} == shopper.session.entries

    def test_right_at_the_third_time(self, shopper, client):
        """Two wrong tries do not stand in the way of a right one; what is no six digits is no try."""
        page = shopper.scan()
        digits = digits_on(shopper, shopper.wallet().answer(client.started.uri)).replace(" ", "")
        wrong = f"{(int(digits) + 1) % 1_000_000:06}"
        for typed in (wrong, "12345", "", wrong):
            page = shopper.type(page, typed)
            assert 403 == page.status
        assert b"You can try once more." in page.body
        assert 303 == shopper.type(page, digits).status

    def test_typed_too_early(self, shopper, client):
        """Digits that come before the wallet's answer are asked for again, and are no try."""
        page = shopper.scan(return_to="/cart")
        early = shopper.type(page, "123456")
        assert (409, "Your wallet has not answered yet") == (early.status, title(early))
        digits = digits_on(shopper, shopper.wallet().answer(client.started.uri))
        assert "/cart" == location(shopper.type(early, digits))

    def test_stranger_answers_first(self, shopper, client):
        """Whoever photographs the code and answers first sees digits that the person at the screen does not type."""
        page = shopper.scan()
        stranger = shopper.wallet("traveller").answer(client.started.uri)
        mine = shopper.wallet().answer(client.started.uri)
        assert (200, False) == (stranger.status, mine.accepted)
        assert digits_on(shopper, stranger)
        reply = shopper.type(page, "000000")
        assert (403, {}) == (reply.status, shopper.session.entries)

    def test_browser_without_the_cookie(self, shopper, other_browser, client):
        """Digits without the handle log nobody in, and leave the login to the browser that has it."""
        page = shopper.scan()
        digits = digits_on(shopper, shopper.wallet().answer(client.started.uri))
        assert (400, {}) == (other_browser.type(page, digits).status, other_browser.session.entries)
        assert 303 == shopper.type(page, digits).status

    def test_not_by_return(self, shopper, client):
        """What began on another device is not finished by the address that the wallet's browser opens."""
        shopper.scan()
        answer = shopper.wallet().answer(client.started.uri)
        assert (400, {}) == (
            shopper.get("wallet_return", query=query_of(answer)).status,
            shopper.session.entries,
        )

    def test_wallet_says_no(self, shopper, client):
        """Who says no on the wallet's device is told where to go on, and that is not there."""
        shopper.scan()
        answer = shopper.wallet().decline(client.started.uri)
        reply = shopper.get("wallet_code", query=query_of(answer))
        assert (403, "There are no digits") == (reply.status, title(reply))
        assert b"<form" not in reply.body
        assert b"<a " not in reply.body

    def test_page(self, shopper):
        """The page runs one script of this origin, may ask its own origin, and needs neither."""
        page = shopper.scan()
        text, policy = page.body.decode(), dict(page.headers)["Content-Security-Policy"]
        assert {"script-src 'self'", "connect-src 'self'", "default-src 'none'"} <= set(policy.split("; "))
        assert ["/cyberid/wallet/waiting.js"] == re.findall('<script src="([^"]*)" defer></script>', text)
        assert 1 == text.count("<script")
        assert 'role="status"' in text
        assert '<label for="digits">' in text
        assert "no-store" == dict(page.headers)["Cache-Control"]
        assert shopper.cookies
        assert not [each for each in shopper.cookies.values() if each.partition("!")[2] in text]

    def test_script(self, shopper):
        """The script is served as one, whoever asks."""
        reply = shopper.web.answer("wallet_script", WebRequest(method="GET", path=""), Untouched())
        assert "text/javascript; charset=utf-8" == dict(reply.headers)["Content-Type"]
        assert b"use strict" in reply.body

    def test_chinese(self, shopper, client):
        """Who reads Chinese gets both pages in Chinese."""
        shopper.headers["accept-language"] = "zh-CN"
        assert "请用钱包扫描此二维码" == title(shopper.scan())
        answer = shopper.wallet().answer(client.started.uri)
        assert "您的六位数字" == title(shopper.get("wallet_code", query=query_of(answer)))

    @pytest.mark.parametrize(
        "query", ["response_code=x", "response_code=", "response_code=a&response_code=b", "x"]
    )
    def test_code_of_nothing(self, shopper, query):
        """Whatever else is asked for digits, there are none."""
        reply = shopper.get("wallet_code", query=query)
        assert reply.status in {400, 403}
        assert b'class="code"' not in reply.body

    def test_used_code(self, shopper, client):
        """After the login the wallet's page has no digits any more, and says where to go on."""
        page = shopper.scan()
        answer = shopper.wallet().answer(client.started.uri)
        shopper.type(page, digits_on(shopper, answer))
        reply = shopper.get("wallet_code", query=query_of(answer))
        assert (400, "These digits cannot be used any more") == (reply.status, title(reply))
        assert b"<form" not in reply.body

    @pytest.mark.parametrize("query", ["", "status_handle=", "status_handle=x.y", "x=1&y=2", "%ff" * 5000])
    def test_status_of_nothing(self, shopper, query):
        """Of what is no presentation the state is over."""
        request = WebRequest(method="GET", path="", query=query)
        reply = shopper.web.answer("wallet_status", request, Untouched())
        assert (200, b'{"state": "over"}') == (reply.status, reply.body)
        assert "no-store" == dict(reply.headers)["Cache-Control"]


class TestWallets:
    def test_request_object(self, shopper, client):
        """A wallet may fetch the request twice, by GET and by POST with a nonce of its own; no cookie is read."""
        shopper.scan()
        request_id = re.search("request%2F([^&]*)", client.started.uri)[1]
        for method, body in (("GET", b""), ("POST", b"wallet_nonce=abc"), ("POST", b"")):
            reply = self.fetch(shopper, request_id, method=method, body=body)
            headers = dict(reply.headers)
            assert (200, "application/oauth-authz-req+jwt", "no-store") == (
                reply.status,
                headers["Content-Type"],
                headers["Cache-Control"],
            )
            assert 3 == len(reply.body.split(b"."))
        assert 400 == self.fetch(shopper, request_id, method="POST", body=b"wallet_nonce=%00").status

    @pytest.mark.parametrize("request_id", ["", "x", "a" * 43, "../x", "\ud800"])
    def test_unknown_request(self, shopper, request_id):
        """Of a request that is not there a wallet learns that, and nothing else."""
        assert 404 == self.fetch(shopper, request_id).status

    @pytest.mark.parametrize("body", [b"", b"response=x", b"\xff", b"state=x&error=y", b"x" * 300_000])
    def test_garbage(self, shopper, body):
        """What is no answer gets 400, and no session is touched."""
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = WebRequest(method="POST", path="", headers=headers, body=body)
        reply = shopper.web.answer("wallet_response", request, Untouched())
        assert 400 == reply.status
        assert "set-cookie" not in {name.lower() for name, _ in reply.headers}

    def test_while_the_store_is_away(self, shopper, client, pending):
        """While nothing can be looked up, wallets and pages are told that it may be tried again."""
        page = shopper.scan()
        request_id = re.search("request%2F([^&]*)", client.started.uri)[1]
        answer = shopper.wallet().answer(client.started.uri)
        pending.is_away = True
        assert 503 == self.fetch(shopper, request_id).status
        assert 503 == shopper.get("wallet_code", query=query_of(answer)).status
        assert 503 == shopper.ask_status(page).status
        assert (503, 1) == (shopper.type(page, "123456").status, len(shopper.cookies))
        assert 503 == shopper.post("wallet_start", device="other").status
        pending.is_away = False
        assert 303 == shopper.type(page, digits_on(shopper, answer)).status

    @staticmethod
    def fetch(shopper, request_id, *, method="GET", body=b""):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        parameters = {"request_id": request_id}
        request = WebRequest(method=method, path="", headers=headers, body=body, path_parameters=parameters)
        return shopper.web.answer("wallet_request", request, Untouched())


class TestWays:
    def test_start_page(self, shopper):
        """The page offers each configured way with a button, the redirect first, and keeps the place."""
        page = shopper.get("login", query="return_to=/cart")
        targets = re.findall('<form method="post" action="([^"]*)">', page.body.decode())
        assert ["/cyberid/login", "/cyberid/wallet/start", "/cyberid/wallet/start"] == targets
        assert ["same", "other"] == re.findall('name="device" value="([^"]*)"', page.body.decode())
        assert 3 == page.body.count(b'name="return_to" value="/cart"')

    def test_start_again_is_a_choice(self, shopper):
        """Where there are several ways in, who starts again chooses anew."""
        page = shopper.get("wallet_return", query="response_code=x")
        assert b'href="/cyberid/login">Start again' in page.body

    def test_endpoints(self, shopper):
        """All endpoints of wallets are there, those of app launch are not."""
        assert set(shopper.web.endpoints) >= WALLET_ENDPOINTS
        assert not [name for name in shopper.web.endpoints if name.startswith("app")]

    def test_wallets_must_come_here(self, party, issuer):
        """Endpoints of wallets that are elsewhere than the configuration says are a mistake that shows at once."""
        elsewhere = replace(party, wallet=replace(party.wallet, endpoint=f"{ORIGIN}/wallet"))
        client = Client(elsewhere, transport=issuer.transport(), background=False)
        with client, pytest.raises(ConfigurationError) as caught:
            WebLogin(client=client, keys=KEYS, on_login=lambda *_: {})
        assert ("config.wallet", "wallet.endpoint") == (caught.value.code, caught.value.setting)


class TestSameDeviceOnly:
    @pytest.fixture
    def ways_in(self):
        return frozenset({"wallet"})

    def test_endpoints(self, web):
        """Without other devices there is nothing to poll, to show or to type."""
        absent = {"wallet_code", "wallet_status", "wallet_script", "wallet_finish"}
        assert absent == WALLET_ENDPOINTS - set(web.endpoints)

    def test_start_page(self, shopper):
        """Another device is not offered, and asking for it is a mistake of the app."""
        assert [b"same"] == re.findall(b'name="device" value="([^"]*)"', shopper.get("login").body)
        assert 500 == shopper.post("wallet_start", device="other").status
