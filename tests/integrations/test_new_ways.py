"""App launch and wallets in Flask and in FastAPI: bodies, parts of paths and cookies arrive as they should."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from flask import Flask
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import PlainTextResponse

from cyberid_client import Assurance, AsyncClient, Channel
from cyberid_client.integrations.fastapi import CyberID as FastAPICyberID
from cyberid_client.integrations.flask import CyberID as FlaskCyberID
from cyberid_client.integrations.web import AsyncWebLogin
from cyberid_client.ports import HTTPResponse
from cyberid_client.testing import ManualClock, MockIssuer, Wallet
from cyberid_client.testing.phone import Phone

from .conftest import KEYS, ORIGIN, PACKAGE, WALLET

OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def clock():
    return ManualClock()


@pytest.fixture(scope="module")
def issuer(clock):
    """One issuer, and so one wallet that fetches ahead once."""
    return MockIssuer(clock=clock)


class Line:
    """Carries what a wallet sends to the app that it is held against."""

    carry = None

    def send(self, request):
        return self.carry(request)


@pytest.fixture(scope="module")
def wallet(issuer):
    """A wallet, and the app that it is held against."""
    line = Line()
    # What is not in the directory yet no wallet can fetch, and no test before this one need have put it there.
    issuer.certify_relying_party(sector=ORIGIN, endpoint=WALLET)
    made = Wallet(issuer, send=line.send).enrol("adult")
    made.prefetch(ORIGIN)
    return made, line


@pytest.fixture
def ways_in():
    return frozenset({"app", "wallet", "other_device"})


@dataclass
class Answer:
    """What any framework's test client got."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def location(self):
        return self.headers["location"]


class Door:
    """An app of one of the frameworks, and what a browser of a test needs of it."""

    def __init__(self, browser, *, is_flask):
        self._browser, self._is_flask = browser, is_flask

    def ask(self, method, url, *, headers=OWN, body=b"", **more):
        path = url.removeprefix(ORIGIN)
        if self._is_flask:
            reply = self._browser.open(
                path, method=method, base_url=ORIGIN, headers=headers, data=body, **more
            )
            status = reply.status_code
        else:
            reply = self._browser.request(method, path, headers=headers, content=body)
            status = reply.status_code
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return Answer(status, headers, reply.text)

    def post(self, path, body):
        return self.ask("POST", f"/cyberid/{path}", headers={**OWN, **FORM}, body=body)

    def carry(self, request):
        """Take what a wallet sends: without cookies, from nowhere."""
        reply = self.stranger().ask(
            request.method, request.url, headers=dict(request.headers), body=request.body
        )
        body = reply.text.encode()
        return HTTPResponse(status=reply.status, headers=reply.headers, body=body, url=request.url)


@pytest.fixture
def flask_door(web):
    app = Flask("app")
    app.config.update(SECRET_KEY=b"2" * 32, SESSION_COOKIE_SECURE=True)
    cyberid = FlaskCyberID(app, web=web)

    @app.get("/payout")
    @cyberid.requires(assurance=Assurance.R01, channels={Channel.REDIRECT})
    def payout():
        return "paid out"

    @app.get("/who")
    def who():
        return cyberid.current.channel if cyberid.current else "nobody"

    door = Door(app.test_client(), is_flask=True)
    door.stranger = lambda: Door(app.test_client(), is_flask=True)
    return door


@pytest.fixture
def fastapi_door(party, issuer, clock, pending, unblocked):
    transport = unblocked(issuer.transport())
    client = AsyncClient(party, transport=transport, pending=pending, clock=clock, background=False)
    web = AsyncWebLogin(client=client, keys=KEYS, on_login=lambda *_: {}, clock=clock)
    app = FastAPI()
    app.add_middleware(SessionMiddleware, secret_key="2" * 32, https_only=True)
    cyberid = FastAPICyberID(app, web=web)

    @app.get("/payout")
    async def payout(request: Request):
        asked = {"assurance": Assurance.R01, "channels": {Channel.REDIRECT}}
        instead = await cyberid.require(request, **asked)
        return "paid out" if instead is None else instead

    @app.get("/who")
    async def who(request: Request):
        current = cyberid.current(request)
        return PlainTextResponse(current.channel if current else "nobody")

    def open_door():
        return Door(TestClient(app, base_url=ORIGIN, follow_redirects=False), is_flask=False)

    door = open_door()
    door.stranger = open_door
    yield door
    asyncio.run(client.aclose())


