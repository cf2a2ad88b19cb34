"""A key set: each entry is usable, or skipped for a reason that is told."""

from __future__ import annotations

import base64
import json

import pytest

from cyberid_client.inspection import Kind, Verdict
from cyberid_client.testing.jose import ALGORITHMS, jwk_of

from .conftest import explain

EC = {**jwk_of(ALGORITHMS["ES256"].generate().public_key()), "kid": "one"}
RSA_SMALL = {"kty": "RSA", "n": base64.urlsafe_b64encode(b"\x81" * 128).rstrip(b"=").decode(), "e": "AQAB"}
SECP256K1 = {**EC, "crv": "secp256k1"}


def page(*entries):
    return json.dumps({"keys": list(entries)}).encode()


def details(explanation):
    return [step.detail for step in explanation.steps if step.title.startswith("Key ")]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("text", "skipped: it is no object"),
        ({**EC, "crit": ["x"]}, "skipped: it demands an extension"),
        ({"kty": "oct"}, "skipped: its kind (kty) is not known"),
        ({}, "skipped: its kind (kty) is not known"),
        ({"kty": [], "kid": "one"}, "skipped: its kind (kty) is not known"),
        ({**EC, "x": "AA=="}, "skipped: a member is missing, or no strict base64url, or of a wrong type"),
        (
            {"kty": "EC", "crv": "P-256"},
            "skipped: a member is missing, or no strict base64url, or of a wrong type",
        ),
        ({**EC, "use": "enc"}, "skipped: it is not for signatures (use)"),
        ({**EC, "key_ops": ["encrypt"]}, "skipped: it is not for checking signatures (key_ops)"),
        (SECP256K1, "skipped: its curve (crv) is not in the table of algorithms"),
        ({**EC, "alg": "RS256"}, "skipped: its algorithm (alg) is not in the table, or not one for this key"),
        ({**EC, "crv": "SM2"}, "skipped: its algorithm is not available in this installation"),
        (
            {**EC, "x": EC["y"], "y": EC["x"]},
            "skipped: its key material is broken, or below the floor of its kind",
        ),
        (RSA_SMALL, "skipped: its key material is broken, or below the floor of its kind"),
    ],
)
def test_an_entry_that_is_skipped_says_why(desk, entry, reason):
    """What a login skips is skipped here, with its reason, and the rest is used."""
    explanation = explain(page(entry, EC), desk.settings())
    assert (Kind.JWKS, [reason, "usable for ES256"]) == (explanation.kind, details(explanation))
    assert "1 usable of 2" == explanation.steps[0].detail
    assert Verdict.PASSES is explanation.verdict


def test_a_key_that_stands_there_twice_is_used_once(desk):
    """A repeated entry counts for nothing."""
    explanation = explain(page(EC, EC), desk.settings())
    assert ["usable for ES256", "skipped: it repeats an earlier key"] == details(explanation)


@pytest.mark.parametrize("entries", [(), ({"kty": "oct"},)])
def test_a_key_set_without_a_usable_key_is_no_pass(desk, entries):
    """When nothing is left, every assertion would be refused, and that is said."""
    explanation = explain(page(*entries), desk.settings())
    assert Verdict.NOT_JUDGED is explanation.verdict
    assert "every assertion would be refused" in explanation.steps[-1].detail


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"keys":{}}', "jwks.malformed"),
        (b'{"keys":[],"keys":[]}', "jwks.malformed"),
        (page({**EC, "d": "AA"}), "jwks.private_key"),
        (page(*[EC] * 101), "jwks.too_many_keys"),
        (page({"kid": "x" * 256 * 1024}), "jwks.too_large"),
    ],
)
def test_what_is_no_key_set(desk, data, code):
    """A key set that a login refuses is refused with the same code, and shows nothing of a private key."""
    explanation = explain(data, desk.settings())
    assert (Kind.JWKS, code, 1) == (explanation.kind, explanation.code, len(explanation.steps))


def test_the_chain_of_an_entry_is_judged(desk):
    """The chain beside a usable key is explained as any chain."""
    entry = desk.keyring.signer("assertion").to_jwk()
    assert Verdict.PASSES is explain(page(entry), desk.trusting()).verdict
    other = desk.keyring.signer("metadata").to_jwk()
    assert "chain.purpose" == explain(page(other), desk.trusting()).code
