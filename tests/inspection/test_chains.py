"""A bare chain: every spelling, every certificate, and the first rule that refuses it."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.inspection import Kind, Verdict
from cyberid_client.testing.pki import authority_form, der, pem, signer_form
from cyberid_client.trust import Purpose

from .conftest import ISSUER, NOW, every_step, explain, note_of

DAY = timedelta(days=1)


def chain_of(desk, purpose="assertion"):
    return desk.keyring.signer(purpose).chain


def spellings(chain):
    texts = [base64.b64encode(der(one)).decode() for one in chain]
    return {
        "PEM": b"".join(map(pem, chain)),
        "PEM with words between": b"# signer\n" + b"\n# its authority\n".join(map(pem, chain)),
        "JSON list": json.dumps(texts).encode(),
        "JSON object": json.dumps({"x5c": texts}).encode(),
    }


def certificates_of(explanation):
    return [step for step in explanation.steps if step.title.startswith("Certificate")]


@pytest.mark.parametrize("name", ["PEM", "PEM with words between", "JSON list", "JSON object"])
def test_every_spelling(desk, name):
    """The same chain passes in every spelling, certificate by certificate and as a whole."""
    explanation = explain(spellings(chain_of(desk))[name], desk.trusting())
    assert (Kind.CHAIN, Verdict.PASSES) == (explanation.kind, explanation.verdict)
    assert [Verdict.PASSES] * 3 == [step.verdict for step in explanation.steps]


@pytest.mark.parametrize("encode", [bytes, base64.b64encode, base64.encodebytes])
def test_one_certificate_alone(desk, encode):
    """One certificate in DER or base64 is a chain that lacks its authority."""
    explanation = explain(encode(der(chain_of(desk)[0])), desk.trusting())
    assert (Kind.CHAIN, "chain.untrusted") == (explanation.kind, explanation.code)
    assert [Verdict.PASSES] == [step.verdict for step in certificates_of(explanation)]


@pytest.mark.parametrize("purpose", ["assertion", "metadata", "status"])
def test_the_purpose_is_the_one_named(desk, purpose):
    """A signer of one purpose passes for it and fails for the others."""
    data = spellings(chain_of(desk, purpose))["PEM"]
    codes = {
        each.value: explain(data, desk.trusting(purpose=each)).code
        for each in (Purpose.ASSERTION, Purpose.METADATA, Purpose.STATUS)
    }
    assert {**dict.fromkeys(codes, "chain.purpose"), purpose: None} == codes


def test_what_stands_in_a_certificate(desk):
    """Subject, dates, key, purposes, names, policies, test mark and fingerprint are told."""
    explanation = explain(spellings(chain_of(desk))["PEM"], desk.trusting())
    leaf = chain_of(desk)[0]
    told = {child.title: child.detail for child in certificates_of(explanation)[0].children}
    assert {
        "Subject": "CN=Mock assertion signer (test only),O=Mock National Network Identity",
        "Issuer": "CN=Mock Network Identity CA (test only),O=Mock National Network Identity",
        "Valid": f"{leaf.not_valid_before_utc.isoformat()} to {leaf.not_valid_after_utc.isoformat()}",
        "Key": "EC secp256r1, for ES256",
        "Signed with": "a key for ES256 (1.2.840.10045.4.3.2)",
        "Authority": "no",
        "Purposes (EKU)": "1.3.6.1.4.1.32473.1.1",
        "Names (SAN)": f"URI:{ISSUER}, DNS:issuer.example",
        "Policies": "1.3.6.1.4.1.32473.1.99",
        "Test mark": "yes: good in tests only",
        "SHA-256": leaf.fingerprint(leaf.signature_hash_algorithm).hex(),
    } == told


def test_a_pinned_root_that_came_along_is_put_aside(desk):
    """The root as the last element is explained and not judged."""
    chain = (*chain_of(desk), desk.keyring.root.certificate)
    explanation = explain(spellings(chain)["PEM"], desk.trusting())
    assert Verdict.PASSES is explanation.verdict
    assert "a pinned root that came along; put aside" == certificates_of(explanation)[-1].detail


@pytest.mark.parametrize(
    ("known", "needs"),
    [({}, {"trust", "issuer"}), ({"issuer": ISSUER}, {"trust"}), ({"trust": True}, {"issuer"})],
)
def test_without_roots_or_issuer_a_chain_is_open(desk, known, needs):
    """Without roots no way is looked for, and without issuer nobody's name is compared: never a pass."""
    settings = {**known, "trust": desk.trust} if known.get("trust") else known
    explanation = explain(spellings(chain_of(desk))["PEM"], desk.settings(**settings))
    assert (Verdict.NOT_JUDGED, needs) == (explanation.verdict, set(explanation.needs))


def test_the_certificate_that_is_refused_is_named(desk):
    """Each certificate has its own verdict: that of the signer says nothing of its authority's."""
    settings = desk.trusting(now=NOW + 2 * 366 * DAY)
    explanation = explain(spellings(chain_of(desk))["PEM"], settings)
    assert ["chain.expired", None] == [step.code for step in certificates_of(explanation)]


def test_an_expired_stranger_is_no_obstacle(desk):
    """A certificate that is no part of the way does not fail the chain, and is remarked."""
    root = desk.keyring.root
    form = authority_form(NOW - 3000 * DAY, ISSUER)
    stranger = root.issue(form, ec.generate_private_key(ec.SECP256R1()).public_key())
    explanation = explain(spellings((*chain_of(desk), stranger))["PEM"], desk.trusting())
    assert Verdict.PASSES is explanation.verdict
    assert "no part of the way to the root; chain.expired" == certificates_of(explanation)[-1].detail


def test_a_signer_for_somebody_else(desk):
    """A signer that names another issuer is refused for its name."""
    key = ec.generate_private_key(ec.SECP256R1())
    form = signer_form(NOW, "https://other.example", "assertion")
    chain = desk.keyring.authority.issue_chain(form, key.public_key())
    explanation = explain(spellings(chain)["PEM"], desk.trusting())
    assert ["chain.subject_uri", None] == [step.code for step in certificates_of(explanation)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "chain.malformed"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "chain.malformed"),
        (b"[]", "chain.malformed"),
        (b"[1]", "chain.malformed"),
        (b'["AAAA"', "chain.malformed"),
        (b'["AA=A"]', "chain.malformed"),
        (b'["AAAA"]', "chain.malformed"),
        (b'{"x5c":"AAAA"}', "chain.malformed"),
        (json.dumps(["AAAA"] * 11).encode(), "chain.too_long"),
        (b"0\x82\xff\xff", "chain.malformed"),
    ],
)
def test_what_is_no_chain(desk, data, code):
    """What cannot be read as certificates is refused with a code of chains."""
    explanation = explain(data, desk.trusting())
    assert (Kind.CHAIN, code) == (explanation.kind, explanation.code)


def test_a_private_key_is_not_repeated(desk):
    """Nothing of a private key that was given by mistake is shown."""
    explanation = explain(
        b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", desk.settings()
    )
    assert "c2VjcmV0" not in json.dumps(explanation.to_dict())


def test_a_broken_certificate_beside_a_good_one(desk):
    """One that cannot be read has its own step, and the others are explained all the same."""
    texts = [base64.b64encode(der(chain_of(desk)[0])).decode(), "AAAA"]
    explanation = explain(json.dumps(texts).encode(), desk.trusting())
    assert [None, "chain.malformed"] == [step.code for step in certificates_of(explanation)]
    assert "ES256" in note_of(explanation, "Key")
    assert {"chain.malformed"} == {step.code for step in every_step(explanation) if step.code}
