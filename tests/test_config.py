"""The relying party's configuration: what can be used is accepted, everything else is refused when it is made."""

from __future__ import annotations

import copy
import logging
import pickle
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timezone

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from cyberid_client import (
    Assurance,
    ClientKey,
    ConfigurationError,
    DecryptionKey,
    HTTPLimits,
    Persistence,
    PseudonymKeys,
    PurposeTable,
    RelyingParty,
    TrustStore,
)
from cyberid_client.config.keys import _thumbprint
from cyberid_client.testing.jose import ALGORITHMS, thumbprint
from cyberid_client.testing.pki import make_root, pem
from cyberid_client.trust import Purpose, PurposeRule

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROOT = pem(make_root(NOW).certificate)
KEY = ec.generate_private_key(ec.SECP256R1())
SECP256K1 = ec.generate_private_key(ec.SECP256K1())


def to_pem(key: object, password: bytes | None = None, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, form, encryption)


def refused(call, *arguments: object, **settings: object) -> tuple[str, str | None]:
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **settings)
    return caught.value.code, caught.value.setting


def make(**changes: object) -> RelyingParty:
    """Return a relying party that pins a mock root, with changes."""
    honest = {
        "issuer": "https://issuer.example",
        "client_id": "shop",
        "redirect_uri": "https://shop.example/callback",
        "key": ClientKey.from_pem(to_pem(KEY)),
        "trust": TrustStore.for_tests(ROOT),
    }
    return RelyingParty(**{**honest, **changes})


class TestIssuer:
    @pytest.mark.parametrize(
        ("issuer", "page"),
        [
            ("https://issuer.example", "https://issuer.example/.well-known/openid-configuration"),
            ("https://issuer.example/", "https://issuer.example/.well-known/openid-configuration"),
            (
                "https://issuer.example:8443/a/b",
                "https://issuer.example:8443/a/b/.well-known/openid-configuration",
            ),
            ("https://issuer.example/a/", "https://issuer.example/a/.well-known/openid-configuration"),
        ],
    )
    def test_it_is_kept_byte_for_byte(self, issuer, page):
        """An issuer is compared as it is written; its page stands below it, with one slash between."""
        rp = make(issuer=issuer)
        assert (issuer, page, frozenset({"issuer.example"})) == (
            rp.issuer,
            rp.discovery_url,
            rp.endpoint_hosts,
        )

    @pytest.mark.parametrize(
        "issuer",
        [
            "",
            "issuer.example",
            "ftp://issuer.example",
            "https://ISSUER.example",
            "https://user@issuer.example",
            "https://issuer.example?tenant=1",
            "https://issuer.example?",
            "https://issuer.example#",
            "https://issuer.example/#a",
            " https://issuer.example",
            "https://issuer.example\n",
            None,
            b"https://issuer.example",
        ],
    )
    def test_what_is_no_issuer_is_refused(self, issuer):
        """An issuer is an https URL without query and fragment."""
        assert ("config.issuer", "issuer") == refused(make, issuer=issuer)


class TestPlainHTTP:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:8080"])
    def test_a_store_for_tests_allows_it_on_literal_loopback(self, host):
        """A mock issuer on this machine may be spoken to in the clear."""
        url = f"http://{host}"
        rp = make(issuer=url, redirect_uri=f"{url}/callback", sector=url)
        assert (url, url) == (rp.issuer, rp.sector_identifier)

    @pytest.mark.parametrize("setting", ["issuer", "redirect_uri", "sector"])
    @pytest.mark.parametrize(
        "host",
        ["issuer.example", "localhost", "127.0.0.2", "0.0.0.0", "[::]", "127.1", "127.0.0.1.nip.io"],  # noqa: S104 - nothing binds to it
    )
    def test_other_hosts_are_refused(self, setting, host):
        """A name that resolves to loopback today may resolve elsewhere tomorrow."""
        assert ("config.insecure_http", setting) == refused(make, **{setting: f"http://{host}/"})

    @pytest.mark.parametrize("setting", ["issuer", "redirect_uri", "sector"])
    def test_a_production_store_allows_it_nowhere(self, production, setting):
        """With pinned roots of production even loopback needs https."""
        trust = TrustStore.from_pem(production)
        assert ("config.insecure_http", setting) == refused(
            make, trust=trust, **{setting: "http://127.0.0.1/"}
        )
        assert make(trust=trust).trust is trust


