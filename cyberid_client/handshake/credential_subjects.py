"""What the checklists of a presented credential judge: the issuer's word, and the holder's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from cyberid_client.config import ExpectedPresentation
from cyberid_client.handshake.subjects import ChainOnDemand, SigningKey
from cyberid_client.trust import Algorithm, RevocationLists, RevocationPolicy, StatusLists
from cyberid_client.wire.credential import UnverifiedCredential
from cyberid_client.wire.jwks import JWK
from cyberid_client.wire.jws import UnverifiedJWS
from cyberid_client.wire.key_binding import UnverifiedKeyBinding

__all__ = ["CredentialSubject", "KeyBindingSubject", "holder_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSubject:
    """One credential with all that it is compared with."""

    document: ClassVar[str] = "credential"
    kinds: ClassVar[frozenset[str | None]] = frozenset({"dc+sd-jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedCredential
    key: SigningKey
    holder_key: SigningKey
    chain: ChainOnDemand
    expected: ExpectedPresentation
    now: float
    moment: datetime
    crls: RevocationLists
    statuses: StatusLists

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the revocation lists."""
        return self.expected.revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBindingSubject:
    """One key binding with all that it is compared with."""

    document: ClassVar[str] = "key_binding"
    kinds: ClassVar[frozenset[str | None]] = frozenset({"kb+jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedKeyBinding
    key: SigningKey
    bound: bytes
    expected: ExpectedPresentation
    now: float


def holder_key(jwk: JWK, algorithm: Algorithm) -> SigningKey:
    """Make the key that a credential is bound to, for the one algorithm that is configured.

    Args:
        jwk: as the credential has it; untrusted.
        algorithm: the row that it must belong to.
    """
    public_key: object = None
    # A second coordinate belongs to points and to nothing else (RFC 8037 §2).
    is_its_kind = (jwk.kty, jwk.crv, jwk.y is not None) == (
        algorithm.kty,
        algorithm.crv,
        algorithm.kty == "EC",
    )
    if is_its_kind and algorithm.build is not None:
        try:
            public_key = algorithm.build(jwk)
        except Exception:  # noqa: BLE001 - broken key material, whatever the library calls it
            public_key = None
    return SigningKey(None if algorithm.accepts(public_key) else "holder_key", algorithm, public_key)
