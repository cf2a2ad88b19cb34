"""What one assertion must say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cyberid_client.models import Assurance, Persistence, keep_secret
from cyberid_client.trust import Algorithm, ChainProfile, RevocationPolicy, TrustStore

__all__ = ["Expected", "ExpectedPresentation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one assertion must say; made by :meth:`RelyingParty.expect`.

    Attributes:
        issuer: byte for byte.
        client_id: the audience.
        sector: for which the pseudonym is made.
        algorithm: the one that is accepted.
        trust: the pinned roots; ``None``: nothing but TLS vouches for the key set.
        profile: what the signer's chain must look like.
        assurance: the mode that was asked for.
        modes: which mode a value of ``acr`` stands for.
        max_age: seconds, if it was asked for.
        started_at: when the request was made, aware.
        nonce: of this login.
        access_token: that came beside the assertion, if one did.
        leeway: seconds that are forgiven ahead of our clock.
        age_band: whether it was asked for.
        chain_required: whether a chain must lead from the signing key to a pinned root.
        any_subject: whether ``sub`` and ``sid`` may have any shape that OpenID Connect allows.
        may_be_sparse: whether ``sector``, ``persistence`` and ``amr`` may be absent.
        persistence: what holds when the assertion does not say.
        revocation: what is demanded of the revocation lists.
    """

    issuer: str
    client_id: str
    sector: str
    algorithm: Algorithm
    trust: TrustStore | None
    profile: ChainProfile
    assurance: Assurance
    modes: Mapping[str, Assurance]
    max_age: int | None
    started_at: datetime
    nonce: str = field(repr=False)
    access_token: str | None = field(repr=False)
    leeway: int
    age_band: bool
    chain_required: bool
    any_subject: bool
    may_be_sparse: bool
    persistence: Persistence | None
    revocation: RevocationPolicy

    def __post_init__(self) -> None:
        keep_secret(self, "nonce", "access_token")

    @property
    def recipient(self) -> str:
        """For whom the assertion is: the client."""
        return self.client_id


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedPresentation:
    """What one wallet presentation must say, whatever its format; made by :meth:`RelyingParty.expect_presentation`.

    Attributes:
        issuer: of the credential, byte for byte.
        sector: for which the credential was made.
        audience: for whom the wallet made the presentation: the client id of the request, prefix included.
        nonce: of the request.
        algorithm: the one that is accepted of the credential's signer.
        holder_algorithm: the one that is accepted of the key that the credential is bound to.
        trust: the pinned roots.
        profile: what the credential signer's chain must look like.
        assurance: the mode that was asked for.
        modes: which mode a value of ``acr`` stands for; a presentation is never R03 or R04.
        age_band: whether it was asked for.
        epoch_length: seconds, from the issuer's metadata.
        leeway: seconds that are forgiven ahead of our clock.
        revocation: what is demanded of the revocation lists.
    """

    issuer: str
    sector: str
    audience: str
    nonce: str = field(repr=False)
    algorithm: Algorithm
    holder_algorithm: Algorithm
    trust: TrustStore
    profile: ChainProfile
    assurance: Assurance
    modes: Mapping[str, Assurance]
    age_band: bool
    epoch_length: int
    leeway: int
    revocation: RevocationPolicy

    def __post_init__(self) -> None:
        keep_secret(self, "nonce")

    @property
    def recipient(self) -> str:
        """For whom the credential was issued: the sector, never one of its client ids."""
        return self.sector

    @property
    def chain_required(self) -> bool:
        """A chain must lead from the signing key to a pinned root; for credentials there is no exception."""
        return True

    @property
    def any_subject(self) -> bool:
        """Only the profile's own pseudonyms are accepted."""
        return False

    @property
    def may_be_sparse(self) -> bool:
        """Nothing that the profile demands may be absent."""
        return False

    @property
    def persistence(self) -> None:
        """The credential itself says how long its pseudonym stays the same."""
        return
