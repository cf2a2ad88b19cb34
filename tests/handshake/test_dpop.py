"""The key of one login, its proofs, and the nonces of RFC 9449, judged by code that shares nothing with ours."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import LoginRestartError
from cyberid_client.handshake.dpop import (
    NONCE_MAX,
    ORIGINS_KEPT,
    DPoPKey,
    NonceMemory,
    nonce_asked_for,
    nonce_of,
)
from cyberid_client.ports import HTTPResponse

from .strict_issuer import Env

NOW = datetime(2026, 11, 22, 8, 0, 0, 900_000, tzinfo=UTC)
URL = "https://issuer.example/token"


@pytest.fixture
def env() -> Env:
    return Env(NOW)


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> HTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTPResponse(status=status, headers=named, body=body, url=URL)


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pkcs8(private_key) -> str:
    der = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return urlsafe_b64encode(der).rstrip(b"=").decode()


class TestKey:
    def test_it_comes_back_out_of_the_record(self, env):
        """What the first leg wrote is the second leg's key."""
        key = DPoPKey.generate()
        assert key.thumbprint == DPoPKey.parse(key.text()).thumbprint

    def test_no_two_logins_share_one(self):
        """Each login has a key of its own."""
        assert 20 == len({DPoPKey.generate().thumbprint for _ in range(20)})

    def test_its_thumbprint_is_that_of_rfc_7638(self, env):
        """SHA-256 over the required members, sorted, without white space."""
        key = DPoPKey.generate()
        jwk = jwt.get_unverified_header(key.proof(method="POST", url=URL, nonce=None, env=env))["jwk"]
        canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
        assert hashlib.sha256(canonical).digest() == unb64(key.thumbprint)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "AAAA",
            "not base64url!",
            pkcs8(ec.generate_private_key(ec.SECP384R1())),
            pkcs8(ec.generate_private_key(ec.SECP256K1())),
            pkcs8(ed25519.Ed25519PrivateKey.generate()),
            pkcs8(rsa.generate_private_key(65537, 2048)),
        ],
        ids=["empty", "three bytes", "no base64url", "P-384", "secp256k1", "Ed25519", "RSA"],
    )
    def test_a_record_of_another_version_starts_again(self, text):
        """A key of another kind belongs to no login of this version."""
        with pytest.raises(LoginRestartError) as caught:
            DPoPKey.parse(text)
        assert "login.unknown" == caught.value.code

    def test_it_is_not_written_out(self):
        """It prints nothing of itself and refuses to be pickled or copied deeply."""
        key = DPoPKey.generate()
        assert "DPoPKey(redacted)" == repr(key)
        for way in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                way(key)