@pytest.fixture
def production():
    """A root without the test mark."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Made-up Root")])
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW.replace(year=2036))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .sign(KEY, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


class TestClientAndSector:
    @pytest.mark.parametrize("client_id", ["x", "shop", "https://shop.example", "!~", "x" * 255])
    def test_a_client_id_is_visible_ascii(self, client_id):
        """One to 255 visible characters."""
        assert client_id == make(client_id=client_id).client_id

    @pytest.mark.parametrize(
        "client_id", ["", "x" * 256, "a b", "a\n", "a\x7f", "\x00", "é", "网", None, 1, b"shop"]
    )
    def test_another_client_id_is_refused(self, client_id):
        """Nothing, too much, spaces, control characters and other scripts are refused."""
        assert ("config.client_id", "client_id") == refused(make, client_id=client_id)

    @pytest.mark.parametrize("uri", ["https://shop.example", "https://shop.example:8443/cb?tenant=1"])
    def test_a_redirect_uri_may_have_a_query(self, uri):
        """A redirect URI is an https URL, which may have a query."""
        assert uri == make(redirect_uri=uri).redirect_uri

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "/callback",
            "shop:/callback",
            "https://shop.example/#",
            "https://a@shop.example/",
            "https://*.example/",
            None,
        ],
    )
    def test_another_redirect_uri_is_refused(self, uri):
        """A fragment, user information, a wildcard or another scheme is refused, in further URIs too."""
        assert ("config.redirect_uri", "redirect_uri") == refused(make, redirect_uri=uri)
        others = ("https://shop.example/second", uri)
        assert ("config.redirect_uri", "redirect_uri") == refused(make, other_redirect_uris=others)

    def test_a_login_uses_one_of_the_configured_redirect_uris(self):
        """A URI is named byte for byte, and the first one is the default."""
        first, second = "https://shop.example/callback", "https://shop.example/second"
        rp = make(other_redirect_uris=(second,))
        assert [first, first, second] == [rp.redirect_uri_named(uri) for uri in (None, first, second)]
        for unknown in ("", f"{second}/", "https://evil.example/", "HTTPS://shop.example/second"):
            assert ("config.redirect_uri_unknown", None) == refused(rp.redirect_uri_named, unknown)

    @pytest.mark.parametrize(
        ("redirect_uri", "sector"),
        [
            ("https://shop.example/callback", "https://shop.example"),
            ("https://shop.example:443/callback?a=b", "https://shop.example"),
            ("https://shop.example:8443/", "https://shop.example:8443"),
        ],
    )
    def test_the_sector_is_the_origin_of_the_redirect_uri_by_default(self, redirect_uri, sector):
        """An app that says nothing is a sector of its own."""
        assert sector == make(redirect_uri=redirect_uri).sector_identifier

    def test_a_sector_may_be_named(self):
        """A configured sector is kept byte for byte."""
        sector = "https://group.example/sector.json?v=1"
        assert sector == make(sector=sector).sector_identifier

    @pytest.mark.parametrize("sector", ["", "group", "https://group.example/#", "https://GROUP.example", 1])
    def test_another_sector_is_refused(self, sector):
        """A sector is an https URL without fragment; the empty text is not the default."""
        assert ("config.sector", "sector") == refused(make, sector=sector)


class TestTrustAndAlgorithm:
    @pytest.mark.parametrize("trust", [None, ROOT, "roots.pem", False, ()])
    def test_a_trust_store_is_required(self, trust):
        """There is no default trust, and bytes are no store."""
        assert ("config.trust_missing", "trust") == refused(make, trust=trust)

    @pytest.mark.parametrize(
        "name", ["ES256", "ES384", "PS256", "EdDSA", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]
    )
    def test_an_algorithm_of_the_table_is_accepted(self, name):
        """One algorithm of the closed table is configured."""
        assert name == make(algorithm=name).algorithm

    @pytest.mark.parametrize(
        "name", ["", "none", "HS256", "RS256", "es256", "ES256K", "ES512", None, ["ES256"]]
    )
    def test_an_algorithm_outside_the_table_is_refused(self, name):
        """Neither none, nor a symmetric one, nor an unknown one can be configured."""
        assert ("config.no_algorithm", "algorithm") == refused(make, algorithm=name)

    def test_an_algorithm_that_is_not_installed_is_refused_at_once(self):
        """What could never verify is told when it is configured, not at the first login."""
        assert ("config.algorithm_unavailable", "algorithm") == refused(make, algorithm="SM2-SM3")

    @pytest.mark.parametrize("key", [None, to_pem(KEY), KEY])
    def test_a_client_key_is_required(self, key):
        """PEM bytes and naked keys are no client key."""
        assert ("config.client_key", "key") == refused(make, key=key)


class TestValues:
    @pytest.mark.parametrize("assurance", ["urn:cyberid:mode:r02", "R02", 2, None])
    def test_a_mode_is_one_of_the_enumeration(self, assurance):
        """The text of a mode is no mode, neither in the configuration nor in what is expected."""
        assert ("config.assurance", "assurance") == refused(make, assurance=assurance)
        if assurance is not None:
            expect = make().expect
            assert ("config.assurance", "assurance") == refused(
                expect, nonce="x", started_at=NOW, assurance=assurance
            )

    @pytest.mark.parametrize(
        ("setting", "lowest", "highest"), [("clock_leeway", 0, 60), ("pending_lifetime", 60, 3600)]
    )
    def test_a_number_lies_in_its_range(self, setting, lowest, highest):
        """Both ends of the range are accepted, one beyond is not, and neither is anything but an integer."""
        for good in (lowest, highest):
            assert good == getattr(make(**{setting: good}), setting)
        for bad in (lowest - 1, highest + 1, float(highest), str(highest), True, None):
            assert ("config.value", setting) == refused(make, **{setting: bad})

    def test_the_defaults_are_those_of_the_profile(self):
        """Ten seconds of leeway, ten minutes to come back, certificate and password, ES256, no age band."""
        rp = make()
        assert (10, 600, Assurance.R02, "ES256", False, None) == (
            rp.clock_leeway,
            rp.pending_lifetime,
            rp.assurance,
            rp.algorithm,
            rp.age_band,
            rp.pseudonym_keys,
        )

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("http", {"connect_timeout": 1}),
            ("http", None),
            ("purposes", None),
            ("purposes", {}),
            ("age_band", 1),
            ("age_band", "adult"),
            ("issuer_hosts", "issuer.example"),
            ("issuer_hosts", {"issuer.example"}),
            ("issuer_hosts", None),
            ("other_redirect_uris", ["https://shop.example/second"]),
            ("pseudonym_keys", {"k1": bytes(32)}),
            ("persistence", "A"),
            ("sender_constraint", "tls"),
            ("sender_constraint", None),
            ("response", "form_post"),
            ("id_token", ["jws"]),
            ("metadata_trust", "unsigned"),
            ("assertion_chain", "optional"),
            ("assertion_chain", True),
        ],
    )
    def test_a_value_of_another_type_is_refused(self, setting, value):
        """A setting with a value that it cannot have is named."""
        assert ("config.value", setting) == refused(make, **{setting: value})

    @pytest.mark.parametrize(
        ("setting", "value", "lacking"),
        [
            ("sender_constraint", "mtls", ("config.client_certificate", "keys.tls")),
            ("client_authentication", "tls_client_auth", ("config.client_certificate", "keys.tls")),
            ("id_token", "jwe", ("config.decryption_key", "keys.decryption")),
        ],
    )
    def test_a_protection_without_its_key_is_refused_and_not_ignored(self, setting, value, lacking):
        """A protection that is asked for and cannot be given is an error, never a weaker login."""
        assert lacking == refused(make, **{setting: value})

    def test_a_purpose_table_and_keys_of_ones_own_are_accepted(self):
        """Purposes, digest keys, hosts and limits are the app's own."""
        rules = {
            purpose: PurposeRule(ekus=frozenset({f"1.3.6.1.4.1.32473.2.{number}"}))
            for number, purpose in enumerate(Purpose)
        }
        rp = make(
            purposes=PurposeTable(rules=rules),
            pseudonym_keys=PseudonymKeys({"k1": bytes(32)}),
            issuer_hosts=frozenset({"login.example"}),
            http=HTTPLimits(connect_timeout=1),
        )
        assert (frozenset({"login.example"}), 1) == (rp.endpoint_hosts, rp.http.connect_timeout)

    def test_it_is_frozen(self):
        """A configuration is a value: it cannot be changed, it can be replaced and compared."""
        rp = make()
        with pytest.raises(FrozenInstanceError):
            rp.issuer = "https://other.example"
        assert rp == replace(rp)
        assert rp != replace(rp, client_id="other")

    def test_a_change_is_checked_again(self):
        """Replacing a setting runs all checks."""
        assert ("config.client_id", "client_id") == refused(replace, make(), client_id="")


