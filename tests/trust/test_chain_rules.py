"""The rules in front of the engine: one broken rule per certificate, one code per rule."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust import ChainProfile, PurposeRule, PurposeTable, TrustStore, verify_chain


def test_a_good_chain_is_believed_and_its_facts_are_returned(verify, pki, make):
    """A chain that breaks no rule is believed, and the result is evidence."""
    chain = verify(pki.signer, pki.ca)
    assert chain.leaf == pki.signer.der
    assert chain.intermediates == (pki.ca.der,)
    assert chain.public_key_info == pki.signer.key_info
    assert chain.leaf_sha256 == pki.signer.parsed.fingerprint(hashes.SHA256()).hex()
    assert chain.anchor_sha256 == pki.root.parsed.fingerprint(hashes.SHA256()).hex()
    assert (chain.not_before, chain.not_after) == (make.NOW - make.DAY, make.NOW + make.DAY)


class TestSize:
    def test_a_certificate_of_exactly_16_kib_is_read_and_a_longer_one_is_not(self, code, pki, make):
        """A certificate may have 16,384 bytes and not one more."""
        filler = x509.ObjectIdentifier("1.3.6.1.4.1.32473.9")
        # DER writes every length from 256 to 65,535 in two bytes, so that sizes add up exactly.
        base = len(make.signer(pki.ca, (x509.UnrecognizedExtension(filler, bytes(10_000)), False)).der)
        for _ in range(100):  # ECDSA signatures differ in length by a few bytes
            exact = make.signer(pki.ca, (x509.UnrecognizedExtension(filler, bytes(26_384 - base)), False))
            if len(exact.der) == 16_384:
                break
        assert len(exact.der) == 16_384
        assert code(exact, pki.ca) is None
        longer = make.Issued(exact.der + b"\0", exact.key)
        assert code(longer, pki.ca) == "chain.certificate_too_large"

    def test_the_profile_counts_certificates_between_leaf_and_root(self, code, pki, make):
        """Three intermediates are allowed by default, four are too many."""
        chain = [pki.root]
        for depth in range(4):
            chain.append(make.authority(f"CA {depth}", chain[-1]))
        three = make.signer(chain[3])
        assert code(three, *reversed(chain[1:4])) is None
        assert code(make.signer(chain[4]), *reversed(chain[1:5])) == "chain.too_long"

    def test_a_chain_of_fifty_is_refused_unread(self, code, pki, make):
        """The number of certificates is judged before any of them is parsed."""
        assert code(pki.signer, *[make.Issued(b"rubbish", None)] * 50) == "chain.too_long"

    def test_a_profile_may_allow_fewer(self, code, pki, make):
        """A profile without intermediates takes only signers under the root itself."""
        profile = ChainProfile(max_intermediates=0)
        assert code(make.signer(pki.root), profile=profile) is None
        assert code(pki.signer, pki.ca, profile=profile) == "chain.too_long"


class TestEncoding:
    @pytest.mark.parametrize("data", [b"", b"\x30", b"not a certificate", b"\x30\x80\0\0", bytes(100)])
    def test_what_is_no_certificate_is_malformed(self, code, pki, make, data):
        """Bytes that are no certificate are refused with the chain's own error."""
        assert code(make.Issued(data, None)) == "chain.malformed"
        assert code(pki.signer, make.Issued(data, None)) == "chain.malformed"

    def test_trailing_bytes_are_malformed(self, code, pki, make):
        """A certificate ends where its DER ends."""
        assert code(make.Issued(pki.signer.der + b"\0", None), pki.ca) == "chain.malformed"

    def test_every_truncation_is_refused_inside_the_error_tree(self, code, pki, make):
        """No prefix of a certificate is believed, and none lets a foreign exception out."""
        for length in range(0, len(pki.signer.der), 7):
            assert code(make.Issued(pki.signer.der[:length], None), pki.ca) == "chain.malformed"

    def test_every_flipped_byte_is_refused_inside_the_error_tree(self, code, pki, make):
        """One changed byte anywhere in the leaf is never believed."""
        der = pki.signer.der
        for position in range(len(der)):
            changed = der[:position] + bytes([der[position] ^ 1]) + der[position + 1 :]
            assert str(code(make.Issued(changed, None), pki.ca)).startswith("chain.")

    def test_a_signature_fills_its_octets(self, code, pki, make):
        """A signature that declares an unused bit would be a second encoding of one certificate."""
        while (leaf := make.signer(pki.ca)).der[-1] & 1:
            pass
        start = len(leaf.der) - len(leaf.parsed.signature) - 1
        unused = make.Issued(leaf.der[:start] + b"\x01" + leaf.der[start + 1 :], None)
        assert code(leaf, pki.ca) is None
        assert unused.parsed.signature == leaf.parsed.signature
        assert code(unused, pki.ca) == "chain.malformed"

    def test_a_repeated_extension_is_malformed(self, code, pki, make):
        """An extension may stand in a certificate once (RFC 5280 §4.2)."""
        second = (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x30\x00"), False)
        leaf = make.signer(pki.ca, second)
        twice = make.patch(leaf, pki.ca, bytes.fromhex("0603551d63"), bytes.fromhex("0603551d25"))
        assert code(leaf, pki.ca) is None
        assert code(twice, pki.ca) == "chain.malformed"

    @pytest.mark.parametrize("last_byte", ["0f", "11", "13", "1e", "20", "25"])
    def test_an_unreadable_extension_is_malformed(self, code, pki, make, last_byte):
        """An extension that is read lazily by the library cannot fail later than here."""
        odd = (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x04\x01x"), False)
        types = {
            "0f": x509.KeyUsage,
            "11": x509.SubjectAlternativeName,
            "13": x509.BasicConstraints,
            "25": x509.ExtendedKeyUsage,
        }
        leaf = make.signer(pki.ca, odd, drop=[types[last_byte]] if last_byte in types else [])
        broken = make.patch(leaf, pki.ca, bytes.fromhex("0603551d63"), bytes.fromhex("0603551d" + last_byte))
        assert code(broken, pki.ca) == "chain.malformed"

    @pytest.mark.filterwarnings("ignore:Parsed a serial number")  # an app need not make it an error
    def test_a_serial_number_is_positive(self, code, pki, make):
        """Zero and negative serial numbers are refused (RFC 5280 §4.1.2.2)."""
        for number, expected in (("01", None), ("00", "chain.malformed"), ("80", "chain.malformed")):
            leaf = make.signer(pki.ca, serial_number=0x11)
            numbered = make.patch(
                leaf,
                pki.ca,
                b"\xa0\x03\x02\x01\x02\x02\x01\x11",
                b"\xa0\x03\x02\x01\x02\x02\x01" + bytes.fromhex(number),
            )
            assert code(numbered, pki.ca) == expected

    def test_an_old_version_is_malformed(self, code, pki, make):
        """Only version 3 has the extensions that the rules are about."""
        version_two = make.patch(pki.signer, pki.ca, bytes.fromhex("a003020102"), bytes.fromhex("a003020101"))
        assert code(version_two, pki.ca) == "chain.malformed"


class TestTestMark:
    def test_a_marked_element_is_refused_by_a_production_store(self, code, pki, make):
        """The test mark in any element is refused, beside whatever other policy."""
        marked = make.policies("1.2.3", make.TEST_MARK)
        assert code(make.signer(pki.ca, marked), pki.ca) == "chain.test_mark"
        ca = make.authority("Marked CA", pki.root, marked)
        assert code(make.signer(ca), ca) == "chain.test_mark"

    def test_a_marked_chain_is_believed_by_a_store_for_tests(self, code, make):
        """TrustStore.for_tests, and nothing else, takes the test mark."""
        mark = make.policies(make.TEST_MARK)
        root = make.authority("Mock Root", None, mark)
        ca = make.authority("Mock CA", root, mark)
        leaf = make.signer(ca, mark)
        assert code(leaf, ca, trust=TrustStore.for_tests(root.pem)) is None

    def test_a_policy_that_only_starts_like_the_mark_is_no_mark(self, code, pki, make):
        """Policies are compared whole."""
        for policy in (make.TEST_MARK + ".1", make.TEST_MARK[:-1]):
            assert code(make.signer(pki.ca, make.policies(policy)), pki.ca) is None


class TestSelfSigned:
    def test_the_pinned_root_may_come_last_and_is_put_aside(self, verify, code, pki):
        """A pinned root at the end is dropped; it is no part of the intermediates."""
        assert verify(pki.signer, pki.ca, pki.root).intermediates == (pki.ca.der,)
        assert code(pki.signer, pki.root, pki.ca) == "chain.self_signed"

    def test_the_pinned_root_does_not_count(self, code, pki, make):
        """Dropping comes before counting."""
        profile = ChainProfile(max_intermediates=1)
        assert code(pki.signer, pki.ca, pki.root, profile=profile) is None
        assert code(pki.signer, pki.ca, pki.root, pki.root, profile=profile) == "chain.too_long"

    def test_any_other_self_signed_element_is_refused(self, code, pki, make):
        """A root that nobody pinned cannot come along."""
        other = make.authority("Other Root")
        assert code(pki.signer, pki.ca, other) == "chain.self_signed"
        assert code(make.signer(None)) == "chain.self_signed"
        assert code(pki.root) == "chain.self_signed"

    def test_a_self_issued_authority_is_not_self_signed(self, code, pki, make):
        """An authority that changes its key issues to its own name, with another key."""
        new = make.issue(
            "CA",
            pki.ca,
            kind="P-384",
            extensions=[make.basic(ca=True), make.key_usage("key_cert_sign")],
        )
        assert code(make.signer(new), new, pki.ca) is None


class TestKeys:
    @pytest.mark.parametrize(
        "kind",
        ["P-256", "P-384", "Ed25519", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"],
    )
    def test_a_leaf_may_have_any_key_of_the_table(self, code, pki, make, kind):
        """Each kind of the table is believed in a leaf, Ed25519 too."""
        assert code(make.signer(pki.ca, kind=kind), pki.ca) is None

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("P-521", "chain.key_algorithm"),
            ("secp256k1", "chain.key_algorithm"),
            ("brainpool", "chain.key_algorithm"),
            ("Ed448", "chain.key_algorithm"),
            ("RSA-1024", "chain.key_too_weak"),
            ("RSA-2047", "chain.key_too_weak"),
            ("RSA-e3", "chain.key_too_weak"),
        ],
    )
    def test_a_leaf_with_another_key_is_refused(self, code, pki, make, kind, expected):
        """The engine does not look at the leaf's key; the profile does."""
        assert code(make.signer(pki.ca, kind=kind), pki.ca) == expected

    @pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"])
    def test_an_authority_may_have_most_keys_of_the_table(self, code, pki, make, kind):
        """Each kind that the engine can check is believed in an authority."""
        ca = make.authority("Authority", pki.root, kind=kind)
        assert code(make.signer(ca), ca) is None

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("P-521", "chain.key_algorithm"),
            ("RSA-1024", "chain.key_too_weak"),
            ("RSA-e3", "chain.key_too_weak"),
        ],
    )
    def test_an_authority_with_another_key_is_refused(self, code, pki, make, kind, expected):
        """The floors hold for authorities, also for one that is not needed for the path."""
        ca = make.authority("Authority", pki.root, kind=kind)
        leaf = make.signer(pki.ca, sign_with=ca.key, issuer_name="Authority")
        assert code(leaf, ca) == expected
        assert code(pki.signer, pki.ca, ca) == expected

    def test_a_curve_that_the_library_does_not_know_is_refused(self, code, pki, make):
        """A key that cannot be loaded is of a kind outside the table."""
        strange = make.P256_DER[:-1] + b"\x63"
        leaf = make.patch(make.signer(pki.ca), pki.ca, make.P256_DER, strange)
        assert code(leaf, pki.ca) == "chain.key_algorithm"


