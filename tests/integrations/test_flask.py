"""The Flask half: what Flask gets reaches the endpoints, and what they say reaches the browser."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace

import pytest
from flask import Flask, request, session

from cyberid_client import Assurance
from cyberid_client.integrations.flask import CyberID

from .conftest import ORIGIN

ASKED = {"base_url": ORIGIN, "headers": {"Sec-Fetch-Site": "same-origin"}}


class App:
    """A Flask app with the endpoints, and a browser in front of it."""

    def __init__(self, web, issuer, **config):
        self.flask = Flask("app")
        self.flask.config.update(SECRET_KEY=b"2" * 32, SESSION_COOKIE_SECURE=True, **config)
        self.notices = []
        web = replace(web, end_sessions=lambda notice, _transaction: self.notices.append(notice))
        self.cyberid = CyberID(web=web)
        self.issuer = issuer
        self.browser = self.flask.test_client()
        self.add_pages()

    def add_pages(self):
        @self.flask.get("/mine")
        @self.cyberid.login_required
        def mine():
            return f"yours: {self.cyberid.current.assurance.name} {session['user']}"

        @self.flask.route("/payout/<to>", methods=["GET", "POST"])
        @self.cyberid.requires(assurance=Assurance.R04, max_age=60)
        def payout(to):
            return f"paid to {to}"

        @self.flask.get("/asked")
        def asked():
            return {"asked": self.cyberid.require_login() is not None}

    def start(self, **form):
        return self.browser.post("/cyberid/login", data=form, **ASKED)

    def finish(self, reply, **answer):
        return self.browser.get(self.issuer.authorize(reply.location, **answer))

    def log_in(self, **form):
        return self.finish(self.start(**form))


@pytest.fixture
def app(web, issuer):
    made = App(web, issuer)
    made.cyberid.init_app(made.flask)
    return made


def test_login_and_pages(app):
    """A login opens Flask's session; a page for people who are logged in leads there and back."""
    away = app.browser.get("/mine", base_url=ORIGIN)
    assert (303, "/login?return_to=/mine") == (away.status_code, away.location)
    back = app.log_in(return_to="/mine")
    assert (303, "/mine") == (back.status_code, back.location)
    assert app.browser.get("/mine", base_url=ORIGIN).text.startswith("yours: R02 k1.")
    assert {"asked": False} == app.browser.get("/asked", base_url=ORIGIN).json


def test_page_reaches_the_browser_unchanged(app):
    """A page has exactly its own headers, once each."""
    page = app.browser.get("/cyberid/login", base_url=ORIGIN, headers={"Accept-Language": "zh"})
    assert "使用网络身份登录" in page.text
    assert ["text/html; charset=utf-8"] == page.headers.getlist("Content-Type")
    assert ["no-store"] == page.headers.getlist("Cache-Control")


def test_every_cookie_reaches_the_browser(app):
    """When a fifth login begins, one answer forgets a cookie and sets another."""
    for _ in range(4):
        app.start()
    assert 2 == len(app.start().headers.getlist("Set-Cookie"))


def test_step_up_of_a_route(app):
    """A route that asks for more leads to the issuer and back, with its arguments; a program is told."""
    app.log_in()
    away = app.browser.get("/payout/me?x=1", base_url=ORIGIN)
    assert away.location.startswith(app.issuer.issuer)
    back = app.finish(away)
    assert "/payout/me?x=1" == back.location
    assert "paid to me" == app.browser.get(back.location, base_url=ORIGIN).text
    assert "paid to me" == app.browser.post("/payout/me", base_url=ORIGIN).text
    program = {"Accept": "application/json"}
    told = app.flask.test_client().get("/payout/me", base_url=ORIGIN, headers=program)
    assert (401, "login_required") == (told.status_code, told.json["error"])


def test_session_is_another_one_after_the_login(app):
    """Nothing of Flask's session before the login stays."""
    with app.browser.session_transaction(base_url=ORIGIN) as before:
        before["cart"] = "of somebody unknown"
    app.log_in()
    with app.browser.session_transaction(base_url=ORIGIN) as after:
        assert "cart" not in after
        assert "user" in after


def test_logout(app):
    """The logout ends Flask's session and goes on to the issuer."""
    app.log_in()
    away = app.browser.post("/cyberid/logout", **ASKED)
    assert away.location.startswith(app.issuer.issuer)
    assert 303 == app.browser.get("/mine", base_url=ORIGIN).status_code


