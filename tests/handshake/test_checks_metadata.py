"""The claims of the issuer's signed metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client import (
    AppLaunchSettings,
    Assurance,
    ClientCertificate,
    ClientKeys,
    DecryptionKey,
    TrustStore,
)
from cyberid_client.testing.jose import ALGORITHMS
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.pki import pem
from cyberid_client.testing.tls import make_client_certificate

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
    "app_verification_endpoint",
)
ALIASES = ("token_endpoint", "pushed_authorization_request_endpoint")


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


@pytest.fixture(scope="module")
def protections(parts):
    """Every protection that may be configured, with the keys that it needs."""
    made = make_client_certificate("shop")
    decryption = DecryptionKey(ec.generate_private_key(ec.SECP256R1()), algorithm="ECDH-ES")
    keys = ClientKeys(
        signing=parts["rp"].client_keys.signing,
        decryption=(decryption,),
        tls=ClientCertificate(certificate_pem=made.certificate_pem, key_pem=made.key_pem),
    )
    with_keys = {"key": None, "keys": keys}
    return {
        "dpop": {"sender_constraint": "dpop"},
        "mtls": {"sender_constraint": "mtls", **with_keys},
        "tls_client_auth": {"client_authentication": "tls_client_auth", **with_keys},
        "self_signed": {"client_authentication": "self_signed_tls_client_auth", **with_keys},
        "jarm": {"response": "jarm"},
        "jwe": {"id_token": "jwe", **with_keys},
        "signed": {"request_object": "signed"},
    }


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
        if endpoint in ALIASES:
            assert ENDPOINT == metadata.verdict(mtls_endpoint_aliases={endpoint: url})

    def test_who_shows_a_certificate_goes_to_its_own_endpoints(self, metadata):
        """An alias stands for its endpoint, and only where a certificate is shown (RFC 8705 §5)."""
        aliases = {name: f"https://issuer.example/mtls/{name}" for name in ALIASES}
        believed = metadata.judge(metadata.token(mtls_endpoint_aliases=aliases))
        assert aliases == {
            "token_endpoint": believed.token_endpoint_for(certificate=True),
            "pushed_authorization_request_endpoint": believed.par_endpoint_for(certificate=True),
        }
        assert (believed.token_endpoint, believed.par_endpoint) == (
            believed.token_endpoint_for(certificate=False),
            believed.par_endpoint_for(certificate=False),
        )

    @pytest.mark.parametrize("aliases", [..., {}])
    def test_without_aliases_there_is_one_place_for_all(self, metadata, aliases):
        """Where no alias is named, certificates are shown at the endpoint itself."""
        believed = metadata.judge(metadata.token(mtls_endpoint_aliases=aliases))
        assert (believed.token_endpoint, believed.par_endpoint) == (
            believed.token_endpoint_for(certificate=True),
            believed.par_endpoint_for(certificate=True),
        )

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
    aliases = {name: f"{issuer}/{name}" for name in ALIASES}
    good = {**{name: f"{issuer}/{name}" for name in ENDPOINTS}, "mtls_endpoint_aliases": aliases}
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

    def test_who_launches_apps_needs_a_place_where_launches_are_verified(self, metadata):
        """The endpoint is demanded of the issuer when app launch is configured, and only then."""
        launching = {
            "app_launch": AppLaunchSettings(org_id="org-1", app_ids={"android": "app-1"}),
        }
        endpoint = "https://issuer.example/app-verification"
        assert CAPABILITY == metadata.verdict(settings=launching, app_verification_endpoint=...)
        assert None is metadata.verdict(settings=launching, app_verification_endpoint=endpoint)
        assert None is metadata.verdict(app_verification_endpoint=...)

    @pytest.mark.parametrize(("face", "believed"), [(True, True), (False, False), (..., False)])
    def test_what_is_said_of_app_launches_is_believed(self, metadata, face, believed):
        """Whether the ID app takes pictures comes out of the signed claims; an issuer that is silent takes none."""
        assert believed is metadata.judge(metadata.token(app_launch_face=face)).app_launch_face

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

    @pytest.mark.parametrize(
        ("protection", "claim", "less"),
        [
            ("dpop", "dpop_signing_alg_values_supported", ["RS256"]),
            ("dpop", "dpop_signing_alg_values_supported", ...),
            ("mtls", "tls_client_certificate_bound_access_tokens", False),
            ("mtls", "tls_client_certificate_bound_access_tokens", ...),
            ("tls_client_auth", "token_endpoint_auth_methods_supported", ["private_key_jwt"]),
            ("tls_client_auth", "token_endpoint_auth_methods_supported", ["self_signed_tls_client_auth"]),
            ("self_signed", "token_endpoint_auth_methods_supported", ["tls_client_auth"]),
            ("jarm", "response_modes_supported", ["query", "jwt", "fragment.jwt"]),
            ("jarm", "response_modes_supported", ...),
            ("jarm", "authorization_signing_alg_values_supported", ["none", "RS256"]),
            ("jarm", "authorization_signing_alg_values_supported", ...),
            ("jwe", "id_token_encryption_alg_values_supported", ["RSA-OAEP", "ECDH-ES+A256KW"]),
            ("jwe", "id_token_encryption_alg_values_supported", ...),
            ("jwe", "id_token_encryption_enc_values_supported", ["A128GCM"]),
            ("jwe", "id_token_encryption_enc_values_supported", ...),
            ("signed", "request_object_signing_alg_values_supported", ["none", "RS256"]),
            ("signed", "request_object_signing_alg_values_supported", ...),
        ],
    )
    def test_each_configured_protection_is_demanded(self, metadata, protections, protection, claim, less):
        """An issuer that offers less than this configuration is refused, and nobody else loses by it."""
        assert None is metadata.verdict(settings=protections[protection])
        assert CAPABILITY == metadata.verdict(settings=protections[protection], **{claim: less})
        if claim not in {"response_modes_supported", "token_endpoint_auth_methods_supported"}:
            assert None is metadata.verdict(**{claim: less})

    def test_all_protections_together_are_offered(self, metadata, protections):
        """An issuer that offers everything serves whoever wants everything."""
        together = {
            name: value for each in ("dpop", "jarm", "signed") for name, value in protections[each].items()
        }
        assert None is metadata.verdict(settings={**together, **protections["jwe"]})

    def test_an_issuer_that_demands_signed_requests_must_take_ours(self, metadata):
        """Whoever demands signed requests gets them, and so must know the algorithm of the client's key."""
        demand = {"require_signed_request_object": True}
        assert None is metadata.verdict(**demand)
        assert CAPABILITY == metadata.verdict(**demand, request_object_signing_alg_values_supported=["PS256"])

    def test_who_proves_itself_in_tls_signs_nothing(self, metadata, protections):
        """The algorithms of client assertions are of no interest to who makes none."""
        less = {"token_endpoint_auth_signing_alg_values_supported": ...}
        assert None is metadata.verdict(settings=protections["tls_client_auth"], **less)

    def test_a_signed_response_has_its_issuer_inside(self, metadata, protections):
        """The parameter of RFC 9207 is not needed beside a response that is signed, nor is the mode query."""
        less = {
            "authorization_response_iss_parameter_supported": ...,
            "response_modes_supported": ["query.jwt"],
        }
        assert None is metadata.verdict(settings=protections["jarm"], **less)
        assert CAPABILITY == metadata.verdict(**less)

    def test_by_tls_alone_as_much_is_demanded(self, responses, protections):
        """Unsigned metadata are believed in other ways, not offered less protection."""
        for protection, claim in (
            ("dpop", "dpop_signing_alg_values_supported"),
            ("jarm", "authorization_signing_alg_values_supported"),
            ("jwe", "id_token_encryption_enc_values_supported"),
        ):
            assert None is responses.unsigned(settings=protections[protection])
            assert CAPABILITY == responses.unsigned(settings=protections[protection], **{claim: ...})

    @pytest.mark.parametrize("value", ["true", 1, None])
    def test_a_flag_is_a_truth_value(self, metadata, value):
        """A text or a number is not true."""
        claim = {"authorization_response_iss_parameter_supported": value}
        assert ("parsing", "metadata.claim_type") == metadata.verdict(**claim)
