"""The settings of app launch: what can be used is accepted, everything else is refused when it is made."""

from __future__ import annotations

import logging
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import (
    AppLaunch,
    AppLaunchSettings,
    AppOutcome,
    Assurance,
    ClientKey,
    ConfigurationError,
    RelyingParty,
    TrustStore,
)
from cyberid_client.handshake.app_envelope import SignedJWTEnvelope
from cyberid_client.testing.pki import make_root, pem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HONEST = {"org_id": "org-1", "app_ids": {"android": "app-1", "ios": "app-2"}}


def make(**changes: object) -> AppLaunchSettings:
    return AppLaunchSettings(**{**HONEST, **changes})


def refused(call, **settings: object) -> tuple[str, str | None]:
    with pytest.raises(ConfigurationError) as caught:
        call(**settings)
    return caught.value.code, caught.value.setting


@pytest.fixture(scope="module")
def rp():
    key = ec.generate_private_key(ec.SECP256R1())
    return RelyingParty(
        issuer="https://issuer.example",
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())),
        trust=TrustStore.for_tests(pem(make_root(NOW).certificate)),
    )


class TestSettings:
    def test_what_is_not_said_is_strict(self):
        """The caller must be verified, and one code of the ID app means success."""
        settings = make()
        assert ("verified", {"C0000000": AppOutcome.SUCCESS}, None) == (
            settings.app_caller,
            settings.outcomes,
            settings.envelope,
        )

    @pytest.mark.parametrize("name", ["x", "x" * 128, "A-Z_0.9"])
    def test_names_are_as_registered(self, name):
        """1 to 128 letters, digits, dots, hyphens and underscores."""
        settings = make(org_id=name, app_ids={"android": name})
        assert (name, name) == (settings.org_id, settings.app_ids["android"])

    @pytest.mark.parametrize("name", ["", "x" * 129, "a b", "网", "a\n", None, 1, b"x"])
    def test_other_names_are_refused(self, name):
        """The setting is named, its value never."""
        assert ("config.app_launch", "app_launch.org_id") == refused(make, org_id=name)
        assert ("config.app_launch", "app_launch.app_ids") == refused(make, app_ids={"android": name})

    def test_no_two_platforms_share_an_app_id(self):
        """The answer for the app of one platform never passes for that of another."""
        apps = {"android": "app-1", "ios": "app-1"}
        assert ("config.app_launch", "app_launch.app_ids") == refused(make, app_ids=apps)

    @pytest.mark.parametrize("left_out", ["content_type", "accept", "prepare", "seal", "open"])
    def test_an_envelope_has_all_parts(self, left_out):
        """What lacks a part of an envelope, or has another thing in its place, is refused at the start."""
        whole = SignedJWTEnvelope()
        parts = {name: getattr(whole, name) for name in ("content_type", "accept", "prepare", "seal", "open")}
        assert make(envelope=SimpleNamespace(**parts))
        lacking = SimpleNamespace(**{**parts, left_out: None})
        assert ("config.app_launch", "app_launch.envelope") == refused(make, envelope=lacking)

    @pytest.mark.parametrize("app_ids", [{}, None, "android", ["android"], {"": "x"}, {1: "x"}, {"a b": "x"}])
    def test_there_is_a_platform(self, app_ids):
        """At least one, each with a name."""
        assert ("config.app_launch", "app_launch.app_ids") == refused(make, app_ids=app_ids)

    @pytest.mark.parametrize("caller", ["", "Unverified", "no", None, True])
    def test_a_caller_is_verified_or_not(self, caller):
        """There are two words, and no other."""
        assert ("config.app_launch", "app_launch.app_caller") == refused(make, app_caller=caller)

    @pytest.mark.parametrize(
        "outcomes",
        [
            {},
            {"C1": AppOutcome.BUSY},
            {"C0": "success"},
            {"C 0": AppOutcome.SUCCESS},
            {"C" * 33: AppOutcome.SUCCESS},
            {"": AppOutcome.SUCCESS},
            {0: AppOutcome.SUCCESS},
            None,
            "C0",
        ],
    )
    def test_a_table_says_what_success_is(self, outcomes):
        """Codes are 1 to 32 letters and digits, and at least one of them is a success."""
        assert ("config.app_launch", "app_launch.outcomes") == refused(make, outcomes=outcomes)

    def test_less_than_a_verified_caller_is_logged(self, caplog):
        """The named exception leaves a line, and the rule leaves none."""
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            make()
            assert [] == caplog.records
            make(app_caller="unverified")
        assert ["app_caller='unverified': any app on the phone can relay a login"] == caplog.messages

    def test_nobody_changes_them_afterwards(self):
        """Tables are copied, and read-only like everything else."""
        apps = {"android": "app-1"}
        settings = make(app_ids=apps)
        apps["ios"] = "app-2"
        assert {"android": "app-1"} == settings.app_ids
        with pytest.raises(TypeError):
            settings.app_ids["ios"] = "app-2"
        with pytest.raises(FrozenInstanceError):
            settings.org_id = "org-2"
        assert hash(settings) == hash(make(app_ids={"android": "app-1"}))


class TestBesideTheOthers:
    def test_they_are_part_of_the_configuration(self, rp):
        """Without them there is no app launch."""
        assert None is rp.app_launch
        assert make() == replace(rp, app_launch=make()).app_launch

    @pytest.mark.parametrize("value", ["org-1", {}, 1])
    def test_anything_else_is_refused(self, rp, value):
        """A table of settings is no settings."""
        assert ("config.value", "app_launch") == refused(lambda: replace(rp, app_launch=value))

    @pytest.mark.parametrize(
        "exceptions",
        [
            {"assertion_chain": "absent"},
            {
                "metadata_trust": "tls",
                "assertion_chain": "absent",
                "trust": None,
                "assurance_values": {mode.value: mode for mode in Assurance},
            },
        ],
    )
    def test_no_exception_stands_beside_them(self, rp, exceptions):
        """A receipt is believed by the full chain of trust or not at all."""
        refusal = refused(lambda: replace(rp, app_launch=make(), **exceptions))
        assert ("config.exceptions", "app_launch") == refusal


class TestLaunch:
    def test_the_phone_is_handed_four_members(self):
        """By the names of the wire, and never the handle."""
        launch = AppLaunch(
            org_id="org-1",
            app_id="app-1",
            biz_seq="made-up-sequence",
            type=1,
            handle="made-up-handle",
            cookie_name="__Host-cyberid-app",
            set_cookie="__Host-cyberid-app=made-up-handle",
            expires_at=NOW,
        )
        assert {
            "orgID": "org-1",
            "appID": "app-1",
            "bizSeq": "made-up-sequence",
            "type": 1,
        } == launch.to_dict()
        assert not any(secret in repr(launch) for secret in ("made-up-sequence", "made-up-handle"))
