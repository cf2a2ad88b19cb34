from __future__ import annotations

import pytest
from cryptography import x509

from cyberid_client.errors import ConfigurationError
from cyberid_client.trust import TrustStore


def refusal(build, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        build(*arguments)
    return caught.value.code


def test_roots_come_as_pem_or_der(pki, make):
    """The same roots in another encoding, order or number of copies are the same trust set."""
    other = make.authority("Other Root")
    stores = [
        TrustStore.from_pem(pki.root.pem + other.pem),
        TrustStore.from_der([other.der, pki.root.der]),
        TrustStore.from_der([other.der, pki.root.der, other.der]),
    ]
    assert len({store.fingerprint for store in stores}) == 1
    assert [len(store.anchors) for store in stores] == [2, 2, 2]
    assert TrustStore.from_der([pki.root.der]).fingerprint != stores[0].fingerprint


def test_a_store_for_tests_says_so(pki):
    """A store for tests differs from a production store of the same roots."""
    production, tests = TrustStore.from_pem(pki.root.pem), TrustStore.for_tests(pki.root.pem)
    assert (production.is_for_tests, tests.is_for_tests) == (False, True)
    assert production.fingerprint != tests.fingerprint


@pytest.mark.parametrize("pem", [b"", b" \n"])
def test_a_store_without_roots_cannot_be_made(pem):
    """Trusting nobody is a fault of the deployment."""
    assert refusal(TrustStore.from_pem, pem) == "trust.empty"
    assert refusal(TrustStore.for_tests, pem) == "trust.empty"
    assert refusal(TrustStore.from_der, []) == "trust.empty"


@pytest.mark.parametrize(
    "pem",
    [
        b"rubbish",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        "text",
        None,
        17,
    ],
)
def test_unreadable_roots_are_malformed(pem):
    """What cannot be read is not skipped."""
    assert refusal(TrustStore.from_pem, pem) == "trust.malformed"


@pytest.mark.parametrize("certificates", [[b"rubbish"], [b""], ["text"], [None], None, [bytes(20_000)]])
def test_unreadable_der_is_malformed(certificates):
    """DER is read as strictly as PEM."""
    assert refusal(TrustStore.from_der, certificates) == "trust.malformed"


def test_one_bad_root_among_good_ones_refuses_all(pki):
    """A bundle is pinned whole or not at all."""
    assert refusal(TrustStore.from_pem, pki.root.pem + pki.ca.pem) == "trust.not_a_root"


def test_a_root_is_self_signed_and_an_authority(pki, make):
    """Neither an intermediate nor a self-signed leaf can be pinned."""
    assert refusal(TrustStore.from_pem, pki.ca.pem) == "trust.not_a_root"
    assert refusal(TrustStore.from_pem, make.signer(None).pem) == "trust.not_a_root"
    forged = make.authority("Forged", sign_with=make.key("P-256", "stranger"))
    assert refusal(TrustStore.from_pem, forged.pem) == "trust.not_a_root"


@pytest.mark.parametrize("kind", ["RSA-1024", "RSA-e3", "P-521", "secp256k1", "Ed448"])
def test_a_weak_root_cannot_be_pinned(make, kind):
    """Pinned roots are under the same floors as everybody."""
    assert refusal(TrustStore.from_pem, make.authority("Weak", kind=kind).pem) == "trust.weak_root"


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "Ed25519", "ML-DSA-65"])
def test_a_root_of_the_table_can_be_pinned(make, kind):
    """Every kind of the table that can be loaded can be pinned."""
    assert len(TrustStore.from_pem(make.authority("Strong", kind=kind).pem).anchors) == 1


def test_an_sm2_root_says_what_is_missing(make):
    """A root on the curve SM2 is no bad root: this installation lacks the part for it."""
    root = make.authority("National Root")
    sm2 = make.patch(root, root, make.P256_DER, make.SM2_DER)
    assert refusal(TrustStore.from_der, [sm2.der]) == "config.algorithm_unavailable"


def test_a_root_with_the_test_mark_is_for_tests_only(make):
    """A production store refuses the root of a mock issuer."""
    root = make.authority("Mock Root", None, make.policies("1.2.3", make.TEST_MARK))
    assert refusal(TrustStore.from_pem, root.pem) == "trust.test_root"
    assert refusal(TrustStore.from_der, [root.der]) == "trust.test_root"
    assert TrustStore.for_tests(root.pem).is_for_tests is True


def test_a_root_with_an_unreadable_extension_is_malformed(make):
    """A root is parsed whole when it is pinned."""
    odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x04\x01x"), False)
    root = make.authority("Odd Root", None, odd)
    broken = make.patch(root, root, bytes.fromhex("0603551d63"), bytes.fromhex("0603551d20"))
    assert refusal(TrustStore.from_der, [broken.der]) == "trust.malformed"


def test_a_store_does_not_print_its_roots(pki):
    """The printed form is short: the fingerprint is what one compares."""
    assert repr(pki.trust) == f"TrustStore(is_for_tests=False, fingerprint={pki.trust.fingerprint!r})"
