"""Encrypted assertions: opened with one key in one way, and everything else refused."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from itertools import product

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwe as jose
from joserfc.jwk import ECKey

from cyberid_client import CyberIDError, DecryptionKey
from cyberid_client.config import CONTENT_ENCRYPTIONS, KEY_ENCRYPTIONS
from cyberid_client.handshake.encryption import require_decryption
from cyberid_client.testing.encryption import deflate
from cyberid_client.wire.jwe import JWE_HEADER_MAX_BYTES, JWE_MAX_BYTES

from .sealed import INSIDE, SealBench, decryption_key

FORM = "check_sealed_as_configured"
FAILED = "id_token.decryption"
# Of P-256: (1, 1) lies on no curve of ours, and the order-two point of a twist on none either.
OFF_CURVE = (b"\x01".rjust(32, b"\x00"), b"\x01".rjust(32, b"\x00"))


@pytest.fixture(scope="session")
def seal(parts) -> SealBench:
    return SealBench(**parts, decryption=(decryption_key("ECDH-ES", "ours"),))


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_header(token: str, **changes: object) -> str:
    """Change the header of a finished token, which nothing authenticates any more."""
    head, _, rest = token.partition(".")
    honest = json.loads(unb64(head))
    header = {name: value for name, value in {**honest, **changes}.items() if value is not ...}
    return f"{b64(json.dumps(header).encode())}.{rest}"


def with_part(token: str, number: int, data: bytes) -> str:
    parts = token.split(".")
    return ".".join([*parts[:number], b64(data), *parts[number + 1 :]])


class TestHonest:
    @pytest.mark.parametrize(("algorithm", "enc"), [*product(KEY_ENCRYPTIONS, CONTENT_ENCRYPTIONS)])
    def test_each_listed_way_is_opened(self, seal, algorithm, enc):
        """Every key encryption goes with every content encryption."""
        bench = replace(seal, decryption=(decryption_key(algorithm),))
        assert bench.open(bench.token(enc=enc), content_encryption=enc) == INSIDE

    @pytest.mark.parametrize("algorithm", [name for name in KEY_ENCRYPTIONS if name.startswith("ECDH")])
    def test_keys_on_the_larger_curve_are_opened(self, seal, algorithm):
        """P-384 is a curve too."""
        bench = replace(seal, decryption=(decryption_key(algorithm, curve=ec.SECP384R1()),))
        assert bench.open(bench.token()) == INSIDE

    def test_bytes_are_as_good_as_text(self, seal):
        """Both forms of a token are opened."""
        assert seal.open(seal.token().encode()) == INSIDE

    def test_foreign_header_members_are_ignored(self, seal):
        """A header may hold certificates, which is beyond what the decrypting library takes by itself."""
        header = {"x5c": ["A" * 4000], "typ": "JWT", "iss": seal.issuer, "jku": "https://evil.example/"}
        assert seal.open(seal.token(header=header)) == INSIDE

    def test_party_information_goes_into_the_key(self, seal):
        """What apu and apv say is part of the agreed key (RFC 7518 §4.6.2)."""
        ours = seal.decryption[0]
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": "ours", "cty": "JWT", "apu": "QQ", "apv": "Qg"}
        public = ECKey.import_key(ours.private_key.public_key())
        token = jose.encrypt_compact(header, INSIDE, public, algorithms=["ECDH-ES", "A256GCM"])
        assert seal.open(token) == INSIDE
        assert seal.code(with_header(token, apu="QUE")) == FAILED

    def test_a_large_assertion_is_opened(self, seal):
        """As large as an assertion may be, and larger than the decrypting library takes by itself."""
        content = b"x" * 64 * 1024
        assert seal.open(seal.token(content=content)) == content

    def test_where_none_is_configured_a_token_is_left_alone(self, seal):
        """Without encryption the signed token is what comes out, unread."""
        assert seal.open("a.b.c", id_token="jws") == "a.b.c"


class TestForm:
    def test_a_signed_one_is_refused_where_an_encrypted_one_is_configured(self, seal, assertion):
        """A protection that is configured cannot be left out."""
        assert (FORM, "id_token.not_encrypted") == seal.seal(token=assertion.token())

    def test_an_encrypted_one_is_refused_where_a_signed_one_is_configured(self, seal):
        """Nor can one be slipped in that is not."""
        assert (FORM, "id_token.encrypted") == seal.seal(id_token="jws")

    @pytest.mark.parametrize("dots", [0, 1, 2, 3, 5, 6])
    def test_only_five_parts_are_encrypted(self, seal, dots):
        """Any other number of parts is no encrypted token."""
        assert (FORM, "id_token.not_encrypted") == seal.seal(token="." * dots)


class TestKey:
    @pytest.mark.parametrize("kid", ["another", "OURS", "ours "])
    def test_the_key_is_one_of_ours_by_name(self, seal, kid):
        """A name that none of our keys has is refused."""
        assert ("check_decryption_key", "id_token.decryption_key") == seal.verdict(header={"kid": kid})

    def test_without_a_name_there_must_be_no_choice(self, seal):
        """A single key needs no name, two do."""
        assert None is seal.verdict(header={"kid": ...})
        two = replace(seal, decryption=(*seal.decryption, decryption_key("ECDH-ES")))
        assert ("check_decryption_key", "id_token.decryption_key") == two.verdict(header={"kid": ...})

    def test_during_a_rotation_both_keys_open(self, seal):
        """The older key opens what was encrypted for it, in its own way."""
        older = decryption_key("RSA-OAEP-256", "older")
        two = replace(seal, decryption=(*seal.decryption, older))
        assert INSIDE == two.open(two.token()) == two.open(two.token(recipient=older))

    def test_the_named_key_is_the_only_one_tried(self, seal):
        """A token for one key that names the other is not opened."""
        two = replace(seal, decryption=(*seal.decryption, decryption_key("ECDH-ES", "other")))
        assert two.code(two.token(header={"kid": "other"})) == FAILED


class TestWays:
    @pytest.mark.parametrize(
        "alg",
        [
            "dir",
            "RSA1_5",
            "RSA-OAEP",
            "RSA-OAEP-256",
            "ECDH-ES+A128KW",
            "ECDH-ES+A192KW",
            "A256KW",
            "A256GCMKW",
            "PBES2-HS256+A128KW",
            "ECDH-1PU",
            "ecdh-es",
            "none",
        ],
    )
    def test_the_keys_own_way_is_the_only_one(self, seal, alg):
        """What the header says decides nothing."""
        token = with_header(seal.token(), alg=alg)
        assert seal.code(token) == "id_token.key_encryption"

    @pytest.mark.parametrize("enc", [name for name in CONTENT_ENCRYPTIONS if name != "A256GCM"])
    def test_the_configured_content_encryption_is_the_only_one(self, seal, enc):
        """Another listed one is refused like an unlisted one."""
        assert ("check_content_encryption", "id_token.content_encryption") == seal.verdict(enc=enc)
        assert seal.code(with_header(seal.token(), enc="A192GCM")) == "id_token.content_encryption"

    @pytest.mark.parametrize("cty", ["JWT", "jwt", "application/jwt", "application/JWT"])
    def test_what_is_inside_is_a_signed_token(self, seal, cty):
        """The media type is compared as the type of a signed token is."""
        assert None is seal.verdict(header={"cty": cty})

    @pytest.mark.parametrize("cty", [..., "JWE", "application/json", "text/jwt", "JWT "])
    def test_what_says_nothing_or_else_is_refused(self, seal, cty):
        """A nested token says so (RFC 7519 §5.2)."""
        assert ("check_content_type", "id_token.content_type") == seal.verdict(header={"cty": cty})

    @pytest.mark.parametrize("value", ["DEF", "", None, 1])
    def test_compression_is_refused(self, seal, value):
        """What is compressed is not inflated, whatever the member holds."""
        asked = {"header": {"zip": value}, "content": deflate(b"x" * 100_000)}
        assert ("check_uncompressed", "id_token.compressed") == seal.verdict(**asked)

    @pytest.mark.parametrize("value", [["exp"], [], "exp", None, 1])
    def test_critical_extensions_are_refused(self, seal, value):
        """None is understood, and an odd list of them is one."""
        verdict = seal.verdict(header={"crit": value, "exp": 1})
        assert ("check_encrypted_critical", "id_token.critical") == verdict


class TestMalformed:
    @pytest.mark.parametrize(
        "changes",
        [
            {"alg": ...},
            {"alg": 1},
            {"enc": ...},
            {"enc": ["A256GCM"]},
            {"kid": 1},
            {"kid": ""},
            {"cty": 1},
            {"apu": 1},
            {"apv": "="},
            {"epk": None},
            {"epk": "x"},
            {"epk": []},
            {"epk": {}},
        ],
    )
    def test_each_header_member_has_its_type(self, seal, changes):
        """A header member of another type is refused before any key is looked at."""
        assert seal.code(with_header(seal.token(), **changes)) == "id_token.malformed"

    @pytest.mark.parametrize(
        "change",
        [
            {"kty": "OKP"},
            {"kty": ...},
            {"crv": 1},
            {"x": 1},
            {"y": ...},
            {"y": "="},
            {"d": "AQ"},
            {"kid": "x"},
            {"use": "sig"},
            {"key_ops": []},
        ],
    )
    def test_an_ephemeral_key_is_a_point_and_nothing_else(self, seal, change):
        """No other member stands beside the point, a private one least of all."""
        token = seal.token()
        epk = json.loads(unb64(token.partition(".")[0]))["epk"]
        changed = {name: value for name, value in {**epk, **change}.items() if value is not ...}
        assert seal.code(with_header(token, epk=changed)) == "id_token.malformed"

    @pytest.mark.parametrize(
        "head", [b"", b"[]", b"null", b"x", b'{"alg":"ECDH-ES","alg":"ECDH-ES"}', b"\xff"]
    )
    def test_the_header_is_one_strict_object(self, seal, head):
        """A header with two meanings has none."""
        assert seal.code(with_part(seal.token(), 0, head)) == "id_token.malformed"

    @pytest.mark.parametrize("number", range(5))
    @pytest.mark.parametrize("odd", ["=", "AB", "A", "A+", "é", " "])
    def test_each_part_is_strict_base64url(self, seal, number, odd):
        """One value has one spelling."""
        parts = seal.token().split(".")
        changed = ".".join([*parts[:number], odd, *parts[number + 1 :]])
        assert seal.code(changed) == "id_token.malformed"

    def test_sizes_are_limited_before_anything_is_decrypted(self, seal):
        """Token, header and encrypted key have limits of their own, each of which is allowed itself."""
        token = seal.token()
        room = JWE_MAX_BYTES - len(token) - 1
        parts = token.split(".")
        longest = ".".join([*parts[:3], parts[3] + "A" * (room - room % 4), parts[4]])
        assert seal.code(longest) == FAILED
        assert seal.code(longest + "A" * 8) == "id_token.too_large"
        assert seal.code(with_header(token, x="x" * JWE_HEADER_MAX_BYTES)) == "id_token.too_large"
        assert seal.code(with_part(token, 1, bytes(2048))) == FAILED
        assert seal.code(with_part(token, 1, bytes(2049))) == "id_token.too_large"


class TestUniform:
    """Whatever is wrong with key or content, there is one answer to it."""

    @pytest.mark.parametrize("algorithm", KEY_ENCRYPTIONS)
    @pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
    @pytest.mark.parametrize("number", [1, 2, 3, 4])
    @pytest.mark.parametrize(
        "change",
        [
            lambda data: b"",
            lambda data: data[:-1],
            lambda data: data + b"\x00",
            lambda data: bytes(len(data) or 1),
            lambda data: data[:8],
            lambda data: data + data or b"\x00",
        ],
        ids=["empty", "shorter", "longer", "zeros", "truncated", "doubled"],
    )
    def test_no_part_may_differ(self, benches, algorithm, enc, number, change):
        """Encrypted key, vector, ciphertext and tag: none may be empty, cut, extended or another."""
        bench, token = benches[algorithm, enc]
        part = unb64(token.split(".")[number])
        if change(part) == part:
            return
        assert bench.code(with_part(token, number, change(part)), content_encryption=enc) == FAILED

    @pytest.mark.parametrize("algorithm", KEY_ENCRYPTIONS)
    def test_the_header_is_authenticated(self, benches, algorithm):
        """A member that was slipped in afterwards breaks the tag."""
        bench, token = benches[algorithm, "A256GCM"]
        assert bench.code(with_header(token, typ="x")) == FAILED

    @pytest.mark.parametrize(
        ("x", "y"),
        [
            OFF_CURVE,
            (bytes(32), bytes(32)),
            (b"\xff" * 32, b"\xff" * 32),
            (b"\x00" * 33, b"\x00" * 33),
            (b"", b""),
            (bytes(31), bytes(31)),
        ],
    )
    def test_a_point_off_the_curve_is_refused(self, seal, x, y):
        """An invalid curve would tell of the private key, one question at a time (RFC 8725 §3.4)."""
        epk = {"kty": "EC", "crv": "P-256", "x": b64(x), "y": b64(y)}
        assert seal.code(with_header(seal.token(), epk=epk)) == FAILED

    @pytest.mark.parametrize("crv", ["P-384", "P-521", "secp256k1", "X25519", "p-256", "SM2"])
    def test_the_curve_is_that_of_our_key(self, seal, crv):
        """A point of another curve, or of a curve that nobody knows, is refused."""
        token = seal.token()
        epk = json.loads(unb64(token.partition(".")[0]))["epk"]
        assert seal.code(with_header(token, epk={**epk, "crv": crv})) == FAILED

    def test_a_true_point_of_another_curve_is_refused(self, seal):
        """A key that would be good elsewhere is none here."""
        other = decryption_key("ECDH-ES", "ours", curve=ec.SECP384R1())
        assert seal.code(seal.token(recipient=other)) == FAILED

    def test_without_an_ephemeral_key_nothing_is_agreed(self, seal):
        """Its absence is no other answer."""
        assert seal.code(with_header(seal.token(), epk=...)) == FAILED

    def test_another_persons_key_opens_nothing(self, seal):
        """What was encrypted for another key of the same name stays shut."""
        assert seal.code(seal.token(recipient=decryption_key("ECDH-ES", "ours"))) == FAILED

    def test_the_same_words_come_out_every_time(self, seal):
        """Neither code nor message nor cause of the error tells two failures apart."""
        errors = []
        for token in (
            with_part(seal.token(), 4, bytes(16)),
            with_header(seal.token(), epk=...),
            seal.token(recipient=decryption_key("ECDH-ES", "ours")),
        ):
            with pytest.raises(CyberIDError) as caught:
                seal.open(token)
            errors.append((str(caught.value), caught.value.__cause__, caught.value.__context__))
        assert 1 == len(set(errors))
        assert (None, None) == errors[0][1:]


@pytest.fixture(scope="module")
def benches(parts):
    """A client and an honest token of every way."""
    keys = {algorithm: decryption_key(algorithm, "ours") for algorithm in KEY_ENCRYPTIONS}
    made = {
        (algorithm, enc): SealBench(**parts, decryption=(keys[algorithm],))
        for algorithm, enc in product(KEY_ENCRYPTIONS, CONTENT_ENCRYPTIONS)
    }
    return {each: (bench, bench.token(enc=each[1])) for each, bench in made.items()}


class TestVectors:
    def test_the_key_agreement_of_rfc_7518_appendix_c(self, seal):
        """Bob's key of the appendix and Alice's ephemeral one agree on a key, with names for both."""
        number = int.from_bytes(unb64("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"), "big")
        bob = DecryptionKey(ec.derive_private_key(number, ec.SECP256R1()), algorithm="ECDH-ES", kid="bob")
        header = {
            "alg": "ECDH-ES",
            "enc": "A128GCM",
            "apu": "QWxpY2U",
            "apv": "Qm9i",
            "epk": {
                "kty": "EC",
                "crv": "P-256",
                "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
                "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
            },
            "kid": "bob",
            "cty": "JWT",
        }
        head, vector = b64(json.dumps(header).encode()), bytes(12)
        agreed = AESGCM(unb64("VqqN6vgjbSBcIijNcacQGg")).encrypt(vector, INSIDE, head.encode())
        token = ".".join((head, "", *map(b64, (vector, agreed[:-16], agreed[-16:]))))
        bench = replace(seal, decryption=(bob,))
        assert bench.open(token, content_encryption="A128GCM") == INSIDE

    def test_an_assertion_inside_is_judged_as_any_other(self, seal, assertion):
        """What comes out is the very token that was signed."""
        signed = assertion.token()
        opened = seal.open(seal.token(content=signed.encode()))
        assert opened == signed.encode()
        assert assertion.judge(opened).pseudonym.value == jwt.decode(signed, options=UNVERIFIED)["sub"]


UNVERIFIED = {"verify_signature": False}


WITHOUT_EXTRA = """
import sys
sys.modules["joserfc"] = None
from cryptography.hazmat.primitives.asymmetric import ec
from cyberid_client import (
    Assurance, AsyncClient, Client, ClientKey, ClientKeys, ConfigurationError, DecryptionKey, RelyingParty
)
def make(id_token):
    private = ec.generate_private_key(ec.SECP256R1())
    return RelyingParty(
        issuer="https://issuer.example",
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        trust=None,
        keys=ClientKeys(
            signing=ClientKey(private), decryption=(DecryptionKey(private, algorithm="ECDH-ES", kid="other"),)
        ),
        metadata_trust="tls",
        assertion_chain="absent",
        assurance_values={"urn:op:gold": Assurance.R02},
        id_token=id_token,
    )
