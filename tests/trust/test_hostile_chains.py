"""One budget for hostile chains: work is counted, never timed, and each refusal has its own code."""

from __future__ import annotations

import ipaddress
import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust import ChainProfile, TrustStore
from cyberid_client.trust.certificates import ENTRIES_MAX
from cyberid_client.trust.chains import _verify
from cyberid_client.trust.engine import BuiltinEngine
from cyberid_client.trust.parts import PARTS_MAX, require_few_parts
from cyberid_client.trust.paths import NAME_CHECKS_MAX, PATHS_MAX, SIGNATURE_CHECKS_MAX

DEEP = ChainProfile(max_intermediates=10)


class CountingEngine(BuiltinEngine):
    """The built-in engine that counts what it is asked."""

    def __init__(self):
        self.holds_asked = 0
        self.paths = []

    def holds(self, certificate, issuer):
        self.holds_asked += 1
        return super().holds(certificate, issuer)

    def find_path(self, leaf, intermediates, *, anchors, now, max_intermediates):
        self.paths.append((leaf, *intermediates, *anchors))
        return super().find_path(
            leaf, intermediates, anchors=anchors, now=now, max_intermediates=max_intermediates
        )

    @property
    def signatures(self):
        """An upper bound of the signatures checked: each finished path has as many as steps."""
        return self.holds_asked + sum(len(path) - 1 for path in self.paths)


@pytest.fixture
def engine():
    return CountingEngine()


@pytest.fixture
def refusal(pki, make, engine):
    """Verify with the counting engine; return the code of the refusal, or ``None``."""

    def run(leaf, *intermediates, trust=pki.trust, profile=DEEP):
        try:
            _verify(
                leaf.der,
                [one.der for one in intermediates],
                trust=trust,
                profile=profile,
                now=make.NOW,
                engine=engine,
            )
        except ChainError as error:
            return error.code
        return None

    return run


def twins(make, subject, issuer, count):
    """Return authorities that differ in their dates alone: one name and one key."""
    return [
        make.authority(subject, issuer, not_after=make.NOW + (day + 2) * make.DAY) for day in range(count)
    ]


