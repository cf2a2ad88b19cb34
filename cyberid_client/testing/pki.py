"""A national-style public key infrastructure made on the fly: root, authority, one signer per purpose.

Every certificate carries the test mark, so that no production trust store takes any of them. A
:class:`CertificateForm` can describe a bad certificate as easily as a good one: that is what faults
are made of.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from cyberid_client.testing.jose import MLDSAPrivateKey, PrivateKey, PublicKey

__all__ = [
    "PURPOSES",
    "TEST_MARK",
    "Authority",
    "CertificateForm",
    "authority_form",
    "der",
    "host_of",
    "key_pem",
    "make_root",
    "pem",
    "relying_party_authority_form",
    "relying_party_form",
    "signer_form",
    "signing_hash",
    "signing_padding",
]

_ARC: Final = "1.3.6.1.4.1.32473.1"
TEST_MARK: Final = f"{_ARC}.99"
PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "assertion": f"{_ARC}.1",
        "metadata": f"{_ARC}.2",
        "credential": f"{_ARC}.3",
        "status": f"{_ARC}.4",
        "relying_party": f"{_ARC}.5",
    }
)
_ROOT_LIFE: Final = timedelta(days=3653)
_AUTHORITY_LIFE: Final = timedelta(days=1827)
_SIGNER_LIFE: Final = timedelta(days=397)
# Certificates are dated back a little, as real ones are, so that a slow clock is no obstacle.
_BACKDATED: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateForm:
    """What is to stand in a certificate, good or bad.

    Attributes:
        subject: the common name.
        not_before: aware; fractions of a second are cut.
        not_after: aware.
        ca: whether it may issue certificates.
        path_length: of a CA; ``None`` for no limit.
        digital_signature: the key usage bit of that name.
        purposes: EKU object identifiers; ``None`` leaves the extension out.
        uris: SAN URIs.
        hosts: SAN dNSNames, or iPAddresses where a host is a literal address.
        permitted_hosts: name constraints of a CA.
        policies: certificate policies; empty leaves the extension out.
        digest: the hash that the issuer signs with; ``None`` for the one that goes with its key.
        extensions: more extensions, each with its critical flag.
        signs_lists: of a CA: whether it may sign revocation lists.
        list_urls: where the issuer's revocation list is; ``None`` leaves it to the issuer.
    """

    subject: str
    not_before: datetime
    not_after: datetime
    ca: bool = False
    path_length: int | None = None
    digital_signature: bool = True
    purposes: tuple[str, ...] | None = None
    uris: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    permitted_hosts: tuple[str, ...] = ()
    policies: tuple[str, ...] = (TEST_MARK,)
    digest: hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    signs_lists: bool = True
    list_urls: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A key that issues certificates, and the chain that leads to it.

    Attributes:
        key: the private key.
        chain: its certificate first, up to but without the root; empty for the root itself.
        certificate: its own certificate.
        list_url: where its revocation list is; ``None``: it writes no address into certificates.
    """

    key: PrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...]
    certificate: x509.Certificate
    list_url: str | None = None

    def issue(self, form: CertificateForm, public_key: PublicKey) -> x509.Certificate:
        """Sign what the form says, whatever it says."""
        if form.list_urls is None and self.list_url is not None:
            form = replace(form, list_urls=(self.list_url,))
        return _sign(form, public_key, issuer=self.certificate.subject, key=self.key)

    def issue_chain(self, form: CertificateForm, public_key: PublicKey) -> tuple[x509.Certificate, ...]:
        """Return a certificate and what leads from it to the root, without the root."""
        return (self.issue(form, public_key), *self.chain)

    def found_authority(self, form: CertificateForm, key: PrivateKey | None = None) -> Authority:
        """Return an authority under this one, with a P-256 key unless another is given."""
        own = ec.generate_private_key(ec.SECP256R1()) if key is None else key
        certificate = self.issue(form, own.public_key())
        return Authority(key=own, chain=(certificate, *self.chain), certificate=certificate)


def make_root(
    now: datetime, *, subject: str = "Mock National Root (test only)", key: PrivateKey | None = None
) -> Authority:
    """Make a self-signed root with the test mark, good for ten years, with a P-256 key unless another is given."""
    form = CertificateForm(
        subject=subject,
        not_before=now - _BACKDATED,
        not_after=now + _ROOT_LIFE,
        ca=True,
        digital_signature=False,
    )
    own = ec.generate_private_key(ec.SECP256R1()) if key is None else key
    certificate = _sign(form, own.public_key(), issuer=_name(subject), key=own)
    return Authority(key=own, chain=(), certificate=certificate)


