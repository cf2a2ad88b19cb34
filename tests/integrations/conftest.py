"""Web endpoints against an issuer in this process: a session in memory, and requests as a browser makes them."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from cyberid_client import (
    AppLaunchSettings,
    AppOutcome,
    AsyncClient,
    Client,
    ClientKey,
    ClientKeys,
    PresentationRequest,
    PseudonymKeys,
    RelyingParty,
    StoreError,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.integrations.web import AsyncWebLogin, WebLogin, WebReply, WebRequest
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import MockIssuer
from cyberid_client.testing.clock import ManualClock
from cyberid_client.testing.phone import MOCK_OUTCOMES
from cyberid_client.testing.registration import RegisteredApp

ORIGIN = "https://shop.example"
KEYS = PseudonymKeys({"k1": b"1" * 32})
PACKAGE = "example.shop"
PHONES = {"org_id": "ORG1", "apps": {"android": RegisteredApp(app_id="SHOP-ANDROID", package=PACKAGE)}}
APP_LAUNCH = AppLaunchSettings(
    org_id="ORG1",
    app_ids={"android": "SHOP-ANDROID"},
    outcomes={code: AppOutcome(outcome) for code, outcome in MOCK_OUTCOMES.items()},
)
WALLET = f"{ORIGIN}/cyberid/wallet"


@dataclass
class MemorySession:
    """A session as an app may have it; ``number`` stands for its id."""

    entries: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def get(self, name: str) -> str | None:
        return self.entries.get(name)

    def set(self, name: str, value: str) -> None:
        self.entries[name] = value

    def remove(self, name: str) -> None:
        self.entries.pop(name, None)

    def replace(self, entries: Mapping[str, str]) -> None:
        self.entries, self.number = dict(entries), self.number + 1

    def rotate(self) -> None:
        self.number += 1

    def clear(self) -> None:
        self.entries, self.number = {}, self.number + 1


@dataclass
class Visitor:
    """One browser at one app: cookies, a session, and what it sends along."""

    web: WebLogin
    issuer: MockIssuer
    session: MemorySession = field(default_factory=MemorySession)
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})
    root: str = ""

    def request(self, method: str, path: str, *, query: str = "", **form: str) -> WebRequest:
        return WebRequest(
            method=method,
            path=path,
            query=query,
            headers=self.headers,
            cookies=dict(self.cookies),
            body=urlencode(form).encode(),
            root=self.root,
        )

    def post(self, name: str, **form: str) -> WebReply:
        return self.answer(name, self.request("POST", "", **form))

    def get(self, name: str, *, query: str = "") -> WebReply:
        return self.answer(name, self.request("GET", "", query=query))

    def answer(self, name: str, request: WebRequest) -> WebReply:
        return self.keep(self.web.answer(name, request, self.session))

    def keep(self, reply: WebReply) -> WebReply:
        """Keep the cookies of a reply as a browser does."""
        for header, value in reply.headers:
            if header == "Set-Cookie":
                name, _, rest = value.partition("=")
                self.cookies[name] = rest.partition(";")[0]
                if "Max-Age=0;" in value:
                    del self.cookies[name]
        return reply

    def leave(self, **form: str) -> str:
        """Start a login and agree at the issuer; return the query of the callback."""
        return self.agree(self.post("login", **form))

    def agree(self, reply: WebReply, **answer: object) -> str:
        assert 303 == reply.status, reply.body.decode()
        return self.issuer.authorize(location(reply), **answer).partition("?")[2]

    def log_in(self, **form: str) -> WebReply:
        return self.get("callback", query=self.leave(**form))


def location(reply: WebReply) -> str:
    """Return where a reply sends the browser."""
    return dict(reply.headers)["Location"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> MockIssuer:
    return MockIssuer(clock=clock)


class LeavingStore(MemoryPendingStore):
    """A store that can be away for a while."""

    is_away = False

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        self._require_here()
        return super().put(key, record, expires_at=expires_at, now=now)

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        self._require_here()
        return super().take(key, carried=carried, now=now)

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        self._require_here()
        return super().peek(key, now=now)

    def _require_here(self) -> None:
        if self.is_away:
            raise StoreError("store.unavailable")


@pytest.fixture
def pending() -> LeavingStore:
    return LeavingStore()


# The same cases for the endpoints that block and for those that are awaited.
OF_BOTH_KINDS = frozenset({"test_web", "test_app_login", "test_wallet_login"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "driven" in metafunc.fixturenames and Path(metafunc.module.__file__).stem in OF_BOTH_KINDS:
        metafunc.parametrize("driven", ["blocking", "awaited"])


@pytest.fixture
def driven() -> str:
    """Say how the endpoints are driven, where a module does not say both."""
    return "blocking"


@pytest.fixture
def beside_or_not(driven: str, request: pytest.FixtureRequest):
    """Give the loop of what is awaited; ``None`` where nothing is."""
    return request.getfixturevalue("beside") if driven == "awaited" else None


@pytest.fixture
def ways_in() -> frozenset[str]:
    """Which ways in there are beside the redirect: ``app``, ``wallet`` and ``other_device``; a module says more."""
    return frozenset()


@pytest.fixture
def party(issuer: MockIssuer, ways_in: frozenset[str]) -> RelyingParty:
    """An app as it is registered and configured."""
    registered = issuer.register(
        client_id="shop",
        redirect_uri=f"{ORIGIN}/cyberid/callback",
        post_logout_redirect_uris=(f"{ORIGIN}/",),
        **(PHONES if "app" in ways_in else {}),
    )
    identity = None
    if "wallet" in ways_in:
        identity = WalletIdentity.from_pem(*issuer.certify_relying_party(sector=ORIGIN, endpoint=WALLET))
    keys = ClientKeys(signing=ClientKey.from_pem(registered.key_pem), wallet=identity)
    return RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        keys=keys,
        trust=TrustStore.for_tests(issuer.root_pem),
        pseudonym_keys=KEYS,
        app_launch=APP_LAUNCH if "app" in ways_in else None,
        wallet=wallet_settings(ways_in) if "wallet" in ways_in else None,
    )


def wallet_settings(ways_in: frozenset[str]) -> WalletSettings:
    """Return how wallets are served."""
    crossing = "allowed" if "other_device" in ways_in else "refused"
    return WalletSettings(endpoint=WALLET, cross_device=crossing)


class WatchedClient(Client):
    """A client that keeps what it started: a test holds no phone against a QR code."""

    def start_presentation(self, **asked: object) -> PresentationRequest:
        self.started = super().start_presentation(**asked)
        return self.started


class WatchedAsyncClient(AsyncClient):
    """The same, awaited."""

    async def start_presentation(self, **asked: object) -> PresentationRequest:
        self.started = await super().start_presentation(**asked)
        return self.started


@pytest.fixture
def client(party, issuer, clock, pending, beside_or_not, unblocked) -> Iterator[Client | AsyncClient]:
    settings = {"pending": pending, "clock": clock, "background": False}
    if beside_or_not is None:
        with WatchedClient(party, transport=issuer.transport(), **settings) as client:
            yield client
        return
    transport = unblocked(issuer.transport())
    client = beside_or_not.call(lambda: WatchedAsyncClient(party, transport=transport, **settings))
    yield client
    beside_or_not.call(client.aclose)


@pytest.fixture
def web_type(beside_or_not) -> type:
    """Give the endpoints' class: of what is awaited, one that is used as if it blocked."""

    class Awaited(AsyncWebLogin):
        def answer(self, *args: object) -> WebReply:
            return beside_or_not.call(super().answer, *args)

        def require(self, *args: object, **named: object) -> WebReply | None:
            return beside_or_not.call(super().require, *args, **named)

    return WebLogin if beside_or_not is None else Awaited


