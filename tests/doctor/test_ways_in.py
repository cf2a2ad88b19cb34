"""What ``cyberid doctor`` says of app launch and wallet presentations, before anybody is asked."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import (
    AppLaunchSettings,
    Assurance,
    Client,
    ClientKey,
    ClientKeys,
    ConfigurationError,
    RelyingParty,
    TrustStore,
    WalletIdentity,
    WalletSettings,
)
from cyberid_client.doctor import examine_deployment
from cyberid_client.doctor.store import look_at_store
from cyberid_client.doctor.ways_in import look_at_issuer_of_ways_in, look_at_ways_in
from cyberid_client.link import Environment
from cyberid_client.stores.sql import SQLPendingStore
from cyberid_client.testing import MockIssuer, RegisteredApp
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


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Look at a deployment with both ways in, over a mock that offers them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('doctor') / 'logins.db'}"
    SQLPendingStore(url).create_tables()
    issuer = MockIssuer()
    apps = {"android": RegisteredApp(app_id="app-a", package="example.shop")}
    client = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/callback", org_id="org-7", apps=apps)
    certificate, key = issuer.certify_relying_party(sector=SECTOR, endpoint=f"{SECTOR}/wallet")
    rp = RelyingParty.from_env(
        {
            "CYBERID_ISSUER": issuer.issuer,
            "CYBERID_CLIENT_ID": "shop",
            "CYBERID_REDIRECT_URI": client.redirect_uri,
            "CYBERID_KEY": client.key_pem.decode(),
            "CYBERID_APP_LAUNCH_ORG_ID": "org-7",
            "CYBERID_APP_LAUNCH_APP_IDS": "android=app-a",
            "CYBERID_WALLET_ENDPOINT": f"{SECTOR}/wallet",
            "CYBERID_WALLET_CERTIFICATE": certificate.decode(),
            "CYBERID_WALLET_KEY": key.decode(),
        },
        trust=TrustStore.for_tests(issuer.root_pem),
    )

    def examine(rp, **more):
        found = examine_deployment(
            rp, environ={}, store=url, transport=issuer.transport(), handshake=False, **more
        )
        return {finding.subject: finding for finding in found}

    examine.issuer = issuer
    return rp, examine


class TestTheIssuer:
    def test_both_ways_in_are_in_order(self, deployed):
        """Over a mock that offers both, every line of the two ways in is good."""
        rp, examine = deployed
        named = {
            "app launch",
            "app launch modes",
            "wallet endpoint",
            "wallet certificate",
            "wallet devices",
            "credentials",
            "status lists",
            "store changes",
        }
        found = verdicts(examine(rp))
        assert dict.fromkeys(named, "ok") == {subject: found.get(subject) for subject in named}

    def test_a_face_that_nobody_takes_is_named(self, deployed):
        """An app launch that asks for a face by default fails where the ID app takes no pictures."""
        rp, examine = deployed
        found = verdicts(examine(replace(rp, assurance=Assurance.R04)))
        assert ("failed", "warning") == (found["app launch modes"], found["wallet mode"])

    def test_an_id_app_with_a_camera_serves_every_mode(self, deployed):
        """Where the ID app takes pictures, a face may be asked for."""
        rp, examine = deployed
        examine.issuer.take_faces()
        found = examine(replace(rp, assurance=Assurance.R03))
        examine.issuer.take_faces(taken=False)
        assert ("ok", True) == (
            found["app launch modes"].verdict,
            "all four modes" in found["app launch modes"].says,
        )

    def test_what_is_not_known_is_not_there(self, deployed):
        """Of an issuer that said nothing of credentials, none is believed."""
        rp, examine = deployed
        with Client(rp, transport=examine.issuer.transport(), background=False) as client:
            health, now = client.health(), examine.issuer.clock()
            found = {each.subject: each for each in look_at_issuer_of_ways_in(rp, client, health, now=now)}
        assert {"app launch modes": "ok", "credentials": "failed", "status lists": "failed"} == verdicts(
            found
        )

    def test_a_certificate_that_fails_hides_nothing_else(self, deployed):
        """Clock, issuer and store are looked at also where no client takes the certificate."""
        rp, examine = deployed
        found = examine(replace(rp, sector="https://other.example"))
        assert "chain.subject_uri" == found["wallet certificate"].code
        assert ("ok", "ok", "ok") == tuple(
            found[subject].verdict for subject in ("issuer", "store", "store changes")
        )


def test_the_key_of_the_certificate_is_named_when_it_is_damaged():
    """A client has several keys: the error says which one cannot be read."""
    certificate = pem(ROOT.issue(signer_form(NOW, SECTOR, "relying_party"), KEY.public_key()))
    with pytest.raises(ConfigurationError) as caught:
        WalletIdentity.from_pem(certificate, b"none")
    assert ("config.wallet_identity", "keys.wallet.key") == (caught.value.code, caught.value.setting)


def test_what_is_not_installed_is_named():
    """Without the library that draws codes the operator reads what to install; nothing else is needed."""
    script = """
import sys
sys.modules.update({"joserfc": None, "joserfc.jwe": None, "segno": None})
from datetime import UTC, datetime
from cyberid_client import ClientKey, ClientKeys, RelyingParty, TrustStore, WalletIdentity, WalletSettings
from cyberid_client.doctor.ways_in import look_at_ways_in
from cyberid_client.testing import MockIssuer

issuer, sector = MockIssuer(), "https://shop.example"
certificate, key = issuer.certify_relying_party(sector=sector, endpoint=f"{sector}/wallet")
identity = WalletIdentity.from_pem(certificate, key)
rp = RelyingParty(
    issuer="https://issuer.example", client_id="shop", redirect_uri=f"{sector}/callback",
    trust=TrustStore.for_tests(issuer.root_pem), keys=ClientKeys(signing=identity.key, wallet=identity),
    wallet=WalletSettings(endpoint=f"{sector}/wallet", cross_device="allowed"),
)
for finding in look_at_ways_in(rp, now=datetime.now(UTC)):
    if finding.verdict == "failed":
        print(finding.subject, finding.advice)
"""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    expected = ['wallet extras Install it: pip install "cyberid_client[qr]".']
    assert expected == done.stdout.splitlines()
