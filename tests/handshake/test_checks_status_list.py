"""A status list from its signature to its last entry, and the page that names the lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cyberid_client import TrustStore
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring, x5c_of
from cyberid_client.testing.pki import PURPOSES, pem

MILLISECOND = 0.001
DAY = 86_400
STATUS_SIGNING = "1.3.6.1.5.5.7.3.30"
ADDRESS = ("check_list_addresses", "status_aggregation.url")
SUBJECT = ("check_list_subject", "status_list.subject")
AUDIENCE = ("check_list_audience", "status_list.audience")
AHEAD = ("check_list_issued_at", "status_list.issued_in_future")
TOO_OLD = ("check_list_issued_at", "status_list.issued_too_long_ago")
EARLY = ("check_list_not_before", "status_list.not_yet_valid")
EXPIRED = ("check_list_expiry", "status_list.expired")
TTL = ("check_list_ttl", "status_list.ttl")
ROLLED_BACK = ("check_list_not_rolled_back", "status_list.rolled_back")
COMPRESSION = ("check_entries", "status_list.compression")


def test_an_honest_list_is_believed_as_it_was_signed(status_list):
    """What is returned stood in the signed claims, and the entries are those that were packed."""
    believed = status_list.judge(status_list.token())
    assert (status_list.uri, 1, 16, status_list.seconds, status_list.seconds + 3600, 300.0) == (
        believed.uri,
        believed.bits,
        len(believed),
        believed.issued_at,
        believed.expires_at,
        believed.lifetime,
    )
    assert [5] == [idx for idx in range(16) if believed.status_at(idx)]
    assert (status_list.now, status_list.now + timedelta(hours=1)) == (
        believed.fetched_at,
        believed.holds_until,
    )


class TestKind:
    @pytest.mark.parametrize(
        ("typ", "accepted"),
        [
            ("statuslist+jwt", True),
            ("application/statuslist+jwt", True),
            ("StatusList+JWT", True),
            ("JWT", False),
            ("statuslist+cwt", False),
            ("statuslist", False),
            ("cyberid-metadata+jwt", False),
            (..., False),
        ],
    )
    def test_a_list_says_that_it_is_one(self, status_list, typ, accepted):
        """The type is required and compared as everywhere (§5.1; RFC 8725 §3.11)."""
        verdict = None if accepted else ("check_type", "status_list.type")
        assert verdict == status_list.verdict(header={"typ": typ})

    @pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256", "es256"])
    def test_the_algorithm_is_the_configured_one(self, status_list, alg):
        """No code for message authentication, no other algorithm (§11.6)."""
        assert ("check_algorithm", "status_list.algorithm") == status_list.verdict(header={"alg": alg})


class TestSigner:
    @pytest.mark.parametrize("purpose", ["assertion", "metadata", "credential", "relying_party"])
    def test_signers_of_other_documents_sign_no_lists(self, status_list, purpose):
        """The certificate's purpose is status and no other, whatever the issuer."""
        signer = status_list.keyring.make_signer(purpose, status_list.now)
        assert ("check_chain", "chain.purpose") == status_list.verdict(signer=signer)

    def test_the_usage_of_the_standard_is_as_good(self, status_list):
        """A certificate with id-kp-oauthStatusSigning signs lists, if its authority may issue such."""
        keyring, now = status_list.keyring, status_list.now
        signer = keyring.signer("status")
        both = (*PURPOSES.values(), STATUS_SIGNING)
        for usages, verdict in (
            (both, None),
            (tuple(PURPOSES.values()), ("check_chain", "chain.ca_purpose")),
        ):
            authority = keyring.other_authority(
                now, change=lambda form, oids=usages: replace(form, purposes=oids)
            )
            chain = keyring.rechain(
                signer,
                now,
                change=lambda form: replace(form, purposes=(STATUS_SIGNING,)),
                authority=authority,
            )
            assert verdict == status_list.verdict(header={"x5c": x5c_of(chain)})

    def test_both_usages_are_one_too_many(self, status_list):
        """A signer has exactly one usage (profile §2)."""
        both = (PURPOSES["status"], PURPOSES["assertion"])
        keyring, now = status_list.keyring, status_list.now
        chain = keyring.rechain(
            keyring.signer("status"), now, change=lambda form: replace(form, purposes=both)
        )
        assert ("check_chain", "chain.purpose") == status_list.verdict(header={"x5c": x5c_of(chain)})

    def test_another_issuer_under_the_same_root_is_refused(self, status_list):
        """A status signer of another issuer signs no list of this one."""
        keyring = Keyring(issuer="https://other.example", algorithm=ALGORITHMS["ES256"], now=status_list.now)
        rp = replace(status_list.rp, trust=TrustStore.for_tests(pem(keyring.root.certificate)))
        bench = replace(status_list, keyring=keyring, rp=rp)
        assert ("check_chain", "chain.subject_uri") == bench.verdict()

    def test_a_key_that_the_chain_does_not_certify_is_refused(self, status_list):
        """The chain of the honest signer beside the signature of another."""
        stranger = status_list.keyring.make_signer("status", status_list.now)
        chain = x5c_of(status_list.keyring.signer("status").chain)
        verdict = status_list.verdict(signer=stranger, header={"x5c": chain})
        assert ("check_signature", "status_list.signature") == verdict

    def test_a_signature_covers_every_byte(self, status_list):
        """One bit of the payload, and nothing is believed."""

        def edit(draft):
            # The last character of "exp" is changed after signing.
            draft.edit_token = lambda token: token.replace(token.split(".")[1][8], "A", 1)

        assert status_list.verdict(edit=edit) in {
            ("check_signature", "status_list.signature"),
            ("parsing", "status_list.malformed"),
            ("parsing", "status_list.claim_missing"),
        }