@pytest.fixture(params=["flask", "fastapi"])
def door(request):
    return request.getfixturevalue(f"{request.param}_door")


def test_wallet_on_the_same_device(door, wallet):
    """The wallet fetches and answers without a cookie, and the browser comes back into a session."""
    held, line = wallet
    line.carry = door.carry
    away = door.post("wallet/start", b"device=same&return_to=/cart")
    back = door.ask("GET", held.answer(away.location).redirect_uri, headers={})
    assert (303, "/cart") == (back.status, back.location)
    assert "wallet_same" == door.ask("GET", "/who").text
    assert door.ask("GET", "/payout").location.startswith("https://issuer.example")


def test_wallet_on_another_device(door, wallet):
    """A page waits; what it asks is answered without a session; digits end it."""
    held, line = wallet
    line.carry = door.carry
    like = door.post("wallet/start", b"device=same").location
    page = door.post("wallet/start", b"device=other")
    handle = re.search('name="status_handle" value="([^"]*)"', page.text)[1]
    uri = re.sub("(request%2F)[^&]*", lambda found: found[1] + handle.partition(".")[0], like)
    status = door.ask("GET", f"/cyberid/wallet/status?status_handle={handle}")
    assert (200, '{"state": "waiting"}') == (status.status, status.text)
    assert not {"set-cookie", "vary"} & set(status.headers)
    shown = door.stranger().ask("GET", held.answer(uri).redirect_uri, headers={})
    digits = re.sub("[^0-9]", "", shown.text.partition('<p class="code">')[2].partition("</p>")[0])
    done = door.post("wallet/finish", f"status_handle={handle}&typed_code={digits}".encode())
    assert (303, "wallet_other") == (done.status, door.ask("GET", "/who").text)
    assert '{"state": "over"}' == door.ask("GET", f"/cyberid/wallet/status?status_handle={handle}").text


def test_app_launch(door, issuer):
    """JSON goes in and comes out, with a cookie between."""
    headers = {"Content-Type": "application/json"}
    started = door.ask("POST", "/cyberid/app/start", headers=headers, body=b'{"platform":"android"}')
    launch = json.loads(started.text)
    answer = json.dumps(Phone(issuer).launch(launch, package=PACKAGE)).encode()
    done = door.ask("POST", "/cyberid/app/finish", headers=headers, body=answer)
    assert (200, {"return_to": "/"}) == (done.status, json.loads(done.text))
    assert "app" == door.ask("GET", "/who").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "wallet/request/x", 405),
        ("GET", "wallet/request/x", 404),
        ("POST", "wallet/request/x", 404),
        ("GET", "wallet/request/", 404),
        ("GET", "wallet/request/x/y", 404),
        ("PUT", "wallet/response", 405),
        ("HEAD", "wallet/return", 405),
        ("HEAD", "wallet/code", 405),
        ("POST", "wallet/status", 405),
        ("GET", "wallet/start", 405),
        ("GET", "app/finish", 405),
    ],
)
def test_methods_and_paths(door, method, path, status):
    """What an endpoint does not have does nothing."""
    assert status == door.ask(method, f"/cyberid/{path}").status


@pytest.mark.parametrize("size", [0, 300_000])
def test_wallets_answer_out_of_bounds(door, size):
    """A wallet's answer that is empty or too large is none."""
    reply = door.ask("POST", "/cyberid/wallet/response", headers=FORM, body=b"x" * size)
    assert 400 == reply.status
    assert "set-cookie" not in reply.headers


def test_payout_after_a_step_up(flask_door, wallet, issuer):
    """A page that refuses wallets takes the same person after a step-up by the redirect."""
    held, line = wallet
    line.carry = flask_door.carry
    away = flask_door.post("wallet/start", b"device=same")
    flask_door.ask("GET", held.answer(away.location).redirect_uri)
    step_up = flask_door.ask("GET", "/payout")
    flask_door.ask("GET", issuer.authorize(step_up.location, person="adult"))
    assert "paid out" == flask_door.ask("GET", "/payout").text
