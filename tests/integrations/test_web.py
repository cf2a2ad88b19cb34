"""The endpoints of a login, without any framework."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from cyberid_client import Assurance, ConfigurationError
from cyberid_client.integrations.sessions import read_login
from cyberid_client.integrations.web import ENDPOINTS, WebReply, WebRequest, refuse_login

from .conftest import ORIGIN, MemorySession, Visitor, location

WECHAT = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Mobile MMWEBID/1 MicroMessenger/8.0.50"
R04 = Assurance.R04


def title(reply):
    """Return the title of a page."""
    return reply.body.decode().partition("<h1>")[2].partition("</h1>")[0]


def page_request(**more):
    """Return a request to a page of the app's own."""
    return WebRequest(**{"method": "GET", "path": "/payout", "query": "to=me", **more})


def require(visitor, request=None, **more):
    """Ask what a page of the app asks that needs all factors, proved a minute ago at most."""
    asked = {"assurance": R04, "max_age": 60, **more}
    request = page_request(cookies=visitor.cookies) if request is None else request
    reply = visitor.web.require(request, visitor.session, **asked)
    return None if reply is None else visitor.keep(reply)


class TestLogin:
    def test_outlives_a_store_that_was_away(self, visitor, pending):
        """While the store is away the cookie stays, so that the same page, loaded again, logs in."""
        query = visitor.leave(return_to="/cart")
        pending.is_away = True
        assert (503, 1) == (visitor.get("callback", query=query).status, len(visitor.cookies))
        pending.is_away = False
        back = visitor.get("callback", query=query)
        assert (303, "/cart", {}) == (back.status, location(back), visitor.cookies)

    def test_goes_to_the_issuer_and_back(self, visitor):
        """A login ends where it began, in a session that the app filled, under a new id."""
        visitor.session.set("cart", "of somebody unknown")
        reply = visitor.log_in(return_to="/cart?item=1")
        assert (303, "/cart?item=1") == (reply.status, location(reply))
        assert visitor.session.get("user").startswith("k1.")
        assert visitor.session.get("cart") is None
        assert 1 == visitor.session.number
        assert {} == visitor.cookies

    def test_session_holds_a_digest_and_no_pseudonym(self, visitor):
        """Nothing in the session is the pseudonym itself."""
        visitor.log_in()
        value = visitor.issuer.pseudonym("adult", sector=ORIGIN)
        assert value not in "".join(visitor.session.entries.values())
        assert Assurance.R02 == visitor.web.current(visitor.session).assurance

    def test_page_with_a_button_starts_nothing(self, visitor):
        """A GET shows a button, asks the issuer nothing, and keeps the place to return to if it is one of ours."""
        reply = visitor.get("login", query="return_to=/cart%3Fa%3D1")
        assert (200, "Log in with your network identity") == (reply.status, title(reply))
        assert b'name="return_to" value="/cart?a=1"' in reply.body
        assert b'value="/"' in visitor.get("login", query="return_to=//evil.example").body
        assert b'value="/"' in visitor.get("login", query="return_to=/a&return_to=/b").body
        assert () == visitor.issuer.log

    @pytest.mark.parametrize(
        ("headers", "starts"),
        [
            ({"sec-fetch-site": "same-origin"}, True),
            ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
            ({"sec-fetch-site": "same-site", "origin": ORIGIN}, False),
            ({"sec-fetch-site": "cross-site"}, False),
            ({"sec-fetch-site": "none"}, False),
            ({"sec-fetch-site": ""}, False),
            ({"origin": ORIGIN}, True),
            ({"origin": f"{ORIGIN}.evil.example"}, False),
            ({"origin": "http://shop.example"}, False),
            ({"origin": "null"}, False),
            ({}, False),
        ],
    )
    def test_only_our_own_pages_start_a_login(self, visitor, headers, starts):
        """A POST from elsewhere gets the page with the button, and asks the issuer nothing."""
        visitor.headers = headers
        reply = visitor.post("login", return_to="/cart")
        assert ((303 if starts else 200), starts) == (reply.status, bool(visitor.issuer.log))
        assert starts or b'value="/cart"' in reply.body

    @pytest.mark.parametrize("place", ["//evil.example", "https://evil.example/", "/\\evil.example", "/a\n"])
    def test_return_to_stays_here(self, visitor, place):
        """A place that leads away is refused before anybody is asked anything."""
        assert 403 == visitor.post("login", return_to=place).status
        assert "par" not in "".join(record.path for record in visitor.issuer.log)

    def test_long_place_is_forgotten(self, visitor):
        """A place that would make the cookie too large gives way to the home page, one that fits does not."""
        fits = "/" + "a" * 1023
        assert fits == location(visitor.log_in(return_to=fits))
        assert "/" == location(visitor.log_in(return_to=fits + "a"))

    def test_language_is_told_to_the_issuer(self, visitor):
        """The issuer's page is asked for in the language of the browser."""
        visitor.headers["accept-language"] = "zh-CN"
        visitor.post("login")
        assert "zh-CN en" == visitor.issuer.asked["ui_locales"]

    def test_issuer_is_away(self, visitor):
        """While the issuer cannot be reached the page says so, with a reference, and offers the other ways."""
        visitor.issuer.arm("issuer.unavailable_par", 5)
        reply = visitor.post("login")
        assert (503, "Please try again soon") == (reply.status, title(reply))
        assert b'<a href="/login">' in reply.body

    def test_our_mistake(self, visitor):
        """When the issuer does not know this client, the page says whose mistake that is, and offers other ways."""
        visitor.issuer.arm("par.client_refused", 1)
        reply = visitor.post("login")
        assert (500, "This is our mistake") == (reply.status, title(reply))
        assert b'href="/login"' in reply.body

    @pytest.mark.parametrize("body", [b"return_to=%ff", b"a=1&" * 21, b"return_to=/a&return_to=/b", b"\xff"])
    def test_odd_forms(self, visitor, body):
        """A form that is none asks for nothing, and the login ends at home."""
        reply = visitor.answer("login", replace(visitor.request("POST", ""), body=body))
        assert "/" == location(visitor.get("callback", query=visitor.agree(reply)))


