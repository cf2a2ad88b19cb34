"""The example ticket office in a real browser, as wide as a phone."""

from __future__ import annotations

import pytest

from cyberid_client.testing import Browser

WIDTH = 360
pytestmark = pytest.mark.slow


@pytest.fixture
def page(chromium):
    """Give a page of a phone's width, and what was asked for and complained of."""
    context = chromium.new_context(viewport={"width": WIDTH, "height": 740}, locale="en-GB")
    context.set_default_timeout(20_000)
    made = context.new_page()
    made.asked, made.complaints = [], []
    made.on("request", lambda request: made.asked.append(request.url))
    made.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.on("console", lambda said: said.type == "error" and made.complaints.append(said.text))
    yield made
    context.close()


def launch_the_app(page, office, person="adult"):
    """Log in as the office's own app does, on the page that plays it."""
    page.goto(f"{office.url}/phone?return_to=/")
    page.click("#launch")
    page.check(f"input[name=person][value={person}]")
    page.click("button[value=allow]")
    page.wait_for_url(f"{office.url}/")


def test_the_app_logs_somebody_in(page, office):
    """The page that plays the app launches the ID app, gives the answer back, and keeps none of it."""
    launch_the_app(page, office)
    assert "logged in with the ID app" in page.inner_text("main")
    assert "resultCode" not in page.evaluate("location.href + JSON.stringify(sessionStorage)")
    assert [] == page.complaints


def test_a_person_who_cancels_reads_so(page, office):
    """The page that plays the app says in plain words that nobody is logged in."""
    page.goto(f"{office.url}/phone")
    page.click("#launch")
    page.click("button[value=deny]")
    page.wait_for_function("() => document.getElementById('said').textContent.includes('Reference')")
    assert f"{office.url}/phone" == page.url


def test_the_gate_waits_and_lets_in(page, office):
    """The screen at the gate notices that the wallet has answered, and the digits let the person in."""
    page.goto(f"{office.url}/gate/erhu")
    page.click("#gate-login button")
    waiting = page.inner_text("#state")
    shown = Browser().open(office.wallet.answer(office.scan()).redirect_uri)
    page.wait_for_function("before => document.getElementById('state').textContent !== before", arg=waiting)
    page.fill("#digits", "".join(filter(str.isdigit, shown.text.rpartition("as you.")[2])))
    page.press("#digits", "Enter")
    page.wait_for_url(f"{office.url}/gate/erhu")
    assert "There is no ticket of yours" in page.inner_text("main")
    assert [] == page.complaints


@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/tickets", "/gate", "/gate/lanterns", "/phone", "/nowhere", "TICKET", "TICKET/refund"],
)
def test_pages_fit_a_phone(page, office, path):
    """No page is wider than a phone, and none asks another host for anything."""
    launch_the_app(page, office, person="traveller")
    if path.startswith("TICKET"):
        if page.locator("#buy-lanterns").count():
            page.click("#buy-lanterns button")
        page.goto(f"{office.url}/tickets")
        path = page.get_attribute("main .events a", "href") + path.removeprefix("TICKET")
    page.asked.clear()
    page.goto(f"{office.url}{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert [] == [url for url in page.asked if not url.startswith(office.url)]


def test_the_code_fits_a_phone(page, office):
    """The page with the code is no wider than a phone either."""
    page.goto(f"{office.url}/login")
    page.click("#wallet-other-login button")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
