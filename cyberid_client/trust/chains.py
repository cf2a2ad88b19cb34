"""The one function that believes a certificate chain.

A chain is believed when each of these holds, in this order; the numbers stand beside the code.

1. It has no more certificates than the profile allows, each at most 16 KiB and 192 elements of
   strict DER.
2. No certificate carries the test mark, unless the trust store was made for tests.
3. Every signature and every key is of a kind in the closed table, and no key is below its floor.
4. No certificate is self-signed; a root that comes along as the last element is put aside first.
5. No certificate carries a critical extension that is not understood, or one beyond the engine.
6. The leaf is no authority, allows digital signatures, and has exactly the purpose, the names and
   the policies of the profile.
7. No authority is limited to other purposes or, where policies are asked for, to other policies.
8. The leaf is inside its dates, and a path to a pinned root holds by RFC 5280 §6.1.
9. The root of that path allows the purpose, too, and every date of the path holds to the second.

Nothing before point 8 rests on a signature; it is cheap and refuses, it never believes. The work of
point 8 is bounded, too (:mod:`cyberid_client.trust.paths`).

Whether a certificate was taken back is no part of this verdict, which may be kept: it is asked about
afresh every time, last of all, and only of those who bring the lists.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust.algorithms import (
    RSA_BITS_MIN,
    RSA_EXPONENT_MIN,
    encode_public_key,
    is_accepted_key,
)
from cyberid_client.trust.cache import ChainCache
from cyberid_client.trust.certificates import CertificateFacts, read_certificate
from cyberid_client.trust.crl import issued_certificates
from cyberid_client.trust.engine import DEFAULT_ENGINE, PathEngine
from cyberid_client.trust.paths import find_path
from cyberid_client.trust.profile import ChainProfile
from cyberid_client.trust.purposes import TEST_MARK_POLICY
from cyberid_client.trust.revocation import IssuedCertificate, RevocationLists, RevocationPolicy
from cyberid_client.trust.roots import TrustStore

__all__ = ["Chain", "verify_chain"]

_REQUIRE: Final = RevocationPolicy.require()
_ANY_EKU: Final = "2.5.29.37.0"
_ANY_POLICY: Final = "2.5.29.32.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A believed chain: the evidence that :func:`verify_chain` returns.

    Attributes:
        leaf: DER.
        intermediates: DER of the authorities on the path, from the leaf's issuer upwards.
        anchor_sha256: hex fingerprint of the pinned root.
        leaf_sha256: hex fingerprint of the leaf.
        public_key_info: the leaf's SubjectPublicKeyInfo, canonical DER.
        public_key: the leaf's key, loaded, for :meth:`Algorithm.verify`.
        not_before: the latest notBefore on the path, root included; UTC.
        not_after: the earliest notAfter on the path, root included; UTC.
        certificates: what is to be asked about each certificate of the path but the root, leaf first.
    """

    leaf: bytes = field(repr=False)
    intermediates: tuple[bytes, ...] = field(repr=False)
    anchor_sha256: str
    leaf_sha256: str
    public_key_info: bytes = field(repr=False)
    public_key: object = field(repr=False, compare=False)
    not_before: datetime
    not_after: datetime
    certificates: tuple[IssuedCertificate, ...] = field(repr=False)


