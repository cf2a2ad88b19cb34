"""A certificate chain: every certificate by itself, and then the way to a pinned root."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cyberid_client.errors import ChainError
from cyberid_client.inspection.checks import refused
from cyberid_client.inspection.result import Step, Verdict
from cyberid_client.inspection.settings import NOBODYS_ROOT, InspectionSettings
from cyberid_client.inspection.shown import clean
from cyberid_client.trust import ALGORITHMS, TEST_MARK_POLICY, Chain, ChainProfile, TrustStore, verify_chain
from cyberid_client.trust.certificates import CertificateFacts, read_certificate

# The very rules of a login, asked of one certificate at a time.
from cyberid_client.trust.chains import (
    _require_acceptable,
    _require_authority,
    _require_dates,
    _require_signer,
)
from cyberid_client.trust.engine import DEFAULT_ENGINE

__all__ = ["explain_chain"]

_PATH: Final = "The chain leads, rule by rule, to a pinned root."
_NAMES: Final[Mapping[type[x509.GeneralName], str]] = {
    x509.UniformResourceIdentifier: "URI",
    x509.DNSName: "DNS",
    x509.IPAddress: "IP",
    x509.RFC822Name: "mail",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What all certificates of a chain are judged with.

    Attributes:
        trust: the pinned roots; without any, a store that minds no test mark.
        profile: what the signer must look like; without names when the issuer is not known.
        now: aware.
        gap: the settings that are missing for a whole judgement.
    """

    trust: TrustStore
    profile: ChainProfile
    now: datetime
    gap: tuple[str, ...]


def explain_chain(
    certificates: Sequence[bytes], *, settings: InspectionSettings, profile: ChainProfile
) -> tuple[Step, ...]:
    """Explain every certificate, and judge the chain.

    Args:
        certificates: DER, leaf first; untrusted.
        settings: roots, issuer and time.
        profile: what the signer's certificate must look like.
    """
    gap = tuple(name for name in ("trust", "issuer") if getattr(settings, name) is None)
    if settings.issuer is None:
        profile = replace(profile, san_uri=None, san_host=None)
    trust = TrustStore.for_tests(NOBODYS_ROOT) if settings.trust is None else settings.trust
    judge = _Judge(trust=trust, profile=profile, now=settings.now, gap=gap)
    path, chain = _judge_path(certificates, judge)
    return *_judge_each(certificates, judge, chain), path


def _judge_path(certificates: Sequence[bytes], judge: _Judge) -> tuple[Step, Chain | None]:
    if "trust" in judge.gap:
        return Step(title=_PATH, verdict=Verdict.NOT_JUDGED, needs=judge.gap), None
    leaf, *intermediates = certificates
    try:
        chain = verify_chain(leaf, intermediates, trust=judge.trust, profile=judge.profile, now=judge.now)
    except ChainError as error:
        return refused(_PATH, error), None
    children = (
        Step(title="Root", detail=f"SHA-256 {chain.anchor_sha256}"),
        Step(title="Valid as a whole", detail=_span(chain.not_before, chain.not_after)),
    )
    if judge.gap:
        detail = "a way to a pinned root holds; whom the signer signs for was not compared"
        return (
            Step(title=_PATH, verdict=Verdict.NOT_JUDGED, detail=detail, needs=judge.gap, children=children),
            chain,
        )
    return Step(title=_PATH, verdict=Verdict.PASSES, children=children), chain


def _judge_each(certificates: Sequence[bytes], judge: _Judge, chain: Chain | None) -> Iterator[Step]:
    signer: CertificateFacts | None = None
    for place, der in enumerate(certificates):
        role = "authority" if place else "signer"
        title = f"Certificate {place + 1} of {len(certificates)}: {role}"
        is_last = 0 < place == len(certificates) - 1
        try:
            facts = read_certificate(der)
        except ChainError as error:
            yield refused(title, error)
            continue
        if is_last and judge.trust.pins(der):
            detail = "a pinned root that came along; put aside"
            yield Step(title=title, detail=detail, children=tuple(_facts_of(facts)))
            continue
        signer = signer or facts
        step = _judge_certificate(title, facts, signer if place else None, judge)
        if chain is not None and step.verdict is Verdict.FAILS:
            # Such a certificate is no obstacle when the way leads around it.
            detail = f"no part of the way to the root; {step.code}"
            step = replace(step, verdict=Verdict.NOTE, detail=detail, code=None)
        yield step


def _judge_certificate(
    title: str, facts: CertificateFacts, signer: CertificateFacts | None, judge: _Judge
) -> Step:
    children = tuple(_facts_of(facts))
    try:
        _require_acceptable(facts, trust=judge.trust, engine=DEFAULT_ENGINE)
        if signer is None:
            _require_signer(facts, judge.profile)
        else:
            _require_authority(facts, signer, judge.profile)
        _require_dates([facts], judge.now)
    except ChainError as error:
        return replace(refused(title, error), children=children)
    has_unjudged_names = signer is None and "issuer" in judge.gap
    has_unjudged_mark = "trust" in judge.gap and TEST_MARK_POLICY in facts.policies
    if has_unjudged_names or has_unjudged_mark:
        needs = ("issuer",) * has_unjudged_names + ("trust",) * has_unjudged_mark
        return Step(title=title, verdict=Verdict.NOT_JUDGED, needs=needs, children=children)
    return Step(title=title, verdict=Verdict.PASSES, children=children)


def _facts_of(facts: CertificateFacts) -> Iterator[Step]:
    """Say what stands in one certificate; nothing of it is judged here."""
    yield Step(title="Subject", detail=_name(facts.subject))
    yield Step(title="Issuer", detail=_name(facts.issuer))
    yield Step(title="Valid", detail=_span(facts.not_before, facts.not_after))
    yield Step(title="Key", detail=_key(facts.public_key))
    yield Step(title="Signed with", detail=_signature(facts))
    yield Step(title="Authority", detail="yes" if facts.is_ca else "no")
    yield Step(title="Purposes (EKU)", detail="any" if facts.ekus is None else ", ".join(facts.ekus))
    yield Step(title="Names (SAN)", detail=", ".join(map(_general_name, facts.names)) or "none")
    yield Step(title="Policies", detail=", ".join(sorted(facts.policies)) or "none")
    mark = "yes: good in tests only" if TEST_MARK_POLICY in facts.policies else "no"
    yield Step(title="Test mark", detail=mark)
    yield Step(title="SHA-256", detail=hashlib.sha256(facts.der).hexdigest())


def _name(name: x509.Name) -> str:
    try:
        return clean(name.rfc4514_string()) or "empty"
    except Exception:  # noqa: BLE001 - values of foreign types; the library's list of exceptions grows
        return "cannot be written down"


def _general_name(name: x509.GeneralName) -> str:
    label = _NAMES.get(type(name))
    return f"another kind ({type(name).__name__})" if label is None else clean(f"{label}:{name.value}")


def _key(key: object) -> str:
    row = next((row.name for row in ALGORITHMS.values() if row.accepts(key)), None)
    fitting = "outside the closed table" if row is None else f"for {row}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}, {fitting}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA of {key.key_size} bits, {fitting}"
    return fitting


def _signature(facts: CertificateFacts) -> str:
    oid = facts.certificate.signature_algorithm_oid.dotted_string
    row = next((row.name for row in ALGORITHMS.values() if oid in row.certificate_oids), None)
    return f"{oid}, outside the closed table" if row is None else f"a key for {row} ({oid})"


def _span(first: datetime, last: datetime) -> str:
    return f"{first.isoformat()} to {last.isoformat()}"
