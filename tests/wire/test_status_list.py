"""What arrives from the address of a status list, and from the page that names them."""

from __future__ import annotations

import base64
import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import CyberIDError, VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.wire import (
    STATUS_AGGREGATION_MAX_BYTES,
    STATUS_LIST_MAX_BYTES,
    STATUS_LISTS_MAX,
    parse_status_aggregation,
    parse_status_list,
)

ENTRIES = {"bits": 1, "lst": "eNrbuRgAAhcBXQ"}
LEAST = {"sub": "https://issuer.example/1", "iat": 1_800_000_000, "status_list": ENTRIES}


def answer(body, content_type="application/statuslist+jwt"):
    return HTTPResponse(
        status=200,
        headers={"content-type": content_type},
        body=body.encode() if isinstance(body, str) else body,
        url="https://issuer.example/1",
    )


def refused(parse, response):
    with pytest.raises(VerificationError) as caught:
        parse(response)
    return caught.value.code


def b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


HEADER = b64(b'{"alg":"ES256"}')


def of_size(size: int, payload: bytes = json.dumps(LEAST).encode()) -> bytes:
    """Return a token of exactly so many bytes, by the length of its signature."""
    start = HEADER + b"." + b64(payload) + b"."
    return start + b"A" * (size - len(start))


class TestList:
    def test_least(self, make_token):
        """What may be absent is None or empty when it is, and the large payload is not kept."""
        value = parse_status_list(answer(make_token(LEAST)))
        assert (LEAST["sub"], (), 1_800_000_000.0, None, None, None, 1) == (
            value.sub,
            value.aud,
            value.iat,
            value.nbf,
            value.exp,
            value.ttl,
            value.bits,
        )
        assert "78dadbb918000217015d" == value.lst.hex()
        assert b"" == value.jws.payload

    def test_all(self, make_token):
        """Dates may be fractional, the audience one or several; what has another name is dropped."""
        more = {"aud": "shop", "nbf": 1.5, "exp": 2.5, "ttl": 0.5, "iss": "ignored", "other": [1]}
        entries = {**ENTRIES, "bits": 8, "aggregation_uri": 1}
        value = parse_status_list(answer(make_token({**LEAST, **more, "status_list": entries})))
        assert (("shop",), 1.5, 2.5, 0.5, 8) == (value.aud, value.nbf, value.exp, value.ttl, value.bits)

    @pytest.mark.parametrize(
        ("content_type", "code"),
        [
            ("application/statuslist+jwt", None),
            ("Application/StatusList+JWT; charset=utf-8", None),
            ("application/jwt", "status_list.content_type"),
            ("application/statuslist+cwt", "status_list.content_type"),
            ("application/statuslist+jwt2", "status_list.content_type"),
            ("text/plain", "status_list.content_type"),
            ("", "status_list.content_type"),
        ],
    )
    def test_it_is_served_as_a_list(self, make_token, content_type, code):
        """The media type is compared without its parameters, and nothing else will do (§8.2)."""
        response = answer(make_token(LEAST), content_type)
        assert code == (refused(parse_status_list, response) if code else None)
        assert code or parse_status_list(response)

    @pytest.mark.parametrize("name", ["sub", "iat", "status_list"])
    def test_what_is_required_is_there(self, make_token, name):
        """A list without one of its required claims is refused (§5.1)."""
        rest = {key: value for key, value in LEAST.items() if key != name}
        assert "status_list.claim_missing" == refused(parse_status_list, answer(make_token(rest)))

    @pytest.mark.parametrize("name", ["bits", "lst"])
    def test_entries_are_complete(self, make_token, name):
        """Bits and entries are both required (§4.2)."""
        rest = {key: value for key, value in ENTRIES.items() if key != name}
        token = make_token({**LEAST, "status_list": rest})
        assert "status_list.claim_missing" == refused(parse_status_list, answer(token))

    @pytest.mark.parametrize("name", ["sub", "iat", "exp", "nbf", "ttl", "aud", "status_list"])
    @pytest.mark.parametrize("value", [None, True, {}, [], [1], ""])
    def test_wrong_type(self, make_token, name, value):
        """A claim with another type is refused, null and truth values included."""
        kinds = {"status_list.claim_type", "status_list.claim_missing"}
        code = refused(parse_status_list, answer(make_token({**LEAST, name: value})))
        assert code in kinds
        assert code == "status_list.claim_type" or (name, value) == ("status_list", {})

    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_bits(self, make_token, bits):
        """An entry has one, two, four or eight bits."""
        token = make_token({**LEAST, "status_list": {**ENTRIES, "bits": bits}})
        assert bits == parse_status_list(answer(token)).bits

    @pytest.mark.parametrize(
        ("bits", "code"),
        [
            (0, "bits"), (3, "bits"), (5, "bits"), (7, "bits"), (9, "bits"), (16, "bits"), (-1, "bits"),
            (1.0, "claim_type"), ("1", "claim_type"), (True, "claim_type"), (None, "claim_type"), ([1], "claim_type"),
        ],
    )  # fmt: skip
    def test_other_bits(self, make_token, bits, code):
        """Any other number is refused, and so is what is no whole number."""
        token = make_token({**LEAST, "status_list": {**ENTRIES, "bits": bits}})
        assert f"status_list.{code}" == refused(parse_status_list, answer(token))

    @pytest.mark.parametrize(
        "lst", ["eNrbuRgAAhcBXQ==", "eNrbuRgAAhcBXR", "eNrb uRgA", "eNrb\nuRgA", "eNrb+RgA", "A", "é"]
    )
    def test_entries_are_strict_base64url(self, make_token, lst):
        """Padding, loose bits, white space and characters of another alphabet are refused."""
        token = make_token({**LEAST, "status_list": {**ENTRIES, "lst": lst}})
        assert "status_list.malformed" == refused(parse_status_list, answer(token))

    @pytest.mark.parametrize(
        "body", [b"", b".", b"a.b", b"a.b.c.d", HEADER + b".e30", HEADER + b".W10.AA", b"\xff.e30.AA"]
    )
    def test_it_is_a_compact_jws(self, body):
        """What is not three parts around two objects is malformed."""
        assert "status_list.malformed" == refused(parse_status_list, answer(body))

    def test_a_byte_after_it_is_one_too_many(self, make_token):
        """The body is the token and nothing more, not even a line's end."""
        assert "status_list.malformed" == refused(parse_status_list, answer(make_token(LEAST) + "\n"))


