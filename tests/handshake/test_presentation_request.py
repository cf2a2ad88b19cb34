"""What a wallet is asked, and what is refused before anybody is asked."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from cyberid_client import (
    Assurance,
    ClientKey,
    ConfigurationError,
    CyberIDError,
    TrustStore,
    VerificationError,
    WalletIdentity,
)
from cyberid_client.config import ClientKeys
from cyberid_client.handshake.flow import SignatureWanted, Signed
from cyberid_client.handshake.presentation_ids import PresentationHandle
from cyberid_client.handshake.presentation_request import (
    PresentationAsk,
    credential_id,
    new_record,
    request_object,
    require_wallet,
    wallet_uri,
)
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.pki import key_pem, pem
from cyberid_client.wire.base64url import decode_base64url, encode_base64url

from .answers import ENDPOINT, AnswerBench, Env, wallet_party
from .conftest import ISSUER, NOW


@pytest.fixture(scope="module")
def bench(parts):
    return AnswerBench.of(parts)


def signed(bench, *, rp=None, wallet_nonce=None, now=NOW, **changes):
    """Return the compact request object, with signatures made by the key that is here."""
    flow = request_object(
        rp or bench.rp,
        replace(bench.record, **changes),
        bench.request_id,
        wallet_nonce=wallet_nonce,
        now=now,
    )
    with pytest.raises(StopIteration) as stop:
        next(flow)
    return stop.value.value


def code_of(function, *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


def claims_of(bench, token):
    """Verify with another library, by the certificate in the header, and return the claims."""
    leaf = x509.load_der_x509_certificate(bench.rp.client_keys.wallet.chain[0])
    return jwt.decode(
        token,
        leaf.public_key(),
        algorithms=["ES256"],
        audience="https://self-issued.me/v2",
        options={"verify_exp": False, "verify_iat": False},
    )


class TestRequestObject:
    def test_header(self, bench):
        """The header says what it is, and brings the chain that the client id is the hash of."""
        chain = bench.rp.client_keys.wallet.chain
        header = jwt.get_unverified_header(signed(bench))
        assert {
            "alg": "ES256",
            "kid": bench.rp.client_keys.wallet.key.kid,
            "typ": "oauth-authz-req+jwt",
            "x5c": [b64encode(der).decode() for der in chain],
        } == header

    def test_claims(self, bench):
        """Everything that a wallet needs stands in it, signed, and nothing else."""
        claims = claims_of(bench, signed(bench))
        metadata, query = claims.pop("client_metadata"), claims.pop("dcql_query")
        leaf = bench.rp.client_keys.wallet.chain[0]
        assert {
            "response_type": "vp_token",
            "client_id": f"x509_hash:{encode_base64url(hashlib.sha256(leaf).digest())}",
            "response_mode": "direct_post.jwt",
            "response_uri": f"{ENDPOINT}/response",
            "aud": "https://self-issued.me/v2",
            "nonce": encode_base64url(bench.record.nonce),
            "state": bench.request_id.text,
            "iat": int(NOW.timestamp()),
            "exp": int(NOW.timestamp()) + 300,
        } == claims
        assert ["sd-jwt"] == [each["id"] for each in query["credentials"]]
        assert "dc+sd-jwt" == query["credentials"][0]["format"]
        assert ["A128GCM", "A256GCM"] == metadata["encrypted_response_enc_values_supported"]
        assert {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"], "kb-jwt_alg_values": ["ES256"]}} == metadata[
            "vp_formats_supported"
        ]

    def test_its_key_is_for_answers_to_it_alone(self, bench):
        """There is one key to encrypt for, public only, whose id names the request."""
        (key,) = claims_of(bench, signed(bench))["client_metadata"]["jwks"]["keys"]
        numbers = bench.public_key.public_numbers()
        assert {
            "kty": "EC",
            "crv": "P-256",
            "x": encode_base64url(numbers.x.to_bytes(32, "big")),
            "y": encode_base64url(numbers.y.to_bytes(32, "big")),
            "use": "enc",
            "alg": "ECDH-ES",
            "kid": bench.request_id.text,
        } == key

    @pytest.mark.parametrize(
        ("assurance", "values"),
        [
            (Assurance.R01, ["urn:cyberid:mode:r01", "urn:cyberid:mode:r02"]),
            (Assurance.R02, ["urn:cyberid:mode:r02"]),
        ],
    )
    def test_the_query_names_all_modes_that_will_do(self, bench, assurance, values):
        """A wallet may show more than was asked for, and never less."""
        (query,) = claims_of(bench, signed(bench, assurance=assurance))["dcql_query"]["credentials"]
        assert values == next(each["values"] for each in query["claims"] if each["path"] == ["acr"])

    @pytest.mark.parametrize("age_band", [True, False])
    def test_the_query_asks_for_the_age_band_only_when_it_is_wanted(self, bench, age_band):
        """What nobody asks for nobody shows."""
        (query,) = claims_of(bench, signed(bench, age_band=age_band))["dcql_query"]["credentials"]
        assert age_band is (["age_band"] in [each["path"] for each in query["claims"]])

    def test_the_same_claims_however_often_it_is_fetched(self, bench):
        """A request may be fetched again; only the signature is another."""
        assert claims_of(bench, signed(bench)) == claims_of(bench, signed(bench))

    @pytest.mark.parametrize("nonce", ["n", "~" * 512])
    def test_a_wallet_nonce_is_repeated(self, bench, nonce):
        """Who fetches by POST knows by it that the request is fresh."""
        assert nonce == claims_of(bench, signed(bench, wallet_nonce=nonce))["wallet_nonce"]
        assert "wallet_nonce" not in claims_of(bench, signed(bench))

    @pytest.mark.parametrize("nonce", ["", "~" * 513, "a b", "é", "a\n", b"abc", 5])
    def test_another_wallet_nonce_is_refused(self, bench, nonce):
        """Nothing is signed that is not visible ASCII of a bounded length."""
        flow = request_object(bench.rp, bench.record, bench.request_id, wallet_nonce=nonce, now=NOW)
        assert "presentation.wallet_nonce" == code_of(next, flow)

    def test_one_that_was_begun_with_another_certificate_is_gone(self, bench):
        """A request is signed with the certificate that its client id names, or not at all."""
        flow = request_object(wallet_party(bench), bench.record, bench.request_id, wallet_nonce=None, now=NOW)
        assert "login.other_settings" == code_of(next, flow)

    def test_it_is_gone_from_the_second_of_its_end(self, bench):
        """Until its end a request can be fetched, and from then on it cannot."""
        end = bench.record.expires_at
        assert signed(bench, now=end - timedelta(microseconds=1))
        flow = request_object(bench.rp, bench.record, bench.request_id, wallet_nonce=None, now=end)
        assert "login.expired" == code_of(next, flow)

    def test_somebody_else_may_hold_the_key(self, bench):
        """With a signer the request is signed where the key is, and what it returns is verified."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain = bench.keyring.certify_relying_party(
            bench.rp.sector_identifier, ENDPOINT, key.public_key(), NOW - timedelta(days=1)
        )
        own = ClientKey.from_pem(key_pem(key))

        class Held:
            algorithm = "ES256"
            public_key_info = own.public_key_info

            def sign(self, message: bytes) -> bytes:
                return ALGORITHMS["ES256"].sign(key, message)

        identity = WalletIdentity(
            chain=tuple(each.public_bytes(Encoding.DER) for each in chain),
            key=ClientKey.from_signer(Held()),
        )
        keys = ClientKeys(signing=bench.rp.client_keys.signing, wallet=identity)
        rp = replace(bench.rp, keys=keys)
        record = replace(bench.record, client_id=identity.client_id)
        flow = request_object(rp, record, bench.request_id, wallet_nonce=None, now=NOW)
        wanted = next(flow)
        assert isinstance(wanted, SignatureWanted)
        with pytest.raises(StopIteration) as stop:
            flow.send(Signed(wanted.signer.sign(wanted.message)))
        assert wanted.message.decode() == stop.value.value.rpartition(".")[0]