class TestSeveralLogins:
    def test_two_tabs_both_finish(self, visitor):
        """Two logins begun in one browser both end well, in whichever order."""
        first, second = visitor.leave(return_to="/one"), visitor.leave(return_to="/two")
        assert "/two" == location(visitor.get("callback", query=second))
        assert "/one" == location(visitor.get("callback", query=first))
        assert 2 == visitor.session.number

    def test_at_most_four(self, visitor, clock):
        """The fifth login makes the browser forget the first, which then starts again; the others finish."""
        callbacks = []
        for number in range(5):
            callbacks.append(visitor.leave(return_to=f"/{number}"))
            clock.advance(1)
        assert 4 == len(visitor.cookies)
        assert "This login is over" == title(visitor.get("callback", query=callbacks[0]))
        places = [location(visitor.get("callback", query=each)) for each in callbacks[1:]]
        assert ["/1", "/2", "/3", "/4"] == places

    def test_second_callback_goes_on(self, visitor):
        """A callback of a login that succeeded in this session goes on without asking anybody."""
        query = visitor.leave(return_to="/cart")
        visitor.get("callback", query=query)
        calls, session = len(visitor.issuer.log), dict(visitor.session.entries)
        assert (303, "/cart") == ((again := visitor.get("callback", query=query)).status, location(again))
        assert (calls, session) == (len(visitor.issuer.log), visitor.session.entries)

    def test_second_callback_elsewhere_starts_again(self, visitor):
        """In another session the same callback is over, even with a copy of the cookie."""
        query, stolen = visitor.leave(), dict(visitor.cookies)
        visitor.get("callback", query=query)
        thief = Visitor(visitor.web, visitor.issuer, cookies=stolen)
        reply = thief.get("callback", query=query)
        assert (400, "This login is over") == (reply.status, title(reply))
        assert {} == thief.session.entries

    def test_only_the_last_four_are_remembered(self, visitor):
        """Of many finished logins the last four go on, the ones before are over; long places are not kept."""
        queries = []
        for number in range(6):
            queries.append(visitor.leave(return_to=f"/{number}"))
            visitor.get("callback", query=queries[-1])
        statuses = [visitor.get("callback", query=each).status for each in queries]
        assert [400, 400, 303, 303, 303, 303] == statuses
        query = visitor.leave(return_to="/" + "a" * 200)
        visitor.get("callback", query=query)
        assert 400 == visitor.get("callback", query=query).status


