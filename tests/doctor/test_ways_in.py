"""What ``cyberid doctor`` says of app launch and wallet presentations, before anybody is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import (
    AppLaunchSettings,
    Assurance,
    ClientKey,
    ClientKeys,
    ConfigurationError,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.doctor.store import look_at_store
from cyberid_client.doctor.ways_in import look_at_ways_in
from cyberid_client.link import Environment
from cyberid_client.stores.sql import SQLPendingStore
from cyberid_client.testing.pki import authority_form, make_root, pem, signer_form

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECTOR = "https://shop.example"
KEY = ec.generate_private_key(ec.SECP256R1())
KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
ROOT = make_root(NOW)
AUTHORITY = ROOT.found_authority(authority_form(NOW, SECTOR))
TRUST = TrustStore.for_tests(pem(ROOT.certificate))


def rp_with(*, authority=AUTHORITY, endpoint=f"{SECTOR}/wallet", form=None, **more) -> RelyingParty:
    """Configure a wallet with a certificate of this authority, and what else is given."""
    honest = signer_form(NOW, SECTOR, "relying_party")
    chain = authority.issue_chain(honest if form is None else replace(honest, **form), KEY.public_key())
    settings = {
        "issuer": "https://issuer.example",
        "client_id": "shop",
        "redirect_uri": f"{SECTOR}/callback",
        "trust": TRUST,
        "keys": ClientKeys(
            signing=ClientKey.from_pem(KEY_PEM),
            wallet=WalletIdentity.from_pem(b"".join(map(pem, chain)), KEY_PEM),
        ),
        "wallet": WalletSettings(endpoint=endpoint),
    }
    return RelyingParty(**{**settings, **more})


def look(rp: RelyingParty, *, now=NOW):
    """Return the findings by their subjects."""
    return {finding.subject: finding for finding in look_at_ways_in(rp, now=now)}


def verdicts(findings) -> dict[str, str]:
    return {subject: str(finding.verdict) for subject, finding in findings.items()}


class TestTheWallet:
    def test_a_good_one_has_nothing_to_say_against(self):
        """Endpoint, certificate and devices each have a line, and every line is good."""
        findings = look(rp_with())
        assert {"wallet endpoint": "ok", "wallet certificate": "ok", "wallet devices": "ok"} == verdicts(
            findings
        )
        assert "ends in 397 days" in findings["wallet certificate"].says

    def test_without_settings_there_are_no_lines(self):
        """A service without these ways in hears nothing of them."""
        assert {} == look(rp_with(wallet=None))

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({"uris": ("https://other.example",)}, "chain.subject_uri"),
            ({"hosts": ("login.shop.example",)}, "chain.subject_host"),
            ({"purposes": ("1.3.6.1.4.1.32473.1.3",)}, "chain.purpose"),
            ({"not_after": NOW - timedelta(seconds=1)}, "chain.expired"),
        ],
    )
    def test_a_certificate_that_wallets_refuse_fails(self, form, code):
        """Another sector, another host, another purpose and a date in the past are named by their codes."""
        finding = look(rp_with(form=form))["wallet certificate"]
        assert ("failed", code) == (finding.verdict, finding.code)

    def test_a_certificate_of_somebody_else_fails(self):
        """A chain that ends at no pinned root is one that no wallet follows."""
        finding = look(rp_with(authority=make_root(NOW)))["wallet certificate"]
        assert ("failed", "chain.untrusted") == (finding.verdict, finding.code)

    @pytest.mark.parametrize(("days", "verdict"), [(30, "warning"), (31, "ok")])
    def test_its_end_is_told_a_month_before(self, days, verdict):
        """From thirty days before its end on the next certificate is asked for."""
        rp = rp_with(form={"not_after": NOW + timedelta(days=days)})
        assert verdict == look(rp)["wallet certificate"].verdict

    def test_plain_http_is_for_this_machine(self):
        """A loopback endpoint is a warning."""
        rp = rp_with(endpoint="http://127.0.0.1:9/wallet", form={"hosts": ("127.0.0.1",)})
        assert "warning" == look(rp)["wallet endpoint"].verdict

    def test_other_devices_are_named(self):
        """Who allows them is told what that costs; the drawing library is there."""
        findings = look(rp_with(wallet=WalletSettings(endpoint=f"{SECTOR}/wallet", cross_device="allowed")))
        assert "warning" == findings["wallet devices"].verdict
        assert "wallet extras" not in findings

    @pytest.mark.parametrize("assurance", [Assurance.R03, Assurance.R04])
    def test_a_mode_that_no_wallet_reaches_is_named(self, assurance):
        """A presentation has no face: asking for one by default is a warning."""
        assert "warning" == look(rp_with(assurance=assurance))["wallet mode"].verdict


class TestTheAppLaunch:
    @pytest.mark.parametrize(
        ("caller", "expected"),
        [("verified", {"app launch": "ok"}), ("unverified", {"app launch": "ok", "app caller": "warning"})],
    )
    def test_an_unverified_caller_is_a_warning(self, caller, expected):
        """Who lets any app relay a login reads so."""
        launch = AppLaunchSettings(org_id="org-7", app_ids={"ios": "a", "android": "b"}, app_caller=caller)
        assert expected == verdicts(look(rp_with(wallet=None, app_launch=launch)))


class TestTheStore:
    def test_a_database_changes_records_in_their_place(self, tmp_path):
        """A store that serves presentations is told so, and the record is gone afterwards."""
        url = f"sqlite:///{tmp_path / 'logins.db'}"
        SQLPendingStore(url).create_tables()
        env = Environment(lambda: NOW)
        findings = {each.subject: each for each in look_at_store(url, env, revisable=True)}
        assert {"store": "ok", "store changes": "ok"} == verdicts(findings)


def test_the_key_of_the_certificate_is_named_when_it_is_damaged():
    """A client has several keys: the error says which one cannot be read."""
    certificate = pem(ROOT.issue(signer_form(NOW, SECTOR, "relying_party"), KEY.public_key()))
    with pytest.raises(ConfigurationError) as caught:
        WalletIdentity.from_pem(certificate, b"none")
    assert ("config.wallet_identity", "keys.wallet.key") == (caught.value.code, caught.value.setting)
