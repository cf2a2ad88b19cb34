"""A wallet's answer around the credential: is it to this request, in the way that was asked for."""

from __future__ import annotations

import hmac
from typing import Final

from cyberid_client.errors import LoginRestartError, VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.presentation_record import Stage
from cyberid_client.handshake.presentation_subjects import (
    PendingPresentationSubject,
    PresentationEnvelopeSubject,
    PresentationResponseSubject,
    ProvedAnswerSubject,
)

__all__ = [
    "OFFERED_ENCRYPTIONS",
    "check_asked_credential",
    "check_offered_encryption",
    "check_presentation_lifetime",
    "check_presentation_waits",
    "check_query_answered",
    "check_response_state",
    "check_same_client",
]

#: In the request, as ``encrypted_response_enc_values_supported``; A128GCM is what stands for nothing said.
OFFERED_ENCRYPTIONS: Final = ("A128GCM", "A256GCM")


@check(
    "P5.7",
    "A presentation is answered and finished under the issuer, in the sector and in a way that are configured.",
    clause="profile §5",
    codes=["login.other_settings"],
)
def check_same_client(subject: PendingPresentationSubject) -> None:
    """Compare the record with the configuration; another device may be refused since it was asked for."""
    record, rp = subject.record, subject.rp
    if (record.issuer, record.sector) != (rp.issuer, rp.sector_identifier):
        raise LoginRestartError("login.other_settings")
    may_be_elsewhere = rp.wallet is not None and rp.wallet.cross_device == "allowed"
    if record.device == "other" and not may_be_elsewhere:
        raise LoginRestartError("login.other_settings")


@check(
    "E11.2a",
    "A presentation is over from the very second of its expiry.",
    clause="OpenID4VP 1.0 §8.2, §13.3",
    codes=["login.expired"],
)
def check_presentation_lifetime(subject: PendingPresentationSubject) -> None:
    """Compare its end with now; nothing is forgiven."""
    if subject.now >= subject.record.expires_at:
        raise LoginRestartError("login.expired")


@check(
    "E11.2b",
    "A request is answered once.",
    clause="OpenID4VP 1.0 §8.2, §13.3",
    codes=["presentation.over"],
)
def check_presentation_waits(subject: PendingPresentationSubject) -> None:
    """Refuse one that does not wait any more; it may be fetched as often as a wallet likes."""
    if subject.record.stage is not Stage.WAITING:
        raise LoginRestartError("presentation.over")


@check(
    "E11.3",
    "The answer is encrypted in one of the ways that the request offers.",
    clause="OpenID4VP 1.0 §8.3; RFC 8725 §3.1",
    codes=["presentation.content_encryption"],
)
def check_offered_encryption(subject: PresentationEnvelopeSubject) -> None:
    """Compare ``enc``."""
    if subject.jwe.enc not in OFFERED_ENCRYPTIONS:
        raise VerificationError("presentation.content_encryption")


@check(
    "E11.2c",
    "The answer carries the state of the request.",
    clause="OpenID4VP 1.0 §5.3, §8.2",
    codes=["presentation.state"],
)
def check_response_state(subject: PresentationResponseSubject) -> None:
    """Compare ``state`` in constant time."""
    state = subject.response.state or ""
    if not hmac.compare_digest(state.encode(), subject.state.encode()):
        raise VerificationError("presentation.state")


@check(
    "E11.4",
    "Exactly the credential that was asked for is presented, and once.",
    clause="OpenID4VP 1.0 §6.1, §8.1",
    codes=["presentation.credentials"],
)
def check_asked_credential(subject: PresentationResponseSubject) -> None:
    """Compare the members of ``vp_token``; each is a list even of one."""
    presentations = subject.response.presentations
    if presentations is None or presentations.keys() != {subject.credential_id}:
        raise VerificationError("presentation.credentials")
    if len(presentations[subject.credential_id]) != 1:
        raise VerificationError("presentation.credentials")


@check(
    "E11.7",
    "What was proved answers the query: a wallet's choice is not relied upon.",
    clause="OpenID4VP 1.0 §8.6, §14.9",
    codes=["presentation.query"],
)
def check_query_answered(subject: ProvedAnswerSubject) -> None:
    """Compare mode and age band with what the request asked for, whatever the format found."""
    unasked = subject.age_band is not None and not subject.record.age_band
    if unasked or not subject.assurance.satisfies(subject.record.assurance):
        raise VerificationError("presentation.query")