class TestLink:
    def test_it_says_who_asks_and_where_the_request_is(self, bench):
        """A link holds the client id, the address of the request, and that it may be fetched by POST."""
        uri = wallet_uri(bench.rp, bench.record, bench.request_id)
        assert uri.startswith("openid4vp://authorize?")
        assert {
            "client_id": [bench.record.client_id],
            "request_uri": [f"{ENDPOINT}/request/{bench.request_id.text}"],
            "request_uri_method": ["post"],
        } == parse_qs(urlsplit(uri).query, strict_parsing=True)

    def test_a_wallet_with_a_query_of_its_own(self, bench):
        """Where the wallet's address has a query, ours follows it."""
        rp = replace(bench.rp, wallet=replace(bench.rp.wallet, wallet_uri="https://wallet.example/open?x=1"))
        uri = wallet_uri(rp, bench.record, bench.request_id)
        assert uri.startswith("https://wallet.example/open?x=1&client_id=x509_hash%3A")

    def test_it_fits_a_code_that_a_phone_can_scan(self, bench):
        """With a usual endpoint the link has fewer than 250 characters."""
        assert 250 > len(wallet_uri(bench.rp, bench.record, bench.request_id))


class TestNewRecord:
    def make(self, rp, **ask):
        return new_record(rp, PresentationAsk(**ask), PresentationHandle(bytes(32)), Env())

    def test_each_has_a_key_and_a_nonce_of_its_own(self, bench):
        """No two requests share the key that wallets encrypt for."""
        first, second = self.make(bench.rp), self.make(bench.rp)
        assert first.decryption_key != second.decryption_key
        assert 32 == len(first.nonce)

    @pytest.mark.parametrize("asked", [None, Assurance.R01, Assurance.R02])
    def test_what_was_asked_for_is_kept(self, bench, asked):
        """The mode is the one that was asked for, or the configured one."""
        assert (asked or bench.rp.assurance) is self.make(bench.rp, assurance=asked).assurance

    @pytest.mark.parametrize("asked", [Assurance.R03, Assurance.R04])
    def test_a_face_is_out_of_reach(self, bench, asked):
        """No wallet shows a face, so that it is the developer who must know."""
        assert "presentation.assurance" == code_of(self.make, bench.rp, assurance=asked)
        configured = replace(bench.rp, assurance=asked)
        assert "presentation.assurance" == code_of(self.make, configured)

    @pytest.mark.parametrize("asked", ["urn:cyberid:mode:r01", 1, b"R01"])
    def test_a_mode_is_a_mode(self, bench, asked):
        """The value of a mode is a string, and a string is no mode."""
        assert "config.assurance" == code_of(self.make, bench.rp, assurance=asked)

    def test_another_device_only_where_it_is_allowed(self, bench):
        """Without cross_device nobody shows a QR code."""
        rp = replace(bench.rp, wallet=replace(bench.rp.wallet, cross_device="refused"))
        assert "presentation.other_device" == code_of(self.make, rp, device="other")
        assert "same" == self.make(rp, device="same").device
        assert "other" == self.make(bench.rp, device="other").device

    @pytest.mark.parametrize("device", ["", "both", None, 1])
    def test_there_are_two_devices(self, bench, device):
        """Anything else is a mistake of the developer."""
        assert "config.value" == code_of(self.make, bench.rp, device=device)

    @pytest.mark.parametrize("return_to", ["//evil.example", "https://evil.example", "", "/\\evil"])
    def test_the_way_back_is_a_path_of_ours(self, bench, return_to):
        """As in every other handshake."""
        with pytest.raises(VerificationError) as caught:
            self.make(bench.rp, return_to=return_to)
        assert "return_to.refused" == caught.value.code

    def test_without_settings_there_is_none(self, responses):
        """A relying party that no wallet knows cannot ask."""
        assert "config.wallet" == code_of(self.make, responses.rp)


