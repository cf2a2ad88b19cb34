"""The way to a pinned root: issuers, constraints, dates, and what needs another engine."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.x509.verification import VerificationError

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust import ChainProfile, TrustStore, verify_chain

SECOND = timedelta(seconds=1)


class TestIssuers:
    def test_a_chain_to_another_root_is_untrusted(self, code, make, pki):
        """Only a pinned root counts, and so does none of the same name with another key."""
        other = make.authority("Other Root")
        assert code(pki.signer, pki.ca, trust=TrustStore.from_pem(other.pem)) == "chain.untrusted"
        twin = make.authority("Root", kind="P-384")
        assert code(pki.signer, pki.ca, trust=TrustStore.from_pem(twin.pem)) == "chain.untrusted"

    def test_a_gap_in_the_chain_is_untrusted(self, code, pki):
        """No certificate is fetched: what is missing is missing."""
        assert code(pki.signer) == "chain.untrusted"

    def test_several_roots_may_be_pinned(self, code, pki, make):
        """Any of the pinned roots will do."""
        other = make.authority("Other Root")
        trust = TrustStore.from_pem(other.pem + pki.root.pem)
        assert code(pki.signer, pki.ca, trust=trust) is None
        assert code(make.signer(other), trust=trust) is None

    def test_two_authorities_of_one_name_are_told_apart_by_key(self, verify, code, pki, make):
        """Of two authorities with one name, the one whose key made the signature is on the path."""
        twin = make.authority("CA", pki.root, kind="P-384")
        assert verify(pki.signer, twin, pki.ca).intermediates == (pki.ca.der,)
        assert code(pki.signer, twin) == "chain.untrusted"

    def test_cross_signed_authorities_end(self, code, pki, make):
        """Authorities that certify one another in a circle lead nowhere, in finite time."""
        one = make.authority("One", make.authority("Two"))
        two = make.authority("Two", make.authority("One"))
        three = make.authority("One", make.authority("Two"), not_after=make.NOW + 2 * make.DAY)
        assert code(make.signer(one), one, two, three) == "chain.untrusted"

    def test_a_leaf_cannot_issue(self, code, pki, make):
        """A signer's certificate certifies nobody."""
        assert code(make.signer(pki.signer, subject="Below"), pki.signer, pki.ca) == "chain.untrusted"

    @pytest.mark.parametrize("drop", [x509.BasicConstraints, x509.KeyUsage])
    def test_an_authority_says_that_it_is_one(self, code, pki, make, drop):
        """Both cA and keyCertSign are needed to issue."""
        ca = make.authority("Silent CA", pki.root, drop=[drop])
        assert code(make.signer(ca), ca) == "chain.untrusted"

    def test_an_authority_without_key_cert_sign_is_refused(self, code, pki, make):
        """A key usage that leaves keyCertSign out forbids issuing."""
        ca = make.authority("CRL CA", pki.root, make.key_usage("crl_sign"))
        assert code(make.signer(ca), ca) == "chain.untrusted"

    def test_a_forged_signature_is_untrusted(self, code, pki, make):
        """The right names with another key's signature lead nowhere."""
        forged = make.signer(pki.ca, sign_with=make.key("P-256", "stranger"))
        assert code(forged, pki.ca) == "chain.untrusted"


