"""What the phone answered to a launch, and what the issuer's receipt says of that answer (profile §4)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final

from cyberid_client.errors import LoginDeclinedError, VerificationError
from cyberid_client.handshake.app_subjects import AppResultSubject, ReceiptSubject
from cyberid_client.handshake.check import check
from cyberid_client.handshake.checks.factors import reached_mode
from cyberid_client.models import AppOutcome, Factor

__all__ = [
    "check_app_id",
    "check_app_outcome",
    "check_biz_seq",
    "check_blobs_hash",
    "check_caller",
    "check_data_present",
    "check_executed_factors",
    "decline_of",
    "executed_factors",
]

VERIFIED: Final = "verified"
_PASSED: Final = "passed"
_RESULTS: Final = frozenset({_PASSED, "failed", "not_executed"})
_FACTORS: Final[Mapping[str, Factor]] = {factor.value: factor for factor in Factor}
_RESULT_CODE: Final = re.compile("[A-Za-z0-9]{1,32}", re.ASCII)
_DECLINED: Final[Mapping[AppOutcome | None, str]] = {
    AppOutcome.NOT_INSTALLED: "app.not_installed",
    AppOutcome.CANCELLED: "app.cancelled",
    AppOutcome.TIMED_OUT: "app.timed_out",
    AppOutcome.FACTOR_FAILED: "app.factor_failed",
    AppOutcome.FROZEN: "app.frozen",
    AppOutcome.CANCELLED_ID: "app.cancelled_id",
    AppOutcome.EXPIRED: "app.expired",
    AppOutcome.DEVICE_CHANGED: "app.device_changed",
    AppOutcome.BUSY: "app.busy",
}


def decline_of(outcome: AppOutcome | None, *, result_code: str | None = None) -> LoginDeclinedError:
    """Return the error for an outcome that is no success, whoever states it.

    Args:
        outcome: ``None`` when it is none of ours.
        result_code: of the ID app, untrusted; kept when it has the shape of one.
    """
    kept = None if result_code is None or _RESULT_CODE.fullmatch(result_code) is None else result_code
    return LoginDeclinedError(_DECLINED.get(outcome, "app.declined"), result_code=kept)


@check(
    "P4.2a",
    "What the ID app answered is looked up in the configured table; what is not listed there is no success.",
    clause="profile §4 (2)",
    codes=["app.*"],
)
def check_app_outcome(subject: AppResultSubject) -> None:
    """End the login when the phone says no; nothing is asked of the issuer then."""
    code = subject.result.result_code
    outcome = subject.settings.outcomes.get(code)
    if outcome is not AppOutcome.SUCCESS:
        raise decline_of(outcome, result_code=code)


@check(
    "P4.2b",
    "A success brings something that can be verified.",
    clause="profile §4 (2)",
    codes=["app_result.data_missing"],
)
def check_data_present(subject: AppResultSubject) -> None:
    """Refuse a success without the data of the certificate."""
    if subject.result.id_card_auth_data is None:
        raise VerificationError("app_result.data_missing")


@check(
    "P4.4a",
    "The receipt answers the launch that this session of the app began.",
    clause="profile §4 (4), in the place of OIDC Core §3.1.3.7 (11)",
    codes=["receipt.biz_seq"],
)
def check_biz_seq(subject: ReceiptSubject) -> None:
    """Compare ``bizSeq`` in constant time."""
    if not _are_equal(subject.claims.biz_seq, subject.launch.biz_seq):
        raise VerificationError("receipt.biz_seq")


@check(
    "P4.4b",
    "The ID app gave its answer to the app that launched it.",
    clause="profile §4 (4), in the place of OIDC Core §3.1.3.7 (4–5)",
    codes=["receipt.app_id"],
)
def check_app_id(subject: ReceiptSubject) -> None:
    """Compare ``appID``."""
    if subject.claims.app_id != subject.launch.app_id:
        raise VerificationError("receipt.app_id")


@check(
    "P4.4c",
    "The receipt is about the very answer of the ID app that was sent.",
    clause="profile §4 (4), in the place of OIDC Core §3.1.3.8",
    codes=["receipt.blobs_hash"],
)
def check_blobs_hash(subject: ReceiptSubject) -> None:
    """Compare ``blobs_hash`` in constant time."""
    if not _are_equal(subject.claims.blobs_hash, subject.launch.blobs_hash):
        raise VerificationError("receipt.blobs_hash")


@check(
    "P4.4d",
    "The ID app gave its answer to the registered app only, so that no other app can have relayed it.",
    clause="profile §4 (4)",
    codes=["receipt.caller"],
)
def check_caller(subject: ReceiptSubject) -> None:
    """Refuse any ``caller`` but ``verified``, and an absent one, unless that is configured."""
    if not subject.launch.any_caller and subject.claims.caller != VERIFIED:
        raise VerificationError("receipt.caller")


@check(
    "P4.4e",
    "The factors that passed are those of the mode, none failed, and one that was not executed never counts.",
    clause="profile §4 (4), §6",
    codes=["receipt.factors"],
)
def check_executed_factors(subject: ReceiptSubject) -> None:
    """Compare ``factors`` with ``acr``, where it is known; names that are no factor count for nothing."""
    results = {result for name, result in subject.claims.factors.items() if name in _FACTORS}
    passed, reached = executed_factors(subject), reached_mode(subject)
    if "failed" in results or not results <= _RESULTS or not passed:
        raise VerificationError("receipt.factors")
    if reached is not None and passed != reached.factors:
        raise VerificationError("receipt.factors")


def executed_factors(subject: ReceiptSubject) -> frozenset[Factor]:
    """Return the factors that passed."""
    results = subject.claims.factors.items()
    return frozenset(_FACTORS[name] for name, result in results if name in _FACTORS and result == _PASSED)


def _are_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
