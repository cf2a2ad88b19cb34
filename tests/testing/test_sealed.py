"""Signed responses and encrypted assertions, honest ones, opened by libraries that the mock does not share."""

from __future__ import annotations

import json
import warnings
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.encryption import CONTENT_ENCRYPTIONS, KEY_ENCRYPTIONS, EncryptedDraft, deflate
from cyberid_client.testing.jose import jwk_of, public_key_of

from .conftest import REDIRECT_URI, decrypt, make_in_process, parts_of, unb64


def answered(raw, **choices):
    """Return the parameters of the redirect, as they stand in the URL."""
    url = raw.issuer.authorize(raw.url_for(raw.push()), **choices)
    return parse_qsl(urlsplit(url).query)


def key_in(issuer, token):
    """Return the issuer's key of a token, as PyJWT reads it from the key set."""
    kid = jwt.get_unverified_header(token)["kid"]
    keys = json.loads(json.dumps(issuer._service.keyring.jwks()))["keys"]
    return next(jwt.PyJWK(entry).key for entry in keys if entry["kid"] == kid)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "PS256", "EdDSA"])
def test_signed_response(algorithm):
    """A signed response is the only parameter, holds for PyJWT, and says what JARM wants and no more."""
    clock = ManualClock(datetime.now(UTC))
    issuer = MockIssuer(clock, algorithm=algorithm)
    registered = issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, response="jarm")
    raw = make_in_process(issuer, registered, clock)
    [(name, token)] = answered(raw)
    assert name == "response"
    claims = jwt.decode(
        token, key_in(issuer, token), algorithms=[algorithm], audience="shop", issuer=issuer.issuer
    )
    code = claims.pop("code")
    now = int(clock().timestamp())
    assert claims == {"iss": issuer.issuer, "aud": "shop", "exp": now + 600, "state": "s" * 43}
    assert len(jwt.get_unverified_header(token)["x5c"]) == 2
    assert raw.exchange(code).status == 200


def test_signed_decline(protected):
    """A no is signed as well, and has an error in the code's place."""
    raw = protected("jarm")
    [(_, token)] = answered(raw, deny=True)
    claims = parts_of(token)[1]
    assert sorted(claims) == ["aud", "error", "exp", "iss", "state"]
    assert claims["error"] == "access_denied"


def test_signed_response_is_asked_for(protected):
    """Who registered for signed responses asks for them in every request."""
    raw = protected("jarm")
    assert raw.push(response_mode="query").json()["error"] == "invalid_request"
    assert raw.push(drop=("response_mode",)).json()["error"] == "invalid_request"


def test_signed_response_unasked(raw):
    """Who did not register for signed responses gets none, however it asks."""
    assert raw.push(response_mode="query.jwt").json()["error"] == "invalid_request"
    assert [name for name, _ in answered(raw)] == ["code", "state", "iss"]


@pytest.mark.parametrize("encryption", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("algorithm", KEY_ENCRYPTIONS)
def test_encrypted_assertion(protected, algorithm, encryption):
    """Every listed way to encrypt is opened by joserfc, and inside is the signed assertion."""
    raw = protected("jwe", key_encryption=algorithm, content_encryption=encryption)
    token = raw.log_in().json()["id_token"]
    header = json.loads(unb64(token.split(".")[0]))
    header.pop("epk", None)
    kid = raw.registered.encryption_key.kid
    assert header == {"alg": algorithm, "enc": encryption, "kid": kid, "cty": "JWT"}
    inside = decrypt(token, raw.registered, algorithm, encryption)
    assert parts_of(inside)[1]["nonce"] == "n" * 43
    assert raw.issuer.signed["nonce"] == "n" * 43


def test_no_two_are_alike(protected):
    """Content key, ephemeral key and initialisation vector are fresh every time."""
    raw = protected("jwe")
    first, second = (raw.log_in().json()["id_token"].split(".") for _ in range(2))
    assert [one == other for one, other in zip(first, second, strict=True)] == [
        False,
        True,  # nothing is encrypted where the key is agreed upon
        False,
        False,
        False,
    ]


def test_own_key_on_the_larger_curve(protected):
    """A client may bring a P-384 key, and parties may be named in the agreement."""
    key = ec.generate_private_key(ec.SECP384R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    header = {"alg": "ECDH-ES+A256KW", "enc": "A128CBC-HS256", "apu": "QWxpY2U", "apv": "Qm9i"}
    draft = EncryptedDraft(header=header, content=b"inside", recipient=key.public_key(), keyring=None)
    opened = jwe.decrypt_compact(
        draft.encode(), ECKey.import_key(pem), algorithms=["ECDH-ES+A256KW", "A128CBC-HS256"]
    )
    assert opened.plaintext == b"inside"


def test_wrong_ways_are_really_done():
    """A fault that encrypts in a forbidden way does it well: only the rule stands in its way."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    rows = [("RSA1_5", {}, b"inside"), ("RSA-OAEP-256", {"zip": "DEF"}, deflate(b"inside"))]
    for algorithm, more, content in rows:
        header = {"alg": algorithm, "enc": "A256GCM", **more}
        draft = EncryptedDraft(header=header, content=content, recipient=key.public_key(), keyring=None)
        allowed = [algorithm, "A256GCM", "DEF"]
        with warnings.catch_warnings():
            # That the old padding is old is why there is a fault with it.
            warnings.simplefilter("ignore", SecurityWarning)
            opened = jwe.decrypt_compact(draft.encode(), RSAKey.import_key(pem), algorithms=allowed)
        assert opened.plaintext == b"inside"


def test_another_key_opens_nothing(protected):
    """What was encrypted for one client is sealed for every other."""
    mine, other = protected("jwe"), protected("jwe")
    token = other.log_in().json()["id_token"]
    with pytest.raises(JoseError):
        decrypt(token, mine.registered, "ECDH-ES", "A256GCM")


def test_plain_assertion_for_who_registered_for_it(raw):
    """Nobody gets an encrypted assertion unasked."""
    assert raw.log_in().json()["id_token"].count(".") == 2


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ],
)
def test_public_keys_are_read_back(key):
    """What the mock writes as a JWK it reads as the same key."""
    public = key.public_key()
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_of(jwk_of(public)).public_bytes(*spki) == public.public_bytes(*spki)


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "oct", "k": "AA"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": 1},
        {"kty": "EC", "crv": "P-256", "x": "A" * 43},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "RSA", "n": "AQ", "e": "AQ"},
        {"kty": "RSA", "n": "!", "e": "AQAB"},
    ],
)
def test_keys_that_are_none(jwk):
    """A JWK of another kind, or with a member that is not what it should be, is no key."""
    with pytest.raises(ValueError, match=r".*"):
        public_key_of(jwk)
