"""The example shop in a real browser: cookies, redirects, content security policies and buttons as they are."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cyberid_client.testing import MockIssuer

from ..examples.conftest import run_shop  # noqa: TID252 - the shop runs as it does in its own tests

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WECHAT = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Mobile MicroMessenger/8.0.50"


class Chromium:
    """One profile of the browser, and what it complained of."""

    def __init__(self, context):
        self.context = context
        self.complaints = []
        self.callbacks = []
        context.on("page", self._listen)

    def _listen(self, page):
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda asked: "/callback?" in asked.url and self.callbacks.append(asked.url))

    def open(self, url):
        page = self.context.new_page()
        page.goto(url)
        return page


@pytest.fixture(scope="module")
def chromium_type(not_here):
    """Give what starts browsers; one event loop of its own, ended with this module."""
    if CHROMIUM is None or importlib.util.find_spec("playwright") is None:
        not_here("chromium or playwright is not installed")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may not be there

    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture
def open_browser(chromium_type, tmp_path) -> Iterator:
    """Give a function that opens a browser with a fresh profile."""

    @contextmanager
    def browser(name="profile", **more):
        context = chromium_type.launch_persistent_context(
            tmp_path / name, executable_path=CHROMIUM, headless=True, args=list(FLAGS), **more
        )
        context.set_default_timeout(20_000)
        try:
            yield Chromium(context)
        finally:
            context.close()

    return browser


@pytest.fixture
def browser(open_browser):
    """Give a browser that speaks English."""
    with open_browser(locale="en-GB") as made:
        yield made


@pytest.fixture(scope="module")
def served() -> Iterator[MockIssuer]:
    """Give an issuer that listens."""
    issuer = MockIssuer()
    with issuer.serve():
        yield issuer


@pytest.fixture
def shop(served, tmp_path: Path):
    """Give a shop that listens."""
    with run_shop(served, tmp_path / "shop.sqlite3") as running:
        yield running


def leave(page, shop):
    """Go to the shop's login page and press the button."""
    page.goto(f"{shop.url}/login")
    page.click("#id-login button")


def agree(page, person="adult"):
    """Choose somebody on the issuer's page and agree."""
    page.check(f"input[value={person}]")
    page.click("button[value=allow]")


def log_in(browser, shop):
    """Walk a whole login and return the page at its end."""
    page = browser.open(shop.url)
    leave(page, shop)
    agree(page)
    page.wait_for_url(f"{shop.url}/")
    return page


def test_login_and_reload(browser, shop):
    """A person logs in, reloads the callback, goes back and forth, and stays logged in all the time."""
    page = log_in(browser, shop)
    assert "Welcome, Guest" in page.inner_text("h1")
    assert {"__Host-shop-session"} == {cookie["name"] for cookie in browser.context.cookies(shop.url)}
    page.goto(browser.callbacks[0])
    assert f"{shop.url}/" == page.url
    page.go_back()
    page.goto(f"{shop.url}/orders")
    page.go_back()
    page.reload()
    page.goto(shop.url)
    assert "Welcome, Guest" in page.inner_text("h1")
    assert [] == browser.complaints


@pytest.mark.slow
def test_two_tabs(browser, shop):
    """Two logins in two tabs both end well, the one begun last first."""
    first, second = browser.open(shop.url), browser.open(shop.url)
    leave(first, shop)
    leave(second, shop)
    names = [cookie["name"] for cookie in browser.context.cookies(shop.url)]
    assert 2 == len([name for name in names if name.startswith("__Host-cyberid-")])
    for page in (second, first):
        agree(page)
        page.wait_for_url(f"{shop.url}/")
        assert "Welcome, Guest" in page.inner_text("h1")
    assert [] == browser.complaints


@pytest.mark.slow
def test_back_to_the_issuer_and_again(browser, shop):
    """Who goes back to the issuer's page after the login starts again from the shop and is let in."""
    page = log_in(browser, shop)
    while not page.url.startswith(shop.issuer.issuer):
        page.go_back()
    leave(page, shop)
    agree(page)
    page.wait_for_url(f"{shop.url}/")
    assert "Welcome, Guest" in page.inner_text("h1")


@pytest.mark.slow
def test_checkout_and_logout(browser, shop):
    """A payment asks for all factors; the logout ends the session in the shop and at the issuer."""
    page = log_in(browser, shop)
    page.click("#order button")
    page.click("text=Go to the checkout")
    assert page.url.startswith(shop.issuer.issuer)
    agree(page)
    page.wait_for_url(f"{shop.url}/checkout")
    assert "R04: certificate and face and password" in page.inner_text("main")
    page.click("#pay button")
    assert "paid" in page.inner_text("ol")
    page.click("text=Log out")
    assert page.url.startswith(shop.issuer.issuer)
    page.click("text=Log out everywhere")
    page.wait_for_url(f"{shop.url}/")
    assert "Log in to order" in page.inner_text("main")
    assert [] == browser.complaints


@pytest.mark.slow
def test_declined_and_start_again(browser, shop):
    """Who said no presses the page's own button, which starts a login from there, and is let in."""
    page = browser.open(shop.url)
    leave(page, shop)
    page.click("button[value=deny]")
    assert "You are not logged in" == page.inner_text("h1")
    page.click("text=Start again")
    agree(page)
    page.wait_for_url(f"{shop.url}/")
    assert [] == [said for said in browser.complaints if "403" not in said]


@pytest.mark.slow
def test_foreign_page_starts_nothing(browser, shop):
    """A form on a page of another origin leads to a page with a button, on which the person decides."""
    page = browser.open("about:blank")
    calls = len(shop.issuer.log)
    page.set_content(f'<form method="post" action="{shop.url}/id/login"><button>Win a prize</button></form>')
    page.click("button")
    assert "Log in with your network identity" == page.inner_text("h1")
    assert calls == len(shop.issuer.log)
    page.click("text=Go on")
    assert page.url.startswith(shop.issuer.issuer)


@pytest.mark.slow
def test_chinese_page_looks_as_it_should(open_browser, shop):
    """A Chinese browser gets a Chinese page, whose style the page's own policy lets in."""
    with open_browser(locale="zh-CN") as browser:
        page = browser.open(shop.url)
        leave(page, shop)
        page.click("button[value=deny]")
        assert "您尚未登录" == page.inner_text("h1")
        assert "zh-CN" == page.get_attribute("html", "lang")
        assert "pointer" == page.evaluate("getComputedStyle(document.querySelector('button')).cursor")
        assert "zh-CN en" == shop.issuer.asked["ui_locales"]


@pytest.mark.slow
def test_callback_in_the_browser_of_an_app(open_browser, browser, shop):
    """A callback that opens inside another app says where to go on."""
    page = browser.open(shop.url)
    leave(page, shop)
    callback = shop.issuer.authorize(page.url)
    with open_browser("other", locale="zh-CN", user_agent=WECHAT) as other:
        page = other.open(callback)
        assert "请在开始登录的浏览器中打开" == page.inner_text("h1")
