"""What a flow is: a generator that asks for the network and never touches it.

A flow yields an :class:`~cyberid_client.ports.HTTPRequest` and is sent the response, or yields
:class:`SignatureWanted` and is sent a signature, :class:`KeysWanted` and is sent a key set, or
:class:`ListsWanted` and is sent revocation lists. Whoever runs it owns sockets, locks and waiting; the flow
owns every decision.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import TransportError, UnavailableError
from cyberid_client.ports import AsyncSigner, HTTPRequest, HTTPResponse, Signer
from cyberid_client.trust import IssuedCertificate, KeySet, RevocationLists

__all__ = [
    "ANSWER_MAX_BYTES",
    "Answer",
    "Effect",
    "Flow",
    "KeysWanted",
    "ListsWanted",
    "SignatureWanted",
    "Signed",
    "expect_available",
    "expect_response",
    "expect_status",
    "fetch",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysWanted:
    """Ask for a newer key set than the one that was tried.

    Attributes:
        tried: the key set in which the key was not found; if the runner holds another by now, that one
            is the answer and nothing is fetched.
        entry: through which door the message came: ``callback``, ``app``, ``logout`` or ``events``.
        proven_key: the SubjectPublicKeyInfo of a key that signed the message and that the national
            roots vouch for; empty when nothing is proven, so that anybody could have sent it.
    """

    tried: KeySet
    entry: str
    proven_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsWanted:
    """Ask for revocation lists that answer for certificates of a believed path.

    Everything else about the message holds already, the chain to a pinned root included, so that nobody
    makes us fetch by a forgery.

    Attributes:
        tried: the lists that do not answer; if the runner holds others by now, those are the answer.
        certificates: for which an answer is needed.
    """

    tried: RevocationLists
    certificates: tuple[IssuedCertificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureWanted:
    """Ask for a signature by a key that is not here.

    Attributes:
        signer: who holds it.
        message: what is signed; holds nothing secret that the request it goes into does not hold.
    """

    signer: Signer | AsyncSigner = field(repr=False)
    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """The answer to :class:`SignatureWanted`.

    Attributes:
        signature: in the form of JWS; empty when the signer failed.
    """

    signature: bytes = field(repr=False)


_TRANSPORT_CODES: Final = frozenset(
    code for code, entry in CATALOGUE.items() if entry.family == TransportError.__name__
)
# What a transport may read at all; each document has a limit of its own below this, with its own code.
ANSWER_MAX_BYTES: Final = 288 * 1024
TOO_MANY_REQUESTS: Final = 429
SERVER_ERROR: Final = 500

Effect = HTTPRequest | SignatureWanted | KeysWanted | ListsWanted
Answer = HTTPResponse | Signed | KeySet | RevocationLists
Flow = Generator[Effect, Answer, T]


def fetch(request: HTTPRequest) -> Flow[HTTPResponse]:
    """Yield the request and return the response.

    Raises:
        TransportError: no complete answer came.
    """
    return expect_response((yield request))


def expect_response(answer: Answer) -> HTTPResponse:
    """Return the response, or raise what kept it from coming."""
    if not isinstance(answer, HTTPResponse):
        raise TransportError("transport.failed")
    if answer.error is not None:
        raise TransportError(answer.error if answer.error in _TRANSPORT_CODES else "transport.failed")
    return answer


def expect_available(response: HTTPResponse) -> HTTPResponse:
    """Return the response, unless the issuer says that it cannot answer now.

    Raises:
        UnavailableError: 429, or 500 and above.
    """
    if response.status == TOO_MANY_REQUESTS or response.status >= SERVER_ERROR:
        raise UnavailableError("issuer.unavailable")
    return response


def expect_status(response: HTTPResponse, status: int) -> HTTPResponse:
    """Return the response if it has this status.

    Raises:
        UnavailableError: it has another one.
    """
    if expect_available(response).status != status:
        raise UnavailableError("issuer.status")
    return response
