"""Wallets that reach an app's endpoints without a server between them."""

from __future__ import annotations

from urllib.parse import urlsplit

from cyberid_client.integrations.web import WebRequest
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing import Wallet

from .conftest import ORIGIN, WALLET, MemorySession


class Untouched(MemorySession):
    """A session that nobody may look at: a wallet has none."""

    def get(self, name):
        raise AssertionError(name)

    set = remove = replace = rotate = clear = get


def carry(web):
    """Return what carries a wallet's requests to an app's endpoints."""

    def send(request: HTTPRequest) -> HTTPResponse:
        path = request.url.removeprefix(WALLET)
        name, _, request_id = path.removeprefix("/").partition("/")
        reply = web.answer(
            f"wallet_{name}",
            WebRequest(
                method=request.method,
                path=path,
                headers=dict(request.headers),
                body=request.body,
                path_parameters={"request_id": request_id} if request_id else {},
            ),
            Untouched(),
        )
        headers = {header.lower(): value for header, value in reply.headers}
        return HTTPResponse(status=reply.status, headers=headers, body=reply.body, url=request.url)

    return send


class Wallets:
    """The wallets of some people, which have fetched ahead, and reach whatever app they are held against."""

    def __init__(self, issuer):
        self._issuer = issuer
        self._made = {}
        self._web = None

    def of(self, person, web):
        """Return a person's wallet, before an app's endpoints."""
        self._web = web
        if person not in self._made:
            wallet = Wallet(self._issuer, send=self._send).enrol(person)
            wallet.prefetch(ORIGIN)
            self._made[person] = wallet
        return self._made[person]

    def _send(self, request: HTTPRequest) -> HTTPResponse:
        return carry(self._web)(request)


def query_of(answer):
    """Return the query of the address to which the app sends the wallet's browser."""
    return urlsplit(answer.redirect_uri).query
