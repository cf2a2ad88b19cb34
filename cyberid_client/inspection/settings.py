"""What an inspection compares with, as far as it is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.config import ClientKey, Expected, RelyingParty
from cyberid_client.errors import ConfigurationError
from cyberid_client.inspection.result import Kind
from cyberid_client.inspection.shown import Shown
from cyberid_client.models import Assurance, keep_secret
from cyberid_client.trust import ChainProfile, Purpose, TrustStore

__all__ = ["InspectionSettings"]

_NOBODY: Final = "https://nobody.invalid"
# A root whose key was thrown away: it stands where a configuration needs one and none was given. What
# would be judged with it is not judged.
NOBODYS_ROOT: Final = b"""-----BEGIN CERTIFICATE-----
MIIBNDCB3KADAgECAgEBMAoGCCqGSM49BAMCMBExDzANBgNVBAMMBk5vYm9keTAg
Fw0yMDAxMDEwMDAwMDBaGA85OTk5MTIzMTIzNTk1OVowETEPMA0GA1UEAwwGTm9i
b2R5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEu47idsRNpox0GRUvdjdtDy1H
TnoyA9YMAA1b61LCekjVZmBDdOZHr5UrHtNgbAQ3qC7BSwa3iVUGf0XCQ4hDlqMj
MCEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwCgYIKoZIzj0EAwID
RwAwRAIgUMollHF3OtQtIpRzHahgHE2RFOiqibCW8gg/Sp6z1UkCIGTKHh1o9Lcx
CySa8K4YXidKflA7dSkw5Oz2oBLwroOb
-----END CERTIFICATE-----
"""
_PROFILES: Final = {
    Purpose.ASSERTION: ChainProfile.assertion,
    Purpose.METADATA: ChainProfile.metadata,
    Purpose.STATUS: ChainProfile.status,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSettings:
    """What is known beside the document. What is ``None`` is not known, and its checks are not judged.

    Attributes:
        now: the time to judge at, aware.
        kind: what the document is; found out when ``None``.
        trust: the pinned roots.
        issuer: the issuer identifier.
        client_id: of the app.
        sector: the sector identifier of the app.
        jwks: the issuer's key set, as it was fetched; untrusted.
        nonce: of the login.
        assurance: the mode that was asked for.
        max_age: seconds, if it was asked for.
        started_at: when the login started, aware.
        access_token: that came beside the assertion.
        age_band: whether it was asked for.
        uri: the address that a status list was fetched from.
        crls: the revocation lists of the chain's authorities, each DER or PEM; untrusted.
        algorithm: the JWS name of the one algorithm that the issuer signs with.
        purpose: of a bare chain: ``assertion``, ``metadata`` or ``status``.
        show_values: show the pseudonym and other personal or secret values; identity numbers never.
        hash_key: for the hashes in the place of hidden values; any secret bytes.

    Raises:
        ConfigurationError: one of them cannot be used; the error names it.
    """

    now: datetime
    kind: Kind | None = None
    trust: TrustStore | None = None
    issuer: str | None = None
    client_id: str | None = None
    sector: str | None = None
    jwks: bytes | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    assurance: Assurance | None = None
    max_age: int | None = None
    started_at: datetime | None = None
    access_token: str | None = field(default=None, repr=False)
    age_band: bool | None = None
    uri: str | None = None
    crls: tuple[bytes, ...] | None = field(default=None, repr=False)
    algorithm: str = "ES256"
    purpose: Purpose = Purpose.ASSERTION
    show_values: bool = False
    hash_key: bytes | None = field(default=None, repr=False)
    rp: RelyingParty = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ConfigurationError("time.naive")
        if self.purpose not in _PROFILES:
            raise ConfigurationError("config.value", "purpose")
        keep_secret(self, "nonce", "access_token")
        object.__setattr__(self, "rp", self._relying_party())
        self.expect()

    @property
    def shown(self) -> Shown:
        """How values are shown."""
        return Shown(everything=self.show_values, hash_key=self.hash_key)

    def expect(self) -> Expected:
        """Return what an assertion must say; what is not known has a value that no check may be given."""
        return self.rp.expect(
            nonce="unknown" if self.nonce is None else self.nonce,
            started_at=self.now if self.started_at is None else self.started_at,
            assurance=self.assurance,
            max_age=self.max_age,
            access_token=self.access_token,
        )

    def profile(self) -> ChainProfile:
        """Return what a bare chain must look like."""
        return _PROFILES[self.purpose](self.rp.issuer, purposes=self.rp.purposes)

    def _relying_party(self) -> RelyingParty:
        return RelyingParty(
            issuer=_NOBODY if self.issuer is None else self.issuer,
            client_id="unknown" if self.client_id is None else self.client_id,
            redirect_uri=f"{_NOBODY}/callback",
            # It signs nothing; only its algorithm is compared with what metadata offer.
            key=ClientKey(ec.derive_private_key(1, ec.SECP256R1())),
            trust=TrustStore.from_pem(NOBODYS_ROOT) if self.trust is None else self.trust,
            assurance=Assurance.R02 if self.assurance is None else self.assurance,
            sector=self.sector,
            age_band=bool(self.age_band),
            algorithm=self.algorithm,
        )
