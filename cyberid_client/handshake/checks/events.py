"""What a security event says, about whom, and to whom (RFC 8417; profile §7)."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.checks.person import has_subject_shape, holds_identity_number
from cyberid_client.handshake.subjects import EventSubject
from cyberid_client.notices import AccountStanding

__all__ = [
    "STANDINGS",
    "check_account_state",
    "check_event_audience",
    "check_event_issued_at",
    "check_event_issuer",
    "check_event_kind",
    "check_event_reason",
    "check_event_sequence",
    "check_event_subject",
    "check_event_type",
    "check_no_identity_number_reported",
    "check_subject_format",
    "check_subject_issuer",
]

STANDINGS: Final = {each.value: each for each in AccountStanding}
# What a signed 64-bit column holds.
SEQUENCE_MAX: Final = 2**63 - 1
_REASON: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)


@check(
    "P7.1",
    "A security event with members of an assertion is none.",
    clause="RFC 8417 §4.5; RFC 9493 §4.1; profile §2, kinds",
    codes=["security_event.kind"],
)
def check_event_kind(subject: EventSubject) -> None:
    """Refuse ``sub`` and ``nonce``, whatever they hold."""
    if subject.claims.foreign:
        raise VerificationError("security_event.kind")


@check(
    "P7.2",
    "The issuer of a security event is the configured one, byte for byte.",
    clause="RFC 8417 §2.2; RFC 8935 §2",
    codes=["security_event.issuer"],
)
def check_event_issuer(subject: EventSubject) -> None:
    """Compare ``iss``."""
    if subject.claims.iss != subject.rp.issuer:
        raise VerificationError("security_event.issuer")


@check(
    "P7.3",
    "The audience of a security event is this client and nobody else.",
    clause="RFC 8417 §2.2; RFC 8935 §2",
    codes=["security_event.audience"],
)
def check_event_audience(subject: EventSubject) -> None:
    """Compare ``aud``: no other audience is trusted, so that more than one is always one too many."""
    if subject.claims.aud != (subject.rp.client_id,):
        raise VerificationError("security_event.audience")


@check(
    "P7.4",
    "A security event was not issued ahead of our clock by more than the leeway; it may be of any age.",
    clause="RFC 8417 §2.2; profile §7",
    codes=["security_event.issued_in_future"],
)
def check_event_issued_at(subject: EventSubject) -> None:
    """Compare ``iat`` with now on one side: after an outage events are late."""
    if subject.claims.iat > subject.now + subject.rp.clock_leeway:
        raise VerificationError("security_event.issued_in_future")


@check(
    "P7.5",
    "A security event states exactly one event, of the one kind that is understood.",
    clause="RFC 8417 §2.2; RFC 8935 §2.4",
    codes=["security_event.event"],
)
def check_event_type(subject: EventSubject) -> None:
    """Refuse any other event: to acknowledge what has no effect would lose it."""
    if not subject.claims.is_account_state:
        raise VerificationError("security_event.event")


@check(
    "P7.6",
    "The subject of a security event is named by its issuer and its identifier there.",
    clause="RFC 9493 §3.2.3",
    codes=["security_event.subject_format"],
)
def check_subject_format(subject: EventSubject) -> None:
    """Compare the format of ``sub_id``, and ask for both its members."""
    claims = subject.claims
    if claims.subject_format != "iss_sub" or claims.subject_issuer is None or claims.subject is None:
        raise VerificationError("security_event.subject_format")


@check(
    "P7.7",
    "A security event is about a subject of its own issuer.",
    clause="RFC 9493 §3.2.3",
    codes=["security_event.subject_issuer"],
)
def check_subject_issuer(subject: EventSubject) -> None:
    """Compare ``sub_id.iss``."""
    if subject.claims.subject_issuer != subject.rp.issuer:
        raise VerificationError("security_event.subject_issuer")


@check(
    "P7.8",
    "The subject of a security event has the shape of a pseudonym.",
    clause="OIDC Core §8; profile §6, sub",
    codes=["security_event.subject"],
)
def check_event_subject(subject: EventSubject) -> None:
    """Compare the shape of ``sub_id.sub`` as for an assertion."""
    if not has_subject_shape(subject.claims.subject or "", any_allowed=subject.any_subject):
        raise VerificationError("security_event.subject")


@check(
    "P7.9",
    "No part of a security event's subject is a resident's or foreign resident's identity number.",
    clause="profile §6, sub",
    codes=["security_event.identity_number"],
)
def check_no_identity_number_reported(subject: EventSubject) -> None:
    """Look at the parts of ``sub_id.sub`` as for an assertion."""
    if holds_identity_number(subject.claims.subject or ""):
        raise VerificationError("security_event.identity_number")


@check(
    "P7.10",
    "The state of the account is one of the five that the profile names.",
    clause="profile §7, security events",
    codes=["security_event.state"],
)
def check_account_state(subject: EventSubject) -> None:
    """Refuse an unknown ``state``."""
    if subject.claims.state not in STANDINGS:
        raise VerificationError("security_event.state")


@check(
    "P7.11",
    "The reason is one word of at most 64 letters, digits and marks.",
    clause="profile §7, security events",
    codes=["security_event.reason"],
)
def check_event_reason(subject: EventSubject) -> None:
    """Compare the shape of ``reason``: it is logged and shown to operators."""
    if not _REASON.fullmatch(subject.claims.reason):
        raise VerificationError("security_event.reason")


@check(
    "P7.12",
    "The number of the state is whole, and from 0 to 2⁶³ - 1.",
    clause="profile §7, security events",
    codes=["security_event.sequence"],
)
def check_event_sequence(subject: EventSubject) -> None:
    """Compare ``seq`` with what a counter can hold."""
    if not 0 <= subject.claims.sequence <= SEQUENCE_MAX:
        raise VerificationError("security_event.sequence")
