"""Requests of this client to the issuer: authenticated, and bound to the login's key where that is configured.

Every attempt has a client assertion and a proof of its own. There is one more attempt, and only when the
issuer asks for another DPoP nonce and gives one (RFC 9449 §8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

from cyberid_client.config import RelyingParty
from cyberid_client.errors import LoginRestartError, UnavailableError
from cyberid_client.handshake.client_authentication import authenticate_client
from cyberid_client.handshake.dpop import DPoPKey, NonceMemory, nonce_asked_for, nonce_of
from cyberid_client.handshake.flow import ANSWER_MAX_BYTES, Flow, fetch
from cyberid_client.models import PendingLogin
from cyberid_client.ports import FlowEnv, HTTPRequest, HTTPResponse

__all__ = ["key_of", "new_key", "send_form"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII)
_FORM: Final = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}


def new_key(rp: RelyingParty) -> DPoPKey | None:
    """Return a key for a login that starts, if logins are bound to one."""
    return DPoPKey.generate() if rp.sender_constraint == "dpop" else None


def key_of(rp: RelyingParty, pending: PendingLogin) -> DPoPKey | None:
    """Return the key that a login was started with.

    Raises:
        LoginRestartError: it was started with another ``sender_constraint`` than is configured now.
    """
    if (rp.sender_constraint == "dpop") != (pending.dpop_key is not None):
        raise LoginRestartError("login.other_settings")
    return None if pending.dpop_key is None else DPoPKey.parse(pending.dpop_key)


def send_form(
    rp: RelyingParty,
    url: str,
    fields: Mapping[str, str],
    env: FlowEnv,
    *,
    purpose: str,
    nonces: NonceMemory,
    key: DPoPKey | None = None,
) -> Flow[HTTPResponse]:
    """Post a form as this client and return the answer, whatever its status.

    Args:
        rp: who asks; its certificate is shown in TLS when it is configured to be.
        url: an endpoint of the issuer, the one for certificates if one is shown.
        fields: of the form, without those that authenticate the client.
        env: clock and randomness.
        purpose: a word for logs.
        nonces: learns from every answer.
        key: proves possession with a proof in the header; ``None``: no proof is asked for here.

    Raises:
        UnavailableError: no answer came, the signer failed, or the issuer asks for another nonce a second
            time, or for one that it does not give.
    """
    nonce = nonces.known_for(url)
    for _ in range(2):
        authentication = yield from authenticate_client(rp, env)
        headers = _FORM
        if key is not None:
            headers = {**_FORM, "dpop": key.proof(method="POST", url=url, nonce=nonce, env=env)}
        response = yield from fetch(
            HTTPRequest(
                method="POST",
                url=url,
                headers=headers,
                body=_encode({**fields, **authentication}),
                max_bytes=ANSWER_MAX_BYTES,
                purpose=purpose,
                shows_certificate=rp.uses_certificate,
            )
        )
        nonces.learn(url, response)
        if key is None or not nonce_asked_for(response):
            return response
        # This answer's own nonce: what other logins have learned since may be used up by them.
        shown, nonce = nonce, nonce_of(response)
        if nonce is None or nonce == shown:
            break
    raise UnavailableError("issuer.dpop_nonce")


def _encode(fields: Mapping[str, str]) -> bytes:
    return "&".join([f"{name}={_quote(name, value)}" for name, value in fields.items()]).encode()


def _quote(name: str, value: str) -> str:
    # Nearly every value is made of characters that need no escape, and looking costs far less than quoting.
    if _PLAIN.fullmatch(value):
        return value
    return _quote_setting(value) if name in _SETTINGS else quote_plus(value)


# What is the same in every request is quoted once; nothing that belongs to one login is kept here.
_SETTINGS: Final = frozenset({"client_id", "redirect_uri", "scope", "acr_values", "client_assertion_type"})
_quote_setting: Final = lru_cache(64)(quote_plus)
