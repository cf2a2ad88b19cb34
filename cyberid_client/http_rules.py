"""What may be sent to the issuer, and how much may come back: the same for every transport."""

from __future__ import annotations

import re
import zlib
from typing import Final
from urllib.parse import urlsplit

from cyberid_client.ports import HTTPRequest, HTTPResponse

__all__ = ["Body", "BodyError", "failure", "headers_to_send"]

_OWN_HEADERS: Final = {"user-agent": "cyberid_client", "accept-encoding": "gzip"}
# RFC 9110 §5.1 and §5.5, without the characters that no header of ours has.
_NAME: Final = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_VALUE: Final = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?", re.ASCII)
_LOOPBACK: Final = ("127.0.0.1", "::1")
# zlib's name for "expect a gzip header and trailer".
_GZIP: Final = 31
# What a gzip header, trailer and stored blocks may add to a body that cannot be compressed.
_GZIP_OVERHEAD: Final = 1024


def headers_to_send(request: HTTPRequest) -> dict[str, str] | None:
    """Return the headers with which a request may leave, or ``None`` when it must not.

    It may go to https, or to http at a literal loopback address, without credentials in the URL; and with
    the client's certificate to https only.
    """
    try:
        parts = urlsplit(request.url)
        plain_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
        # A user name in the URL would become an Authorization header.
        if not (parts.scheme == "https" or plain_loopback) or "@" in parts.netloc:
            return None
        if not parts.hostname or parts.port == 0:
            return None
    except ValueError:
        return None
    if request.shows_certificate and parts.scheme != "https":
        return None
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in request.headers.items()):
        return None
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
    return headers | _OWN_HEADERS


def failure(request: HTTPRequest, code: str, *, status: int = 0) -> HTTPResponse:
    """Return what stands for a response that did not come."""
    return HTTPResponse(status=status, url=request.url, error=code)


class BodyError(Exception):
    """A body is too large or in a coding that is not understood.

    Args:
        code: of the error catalogue.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Body:
    """A body as it comes in, measured before and after it is decoded.

    Args:
        coding: the value of ``Content-Encoding``.
        limit: so many bytes it may have.

    Raises:
        BodyError: the coding is not understood.
    """

    def __init__(self, coding: str, *, limit: int) -> None:
        match coding.strip().lower():
            case "" | "identity":
                self._decoder = None
                self._wire_limit = limit
            case "gzip" | "x-gzip":
                self._decoder = zlib.decompressobj(wbits=_GZIP)
                self._wire_limit = limit + _GZIP_OVERHEAD
            case _:
                raise BodyError("transport.content_coding")
        self._limit = limit
        self._received = 0
        self._body = bytearray()

    @property
    def wanted(self) -> int:
        """How many bytes more are worth reading: one more than allowed tells that there is too much."""
        return self._wire_limit + 1 - self._received

    def feed(self, chunk: bytes) -> None:
        """Take what came over the wire.

        Raises:
            BodyError: it is too much, or cannot be decoded.
        """
        self._received += len(chunk)
        if self._received > self._wire_limit:
            raise BodyError("transport.too_large")
        self._body += chunk if self._decoder is None else self._unpacked(chunk)
        if len(self._body) > self._limit:
            raise BodyError("transport.too_large")

    def whole(self) -> bytes:
        """Return the body after its end.

        Raises:
            BodyError: what was packed is not whole, or something comes after it.
        """
        if self._decoder is not None and (not self._decoder.eof or self._decoder.unused_data):
            raise BodyError("transport.content_coding")
        return bytes(self._body)

    def _unpacked(self, chunk: bytes) -> bytes:
        if self._decoder is None or self._decoder.eof:
            raise BodyError("transport.content_coding")
        try:
            # One byte more than allowed is enough to know: a bomb is never unpacked.
            return self._decoder.decompress(chunk, self._limit + 1)
        except zlib.error:
            raise BodyError("transport.content_coding") from None
