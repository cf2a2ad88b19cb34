"""Facts about one certificate: parsed once, all of it, or refused.

``cryptography`` parses extensions and keys lazily and lets its exceptions out at attribute access.
Everything that the rules need is read here, in one place, so that nothing of it can surface later.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, PublicKeyAlgorithmOID, SignatureAlgorithmOID

from cyberid_client.errors import ChainError, SignatureError
from cyberid_client.trust.algorithms import ALGORITHMS, Algorithm, encode_public_key
from cyberid_client.trust.parts import require_few_parts

__all__ = ["CERTIFICATE_BYTES_MAX", "CertificateFacts", "leaf_public_key", "read_certificate"]

CERTIFICATE_BYTES_MAX: Final = 16 * 1024
# Names, policies, usages and name constraints, each: an engine reads them again, and compares them.
ENTRIES_MAX: Final = 16

# A relying party must understand a critical extension or refuse the certificate (RFC 5280 §4.2).
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.NAME_CONSTRAINTS,
    }
)
# Critical or not: to ignore them would be to accept what their author wanted refused.
_POLICY_MACHINERY: Final = frozenset(
    {
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
_BEYOND_ENGINE: Final = ALGORITHMS["SM2-SM3"].certificate_oids | ALGORITHMS["EdDSA"].certificate_oids
_SIGNATURES: Final = frozenset().union(*(row.certificate_oids for row in ALGORITHMS.values()))
_PSS_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_SM2_CURVE_DER: Final = bytes.fromhex("06082a811ccf5501822d")


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What the rules ask about one certificate; nothing in it is believed yet.

    Attributes:
        der: the certificate as it arrived.
        certificate: the parsed object.
        public_key: ``None`` when it is of a kind that ``cryptography`` does not load.
        subject: as in the certificate.
        issuer: as in the certificate.
        not_before: first moment of validity, UTC.
        not_after: last moment of validity, UTC.
        is_ca: basicConstraints says so.
        key_usage: the extension, or ``None``.
        ekus: object identifiers of the extended key usages in their order, or ``None``.
        names: the subject alternative names.
        policies: object identifiers of the certificate policies.
        constraints: how many name constraints it lays on what is below it.
        signature_listed: the signature's algorithm is in the closed table.
        critical_unknown: there is a critical extension that is not understood.
        beyond_engine: something that the built-in engine cannot judge.
    """

    der: bytes = field(repr=False)
    certificate: x509.Certificate = field(repr=False)
    public_key: object = field(repr=False)
    subject: x509.Name = field(repr=False)
    issuer: x509.Name = field(repr=False)
    not_before: datetime
    not_after: datetime
    is_ca: bool
    key_usage: x509.KeyUsage | None
    ekus: tuple[str, ...] | None
    names: tuple[x509.GeneralName, ...] = field(repr=False)
    policies: frozenset[str]
    constraints: int
    signature_listed: bool
    critical_unknown: bool
    beyond_engine: bool

    @property
    def is_self_signed(self) -> bool:
        """Whether its own key made its signature: a root, not a key change of an authority."""
        if self.subject != self.issuer:
            return False
        try:
            self.certificate.verify_directly_issued_by(self.certificate)
        except Exception:  # noqa: BLE001 - whatever the library says, the signature is not its own
            return False
        return True


def read_certificate(der: bytes) -> CertificateFacts:
    """Parse one certificate completely.

    Args:
        der: untrusted.

    Raises:
        ChainError: ``chain.certificate_too_large``, ``chain.too_complex``, ``chain.key_algorithm`` (a curve
            that is spelt out) or ``chain.malformed``.
    """
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise ChainError("chain.certificate_too_large")
    try:
        return _read(der)
    except ChainError:  # judged in there
        raise
    except Exception as error:
        # ValueError, TypeError, OverflowError, UnsupportedAlgorithm, DuplicateExtension, warnings
        # turned into errors …: the library's list grows, and each of them means the same here.
        raise ChainError("chain.malformed") from error


def leaf_public_key(der: bytes, algorithm: Algorithm) -> tuple[object, bytes]:
    """Take the key out of a certificate before its chain is believed: to try a signature, no more.

    Args:
        der: untrusted.
        algorithm: the row that the key must belong to.

    Returns:
        The loaded key and its SubjectPublicKeyInfo, canonical DER.

    Raises:
        ChainError: ``chain.certificate_too_large`` or ``chain.malformed``.
        SignatureError: ``signature.key``, when the key is not one of the algorithm.
    """
    if len(der) > CERTIFICATE_BYTES_MAX:
        raise ChainError("chain.certificate_too_large")
    try:
        public_key = _public_key(x509.load_der_x509_certificate(der))
    except Exception as error:
        raise ChainError("chain.malformed") from error
    if not algorithm.accepts(public_key):
        raise SignatureError("signature.key")
    return public_key, encode_public_key(public_key)


