"""Each way in as it runs: who sends what to whom, how many bytes, how long.

``python benchmarks/handshakes.py``; the issuer is served over HTTP on loopback, the app is this process, and the
phone and the wallet are the mock's. The first login of each kind is not counted: it fetches what the next ones know.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlsplit

from cyberid_client import (
    AppLaunchSettings,
    Client,
    ClientKey,
    ClientKeys,
    Login,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.config import HTTPLimits
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.testing import MockIssuer, Phone, RegisteredApp, Wallet
from cyberid_client.transport import RequestsTransport

SECTOR = "http://127.0.0.1:8000"
ENDPOINT = f"{SECTOR}/wallet"
PACKAGE = "com.example.shop"


@dataclass
class Sequence:
    """What happened, line by line."""

    lines: list[tuple[str, str, int, int, float]] = field(default_factory=list)

    def note(self, who: str, what: str, sent: int, received: int, since: float) -> None:
        """Remember one line; bytes without headers."""
        self.lines.append((who, what, sent, received, (time.perf_counter() - since) * 1_000))

    def show(self, title: str) -> None:
        """Print what was noted, and forget it."""
        print(f"\n## {title}\n\n| from → to | what | sent | received | ms |\n|---|---|--:|--:|--:|")
        for who, what, sent, received, spent in self.lines:
            print(f"| {who} | {what} | {sent:,} | {received:,} | {spent:.1f} |")
        self.lines.clear()


@dataclass
class Watched:
    """A transport that notes what passes."""

    inner: Transport
    sequence: Sequence

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Send a request of the client."""
        since = time.perf_counter()
        response = self.inner.send(request)
        what = f"{request.method} {urlsplit(request.url).path} → {response.status}"
        self.sequence.note("app → issuer", what, len(request.body), len(response.body), since)
        return response

    def close(self) -> None:
        """Give back connections."""
        self.inner.close()


@dataclass
class App:
    """What wallets reach of the app."""

    client: Client
    sequence: Sequence

    def answer(self, request: HTTPRequest) -> HTTPResponse:
        """Answer a wallet."""
        since = time.perf_counter()
        path = request.url.removeprefix(ENDPOINT)
        if path.startswith("/request/"):
            nonce = parse_qs(request.body.decode()).get("wallet_nonce", [None])[0]
            body = self.client.presentation_request_object(path.split("/")[-1], wallet_nonce=nonce).encode()
            kind, status = "application/oauth-authz-req+jwt", 200
            path = "/request/…"
        else:
            reply = self.client.receive_presentation(request.body)
            body, kind, status = reply.body, "application/json", reply.status
        self.sequence.note(
            "wallet → app", f"{request.method} {path} → {status}", len(request.body), len(body), since
        )
        return HTTPResponse(status=status, headers={"content-type": kind}, body=body, url=request.url)


def redirect(client: Client, issuer: MockIssuer, sequence: Sequence) -> Login:
    """Log in by redirect."""
    request = client.start_login()
    since = time.perf_counter()
    callback = issuer.authorize(request.url)
    sequence.note(
        "browser → issuer → app",
        "the person agrees, and is sent back",
        len(request.url),
        len(callback),
        since,
    )
    return client.finish_login(callback, handle=request.handle)


def app_launch(client: Client, issuer: MockIssuer, sequence: Sequence) -> Login:
    """Log in by the ID app."""
    launch = client.start_app_login(platform="android")
    since = time.perf_counter()
    answer = Phone(issuer).launch(launch.to_dict(), package=PACKAGE)
    sequence.note(
        "app on the phone → ID app", "launch, two blobs", len(str(launch.to_dict())), len(str(answer)), since
    )
    return client.finish_app_login(answer, handle=launch.handle)


def wallet(client: Client, holder: Wallet, sequence: Sequence, *, device: str) -> Login:
    """Log in by the wallet."""
    if device == "same":
        ask = client.start_presentation()
        answer = holder.answer(ask.uri)
        code = parse_qs(urlsplit(answer.redirect_uri or "").query)["response_code"][0]
        sequence.note(
            "wallet → browser → app", "response_code", len(answer.redirect_uri or ""), 0, time.perf_counter()
        )
        return client.finish_presentation(handle=ask.handle, response_code=code)
    ask = client.start_presentation(device="other")
    answer = holder.answer(ask.uri)
    code = parse_qs(urlsplit(answer.redirect_uri or "").query)["response_code"][0]
    since = time.perf_counter()
    state = client.presentation_status(ask.status_handle or "")
    sequence.note("page → app", f"status → {state.value}", len(ask.status_handle or ""), len(state), since)
    return client.finish_presentation(handle=ask.handle, typed_code=client.presentation_digits(code))


def shown(title: str, log_in: Callable[[], Login], sequence: Sequence) -> None:
    """Log in twice, and show the second time."""
    log_in()
    sequence.lines.clear()
    since = time.perf_counter()
    login = log_in()
    sequence.note("all of it", f"Login by {login.channel}, {login.assurance.name}", 0, 0, since)
    sequence.show(title)


def main() -> None:
    """Show every way in."""
    issuer, sequence = MockIssuer(), Sequence()
    with issuer.serve() as origin:
        registered = issuer.register(
            client_id="shop",
            redirect_uri=f"{SECTOR}/callback",
            org_id="ORG0001",
            apps={"android": RegisteredApp(app_id="APP0001", package=PACKAGE)},
        )
        certificate, key = issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
        rp = RelyingParty(
            issuer=origin,
            client_id="shop",
            redirect_uri=registered.redirect_uri,
            keys=ClientKeys(
                signing=ClientKey.from_pem(registered.key_pem),
                wallet=WalletIdentity.from_pem(certificate, key),
            ),
            trust=TrustStore.for_tests(issuer.root_pem),
            app_launch=AppLaunchSettings(org_id="ORG0001", app_ids={"android": "APP0001"}),
            wallet=WalletSettings(endpoint=ENDPOINT, cross_device="allowed"),
        )
        transport = Watched(RequestsTransport(HTTPLimits()), sequence)
        with Client(rp, transport=transport, background=False) as client:
            client.refresh()
            sequence.show("Ahead of every login")
            holder = Wallet(issuer, send=App(client, sequence).answer).enrol("adult")
            holder.prefetch(SECTOR)
            shown("Redirect", partial(redirect, client, issuer, sequence), sequence)
            shown("App launch", partial(app_launch, client, issuer, sequence), sequence)
            for device in ("same", "other"):
                by_wallet = partial(wallet, client, holder, sequence, device=device)
                shown(f"Wallet presentation, {device} device", by_wallet, sequence)


if __name__ == "__main__":
    main()
