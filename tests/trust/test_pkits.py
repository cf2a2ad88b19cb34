"""The NIST suite for X.509 paths: nothing is accepted that the standard refuses.

The table ``pkits.txt`` says what the standard says; ``docs/chains-limits.md`` lists each path that the
standard accepts and this library refuses, with the code. Both must agree with the run.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from cyberid_client.errors import ChainError
from cyberid_client.trust import ChainProfile, TrustStore, verify_chain

TABLE = Path(__file__).with_name("pkits.txt")
PAGE = Path(__file__).parents[2] / "docs" / "chains-limits.md"
CERTIFICATES = resources.files("cryptography_vectors") / "x509" / "PKITS_data" / "certs"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
POLICY = "2.16.840.1.101.3.2.1.48."
TESTS_OF_SECTION = (6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2)


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    number: str
    valid: bool
    kind: str
    settings: frozenset[str]
    leaf: str
    authorities: tuple[str, ...]

    @property
    def policies(self):
        """Object identifiers of the initial policy set."""
        return frozenset(POLICY + one[1:] for one in self.settings if one.startswith("P"))

    @property
    def has_profile(self):
        """Whether a profile can ask for this.

        A profile with one policy asks for more than an initial policy set of one, because it demands
        that policy whatever the certificates say. Two policies are both demanded, while a set of two
        asks for either. Mappings are refused always, so no-mapping is how every profile is.
        """
        return self.settings - {"no-mapping"} == frozenset() or (
            len(self.policies) == 1 and "no-any" not in self.settings
        )


def certificate(name):
    return (CERTIFICATES / f"{name}.crt").read_bytes()


def read_table():
    """Read the rows; a dash stands for nothing."""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        number, verdict, kind, settings, leaf, authorities = (part.strip() for part in line.split("|"))
        yield Case(
            number,
            {"valid": True, "invalid": False}[verdict],
            kind,
            frozenset(settings.split()) - {"-"},
            f"{leaf}EE",
            tuple(f"{one}Cert" for one in authorities.split() if one != "-"),
        )


CASES = tuple(read_table())
RUN = tuple(case for case in CASES if case.has_profile)


@pytest.fixture(scope="module")
def trust():
    return TrustStore.from_der([certificate("TrustAnchorRootCertificate")])


@pytest.fixture(scope="module")
def page():
    """Return the numbers that the page lists, by the code of the refusal."""
    section = PAGE.read_text(encoding="utf-8").partition("## NIST PKITS")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(chain\.\w+)` \| ([\d., ]+) \|", section, re.MULTILINE)
    listed = defaultdict(set)
    for code, numbers in rows:
        listed[code] |= set(numbers.split(", "))
    return dict(listed)


def verdict(case, trust):
    """Return the code of the refusal, or ``None`` for a path that was accepted."""
    profile = ChainProfile(key_usage=None, policies=case.policies, max_intermediates=10)
    authorities = [certificate(name) for name in case.authorities]
    try:
        verify_chain(certificate(case.leaf), authorities, trust=trust, profile=profile, now=NOW)
    except ChainError as error:
        return error.code
    return None


def test_the_table_holds_the_whole_suite():
    """Every test of the suite's sixteen sections stands in the table, once for each of its settings."""
    numbers = [case.number for case in CASES]
    assert len(set(numbers)) == len(numbers)
    per_section = defaultdict(set)
    for number in numbers:
        _, section, test, *_ = map(int, number.split("."))
        per_section[section].add(test)
    expected = {section: set(range(1, count + 1)) for section, count in enumerate(TESTS_OF_SECTION, 1)}
    assert expected == per_section


def test_the_names_of_the_certificates_agree_with_the_table():
    """A certificate that the suite calls valid or invalid is so with the suite's default settings."""
    for case in CASES:
        named = re.match(r"(Valid|Invalid)", case.leaf)
        if named and not case.settings:
            assert (named[1] == "Valid") == case.valid, case.number


@pytest.mark.parametrize("case", [c for c in RUN if not c.valid and c.kind == "path"], ids=lambda c: c.number)
def test_no_path_is_accepted_that_the_standard_refuses(trust, case):
    """Where the certificates alone spoil a path, it is refused."""
    assert verdict(case, trust) is not None


@pytest.mark.parametrize("case", [c for c in RUN if c.kind == "revocation"], ids=lambda c: c.number)
def test_revocation_is_no_matter_of_the_path(trust, page, case):
    """Where only a revocation list spoils a path, the path itself holds, or its refusal is listed."""
    code = verdict(case, trust)
    assert code is None or case.number in page[code]


def test_every_refusal_that_the_standard_does_not_ask_for_is_listed(trust, page):
    """The page lists exactly the good paths that are refused, by code; neither more nor fewer."""
    refused = defaultdict(set)
    for case in RUN:
        code = verdict(case, trust)
        if code is not None and (case.valid or case.kind == "revocation"):
            refused[code].add(case.number)
    assert page == dict(refused)


def test_what_no_profile_can_ask_for_is_listed():
    """The page names the settings of the suite that have no counterpart here."""
    section = PAGE.read_text(encoding="utf-8").partition("### Settings without a counterpart")[2]
    listed = re.findall(r"\d+\.\d+\.\d+\.\d+", section.partition("\n#")[0])
    assert [case.number for case in CASES if not case.has_profile] == listed
