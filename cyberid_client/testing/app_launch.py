"""The platform's side of an app launch: what the ID app released for whom, and the receipts about it (profile §4)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.app_requests import (
    BIZ_SEQ,
    VerificationRequest,
    hash_blobs,
    open_verification,
)
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.logout import LogoutDesk
from cyberid_client.testing.people import FACTORS_OF_MODE, PEOPLE, Person, mode_of, pseudonym_of
from cyberid_client.testing.refusal import Refusal
from cyberid_client.testing.registration import RegisteredApp

__all__ = ["ACCOUNT_STATES", "DECLINES", "MOCK_OUTCOMES", "AppDesk", "Launch", "Receipt"]

# resultCode to outcome, by the names of the library's outcomes. Only C0000000 is the real platform's.
MOCK_OUTCOMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "C0000000": "success",
        "C0100001": "not_installed",
        "C0100002": "cancelled",
        "C0100003": "timed_out",
        "C0200001": "factor_failed",
        "C0300001": "frozen",
        "C0300002": "cancelled_id",
        "C0300003": "expired",
        "C0300004": "device_changed",
        "C0400001": "busy",
    }
)
# These stand in no table: to an app they are declines that it has never heard of.
DECLINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "C0500001": "this bizSeq was launched before",
        "C0500002": "no such app is registered",
        "C0500003": "the launch is malformed",
    }
)
_CODES: Final = {outcome: code for code, outcome in MOCK_OUTCOMES.items()}
_TEXTS: Final = {
    "success": "成功 success",
    "not_installed": "未安装认证应用 the ID app is not installed",
    "cancelled": "用户取消 cancelled by the person",
    "timed_out": "操作超时 timed out",
    "factor_failed": "认证未通过 a factor failed",
    "frozen": "网证已冻结 the credential is frozen",
    "cancelled_id": "网号已注销 the network number is cancelled",
    "expired": "网证已过期 the credential is expired",
    "device_changed": "设备已更换 the device has changed",
    "busy": "系统繁忙 try again later",
}
# What can become of an account, by the names of the events that tell of it, and what receipts say then.
ACCOUNT_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "active": "success",
        "frozen": "frozen",
        "cancelled": "cancelled_id",
        "expired": "expired",
        "device-changed": "device_changed",
    }
)
# What the phone alone can say: its launch never came to the platform.
_OF_THE_PHONE: Final = frozenset({"not_installed", "cancelled", "timed_out"})
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_FACTORS: Final = ("certificate", "password", "face")
_BLOBS_LIFE: Final = 60
_RECEIPT_LIFE: Final = 300
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What an app on the phone launches the ID app with, and what comes of it.

    Attributes:
        org_id: as the app sent it, untrusted; likewise ``app_id``, ``biz_seq`` and ``type``.
        app_id: which app the launch is for.
        biz_seq: of the launch.
        type: 0, or 1 with password.
        package: which app the phone says that it is, whatever the launch says.
        person: whose phone it is.
        outcome: one of the values of :data:`MOCK_OUTCOMES`.
        decided_by: ``phone``: the ID app says so; ``issuer``: it releases its answer, and the receipt says so.
        factors: what the person shows; ``None``: what is asked for.
    """

    org_id: object
    app_id: object
    biz_seq: object = field(repr=False)
    type: object
    package: str
    person: str
    outcome: str = "success"
    decided_by: str = "phone"
    factors: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a script that cannot be played.

        Raises:
            ConfigurationError: ``testing.unknown_person``, or ``config.value``.
        """
        if self.person not in PEOPLE:
            raise ConfigurationError("testing.unknown_person")
        if self.outcome not in _CODES:
            raise ConfigurationError("config.value", "outcome")
        is_known = self.decided_by in {"phone", "issuer"}
        if not is_known or (self.decided_by == "issuer" and self.outcome in _OF_THE_PHONE):
            raise ConfigurationError("config.value", "decided_by")
        if self.factors is not None and not {"certificate"} <= self.factors <= set(_FACTORS):
            raise ConfigurationError("config.value", "factors")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Release:
    """What the platform knows of an answer that the ID app gave to an app."""

    client_id: str
    app: RegisteredApp
    biz_seq: str = field(repr=False)
    package: str
    person: Person
    outcome: str
    possible: frozenset[str]
    factors: frozenset[str] | None
    released_at: float

    def passed(self, mode: str) -> frozenset[str]:
        """Return what was shown; without a script of its own what the mode asks for, as far as it could be."""
        return FACTORS_OF_MODE[mode] & self.possible if self.factors is None else self.factors


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that was signed.

    Attributes:
        blobs_hash: about what.
        token: the compact JWS.
        draft: what it was signed from; ``None`` when it was signed before.
    """

    blobs_hash: str = field(repr=False)
    token: str = field(repr=False)
    draft: SignedDraft | None = field(default=None, repr=False)


