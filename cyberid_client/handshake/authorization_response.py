"""Believe what the browser brought back: a plain authorization response, or a signed one (JARM)."""

from __future__ import annotations

from cyberid_client.config import Expected, RelyingParty
from cyberid_client.handshake.bundle import Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence, choose_key
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.subjects import CallbackSubject, ChainOnDemand, JARMSubject
from cyberid_client.models import PendingLogin
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.callback import parse_callback
from cyberid_client.wire.jarm import parse_jarm

__all__ = ["believe_callback"]


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
        resolved = _resolve(token, pending, expected=expected, keys=keys, env=env, cache=cache, crls=crls)
        run_checks(checklists.for_jarm(expected), resolved)
        return resolved.claims.code or ""

    message = SignedMessage(token=token, document="jarm", entry="callback", expected=expected, judge=judge)
    return (yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache))


def _resolve(
    token: str,
    pending: PendingLogin,
    *,
    expected: Expected,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists,
) -> JARMSubject:
    """Parse a signed response, choose the one key to try and lay the chain beside it."""
    claims, now = parse_jarm(token), env.now()
    key, certificates = choose_key(claims.jws.header, keys, expected)
    return JARMSubject(
        jws=claims.jws,
        claims=claims,
        key=key,
        chain=ChainOnDemand(
            certificates, trust=expected.trust, profile=expected.profile, now=now, cache=cache
        ),
        expected=expected,
        pending=pending,
        now=now.timestamp(),
        crls=crls,
    )
