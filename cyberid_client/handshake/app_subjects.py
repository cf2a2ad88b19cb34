"""What the checklists of an app launch judge: the phone's answer, and the issuer's receipt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from cyberid_client.config import AppLaunchSettings, Expected, RelyingParty
from cyberid_client.handshake.subjects import NO_LISTS, ChainOnDemand, SigningKey
from cyberid_client.models import PendingAppLogin
from cyberid_client.trust import RevocationLists, RevocationPolicy
from cyberid_client.wire.app_result import UnverifiedAppResult
from cyberid_client.wire.app_verification import UnverifiedReceipt
from cyberid_client.wire.jws import UnverifiedJWS

__all__ = ["AppResultSubject", "LaunchDemands", "ReceiptSubject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppResultSubject:
    """The answer of the ID app, and the launch that its handle led to."""

    document: ClassVar[str] = "app_result"
    result: UnverifiedAppResult
    pending: PendingAppLogin
    kind: str
    rp: RelyingParty
    settings: AppLaunchSettings
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchDemands:
    """What a receipt must say beside what every assertion says.

    Attributes:
        biz_seq: of this launch.
        app_id: of the app that launched.
        blobs_hash: of what was asked about.
        any_caller: whether the receipt may be silent about who got the answer of the ID app.
    """

    biz_seq: str = field(repr=False)
    app_id: str
    blobs_hash: str = field(repr=False)
    any_caller: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSubject:
    """One receipt with all that it is compared with."""

    document: ClassVar[str] = "receipt"
    kinds: ClassVar[frozenset[str | None]] = frozenset({"cyberid-receipt+jwt"})
    jws: UnverifiedJWS
    claims: UnverifiedReceipt
    key: SigningKey
    chain: ChainOnDemand
    expected: Expected
    launch: LaunchDemands
    now: float
    crls: RevocationLists = NO_LISTS

    @property
    def revocation(self) -> RevocationPolicy:
        """What is demanded of the lists."""
        return self.expected.revocation