class TestNoLogin:
    def test_declined(self, visitor):
        """Who says no reads so; the cookie is gone and nobody is logged in."""
        reply = visitor.get("callback", query=visitor.agree(visitor.post("login"), deny=True))
        assert (403, "You are not logged in") == (reply.status, title(reply))
        assert ({}, {}) == (visitor.cookies, visitor.session.entries)

    def test_app_refuses(self, with_settings):
        """An app that refuses a login leaves the session as it was."""
        visitor = with_settings(on_login=lambda _login, _session: refuse_login())
        visitor.session.set("cart", "1")
        reply = visitor.log_in()
        assert (403, "You are not logged in") == (reply.status, title(reply))
        assert ({"cart": "1"}, 0) == (visitor.session.entries, visitor.session.number)

    @pytest.mark.parametrize(
        ("agent", "status", "heading"),
        [(WECHAT, 400, "Open the browser in which you started"), ("Mozilla/5.0", 400, "This login is over")],
    )
    def test_lost_cookie(self, visitor, agent, status, heading):
        """Without the cookie an app's built-in browser is told where to go on, any other to start again."""
        query = visitor.leave()
        other = Visitor(visitor.web, visitor.issuer, headers={"user-agent": agent})
        reply = other.get("callback", query=query)
        assert (status, heading) == (reply.status, title(reply))

    def test_chinese(self, visitor):
        """Who reads Chinese gets the same page in Chinese."""
        query = visitor.leave()
        headers = {"user-agent": WECHAT, "accept-language": "zh-CN,zh;q=0.9"}
        other = Visitor(visitor.web, visitor.issuer, headers=headers)
        assert "请在开始登录的浏览器中打开" == title(other.get("callback", query=query))

    def test_forged_answer(self, visitor, caplog):
        """A forged answer is refused in plain words; page and log share a reference, and no value is in either."""
        query = visitor.leave()
        reply = visitor.get("callback", query=query.replace("iss=https", "iss=http"))
        text = reply.body.decode()
        reference = text.partition("<code>")[2].partition("</code>")[0]
        assert (403, "We could not log you in") == (reply.status, title(reply))
        assert "callback.issuer" not in text
        wanted = f"page shown: kind=refused code=callback.issuer reference={reference}"
        assert wanted in [record.getMessage() for record in caplog.records]
        assert not [part for part in query.split("&") if part.partition("=")[2] in caplog.text]

    @pytest.mark.parametrize("is_secure", [True, False])
    def test_cookie_over_http_is_explained(self, visitor, caplog, is_secure):
        """When a cookie is lost and the app believes to be served over http, the log says what that means."""
        request = replace(visitor.request("GET", "", query=visitor.leave()), cookies={}, is_secure=is_secure)
        with caplog.at_level(logging.WARNING):
            visitor.answer("callback", request)
        assert is_secure != ("came over http" in caplog.text)

    @pytest.mark.parametrize("query", ["", "state=x", "state=x&state=y", "code=%ff", "%", "x" * 9000])
    def test_garbage(self, visitor, query):
        """Whatever arrives at the callback gets a page, and nobody is logged in."""
        assert visitor.get("callback", query=query).status in {400, 403}
        assert {} == visitor.session.entries

    @pytest.mark.parametrize("name", ENDPOINTS)
    def test_other_methods(self, visitor, name):
        """A method that an endpoint does not have is answered with those that it has."""
        for method in {"GET", "POST", "HEAD", "PUT"} - set(ENDPOINTS[name].methods):
            reply = visitor.answer(name, visitor.request(method, ""))
            assert 405 == reply.status
            assert ", ".join(ENDPOINTS[name].methods) == dict(reply.headers)["Allow"]


