"""What a client may push, RFC 9126 and FAPI 2.0: read strictly, so that a sloppy client learns it here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from cyberid_client.testing.people import FACTORS_OF_MODE
from cyberid_client.testing.refusal import Refusal
from cyberid_client.testing.registration import RegisteredClient

__all__ = ["SCOPES", "PushedRequest", "read_form", "read_pushed_request"]

SCOPES: Final = ("openid", "age_band")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_THUMBPRINT: Final = _CHALLENGE
_RANDOM: Final = re.compile(r"[\x21-\x7e]{22,512}")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_MODES: Final = {"plain": "query", "jarm": "query.jwt"}
_FORM: Final = "application/x-www-form-urlencoded"
# Nothing else belongs in the body: what is not named here is a mistake of the client.
_KNOWN: Final = frozenset(
    [
        "client_id",
        "response_type",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "acr_values",
        "max_age",
        "prompt",
        "login_hint",
        "ui_locales",
        "client_assertion",
        "client_assertion_type",
        "response_mode",
        "dpop_jkt",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """An authorization request that passed every rule.

    Attributes:
        client: who asks.
        redirect_uri: where the answer goes.
        scopes: what is asked for.
        state: given back unread.
        nonce: goes into the assertion.
        code_challenge: PKCE, S256.
        mode: the ``acr`` that is asked for.
        max_age: seconds, or ``None``.
        prompt: values of ``prompt``.
        login_hint: a pseudonym, or ``None``.
        dpop_jkt: the thumbprint of the key that the code is bound to (RFC 9449 §10), or ``None``.
        expires_at: seconds since the epoch; the reference is good until then.
        reference: its ``request_uri``; empty until it has one.
    """

    client: RegisteredClient
    redirect_uri: str
    scopes: frozenset[str]
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_challenge: str = field(repr=False)
    mode: str
    max_age: int | None
    prompt: frozenset[str]
    login_hint: str | None = field(repr=False)
    dpop_jkt: str | None = field(default=None, repr=False)
    expires_at: float
    reference: str = field(default="", repr=False)


def read_form(body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of a form body.

    Raises:
        Refusal: ``invalid_request``: not a form, not UTF-8, or a parameter stands there twice (RFC 6749 §3.1).
    """
    if headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        raise Refusal("invalid_request", "the body must be form-urlencoded")
    if "authorization" in headers:
        raise Refusal("invalid_request", "clients authenticate in the body only")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=50,
        )
    except ValueError:
        raise Refusal("invalid_request", "the body is not a well-formed form") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refusal("invalid_request", "a parameter stands there twice")
    return form


def read_pushed_request(
    form: Mapping[str, str],
    client: RegisteredClient,
    *,
    expires_at: float,
    proof_thumbprint: str | None = None,
) -> PushedRequest:
    """Return the request of an authenticated client.

    Args:
        form: the parameters, untrusted.
        client: who authenticated.
        expires_at: when the reference to it ends.
        proof_thumbprint: of the key of a DPoP proof that came along.

    Raises:
        Refusal: with the first broken rule.
    """
    for rule, error, reason in _RULES:
        if not rule(form, client):
            raise Refusal(error, reason)
    dpop_jkt = form.get("dpop_jkt", proof_thumbprint)
    if proof_thumbprint not in {None, dpop_jkt}:
        raise Refusal("invalid_dpop_proof", "dpop_jkt is not the thumbprint of the key of the proof")
    if (dpop_jkt is not None) != (client.sender_constraint == "dpop"):
        raise Refusal(
            "invalid_request", "dpop_jkt is for clients that registered for DPoP, and for each of them"
        )
    return PushedRequest(
        client=client,
        redirect_uri=form["redirect_uri"],
        scopes=frozenset(form["scope"].split(" ")),
        state=form["state"],
        nonce=form["nonce"],
        code_challenge=form["code_challenge"],
        mode=form["acr_values"],
        max_age=int(form["max_age"]) if "max_age" in form else None,
        prompt=frozenset(form.get("prompt", "").split()),
        login_hint=form.get("login_hint"),
        dpop_jkt=dpop_jkt,
        expires_at=expires_at,
    )


def _scope_is_known(form: Mapping[str, str], _client: RegisteredClient) -> bool:
    asked = form.get("scope", "").split(" ")
    return "openid" in asked and set(asked) <= set(SCOPES) and len(set(asked)) == len(asked)


def _prompt_is_known(form: Mapping[str, str], _client: RegisteredClient) -> bool:
    asked = set(form["prompt"].split(" ")) if "prompt" in form else set()
    return asked <= _PROMPTS and not ("none" in asked and len(asked) > 1)


_RULES: Final[tuple[tuple[Callable[[Mapping[str, str], RegisteredClient], bool], str, str], ...]] = (
    (
        lambda form, _: "request_uri" not in form,
        "invalid_request",
        "request_uri does not belong in a pushed request",
    ),
    (lambda form, _: "id_token_hint" not in form, "invalid_request", "id_token_hint is never used"),
    (
        lambda form, _: set(form) <= _KNOWN,
        "invalid_request",
        "a parameter does not belong in a pushed request",
    ),
    (
        lambda form, _: form.get("response_type") == "code",
        "unsupported_response_type",
        "response_type must be code",
    ),
    (
        lambda form, client: form.get("response_mode", "query") == _MODES[client.response],
        "invalid_request",
        "response_mode must be query, or query.jwt for a client that registered for signed responses",
    ),
    (
        lambda form, _: "dpop_jkt" not in form or bool(_THUMBPRINT.fullmatch(form["dpop_jkt"])),
        "invalid_request",
        "dpop_jkt must be 43 characters of base64url",
    ),
    (
        lambda form, client: form.get("redirect_uri") in client.redirect_uris,
        "invalid_request",
        "redirect_uri is not byte-equal to a registered one",
    ),
    (_scope_is_known, "invalid_scope", "scope must hold openid and nothing unknown"),
    (
        lambda form, _: bool(_RANDOM.fullmatch(form.get("state", ""))),
        "invalid_request",
        "state must be at least 22 visible characters",
    ),
    (
        lambda form, _: bool(_RANDOM.fullmatch(form.get("nonce", ""))),
        "invalid_request",
        "nonce must be at least 22 visible characters",
    ),
    (
        lambda form, _: form.get("code_challenge_method") == "S256",
        "invalid_request",
        "code_challenge_method must be S256",
    ),
    (
        lambda form, _: bool(_CHALLENGE.fullmatch(form.get("code_challenge", ""))),
        "invalid_request",
        "code_challenge must be 43 characters of base64url",
    ),
    (
        lambda form, _: form.get("acr_values") in FACTORS_OF_MODE,
        "invalid_request",
        "acr_values must be exactly one known mode",
    ),
    (
        lambda form, _: bool(_WHOLE.fullmatch(form.get("max_age", "0"))),
        "invalid_request",
        "max_age must be a whole number of seconds",
    ),
    (_prompt_is_known, "invalid_request", "prompt holds an unknown value"),
)
