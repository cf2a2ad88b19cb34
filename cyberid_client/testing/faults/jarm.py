"""Faults of the signed authorization response (JARM), and of what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import CallbackDraft, SignedDraft
from cyberid_client.testing.faults.making import (
    FAPI,
    Change,
    append_to_claim,
    date_claim,
    drop_claim,
    drop_header,
    fault,
    oddity,
    put_claim,
    put_header,
)
from cyberid_client.testing.faults.signing import (
    drop_signature,
    flip_bit,
    publish_alternate,
    publish_no_chain,
    publish_second,
    sign_unpublished,
    sign_unpublished_without_chain,
    sign_with_alternate,
    sign_with_stranger,
    two_parts,
    use_leaf_of_other_key,
)
from cyberid_client.testing.jose import b64url
from cyberid_client.testing.keyring import Keyring

__all__ = ["JARM_FAULTS", "JARM_ODDITIES"]


def _fault(
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    *,
    module: str | None = None,
    prepare: Callable[[Keyring], None] | None = None,
) -> Fault:
    return fault(
        f"jarm.{name}",
        number,
        law,
        stage="jarm",
        code=code if "." in code else f"jarm.{code}",
        change=change,
        module=None if module is None else FAPI + module,
        needs="jarm",
        prepare=prepare,
    )


def _beside(name: str, law: str, code: str, change: Change, number: str = "E1.7") -> Fault:
    return fault(f"callback.{name}", number, law, stage="callback", code=code, change=change, needs="jarm")


def _audience(*others: str) -> Change:
    def change(draft: SignedDraft) -> None:
        draft.claims["aud"] = [draft.claims["aud"], *others]

    return change


def _say_no(error: str) -> Change:
    """Put an error in the code's place."""

    def change(draft: SignedDraft) -> None:
        draft.claims.pop("code", None)
        draft.claims["error"] = error

    return change


def _state_of_other_login_in_error(draft: SignedDraft) -> None:
    _say_no("access_denied")(draft)
    draft.claims["state"] = f"{draft.claims['state']}1"


def _encrypted(draft: SignedDraft) -> None:
    draft.edit_token = lambda _token: ".".join([b64url(b'{"alg":"ECDH-ES","enc":"A256GCM"}'), *["AA"] * 4])


def _without_response(draft: CallbackDraft) -> None:
    """Answer in the plain form."""
    draft.parameters = [("code", "x" * 43), ("state", "s" * 43), ("iss", draft.keyring.issuer)]


def _with(*pairs: tuple[str, str]) -> Change:
    def change(draft: CallbackDraft) -> None:
        draft.parameters.extend(pairs)

    return change


def _issuer_beside(draft: CallbackDraft) -> None:
    draft.parameters.append(("iss", draft.keyring.issuer))


def _twice(draft: CallbackDraft) -> None:
    draft.parameters.append(("response", draft.get("response")))