class TestWork:
    def test_an_honest_chain_has_each_signature_checked_once(self, refusal, engine, make, pki):
        """Where no two certificates have one name, the names give the path and no signature is tried."""
        chain = [pki.ca]
        for depth in range(3):
            chain.append(make.authority(f"Below {depth}", chain[-1]))
        strangers = [make.authority(f"Stranger {n}", make.authority("Nobody")) for n in range(5)]
        assert refusal(make.signer(chain[-1]), *strangers, *chain) is None
        assert (0, 1, 5) == (engine.holds_asked, len(engine.paths), engine.signatures)

    def test_a_chain_that_names_no_pinned_root_costs_no_signature(self, refusal, engine, make):
        """Forged authorities with names of their own are refused by their names."""
        chain = [make.authority("Forged 0", make.authority("Forged Root"))]
        for depth in range(1, 9):
            chain.append(make.authority(f"Forged {depth}", chain[-1]))
        assert refusal(make.signer(chain[-1]), *chain) == "chain.untrusted"
        assert engine.signatures == 0

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_circles_of_cross_signed_authorities_are_never_entered(self, refusal, engine, make, count):
        """However many authorities certify one another, none of them is reached from a pinned root."""
        here = twins(make, "Here", make.authority("There"), count)
        there = twins(make, "There", make.authority("Here"), count)
        for order in (here + there, there + here):
            assert refusal(make.signer(here[0]), *order) == "chain.untrusted"
        assert engine.signatures == 0

    def test_a_circle_beside_the_real_authority_costs_one_check_for_each_claim(
        self, refusal, engine, make, pki
    ):
        """Forged authorities that bear the real one's name are tried against the pinned root, once each."""
        ca = make.key("P-256", "stranger")
        forged = [
            make.authority("CA", pki.root, make.basic(ca=True, path_length=n), sign_with=ca) for n in range(9)
        ]
        assert refusal(make.signer(pki.ca, sign_with=ca), *forged, pki.ca) == "chain.untrusted"
        assert engine.signatures <= 11

    def test_forged_authorities_of_one_name_do_not_hide_the_real_one(self, refusal, engine, make, pki):
        """Among nine forged authorities of its name the real one is found, in one path."""
        stranger = make.key("P-256", "stranger")
        forged = [
            make.authority("CA", pki.root, make.basic(ca=True, path_length=n), sign_with=stranger)
            for n in range(9)
        ]
        assert refusal(pki.signer, *forged, pki.ca) is None
        assert len(engine.paths) == 1
        assert engine.signatures <= 13

    def test_signatures_tried_are_bounded(self, refusal, engine, make):
        """Real authorities of one name and many claims below them: 32 signatures and no more."""
        roots = [make.authority("Root", None, not_after=make.NOW + day * make.DAY) for day in range(1, 9)]
        trust = TrustStore.from_pem(b"".join(root.pem for root in roots))
        cas = twins(make, "CA", roots[0], 10)
        assert refusal(make.signer(cas[0]), *cas, trust=trust) == "chain.too_complex"
        assert engine.signatures == SIGNATURE_CHECKS_MAX
        assert engine.paths == []

    def test_paths_that_are_judged_are_bounded(self, refusal, engine, make, pki):
        """When signatures hold along many paths and none is good, eight of them are judged."""
        bound = (x509.NameConstraints(None, [x509.DNSName("example")]), True)
        cas = [
            make.authority("Bound CA", pki.root, bound, not_after=make.NOW + (day + 2) * make.DAY)
            for day in range(10)
        ]
        leaf = make.signer(cas[0])
        assert refusal(leaf, *cas[:PATHS_MAX]) == "chain.untrusted"
        assert len(engine.paths) == PATHS_MAX
        engine.paths.clear()
        assert refusal(leaf, *cas[: PATHS_MAX + 1]) == "chain.too_complex"
        assert len(engine.paths) == PATHS_MAX

    def test_a_path_goes_through_an_authority_once(self, refusal, engine, make, pki):
        """Real authorities that certify one another lead upwards in one way, not in circles."""
        bound = (x509.NameConstraints(None, [x509.DNSName("example")]), True)
        here = make.authority("Here", pki.root, bound)
        back = make.authority("Here", make.authority("There"))
        there = make.authority("There", make.authority("Here"))
        assert refusal(make.signer(here), back, there, here) == "chain.untrusted"
        assert [3] == [len(path) for path in engine.paths]

    def test_an_authority_may_change_its_key(self, refusal, engine, make, pki):
        """Authorities of one name with other keys are other authorities; none is asked about itself."""
        new = [make.basic(ca=True), make.key_usage("key_cert_sign")]
        newer = make.issue("CA", pki.ca, kind="P-384", extensions=new)
        assert refusal(make.signer(newer), newer, pki.ca) is None
        assert [4] == [len(path) for path in engine.paths]
        assert engine.holds_asked == 4  # root → CA, CA → newer, CA → signer, newer → signer

    def test_an_authority_may_change_its_name(self, refusal, make, pki):
        """One key under two names is two authorities (RFC 4158 §2.4.2)."""
        point = slice(-65, None)
        other = make.authority("Renamed", pki.ca)
        renamed = make.patch(other, pki.ca, other.key_info[point], pki.ca.key_info[point])
        decoy = make.authority("Renamed", pki.root, sign_with=make.key("P-256", "stranger"))
        leaf = make.signer(None, issuer_name="Renamed", sign_with=pki.ca.key)
        assert refusal(leaf, decoy, renamed, pki.ca) is None

    def test_a_signer_cannot_make_work(self, refusal, engine, make, pki):
        """Whoever holds a real signer's key gets nothing below it looked at."""
        below = [
            make.authority(f"Below {n}", pki.signer, make.basic(ca=True, path_length=m))
            for n in range(2)
            for m in range(4)
        ]
        leaf = make.signer(make.authority("Below 0", pki.signer))
        assert refusal(leaf, *below, pki.signer, pki.ca) == "chain.untrusted"
        assert (2, []) == (engine.holds_asked, engine.paths)

    @pytest.mark.parametrize(("hosts", "expected"), [(1, None), (2, "chain.too_complex")])
    def test_name_checks_are_bounded(self, refusal, engine, make, pki, hosts, expected):
        """Names times constraints along a path are at most 1,024; beyond that no engine is asked."""
        bound = (x509.NameConstraints(None, [x509.DNSName(f"h{n}.test") for n in range(16)]), True)
        above, authorities = pki.root, []
        for depth in range(4):
            named = make.names(*[make.dns("ca.test")] * 8)
            authorities.append(above := make.authority(f"Bound {depth}", above, bound, named))
        # Each authority's eight names and its subject stand below one, two or three others, and the
        # leaf's hosts and its subject below all four.
        checks = 16 * (9 * (1 + 2 + 3) + 4 * (hosts + 1))
        assert (checks > NAME_CHECKS_MAX) == (expected is not None)
        leaf = make.signer(above, make.names(*[make.dns("leaf.test")] * hosts))
        assert refusal(leaf, *reversed(authorities)) == expected
        assert len(engine.paths) == (expected is None)


