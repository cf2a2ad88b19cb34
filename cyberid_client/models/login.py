"""What is left of a login when every check has passed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cyberid_client.models.assurance import AgeBand, Assurance, Channel, Factor, Persistence
from cyberid_client.models.pseudonyms import Pseudonym, PseudonymKeys
from cyberid_client.models.secrets import keep_secret

__all__ = ["Evidence", "Login"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Why a login was believed: for the app's audit log; holds nothing about the person.

    Attributes:
        checks: numbers of the checks that passed, in the order in which they ran.
        algorithm: JWS name of the signature algorithm.
        signer_sha256: fingerprint of the issuer's signing certificate, hex; ``None`` without chain.
        anchor_sha256: fingerprint of the pinned root that the chain leads to, hex; likewise.
        chain_expires_at: when the first certificate of the chain expires; likewise.
        trust_fingerprint: fingerprint of the whole trust store.
        verified_at: the time that the checks were given.
    """

    checks: tuple[str, ...]
    algorithm: str
    signer_sha256: str | None
    anchor_sha256: str | None
    chain_expires_at: datetime | None
    trust_fingerprint: str | None
    verified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that passed every check. It cannot hold plain identity data: there is no place for it.

    Attributes:
        pseudonym: the person, in this sector only.
        assurance: the mode that the issuer vouches for.
        factors: the factors that passed; a factor that was not executed is not here.
        channel: which way in it came.
        authenticated_at: when the person authenticated, as the issuer says.
        issuer: who vouches.
        sector: for which sector the pseudonym was made.
        persistence: how long the pseudonym stays the same.
        age_band: only if asked for and granted.
        session_id: the issuer's name for this session in this sector, for logout; not shown.
        return_to: the path that the app gave when the login started.
    """

    pseudonym: Pseudonym
    assurance: Assurance
    factors: frozenset[Factor]
    channel: Channel
    authenticated_at: datetime
    issuer: str
    sector: str
    persistence: Persistence
    age_band: AgeBand | None = None
    session_id: str | None = field(default=None, repr=False)
    return_to: str = "/"
    _make_evidence: Callable[[], Evidence] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        keep_secret(self, "session_id")

    @property
    def evidence(self) -> Evidence:
        """Why this login was believed; made when read."""
        return self._make_evidence()

    def to_session(self, keys: PseudonymKeys) -> str:
        """Return the login as JSON for the app's session, with a digest in the pseudonym's place."""
        return json.dumps(
            {
                "pseudonym_digest": str(self.pseudonym.digest(keys)),
                "assurance": self.assurance.name,
                "factors": sorted(self.factors),
                "channel": self.channel,
                "authenticated_at": self.authenticated_at.isoformat(),
                "issuer": self.issuer,
                "sector": self.sector,
                "persistence": self.persistence,
                "age_band": self.age_band,
                "session_id": self.session_id,
            },
            separators=(",", ":"),
        )
