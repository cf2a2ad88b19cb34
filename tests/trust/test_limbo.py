"""Other people's chains, where they are at hand: x509-limbo, the verdicts on PKITS, national certificates.

``CYBERID_VECTORS`` names a folder that holds ``limbo.json``, ``nist_pkits/pkits.json`` and ``sm2_real/``.
They are not ours to publish, so that most machines lack them, and no service is missing there: the
tests then say so and have nothing to judge, even where everything else must be present.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust import ChainProfile, TrustStore, verify_chain

PAGE = Path(__file__).parents[2] / "docs" / "chains-limits.md"
USAGES = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}
SLOWEST_SECONDS = 0.25  # a hang, not a speed: the slowest takes a few thousandths
WITHOUT_TIME = datetime(2026, 6, 1, tzinfo=UTC)

pytestmark = pytest.mark.filterwarnings("ignore")  # the library warns about some of these certificates


@pytest.fixture(scope="module")
def vectors(not_here):
    """Return the folder, or an empty one's path where there is none."""
    folder = os.environ.get("CYBERID_VECTORS")
    if folder:
        return Path(folder)
    reason = "CYBERID_VECTORS names no folder: the chains of others were not run"
    if os.environ.get("CYBERID_REQUIRE_SERVICES") != "1":
        not_here(reason)
    print(reason)  # noqa: T201 - what was not run is said
    return Path(os.devnull)


@pytest.fixture(scope="module")
def limbo(vectors):
    """Return the verdict and its cause on every case: name → (expected, got, code, seconds)."""
    path = vectors / "limbo.json"
    cases = json.loads(path.read_bytes())["testcases"] if path.is_file() else []
    return {case["id"]: (case["expected_result"] == "SUCCESS", *judge(case)) for case in cases}


@pytest.fixture(scope="module")
def page():
    """Return what the page lists: accepted cases, and refused ones by code."""
    section = PAGE.read_text(encoding="utf-8").partition("## x509-limbo")[2].partition("\n## ")[0]
    accepted = re.findall(r"^\| `([\w-]+::[\w:.-]+)` \| [^|]{20,} \|", section, re.MULTILINE)
    refused = {}
    for code, cases in re.findall(r"^\| `((?:chain|trust)\.\w+)` \| (`[^|]+`) \|", section, re.MULTILINE):
        refused |= dict.fromkeys(re.findall(r"`([^`]+)`", cases), code)
    return accepted, refused


def der(pem):
    return base64.b64decode("".join(pem.split("-----")[2].split()))


def profile_of(case):
    """Ask for what the case asks for, in the words of a profile."""
    name = case["expected_peer_name"] or {}
    usages = [USAGES[usage] for usage in case["extended_key_usage"]]
    return ChainProfile(
        eku=frozenset(usages) if usages else None,
        san_host=name["value"] if name.get("kind") in {"DNS", "IP"} else None,
        key_usage="digital_signature" if "digitalSignature" in case["key_usage"] else None,
        max_intermediates=min(10, 10 if case["max_chain_depth"] is None else case["max_chain_depth"]),
    )


def judge(case):
    """Return whether the chain was believed, the code of the refusal, and the seconds it took."""
    moment = case["validation_time"]
    now = datetime.fromisoformat(moment) if moment else WITHOUT_TIME
    code = None
    started = time.perf_counter()
    try:
        verify_chain(
            der(case["peer_certificate"]),
            [der(pem) for pem in case["untrusted_intermediates"]],
            trust=TrustStore.from_der([der(pem) for pem in case["trusted_certs"]]),
            profile=profile_of(case),
            now=now,
        )
    except (ChainError, ConfigurationError) as error:
        code = error.code
    return code is None, code, time.perf_counter() - started


def test_every_chain_that_should_not_be_believed_is_explained(limbo, page):
    """What the suite refuses and this library believes is listed one by one, and nothing else is."""
    accepted, _ = page
    wrong = sorted(name for name, (expected, believed, *_) in limbo.items() if believed and not expected)
    if limbo:
        assert sorted(accepted) == wrong


def test_every_chain_that_is_refused_without_need_is_listed(limbo, page):
    """What the suite believes and this library refuses is listed with its code."""
    _, refused = page
    wrong = {name: code for name, (expected, believed, code, _) in limbo.items() if expected and not believed}
    if limbo:
        assert refused == wrong


def test_no_chain_takes_long(limbo):
    """Not even the chains that were made to keep a verifier busy take a quarter of a second."""
    assert [] == [name for name, (*_, seconds) in limbo.items() if seconds > SLOWEST_SECONDS]


def test_the_page_explains_each_case_once(page):
    """No case is listed twice, and none is both believed and refused."""
    accepted, refused = page
    assert [] == [name for name, count in Counter([*accepted, *refused]).items() if count > 1]
    assert accepted


def test_the_verdicts_of_others_on_pkits_agree_with_our_table(vectors):
    """The table of PKITS and another project's agree wherever both judge the same settings."""
    path = vectors / "nist_pkits" / "pkits.json"
    theirs = {}
    for case in json.loads(path.read_bytes()) if path.is_file() else []:
        number = "4.{}.{}".format(*(int(case["id"][at : at + 2]) for at in (1, 3)))
        if not case.get("params"):
            theirs[number, case["cert"].removesuffix("EE.crt")] = "error" not in case
    table = Path(__file__).with_name("pkits.txt").read_text(encoding="utf-8").splitlines()
    rows = [[part.strip() for part in line.split("|")] for line in table if not line.startswith("#")]
    ours = {
        (".".join(number.split(".")[:3]), leaf): verdict == "valid"
        for number, verdict, _, settings, leaf, _ in rows
        if settings == "-"
    }
    both = ours.keys() & theirs.keys()
    assert {key: theirs[key] for key in both} == {key: ours[key] for key in both}
    assert not theirs or len(both) > 200


def test_national_certificates_on_sm2_are_refused_with_a_clean_code(vectors, pki, make):
    """Real SM2 certificates need an engine that is not in this release, as leaf, authority and root."""
    for path in sorted((vectors / "sm2_real").glob("*.der")):
        real = path.read_bytes()
        profile = ChainProfile(key_usage=None)
        for leaf, above in ((real, []), (pki.signer.der, [real])):
            with pytest.raises(ChainError) as caught:
                verify_chain(leaf, above, trust=pki.trust, profile=profile, now=make.NOW)
            assert caught.value.code == "chain.engine_required", path.name
        with pytest.raises(ConfigurationError) as refused:
            TrustStore.from_der([real])
        assert refused.value.code == "config.algorithm_unavailable", path.name
