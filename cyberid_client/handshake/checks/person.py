"""What an assertion says about the person, which is as good as nothing."""

from __future__ import annotations

import re
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subject_shapes import LoginSubject, PersonSubject
from cyberid_client.models import AgeBand, Persistence
from cyberid_client.privacy.recognisers import RESIDENT_NUMBER_LENGTH, is_resident_number

__all__ = [
    "AGE_BANDS",
    "check_age_band",
    "check_no_identity_number",
    "check_persistence",
    "check_sector",
    "check_session_id",
    "check_subject",
    "has_subject_shape",
    "holds_identity_number",
    "stated_persistence",
]

_PERSISTENCES: Final = {each.value: each for each in Persistence}
AGE_BANDS: Final = {each.value: each for each in AgeBand}

_PSEUDONYM: Final = re.compile(r"[A-Za-z0-9_-]{22,128}", re.ASCII)
# What an ordinary OpenID Provider may use (OIDC Core §2): 1 to 255 characters of ASCII, here visible ones.
_ANY_SUBJECT: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
# In a pseudonym that is "_" or "-"; other subjects have other separators, too.
_SEPARATOR: Final = re.compile("[^A-Za-z0-9]")


def has_subject_shape(text: str, *, any_allowed: bool) -> bool:
    """Tell whether a text has the shape of a pseudonym, or of any subject where that is allowed."""
    return (_ANY_SUBJECT if any_allowed else _PSEUDONYM).fullmatch(text) is not None


def holds_identity_number(sub: str) -> bool:
    """Tell whether a whole part of a subject is a number with region, date and check character."""
    if len(sub) < RESIDENT_NUMBER_LENGTH:
        return False
    return any(is_resident_number(part) for part in _SEPARATOR.split(sub))


@check(
    "E3.18a",
    "The subject is 22 to 128 characters of the URL-safe alphabet.",
    clause="OIDC Core §8; profile §6, sub",
    codes=["*.subject"],
)
def check_subject(subject: PersonSubject) -> None:
    """Compare the shape of ``sub`` with that of a pseudonym, or of any subject where that is configured."""
    if not has_subject_shape(subject.claims.sub, any_allowed=subject.expected.any_subject):
        raise VerificationError(f"{subject.document}.subject")


@check(
    "E3.18b",
    "No part of the subject is a resident's or foreign resident's identity number.",
    clause="profile §6, sub",
    codes=["*.identity_number"],
)
def check_no_identity_number(subject: PersonSubject) -> None:
    """Refuse a subject of which a whole part is a number with region, date and check character."""
    if holds_identity_number(subject.claims.sub):
        raise VerificationError(f"{subject.document}.identity_number")


@check(
    "E3.19",
    "A session id, if there is one, has the shape of a pseudonym.",
    clause="OIDC Front-Channel Logout 1.0 §3; profile §6, sid",
    codes=["*.session_id"],
)
def check_session_id(subject: LoginSubject) -> None:
    """Compare the shape of ``sid``."""
    sid = subject.claims.sid
    if sid is not None and not has_subject_shape(sid, any_allowed=subject.expected.any_subject):
        raise VerificationError(f"{subject.document}.session_id")


@check(
    "P6.2",
    "The pseudonym was made for this sector.",
    clause="profile §6, sector",
    codes=["*.sector"],
)
def check_sector(subject: LoginSubject) -> None:
    """Compare ``sector``; an absent one is refused, unless it comes from the configuration."""
    if subject.claims.sector is None and subject.expected.may_be_sparse:
        return
    if subject.claims.sector != subject.expected.sector:
        raise VerificationError(f"{subject.document}.sector")


@check(
    "P6.3",
    "The assertion says how long its pseudonym stays the same.",
    clause="profile §6, persistence",
    codes=["*.persistence"],
)
def check_persistence(subject: PersonSubject) -> None:
    """Refuse an absent or unknown ``persistence``, unless it comes from the configuration."""
    if stated_persistence(subject) is None:
        raise VerificationError(f"{subject.document}.persistence")


def stated_persistence(subject: PersonSubject) -> Persistence | None:
    """Return what the assertion says, or the configuration where the assertion may be silent."""
    persistence = subject.claims.persistence
    if persistence is None:
        return subject.expected.persistence if subject.expected.may_be_sparse else None
    return _PERSISTENCES.get(persistence)


@check(
    "P6.4",
    "An age band comes only when it was asked for, and is one of three.",
    clause="profile §6, age_band",
    codes=["*.age_band"],
)
def check_age_band(subject: PersonSubject) -> None:
    """Refuse an unknown ``age_band``, and one that nobody asked for."""
    age_band = subject.claims.age_band
    if age_band is not None and not (subject.expected.age_band and age_band in AGE_BANDS):
        raise VerificationError(f"{subject.document}.age_band")
