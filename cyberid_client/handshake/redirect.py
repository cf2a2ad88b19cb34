"""The redirect handshake: OpenID Connect code flow with pushed requests (profile §3).

``start_redirect`` pushes the request and says where the browser goes. ``finish_redirect`` judges what
came back, exchanges the code and believes the assertion, or raises.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from cyberid_client.config import RelyingParty, check_max_age
from cyberid_client.errors import ConfigurationError, LoginRestartError, VerificationError
from cyberid_client.handshake.assertion import judge_assertion
from cyberid_client.handshake.authorization_response import believe_callback
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.dpop import DPoPKey, NonceMemory
from cyberid_client.handshake.encryption import open_sealed
from cyberid_client.handshake.evidence import SignedMessage, believe_with_newer_evidence
from cyberid_client.handshake.flow import Flow, expect_available
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.protected import key_of, new_key, send_form
from cyberid_client.handshake.request_object import sign_request
from cyberid_client.handshake.step_up import StepUpPerson, require_same_person
from cyberid_client.handshake.subjects import NO_LISTS, PARSubject, TokenSubject
from cyberid_client.models import Assurance, Login, PendingLogin, Pseudonym, PseudonymDigest
from cyberid_client.ports import FlowEnv, HTTPResponse
from cyberid_client.trust import ChainCache, KeySet, RevocationLists
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.responses import parse_oauth_error, parse_par, parse_token
from cyberid_client.wire.urls import is_local_path

__all__ = ["KIND", "RedirectAsk", "StartedRedirect", "finish_redirect", "start_redirect"]

KIND: Final = "redirect"
SECRET_BYTES: Final = 32
MAX_WORDS: Final = 255
_WORDS: Final = re.compile(r"[!-~]+(?: [!-~]+)*", re.ASCII)
_CLIENT_REFUSED: Final = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectAsk:
    """What the app asks for in one login; ``None`` stands for the configured value or for nothing.

    With ``person`` it is a step-up: nobody else may answer it.
    """

    return_to: str = "/"
    max_age: int | None = None
    assurance: Assurance | None = None
    redirect_uri: str | None = None
    prompt: str | None = None
    ui_locales: str | None = None
    person: Pseudonym | PseudonymDigest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedRedirect:
    """The authorization URL and what must be kept until the browser is back."""

    url: str
    pending: PendingLogin = field(repr=False)


def start_redirect(
    rp: RelyingParty,
    ask: RedirectAsk,
    metadata: IssuerMetadata,
    env: FlowEnv,
    *,
    nonces: NonceMemory | None = None,
    checklists: Checklists = COMPLETE,
) -> Flow[StartedRedirect]:
    """Push the authorization request.

    The request names the key of the login (``dpop_jkt``) without a proof; the proof comes with the code.

    Raises:
        VerificationError: ``return_to`` is not a path of this origin, or the answer breaks a rule.
        ConfigurationError: this configuration can never make this request.
        UnavailableError: the issuer did not answer.
    """
    key = new_key(rp)
    person = None if ask.person is None else StepUpPerson.of(ask.person, rp, env)
    pending = _new_pending(rp, ask, env, key, person)
    fields = _authorization_request(rp, ask, pending)
    if person is not None and person.login_hint is not None:
        fields["login_hint"] = person.login_hint
    if key is not None:
        fields["dpop_jkt"] = key.thumbprint
    if rp.request_object == "signed" or metadata.require_signed_request_object:
        # RFC 9126 §3: beside it stands only what authenticates the client.
        fields = {"request": (yield from sign_request(rp, fields, env))}
    url = metadata.par_endpoint_for(certificate=rp.uses_certificate)
    memory = NonceMemory() if nonces is None else nonces
    response = yield from send_form(rp, url, fields, env, purpose="par", nonces=memory)
    par = _believe_par(response, checklists)
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    query = urlencode({"client_id": rp.client_id, "request_uri": par})
    return StartedRedirect(url=metadata.authorization_endpoint + separator + query, pending=pending)


def _new_pending(
    rp: RelyingParty, ask: RedirectAsk, env: FlowEnv, key: DPoPKey | None, person: StepUpPerson | None
) -> PendingLogin:
    if not is_local_path(ask.return_to):
        raise VerificationError("return_to.refused")
    check_max_age(ask.max_age)
    assurance = rp.assurance if ask.assurance is None else ask.assurance
    if not isinstance(assurance, Assurance):
        raise ConfigurationError("config.assurance", "assurance")
    for name in ("prompt", "ui_locales"):
        if not _is_word_list(getattr(ask, name)):
            raise ConfigurationError("config.value", name)
    now = env.now()
    return PendingLogin(
        kind=KIND,
        issuer=rp.issuer,
        client_id=rp.client_id,
        redirect_uri=rp.redirect_uri_named(ask.redirect_uri),
        state=encode_base64url(env.token(SECRET_BYTES)),
        nonce=encode_base64url(env.token(SECRET_BYTES)),
        code_verifier=encode_base64url(env.token(SECRET_BYTES)),
        assurance=assurance,
        max_age=ask.max_age,
        return_to=ask.return_to,
        started_at=now,
        expires_at=now + timedelta(seconds=rp.pending_lifetime),
        dpop_key=None if key is None else key.text(),
        person=None if person is None else person.person,
        person_key=None if person is None else person.person_key,
    )


def _is_word_list(value: object) -> bool:
    """Tell whether a value is nothing, or words of visible ASCII with single spaces between."""
    if value is None:
        return True
    return isinstance(value, str) and len(value) <= MAX_WORDS and _WORDS.fullmatch(value) is not None


def _scope(rp: RelyingParty) -> str:
    return "openid age_band" if rp.age_band else "openid"


def _authorization_request(rp: RelyingParty, ask: RedirectAsk, pending: PendingLogin) -> dict[str, str]:
    challenge = hashlib.sha256(pending.code_verifier.encode()).digest()
    fields = {
        "client_id": rp.client_id,
        "response_type": "code",
        "redirect_uri": pending.redirect_uri,
        "scope": _scope(rp),
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": encode_base64url(challenge),
        "code_challenge_method": "S256",
        "acr_values": rp.acr_value(pending.assurance),
    }
    if rp.response == "jarm":
        fields["response_mode"] = "query.jwt"
    if pending.max_age is not None:
        fields["max_age"] = str(pending.max_age)
    if ask.prompt is not None:
        fields["prompt"] = ask.prompt
    if ask.ui_locales is not None:
        fields["ui_locales"] = ask.ui_locales
    return fields


def _believe_par(response: HTTPResponse, checklists: Checklists) -> str:
    """Return the request URI (RFC 9126 §2.2, errors §2.3)."""
    error = _client_error(response)
    if error in _CLIENT_REFUSED:
        raise ConfigurationError("par.client_refused")
    if error is not None:
        raise ConfigurationError("par.request_refused")
    par = parse_par(response)
    run_checks(checklists.par_response, PARSubject(status=response.status, par=par))
    return par.request_uri or ""


def _client_error(response: HTTPResponse) -> str | None:
    """Return the ``error`` of a 400 or 401, after the issuer's own troubles are out of the way."""
    if expect_available(response).status not in {400, 401}:
        return None
    return parse_oauth_error(response)


