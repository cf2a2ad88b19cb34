"""Revocation lists: what is believed of them, what they answer, and what no later list undoes."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import ConfigurationError, CyberIDError, RevocationError
from cyberid_client.testing import FAULTS, ManualClock, MockIssuer
from cyberid_client.testing.crls import Entry
from cyberid_client.testing.pki import der
from cyberid_client.trust import (
    ChainCache,
    ChainProfile,
    IssuedCertificate,
    RevocationList,
    RevocationLists,
    RevocationPolicy,
    TrustStore,
    load_crl,
    verify_chain,
)

from .builder import DAY, NOW

REQUIRE = RevocationPolicy.require()
LIST_FAULTS = sorted(
    name
    for name, fault in FAULTS.items()
    if fault.stage == "crl_authority" and fault.expected_code.startswith("revocation.list_")
)


@pytest.fixture(scope="module")
def issuer():
    return MockIssuer(ManualClock(NOW))


@pytest.fixture
def keyring(issuer):
    return issuer._service.keyring


@pytest.fixture
def draft(keyring):
    return keyring.revocations.draft("/crl/authority.der", keyring, NOW)


@pytest.fixture
def load(keyring):
    authority = der(keyring.authority.certificate)
    return lambda data, **asked: load_crl(data, **{"issuer": authority, "now": NOW, **asked})


def code_of(call, *args, **kwargs):
    with pytest.raises(CyberIDError) as refused:
        call(*args, **kwargs)
    return refused.value.code


def test_an_honest_list_is_read_whole(draft, load):
    """Number, dates and every revoked serial number are kept, whatever the reason."""
    draft.entries = [Entry(serial=7, since=NOW), Entry(serial=2**150, since=NOW, reason="certificate_hold")]
    found = load(draft.encode())
    assert (draft.number, NOW, NOW + 7 * DAY, NOW) == (
        found.number,
        found.this_update,
        found.next_update,
        found.asked_at,
    )
    assert {7, 2**150} == found.serials
    assert "serials" not in repr(found)


@pytest.mark.parametrize("name", LIST_FAULTS)
def test_a_list_with_a_fault_is_refused_by_its_code(draft, load, name):
    """Every way in which a list is none has a code of its own."""
    FAULTS[name].change(draft)
    assert FAULTS[name].expected_code == code_of(load, draft.encode())


def test_one_byte_over_the_cap_is_refused_and_the_last_byte_below_is_read(draft, load):
    """16 MiB and no more; what is not a list is malformed below that."""
    data = draft.encode()
    assert "revocation.list_malformed" == code_of(load, data + bytes(16 * 1024 * 1024 - len(data)))
    assert "revocation.list_too_large" == code_of(load, data + bytes(16 * 1024 * 1024 - len(data) + 1))


@pytest.mark.parametrize("data", [b"", b"0", b"\x30\x00", b"rubbish" * 100, b"\x30\x84\xff\xff\xff\xff"])
def test_rubbish_is_malformed(load, data):
    """Whatever bytes arrive, nothing but our own error comes out."""
    assert "revocation.list_malformed" == code_of(load, data)


@given(place=st.integers(0, 2_000), bit=st.integers(0, 7))
def test_no_list_with_one_wrong_bit_is_believed(draft, load, place, bit):
    """A flipped bit anywhere is refused inside the error tree."""
    data = bytearray(draft.encode())
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(RevocationError):
        load(bytes(data))


@pytest.mark.parametrize(
    ("ahead", "leeway", "code"),
    [
        (0, 0, None),
        (1, 0, "revocation.list_in_future"),
        (10, 10, None),
        (11, 10, "revocation.list_in_future"),
    ],
)
def test_a_list_may_be_ahead_by_the_leeway_and_no_more(draft, load, ahead, leeway, code):
    """Only its beginning is forgiven."""
    draft.this_update = NOW + timedelta(seconds=ahead)
    verdict = None
    try:
        load(draft.encode(), leeway=leeway)
    except RevocationError as error:
        verdict = error.code
    assert code == verdict


def test_a_list_is_stale_from_the_very_second_of_its_end(draft, load):
    """The end forgives nothing, whatever the leeway."""
    end, data = draft.next_update, draft.encode()
    assert end == load(data, now=end - timedelta(microseconds=1), leeway=60).next_update
    assert "revocation.list_stale" == code_of(load, data, now=end, leeway=60)


def test_a_list_that_ends_before_it_begins_is_malformed(draft, load):
    """It never held."""
    draft.this_update = draft.next_update + DAY
    try:
        data = draft.encode()
    except ValueError:  # the library's builder makes none
        data = b"\x30\x00"
    assert "revocation.list_malformed" == code_of(load, data)


@pytest.mark.parametrize(
    ("extension", "critical"),
    [
        (x509.CertificateIssuer([x509.DNSName("other.example")]), True),
        (x509.CertificateIssuer([x509.DNSName("other.example")]), False),
        (x509.CRLReason(x509.ReasonFlags.remove_from_crl), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1.98"), b"\x05\x00"), True),
    ],
)
def test_an_entry_of_another_kind_of_list_is_refused(draft, load, keyring, extension, critical):
    """Indirect and delta lists are told by their entries, too."""
    entry = x509.RevokedCertificateBuilder().serial_number(7).revocation_date(NOW)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(draft.authority.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_revoked_certificate(entry.add_extension(extension, critical=critical).build())
    )
    signed = builder.sign(draft.authority.key, keyring.authority.certificate.signature_hash_algorithm)
    data = signed.public_bytes(Encoding.DER)
    assert "revocation.list_unsupported" == code_of(load, data)


def test_an_issuer_that_is_no_certificate_signs_no_list(draft, load):
    """The authority's certificate comes from a believed path; anything else is refused all the same."""
    assert "revocation.list_issuer" == code_of(load, draft.encode(), issuer=b"rubbish")


