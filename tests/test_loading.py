import base64
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from cyberid_client import (
    AppLaunchSettings,
    AppOutcome,
    Assurance,
    ConfigurationError,
    Persistence,
    RelyingParty,
    TrustStore,
    WalletSettings,
)
from cyberid_client.loading import ENVIRONMENT, store_url
from cyberid_client.testing import MockIssuer
from cyberid_client.testing.pki import make_root, pem, signer_form

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ISSUER = MockIssuer()
TRUST = TrustStore.for_tests(ISSUER.root_pem)


def pem_of(private_key) -> str:
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))
OTHER_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))
RSA_KEY = pem_of(rsa.generate_private_key(65537, 2048))
WALLET_KEY = ec.generate_private_key(ec.SECP256R1())
WALLET_CERTIFICATE = pem(
    make_root(NOW).issue(signer_form(NOW, "https://shop.example", "relying_party"), WALLET_KEY.public_key())
).decode()
APP_LAUNCH = {
    "CYBERID_APP_LAUNCH_ORG_ID": "org-7",
    "CYBERID_APP_LAUNCH_APP_IDS": "android=app-a ios=app-i",
}
WALLET = {
    "CYBERID_WALLET_ENDPOINT": "https://shop.example/wallet",
    "CYBERID_WALLET_CERTIFICATE": WALLET_CERTIFICATE,
    "CYBERID_WALLET_KEY": pem_of(WALLET_KEY),
}
ENOUGH = {
    "CYBERID_ISSUER": "https://issuer.example",
    "CYBERID_CLIENT_ID": "shop",
    "CYBERID_REDIRECT_URI": "https://shop.example/callback",
    "CYBERID_KEY": KEY,
}
TOML = """
issuer = "https://issuer.example"
client_id = "shop"
redirect_uri = "https://shop.example/callback"
"""


def load(**more: str) -> RelyingParty:
    return RelyingParty.from_env({**ENOUGH, **more}, trust=TRUST)


def refused(call, *arguments, **options) -> tuple[str, str | None]:
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **options)
    return caught.value.code, caught.value.setting


