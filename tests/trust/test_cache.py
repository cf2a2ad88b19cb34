from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from cyberid_client.errors import ChainError, ConfigurationError
from cyberid_client.trust import ChainCache, ChainProfile, TrustStore


def test_a_good_verdict_is_found_again(verify, pki):
    """The second question gives the very same answer object."""
    cache = ChainCache()
    first = verify(pki.signer, pki.ca, cache=cache)
    assert verify(pki.signer, pki.ca, cache=cache) is first
    assert len(cache) == 1


def test_a_refusal_is_not_kept(verify, pki):
    """Only good verdicts stay."""
    cache = ChainCache()
    with pytest.raises(ChainError):
        verify(pki.signer, cache=cache)
    assert len(cache) == 0


def test_a_verdict_holds_for_the_same_bytes_only(code, pki, make):
    """Another leaf, a changed byte, other intermediates: another question."""
    cache = ChainCache()
    assert code(pki.signer, pki.ca, cache=cache) is None
    assert code(pki.signer, cache=cache) == "chain.untrusted"
    changed = make.Issued(pki.signer.der[:-1] + bytes([pki.signer.der[-1] ^ 1]), None)
    assert code(changed, pki.ca, cache=cache) == "chain.untrusted"


def test_borders_between_certificates_are_part_of_the_question(pki):
    """The same bytes cut at another place are another question."""
    one = ChainCache.key(b"ab", [b"c"], pki.trust, pki.profile)
    other = ChainCache.key(b"a", [b"bc"], pki.trust, pki.profile)
    joined = ChainCache.key(b"abc", [], pki.trust, pki.profile)
    assert len({one, other, joined}) == 3


def test_a_verdict_holds_for_an_equal_profile_only(code, pki, make):
    """Every field of the profile counts; an equal profile made anew finds the verdict."""
    cache = ChainCache()
    assert code(pki.signer, pki.ca, cache=cache) is None
    assert code(pki.signer, pki.ca, cache=cache, profile=ChainProfile.assertion(make.ISSUER)) is None
    assert len(cache) == 1
    metadata = ChainProfile.metadata(make.ISSUER)
    assert code(pki.signer, pki.ca, cache=cache, profile=metadata) == "chain.purpose"
    shorter = ChainProfile(max_intermediates=0)
    assert code(pki.signer, pki.ca, cache=cache, profile=shorter) == "chain.too_long"


def test_a_verdict_holds_for_the_same_roots_only(code, pki, make):
    """A root that is taken away takes its verdicts with it."""
    cache = ChainCache()
    assert code(pki.signer, pki.ca, cache=cache) is None
    other = TrustStore.from_pem(make.authority("Other Root").pem)
    assert code(pki.signer, pki.ca, cache=cache, trust=other) == "chain.untrusted"


def test_a_verdict_of_a_store_for_tests_is_none_of_a_production_store(code, pki, make):
    """The same roots for tests and for production are two trust sets."""
    cache = ChainCache()
    marked = make.signer(pki.ca, make.policies(make.TEST_MARK))
    assert code(marked, pki.ca, cache=cache, trust=TrustStore.for_tests(pki.root.pem)) is None
    assert code(marked, pki.ca, cache=cache) == "chain.test_mark"


def test_a_verdict_ends_with_the_earliest_date(code, pki, make):
    """A kept verdict forgives no second before notBefore and none after notAfter."""
    cache = ChainCache()
    assert code(pki.signer, pki.ca, cache=cache) is None
    second = timedelta(seconds=1)
    moments = [make.NOW - make.DAY - second, make.NOW - make.DAY]
    moments += [make.NOW + make.DAY, make.NOW + make.DAY + second]
    assert [code(pki.signer, pki.ca, cache=cache, now=now) for now in moments] == [
        "chain.not_yet_valid",
        None,
        None,
        "chain.expired",
    ]


@pytest.mark.parametrize(
    ("seconds", "found"), [(-86_401, False), (-86_400, True), (86_399, True), (86_400, False)]
)
def test_the_window_is_half_open(verify, pki, make, seconds, found):
    """The cache answers from the latest notBefore until before the earliest notAfter."""
    cache = ChainCache()
    chain = verify(pki.signer, pki.ca, cache=cache)
    key = cache.key(pki.signer.der, [pki.ca.der], pki.trust, pki.profile)
    moment = make.NOW + timedelta(seconds=seconds)
    assert cache.get(key, now=moment) is (chain if found else None)


def test_a_naive_time_is_refused_on_a_hit_too(verify, pki, make):
    """A kept verdict does not hide a fault of the program."""
    cache = ChainCache()
    verify(pki.signer, pki.ca, cache=cache)
    with pytest.raises(ConfigurationError):
        verify(pki.signer, pki.ca, cache=cache, now=make.NOW.replace(tzinfo=None))


def test_the_least_recently_used_verdict_gives_way(verify, pki, make):
    """The cache never holds more than it may, and keeps what was asked for last."""
    cache = ChainCache(max_entries=2)
    leaves = [make.signer(pki.ca) for _ in range(3)]
    first = verify(leaves[0], pki.ca, cache=cache)
    verify(leaves[1], pki.ca, cache=cache)
    assert verify(leaves[0], pki.ca, cache=cache) is first
    verify(leaves[2], pki.ca, cache=cache)
    assert len(cache) == 2
    assert verify(leaves[0], pki.ca, cache=cache) is first


@pytest.mark.parametrize("size", [0, -1, True, 1.5, None])
def test_a_cache_has_room_for_something(size):
    """A cache without a positive bound cannot be made."""
    with pytest.raises(ConfigurationError) as caught:
        ChainCache(max_entries=size)
    assert caught.value.code == "config.value"


def test_threads_may_share_a_cache(verify, pki, make):
    """Many threads at once get right answers and leave the bound intact."""
    cache = ChainCache(max_entries=2)
    leaves = [make.signer(pki.ca) for _ in range(4)]
    right = []

    def work():
        answers = [verify(leaf, pki.ca, cache=cache) for leaf in leaves * 10]
        right.extend(answer.leaf == leaf.der for answer, leaf in zip(answers, leaves * 10, strict=True))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (right, len(cache)) == ([True] * 160, 2)
