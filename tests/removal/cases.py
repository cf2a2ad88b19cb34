"""What is played: a named fault, the configuration that meets it, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyberid_client import AppLaunchSettings, Assurance, PurposeTable
from cyberid_client.testing import EVENT_FAULTS, FAULTS, LOGOUT_FAULTS, RECEIPT_FAULTS, RegisteredApp
from cyberid_client.trust import TEST_MARK_POLICY, Purpose

PENDING_SECONDS = 60
PARSING, NOTHING_TO_BUILD = "parsing", "nothing to build"
# Everything that the mock issuer does wrong in a login or in a notice.
NAMED = {**FAULTS, **LOGOUT_FAULTS, **EVENT_FAULTS, **RECEIPT_FAULTS}
PHONE_APP = RegisteredApp(app_id="shop-android", package="com.example.shop")
# What is registered and configured for the word that a fault needs.
PROTECTIONS = {
    "dpop": {"sender_constraint": "dpop"},
    "dpop_nonce": {"sender_constraint": "dpop"},
    "mtls": {"sender_constraint": "mtls"},
    "tls_client_auth": {"sender_constraint": "mtls", "client_authentication": "tls_client_auth"},
    "jarm": {"response": "jarm"},
    "jwe": {"id_token": "jwe"},
    "jwe_rsa": {"id_token": "jwe", "key_encryption": "RSA-OAEP-256"},
    "request_object": {"request_object": "signed"},
}


@dataclass(frozen=True)
class Case:
    """One named fault and the configuration that meets it.

    A fault is one of the mock issuer's, or one of those in ``BROWSERS``, which no issuer makes. The setting
    also says what comes: a notice when it begins with ``logout`` or ``event``, a login by the ID app when it
    begins with ``app`` (which the issuer refuses in ``app_refusal``), and else a login by redirect.
    """

    fault: str
    setting: str = "signed"

    @property
    def protection(self) -> dict[str, str]:
        """What is registered and configured beside the defaults."""
        if self.setting == "jarm":
            return PROTECTIONS["jarm"]
        needs = FAULTS[self.fault].needs if self.fault in FAULTS else None
        return PROTECTIONS.get(needs or "", {})

    @property
    def code(self) -> str:
        return BROWSERS[self.fault][1] if self.fault in BROWSERS else NAMED[self.fault].expected_code

    @property
    def notice(self) -> str | None:
        """Which notice comes; ``None``: somebody logs in."""
        return next((one for one in ("logout", "event") if self.setting.startswith(one)), None)


def case_of(fault: str) -> Case:
    """Return the case of a fault in the configuration that is no exception."""
    if fault in RECEIPT_FAULTS or fault.startswith("phone."):
        return Case(fault, "app")
    return Case(fault, "logout" if fault in LOGOUT_FAULTS else "event" if fault in EVENT_FAULTS else "signed")


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: ``by`` is the check, ``("", PARSING)``, or ``None`` when something was accepted."""

    by: tuple[str, str] | None
    code: str | None = None
    accepted: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What stopped a fault, in the order in which the checks were taken away, and what is left in the end."""

    first: Outcome
    stops: tuple[tuple[str, str], ...]
    last: Outcome


# What a browser or a neighbour of the app can do without any issuer: who is late, whose login it is.
BROWSERS: dict[str, tuple[str, str]] = {
    "browser.comes_late": ("A person who comes back when the time is up starts again.", "login.expired"),
    "browser.login_of_other_client": (
        "A pending login of another client in the same store is none of ours.",
        "login.other_kind",
    ),
    "browser.login_of_other_handshake": (
        "A pending login that another handshake started is none of this one.",
        "login.other_kind",
    ),
    "browser.stranger_steps_up": (
        "Somebody else answers the step-up of the person who is logged in.",
        "step_up.other_person",
    ),
    "browser.steps_up_for_one_session": (
        "A step-up is answered under a pseudonym that ends with the session.",
        "step_up.session_only",
    ),
    "phone.code_unlisted": (
        "The ID app answers with a code that nobody listed, whatever stands beside it.",
        "app.declined",
    ),
    "phone.brings_nothing": (
        "The ID app reports success and brings nothing that could be verified.",
        "app_result.data_missing",
    ),
}
STEP_UPS = frozenset({"browser.stranger_steps_up", "browser.steps_up_for_one_session"})


def settings_of(case: Case) -> dict[str, object]:
    """Return what is configured beside the defaults."""
    settings: dict[str, object] = {"pending_lifetime": PENDING_SECONDS}
    settings |= {name: value for name, value in case.protection.items() if name != "key_encryption"}
    if case.setting.endswith("without_chain"):
        settings["assertion_chain"] = "absent"
    if case.setting.startswith("app"):
        settings["app_launch"] = AppLaunchSettings(org_id="shop-org", app_ids={"android": PHONE_APP.app_id})
    if case.setting == "unsigned":
        modes = {mode.value: mode for mode in Assurance}
        settings |= {"metadata_trust": "tls", "assurance_values": modes}
    if case.fault in FAULTS and FAULTS[case.fault].needs == "policy":
        builtin = PurposeTable.builtin()
        rule = replace(builtin.rules[Purpose.ASSERTION], policies=frozenset({TEST_MARK_POLICY}))
        settings["purposes"] = PurposeTable(rules={**builtin.rules, Purpose.ASSERTION: rule})
    return settings