def verify_chain(
    leaf: bytes,
    intermediates: Sequence[bytes],
    *,
    trust: TrustStore,
    profile: ChainProfile,
    now: datetime,
    crls: RevocationLists | None = None,
    revocation: RevocationPolicy = _REQUIRE,
    cache: ChainCache | None = None,
) -> Chain:
    """Believe a chain at one moment, or refuse it.

    Without ``crls`` nothing is said about revocation: the caller asks :meth:`RevocationLists.require_good`
    about :attr:`Chain.certificates`, when the rest of a document holds.

    Args:
        leaf: DER of the signer's certificate; untrusted.
        intermediates: DER of the certificates that came with it; untrusted.
        trust: the pinned roots.
        profile: what the leaf and its chain must look like.
        now: aware; dates are inclusive at both ends and forgive nothing (RFC 5280 §4.1.2.5).
        crls: the revocation lists that are known; asked also when the verdict was kept.
        revocation: what is demanded of them.
        cache: where good verdicts are kept.

    Returns:
        The path that was found, with the leaf's key.

    Raises:
        ChainError: ``chain.*``, by the rule that is broken.
        RevocationError: ``revocation.revoked``, ``revocation.unknown`` or ``revocation.unreachable``.
        ConfigurationError: ``time.naive``, when ``now`` has no time zone.
    """
    if now.utcoffset() is None:
        raise ConfigurationError("time.naive")
    chain = _kept_or_verified(leaf, intermediates, trust=trust, profile=profile, now=now, cache=cache)
    if crls is not None:
        crls.require_good(chain.certificates, policy=revocation, now=now.timestamp())
    return chain


def _kept_or_verified(
    leaf: bytes,
    intermediates: Sequence[bytes],
    *,
    trust: TrustStore,
    profile: ChainProfile,
    now: datetime,
    cache: ChainCache | None,
) -> Chain:
    if cache is None:
        return _verify(leaf, intermediates, trust=trust, profile=profile, now=now)
    key = cache.key(leaf, intermediates, trust, profile)
    chain = cache.get(key, now=now)
    if chain is None:
        chain = _verify(leaf, intermediates, trust=trust, profile=profile, now=now)
        cache.put(key, chain)
    return chain


def _verify(
    leaf: bytes,
    intermediates: Sequence[bytes],
    *,
    trust: TrustStore,
    profile: ChainProfile,
    now: datetime,
    engine: PathEngine = DEFAULT_ENGINE,
) -> Chain:
    """Walk the numbered list of this module."""
    if intermediates and trust.pins(intermediates[-1]):
        intermediates = intermediates[:-1]
    # Point 1 of the list.
    if len(intermediates) > profile.max_intermediates:
        raise ChainError("chain.too_long")
    signer, *authorities = certificates = [read_certificate(der) for der in (leaf, *intermediates)]
    for certificate in certificates:
        _require_acceptable(certificate, trust=trust, engine=engine)  # points 2 to 5
    _require_signer(signer, profile)  # point 6
    for authority in authorities:
        _require_authority(authority, signer, profile)  # point 7
    # Point 8.
    _require_dates([signer], now)
    try:
        path = find_path(
            signer,
            authorities,
            anchors=trust.anchors,
            engine=engine,
            now=now,
            max_intermediates=profile.max_intermediates,
        )
    except ChainError as error:
        if error.code == "chain.too_complex":
            raise
        _explain_refusal(signer, [*authorities, *trust.anchors], engine=engine, now=now)
        raise
    # Point 9.
    anchor = path[-1]
    if not engine.judges(anchor) or anchor.critical_unknown:
        raise ChainError("chain.engine_required")
    _require_ca_purpose(anchor, signer, profile)
    _require_dates(path, now)
    return Chain(
        leaf=leaf,
        intermediates=tuple(one.der for one in path[1:-1]),
        anchor_sha256=hashlib.sha256(anchor.der).hexdigest(),
        leaf_sha256=hashlib.sha256(leaf).hexdigest(),
        public_key_info=encode_public_key(signer.public_key),
        public_key=signer.public_key,
        not_before=max(one.not_before for one in path),
        not_after=min(one.not_after for one in path),
        certificates=issued_certificates(path),
    )


def _require_acceptable(certificate: CertificateFacts, *, trust: TrustStore, engine: PathEngine) -> None:
    # Point 2 of the list.
    if TEST_MARK_POLICY in certificate.policies and not trust.is_for_tests:
        raise ChainError("chain.test_mark")
    # Point 3 of the list.
    if not certificate.signature_listed:
        raise ChainError("chain.signature_algorithm")
    if not engine.judges(certificate):
        raise ChainError("chain.engine_required")
    if not is_accepted_key(certificate.public_key):
        raise ChainError(_refused_key(certificate.public_key))
    # Point 4.
    if certificate.is_self_signed:
        raise ChainError("chain.self_signed")
    # Point 5.
    if certificate.critical_unknown:
        raise ChainError("chain.extension")