class TestAddress:
    @pytest.mark.parametrize(
        "sub",
        [
            "https://issuer.example/status-lists/1/",
            "https://issuer.example/status-lists/1#",
            "https://issuer.example/status-lists/1?",
            "https://issuer.example/status-lists/01",
            "https://ISSUER.example/status-lists/1",
            "https://issuer.example:443/status-lists/1",
            "https://issuer.example/status-lists/%31",
            "1",
        ],
    )
    def test_it_is_the_list_that_was_asked_for(self, status_list, sub):
        """Subject and address are compared byte for byte, nothing is normalised (§8.3)."""
        assert SUBJECT == status_list.verdict(sub=sub)

    def test_the_address_counts_and_not_the_claim(self, status_list):
        """The same bytes are refused at another address."""
        assert SUBJECT == status_list.verdict(uri=status_list.uri + "2")

    @pytest.mark.parametrize(
        ("aud", "verdict"),
        [
            (..., None),
            ("shop", None),
            (["shop"], None),
            (["another", "shop"], None),
            ("another", AUDIENCE),
            (["another"], AUDIENCE),
            ("shop2", AUDIENCE),
            ("SHOP", AUDIENCE),
        ],
    )
    def test_a_list_for_others_is_refused(self, status_list, aud, verdict):
        """An audience is not expected; one that is there includes this client (RFC 7519 §4.1.3)."""
        assert verdict == status_list.verdict(aud=aud)


