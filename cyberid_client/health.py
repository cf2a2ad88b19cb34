"""What an operator wants to know before people do: a pure look at what a client knows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cyberid_client.config import RelyingParty
from cyberid_client.state import IssuerSnapshot, plan_refresh
from cyberid_client.trust.certificates import read_certificate

__all__ = ["AnchorHealth", "Health", "examine"]

WARN_BEFORE_ANCHOR_EXPIRES: Final = timedelta(days=90)
WARN_BEFORE_BUNDLE_EXPIRES: Final = timedelta(days=30)
WARN_BEFORE_SIGNER_EXPIRES: Final = timedelta(days=3)
WARN_BEFORE_WALLET_CERTIFICATE_EXPIRES: Final = timedelta(days=30)
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
            ``metadata_stale``, ``keys_stale``, ``lists_stale``, ``signer_expires_soon``,
            ``anchor_expires_soon``, ``anchor_expired``, ``bundle_expires_soon``, ``bundle_expired``,
            ``wallet_certificate_expires_soon``, ``wallet_certificate_expired``, ``identity_shapes``.
        metadata_at: when the metadata were fetched, or ``None``.
        keys_at: when the keys were fetched, or ``None``.
        metadata_expire_at: by their own word; ``None`` when there are none, or nobody signed them.
        signer_expires_at: the first end of a certificate that a published key or the metadata come with;
            ``None`` when there is none.
        lists_until: the first end of a revocation list that must answer; ``None`` when none must.
        app_launch_face: whether the ID app takes pictures in app launches, by the issuer's word.
        credential_epoch_length: seconds, by the issuer's word; ``None`` when it issues no credentials, or is
            not known.
        wallet_certificate_expires_at: the first end of a certificate that is shown to wallets; ``None`` without
            wallets. From then on no presentation starts.
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
    metadata_expire_at: datetime | None
    signer_expires_at: datetime | None
    lists_until: datetime | None
    app_launch_face: bool
    credential_epoch_length: int | None
    wallet_certificate_expires_at: datetime | None
    failures: int
    failure: str | None
    anchors: tuple[AnchorHealth, ...]
    identity_shapes: float


def examine(
    rp: RelyingParty, snapshot: IssuerSnapshot | None, *, now: datetime, identity_shapes: float
) -> Health:
    """Look at configuration and snapshot; fetches nothing."""
    anchors = () if rp.trust is None else rp.trust.anchors
    certificate_ends = _wallet_certificate_expires_at(rp)
    warnings = [*_snapshot_warnings(snapshot, now), *_trust_warnings(rp, now)]
    if certificate_ends is not None and now > certificate_ends - WARN_BEFORE_WALLET_CERTIFICATE_EXPIRES:
        ended = now > certificate_ends
        warnings.append("wallet_certificate_expired" if ended else "wallet_certificate_expires_soon")
    if identity_shapes > SHAPES_WARN_ABOVE:
        warnings.append("identity_shapes")
    bundle_holds = "bundle_expired" not in warnings
    return Health(
        ok=plan_refresh(snapshot, now).usable and bundle_holds,
        warnings=tuple(dict.fromkeys(warnings)),
        metadata_at=None if snapshot is None else snapshot.metadata_at,
        keys_at=None if snapshot is None else snapshot.keys_at,
        metadata_expire_at=_metadata_expire_at(snapshot),
        signer_expires_at=_signer_expires_at(snapshot),
        lists_until=_lists_until(snapshot),
        app_launch_face=snapshot is not None and snapshot.metadata.app_launch_face,
        credential_epoch_length=None if snapshot is None else snapshot.metadata.credential_epoch_length,
        wallet_certificate_expires_at=certificate_ends,
        failures=0 if snapshot is None else snapshot.failures,
        failure=None if snapshot is None else snapshot.failure,
        anchors=tuple(_anchor(one.der, one.not_after) for one in anchors),
        identity_shapes=identity_shapes,
    )


def _anchor(der: bytes, expires_at: datetime) -> AnchorHealth:
    return AnchorHealth(sha256=hashlib.sha256(der).hexdigest(), expires_at=expires_at)


def _wallet_certificate_expires_at(rp: RelyingParty) -> datetime | None:
    identity = rp.client_keys.wallet
    if rp.wallet is None or identity is None:
        return None
    return min(read_certificate(der).not_after for der in identity.chain)


def _metadata_expire_at(snapshot: IssuerSnapshot | None) -> datetime | None:
    if snapshot is None or snapshot.metadata.expires_at is None:
        return None
    return datetime.fromtimestamp(snapshot.metadata.expires_at, UTC)


def _signer_expires_at(snapshot: IssuerSnapshot | None) -> datetime | None:
    if snapshot is None:
        return None
    ends = [read_certificate(der).not_after for key in snapshot.keys.keys for der in key.chain[:1]]
    if snapshot.metadata.chain is not None:
        ends.append(snapshot.metadata.chain().not_after)
    return min(ends, default=None)


def _lists_until(snapshot: IssuerSnapshot | None) -> datetime | None:
    if snapshot is None:
        return None
    asked = {one.authority for one in snapshot.certificates if one.required}
    known = snapshot.crls.by_authority
    return min((known[name].next_update for name in asked if name in known), default=None)


def _snapshot_warnings(snapshot: IssuerSnapshot | None, now: datetime) -> list[str]:
    if snapshot is None:
        return ["nothing_fetched"]
    lists_until, signer_ends = _lists_until(snapshot), _signer_expires_at(snapshot)
    found = {
        "refresh_failing": snapshot.failures > 0,
        "metadata_stale": now >= snapshot.metadata_until,
        "keys_stale": now >= snapshot.keys_until,
        "lists_stale": lists_until is not None and now >= lists_until,
        "signer_expires_soon": signer_ends is not None and now > signer_ends - WARN_BEFORE_SIGNER_EXPIRES,
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
