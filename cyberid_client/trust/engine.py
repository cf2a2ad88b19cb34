"""Path engines: find a way from a leaf to a pinned root by the rules of RFC 5280.

An engine checks signatures, names, dates, basicConstraints, path length, keyCertSign and name
constraints along the path. What the profile demands stands in front of it, in
:mod:`cyberid_client.trust.chains`, so that engines can be exchanged without changing the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from cyberid_client.errors import ChainError
from cyberid_client.trust.certificates import CertificateFacts

__all__ = ["DEFAULT_ENGINE", "BuiltinEngine", "PathEngine"]


class PathEngine(Protocol):
    """Find one valid path."""

    def judges(self, certificate: CertificateFacts) -> bool:
        """Tell whether the engine can judge a path through this certificate."""
        ...

    def holds(self, certificate: CertificateFacts, issuer: CertificateFacts) -> bool:
        """Tell whether the issuer's key made this certificate's signature; nothing else is judged."""
        ...

    def find_path(
        self,
        leaf: CertificateFacts,
        intermediates: Sequence[CertificateFacts],
        *,
        anchors: Sequence[CertificateFacts],
        now: datetime,
        max_intermediates: int,
    ) -> tuple[CertificateFacts, ...]:
        """Return a valid path at ``now``, leaf first and root last.

        Raises:
            ChainError: ``chain.untrusted``, when there is none.
        """
        ...


# The default policy for authorities demands basicConstraints with cA, keyCertSign and readable name
# constraints. Its rule for extended key usages knows only those of the web, hence the other one, and
# nesting is checked by the profile. A *critical* certificatePolicies would be refused if it were not
# named here. policyConstraints, policyMappings and inhibitAnyPolicy must never be named: the verifier
# would then ignore them.
_CA_POLICY: Final = (
    ExtensionPolicy.webpki_defaults_ca()
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
)
# The default policy for leaves demands a web server's or client's certificate. What a leaf must carry
# stands in the profile, in front of the engine.
_LEAF_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_not_present(x509.NameConstraints)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    .may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    .may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
)


# The same roots come with every chain; a store remembers what it parsed of them.
@lru_cache(maxsize=8)
def _store(anchors: tuple[bytes, ...]) -> Store:
    return Store([x509.load_der_x509_certificate(der) for der in anchors])


class BuiltinEngine:
    """The engine on ``cryptography.x509.verification``: no policies, SM2, Ed25519 authorities."""

    def judges(self, certificate: CertificateFacts) -> bool:
        """See :meth:`PathEngine.judges`."""
        return not certificate.beyond_engine

    def holds(self, certificate: CertificateFacts, issuer: CertificateFacts) -> bool:
        """See :meth:`PathEngine.holds`."""
        try:
            certificate.certificate.verify_directly_issued_by(issuer.certificate)
        except Exception:  # noqa: BLE001 - whatever the library says, the signature is not the issuer's
            return False
        return True

    def find_path(
        self,
        leaf: CertificateFacts,
        intermediates: Sequence[CertificateFacts],
        *,
        anchors: Sequence[CertificateFacts],
        now: datetime,
        max_intermediates: int,
    ) -> tuple[CertificateFacts, ...]:
        """See :meth:`PathEngine.find_path`."""
        try:
            verifier = (
                PolicyBuilder()
                .store(_store(tuple(anchor.der for anchor in anchors)))
                .time(now.astimezone(UTC))  # without it the verifier would take the clock's time
                .max_chain_depth(max_intermediates)  # counts intermediates, not certificates
                .extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
                .build_client_verifier()
            )
            verified = verifier.verify(leaf.certificate, [one.certificate for one in intermediates])
        except Exception as error:
            # Besides VerificationError, ValueError and others come out for keys it cannot use.
            raise ChainError("chain.untrusted") from error
        known = (leaf, *intermediates, *anchors)
        certificates = [one.certificate for one in known]
        return tuple(known[certificates.index(one)] for one in verified.chain)


DEFAULT_ENGINE: Final[PathEngine] = BuiltinEngine()