class TestStepUp:
    def test_same_person(self, visitor):
        """A step-up of the same person keeps the session under a new id and adds what was proved."""
        visitor.log_in()
        user = visitor.session.get("user")
        query = visitor.agree(require(visitor))
        assert ("urn:cyberid:mode:r04", "0") == (
            visitor.issuer.asked["acr_values"],
            visitor.issuer.asked["max_age"],
        )
        assert "login_hint" not in visitor.issuer.asked
        assert "/payout?to=me" == location(visitor.get("callback", query=query))
        assert (user, 2) == (visitor.session.get("user"), visitor.session.number)
        assert require(visitor) is None

    def test_another_person(self, visitor):
        """When somebody else answers, the session stays exactly as it was."""
        visitor.log_in()
        before = dict(visitor.session.entries)
        reply = visitor.get("callback", query=visitor.agree(require(visitor), person="traveller"))
        assert (403, "It was not confirmed that it is you") == (reply.status, title(reply))
        assert (before, 1) == (visitor.session.entries, visitor.session.number)

    def test_other_person_in_the_session_meanwhile(self, visitor):
        """A step-up of one person does not change the session that another one began meanwhile."""
        visitor.log_in()
        query = visitor.agree(require(visitor))
        visitor.get("callback", query=visitor.agree(visitor.post("login"), person="traveller"))
        before = dict(visitor.session.entries)
        reply = visitor.get("callback", query=query)
        assert (403, before) == (reply.status, visitor.session.entries)

    def test_session_ended_meanwhile(self, visitor):
        """A step-up whose session is over is a login like any other."""
        visitor.log_in()
        query = visitor.agree(require(visitor))
        visitor.session.clear()
        assert "/payout?to=me" == location(visitor.get("callback", query=query))
        assert visitor.session.get("user").startswith("k1.")

    def test_no_and_again(self, visitor):
        """Who says no stays logged in, and may try again."""
        visitor.log_in()
        reply = visitor.get("callback", query=visitor.agree(require(visitor), deny=True))
        assert (403, "It was not confirmed that it is you") == (reply.status, title(reply))
        assert 303 == require(visitor).status

    def test_not_in_a_circle(self, visitor, clock):
        """When the proof was too old already on the way back, the page says so once, and later asks anew."""
        visitor.log_in()
        query = visitor.agree(require(visitor, max_age=5))
        visitor.get("callback", query=query)
        clock.advance(6)
        refused = require(visitor, max_age=5)
        assert (403, "It was not confirmed that it is you") == (refused.status, title(refused))
        assert 303 == require(visitor, max_age=5).status

    def test_guard_is_of_what_was_proved(self, visitor, clock):
        """Right after a weaker step-up, or a minute after one as strong, a stronger one is asked for."""
        visitor.log_in()
        visitor.get("callback", query=visitor.agree(visitor.post("step_up", assurance="R01")))
        visitor.get("callback", query=visitor.agree(require(visitor)))
        clock.advance(61)
        assert 303 == require(visitor).status

    def test_later_it_is_asked_for_again(self, visitor, clock):
        """A proof is good to its last second; after it, one is asked again."""
        visitor.log_in()
        visitor.get("callback", query=visitor.agree(require(visitor)))
        clock.advance(60)
        assert require(visitor) is None
        clock.advance(1)
        assert 303 == require(visitor).status

    def test_stronger_proof_survives_a_weaker_one(self, visitor, clock):
        """What was proved stays proved, each with its own time."""
        visitor.log_in()
        visitor.get("callback", query=visitor.agree(require(visitor)))
        clock.advance(10)
        reply = visitor.post("step_up", assurance="R01", return_to="/")
        visitor.get("callback", query=visitor.agree(reply))
        assert require(visitor) is None
        assert {Assurance.R01, Assurance.R02, R04} == set(read_login(visitor.session).proofs)
        assert require(visitor, assurance=Assurance.R03, max_age=None) is None

    def test_posted_page_goes_home(self, visitor, clock):
        """A page that was posted to cannot be gone back to; it says where to, or it is the home page."""
        visitor.log_in()
        posted = page_request(method="POST")
        visitor.get("callback", query=(query := visitor.agree(require(visitor, posted))))
        assert "/" == location(visitor.get("callback", query=query))
        clock.advance(61)
        query = visitor.agree(require(visitor, posted, return_to="/checkout"))
        assert "/checkout" == location(visitor.get("callback", query=query))

    def test_issuer_is_away(self, visitor):
        """While the issuer cannot be reached a step-up fails, and the page does not offer to log in anew."""
        visitor.log_in()
        visitor.issuer.arm("issuer.unavailable_par", 5)
        reply = require(visitor)
        assert (503, "Please try again soon") == (reply.status, title(reply))
        assert b"Start again" not in reply.body
        assert b'href="/"' in reply.body

    @pytest.mark.parametrize(
        "asked", [{"method": "HEAD"}, {"headers": {"sec-purpose": "prefetch;prerender"}}]
    )
    def test_nobody_waits_for_the_page(self, visitor, asked):
        """A browser that fetches ahead starts no step-up, and drops no login that is under way."""
        visitor.log_in()
        calls = dict(visitor.web.client.outbound)
        reply = require(visitor, page_request(**asked))
        assert (403, (("Cache-Control", "no-store"),)) == (reply.status, reply.headers)
        assert calls == dict(visitor.web.client.outbound)

    @pytest.mark.parametrize(("persistence", "asks"), [("A", True), ("B", True), ("C", False)])
    def test_pseudonym_of_one_session(self, visitor, persistence, asks):
        """Where the next pseudonym is another one, nobody is sent to prove that it is the same person."""
        visitor.log_in()
        entry = {**json.loads(visitor.session.entries["cyberid.login"]), "persistence": persistence}
        visitor.session.entries["cyberid.login"] = json.dumps(entry)
        calls = dict(visitor.web.client.outbound)
        reply = require(visitor)
        assert (303 if asks else 403) == reply.status
        assert asks is (calls != dict(visitor.web.client.outbound))

    def test_programs_are_told(self, visitor):
        """A program that asks for JSON gets 401 with what is needed, and is not redirected."""
        asked = page_request(headers={"accept": "application/json"})
        nobody = require(visitor, asked)
        assert (401, 'Bearer realm="login"') == (nobody.status, dict(nobody.headers)["WWW-Authenticate"])
        visitor.log_in()
        reply = require(visitor, asked)
        assert (401, "no-store") == (reply.status, dict(reply.headers)["Cache-Control"])
        assert (
            'Bearer error="insufficient_user_authentication", acr_values="urn:cyberid:mode:r04", max_age="60"'
            == dict(reply.headers)["WWW-Authenticate"]
        )
        assert "insufficient_user_authentication" == json.loads(reply.body)["error"]
        assert "max_age" not in dict(require(visitor, asked, max_age=None).headers)["WWW-Authenticate"]

    @pytest.mark.parametrize("max_age", [0, -1])
    def test_no_proof_is_that_young(self, visitor, max_age):
        """To ask for a proof of this very moment is a mistake that shows at once."""
        with pytest.raises(ConfigurationError) as caught:
            require(visitor, max_age=max_age)
        assert "config.max_age" == caught.value.code

    def test_button(self, visitor):
        """The endpoint asks for all factors unless it is told otherwise, and only whom it knows."""
        assert "/login" == location(visitor.post("step_up"))
        visitor.log_in()
        visitor.post("step_up", assurance="R99")
        assert "urn:cyberid:mode:r04" == visitor.issuer.asked["acr_values"]
        visitor.headers = {}
        assert "Nothing was done" == title(visitor.post("step_up"))

    def test_login_page_keeps_the_place(self, visitor):
        """Who is not logged in is led to the login page, which knows where to go on."""
        assert "/login?return_to=/payout%3Fto%3Dme" == location(require(visitor))
        assert visitor.web.require_login(page_request(), MemorySession()).status == 303
        visitor.log_in()
        assert visitor.web.require_login(page_request(), visitor.session) is None

    def test_app_adds_to_the_session(self, with_settings):
        """What the app's hook returns after a step-up is added to the session."""
        visitor = with_settings(on_step_up=lambda login, session: {"user2": session.get("user")})
        visitor.log_in()
        visitor.get("callback", query=visitor.agree(require(visitor)))
        assert visitor.session.get("user") == visitor.session.get("user2")