class TestParts:
    def test_a_certificate_has_at_most_192_elements(self, code, make, pki):
        """One element more than the limit is refused, and the limit is still read."""

        def named(count):
            return make.signer(pki.ca, make.names(*[make.dns("a.b")] * count))

        base = parts(named(1).der)
        require_few_parts(named(PARTS_MAX - base + 1).der)
        assert code(named(PARTS_MAX - base + 2), pki.ca) == "chain.too_complex"

    @pytest.mark.parametrize("kind", ["names", "constraints", "policies", "usages"])
    @pytest.mark.parametrize("count", [ENTRIES_MAX, ENTRIES_MAX + 1])
    def test_lists_have_sixteen_entries(self, code, make, pki, kind, count):
        """Sixteen names, constraints, policies and usages are read in an authority, and not one more."""
        oids = [make.ANY_EKU, *(f"1.2.{n}" for n in range(2, count + 1))]
        extension = {
            "names": make.names(*[make.dns("a.b")] * count),
            "constraints": (x509.NameConstraints(None, [x509.DNSName("a.b")] * count), True),
            "policies": make.policies(*oids),
            "usages": make.ekus(*oids),
        }[kind]
        ca = make.authority("Long CA", pki.root, extension)
        assert code(make.signer(ca), ca) == (None if count == ENTRIES_MAX else "chain.too_complex")

    @pytest.mark.parametrize("kind", ["names", "constraints", "policies", "usages", "extensions", "subject"])
    def test_a_thousand_of_anything_are_refused_uncounted(self, code, make, pki, kind):
        """Names, constraints, policies, usages, extensions and parts of a name are limited alike."""
        many = range(2, 600)
        oids = [f"1.2.{n}" for n in many]
        extensions = {
            "names": [make.names(*[make.dns("") for _ in many])],
            "constraints": [(x509.NameConstraints(None, [x509.DNSName(f"{n}.example") for n in many]), True)],
            "policies": [make.policies(*oids)],
            "usages": [make.ekus(*oids)],
            "extensions": [
                (x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b""), False) for oid in oids
            ],
            "subject": [],
        }[kind]
        leaf = long_name(make, pki) if kind == "subject" else make.signer(pki.ca, *extensions)
        assert code(leaf, pki.ca) == "chain.too_complex"
        assert code(make.signer(pki.ca), pki.ca, leaf) == "chain.too_complex"

    def test_a_long_tag_hides_nothing(self):
        """A tag of several octets could hide what follows from the count: no certificate has one."""
        with pytest.raises(ChainError) as caught:
            require_few_parts(b"\x30\x04\x1f\x81\x02\x00")
        assert caught.value.code == "chain.malformed"

    def test_an_octet_string_counts_only_to_its_end(self):
        """What stands in an octet string cannot make the count skip what stands behind it."""
        inner = b"\x30\x02\x04\x7f"  # says that 127 octets follow, which reach beyond the octet string
        behind = b"\x05\x00" * (PARTS_MAX - 3)
        require_few_parts(b"\x04\x04" + inner + behind)
        with pytest.raises(ChainError) as caught:
            require_few_parts(b"\x04\x04" + inner + behind + b"\x05\x00")
        assert caught.value.code == "chain.too_complex"


def parts(der):
    """Count the elements by asking how many more would fit."""
    for more in itertools.count():
        try:
            require_few_parts(der + b"\x05\x00" * more)
        except ChainError:
            return PARTS_MAX - more + 1
    raise AssertionError