def test_a_time_without_zone_is_a_mistake_of_the_caller(draft, load):
    """Nothing is judged by a time that could be any."""
    assert "time.naive" == code_of(load, draft.encode(), now=NOW.replace(tzinfo=None))


# Lists of one authority, and what they answer.

AUTHORITY, OTHER = b"a" * 32, b"b" * 32


def a_list(number=1, *serials, authority=AUTHORITY, day=0):
    return RevocationList(
        authority=authority,
        number=number,
        this_update=NOW + day * DAY,
        next_update=NOW + (day + 1) * DAY,
        asked_at=NOW,
        serials=frozenset(serials),
    )


def a_certificate(serial=7, *, authority=AUTHORITY, required=True):
    return IssuedCertificate(
        serial=serial, authority=authority, issuer=b"", required=required, distribution_points=()
    )


def answer(lists, *certificates, policy=REQUIRE, after=0.0):
    try:
        lists.require_good(certificates, policy=policy, now=NOW.timestamp() + after)
    except RevocationError as error:
        return error.code
    return None


def test_revoked_is_not_unknown_is_not_unreachable():
    """Three answers, because each asks for something else."""
    lists = RevocationLists().with_list(a_list(1, 8))
    day = DAY.total_seconds()
    assert None is answer(lists, a_certificate(7), after=day - 0.001)
    assert "revocation.unreachable" == answer(lists, a_certificate(7), after=day)
    assert "revocation.revoked" == answer(lists, a_certificate(8))
    assert "revocation.revoked" == answer(lists, a_certificate(8), after=day)
    assert "revocation.unknown" == answer(lists, a_certificate(7, authority=OTHER))


def test_who_needs_no_answer_is_refused_only_when_revoked():
    """An authority that names no list is asked about all the same, if there is one."""
    lists = RevocationLists().with_list(a_list(1, 8))
    assert None is answer(lists, a_certificate(7, authority=OTHER, required=False))
    assert None is answer(lists, a_certificate(7, required=False), after=10 * DAY.total_seconds())
    assert "revocation.revoked" == answer(lists, a_certificate(8, required=False))


def test_revoked_goes_before_what_is_not_known():
    """What is certain is told first, wherever on the path it stands."""
    lists = RevocationLists().with_list(a_list(1, 8))
    assert "revocation.revoked" == answer(lists, a_certificate(authority=OTHER), a_certificate(8))


def test_an_outage_is_tolerated_for_so_many_minutes_and_no_more():
    """The last good answer counts a while longer; none at all never does, and revoked stays revoked."""
    lists, day = RevocationLists().with_list(a_list(1, 8)), DAY.total_seconds()
    policy = RevocationPolicy.tolerate_outage(minutes=5)
    assert None is answer(lists, a_certificate(), policy=policy, after=day + 299.999)
    assert "revocation.unreachable" == answer(lists, a_certificate(), policy=policy, after=day + 300)
    assert "revocation.revoked" == answer(lists, a_certificate(8), policy=policy, after=day + 10)
    assert "revocation.unknown" == answer(RevocationLists(), a_certificate(), policy=policy)


def test_switched_off_nothing_is_asked():
    """The named choice asks nothing at all."""
    lists = RevocationLists().with_list(a_list(1, 7))
    assert None is answer(lists, a_certificate(7), policy=RevocationPolicy.off())


def test_less_than_everything_is_logged(caplog):
    """Whoever asks for less reads it in the log."""
    caplog.set_level("WARNING")
    RevocationPolicy.require()
    assert [] == caplog.records
    RevocationPolicy.tolerate_outage(minutes=1)
    RevocationPolicy.off()
    assert 2 == len(caplog.records)


@pytest.mark.parametrize("minutes", [0, -1, 10_081, 1.5, True, "5", None])
def test_an_outage_has_bounds(minutes):
    """From one minute to seven days."""
    with pytest.raises(ConfigurationError):
        RevocationPolicy.tolerate_outage(minutes=minutes)


@pytest.mark.parametrize(
    "made",
    [
        {"name": "sometimes"},
        {"name": "require", "outage": DAY},
        {"name": "tolerate_outage"},
        {"name": "tolerate_outage", "outage": 8 * DAY},
        {"name": "tolerate_outage", "outage": 60},
    ],
)
def test_a_policy_that_says_nothing_of_the_kind_is_none(made):
    """A policy made by hand is checked like any other."""
    with pytest.raises(ConfigurationError):
        RevocationPolicy(**made)