@pytest.mark.parametrize("parsed_before", [True, False])
def test_logout_token_with_a_hook_that_parses_forms(web, issuer, parsed_before):
    """A logout token is read whether or not a hook of the app has parsed the form before."""
    app = App(web, issuer)
    if parsed_before:
        app.flask.before_request(lambda: request.form.get("csrf") and None)
    app.cyberid.init_app(app.flask)
    app.log_in()
    posting = app.issuer.log_out("adult", client_id="shop", deliver=False)
    reply = app.flask.test_client().post(
        "/cyberid/backchannel-logout", data=posting.body, content_type=posting.content_type
    )
    assert (200, b"", 1) == (reply.status_code, reply.data, len(app.notices))
    assert reply.headers.getlist("Set-Cookie") == []
    assert "Content-Type" not in reply.headers


@pytest.mark.parametrize("size", [0, 300_000])
def test_bodies_out_of_bounds(app, size):
    """A body that is empty or too large is no logout token, and nothing else happens."""
    reply = app.browser.post(
        "/cyberid/backchannel-logout",
        data=b"x" * size,
        content_type="application/x-www-form-urlencoded",
    )
    assert (400, b"", []) == (reply.status_code, reply.data, app.notices)


def test_body_that_was_cut(app):
    """A body that ends before its announced length is no logout token, and is answered as any other."""
    reply = app.browser.post(
        "/cyberid/backchannel-logout",
        input_stream=BytesIO(b"logout_token=x"),
        content_length=100,
        content_type="application/x-www-form-urlencoded",
    )
    expected = (400, b"", "no-store")
    assert expected == (reply.status_code, reply.data, reply.headers["Cache-Control"])


@pytest.mark.parametrize("size", [1_000, 300_000])
def test_guard_leaves_uploads_to_the_page(app, size):
    """How much a guarded page may be sent is the app's decision, and the guard reads nothing of it."""

    @app.flask.post("/upload")
    @app.cyberid.login_required
    def upload():
        return str(len(request.files["scan"].read()))

    app.log_in()
    sent = {"scan": (BytesIO(b"x" * size), "scan")}
    assert str(size) == app.browser.post("/upload", data=sent, base_url=ORIGIN).text


def test_endpoints_without_hooks_are_not_there(app):
    """An app that gives no hook for events has no endpoint for them."""
    assert 404 == app.browser.post("/cyberid/security-events").status_code


def test_app_in_the_constructor(web, issuer):
    """The app may be given at once."""
    flask = Flask("other")
    assert flask.extensions.get("cyberid") is None
    assert CyberID(flask, web=web) is flask.extensions["cyberid"]
    assert 200 == flask.test_client().get("/cyberid/login").status_code


def test_guard_of_forms_leaves_the_endpoints_alone(web, issuer):
    """Flask-WTF's guard is told that the endpoints have one of their own."""
    app, exempted = App(web, issuer), []
    app.flask.extensions["csrf"] = SimpleNamespace(exempt=exempted.append)
    app.cyberid.init_app(app.flask)
    assert [app.flask.blueprints["cyberid"]] == exempted


def test_sessions_on_a_server_get_a_new_id(web, issuer):
    """Where sessions have ids, each login and each step-up makes a new one."""
    app, made = App(web, issuer), []
    interface = app.flask.session_interface
    # As Flask-Session's: an empty session keeps its id.
    interface.regenerate = lambda session: session and made.append(sorted(session))
    app.cyberid.init_app(app.flask)
    with app.browser.session_transaction(base_url=ORIGIN) as before:
        before["cart"] = "of somebody unknown"
    app.log_in()
    assert [["cyberid.finished", "cyberid.login", "cyberid.proofs", "user"]] == made
    app.finish(app.browser.get("/payout/me", base_url=ORIGIN))
    assert ("user" in made[1], 2) == (True, len(made))


def test_entries_of_the_app_are_not_ours(app):
    """What the app keeps in its session in other forms than text is not read."""
    app.log_in()
    with app.browser.session_transaction(base_url=ORIGIN) as session:
        session["cyberid.login"] = {"pseudonym_digest": "k1.x"}
    assert 303 == app.browser.get("/mine", base_url=ORIGIN).status_code


def test_without_flask():
    """Without Flask the import says in one sentence what to install."""
    script = "import sys; sys.modules['flask'] = None; import cyberid_client.integrations.flask"
    ended = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert 1 == ended.returncode
    assert 'pip install "cyberid_client[flask]"' in ended.stderr.splitlines()[-1]
