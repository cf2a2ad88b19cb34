"""Identity numbers inside text. All of them are made up: births in the 1800s, regions at random, nobody's."""

# ruff: noqa: RUF001 - full-width signs are what is tested

from __future__ import annotations

import re
import runpy
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.privacy.recognisers import RECOGNISERS, IdentityKind, find_identity_numbers

ROOT = Path(__file__).resolve().parents[2]


def with_check(digits: str) -> str:
    """Append the check character, computed as ISO 7064 writes it: the whole is 1 modulo 11."""
    for character in "0123456789X":
        value = 0
        for each in digits + character:
            value = value * 2 + (10 if each == "X" else int(each))
        if value % 11 == 1:
            return digits + character
    raise AssertionError


RESIDENT = with_check("11010118491231002")
WITH_X = next(
    number for serial in range(100, 130) if (number := with_check(f"65010118960229{serial}")).endswith("X")
)
HONG_KONG = with_check("81000018770101001")
FOREIGN = with_check("91184018550615123")

EXAMPLES = [
    (RESIDENT, "resident_number"),
    (WITH_X, "resident_number"),
    (WITH_X.lower(), "resident_number"),
    (f"{RESIDENT[:6]} {RESIDENT[6:14]} {RESIDENT[14:]}", "resident_number"),
    (f"{RESIDENT[:6]}-{RESIDENT[6:14]}-{RESIDENT[14:]}", "resident_number"),
    (HONG_KONG, "residence_permit"),
    (with_check("82000018770101001"), "residence_permit"),
    (with_check("83000018770101001"), "residence_permit"),
    (FOREIGN, "foreign_resident"),
    # The serial numbers 996 to 999 were for people who were a hundred years old.
    ("110101491231996", "resident_number_15"),
    ("110101000228999", "resident_number_15"),
    # UTO is the state that specimens of travel documents come from.
    ("UTO110149123199", "foreign_resident_old"),
    ("E00000000", "passport"),
    ("EA0000000", "passport"),
    ("G00000000", "passport"),
    ("D00000000", "passport"),
    ("DE0000000", "passport"),
    ("S00000000", "passport"),
    ("SE0000000", "passport"),
    ("P00000000", "passport"),
    ("PE0000000", "passport"),
    ("K00000000", "passport"),
    ("KJ0000000", "passport"),
    ("MA0000000", "passport"),
    ("MB0000000", "passport"),
    ("H00000000", "travel_permit"),
    ("M00000000", "travel_permit"),
    ("H0000000001", "travel_permit"),
    ("M0000000001", "travel_permit"),
    ("C00000000", "travel_permit"),
    ("CA0000000", "travel_permit"),
    ("W00000000", "travel_permit"),
    ("L00000000", "travel_permit"),
    ("T00000000", "travel_permit"),
    ("19900000000", "mobile_number"),
    ("13000000000", "mobile_number"),
    ("130 0000 0000", "mobile_number"),
    ("130-0000-0000", "mobile_number"),
    ("+8613000000000", "mobile_number"),
    ("+86 130 0000 0000", "mobile_number"),
    ("008613000000000", "mobile_number"),
    ("8613000000000", "mobile_number"),
]  # fmt: skip


def found(text: str) -> list[tuple[str, str]]:
    return [(text[match.start : match.end], str(match.kind)) for match in find_identity_numbers(text)]


@pytest.mark.parametrize(("number", "kind"), EXAMPLES)
@pytest.mark.parametrize(
    "around", ["{}", "id={}&x=1", '"{}"', "证件号{}。", "log_{}_end", "（{}）", "{}, {}", "a\n{}\n"]
)
def test_a_number_is_found_with_its_kind_and_its_very_borders(number, kind, around):
    """Quotes, hyphens, underscores, Chinese characters and line ends are borders of a number."""
    text = around.replace("{}", number)
    assert [(number, kind)] * around.count("{}") == found(text)


@pytest.mark.parametrize(("number", "kind"), EXAMPLES)
@pytest.mark.parametrize("around", ["1{}", "{}1", "a{}", "{}a", "0.{}", "{}.5"])
def test_a_part_of_a_longer_word_is_no_number(number, kind, around):
    """A letter or digit next to it makes it part of something else: of a hash, an order, a fraction."""
    assert (number, kind) not in found(around.replace("{}", number))


@pytest.mark.parametrize(
    "text",
    [
        RESIDENT[:-1] + ("1" if RESIDENT[-1] != "1" else "2"),  # another check character
        with_check("10010118491231002"),  # no such region
        with_check("11010118490229002"),  # no such day
        with_check("11010117991231002"),  # nobody was born then
        with_check("11010121000101002"),
        with_check("90010118550615123"),  # a foreign resident of no region
        "100101491231996",
        "110101490229996",
        "110101491301996",
        "UTO100149123199",
        "UTO110149130199",
        "uto110149123199",
        "EI0000000",  # neither I nor O stands in a passport number
        "EO0000000",
        "E0000000",
        "E000000000",
        "F00000000",
        "H000000000",
        "H000000000000",
        "CO0000000",
        "12000000000",
        "1300000000",
        "130000000000",
        "130  0000 0000",
        "18491231",
        "00000000",
        "1763798400",
        "1763798400123",
        "2026-11-22T08:00:00Z",
        "20261122080000",
        "192.168.100.200",
        "",
    ],
)
def test_what_is_no_number_is_not_found(text):
    """Another region, date, check character, letter or length is none."""
    assert [] == found(text)


