"""An SD-JWT is taken apart as RFC 9901 says, and refused where RFC 9901 says so."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.testing.jose import ALGORITHMS, public_key_of
from cyberid_client.wire.key_binding import parse_key_binding
from cyberid_client.wire.sd_jwt import DISCLOSURES_MAX, parse_sd_jwt, sd_hash

from . import rfc9901

HEADER = {"alg": "ES256"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def digest(text):
    return b64(hashlib.sha256(text.encode()).digest())


def make(payload, *disclosures, binding=""):
    """Return an SD-JWT with a signature that nobody checks here."""
    return "~".join((f"{encode(HEADER)}.{encode(payload)}.AA", *disclosures, binding))


def parse(text, max_bytes=65_536):
    return parse_sd_jwt(text, document="credential", max_bytes=max_bytes)


def claims_of(payload, *disclosures):
    return parse(make(payload, *disclosures)).claims


def refused(text, **limits):
    with pytest.raises(VerificationError) as caught:
        parse(text, **limits)
    document, _, rule = caught.value.code.partition(".")
    assert "credential" == document
    return rule


class TestExamplesOfTheRFC:
    """RFC 9901 §5.2, §6.3 and appendix A.2."""

    def test_a_presentation(self):
        """Members and an element are put in their places; what is not disclosed leaves no trace."""
        parsed = parse(rfc9901.PRESENTATION)
        assert rfc9901.PROCESSED == parsed.claims
        assert {("family_name",), ("given_name",), ("address",), ("nationalities", 0)} == parsed.disclosed
        assert (*([()] * 8), *([("nationalities",)] * 2)) == tuple(sorted(parsed.digests_at))

    def test_its_key_binding(self):
        """The key binding is what stands last, and its hash covers all in front of it."""
        parsed = parse(rfc9901.PRESENTATION)
        binding = parse_key_binding(parsed.key_binding)
        assert rfc9901.KEY_BINDING["sd_hash"] == sd_hash(parsed.bound) == binding.sd_hash
        assert rfc9901.KEY_BINDING == {
            "nonce": binding.nonce,
            "aud": binding.aud,
            "iat": binding.iat,
            "sd_hash": binding.sd_hash,
        }

    @pytest.mark.parametrize("text", [rfc9901.PRESENTATION, rfc9901.NESTED], ids=["5.2", "A.2"])
    def test_its_signature(self, text):
        """What is to be checked is what the issuer of the examples signed."""
        jws = parse(text).jws
        ALGORITHMS["ES256"].verify(public_key_of(rfc9901.ISSUER_KEY), jws.signature, jws.signing_input)

    def test_the_signature_of_its_key_binding(self):
        """The holder signed it with the key that the payload names."""
        parsed = parse(rfc9901.PRESENTATION)
        jws = parse_key_binding(parsed.key_binding).jws
        key = public_key_of(parsed.claims["cnf"]["jwk"])
        ALGORITHMS["ES256"].verify(key, jws.signature, jws.signing_input)

    def test_digests_at_several_depths(self):
        """Objects in objects and elements of arrays are opened, and a disclosed element is opened in turn."""
        parsed = parse(rfc9901.NESTED)
        assert rfc9901.NESTED_PROCESSED == parsed.claims
        assert ("verified_claims", "verification", "evidence", 0, "method") in parsed.disclosed
        assert None is parsed.key_binding
        assert rfc9901.NESTED.encode() == parsed.bound

    def test_disclosures_inside_of_a_disclosure(self):
        """What a disclosure refers to is disclosed only together with it (§6.3)."""
        payload, address = rfc9901.RECURSIVE_PAYLOAD, rfc9901.RECURSIVE_ADDRESS
        inner = (rfc9901.RECURSIVE_REGION, rfc9901.RECURSIVE_COUNTRY)
        assert {"region": "Sachsen-Anhalt", "country": "DE"} == claims_of(payload, *inner, address)["address"]
        assert {} == claims_of(payload, address)["address"]
        assert "address" not in claims_of(payload)
        assert "disclosure_unreferenced" == refused(make(payload, *inner))


class TestParts:
    def test_without_disclosures(self):
        """A JWT and a tilde are an SD-JWT of which nothing is disclosed."""
        parsed = parse(make({"a": 1}))
        assert ({"a": 1}, None, frozenset(), ()) == (
            parsed.claims,
            parsed.key_binding,
            parsed.disclosed,
            parsed.digests_at,
        )
        assert make({"a": 1}).encode() == parsed.bound

    def test_the_last_part_is_the_key_binding(self):
        """What follows the last tilde is not covered by the hash."""
        parsed = parse(make({"a": 1}, binding="x.y.z"))
        assert ("x.y.z", make({"a": 1}).encode()) == (parsed.key_binding, parsed.bound)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "~",
            "~~",
            "a.b",
            "a.b~",
            ".AA~",
            "e30.e30.AA.AA~",
            "{}~",
            "e30.e30.AA ~",
            "e30.e30.AAé~",
            "\ud800~",
        ],
    )
    def test_what_is_no_jws_is_refused(self, text):
        """The first part is a strict compact JWS."""
        assert "malformed" == refused(text)

    @pytest.mark.parametrize("text", [None, 1, b"a.b.c~", ["a.b.c~"]])
    def test_what_is_no_text_is_refused(self, text):
        """A presentation is text; nothing else has a meaning."""
        assert "malformed" == refused(text)

    def test_a_jwt_without_a_tilde_is_none(self):
        """A bare JWT has no key binding and no end: what stands alone is the JWT, and it is no SD-JWT."""
        assert "malformed" == refused(make({"a": 1})[:-1])

    def test_the_payload_is_one_strict_object(self):
        """Arrays, texts and members that stand there twice are refused."""
        for payload in (b"[]", b'"x"', b'{"a":1,"a":2}', b"{", b"{} {}", b"\xff"):
            assert "malformed" == refused(make(payload))

    def test_the_longest_is_taken(self):
        """One more character than is allowed is refused."""
        text = make({"a": "x" * 100})
        assert {"a": "x" * 100} == parse(text, max_bytes=len(text)).claims
        assert "too_large" == refused(text, max_bytes=len(text) - 1)

    def test_so_many_disclosures_are_taken_and_no_more(self):
        """A hundred disclosures are enough for everybody."""
        texts = [encode(["salt", f"c{number}", number]) for number in range(DISCLOSURES_MAX + 1)]
        payload = {"_sd": [digest(text) for text in texts]}
        assert DISCLOSURES_MAX == len(claims_of(payload, *texts[:-1]))
        assert "too_large" == refused(make(payload, *texts))


class TestAlgorithm:
    @pytest.mark.parametrize("payload", [{}, {"_sd_alg": "sha-256"}])
    def test_sha_256_is_used(self, payload):
        """It is the default, and it may be said; the member is no claim."""
        text = encode(["salt", "a", 1])
        assert {"a": 1} == claims_of({**payload, "_sd": [digest(text)]}, text)

    @pytest.mark.parametrize("name", ["sha-512", "SHA-256", "sha256", "", None, 256, ["sha-256"]])
    def test_another_one_is_refused(self, name):
        """No other hash is known, however it is written."""
        assert "digest_algorithm" == refused(make({"_sd_alg": name}))

    def test_further_in_it_is_a_member_like_any_other(self):
        """Only at the top does it say how digests are made (§4.1.1)."""
        assert {"a": {"_sd_alg": "x"}} == claims_of({"a": {"_sd_alg": "x"}})


class TestDisclosure:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "=",
            "WyJzIiwgImEiLCAxXQ==",
            "WyJzIiwgImEiLCAxXR",
            "WyJz IiwgImEiLCAxXQ",
            encode({"s": 1}),
            encode("s"),
            encode([]),
            encode(["s"]),
            encode(["s", "a", 1, 2]),
            encode([1, "a", 1]),
            encode([None, 1]),
            encode(b'["s","a",NaN]'),
            encode(b'["s","a",1] '[:-2]),
            encode(b'["s","a","\\ud800"]'),
            encode(b'["s","a",{"b":1,"b":2}]'),
        ],
    )
    def test_what_is_no_array_of_the_form_is_refused(self, text):
        """It is strict base64url of an array: salt, maybe a name, and a value."""
        assert refused(make({"_sd": [digest(text)]}, text)) in {"disclosure", "malformed"}

    def test_the_digest_is_that_of_the_received_text(self):
        """The same array in other spaces has another digest (§4.2.3)."""
        sent, other = b'["s","a",1]', b'["s", "a", 1]'
        assert {"a": 1} == claims_of({"_sd": [digest(encode(other))]}, encode(other))
        assert "disclosure_unreferenced" == refused(make({"_sd": [digest(encode(sent))]}, encode(other)))

    def test_a_changed_one_has_no_digest(self):
        """A holder cannot change what the issuer wrote."""
        text = encode(["s", "age_band", "under_14"])
        forged = encode(["s", "age_band", "adult"])
        assert "disclosure_unreferenced" == refused(make({"_sd": [digest(text)]}, forged))

    def test_one_that_nothing_refers_to_is_refused(self):
        """It could carry anything, unsigned."""
        assert "disclosure_unreferenced" == refused(make({"a": 1}, encode(["s", "b", 1])))

    @pytest.mark.parametrize("name", ["_sd", "...", "there"])
    def test_a_name_that_is_reserved_or_there_already_is_refused(self, name):
        """A disclosure adds a member and replaces none (§7.1)."""
        text = encode(["s", name, 1])
        assert "disclosure_name" == refused(make({"there": 0, "_sd": [digest(text)]}, text))

    def test_a_name_is_a_text(self):
        """A number is no name."""
        text = encode(["s", 1, 1])
        assert "disclosure_name" == refused(make({"_sd": [digest(text)]}, text))

    def test_two_of_one_name_are_refused(self):
        """Which of the two holds would be the holder's choice."""
        texts = (encode(["s", "a", 1]), encode(["t", "a", 2]))
        payload = {"_sd": [digest(text) for text in texts]}
        assert {"a": 2} == claims_of(payload, texts[1])
        assert "disclosure_name" == refused(make(payload, *texts))

    def test_the_same_name_at_another_level_is_another_member(self):
        """Levels do not know of each other."""
        text = encode(["s", "a", 1])
        assert {"a": 0, "b": {"a": 1}} == claims_of({"a": 0, "b": {"_sd": [digest(text)]}}, text)

    def test_three_parts_are_for_members_and_two_for_elements(self):
        """A digest in an object names a member, one in an array none (§7.1 (3.3))."""
        member, element = encode(["s", "a", 1]), encode(["s", 1])
        assert {"a": 1} == claims_of({"_sd": [digest(member)]}, member)
        assert {"x": [1]} == claims_of({"x": [{"...": digest(element)}]}, element)
        assert "disclosure" == refused(make({"_sd": [digest(element)]}, element))
        assert "disclosure" == refused(make({"x": [{"...": digest(member)}]}, member))