class TestProof:
    def test_it_says_what_rfc_9449_asks_for_and_nothing_else(self, env):
        """Header and claims of §4.2, signed by the key that the header shows."""
        key = DPoPKey.generate()
        proof = key.proof(method="POST", url=URL, nonce="made-up", env=env)
        header = jwt.get_unverified_header(proof)
        assert {"typ", "alg", "jwk"} == set(header)
        assert ("dpop+jwt", "ES256") == (header["typ"], header["alg"])
        assert ("EC", "P-256") == (header["jwk"]["kty"], header["jwk"]["crv"])
        claims = jwt.decode(
            proof, jwt.PyJWK(header["jwk"]), algorithms=["ES256"], options={"verify_iat": False}
        )
        assert {"htm": "POST", "htu": URL, "iat": 1795334400, "nonce": "made-up"} == {
            name: value for name, value in claims.items() if name != "jti"
        }
        assert 16 == len(unb64(claims["jti"]))

    def test_it_shows_no_private_part(self, env):
        """The key in the header is the public one: kty, crv and a point on the curve."""
        key = DPoPKey.generate()
        jwk = jwt.get_unverified_header(key.proof(method="POST", url=URL, nonce=None, env=env))["jwk"]
        assert {"kty", "crv", "x", "y"} == set(jwk)
        assert [32, 32] == [len(unb64(jwk[name])) for name in ("x", "y")]

    def test_without_a_nonce_there_is_no_such_claim(self, env):
        """No nonce is not an empty nonce."""
        proof = DPoPKey.generate().proof(method="POST", url=URL, nonce=None, env=env)
        assert {"jti", "htm", "htu", "iat"} == set(jwt.decode(proof, options={"verify_signature": False}))

    def test_every_proof_is_fresh(self, env):
        """Two proofs for the same request have two names."""
        key = DPoPKey.generate()
        proofs = [key.proof(method="POST", url=URL, nonce=None, env=env) for _ in range(2)]
        jtis = {jwt.decode(each, options={"verify_signature": False})["jti"] for each in proofs}
        assert 2 == len(jtis)

    @pytest.mark.parametrize(
        ("url", "htu"),
        [
            (URL, URL),
            (f"{URL}?tenant=1", URL),
            (f"{URL}#part", URL),
            (f"{URL}?a=b#part?c", URL),
            (f"{URL}#a?b", URL),
            ("https://issuer.example:8443/a/token", "https://issuer.example:8443/a/token"),
            ("http://[::1]:1/token?x", "http://[::1]:1/token"),
        ],
    )
    def test_it_names_the_address_without_query_and_fragment(self, env, url, htu):
        """RFC 9449 §4.2: htu is the address that is asked, and no more of it."""
        proof = DPoPKey.generate().proof(method="POST", url=url, nonce=None, env=env)
        assert htu == jwt.decode(proof, options={"verify_signature": False})["htu"]


class TestNonces:
    @pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 500, 503])
    def test_every_answer_teaches(self, status):
        """RFC 9449 §8.2: also one with 2xx, and one that is an error."""
        memory = NonceMemory()
        memory.learn(URL, answer(status, dpop_nonce="made-up"))
        assert "made-up" == memory.known_for(URL)

    def test_the_newest_counts(self):
        """A later nonce takes the place of an earlier one."""
        memory = NonceMemory()
        for nonce in ("first", "second"):
            memory.learn(URL, answer(dpop_nonce=nonce))
        assert "second" == memory.known_for(URL)

    @pytest.mark.parametrize("headers", [{}, {"dpop_nonce": ""}, {"dpop_nonce": "a b"}])
    def test_without_a_usable_one_the_old_one_stays(self, headers):
        """No nonce, or rubbish in its place, unlearns nothing."""
        memory = NonceMemory()
        memory.learn(URL, answer(dpop_nonce="made-up"))
        memory.learn(URL, answer(**headers))
        assert "made-up" == memory.known_for(URL)

    @pytest.mark.parametrize(
        ("url", "nonce"),
        [
            ("https://issuer.example/par", "made-up"),
            ("https://issuer.example/token?x=1", "made-up"),
            ("https://issuer.example", "made-up"),
            ("https://issuer.example:8443/token", None),
            ("https://mtls.issuer.example/token", None),
            ("http://issuer.example/token", None),
        ],
    )
    def test_a_nonce_belongs_to_its_origin(self, url, nonce):
        """Scheme, host and port: another origin's nonce is never shown."""
        memory = NonceMemory()
        memory.learn(URL, answer(dpop_nonce="made-up"))
        assert nonce == memory.known_for(url)

    @pytest.mark.parametrize(
        ("value", "nonce"),
        [
            ("a", "a"),
            ("!#[]~", "!#[]~"),
            ("x" * NONCE_MAX, "x" * NONCE_MAX),
            ("x" * (NONCE_MAX + 1), None),
            ("", None),
            ("a b", None),
            ("a, b", None),
            ('a"', None),
            ("a\\b", None),
            ("a\n", None),
            ("é", None),
            ("a\x7f", None),
            (None, None),
            (b"a", None),
            (1, None),
        ],
    )
    def test_only_its_own_characters_make_one(self, value, nonce):
        """RFC 9449 §8.1: one or more NQCHAR, and not without end; two headers at once are none."""
        assert nonce == nonce_of(answer(dpop_nonce=value))

    def test_it_does_not_grow(self):
        """Past its bound it begins anew, and a known origin never costs another its place."""
        memory = NonceMemory()
        urls = [f"https://host{number}.example/token" for number in range(ORIGINS_KEPT + 1)]
        for url in (*urls[:-1], urls[0]):
            memory.learn(url, answer(dpop_nonce="made-up"))
        assert ["made-up"] * ORIGINS_KEPT == [memory.known_for(url) for url in urls[:-1]]
        memory.learn(urls[-1], answer(dpop_nonce="made-up"))
        assert [*[None] * ORIGINS_KEPT, "made-up"] == [memory.known_for(url) for url in urls]

    def test_threads_share_it(self):
        """Many threads learn and ask at once; nothing breaks, and nothing is known that nobody said."""
        memory = NonceMemory()

        def learn_and_ask(number: int) -> str | None:
            url = f"https://host{number % (2 * ORIGINS_KEPT)}.example/token"
            memory.learn(url, answer(dpop_nonce=f"nonce-of-{url}"))
            known = memory.known_for(url)
            return None if known in {None, f"nonce-of-{url}"} else known

        with ThreadPoolExecutor(8) as pool:
            assert {None} == set(pool.map(learn_and_ask, range(4000)))

    def test_it_prints_no_nonce(self):
        """A count is all that it shows."""
        memory = NonceMemory()
        memory.learn(URL, answer(dpop_nonce="made-up"))
        assert "NonceMemory(1 origins)" == repr(memory)


