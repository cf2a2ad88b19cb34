"""The mock's public key infrastructure: marked, bound to its host, one signer per purpose."""

from __future__ import annotations

import base64
import ipaddress
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from cyberid_client.testing import FAULTS, ManualClock, MockIssuer
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.pki import PURPOSES, TEST_MARK

CHAIN_FAULTS = [name for name in FAULTS if name.startswith("chain.")]


def chains(raw, decode):
    page = raw.get("/.well-known/openid-configuration").json()
    for token in (page["signed_metadata"], raw.log_in().json()["id_token"]):
        header, _ = decode(token)
        yield [x509.load_der_x509_certificate(base64.b64decode(text)) for text in header["x5c"]]


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def marks(certificate):
    found = extension(certificate, x509.CertificatePolicies)
    return [policy.policy_identifier.dotted_string for policy in found.value], found.critical


@pytest.fixture(params=["raw", "served"])
def client(request):
    return request.getfixturevalue(request.param)


def test_every_certificate_carries_the_mark(client, decode):
    """Every certificate, root included, has the test mark, not critical."""
    root = x509.load_pem_x509_certificate(client.issuer.root_pem)
    certificates = [root, *(each for chain in chains(client, decode) for each in chain)]
    assert [marks(each) for each in certificates] == [([TEST_MARK], False)] * 5
    assert TEST_MARK == "1.3.6.1.4.1.32473.1.99"


def test_chain_holds_up_to_the_root(client, decode):
    """Each certificate is signed by the next, the last by the root, which signs itself."""
    root = x509.load_pem_x509_certificate(client.issuer.root_pem)
    for leaf, authority in chains(client, decode):
        leaf.verify_directly_issued_by(authority)
        authority.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)


def test_signers_have_one_purpose_and_one_name(client, decode):
    """A signer is no CA, has one purpose, one SAN URI and one SAN host."""
    for (leaf, _), purpose in zip(chains(client, decode), ("metadata", "assertion"), strict=True):
        names = extension(leaf, x509.SubjectAlternativeName).value
        usages = extension(leaf, x509.ExtendedKeyUsage).value
        usage = extension(leaf, x509.KeyUsage)
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == [client.issuer.issuer]
        hosts = [*names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.IPAddress)]
        served = client.issuer.issuer.startswith("http:")
        assert hosts == ([ipaddress.ip_address("127.0.0.1")] if served else ["issuer.example"])
        assert [each.dotted_string for each in usages] == [PURPOSES[purpose]]
        assert (usage.critical, usage.value.digital_signature, usage.value.key_cert_sign) == (
            True,
            True,
            False,
        )
        assert extension(leaf, x509.BasicConstraints).value.ca is False
        assert isinstance(leaf.public_key().curve, ec.SECP256R1)


def test_authority_is_bound_to_the_host(client, decode):
    """The authority may certify its issuer's host only, and has no authority below it."""
    served = client.issuer.issuer.startswith("http:")
    host = x509.IPAddress(ipaddress.ip_network("127.0.0.1")) if served else x509.DNSName("issuer.example")
    for _, authority in chains(client, decode):
        constraints = extension(authority, x509.NameConstraints)
        basic = extension(authority, x509.BasicConstraints)
        assert (constraints.value.permitted_subtrees, constraints.critical) == ([host], True)
        assert (basic.value.ca, basic.value.path_length, basic.critical) == (True, 0, True)


def test_root_stays_when_the_issuer_moves(issuer):
    """Serving issues authority and signers anew under the same root, and comes back afterwards."""
    before = (issuer.issuer, issuer.root_pem)
    with issuer.serve() as url:
        assert (issuer.issuer, issuer.root_pem) == (url, before[1])
    assert (issuer.issuer, issuer.root_pem) == before


def test_ipv6_host(issuer, registered, clock, new_client, decode):
    """On [::1] the signer names the address."""
    with issuer.serve(host="::1"):
        (leaf, _), *_ = chains(new_client(issuer, registered, clock), decode)
    names = extension(leaf, x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("::1")]


def test_issuers_share_nothing(clock):
    """Two issuers have two roots."""
    assert MockIssuer(clock).root_pem != MockIssuer(clock).root_pem


@pytest.mark.parametrize("name", CHAIN_FAULTS)
def test_bad_chains_stay_under_marked_roots(raw, decode, name):
    """Whatever a fault does to a chain, it is a mock's: an authority in it carries the mark, or nobody does."""
    raw.issuer.arm(name)
    header, _ = decode(raw.log_in().json()["id_token"])
    readable = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in header["x5c"][1:]]
    assert [marks(each)[0] for each in readable] == [[TEST_MARK]] * len(readable)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose_can_have_a_signer(purpose):
    """A keyring makes a signer for every purpose of the table."""
    now = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))()
    keyring = Keyring(issuer="https://issuer.example", algorithm=ALGORITHMS["ES256"], now=now)
    leaf = keyring.make_signer(purpose, now).chain[0]
    usages = leaf.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    assert [each.dotted_string for each in usages] == [PURPOSES[purpose]]
    assert leaf.not_valid_before_utc < now < leaf.not_valid_after_utc
