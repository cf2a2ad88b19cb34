"""How the person authenticated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import AssertionSubject
from cyberid_client.models import Assurance, Factor

__all__ = ["FACTORS", "MODES", "check_assurance", "check_factors"]

MODES: Final[Mapping[str | None, Assurance]] = {mode.value: mode for mode in Assurance}
FACTORS: Final[Mapping[str, Factor]] = {factor.value: factor for factor in Factor}


@check(
    "E3.15",
    "The mode that was reached has every factor that was asked for.",
    clause="OIDC Core §3.1.3.7 (12), §5.5.1.1; profile §1",
    codes=["id_token.assurance"],
)
def check_assurance(subject: AssertionSubject) -> None:
    """Compare ``acr`` with what was asked; absent and unknown modes are refused."""
    reached = MODES.get(subject.claims.acr)
    if reached is None or not reached.satisfies(subject.expected.assurance):
        raise VerificationError("id_token.assurance")


@check(
    "P6.1",
    "The factors that passed are at least those of the mode; one that was not executed never counts.",
    clause="profile §6, acr and amr; RFC 8176",
    codes=["id_token.factors"],
)
def check_factors(subject: AssertionSubject) -> None:
    """Compare ``amr`` with ``acr``; values that are no factor count for nothing."""
    passed = {FACTORS[name] for name in subject.claims.amr or () if name in FACTORS}
    reached = MODES.get(subject.claims.acr)
    if not passed or (reached is not None and not passed >= reached.factors):
        raise VerificationError("id_token.factors")