class TestLarge:
    @pytest.mark.parametrize(
        ("size", "code"),
        [(STATUS_LIST_MAX_BYTES, None), (STATUS_LIST_MAX_BYTES + 1, "status_list.too_large")],
    )
    def test_a_list_has_32_mebibytes_at_most(self, size, code):
        """Exactly 32 MiB are read, one byte more is not."""
        response = answer(of_size(size))
        if code is None:
            assert 1 == parse_status_list(response).bits
        else:
            assert code == refused(parse_status_list, response)

    @pytest.mark.parametrize("size", [1024 * 1024 * 4 // 3, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 2])
    def test_long_entries_come_out_whole(self, make_token, size):
        """What is decoded piece by piece is what was encoded."""
        data = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
        token = make_token({**LEAST, "status_list": {"bits": 1, "lst": b64(data).decode()}})
        assert data == parse_status_list(answer(token)).lst

    @pytest.mark.parametrize("position", [0, 2**20 - 1, 2**20, 2**21 - 1, 2**21 + 4])
    @pytest.mark.parametrize("character", ["=", "+", " ", "é"])
    def test_a_foreign_character_is_found_in_every_piece(self, make_token, position, character):
        """Strictness does not end where a piece does."""
        text = "A" * (2**21 + 8)
        lst = text[:position] + character + text[position + 1 :]
        token = make_token({**LEAST, "status_list": {"bits": 1, "lst": lst}})
        assert "status_list.malformed" == refused(parse_status_list, answer(token))

    def test_a_large_header_is_refused_unread(self):
        """Headers are remembered, so one of megabytes is not even decoded."""
        header = b64(json.dumps({"alg": "ES256", "note": "x" * 300_000}).encode())
        assert "status_list.too_large" == refused(parse_status_list, answer(header + b".e30.AA"))

    def test_many_small_values_are_refused_before_they_take_memory(self):
        """Two bytes of JSON can be sixty of memory: the number of values has a bound of its own."""
        payload = b'{"a":[' + b"[]," * 4_000_000 + b"[]]}"
        body = of_size(17_000_000, payload)
        tracemalloc.start()
        try:
            assert "status_list.malformed" == refused(parse_status_list, answer(body))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 4 * len(body)

    @pytest.mark.parametrize(("commas", "code"), [(990, None), (1001, "status_list.malformed")])
    def test_a_thousand_marks_are_enough(self, make_token, commas, code):
        """Other claims may be there, within reason."""
        response = answer(make_token({**LEAST, "note": "," * commas}))
        assert code == (refused(parse_status_list, response) if code else None)
        assert code or parse_status_list(response)


@given(st.binary(max_size=300))
def test_any_bytes(data):
    """Whatever bytes arrive, what comes out is a value or an error of ours."""
    for body in (data, HEADER + b"." + b64(data) + b".AA"):
        for parse in (parse_status_list, parse_status_aggregation):
            for content_type in ("application/statuslist+jwt", "application/json"):
                with contextlib.suppress(CyberIDError):
                    parse(answer(body, content_type))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*LEAST, "exp", "nbf", "ttl", "aud"]), JSON), st.dictionaries(
    st.sampled_from(["bits", "lst"]), JSON
))  # fmt: skip
def test_any_claims(claims, entries):
    """Whatever the claims are, what comes out is a value or an error of ours."""
    payload = json.dumps({**LEAST, **claims, "status_list": {**ENTRIES, **entries}}).encode()
    with contextlib.suppress(CyberIDError):
        parse_status_list(answer(HEADER + b"." + b64(payload) + b".AA"))


