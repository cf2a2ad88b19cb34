"""The status lists that the mock publishes, read by hand."""

from __future__ import annotations

import json
import zlib

import pytest

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import FAULTS, ODDITIES, STATUS_FAULTS
from cyberid_client.testing.status_lists import TICK, pack_statuses

from .conftest import parts_of, unb64

SECTOR = "https://shop.example"


def read(raw, uri):
    """Fetch a list and return header, claims and bytes."""
    answer = raw.get(uri.removeprefix(raw.issuer.issuer))
    assert (200, "application/statuslist+jwt") == (answer.status, answer.headers["content-type"])
    header, claims = parts_of(answer.body.decode())
    return header, claims, zlib.decompress(unb64(claims["status_list"]["lst"]))


def test_the_metadata_name_the_page_and_the_page_the_lists(raw):
    """From the signed metadata one comes to every list that is open, and to no other."""
    lists = raw.issuer.status_lists
    assert () == lists.uris
    one, two = lists.open(sector=SECTOR, epoch="1"), lists.open(sector=SECTOR, epoch="2")
    page = raw.get("/.well-known/openid-configuration").json()
    _, metadata = parts_of(page["signed_metadata"])
    endpoint = metadata["status_list_aggregation_endpoint"].removeprefix(raw.issuer.issuer)
    assert {"status_lists": [one, two]} == raw.get(endpoint).json()
    assert (one, two) == lists.uris
    lists.close(sector=SECTOR, epoch="1")
    assert {"status_lists": [two]} == raw.get(endpoint).json()
    assert 404 == raw.get(one.removeprefix(raw.issuer.issuer)).status


def test_an_address_tells_neither_sector_nor_epoch(raw):
    """Each pair has a list of its own, and its address is a hash."""
    lists = raw.issuer.status_lists
    uris = {lists.open(sector=sector, epoch=epoch) for sector in ("a", "b") for epoch in ("x", "y")}
    assert 4 == len(uris)
    assert lists.open(sector="a", epoch="x") in uris
    assert not any("/a" in uri or "/x" in uri for uri in uris)


def test_a_list_says_what_the_draft_asks_for(raw, clock):
    """Type, subject, dates of the tick, time to live, and one bit for each entry."""
    uri = raw.issuer.status_lists.open(sector=SECTOR, epoch="1")
    clock.advance(7)
    header, claims, packed = read(raw, uri)
    tick = int(clock().timestamp()) // TICK * TICK
    assert ("ES256", "statuslist+jwt") == (header["alg"], header["typ"])
    assert (uri, tick, tick + 4 * 3600, TICK) == (claims["sub"], claims["iat"], claims["exp"], claims["ttl"])
    assert (1, bytes(16_384)) == (claims["status_list"]["bits"], packed)


def test_entries_flip_on_ticks_only(raw, clock):
    """What was set a second after a tick is published at the next one, not before and not after."""
    lists = raw.issuer.status_lists
    uri = lists.open(sector=SECTOR, epoch="1")
    clock.advance(1)
    lists.set(9, 1, sector=SECTOR, epoch="1")
    clock.advance(TICK - 2)
    assert bytes(16_384) == read(raw, uri)[2]
    clock.advance(1)
    assert b"\0\2" + bytes(16_382) == read(raw, uri)[2]
    lists.set(9, 0, sector=SECTOR, epoch="1")
    clock.advance(TICK)
    assert bytes(16_384) == read(raw, uri)[2]


def test_every_list_has_the_same_size(raw):
    """Padding hides how many people there are."""
    sizes = set()
    for bits in (1, 2, 4, 8):
        uri = raw.issuer.status_lists.open(sector=SECTOR, epoch=str(bits), bits=bits)
        sizes.add(len(read(raw, uri)[2]) * 8 // bits)
    assert {131_072} == sizes


@pytest.mark.parametrize(
    ("statuses", "bits", "packed"),
    [
        (dict(enumerate([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1])) , 1, "b9a3"),
        (dict(enumerate([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3])), 2, "c944f9"),
        ({0: 0xA, 1: 0x5}, 4, "5a"),
        ({1: 255}, 8, "00ff"),
    ],
)  # fmt: skip
def test_packing_is_that_of_the_draft(statuses, bits, packed):
    """The lowest bits first, as §4.1 prints it."""
    assert packed == pack_statuses(statuses, bits=bits, entries=len(bytes.fromhex(packed)) * 8 // bits).hex()


@pytest.mark.parametrize(("idx", "value"), [(-1, 1), (131_072, 1), (0, 2), (0, -1)])
def test_what_has_no_place_is_refused(raw, idx, value):
    """An index outside the list, a value that its bits cannot hold."""
    with pytest.raises(ConfigurationError) as refused:
        raw.issuer.status_lists.set(idx, value, sector=SECTOR, epoch="1")
    assert "config.value" == refused.value.code


@pytest.mark.parametrize("bits", [0, 3, 16])
def test_other_widths_are_refused(raw, bits):
    """A list has one, two, four or eight bits for an entry."""
    with pytest.raises(ConfigurationError):
        raw.issuer.status_lists.open(sector=SECTOR, epoch="1", bits=bits)


def test_the_log_does_not_tell_the_lists_apart(raw):
    """Who fetched which list is nothing that an issuer should keep."""
    uri = raw.issuer.status_lists.open(sector=SECTOR, epoch="1")
    read(raw, uri)
    raw.get("/status-lists/unknown")
    assert [("/status-lists", 200), ("/status-lists", 404)] == [
        (record.path, record.status) for record in raw.issuer.log
    ]


def test_only_get_is_answered(raw):
    """There is nothing to post at a list."""
    uri = raw.issuer.status_lists.open(sector=SECTOR, epoch="1")
    assert [405, 405] == [
        raw.post(path, {}).status for path in ("/status-lists", uri.removeprefix(raw.issuer.issuer))
    ]


def test_addresses_move_with_the_issuer(served):
    """On loopback the lists are on loopback, signed for it."""
    uri = served.issuer.status_lists.open(sector=SECTOR, epoch="1")
    assert uri.startswith(served.issuer.issuer)
    assert uri == read(served, uri)[1]["sub"]


@pytest.mark.parametrize("name", STATUS_FAULTS)
def test_one_message_is_changed(raw, name):
    """The next list or page is changed, and the one after it is honest again."""
    uri = raw.issuer.status_lists.open(sector=SECTOR, epoch="1")
    path = "/status-lists" if name.startswith("status_aggregation.") else uri.removeprefix(raw.issuer.issuer)

    def message():
        answer = raw.get(path)
        body = answer.body.split(b".")[:2] if answer.body.count(b".") == 2 else answer.body
        return answer.status, answer.headers, body, answer.error

    honest = message()
    raw.issuer.arm(name)
    changed, whole = message(), raw.get(path).body
    # A forged signature is all that differs, and every honest one differs from the last.
    assert honest != changed or "signature" in name
    assert {} == dict(raw.issuer.armed)
    assert honest == message()
    assert json.loads(whole) if path == "/status-lists" else whole.count(b".") == 2


def test_names_are_unique():
    """No fault of a list has the name of a fault of a login, or of an oddity."""
    assert set() == STATUS_FAULTS.keys() & (FAULTS.keys() | ODDITIES.keys())