# The same authorities come with every chain. The facts follow from the bytes alone, and nothing in them
# is believed for having been read before.
@lru_cache(maxsize=16)
def _read(der: bytes) -> CertificateFacts:
    require_few_parts(der)
    certificate = x509.load_der_x509_certificate(der)
    # A serial number is positive (§4.1.2.2); the library only warns.
    if certificate.version is not x509.Version.v3 or certificate.serial_number <= 0:
        raise ChainError("chain.malformed")
    # The library takes a signature that leaves bits of its last octet unused: the same certificate
    # would have two encodings. It is the last element, after one octet that counts those bits.
    if not der.endswith(b"\0" + certificate.signature):
        raise ChainError("chain.malformed")
    public_key = _public_key(certificate)
    # The library takes a curve that is spelt out with its parameters, and a point without its second
    # coordinate; a curve is named (RFC 5480 §2.1.1), and a key has one encoding.
    if (
        isinstance(public_key, ec.EllipticCurvePublicKey)
        and encode_public_key(public_key) not in certificate.tbs_certificate_bytes
    ):
        raise ChainError("chain.key_algorithm")
    extensions = {extension.oid: extension for extension in certificate.extensions}
    values = {oid: extension.value for oid, extension in extensions.items()}
    basic = values.get(ExtensionOID.BASIC_CONSTRAINTS)
    usage = values.get(ExtensionOID.KEY_USAGE)
    ekus = values.get(ExtensionOID.EXTENDED_KEY_USAGE)
    names = values.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    policies = values.get(ExtensionOID.CERTIFICATE_POLICIES)
    subtrees = _subtrees(values.get(ExtensionOID.NAME_CONSTRAINTS))
    if any(_is_long(one) for one in (names, policies, ekus, subtrees)):
        raise ChainError("chain.too_complex")
    critical = {oid for oid, extension in extensions.items() if extension.critical}
    return CertificateFacts(
        der=der,
        certificate=certificate,
        public_key=public_key,
        subject=certificate.subject,
        issuer=certificate.issuer,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_ca=isinstance(basic, x509.BasicConstraints) and basic.ca,
        key_usage=usage if isinstance(usage, x509.KeyUsage) else None,
        ekus=tuple(o.dotted_string for o in ekus) if isinstance(ekus, x509.ExtendedKeyUsage) else None,
        names=tuple(names) if isinstance(names, x509.SubjectAlternativeName) else (),
        policies=frozenset(p.policy_identifier.dotted_string for p in policies)
        if isinstance(policies, x509.CertificatePolicies)
        else frozenset(),
        constraints=len(subtrees),
        signature_listed=_signature_listed(certificate),
        critical_unknown=bool(critical - _UNDERSTOOD - _POLICY_MACHINERY),
        beyond_engine=bool(values.keys() & _POLICY_MACHINERY)
        # A constraint of another kind is one that the engine ignores or cannot read.
        or not all(isinstance(subtree, x509.DNSName | x509.IPAddress) for subtree in subtrees)
        or _has_foreign_keys(certificate, public_key),
    )


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except UnsupportedAlgorithm:
        return None


def _signature_listed(certificate: x509.Certificate) -> bool:
    oid = certificate.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        hash_ = certificate.signature_hash_algorithm
        return hash_ is not None and hash_.name in _PSS_HASHES
    return oid.dotted_string in _SIGNATURES


def _is_long(entries: object) -> bool:
    return isinstance(entries, Sized) and len(entries) > ENTRIES_MAX


def _subtrees(constraints: x509.ExtensionType | None) -> tuple[x509.GeneralName, ...]:
    if not isinstance(constraints, x509.NameConstraints):
        return ()
    return (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ()))


def _has_foreign_keys(certificate: x509.Certificate, public_key: object) -> bool:
    """Tell whether the key, or the signature of the issuer, is of a kind beyond the engine."""
    if certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        return True
    if certificate.signature_algorithm_oid.dotted_string in _BEYOND_ENGINE:
        return True
    # A key on SM2 is one that the library does not load. A false match only changes the code.
    return public_key is None and _SM2_CURVE_DER in certificate.tbs_certificate_bytes
