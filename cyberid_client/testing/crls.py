"""The revocation lists of the mock: every authority publishes one, complete, direct, good for a week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.jose import PrivateKey
from cyberid_client.testing.pki import Authority, signing_hash, signing_padding

if TYPE_CHECKING:
    from cyberid_client.testing.keyring import Keyring  # it imports this module

__all__ = ["CRLS_PATH", "CRLDraft", "Entry", "RevocationDesk"]

CRLS_PATH: Final = "/crl"
_LIST_LIFE: Final = timedelta(days=7)
# From here on the first octet of a length counts the octets that follow (X.690 §8.1.3.5).
_LONG_FORM: Final = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One revoked certificate.

    Attributes:
        serial: its number.
        since: when it was taken back.
        reason: RFC 5280 §5.3.1, as the library spells it: ``key_compromise``, ``certificate_hold`` …
    """

    serial: int
    since: datetime
    reason: str = "unspecified"


@dataclass(slots=True, kw_only=True)
class CRLDraft:
    """A revocation list before it is signed.

    Attributes:
        authority: who signs.
        keyring: the issuer's keys.
        entries: what stands on it.
        this_update: its date.
        next_update: its end; ``None`` leaves it out.
        number: the CRL number; ``None`` leaves it out.
        extensions: more extensions, each with its critical flag.
        edit: the last change to the signed bytes.
        digest: the hash that the authority signs with; ``None`` for the one that goes with its key.
        status: of the answer.
        quirk: ``None``, or how the connection misbehaves, as for every answer.
        now: the issuer's time.
    """

    authority: Authority
    keyring: Keyring = field(repr=False)
    entries: list[Entry]
    this_update: datetime
    next_update: datetime | None
    number: int | None
    extensions: list[tuple[x509.ExtensionType, bool]] = field(default_factory=list)
    edit: Callable[[bytes], bytes] = field(default=lambda data: data, repr=False)
    digest: hashes.SHA224 | None = None
    status: int = 200
    quirk: str | None = None
    now: datetime

    def encode(self) -> bytes:
        """Return the signed list, DER."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.authority.certificate.subject)
            .last_update(self.this_update)
            .next_update(self.next_update or self.this_update + _LIST_LIFE)
        )
        key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.key.public_key())
        builder = builder.add_extension(key, critical=False)
        if self.number is not None:
            builder = builder.add_extension(x509.CRLNumber(self.number), critical=False)
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical=critical)
        for entry in self.entries:
            builder = builder.add_revoked_certificate(_revoked(entry))
        signer = self.authority.key
        digest = self.digest or signing_hash(signer)
        made = builder.sign(signer, digest, rsa_padding=signing_padding(signer))
        data = made.public_bytes(serialization.Encoding.DER)
        return self.edit(data if self.next_update is not None else _without_end(made, signer))


def _without_end(made: x509.CertificateRevocationList, signer: PrivateKey) -> bytes:
    """Cut the end out of a list and sign it again: the library's builder makes none without one."""
    if not isinstance(signer, ec.EllipticCurvePrivateKey) or made.next_update_utc is None:
        raise TypeError(type(signer).__name__)
    end = b"\x17\x0d" + made.next_update_utc.strftime("%y%m%d%H%M%SZ").encode()
    data, inner = made.public_bytes(serialization.Encoding.DER), made.tbs_certlist_bytes
    algorithm = data[data.index(inner) + len(inner) :]
    algorithm = algorithm[: 2 + algorithm[1]]
    signed = _sequence(inner[_header_length(inner) :].replace(end, b"", 1))
    signature = b"\0" + signer.sign(signed, ec.ECDSA(hashes.SHA256()))
    return _sequence(signed + algorithm + bytes([3, len(signature)]) + signature)


def _header_length(element: bytes) -> int:
    """Return how many bytes of an element are tag and length."""
    return 2 if element[1] < _LONG_FORM else 2 + element[1] - _LONG_FORM


def _sequence(content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    length = bytes([size]) if size < _LONG_FORM else bytes([_LONG_FORM + len(octets)]) + octets
    return b"\x30" + length + content


def _revoked(entry: Entry) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(entry.since)
    if entry.reason != "unspecified":
        reason = x509.CRLReason(x509.ReasonFlags[entry.reason])
        builder = builder.add_extension(reason, critical=False)
    return builder.build()


class RevocationDesk:
    """Who publishes which list, and what stands on it."""

    def __init__(self) -> None:
        self._publishers: dict[str, Authority] = {}
        self._entries: dict[bytes, list[Entry]] = {}

    def publish(self, authority: Authority, name: str | None, issuer: str) -> Authority:
        """Let an authority publish its list from now on, and return it with the list's address.

        Args:
            authority: whose list.
            name: the last part of the address; a new one when left out.
            issuer: the origin.
        """
        path = f"{CRLS_PATH}/{name or _fingerprint(authority).hex()[:16]}.der"
        published = replace(authority, list_url=issuer + path)
        self._publishers[path] = published
        return published

    def forget_publishers(self) -> None:
        """Publish nothing until somebody asks for it again; what was taken back stays so."""
        self._publishers.clear()

    def revoke(self, certificate: x509.Certificate, by: Authority, *, reason: str, now: datetime) -> None:
        """Put a certificate on the list of the authority that issued it.

        Raises:
            ConfigurationError: ``config.value``: there is no such reason.
        """
        if reason not in x509.ReasonFlags.__members__ or reason == "remove_from_crl":
            raise ConfigurationError("config.value", "reason")
        entry = Entry(serial=certificate.serial_number, since=now.replace(microsecond=0), reason=reason)
        self._entries.setdefault(_fingerprint(by), []).append(entry)

    def draft(self, path: str, keyring: Keyring, now: datetime) -> CRLDraft | None:
        """Draft the list at this path; ``None``: there is none."""
        authority = self._publishers.get(path)
        if authority is None:
            return None
        second = now.replace(microsecond=0)
        return CRLDraft(
            authority=authority,
            keyring=keyring,
            entries=list(self._entries.get(_fingerprint(authority), [])),
            this_update=second,
            next_update=second + _LIST_LIFE,
            number=int(now.timestamp()),
            now=now,
        )


def _fingerprint(authority: Authority) -> bytes:
    return authority.certificate.fingerprint(hashes.SHA256())
