"""Status lists that were believed: inflating, looking up, and until when they hold."""

from __future__ import annotations

import base64
import contextlib
import timeit
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client import CyberIDError, RevocationError, VerificationError
from cyberid_client.trust import StatusList, StatusLists
from cyberid_client.trust.status_list import INFLATED_MAX_BYTES, inflate_entries, lifetime_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SECONDS = NOW.timestamp()
URI = "https://issuer.example/status-lists/1"
MILLISECOND = timedelta(milliseconds=1)

# draft-ietf-oauth-status-list-21 §4.1, and Appendix C: lists of 2^20 entries.
ONE_BIT = "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
TWO_BITS = "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw"
ONE_BIT_SET = dict.fromkeys(
    [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345], 1
)
TWO_BITS_SET = {
    0: 1, 1993: 2, 25460: 1, 159495: 3, 495669: 1, 554353: 1, 645645: 2, 723232: 1, 854545: 1,
    934534: 2, 1000345: 3,
}  # fmt: skip


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def make_list(packed: bytes, bits: int = 1, **changes: object) -> StatusList:
    members = {
        "uri": URI,
        "bits": bits,
        "entries": inflate_entries(zlib.compress(packed)),
        "issued_at": SECONDS,
        "expires_at": SECONDS + 3600,
        "fetched_at": NOW,
        "lifetime": 300.0,
    }
    return StatusList(**{**members, **changes})


def code_of(call, *arguments):
    try:
        call(*arguments)
    except CyberIDError as error:
        return error.code
    return None


class TestVectors:
    @pytest.mark.parametrize(
        ("lst", "entries", "bits", "statuses"),
        [
            ("eNrbuRgAAhcBXQ", "b9a3", 1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]),
            ("eNo76fITAAPfAgc", "c944f9", 2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
        ],
    )
    def test_small_lists_of_the_draft(self, lst, entries, bits, statuses):
        """The examples of §4.1 have the bytes and the statuses that the draft prints."""
        inflated = inflate_entries(decode(lst))
        status_list = make_list(b"", bits, entries=inflated)
        assert entries == inflated.hex()
        assert statuses == [status_list.status_at(idx) for idx in range(len(status_list))]

    @pytest.mark.parametrize(
        ("lst", "bits", "expected"), [(ONE_BIT, 1, ONE_BIT_SET), (TWO_BITS, 2, TWO_BITS_SET)]
    )
    def test_large_lists_of_the_draft(self, lst, bits, expected):
        """The lists of Appendix C have 2^20 entries, and those that the draft names are set, no others."""
        status_list = make_list(b"", bits, entries=inflate_entries(decode(lst)))
        found = {idx: value for idx in range(len(status_list)) if (value := status_list.status_at(idx))}
        assert (2**20, expected) == (len(status_list), found)

    def test_the_other_example_of_two_bits(self):
        """The compressed bytes of the second example, in hexadecimal."""
        assert "c944f9" == inflate_entries(bytes.fromhex("78da3be9f2130003df0207")).hex()


