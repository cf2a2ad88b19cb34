"""A shop that takes wallet presentations, and the way from a wallet to it: no server between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cyberid_client import (
    Client,
    ClientKey,
    ClientKeys,
    CyberIDError,
    Login,
    PresentationRequest,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import ManualClock, MockIssuer, Wallet, WalletAnswer

SECTOR = "https://shop.example"


@dataclass
class WalletShop:
    """One app that takes presentations, at one issuer."""

    issuer: MockIssuer
    clock: ManualClock
    rp: RelyingParty
    store: MemoryPendingStore
    client: Client
    purposes: list[str]

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Carry what a wallet sends to the endpoint that it names."""
        path = request.url.removeprefix(self.rp.wallet.endpoint)
        if path.startswith("/request/"):
            return self._request_object(path.removeprefix("/request/"), request)
        if path == "/response" and request.method == "POST":
            reply = self.client.receive_presentation(
                request.body, content_type=request.headers.get("content-type")
            )
            return HTTPResponse(
                status=reply.status, headers=dict(reply.headers), body=reply.body, url=request.url
            )
        return HTTPResponse(status=404, url=request.url)

    def _request_object(self, request_id: str, request: HTTPRequest) -> HTTPResponse:
        form = dict(parse_qsl(request.body.decode()))
        try:
            token = self.client.presentation_request_object(request_id, wallet_nonce=form.get("wallet_nonce"))
        except CyberIDError:
            return HTTPResponse(status=404, url=request.url)
        headers = {"content-type": "application/oauth-authz-req+jwt"}
        return HTTPResponse(status=200, headers=headers, body=token.encode(), url=request.url)

    def wallet(self, person: str = "adult", **enrolled: str) -> Wallet:
        """Return a person's wallet that has fetched ahead for this shop."""
        wallet = Wallet(self.issuer, send=self.send).enrol(person, **enrolled)
        wallet.prefetch(self.rp.sector_identifier)
        return wallet

    def finish(self, request: PresentationRequest, answer: WalletAnswer) -> Login:
        """Come back with what the wallet's browser brought, on the device on which it began."""
        code = response_code_of(answer)
        if request.status_handle is None:
            return self.client.finish_presentation(handle=request.handle, response_code=code)
        digits = self.client.presentation_digits(code)
        return self.client.finish_presentation(handle=request.handle, typed_code=digits)

    def log_in(self, wallet: Wallet, *, withhold: tuple[str, ...] = (), **asked: object) -> Login:
        """Log in from beginning to end."""
        request = self.client.start_presentation(**asked)
        return self.finish(request, wallet.answer(request.uri, withhold=withhold))


def response_code_of(answer: WalletAnswer) -> str | None:
    """Return the code in the address to which the wallet's browser is sent."""
    found = parse_qs(urlsplit(answer.redirect_uri or "").query).get("response_code")
    return None if found is None else found[0]


def make_wallet_shop(
    issuer: MockIssuer,
    clock: ManualClock,
    *,
    make_client: Callable[..., Client] = Client,
    host: str = "shop.example",
    endpoint: str | None = None,
    sector: str = SECTOR,
    holder_algorithm: str = "ES256",
    **settings: object,
) -> WalletShop:
    """Certify a shop and configure it; it knows its issuer before anybody logs in."""
    endpoint = f"https://{host}/wallet" if endpoint is None else endpoint
    certificate_pem, key_pem = issuer.certify_relying_party(sector=sector, endpoint=endpoint)
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=f"https://{host}/callback",
        sector=sector,
        keys=ClientKeys(
            signing=ClientKey.from_pem(key_pem),
            wallet=WalletIdentity.from_pem(certificate_pem, key_pem),
        ),
        trust=TrustStore.for_tests(issuer.root_pem),
        wallet=WalletSettings(endpoint=endpoint, cross_device="allowed", holder_algorithm=holder_algorithm),
        **settings,
    )
    store, transport = MemoryPendingStore(), _Counting(issuer)
    client = make_client(rp, transport=transport, pending=store, clock=clock, background=False)
    client.refresh()
    shop = WalletShop(issuer, clock, rp, store, client, transport.purposes)
    transport.purposes.clear()
    return shop


def another_shop(shop: WalletShop, **settings: object) -> WalletShop:
    """Return the same shop with other settings."""
    rp = replace(shop.rp, **settings)
    store, transport = MemoryPendingStore(), _Counting(shop.issuer)
    client = Client(rp, transport=transport, pending=store, clock=shop.clock, background=False)
    client.refresh()
    transport.purposes.clear()
    return WalletShop(shop.issuer, shop.clock, rp, store, client, transport.purposes)


class _Counting:
    """Pass requests to the issuer on, and keep for what they were."""

    def __init__(self, issuer: MockIssuer) -> None:
        self._inner = issuer.transport()
        self.purposes: list[str] = []

    def send(self, request: HTTPRequest) -> HTTPResponse:
        self.purposes.append(request.purpose)
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()
