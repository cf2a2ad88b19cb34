"""What the checklists of a wallet presentation judge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.config import RelyingParty
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.models import AgeBand, Assurance
from cyberid_client.wire.jwe import UnverifiedJWE
from cyberid_client.wire.presentation import UnverifiedPresentation

__all__ = [
    "PendingPresentationSubject",
    "PresentationEnvelopeSubject",
    "PresentationResponseSubject",
    "ProvedAnswerSubject",
    "RequestKey",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPresentationSubject:
    """The record that a request id, a code or a handle led to, and who looks at it."""

    record: PresentationRecord
    rp: RelyingParty
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The private half of the key that was made for this one request.

    Attributes:
        private_key: on P-256.
        algorithm: the one ``alg`` that it opens.
    """

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationEnvelopeSubject:
    """An encrypted answer, and the key that was made for this one request."""

    document: ClassVar[str] = "presentation"
    jwe: UnverifiedJWE
    key: RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationResponseSubject:
    """What was inside, and what the request asked for.

    Attributes:
        response: parsed, not believed.
        state: of the request.
        credential_id: of the one credential in its query.
    """

    response: UnverifiedPresentation
    state: str = field(repr=False)
    credential_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedAnswerSubject:
    """What the presentation proved by the rules of its format, and what was asked for.

    Attributes:
        assurance: that was proved.
        age_band: that was shown.
        record: of the request.
    """

    assurance: Assurance
    age_band: AgeBand | None
    record: PresentationRecord