JSON = {"content_type": "application/json"}
ASKED = b'{"error":"use_dpop_nonce"}'


class TestAskingForANonce:
    @pytest.mark.parametrize(
        "response",
        [
            answer(400, ASKED, **JSON),
            answer(400, ASKED, content_type="Application/JSON; charset=utf-8"),
            answer(401, www_authenticate='DPoP error="use_dpop_nonce"'),
            answer(401, www_authenticate='dPoP error="use_dpop_nonce", error_description="again"'),
            answer(401, www_authenticate='Bearer error="invalid_token", DPoP error="use_dpop_nonce"'),
            answer(401, b"not JSON", www_authenticate="dpop algs=ES256, error=use_dpop_nonce"),
        ],
    )
    def test_it_is_asked_in_two_ways(self, response):
        """RFC 9449 §8: 400 with JSON; §9: 401 with a challenge, whose scheme has no case."""
        assert nonce_asked_for(response)

    @pytest.mark.parametrize(
        "response",
        [
            answer(200, ASKED, **JSON),
            answer(403, ASKED, **JSON),
            answer(500, ASKED, **JSON),
            answer(400, ASKED),
            answer(400, ASKED, content_type="text/html"),
            answer(400, b'{"error":"invalid_grant"}', **JSON),
            answer(400, b'{"error":"USE_DPOP_NONCE"}', **JSON),
            answer(400, b'{"error":["use_dpop_nonce"]}', **JSON),
            answer(400, b'{"error":"use_dpop_nonce","error":"x"}', **JSON),
            answer(400, b"", www_authenticate='DPoP error="use_dpop_nonce"'),
            answer(401, ASKED, **JSON),
            answer(401, www_authenticate='Bearer error="use_dpop_nonce"'),
            answer(401, www_authenticate='DPoP error="invalid_dpop_proof"'),
            answer(401, www_authenticate='DPoP error="use_dpop_nonce'),
            answer(401, www_authenticate='Basic realm="DPoP error=use_dpop_nonce"'),
            answer(401, www_authenticate="DPoP"),
            answer(401),
            answer(200, www_authenticate='DPoP error="use_dpop_nonce"'),
        ],
    )
    def test_nothing_else_asks(self, response):
        """Another status, scheme, error or form of answer is no reason to try again."""
        assert not nonce_asked_for(response)