def long_name(make, pki):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")] * 300)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(pki.ca.parsed.subject)
        .public_key(make.key().public_key())
        .serial_number(1)
        .not_valid_before(make.NOW - make.DAY)
        .not_valid_after(make.NOW + make.DAY)
        .sign(pki.ca.key, hashes.SHA256())
    )
    return make.Issued(certificate.public_bytes(Encoding.DER), make.key())


class TestLargeKeys:
    """Keys that are made to keep a verifier busy are refused before they verify anything."""

    @staticmethod
    def leaf_with(make, pki, modulus_bits, exponent):
        """Issue a leaf with these public numbers, in DER; nobody has the private key."""
        numbers = rsa.RSAPublicNumbers(exponent, (1 << (modulus_bits - 1)) + 1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(make.common_name("Large"))
            .issuer_name(pki.ca.parsed.subject)
            .public_key(numbers.public_key())
            .serial_number(1)
            .not_valid_before(make.NOW - make.DAY)
            .not_valid_after(make.NOW + make.DAY)
            .add_extension(*make.key_usage("digital_signature"))
            .sign(pki.ca.key, hashes.SHA256())
        )
        return make.Issued(certificate.public_bytes(Encoding.DER), None)

    @pytest.mark.parametrize(
        ("bits", "exponent", "expected"),
        [
            (2048, 65537, None),
            (2047, 65537, "chain.key_too_weak"),
            (1024, 65537, "chain.key_too_weak"),
            (2048, 65535, "chain.key_too_weak"),
            (2048, 3, "chain.key_too_weak"),
            (4096, 65537, None),
            (4097, 65537, "chain.key_algorithm"),
            (8192, 65537, "chain.key_algorithm"),
            (16384, 65537, "chain.key_algorithm"),
            (2048, 2**32 - 1, None),
            (2048, 2**32 + 1, "chain.key_algorithm"),
            (3072, 2**3000 + 1, "chain.key_algorithm"),
        ],
    )
    def test_rsa_has_a_floor_and_a_ceiling(self, code, make, pki, bits, exponent, expected):
        """2048 to 4096 bits; an exponent from 65537, of at most 32 bits."""
        leaf = self.leaf_with(make, pki, bits, exponent)
        assert code(leaf, pki.ca, profile=ChainProfile()) == expected

    def test_a_forged_key_is_refused_before_its_own_signature_is_checked(self, code, make, pki):
        """A certificate that seems self-signed is judged by its key first."""
        assert code(pki.signer, make.authority("Weak", kind="RSA-1024"), pki.ca) == "chain.key_too_weak"