class TestDigests:
    @pytest.mark.parametrize("digests", [None, {}, "x", 1, [1], [None], [""], [["x"]], ["x", 1]])
    def test_they_are_a_list_of_texts(self, digests):
        """At the top, further in, and in disclosures."""
        inside = encode(["s", "a", {"_sd": digests}])
        assert "digests" == refused(make({"_sd": digests}))
        assert "digests" == refused(make({"a": [{"_sd": digests}]}))
        assert "digests" == refused(make({"_sd": [digest(inside)]}, inside))

    @pytest.mark.parametrize(
        "element", [{"...": 1}, {"...": ""}, {"...": None}, {"...": "x", "a": 1}, {"...": "x", "a": "y"}]
    )
    def test_the_place_of_an_element_has_one_text_and_nothing_else(self, element):
        """A second member beside the digest is refused (§4.2.4.2)."""
        assert "digests" == refused(make({"x": [element]}))

    @pytest.mark.parametrize("payload", [{"...": "x"}, {"a": {"...": "x"}}, {"a": [[{"b": {"...": "x"}}]]}])
    def test_elsewhere_than_in_an_array_that_name_is_refused(self, payload):
        """It stands for an element, and only an array has elements."""
        assert "digests" == refused(make(payload))

    def test_decoys_leave_no_trace(self):
        """A digest of nothing is dropped, and an object that has no other member is empty (§7.1 (3.5))."""
        payload = {"_sd": ["a decoy"], "a": {"_sd": ["b"]}, "x": [{"...": "c"}, 7, {"...": "d"}], "y": []}
        assert {"a": {}, "x": [7], "y": []} == claims_of(payload)
        assert ((), ("a",), ("x",), ("x",)) == tuple(sorted(parse(make(payload)).digests_at))

    def test_the_order_of_elements_stays(self):
        """Disclosed and open elements keep their places."""
        texts = [encode(["s", number]) for number in (1, 3)]
        payload = {"x": [{"...": digest(texts[0])}, 2, {"...": "decoy"}, {"...": digest(texts[1])}]}
        parsed = parse(make(payload, *texts))
        assert {"x": [1, 2, 3]} == parsed.claims
        assert {("x", 0), ("x", 2)} == parsed.disclosed

    @pytest.mark.parametrize(
        "payload",
        [
            {"_sd": ["x", "x"]},
            {"_sd": ["x"], "a": {"_sd": ["x"]}},
            {"_sd": ["x"], "a": [{"...": "x"}]},
            {"a": [{"...": "x"}, {"...": "x"}]},
            {"a": [{"...": "x"}], "b": {"c": [{"...": "x"}]}},
        ],
    )
    def test_none_stands_there_twice(self, payload):
        """Also a decoy has one place (§7.1 (4))."""
        assert "digest_repeated" == refused(make(payload))

    def test_none_stands_there_twice_by_way_of_a_disclosure(self):
        """The digests of disclosed values count too."""
        inner = encode(["s", "b", 1])
        outer = encode(["s", "a", {"_sd": [digest(inner)]}])
        payload = {"_sd": [digest(outer), digest(inner)]}
        assert "digest_repeated" == refused(make(payload, outer))
        # Without the disclosure nothing says so.
        assert {} == claims_of(payload)

    def test_a_disclosure_that_is_shown_twice_is_refused(self):
        """One digest, one disclosure."""
        text = encode(["s", "a", 1])
        assert "digest_repeated" == refused(make({"_sd": [digest(text)]}, text, text))

    @pytest.mark.parametrize(
        ("payload", "claims"),
        [
            (b'{"a":{"_s\\u0064":["x"]}}', {"a": {}}),
            (b'{"_sd":["y"],"a":{"\\u005fsd":["x"]}}', {"a": {}}),
            (b'{"a":[{"\\u002e..":"x"}]}', {"a": []}),
            (b'{"_s\\u0064":["x"],"a":{"_sd":["y"]}}', {"a": {}}),
            (b'{"_sd":["x"],"a":{"_sd":["y"]}}', {"a": {}}),
            (b'{"_sd":["_sd"],"a":{"b":"_sd"}}', {"a": {"b": "_sd"}}),
            (b'{"a":["...","_sd"]}', {"a": ["...", "_sd"]}),
        ],
    )
    def test_a_name_is_that_name_however_it_is_spelled(self, payload, claims):
        """Escapes hide no digest, and a value of that name is a value."""
        assert claims == parse(make(payload)).claims

    def test_what_is_disclosed_is_opened_in_a_payload_without_depth(self):
        """One digest at the top may bring others along."""
        inner = encode(["s", "b", 1])
        outer = encode(["s", "a", [{"c": {"_sd": [digest(inner)]}}]])
        assert {"a": [{"c": {"b": 1}}]} == claims_of({"_sd": [digest(outer)]}, inner, outer)

    def test_the_depth_has_an_end(self):
        """Each disclosure may hold the next one, and thirty-two levels are enough."""

        def nested(levels):
            texts, value = [], 1
            for _ in range(levels):
                texts.append(encode(["s", "a", value]))
                value = {"_sd": [digest(texts[-1])]}
            return make(value, *texts)

        assert 32 == max(map(len, parse(nested(32)).disclosed))
        assert "malformed" == refused(nested(33))


names = st.sampled_from(["_sd", "...", "_sd_alg", "a", "b"])
values = st.recursive(
    st.none() | st.integers(-5, 5) | st.sampled_from(["x", "sha-256", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


@given(payload=st.dictionaries(names, values, max_size=4), more=st.lists(values, max_size=3))
def test_whatever_an_issuer_signs_is_taken_apart_or_refused(payload, more):
    """No payload and no disclosure raises anything of another kind."""
    texts = [encode(["s", "c", value]) for value in more]
    with suppress(VerificationError):
        parse(make({**payload, "d": {"_sd": [digest(text) for text in texts]}}, *texts))


@given(text=st.text(alphabet="~.eyJ0AQ=é{}[]\ud800", max_size=40) | st.text(max_size=40))
def test_any_text_is_taken_apart_or_refused(text):
    """No text raises anything of another kind."""
    for each in (text, f"{make({'a': 1})[:-1]}~{text}"):
        with suppress(VerificationError):
            parse(each)
