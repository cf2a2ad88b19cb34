"""A certificate authority for tests that makes what it is told to make, bad certificates included."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUER = "https://issuer.example"
HOST = "issuer.example"
ASSERTION = "1.3.6.1.4.1.32473.1.1"
METADATA = "1.3.6.1.4.1.32473.1.2"
TEST_MARK = "1.3.6.1.4.1.32473.1.99"
ANY_EKU = "2.5.29.37.0"
ANY_POLICY = "2.5.29.32.0"

P256_DER = bytes.fromhex("06082a8648ce3d030107")
SM2_DER = bytes.fromhex("06082a811ccf5501822d")
ECDSA_SHA256_DER = bytes.fromhex("06082a8648ce3d040302")
SM2_SM3_DER = bytes.fromhex("06082a811ccf55018375")

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_MAKERS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "RSA-1024": lambda: rsa.generate_private_key(65537, 1024),  # noqa: S505 - made to be refused
    "RSA-2047": lambda: rsa.generate_private_key(65537, 2047),  # noqa: S505 - made to be refused
    "RSA-2048": lambda: rsa.generate_private_key(65537, 2048),
    "RSA-e3": lambda: rsa.generate_private_key(3, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "Ed448": ed448.Ed448PrivateKey.generate,
    "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
}


@functools.cache
def key(kind="P-256", label=""):
    """Return one private key per kind and label, made when first asked for."""
    return _MAKERS[kind]()


def key_usage(*names, critical=True):
    return x509.KeyUsage(**{name: name in names for name in _USAGES}), critical


def ekus(*oids, critical=False):
    return x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in oids]), critical


def policies(*oids, critical=False):
    entries = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
    return x509.CertificatePolicies(entries), critical


def names(*values, critical=False):
    return x509.SubjectAlternativeName(list(values)), critical


def uri(value):
    return x509.UniformResourceIdentifier(value)


def dns(value):
    return x509.DNSName(value)


def basic(*, ca, path_length=None, critical=True):
    return x509.BasicConstraints(ca=ca, path_length=path_length), critical


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    der: bytes
    key: object

    @property
    def parsed(self):
        return x509.load_der_x509_certificate(self.der)

    @property
    def pem(self):
        return self.parsed.public_bytes(Encoding.PEM)

    @property
    def key_info(self):
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def issue(
    subject,
    issuer=None,
    *,
    kind="P-256",
    extensions: Sequence = (),
    not_before=NOW - DAY,
    not_after=NOW + DAY,
    issuer_name=None,
    sign_with=None,
    hash_=None,
    padding=None,
    serial_number=None,
):
    """Issue a certificate with exactly these extensions; without an issuer, self-signed."""
    own = key(kind, subject)
    signer = sign_with or (issuer.key if issuer else own)
    named = issuer.parsed.subject if issuer else common_name(issuer_name or subject)
    if issuer_name:
        named = common_name(issuer_name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(subject))
        .issuer_name(named)
        .public_key(own.public_key())
        .serial_number(serial_number or x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    if hash_ is None and isinstance(signer, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        hash_ = hashes.SHA256()
    certificate = builder.sign(signer, hash_, rsa_padding=padding)
    return Issued(certificate.public_bytes(Encoding.DER), own)


def merge(defaults, changes, drop):
    """Replace the default extensions by those of the same type, and leave some types out."""
    changed = {type(value) for value, _ in changes} | set(drop)
    return [one for one in defaults if type(one[0]) not in changed] + list(changes)


def authority(subject, issuer=None, *extensions, drop=(), **options):
    """Issue a certificate authority: well formed, but for what is asked otherwise."""
    defaults = [basic(ca=True), key_usage("key_cert_sign", "crl_sign")]
    return issue(subject, issuer, extensions=merge(defaults, extensions, drop), **options)


def signer(issuer, *extensions, drop=(), subject="Signer", **options):
    """Issue a signer of assertions: well formed, but for what is asked otherwise."""
    defaults = [
        basic(ca=False),
        key_usage("digital_signature"),
        ekus(ASSERTION),
        names(uri(ISSUER), dns(HOST)),
    ]
    return issue(subject, issuer, extensions=merge(defaults, extensions, drop), **options)


def _der(tag, content):
    size = len(content)
    head = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
    prefix = bytes([tag, size]) if size < 128 else bytes([tag, 0x80 | len(head)]) + head
    return prefix + content


def patch(issued, issuer, old, new):
    """Replace bytes by as many others inside the signed part, and sign it anew (P-256 issuers)."""
    assert len(old) == len(new)
    certificate = issued.parsed
    assert old in certificate.tbs_certificate_bytes
    tbs = certificate.tbs_certificate_bytes.replace(old, new)
    signature = issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    algorithm = _der(0x30, new if old == ECDSA_SHA256_DER else ECDSA_SHA256_DER)
    return Issued(_der(0x30, tbs + algorithm + _der(0x03, b"\0" + signature)), issued.key)
