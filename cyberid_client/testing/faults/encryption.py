"""Faults of encrypted assertions: what surrounds the signed one, and how."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.testing.arming import Fault
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.encryption import EncryptedDraft, deflate
from cyberid_client.testing.faults.making import Change, fault, oddity, put_claim
from cyberid_client.testing.faults.signing import drop_signature, flip_bit
from cyberid_client.testing.jose import b64url, decode_part, json_bytes, jwk_of

__all__ = ["ENCRYPTION_FAULTS", "ENCRYPTION_ODDITIES"]


def _fault(
    name: str,
    number: str,
    law: str,
    code: str,
    change: Change,
    *,
    needs: str | None = "jwe",
    stage: str = "jwe",
) -> Fault:
    return fault(
        f"id_token.{name}",
        number,
        law,
        stage=stage,
        code=f"id_token.{code}",
        change=change,
        needs=needs,
    )


def _really(**members: str) -> Change:
    """Encrypt in another way, and do it well."""

    def change(draft: EncryptedDraft) -> None:
        draft.header.update(members)

    return change


def _say(**members: object) -> Change:
    """Set members of the finished header."""

    def change(draft: EncryptedDraft) -> None:
        draft.edit_header = lambda header: header.update(members)

    return change


def _say_no_more(name: str) -> Change:
    """Take a member out of the finished header."""

    def change(draft: EncryptedDraft) -> None:
        draft.edit_header = lambda header: header.__delitem__(name)

    return change


def _flip(position: int) -> Change:
    """Flip a bit of encrypted key, initialisation vector, ciphertext or tag."""

    def edit(parts: list[bytes]) -> list[bytes]:
        parts[position] = bytes([parts[position][0] ^ 1]) + parts[position][1:]
        return parts

    return _parts(edit)


def _parts(edit: Callable[[list[bytes]], list[bytes]]) -> Change:
    def change(draft: EncryptedDraft) -> None:
        draft.edit_parts = edit

    return change


def _token(edit: Callable[[str], str]) -> Change:
    def change(draft: EncryptedDraft) -> None:
        draft.edit_token = edit

    return change


def _point(edit: Callable[[dict[str, object]], object]) -> Change:
    """Replace the ephemeral key of the finished header."""

    def change(draft: EncryptedDraft) -> None:
        def edit_header(header: dict[str, object]) -> None:
            point = header["epk"]
            header["epk"] = edit(dict(point) if isinstance(point, dict) else {})

        draft.edit_header = edit_header

    return change


def _compressed(draft: EncryptedDraft) -> None:
    draft.header["zip"] = "DEF"
    draft.content = deflate(draft.content)


def _bomb(draft: EncryptedDraft) -> None:
    draft.header["zip"] = "DEF"
    draft.content = deflate(bytes(20_000_000))


def _for_stranger(draft: EncryptedDraft) -> None:
    """Encrypt for another key in the name of the honest one."""
    if isinstance(draft.recipient, ec.EllipticCurvePublicKey):
        draft.recipient = ec.generate_private_key(draft.recipient.curve).public_key()


def _signed_only(draft: EncryptedDraft) -> None:
    inside = draft.content.decode()
    draft.edit_token = lambda _token: inside


def _header_twice(draft: EncryptedDraft) -> None:
    draft.header_bytes = lambda header: b'{"alg":"dir",' + json_bytes(header)[1:]


def _claims_inside(draft: EncryptedDraft) -> None:
    """Encrypt the claims themselves, which nobody signed."""
    draft.content = draft.content.split(b".")[1]


def _sealed_twice(draft: EncryptedDraft) -> None:
    inner = EncryptedDraft(
        header=dict(draft.header), content=draft.content, recipient=draft.recipient, keyring=draft.keyring
    )
    draft.content = inner.encode().encode()


def _encrypt_unasked(draft: SignedDraft) -> None:
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    header: dict[str, object] = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT"}
    draft.edit_token = lambda token: EncryptedDraft(
        header=header, content=token.encode(), recipient=stranger, keyring=draft.keyring
    ).encode()


def _rewrite_header(token: str) -> str:
    """Say the same in other bytes: it is the text that was authenticated."""
    header, _, rest = token.partition(".")
    return f"{b64url(decode_part(header) + b' ')}.{rest}"


_OTHER_CURVE: Final = _point(lambda _: jwk_of(ec.generate_private_key(ec.SECP384R1()).public_key()))
_OFF_CURVE: Final = _point(lambda point: {**point, "y": b64url(bytes(31) + b"\x01")})

_FORM_FAULTS: Final = (
    _fault(
        "downgraded_to_signed",
        "E3.22",
        "An assertion that is signed only is refused where an encrypted one was asked for.",
        "not_encrypted",
        _signed_only,
    ),
    _fault(
        "encrypted_unasked",
        "E3.22",
        "An encrypted assertion is refused where a signed one was asked for.",
        "encrypted",
        _encrypt_unasked,
        needs=None,
        stage="id_token",
    ),
    _fault(
        "five_parts_of_rubbish",
        "E3.1",
        "Five parts are no JWE yet.",
        "malformed",
        _token(lambda _: "a.b.c.d.e"),
    ),
    _fault(
        "six_parts",
        "E3.22",
        "Six parts are no JWE, and so a downgrade.",
        "not_encrypted",
        _token(lambda token: token + ".AA"),
    ),
    _fault(
        "encrypted_padded",
        "E3.1",
        "Base64url has no padding.",
        "malformed",
        _token(lambda token: token + "="),
    ),
    _fault(
        "encrypted_header_twice", "E3.1", "A duplicate header member is refused.", "malformed", _header_twice
    ),
    _fault(
        "encrypted_too_large",
        "E3.1",
        "An encrypted assertion above 112 KiB is refused unread.",
        "too_large",
        lambda draft: setattr(draft, "content", draft.content + b"x" * 86_000),
    ),
    _fault(
        "encrypted_critical",
        "E3.1f",
        "A critical extension of the encryption that is not understood is refused.",
        "critical",
        _say(crit=["urn:example:unknown"], **{"urn:example:unknown": 1}),
    ),
    _fault("compressed", "E3.1e", "A compressed assertion is refused.", "compressed", _compressed),
    _fault("compression_bomb", "E3.1e", "Nothing compressed is unpacked.", "compressed", _bomb),
    _fault(
        "content_type_missing",
        "E3.1d",
        "An encrypted assertion says that a signed one is inside.",
        "content_type",
        _say_no_more("cty"),
    ),
    _fault(
        "content_type_other",
        "E3.1d",
        "An encrypted assertion says that a signed one is inside.",
        "content_type",
        _say(cty="json"),
    ),
)

_METHOD_FAULTS: Final = (
    _fault(
        "key_encryption_other",
        "E3.1b",
        "A key is used in the one way that it is registered for, even if another one is as good.",
        "key_encryption",
        _really(alg="ECDH-ES+A128KW"),
    ),
    _fault(
        "key_encryption_rsa1_5",
        "E3.1b",
        "PKCS #1 v1.5 is refused before a key is touched.",
        "key_encryption",
        _really(alg="RSA1_5"),
        needs="jwe_rsa",
    ),
    _fault(
        "key_encryption_direct",
        "E3.1b",
        "No secret is shared with an issuer: dir is refused.",
        "key_encryption",
        _really(alg="dir"),
    ),
    _fault(
        "key_encryption_password",
        "E3.1b",
        "A password is no key: its count of iterations would be ours to work off.",
        "key_encryption",
        _say(alg="PBES2-HS256+A128KW", p2s="AAAAAAAAAAA", p2c=2_000_000_000),
    ),
    _fault(
        "content_encryption_other",
        "E3.1c",
        "The content is encrypted in the one way that is configured, even if another one is as good.",
        "content_encryption",
        _really(enc="A128GCM"),
    ),
    _fault(
        "decryption_key_unknown",
        "E3.1a",
        "An assertion for a key that is none of this client's is refused.",
        "decryption_key",
        _say(kid="another"),
    ),
)

_TAMPERED_FAULTS: Final = (
    *(
        _fault(
            name,
            "E3.1",
            "An encrypted assertion of which one bit was changed is refused, whichever it was.",
            "decryption",
            _flip(position),
        )
        for name, position in (("vector_changed", 1), ("ciphertext_changed", 2), ("tag_changed", 3))
    ),
    _fault(
        "encrypted_key_changed",
        "E3.1",
        "An encrypted key of which one bit was changed is refused.",
        "decryption",
        _flip(0),
        needs="jwe_rsa",
    ),
    _fault(
        "encrypted_key_unasked",
        "E3.1",
        "Where the key is agreed upon, there is no encrypted one.",
        "decryption",
        _parts(lambda parts: [b"\x00" * 40, *parts[1:]]),
    ),
    _fault(
        "tag_truncated",
        "E3.1",
        "A tag has one length.",
        "decryption",
        _parts(lambda parts: [*parts[:3], parts[3][:4]]),
    ),
    _fault(
        "encrypted_for_stranger", "E3.1", "What another key opens is refused.", "decryption", _for_stranger
    ),
    _fault(
        "header_changed_after_sealing",
        "E3.1",
        "The header is sealed with the content.",
        "decryption",
        _token(_rewrite_header),
    ),
    _fault(
        "ephemeral_key_missing",
        "E3.1",
        "Without the sender's key there is nothing to agree upon.",
        "decryption",
        _say_no_more("epk"),
    ),
    _fault(
        "ephemeral_key_of_other_curve",
        "E3.1",
        "The sender's key is of the same curve.",
        "decryption",
        _OTHER_CURVE,
    ),
    _fault(
        "ephemeral_key_off_curve",
        "E3.1",
        "A point that lies on no curve of ours never meets our key.",
        "decryption",
        _OFF_CURVE,
    ),
    _fault(
        "ephemeral_key_private",
        "E3.1",
        "A sender that gives its private key away is refused.",
        "malformed",
        _point(lambda point: {**point, "d": "AA"}),
    ),
)

_INSIDE_FAULTS: Final = (
    _fault(
        "claims_encrypted_only",
        "E3.2",
        "What is encrypted must be signed as well.",
        "malformed",
        _claims_inside,
    ),
    _fault(
        "encrypted_twice",
        "E3.2",
        "Inside is a signed assertion and no second seal.",
        "malformed",
        _sealed_twice,
    ),
    _fault(
        "algorithm_none_inside",
        "E3.3",
        "Encryption stands in for no signature.",
        "algorithm",
        drop_signature,
        stage="id_token",
    ),
    _fault(
        "signature_bit_flipped_inside",
        "E3.6b",
        "Anybody can encrypt for a public key: the signature inside is judged.",
        "signature",
        flip_bit,
        stage="id_token",
    ),
)

_CAPABILITY_FAULTS: Final = tuple(
    fault(
        f"metadata.{name}",
        "P3.7",
        "An issuer that does not encrypt as configured is refused.",
        stage="metadata",
        code="metadata.capability",
        change=put_claim(claim, value),
        needs="jwe",
    )
    for name, claim, value in (
        ("without_encryption", "id_token_encryption_alg_values_supported", []),
        ("without_key_encryption", "id_token_encryption_alg_values_supported", ["RSA1_5"]),
        ("without_content_encryption", "id_token_encryption_enc_values_supported", ["A128GCM"]),
    )
)


ENCRYPTION_FAULTS: Final = (
    *_FORM_FAULTS,
    *_METHOD_FAULTS,
    *_TAMPERED_FAULTS,
    *_INSIDE_FAULTS,
    *_CAPABILITY_FAULTS,
)

ENCRYPTION_ODDITIES: Final = tuple(
    oddity(f"id_token.{name}", number, law, stage="jwe", change=change, needs="jwe")
    for name, number, law, change in (
        ("content_type_lower", "E3.1d", "A content type is compared without case.", _say(cty="jwt")),
        (
            "content_type_application",
            "E3.1d",
            "A content type may be written out.",
            _say(cty="application/jwt"),
        ),
        ("decryption_key_unnamed", "E3.1a", "With one key there is no need of a name.", _say_no_more("kid")),
        ("encrypted_type", "E3.1", "An encrypted assertion may say what it is.", _say(typ="JWT")),
        ("party_information", "E3.1", "The parties may be named.", _really(apu="QWxpY2U", apv="Qm9i")),
    )
)
