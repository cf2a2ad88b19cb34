"""Certificate revocation lists: read once, verified once, indexed by serial number (RFC 5280 §5).

Only complete and direct lists are read: all certificates of one authority, signed by that authority
itself. Delta, indirect and partitioned lists are refused by a code of their own, so that half a list
is never taken for a whole one. A list is judged in this order; the numbers stand beside the code.

1. It has at most 16 MiB and is strict DER.
2. It is that of the authority whose certificate is given: the same name, byte for byte.
3. The authority may sign lists, with an algorithm of the closed table, and this signature is its own.
4. It is complete and direct, and carries nothing critical that is not understood.
5. It has a number and an end, has begun, and its end has not come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID, SignatureAlgorithmOID

from cyberid_client.errors import ChainError, ConfigurationError, RevocationError
from cyberid_client.trust.algorithms import ALGORITHMS, encode_public_key, is_accepted_key
from cyberid_client.trust.certificates import CertificateFacts, read_certificate
from cyberid_client.trust.revocation import IssuedCertificate, RevocationList

__all__ = ["CRL_BYTES_MAX", "authority_of", "issued_certificates", "load_crl"]

CRL_BYTES_MAX: Final = 16 * 1024 * 1024

_SIGNATURES: Final = frozenset().union(
    *(row.certificate_oids for row in ALGORITHMS.values() if row.is_available)
)
_PSS_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_DELTA_LIST: Final = ExtensionOID.DELTA_CRL_INDICATOR
_PARTITION: Final = ExtensionOID.ISSUING_DISTRIBUTION_POINT
_HARMLESS_EVEN_IF_CRITICAL: Final = frozenset({ExtensionOID.AUTHORITY_KEY_IDENTIFIER})
_ENTRY_UNDERSTOOD: Final = frozenset({CRLEntryExtensionOID.CRL_REASON, CRLEntryExtensionOID.INVALIDITY_DATE})


def authority_of(certificate: CertificateFacts) -> bytes:
    """Return the name under which an authority's list is kept: a hash over its name and its key.

    A new key under the old name is another authority with another list (RFC 5280 §6.3.3 (f)).
    """
    return _authority(certificate.der)


# The same few authorities stand above every signer.
@lru_cache(maxsize=16)
def _authority(der: bytes) -> bytes:
    certificate = read_certificate(der)
    name = certificate.subject.public_bytes()
    digest = hashlib.sha256(len(name).to_bytes(4, "big") + name)
    digest.update(encode_public_key(certificate.public_key))
    return digest.digest()


def issued_certificates(path: Sequence[CertificateFacts]) -> tuple[IssuedCertificate, ...]:
    """Return what must be asked about a believed path, leaf first and root last.

    A root is pinned, and answers for itself.
    """
    return tuple(
        _issued(certificate, issuer, is_leaf=number == 0)
        for number, (certificate, issuer) in enumerate(pairwise(path))
    )


def _issued(certificate: CertificateFacts, issuer: CertificateFacts, *, is_leaf: bool) -> IssuedCertificate:
    points = [
        extension.value
        for extension in certificate.certificate.extensions
        if type(extension.value) is x509.CRLDistributionPoints
    ]
    return IssuedCertificate(
        serial=certificate.certificate.serial_number,
        authority=authority_of(issuer),
        issuer=issuer.der,
        required=is_leaf or bool(points),
        distribution_points=tuple(url for all_ in points for point in all_ for url in _addresses(point)),
    )


def _addresses(point: x509.DistributionPoint) -> list[str]:
    """Return the addresses of a whole list that the authority itself signs (RFC 5280 §4.2.1.13)."""
    if point.reasons is not None or point.crl_issuer is not None:
        return []
    names = point.full_name or ()
    return [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]


def load_crl(der: bytes, *, issuer: bytes, now: datetime, leeway: int = 0) -> RevocationList:
    """Read and verify one list, for any number of look-ups after that.

    Args:
        der: untrusted.
        issuer: the authority's certificate, DER, from a path that was believed. That it is to be
            believed is *not* checked here.
        now: aware.
        leeway: seconds that are forgiven when the list is dated ahead of our clock.

    Returns:
        The list, indexed.

    Raises:
        RevocationError: ``revocation.list_*``, by the rule that is broken.
        ConfigurationError: ``time.naive``, when ``now`` has no time zone.
    """
    if now.utcoffset() is None:
        raise ConfigurationError("time.naive")
    # Point 1 of the list.
    if len(der) > CRL_BYTES_MAX:
        raise RevocationError("revocation.list_too_large")
    try:
        authority = read_certificate(issuer)
        return _load(der, authority, now, timedelta(seconds=leeway))
    except RevocationError:  # judged in there
        raise
    except ChainError as error:
        raise RevocationError("revocation.list_issuer") from error
    except Exception as error:
        # As for certificates: ValueError, TypeError, DuplicateExtension, warnings turned into errors …
        raise RevocationError("revocation.list_malformed") from error


def _load(der: bytes, authority: CertificateFacts, now: datetime, leeway: timedelta) -> RevocationList:
    parsed = x509.load_der_x509_crl(der)
    # Point 2 of the list.
    if parsed.issuer.public_bytes() != authority.subject.public_bytes():
        raise RevocationError("revocation.list_issuer")
    _require_signature(parsed, authority)  # point 3
    _require_complete(parsed)  # point 4
    serials = frozenset(map(_serial, parsed))
    # Point 5.
    number, since, until = _number(parsed), parsed.last_update_utc, parsed.next_update_utc
    if until is None:
        raise RevocationError("revocation.list_endless")
    if until <= since:
        raise RevocationError("revocation.list_malformed")
    if since > now + leeway:
        raise RevocationError("revocation.list_in_future")
    if until <= now:
        raise RevocationError("revocation.list_stale")
    return RevocationList(
        authority=authority_of(authority),
        number=number,
        this_update=since,
        next_update=until,
        asked_at=now,
        serials=serials,
    )


def _require_signature(parsed: x509.CertificateRevocationList, authority: CertificateFacts) -> None:
    usage, key = authority.key_usage, authority.public_key
    if usage is None or not usage.crl_sign:
        raise RevocationError("revocation.list_key_usage")
    oid = parsed.signature_algorithm_oid
    if oid == SignatureAlgorithmOID.RSASSA_PSS:
        hash_ = parsed.signature_hash_algorithm
        listed = hash_ is not None and hash_.name in _PSS_HASHES
    else:
        listed = oid.dotted_string in _SIGNATURES
    if not listed or not is_accepted_key(key):
        raise RevocationError("revocation.list_algorithm")
    if not _holds(parsed, key):
        raise RevocationError("revocation.list_signature")


def _holds(parsed: x509.CertificateRevocationList, key: object) -> bool:
    usable: CertificateIssuerPublicKeyTypes = key  # type: ignore[assignment] # a key of the closed table, by now
    try:
        return parsed.is_signature_valid(usable)
    except Exception:  # noqa: BLE001 - whatever the library says, the signature is not the authority's
        return False


def _require_complete(parsed: x509.CertificateRevocationList) -> None:
    """Refuse what is not the whole list of one authority (RFC 5280 §5.2.4, §5.2.5).

    Any issuingDistributionPoint is refused, also one that only names an address: a list of a part of
    the certificates looks just like that.
    """
    for extension in parsed.extensions:
        if extension.oid in {_DELTA_LIST, _PARTITION}:
            raise RevocationError("revocation.list_unsupported")
        if extension.critical and extension.oid not in _HARMLESS_EVEN_IF_CRITICAL:
            raise RevocationError("revocation.list_unsupported")


def _number(parsed: x509.CertificateRevocationList) -> int:
    """Return the list's number, which every conforming authority writes (RFC 5280 §5.2.3)."""
    for extension in parsed.extensions:
        if isinstance(extension.value, x509.CRLNumber):
            return extension.value.crl_number
    raise RevocationError("revocation.list_malformed")


def _serial(entry: x509.RevokedCertificate) -> int:
    """Return the serial number of an entry that is understood whole.

    Every entry counts as revoked, a hold included. An entry of another authority, an entry that takes
    something off the list, and one with a critical extension that is not understood would make this
    another kind of list.
    """
    for extension in entry.extensions:
        if extension.oid not in _ENTRY_UNDERSTOOD and extension.critical:
            raise RevocationError("revocation.list_unsupported")
        value = extension.value
        if isinstance(value, x509.CRLReason) and value.reason is x509.ReasonFlags.remove_from_crl:
            raise RevocationError("revocation.list_unsupported")
        if isinstance(value, x509.CertificateIssuer):
            raise RevocationError("revocation.list_unsupported")
    return entry.serial_number
