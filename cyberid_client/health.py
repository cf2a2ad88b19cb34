"""What an operator wants to know before people do: a pure look at what a client knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.state import IssuerSnapshot, plan_refresh

__all__ = ["AnchorHealth", "Health", "examine"]

WARN_BEFORE_ANCHOR_EXPIRES: Final = timedelta(days=90)
WARN_BEFORE_BUNDLE_EXPIRES: Final = timedelta(days=30)
SHAPES_WARN_ABOVE: Final = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorHealth:
    """One pinned root.

    Attributes:
        sha256: fingerprint, hex.
        expires_at: the end of its validity.
    """

    sha256: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a client is doing at one moment.

    Attributes:
        ok: logins can go on now.
        warnings: what will stop them later, or looks wrong: ``nothing_fetched``, ``refresh_failing``,
            ``metadata_stale``, ``keys_stale``, ``anchor_expires_soon``, ``anchor_expired``,
            ``bundle_expires_soon``, ``bundle_expired``, ``identity_shapes``.
        metadata_at: when the metadata were fetched, or ``None``.
        keys_at: when the keys were fetched, or ``None``.
        failures: how many refreshes in a row have failed.
        failure: the code of the last one's error, or ``None``.
        anchors: the pinned roots.
        identity_shapes: the share of the last pseudonyms that have the shape of an identity number
            without a check digit; a few are chance, many are an issuer that hands out numbers.
    """

    ok: bool
    warnings: tuple[str, ...]
    metadata_at: datetime | None
    keys_at: datetime | None
    failures: int
    failure: str | None
    anchors: tuple[AnchorHealth, ...]
    identity_shapes: float


def examine(
    rp: RelyingParty, snapshot: IssuerSnapshot | None, *, now: datetime, identity_shapes: float
) -> Health:
    """Look at configuration and snapshot; fetches nothing."""
    anchors = () if rp.trust is None else rp.trust.anchors
    warnings = [*_snapshot_warnings(snapshot, now), *_trust_warnings(rp, now)]
    if identity_shapes > SHAPES_WARN_ABOVE:
        warnings.append("identity_shapes")
    bundle_holds = "bundle_expired" not in warnings
    return Health(
        ok=plan_refresh(snapshot, now).usable and bundle_holds,
        warnings=tuple(dict.fromkeys(warnings)),
        metadata_at=None if snapshot is None else snapshot.metadata_at,
        keys_at=None if snapshot is None else snapshot.keys_at,
        failures=0 if snapshot is None else snapshot.failures,
        failure=None if snapshot is None else snapshot.failure,
        anchors=tuple(_anchor(one.der, one.not_after) for one in anchors),
        identity_shapes=identity_shapes,
    )


def _anchor(der: bytes, expires_at: datetime) -> AnchorHealth:
    return AnchorHealth(sha256=hashlib.sha256(der).hexdigest(), expires_at=expires_at)


def _snapshot_warnings(snapshot: IssuerSnapshot | None, now: datetime) -> list[str]:
    if snapshot is None:
        return ["nothing_fetched"]
    found = {
        "refresh_failing": snapshot.failures > 0,
        "metadata_stale": now >= snapshot.metadata_until,
        "keys_stale": now >= snapshot.keys_until,
    }
    return [name for name, holds in found.items() if holds]


def _trust_warnings(rp: RelyingParty, now: datetime) -> list[str]:
    if rp.trust is None:
        return []
    warnings = [
        "anchor_expired" if now > anchor.not_after else "anchor_expires_soon"
        for anchor in rp.trust.anchors
        if now > anchor.not_after - WARN_BEFORE_ANCHOR_EXPIRES
    ]
    expires_at = rp.trust.expires_at
    if expires_at is not None and now >= expires_at - WARN_BEFORE_BUNDLE_EXPIRES:
        warnings.append("bundle_expired" if now >= expires_at else "bundle_expires_soon")
    return warnings
