"""A walk through the office without a screen: three ways in, one ticket each, the gate, and the money back."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from cyberid_client.testing import Browser, MockIssuer
from cyberid_client.testing.browser_pages import Page

from .camera import PATH as CAMERA
from .handset import Handset

DIGITS = re.compile(r"\b(?:\d ?){5}\d\b")
PERSON = "adult"
OK, FORBIDDEN, CONFLICT = 200, 403, 409


class WalkError(Exception):
    """Something did not go as it must."""


@dataclass(slots=True)
class Walk:
    """One made-up person, and a screen at the gate.

    Attributes:
        url: of the office.
        issuer: the mock.
        browser: of the person, on a device with a wallet.
        phone: another device of the person, with a wallet, too.
        screen: the browser at the gate.
    """

    url: str
    issuer: MockIssuer
    browser: Browser = field(default_factory=Browser)
    phone: Browser = field(default_factory=Browser)
    screen: Browser = field(default_factory=Browser)

    def all(self) -> None:
        """Walk it all.

        Raises:
            WalkError: at the first thing that does not go as it must.
        """
        asked = len(self.issuer.log)
        self.enter_with_the_wallet()
        self.buy_one_ticket()
        self.pass_the_gate()
        self.be_refused_the_money()
        must(len(self.issuer.log) == asked, "a wallet's login asked the platform something")
        say("All this time nobody asked the platform anything: it does not know that somebody was here.")
        self.enter_with_the_app()
        self.enter_by_the_page()

    def enter_with_the_wallet(self) -> None:
        """Log in with the wallet on the same device."""
        step(1, "In, with the wallet on this device")
        page = self._agree(self.browser, self._choose(self.browser, "wallet-login"))
        must("with the wallet on this device" in page.text, page.text)
        say("The wallet read in a certificate who asks, and showed what it fetched for this office before.")

    def buy_one_ticket(self) -> None:
        """Press the button ten times at once."""
        step(2, "One ticket each")
        page = self.browser.open(self.url)
        with ThreadPoolExecutor(10) as fingers:
            found = list(
                fingers.map(lambda _: self.browser.submit(page, form="buy-lanterns").status, range(10))
            )
        must(sorted(found) == [OK, *[CONFLICT] * 9], f"ten at once gave {sorted(found)}")
        say("Ten requests at the same moment: one ticket, and nine pages that say that everybody gets one.")

    def pass_the_gate(self) -> None:
        """Show at the gate who one is, by a code on its screen and six digits on the phone."""
        step(3, "Through the gate, with the wallet on the phone")
        page = self._scan(self.screen.open(f"{self.url}/gate/lanterns"), form="gate-login")
        must("This ticket is yours, and good" in page.text, page.text)
        page = self.screen.submit(page, form="admit")
        must("Welcome" in page.text, page.text)
        page = self.screen.open(f"{self.url}/tickets")
        must("Log in" in page.text, "the screen at the gate remembers somebody")
        say("A code was scanned, six digits were typed, and the screen forgot the person again.")

    def be_refused_the_money(self) -> None:
        """Ask for the money at a screen that is not one's own."""
        step(4, "No money for a wallet on another device")
        self.browser.submit(self.browser.open(self.url), form="buy-erhu")
        page = self._scan(self.screen.open(f"{self.url}/login"), form="wallet-other-login")
        page = self.screen.open(f"{self._ticket(page, 'Erhu')}/refund")
        must(page.status == FORBIDDEN, page.text)
        say(
            "Whoever talks somebody into typing six digits is at that screen: Login.channel says wallet_other."
        )

    def enter_with_the_app(self) -> None:
        """Launch the ID app, as the office's own app on a phone does."""
        step(5, "In, with the ID app")
        phone = Handset(self.url, self.issuer)
        status, answer = phone.log_in()
        must(status == OK, str(answer))
        must("with the ID app" in phone.open("/tickets")[1], "the app is not logged in")
        say("The app got two opaque texts from the ID app, and the platform's signed receipt about them.")

    def enter_by_the_page(self) -> None:
        """Go to the platform's page and back, and get the money."""
        step(6, "In, on the platform's page; and the money back")
        page = self._agree(self.browser, self._choose(self.browser, "id-login"))
        page = self.browser.open(f"{self._ticket(page, 'Erhu')}/refund")
        page = self.browser.submit(page, form="refund")
        must("on sale again" in page.text, page.text)
        say("Three ways in, one person: each of them led to the same tickets.")

    def _choose(self, browser: Browser, form: str) -> Page:
        page = browser.open(f"{self.url}/login?{urlencode({'return_to': '/tickets'})}")
        return browser.submit(page, form=form)

    def _scan(self, page: Page, *, form: str) -> Page:
        """Start on a screen, agree on the phone, and type what the phone shows."""
        page = self.screen.submit(page, form=form)
        shown = self._agree(self.phone, self.phone.open(f"{self.url}{CAMERA}"))
        found = DIGITS.search(shown.text)
        must(found is not None, shown.text)
        return self.screen.submit(page, {"typed_code": "" if found is None else found[0]}, button="Log in")

    @staticmethod
    def _agree(browser: Browser, page: Page) -> Page:
        """Agree on the page of the wallet, or of the platform."""
        return browser.submit(page, {"person": PERSON}, button="allow")

    @staticmethod
    def _ticket(page: Page, title: str) -> str:
        """Return the address of a ticket on the page of all of them."""
        after = page.text.partition(title)[2]
        found = [link.url for link in page.links if link.text.startswith("Ticket ") and link.text in after]
        must(bool(found), page.text)
        return found[0]


def must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Go on, if it is so.

    Raises:
        WalkError: it is not.
    """
    if not holds:
        raise WalkError(otherwise)


def step(number: int, words: str) -> None:
    """Say which step this is."""
    say(f"\n{number}. {words}")


def say(words: str) -> None:
    """Say it."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