class TestAfterwards:
    def test_logout(self, visitor):
        """A logout ends the session and goes on to the issuer."""
        visitor.log_in()
        reply = visitor.post("logout")
        assert (303, {}) == (reply.status, visitor.session.entries)
        assert location(reply).startswith(visitor.issuer.issuer)

    def test_logout_without_the_issuer(self, visitor):
        """Who is not logged in with the ID goes home; the session is over all the same."""
        visitor.session.set("user", "a local one")
        assert ("/", {}) == (location(visitor.post("logout")), visitor.session.entries)

    def test_logout_while_the_issuer_is_away(self, visitor, clock):
        """Where the issuer's logout is not known, the session is over all the same, and one goes home."""
        visitor.log_in()
        visitor.issuer.arm("issuer.unavailable_discovery", 50)
        clock.advance(40 * 24 * 3600)
        assert ("/", {}) == (location(visitor.post("logout")), visitor.session.entries)

    def test_logout_from_elsewhere(self, visitor):
        """A foreign page logs nobody out."""
        visitor.log_in()
        visitor.headers = {"sec-fetch-site": "cross-site"}
        reply = visitor.post("logout")
        assert (403, "Nothing was done") == (reply.status, title(reply))
        assert visitor.session.get("user") is not None

    def test_logout_token(self, with_settings):
        """A logout token reaches the hook once; a second time it has no effect and gets the same answer."""
        notices = []
        visitor = with_settings(end_sessions=lambda notice, _transaction: notices.append(notice))
        visitor.log_in()
        posting = visitor.issuer.log_out("adult", client_id="shop", deliver=False)
        replies = [self.deliver(visitor, "backchannel_logout", posting) for _ in range(2)]
        assert [(200, b"")] * 2 == [(reply.status, reply.body) for reply in replies]
        assert {"no-store"} == {dict(reply.headers).get("cache-control") for reply in replies}
        (notice,) = notices
        assert visitor.issuer.pseudonym("adult", sector=ORIGIN) == notice.pseudonym.value

    def test_garbage_is_no_logout_token(self, with_settings):
        """What is no logout token gets exactly 400, with an empty body."""
        visitor = with_settings(end_sessions=lambda *_: None)
        for body in (b"", b"logout_token=x", b"\xff", b"x" * 300_000):
            request = replace(visitor.request("POST", ""), body=body)
            assert (400, b"") == ((reply := visitor.answer("backchannel_logout", request)).status, reply.body)

    def test_events_need_a_database(self, with_settings):
        """Security events without a transactional store are a mistake of the deployment, and loud."""
        visitor = with_settings(apply_event=lambda *_: None)
        with pytest.raises(ConfigurationError) as caught:
            visitor.post("security_events")
        assert "replay.not_transactional" == caught.value.code

    def test_without_hooks_there_are_no_endpoints(self, visitor, with_settings):
        """An app that gives no hook for notices has no endpoint for them."""
        redirect = {name for name in ENDPOINTS if not name.startswith(("app_", "wallet_"))}
        assert {"backchannel_logout", "security_events"} == redirect - set(visitor.web.endpoints)
        assert 404 == visitor.post("backchannel_logout").status == visitor.post("security_events").status
        both = with_settings(end_sessions=lambda *_: None, apply_event=lambda *_: None)
        assert redirect == set(both.web.endpoints)

    def test_public_keys(self, visitor):
        """The client's public keys are served as a key set, and no private part of them."""
        reply = visitor.get("jwks")
        (key,) = json.loads(reply.body)["keys"]
        assert (200, "application/jwk-set+json") == (reply.status, dict(reply.headers)["Content-Type"])
        assert "d" not in key

    @staticmethod
    def deliver(visitor, name, posting) -> WebReply:
        """Post what the issuer made."""
        headers = {"content-type": posting.content_type}
        request = WebRequest(method="POST", path="", headers=headers, body=posting.body)
        return visitor.web.answer(name, request, MemorySession())


