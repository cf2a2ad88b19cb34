"""An app as wallets reach it, without a network: what a wallet sends goes to a client, and its answer back."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import parse_qs

from cyberid_client.errors import CyberIDError
from cyberid_client.ports import HTTPResponse

ENDPOINT = "https://shop.example/wallet"
REQUEST_TYPE = "application/oauth-authz-req+jwt"
FORM = "application/x-www-form-urlencoded"


class App:
    """The two endpoints that a wallet calls."""

    def __init__(self, client) -> None:
        self._client = client

    def answer(self, url: str, body: bytes = b"") -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        if url == f"{ENDPOINT}/response":
            reply = self._client.receive_presentation(body, content_type=FORM)
            return reply.status, "application/json", reply.body
        (nonce,) = parse_qs(body.decode()).get("wallet_nonce", [None])
        try:
            request = self._client.presentation_request_object(
                url.removeprefix(f"{ENDPOINT}/request/"), wallet_nonce=nonce
            )
        except CyberIDError:
            return 404, "text/plain", b""
        return 200, REQUEST_TYPE, request.encode()

    def send(self, request) -> HTTPResponse:
        """Answer the wallet simulator."""
        status, kind, body = self.answer(request.url, request.body)
        return HTTPResponse(status=status, headers={"content-type": kind}, body=body, url=request.url)


class ForeignWallet:
    """A wallet in a Node process, which asks its caller to send what it sends.

    Args:
        process: wallet.mjs.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def answer(self, app: App, **order: object):
        """Let it answer a request, and return what it says of it: ``done`` or ``refused``."""
        said = self._ask(order)
        while "send" in said:
            wanted = said["send"]
            status, kind, body = app.answer(wanted["url"], wanted.get("body", "").encode())
            said = self._ask({"status": status, "content_type": kind, "body": body.decode()})
        return said

    def _ask(self, message):
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
