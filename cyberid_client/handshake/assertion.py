"""Verify one assertion: parse it, resolve key and chain, run the checklist, build the login.

(1) *Parse* makes one complete value or raises; nothing is believed yet.
(2) *Resolve* chooses the one key to try and lays the chain beside it.
(3) *Check* runs ``checklists.ID_TOKEN`` in its order.
(4) *Build* makes the ``Login`` from the very bytes whose signature was checked.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cyberid_client.config import Expected
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.bundle import COMPLETE
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checks.factors import passed_factors, reached_mode
from cyberid_client.handshake.checks.person import AGE_BANDS, stated_persistence
from cyberid_client.handshake.evidence import choose_key
from cyberid_client.handshake.subject_shapes import LoginSubject
from cyberid_client.handshake.subjects import NO_LISTS, AssertionSubject, ChainOnDemand
from cyberid_client.models import Channel, Evidence, Factor, Login, Persistence, Pseudonym
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.assertion import parse_assertion

__all__ = ["build_login", "verify_assertion"]


def verify_assertion(
    token: str | bytes,
    *,
    expected: Expected,
    keys: KeySet,
    now: datetime,
    crls: RevocationLists = NO_LISTS,
    cache: ChainCache | None = None,
) -> Login:
    """Believe an assertion, or raise.

    Every check of ``checklists.ID_TOKEN`` runs; none can be left out. Not checked: whether the nonce was
    used before (the pending login is taken once).

    Args:
        token: a compact JWS, untrusted.
        expected: what it must say, from :meth:`RelyingParty.expect`.
        keys: the issuer's key set.
        now: aware.
        crls: the revocation lists that are known; without any, a signer is refused as unknown, unless
            the configuration's policy asks for none.
        cache: remembers chain verdicts between calls.

    Returns:
        The login. Its ``return_to`` is ``"/"``.

    Raises:
        VerificationError: it is not to be believed; the code says which rule it breaks.
        ConfigurationError: ``now`` has no time zone.
    """
    with OwnFramesDropped():
        return judge_assertion(
            token,
            expected=expected,
            keys=keys,
            now=now,
            crls=crls,
            cache=cache,
            checks=checklist_for(expected),
            return_to="/",
        )


def checklist_for(expected: Expected) -> tuple[Check[AssertionSubject], ...]:
    """Return the checklist that the configuration names."""
    return COMPLETE.for_assertion(expected)


def judge_assertion(
    token: str | bytes,
    *,
    expected: Expected,
    keys: KeySet,
    now: datetime,
    cache: ChainCache | None,
    checks: tuple[Check[AssertionSubject], ...],
    return_to: str,
    crls: RevocationLists = NO_LISTS,
) -> Login:
    """Do the work of :func:`verify_assertion`; private, because it takes the checks."""
    if now.tzinfo is None:
        raise ConfigurationError("time.naive")
    claims = parse_assertion(token)
    header = claims.jws.header
    key, certificates = choose_key(header, keys, expected)
    chain = ChainOnDemand(certificates, trust=expected.trust, profile=expected.profile, now=now, cache=cache)
    subject = AssertionSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=chain,
        expected=expected,
        now=now.timestamp(),
        crls=crls,
    )
    run_checks(checks, subject)
    return build_login(
        subject,
        channel=Channel.REDIRECT,
        factors=passed_factors(subject),
        now=now,
        checks=checks,
        return_to=return_to,
    )


def build_login(
    subject: LoginSubject,
    *,
    channel: Channel,
    factors: frozenset[Factor],
    now: datetime,
    checks: tuple[Check[Any], ...],
    return_to: str,
) -> Login:
    """Make the login of a document that passed every check.

    Args:
        subject: the document.
        channel: which way in it came.
        factors: that passed.
        now: the time that the checks were given.
        checks: that passed.
        return_to: a path of this origin.
    """
    claims, expected, chain = subject.claims, subject.expected, subject.chain
    # The closure holds certificates and settings, never the token.
    algorithm, trust, chain_required = expected.algorithm.name, expected.trust, expected.chain_required

    def make_evidence() -> Evidence:
        # A chain that nobody demanded was not judged, and proves nothing.
        verdict = chain() if chain_required else None
        return Evidence(
            checks=tuple(each.number for each in checks),
            algorithm=algorithm,
            signer_sha256=verdict.leaf_sha256 if verdict else None,
            anchor_sha256=verdict.anchor_sha256 if verdict else None,
            chain_expires_at=verdict.not_after if verdict else None,
            trust_fingerprint=None if trust is None else trust.fingerprint,
            verified_at=now,
        )

    return Login(
        pseudonym=Pseudonym(claims.sub, issuer=expected.issuer, sector=expected.sector),
        assurance=reached_mode(subject) or expected.assurance,
        factors=factors,
        channel=channel,
        authenticated_at=datetime.fromtimestamp(claims.auth_time or 0.0, UTC),
        issuer=expected.issuer,
        sector=expected.sector,
        persistence=stated_persistence(subject) or Persistence.SESSION,
        age_band=None if claims.age_band is None else AGE_BANDS[claims.age_band],
        session_id=claims.sid,
        return_to=return_to,
        _make_evidence=make_evidence,
    )