def finish_redirect(  # noqa: PLR0913 - what is known comes from four places
    rp: RelyingParty,
    callback: str,
    pending: PendingLogin,
    *,
    metadata: IssuerMetadata,
    keys: KeySet,
    env: FlowEnv,
    cache: ChainCache | None,
    crls: RevocationLists = NO_LISTS,
    nonces: NonceMemory | None = None,
    checklists: Checklists = COMPLETE,
) -> Flow[Login]:
    """Judge the callback, exchange the code, believe the assertion.

    The pending login was removed from its store before this is called.

    Raises:
        LoginDeclinedError: the person or the issuer said no.
        LoginRestartError: the login or its code is too old, or was used.
        VerificationError: something that came is not to be believed.
        UnavailableError: the issuer did not answer.
    """
    without_token = rp.expect(
        nonce=pending.nonce,
        assurance=pending.assurance,
        max_age=pending.max_age,
        started_at=pending.started_at,
    )
    code = yield from believe_callback(
        callback,
        pending,
        kind=KIND,
        rp=rp,
        expected=without_token,
        keys=keys,
        env=env,
        cache=cache,
        crls=crls,
        checklists=checklists,
    )
    response = yield from _exchange(
        rp, code, pending, metadata, env, nonces=NonceMemory() if nonces is None else nonces
    )
    sealed, access_token = _believe_token_response(response, rp, checklists)
    id_token = open_sealed(sealed, rp=rp, checklists=checklists)
    expected = replace(without_token, access_token=access_token)

    def believe(keys: KeySet, crls: RevocationLists) -> Login:
        return judge_assertion(
            id_token,
            expected=expected,
            keys=keys,
            now=env.now(),
            crls=crls,
            cache=cache,
            checks=checklists.for_assertion(expected),
            return_to=pending.return_to,
        )

    message = SignedMessage(
        token=id_token, document="id_token", entry="callback", expected=expected, judge=believe
    )
    login = yield from believe_with_newer_evidence(message, keys=keys, crls=crls, env=env, cache=cache)
    require_same_person(login, pending, rp, checklists.step_up)
    return login


def _exchange(
    rp: RelyingParty,
    code: str,
    pending: PendingLogin,
    metadata: IssuerMetadata,
    env: FlowEnv,
    *,
    nonces: NonceMemory,
) -> Flow[HTTPResponse]:
    """Ask for the tokens of a code (RFC 6749 §4.1.3, RFC 7636 §4.5), with the key of this login."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending.redirect_uri,
        "code_verifier": pending.code_verifier,
    }
    url = metadata.token_endpoint_for(certificate=rp.uses_certificate)
    key = key_of(rp, pending)
    return (yield from send_form(rp, url, fields, env, purpose="token", nonces=nonces, key=key))


def _believe_token_response(
    response: HTTPResponse, rp: RelyingParty, checklists: Checklists
) -> tuple[str, str]:
    """Return assertion and access token (RFC 6749 §5.1, errors §5.2)."""
    error = _client_error(response)
    if error in _CLIENT_REFUSED:
        raise ConfigurationError("token.client_refused")
    if error == "invalid_dpop_proof":
        raise ConfigurationError("token.proof_refused")
    if error == "invalid_grant":
        raise LoginRestartError("login.code_refused")
    token = parse_token(response)
    run_checks(checklists.token_response, TokenSubject(status=response.status, token=token, rp=rp))
    return token.id_token or "", token.access_token or ""
