"""Whether a step-up was done by the person who is logged in."""

from __future__ import annotations

import hmac

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import StepUpSubject
from cyberid_client.models import Persistence

__all__ = ["check_lasting_pseudonym", "check_same_person"]


@check(
    "E7.3a",
    "A step-up gives a pseudonym that outlasts its session, or nobody could be compared with it.",
    clause="profile §6, persistence",
    codes=["step_up.session_only"],
)
def check_lasting_pseudonym(subject: StepUpSubject) -> None:
    """Refuse a pseudonym for this session only."""
    if subject.login.persistence is Persistence.SESSION:
        raise VerificationError("step_up.session_only")


@check(
    "E7.3",
    "The person of a step-up is the one who is logged in.",
    clause="RFC 9470 §5; profile §7, step-up",
    codes=["step_up.other_person"],
)
def check_same_person(subject: StepUpSubject) -> None:
    """Compare digests of the pseudonyms under the same key, in constant time."""
    result = subject.login.pseudonym.digest(subject.keys, key_id=subject.person.key_id)
    if not hmac.compare_digest(result.mac.encode(), subject.person.mac.encode()):
        raise VerificationError("step_up.other_person")