def _refused_key(key: object) -> str:
    weak = isinstance(key, rsa.RSAPublicKey) and (
        key.key_size < RSA_BITS_MIN or key.public_numbers().e < RSA_EXPONENT_MIN
    )
    return "chain.key_too_weak" if weak else "chain.key_algorithm"


def _require_signer(leaf: CertificateFacts, profile: ChainProfile) -> None:
    usage = leaf.key_usage
    if leaf.is_ca or (usage is not None and usage.key_cert_sign):
        raise ChainError("chain.leaf_is_ca")
    if profile.key_usage is not None and not (usage is not None and usage.digital_signature):
        raise ChainError("chain.key_usage")
    if profile.ekus is not None and not (
        leaf.ekus is not None and len(leaf.ekus) == 1 and leaf.ekus[0] in profile.ekus
    ):
        raise ChainError("chain.purpose")
    if profile.san_uri is not None and _uris(leaf) != [profile.san_uri]:
        raise ChainError("chain.subject_uri")
    if profile.san_host is not None and _hosts(leaf) != [_expected_host(profile.san_host)]:
        raise ChainError("chain.subject_host")
    if not profile.policies <= leaf.policies:
        raise ChainError("chain.policy")


def _uris(leaf: CertificateFacts) -> list[str]:
    return [name.value for name in leaf.names if type(name) is x509.UniformResourceIdentifier]


def _hosts(leaf: CertificateFacts) -> list[str]:
    """Return every host that the leaf names, its kind in front; letter case means nothing in DNS."""
    hosts = []
    for name in leaf.names:
        if type(name) is x509.DNSName:
            hosts.append(f"dns {name.value.lower()}")
        elif type(name) is x509.IPAddress:
            hosts.append(f"ip {name.value}")
    return hosts


@lru_cache(maxsize=8)
def _expected_host(host: str) -> str:
    try:
        return f"ip {ipaddress.ip_address(host)}"
    except ValueError:
        return f"dns {host.lower()}"


def _require_authority(authority: CertificateFacts, leaf: CertificateFacts, profile: ChainProfile) -> None:
    _require_ca_purpose(authority, leaf, profile)
    if profile.policies and not (_ANY_POLICY in authority.policies or profile.policies <= authority.policies):
        raise ChainError("chain.policy")


def _require_ca_purpose(authority: CertificateFacts, leaf: CertificateFacts, profile: ChainProfile) -> None:
    """Demand that an authority with usages allows the leaf's one: X.509 does not say so itself."""
    if profile.ekus is None or authority.ekus is None:
        return
    if not {*(leaf.ekus or ()), _ANY_EKU} & set(authority.ekus):
        raise ChainError("chain.ca_purpose")


def _require_dates(certificates: Iterable[CertificateFacts], now: datetime) -> None:
    # A date names a whole second (RFC 5280 §4.1.2.5), the last one included.
    second = now.replace(microsecond=0)
    for certificate in certificates:
        if second < certificate.not_before:
            raise ChainError("chain.not_yet_valid")
        if second > certificate.not_after:
            raise ChainError("chain.expired")


def _explain_refusal(
    leaf: CertificateFacts,
    issuers: Sequence[CertificateFacts],
    *,
    engine: PathEngine,
    now: datetime,
) -> None:
    """Say why there is no path, if a date or the engine is the reason; engines have no codes.

    Only certificates whose names lead upwards from the leaf count: others are no obstacle.
    """
    reached = [leaf]
    for one in reached:
        reached += [up for up in issuers if up.subject == one.issuer and up not in reached]
    _require_dates(reached, now)
    if not all(engine.judges(one) for one in reached):
        raise ChainError("chain.engine_required")