class TestAggregation:
    def page(self, document, content_type="application/json"):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return answer(body, content_type)

    def test_addresses_come_out_once_each_in_their_order(self):
        """An address that stands there twice is one list."""
        page = self.page({"status_lists": ["b", "a", "b"], "other": 1})
        assert ("b", "a") == parse_status_aggregation(page)

    def test_there_may_be_none(self):
        """An issuer that has no lists yet says so."""
        assert () == parse_status_aggregation(self.page({"status_lists": []}))

    @pytest.mark.parametrize(
        ("page", "kind"),
        [
            ({}, "claim_missing"),
            ({"status_lists": None}, "claim_type"),
            ({"status_lists": "a"}, "claim_type"),
            ({"status_lists": [1]}, "claim_type"),
            ({"status_lists": [""]}, "claim_type"),
            ({"status_lists": {"a": "b"}}, "claim_type"),
            ([], "malformed"),
            (b'{"status_lists":[],"status_lists":["a"]}', "malformed"),
            (b"", "malformed"),
        ],
    )
    def test_anything_else_is_refused(self, page, kind):
        """The page is an object with a list of texts (§9.3)."""
        assert f"status_aggregation.{kind}" == refused(parse_status_aggregation, self.page(page))

    def test_it_is_served_as_json(self):
        """Another media type is refused."""
        page = self.page({"status_lists": []}, "application/statuslist+jwt")
        assert "status_aggregation.content_type" == refused(parse_status_aggregation, page)

    def test_a_thousand_lists_and_no_more(self):
        """The thousandth list is read, the next one is too many; one that repeats does not count."""
        uris = [str(number) for number in range(STATUS_LISTS_MAX)]
        assert tuple(uris) == parse_status_aggregation(self.page({"status_lists": [*uris, "0"]}))
        page = self.page({"status_lists": [*uris, "x"]})
        assert "status_aggregation.too_many" == refused(parse_status_aggregation, page)

    def test_its_size_has_a_limit(self):
        """256 KiB are read, one byte more is not."""
        text = b'{"status_lists":[]'
        full = text + b" " * (STATUS_AGGREGATION_MAX_BYTES - len(text) - 1) + b"}"
        assert () == parse_status_aggregation(self.page(full))
        assert "status_aggregation.too_large" == refused(parse_status_aggregation, self.page(full + b" "))