@given(st.sampled_from([1, 2, 4, 8]), st.data())
def test_what_was_packed_is_found(bits, data):
    """Entry after entry, from the lowest bits of the first byte on, is what was put there."""
    count = data.draw(st.integers(0, 40)) * 8 // bits
    statuses = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=count, max_size=count))
    number = sum(value << position * bits for position, value in enumerate(statuses))
    status_list = make_list(number.to_bytes(count * bits // 8, "little"), bits)
    assert statuses == [status_list.status_at(idx) for idx in range(len(status_list))]


class TestInflate:
    @pytest.mark.parametrize("size", [0, 1, 16 * 1024, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
    @pytest.mark.parametrize("level", [0, 1, 9])
    def test_any_size_comes_out_whole(self, size, level):
        """Nothing is lost where a piece ends, compressed well or not at all."""
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        assert data == bytes(inflate_entries(zlib.compress(data, level)))

    @pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 5])
    def test_the_limit_is_exact(self, size):
        """So many bytes are inflated, one more is not."""
        assert size == len(inflate_entries(zlib.compress(bytes(size)), max_bytes=size))
        packed = zlib.compress(bytes(size + 1))
        assert "status_list.inflated_too_large" == code_of(lambda: inflate_entries(packed, max_bytes=size))

    @pytest.mark.parametrize(("extra", "code"), [(0, None), (1, "status_list.inflated_too_large")])
    def test_the_limit_is_128_mebibytes(self, extra, code):
        """A list of exactly 128 MiB is held, one byte more is refused."""
        packer = zlib.compressobj(9)
        pieces = [packer.compress(bytes(2**20)) for _ in range(128)]
        packed = b"".join([*pieces, packer.compress(bytes(extra)), packer.flush()])
        assert code == code_of(inflate_entries, packed)
        assert INFLATED_MAX_BYTES == 2**27

    def test_a_bomb_is_not_unpacked(self):
        """A stream of gigabytes costs the limit and a little more, not what it says."""
        packer = zlib.compressobj(9)
        packed = b"".join([packer.compress(bytes(2**20)) for _ in range(512)])
        tracemalloc.start()
        try:
            assert "status_list.inflated_too_large" == code_of(
                lambda: inflate_entries(packed, max_bytes=2**23)
            )
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2.5 * 2**23

    def test_nested_streams_are_one(self):
        """What is inside a stream is entries, even if it could be inflated again."""
        inner = zlib.compress(b"entries")
        assert inner == bytes(inflate_entries(zlib.compress(inner)))

    @pytest.mark.parametrize("data", [b"entries", bytes(200_000)])
    def test_exactly_one_complete_stream(self, data):
        """Cut off anywhere, followed by anything, damaged or of another format: refused."""
        packed = zlib.compress(data)
        gzip = zlib.compressobj(wbits=31)
        raw = zlib.compressobj(wbits=-15)
        wrong = [
            *(packed[:end] for end in range(len(packed))),
            packed + b"\0",
            packed + packed,
            packed + bytes(20_000),
            packed[:-1] + bytes([packed[-1] ^ 1]),
            gzip.compress(data) + gzip.flush(),
            raw.compress(data) + raw.flush(),
            data,
        ]
        assert {"status_list.compression"} == {code_of(inflate_entries, each) for each in wrong}

    def test_a_preset_dictionary_is_refused(self):
        """A stream that needs what did not come with it says nothing."""
        packer = zlib.compressobj(zdict=b"entries")
        packed = packer.compress(b"entries") + packer.flush()
        assert "status_list.compression" == code_of(inflate_entries, packed)

    def test_a_stream_flushed_without_an_end_is_refused(self):
        """All entries may be there: without its end a stream is unfinished."""
        packer = zlib.compressobj()
        packed = packer.compress(b"entries") + packer.flush(zlib.Z_SYNC_FLUSH)
        assert "status_list.compression" == code_of(inflate_entries, packed)

    @given(st.binary(max_size=200))
    def test_any_bytes(self, data):
        """Whatever bytes arrive, what comes out is entries or an error of ours."""
        for each in (data, b"\x78\xda" + data, zlib.compress(data)[:-4] + data):
            with contextlib.suppress(VerificationError):
                inflate_entries(each, max_bytes=10_000)

    def test_entries_cannot_be_written(self):
        """What was believed stays as it was."""
        with pytest.raises(TypeError):
            inflate_entries(zlib.compress(b"x"))[0] = 1


class TestIndex:
    @pytest.mark.parametrize("bits", [1, 2, 4, 8])
    def test_the_last_entry_and_the_one_after(self, bits):
        """The last index is looked up, the next one and everything beyond is refused (§8.3)."""
        status_list = make_list(bytes(3), bits)
        last = 24 // bits - 1
        assert 0 == status_list.status_at(last)
        for idx in (last + 1, last + 1000, 2**63, 2**200, -1, -(last + 1), -(2**70)):
            assert "status.index" == code_of(status_list.status_at, idx)

    @pytest.mark.parametrize("idx", [True, False, 0.0, 1.5, "0", None, [0], float("nan")])
    def test_an_index_is_a_whole_number(self, idx):
        """What is no integer is no index, truth values included (§6.2)."""
        lists = StatusLists({URI: make_list(bytes(3))})
        assert "status.index" == code_of(lists.look_up, URI, idx, NOW)

    def test_an_empty_list_has_no_entry(self):
        """Not even the first."""
        assert "status.index" == code_of(make_list(b"").status_at, 0)


class TestMeaning:
    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (0, None),
            (1, "status.invalid"),
            (2, "status.suspended"),
            *((value, "status.value") for value in (3, 4, 0x0B, 0x0C, 0x0F, 0x10, 0x7F, 0x80, 0xFF)),
        ],
    )
    def test_every_value_but_0_is_refused(self, value, code):
        """Invalid and suspended have codes of their own; all else has no meaning here (§7.1)."""
        lists = StatusLists({URI: make_list(bytes([value]), 8)})
        assert code == code_of(lists.look_up, URI, 0, NOW)

    @pytest.mark.parametrize("value", range(16))
    def test_four_bits(self, value):
        """A nibble is one status, the lower one first."""
        lists = StatusLists({URI: make_list(bytes([value << 4]), 4)})
        codes = {0: None, 1: "status.invalid", 2: "status.suspended"}
        assert (None, codes.get(value, "status.value")) == tuple(
            code_of(lists.look_up, URI, idx, NOW) for idx in (0, 1)
        )

    def test_refusals_are_revocation_errors(self):
        """The class says that the credential's standing could not be proved."""
        with pytest.raises(RevocationError):
            StatusLists().look_up(URI, 0, NOW)


