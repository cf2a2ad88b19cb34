"""A wallet in the browser, on a loopback port of its own: the issuer is not asked, and sees no login."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock
from cyberid_client.testing.drafts import Reply
from cyberid_client.testing.pages import page_headers
from cyberid_client.testing.people import PEOPLE
from cyberid_client.testing.pushed import read_form
from cyberid_client.testing.refusal import Refusal
from cyberid_client.testing.server import run_server
from cyberid_client.testing.service import Call
from cyberid_client.testing.wallet.asked import Asked
from cyberid_client.testing.wallet.line import Send
from cyberid_client.testing.wallet.pages import asking_page, refused_page, told_page
from cyberid_client.testing.wallet.refusal import WalletRefusal
from cyberid_client.testing.wallet.wallet import Wallet, WalletAnswer

if TYPE_CHECKING:
    from cyberid_client.testing.issuer import MockIssuer

__all__ = ["WalletServer"]

_PATH: Final = "/authorize"
_MAX_WAITING: Final = 1_000
# Seconds between two looks at whether something is due; no login changes them.
_LOOK_EVERY: Final = 60.0
_REDIRECT: Final = 303


class WalletServer:
    """Play the wallets of all made-up people on a page; ``WalletSettings(wallet_uri=...)`` names its address.

    Everybody's wallet fetches ahead when :meth:`serve` begins, and on a timer from then on; whoever logs in
    later changes nothing of that.

    Args:
        issuer: as for :class:`Wallet`.
        root_pem: as for :class:`Wallet`.
        send: likewise; how apps are reached.
        clock: likewise.
        sectors: of the apps that people log in to; ``None`` fetches every bucket.
    """

    def __init__(
        self,
        issuer: MockIssuer | str,
        *,
        root_pem: bytes | None = None,
        send: Send | None = None,
        clock: Clock | None = None,
        sectors: Iterable[str] | None = None,
    ) -> None:
        self._sectors = None if sectors is None else tuple(sectors)
        self.wallets = {key: Wallet(issuer, root_pem=root_pem, send=send, clock=clock) for key in PEOPLE}
        self._asked: dict[str, Asked] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()

    @contextmanager
    def serve(self, *, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
        """Enrol, fetch ahead and listen until the block ends; yield what ``wallet_uri`` is to be.

        Args:
            port: 0 for any free one.
            host: ``127.0.0.1`` or ``::1``.

        Raises:
            ConfigurationError: ``testing.not_loopback``; ``testing.wallet_line``: the issuer says no.
        """
        for key, wallet in self.wallets.items():
            wallet.enrol(key)
        self.prefetch()
        self._ending.clear()
        timer = threading.Thread(target=self._keep_fetching, daemon=True)
        with run_server(host=host, port=port, handle=self.handle, slow_seconds=0) as origin:
            timer.start()
            try:
                yield origin + _PATH
            finally:
                self._ending.set()
                timer.join()

    def prefetch(self) -> None:
        """Fetch what is due for everybody.

        Raises:
            ConfigurationError: ``testing.wallet_line``: the issuer says no, or nothing.
        """
        for wallet in self.wallets.values():
            wallet.prefetch(*(self._sectors or ()), everything=self._sectors is None)

    def handle(self, call: Call) -> Reply:
        """Answer one call of the browser, whatever it holds."""
        if call.path != _PATH:
            return _page(refused_page("no_such_page"), 404)
        try:
            return self._decide(call) if call.method == "POST" else self._ask(call)
        except WalletRefusal as refusal:
            return _page(refused_page(refusal.rule), 400)
        except Refusal:
            return _page(refused_page("form"), 400)

    def _ask(self, call: Call) -> Reply:
        first, wallet = next(iter(self.wallets.items()))
        asked = wallet.read(f"openid4vp://authorize?{call.query}")
        interaction = secrets.token_urlsafe(32)
        with self._lock:
            if len(self._asked) >= _MAX_WAITING:
                del self._asked[next(iter(self._asked))]
            self._asked[interaction] = asked
        page = asking_page(asked=asked, interaction=interaction, chosen=first, action=_PATH)
        return _page(page, 200, leads_to=asked.response_uri)

    def _decide(self, call: Call) -> Reply:
        form = read_form(call.body, call.headers)
        with self._lock:
            asked = self._asked.pop(form.get("interaction", ""), None)
        wallet = self.wallets.get(form.get("person", ""))
        if asked is None or wallet is None:
            raise WalletRefusal("interaction")
        agreed = form.get("decision") == "allow"
        withhold = () if form.get("age_band") == "yes" else ("age_band",)
        answer = wallet.present(asked, withhold=withhold) if agreed else wallet.refuse(asked)
        return _go_on(answer, agreed=agreed)

    def _keep_fetching(self) -> None:
        while not self._ending.wait(_LOOK_EVERY):
            # An issuer that does not answer is asked again at the next look.
            with suppress(ConfigurationError):
                self.prefetch()


def _go_on(answer: WalletAnswer, *, agreed: bool) -> Reply:
    """Send the browser where the app wants it, or say what became of it."""
    if answer.redirect_uri is not None:
        headers = {
            "location": answer.redirect_uri,
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        return Reply(status=_REDIRECT, headers=headers)
    return _page(told_page(agreed=agreed, accepted=answer.accepted), 200 if answer.accepted else 502)


def _page(page: bytes, status: int, *, leads_to: str | None = None) -> Reply:
    return Reply(status=status, headers=page_headers(leads_to), body=page)
