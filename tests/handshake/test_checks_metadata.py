"""The claims of the issuer's signed metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cyberid_client import Assurance, TrustStore
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.pki import pem

MILLISECOND = 0.001
WEEK = 7 * 86_400
ISSUER = ("check_metadata_issuer", "metadata.issuer")
AHEAD = ("check_metadata_issued_at", "metadata.issued_in_future")
EXPIRED = ("check_metadata_expiry", "metadata.expired")
LIFETIME = ("check_metadata_lifetime", "metadata.lifetime")
ROLLED_BACK = ("check_not_rolled_back", "metadata.rolled_back")
ENDPOINT = ("check_endpoints", "metadata.endpoint")
CAPABILITY = ("check_capabilities", "metadata.capability")
ENDPOINTS = (
    "authorization_endpoint",
    "pushed_authorization_request_endpoint",
    "token_endpoint",
    "jwks_uri",
    "end_session_endpoint",
    "status_list_aggregation_endpoint",
)


def test_honest_metadata_are_believed_as_they_were_signed(metadata):
    """What is returned stood in the signed claims."""
    believed = metadata.judge(metadata.token())
    assert (metadata.issuer, metadata.seconds, metadata.seconds + 86_400) == (
        believed.issuer,
        believed.issued_at,
        believed.expires_at,
    )
    assert (
        "https://issuer.example/authorize",
        "https://issuer.example/par",
        "https://issuer.example/token",
        "https://issuer.example/jwks.json",
    ) == (believed.authorization_endpoint, believed.par_endpoint, believed.token_endpoint, believed.jwks_uri)


class TestIssuer:
    @pytest.mark.parametrize("claim", ["iss", "sub", "issuer"])
    @pytest.mark.parametrize(
        "value", ["https://issuer.example/", "https://other.example", "https://ISSUER.example", "shop"]
    )
    def test_all_three_names_are_the_configured_issuer(self, metadata, claim, value):
        """Issuer, subject and the claim issuer are compared byte for byte, each of them."""
        assert ISSUER == metadata.verdict(**{claim: value})

    def test_another_issuer_under_the_same_root_is_refused(self, metadata):
        """Metadata that another issuer made about itself are refused, for their names already."""
        other = "https://other.example"
        assert ISSUER == metadata.verdict(iss=other, sub=other, issuer=other)

    @pytest.mark.parametrize("claim", ["iss", "sub", "issuer", "iat", "exp", *ENDPOINTS[:4]])
    def test_what_is_required_cannot_be_left_out(self, metadata, claim):
        """Metadata without a required claim are refused unread."""
        assert ("parsing", "metadata.claim_missing") == metadata.verdict(**{claim: ...})
        assert ("parsing", "metadata.claim_type") == metadata.verdict(**{claim: [1]})


class TestTimes:
    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(-3600, None), (0, None), (10, None), (10 + MILLISECOND, AHEAD), (3600, AHEAD)],
    )
    def test_iat_may_be_ahead_by_the_leeway_and_no_more(self, metadata, offset, verdict):
        """An iat of now and ten seconds is forgiven, one millisecond more is not."""
        assert verdict == metadata.verdict(iat=metadata.seconds + offset)

    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(1, None), (MILLISECOND, None), (0, EXPIRED), (-MILLISECOND, EXPIRED), (-1, EXPIRED)],
    )
    def test_metadata_are_refused_from_the_very_second_of_exp(self, metadata, offset, verdict):
        """Metadata whose exp is now are expired; no leeway is given."""
        issued = metadata.seconds - 3600
        settings = {"clock_leeway": 60}
        assert verdict == metadata.verdict(iat=issued, exp=metadata.seconds + offset, settings=settings)

    @pytest.mark.parametrize(
        ("life", "verdict"), [(1, None), (WEEK, None), (WEEK + MILLISECOND, LIFETIME), (2 * WEEK, LIFETIME)]
    )
    def test_metadata_live_seven_days_at_most(self, metadata, life, verdict):
        """A life of exactly seven days is believed, one millisecond more is not."""
        assert verdict == metadata.verdict(exp=metadata.seconds + life)

    @pytest.mark.parametrize("life", [0, -1])
    def test_metadata_live_at_all(self, metadata, life):
        """Metadata that end when they begin, or before, are refused though they are not expired yet."""
        issued = metadata.seconds + 10
        assert LIFETIME == metadata.verdict(iat=issued, exp=issued + life)

    def test_the_bounds_hold_at_the_given_time(self, metadata):
        """The same bytes are believed until exp, by the clock alone."""
        assert None is metadata.verdict(now=metadata.now + timedelta(seconds=86_399.999))
        assert EXPIRED == metadata.verdict(now=metadata.now + timedelta(seconds=86_400))


class TestRollBack:
    @pytest.mark.parametrize(
        ("newest", "verdict"),
        [(None, None), (-3600, None), (0, None), (MILLISECOND, ROLLED_BACK), (3600, ROLLED_BACK)],
    )
    def test_older_metadata_than_the_newest_are_refused(self, metadata, newest, verdict):
        """The same age is believed, one millisecond older is not."""
        newest_iat = None if newest is None else metadata.seconds + newest
        assert verdict == metadata.verdict(newest_iat=newest_iat)


class TestEndpoints:
    @pytest.mark.parametrize("endpoint", ENDPOINTS)
    @pytest.mark.parametrize(
        "url",
        [
            "http://issuer.example/x",
            "https://other.example/x",
            "https://issuer.example.evil.example/x",
            "https://evil.example/issuer.example",
            "https://issuer.example@evil.example/x",
            "https://evil.example\\@issuer.example/x",
            "https://issuer.example/x#fragment",
            "https://sub.issuer.example/x",
            "https://issuer.example./x",
            "http://127.0.0.1/x",
            "https://127.0.0.1/x",
            "javascript:alert(1)",
            "//issuer.example/x",
            "/x",
        ],
    )
    def test_every_endpoint_is_https_on_the_issuers_host(self, metadata, endpoint, url):
        """Each endpoint is judged, and none may lead elsewhere or into the clear."""
        assert ENDPOINT == metadata.verdict(**{endpoint: url})

    def test_ports_paths_and_queries_are_free(self, metadata):
        """It is the host that is compared."""
        assert None is metadata.verdict(token_endpoint="https://issuer.example:8443/a/b?tenant=1")

    def test_other_hosts_may_be_configured(self, metadata):
        """Configured hosts take the place of the issuer's own, which is then none of them."""
        settings = {"issuer_hosts": frozenset({"login.example", "issuer.example"})}
        moved = {"token_endpoint": "https://login.example/token"}
        assert ENDPOINT == metadata.verdict(**moved)
        assert None is metadata.verdict(**moved, settings=settings)
        assert ENDPOINT == metadata.verdict(settings={"issuer_hosts": frozenset({"login.example"})})

    def test_a_page_of_status_lists_may_be_absent(self, metadata):
        """An issuer without status lists names no page of them."""
        token = metadata.token(status_list_aggregation_endpoint=...)
        assert None is metadata.judge(token).status_list_aggregation_endpoint

    def test_a_logout_endpoint_may_be_absent(self, metadata):
        """The endpoint of logout is optional, and judged like the others when it is there."""
        assert None is metadata.verdict(end_session_endpoint=...)
        assert None is metadata.verdict(end_session_endpoint="https://issuer.example/logout")


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8080", "http://[::1]:8080"])
def test_a_test_issuer_on_loopback_may_use_http_there(metadata, issuer):
    """With a store for tests an issuer on loopback has endpoints on the same literal address, and no others."""
    keyring = Keyring(issuer=issuer, algorithm=ALGORITHMS["ES256"], now=metadata.now)
    rp = replace(metadata.rp, issuer=issuer, trust=TrustStore.for_tests(pem(keyring.root.certificate)))
    bench = replace(metadata, keyring=keyring, rp=rp, crls=metadata.lists_of(keyring))
    claims = {"iss": issuer, "sub": issuer, "issuer": issuer}
    good = {name: f"{issuer}/{name}" for name in ENDPOINTS}
    assert None is bench.verdict(**claims, **good)
    assert ENDPOINT == bench.verdict(**claims, **{**good, "jwks_uri": "http://localhost:8080/jwks"})
    assert ENDPOINT == bench.verdict(**claims, **{**good, "jwks_uri": "http://issuer.example/jwks"})


