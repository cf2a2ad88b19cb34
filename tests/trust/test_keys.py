from __future__ import annotations

import pytest

from cyberid_client.errors import ChainError, SignatureError
from cyberid_client.trust import KeySet, find_algorithm
from cyberid_client.trust.certificates import leaf_public_key
from cyberid_client.wire.jwks import JWK

EMPTY = dict.fromkeys(("kid", "use", "alg", "crv", "key_ops", "x", "y", "n", "e", "pub"))


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def jwk(key, **changes):
    """Describe a private key's public half as a JSON Web Key, but for what is given."""
    public = key.public_key()
    kind = type(public).__name__
    if "RSA" in kind:
        numbers = public.public_numbers()
        members = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    elif "EC" in kind:
        numbers, width = public.public_numbers(), (public.curve.key_size + 7) // 8
        curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[public.curve.name]
        members = {
            "kty": "EC",
            "crv": curve,
            "x": numbers.x.to_bytes(width, "big"),
            "y": numbers.y.to_bytes(width, "big"),
        }
    elif "Ed" in kind:
        members = {"kty": "OKP", "crv": kind.removesuffix("PublicKey"), "x": public.public_bytes_raw()}
    else:
        name = "ML-DSA-" + kind.removesuffix("PublicKey")[-2:]
        members = {"kty": "AKP", "alg": name, "pub": public.public_bytes_raw()}
    return JWK(**{**EMPTY, "x5c": (), **members, **changes})


def kept(*keys):
    return [(key.kid, key.algorithm.name) for key in KeySet.from_jwks(keys).keys]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("P-256", "ES256"),
        ("P-384", "ES384"),
        ("RSA-2048", "PS256"),
        ("Ed25519", "EdDSA"),
        ("ML-DSA-44", "ML-DSA-44"),
        ("ML-DSA-65", "ML-DSA-65"),
        ("ML-DSA-87", "ML-DSA-87"),
    ],
)
def test_each_kind_of_key_is_kept_with_its_algorithm(make, kind, name):
    """Every kind of the table is loaded, and its SubjectPublicKeyInfo is the certificate's."""
    certificate = make.signer(None, kind=kind)
    keys = KeySet.from_jwks([jwk(certificate.key, kid="one", x5c=(certificate.der,))])
    (key,) = keys.candidates(kid="one", algorithm=find_algorithm(name))
    assert key.public_key_info == certificate.key_info
    assert key.chain == (certificate.der,)
    assert keys.find_public_key_info(certificate.key_info, find_algorithm(name)) == key
    assert leaf_public_key(certificate.der, find_algorithm(name))[1] == key.public_key_info


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ES384"},
        {"alg": "ES256K"},
        {"alg": "RS256"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"crv": "SM2"},
        {"crv": "SM2", "alg": "SM2-SM3"},
        {"crv": None},
        {"kty": "OKP"},
        {"kty": "oct"},
        {"use": "enc"},
        {"use": "SIG"},
        {"key_ops": ()},
        {"key_ops": ("sign",)},
        {"x": None},
        {"y": None},
        {"x": b""},
        {"x": bytes(32)},
        {"x": bytes(33)},
        {"y": b"\x01" * 31},
        {"y": b"\xff" * 32},
    ],
)
def test_an_entry_that_cannot_be_used_is_skipped(make, changes):
    """Other algorithms, curves, uses and broken numbers are skipped; their neighbours stay."""
    good = jwk(make.key("P-256", "good"), kid="good")
    assert kept(jwk(make.key("P-256"), kid="bad", **changes), good) == [("good", "ES256")]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("RSA-1024", {}),
        ("RSA-2047", {}),
        ("RSA-e3", {}),
        ("P-521", {}),
        ("Ed448", {}),
        ("RSA-2048", {"alg": "RS256"}),
        ("RSA-2048", {"e": b"\x00\x01\x00\x01"}),
        ("RSA-2048", {"e": b"\x01"}),
        ("RSA-2048", {"n": b"\x00" * 256}),
        ("RSA-2048", {"n": None}),
        ("Ed25519", {"x": bytes(31)}),
        ("ML-DSA-44", {"alg": None}),
        ("ML-DSA-44", {"alg": "ML-DSA-65"}),
        ("ML-DSA-44", {"pub": b"short"}),
    ],
)
def test_a_weak_or_broken_key_is_skipped(make, kind, changes):
    """Keys below the floor and key material of the wrong size are skipped."""
    assert kept(jwk(make.key(kind), **changes)) == []