Client(make("jws"), background=False).close()
for kind in (Client, AsyncClient):
    try:
        kind(make("jwe"), background=False)
    except ConfigurationError as error:
        print(error.code, error.setting)
"""


def test_without_the_extra_the_sentence_names_it(seal):
    """Who configures encrypted assertions without the extra is told what to install, before any login."""
    result = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", WITHOUT_EXTRA], check=True, capture_output=True, text=True
    )
    assert 2 * 'config.missing_extra pip install "cyberid_client[jwe]"\n' == result.stdout
    assert None is require_decryption(seal.client)


@pytest.mark.parametrize(
    "text", ["import cyberid_client.handshake.redirect", "from cyberid_client import Client"]
)
def test_who_encrypts_nothing_imports_nothing(text):
    """The decrypting library is imported by who needs it."""
    script = f"{text}; import sys; print('joserfc' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)  # noqa: S603 - our own script
    assert "False\n" == result.stdout


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_token_is_our_own_error(seal, token):
    """Whatever the issuer sends, our own error comes out."""
    with pytest.raises(CyberIDError):
        seal.open(token)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
HEADER = st.dictionaries(
    st.sampled_from(
        [
            "epk",
            "apu",
            "apv",
            "kid",
            "x5c",
            "jku",
            "jwk",
            "x5t",
            "x5u",
            "typ",
            "b64",
            "p2c",
            "iv",
            "tag",
            "skid",
        ]
    ),
    JSON,
)
POINT = st.fixed_dictionaries(
    {
        "kty": st.just("EC"),
        "crv": st.sampled_from(["P-256", "P-384", "P-521", "secp256k1", ""]),
        "x": st.binary(max_size=48).map(b64) | st.binary(min_size=32, max_size=32).map(b64),
        "y": st.binary(max_size=48).map(b64) | st.binary(min_size=32, max_size=32).map(b64),
    }
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(KEY_ENCRYPTIONS),
    st.sampled_from(CONTENT_ENCRYPTIONS),
    HEADER,
    st.lists(st.binary(max_size=70), min_size=4, max_size=4),
)
def test_any_header_and_any_parts_are_our_own_error(benches, algorithm, enc, header, parts):
    """Well-formed tokens of any content open nothing, and nothing else than our own error comes out."""
    bench, _ = benches[algorithm, enc]
    whole = {"alg": algorithm, "enc": enc, "kid": "ours", "cty": "JWT", **header}
    token = ".".join(map(b64, (json.dumps(whole).encode(), *parts)))
    with pytest.raises(CyberIDError):
        bench.open(token, content_encryption=enc)


@given(st.sampled_from(["ECDH-ES", "ECDH-ES+A256KW"]), POINT, st.binary(max_size=72))
def test_any_point_is_our_own_error(benches, algorithm, epk, encrypted_key):
    """No point that somebody makes up does more than fail."""
    bench, token = benches[algorithm, "A256GCM"]
    with pytest.raises(CyberIDError):
        bench.open(with_header(with_part(token, 1, encrypted_key), epk=epk))


@given(
    st.sampled_from(KEY_ENCRYPTIONS),
    st.sampled_from(CONTENT_ENCRYPTIONS),
    st.integers(0, 10_000),
    st.integers(0, 255),
)
def test_any_changed_character_is_our_own_error(benches, algorithm, enc, place, octet):
    """A token in which one character was replaced is refused, or was not changed."""
    bench, token = benches[algorithm, enc]
    place %= len(token)
    changed = token[:place] + chr(octet) + token[place + 1 :]
    if changed == token:
        return
    with pytest.raises(CyberIDError):
        bench.open(changed, content_encryption=enc)
