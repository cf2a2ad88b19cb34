"""An app that takes logout tokens and security events over real HTTP, and remembers what it was told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cyberid_client import Client, ClientKey, Login, RelyingParty, TrustStore
from cyberid_client.notices import AccountState, LogoutNotice, WebhookReply
from cyberid_client.ports import HTTPRequest, HTTPResponse, ReplayStore, Transport
from cyberid_client.testing import ManualClock, MockIssuer

CLIENT_ID = "shop"


@dataclass
class App:
    """What the app does with notices; a test may put something else in the place of its handlers."""

    client: Client | None = None
    rp: RelyingParty | None = None
    uri: str = ""
    ended: list[LogoutNotice] = field(default_factory=list)
    applied: list[AccountState] = field(default_factory=list)
    transactions: list[object] = field(default_factory=list)
    replies: list[WebhookReply] = field(default_factory=list)
    end_sessions: Callable[[LogoutNotice, object], None] | None = None
    apply: Callable[[AccountState, object], None] | None = None

    def note_logout(self, notice: LogoutNotice, transaction: object) -> None:
        self.transactions.append(transaction)
        if self.end_sessions is not None:
            self.end_sessions(notice, transaction)
        self.ended.append(notice)

    def note_state(self, state: AccountState, transaction: object) -> None:
        self.transactions.append(transaction)
        if self.apply is not None:
            self.apply(state, transaction)
        self.applied.append(state)

    def take(self, path: str, body: bytes, content_type: str | None) -> WebhookReply:
        """Hand a request to the client, as a framework would."""
        if path == "/events":
            reply = self.client.receive_event(body, content_type=content_type, apply=self.note_state)
        else:
            reply = self.client.receive_logout(body, content_type=content_type, end_sessions=self.note_logout)
        self.replies.append(reply)
        return reply

    @property
    def last(self) -> WebhookReply:
        return self.replies[-1]


class AwaitedTransport:
    """Await what another transport does."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        return self._inner.send(request)

    async def aclose(self) -> None:
        self._inner.close()


@contextmanager
def served(app: App) -> Iterator[None]:
    """Serve the app on loopback; ``app.uri`` says where."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            reply = app.take(self.path, body, self.headers["Content-Type"])
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    app.uri = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def connect(
    app: App,
    issuer: MockIssuer,
    clock: ManualClock,
    *,
    replay: ReplayStore | None = None,
    client_id: str = CLIENT_ID,
    new_client: Callable[..., Client] = Client,
    registered: dict[str, object] | None = None,
    **settings: object,
) -> Client:
    """Register the app at the issuer, and give it a client."""
    client = issuer.register(
        client_id=client_id,
        redirect_uri="https://shop.example/callback",
        backchannel_logout_uri=f"{app.uri}/logout",
        events_uri=f"{app.uri}/events",
        **(registered or {}),
    )
    if "keys" not in settings:
        settings["key"] = ClientKey.from_pem(client.key_pem)
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id=client.client_id,
        redirect_uri=client.redirect_uri,
        trust=TrustStore.for_tests(issuer.root_pem),
        **settings,
    )
    app.rp = rp
    app.client = new_client(rp, transport=issuer.transport(), replay=replay, clock=clock, background=False)
    return app.client


def log_in(app: App, issuer: MockIssuer, person: str = "adult") -> Login:
    request = app.client.start_login()
    return app.client.finish_login(issuer.authorize(request.url, person=person), handle=request.handle)