class TestConstraints:
    def test_the_path_length_is_an_exact_bound(self, code, pki, make):
        """A pathlen of 0 allows signers below an authority, and no second authority."""
        ca = make.authority("Narrow CA", pki.root, make.basic(ca=True, path_length=0))
        assert code(make.signer(ca), ca) is None
        below = make.authority("Below CA", ca)
        assert code(make.signer(below), below, ca) == "chain.untrusted"

    def test_the_path_length_of_the_root_counts(self, code, make):
        """A pinned root's own path length binds, too."""
        root = make.authority("Narrow Root", None, make.basic(ca=True, path_length=0))
        trust = TrustStore.from_pem(root.pem)
        ca = make.authority("Too deep", root)
        assert code(make.signer(root), trust=trust) is None
        assert code(make.signer(ca), ca, trust=trust) == "chain.untrusted"

    @pytest.mark.parametrize("critical", [True, False])
    def test_name_constraints_bind_the_host(self, code, pki, make, critical):
        """A constraint on DNS names, critical or not, binds signers by their dNSName."""
        for subtree, expected in (("issuer.example", None), ("other.example", "chain.untrusted")):
            constraints = x509.NameConstraints([x509.DNSName(subtree)], None)
            ca = make.authority("Bound CA", pki.root, (constraints, critical))
            assert code(make.signer(ca), ca) == expected

    def test_excluded_names_are_refused(self, code, pki, make):
        """An excluded subtree refuses, in an authority and in the root."""
        excluded = (x509.NameConstraints(None, [x509.DNSName("example")]), True)
        ca = make.authority("Bound CA", pki.root, excluded)
        assert code(make.signer(ca), ca) == "chain.untrusted"
        root = make.authority("Bound Root", None, excluded)
        assert code(make.signer(root), trust=TrustStore.from_pem(root.pem)) == "chain.untrusted"

    def test_address_constraints_bind_a_loopback_issuer(self, code, pki, make):
        """A constraint on addresses binds signers by their iPAddress."""
        issuer = "http://127.0.0.1:8443"
        host = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        for network, expected in (("127.0.0.0/8", None), ("10.0.0.0/8", "chain.untrusted")):
            constraints = x509.NameConstraints([x509.IPAddress(ipaddress.ip_network(network))], None)
            ca = make.authority("Bound CA", pki.root, (constraints, True))
            leaf = make.signer(ca, make.names(make.uri(issuer), host))
            assert code(leaf, ca, profile=ChainProfile.assertion(issuer)) == expected

    def test_a_leaf_has_no_name_constraints(self, code, pki, make):
        """Name constraints are for authorities only (RFC 5280 §4.2.1.10)."""
        constraints = (x509.NameConstraints([x509.DNSName("example")], None), True)
        assert code(make.signer(pki.ca, constraints), pki.ca) == "chain.untrusted"

    def test_critical_policies_of_an_authority_are_no_obstacle(self, code, pki, make):
        """A critical certificatePolicies is understood."""
        ca = make.authority("Policy CA", pki.root, make.policies("1.2.3", critical=True))
        assert code(make.signer(ca), ca) is None


