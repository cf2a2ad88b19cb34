"""What a wallet says to its issuer, never at a login; and how it reaches apps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from cyberid_client.errors import ConfigurationError, TransportError
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing.browser_http import exchange
from cyberid_client.testing.credential_endpoints import WALLET_PATHS
from cyberid_client.testing.jose import json_bytes

__all__ = ["IssuerLine", "Send", "send_over_http"]

Send = Callable[[HTTPRequest], HTTPResponse]

_SECONDS: Final = 30.0
_DOCUMENT_MAX: Final = 16 * 1024 * 1024
_OK: Final = 200


def send_over_http(request: HTTPRequest) -> HTTPResponse:
    """Send a request on a connection of its own; redirects are not followed, cookies not kept."""
    try:
        answer = exchange(
            method=request.method,
            url=request.url,
            form=request.body,
            headers=dict(request.headers),
            deadline=time.monotonic() + _SECONDS,
            max_bytes=request.max_bytes,
            is_form=False,
        )
    except (ConfigurationError, TransportError) as error:
        return HTTPResponse(status=0, url=request.url, error=error.code)
    return HTTPResponse(status=answer.status, headers=answer.joined(), body=answer.body, url=request.url)


class IssuerLine:
    """Speak to the issuer's endpoints for wallets.

    Args:
        issuer: returns the issuer identifier, which serving a mock changes.
        send: carries requests.
    """

    def __init__(self, issuer: Callable[[], str], send: Send) -> None:
        self._issuer = issuer
        self._send = send

    def enrol(self, person: str, acr: str) -> str:
        """Return the secret with which this wallet proves its person.

        Raises:
            ConfigurationError: ``testing.wallet_line``: the issuer says no, or nothing.
        """
        form = urlencode({"person": person, "acr": acr}).encode()
        document = self._ask("POST", WALLET_PATHS["enrol"], form, "application/x-www-form-urlencoded")
        return str(document["enrolment"])

    def directory(self) -> tuple[int, int]:
        """Return how many buckets there are, and how long an epoch is."""
        document = self._ask("GET", WALLET_PATHS["directory"])
        buckets, length = document["buckets"], document["epoch_length"]
        if not isinstance(buckets, list) or not isinstance(length, int):
            raise ConfigurationError("testing.wallet_line")
        return len(buckets), length

    def bucket(self, number: int) -> tuple[str, ...]:
        """Return the sectors of a bucket."""
        sectors = self._ask("GET", f"{WALLET_PATHS['directory']}/{number}")["sectors"]
        return tuple(map(str, sectors)) if isinstance(sectors, list) else ()

    def credentials(
        self, number: int, enrolment: str, keys: Mapping[str, object]
    ) -> tuple[int, dict[str, str]]:
        """Return the epoch and a credential for every sector of a bucket."""
        body = json_bytes({"enrolment": enrolment, "keys": dict(keys)})
        document = self._ask("POST", f"{WALLET_PATHS['credentials']}/{number}", body, "application/json")
        epoch, credentials = document["epoch"], document["credentials"]
        if not isinstance(epoch, int) or not isinstance(credentials, dict):
            raise ConfigurationError("testing.wallet_line")
        return epoch, credentials

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str | None = None) -> dict[str, object]:
        response = self._send(
            HTTPRequest(
                method="POST" if method == "POST" else "GET",
                url=self._issuer() + path,
                headers={} if kind is None else {"content-type": kind},
                body=body,
                max_bytes=_DOCUMENT_MAX,
                purpose="wallet",
            )
        )
        if response.error is not None or response.status != _OK:
            raise ConfigurationError("testing.wallet_line")
        document = json.loads(response.body)
        if not isinstance(document, dict):
            raise ConfigurationError("testing.wallet_line")
        return document