class TestSignatureAlgorithms:
    def test_a_signature_outside_the_table_is_refused(self, code, pki, make):
        """ECDSA with SHA-512 stands in no row."""
        leaf = make.signer(pki.ca, hash_=hashes.SHA512())
        assert code(leaf, pki.ca) == "chain.signature_algorithm"

    def test_a_hash_below_sha256_is_refused(self, code, pki, make):
        """A short hash is in no row, written plainly or as a parameter of PSS."""
        sha224 = make.ECDSA_SHA256_DER[:-1] + b"\x01"
        plain = make.patch(pki.signer, pki.ca, make.ECDSA_SHA256_DER, sha224)
        assert code(plain, pki.ca) == "chain.signature_algorithm"
        ca = make.authority("RSA CA", pki.root, kind="RSA-2048")
        pss = padding.PSS(padding.MGF1(hashes.SHA224()), salt_length=28)
        assert code(make.signer(ca, hash_=hashes.SHA224(), padding=pss), ca) == "chain.signature_algorithm"

    def test_the_two_places_of_the_algorithm_must_agree(self, code, pki, make):
        """The signed and the unsigned name of the algorithm are the same (RFC 5280 §4.1.1.2)."""
        tail = make.ECDSA_SHA256_DER[2:]
        inside_only = make.patch(pki.signer, pki.ca, tail, tail[:-1] + b"\x03")
        assert code(inside_only, pki.ca) == "chain.untrusted"

    @pytest.mark.parametrize("hash_", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
    def test_rsa_signatures_are_believed_in_both_paddings(self, code, pki, make, hash_):
        """An RSA authority may sign with PKCS #1 or PSS and SHA-2."""
        ca = make.authority("RSA CA", pki.root, kind="RSA-2048")
        pss = padding.PSS(padding.MGF1(hash_), salt_length=hash_.digest_size)
        assert code(make.signer(ca, hash_=hash_), ca) is None
        assert code(make.signer(ca, hash_=hash_, padding=pss), ca) is None


class TestLeaf:
    def test_an_authority_cannot_sign_documents(self, code, pki, make):
        """The leaf is no authority, and may not sign certificates either."""
        assert code(make.signer(pki.ca, make.basic(ca=True)), pki.ca) == "chain.leaf_is_ca"
        both = make.key_usage("digital_signature", "key_cert_sign")
        assert code(make.signer(pki.ca, both), pki.ca) == "chain.leaf_is_ca"
        assert code(make.signer(pki.ca, drop=[x509.BasicConstraints]), pki.ca) is None

    def test_the_key_usage_must_allow_digital_signatures(self, code, pki, make):
        """Key usage absent, or without digitalSignature, is refused."""
        assert code(make.signer(pki.ca, drop=[x509.KeyUsage]), pki.ca) == "chain.key_usage"
        other = make.key_usage("content_commitment")
        assert code(make.signer(pki.ca, other), pki.ca) == "chain.key_usage"
        assert code(make.signer(pki.ca, other), pki.ca, profile=ChainProfile(key_usage=None)) is None

    @pytest.mark.parametrize(
        "oids",
        [
            ("1.3.6.1.4.1.32473.1.2",),
            ("1.3.6.1.4.1.32473.1.1.1",),
            ("1.3.6.1.4.1.32473.1",),
            ("2.5.29.37.0",),
            ("1.3.6.1.4.1.32473.1.1", "1.3.6.1.5.5.7.3.1"),
            ("1.3.6.1.4.1.32473.1.1", "1.3.6.1.4.1.32473.1.2"),
        ],
    )
    def test_the_purpose_is_exactly_one_and_the_right_one(self, code, pki, make, oids):
        """Another, a longer, a shorter, any, or a second purpose is refused."""
        assert code(make.signer(pki.ca, make.ekus(*oids)), pki.ca) == "chain.purpose"

    def test_a_leaf_without_a_purpose_is_refused(self, code, pki, make):
        """Silence about the purpose is no purpose; a chain without one asks for none."""
        silent = make.signer(pki.ca, drop=[x509.ExtendedKeyUsage])
        assert code(silent, pki.ca) == "chain.purpose"
        assert code(silent, pki.ca, profile=ChainProfile()) is None

    def test_a_purpose_with_several_usages_takes_any_one_of_them(self, code, pki, make):
        """A table may give one purpose two usages; the leaf has one of them."""
        profile = ChainProfile(eku=frozenset({"1.2.3", "1.2.4"}))
        assert code(make.signer(pki.ca, make.ekus("1.2.4")), pki.ca, profile=profile) is None
        assert code(make.signer(pki.ca, make.ekus("1.2.3", "1.2.4")), pki.ca, profile=profile) == (
            "chain.purpose"
        )

    def test_a_certificate_for_metadata_signs_no_assertion(self, code, pki, make):
        """Each kind of document has a certificate of its own."""
        signer = make.signer(pki.ca, make.ekus(make.METADATA))
        assert code(signer, pki.ca) == "chain.purpose"
        assert code(signer, pki.ca, profile=ChainProfile.metadata(make.ISSUER)) is None

    @pytest.mark.parametrize(
        "uris",
        [
            (),
            ("https://issuer.example/",),
            ("https://Issuer.example",),
            ("https://issuer.example.evil.example",),
            ("https://issuer.example", "https://issuer.example"),
            ("https://issuer.example", "https://other.example"),
        ],
    )
    def test_the_uri_is_exactly_one_and_byte_equal(self, code, pki, make, uris):
        """One SAN URI, equal to the issuer byte by byte."""
        leaf = make.signer(pki.ca, make.names(*map(make.uri, uris), make.dns(make.HOST)))
        assert code(leaf, pki.ca) == "chain.subject_uri"

    @pytest.mark.parametrize(
        "hosts",
        [
            (),
            ("*.example",),
            ("www.issuer.example",),
            ("example",),
            ("issuer.example.",),
            ("xn--issuer.example",),
            ("issuer.example", "issuer.example"),
            ("issuer.example", "other.example"),
        ],
    )
    def test_the_host_is_exactly_one_and_equal(self, code, pki, make, hosts):
        """One SAN host, equal to the issuer's: no wildcard, no second one."""
        leaf = make.signer(pki.ca, make.names(make.uri(make.ISSUER), *map(make.dns, hosts)))
        assert code(leaf, pki.ca) == "chain.subject_host"

    def test_letter_case_means_nothing_in_a_host(self, code, pki, make):
        """DNS names are compared without regard to case (RFC 5280 §7.2)."""
        leaf = make.signer(pki.ca, make.names(make.uri(make.ISSUER), make.dns("ISSUER.example")))
        assert code(leaf, pki.ca) is None

    def test_a_second_host_of_the_other_kind_is_refused(self, code, pki, make):
        """A dNSName and an iPAddress are two hosts."""
        address = x509.IPAddress(ipaddress.ip_address("192.0.2.1"))
        leaf = make.signer(pki.ca, make.names(make.uri(make.ISSUER), make.dns(make.HOST), address))
        assert code(leaf, pki.ca) == "chain.subject_host"

    @pytest.mark.parametrize(
        ("issuer", "address"),
        [("http://127.0.0.1:8443", "127.0.0.1"), ("http://[::1]:8443", "::1")],
    )
    def test_a_loopback_issuer_is_named_by_its_address(self, code, pki, make, issuer, address):
        """On loopback the host is an iPAddress; the same text as a dNSName is refused."""
        profile = ChainProfile.assertion(issuer)
        right = x509.IPAddress(ipaddress.ip_address(address))
        good = make.signer(pki.ca, make.names(make.uri(issuer), right))
        assert code(good, pki.ca, profile=profile) is None
        other = x509.IPAddress(ipaddress.ip_address("127.0.0.2"))
        for wrong in (other, make.dns(address)):
            bad = make.signer(pki.ca, make.names(make.uri(issuer), wrong))
            assert code(bad, pki.ca, profile=profile) == "chain.subject_host"

    def test_an_unknown_critical_extension_is_refused(self, code, pki, make):
        """What is critical and not understood refuses the certificate; not critical, it is ignored."""
        strange = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
        assert code(make.signer(pki.ca, (strange, True)), pki.ca) == "chain.extension"
        assert code(make.signer(pki.ca, (strange, False)), pki.ca) is None
        ca = make.authority("Strange CA", pki.root, (strange, True))
        assert code(make.signer(ca), ca) == "chain.extension"

    def test_known_extensions_may_be_critical(self, code, pki, make):
        """Purpose, names and policies may be critical: they are judged here."""
        leaf = make.signer(
            pki.ca,
            make.ekus(make.ASSERTION, critical=True),
            make.names(make.uri(make.ISSUER), make.dns(make.HOST), critical=True),
            make.policies("1.2.3", critical=True),
        )
        assert code(leaf, pki.ca) is None


class TestPolicies:
    PROFILE = ChainProfile(policies=frozenset({"1.2.3.4"}))

    @pytest.mark.parametrize("policy", ["1.2.3", "1.2.3.4.5", "1.2.3.40", "2.5.29.32.0"])
    def test_a_policy_is_compared_whole(self, code, pki, make, policy):
        """A shorter, a longer, a similar policy, and anyPolicy in a leaf, are other policies."""
        assert code(make.signer(pki.root, make.policies(policy)), profile=self.PROFILE) == "chain.policy"

    def test_a_leaf_without_the_policy_is_refused(self, code, pki, make):
        """A demanded policy must be asserted; others may stand beside it."""
        assert code(make.signer(pki.root), profile=self.PROFILE) == "chain.policy"
        leaf = make.signer(pki.root, make.policies("1.2.9", "1.2.3.4"))
        assert code(leaf, profile=self.PROFILE) is None

    @pytest.mark.parametrize(
        ("of_ca", "expected"),
        [((), "chain.policy"), (("1.2.9",), "chain.policy"), (("1.2.3.4",), None), (("2.5.29.32.0",), None)],
    )
    def test_an_authority_gives_only_policies_that_it_has(self, code, pki, make, of_ca, expected):
        """A leaf cannot have a policy that the authority above it does not have (RFC 5280 §6.1.3)."""
        ca = make.authority("Policy CA", pki.root, *([make.policies(*of_ca)] if of_ca else []))
        leaf = make.signer(ca, make.policies("1.2.3.4"))
        assert code(leaf, ca, profile=self.PROFILE) == expected

    def test_all_demanded_policies_are_needed(self, code, pki, make):
        """Two demanded policies are both needed."""
        profile = ChainProfile(policies=frozenset({"1.2.3", "1.2.4"}))
        assert code(make.signer(pki.root, make.policies("1.2.3")), profile=profile) == "chain.policy"
        assert code(make.signer(pki.root, make.policies("1.2.3", "1.2.4")), profile=profile) is None


class TestPurposeOfAuthorities:
    @pytest.mark.parametrize(
        ("oids", "expected"),
        [
            (("1.3.6.1.4.1.32473.1.1",), None),
            (("2.5.29.37.0",), None),
            (("1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.32473.1.1"), None),
            (("1.3.6.1.4.1.32473.1.2",), "chain.ca_purpose"),
            (("1.3.6.1.5.5.7.3.1",), "chain.ca_purpose"),
        ],
    )
    def test_an_authority_with_purposes_issues_for_these_alone(self, code, pki, make, oids, expected):
        """An EKU on an authority includes the purpose, or any."""
        ca = make.authority("Purpose CA", pki.root, make.ekus(*oids))
        assert code(make.signer(ca), ca) == expected
        root = make.authority("Purpose Root", None, make.ekus(*oids))
        assert code(make.signer(root), trust=TrustStore.from_pem(root.pem)) == expected

    def test_the_usage_of_the_leaf_itself_must_be_allowed(self, code, pki, make):
        """Where a purpose has two usages, the authority must allow the one that the leaf has."""
        profile = ChainProfile(eku=frozenset({"1.2.3", "1.2.4"}))
        ca = make.authority("Purpose CA", pki.root, make.ekus("1.2.3"))
        assert code(make.signer(ca, make.ekus("1.2.3")), ca, profile=profile) is None
        assert code(make.signer(ca, make.ekus("1.2.4")), ca, profile=profile) == "chain.ca_purpose"


class TestProfile:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"eku": ""},
            {"eku": "assertion"},
            {"eku": frozenset()},
            {"eku": ["1.2.3"]},
            {"policies": "1.2.3"},
            {"policies": {"1.2.3"}},
            {"policies": frozenset({"x"})},
            {"key_usage": "keyCertSign"},
            {"max_intermediates": -1},
            {"max_intermediates": 11},
            {"max_intermediates": True},
            {"max_intermediates": 1.0},
            {"san_uri": ""},
            {"san_host": ""},
        ],
    )
    def test_a_profile_out_of_range_cannot_be_made(self, arguments):
        """A profile that says nothing, or nonsense, is a fault of the program."""
        with pytest.raises(ConfigurationError) as caught:
            ChainProfile(**arguments)
        assert caught.value.code == "config.value"

    @pytest.mark.parametrize("issuer", ["", "issuer.example", "https://", "https://[::1", "http://[x]/"])
    def test_an_issuer_without_a_host_cannot_be_demanded(self, issuer):
        """The profile of an issuer needs an issuer."""
        with pytest.raises(ConfigurationError) as caught:
            ChainProfile.assertion(issuer)
        assert caught.value.code == "config.issuer"

    def test_the_table_decides_about_names_and_policies(self, make):
        """An app's own table replaces usages, rule for names, and policies."""
        builtin = PurposeTable.builtin()
        rule = PurposeRule(ekus=frozenset({"1.2.3"}), names="uri", policies=frozenset({"1.2.4"}))
        table = PurposeTable(rules={**builtin.rules, "assertion": rule})
        assert ChainProfile.assertion(make.ISSUER, purposes=table) == ChainProfile(
            eku=frozenset({"1.2.3"}),
            san_uri=make.ISSUER,
            policies=frozenset({"1.2.4"}),
        )


def test_a_refusal_says_nothing_of_what_came(pki, make):
    """The message is the catalogue's sentence, whatever the certificate says."""
    leaf = make.signer(pki.ca, make.names(make.uri("https://secret.example"), make.dns("secret.example")))
    with pytest.raises(ChainError) as caught:
        verify_chain(leaf.der, [pki.ca.der], trust=pki.trust, profile=pki.profile, now=make.NOW)
    assert str(caught.value) == "The signer's certificate does not name exactly the expected party."


def test_a_host_that_is_not_ascii_is_refused_inside_the_error_tree(code, pki, make):
    """Bytes that are no ASCII in a dNSName, or a configured host of that kind, raise nothing foreign."""
    leaf = make.patch(pki.signer, pki.ca, b"\x82\x0eissuer.example", b"\x82\x0e\xc3\xa4suer.example")
    assert code(leaf, pki.ca) in {"chain.subject_host", "chain.malformed"}
    assert code(pki.signer, pki.ca, profile=ChainProfile(san_host="ä.example")) == "chain.subject_host"
