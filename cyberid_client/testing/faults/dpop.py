"""Faults of DPoP (RFC 9449): nonces that lead nowhere, and tokens that are not bound."""

from __future__ import annotations

from typing import Final

from cyberid_client.testing.arming import Fault, Oddity
from cyberid_client.testing.dpop import NonceDraft
from cyberid_client.testing.drafts import Page
from cyberid_client.testing.faults.making import FAPI, Change, fault, oddity, put_claim, put_member

__all__ = ["DPOP_FAULTS", "DPOP_ODDITIES"]


def _nonce(
    name: str, law: str, change: Change, code: str = "issuer.dpop_nonce", number: str = "E5.7"
) -> Fault:
    return fault(f"dpop.{name}", number, law, stage="dpop", code=code, change=change, needs="dpop_nonce")


def _forever(draft: NonceDraft) -> None:
    draft.demands = draft.desk.is_stubborn = True


def _unchanged(draft: NonceDraft) -> None:
    draft.demands = True
    draft.headers["dpop-nonce"] = draft.presented or ""


def _without_nonce(draft: NonceDraft) -> None:
    draft.demands = True
    del draft.headers["dpop-nonce"]


def _with_nonce(nonce: str) -> Change:
    def change(draft: NonceDraft) -> None:
        draft.demands = True
        draft.headers["dpop-nonce"] = nonce

    return change


def _nonce_twice(draft: NonceDraft) -> None:
    draft.demands = True
    draft.headers["dpop-nonce"] = f"{draft.headers['dpop-nonce']}, {draft.presented}"


def _challenge(value: str) -> Change:
    """Ask for the nonce by a header, as a resource server does: RFC 9449 §9."""

    def change(draft: NonceDraft) -> None:
        draft.demands = True
        draft.status = 401
        draft.headers["www-authenticate"] = value

    return change


def _refuse_proof(draft: NonceDraft) -> None:
    draft.demands = True
    draft.document = {"error": "invalid_dpop_proof"}
    del draft.headers["dpop-nonce"]


def _not_asked(draft: NonceDraft) -> None:
    """Ask for a nonce with a status that asks for nothing."""
    draft.demands = True
    draft.status = 403


def _refuse_client(page: Page) -> None:
    page.status, page.document = 401, {"error": "invalid_client"}


DPOP_FAULTS: Final = (
    _nonce("nonce_forever", "A client that was given a nonce tries once more, and not twice.", _forever),
    _nonce("nonce_unchanged", "The nonce that was just refused is not shown again.", _unchanged),
    _nonce("nonce_missing", "A nonce that is demanded and not given is not guessed.", _without_nonce),
    _nonce("nonce_empty", "An empty nonce is none.", _with_nonce("")),
    _nonce("nonce_with_space", "A nonce has no space in it.", _with_nonce("a nonce")),
    _nonce("nonce_with_quote", "A nonce has no quotation mark in it.", _with_nonce('a"nonce')),
    _nonce("nonce_too_long", "A nonce of 8 KiB is none.", _with_nonce("x" * 8_192)),
    _nonce("nonce_twice", "Two nonces are none.", _nonce_twice),
    _nonce(
        "nonce_demanded_with_403",
        "Only 400 and 401 ask for a nonce; any other status is an answer to the code.",
        _not_asked,
        "token.status",
        "E2.3",
    ),
    _nonce(
        "proof_refused",
        "A proof that is not believed is the operator's to fix, and is not tried again.",
        _refuse_proof,
        "token.proof_refused",
        "E2.8",
    ),
    fault(
        "token.bearer_downgrade",
        "E2.4b",
        "A bearer token is refused where a bound one was asked for.",
        stage="token",
        code="token.token_type",
        change=put_member("token_type", "Bearer"),
        needs="dpop",
    ),
    fault(
        "token.client_refused_with_dpop",
        "E2.8",
        "A client that is not believed is not tried again with another proof.",
        stage="token",
        code="token.client_refused",
        change=_refuse_client,
        needs="dpop",
    ),
    fault(
        "metadata.without_dpop",
        "P3.7",
        "An issuer that does not speak DPoP is refused where logins are bound by it.",
        stage="metadata",
        code="metadata.capability",
        change=put_claim("dpop_signing_alg_values_supported", []),
        needs="dpop",
    ),
    fault(
        "metadata.without_dpop_algorithm",
        "P3.7",
        "An issuer that takes no proof of ours is refused.",
        stage="metadata",
        code="metadata.capability",
        change=put_claim("dpop_signing_alg_values_supported", ["RS256"]),
        needs="dpop",
    ),
)


def _odd(name: str, law: str, change: Change, module: str | None = None) -> Oddity:
    return oddity(f"dpop.{name}", "E5.7", law, stage="dpop", change=change, module=module, needs="dpop_nonce")


def _unasked_nonce(page: Page) -> None:
    page.headers["dpop-nonce"] = "a-nonce-that-nobody-asked-for"


def _again(draft: NonceDraft) -> None:
    draft.demands = True


DPOP_ODDITIES: Final = (
    _odd(
        "challenge_scheme_in_odd_case",
        "The scheme of a challenge is compared without case.",
        _challenge('dPoP error="use_dpop_nonce", algs="ES256 PS256"'),
        FAPI + "rs-dpop-auth-scheme-case-insensitivity",
    ),
    _odd(
        "several_challenges",
        "A challenge is found among others.",
        _challenge('Bearer realm="a, b", DPoP realm="DPoP error=none", error=use_dpop_nonce'),
    ),
    _odd(
        "nonce_refused_once",
        "A nonce that was good a moment ago may be refused; the new one is shown.",
        _again,
        FAPI + "happy-path",
    ),
    oddity(
        "par.nonce_in_success_only",
        "E5.7",
        "A nonce that comes with a success is shown next, though nobody asked for one.",
        stage="par",
        change=_unasked_nonce,
        needs="dpop",
    ),
    oddity(
        "token.dpop_in_odd_case",
        "E2.4b",
        "A token type is compared without case.",
        stage="token",
        change=put_member("token_type", "dpOP"),
        module=FAPI + "token-type-case-insensitivity",
        needs="dpop",
    ),
)
