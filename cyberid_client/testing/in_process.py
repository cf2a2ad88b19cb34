"""The issuer as a transport: no socket, the same endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing.drafts import Reply
from cyberid_client.testing.service import Call, IssuerService

__all__ = ["InProcessTransport"]

_ERROR_OF_QUIRK: Final = {
    "slow": "transport.timeout",
    "drip": "transport.timeout",
    "cut": "transport.connection",
    "tls": "transport.tls",
}
_REDIRECTS: Final = range(300, 400)


class InProcessTransport:
    """Carry requests to the issuer without a network, failing the way a real transport fails.

    Args:
        service: returns the issuer's endpoints.
        certificate: the SHA-256 of the certificate that requests with one show, in hex.
    """

    def __init__(self, service: Callable[[], IssuerService], *, certificate: str | None = None) -> None:
        self._service = service
        self._certificate = certificate

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Return the issuer's response; another host is a failed connection."""
        service = self._service()
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != service.keyring.issuer:
            return HTTPResponse(status=0, url=request.url, error="transport.connection")
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(
            method=request.method,
            path=parts.path,
            query=parts.query,
            headers=headers,
            body=request.body,
            certificate=self._certificate if request.shows_certificate else None,
        )
        return _to_response(service.handle(call), request)

    def close(self) -> None:
        """Do nothing: there is no connection."""


def _to_response(reply: Reply, request: HTTPRequest) -> HTTPResponse:
    if reply.quirk is not None:
        return HTTPResponse(status=0, url=request.url, error=_ERROR_OF_QUIRK[reply.quirk])
    error = None
    if reply.status in _REDIRECTS:
        error = "transport.redirect"
    elif reply.headers.get("content-encoding", "identity") != "identity":
        error = "transport.content_coding"
    elif len(reply.body) > request.max_bytes:
        error = "transport.too_large"
    if error is not None:
        return HTTPResponse(status=reply.status, url=request.url, error=error)
    return HTTPResponse(status=reply.status, headers=dict(reply.headers), body=reply.body, url=request.url)
