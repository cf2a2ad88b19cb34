"""The pinned roots: who is believed without proof."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from os import PathLike
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cyberid_client.errors import ChainError, ConfigurationError, VerificationError
from cyberid_client.trust.algorithms import is_accepted_key
from cyberid_client.trust.certificates import CertificateFacts, read_certificate
from cyberid_client.trust.purposes import TEST_MARK_POLICY
from cyberid_client.wire.strict_json import parse_json_object

__all__ = ["TrustStore"]

BUNDLE_MAX_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """A frozen set of pinned roots. Build it with one of the constructors, never by hand.

    Attributes:
        anchors: the roots, each once, in the order given.
        is_for_tests: roots and chains with the test mark are accepted, and so is http on loopback.
        fingerprint: SHA-256 (hex) over the set of roots and ``is_for_tests``; equal stores, equal
            fingerprints, in whatever order the roots were given.
        version: of the bundle that they came in, or ``None``.
        expires_at: from this moment on the bundle is out of date and starts no login; or ``None``.
    """

    anchors: tuple[CertificateFacts, ...] = field(repr=False)
    is_for_tests: bool
    fingerprint: str
    version: int | None = field(default=None, repr=False)
    expires_at: datetime | None = field(default=None, repr=False)

    @classmethod
    def from_pem(cls, pem: bytes) -> TrustStore:
        """Pin the certificates of a PEM file; all of them must be roots.

        Args:
            pem: one or more ``CERTIFICATE`` blocks.

        Raises:
            ConfigurationError: ``trust.empty``, ``trust.malformed``, ``trust.not_a_root``,
                ``trust.weak_root``, ``trust.test_root`` or ``config.algorithm_unavailable``.
        """
        return cls._of(_split_pem(pem), is_for_tests=False)

    @classmethod
    def from_der(cls, certificates: Iterable[bytes]) -> TrustStore:
        """Pin these certificates, each DER; errors are those of :meth:`from_pem`."""
        return cls._of(certificates, is_for_tests=False)

    @classmethod
    def from_bundle(cls, data: bytes) -> TrustStore:
        """Pin the roots of a versioned bundle that the operator rolls out to a fleet.

        Args:
            data: a JSON object with ``version`` (a whole number from 1), ``expires`` (RFC 3339, UTC, ending
                in ``Z``) and ``roots`` (a list of PEM texts), and nothing else.

        Raises:
            ConfigurationError: ``trust.bundle`` when it is not of this form; else as :meth:`from_pem`.
        """
        version, expires_at, pem = _read_bundle(data)
        return replace(cls._of(_split_pem(pem), is_for_tests=False), version=version, expires_at=expires_at)

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> TrustStore:
        """Pin the roots of a file: PEM, or a versioned bundle.

        Raises:
            ConfigurationError: ``config.file`` when it cannot be read; else as :meth:`from_pem` and
                :meth:`from_bundle`.
        """
        from cyberid_client.loading import trust_from_file  # noqa: PLC0415 - a floor above, where files are read

        return trust_from_file(path)

    @classmethod
    def for_tests(cls, pem: bytes) -> TrustStore:
        """Pin the roots of a mock issuer: never in production.

        Errors are those of :meth:`from_pem`, but for ``trust.test_root``.
        """
        return cls._of(_split_pem(pem), is_for_tests=True)

    @classmethod
    def _of(cls, certificates: Iterable[bytes], *, is_for_tests: bool) -> TrustStore:
        try:
            unique = dict.fromkeys(certificates)
        except TypeError as error:
            raise ConfigurationError("trust.malformed", "trust") from error
        anchors = tuple(_read_root(der, is_for_tests=is_for_tests) for der in unique)
        if not anchors:
            raise ConfigurationError("trust.empty", "trust")
        digest = hashlib.sha256(b"tests" if is_for_tests else b"production")
        for one in sorted(hashlib.sha256(anchor.der).digest() for anchor in anchors):
            digest.update(one)
        return cls(anchors=anchors, is_for_tests=is_for_tests, fingerprint=digest.hexdigest())

    def check_successor(self, new: TrustStore) -> None:
        """Refuse a store that must not take this one's place while logins go on.

        Roots are added before others are removed, so that a successor has at least one of the old ones;
        and what an operator rolled out is not replaced by something older.

        Raises:
            ConfigurationError: ``trust.disjoint``, ``trust.rolled_back``, ``trust.test_root``.
        """
        if new.is_for_tests != self.is_for_tests:
            raise ConfigurationError("trust.test_root", "trust")
        if not any(self.pins(anchor.der) for anchor in new.anchors):
            raise ConfigurationError("trust.disjoint", "trust")
        if self.version is not None and (new.version is None or new.version < self.version):
            raise ConfigurationError("trust.rolled_back", "trust")

    def pins(self, der: bytes) -> bool:
        """Tell whether this very certificate is one of the roots."""
        return any(anchor.der == der for anchor in self.anchors)


def _read_bundle(data: bytes) -> tuple[int, datetime, bytes]:
    try:
        members = parse_json_object(data, document="metadata", max_bytes=BUNDLE_MAX_BYTES)
        version, expires, roots = (members.pop(name) for name in ("version", "expires", "roots"))
        if members or type(version) is not int or version < 1 or type(roots) is not list:
            raise ConfigurationError("trust.bundle", "trust")
        if type(expires) is not str or not expires.endswith("Z"):
            raise ConfigurationError("trust.bundle", "trust")
        return version, datetime.fromisoformat(expires), "\n".join(roots).encode()
    except (VerificationError, KeyError, TypeError, ValueError):
        raise ConfigurationError("trust.bundle", "trust") from None


def _split_pem(pem: bytes) -> list[bytes]:
    try:
        certificates = x509.load_pem_x509_certificates(pem) if pem.strip() else []
        return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
    except Exception as error:
        raise ConfigurationError("trust.malformed", "trust") from error


def _read_root(der: bytes, *, is_for_tests: bool) -> CertificateFacts:
    try:
        root = read_certificate(der)
    except (ChainError, TypeError) as error:
        raise ConfigurationError("trust.malformed", "trust") from error
    if root.public_key is None and root.beyond_engine:
        raise ConfigurationError("config.algorithm_unavailable", "trust")
    if not (root.signature_listed and is_accepted_key(root.public_key)):
        raise ConfigurationError("trust.weak_root", "trust")
    if not (root.is_ca and root.is_self_signed):
        raise ConfigurationError("trust.not_a_root", "trust")
    if TEST_MARK_POLICY in root.policies and not is_for_tests:
        raise ConfigurationError("trust.test_root", "trust")
    return root
