"""A checklist, check by check, to its end; a login stops at the first failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import CyberIDError
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.subjects import SignedSubject
from cyberid_client.inspection.result import Step, Verdict
from cyberid_client.inspection.settings import InspectionSettings

__all__ = ["Gap", "gap_of", "judge_checks", "refused", "unjudged_checks", "unread"]

S = TypeVar("S")

#: Why a check cannot be judged: the settings that are missing, or a sentence.
Gap = tuple[str, ...] | str

# Function of a check → the settings that it compares with.
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "check_key": ("jwks",),
    "check_key_is_published": ("jwks",),
    "check_chain": ("trust", "issuer"),
    "check_assertion_issuer": ("issuer",),
    "check_audience": ("client_id",),
    "check_authorized_party": ("client_id",),
    "check_nonce": ("nonce",),
    "check_access_token_hash": ("access_token",),
    "check_assurance": ("assurance",),
    "check_sector": ("sector",),
    "check_age_band": ("age_band",),
    "check_discovery_issuer": ("issuer",),
    "check_metadata_issuer": ("issuer",),
    "check_endpoints": ("issuer",),
    "check_capabilities": ("assurance",),
    "check_list_subject": ("uri",),
    "check_list_audience": ("client_id",),
    "check_revocation": ("trust", "issuer", "crls"),
}
# These need nothing when the claim that they are about is absent.
_ABOUT: Final[Mapping[str, str]] = {
    "check_authorized_party": "azp",
    "check_access_token_hash": "at_hash",
    "check_age_band": "age_band",
    "check_list_audience": "aud",
}
_WITH_KEY: Final = frozenset({"check_signature", "check_chain", "check_key_is_published"})
_REMARKS: Final[Mapping[str, str]] = {
    "check_not_rolled_back": "nothing accepted earlier is known here to compare with",
    "check_list_not_rolled_back": "nothing accepted earlier is known here to compare with",
    "check_capabilities": "for a client that signs its requests with ES256",
}


def refused(title: str, error: CyberIDError, *, number: str | None = None) -> Step:
    """Return the step that fails with this error."""
    sentence = CATALOGUE[error.code].sentence
    return Step(title=title, verdict=Verdict.FAILS, detail=sentence, code=error.code, number=number)


def judge_checks(
    checks: Iterable[Check[S]], subject: S, *, gap: Callable[[Check[S]], Gap]
) -> tuple[Step, ...]:
    """Run every check for which there is no gap, in their order, each on its own."""
    return tuple(_judge(each, subject, gap(each)) for each in checks)


def _judge(each: Check[S], subject: S, gap: Gap) -> Step:
    if gap:
        return _unjudged(each, gap)
    try:
        each(subject)
    except CyberIDError as error:
        return refused(each.law, error, number=each.number)
    remark = _REMARKS.get(each.name, "")
    return Step(title=each.law, verdict=Verdict.PASSES, detail=remark, number=each.number)


def _unjudged(each: Check[S], gap: Gap) -> Step:
    return Step(
        title=each.law,
        verdict=Verdict.NOT_JUDGED,
        detail=gap if isinstance(gap, str) else "",
        number=each.number,
        needs=() if isinstance(gap, str) else gap,
    )


def unjudged_checks(checks: Iterable[Check[S]], reason: str) -> tuple[Step, ...]:
    """Return the checks of a document that cannot be judged at all."""
    return tuple(_unjudged(each, reason) for each in checks)


def unread(title: str, error: CyberIDError, checks: Iterable[Check[S]]) -> tuple[Step, ...]:
    """Return the steps of a document that its parser refuses."""
    return refused(title, error), *unjudged_checks(checks, "the document could not be read")


def gap_of(each: Check[S], claims: object, settings: InspectionSettings) -> tuple[str, ...]:
    """Return the settings that are missing to judge a check."""
    if each.name in _ABOUT and getattr(claims, _ABOUT[each.name]) in {None, ()}:
        return ()
    needs = _NEEDS.get(each.name, ())
    if each.name == "check_authentication_time" and settings.max_age is not None:
        needs = ("started_at",)
    return tuple(name for name in needs if getattr(settings, name) is None)


def key_gap(each: Check[S], subject: SignedSubject, *, unresolved: Gap) -> Gap:
    """Return why key, signature or chain cannot be judged, if it is for want of a key."""
    if each.name == "check_key" and isinstance(unresolved, str):
        return unresolved
    if each.name not in _WITH_KEY or subject.key.problem is None:
        return ()
    return unresolved or "there is no key to judge it with (E3.6a)"
