"""App launch through the endpoints: an app on a phone, which keeps cookies and speaks JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cyberid_client import Assurance, Channel, ConfigurationError
from cyberid_client.integrations.pages import PAGES
from cyberid_client.integrations.sessions import read_login
from cyberid_client.integrations.web import refuse_login
from cyberid_client.testing.phone import MOCK_OUTCOMES, Phone

from .conftest import ORIGIN, PACKAGE, MemorySession, Visitor, location

FAILURES = sorted(set(MOCK_OUTCOMES.values()) - {"success"})


@pytest.fixture
def ways_in():
    return frozenset({"app"})


class Handset(Visitor):
    """An app on a phone: no origin, no fetch metadata, JSON."""

    def __init__(self, web, issuer, **more):
        super().__init__(web, issuer, headers={"content-type": "application/json"}, **more)
        self.phone = Phone(issuer)

    def send(self, name, document, **changes):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        reply = self.answer(name, replace(self.request("POST", ""), body=body, **changes))
        return reply.status, json.loads(reply.body)

    def start(self, **more):
        status, launch = self.send("app_start", {"platform": "android", **more})
        assert 200 == status
        return launch

    def log_in(self, launch=None, *, return_to="/", **script):
        launch = self.start(return_to=return_to) if launch is None else launch
        return self.send("app_finish", self.phone.launch(launch, package=PACKAGE, **script))


@pytest.fixture
def handset(web, issuer):
    return Handset(web, issuer)


def test_login(handset):
    """A launch, an answer, a session under a new id; what it was is in the session, and no cookie is left."""
    handset.session.set("cart", "of somebody unknown")
    launch = handset.start(return_to="/cart?item=1")
    assert {"orgID", "appID", "bizSeq", "type"} == set(launch)
    assert ["__Host-cyberid-app"] == list(handset.cookies)
    assert (200, {"return_to": "/cart?item=1"}) == handset.log_in(launch)
    login = read_login(handset.session)
    assert (Channel.APP, Assurance.R02) == (login.channel, login.assurance)
    assert (1, None, {}) == (handset.session.number, handset.session.get("cart"), handset.cookies)


def test_cookie_is_kept_from_pages_and_from_foreign_requests(handset):
    """The cookie of a launch is this host's only, comes by https only, and no page's script reads it."""
    reply = handset.answer("app_start", replace(handset.request("POST", ""), body=b'{"platform":"android"}'))
    cookie = dict(reply.headers)["Set-Cookie"]
    assert cookie.startswith("__Host-cyberid-app=")
    assert {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("no-store", "application/json") == (
        dict(reply.headers)["Cache-Control"],
        dict(reply.headers)["Content-Type"],
    )
    assert cookie.partition("=")[2].partition(";")[0] not in reply.body.decode()


@pytest.mark.parametrize("outcome", FAILURES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_outcomes(handset, outcome, language):
    """Each end of a launch has a name, words of its own, and says whether a new launch may help."""
    handset.headers["accept-language"] = language
    status, told = handset.log_in(outcome=outcome)
    assert (PAGES[outcome], outcome) == (status, told["error"])
    assert (outcome == "busy") is told["retry"]
    assert told["title"]
    assert told["text"]
    assert 8 == len(told["reference"])
    assert ({}, {}) == (handset.session.entries, handset.cookies)


def test_unlisted_outcome(handset):
    """An end that stands in no table is a no, and its code is not passed on."""
    answer = handset.phone.launch(handset.start(), package=PACKAGE)
    status, told = handset.send("app_finish", {**answer, "resultCode": "Z9999999"})
    assert (403, "declined", False) == (status, told["error"], told["retry"])
    assert "Z9999999" not in json.dumps(told)


@pytest.mark.parametrize("name", ["app_start", "app_finish"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site", "origin": ORIGIN}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded", "origin": ORIGIN}, 415),
        ({"content-type": ""}, 415),
    ],
)
def test_foreign_pages(handset, pending, name, headers, status):
    """What a page of somebody else can make a browser send starts nothing, finishes nothing, and sets no cookie."""
    launch = handset.start()
    answer = handset.phone.launch(launch, package=PACKAGE)
    document = {"platform": "android"} if name == "app_start" else answer
    cookies = dict(handset.cookies)
    found, told = handset.send(name, document, headers={**handset.headers, **headers})
    assert (status, {"error", "retry"}) == (found, set(told))
    assert (cookies, {}) == (handset.cookies, handset.session.entries)
    assert (200, {"return_to": "/"}) == handset.send("app_finish", answer)


@pytest.mark.parametrize("headers", [{"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}])
def test_own_pages(handset, headers):
    """A page of this origin may do what the app on the phone does."""
    handset.headers.update(headers)
    assert 200 == handset.log_in()[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"platform":"ios"}',
        b'{"platform":["android"]}',
        b'{"platform":null}',
        b'{"platform":"android","platform":"android"}',
        b'{"platform":"android","x":"' + b"x" * 4096 + b'"}',
    ],
)
def test_odd_starts(handset, body):
    """What does not name a platform of this app starts nothing."""
    assert (400, {"error": "platform", "retry": False}) == handset.send("app_start", body)
    assert {} == handset.cookies


@pytest.mark.parametrize("place", ["//evil.example", "https://evil.example/", 1, None, "/" + "a" * 2000])
def test_return_to_stays_here(handset, place):
    """A place that leads away, or is none, gives way to the home page."""
    assert (200, {"return_to": "/"}) == handset.log_in(return_to=place)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b"x" * 70_000])
def test_odd_answers(handset, body):
    """What no ID app answers uses the launch up, and nobody is logged in."""
    launch = handset.start()
    status, told = handset.send("app_finish", body)
    assert (403, "refused", {}) == (status, told["error"], handset.session.entries)
    status, told = handset.log_in(launch)
    assert (400, "restart", True) == (status, told["error"], told["retry"])


def test_another_apps_answer(handset, web, issuer):
    """An answer does not finish in a session that did not begin, nor in one that began another launch."""
    answer = handset.phone.launch(handset.start(), package=PACKAGE)
    stranger = Handset(web, issuer)
    assert (400, "restart") == ((told := stranger.send("app_finish", answer))[0], told[1]["error"])
    stranger.start()
    # Of blobs for another launch the issuer says that it grants nothing.
    assert (400, "restart") == ((told := stranger.send("app_finish", answer))[0], told[1]["error"])
    assert {} == stranger.session.entries


def test_relay(handset):
    """What a hostile app got out of the ID app for this very launch logs nobody in."""
    answer = handset.phone.launch(handset.start(), package="com.evil.relay")
    assert (403, "refused") == ((told := handset.send("app_finish", answer))[0], told[1]["error"])


def test_second_answer(handset):
    """The same answer, sent again, is over; the session that it began stays."""
    launch = handset.start()
    answer = handset.phone.launch(launch, package=PACKAGE)
    cookies = dict(handset.cookies)
    handset.send("app_finish", answer)
    before, handset.cookies = dict(handset.session.entries), cookies
    assert (400, before) == (handset.send("app_finish", answer)[0], handset.session.entries)


def test_store_that_was_away(handset, pending):
    """While the store is away the cookie stays, so that the same answer, sent again, logs in."""
    answer = handset.phone.launch(handset.start(), package=PACKAGE)
    pending.is_away = True
    status, told = handset.send("app_finish", answer)
    assert (503, "unavailable", 1) == (status, told["error"], len(handset.cookies))
    pending.is_away = False
    assert 200 == handset.send("app_finish", answer)[0]


def test_start_while_the_store_is_away(handset, pending):
    """A launch that cannot be kept is not begun, and the app may try again."""
    pending.is_away = True
    status, told = handset.send("app_start", {"platform": "android"})
    assert (503, "unavailable", True) == (status, told["error"], told["retry"])
    assert {} == handset.cookies


def test_app_says_no(web, issuer):
    """An app that refuses somebody leaves the session as it was."""
    handset = Handset(replace(web, on_login=lambda *_: refuse_login()), issuer)
    handset.session.set("cart", "1")
    status, told = handset.log_in()
    assert (403, "declined") == (status, told["error"])
    assert ({"cart": "1"}, 0) == (handset.session.entries, handset.session.number)


def test_log_and_answer_share_a_reference(handset, caplog):
    """The reference that the app may show stands in the log, beside the code."""
    _, told = handset.log_in(outcome="frozen")
    expected = f"page shown: kind=frozen code=app.frozen reference={told['reference']}"
    assert expected in [record.getMessage() for record in caplog.records]


def test_payout_that_asks_for_the_redirect(handset):
    """A page that does not take app launches asks for a step-up by redirect, and is satisfied by that."""
    handset.log_in()
    handset.headers = {"sec-fetch-site": "same-origin"}
    request = replace(handset.request("GET", "/payout"), path="/payout")
    asked = {"assurance": Assurance.R02, "channels": {Channel.REDIRECT}}
    require = handset.web.require
    assert require(request, handset.session, assurance=Assurance.R02) is None
    away = handset.keep(require(request, handset.session, **asked))
    assert location(handset.get("callback", query=handset.agree(away))) == "/payout"
    assert require(request, handset.session, **asked) is None
    assert Channel.REDIRECT == read_login(handset.session).channel


def test_weaker_step_up_does_not_lend_its_way(handset):
    """What was proved by app launch does not count as proved by redirect because something weaker was."""
    handset.log_in()
    handset.headers = {"sec-fetch-site": "same-origin"}
    handset.get("callback", query=handset.agree(handset.post("step_up", assurance="R01")))
    login = read_login(handset.session)
    now = handset.web.clock()
    assert (Channel.REDIRECT, Assurance.R01) == (login.channel, login.assurance)
    assert login.satisfies(Assurance.R02, max_age=None, now=now)
    assert not login.satisfies(Assurance.R02, max_age=None, now=now, channels={Channel.REDIRECT})


def test_channels_without_the_redirect(handset):
    """A page that no step-up could satisfy is a mistake that shows at once."""
    with pytest.raises(ConfigurationError) as caught:
        handset.web.require(
            handset.request("GET", ""), MemorySession(), assurance=Assurance.R01, channels={Channel.APP}
        )
    assert ("config.value", "channels") == (caught.value.code, caught.value.setting)


def test_endpoints(web):
    """The endpoints of app launch are there, those of wallets are not."""
    assert {"app_start", "app_finish"} <= set(web.endpoints)
    assert not [name for name in web.endpoints if name.startswith("wallet")]
