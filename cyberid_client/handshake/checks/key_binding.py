"""The holder's word: made now, for us, in answer to this request, about exactly what is shown (RFC 9901 §7.3)."""

from __future__ import annotations

import hmac
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.credential_subjects import KeyBindingSubject
from cyberid_client.wire.sd_jwt import sd_hash

__all__ = [
    "check_binding_audience",
    "check_binding_dates",
    "check_binding_issued_at",
    "check_binding_nonce",
    "check_binding_sd_hash",
]

PHONE_CLOCK: Final = 900


@check(
    "E10.12b",
    "A key binding was made within a quarter of an hour, by the clock of a phone; the nonce says that it is fresh.",
    clause="RFC 9901 §7.3 (5.5); profile §2, clocks",
    codes=["key_binding.issued_in_future", "key_binding.issued_too_long_ago"],
)
def check_binding_issued_at(subject: KeyBindingSubject) -> None:
    """Compare ``iat`` with now on both sides; the error says by how much the clocks differ."""
    offset = subject.claims.iat - subject.now
    if offset > PHONE_CLOCK:
        raise VerificationError("key_binding.issued_in_future", clock_offset=round(offset))
    if offset < -PHONE_CLOCK:
        raise VerificationError("key_binding.issued_too_long_ago", clock_offset=round(offset))


@check(
    "E10.12c",
    "A key binding that names more dates than it must is used neither before nor after them.",
    clause="RFC 9901 §7.3 (5.8); RFC 7519 §4.1.4, §4.1.5",
    codes=["key_binding.not_yet_valid", "key_binding.expired"],
)
def check_binding_dates(subject: KeyBindingSubject) -> None:
    """Compare ``nbf``, which is a phone's clock too, and ``exp``, for which nothing is forgiven."""
    claims, now = subject.claims, subject.now
    if claims.nbf is not None and claims.nbf > now + PHONE_CLOCK:
        raise VerificationError("key_binding.not_yet_valid")
    if claims.exp is not None and claims.exp <= now:
        raise VerificationError("key_binding.expired")


@check(
    "E11.5a",
    "A key binding is for the client id of the request, its prefix included.",
    clause="OpenID4VP 1.0 §14.1.2; RFC 9901 §7.3 (5.6)",
    codes=["key_binding.audience"],
)
def check_binding_audience(subject: KeyBindingSubject) -> None:
    """Compare ``aud``: what another app was shown is not for us."""
    if subject.claims.aud != subject.expected.audience:
        raise VerificationError("key_binding.audience")


@check(
    "E11.5b",
    "A key binding answers this request.",
    clause="OpenID4VP 1.0 §14.1.2; RFC 9901 §7.3 (5.6)",
    codes=["key_binding.nonce"],
)
def check_binding_nonce(subject: KeyBindingSubject) -> None:
    """Compare ``nonce`` in constant time."""
    if not hmac.compare_digest(subject.claims.nonce.encode(), subject.expected.nonce.encode()):
        raise VerificationError("key_binding.nonce")


@check(
    "E10.12d",
    "A key binding is about exactly this credential and these disclosures.",
    clause="RFC 9901 §4.3.1, §7.3 (5.7)",
    codes=["key_binding.sd_hash"],
)
def check_binding_sd_hash(subject: KeyBindingSubject) -> None:
    """Compare ``sd_hash`` with that of all in front of the key binding, exactly as received."""
    if not hmac.compare_digest(subject.claims.sd_hash.encode(), sd_hash(subject.bound).encode()):
        raise VerificationError("key_binding.sd_hash")
