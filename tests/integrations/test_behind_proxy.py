"""The example shop under a sub-path, behind a proxy, in several workers that share a database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cyberid_client.testing import Browser, MockIssuer

from ..examples.conftest import make_tables  # noqa: TID252 - the shop as in its own tests
from ..services.servers import (  # noqa: TID252 - likewise
    PostgreSQLServer,
    RedisServer,
    find_program,
    running,
)
from .proxy import Proxy, run_proxy

HERE = Path(__file__).parent
SHOP = HERE.parents[1] / "examples" / "shop"
LISTENING = re.compile(r"Listening at: http://(127\.0\.0\.1:\d+)")
WORKERS = 2
PATIENCE = 60.0


@dataclass
class Served:
    """The shop as the browser sees it."""

    url: str
    issuer: MockIssuer
    proxy: Proxy

    def log_in(self, browser, *, return_to=""):
        query = f"?return_to={return_to}" if return_to else ""
        page = browser.submit(browser.open(f"{self.url}/login{query}"), form="id-login")
        return self.agree(browser, page)

    def agree(self, browser, page):
        return browser.submit(page, {"person": "adult"}, button="allow")


@contextmanager
def run_gunicorn(folder: Path, **more: str) -> Iterator[str]:
    """Serve the shop until the block ends, and end it by its process id; yield host and port."""
    log = folder / "gunicorn.log"
    command = [sys.executable, "-m", "gunicorn", f"--workers={WORKERS}", "--bind=127.0.0.1:0"]
    command += ["--no-control-socket", f"--pythonpath={HERE}", f"--log-file={log}", "--graceful-timeout=5"]
    kept = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(str(Path(each).resolve()) for each in kept.split(os.pathsep) if each)
    environment = {**os.environ, "PYTHONPATH": path, "SHOP_SETTINGS": str(folder / "settings.json"), **more}
    with subprocess.Popen([*command, "served_shop"], cwd=folder, env=environment) as process:  # noqa: S603 - our own
        try:
            yield _address_in(log, process)
        finally:
            process.terminate()
            process.wait(timeout=30)
    assert "Traceback" not in log.read_text(encoding="utf-8")


def _address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at and process.poll() is None:
        found = LISTENING.search(log.read_text(encoding="utf-8")) if log.exists() else None
        if found:
            return found[1]
        time.sleep(0.05)
    message = f"gunicorn did not start: {log.read_text(encoding='utf-8') if log.exists() else ''}"
    raise AssertionError(message)


@contextmanager
def run_served(folder: Path, **environment: str) -> Iterator[Served]:
    """Serve issuer, workers and proxy."""
    issuer = MockIssuer()
    with issuer.serve(), run_proxy() as proxy:
        registered = issuer.register(
            client_id="shop",
            redirect_uri=f"{proxy.url}/id/callback",
            sector="https://shop.example",
            backchannel_logout_uri=f"{proxy.url}/id/backchannel-logout",
            post_logout_redirect_uris=(f"{proxy.url}/",),
        )
        settings = {
            "shop": str(SHOP),
            "issuer": issuer.issuer,
            "url": proxy.url,
            "key_pem": registered.key_pem.decode(),
            "root_pem": issuer.root_pem.decode(),
            "data": str(folder),
        }
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        make_tables(folder, environment.get("SHOP_DATABASE_URL"))
        with run_gunicorn(folder, **environment) as target:
            proxy.target = target
            # It listens before its workers are up; the first page is worth waiting for.
            assert 200 == Browser(timeout=PATIENCE).open(f"{proxy.url}/").status
            yield Served(proxy.url, issuer, proxy)


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with run_served(tmp_path_factory.mktemp("served")) as running:
        yield running


def test_everything_stays_below_the_prefix(served):
    """Login, step-up, pages and logout lead to places below the prefix and to no other."""
    browser = Browser(timeout=PATIENCE)
    assert f"{served.url}/" == served.log_in(browser).url
    browser.click(browser.open(f"{served.url}/"), "Log out")
    page = browser.open(f"{served.url}/orders")
    page = served.agree(browser, browser.submit(page, form="id-login"))
    assert f"{served.url}/orders" == page.url
    page = browser.click(browser.click(page, "Order something"), "Clay teapot")
    page = served.agree(browser, browser.click(page, "Go to the checkout"))
    assert f"{served.url}/checkout" == page.url
    page = browser.submit(page, form="pay")
    assert "Clay teapot paid" in page.text
    page = browser.submit(browser.click(page, "Log out"))
    assert (f"{served.url}/", "Log in to order" in page.text) == (page.url, True)
    page = browser.submit(browser.submit(browser.open(f"{served.url}/login"), form="id-login"), button="deny")
    assert f"{served.url}/login" == browser.click(page, "Other ways to log in").url
    assert {"/"} == {cookie.path for cookie in browser.cookies(served.url)}
    strays = [
        hop
        for hop in browser.history
        if not hop.url.startswith((f"{served.url}/", served.issuer.issuer)) and hop.url != served.url
    ]
    assert [] == strays


def test_workers_finish_each_others_logins(served):
    """A login that one worker started is finished by any, and the next page knows it."""
    legs: set[tuple[str, str]] = set()
    ends_at = time.monotonic() + 90
    while len(legs) < WORKERS**2 and time.monotonic() < ends_at:
        served.proxy.seen.clear()
        page = served.log_in(Browser(timeout=PATIENCE), return_to="/tea/orders")
        assert (f"{served.url}/orders", 200) == (page.url, page.status)
        workers = dict(served.proxy.seen)
        legs.add((workers["/id/login"], workers["/id/callback"]))
    assert WORKERS**2 == len(legs)


@pytest.mark.slow
def test_logout_token_ends_the_session_in_every_worker(served):
    """A logout token that one worker took ends the session in the other, too."""
    browser = Browser(timeout=PATIENCE)
    served.log_in(browser)
    assert "Welcome" in browser.open(f"{served.url}/").text
    assert 200 == served.issuer.log_out("adult", client_id="shop").status
    seen = set()
    ends_at = time.monotonic() + 60
    while len(seen) < WORKERS and time.monotonic() < ends_at:
        served.proxy.seen.clear()
        assert "Log in to order" in browser.open(f"{served.url}/").text
        seen.add(dict(served.proxy.seen)["/"])
    assert WORKERS == len(seen)


@pytest.mark.slow
def test_redis_and_postgresql(not_here, tmp_path):
    """With both configured, logins wait in Redis, everything else is in PostgreSQL, and nothing in a file."""
    if not all(find_program(name) for name in ("redis-server", "postgres", "initdb")):
        not_here("redis-server or PostgreSQL is not installed")
    with running(RedisServer) as redis, running(PostgreSQLServer) as postgresql:
        places = {"SHOP_REDIS_URL": redis.url, "SHOP_DATABASE_URL": postgresql.url}
        with run_served(tmp_path, **places) as served:
            browser = Browser(timeout=PATIENCE)
            page = browser.click(served.log_in(browser), "Clay teapot")
            page = served.agree(browser, browser.click(page, "Go to the checkout"))
            assert "Clay teapot paid" in browser.submit(page, form="pay").text
            assert 200 == served.issuer.log_out("adult", client_id="shop").status
            assert "Log in to order" in browser.open(f"{served.url}/").text
    assert [] == list(tmp_path.glob("*.sqlite3"))