class TestEnvironment:
    def test_four_variables_and_the_roots_are_enough(self):
        """What has a default needs no variable."""
        rp = load()
        assert ("https://issuer.example", "shop", "https://shop.example/callback", Assurance.R02) == (
            rp.issuer,
            rp.client_id,
            rp.redirect_uri,
            rp.assurance,
        )

    def test_every_variable_reaches_its_setting(self):
        """Each variable of the table changes what its row says."""
        rp = load(
            CYBERID_OTHER_REDIRECT_URIS="https://shop.example/a, https://shop.example/b",
            CYBERID_KEY_ID="k1",
            CYBERID_NEXT_KEY=OTHER_KEY,
            CYBERID_NEXT_KEY_ID="k2",
            CYBERID_DECRYPTION_KEY=RSA_KEY,
            CYBERID_DECRYPTION_KEY_ID="d1",
            CYBERID_DECRYPTION_ALGORITHM="RSA-OAEP-256",
            CYBERID_OLD_DECRYPTION_KEY=OTHER_KEY,
            CYBERID_OLD_DECRYPTION_KEY_ID="d0",
            CYBERID_OLD_DECRYPTION_ALGORITHM="ECDH-ES+A256KW",
            CYBERID_ASSURANCE="R04",
            CYBERID_SECTOR="https://shop.example/sector",
            CYBERID_PSEUDONYM_KEYS="b="
            + base64.b64encode(b"b" * 32).decode()
            + " a="
            + base64.b64encode(b"a" * 32).decode(),
            CYBERID_SENDER_CONSTRAINT="dpop",
            CYBERID_RESPONSE="jarm",
            CYBERID_ID_TOKEN="jwe",
            CYBERID_CONTENT_ENCRYPTION="A128GCM",
            CYBERID_CLIENT_AUTHENTICATION="private_key_jwt",
            CYBERID_REQUEST_OBJECT="signed",
            CYBERID_METADATA_TRUST="signed",
            CYBERID_ASSERTION_CHAIN="required",
            CYBERID_ALGORITHM="PS256",
            CYBERID_REVOCATION="tolerate_outage",
            CYBERID_REVOCATION_OUTAGE_MINUTES="90",
            CYBERID_ISSUER_HOSTS="issuer.example login.issuer.example",
            CYBERID_REVOCATION_HOSTS="lists.example",
            CYBERID_AGE_BAND="true",
            CYBERID_CLOCK_LEEWAY="7",
            CYBERID_PENDING_LIFETIME="120",
            CYBERID_HTTP_CONNECT_TIMEOUT="1.5",
            CYBERID_HTTP_READ_TIMEOUT="2.5",
            CYBERID_HTTP_TOTAL_TIMEOUT="4",
            CYBERID_HTTP_PROXY="http://proxy.example:3128",
            CYBERID_HTTP_CA=ISSUER.root_pem.decode(),
            CYBERID_HTTP_POOL_SIZE="20",
        )
        seen = {
            "other_redirect_uris": rp.other_redirect_uris,
            "kids": [key["kid"] for key in rp.client_keys.jwks["keys"]],
            "decryption": [key.algorithm for key in rp.client_keys.decryption],
            "assurance": rp.assurance,
            "sector": rp.sector,
            "pseudonym_keys": rp.pseudonym_keys.ids,
            "protection": (
                rp.sender_constraint,
                rp.response,
                rp.id_token,
                rp.content_encryption,
                rp.request_object,
            ),
            "algorithm": rp.algorithm,
            "revocation": repr(rp.revocation),
            "hosts": (sorted(rp.issuer_hosts), sorted(rp.revocation_hosts)),
            "age_band": rp.age_band,
            "numbers": (rp.clock_leeway, rp.pending_lifetime),
            "http": (rp.http.connect_timeout, rp.http.read_timeout, rp.http.total_timeout, rp.http.pool_size),
            "proxy": rp.http.proxy,
            "ca": rp.http.ca_pem.strip() == ISSUER.root_pem.strip(),
        }
        assert {
            "other_redirect_uris": ("https://shop.example/a", "https://shop.example/b"),
            "kids": ["k1", "k2", "d1", "d0"],
            "decryption": ["RSA-OAEP-256", "ECDH-ES+A256KW"],
            "assurance": Assurance.R04,
            "sector": "https://shop.example/sector",
            "pseudonym_keys": ("b", "a"),
            "protection": ("dpop", "jarm", "jwe", "A128GCM", "signed"),
            "algorithm": "PS256",
            "revocation": "RevocationPolicy.tolerate_outage(minutes=90)",
            "hosts": (["issuer.example", "login.issuer.example"], ["lists.example"]),
            "age_band": True,
            "numbers": (7, 120),
            "http": (1.5, 2.5, 4.0, 20),
            "proxy": "http://proxy.example:3128",
            "ca": True,
        } == seen

    def test_an_ordinary_provider_is_configured_by_its_exceptions(self):
        """The named exceptions and what belongs to them have variables too."""
        rp = RelyingParty.from_env(
            {
                **ENOUGH,
                "CYBERID_METADATA_TRUST": "tls",
                "CYBERID_ASSERTION_CHAIN": "absent",
                "CYBERID_ASSURANCE_VALUES": "urn:mode:two=R02 urn:mode:four=R04",
                "CYBERID_PERSISTENCE": "B",
            }
        )
        assert (
            None,
            Persistence.RECORD,
            {"urn:mode:two": Assurance.R02, "urn:mode:four": Assurance.R04},
        ) == (
            rp.trust,
            rp.persistence,
            dict(rp.assurance_values),
        )

    def test_every_variable_of_the_app_launch_reaches_its_setting(self):
        """Each variable of the app launch changes what its row says, and what is absent has its default."""
        expected = AppLaunchSettings(org_id="org-7", app_ids={"android": "app-a", "ios": "app-i"})
        assert expected == load(**APP_LAUNCH).app_launch
        rp = load(
            **APP_LAUNCH,
            CYBERID_APP_LAUNCH_APP_CALLER="unverified",
            CYBERID_APP_LAUNCH_OUTCOMES="S0=success, C1=cancelled B2=busy",
        )
        outcomes = {"S0": AppOutcome.SUCCESS, "C1": AppOutcome.CANCELLED, "B2": AppOutcome.BUSY}
        assert ("unverified", outcomes) == (rp.app_launch.app_caller, dict(rp.app_launch.outcomes))

    def test_every_variable_of_the_wallet_reaches_its_setting(self):
        """Each variable of the presentation changes what its row says, and what is absent has its default."""
        assert WalletSettings(endpoint="https://shop.example/wallet") == load(**WALLET).wallet
        locked = WALLET_KEY.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"made up")
        ).decode()
        rp = load(
            **{**WALLET, "CYBERID_WALLET_KEY": locked},
            CYBERID_WALLET_KEY_PASSWORD="made up",
            CYBERID_WALLET_CROSS_DEVICE="allowed",
            CYBERID_WALLET_URI="https://wallet.example/open",
            CYBERID_WALLET_FORMAT="sd-jwt",
            CYBERID_WALLET_ALGORITHM="ES384",
            CYBERID_WALLET_HOLDER_ALGORITHM="EdDSA",
            CYBERID_WALLET_LIFETIME="90",
        )
        expected = WalletSettings(
            endpoint="https://shop.example/wallet",
            cross_device="allowed",
            wallet_uri="https://wallet.example/open",
            credential_format="sd-jwt",
            algorithm="ES384",
            holder_algorithm="EdDSA",
            lifetime=90,
        )
        assert expected == rp.wallet
        assert load(**WALLET).client_keys.wallet.client_id == rp.client_keys.wallet.client_id

    @pytest.mark.parametrize(
        ("given", "code", "named"),
        [
            ({"CYBERID_APP_LAUNCH_ORG_ID": "org-7"}, "config.missing_setting", "CYBERID_APP_LAUNCH_APP_IDS"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_ORG_ID": "org 7"}, "config.app_launch", "CYBERID_APP_LAUNCH_ORG_ID"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_APP_IDS": "android"}, "config.app_launch", "CYBERID_APP_LAUNCH_APP_IDS"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_APP_IDS": "ios=a ios=b"}, "config.value", "CYBERID_APP_LAUNCH_APP_IDS"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_APP_CALLER": "any"}, "config.app_launch", "CYBERID_APP_LAUNCH_APP_CALLER"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_OUTCOMES": "C0=fine"}, "config.app_launch", "CYBERID_APP_LAUNCH_OUTCOMES"),
            ({**APP_LAUNCH, "CYBERID_APP_LAUNCH_OUTCOMES": "C0=busy"}, "config.app_launch", "CYBERID_APP_LAUNCH_OUTCOMES"),
            ({"CYBERID_WALLET_LIFETIME": "60"}, "config.missing_setting", "CYBERID_WALLET_ENDPOINT"),
            ({"CYBERID_WALLET_ENDPOINT": "https://shop.example/w"}, "config.wallet_identity", "CYBERID_WALLET_CERTIFICATE"),
            ({**WALLET, "CYBERID_WALLET_ENDPOINT": "http://shop.example/w"}, "config.insecure_http", "CYBERID_WALLET_ENDPOINT"),
            ({**WALLET, "CYBERID_WALLET_CERTIFICATE": "none"}, "config.wallet_identity", "CYBERID_WALLET_CERTIFICATE"),
            ({**WALLET, "CYBERID_WALLET_KEY": OTHER_KEY}, "config.wallet_identity", "CYBERID_WALLET_CERTIFICATE"),
            ({**WALLET, "CYBERID_WALLET_KEY": "none"}, "config.wallet_identity", "CYBERID_WALLET_KEY"),
            ({**WALLET, "CYBERID_WALLET_CROSS_DEVICE": "yes"}, "config.wallet", "CYBERID_WALLET_CROSS_DEVICE"),
            ({**WALLET, "CYBERID_WALLET_LIFETIME": "59"}, "config.wallet", "CYBERID_WALLET_LIFETIME"),
            ({**WALLET, "CYBERID_WALLET_LIFETIME": "a while"}, "config.value", "CYBERID_WALLET_LIFETIME"),
        ],
    )  # fmt: skip
    def test_a_wrong_way_in_is_named(self, given, code, named):
        """What another way in lacks or cannot be is said with the variable that an operator sets."""
        assert (code, named) == refused(load, **given)

    @pytest.mark.parametrize(
        "variable",
        [each for each in ENVIRONMENT if each.in_file and each.name != "CYBERID_STORE"],
        ids=lambda each: each.name,
    )
    def test_what_is_secret_or_long_may_stand_in_a_file(self, variable, tmp_path):
        """``NAME_FILE`` names a file with the value; that the file cannot be read names the variable."""
        missing = str(tmp_path / "not-there")
        given = {name: value for name, value in ENOUGH.items() if name != variable.name}
        found = refused(RelyingParty.from_env, {**given, f"{variable.name}_FILE": missing}, trust=TRUST)
        assert ("config.file", f"{variable.name}_FILE") == found

    def test_the_file_gives_the_value(self, tmp_path):
        """A key in a file is the key, with the line feed at its end."""
        place = tmp_path / "key.pem"
        place.write_text(KEY + "\n")
        given = {name: value for name, value in ENOUGH.items() if name != "CYBERID_KEY"}
        rp = RelyingParty.from_env({**given, "CYBERID_KEY_FILE": str(place)}, trust=TRUST)
        assert load().client_keys.signing.kid == rp.client_keys.signing.kid

    @pytest.mark.parametrize(
        ("size", "code"), [(1024 * 1024, "trust.malformed"), (1024 * 1024 + 1, "config.file")]
    )
    def test_a_file_has_a_limit(self, tmp_path, size, code):
        """A file of one mebibyte is read and judged, and one byte more is refused unread."""
        place = tmp_path / "roots.pem"
        place.write_bytes(b"#" * size)
        given = {**ENOUGH, "CYBERID_TRUST_FILE": str(place)}
        assert code == refused(RelyingParty.from_env, given)[0]

    def test_a_value_and_a_file_are_one_too_many(self, tmp_path):
        """Nobody can know which of the two is meant."""
        assert ("config.given_twice", "CYBERID_KEY") == refused(load, CYBERID_KEY_FILE=str(tmp_path / "key"))

    @pytest.mark.parametrize(
        "name", ["CYBERID_SENDER_CONSTRAIN", "CYBERID_ISSUER_FILE", "CYBERID_", "CYBERID_TRUST_FOR_TESTS"]
    )
    def test_a_misspelt_variable_is_refused(self, name):
        """A misspelt name must not leave a protection switched off."""
        assert ("config.unknown_setting", name) == refused(load, **{name: "dpop"})

    @pytest.mark.parametrize("name", sorted(ENOUGH))
    def test_a_missing_variable_is_named(self, name):
        """What is missing is named as the operator knows it."""
        given = {each: value for each, value in ENOUGH.items() if each != name}
        assert ("config.missing_setting", name) == refused(RelyingParty.from_env, given, trust=TRUST)

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("CYBERID_ASSURANCE", "R05", "config.value"),
            ("CYBERID_ASSURANCE", "", "config.value"),
            ("CYBERID_CLOCK_LEEWAY", "61", "config.value"),
            ("CYBERID_CLOCK_LEEWAY", "ten", "config.value"),
            ("CYBERID_AGE_BAND", "perhaps", "config.value"),
            ("CYBERID_REVOCATION", "sometimes", "config.value"),
            ("CYBERID_SENDER_CONSTRAINT", "bearer", "config.value"),
            ("CYBERID_HTTP_PROXY", "proxy.example", "config.value"),
        ],
    )
    def test_a_wrong_value_is_named_and_not_shown(self, name, value, code):
        """The error names the variable; what stood there is nowhere in it."""
        assert (code, name) == refused(load, **{name: value})

    @pytest.mark.parametrize("text", ["a=", "a", "a=" + "A" * 10, "a=!!", "=" + "A" * 44])
    def test_a_damaged_pseudonym_key_is_refused(self, text):
        """A key that is not base64 of 32 bytes under an id is refused."""
        assert "config.pseudonym_key" == refused(load, CYBERID_PSEUDONYM_KEYS=text)[0]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("CYBERID_PSEUDONYM_KEYS", f"k1={'A' * 44} k1={'B' * 44}"),
            ("CYBERID_ASSURANCE_VALUES", "gold=R01,gold=R04"),
        ],
    )
    def test_a_name_that_stands_twice_in_a_table_is_refused(self, name, value):
        """Nobody can know which of the two is meant."""
        assert ("config.value", name) == refused(load, **{name: value})

    def test_no_variable_makes_a_marked_root_acceptable(self):
        """The root of a mock issuer is refused by name, however the environment is set."""
        found = refused(RelyingParty.from_env, {**ENOUGH, "CYBERID_TRUST": ISSUER.root_pem.decode()})
        assert "trust.test_root" == found[0]

    def test_without_roots_nothing_is_made(self):
        """Trust is never empty by accident."""
        assert ("config.trust_missing", "CYBERID_TRUST") == refused(RelyingParty.from_env, ENOUGH)

    def test_the_process_environment_is_the_default(self):
        """Without an argument the variables of the process count."""
        script = "from cyberid_client import RelyingParty\nRelyingParty.from_env()"
        keep = {name: value for name, value in os.environ.items() if not name.startswith("CYBERID_")}
        run = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", script],
            env={**keep, **ENOUGH, "CYBERID_RESPONSE_": "x"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Setting: CYBERID_RESPONSE_." in run.stderr

    def test_the_store_is_read_beside_the_configuration(self, tmp_path):
        """The store's address is no setting of the relying party, and is read by its own function."""
        place = tmp_path / "store"
        place.write_text("redis://127.0.0.1:6379/0\n")
        given = {**ENOUGH, "CYBERID_STORE_FILE": str(place)}
        assert "redis://127.0.0.1:6379/0" == store_url(given)
        assert "shop" == RelyingParty.from_env(given, trust=TRUST).client_id


class TestTOML:
    def test_a_file_names_files_beside_it(self, tmp_path):
        """A name that ends in ``_file`` names a file, found from the folder of the TOML file."""
        (tmp_path / "key.pem").write_text(KEY)
        (tmp_path / "old.pem").write_text(OTHER_KEY)
        (tmp_path / "shop.toml").write_text(
            TOML
            + """
            assurance = "R04"
            [keys.signing]
            pem_file = "key.pem"
            [[keys.decryption]]
            pem_file = "old.pem"
            kid = "d1"
            [http]
            pool_size = 3
            [revocation]
            policy = "off"
            """
        )
        rp = RelyingParty.from_toml(tmp_path / "shop.toml", trust=TRUST)
        assert (Assurance.R04, 3, "off", ["d1"]) == (
            rp.assurance,
            rp.http.pool_size,
            rp.revocation.name,
            [key.kid for key in rp.client_keys.decryption],
        )

    def test_the_other_ways_in_have_tables(self, tmp_path):
        """Both ways in stand in tables of their own, the wallet's certificate and key in files."""
        (tmp_path / "key.pem").write_text(KEY)
        (tmp_path / "wallet.pem").write_text(WALLET_CERTIFICATE)
        (tmp_path / "wallet-key.pem").write_text(WALLET["CYBERID_WALLET_KEY"])
        (tmp_path / "shop.toml").write_text(
            TOML
            + """
            [keys.signing]
            pem_file = "key.pem"
            [keys.wallet]
            certificate_file = "wallet.pem"
            key_file = "wallet-key.pem"
            [wallet]
            endpoint = "https://shop.example/wallet"
            cross_device = "allowed"
            lifetime = 120
            [app_launch]
            org_id = "org-7"
            [app_launch.app_ids]
            android = "app-a"
            ios = "app-i"
            [app_launch.outcomes]
            S0 = "success"
            C1 = "not_installed"
            """
        )
        rp = RelyingParty.from_toml(tmp_path / "shop.toml", trust=TRUST)
        assert load(**WALLET).client_keys.wallet.client_id == rp.client_keys.wallet.client_id
        assert (
            WalletSettings(endpoint="https://shop.example/wallet", cross_device="allowed", lifetime=120),
            AppLaunchSettings(
                org_id="org-7",
                app_ids={"android": "app-a", "ios": "app-i"},
                outcomes={"S0": AppOutcome.SUCCESS, "C1": AppOutcome.NOT_INSTALLED},
            ),
        ) == (rp.wallet, rp.app_launch)

    def test_the_purpose_table_can_be_replaced_whole(self):
        """Every purpose is given, or none."""
        oids = {
            name: {"ekus": [f"1.2.3.{number}"]}
            for number, name in enumerate(
                ("assertion", "metadata", "credential", "status", "relying_party"), start=1
            )
        }
        given = {
            "issuer": "https://issuer.example",
            "client_id": "shop",
            "redirect_uri": "https://shop.example/callback",
            "keys": {"signing": {"pem": KEY}},
        }
        rp = RelyingParty.from_mapping({**given, "purposes": oids}, trust=TRUST)
        assert frozenset({"1.2.3.1"}) == rp.purposes.rules["assertion"].ekus
        del oids["status"]
        found = refused(RelyingParty.from_mapping, {**given, "purposes": oids}, trust=TRUST)
        assert ("config.missing_setting", "purposes.status") == found

    @pytest.mark.parametrize("data", [b"issuer = ", b"\xff", b"[" * 5000, b"a" * (1024 * 1024 + 1)])
    def test_what_is_no_toml_is_refused(self, data):
        """Whatever bytes arrive, only our error comes out."""
        assert "config.toml" == refused(RelyingParty.from_toml_bytes, data)[0]

    @pytest.mark.parametrize(
        ("more", "code", "setting"),
        [
            ("isuer = 'x'", "config.unknown_setting", "isuer"),
            ("[keys.signing]\npem = 'x'\npen = 'y'", "config.unknown_setting", "keys.signing.pen"),
            ("[keys.signing]\npem_file = 7", "config.value", "keys.signing.pem_file"),
            ("[keys.signing]\npem = 'x'\npem_file = 'y'", "config.file", "keys.signing.pem_file"),
            ("[keys]\nsigning = 'x'", "config.value", "keys.signing"),
            (
                "[keys.signing]\npem = 'x'\n[app_launch]\norg_id = 'o'",
                "config.missing_setting",
                "app_launch.app_ids",
            ),
            (
                "[keys.signing]\npem = 'x'\n[app_launch]\norg_id = 'o'\napp_ids = 7",
                "config.value",
                "app_launch.app_ids",
            ),
            ("[app_launch]\nenvelope = 'x'", "config.unknown_setting", "app_launch.envelope"),
            ("[wallet]\nendpoints = 'x'", "config.unknown_setting", "wallet.endpoints"),
            ("[keys.wallet]\nkey_file = 'none.pem'", "config.file", "keys.wallet.key_file"),
        ],
    )
    def test_a_wrong_setting_is_named(self, tmp_path, more, code, setting):
        """The error names the dotted setting."""
        place = tmp_path / "shop.toml"
        place.write_text(TOML + more)
        assert (code, setting) == refused(RelyingParty.from_toml, place, trust=TRUST)

    def test_a_value_beside_its_file_is_one_too_many(self, tmp_path):
        """Nobody can know which of the two is meant."""
        (tmp_path / "key.pem").write_text(KEY)
        place = tmp_path / "shop.toml"
        place.write_text(TOML + "[keys.signing]\npem = 'x'\npem_file = 'key.pem'")
        assert ("config.given_twice", "keys.signing.pem") == refused(
            RelyingParty.from_toml, place, trust=TRUST
        )

    def test_names_within_names_without_end_are_refused(self, tmp_path):
        """Dotted names make tables in tables, as many as the file is long."""
        place = tmp_path / "shop.toml"
        place.write_text("a" + ".a" * 5_000 + " = 1")
        assert ("config.toml", None) == refused(RelyingParty.from_toml, place)

    @pytest.mark.parametrize("data", [None, 7, "issuer = 'x'", bytearray(b"issuer = 'x'")])
    def test_toml_is_bytes(self, data):
        """Whoever has text encodes it first."""
        assert ("config.toml", None) == refused(RelyingParty.from_toml_bytes, data)

    def test_a_file_that_is_not_there_is_named(self, tmp_path):
        """The TOML file itself has a name too."""
        assert ("config.file", "toml") == refused(RelyingParty.from_toml, tmp_path / "none.toml")


def test_roots_come_from_a_file(tmp_path):
    """``TrustStore.from_file`` judges what it reads like ``from_pem``: a marked root is refused."""
    place = tmp_path / "roots.pem"
    place.write_bytes(ISSUER.root_pem)
    assert "trust.test_root" == refused(TrustStore.from_file, place)[0]
    assert "config.file" == refused(TrustStore.from_file, tmp_path / "none")[0]
    (tmp_path / "bundle.json").write_text("{}")
    assert "trust.bundle" == refused(TrustStore.from_file, tmp_path / "bundle.json")[0]


def test_no_error_shows_a_value():
    """A secret that stands in the wrong place is in no message, cause or argument of the error."""
    with pytest.raises(ConfigurationError) as caught:
        load(CYBERID_CLOCK_LEEWAY="not-to-be-shown")
    error, seen = caught.value, ""
    while error is not None:
        seen += repr(error) + str(error)
        error = error.__cause__ or error.__context__
    assert "not-to-be-shown" not in seen
