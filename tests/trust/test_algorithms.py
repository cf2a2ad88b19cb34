from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cyberid_client.errors import ConfigurationError, SignatureError
from cyberid_client.trust import ALGORITHMS, find_algorithm, load_public_key, verify_signature

MESSAGE = b"header.payload"
KINDS = {
    "ES256": "P-256",
    "ES384": "P-384",
    "PS256": "RSA-2048",
    "EdDSA": "Ed25519",
    "ML-DSA-44": "ML-DSA-44",
    "ML-DSA-65": "ML-DSA-65",
    "ML-DSA-87": "ML-DSA-87",
}
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
ORDERS = {"ES256": ec.SECP256R1().group_order, "ES384": ec.SECP384R1().group_order}


def key_info(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def raw(signature, width):
    return b"".join(number.to_bytes(width, "big") for number in decode_dss_signature(signature))


def sign(key, name, message=MESSAGE):
    if name == "ES256":
        return raw(key.sign(message, ec.ECDSA(hashes.SHA256())), 32)
    if name == "ES384":
        return raw(key.sign(message, ec.ECDSA(hashes.SHA384())), 48)
    if name == "PS256":
        return key.sign(message, PSS, hashes.SHA256())
    return key.sign(message)


def refusal(make, name, signature, *, message=MESSAGE, kind=None):
    try:
        info = key_info(make.key(kind or KINDS[name]))
        verify_signature(message, signature, algorithm=name, public_key_info=info)
    except SignatureError as error:
        return error.code
    return None


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_of_each_algorithm_holds(make, name):
    """Every row of the table checks its own signatures, and only over the same message."""
    signature = sign(make.key(KINDS[name]), name)
    assert refusal(make, name, signature) is None
    assert refusal(make, name, signature, message=MESSAGE + b" ") == "signature.invalid"
    assert refusal(make, name, signature, message=b"") == "signature.invalid"


@pytest.mark.parametrize("name", KINDS)
def test_a_changed_signature_never_holds(make, name):
    """A flipped bit, a missing or a further byte, and no signature at all are refused."""
    good = sign(make.key(KINDS[name]), name)
    step = max(1, len(good) // 64)
    for position in range(0, len(good), step):
        changed = good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :]
        assert refusal(make, name, changed) == "signature.invalid"
    for other in (b"", good[:-1], good + b"\0", b"\0" + good, good + good, bytes(len(good))):
        assert refusal(make, name, other) == "signature.invalid"


@pytest.mark.parametrize("name", KINDS)
def test_a_key_of_another_kind_is_refused(make, name):
    """The key must belong to the algorithm, whatever the signature."""
    for other, kind in KINDS.items():
        if other != name:
            assert refusal(make, name, b"x", kind=kind) == "signature.key"


def test_a_loaded_key_of_another_kind_is_refused(make):
    """A row checks nothing with a key that is not its own, and whatever is no key at all."""
    for key in (make.key("P-384").public_key(), make.key("P-256"), None, b"key"):
        with pytest.raises(SignatureError) as caught:
            find_algorithm("ES256").verify(key, bytes(64), MESSAGE)
        assert caught.value.code == "signature.key"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ES256", "secp256k1"),
        ("ES256", "brainpool"),
        ("ES384", "P-521"),
        ("PS256", "RSA-1024"),
        ("PS256", "RSA-2047"),
        ("PS256", "RSA-e3"),
        ("EdDSA", "Ed448"),
    ],
)
def test_a_key_below_the_floor_is_refused(make, name, kind):
    """Other curves and short moduli are refused though the signature might hold."""
    assert refusal(make, name, b"x", kind=kind) == "signature.key"


@pytest.mark.parametrize("name", ["ES256", "ES384"])
def test_ecdsa_numbers_lie_between_zero_and_the_order(make, name):
    """Both r and s are at least 1 and below the order, in exactly the width of the field."""
    key, order = make.key(KINDS[name]), ORDERS[name]
    good = sign(key, name)
    width = len(good) // 2
    r, s = good[:width], good[width:]
    top = order.to_bytes(width, "big")
    for bad in (bytes(width), top, b"\xff" * width):
        assert refusal(make, name, bad + s) == "signature.invalid"
        assert refusal(make, name, r + bad) == "signature.invalid"


def test_a_number_above_the_order_is_not_reduced():
    """A signature has one form: s + n is refused even where it fits the width."""
    order = ORDERS["ES256"]
    # Choose the signature first (s = 1, r from some k) and take the key that it belongs to.
    k = 5
    r = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers().x
    e = int.from_bytes(hashlib.sha256(MESSAGE).digest(), "big")
    key = ec.derive_private_key((k - e) * pow(r, -1, order) % order, ec.SECP256R1())
    row = find_algorithm("ES256")
    row.verify(key.public_key(), r.to_bytes(32, "big") + (1).to_bytes(32, "big"), MESSAGE)
    with pytest.raises(SignatureError) as caught:
        row.verify(key.public_key(), r.to_bytes(32, "big") + (1 + order).to_bytes(32, "big"), MESSAGE)
    assert caught.value.code == "signature.invalid"


