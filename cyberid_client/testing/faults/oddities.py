"""Unusual and honest: a client that refuses one of these is too strict."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing.arming import Oddity
from cyberid_client.testing.drafts import CallbackDraft, Page, SignedDraft
from cyberid_client.testing.faults.making import (
    BASIC,
    FAPI,
    Change,
    drop_claim,
    drop_header,
    oddity,
    put_claim,
    put_header,
    put_member,
)
from cyberid_client.testing.jose import ALGORITHMS, SIGNING_NAMES, b64url, jwk_of
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.pki import signer_form

__all__ = ["ALL_ODDITIES"]

_RSA_BITS: Final = 2_048
_ANY_PURPOSE: Final = "2.5.29.37.0"


def _odd(
    name: str,
    number: str,
    law: str,
    stage: str,
    change: Change,
    *,
    module: str | None = None,
    needs: str | None = None,
    prepare: Callable[[Keyring], None] | None = None,
) -> Oddity:
    return oddity(name, number, law, stage=stage, change=change, module=module, needs=needs, prepare=prepare)


def _at(**seconds: float) -> Change:
    """Set dates, in seconds from the issuer's now."""

    def change(draft: SignedDraft) -> None:
        draft.claims.update({name: draft.seconds + offset for name, offset in seconds.items()})

    return change


def _nothing(_draft: object) -> None:
    """Change nothing: what was published beside it is the oddity."""


def _audience_array(draft: SignedDraft) -> None:
    draft.claims["aud"] = [draft.claims["aud"]]


def _party_is_me(draft: SignedDraft) -> None:
    draft.claims["azp"] = draft.claims["aud"]


def _unread_headers(draft: SignedDraft) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    draft.header.update(
        jku="https://other.example/jwks.json", x5u="https://other.example/x5u", jwk=jwk_of(stranger)
    )


def _unknown_claims(draft: SignedDraft) -> None:
    draft.claims.update(
        {"locale": "zh-CN", "https://issuer.example/note": {"a": [1, None]}, "status": {"status_list": {}}}
    )


def _rotate(draft: SignedDraft) -> None:
    draft.use_signer(draft.keyring.rotate(draft.now))


def _root_at_the_end(draft: SignedDraft) -> None:
    draft.use_chain((*draft.signer.chain, draft.keyring.root.certificate))


def _signed_by_root(draft: SignedDraft) -> None:
    draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=draft.keyring.root))


def _authority_with(purposes: tuple[str, ...] | None) -> Change:
    def change(draft: SignedDraft) -> None:
        authority = draft.keyring.other_authority(
            draft.now, change=lambda form: replace(form, purposes=purposes)
        )
        draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=authority))

    return change


def _longest_chain(draft: SignedDraft) -> None:
    step = draft.keyring.root
    for _ in range(3):
        step = draft.keyring.other_authority(
            draft.now, above=step, change=lambda form: replace(form, path_length=None)
        )
    draft.use_chain(draft.keyring.rechain(draft.signer, draft.now, authority=step))