class TestExceptions:
    VALUES = {"urn:op:gold": Assurance.R02}  # noqa: RUF012 - never changed

    @pytest.mark.parametrize(
        ("settings", "names"),
        [
            ({"assertion_chain": "absent"}, ["assertion_chain"]),
            ({"metadata_trust": "tls", "assurance_values": VALUES}, ["metadata_trust"]),
            (
                {
                    "metadata_trust": "tls",
                    "assertion_chain": "absent",
                    "trust": None,
                    "assurance_values": VALUES,
                    "persistence": Persistence.RECORD,
                },
                ["metadata_trust", "assertion_chain"],
            ),
        ],
    )
    def test_each_is_accepted_by_name_and_logged(self, caplog, settings, names):
        """Less than the full chain of trust is said aloud when it is configured."""
        with caplog.at_level(logging.WARNING, "cyberid_client"):
            make(**settings)
        assert names == [record.args[0] for record in caplog.records]

    def test_full_protection_logs_nothing(self, caplog):
        """Who demands everything is not warned."""
        with caplog.at_level(logging.DEBUG, "cyberid_client"):
            make()
        assert [] == caplog.records

    @pytest.mark.parametrize(
        "settings",
        [
            {"metadata_trust": "tls", "assurance_values": VALUES, "trust": None},
            {"assertion_chain": "absent", "trust": None},
            {"metadata_trust": "tls", "assertion_chain": "absent", "assurance_values": VALUES},
        ],
    )
    def test_a_store_is_missing_with_both_and_only_then(self, settings):
        """Roots that nothing is compared with are refused, and so are missing ones."""
        assert ("config.trust_missing", "trust") == refused(make, **settings)

    @pytest.mark.parametrize(
        "settings",
        [
            {"assurance_values": VALUES},
            {"persistence": Persistence.LIFE},
            {"metadata_trust": "tls"},
            {"metadata_trust": "tls", "assurance_values": {}},
        ],
    )
    def test_their_settings_stand_beside_them_only(self, settings):
        """Words of an ordinary provider are needed with the exception and refused without it."""
        assert ("config.exceptions", "assurance_values") == refused(make, **settings)

    @pytest.mark.parametrize(
        "values", [{"gold": "R02"}, {1: Assurance.R02}, [("gold", Assurance.R02)], "gold"]
    )
    def test_the_table_of_modes_has_texts_and_modes(self, values):
        """A table of another shape is refused."""
        assert ("config.value", "assurance_values") == refused(
            make, metadata_trust="tls", assurance_values=values
        )

    def test_the_configured_mode_must_have_a_word(self):
        """A mode that the provider cannot be asked for is refused at once."""
        settings = {"metadata_trust": "tls", "assurance_values": {"urn:op:silver": Assurance.R01}}
        assert ("config.assurance", "assurance_values") == refused(make, **settings)
        assert "urn:op:silver" == make(**settings, assurance=Assurance.R01).acr_value(Assurance.R01)

    def test_the_table_is_copied(self):
        """Words that are added to the mapping later mean nothing."""
        values = dict(self.VALUES)
        rp = make(metadata_trust="tls", assurance_values=values)
        values["urn:op:bronze"] = Assurance.R04
        assert ["urn:op:gold"] == list(rp.modes)
        with pytest.raises(TypeError):
            rp.assurance_values["urn:op:bronze"] = Assurance.R04

    @pytest.mark.parametrize("setting", ["issuer", "redirect_uri", "sector"])
    def test_without_roots_even_loopback_needs_https(self, setting):
        """Where TLS is all the trust there is, there is always TLS."""
        settings = {
            "metadata_trust": "tls",
            "assertion_chain": "absent",
            "trust": None,
            "assurance_values": self.VALUES,
        }
        assert ("config.insecure_http", setting) == refused(make, **settings, **{setting: "http://127.0.0.1"})

    def test_by_default_a_mode_is_its_own_word(self):
        """The profile's own modes are asked for by their URNs."""
        assert [mode.value for mode in Assurance] == [make().acr_value(mode) for mode in Assurance]


