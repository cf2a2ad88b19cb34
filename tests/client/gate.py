"""A gate that people enter by their wallet: an app, its store, and a wallet that reaches it in process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from urllib.parse import parse_qs, urlsplit

from cyberid_client import (
    Client,
    ClientKey,
    CyberIDError,
    Login,
    PresentationReply,
    PresentationRequest,
    RelyingParty,
    StoreError,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.config import ClientKeys
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.wallet import Wallet, WalletAnswer

from .conftest import CountingTransport

ENDPOINT = "https://gate.example/wallet"
SECTOR = "https://gate.example"
FORM = "application/x-www-form-urlencoded"


class Line(CountingTransport):
    """A line to the issuer that can be cut; what is asked over it is told all the same."""

    is_cut = False

    def send(self, request: HTTPRequest) -> HTTPResponse:
        if not self.is_cut:
            return super().send(request)
        self.purposes.append(request.purpose)
        return HTTPResponse(status=0, url=request.url, error="transport.connection")


@dataclass
class Gate:
    """One app at one issuer, and the wallet of the adult."""

    issuer: MockIssuer
    clock: ManualClock
    rp: RelyingParty
    store: MemoryPendingStore
    transport: Line
    client: Client
    wallet: Wallet | None = None
    # Who is asked is asked again when the client is another: the one that was made last.
    fronts: list[Gate] = field(default_factory=list)
    replies: list[PresentationReply] = field(default_factory=list)
    posts: list[HTTPRequest] = field(default_factory=list)
    held: bool = False

    def __post_init__(self) -> None:
        self.fronts.append(self)
        if self.wallet is None:
            self.wallet = Wallet(self.issuer, send=partial(send_to_last, self.fronts)).enrol("adult")
            self.wallet.prefetch(SECTOR)

    def with_client(
        self,
        new_client: Callable[..., Client] = Client,
        *,
        store: MemoryPendingStore | None = None,
        **changes: object,
    ) -> Gate:
        """Return the same gate with a client and a store of its own, to which the wallet goes from now on."""
        rp, store = replace(self.rp, **changes), store or MemoryPendingStore()
        client = new_client(rp, transport=self.transport, pending=store, clock=self.clock, background=False)
        return replace(self, rp=rp, client=client, store=store, replies=[], posts=[])

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Be the web server in front of the app."""
        path = urlsplit(request.url).path
        if path.startswith("/wallet/request/"):
            form = parse_qs(request.body.decode())
            nonce = form.get("wallet_nonce", [None])[0] if request.method == "POST" else None
            try:
                token = self.client.presentation_request_object(path.rpartition("/")[2], wallet_nonce=nonce)
            except CyberIDError:
                return HTTPResponse(status=404, headers={}, body=b"", url=request.url)
            kind = {"content-type": "application/oauth-authz-req+jwt"}
            return HTTPResponse(status=200, headers=kind, body=token.encode(), url=request.url)
        self.posts.append(request)
        if self.held:
            return HTTPResponse(status=503, headers={}, body=b"{}", url=request.url)
        reply = self.receive(request)
        return HTTPResponse(
            status=reply.status, headers=dict(reply.headers), body=reply.body, url=request.url
        )

    def receive(self, request: HTTPRequest) -> PresentationReply:
        """Hand over what a wallet posted."""
        reply = self.client.receive_presentation(
            request.body, content_type=request.headers.get("content-type")
        )
        self.replies.append(reply)
        return reply

    def hold(self, ask: PresentationRequest, wallet: Wallet | None = None) -> HTTPRequest:
        """Let a wallet answer, keep what it posts from the app, and return it."""
        self.held = True
        (wallet or self.wallet).answer(ask.uri)
        self.held = False
        return self.posts[-1]

    def start(self, device: str = "same", **asked: object) -> tuple[PresentationRequest, str]:
        """Start a presentation, let the adult's wallet answer, and return the request and the response code."""
        ask = self.client.start_presentation(device=device, **asked)
        return ask, code_in(self.wallet.answer(ask.uri))

    def log_in(self, device: str = "same", **asked: object) -> Login:
        """Go the whole way."""
        ask, code = self.start(device, **asked)
        if device == "same":
            return self.client.finish_presentation(handle=ask.handle, response_code=code)
        digits = self.client.presentation_digits(code)
        return self.client.finish_presentation(handle=ask.handle, typed_code=digits)


def send_to_last(fronts: list[Gate], request: HTTPRequest) -> HTTPResponse:
    """Carry a wallet's request to the gate that was made last."""
    return fronts[-1].send(request)


class MoodyStore(MemoryPendingStore):
    """A store that cannot be reached, or in which somebody else is always faster, when it is told so."""

    __slots__ = ("carries", "is_gone", "is_restless")

    def __init__(self) -> None:
        super().__init__()
        self.carries = ""
        self.is_gone = self.is_restless = False

    def __bool__(self) -> bool:
        return True

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        return super().put(key, record, expires_at=expires_at, now=now) + self.carries

    def peek(self, key: str, *, now: datetime) -> bytes | None:
        if self.is_gone:
            raise StoreError("store.unavailable")
        return super().peek(key, now=now)

    def swap(self, key: str, *, old: bytes, new: bytes, now: datetime) -> bool:
        return not self.is_restless and super().swap(key, old=old, new=new, now=now)


def code_in(answer: WalletAnswer) -> str:
    """Return the response code that the wallet's browser goes on with."""
    assert answer.redirect_uri is not None, answer
    return parse_qs(urlsplit(answer.redirect_uri).query)["response_code"][0]


def make_gate(
    issuer: MockIssuer,
    clock: ManualClock,
    *,
    new_client: Callable[..., Client] = Client,
    store: MemoryPendingStore | None = None,
    wallet: dict[str, object] | None = None,
    **settings: object,
) -> Gate:
    """Register an app, certify it for wallets, and configure it."""
    registered = issuer.register(client_id="gate", redirect_uri="https://gate.example/callback")
    certificate, key = issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id=registered.client_id,
        redirect_uri=registered.redirect_uri,
        keys=ClientKeys(
            signing=ClientKey.from_pem(registered.key_pem),
            wallet=WalletIdentity.from_pem(certificate, key),
        ),
        trust=TrustStore.for_tests(issuer.root_pem),
        wallet=WalletSettings(endpoint=ENDPOINT, **{"cross_device": "allowed", **(wallet or {})}),
        **settings,
    )
    pending = MemoryPendingStore() if store is None else store
    transport = Line(issuer.transport())
    client = new_client(rp, transport=transport, pending=pending, clock=clock, background=False)
    return Gate(issuer, clock, rp, pending, transport, client)
