"""The FastAPI half: what FastAPI gets reaches the endpoints, and what they say reaches the browser."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient
from starlette.middleware.sessions import SessionMiddleware

from cyberid_client import Assurance, AsyncClient, Channel, ConfigurationError
from cyberid_client.integrations.fastapi import CyberID, read_request
from cyberid_client.integrations.web import AsyncWebLogin, SessionLogin, WebLogin

from .conftest import KEYS, ORIGIN, MemorySession

OWN = {"Sec-Fetch-Site": "same-origin"}
JSON = {"Accept": "application/json"}


class App:
    """A FastAPI app with the endpoints."""

    def __init__(self, web, issuer, *, session=None, **settings):
        self.issuer = issuer
        self.notices = []
        self.fastapi = FastAPI(**settings)
        self.fastapi.add_middleware(SessionMiddleware, secret_key="2" * 32, https_only=True)
        web = replace(web, end_sessions=self.end_sessions)
        self.cyberid = CyberID(web=web, **({} if session is None else {"session": session}))
        self.cyberid.init_app(self.fastapi)
        self.add_pages()

    async def end_sessions(self, notice, _transaction):
        self.notices.append(notice)

    def add_pages(self):
        cyberid = self.cyberid
        somebody = Depends(cyberid.login_required)

        @self.fastapi.get("/mine")
        async def mine(request: Request, login: SessionLogin = somebody):
            return f"yours: {login.assurance.name} {request.session['user']}"

        strong = Depends(cyberid.requires(assurance=Assurance.R04, max_age=60))

        @self.fastapi.get("/payout/{to}", dependencies=[strong])
        @self.fastapi.post("/payout/{to}", dependencies=[strong])
        async def payout(to: str):
            return f"paid to {to}"

        @self.fastapi.get("/asked")
        async def asked(request: Request):
            return {
                "asked": await cyberid.require_login(request) is not None,
                "nobody": cyberid.current(request) is None,
            }

        @self.fastapi.get("/fill")
        async def fill(request: Request):
            request.session.update(cart="of somebody unknown", **{"cyberid.login": {"not": "a text"}})

        @self.fastapi.get("/keys")
        async def keys(request: Request):
            return sorted(request.session)

        @self.fastapi.post("/upload", dependencies=[somebody])
        async def upload(request: Request):
            return len(await request.body())


class Browser:
    """A browser in front of an app, whose requests all run in one event loop."""

    def __init__(self, app, **settings):
        self.app = app
        settings = {"base_url": ORIGIN, "follow_redirects": False, **settings}
        self.http = TestClient(app.fastapi, **settings)

    def get(self, place, **more):
        return self.http.get(place, **more)

    def post(self, place, **more):
        return self.http.post(place, **more)

    def start(self, prefix="", **form):
        return self.post(f"{prefix}/cyberid/login", data=form, headers=OWN)

    def finish(self, reply, **answer):
        return self.get(self.app.issuer.authorize(reply.headers["location"], **answer))

    def log_in(self, **form):
        return self.finish(self.start(**form))


@pytest.fixture
def awaited_web(party, issuer, clock, pending, unblocked):
    client = AsyncClient(
        party, transport=unblocked(issuer.transport()), pending=pending, clock=clock, background=False
    )

    async def on_login(login, before):
        await asyncio.sleep(0)
        return {"user": str(login.pseudonym.digest(KEYS)), "was": before.get("cart") or ""}

    yield AsyncWebLogin(client=client, keys=KEYS, on_login=on_login, login_page="/login", clock=clock)
    asyncio.run(client.aclose())


@pytest.fixture
def app(awaited_web, issuer):
    return App(awaited_web, issuer)


@pytest.fixture
def browser(app):
    made = Browser(app)
    with made.http:
        yield made


def test_login_and_pages(browser):
    """A login opens the session; a route for people who are logged in leads there and back."""
    away = browser.get("/mine")
    assert (303, "/login?return_to=/mine") == (away.status_code, away.headers["location"])
    assert {"asked": True, "nobody": True} == browser.get("/asked").json()
    back = browser.log_in(return_to="/mine")
    assert (303, "/mine") == (back.status_code, back.headers["location"])
    assert browser.get("/mine").json().startswith("yours: R02 k1.")
    assert {"asked": False, "nobody": False} == browser.get("/asked").json()


def test_page_reaches_the_browser_unchanged(browser):
    """A page has exactly its own headers, once each, and a length."""
    page = browser.get("/cyberid/login", headers={"Accept-Language": "zh"})
    assert "使用网络身份登录" in page.text
    for name in ("content-type", "cache-control", "content-length"):
        assert 1 == len(page.headers.get_list(name))
    assert "text/html; charset=utf-8" == page.headers["content-type"]


def test_every_cookie_reaches_the_browser(browser):
    """When a fifth login begins, one answer forgets a cookie and sets another."""
    for _ in range(4):
        browser.start()
    assert 2 == len(browser.start().headers.get_list("set-cookie"))


def test_step_up_of_a_route(browser):
    """A route that asks for more leads to the issuer and back, with its arguments; a program is told."""
    assert (401, "login_required") == (
        (told := browser.get("/payout/me", headers=JSON)).status_code,
        told.json()["error"],
    )
    browser.log_in()
    told = browser.get("/payout/me", headers=JSON)
    assert "insufficient_user_authentication" == told.json()["error"]
    away = browser.get("/payout/me?x=1")
    assert away.headers["location"].startswith(browser.app.issuer.issuer)
    back = browser.finish(away)
    assert "/payout/me?x=1" == back.headers["location"]
    assert "paid to me" == browser.get("/payout/me?x=1").json() == browser.post("/payout/me").json()


def test_nothing_of_the_session_before_stays(browser):
    """The new session holds what the hook took along, and what the endpoints keep; forms of the app's own are not read."""
    browser.get("/fill")
    assert {"asked": True, "nobody": True} == browser.get("/asked").json()
    browser.log_in()
    expected = ["cyberid.finished", "cyberid.login", "cyberid.proofs", "user", "was"]
    assert expected == browser.get("/keys").json()


