"""A clock that tests move by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["ManualClock", "system_clock"]

_DEFAULT_START: Final = datetime(2026, 11, 2, 8, 0, 0, tzinfo=UTC)


def system_clock() -> datetime:
    """Return the real time, aware, UTC."""
    return datetime.now(UTC)


class ManualClock:
    """Stand still until :meth:`advance` or :meth:`set` moves it; hand one to client and issuer.

    Args:
        start: an aware time; a fixed Monday in November 2026 when left out.

    Raises:
        ValueError: ``start`` has no time zone.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._now = _aware(_DEFAULT_START if start is None else start)

    def __call__(self) -> datetime:
        """Return the time at which it stands."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move forward by ``seconds`` (backward when negative) and return the new time."""
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to an aware time.

        Raises:
            ValueError: ``now`` has no time zone.
        """
        self._now = _aware(now)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "a time without a time zone means nothing here"
        raise ValueError(message)
    return moment.astimezone(UTC)