def test_a_later_good_never_overrides_revoked():
    """Neither a newer list without the number, nor an older one, nor the end of a hold."""
    lists = RevocationLists().with_list(a_list(1, 7))
    for later in (a_list(2, day=1), a_list(1), a_list(0, day=-1)):
        lists = lists.with_list(later)
        assert "revocation.revoked" == answer(lists, a_certificate(7), after=1)


def test_an_older_list_replaces_nothing():
    """A replay of yesterday's list changes neither number nor end."""
    newest = a_list(2, day=1)
    lists = RevocationLists().with_list(newest).with_list(a_list(1, 9))
    held = lists.by_authority[AUTHORITY]
    assert (2, newest.next_update) == (held.number, held.next_update)


_LISTS = st.builds(
    lambda number, serials, day: a_list(number, *serials, day=day),
    st.integers(0, 3),
    st.frozensets(st.integers(1, 9), max_size=4),
    st.integers(-2, 2),
)


@given(lists=st.lists(_LISTS, max_size=5), seed=st.randoms())
def test_the_order_in_which_lists_come_does_not_matter(lists, seed):
    """All who saw the same lists give the same answers."""
    mixed = [*lists, *lists]
    seed.shuffle(mixed)
    one, other = RevocationLists(), RevocationLists()
    for each in lists:
        one = one.with_list(each)
    for each in mixed:
        other = other.with_list(each)
    assert one == other


def test_lists_are_values():
    """Nobody changes what others look at."""
    lists = RevocationLists()
    more = lists.with_list(a_list())
    assert (0, 1) == (len(lists), len(more))
    with pytest.raises(TypeError):
        more.by_authority[OTHER] = a_list()


def test_threads_look_up_while_lists_are_replaced():
    """A look-up sees one whole set of lists, old or new."""
    holder = {"lists": RevocationLists().with_list(a_list(1, 8))}
    wrong, done = [], threading.Event()

    def look():
        while not done.is_set():
            if answer(holder["lists"], a_certificate(8)) != "revocation.revoked":
                wrong.append(1)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for number in range(200):
        holder["lists"] = holder["lists"].with_list(a_list(number))
    done.set()
    for each in threads:
        each.join()
    assert [] == wrong


# A chain and its lists.


@pytest.fixture
def chain_of(issuer, keyring):
    trust = TrustStore.for_tests(issuer.root_pem)
    leaf, *rest = [der(one) for one in keyring.signer("assertion").chain]
    profile = ChainProfile.assertion(issuer.issuer)
    return lambda **asked: verify_chain(leaf, rest, trust=trust, profile=profile, **{"now": NOW, **asked})


@pytest.fixture
def lists(keyring):
    found = RevocationLists()
    for name in ("authority", "root"):
        data = keyring.revocations.draft(f"/crl/{name}.der", keyring, NOW).encode()
        found = found.with_list(load_crl(data, issuer=der(getattr(keyring, name).certificate), now=NOW))
    return found


def test_a_path_says_what_is_to_be_asked(chain_of, keyring, issuer):
    """Every certificate but the root, with its number, its authority and the addresses in it."""
    leaf, authority = chain_of().certificates
    certificates = keyring.signer("assertion").chain
    assert [one.serial_number for one in certificates] == [leaf.serial, authority.serial]
    assert (f"{issuer.issuer}/crl/authority.der",) == leaf.distribution_points
    assert (f"{issuer.issuer}/crl/root.der",) == authority.distribution_points
    assert leaf.required
    assert authority.required
    assert der(keyring.root.certificate) == authority.issuer


def test_a_chain_is_asked_about_afresh_on_every_hit(chain_of, lists):
    """A verdict that was kept does not outlive what the lists say since."""
    cache = ChainCache()
    chain = chain_of(cache=cache, crls=lists)
    assert chain is chain_of(cache=cache, crls=lists)
    leaf = chain.certificates[0]
    held = lists.by_authority[leaf.authority]
    revoked = lists.with_list(replace(held, serials=frozenset({leaf.serial})))
    assert "revocation.revoked" == code_of(chain_of, cache=cache, crls=revoked)
    assert "revocation.unknown" == code_of(chain_of, cache=cache, crls=RevocationLists())
    late = held.next_update
    assert "revocation.unreachable" == code_of(chain_of, cache=cache, crls=lists, now=late)
    assert chain is chain_of(cache=cache)


def test_an_authority_below_the_root_is_asked_about(chain_of, lists):
    """An authority that was taken back vouches for nobody."""
    authority = chain_of().certificates[1]
    held = lists.by_authority[authority.authority]
    revoked = lists.with_list(replace(held, serials=frozenset({authority.serial})))
    assert "revocation.revoked" == code_of(chain_of, crls=revoked)
    alone = RevocationLists({held.authority: held})
    assert "revocation.unknown" == code_of(chain_of, crls=alone)


def test_the_policy_is_that_of_the_caller(chain_of):
    """Without lists only who asks for nothing is answered."""
    assert chain_of(crls=RevocationLists(), revocation=RevocationPolicy.off()).certificates