class TestExpect:
    def test_it_takes_the_rest_from_the_configuration(self):
        """What is not said about one login is what is configured."""
        rp = make(clock_leeway=7, age_band=True)
        expected = rp.expect(nonce="made-up-nonce", started_at=NOW)
        assert (rp.issuer, rp.client_id, rp.sector_identifier, "ES256", Assurance.R02, None, 7, True) == (
            expected.issuer,
            expected.client_id,
            expected.sector,
            expected.algorithm.name,
            expected.assurance,
            expected.max_age,
            expected.leeway,
            expected.age_band,
        )
        assert (True, False, False, None) == (
            expected.chain_required,
            expected.any_subject,
            expected.may_be_sparse,
            expected.access_token,
        )

    def test_a_login_may_ask_for_more(self):
        """Mode, age and access token are those of the login."""
        expected = make().expect(
            nonce="x", started_at=NOW, assurance=Assurance.R04, max_age=0, access_token="token"
        )
        assert (Assurance.R04, 0, "token") == (expected.assurance, expected.max_age, expected.access_token)

    @pytest.mark.parametrize("max_age", [None, 0, 1, 366 * 86_400])
    def test_an_age_is_up_to_a_year(self, max_age):
        """Zero is an age, and a year of 366 days is the longest."""
        assert max_age == make().expect(nonce="x", started_at=NOW, max_age=max_age).max_age

    @pytest.mark.parametrize("max_age", [-1, 366 * 86_400 + 1, 1.0, "60", True])
    def test_another_age_is_refused(self, max_age):
        """An age is a whole number of seconds in its range."""
        assert ("config.max_age", "max_age") == refused(
            make().expect, nonce="x", started_at=NOW, max_age=max_age
        )

    def test_a_start_has_a_time_zone_and_a_nonce_something_in_it(self):
        """A start without zone and an empty nonce are mistakes of the caller."""
        naive = NOW.replace(tzinfo=None)
        assert ("config.value", "started_at") == refused(make().expect, nonce="x", started_at=naive)
        assert ("config.value", "nonce") == refused(make().expect, nonce="", started_at=NOW)
        assert make().expect(nonce="x", started_at=NOW.astimezone(timezone.max)).started_at == NOW

    def test_it_shows_no_secret(self):
        """Nonce and access token are not shown."""
        shown = repr(make().expect(nonce="secret-nonce", started_at=NOW, access_token="secret-token"))
        assert "secret" not in shown
        assert "client_id='shop'" in shown