class TestRequireWallet:
    def test_an_honest_certificate(self, bench):
        """A certificate that names sector and host and leads to a pinned root will do, and none is no error."""
        assert None is require_wallet(bench.rp, NOW)
        assert None is require_wallet(bench.presented.rp, NOW)

    def test_its_last_second(self, bench):
        """At the end of its validity it holds, and a second later it does not."""
        leaf = x509.load_der_x509_certificate(bench.rp.client_keys.wallet.chain[0])
        end = leaf.not_valid_after_utc
        assert None is require_wallet(bench.rp, end)
        assert "presentation.certificate" == code_of(require_wallet, bench.rp, end + timedelta(seconds=1))

    def test_not_before_its_time(self, bench):
        """Before the first second of the youngest certificate up to the root it does not hold."""
        path = (*bench.rp.client_keys.wallet.chain, *(each.der for each in bench.rp.trust.anchors))
        chain = [x509.load_der_x509_certificate(each) for each in path]
        begin = max(each.not_valid_before_utc for each in chain)
        assert None is require_wallet(bench.rp, begin)
        assert "presentation.certificate" == code_of(require_wallet, bench.rp, begin - timedelta(seconds=1))

    @pytest.mark.parametrize(
        "settings",
        [
            {"wallet": "https://other.example/wallet"},
            {"sector": "https://other.example"},
        ],
        ids=["host", "sector"],
    )
    def test_another_name(self, bench, settings):
        """It names this sector and the host that wallets answer to."""
        changed = dict(settings)
        if "wallet" in changed:
            changed["wallet"] = replace(bench.rp.wallet, endpoint=changed["wallet"])
        assert "presentation.certificate" == code_of(require_wallet, replace(bench.rp, **changed), NOW)

    def test_another_root(self, bench):
        """What no pinned root vouches for, no wallet would believe."""
        other = Keyring(issuer=ISSUER, algorithm=ALGORITHMS["ES256"], now=NOW)
        rp = replace(bench.rp, trust=TrustStore.for_tests(pem(other.root.certificate)))
        error = code_of(require_wallet, rp, NOW)
        assert "presentation.certificate" == error

    def test_another_purpose(self, bench):
        """A certificate of the issuer's own signers is none of a relying party."""
        signer = bench.keyring.signer("assertion")
        chain = b"".join(map(pem, signer.chain))
        identity = WalletIdentity.from_pem(chain, key_pem(signer.key))
        keys = ClientKeys(signing=bench.rp.client_keys.signing, wallet=identity)
        assert "presentation.certificate" == code_of(require_wallet, replace(bench.rp, keys=keys), NOW)

    def test_a_format_that_is_none(self, bench):
        """The format is one of the registry."""
        rp = replace(bench.rp, wallet=replace(bench.rp.wallet, credential_format="nym-bbs/1"))
        with pytest.raises(ConfigurationError) as caught:
            require_wallet(rp, NOW)
        assert ("config.wallet", "wallet.credential_format") == (caught.value.code, caught.value.setting)


@pytest.mark.parametrize(("name", "id_"), [("sd-jwt", "sd-jwt"), ("nym-bbs/1", "nym-bbs-1"), ("ü", "-")])
def test_the_id_of_a_credential_is_its_format_s_name(name, id_):
    """An id holds letters, digits, underscores and hyphens (OpenID4VP 1.0 §6.1)."""
    assert id_ == credential_id(name)


def test_a_request_is_strict_json(bench):
    """Header and payload are strict base64url of JSON."""
    for part in signed(bench).split(".")[:2]:
        assert json.loads(decode_base64url(part))