class TestLists:
    @pytest.mark.parametrize("uri", [URI + "/", URI.upper(), "", None, 1, [URI], b"x", URI + "#1"])
    def test_an_unknown_list_is_refused(self, uri):
        """The address is compared byte for byte, and nothing is fetched for another (profile §5)."""
        lists = StatusLists({URI: make_list(bytes(3))})
        assert "status.list_unknown" == code_of(lists.look_up, uri, 0, NOW)

    def test_a_list_is_refused_from_the_very_second_of_its_end(self):
        """Until exp it says what it says, from then on nothing; no leeway is given."""
        status_list = make_list(bytes(3))
        lists = StatusLists({URI: status_list})
        assert NOW + timedelta(hours=1) == status_list.holds_until
        assert None is code_of(lists.look_up, URI, 0, status_list.holds_until - MILLISECOND)
        assert "status.list_stale" == code_of(lists.look_up, URI, 0, status_list.holds_until)

    def test_without_an_end_the_time_to_live_is_all_there_is(self):
        """An issuer that promised five minutes is not believed for six."""
        assert NOW + timedelta(minutes=5) == make_list(bytes(3), expires_at=None).holds_until

    def test_a_far_end_is_no_licence(self):
        """24 hours after its time to live a list that nobody refreshed serves no more."""
        status_list = make_list(bytes(3), expires_at=253_370_764_800.0)
        assert NOW + timedelta(hours=24, minutes=5) == status_list.holds_until

    def test_staleness_goes_before_the_value(self):
        """A stale list does not say that somebody was revoked, either."""
        lists = StatusLists({URI: make_list(b"\xff")})
        assert "status.list_stale" == code_of(lists.look_up, URI, 0, NOW + timedelta(days=9))

    def test_they_are_frozen(self):
        """The mapping is copied, and neither it nor a list can be changed."""
        mine = {URI: make_list(bytes(3))}
        lists = StatusLists(mine)
        mine.clear()
        assert [URI] == list(lists.by_uri)
        with pytest.raises(TypeError):
            lists.by_uri["x"] = None
        with pytest.raises(FrozenInstanceError):
            lists.by_uri[URI].bits = 8

    def test_the_representation_shows_no_entries(self):
        """What is printed is small."""
        assert "entries" not in repr(make_list(bytes(3)))

    def test_a_list_has_a_hash_and_equality(self):
        """Equal lists are equal values."""
        one, other = make_list(bytes(3)), make_list(bytes(3))
        assert (one, hash(one)) == (other, hash(other))
        assert one != replace(one, bits=2)

    def test_threads_share_a_list(self):
        """Look-ups of many threads at once agree."""
        packed = bytes(index % 256 for index in range(4096))
        lists = StatusLists({URI: make_list(packed)})

        def revoked(start: int) -> list[int]:
            found = range(start, start + 4096)
            return [idx for idx in found if code_of(lists.look_up, URI, idx, NOW) == "status.invalid"]

        expected = [idx for idx in range(32768) if packed[idx // 8] >> idx % 8 & 1]
        with ThreadPoolExecutor(8) as pool:
            assert expected == [idx for part in pool.map(revoked, range(0, 32768, 4096)) for idx in part]

    def test_a_look_up_is_fast(self):
        """A microsecond on a quiet machine (the benchmark says); here no more than ten."""
        lists = StatusLists({URI: make_list(bytes(100_000))})
        seconds = min(timeit.repeat(lambda: lists.look_up(URI, 799_999, NOW), number=2000, repeat=5))
        assert seconds / 2000 < 10e-6


class TestLifetime:
    @pytest.mark.parametrize(
        ("ttl", "exp", "lifetime"),
        [
            (None, None, 3600.0),
            (59.9, None, 60.0),
            (60.0, None, 60.0),
            (60.5, None, 60.5),
            (86_400.0, None, 86_400.0),
            (86_400.5, None, 86_400.0),
            (1e300, None, 86_400.0),
            (1e-300, None, 60.0),
            (300.0, SECONDS + 200, 200.0),
            (300.0, SECONDS + 400, 300.0),
            (None, SECONDS + 1, 60.0),
            (None, SECONDS + 1800, 1800.0),
        ],
    )
    def test_when_to_ask_again_is_bounded(self, ttl, exp, lifetime):
        """From a minute to a day, whatever a list says, and before it ends (§11.5, §13.7)."""
        assert lifetime == lifetime_of(ttl=ttl, exp=exp, now=NOW)
