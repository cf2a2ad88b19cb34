"""The protected header of a signed document."""

from __future__ import annotations

from cyberid_client.errors import VerificationError
from cyberid_client.handshake.check import check
from cyberid_client.handshake.subjects import KeyedSubject

__all__ = ["check_algorithm", "check_critical", "check_type"]


@check(
    "E3.3",
    "The algorithm is the one that is configured, whatever the header says.",
    clause="OIDC Core §3.1.3.7 (6–8); RFC 8725 §3.1",
    codes=["*.algorithm"],
)
def check_algorithm(subject: KeyedSubject) -> None:
    """Compare ``alg`` with the configured algorithm."""
    if subject.jws.header.alg != subject.key.algorithm.name:
        raise VerificationError(f"{subject.document}.algorithm")


@check(
    "E3.4",
    "A header with critical extensions is refused: none is understood.",
    clause="RFC 7515 §4.1.11",
    codes=["*.critical"],
)
def check_critical(subject: KeyedSubject) -> None:
    """Refuse ``crit``."""
    if subject.jws.header.critical:
        raise VerificationError(f"{subject.document}.critical")


@check(
    "E3.7",
    "The header's type is the document's own kind.",
    clause="RFC 8725 §3.11",
    codes=["*.type"],
)
def check_type(subject: KeyedSubject) -> None:
    """Compare ``typ`` case-insensitively, with or without ``application/``."""
    typ = subject.jws.header.typ
    if (typ if typ is None else typ.lower().removeprefix("application/")) not in subject.kinds:
        raise VerificationError(f"{subject.document}.type")