def test_logout(browser):
    """The logout ends the session and goes on to the issuer."""
    browser.log_in()
    away = browser.post("/cyberid/logout", headers=OWN)
    assert away.headers["location"].startswith(browser.app.issuer.issuer)
    assert 303 == browser.get("/mine").status_code


def test_logout_token(browser):
    """A logout token reaches the hook, which is awaited, and no session is touched."""
    browser.log_in()
    posting = browser.app.issuer.log_out("adult", client_id="shop", deliver=False)
    headers = {"Content-Type": posting.content_type}
    reply = browser.post("/cyberid/backchannel-logout", content=posting.body, headers=headers)
    assert (200, b"", 1) == (reply.status_code, reply.content, len(browser.app.notices))
    assert not {"set-cookie", "content-type", "vary"} & set(reply.headers)


@pytest.mark.parametrize("size", [0, 300_000])
def test_bodies_out_of_bounds(browser, size):
    """A body that is empty or too large is no logout token, and nothing else happens."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = browser.post("/cyberid/backchannel-logout", content=b"x" * size, headers=headers)
    assert (400, b"", []) == (reply.status_code, reply.content, browser.app.notices)


def test_body_is_not_read_beyond_its_bound(app):
    """Of a body that is too large no more is read than it takes to know that."""
    asked = []

    async def receive():
        asked.append(1)
        return {"type": "http.request", "body": b"x" * 100_000, "more_body": True}

    status, _ = asyncio.run(call(app, "/cyberid/backchannel-logout", receive=receive))
    assert (400, 3) == (status, len(asked))


def test_body_that_was_cut(app):
    """A body whose sender went away is none."""

    async def receive():
        return {"type": "http.disconnect"}

    assert 400 == asyncio.run(call(app, "/cyberid/backchannel-logout", receive=receive))[0]


async def call(app, path, *, receive, headers=()):
    """Call an app as a server does; return status and headers."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), *headers],
        "scheme": "https",
        "server": ("shop.example", 443),
    }
    await app.fastapi(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


def test_header_that_came_twice():
    """Of a header that came twice no half decides."""
    headers = [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-site", b"same-origin")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    assert "cross-site, same-origin" == read_request(Request(scope)).headers["sec-fetch-site"]


def test_guard_leaves_uploads_to_the_route(browser):
    """How much a guarded route may be sent is the app's decision, and the guard reads nothing of it."""
    browser.log_in()
    assert 300_000 == browser.post("/upload", content=b"x" * 300_000).json()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_other_methods(browser, method):
    """A method that an endpoint does not have does nothing."""
    reply = browser.http.request(method, "/cyberid/callback")
    assert (405, True) == (reply.status_code, "GET" in reply.headers["allow"])


def test_endpoints_without_hooks_are_not_there(browser):
    """An app that gives no hook for events has no endpoint for them, and none stands in its schema."""
    assert 404 == browser.post("/cyberid/security-events").status_code
    assert not [path for path in browser.get("/openapi.json").json()["paths"] if "cyberid" in path]


def test_app_in_the_constructor(awaited_web):
    """The app may be given at once, and knows its places by name."""
    fastapi = FastAPI()
    CyberID(fastapi, web=awaited_web)
    assert "/cyberid/login" == fastapi.url_path_for("cyberid.login")


@pytest.mark.parametrize("way", ["mounted", "root_path"])
def test_below_a_prefix(awaited_web, issuer, way):
    """Mounted, or served under a root path, every place stands below it."""
    app = App(awaited_web, issuer)
    if way == "mounted":
        app.fastapi, inner = FastAPI(), app.fastapi
        app.fastapi.mount("/tea", inner)
    browser = Browser(app, **({"root_path": "/tea"} if way == "root_path" else {}))
    prefix = "/tea" if way == "mounted" else ""
    with browser.http:
        away = browser.get(f"{prefix}/mine?x=1")
        assert "/tea/login?return_to=/tea/mine%3Fx%3D1" == away.headers["location"]
        assert 'action="/tea/cyberid/login"' in browser.get(f"{prefix}/cyberid/login").text
        query = issuer.authorize(browser.start(prefix).headers["location"]).partition("?")[2]
        back = browser.get(f"{prefix}/cyberid/callback?{query}")
        assert (303, "/tea/") == (back.status_code, back.headers["location"])


def test_sessions_of_the_apps_own(awaited_web, issuer):
    """An app gives sessions of its own by a function of the request, and no middleware is needed for them."""
    session = MemorySession()
    browser = Browser(App(awaited_web, issuer, session=lambda _request: session))
    with browser.http:
        browser.log_in()
        assert (1, True) == (session.number, session.get("user").startswith("k1."))
        browser.finish(browser.get("/payout/me"))
        assert 2 == session.number


def test_session_is_looked_up_only_where_it_is_needed(awaited_web, issuer):
    """For what the issuer asks no session is looked up."""
    asked = []
    browser = Browser(
        App(awaited_web, issuer, session=lambda request: asked.append(request) or MemorySession())
    )
    with browser.http:
        assert 200 == browser.get("/cyberid/jwks.json").status_code
        assert 400 == browser.post("/cyberid/backchannel-logout").status_code
        assert [] == asked
        browser.get("/cyberid/callback")
        assert 1 == len(asked)


def test_workers_finish_each_others_logins(awaited_web, party, issuer, clock, pending, unblocked):
    """With a store and a secret that they share, one worker finishes what another one began."""
    transport = unblocked(issuer.transport())
    other = AsyncClient(party, transport=transport, pending=pending, clock=clock, background=False)
    first = Browser(App(awaited_web, issuer))
    second = Browser(App(replace(awaited_web, client=other), issuer))
    with first.http, second.http:
        away = first.start(return_to="/mine")
        second.http.cookies = first.http.cookies
        assert "/mine" == second.finish(away).headers["location"]
        first.http.cookies = second.http.cookies
        assert first.get("/mine").json().startswith("yours: R02 k1.")
    asyncio.run(other.aclose())


def test_ways_in_that_are_not_enough(app, browser):
    """A route may name the ways in that are good enough; a step-up comes by the redirect, which is one of them."""
    guard = Depends(app.cyberid.requires(assurance=Assurance.R01, channels={Channel.REDIRECT}))

    @app.fastapi.get("/careful", dependencies=[guard])
    async def careful():
        return "here you are"

    browser.log_in()
    assert "here you are" == browser.get("/careful").json()


def test_client_that_blocks_is_refused(web, awaited_web):
    """Endpoints that are awaited take a client that is awaited, and the others one that blocks."""
    for make, client in ((AsyncWebLogin, web.client), (WebLogin, awaited_web.client)):
        with pytest.raises(ConfigurationError) as caught:
            make(client=client, keys=KEYS, on_login=lambda *_: {})
        assert ("client.wrong_kind", "client") == (caught.value.code, caught.value.setting)


def test_without_fastapi():
    """Without FastAPI the import says in one sentence what to install."""
    script = "import sys; sys.modules['fastapi'] = None; import cyberid_client.integrations.fastapi"
    ended = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert 1 == ended.returncode
    assert 'pip install "cyberid_client[fastapi]"' in ended.stderr.splitlines()[-1]