@pytest.mark.parametrize(
    "changes", [{"use": "sig"}, {"key_ops": ("verify",)}, {"key_ops": ("verify", "sign")}, {"alg": "ES256"}]
)
def test_an_entry_may_say_what_it_is_for(make, changes):
    """use, key_ops and alg are all optional, and narrow when they are there."""
    assert kept(jwk(make.key("P-256"), kid="one", **changes)) == [("one", "ES256")]


def test_keys_may_share_a_name_when_their_algorithms_differ(make):
    """Among decoys of the same name, name and algorithm together find the key."""
    keys = KeySet.from_jwks(
        [
            jwk(make.key("RSA-2048"), kid="same"),
            jwk(make.key("P-256"), kid="same"),
            jwk(make.key("Ed25519"), kid="same"),
        ]
    )
    (found,) = keys.candidates(kid="same", algorithm=find_algorithm("ES256"))
    assert found.public_key_info == make.Issued(b"", make.key("P-256")).key_info


def test_two_keys_of_one_name_and_algorithm_are_both_candidates(make):
    """An ambiguity is shown, never resolved by taking the first; a plain repetition is none."""
    one, other = make.key("P-256", "one"), make.key("P-256", "other")
    keys = KeySet.from_jwks([jwk(one, kid="same"), jwk(other, kid="same"), jwk(one, kid="same")])
    assert len(keys.candidates(kid="same", algorithm=find_algorithm("ES256"))) == 2


def test_a_header_without_a_name_fits_every_key_of_the_algorithm(make):
    """Without a kid all keys of the algorithm are candidates; with one, only those of that name."""
    keys = KeySet.from_jwks(
        [
            jwk(make.key("P-256", "one"), kid="one"),
            jwk(make.key("P-256", "two")),
            jwk(make.key("P-384"), kid="three"),
        ]
    )
    es256 = find_algorithm("ES256")
    assert [key.kid for key in keys.candidates(kid=None, algorithm=es256)] == ["one", None]
    assert [key.kid for key in keys.candidates(kid="one", algorithm=es256)] == ["one"]
    assert keys.candidates(kid="three", algorithm=es256) == ()
    assert keys.candidates(kid="", algorithm=es256) == ()


def test_a_key_is_found_by_its_bytes_and_algorithm(make):
    """A published key is found by its SubjectPublicKeyInfo, for its own algorithm only."""
    keys = KeySet.from_jwks([jwk(make.key("P-256"))])
    info = make.Issued(b"", make.key("P-256")).key_info
    assert keys.find_public_key_info(info, find_algorithm("ES256")) is keys.keys[0]
    assert keys.find_public_key_info(info, find_algorithm("PS256")) is None
    assert keys.find_public_key_info(info[:-1], find_algorithm("ES256")) is None


class TestLeafPublicKey:
    def test_the_key_must_belong_to_the_algorithm(self, pki):
        """A leaf with a key of another kind gives no key."""
        with pytest.raises(SignatureError) as caught:
            leaf_public_key(pki.signer.der, find_algorithm("ES384"))
        assert caught.value.code == "signature.key"

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"", "chain.malformed"),
            (bytes(16_384), "chain.malformed"),
            (bytes(16_385), "chain.certificate_too_large"),
        ],
    )
    def test_what_is_no_certificate_gives_no_key(self, data, expected):
        """Rubbish and oversized input are refused with the chain's own errors."""
        with pytest.raises(ChainError) as caught:
            leaf_public_key(data, find_algorithm("ES256"))
        assert caught.value.code == expected

    def test_an_unknown_curve_gives_no_key(self, pki, make):
        """A key that cannot be loaded belongs to no algorithm."""
        leaf = make.patch(pki.signer, pki.ca, make.P256_DER, make.SM2_DER)
        with pytest.raises(SignatureError) as caught:
            leaf_public_key(leaf.der, find_algorithm("ES256"))
        assert caught.value.code == "signature.key"
