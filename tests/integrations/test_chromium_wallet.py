"""Wallets in a real browser: a page without scripts, cookies as they are, and two browsers that are mixed up."""

from __future__ import annotations

import pytest

from cyberid_client.testing import Browser

pytestmark = pytest.mark.slow


@pytest.fixture
def open_page(chromium):
    """Give a function that opens a page in a browser of its own."""
    contexts = []

    def opened(**more):
        contexts.append(chromium.new_context(locale="en-GB", **more))
        contexts[-1].set_default_timeout(20_000)
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def open_wallet(page, office):
    """Press the button for a wallet on this device; return the address that opens it."""
    page.goto(f"{office.url}/login?return_to=/tickets")
    with page.expect_response(lambda reply: reply.url.endswith("/wallet/start")) as started:
        page.click("#wallet-login button", no_wait_after=True)
    return started.value.header_value("location")


def is_logged_in(page, office):
    """Tell whether the tickets are shown, for which one is logged in."""
    page.goto(f"{office.url}/tickets")
    return page.url == f"{office.url}/tickets"


def test_six_digits_without_scripts(open_page, office):
    """Where no script runs, the form works as it is, also after a wrong try."""
    page = open_page(java_script_enabled=False)
    page.goto(f"{office.url}/login?return_to=/tickets")
    page.click("#wallet-other-login button")
    shown = Browser().open(office.wallet.answer(office.scan()).redirect_uri)
    digits = "".join(filter(str.isdigit, shown.text.rpartition("as you.")[2]))
    page.fill("#digits", f"{(int(digits) + 1) % 1_000_000:06}")
    page.press("#digits", "Enter")
    assert "These were not the digits" == page.inner_text("h1")
    assert "You can try twice more." == page.inner_text("[role=alert]")
    page.fill("#digits", f"{digits[:3]} {digits[3:]}")
    page.press("#digits", "Enter")
    page.wait_for_url(f"{office.url}/tickets")


def test_wallet_on_the_same_device(open_page, office):
    """The wallet opens, the browser comes back logged in, and the address, loaded again, goes on."""
    page = open_page()
    back = office.wallet.answer(open_wallet(page, office)).redirect_uri
    page.goto(back)
    assert f"{office.url}/tickets" == page.url
    page.goto(back)
    assert f"{office.url}/tickets" == page.url
    assert not [each for each in page.context.cookies() if each["name"].startswith("__Host-cyberid-")]


def test_link_of_somebody_else(open_page, office):
    """Whose wallet answers a link that somebody else began logs neither of the two in."""
    attacker, victim = open_page(), open_page()
    back = office.wallet.answer(open_wallet(attacker, office)).redirect_uri
    victim.goto(back)
    assert "This login is over" == victim.inner_text("h1")
    assert not is_logged_in(victim, office)
    assert not is_logged_in(attacker, office)
