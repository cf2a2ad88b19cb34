"""How the person authenticated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subject_shapes import PersonSubject
from cyberid_client.handshake.subjects import AssertionSubject
from cyberid_client.models import Assurance, Factor

__all__ = ["check_assurance", "check_factors", "passed_factors", "reached_mode"]

_FACTORS: Final[Mapping[str, Factor]] = {factor.value: factor for factor in Factor}


@check(
    "E3.15",
    "The mode that was reached has every factor that was asked for.",
    clause="OIDC Core §3.1.3.7 (12), §5.5.1.1; profile §1",
    codes=["*.assurance"],
)
def check_assurance(subject: PersonSubject) -> None:
    """Compare ``acr`` with what was asked; absent and unknown modes are refused."""
    reached = reached_mode(subject)
    if reached is None or not reached.satisfies(subject.expected.assurance):
        raise VerificationError(f"{subject.document}.assurance")


@check(
    "P6.1",
    "The factors that passed are at least those of the mode; one that was not executed never counts.",
    clause="profile §6, acr and amr; RFC 8176",
    codes=["id_token.factors"],
)
def check_factors(subject: AssertionSubject) -> None:
    """Compare ``amr`` with ``acr``; values that are no factor count for nothing.

    Where ``amr`` may be absent, or in words of its own, the factors are those of the mode; what is in the
    profile's words is compared all the same.
    """
    passed, reached = passed_factors(subject), reached_mode(subject)
    if not passed or (reached is not None and not passed >= reached.factors):
        raise VerificationError("id_token.factors")


def reached_mode(subject: PersonSubject) -> Assurance | None:
    """Return the mode that ``acr`` stands for, if it is a word of this issuer."""
    acr = subject.claims.acr
    return None if acr is None else subject.expected.modes.get(acr)


def passed_factors(subject: AssertionSubject) -> frozenset[Factor]:
    """Return the factors of ``amr``, or of the mode where ``amr`` is not the profile's own."""
    expected = subject.expected
    named = frozenset([_FACTORS[name] for name in subject.claims.amr or () if name in _FACTORS])
    # "face" is a word of RFC 8176 too; only the other two say that the words are the profile's.
    speaks_profile = expected.chain_required and named - {Factor.FACE}
    if expected.may_be_sparse and not speaks_profile and (reached := reached_mode(subject)) is not None:
        return reached.factors
    return named