class TestEngine:
    @pytest.mark.parametrize("critical", [True, False])
    @pytest.mark.parametrize(
        "extension",
        [
            x509.PolicyConstraints(0, None),
            x509.InhibitAnyPolicy(0),
            x509.UnrecognizedExtension(
                x509.ObjectIdentifier("2.5.29.33"), bytes.fromhex("300a30080602290106022901")
            ),
            x509.NameConstraints([x509.UniformResourceIdentifier("issuer.example")], None),
            x509.NameConstraints(None, [x509.UniformResourceIdentifier("other.example")]),
            x509.NameConstraints([x509.RFC822Name("issuer.example")], None),
            x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None),
        ],
        ids=[
            "policyConstraints",
            "inhibitAnyPolicy",
            "policyMappings",
            "uri",
            "excluded uri",
            "mail",
            "dirName",
        ],
    )
    def test_what_the_engine_cannot_judge_needs_another(self, code, pki, make, extension, critical):
        """Critical or not, a rule that would be ignored is refused, in an authority and in the root."""
        ca = make.authority("Policy CA", pki.root, (extension, critical))
        assert code(make.signer(ca), ca) == "chain.engine_required"
        root = make.authority("Policy Root", None, (extension, critical))
        trust = TrustStore.from_pem(root.pem)
        assert code(make.signer(root), trust=trust) == "chain.engine_required"

    def test_ed25519_authorities_need_another_engine(self, code, pki, make):
        """Certificates signed with Ed25519 cannot be judged, whoever signed them."""
        ca = make.authority("Ed CA", pki.root, kind="Ed25519")
        assert code(make.signer(ca), ca) == "chain.engine_required"
        root = make.authority("Ed Root", kind="Ed25519")
        trust = TrustStore.from_pem(root.pem)
        assert code(make.signer(root), trust=trust) == "chain.engine_required"

    def test_keys_bound_to_pss_need_another_engine(self, code, pki, make):
        """An id-RSASSA-PSS key has rules of its own, which would be ignored."""
        plain, bound = bytes.fromhex("2a864886f70d0101010500"), bytes.fromhex("2a864886f70d01010a3000")
        leaf = make.patch(make.signer(pki.ca, kind="RSA-2048"), pki.ca, plain, bound)
        assert code(leaf, pki.ca) == "chain.engine_required"

    def test_sm2_needs_another_engine(self, code, pki, make):
        """A key on the curve SM2, and a signature of SM2-SM3, cannot be judged."""
        leaf = make.patch(pki.signer, pki.ca, make.P256_DER, make.SM2_DER)
        assert code(leaf, pki.ca) == "chain.engine_required"
        signed = make.patch(pki.signer, pki.ca, make.ECDSA_SHA256_DER, make.SM2_SM3_DER)
        assert code(signed, pki.ca) == "chain.engine_required"

    def test_an_unrelated_root_beyond_the_engine_is_no_obstacle(self, code, pki, make):
        """What is not on the path does not matter."""
        other = make.authority("Other", None, (x509.InhibitAnyPolicy(0), True))
        trust = TrustStore.from_pem(other.pem + pki.root.pem)
        assert code(pki.signer, pki.ca, trust=trust) is None
        stranger = make.signer(make.authority("Nobody"))
        assert code(stranger, trust=trust) == "chain.untrusted"