def authority_form(now: datetime, issuer: str) -> CertificateForm:
    """Describe the honest CA of an issuer: bound to its host, for the profile's purposes, no CA below."""
    return CertificateForm(
        subject="Mock Network Identity CA (test only)",
        not_before=now - _BACKDATED,
        not_after=now + _AUTHORITY_LIFE,
        ca=True,
        path_length=0,
        digital_signature=False,
        purposes=tuple(PURPOSES.values()),
        permitted_hosts=(host_of(issuer),),
    )


def signer_form(now: datetime, issuer: str, purpose: str) -> CertificateForm:
    """Describe the honest certificate of a signer: one purpose, one SAN URI, one host."""
    return CertificateForm(
        subject=f"Mock {purpose} signer (test only)",
        not_before=now - _BACKDATED,
        not_after=now + _SIGNER_LIFE,
        purposes=(PURPOSES[purpose],),
        uris=(issuer,),
        hosts=(host_of(issuer),),
    )


def relying_party_authority_form(now: datetime) -> CertificateForm:
    """Describe the CA of relying parties: for no other purpose, for any host, no CA below."""
    return CertificateForm(
        subject="Mock Relying Party CA (test only)",
        not_before=now - _BACKDATED,
        not_after=now + _AUTHORITY_LIFE,
        ca=True,
        path_length=0,
        digital_signature=False,
        purposes=(PURPOSES["relying_party"],),
    )


def relying_party_form(now: datetime, sector: str, endpoint: str) -> CertificateForm:
    """Describe what a relying party shows to wallets: its sector and its host, one of each."""
    return CertificateForm(
        subject="Mock relying party (test only)",
        not_before=now - _BACKDATED,
        not_after=now + _SIGNER_LIFE,
        purposes=(PURPOSES["relying_party"],),
        uris=(sector,),
        hosts=(host_of(endpoint),),
    )


def host_of(url: str) -> str:
    """Return the host of a URL, without brackets."""
    return urlsplit(url).hostname or ""


def pem(certificate: x509.Certificate) -> bytes:
    """Return the certificate in PEM form."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey) -> bytes:
    """Return the private key in PEM form, PKCS #8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def der(certificate: x509.Certificate) -> bytes:
    """Return the certificate in DER form."""
    return certificate.public_bytes(serialization.Encoding.DER)


def _name(subject: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Mock National Network Identity"),
            x509.NameAttribute(NameOID.COMMON_NAME, subject),
        ]
    )


def _sign(
    form: CertificateForm, public_key: PublicKey, *, issuer: x509.Name, key: PrivateKey
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(form.subject))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(form.not_before.replace(microsecond=0))
        .not_valid_after(form.not_after.replace(microsecond=0))
    )
    for extension, critical in _extensions(form, public_key, key.public_key()):
        builder = builder.add_extension(extension, critical=critical)
    digest = signing_hash(key) if form.digest is None else form.digest
    return builder.sign(key, digest, rsa_padding=signing_padding(key))


def signing_hash(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | None:
    """Return the hash that an authority signs with: none where the algorithm brings its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey | MLDSAPrivateKey):
        return None
    is_p384 = isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1)
    return hashes.SHA384() if is_p384 else hashes.SHA256()


def signing_padding(key: PrivateKey) -> padding.PSS | None:
    """Return the padding that an authority signs with: RSASSA-PSS for RSA, as PS256 does."""
    if not isinstance(key, rsa.RSAPrivateKey):
        return None
    digest = hashes.SHA256()
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)


def _extensions(
    form: CertificateForm, public_key: PublicKey, issuer_key: PublicKey
) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=form.ca, path_length=form.path_length), True),
        (_key_usage(form), True),
        (x509.SubjectKeyIdentifier.from_public_key(public_key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False),
    ]
    if form.purposes is not None:
        found.append((x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in form.purposes]), False))
    if form.uris or form.hosts:
        uris = [x509.UniformResourceIdentifier(uri) for uri in form.uris]
        found.append((x509.SubjectAlternativeName([*uris, *map(_san_of, form.hosts)]), False))
    if form.permitted_hosts:
        permitted = [_constraint_of(host) for host in form.permitted_hosts]
        found.append((x509.NameConstraints(permitted, None), True))
    if form.policies:
        policies = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in form.policies]
        found.append((x509.CertificatePolicies(policies), False))
    if form.list_urls:
        found.append((x509.CRLDistributionPoints([_point(url) for url in form.list_urls]), False))
    return [*found, *form.extensions]


def _point(url: str) -> x509.DistributionPoint:
    name = x509.UniformResourceIdentifier(url)
    return x509.DistributionPoint(full_name=[name], relative_name=None, reasons=None, crl_issuer=None)


def _key_usage(form: CertificateForm) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=form.digital_signature,
        content_commitment=not form.ca and not form.digital_signature,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=form.ca,
        crl_sign=form.ca and form.signs_lists,
        encipher_only=False,
        decipher_only=False,
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _san_of(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _constraint_of(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(ipaddress.ip_network(address))
