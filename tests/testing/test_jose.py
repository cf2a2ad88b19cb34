"""The mock's own encoder and signers against published values and against the library."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.testing.jose import ALGORITHMS, SIGNING_NAMES, b64url, jwk_of, thumbprint
from cyberid_client.trust import ALGORITHMS as TABLE
from cyberid_client.trust import verify_signature


def test_the_thumbprint_of_the_key_in_the_standard():
    """Type, algorithm and key go into the thumbprint of an AKP key: the example of RFC 9964 comes out."""
    key = mldsa.MLDSA44PrivateKey.from_seed_bytes(bytes(32)).public_key()
    assert sorted(jwk_of(key)) == ["alg", "kty", "pub"]
    assert jwk_of(key)["pub"][:12] == "unH59k4RuutY"
    assert thumbprint(key) == "T4xl70S7MT6Zeq6r9V9fPJGVn76wfnXJ21-gyo0Gu6o"


@pytest.mark.parametrize("name", SIGNING_NAMES)
def test_what_the_mock_signs_the_library_verifies(name):
    """Signatures and half hashes of the mock are those of the table, and a key of another type signs nothing."""
    algorithm = ALGORITHMS[name]
    key = algorithm.generate()
    signature = algorithm.sign(key, b"message")
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    verify_signature(b"message", signature, algorithm=name, public_key_info=info)
    algorithm.verify(key.public_key(), signature, b"message")
    assert algorithm.half_hash("token") == b64url(TABLE[name].half_hash(b"token"))
    other = ALGORITHMS["ML-DSA-44" if name.startswith("ES") else "ES256"].generate()
    with pytest.raises(TypeError):
        algorithm.sign(other, b"message")


def test_the_mock_speaks_every_algorithm_that_the_library_can_check():
    """Neither side has an algorithm that the other lacks."""
    assert set(SIGNING_NAMES) == {row.name for row in TABLE.values() if row.is_available}
