"""How an app launch ends, in words of our own."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["AppOutcome"]


class AppOutcome(StrEnum):
    """What became of an app launch: as the ID app says, or as the issuer's receipt does."""

    SUCCESS = "success"
    NOT_INSTALLED = "not_installed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    FACTOR_FAILED = "factor_failed"
    FROZEN = "frozen"
    CANCELLED_ID = "cancelled_id"
    EXPIRED = "expired"
    DEVICE_CHANGED = "device_changed"
    BUSY = "busy"
