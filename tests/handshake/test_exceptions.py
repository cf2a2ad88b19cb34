"""The two named exceptions for ordinary OpenID Providers: what they forgive, and what they do not."""

from __future__ import annotations

import pytest

from cyberid_client import Assurance, Factor, Persistence

UNKNOWN_KEY = ("check_key", "id_token.key_unknown")
# Region 11, born on the first of January 1890: nobody's number.
RESIDENT = "110101189001010075"
NO_CHAIN = {"assertion_chain": "absent"}
TLS = {
    "metadata_trust": "tls",
    "assurance_values": {"urn:op:silver": Assurance.R01, "urn:op:gold": Assurance.R02},
    "persistence": Persistence.RECORD,
}
BOTH = {**TLS, **NO_CHAIN, "trust": None}
SPARSE = {"acr": "urn:op:gold", "amr": ..., "sector": ..., "persistence": ..., "sid": ...}


@pytest.fixture
def bare_keys(assertion):
    """The key set of an issuer without certificates."""
    own = assertion.keyring.signer("assertion").to_jwk()
    return assertion.key_set({name: value for name, value in own.items() if name != "x5c"})


class TestWithoutChain:
    def test_a_published_key_is_enough(self, assertion, bare_keys):
        """Without a chain anywhere the key set alone vouches for the key."""
        token = {"keys": bare_keys, "header": {"x5c": ...}}
        assert ("check_chain", "id_token.chain_missing") == assertion.verdict(**token)
        assert None is assertion.verdict(**token, settings=NO_CHAIN)

    def test_a_certified_key_that_is_not_published_is_unknown(self, assertion):
        """What a header carries is no key when chains are not judged."""
        stranger = assertion.keyring.make_signer("assertion", assertion.now)
        assert UNKNOWN_KEY == assertion.verdict(signer=stranger, settings=NO_CHAIN)

    @pytest.mark.parametrize("chain", [["AAAA"], "honest"])
    def test_a_chain_that_comes_along_is_not_evidence(self, assertion, chain):
        """A chain that was not judged is not looked at, neither for the verdict nor for the evidence."""
        header = {} if chain == "honest" else {"x5c": chain}
        evidence = assertion.judge(assertion.token(header=header), settings=NO_CHAIN).evidence
        assert (None, None, None) == (
            evidence.signer_sha256,
            evidence.anchor_sha256,
            evidence.chain_expires_at,
        )
        assert "E3.6c" not in evidence.checks

    def test_the_shape_of_the_subject_stays_that_of_the_profile(self, assertion):
        """Only the chain is forgiven: a subject is still a pseudonym."""
        assert ("check_subject", "id_token.subject") == assertion.verdict(sub="short", settings=NO_CHAIN)


