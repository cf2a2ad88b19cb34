"""What is known about the issuer: one immutable value, swapped whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.trust import KeySet

__all__ = ["IssuerSnapshot", "is_due", "may_still_serve"]

METADATA_LIFETIME: Final = timedelta(hours=1)
KEYS_LIFETIME: Final = timedelta(minutes=10)
STALE_METADATA_LIMIT: Final = 24 * 3600
UNSIGNED_METADATA_LIFETIME: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSnapshot:
    """Metadata and keys of one moment.

    Attributes:
        metadata: believed.
        keys: as published.
        metadata_at: when the metadata were fetched.
        keys_at: when the keys were fetched.
    """

    metadata: IssuerMetadata
    keys: KeySet
    metadata_at: datetime
    keys_at: datetime


def is_due(snapshot: IssuerSnapshot, now: datetime) -> bool:
    """Tell whether metadata or keys should be fetched again."""
    return (
        now - snapshot.metadata_at >= METADATA_LIFETIME
        or now - snapshot.keys_at >= KEYS_LIFETIME
        or _seconds_past_end(snapshot, now) >= 0
    )


def may_still_serve(snapshot: IssuerSnapshot, now: datetime) -> bool:
    """Tell whether the snapshot may be used while it cannot be refreshed (profile §3: 24 hours)."""
    return _seconds_past_end(snapshot, now) < STALE_METADATA_LIMIT


def _seconds_past_end(snapshot: IssuerSnapshot, now: datetime) -> float:
    end = snapshot.metadata.expires_at
    if end is None:
        # Unsigned metadata end one day after they were fetched, so that the same limit holds for them.
        end = snapshot.metadata_at.timestamp() + UNSIGNED_METADATA_LIFETIME
    return now.timestamp() - end
