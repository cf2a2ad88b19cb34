"""What is known about the issuer: one immutable value, swapped whole, and when to ask again.

Everything here is pure. :func:`plan_refresh` looks at a snapshot and a time and says what should be
fetched now, whether logins may go on meanwhile, and when to look again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cyberid_client.handshake.metadata import FetchedKeys, FetchedMetadata, IssuerMetadata
from cyberid_client.trust import IssuedCertificate, KeySet, RevocationLists

__all__ = ["IssuerSnapshot", "RefreshPlan", "plan_refresh"]

# Bounds of what Cache-Control may say, and what holds when it says nothing (seconds).
LIFETIME_MIN: Final = 60
LIFETIME_MAX: Final = 24 * 3600
KEYS_LIFETIME: Final = 600
METADATA_LIFETIME: Final = 3600
# However far away its end is: a certificate that is taken back should not be believed for long.
LISTS_LIFETIME_MAX: Final = 3600

# How long what is known serves after its time, while it cannot be refreshed (profile §3: 24 hours).
STALE_LIMIT: Final = timedelta(hours=24)

# A document is fetched again when between 75 % and 90 % of its life is over: a fleet does not ask at once.
AHEAD_EARLIEST: Final = 0.75
AHEAD_SPREAD: Final = 0.15

BACKOFF_FIRST: Final = 2
BACKOFF_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSnapshot:
    """Metadata, keys and revocation lists of one moment.

    Attributes:
        metadata: believed.
        metadata_at: when the metadata were fetched.
        metadata_lifetime: seconds from then until they are out of date.
        keys: as published.
        keys_at: when the keys were fetched.
        keys_lifetime: seconds from then until they are out of date.
        crls: the revocation lists; each says when it was fetched and when it ends.
        certificates: for which they must answer: on the paths of the metadata and of the keys.
        jitter: 0 to 1, drawn at the last fetch.
        failures: how many refreshes in a row have failed since.
        failed_at: when the last of them did.
        failure: the code of its error.
    """

    metadata: IssuerMetadata
    metadata_at: datetime
    metadata_lifetime: float
    keys: KeySet
    keys_at: datetime
    keys_lifetime: float
    crls: RevocationLists = field(default_factory=RevocationLists)
    certificates: tuple[IssuedCertificate, ...] = field(default=(), repr=False)
    jitter: float = 0.0
    failures: int = 0
    failed_at: datetime | None = None
    failure: str | None = None

    @classmethod
    def first(
        cls,
        metadata: FetchedMetadata,
        keys: FetchedKeys,
        *,
        now: datetime,
        jitter: float,
        crls: RevocationLists | None = None,
        certificates: tuple[IssuedCertificate, ...] = (),
    ) -> IssuerSnapshot:
        """Make the snapshot of a whole fetch."""
        return cls(
            metadata=metadata.metadata,
            metadata_at=now,
            metadata_lifetime=clamp_lifetime(metadata.fresh_for, METADATA_LIFETIME),
            keys=keys.keys,
            keys_at=now,
            keys_lifetime=clamp_lifetime(keys.fresh_for, KEYS_LIFETIME),
            crls=RevocationLists() if crls is None else crls,
            certificates=certificates,
            jitter=jitter,
        )

    def with_keys(
        self,
        keys: FetchedKeys,
        *,
        now: datetime,
        jitter: float,
        certificates: tuple[IssuedCertificate, ...] = (),
    ) -> IssuerSnapshot:
        """Return the snapshot with a newer key set."""
        return replace(
            self,
            keys=keys.keys,
            keys_at=now,
            keys_lifetime=clamp_lifetime(keys.fresh_for, KEYS_LIFETIME),
            certificates=certificates,
            jitter=jitter,
            failures=0,
            failed_at=None,
            failure=None,
        )

    def with_lists(self, crls: RevocationLists) -> IssuerSnapshot:
        """Return the snapshot with other revocation lists."""
        return replace(self, crls=crls)

    def without_failures(self) -> IssuerSnapshot:
        """Return the snapshot with nothing counted against the issuer."""
        return replace(self, failures=0, failed_at=None, failure=None)

    def with_failure(self, code: str, *, now: datetime) -> IssuerSnapshot:
        """Return the snapshot with one more failed refresh; nothing that is known goes."""
        return replace(self, failures=self.failures + 1, failed_at=now, failure=code)

    @property
    def metadata_until(self) -> datetime:
        """When the metadata are out of date: by their own word or by their age."""
        by_age = self.metadata_at + timedelta(seconds=self.metadata_lifetime)
        if self.metadata.expires_at is None:
            return by_age
        return min(by_age, datetime.fromtimestamp(self.metadata.expires_at, UTC))

    @property
    def metadata_serve_until(self) -> datetime:
        """When the metadata serve no more, even while they cannot be refreshed."""
        if self.metadata.expires_at is None:
            return self.metadata_at + timedelta(seconds=LIFETIME_MAX) + STALE_LIMIT
        return datetime.fromtimestamp(self.metadata.expires_at, UTC) + STALE_LIMIT

    @property
    def keys_until(self) -> datetime:
        """When the keys are out of date."""
        return self.keys_at + timedelta(seconds=self.keys_lifetime)

    @property
    def serves_until(self) -> datetime:
        """When logins may go on with it no more, even while nothing of it can be refreshed."""
        return min(self.metadata_serve_until, self.keys_until + STALE_LIMIT)

    @property
    def lists_from(self) -> datetime | None:
        """When the first revocation list is fetched again; ``None`` when there is nothing to ask about."""
        return min((self._list_from(one) for one in self.certificates if one.required), default=None)

    def due_certificates(self, now: datetime) -> tuple[IssuedCertificate, ...]:
        """Return the certificates whose lists are fetched again at ``now``."""
        return tuple(one for one in self.certificates if one.required and now >= self._list_from(one))

    def _list_from(self, certificate: IssuedCertificate) -> datetime:
        known = self.crls.by_authority.get(certificate.authority)
        if known is None:
            return datetime.min.replace(tzinfo=UTC)
        life = (known.next_update - known.asked_at).total_seconds()
        until = known.asked_at + timedelta(seconds=min(max(life, LIFETIME_MIN), LISTS_LIFETIME_MAX))
        return _ahead(known.asked_at, until, self.jitter)

    @property
    def is_revoked(self) -> bool:
        """Whether the metadata were signed by somebody whose certificate was taken back since."""
        return self.crls.revokes(self.metadata.path)

    def is_out_of_date(self, now: datetime) -> bool:
        """Tell whether metadata or keys are beyond their time, though they may still serve."""
        return now >= self.metadata_until or now >= self.keys_until


def clamp_lifetime(fresh_for: float | None, default: int) -> float:
    """Return how long an answer holds, whatever its Cache-Control says (E4.4)."""
    return min(max(default if fresh_for is None else fresh_for, LIFETIME_MIN), LIFETIME_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshPlan:
    """What to do about a snapshot at one moment.

    Attributes:
        metadata: fetch metadata and keys now.
        keys: fetch keys now.
        crls: fetch revocation lists now.
        usable: logins may go on with what is known.
        wake_at: when to look again.
    """

    metadata: bool
    keys: bool
    crls: bool
    usable: bool
    wake_at: datetime

    @property
    def due(self) -> bool:
        """Whether anything should be fetched now."""
        return self.metadata or self.keys or self.crls


def plan_refresh(snapshot: IssuerSnapshot | None, now: datetime) -> RefreshPlan:
    """Say what to fetch now, whether logins may go on, and when to look again."""
    if snapshot is None:
        return RefreshPlan(metadata=True, keys=True, crls=True, usable=False, wake_at=now)
    usable = now < snapshot.serves_until and not snapshot.is_revoked
    metadata_from = _ahead(snapshot.metadata_at, snapshot.metadata_until, snapshot.jitter)
    keys_from = _ahead(snapshot.keys_at, snapshot.keys_until, snapshot.jitter)
    not_before = _after_backoff(snapshot)
    lists_from = snapshot.lists_from or keys_from
    wake_at = max(min(metadata_from, keys_from, lists_from), not_before)
    if now < not_before:
        return RefreshPlan(metadata=False, keys=False, crls=False, usable=usable, wake_at=wake_at)
    return RefreshPlan(
        metadata=now >= metadata_from or snapshot.is_revoked,
        keys=now >= keys_from,
        crls=snapshot.lists_from is not None and now >= lists_from,
        usable=usable,
        wake_at=wake_at,
    )


def _ahead(since: datetime, until: datetime, jitter: float) -> datetime:
    """Return the moment, before the end of a document's life, at which it is fetched again."""
    return since + (until - since) * (AHEAD_EARLIEST + AHEAD_SPREAD * jitter)


def _after_backoff(snapshot: IssuerSnapshot) -> datetime:
    if snapshot.failed_at is None:
        return datetime.min.replace(tzinfo=UTC)
    wait = min(BACKOFF_FIRST ** min(snapshot.failures, 10), BACKOFF_MAX)
    return snapshot.failed_at + timedelta(seconds=wait)
