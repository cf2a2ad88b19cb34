"""A key that is somewhere else: a process that holds it signs over a pipe, fails, hangs, or returns rubbish."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Timer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from cyberid_client import ClientKey, ClientKeys, ConfigurationError, CyberIDError
from cyberid_client.handshake.flow import SignatureWanted, Signed
from cyberid_client.handshake.signing import sign_es256, sign_jws
from cyberid_client.trust import KeySet

from .strict_issuer import Env, StrictIssuer, form_of, wants_nonce

# What a device does with a line that asks for a signature; "honest" is PyJWT's own.
DEVICE = """
import sys, jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

algorithm, behaviour, pem = sys.stdin.readline().split()
key = load_pem_private_key(bytes.fromhex(pem), None)
public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
print(public.hex(), flush=True)
for line in sys.stdin:
    message = bytes.fromhex(line)
    signature = jwt.get_algorithm_by_name(algorithm).sign(message, key)
    if behaviour == "fails":
        sys.exit(1)
    if behaviour == "hangs":
        sys.stdin.read()
    if behaviour == "der":
        signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
    if behaviour == "short":
        signature = signature[:-1]
    if behaviour == "long":
        signature += b"\\0"
    if behaviour == "zeros":
        signature = bytes(len(signature))
    if behaviour == "random":
        signature = bytes(range(len(signature)))
    if behaviour == "empty":
        signature = b""
    if behaviour == "other_message":
        signature = jwt.get_algorithm_by_name(algorithm).sign(message + b"x", key)
    if behaviour == "other_key":
        key = ec.generate_private_key(ec.SECP256R1())
        signature = jwt.get_algorithm_by_name(algorithm).sign(message, key)
    print(signature.hex(), flush=True)
"""

KEYS: dict[str, Callable[[], object]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


class Device:
    """A process that holds a key; this one never sees it after the start."""

    def __init__(self, algorithm: str, behaviour: str) -> None:
        pem = KEYS[algorithm]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.algorithm = algorithm
        self.process = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-c", DEVICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._write(f"{algorithm} {behaviour} {pem.hex()}")
        self.public_key_info = bytes.fromhex(self._read())
        self.messages: list[bytes] = []

    def sign(self, message: bytes) -> bytes:
        self.messages.append(message)
        self._write(message.hex())
        return bytes.fromhex(self._read())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _write(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _read(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise ConnectionError
        return line.strip()


@pytest.fixture
def device() -> Iterator[Callable[..., Device]]:
    """Start devices that end with the test."""
    made: list[Device] = []

    def start(algorithm: str = "ES256", behaviour: str = "honest") -> Device:
        made.append(Device(algorithm, behaviour))
        return made[-1]

    yield start
    for each in made:
        each.close()


def drive(wanted: SignatureWanted) -> bytes:
    """Sign as the driver does: a signer that raises has returned nothing."""
    try:
        return wanted.signer.sign(wanted.message)
    except Exception:  # noqa: BLE001 - a signer may raise anything
        return b""


@pytest.fixture
def plain(assertion) -> StrictIssuer:
    return StrictIssuer(assertion, assertion.rp, Env(assertion.now), sign=drive)


def code_of(function, *arguments: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments)
    return caught.value.code


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signature_from_elsewhere_is_as_good_as_one_from_here(device, algorithm):
    """Every algorithm of a client key can be signed with by who holds it."""
    signer = device(algorithm)
    flow = sign_jws({"iss": "shop"}, typ="made-up+jwt", key=ClientKey.from_signer(signer))
    wanted = next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send(Signed(wanted.signer.sign(wanted.message)))
    claims = jwt.decode(done.value.value, load_der_public_key(signer.public_key_info), algorithms=[algorithm])
    assert {"iss": "shop"} == claims


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_that_is_here_signs_at_once(algorithm):
    """Nothing is asked for, and what comes out is what any other library verifies."""
    private_key = KEYS[algorithm]()
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(StopIteration) as done:
        next(sign_jws({"iss": "shop"}, typ="made-up+jwt", key=ClientKey.from_pem(pem)))
    claims = jwt.decode(done.value.value, private_key.public_key(), algorithms=[algorithm])
    assert {"iss": "shop"} == claims


def test_numbers_keep_their_length():
    """A number that begins with zeros is as long as any other: among eight thousand there are some."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    signatures = [sign_es256(bytes([number % 256]), private_key) for number in range(4000)]
    assert {64} == set(map(len, signatures))
    assert any(each[0] == 0 or each[32] == 0 for each in signatures)