class TestDates:
    def window(self, make, code, *chain, **changes):
        """Return the codes one second before, at, between and after the two dates."""
        first, last = make.NOW - make.DAY, make.NOW + make.DAY
        moments = (first - SECOND, first, last, last + SECOND)
        return [code(*chain, now=moment, **changes) for moment in moments]

    EXPECTED = ["chain.not_yet_valid", None, None, "chain.expired"]  # noqa: RUF012 - never changed

    def test_the_dates_of_the_leaf_are_inclusive_and_exact(self, code, pki, make):
        """A leaf is good from the second of notBefore to the second of notAfter."""
        wide = {"not_before": make.NOW - 9 * make.DAY, "not_after": make.NOW + 9 * make.DAY}
        root = make.authority("Wide Root", **wide)
        trust = TrustStore.from_pem(root.pem)
        assert self.window(make, code, make.signer(root), trust=trust) == self.EXPECTED

    def test_the_dates_of_an_authority_are_inclusive_and_exact(self, code, make):
        """An authority must be inside its dates, too."""
        wide = {"not_before": make.NOW - 9 * make.DAY, "not_after": make.NOW + 9 * make.DAY}
        root = make.authority("Wide Root", **wide)
        ca = make.authority("Narrow CA", root)
        trust = TrustStore.from_pem(root.pem)
        assert self.window(make, code, make.signer(ca, **wide), ca, trust=trust) == self.EXPECTED

    def test_the_dates_of_the_root_are_inclusive_and_exact(self, code, make):
        """A pinned root must be inside its dates, too."""
        wide = {"not_before": make.NOW - 9 * make.DAY, "not_after": make.NOW + 9 * make.DAY}
        root = make.authority("Narrow Root")
        trust = TrustStore.from_pem(root.pem)
        assert self.window(make, code, make.signer(root, **wide), trust=trust) == self.EXPECTED

    def test_a_date_names_a_whole_second(self, code, pki, make):
        """A chain is good to the end of the second of notAfter, and no microsecond before notBefore."""
        first, last = make.NOW - make.DAY, make.NOW + make.DAY
        tiny = timedelta(microseconds=1)
        moments = (first - tiny, first, last + SECOND - tiny, last + SECOND)
        assert [code(pki.signer, pki.ca, now=now) for now in moments] == self.EXPECTED
        wide = {"not_before": make.NOW - 9 * make.DAY, "not_after": make.NOW + 9 * make.DAY}
        leaf = make.signer(pki.ca, **wide)
        assert [code(leaf, pki.ca, now=now) for now in moments] == self.EXPECTED

    def test_the_time_zone_of_now_does_not_matter(self, code, pki, make):
        """A moment is the same in every time zone."""
        beijing = timezone(timedelta(hours=8))
        last = make.NOW + make.DAY
        assert code(pki.signer, pki.ca, now=last.astimezone(beijing)) is None
        assert code(pki.signer, pki.ca, now=(last + SECOND).astimezone(beijing)) == "chain.expired"

    def test_a_time_without_zone_is_a_fault_of_the_program(self, verify, pki, make):
        """A naive time is refused, never guessed."""
        with pytest.raises(ConfigurationError) as caught:
            verify(pki.signer, pki.ca, now=make.NOW.replace(tzinfo=None))
        assert caught.value.code == "time.naive"

    def test_the_far_ends_of_time_are_ordinary_moments(self, code, pki):
        """The first and the last moment that Python knows raise nothing foreign."""
        assert code(pki.signer, pki.ca, now=datetime.min.replace(tzinfo=UTC)) == "chain.not_yet_valid"
        assert code(pki.signer, pki.ca, now=datetime.max.replace(tzinfo=UTC)) == "chain.expired"

    def test_the_expiry_of_the_leaf_is_reported_first(self, code, pki, make):
        """When leaf and authority have both expired, or nobody is trusted, the leaf's date is told."""
        old = make.signer(pki.ca, not_before=make.NOW - 3 * make.DAY, not_after=make.NOW - 2 * make.DAY)
        assert code(old) == "chain.expired"

    def test_an_unrelated_expired_authority_is_no_obstacle(self, code, pki, make):
        """Dates of certificates that are not on the path do not matter."""
        past = {"not_before": make.NOW - 3 * make.DAY, "not_after": make.NOW - 2 * make.DAY}
        old = make.authority("Old CA", pki.root, **past)
        assert code(pki.signer, old, pki.ca) is None
        assert code(pki.signer, old) == "chain.untrusted"
        twin = make.authority("CA", pki.root, **past)
        assert code(pki.signer, twin, pki.ca) is None
        assert code(pki.signer, twin) == "chain.expired"

    def test_the_window_of_a_chain_is_the_narrowest(self, verify, pki, make):
        """The window runs from the latest notBefore to the earliest notAfter, root included."""
        leaf = make.signer(pki.ca, not_before=make.NOW - SECOND, not_after=make.NOW + 5 * make.DAY)
        chain = verify(leaf, pki.ca)
        assert (chain.not_before, chain.not_after) == (make.NOW - SECOND, make.NOW + make.DAY)


def test_the_shape_of_the_arguments_is_forgiving(pki, make):
    """Intermediates may come as a tuple or a list."""
    arguments = {"trust": pki.trust, "profile": pki.profile, "now": make.NOW}
    assert verify_chain(pki.signer.der, (pki.ca.der,), **arguments) == verify_chain(
        pki.signer.der, [pki.ca.der], **arguments
    )


def test_the_original_reason_is_chained(pki, make):
    """A refusal of the engine keeps the library's own reason for whoever debugs."""
    forged = make.signer(pki.ca, sign_with=make.key("P-256", "stranger"))
    with pytest.raises(ChainError) as caught:
        verify_chain(forged.der, [pki.ca.der], trust=pki.trust, profile=pki.profile, now=make.NOW)
    assert isinstance(caught.value.__cause__, VerificationError)