class TestBadInput:
    """What a hostile or careless sender may try, each with its own code."""

    @pytest.mark.parametrize(
        ("curve", "expected"),
        [
            ("secp256k1", "chain.key_algorithm"),
            ("brainpool", "chain.key_algorithm"),
            ("P-521", "chain.key_algorithm"),
        ],
    )
    def test_other_curves(self, code, make, pki, curve, expected):
        """Curves outside the closed table are refused in a leaf and in an authority."""
        assert code(make.signer(pki.ca, kind=curve), pki.ca) == expected
        ca = make.authority("Other CA", pki.root, kind=curve)
        assert code(make.signer(ca), ca) == expected

    def test_explicit_curves(self, code, make, pki):
        """A curve that is spelt out with its parameters is refused, though they are those of P-256."""
        leaf = spell_out_curve(make, pki)
        assert isinstance(leaf.parsed.public_key(), ec.EllipticCurvePublicKey)  # the library reads it
        assert code(leaf, pki.ca) == "chain.key_algorithm"

    def test_ber(self, code, make, pki):
        """Lengths in more octets than needed, and endless ones, are malformed."""
        der = pki.signer.der
        assert der[:2] == b"\x30\x82"
        longer = b"\x30\x83\0" + der[2:]
        endless = b"\x30\x80" + der[4:] + b"\0\0"
        for changed in (longer, endless):
            assert code(make.Issued(changed, None), pki.ca) == "chain.malformed"
            assert code(pki.signer, make.Issued(changed, None)) == "chain.malformed"

    def test_fifty_certificates(self, refusal, engine, pki):
        """A chain of fifty is refused by its number, even where ten are allowed."""
        assert refusal(pki.signer, *[pki.ca] * 50) == "chain.too_long"
        assert refusal(pki.signer, *[pki.ca] * 11) == "chain.too_long"
        assert engine.signatures == 0
        with pytest.raises(ConfigurationError):
            ChainProfile(max_intermediates=11)

    def test_ten_copies_of_one_authority(self, refusal, engine, pki):
        """Copies of one certificate are one certificate."""
        assert refusal(pki.signer, *[pki.ca] * 10) is None
        assert (2, 1) == (engine.holds_asked, len(engine.paths))

    def test_a_leaf_above_a_leaf(self, code, make, pki):
        """A signer certifies nobody, whatever it signs."""
        below = make.signer(pki.signer, subject="Below")
        assert code(below, pki.signer, pki.ca) == "chain.untrusted"

    def test_an_authority_as_signer(self, code, pki):
        """An authority signs no documents."""
        assert code(pki.ca) == "chain.leaf_is_ca"

    @pytest.mark.parametrize(
        ("kind", "value", "expected"),
        [
            ("dns", "other.example", "chain.untrusted"),
            ("ip", "192.0.2.0/24", "chain.untrusted"),
            ("uri", "other.example", "chain.engine_required"),
            ("mail", "other.example", "chain.engine_required"),
            ("dirName", "Other", "chain.engine_required"),
            ("rid", "1.2.3", "chain.engine_required"),
        ],
    )
    @pytest.mark.parametrize("permitted", [True, False])
    def test_each_kind_of_name_constraint(self, code, make, pki, kind, value, expected, permitted):
        """A constraint that the name breaks is enforced, and one of a kind beyond the engine never ignored."""
        loopback = "http://192.0.2.7:8443" if kind == "ip" else make.ISSUER
        subtree = general_name(kind, value if kind != "dns" or permitted else "issuer.example")
        if kind == "ip" and permitted:
            subtree = general_name(kind, "198.51.100.0/24")
        constraints = x509.NameConstraints([subtree] if permitted else None, None if permitted else [subtree])
        ca = make.authority("Bound CA", pki.root, (constraints, True))
        host = general_name("ip", "192.0.2.7") if kind == "ip" else make.dns(make.HOST)
        leaf = make.signer(ca, make.names(make.uri(loopback), host))
        assert code(leaf, ca, profile=ChainProfile.assertion(loopback)) == expected


def general_name(kind, value):
    if kind == "ip":
        network = "/" in value
        return x509.IPAddress(ipaddress.ip_network(value) if network else ipaddress.ip_address(value))
    if kind == "dirName":
        return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, value)]))
    if kind == "rid":
        return x509.RegisteredID(x509.ObjectIdentifier(value))
    kinds = {"dns": x509.DNSName, "uri": x509.UniformResourceIdentifier, "mail": x509.RFC822Name}
    return kinds[kind](value)


def spell_out_curve(make, pki):
    """Write the parameters of P-256 where its name stood, and sign anew."""
    p = (1 << 256) - (1 << 224) + (1 << 192) + (1 << 96) - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    base = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    point = base.public_bytes(Encoding.X962, make.PublicFormat.UncompressedPoint)

    def integer(value):
        return make._der(0x02, b"\0" + value.to_bytes(32, "big"))

    field = make._der(0x30, bytes.fromhex("06072a8648ce3d0101") + integer(p))
    curve = make._der(
        0x30, make._der(0x04, (p - 3).to_bytes(32, "big")) + make._der(0x04, b.to_bytes(32, "big"))
    )
    parameters = make._der(
        0x30,
        b"\x02\x01\x01"
        + field
        + curve
        + make._der(0x04, point)
        + integer(ec.SECP256R1().group_order)
        + b"\x02\x01\x01",
    )
    key_oid = bytes.fromhex("06072a8648ce3d0201")
    old = pki.signer.key_info
    new = make._der(0x30, make._der(0x30, key_oid + parameters) + old[-68:])
    tbs = pki.signer.parsed.tbs_certificate_bytes
    body = tbs[4:].replace(old, new)
    assert body != tbs[4:]
    tbs = make._der(0x30, body)
    signature = pki.ca.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    algorithm = make._der(0x30, make.ECDSA_SHA256_DER)
    return make.Issued(make._der(0x30, tbs + algorithm + make._der(0x03, b"\0" + signature)), None)