@pytest.mark.parametrize("label", ["台胞证", "臺胞證：", "台胞证号码: ", "台湾居民来往大陆通行证 ", "MTP="])
@pytest.mark.parametrize("number", ["00000000", "0000000001"])
def test_a_taiwan_permit_is_found_behind_its_name_only(label, number):
    """Eight bare digits are a date or an order; the permit's name in front makes them a permit."""
    assert [(number, "travel_permit_taiwan")] == found(label + number)
    assert [] == found(number)
    assert [] == found(f"{label}         {number}")


def test_full_width_characters_are_read_and_indexes_stay():
    """What an input method writes is found where it stands."""
    wide = "".join(chr(ord(each) + 0xFEE0) for each in RESIDENT)
    assert [(wide, "resident_number")] == found(f"号码：{wide}！")


def test_of_two_that_overlap_the_one_that_begins_first_stays():
    """Matches never overlap, so that each place is redacted once."""
    assert [("+8613000000000", "mobile_number")] == found("+8613000000000")
    assert [(RESIDENT, "resident_number"), ("13000000000", "mobile_number")] == found(
        f"{RESIDENT} 13000000000"
    )


def test_a_match_does_not_hold_the_number():
    """What is passed on about a find can be logged."""
    (match,) = find_identity_numbers(f"x {RESIDENT}")
    assert (IdentityKind.RESIDENT_NUMBER, 2, 20) == (match.kind, match.start, match.end)
    assert RESIDENT not in repr(match)


def test_every_row_of_the_table_has_an_example():
    """No recogniser stands there untested, and each says what it finds."""
    shown = {kind for _, kind in EXAMPLES} | {"travel_permit_taiwan"}
    assert shown == {str(each.kind) for each in RECOGNISERS} == {str(kind) for kind in IdentityKind}
    assert all(each.law.endswith(".") for each in RECOGNISERS)


@given(st.text(alphabet="0123456789ABCEHMX -.+８６证_a", max_size=80))
def test_matches_are_ordered_disjoint_and_inside(text):
    """Whatever the text, each match is a place in it, and they follow one another."""
    places = [(match.start, match.end) for match in find_identity_numbers(text)]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))


@given(st.text())
def test_any_text_is_searched_without_an_error(text):
    """Lone surrogates, other scripts and nothing at all are texts too."""
    assert isinstance(find_identity_numbers(text), tuple)


@given(
    st.text(alphabet=st.characters(exclude_categories=("Nd", "L")), max_size=20),
    st.sampled_from([number for number, _ in EXAMPLES]),
)
def test_nothing_but_letters_digits_and_points_hides_a_number(noise, number):
    """Whatever signs stand around it, it is found."""
    noise = re.sub("[-+ .\N{IDEOGRAPHIC SPACE}－＋]", "", noise)
    assert number in [text for text, _ in found(noise + number + noise)]


HOSTILE = [
    "1", "9", "E", "0 ", "1-", "+86", "86", "130 ", "130 0000 ", "11010118491231", RESIDENT[:17] + " ",
    "UTO", "H0", "台胞证", "台胞证 ", "MTP        ", "1.", "0.1", "E0000000", "１", "\n", "eyJ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_hostile_text_costs_linear_time(unit):
    """Half a million characters made to look like beginnings take seconds at most, where a quadratic search would take hours."""
    text = unit * (500_000 // len(unit))
    begin = time.thread_time()
    find_identity_numbers(text)
    assert time.thread_time() - begin < 10


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_number_is_found_behind_any_hostile_text(unit):
    """What comes before cannot swallow it."""
    assert RESIDENT in [text for text, _ in found(unit * 100 + "|" + RESIDENT)]


def test_the_page_about_precision_says_what_is_measured():
    """What the page calls free of errors is so for a fresh, smaller measurement, and no sort of text is missing."""
    script = runpy.run_path(str(ROOT / "benchmarks" / "privacy_precision.py"))
    page = (ROOT / "docs" / "privacy-recognisers.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in page.splitlines() if "|" in line]
    written = {name: share for name, share, _ in rows if share == "0" or share.endswith("%")}
    for name, share, _ in script["measure"](500):
        assert (name, share == 0 or written[name] != "0") == (name, True)
        assert share <= float(written[name].rstrip("%")) / 100 * 1.25 + 0.01
    assert set(written) == set(script["SAMPLES"])
    assert all(each.law in page for each in RECOGNISERS)
