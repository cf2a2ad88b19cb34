"""Verify one assertion: parse it, resolve key and chain, run the checklist, build the login.

(1) *Parse* makes one complete value or raises; nothing is believed yet.
(2) *Resolve* chooses the one key to try and lays the chain beside it.
(3) *Check* runs ``checklists.ID_TOKEN`` in its order.
(4) *Build* makes the ``Login`` from the very bytes whose signature was checked.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cyberid_client.config import Expected
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.bundle import COMPLETE
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.checks.factors import passed_factors, reached_mode
from cyberid_client.handshake.checks.person import AGE_BANDS, stated_persistence
from cyberid_client.handshake.subjects import NO_LISTS, AssertionSubject, ChainOnDemand, SigningKey
from cyberid_client.models import Channel, Evidence, Login, Persistence, Pseudonym
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.trust import (
    Algorithm,
    ChainCache,
    IssuedCertificate,
    KeySet,
    RevocationLists,
    verify_chain,
)
from cyberid_client.trust.algorithms import encode_public_key
from cyberid_client.trust.certificates import read_certificate
from cyberid_client.wire.assertion import parse_assertion
from cyberid_client.wire.jws import JWSHeader

__all__ = ["verify_assertion"]


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
    return _build(subject, now, checks, return_to)


def choose_key(header: JWSHeader, keys: KeySet, expected: Expected) -> tuple[SigningKey, tuple[bytes, ...]]:
    """Choose the one key to try, and the chain to try with it; decide nothing.

    The header's chain goes before that of the key set. Without a published key the header's leaf is
    tried, so that an honest rotation can be told from a forgery.
    """
    algorithm = expected.algorithm
    candidates = keys.candidates(kid=header.kid, algorithm=algorithm)
    if len(candidates) == 1:
        return SigningKey.of(candidates[0]), header.x5c or candidates[0].chain
    if candidates:
        return SigningKey("key_ambiguous", algorithm), header.x5c
    if not header.x5c or not expected.chain_required:
        return SigningKey("key_unknown", algorithm), ()
    return certified_key(header.x5c, algorithm), header.x5c


def certified_key(certificates: tuple[bytes, ...], algorithm: Algorithm) -> SigningKey:
    """Take the key out of the leaf, to be tried before the chain is believed."""
    public_key = read_certificate(certificates[0]).public_key
    # A key of another kind has no signature that could hold.
    public_key_info = encode_public_key(public_key) if algorithm.accepts(public_key) else b""
    return SigningKey(None, algorithm, public_key, public_key_info)


def certified_public_key_info(token: str | bytes, expected: Expected) -> bytes:
    """Return the SubjectPublicKeyInfo of the leaf in a judged token's header, or nothing without one."""
    certificates = parse_assertion(token).jws.header.x5c
    return certified_key(certificates, expected.algorithm).public_key_info if certificates else b""


def path_of(
    token: str | bytes, *, expected: Expected, keys: KeySet, now: datetime, cache: ChainCache | None
) -> tuple[IssuedCertificate, ...]:
    """Return what is to be asked about the path of a token that was judged already."""
    _, certificates = choose_key(parse_assertion(token).jws.header, keys, expected)
    if not certificates or expected.trust is None:
        return ()
    return verify_chain(
        certificates[0],
        certificates[1:],
        trust=expected.trust,
        profile=expected.profile,
        now=now,
        cache=cache,
    ).certificates


def _build(
    subject: AssertionSubject,
    now: datetime,
    checks: tuple[Check[AssertionSubject], ...],
    return_to: str,
) -> Login:
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
        factors=passed_factors(subject),
        channel=Channel.REDIRECT,
        authenticated_at=datetime.fromtimestamp(claims.auth_time or 0.0, UTC),
        issuer=expected.issuer,
        sector=expected.sector,
        persistence=stated_persistence(subject) or Persistence.SESSION,
        age_band=None if claims.age_band is None else AGE_BANDS[claims.age_band],
        session_id=claims.sid,
        return_to=return_to,
        _make_evidence=make_evidence,
    )