@pytest.fixture
def web(web_type, client, clock: ManualClock):
    """The endpoints of an app whose users are their digests."""
    return web_type(
        client=client,
        keys=KEYS,
        on_login=lambda login, _session: {"user": str(login.pseudonym.digest(KEYS))},
        login_page="/login",
        app_name="The <tea> shop",
        clock=clock,
    )


@pytest.fixture
def visitor(web: WebLogin, issuer: MockIssuer) -> Visitor:
    return Visitor(web, issuer)


@pytest.fixture
def with_settings(web: WebLogin, issuer: MockIssuer):
    """Give a function that returns a browser at an app with other settings."""
    return lambda **settings: Visitor(replace(web, **settings), issuer)


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """Give the example ticket office, which runs as in its own tests, with a mock issuer that is served."""
    from ..examples.running_tickets import run_tickets  # noqa: PLC0415, TID252 - few tests want it

    issuer = MockIssuer()
    with issuer.serve(), run_tickets(issuer, tmp_path_factory.mktemp("tickets")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(not_here):
    """Give the browser of the machine."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None or importlib.util.find_spec("playwright") is None:
        not_here("chromium or playwright is not installed")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may not be there

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=path, headless=True, args=["--no-sandbox", "--disable-gpu"]
        )
        yield made
        made.close()