def test_der_is_not_taken_where_raw_is_due(make):
    """An ECDSA signature in DER is refused."""
    der = make.key("P-256").sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert refusal(make, "ES256", der) == "signature.invalid"


@pytest.mark.parametrize(
    ("scheme", "hash_"),
    [
        (padding.PKCS1v15(), hashes.SHA256()),
        (PSS, hashes.SHA384()),
        (padding.PSS(padding.MGF1(hashes.SHA384()), salt_length=32), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=31), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=0), hashes.SHA256()),
    ],
)
def test_ps256_has_one_padding(make, scheme, hash_):
    """Another padding, hash, mask or length of salt is refused."""
    signature = make.key("RSA-2048").sign(MESSAGE, scheme, hash_)
    assert refusal(make, "PS256", signature) == "signature.invalid"


@pytest.mark.parametrize("name", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
def test_ml_dsa_is_checked_with_the_empty_context(make, name):
    """A signature made for another context is refused (RFC 9964 §4)."""
    signature = make.key(name).sign(MESSAGE, context=b"other")
    assert refusal(make, name, signature) == "signature.invalid"


@pytest.mark.parametrize(
    "name", ["none", "HS256", "RS256", "ES512", "ES256K", "es256", "ES256 ", "", None, 5, [], "Ed25519"]
)
def test_the_table_is_closed(name):
    """A name outside the table is refused, whatever it is."""
    with pytest.raises(SignatureError) as caught:
        find_algorithm(name)
    assert caught.value.code == "signature.algorithm"


def test_the_table_cannot_be_changed():
    """No code can add a row at run time."""
    with pytest.raises(TypeError):
        ALGORITHMS["none"] = ALGORITHMS["ES256"]


def test_sm2_stands_in_the_table_but_its_part_is_missing(make):
    """SM2-SM3 is known; using it says that the installation lacks it, and is never a refusal."""
    row = find_algorithm("SM2-SM3")
    assert (row.kty, row.crv, row.is_available) == ("EC", "SM2", False)
    info = key_info(make.key("P-256"))
    uses = (
        lambda: verify_signature(b"", b"", algorithm="SM2-SM3", public_key_info=info),
        lambda: load_public_key(info, row),
        lambda: row.verify(None, b"", b""),
        lambda: row.half_hash(b""),
    )
    for use in uses:
        with pytest.raises(ConfigurationError) as caught:
            use()
        assert caught.value.code == "config.algorithm_unavailable"


@pytest.mark.parametrize(
    ("name", "hash_"),
    [
        ("ES256", hashlib.sha256),
        ("ES384", hashlib.sha384),
        ("PS256", hashlib.sha256),
        ("EdDSA", hashlib.sha512),
        ("ML-DSA-44", hashlib.sha512),
        ("ML-DSA-65", hashlib.sha512),
        ("ML-DSA-87", hashlib.sha512),
    ],
)
def test_the_half_hash_is_made_with_the_algorithms_own_hash(name, hash_):
    """at_hash is the left half of the algorithm's own hash."""
    digest = hash_(b"access token").digest()
    assert find_algorithm(name).half_hash(b"access token") == digest[: len(digest) // 2]


@pytest.mark.parametrize("data", [b"", b"rubbish", bytes(91), None, "text"])
def test_an_unreadable_key_is_no_key(data):
    """Whatever the bytes, the error is ours."""
    with pytest.raises(SignatureError) as caught:
        load_public_key(data, find_algorithm("ES256"))
    assert caught.value.code == "signature.key"


def test_only_the_canonical_form_of_a_key_is_taken(make):
    """A bare PKCS #1 key, a compressed point and trailing bytes are refused."""
    rsa_key, ec_key = make.key("RSA-2048").public_key(), make.key("P-256").public_key()
    pkcs1 = rsa_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + ec_key.public_bytes(
        Encoding.X962, PublicFormat.CompressedPoint
    )
    trailing = key_info(make.key("P-256")) + b"\0"
    for name, data in (("PS256", pkcs1), ("ES256", compressed), ("ES256", trailing)):
        with pytest.raises(SignatureError) as caught:
            load_public_key(data, find_algorithm(name))
        assert caught.value.code == "signature.key"


def test_the_librarys_own_reason_is_chained(make):
    """A refusal keeps the original exception for whoever debugs."""
    with pytest.raises(SignatureError) as caught:
        verify_signature(b"", b"x", algorithm="ES256", public_key_info=key_info(make.key("P-256")))
    assert caught.value.__cause__ is not None
