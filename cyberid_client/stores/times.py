"""Moments as whole microseconds, so that every store compares the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["EXPIRY_BYTES", "expiry_as_bytes", "is_over", "microseconds"]

EXPIRY_BYTES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Return the whole microseconds since the epoch.

    Args:
        moment: aware, in any time zone.
    """
    return (moment - _EPOCH) // _MICROSECOND


def expiry_as_bytes(expires_at: datetime) -> bytes:
    """Return a moment in :data:`EXPIRY_BYTES` bytes, to stand in front of a record."""
    return microseconds(expires_at).to_bytes(EXPIRY_BYTES, "big", signed=True)


def is_over(expiry: bytes, now: datetime) -> bool:
    """Tell whether a record is gone: from the very moment of its expiry.

    Args:
        expiry: as :func:`expiry_as_bytes` made it.
        now: the client's clock.
    """
    return microseconds(now) >= int.from_bytes(expiry, "big", signed=True)
