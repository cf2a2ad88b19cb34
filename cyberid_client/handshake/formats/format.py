"""What a credential format is: a question, a client's word about itself, and a verdict; nothing else is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cyberid_client.config import ExpectedPresentation
from cyberid_client.handshake.bundle import Checklists
from cyberid_client.models import AgeBand, Assurance, Evidence, Persistence
from cyberid_client.trust import ChainCache, KeySet, RevocationLists, StatusLists

__all__ = ["CredentialFormat", "KnownAhead", "VerifiedPresentation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAhead:
    """What the relying party knows about the issuer before anybody logs in; nothing is fetched for a login.

    Attributes:
        keys: the issuer's key set.
        crls: the revocation lists.
        statuses: the status lists.
        cache: remembers chain verdicts; ``None`` remembers nothing.
    """

    keys: KeySet
    crls: RevocationLists
    statuses: StatusLists
    cache: ChainCache | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPresentation:
    """What a presentation proves, whatever its format.

    Attributes:
        pseudonym: its text; the same as in every other handshake of this sector.
        assurance: what the issuer checked about the key.
        persistence: how long the pseudonym stays the same.
        age_band: only if it was asked for and granted.
        evidence: why it is believed; holds nothing about the person.
    """

    pseudonym: str = field(repr=False)
    assurance: Assurance
    persistence: Persistence
    age_band: AgeBand | None
    evidence: Evidence


class CredentialFormat(Protocol):
    """One way to show a credential. Request, store and result know its name only.

    Attributes:
        name: in ``WalletSettings.credential_format``.
        identifier: of the format in OpenID4VP (1.0 Appendix B).
        max_bytes: a longer presentation is refused unread.
        hides: what stays hidden → from whom, in words for the documentation.
    """

    name: str
    identifier: str
    max_bytes: int
    hides: Mapping[str, str]

    def query(self, *, acr_values: tuple[str, ...], age_band: bool) -> Mapping[str, object]:
        """Return the DCQL credential query (OpenID4VP 1.0 §6.1) without its ``id``.

        Args:
            acr_values: any of these will do.
            age_band: whether it is asked for.
        """
        ...

    def abilities(self, *, algorithm: str, holder_algorithm: str) -> Mapping[str, object]:
        """Return the member of ``vp_formats_supported`` for this format (OpenID4VP 1.0 §11.1)."""
        ...

    def verify(
        self,
        presentation: str,
        *,
        expected: ExpectedPresentation,
        known: KnownAhead,
        now: datetime,
        checklists: Checklists,
    ) -> VerifiedPresentation:
        """Believe a presentation, or raise.

        Args:
            presentation: untrusted.
            expected: what it must say.
            known: what it is judged with.
            now: aware.
            checklists: what must hold.

        Raises:
            VerificationError: it is not to be believed; the code says which rule it breaks.
        """
        ...
