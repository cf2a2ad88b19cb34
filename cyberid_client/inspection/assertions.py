"""An ID token, judged by the very checklist of a login."""

from __future__ import annotations

from cyberid_client.errors import ChainError, VerificationError
from cyberid_client.handshake import checklists, verify_assertion
from cyberid_client.handshake.check import Check
from cyberid_client.handshake.evidence import choose_key
from cyberid_client.handshake.subjects import AssertionSubject, SigningKey
from cyberid_client.inspection.checks import Gap, gap_of, judge_checks, key_gap, refused, unread
from cyberid_client.inspection.key_sets import read_key_set
from cyberid_client.inspection.result import Step, Verdict, first_failure_of
from cyberid_client.inspection.revocation import read_lists, revocation_gap
from cyberid_client.inspection.settings import InspectionSettings
from cyberid_client.inspection.signed import KEY, READS, UNREADABLE_KEY, chain_of, with_chain
from cyberid_client.inspection.structure import explain_structure
from cyberid_client.models import Evidence
from cyberid_client.trust import KeySet, RevocationLists
from cyberid_client.wire.assertion import UnverifiedAssertion, parse_assertion

__all__ = ["explain_assertion"]

_KEY_SET = "The key set beside it can be read."


def explain_assertion(data: bytes, settings: InspectionSettings) -> tuple[tuple[Step, ...], Evidence | None]:
    """Explain an ID token, and return the evidence of the login that it would make.

    Args:
        data: untrusted.
        settings: what is known of the login.
    """
    structure = explain_structure(data, shown=settings.shown, are_public=False)
    try:
        claims = parse_assertion(data)
    except VerificationError as error:
        return (structure, *unread(READS, error, checklists.ID_TOKEN)), None
    keys, key_set = _read_keys(settings)
    checks, crls = _judge(claims, keys, settings)
    steps = (structure, Step(title=READS, verdict=Verdict.PASSES), *key_set, *checks)
    is_believed = first_failure_of(steps) is None and all(step.is_complete for step in steps)
    if keys is None or not is_believed:
        return steps, None
    # The one function that believes an assertion has the last word.
    login = verify_assertion(data, expected=settings.expect(), keys=keys, now=settings.now, crls=crls)
    return steps, login.evidence


def _read_keys(settings: InspectionSettings) -> tuple[KeySet | None, tuple[Step, ...]]:
    if settings.jwks is None:
        return None, ()
    try:
        return read_key_set(settings.jwks), ()
    except VerificationError as error:
        return KeySet(), (refused(_KEY_SET, error),)


def _judge(
    claims: UnverifiedAssertion, keys: KeySet | None, settings: InspectionSettings
) -> tuple[tuple[Step, ...], RevocationLists]:
    expected, certificates = settings.expect(), claims.jws.header.x5c
    # Without a key set and without a certificate there is nothing to try.
    unresolved: Gap = () if keys is not None or certificates else ("jwks",)
    resolving: tuple[Step, ...] = ()
    try:
        key, certificates = choose_key(claims.jws.header, keys or KeySet(), expected)
    except ChainError as error:
        resolving, unresolved = (refused(KEY, error),), UNREADABLE_KEY
        key = SigningKey("key_unknown", expected.algorithm)
    chain = chain_of(certificates, settings, expected.profile)
    crls, lists = read_lists(chain, settings)
    subject = AssertionSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=chain,
        expected=expected,
        now=settings.now.timestamp(),
        crls=crls,
    )

    def gap(each: Check[AssertionSubject]) -> Gap:
        return (
            key_gap(each, subject, unresolved=unresolved)
            or gap_of(each, claims, settings)
            or revocation_gap(each, chain, settings)
        )

    checks = judge_checks(checklists.ID_TOKEN, subject, gap=gap)
    steps = with_chain((*resolving, *checks), certificates, settings, expected.profile, lists=lists)
    return steps, crls