class TestPlace:
    def test_links_lead_below_the_mount(self, visitor):
        """Under a prefix every link and every default place stands below it."""
        visitor.root = "/apps/tea"
        text = visitor.get("login").body.decode()
        assert 'action="/apps/tea/cyberid/login"' in text
        assert 'href="/apps/tea/login"' in text
        assert "/apps/tea/" == location(visitor.log_in())
        visitor.session.clear()
        here = page_request(root="/apps/tea")
        expected = "/apps/tea/login?return_to=/apps/tea/payout%3Fto%3Dme"
        assert expected == location(require(visitor, here))

    @pytest.mark.parametrize("root", ["//evil.example", "https://evil.example", "/\\evil", "tea", "/a b"])
    def test_mount_that_leads_away(self, visitor, root):
        """A prefix that would lead elsewhere counts as none."""
        visitor.root = root
        assert b'action="/cyberid/login"' in visitor.get("login").body
        assert "/" == location(visitor.log_in())

    @pytest.mark.parametrize(
        ("root", "path", "expected"),
        [
            ("", "/商品/1", "/%E5%95%86%E5%93%81/1"),
            ("/茶", "/a", "/%E8%8C%B6/a"),
            ("", "/is it?a#b%c", "/is%20it%3Fa%23b%25c"),
            ("", "/\\evil.example", "/%5Cevil.example"),
            ("", "//evil.example", "/"),
            ("/a?b", "/c", "/a%3Fb/c"),
        ],
    )
    def test_page_is_named_as_in_a_url(self, visitor, root, path, expected):
        """Routers see paths decoded; the way back has them as the browser's address line has."""
        visitor.log_in()
        asked = replace(page_request(root=root), path=path, query="")
        assert expected == location(visitor.get("callback", query=visitor.agree(require(visitor, asked))))

    def test_callback_must_be_ours(self, web):
        """Endpoints whose callback no redirect URI leads to are a mistake that shows at once."""
        with pytest.raises(ConfigurationError) as caught:
            replace(web, prefix="/elsewhere")
        assert ("config.redirect_uri", "prefix") == (caught.value.code, caught.value.setting)

    def test_without_a_login_page_of_its_own(self, with_settings):
        """An app without a login page uses the one with the button, and offers no other ways."""
        visitor = with_settings(login_page=None)
        assert "/cyberid/login?return_to=/payout%3Fto%3Dme" == location(require(visitor))
        assert b"Other ways" not in visitor.get("login").body