_CLAIM_FAULTS: Final = (
    *(
        _fault(
            f"{name}_missing",
            "E3.2",
            "A signed response without issuer, audience or end is refused.",
            "claim_missing",
            drop_claim(name),
            module=f"ensure-jarm-without-{name}-fails",
        )
        for name in ("iss", "aud", "exp")
    ),
    *(
        _fault(name, "E3.2", "A claim of a wrong type is refused.", "claim_type", put_claim(claim, value))
        for name, claim, value in (
            ("exp_as_text", "exp", "9999999999"),
            ("aud_as_number", "aud", 1),
            ("state_as_number", "state", 1),
            ("code_as_list", "code", ["x"]),
        )
    ),
    *(
        _fault(
            f"kind_{name.lower()}",
            "P2.1",
            "A signed response with a claim of another kind of document is refused.",
            "kind",
            put_claim(name, value),
        )
        for name, value in (
            ("sub", "x" * 43),
            ("nonce", "x" * 43),
            ("events", {"http://schemas.openid.net/event/backchannel-logout": {}}),
        )
    ),
    _fault(
        "other_issuer",
        "E3.8",
        "A signed response of another issuer is refused.",
        "issuer",
        append_to_claim("iss", "1"),
        module="ensure-jarm-with-invalid-iss-fails",
    ),
    _fault(
        "other_audience",
        "E3.9",
        "A signed response for another client is refused.",
        "audience",
        append_to_claim("aud", "1"),
        module="ensure-jarm-with-invalid-aud-fails",
    ),
    _fault(
        "audience_with_stranger",
        "E3.9",
        "A signed response for this client and another is refused.",
        "audience",
        _audience("another-client"),
    ),
    _fault(
        "expired_six_minutes_ago",
        "E3.11",
        "No leeway saves an expired response.",
        "expired",
        date_claim("exp", -360),
        module="ensure-jarm-with-expired-exp-fails",
    ),
    _fault(
        "expired",
        "E3.11",
        "A signed response is refused from the very second of exp.",
        "expired",
        date_claim("exp", 0),
    ),
    _fault(
        "lifetime_too_long",
        "E1.8",
        "A signed response that lives for an hour is refused.",
        "lifetime",
        date_claim("exp", 3_600),
    ),
    _fault(
        "not_yet_valid",
        "E3.13",
        "A signed response is refused before its time.",
        "not_yet_valid",
        date_claim("nbf", 120),
    ),
    _fault(
        "state_changed",
        "E1.1b",
        "The state of another login is refused, however well it is signed.",
        "state",
        append_to_claim("state", "1"),
    ),
    _fault(
        "state_missing", "E1.1b", "A signed response without state is refused.", "state", drop_claim("state")
    ),
    _fault(
        "state_changed_beside_error",
        "E1.1b",
        "An error of another login does not end this one as declined.",
        "state",
        _state_of_other_login_in_error,
    ),
    _fault(
        "code_and_error",
        "P2.2",
        "A signed response with code and error is neither.",
        "code_or_error",
        put_claim("error", "access_denied"),
    ),
    _fault(
        "neither_code_nor_error",
        "P2.2",
        "A signed response without code and error is refused.",
        "code_or_error",
        drop_claim("code"),
    ),
)

_SIGNATURE_FAULTS: Final = (
    _fault("two_parts", "E3.2", "A JWS has three parts.", "malformed", two_parts),
    _fault(
        "encrypted", "E3.2", "A response that was not to be encrypted is refused.", "encrypted", _encrypted
    ),
    _fault(
        "algorithm_none",
        "E3.3",
        "A response without signature is refused.",
        "algorithm",
        drop_signature,
        module="ensure-jarm-signature-is-not-none",
    ),
    _fault(
        "algorithm_rs256_published",
        "E3.3",
        "An algorithm that is not configured is refused, even with a published key and a good chain.",
        "algorithm",
        sign_with_alternate,
        prepare=publish_alternate,
    ),
    _fault(
        "critical",
        "E3.4",
        "A critical extension that is not understood is refused.",
        "critical",
        lambda draft: draft.header.update(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind is no response, however well it is signed.",
            "type",
            put_header("typ", typ),
        )
        for name, typ in (("logout_token", "logout+jwt"), ("request_object", "oauth-authz-req+jwt"))
    ),
    _fault(
        "signature_bit_flipped",
        "E3.6b",
        "One wrong bit is enough.",
        "signature",
        flip_bit,
        module="ensure-jarm-with-invalid-sig-fails",
    ),
    _fault(
        "signature_of_stranger",
        "E3.6b",
        "A signature by another key is refused.",
        "signature",
        sign_with_stranger,
    ),
    _fault(
        "kid_unknown",
        "E3.6d",
        "A key with a perfect chain that the issuer does not publish is refused, after one look.",
        "key_unpublished",
        sign_unpublished,
    ),
    _fault(
        "kid_unknown_without_chain",
        "E3.6a",
        "A key that is neither published nor certified is unknown.",
        "key_unknown",
        sign_unpublished_without_chain,
    ),
    _fault(
        "kid_absent_several_keys",
        "E3.6a",
        "Without kid there must be exactly one key.",
        "key_ambiguous",
        drop_header("kid", "x5c"),
        prepare=publish_second,
    ),
    _fault(
        "leaf_of_other_key",
        "E3.6c",
        "The certificate must certify the very key that signed.",
        "key_mismatch",
        use_leaf_of_other_key,
    ),
    _fault(
        "chain_missing",
        "E3.6c",
        "A published key without chain is not believed.",
        "chain_missing",
        drop_header("x5c"),
        prepare=publish_no_chain,
    ),
    _fault(
        "signed_by_metadata_signer",
        "E3.6c",
        "Who may sign metadata may not sign responses.",
        "chain.purpose",
        lambda draft: draft.use_signer(draft.keyring.signer("metadata")),
    ),
    _fault(
        "access_denied",
        "E1.6",
        "The person said no, and the issuer signed it: the login ends as declined.",
        "declined.access_denied",
        _say_no("access_denied"),
    ),
    _fault(
        "temporarily_unavailable",
        "E1.6",
        "An issuer that asks for patience is unavailable; nobody declined.",
        "issuer.unavailable",
        _say_no("temporarily_unavailable"),
    ),
)

