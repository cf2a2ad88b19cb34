"""What was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from cyberid_client.errors import CyberIDError

__all__ = ["Finding", "Verdict", "bad", "good", "of_error", "warning"]


class Verdict(StrEnum):
    """How one thing is."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of an examination.

    Attributes:
        subject: what was looked at, one or two words.
        verdict: how it is.
        says: what was seen, one sentence; holds no secret.
        advice: what to do, one sentence; empty when nothing is to be done.
        code: of the error behind it, or ``None``.
    """

    subject: str
    verdict: Verdict
    says: str
    advice: str = ""
    code: str | None = None


def good(subject: str, says: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(subject=subject, verdict=Verdict.GOOD, says=says)


def warning(subject: str, says: str, advice: str) -> Finding:
    """Say that something will do harm later, or may."""
    return Finding(subject=subject, verdict=Verdict.WARNING, says=says, advice=advice)


def bad(subject: str, says: str, advice: str) -> Finding:
    """Say that logins fail."""
    return Finding(subject=subject, verdict=Verdict.BAD, says=says, advice=advice)


def of_error(subject: str, error: CyberIDError) -> Finding:
    """Say that something failed, and what usually helps."""
    family = error.code.partition(".")[0]
    advice = _ADVICE.get(error.code) or _ADVICE_BY_FAMILY.get(family) or _ADVICE_BY_WHO[error.fixed_by]
    return Finding(subject=subject, verdict=Verdict.BAD, says=str(error), advice=advice, code=error.code)


_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "transport.tls": "If a proxy of your own opens TLS, give its authority as http.ca; else tell the issuer.",
        "transport.timeout": "Look at firewall and route to the issuer's host, and whether http.proxy is needed.",
        "transport.connection": "Look at name resolution, firewall and route to the issuer's host, and whether http.proxy is needed.",
        "transport.redirect": "Write the issuer exactly as in its documents: a redirect is never followed.",
        "issuer.status": "Compare the issuer with its documents, byte for byte: its discovery page is not where it says.",
        "discovery.issuer": "Write the issuer exactly as in its documents, a final slash included.",
        "metadata.capability": "Compare the configured protection and algorithms with what the issuer offers; nothing is negotiated.",
        "metadata.issued_in_future": "Set this machine's clock.",
        "metadata.expired": "Compare this machine's clock with another; if it is right, tell the issuer.",
        "metadata.endpoint": "If the issuer's contract names further hosts, list them in issuer_hosts.",
        "trust.test_root": "The pinned root is that of a mock issuer: pin the platform's own roots.",
        "trust.expired": "Roll out a newer trust bundle.",
        "par.client_refused": "Register this client's public key (client.jwks()) and compare client id and issuer.",
        "par.request_refused": "Compare redirect URI, scope and mode with what is registered for this client.",
        "config.trust_missing": "Pin the platform's roots: CYBERID_TRUST_FILE, or trust in the file.",
    }
)
_ADVICE_BY_FAMILY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "chain": "Compare the pinned roots, the purpose table and the clock with what the platform announced.",
        "revocation": "Look whether the hosts of the revocation lists are reachable and named in revocation_hosts.",
        "config": "Change the setting that is named; docs/configuration.md says what each may be.",
        "store": "Look whether the store runs, is reachable from here, and accepts this user.",
        "transport": "Look at the way to the issuer; docs/operations.md has a section for each code.",
    }
)
_ADVICE_BY_WHO: Final[Mapping[str, str]] = MappingProxyType(
    {
        "user": "Try again.",
        "operator": "docs/errors.md says what the code means.",
        "developer": "docs/errors.md says what the code means.",
        "issuer": "Tell the issuer, with the code and the time.",
        "nobody": "docs/errors.md says what the code means.",
    }
)