class TestTimes:
    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(-DAY * 365, None), (0, None), (10, None), (10 + MILLISECOND, AHEAD), (DAY, AHEAD)],
    )
    def test_iat_may_be_ahead_by_the_leeway_and_no_more(self, status_list, offset, verdict):
        """An iat of now and ten seconds is forgiven, one millisecond more is not."""
        assert verdict == status_list.verdict(iat=status_list.seconds + offset)

    @pytest.mark.parametrize(
        ("age", "verdict"), [(0, None), (DAY, None), (DAY + MILLISECOND, TOO_OLD), (DAY * 365, TOO_OLD)]
    )
    def test_a_list_without_an_end_is_a_day_old_at_most(self, status_list, age, verdict):
        """Whoever holds back a newer list cannot show an endless old one for ever."""
        assert verdict == status_list.verdict(iat=status_list.seconds - age, exp=...)

    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(1, None), (MILLISECOND, None), (0, EXPIRED), (-MILLISECOND, EXPIRED), (-DAY, EXPIRED)],
    )
    def test_a_list_is_refused_from_the_very_second_of_exp(self, status_list, offset, verdict):
        """A list whose exp is now is expired; no leeway is given (§13.7)."""
        settings = {"clock_leeway": 60}
        assert verdict == status_list.verdict(exp=status_list.seconds + offset, settings=settings)

    @pytest.mark.parametrize(
        ("offset", "verdict"), [(-1, None), (0, None), (10, None), (10 + MILLISECOND, EARLY)]
    )
    def test_nbf_may_be_ahead_by_the_leeway_and_no_more(self, status_list, offset, verdict):
        """A list is not used before its time."""
        assert verdict == status_list.verdict(nbf=status_list.seconds + offset)

    @pytest.mark.parametrize(
        ("ttl", "verdict"),
        [
            (..., None),
            (1e300, None),
            (1, None),
            (MILLISECOND, None),
            (0, TTL),
            (-MILLISECOND, TTL),
            (-1, TTL),
        ],
    )
    def test_a_time_to_live_is_above_0(self, status_list, ttl, verdict):
        """A positive number of any size; what is too much or too little of it is bounded later (§5.1)."""
        assert verdict == status_list.verdict(ttl=ttl)

    @pytest.mark.parametrize(
        ("newest", "verdict"),
        [(None, None), (-3600, None), (0, None), (MILLISECOND, ROLLED_BACK), (3600, ROLLED_BACK)],
    )
    def test_an_older_list_than_the_newest_is_refused(self, status_list, newest, verdict):
        """The same age is believed, one millisecond older is not: who was revoked stays revoked."""
        newest_iat = None if newest is None else status_list.seconds + newest
        assert verdict == status_list.verdict(newest_iat=newest_iat)


class TestEntries:
    @pytest.mark.parametrize(
        "lst", ["eNrbuRgAAhcB", "eNrbuRgAAhcBXQAA", "AAAA", "H4sIAAAAAAAA_wMAAAAAAAAAAAA"]
    )
    def test_what_is_no_complete_stream_is_refused(self, status_list, lst):
        """Cut off, followed by something, or of another format."""
        assert COMPRESSION == status_list.verdict(status_list={"bits": 1, "lst": lst})

    def test_nothing_is_inflated_before_the_list_is_believed(self, status_list):
        """A forged bomb is refused for its signature."""
        entries = status_list.entries(bytes(2**27 + 1))

        def edit(draft):
            draft.edit_signature = lambda signature: bytes(len(signature))

        assert ("check_signature", "status_list.signature") == status_list.verdict(
            status_list=entries, edit=edit
        )


class TestPage:
    @pytest.mark.parametrize(
        "url",
        [
            "http://issuer.example/1",
            "https://other.example/1",
            "https://issuer.example.evil.example/1",
            "https://issuer.example@evil.example/1",
            "https://sub.issuer.example/1",
            "https://issuer.example/1#fragment",
            "http://127.0.0.1/1",
            "https://127.0.0.1/1",
            "file:///etc/passwd",
            "//issuer.example/1",
            "/1",
            "1",
        ],
    )
    def test_every_list_is_https_on_the_issuers_host(self, status_list, url):
        """One address that leads elsewhere, and none of the page is used."""
        assert ADDRESS == status_list.aggregation(status_lists=[status_list.uri, url])

    def test_ports_paths_and_queries_are_free(self, status_list):
        """It is the host that is compared."""
        assert None is status_list.aggregation(status_lists=["https://issuer.example:8443/a/b?c=d"])

    def test_a_host_of_its_own_may_be_configured(self, status_list):
        """Lists may be served from where many fetch them, if the configuration says so."""
        settings = {"issuer_hosts": frozenset({"issuer.example", "lists.example"})}
        page = {"status_lists": ["https://lists.example/1"]}
        assert ADDRESS == status_list.aggregation(**page)
        assert None is status_list.aggregation(**page, settings=settings)