class AppDesk:
    """Play the ID app's platform: release answers to apps, and verify them for their backends.

    Args:
        keyring: the issuer's keys.
        clients: the registered clients.
        logout: the sessions.
        arming: the faults.

    Attributes:
        takes_faces: whether the ID app takes pictures.
    """

    def __init__(self, *, keyring: Keyring, clients: ClientDesk, logout: LogoutDesk, arming: Arming) -> None:
        self.takes_faces = False
        self._keyring = keyring
        self._clients = clients
        self._logout = logout
        self._arming = arming
        self._states: dict[str, str] = {}
        self._launched: dict[str, None] = {}
        self._releases: dict[str, _Release] = {}
        self._receipts: dict[tuple[str, str], Receipt] = {}

    def forget_all(self) -> None:
        """Forget every launch: the issuer has become another."""
        self._launched.clear()
        self._releases.clear()
        self._receipts.clear()

    def set_account(self, person: str, state: str) -> None:
        """Let receipts about a person say from now on what became of the account.

        Raises:
            ConfigurationError: ``testing.unknown_person``, or ``config.value``.
        """
        if person not in PEOPLE:
            raise ConfigurationError("testing.unknown_person")
        if state not in ACCOUNT_STATES:
            raise ConfigurationError("config.value", "state")
        self._states[person] = ACCOUNT_STATES[state]

    def launch(self, launch: Launch, now: datetime) -> dict[str, str | None]:
        """Return what the ID app answers to the app that launched it.

        A ``bizSeq`` is used by its first launch, whatever comes of it, unless the ID app is not installed.
        """
        if launch.outcome == "not_installed":
            return _answer("not_installed")
        biz_seq, kind = launch.biz_seq, launch.type
        if not isinstance(biz_seq, str) or BIZ_SEQ.fullmatch(biz_seq) is None or not _is_type(kind):
            return _declined("C0500003")
        found = self._clients.find_app(launch.org_id, launch.app_id)
        if found is None or launch.org_id is None:
            return _declined("C0500002")
        if biz_seq in self._launched:
            return _declined("C0500001")
        _remember(self._launched, biz_seq, None)
        if launch.outcome != "success" and launch.decided_by == "phone":
            return _answer(launch.outcome)
        client, app = found
        possible = (
            {"certificate"} | ({"password"} if kind else set()) | ({"face"} if self.takes_faces else set())
        )
        has_password = "password" in (possible if launch.factors is None else launch.factors)
        card, password = _new_blob(), _new_blob() if has_password else None
        release = _Release(
            client_id=client.client_id,
            app=app,
            biz_seq=biz_seq,
            package=launch.package,
            person=PEOPLE[launch.person],
            outcome=launch.outcome,
            possible=frozenset(possible),
            factors=launch.factors,
            released_at=now.timestamp(),
        )
        _remember(self._releases, hash_blobs(card, password), release)
        return _answer("success", card, password)

    def open(
        self, body: bytes, headers: Mapping[str, str], now: datetime, *, certificate: str | None = None
    ) -> VerificationRequest:
        """Return what a signed request asks.

        Args:
            body: untrusted.
            headers: names in lower case.
            now: the issuer's time.
            certificate: the SHA-256 of the certificate that TLS proved, in hex.

        Raises:
            Refusal: ``invalid_client``, ``invalid_request`` or ``invalid_scope``.
        """
        return open_verification(
            body,
            headers,
            certificate=certificate,
            clients=self._clients,
            issuer=self._keyring.issuer,
            seconds=now.timestamp(),
        )

    def verify(self, request: VerificationRequest, now: datetime) -> Receipt:
        """Return the receipt for a request; for the same question it is the same.

        Raises:
            Refusal: ``invalid_grant``.
        """
        key = (request.client.client_id, request.biz_seq)
        known = self._receipts.get(key)
        if known is not None:
            if known.blobs_hash != request.blobs_hash:
                raise Refusal("invalid_grant", "this bizSeq was verified with other data")
            return known
        draft = self._draft(request, self._release_of(request, now.timestamp()), now)
        self._arming.apply("receipt", draft)
        receipt = Receipt(blobs_hash=request.blobs_hash, token=draft.encode(), draft=draft)
        _remember(self._receipts, key, replace(receipt, draft=None))
        return receipt

    def _release_of(self, request: VerificationRequest, seconds: float) -> _Release:
        release = self._releases.get(request.blobs_hash)
        asked = (request.client.client_id, request.app.app_id, request.biz_seq)
        if release is None or asked != (release.client_id, release.app.app_id, release.biz_seq):
            raise Refusal("invalid_grant", "the ID app gave no such data for this launch")
        if seconds >= release.released_at + _BLOBS_LIFE:
            raise Refusal("invalid_grant", "the data of the ID app are too old")
        return release

    def _draft(self, request: VerificationRequest, release: _Release, now: datetime) -> SignedDraft:
        signer, seconds = self._keyring.signer("assertion"), int(now.timestamp())
        outcome = self._states.get(release.person.key, "success")
        if release.outcome != "success":
            outcome = release.outcome
        claims: dict[str, object] = {
            "iss": self._keyring.issuer,
            "aud": request.client.client_id,
            "iat": seconds,
            "exp": seconds + _RECEIPT_LIFE,
            "bizSeq": request.biz_seq,
            "appID": request.app.app_id,
            "blobs_hash": request.blobs_hash,
            "outcome": outcome,
        }
        if outcome == "success":
            claims.update(self._success(request, release, now))
        header: dict[str, object] = {
            "alg": signer.algorithm.name,
            "kid": signer.kid,
            "typ": "cyberid-receipt+jwt",
            "x5c": x5c_of(signer.chain),
        }
        return SignedDraft(header=header, claims=claims, signer=signer, keyring=self._keyring, now=now)

    def _success(self, request: VerificationRequest, release: _Release, now: datetime) -> dict[str, object]:
        """Return what only a receipt says that speaks of somebody, and open the session."""
        client, person, session_id = request.client, release.person, secrets.token_urlsafe(24)
        passed = release.passed(request.mode)
        claims: dict[str, object] = {
            "caller": "verified" if release.package == release.app.package else "unverified",
            "acr": mode_of(passed),
            "factors": {name: "passed" if name in passed else "not_executed" for name in _FACTORS},
            "auth_time": int(release.released_at),
            "sub": pseudonym_of(person, client.sector),
            "sector": client.sector,
            "persistence": "A",
            "sid": session_id,
        }
        if "age_band" in request.scopes:
            claims["age_band"] = person.age_band
        self._logout.remember(session_id, person=person.key, client_id=client.client_id, now=now)
        return claims


def _is_type(value: object) -> bool:
    return value in (0, 1) and not isinstance(value, bool)


def _new_blob() -> str:
    return base64.b64encode(secrets.token_bytes(240)).decode()


def _answer(outcome: str, card: str | None = None, password: str | None = None) -> dict[str, str | None]:
    return {
        "resultCode": _CODES[outcome],
        "resultDesc": _TEXTS[outcome],
        "idCardAuthData": card,
        "certPwdData": password,
    }


def _declined(code: str) -> dict[str, str | None]:
    return {"resultCode": code, "resultDesc": DECLINES[code], "idCardAuthData": None, "certPwdData": None}


def _remember(kept: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Keep the newest 10,000."""
    kept[key] = value
    if len(kept) > _REMEMBERED:
        del kept[next(iter(kept))]
