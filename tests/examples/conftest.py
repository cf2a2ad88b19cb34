"""The example shop, run against the mock issuer over real HTTP."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine
from werkzeug.serving import make_server

from cyberid_client import Client, ClientKey, PseudonymKeys, RelyingParty, TrustStore
from cyberid_client.testing import Browser, MockIssuer

SHOP = Path(__file__).parents[2] / "examples" / "shop"
sys.path.insert(0, str(SHOP))  # An example is a folder to copy: its modules find each other as scripts do.
sys.path.insert(0, str(SHOP.parent))  # The ticket office is a package.

from app import create_app  # noqa: E402 - after the path
from demo import Handler, open_database, pending_store, replay_store  # noqa: E402 - after the path
from tables import METADATA  # noqa: E402 - after the path

KEYS = {"k1": b"1" * 32}


@dataclass
class Shop:
    """A shop that listens."""

    url: str
    issuer: MockIssuer
    database: Path
    app: Flask
    client: Client

    def log_in(self, browser: Browser, *, person="adult", return_to=None):
        """Walk a whole login and return the page at its end."""
        return self.agree(browser, self.leave(browser, return_to=return_to), person=person)

    def leave(self, browser: Browser, *, return_to=None):
        """Press the shop's login button; return the issuer's page."""
        query = "" if return_to is None else f"?return_to={return_to}"
        page = browser.open(f"{self.url}/login{query}")
        return browser.submit(page, form="id-login")

    def callback(self, browser: Browser, *, person="adult", deny=False):
        """Walk a login up to the callback, which the browser does not open yet; return its URL."""
        return self.issuer.authorize(self.leave(browser).url, person=person, deny=deny)

    @staticmethod
    def agree(browser: Browser, page, *, person="adult"):
        """Choose a made-up person on the issuer's page and agree."""
        return browser.submit(page, {"person": person}, button="allow")


def make_tables(folder, url=None):
    """Make all tables before several processes would do it at the same moment."""
    engine = open_database(folder, url)
    METADATA.create_all(engine)
    pending_store(engine)
    replay_store(engine)
    engine.dispose()


@contextmanager
def run_shop(issuer, database, *, keys=None, issuer_url=None):
    """Serve the shop in this process until the block ends."""
    with make_server("127.0.0.1", 0, Flask("nothing yet"), threaded=True, request_handler=Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        registered = issuer.register(
            client_id="shop",
            redirect_uri=f"{url}/id/callback",
            sector="https://shop.example",
            post_logout_redirect_uris=(f"{url}/",),
            backchannel_logout_uri=f"{url}/id/backchannel-logout",
            events_uri=f"{url}/id/security-events",
        )
        party = RelyingParty(
            issuer=issuer_url or issuer.issuer,
            client_id="shop",
            redirect_uri=f"{url}/id/callback",
            sector="https://shop.example",
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(issuer.root_pem),
            pseudonym_keys=PseudonymKeys(keys or KEYS),
        )
        engine = create_engine(f"sqlite:///{database}")
        with Client(party, pending=pending_store(engine), replay=replay_store(engine)) as client:
            app = create_app(client, engine, url=url, secret_key=b"2" * 32, keys=PseudonymKeys(keys or KEYS))
            server.app = app
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                yield Shop(url, issuer, database, app, client)
            finally:
                server.shutdown()
                thread.join()
                engine.dispose()


@pytest.fixture(scope="session")
def served_issuer():
    """Give one mock issuer that listens."""
    issuer = MockIssuer()
    with issuer.serve():
        yield issuer


@pytest.fixture
def issuer(served_issuer):
    """Give the mock issuer, honest again afterwards."""
    yield served_issuer
    served_issuer.disarm()
    served_issuer.agree_automatically(None)


@pytest.fixture
def database(tmp_path):
    """Give the place of the shop's database."""
    return tmp_path / "shop.sqlite3"


@pytest.fixture
def browser():
    """Give a browser without cookies."""
    return Browser()


@pytest.fixture
def start_shop(issuer, database):
    """Give a function that runs a shop on this test's database."""
    return lambda **more: run_shop(issuer, database, **more)


@pytest.fixture
def shop(start_shop):
    """Give a shop that listens."""
    with start_shop() as running:
        yield running