class TestByTLS:
    def test_what_an_ordinary_provider_leaves_out_comes_from_the_configuration(self, assertion):
        """Sector and persistence are the configured ones, and the factors are those of the mode."""
        login = assertion.judge(assertion.token(**SPARSE), settings=TLS)
        assert (Assurance.R02, frozenset({Factor.CERTIFICATE, Factor.PASSWORD})) == (
            login.assurance,
            login.factors,
        )
        assert ("https://shop.example", Persistence.RECORD) == (login.sector, login.persistence)

    def test_what_it_says_all_the_same_is_compared(self, assertion):
        """A sector or persistence that is there must be right."""
        other = {**SPARSE, "sector": "https://other.example"}
        assert ("check_sector", "id_token.sector") == assertion.verdict(**other, settings=TLS)
        odd = {**SPARSE, "persistence": "D"}
        assert ("check_persistence", "id_token.persistence") == assertion.verdict(**odd, settings=TLS)

    def test_a_persistence_must_stand_somewhere(self, assertion):
        """When neither the assertion nor the configuration says it, nothing is guessed."""
        settings = {**TLS, "persistence": None}
        assert ("check_persistence", "id_token.persistence") == assertion.verdict(**SPARSE, settings=settings)
        assert None is assertion.verdict(**{**SPARSE, "persistence": "A"}, settings=settings)

    @pytest.mark.parametrize("acr", [..., "urn:op:platinum", "urn:cyberid:mode:r02", "urn:op:silver"])
    def test_only_the_configured_words_mean_a_mode(self, assertion, acr):
        """An absent word, an unknown one, the profile's own and one for less are refused."""
        assert ("check_assurance", "id_token.assurance") == assertion.verdict(
            **{**SPARSE, "acr": acr}, settings=TLS
        )

    def test_words_of_its_own_for_factors_are_no_harm(self, assertion):
        """The factors come from the mode, whatever amr says."""
        login = assertion.judge(assertion.token(**{**SPARSE, "amr": ["pwd", "face"]}), settings=TLS)
        assert Assurance.R02.factors == login.factors

    @pytest.mark.parametrize("amr", [["certificate"], ["password"], ["certificate", "pwd"]])
    def test_the_profiles_own_words_for_factors_are_compared(self, assertion, amr):
        """Who says that a factor of the mode was not passed is believed, although it need not say anything."""
        told = {**SPARSE, "amr": amr}
        assert ("check_factors", "id_token.factors") == assertion.verdict(**told, settings=TLS)
        assert None is assertion.verdict(**told, settings={**TLS, "assertion_chain": "absent", "trust": None})

    def test_factors_beyond_the_mode_are_kept(self, assertion):
        """What passed is what the profile's own words say."""
        told = {**SPARSE, "amr": ["face", "certificate", "password"]}
        assert Assurance.R04.factors == assertion.judge(assertion.token(**told), settings=TLS).factors

    @pytest.mark.parametrize("subject", ["1", "x" * 255, "auth0|5f7c8ec7c33c6c004bbafe82", "a@b.example"])
    def test_a_subject_is_any_visible_text_up_to_255(self, assertion, subject):
        """What OpenID Connect allows as a subject is a pseudonym there, and so is a session id."""
        assert None is assertion.verdict(**{**SPARSE, "sub": subject, "sid": subject}, settings=TLS)

    @pytest.mark.parametrize("subject", ["x" * 256, "a b", "é", "x\n"])
    def test_a_longer_or_invisible_subject_is_refused(self, assertion, subject):
        """More than 255 characters, and any outside visible ASCII, are refused."""
        assert ("check_subject", "id_token.subject") == assertion.verdict(
            **{**SPARSE, "sub": subject}, settings=TLS
        )
        assert ("check_session_id", "id_token.session_id") == assertion.verdict(
            **{**SPARSE, "sid": subject}, settings=TLS
        )

    @pytest.mark.parametrize("form", ["{}", "auth0|{}", "cn.{}@op.example", "urn:op:{}", "a_{}-b"])
    def test_an_identity_number_between_any_separators_is_refused(self, assertion, form):
        """An ordinary provider's subject has other separators, and no number hides between them."""
        subject = {**SPARSE, "sub": form.format(RESIDENT)}
        assert ("check_no_identity_number", "id_token.identity_number") == assertion.verdict(
            **subject, settings=TLS
        )

    def test_the_chain_of_an_assertion_is_still_demanded(self, assertion, bare_keys):
        """Each exception forgives its own part only."""
        token = {**SPARSE, "keys": bare_keys, "header": {"x5c": ...}}
        assert ("check_chain", "id_token.chain_missing") == assertion.verdict(**token, settings=TLS)
        assert None is assertion.verdict(**token, settings=BOTH)

    def test_with_both_there_is_no_trust_store_in_the_evidence(self, assertion):
        """Where nothing is pinned the evidence names no store and no certificate."""
        evidence = assertion.judge(assertion.token(**SPARSE), settings=BOTH).evidence
        assert (None, None) == (evidence.trust_fingerprint, evidence.anchor_sha256)


class TestUnsignedMetadata:
    @pytest.mark.parametrize(
        ("page", "verdict"),
        [
            ({}, None),
            ({"issuer": "https://issuer.example/"}, ("check_discovery_issuer", "discovery.issuer")),
            ({"token_endpoint": "http://issuer.example/"}, ("check_endpoints", "metadata.endpoint")),
            ({"jwks_uri": "https://other.example/"}, ("check_endpoints", "metadata.endpoint")),
            (
                {"authorization_response_iss_parameter_supported": ...},
                ("check_capabilities", "metadata.capability"),
            ),
            ({"code_challenge_methods_supported": ...}, ("check_capabilities", "metadata.capability")),
            ({"issuer": ...}, ("parsing", "discovery.claim_missing")),
            ({"pushed_authorization_request_endpoint": ...}, ("parsing", "discovery.claim_missing")),
            ({"jwks_uri": ["x"]}, ("parsing", "discovery.claim_type")),
        ],
    )
    def test_issuer_endpoints_and_protection_are_demanded_all_the_same(self, responses, page, verdict):
        """Nobody signs the page, and still it must be the issuer's, lead nowhere else and offer enough."""
        assert verdict == responses.unsigned(**page)

    def test_the_words_for_modes_are_the_configured_ones(self, responses):
        """The configured mode is looked for by the provider's own word."""
        settings = {"assurance_values": TLS["assurance_values"]}
        assert ("check_capabilities", "metadata.capability") == responses.unsigned(settings=settings)
        assert None is responses.unsigned(settings=settings, acr_values_supported=["urn:op:gold"])