_BESIDE_FAULTS: Final = (
    _beside(
        "plain_unasked",
        "A plain response is refused where a signed one was asked for.",
        "callback.response_mode",
        _without_response,
    ),
    _beside(
        "code_beside_response",
        "A plain code beside a signed response is refused, whatever either says.",
        "callback.response_mode",
        _with(("code", "x" * 43)),
    ),
    _beside(
        "state_beside_response",
        "A plain state beside a signed response is refused.",
        "callback.response_mode",
        _with(("state", "s" * 43)),
    ),
    _beside(
        "error_beside_response",
        "A plain error beside a signed response is refused, and ends nothing as declined.",
        "callback.response_mode",
        _with(("error", "access_denied")),
    ),
    _beside(
        "issuer_beside_response",
        "A plain iss beside a signed response is refused, even the right one.",
        "callback.response_mode",
        _issuer_beside,
    ),
    _beside(
        "response_twice",
        "A signed response that stands there twice is refused, even with equal values.",
        "callback.parameter_repeated",
        _twice,
        "E1.2",
    ),
)

_CAPABILITY_FAULTS: Final = tuple(
    fault(
        f"metadata.{name}",
        "P3.7",
        "An issuer that does not sign its responses as configured is refused.",
        stage="metadata",
        code="metadata.capability",
        change=put_claim(claim, value),
        needs="jarm",
    )
    for name, claim, value in (
        ("without_jarm", "response_modes_supported", ["query", "fragment.jwt"]),
        ("without_response_algorithm", "authorization_signing_alg_values_supported", ["RS256"]),
    )
)

JARM_FAULTS: Final = (*_CLAIM_FAULTS, *_SIGNATURE_FAULTS, *_BESIDE_FAULTS, *_CAPABILITY_FAULTS)


def _audience_array(draft: SignedDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"]]


def _fractional(draft: SignedDraft) -> None:
    draft.claims["exp"] = draft.seconds + 299.5


def _rotate(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.rotate(draft.now))


_RESPONSE_ODDITIES: Final = tuple(
    oddity(f"jarm.{name}", number, law, stage="jarm", change=change, needs="jarm")
    for name, number, law, change in (
        ("audience_array", "E3.9", "An audience may be a list of one.", _audience_array),
        ("type_absent", "E3.7", "A signed response need not say what it is.", drop_header("typ")),
        ("fractional_exp", "E3.11", "A date may be fractional.", _fractional),
        ("issued_at", "E3.2", "Unknown claims are dropped.", date_claim("iat", 0)),
        (
            "expires_in_one_second",
            "E3.11",
            "A response is good until the last second before exp.",
            date_claim("exp", 1),
        ),
        (
            "chain_in_key_set_only",
            "E3.6c",
            "Without x5c the chain of the key set counts.",
            drop_header("x5c"),
        ),
        (
            "rotation_just_before_signing",
            "E4.5",
            "A key that was rotated since the last look is found by one more look.",
            _rotate,
        ),
    )
)

JARM_ODDITIES: Final = (
    *_RESPONSE_ODDITIES,
    oddity(
        "metadata.signed_responses_only",
        "P3.7",
        "An issuer of signed responses need not know plain ones: iss stands inside.",
        stage="metadata",
        change=lambda draft: draft.claims.update(
            response_modes_supported=["query.jwt"], authorization_response_iss_parameter_supported=False
        ),
        needs="jarm",
    ),
)
