"""The table is all there is: what stands in it, what does not, and what one more row takes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cyberid_client import ClientKey, RelyingParty, TrustStore, trust
from cyberid_client.errors import ChainError, SignatureError
from cyberid_client.handshake import verify_assertion
from cyberid_client.testing.jose import ALGORITHMS as SPOKEN
from cyberid_client.testing.jose import b64url, json_bytes
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.pki import pem, signer_form
from cyberid_client.trust import ALGORITHMS, Algorithm, KeySet, PublishedKey

from .test_wycheproof import FILES

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ISSUER = "https://issuer.example"
# Kinds of keys, and the one row that takes each.
TAKERS = {
    "P-256": ["ES256"],
    "P-384": ["ES384"],
    "P-521": [],
    "secp256k1": [],
    "brainpool": [],
    "RSA-1024": [],
    "RSA-2047": [],
    "RSA-2048": ["PS256"],
    "RSA-e3": [],
    "Ed25519": ["EdDSA"],
    "Ed448": [],
    "ML-DSA-44": ["ML-DSA-44"],
    "ML-DSA-65": ["ML-DSA-65"],
    "ML-DSA-87": ["ML-DSA-87"],
}


def test_the_table_says_all_that_it_holds():
    """These are the rows: their names, keys and certificate signatures; no two share a signature."""
    table = {row.name: (row.kty, row.crv, row.is_available) for row in ALGORITHMS.values()}
    assert table == {
        "ES256": ("EC", "P-256", True),
        "ES384": ("EC", "P-384", True),
        "PS256": ("RSA", None, True),
        "EdDSA": ("OKP", "Ed25519", True),
        "ML-DSA-44": ("AKP", None, True),
        "ML-DSA-65": ("AKP", None, True),
        "ML-DSA-87": ("AKP", None, True),
        "SM2-SM3": ("EC", "SM2", False),
    }
    oids = [oid for row in ALGORITHMS.values() for oid in row.certificate_oids]
    assert len(oids) == len(set(oids))


def test_every_row_that_computes_has_the_vectors_of_others():
    """A row without vectors that somebody else made is not finished."""
    assert {row.name for row in ALGORITHMS.values() if row.is_available} == set(FILES.values())


@pytest.mark.parametrize("kind", TAKERS)
def test_a_key_belongs_to_one_row_or_to_none(make, kind):
    """No two rows take the same key, and a kind outside the table is taken by none."""
    public_key = make.key(kind).public_key()
    assert TAKERS[kind] == [row.name for row in ALGORITHMS.values() if row.accepts(public_key)]


def test_signatures_are_checked_nowhere_else():
    """No module but the table names a scheme of signatures, and the one that makes the app's own."""
    root = Path(trust.__file__).parents[1]
    scheme = re.compile(r"\b(ECDSA\(|MGF1|PKCS1v15|InvalidSignature|jwt\.decode|verify_mu)")
    users = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "testing" not in path.relative_to(root).parts and scheme.search(path.read_text(encoding="utf-8"))
    }
    assert users == {"trust/algorithms.py", "handshake/signing.py"}


# What a further algorithm would need: this row, and its vectors. It stands here and not in the table.
P521 = ec.ECDSA(hashes.SHA512())
ES512 = Algorithm(
    name="ES512",
    kty="EC",
    crv="P-521",
    certificate_oids=frozenset({"1.2.840.10045.4.3.4"}),
    admits=lambda key: isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp521r1",
    digest=lambda data: hashlib.sha512(data).digest(),
    check=lambda key, signature, message: key.verify(
        encode_dss_signature(int.from_bytes(signature[:66], "big"), int.from_bytes(signature[66:], "big")),
        message,
        P521,
    ),
    build=None,
)


def test_one_more_algorithm_is_one_row(make):
    """A row is all that an assertion needs to be judged in its algorithm, at_hash included."""
    keyring = Keyring(issuer=ISSUER, algorithm=SPOKEN["ES256"], now=NOW)
    key = make.key("P-521")
    token, expected, keys = assertion_in(ES512, key, keyring, trust_chain=False)
    assert verify_assertion(token, expected=expected, keys=keys, now=NOW).evidence.algorithm == "ES512"
    with pytest.raises(SignatureError):
        verify_assertion(token[:-3] + "AAA", expected=expected, keys=keys, now=NOW)


def test_a_row_outside_the_table_certifies_nothing(make):
    """The same assertion with its chain is refused: keys in certificates are those of the table."""
    keyring = Keyring(issuer=ISSUER, algorithm=SPOKEN["ES256"], now=NOW)
    token, expected, keys = assertion_in(ES512, make.key("P-521"), keyring, trust_chain=True)
    with pytest.raises(ChainError) as caught:
        verify_assertion(token, expected=expected, keys=keys, now=NOW)
    assert caught.value.code == "chain.key_algorithm"


def key_info(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def raw(signature, width):
    return b"".join(number.to_bytes(width, "big") for number in decode_dss_signature(signature))


def assertion_in(row, key, keyring, *, trust_chain):
    """Return an assertion that is signed with a key of this row, what it must say, and the key set."""
    chain = keyring.authority.issue_chain(signer_form(NOW, ISSUER, "assertion"), key.public_key())
    header = {"alg": row.name, "kid": "k", "x5c": x5c_of(chain)}
    seconds = int(NOW.timestamp())
    claims = {
        "iss": ISSUER,
        "sub": "q7HcT2xPz9Wd4VbKmY0sRf3nLgEj8uAo1iNt6vXlC5Q",
        "aud": "shop",
        "exp": seconds + 300,
        "iat": seconds,
        "auth_time": seconds,
        "nonce": "n" * 43,
        "acr": "urn:cyberid:mode:r02",
        "amr": ["certificate", "password"],
        "at_hash": b64url(row.half_hash(b"access")),
        "sector": "https://shop.example",
        "persistence": "A",
    }
    message = f"{b64url(json_bytes(header))}.{b64url(json_bytes(claims))}"
    token = f"{message}.{b64url(raw(key.sign(message.encode(), P521), 66))}"
    rp = RelyingParty(
        issuer=ISSUER,
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(
            make_client_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        ),
        trust=TrustStore.for_tests(pem(keyring.root.certificate)),
        assertion_chain="required" if trust_chain else "absent",
    )
    expected = replace(rp.expect(nonce="n" * 43, access_token="access", started_at=NOW), algorithm=row)
    published = PublishedKey(
        kid="k", algorithm=row, public_key=key.public_key(), public_key_info=key_info(key)
    )
    return token, expected, KeySet(keys=(published,))


def make_client_key():
    return ec.generate_private_key(ec.SECP256R1())
