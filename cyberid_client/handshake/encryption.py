"""Open what the issuer encrypted for us: a nested token, whose signature is judged afterwards (RFC 7519 §5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from cyberid_client.config import DecryptionKey, RelyingParty
from cyberid_client.errors import ConfigurationError, VerificationError
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.subjects import EncryptedSubject, SealSubject
from cyberid_client.wire.jwe import JWE_KEY_MAX_BYTES, JWE_MAX_BYTES, UnverifiedJWE, parse_jwe
from cyberid_client.wire.jws import is_jwe

if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry
    from joserfc.jwk import ECKey, RSAKey

__all__ = ["decrypt_agreed", "open_sealed", "require_decryption"]

# Bytes of initialisation vector and tag: RFC 7518 §5.2 and §5.3.
_SIZES: Final = {
    "A128GCM": (12, 16),
    "A256GCM": (12, 16),
    "A128CBC-HS256": (16, 16),
    "A256CBC-HS512": (16, 32),
}
_GCM_BITS: Final = {"A128GCM": 128, "A256GCM": 256}
_COORDINATES: Final = {"P-256": 32, "P-384": 48}


def require_decryption(rp: RelyingParty) -> None:
    """Refuse a configuration with encrypted assertions where the extra that opens them is not installed.

    Raises:
        ConfigurationError: ``config.missing_extra``.
    """
    if rp.id_token != "jwe":  # noqa: S105 - the name of a setting
        return
    try:
        import joserfc.jwe  # noqa: F401, PLC0415 - only who decrypts pays for the import
    except ImportError:
        raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[jwe]"') from None


def open_sealed(
    token: str | bytes, *, rp: RelyingParty, document: str = "id_token", checklists: Checklists = COMPLETE
) -> str | bytes:
    """Return the signed token that is inside an encrypted one, or the token itself where none is configured.

    Nothing is believed yet: anybody can encrypt for a public key.

    Args:
        token: untrusted.
        rp: says whether tokens are encrypted, for which keys and how.
        document: the prefix of the error codes.
        checklists: what must hold.

    Raises:
        VerificationError: ``encrypted``, ``not_encrypted``: the other form is configured; ``malformed``,
            ``too_large``; a code of the checklist; ``decryption``: all else, whatever it was.
        ConfigurationError: the extra that decrypts is not installed.
    """
    require_decryption(rp)
    seal = SealSubject(document=document, encrypted=is_jwe(token), rp=rp)
    run_checks(checklists.seal, seal)
    if not seal.encrypted:
        return token
    jwe = parse_jwe(token, document=document)
    key = _choose_key(jwe, rp.client_keys.decryption)
    run_checks(checklists.encrypted_token, EncryptedSubject(document=document, jwe=jwe, key=key, rp=rp))
    content = None if key is None else _decrypt(jwe, key, rp.content_encryption)
    if content is None:
        # One code for every reason, so that nobody learns from us what was wrong with a forgery.
        raise VerificationError(f"{document}.decryption")
    return content


def _choose_key(jwe: UnverifiedJWE, keys: tuple[DecryptionKey, ...]) -> DecryptionKey | None:
    """Choose the key that the header names; without a name there must be no choice."""
    named = [key for key in keys if jwe.kid in {None, key.kid}]
    return named[0] if len(named) == 1 else None


def decrypt_agreed(jwe: UnverifiedJWE, private_key: ec.EllipticCurvePrivateKey) -> bytes | None:
    """Return what was encrypted by ``ECDH-ES`` and AES-GCM for a P-256 key, or ``None`` when it was not.

    This one way needs no library beside the one for everything: agreement, derivation and decryption are a call
    each (RFC 7518 §4.6.2, §5.3), and the parts were taken out strictly before.

    Args:
        jwe: untrusted; its ``alg`` was compared.
        private_key: of ours.
    """
    bits, epk = _GCM_BITS.get(jwe.enc), jwe.epk
    if bits is None or epk is None or epk.crv != "P-256" or jwe.encrypted_key:
        return None
    if (len(epk.x), len(epk.y), len(jwe.iv), len(jwe.tag)) != (32, 32, *_SIZES[jwe.enc]):
        return None
    parties = (jwe.enc.encode(), jwe.apu, jwe.apv)
    info = b"".join(len(each).to_bytes(4, "big") + each for each in parties) + bits.to_bytes(4, "big")
    try:
        # A point that is not on the curve is refused here.
        point = b"\x04" + epk.x + epk.y
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(private_key.curve, point)
        shared = private_key.exchange(ec.ECDH(), public_key)
        content_key = ConcatKDFHash(hashes.SHA256(), length=bits // 8, otherinfo=info).derive(shared)
        protected = jwe.token.partition(b".")[0]
        return AESGCM(content_key).decrypt(jwe.iv, jwe.ciphertext + jwe.tag, protected)
    except (InvalidTag, ValueError):
        return None


def _decrypt(jwe: UnverifiedJWE, key: DecryptionKey, enc: str) -> bytes | None:
    """Return the content, or ``None`` when it was not encrypted for this key in its one way."""
    if (len(jwe.iv), len(jwe.tag)) != _SIZES[enc] or not _fits_curve(jwe, key):
        return None
    registry, private_key = _joserfc(key, enc)
    from joserfc.errors import JoseError  # noqa: PLC0415 - only who decrypts pays for the import
    from joserfc.jwe import decrypt_compact  # noqa: PLC0415 - likewise

    try:
        return decrypt_compact(jwe.token, private_key, registry=registry).plaintext
    except (JoseError, ValueError):
        return None


def _fits_curve(jwe: UnverifiedJWE, key: DecryptionKey) -> bool:
    """Tell whether the sender's key has the curve of ours; that it lies on it is found out by its import."""
    curve = key.public_jwk.get("crv")
    if curve is None:
        return True
    size = _COORDINATES[curve]
    epk = jwe.epk
    return epk is not None and (epk.crv, len(epk.x), len(epk.y)) == (curve, size, size)


def _joserfc(key: DecryptionKey, enc: str) -> tuple[JWERegistry, ECKey | RSAKey]:
    """Return a registry of the two algorithms of this key and no others, with our own limits, and the key."""
    from joserfc.jwe import JWERegistry  # noqa: PLC0415 - only who decrypts pays for the import
    from joserfc.jwk import ECKey, RSAKey  # noqa: PLC0415 - likewise

    known = JWERegistry.algorithms
    registry = JWERegistry(algorithms=[key.algorithm, enc], strict_check_header=False)
    registry.algorithms = {
        "alg": {key.algorithm: known["alg"][key.algorithm]},
        "enc": {enc: known["enc"][enc]},
        "zip": {},
    }
    # Its own limit is too low for a header with a certificate, and for a large assertion.
    registry.max_protected_header_length = registry.max_ciphertext_length = JWE_MAX_BYTES
    registry.max_encrypted_key_length = JWE_KEY_MAX_BYTES * 2
    private_key = key.private_key
    if isinstance(private_key, rsa.RSAPrivateKey):
        return registry, RSAKey.import_key(private_key)
    return registry, ECKey.import_key(private_key)
