"""A page that plays the camera of a phone: ``/camera`` leads to where the newest code on a screen leads.

Only for the demo and for tests: a phone cannot reach the loopback address that stands in the code, and a script
has no camera. It looks at what the office sends to the screen, and makes of it the address in the picture.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .login import PREFIX

PATH = "/camera"
NOT_FOUND, SEE_OTHER = 404, 303
# Beside the picture stands a form that names the same request.
REQUEST_ID = re.compile(rb'name="status_handle" value="([A-Za-z0-9_-]+)\.')


class Camera:
    """Look at the screens of an office.

    Args:
        app: the office.
        wallet_uri: what opens a wallet.
        endpoint: below which the office answers wallets.
        client_id: the office's name for wallets.
    """

    def __init__(self, app: ASGIApp, *, wallet_uri: str, endpoint: str, client_id: str) -> None:
        self._app = app
        self._wallet_uri = wallet_uri
        self._endpoint = endpoint
        self._client_id = client_id
        self._seen: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._lead(scope, receive, send)
            return
        is_start = scope["type"] == "http" and scope["path"] == f"{PREFIX}/wallet/start"

        async def send_and_look(message: Message) -> None:
            found = REQUEST_ID.search(message.get("body", b"")) if is_start else None
            if found is not None:
                self._seen = found[1].decode()
            await send(message)

        await self._app(scope, receive, send_and_look)

    async def _lead(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response = PlainTextResponse("There is no code on any screen.\n", NOT_FOUND)
        if self._seen is not None:
            request_uri = f"{self._endpoint}/request/{self._seen}"
            query = urlencode({"client_id": self._client_id, "request_uri": request_uri})
            answer = RedirectResponse(f"{self._wallet_uri}?{query}", SEE_OTHER)
        await answer(scope, receive, send)
