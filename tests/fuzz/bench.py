"""One login that can be finished again and again, with any part of it replaced."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from cyberid_client import Client, ClientKey, CyberIDError, RelyingParty, TrustStore
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.stores import SealedCookieStore
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import decode_part, json_bytes

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
SHOP = "https://shop.example"
JSON = {"content-type": "application/json"}
CPU_SECONDS = 2.0


class Answering:
    """Pass requests on, but for those whose answer a test has put down."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.answers: dict[str, HTTPResponse] = {}
        self.seen: dict[str, HTTPResponse] = {}

    def send(self, request: HTTPRequest) -> HTTPResponse:
        if request.purpose in self.answers:
            return self.answers[request.purpose]
        self.seen[request.purpose] = response = self._inner.send(request)
        return response

    def close(self) -> None:
        """Do nothing."""


class Bench:
    """A shop at an issuer, at one moment, with one login that nothing uses up.

    The store lets the browser carry the login, and the issuer's answers are recorded: what was honest
    once is honest every time.
    """

    def __init__(self) -> None:
        clock = ManualClock(NOW)
        self.issuer = MockIssuer(clock)
        registered = self.issuer.register(client_id="shop", redirect_uri=f"{SHOP}/callback")
        self.key_pem = registered.key_pem
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri=f"{SHOP}/callback",
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(self.issuer.root_pem),
        )
        self.transport = Answering(self.issuer.transport())
        self.store = SealedCookieStore({"k1": bytes(range(32))})
        self.client = self.new_client(self.transport)
        self.clock = clock
        self.request = self.client.start_login()
        self.callback = self.issuer.authorize(self.request.url)
        self.client.finish_login(self.callback, handle=self.request.handle)
        self.keyring = self.issuer._service.keyring
        self.token_document = json.loads(self.transport.seen["token"].body)
        self.claims = dict(self.issuer._service.signed)
        self.header = _part(self.token_document["id_token"], 0)
        self.discovery = json.loads(self.transport.seen["discovery"].body)
        self.metadata_claims = _part(self.discovery["signed_metadata"], 1)
        self.metadata_header = _part(self.discovery["signed_metadata"], 0)
        self.jwks = json.loads(self.transport.seen["jwks"].body)
        self.par = json.loads(self.transport.seen["par"].body)

    def new_client(self, transport) -> Client:
        """Return a client that knows nothing of the issuer yet."""
        return Client(self.rp, transport=transport, pending=self.store, clock=lambda: NOW)

    def finish(self, *, callback: str | None = None, handle: str | None = None, token=None):
        """Finish the login with what is given in the place of what is honest."""
        answer = token or json_response(self.token_document)
        self.transport.answers = {"token": answer}
        try:
            return self.client.finish_login(
                self.callback if callback is None else callback,
                handle=self.request.handle if handle is None else handle,
            )
        finally:
            self.transport.answers = {}

    def finish_with(self, id_token: str):
        """Finish the login with another assertion."""
        return self.finish(token=json_response({**self.token_document, "id_token": id_token}))

    def learn(self, **answers: HTTPResponse):
        """Let a new client fetch metadata and keys and start a login, with these answers."""
        transport = Answering(self.issuer.transport())
        transport.answers = answers
        client = self.new_client(transport)
        return client.start_login()

    def sign(self, header, claims, *, payload: bytes | None = None, purpose: str = "assertion") -> str:
        """Sign header and claims, or a payload as it stands, with the issuer's own key."""
        signer = self.keyring.signer(purpose)
        draft = SignedDraft(header=header, claims=claims, signer=signer, keyring=self.keyring, now=NOW)
        draft.payload_bytes = payload
        return draft.encode()

    def discovery_with(self, signed_metadata: str) -> HTTPResponse:
        """Return a discovery page with these signed metadata."""
        return json_response({**self.discovery, "signed_metadata": signed_metadata})


def json_response(document: object, status: int = 200) -> HTTPResponse:
    body = document if isinstance(document, bytes) else json_bytes(document)
    return HTTPResponse(status=status, headers=JSON, body=body, url="https://issuer.example/")


def _part(token: str, index: int) -> dict[str, object]:
    return json.loads(decode_part(token.split(".")[index]))


@cache
def bench() -> Bench:
    """Return the one bench of this process; nothing changes it."""
    return Bench()


def closed(call: Callable[[], object]) -> object:
    """Return the result or our own error; anything else that comes out, or a hang, fails the test."""
    start = time.thread_time()
    try:
        result = call()
    except CyberIDError as error:
        result = error
    assert not isinstance(result, CyberIDError) or result.code in CATALOGUE
    assert time.thread_time() - start < CPU_SECONDS
    return result


def code_of(call: Callable[[], object]) -> str | None:
    """Return the code of our own error, or ``None`` for a result."""
    result = closed(call)
    return result.code if isinstance(result, CyberIDError) else None


def with_rp(**changes: object) -> RelyingParty:
    return replace(bench().rp, **changes)
