"""What is an identity number. All numbers here are made up: birth years lie in the 1800s."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.privacy.recognisers import is_resident_number

RESIDENT = "110101189001010075"
WITH_X = "11010118900101018X"
FOREIGN = "911123189001010073"
REGIONS = (
    *range(11, 16),
    *range(21, 24),
    *range(31, 38),
    *range(41, 47),
    *range(50, 55),
    *range(61, 66),
    71,
    81,
    82,
    83,
)


def complete(digits: str) -> str:
    """Append the check character by ISO 7064: the powers of two modulo eleven sum up to one."""
    for check, character in enumerate("0123456789X"):
        if (sum(int(digit) * pow(2, 17 - at) for at, digit in enumerate(digits)) + check) % 11 == 1:
            return digits + character
    raise AssertionError(digits)


@pytest.mark.parametrize("number", [RESIDENT, WITH_X, WITH_X.lower(), FOREIGN])
def test_a_number_with_all_its_marks_is_one(number):
    """Region, date and check character are right, the X in either case, and 9 means a foreign resident."""
    assert is_resident_number(number)


def test_the_check_character_is_that_of_the_standard():
    """The fixed examples come out of a calculation written by hand."""
    assert [RESIDENT, WITH_X, FOREIGN] == [complete(number[:-1]) for number in (RESIDENT, WITH_X, FOREIGN)]


@pytest.mark.parametrize("number", [RESIDENT, WITH_X, FOREIGN])
def test_every_other_check_character_is_wrong(number):
    """Of eleven characters one is right."""
    others = [number[:-1] + character for character in "0123456789X" if character != number[-1]]
    assert [] == [other for other in others if is_resident_number(other)]
    assert 10 == len(others)


@pytest.mark.parametrize("number", [RESIDENT, WITH_X, FOREIGN])
def test_one_wrong_digit_is_noticed(number):
    """Changing any one digit makes it no number, whatever the digit becomes."""
    mutations = [
        number[:at] + digit + number[at + 1 :]
        for at in range(17)
        for digit in "0123456789"
        if digit != number[at]
    ]
    assert [] == [mutation for mutation in mutations if is_resident_number(mutation)]
    assert 17 * 9 == len(mutations)


@pytest.mark.parametrize("number", [RESIDENT, WITH_X, FOREIGN])
def test_two_neighbours_swapped_are_noticed(number):
    """Swapping two different neighbouring digits makes it no number."""
    swapped = [
        number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        for at in range(16)
        if number[at] != number[at + 1]
    ]
    assert [] == [each for each in swapped if is_resident_number(each)]
    assert len(swapped) > 5


def test_exactly_the_assigned_regions_count():
    """Of a hundred two-digit prefixes, those of GB/T 2260 are regions; 9 begins another kind."""
    found = [first for first in range(10, 90) if is_resident_number(complete(f"{first:02d}010118900101007"))]
    assert list(REGIONS) == found


def test_a_foreign_residents_region_stands_behind_the_nine():
    """Behind the nine comes the region, then the nationality, which may be any three digits."""
    regions = [two for two in range(100) if is_resident_number(complete(f"9{two:02d}12318900101007"))]
    assert list(REGIONS) == regions
    assert all(is_resident_number(complete(f"911{country:03d}18900101007")) for country in range(0, 1000, 37))


@pytest.mark.parametrize(
    ("day", "real"),
    [
        ("18000101", True),
        ("17991231", False),
        ("18961231", True),
        ("18960229", True),
        ("18970229", False),
        ("19000229", False),
        ("18900431", False),
        ("18901301", False),
        ("18900001", False),
        ("18900100", False),
        ("18900132", False),
        ("00000101", False),
    ],
)
def test_the_date_of_birth_is_real(day, real):
    """A day that was never in a calendar, or before 1800, is no date of birth."""
    assert real is is_resident_number(complete(f"110101{day}007"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        RESIDENT[:-1],
        RESIDENT + "0",
        f" {RESIDENT}",
        f"{RESIDENT}\n",
        RESIDENT[:-1] + " ",
        RESIDENT[:-1] + "Y",
        "X" + RESIDENT[1:],
        WITH_X[:16] + "X" + WITH_X[17],
        RESIDENT.translate({ord("0"): "\uff10"}),
        RESIDENT.translate({ord("1"): "\u0661"}),
        RESIDENT[:-1] + "\u0665",
        RESIDENT[:6] + "-" + RESIDENT[7:],
        "+" + RESIDENT[1:],
        RESIDENT[:6] + "_" + RESIDENT[7:],
    ],
)
def test_other_characters_and_lengths_are_no_number(text):
    """Exactly 17 ASCII digits and a check character: nothing is stripped, folded or read leniently."""
    assert not is_resident_number(text)


@given(st.text(max_size=20))
def test_any_text_gets_an_answer(text):
    """No text makes it raise."""
    assert is_resident_number(text) in {True, False}


@given(
    st.sampled_from(REGIONS),
    st.integers(0, 9999),
    st.dates(min_value=date(1800, 1, 1), max_value=date(1899, 12, 31)),
    st.integers(0, 999),
)
def test_every_number_that_is_made_by_the_rules_is_one(region, place, born, order):
    """Whatever region, place, day and order: with its check character it is a number, without it is none."""
    number = complete(f"{region}{place:04d}{born:%Y%m%d}{order:03d}")
    assert is_resident_number(number)
    assert not is_resident_number(number[:-1] + ("0" if number[-1] != "0" else "1"))