class TestHTTPLimits:
    TIMEOUTS = ("connect_timeout", "read_timeout", "total_timeout")

    def test_the_defaults_are_short(self):
        """Three seconds to connect, five of silence, eight in all, ten connections, no proxy."""
        limits = HTTPLimits()
        assert (3.0, 5.0, 8.0, None, None, 10) == (
            limits.connect_timeout,
            limits.read_timeout,
            limits.total_timeout,
            limits.proxy,
            limits.ca_pem,
            limits.pool_size,
        )

    @pytest.mark.parametrize("name", TIMEOUTS)
    @pytest.mark.parametrize("value", [0.001, 1, 600, 600.0])
    def test_a_timeout_is_up_to_ten_minutes(self, name, value):
        """Whole and fractional seconds are accepted."""
        assert value == getattr(HTTPLimits(**{name: value}), name)

    @pytest.mark.parametrize("name", TIMEOUTS)
    @pytest.mark.parametrize("value", [0, -1, 600.1, float("inf"), float("nan"), "3", True, None])
    def test_no_timeout_is_endless(self, name, value):
        """None, zero, infinity and what is no number are refused."""
        assert ("config.value", f"http.{name}") == refused(HTTPLimits, **{name: value})

    @pytest.mark.parametrize("value", [1, 1000])
    def test_a_pool_has_1_to_1000_connections(self, value):
        """Both ends are accepted."""
        assert value == HTTPLimits(pool_size=value).pool_size

    @pytest.mark.parametrize("value", [0, -1, 10001, 1.0, "10", True, None])
    def test_another_size_of_a_pool_is_refused(self, value):
        """A pool of nothing, of too much or of no number is refused."""
        assert ("config.value", "http.pool_size") == refused(HTTPLimits, pool_size=value)

    def test_it_shows_no_proxy(self):
        """A proxy's address may hold a password and is not shown."""
        assert "secret" not in repr(HTTPLimits(proxy="http://user:secret@proxy.example:3128"))


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TestClientKey:
    @pytest.mark.parametrize(
        ("make_key", "algorithm"),
        [
            (lambda: ec.generate_private_key(ec.SECP256R1()), "ES256"),
            (lambda: ec.generate_private_key(ec.SECP384R1()), "ES384"),
            (ed25519.Ed25519PrivateKey.generate, "EdDSA"),
        ],
    )
    def test_the_kind_of_key_decides_the_algorithm(self, make_key, algorithm):
        """A key signs with the one algorithm of its kind, and others can check that with its public half."""
        key = make_key()
        client_key = ClientKey.from_pem(to_pem(key))
        assert (algorithm, thumbprint(key.public_key())) == (client_key.algorithm, client_key.kid)
        self.assert_signature_holds(client_key)

    def test_an_rsa_key_signs_with_pss(self, rsa_key):
        """RSA of 2048 bits is PS256."""
        client_key = ClientKey.from_pem(to_pem(rsa_key))
        assert ("PS256", thumbprint(rsa_key.public_key())) == (client_key.algorithm, client_key.kid)
        self.assert_signature_holds(client_key)

    @staticmethod
    def assert_signature_holds(client_key):
        token = jwt.encode({"a": 1}, client_key.private_key, algorithm=client_key.algorithm)
        public = jwt.PyJWK(client_key.public_jwk)
        assert {"a": 1} == jwt.decode(token, public, algorithms=[client_key.algorithm])
        assert client_key.algorithm in ALGORITHMS

    def test_the_public_jwk_is_public(self, rsa_key):
        """What is given to the issuer has the public members, and says what it is for."""
        common = {"kty", "kid", "use", "alg"}
        for key, members in ((KEY, {"crv", "x", "y"}), (rsa_key, {"n", "e"})):
            jwk = ClientKey.from_pem(to_pem(key)).public_jwk
            assert common | members == set(jwk)
            assert "sig" == jwk["use"]
        made = ClientKey.from_pem(to_pem(KEY))
        made.public_jwk["d"] = "x"
        assert "d" not in made.public_jwk

    @pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
    def test_coordinates_have_the_length_of_the_field(self, curve):
        """A coordinate that begins with zeros keeps them (RFC 7518 §6.2.1.2)."""
        size = (curve.key_size + 7) // 8
        for secret in range(1, 400):
            jwk = ClientKey(ec.derive_private_key(secret, curve)).public_jwk
            assert {(size * 8 + 5) // 6} == {len(jwk["x"]), len(jwk["y"])}

    @pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    def test_encrypted_keys_need_their_password(self, form):
        """With the password a key is read, without it or with another it is not, and neither is a plain one."""
        sealed = to_pem(KEY, b"password", form)
        expected = ClientKey.from_pem(to_pem(KEY)).kid
        assert expected == ClientKey.from_pem(sealed, password=b"password").kid
        assert ("config.client_key", None) == refused(ClientKey.from_pem, sealed)
        assert ("config.client_key", None) == refused(ClientKey.from_pem, sealed, password=b"other")
        assert ("config.client_key", None) == refused(ClientKey.from_pem, to_pem(KEY), password=b"password")

    @pytest.mark.parametrize(
        "key",
        [
            ec.generate_private_key(ec.SECP521R1()),
            SECP256K1,
            ec.generate_private_key(ec.BrainpoolP256R1()),
            rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - made to be refused
            ed448.Ed448PrivateKey.generate(),
            x25519.X25519PrivateKey.generate(),
            dsa.generate_private_key(1024),  # noqa: S505 - made to be refused
        ],
        ids=lambda key: type(key).__name__,
    )
    def test_another_kind_of_key_is_refused(self, key):
        """Curves and kinds outside the table, and RSA below 2048 bits, are refused."""
        assert ("config.client_key", None) == refused(ClientKey.from_pem, to_pem(key))

    def test_rsa_of_one_bit_less_is_refused(self):
        """The floor is 2048 bits exactly."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2047)  # noqa: S505 - made to be refused
        assert ("config.client_key", None) == refused(ClientKey.from_pem, to_pem(key))

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not a key",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            ROOT,
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            to_pem(KEY).decode(),
            None,
        ],
    )
    def test_what_is_no_private_key_is_refused(self, data):
        """Rubbish, certificates, public keys and text are refused, and what was given is not repeated."""
        with pytest.raises(ConfigurationError) as caught:
            ClientKey.from_pem(data)
        assert ("config.client_key", None, True) == (
            caught.value.code,
            caught.value.__cause__,
            caught.value.__suppress_context__,
        )

    @pytest.mark.parametrize("value", [None, 7, "key", b"key", KEY.public_key(), object()])
    def test_what_is_no_key_and_no_signer_is_refused(self, value):
        """The constructors refuse what the readers would."""
        assert ("config.client_key", None) == refused(ClientKey, value)
        assert ("config.client_key", None) == refused(ClientKey.from_signer, value)
        assert ("config.decryption_key", None) == refused(DecryptionKey, value, algorithm="ECDH-ES")

    @pytest.mark.parametrize("algorithm", ["RSA1_5", "RSA-OAEP", "dir", "A256KW", "ECDH-ES", "", None])
    def test_a_decryption_key_is_for_one_of_the_closed_list(self, rsa_key, algorithm):
        """No way of making one lets in what is not authenticated, or belongs to another kind of key."""
        assert ("config.decryption_key", None) == refused(DecryptionKey, rsa_key, algorithm=algorithm)

    def test_a_key_id_may_be_given(self):
        """The issuer may know the key by another name than its thumbprint."""
        client_key = ClientKey.from_pem(to_pem(KEY), kid="key-2026")
        assert ("key-2026", "key-2026") == (client_key.kid, client_key.public_jwk["kid"])

    def test_it_never_shows_its_secret(self):
        """A client key prints its id and is not written out."""
        client_key = ClientKey.from_pem(to_pem(KEY), kid="key-2026")
        assert "ClientKey(kid='key-2026', algorithm='ES256')" == repr(client_key) == str(client_key)
        for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"^ClientKey is not written out$"):
                refuse(client_key)

    def test_a_relying_party_shows_no_secret(self):
        """The whole configuration can be printed."""
        shown = repr(
            make(
                pseudonym_keys=PseudonymKeys({"k1": b"secret-secret-secret-secret-1234"}),
                http=HTTPLimits(proxy="http://user:secret@proxy.example:3128"),
            )
        )
        assert "PseudonymKeys(k1)" in shown
        assert "secret" not in shown
        assert str(KEY.private_numbers().private_value) not in shown


class TestThumbprint:
    RFC_7638 = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI"
        "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    def test_the_vector_of_the_standard(self):
        """The thumbprint is that of RFC 7638 §3.1."""
        jwk = {"kty": "RSA", "e": "AQAB", "n": self.RFC_7638}
        assert "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" == _thumbprint(jwk)

    def test_the_vector_for_ed25519(self):
        """A key of RFC 8037 appendix A has the thumbprint that stands there."""
        secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
        key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        client_key = ClientKey.from_pem(to_pem(key))
        assert "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" == client_key.public_jwk["x"]
        assert "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" == client_key.kid

    def test_the_same_key_has_the_same_name(self):
        """However it is written, a key has one thumbprint."""
        again = load_pem_private_key(to_pem(KEY, form=PrivateFormat.TraditionalOpenSSL), None)
        assert ClientKey(KEY).kid == ClientKey(again).kid


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ca_pem", "text"),
        ("ca_pem", 5),
        ("proxy", 5),
        ("proxy", "nonsense"),
        ("proxy", "socks5://127.0.0.1:1"),
        ("proxy", ""),
    ],
)
def test_a_proxy_or_authority_of_another_form_is_refused(name, value):
    """What could only fail at the first request is refused when it is written."""
    with pytest.raises(ConfigurationError) as refused:
        HTTPLimits(**{name: value})
    assert (refused.value.code, refused.value.setting) == ("config.value", f"http.{name}")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "http://user:pass@proxy.example:3128", None])
def test_a_proxy_may_have_a_user(proxy):
    """A proxy is a host and a port, with or without who asks."""
    assert HTTPLimits(proxy=proxy).proxy == proxy
