"""Faults of header, key and signature of the assertion."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.faults.making import FAPI, Change, drop_header, fault, put_header
from cyberid_client.testing.jose import ALGORITHMS, PrivateKey, json_bytes, jwk_of
from cyberid_client.testing.keyring import Keyring, Signer, x5c_of

__all__ = [
    "SIGNING_FAULTS",
    "drop_signature",
    "flip_bit",
    "publish_alternate",
    "publish_no_chain",
    "publish_second",
    "sign_unpublished",
    "sign_unpublished_without_chain",
    "sign_with_alternate",
    "sign_with_stranger",
    "two_parts",
    "use_leaf_of_other_key",
]

_ALTERNATE_KID: Final = "rsa-alternate"


def two_parts(draft: SignedDraft) -> None:
    """Leave the signature and its dot out."""
    draft.edit_token = lambda token: token.rpartition(".")[0]


def flip_bit(draft: SignedDraft) -> None:
    """Flip the last bit of the signature."""
    draft.edit_signature = lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])


def drop_signature(draft: SignedDraft) -> None:
    """Say ``none`` and sign nothing."""
    draft.header["alg"] = "none"
    draft.edit_signature = lambda _signature: b""


def sign_with_stranger(draft: SignedDraft) -> None:
    """Sign with a fresh key in the name of the honest one."""
    draft.signer = replace(draft.signer, key=draft.signer.algorithm.generate())


def _header_twice(draft: SignedDraft) -> None:
    draft.header_bytes = b'{"alg":"none",' + json_bytes(draft.header)[1:]


def _claim_twice(draft: SignedDraft) -> None:
    draft.payload_bytes = b'{"nonce":"of another login",' + json_bytes(draft.claims)[1:]


def _payload_no_object(draft: SignedDraft) -> None:
    draft.payload_bytes = b"[" + json_bytes(draft.claims) + b"]"


def _padded(draft: SignedDraft) -> None:
    draft.edit_token = lambda token: token + "=="


def _loose_bits(draft: SignedDraft) -> None:
    """Set a bit of a part's last character that carries no data: the signature's, if it has such bits."""
    if len(draft.signer.sign(b"")) % 3:
        draft.edit_token = _loosen
        return
    claims = json_bytes(draft.claims)
    draft.payload_bytes = claims + b" " * ((1 - len(claims)) % 3)
    draft.edit_token = lambda token: _loosen(token.rpartition(".")[0]) + "." + token.rpartition(".")[2]


def _loosen(text: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _x5c_urlsafe(draft: SignedDraft) -> None:
    draft.header["x5c"] = [text.rstrip("=") + "_" for text in x5c_of(draft.signer.chain)]


def _oversized_certificate(draft: SignedDraft) -> None:
    draft.header["x5c"] = ["MIIA" * 5_600, *x5c_of(draft.signer.chain)[1:]]


def _hmac_with_public_key(draft: SignedDraft) -> None:
    public_key = draft.signer.key.public_key()
    secret = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    draft.header["alg"] = "HS256"
    draft.edit_signature = lambda _signature: hmac.digest(secret, draft.signing_input(), hashlib.sha256)


@cache
def _alternate_key() -> PrivateKey:
    return ALGORITHMS["RS256"].generate()


def publish_alternate(keyring: Keyring) -> None:
    """Publish an RSA key beside the honest one."""
    entry = jwk_of(_alternate_key().public_key())
    keyring.publish({**entry, "kid": _ALTERNATE_KID, "use": "sig"})


def sign_with_alternate(draft: SignedDraft) -> None:
    """Sign with that key, with a good chain."""
    key = _alternate_key()
    honest = draft.signer
    signer = Signer(
        purpose="assertion", algorithm=ALGORITHMS["RS256"], key=key, kid=_ALTERNATE_KID, chain=honest.chain
    )
    draft.use_signer(replace(signer, chain=draft.keyring.rechain(signer, draft.now)))


def sign_unpublished(draft: SignedDraft) -> None:
    """Sign with a fresh key under a good chain that no key set publishes."""
    draft.use_signer(draft.keyring.make_signer("assertion", draft.now))


def sign_unpublished_without_chain(draft: SignedDraft) -> None:
    """Sign with a fresh key that is neither published nor certified."""
    sign_unpublished(draft)
    del draft.header["x5c"]


def forge_unpublished(draft: SignedDraft) -> None:
    sign_unpublished(draft)
    flip_bit(draft)


def publish_second(keyring: Keyring) -> None:
    """Publish a second signing key of the same kind."""
    keyring.publish(keyring.make_signer("assertion", keyring.settled_at).to_jwk())


def use_leaf_of_other_key(draft: SignedDraft) -> None:
    """Send the chain of another key."""
    draft.use_chain(draft.keyring.make_signer("assertion", draft.now).chain)


def publish_no_chain(keyring: Keyring) -> None:
    """Publish the honest key without its chain."""
    keyring.publish_chains = False


def _as_der(signature: bytes) -> bytes:
    half = len(signature) // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )


def _signature(edit: Callable[[bytes], bytes]) -> Change:
    def change(draft: SignedDraft) -> None:
        draft.edit_signature = edit

    return change


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
        f"id_token.{name}",
        number,
        law,
        stage="id_token",
        code=f"id_token.{code}",
        change=change,
        module=module,
        prepare=prepare,
    )


SIGNING_FAULTS: Final = (
    _fault("two_parts", "E3.2", "A JWS has three parts.", "malformed", two_parts),
    _fault("padded", "E3.2", "Base64url has no padding.", "malformed", _padded),
    _fault("loose_bits", "E3.2", "Base64url has one spelling.", "malformed", _loose_bits),
    _fault("header_twice", "E3.2", "A duplicate header member is refused.", "malformed", _header_twice),
    _fault("claim_twice", "E3.2", "A duplicate claim is refused.", "malformed", _claim_twice),
    _fault("payload_no_object", "E3.2", "A payload is an object.", "malformed", _payload_no_object),
    _fault("x5c_not_base64", "E3.2", "x5c is standard base64.", "malformed", _x5c_urlsafe),
    _fault(
        "certificate_too_large",
        "E3.2",
        "A certificate above 16 KiB is refused unread.",
        "too_large",
        _oversized_certificate,
    ),
    _fault(
        "algorithm_none",
        "E3.3",
        "An assertion without signature is refused.",
        "algorithm",
        drop_signature,
        module=FAPI + "invalid-null-alg",
    ),
    _fault(
        "hmac_with_public_key",
        "E3.3",
        "A public key is no secret: an HMAC under it is refused.",
        "algorithm",
        _hmac_with_public_key,
    ),
    _fault(
        "algorithm_rs256_published",
        "E3.3",
        "An algorithm that is not configured is refused, even with a published key and a good chain.",
        "algorithm",
        sign_with_alternate,
        module=FAPI + "invalid-alternate-alg",
        prepare=publish_alternate,
    ),
    _fault(
        "algorithm_other",
        "E3.3",
        "The header does not choose the algorithm.",
        "algorithm",
        put_header("alg", "ES512"),
    ),
    _fault(
        "critical",
        "E3.4",
        "A critical extension that is not understood is refused.",
        "critical",
        lambda draft: draft.header.update(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    _fault(
        "unencoded_payload",
        "E3.4",
        "The b64 header is refused, whatever it says.",
        "critical",
        lambda draft: draft.header.update(crit=["b64"], b64=True),
    ),
    *(
        _fault(
            f"type_{name}",
            "E3.7",
            "A document of another kind is no assertion, however well it is signed.",
            "type",
            put_header("typ", typ),
        )
        for name, typ in (
            ("logout_token", "logout+jwt"),
            ("access_token", "at+jwt"),
            ("key_binding", "kb+jwt"),
            ("metadata", "cyberid-metadata+jwt"),
            ("receipt", "application/cyberid-receipt+jwt"),
        )
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
        "kid_unknown_and_forged",
        "E3.6b",
        "A forged signature under an unknown key fails as a signature and fetches nothing.",
        "signature",
        forge_unpublished,
    ),
    _fault(
        "kid_absent_several_keys",
        "E3.6a",
        "Without kid there must be exactly one key.",
        "key_ambiguous",
        drop_header("kid", "x5c"),
        module="oidcc-client-test-kid-absent-multiple-jwks",
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
        "signature_bit_flipped",
        "E3.6b",
        "One wrong bit is enough.",
        "signature",
        flip_bit,
        module="oidcc-client-test-invalid-sig-es256",
    ),
    _fault(
        "signature_of_stranger",
        "E3.6b",
        "A signature by another key is refused.",
        "signature",
        sign_with_stranger,
    ),
    _fault("signature_empty", "E3.6b", "No signature is none.", "signature", _signature(lambda _: b"")),
    _fault(
        "signature_zero", "E3.6b", "Zeros sign nothing.", "signature", _signature(lambda s: bytes(len(s)))
    ),
    _fault(
        "signature_truncated",
        "E3.6b",
        "A signature has one length.",
        "signature",
        _signature(lambda s: s[:-1]),
    ),
    _fault(
        "signature_der", "E3.6b", "A JWS signature is r and s, not DER.", "signature", _signature(_as_der)
    ),
)