@pytest.mark.parametrize(
    "entry",
    [
        "no json",
        "[]",
        "{}",
        "1",
        '{"pseudonym_digest":"x"}',
        '{"pseudonym_digest":null}',
    ],
)
def test_damaged_session_is_no_login(entry):
    """An entry that cannot be read is nobody's login."""
    assert read_login(MemorySession({"cyberid.login": entry})) is None


@pytest.mark.parametrize(
    "entry", ["no json", "[1]", '{"R02": 1}', '{"R02": "2026-01-01T00:00:00"}', '{"X": ""}']
)
def test_damaged_proofs_are_no_login(visitor, entry):
    """Where it cannot be read what was proved, nobody is logged in."""
    visitor.log_in()
    visitor.session.set("cyberid.proofs", entry)
    assert read_login(visitor.session) is None


@pytest.mark.parametrize("entry", ["no json", "1", "[1]", '[["a"]]', "null"])
def test_damaged_list_of_finished_logins_is_empty(visitor, entry):
    """A list that cannot be read is an empty one, and logins go on."""
    visitor.session.set("cyberid.finished", entry)
    assert 303 == visitor.log_in().status


@pytest.mark.parametrize("entry", ["yesterday", "R04", "R04 yesterday", "R99 2026-11-02T08:00:00+00:00"])
def test_damaged_guard_is_none(visitor, entry):
    """A guard that cannot be read does not keep anybody from a step-up."""
    visitor.log_in()
    visitor.session.set("cyberid.step_up", entry)
    assert 303 == require(visitor).status
