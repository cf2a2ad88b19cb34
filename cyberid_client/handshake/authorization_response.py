"""Believe what the browser brought back: a plain authorization response, or a signed one (JARM)."""

from __future__ import annotations

from datetime import datetime

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.handshake.bundle import Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence, choose_key
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.subjects import CallbackSubject, ChainOnDemand, JARMSubject
from cyberid_client.models import PendingLogin
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.callback import parse_callback
from cyberid_client.wire.jarm import parse_jarm

__all__ = ["believe_callback", "judge_jarm"]


def believe_callback(  # noqa: PLR0913 - what is known comes from four places
    callback: str,
    pending: PendingLogin,
    *,
    kind: str,
    rp: RelyingParty,
    expected: Expected,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists,
    checklists: Checklists,
) -> Flow[str]:
    """Return the authorization code that the issuer sent for this pending login, or raise.

    Args:
        callback: untrusted.
        pending: was removed from its store before.
        kind: of the handshake that finishes it.
        rp: says whether the response is signed.
        expected: what is demanded of the issuer's words.
        keys: the issuer's key set.
        env: the clock.
        cache: remembers chain verdicts.
        crls: the revocation lists that are known.
        checklists: what must hold.

    Raises:
        LoginDeclinedError: the person or the issuer said no.
        LoginRestartError: the login is too old, or another handshake's.
        VerificationError: the response is not to be believed.
        UnavailableError: the issuer is in trouble, or newer evidence could not be fetched.
    """
    answer = parse_callback(callback)
    subject = CallbackSubject(callback=answer, pending=pending, kind=kind, rp=rp, now=env.now())
    if rp.response == "plain":
        run_checks(checklists.authorization_response, subject)
        return answer.code or ""
    run_checks(checklists.signed_response, subject)
    token = answer.response or ""

    def judge(keys: KeySet, crls: RevocationLists) -> str:
        return judge_jarm(
            token,
            pending=pending,
            expected=expected,
            keys=keys,
            now=env.now(),
            crls=crls,
            cache=cache,
            checks=checklists.for_jarm(expected),
        )

    message = SignedMessage(token=token, document="jarm", entry="callback", expected=expected, judge=judge)
    return (yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache))


def judge_jarm(
    token: str,
    *,
    pending: PendingLogin,
    expected: Expected,
    keys: KeySet,
    now: datetime,
    cache: ChainCache | None,
    crls: RevocationLists,
    checks: tuple[Check[JARMSubject], ...],
) -> str:
    """Parse, resolve and check a signed response, and return its code; private, because it takes the checks."""
    claims = parse_jarm(token)
    key, certificates = choose_key(claims.jws.header, keys, expected)
    chain = ChainOnDemand(certificates, trust=expected.trust, profile=expected.profile, now=now, cache=cache)
    subject = JARMSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=chain,
        expected=expected,
        pending=pending,
        now=now.timestamp(),
        crls=crls,
    )
    run_checks(checks, subject)
    return claims.code or ""