def test_an_ecdsa_signature_is_two_numbers_of_fixed_length(device, plain):
    """RFC 7518 §3.4: r and s, 32 octets each, also from elsewhere."""
    issuer = plain.other(key=ClientKey.from_signer(device()))
    issuer.start()
    signature = form_of(issuer.requests[0])["client_assertion"].rpartition(".")[2]
    assert 86 == len(signature)


def test_a_whole_login_is_signed_elsewhere(device, plain):
    """Every attempt asks for a signature of its own, under every protection."""
    signer = device()
    issuer = plain.other(key=ClientKey.from_signer(signer), sender_constraint="dpop", request_object="signed")
    started = issuer.start()
    issuer.finish(started, wants_nonce(dpop_nonce="made-up"), issuer.tokens(started))
    # Request object and assertion at PAR, and an assertion for each of two attempts with the code.
    assert 4 == len(set(signer.messages))


@pytest.mark.parametrize(
    "behaviour",
    ["fails", "der", "short", "long", "zeros", "random", "empty", "other_message", "other_key"],
)
def test_rubbish_is_not_sent(device, plain, behaviour):
    """What does not verify with the configured key leaves no trace at the issuer."""
    issuer = plain.other(key=ClientKey.from_signer(device(behaviour=behaviour)))
    assert "signer.failed" == code_of(issuer.start)
    assert [] == issuer.requests


def test_a_device_that_hangs_and_then_dies_ends_the_login(device, plain):
    """Nothing waits for a dead process: the login ends when it does."""
    signer = device(behaviour="hangs")
    issuer = plain.other(key=ClientKey.from_signer(signer))
    death = Timer(0.2, signer.process.kill)
    death.start()
    assert "signer.failed" == code_of(issuer.start)
    death.join()
    assert [] == issuer.requests


def test_a_device_that_dies_between_the_legs_ends_the_login(device, plain):
    """The code is not sent when it cannot be said by whom."""
    signer = device()
    issuer = plain.other(key=ClientKey.from_signer(signer))
    started = issuer.start()
    signer.close()
    assert "signer.failed" == code_of(issuer.finish, started)
    assert 1 == len(issuer.requests)


def test_something_else_than_a_signature_is_none(plain, device):
    """A key set is no answer to the wish for a signature."""
    flow = sign_jws({}, typ="made-up+jwt", key=ClientKey.from_signer(device()))
    next(flow)
    assert "signer.failed" == code_of(flow.send, KeySet())


class TestTwoKeys:
    def test_during_a_rotation_both_are_published_and_one_signs(self, device, plain):
        """The next key is shown before it is used, and the old one after."""
        old, new = plain.rp.client_keys.signing, ClientKey.from_signer(device())
        stages = [
            ClientKeys(signing=old, also_published=(new,)),
            ClientKeys(signing=new, also_published=(old,)),
        ]
        signed_by = []
        for keys in stages:
            issuer = plain.other(key=None, keys=keys)
            issuer.start()
            header = jwt.get_unverified_header(form_of(issuer.requests[-1])["client_assertion"])
            signed_by.append(header["kid"])
            assert {old.kid, new.kid} == {entry["kid"] for entry in keys.jwks["keys"]}
        assert [old.kid, new.kid] == signed_by

    def test_a_login_may_begin_with_one_and_end_with_the_other(self, device, plain):
        """What was started before the rotation is finished after it."""
        started = plain.start()
        after = replace(plain.rp, key=ClientKey.from_signer(device()))
        replace(plain, rp=after).finish(started)

    def test_a_signer_of_another_algorithm_is_refused_at_once(self, device):
        """What a signer says of itself must fit its key."""
        signer = device("EdDSA")
        signer.algorithm = "ES256"
        assert "config.client_key" == code_of(ClientKey.from_signer, signer)

    def test_a_signer_without_a_readable_key_is_refused_at_once(self, device):
        """The public half is needed to know whose signature it is."""
        signer = device()
        signer.public_key_info = b"rubbish"
        with pytest.raises(ConfigurationError):
            ClientKey.from_signer(signer)