class TestCapabilities:
    @pytest.mark.parametrize(
        ("claim", "less"),
        [
            ("authorization_response_iss_parameter_supported", False),
            ("authorization_response_iss_parameter_supported", ...),
            ("response_types_supported", ["code id_token"]),
            ("response_types_supported", ...),
            ("response_modes_supported", ["fragment", "form_post"]),
            ("subject_types_supported", ["public"]),
            ("subject_types_supported", ...),
            ("code_challenge_methods_supported", ["plain"]),
            ("code_challenge_methods_supported", ...),
            ("token_endpoint_auth_methods_supported", ["client_secret_basic"]),
            ("token_endpoint_auth_methods_supported", ...),
            ("token_endpoint_auth_signing_alg_values_supported", ["RS256"]),
            ("token_endpoint_auth_signing_alg_values_supported", ...),
            ("id_token_signing_alg_values_supported", ["none", "RS256"]),
            ("id_token_signing_alg_values_supported", ...),
            ("acr_values_supported", ["urn:cyberid:mode:r01", "urn:cyberid:mode:r03"]),
            ("acr_values_supported", ...),
        ],
    )
    def test_less_protection_than_configured_is_refused(self, metadata, claim, less):
        """What protects a login is configured and never negotiated: each part is demanded by itself."""
        assert CAPABILITY == metadata.verdict(**{claim: less})

    def test_more_is_no_harm(self, metadata):
        """An issuer may offer more than is asked for."""
        more = {
            "response_types_supported": ["code", "id_token"],
            "response_modes_supported": ["query", "fragment"],
            "subject_types_supported": ["public", "pairwise"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }
        assert None is metadata.verdict(**more)

    def test_response_modes_are_query_by_default(self, metadata):
        """An absent list of response modes includes query (RFC 8414 §2)."""
        assert None is metadata.verdict(response_modes_supported=...)

    def test_it_is_the_configured_values_that_count(self, metadata):
        """Another mode or algorithm in the configuration is looked for in the lists."""
        weak = {"acr_values_supported": ["urn:cyberid:mode:r01"]}
        assert CAPABILITY == metadata.verdict(**weak)
        assert None is metadata.verdict(**weak, settings={"assurance": Assurance.R01})

    @pytest.mark.parametrize("value", ["true", 1, None])
    def test_a_flag_is_a_truth_value(self, metadata, value):
        """A text or a number is not true."""
        claim = {"authorization_response_iss_parameter_supported": value}
        assert ("parsing", "metadata.claim_type") == metadata.verdict(**claim)