def _rsa_entry() -> dict[str, object]:
    """Return what looks like an RSA key, and takes no time to find."""
    modulus = secrets.randbits(_RSA_BITS) | 1 << _RSA_BITS - 1 | 1
    return {"kty": "RSA", "n": b64url(modulus.to_bytes(_RSA_BITS // 8, "big")), "e": "AQAB"}


def _decoys_with_same_kid(keyring: Keyring) -> None:
    """Publish keys of other kinds, algorithms and uses under the honest key's name."""
    own = keyring.signer("assertion")
    rsa_entry = _rsa_entry()
    others = [name for name in SIGNING_NAMES if name not in {own.algorithm.name, "PS256"}]
    entries = [{**jwk_of(ALGORITHMS[name].generate().public_key()), "alg": name} for name in others]
    if own.algorithm.name != "PS256":
        entries.append({**rsa_entry, "alg": "PS256"})
    for entry in entries:
        keyring.publish({**entry, "kid": own.kid, "use": "sig"})
    p256_entry = jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
    keyring.publish({**p256_entry, "kid": own.kid, "alg": "ECDH-ES", "use": "enc"})


def _real_key_in_the_middle(page: Page) -> None:
    """Put keys of two other algorithms under the honest key's name, one before and one behind it."""
    keys = page.document["keys"]
    if isinstance(keys, list):
        own = keys[-1]
        others = [name for name in ("PS256", "EdDSA", "ES256") if name != own["alg"]][:2]
        before, behind = (
            {
                **(_rsa_entry() if name == "PS256" else jwk_of(ALGORITHMS[name].generate().public_key())),
                "kid": own["kid"],
                "use": "sig",
                "alg": name,
            }
            for name in others
        )
        page.document["keys"] = [*keys[:-1], before, own, behind]


def _keys_of_other_uses(page: Page) -> None:
    """Publish an RSA key for encryption and one for signatures that names no algorithm."""
    keys = page.document["keys"]
    if isinstance(keys, list):
        page.document["keys"] = [
            *keys,
            {**_rsa_entry(), "kid": "for-encryption", "use": "enc", "alg": "RSA-OAEP-256"},
            {**_rsa_entry(), "kid": "without-algorithm", "use": "sig"},
        ]


def _unheard_of_keys(keyring: Keyring) -> None:
    keyring.publish({"kty": "unheard-of", "kid": "a", "alg": "XYZ"})
    keyring.publish({"kty": "EC", "crv": "P-512", "x": "AA", "y": "AA", "kid": "b"})
    keyring.publish({"kty": "OKP", "crv": "Ed25519", "x": 5, "kid": "c"})


def _stale_certificate(page: Page) -> None:
    """Publish the honest key beside a certificate of another, as a cache may do after a renewal."""
    keys = page.document["keys"]
    if isinstance(keys, list):
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        form = signer_form(page.now, page.keyring.issuer, "assertion")
        keys[-1]["x5c"] = x5c_of(page.keyring.authority.issue_chain(form, other))


def _charset(page: Page) -> None:
    page.headers["content-type"] = "application/json; charset=UTF-8"


def _without(name: str) -> Change:
    def change(page: Page) -> None:
        del page.document[name]

    return change


def _extra_parameters(draft: CallbackDraft) -> None:
    draft.parameters += [("session_state", "x"), ("note", "网络身份")]


def _fractional(draft: SignedDraft) -> None:
    draft.claims.update(iat=draft.seconds - 0.25, exp=draft.seconds + 299.5)


def _renewed_certificate(draft: SignedDraft) -> None:
    draft.use_chain(
        draft.keyring.rechain(
            draft.signer, draft.now, change=lambda form: replace(form, subject="Mock signer, renewed")
        )
    )


_ASSERTION_ODDITIES: Final = (
    _odd(
        "id_token.audience_array",
        "E3.9",
        "An audience may be a list of one.",
        "id_token",
        _audience_array,
        module=FAPI + "valid-aud-as-array",
    ),
    _odd("id_token.authorized_party_me", "E3.10", "The party may be named.", "id_token", _party_is_me),
    _odd(
        "id_token.type_absent",
        "E3.7",
        "An assertion need not say what it is.",
        "id_token",
        drop_header("typ"),
    ),
    _odd(
        "id_token.type_application_jwt",
        "E3.7",
        "A type is compared without case and without application/.",
        "id_token",
        put_header("typ", "application/jwt"),
    ),
    _odd("id_token.unread_headers", "E3.5", "jku, jwk and x5u are ignored.", "id_token", _unread_headers),
    _odd("id_token.unknown_claims", "E3.2", "Unknown claims are dropped.", "id_token", _unknown_claims),
    _odd("id_token.fractional_dates", "E3.11", "A date may be fractional.", "id_token", _fractional),
    _odd("id_token.not_before_past", "E3.13", "A past nbf is no obstacle.", "id_token", _at(nbf=-60)),
    _odd(
        "id_token.expires_in_one_second",
        "E3.11",
        "An assertion is good until the last second before exp.",
        "id_token",
        _at(exp=1),
        needs="manual_clock",
    ),
    _odd(
        "id_token.issued_ten_seconds_ahead",
        "E3.12",
        "Ten seconds of a fast clock are forgiven.",
        "id_token",
        _at(iat=10),
        needs="manual_clock",
    ),
    _odd(
        "id_token.issued_ten_minutes_ago",
        "E3.12",
        "An assertion may be ten minutes old.",
        "id_token",
        _at(iat=-600),
        needs="manual_clock",
    ),
    _odd("id_token.without_at_hash", "E3.17", "at_hash may be absent.", "id_token", drop_claim("at_hash")),
    _odd("id_token.without_sid", "E3.19", "sid may be absent.", "id_token", drop_claim("sid")),
    _odd(
        "id_token.persistence_b",
        "P6.3",
        "A pseudonym may change with the record.",
        "id_token",
        put_claim("persistence", "B"),
    ),
    _odd(
        "id_token.persistence_c",
        "P6.3",
        "A pseudonym may live for one session.",
        "id_token",
        put_claim("persistence", "C"),
    ),
    _odd(
        "id_token.more_factors_than_asked",
        "E3.15",
        "More than was asked for is enough.",
        "id_token",
        lambda draft: draft.claims.update(
            acr="urn:cyberid:mode:r04", amr=["certificate", "password", "face", "unheard-of"]
        ),
    ),
    _odd(
        "id_token.subject_shortest",
        "E3.18a",
        "22 characters are enough.",
        "id_token",
        put_claim("sub", "x" * 22),
    ),
    _odd(
        "id_token.subject_longest",
        "E3.18a",
        "128 characters are allowed.",
        "id_token",
        put_claim("sub", "x" * 128),
    ),
)

_KEY_ODDITIES: Final = (
    _odd(
        "id_token.rotation_just_before_signing",
        "E4.5",
        "A key that was rotated since the last look is found by one more look.",
        "id_token",
        _rotate,
        module=BASIC + "signing-key-rotation-just-before-signing",
    ),
    _odd(
        "id_token.kid_absent_single_key",
        "E3.6a",
        "Without kid one fitting key is enough.",
        "id_token",
        drop_header("kid"),
        module=BASIC + "kid-absent-single-jwks",
    ),
    _odd(
        "id_token.chain_in_key_set_only",
        "E3.6c",
        "Without x5c the chain of the key set counts.",
        "id_token",
        drop_header("x5c"),
    ),
    _odd(
        "id_token.renewed_certificate",
        "E3.6c",
        "Certificates may differ as long as the key is the same.",
        "id_token",
        _renewed_certificate,
    ),
    _odd(
        "jwks.decoys_with_same_kid",
        "E4.3",
        "A kid may stand there several times with other types and algorithms.",
        "jwks",
        _nothing,
        prepare=_decoys_with_same_kid,
    ),
    _odd(
        "jwks.real_key_in_the_middle",
        "E4.3",
        "Of three keys with one name the one of the right algorithm counts, wherever it stands.",
        "jwks",
        _real_key_in_the_middle,
        module=FAPI + "happy-path",
    ),
    _odd(
        "jwks.keys_of_other_uses",
        "E4.2",
        "Keys for encryption and keys without algorithm are no obstacle.",
        "jwks",
        _keys_of_other_uses,
        module=FAPI + "happy-path",
    ),
    _odd(
        "jwks.unheard_of_keys",
        "E4.2",
        "Keys that are not understood are skipped.",
        "jwks",
        _nothing,
        prepare=_unheard_of_keys,
    ),
    _odd(
        "jwks.stale_certificate",
        "E3.6c",
        "A stale certificate in the key set beside a good header is ignored.",
        "jwks",
        _stale_certificate,
    ),
    _odd("chain.root_at_the_end", "E3.6c", "The pinned root may come along.", "id_token", _root_at_the_end),
    _odd("chain.signed_by_root", "E3.6c", "A root may certify a signer itself.", "id_token", _signed_by_root),
    _odd(
        "chain.authority_without_purposes",
        "E3.6c",
        "An authority need not be limited to purposes.",
        "id_token",
        _authority_with(purposes=None),
    ),
    _odd(
        "chain.authority_of_any_purpose",
        "E3.6c",
        "An authority may be for any purpose.",
        "id_token",
        _authority_with(purposes=(_ANY_PURPOSE,)),
    ),
    _odd("chain.longest", "E3.6c", "Four certificates may stand under the root.", "id_token", _longest_chain),
)

_ANSWER_ODDITIES: Final = (
    _odd(
        "token.type_in_odd_case",
        "E2.4b",
        "A token type is compared without case.",
        "token",
        put_member("token_type", "bEaReR"),
        module=FAPI + "token-type-case-insensitivity",
    ),
    _odd(
        "token.without_expires_in",
        "E2.5",
        "expires_in may be absent.",
        "token",
        _without("expires_in"),
        module=FAPI + "token-endpoint-response-without-expires_in",
    ),
    _odd("token.expires_in_zero", "E2.5", "expires_in may be 0.", "token", put_member("expires_in", 0)),
    _odd("token.without_scope", "E2.7", "An absent scope is as asked.", "token", _without("scope")),
    _odd("token.charset", "E2.3", "A content type may have parameters.", "token", _charset),
    _odd(
        "token.unknown_members",
        "E2.3",
        "Unknown members are ignored.",
        "token",
        put_member("note", {"a": [None]}),
    ),
    _odd(
        "par.expires_in_one_second", "E2.1c", "A short lifetime is one.", "par", put_member("expires_in", 1)
    ),
    _odd(
        "callback.unknown_parameters",
        "E1.5",
        "Unknown parameters are ignored.",
        "callback",
        _extra_parameters,
    ),
    _odd(
        "metadata.lifetime_seven_days",
        "P3.4",
        "Metadata may live for exactly seven days.",
        "metadata",
        _at(iat=0, exp=604_800),
    ),
    _odd(
        "metadata.unknown_claims",
        "E3.2",
        "Unknown metadata are ignored.",
        "metadata",
        put_claim("service_documentation", "https://issuer.example/docs"),
    ),
)

ALL_ODDITIES: Final = (*_ASSERTION_ODDITIES, *_KEY_ODDITIES, *_ANSWER_ODDITIES)
