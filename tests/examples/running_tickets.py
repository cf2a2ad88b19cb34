"""The ticket office, run against the mock issuer over real HTTP."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from cyberid_client.testing import Browser, MockIssuer, Wallet

# The office is a package, found from the folder of all examples.
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from tickets.running import run_office
from tickets.walk import DIGITS


@dataclass
class Running:
    """An office that listens."""

    url: str
    issuer: MockIssuer
    environ: dict[str, str]
    database: Path
    wallet: Wallet

    def rows(self, table):
        """Return all rows of a table."""
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a fixed name

    def forget(self):
        """Begin anew: no people, no tickets, every seat on sale."""
        with closing(sqlite3.connect(self.database)) as db:
            for table in ("tickets", "holders", "sessions"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - as above
            for name, seats in (("lanterns", 200), ("erhu", 40), ("dawn", 1)):
                db.execute("UPDATE events SET seats_left = ? WHERE id = ?", (seats, name))
            db.commit()

    def leave(self, browser, *, form, return_to="/tickets"):
        """Choose a way in on the login page; return the next page."""
        page = browser.open(f"{self.url}/login?{urlencode({'return_to': return_to})}")
        return browser.submit(page, form=form)

    def log_in(self, browser, *, person="adult", return_to="/tickets"):
        """Log in by the platform's page."""
        page = self.leave(browser, form="id-login", return_to=return_to)
        return browser.submit(page, {"person": person}, button="allow")

    def enter(self, browser, *, return_to="/tickets", url=None):
        """Log in with the wallet on the same device, coming back to this process or another one."""
        page = self.leave(browser, form="wallet-login", return_to=return_to)
        return browser.open(self.wallet.answer(page.url).redirect_uri.replace(self.url, url or self.url))

    def scan(self):
        """Return what a camera reads in the newest code."""
        return Browser().open(f"{self.url}/camera").url

    def show_code(self, browser, *, return_to="/tickets"):
        """Begin at a screen, let the wallet answer; return the screen's page and the six digits."""
        page = self.leave(browser, form="wallet-other-login", return_to=return_to)
        shown = Browser().open(self.wallet.answer(self.scan()).redirect_uri)
        return page, DIGITS.search(shown.text)[0]

    def enter_at_screen(self, browser, *, return_to="/tickets"):
        """Log in with a wallet on another device."""
        page, digits = self.show_code(browser, return_to=return_to)
        return browser.submit(page, {"typed_code": digits}, button="Log in")


@contextmanager
def run_tickets(issuer: MockIssuer, folder: Path) -> Iterator[Running]:
    """Serve the office as its start script does, out of an environment, until the block ends."""
    with run_office(issuer, folder) as made:
        wallet = made.wallets.wallets["adult"]
        yield Running(made.url, issuer, made.environ, folder / "tickets.sqlite3", wallet)
