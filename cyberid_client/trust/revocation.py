"""Who is revoked: the lists that are known, and how long a last answer is believed.

Nothing here fetches, and nothing here is part of a chain's verdict: a cached chain is asked about
afresh every time. Three answers are told apart, because each asks for something else:

- *revoked*: the authority took the certificate back. Final: nothing that comes later undoes it.
- *unknown*: there is no list of the authority, and none was ever there.
- *unreachable*: there was one, its time is over, and no newer one came.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from cyberid_client.errors import ConfigurationError, RevocationError

__all__ = ["IssuedCertificate", "RevocationList", "RevocationLists", "RevocationPolicy"]

OUTAGE_MINUTES_MAX: Final = 7 * 24 * 60

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RevocationPolicy:
    """What is demanded of the signers' certificates. Build it with one of the constructors.

    With each but :meth:`off` the signer's certificate must be answered for by a list of its authority,
    and so must each authority below the root that names a place for such a list.

    Attributes:
        name: the constructor's.
        outage: how long after its end a list is still believed while no newer one comes.

    Raises:
        ConfigurationError: ``config.value``, when the two do not go together.
    """

    name: Literal["require", "tolerate_outage", "off"]
    outage: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        longest = timedelta(minutes=OUTAGE_MINUTES_MAX) if self.name == "tolerate_outage" else timedelta(0)
        if self.name not in {"require", "tolerate_outage", "off"} or not isinstance(self.outage, timedelta):
            raise ConfigurationError("config.value", "revocation")
        if not timedelta(0) <= self.outage <= longest or (self.name == "tolerate_outage" and not self.outage):
            raise ConfigurationError("config.value", "revocation")

    def __repr__(self) -> str:
        minutes = f"minutes={self.outage // timedelta(minutes=1)}" if self.outage else ""
        return f"RevocationPolicy.{self.name}({minutes})"

    @classmethod
    def require(cls) -> RevocationPolicy:
        """Demand a list whose time is not over; the default."""
        return cls(name="require")

    @classmethod
    def tolerate_outage(cls, *, minutes: int) -> RevocationPolicy:
        """Believe the last list for some time after its end, while no newer one can be fetched.

        Whoever keeps us from fetching gets that much more time for a certificate that was taken back.
        It is logged.

        Args:
            minutes: 1 to 10,080 (seven days).

        Raises:
            ConfigurationError: ``config.value``.
        """
        if type(minutes) is not int or not 1 <= minutes <= OUTAGE_MINUTES_MAX:
            raise ConfigurationError("config.value", "revocation")
        _logger.warning("config.revocation: lists are believed for %s minutes after their end", minutes)
        return cls(name="tolerate_outage", outage=timedelta(minutes=minutes))

    @classmethod
    def off(cls) -> RevocationPolicy:
        """Ask nothing: a certificate that was taken back is believed until it ends. It is logged."""
        _logger.warning("config.revocation: certificates that were revoked are believed until they end")
        return cls(name="off")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """What is asked about one certificate of a believed path, the root excepted.

    Attributes:
        serial: its number.
        authority: the name of its issuer's list, from ``authority_of``.
        issuer: the issuer's certificate, DER.
        required: whether a list must answer for it: it is the signer's, or it names a place for one.
        distribution_points: addresses of the whole list, as they stand in the certificate; any scheme.
    """

    serial: int
    authority: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    required: bool
    distribution_points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A believed list of one authority; made by :func:`cyberid_client.trust.load_crl`.

    Attributes:
        authority: whose it is.
        number: the CRL number.
        this_update: its date, UTC.
        next_update: its end, UTC; from this second on it is stale.
        asked_at: when it was fetched last.
        serials: every number that this list or an earlier one had on it.
    """

    authority: bytes = field(repr=False)
    number: int
    this_update: datetime
    next_update: datetime
    asked_at: datetime
    serials: frozenset[int] = field(repr=False)
    _until: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_until", self.next_update.timestamp())

    def holds(self, now: float, *, outage: float = 0.0) -> bool:
        """Tell whether the list still answers, so many seconds after its end at most."""
        return now < self._until + outage

    def merged(self, other: RevocationList) -> RevocationList:
        """Return the newer of two lists of one authority, with the numbers of both.

        A number that was seen once stays, whatever comes later, a hold that ended included: an issuer
        that takes back what it said certifies anew. The order in which lists come does not matter.
        """
        newest = max(self, other, key=lambda one: (one.number, one.this_update, one.next_update))
        return replace(
            newest,
            serials=self.serials if other.serials <= self.serials else self.serials | other.serials,
            asked_at=max(self.asked_at, other.asked_at),
        )


@dataclass(frozen=True, slots=True)
class RevocationLists:
    """All lists that are known at one moment, one per authority; shared by threads, replaced as a whole.

    Attributes:
        by_authority: copied, so that nobody changes it later.
    """

    by_authority: Mapping[bytes, RevocationList] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_authority", MappingProxyType(dict(self.by_authority)))

    def __len__(self) -> int:
        return len(self.by_authority)

    def with_list(self, new: RevocationList) -> RevocationLists:
        """Return these lists and a new one; an older one than the one that is held replaces nothing."""
        held = self.by_authority.get(new.authority)
        merged = new if held is None else held.merged(new)
        return RevocationLists({**self.by_authority, new.authority: merged})

    def require_good(
        self, certificates: Sequence[IssuedCertificate], *, policy: RevocationPolicy, now: float
    ) -> None:
        """Return if none of the certificates is revoked and every one that must be is answered for.

        Args:
            certificates: of a believed path, :attr:`Chain.certificates`.
            policy: what is demanded.
            now: seconds since the epoch.

        Raises:
            RevocationError: ``revocation.revoked``, ``revocation.unknown`` or ``revocation.unreachable``.
        """
        if policy.name == "off":
            return
        outage = policy.outage.total_seconds()
        problem = None
        for one in certificates:
            known = self.by_authority.get(one.authority)
            if known is None:
                if one.required:
                    problem = problem or "revocation.unknown"
            elif one.serial in known.serials:
                raise RevocationError("revocation.revoked")
            elif one.required and not known.holds(now, outage=outage):
                problem = problem or "revocation.unreachable"
        if problem is not None:
            raise RevocationError(problem)

    def lacking(
        self, certificates: Sequence[IssuedCertificate], *, policy: RevocationPolicy, now: float
    ) -> tuple[IssuedCertificate, ...]:
        """Return the certificates for which no list answers and one must; arguments as above."""
        outage = policy.outage.total_seconds()
        return tuple(
            one
            for one in certificates
            for known in (self.by_authority.get(one.authority),)
            if one.required and (known is None or not known.holds(now, outage=outage))
        )

    def revokes(self, certificates: Sequence[IssuedCertificate]) -> bool:
        """Tell whether one of the certificates stands on a list, current or not."""
        return any(
            known is not None and one.serial in known.serials
            for one in certificates
            for known in (self.by_authority.get(one.authority),)
        )
