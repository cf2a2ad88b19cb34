"""The issuer's answers on the back channel."""

from __future__ import annotations

import pytest

REFERENCE = ("check_request_uri", "par.request_uri")
REFERENCE_LIFE = ("check_request_uri_lifetime", "par.expires_in")
ACCESS_TOKEN = ("check_access_token", "token.access_token")
TOKEN_TYPE = ("check_token_type", "token.token_type")
SCOPE = ("check_granted_scope", "token.scope")
LIFE = ("check_expires_in", "token.expires_in")


class TestDiscovery:
    def test_the_page_is_that_of_the_configured_issuer(self, responses):
        """The honest page is believed as far as it is read."""
        assert None is responses.discovery()

    @pytest.mark.parametrize(
        "issuer",
        [
            "https://issuer.example/",
            "https://issuer.example1",
            "https://ISSUER.example",
            "https://other.example",
        ],
    )
    def test_the_page_of_another_issuer_is_refused(self, responses, issuer):
        """The issuer is compared byte for byte before anything else happens."""
        assert ("check_discovery_issuer", "discovery.issuer") == responses.discovery(issuer=issuer)

    def test_a_page_without_issuer_or_signed_metadata_is_refused_unread(self, responses):
        """The two members that are read must be there."""
        assert ("parsing", "discovery.issuer") == responses.discovery(issuer=...)
        assert ("parsing", "discovery.signed_metadata_missing") == responses.discovery(signed_metadata=...)


class TestPushedRequest:
    @pytest.mark.parametrize("status", [200, 202, 204, 302, 400, 401, 403])
    def test_only_201_is_an_acceptance(self, responses, status):
        """A pushed request was accepted with 201 and nothing else."""
        assert None is responses.par(status=201)
        assert ("check_par_status", "par.status") == responses.par(status=status)

    @pytest.mark.parametrize(
        "reference", ["urn:example:1", "https://issuer.example/r/1?x=%20", "x", "!~", "x" * 2048]
    )
    def test_a_reference_is_visible_ascii(self, responses, reference):
        """A reference may be any visible text of up to 2,048 characters."""
        assert None is responses.par(request_uri=reference)

    @pytest.mark.parametrize("reference", [..., "a b", "a\n", "a\x7f", "né", "网", "x" * 2049])
    def test_what_cannot_stand_in_a_url_is_no_reference(self, responses, reference):
        """An absent, invisible or endless reference is refused."""
        assert REFERENCE == responses.par(request_uri=reference)

    @pytest.mark.parametrize("reference", ["", None, 1, ["x"]])
    def test_a_reference_is_a_text(self, responses, reference):
        """An empty reference, and one that is no text, is refused unread."""
        assert ("parsing", "par.request_uri") == responses.par(request_uri=reference)

    @pytest.mark.parametrize("life", [1, 0.001, 60, 90_000, 2**40])
    def test_any_life_above_zero_will_do(self, responses, life):
        """The reference is used at once, so that every life is long enough."""
        assert None is responses.par(expires_in=life)

    @pytest.mark.parametrize("life", [..., 0, -0.0, -1])
    def test_no_life_is_refused(self, responses, life):
        """A reference that says no lifetime, or none above zero, is refused."""
        assert REFERENCE_LIFE == responses.par(expires_in=life)

    @pytest.mark.parametrize("life", ["60", True, None, [60]])
    def test_a_life_is_a_number(self, responses, life):
        """A lifetime of another type is refused unread."""
        assert ("parsing", "par.expires_in") == responses.par(expires_in=life)


class TestTokenResponse:
    @pytest.mark.parametrize("status", [201, 204, 302, 400, 401])
    def test_only_200_counts(self, responses, status):
        """A token response has status 200 and nothing else."""
        assert None is responses.token(status=200)
        assert ("check_token_status", "token.status") == responses.token(status=status)

    @pytest.mark.parametrize("token", ["x", "!~", "x" * 2048, "x" * 20_000])
    def test_an_access_token_is_visible_ascii_of_any_length(self, responses, token):
        """A long access token is as good as a short one: it is only hashed."""
        assert None is responses.token(access_token=token)

    @pytest.mark.parametrize("token", [..., "a b", "a\n", "\x00", "né", "网"])
    def test_what_is_no_access_token_is_refused(self, responses, token):
        """An absent or invisible access token is refused."""
        assert ACCESS_TOKEN == responses.token(access_token=token)

    @pytest.mark.parametrize("token", ["", None, 1])
    def test_an_access_token_is_a_text(self, responses, token):
        """An empty access token, and one that is no text, is refused unread."""
        assert ("parsing", "token.access_token") == responses.token(access_token=token)

    @pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_the_type_is_compared_without_case(self, responses, kind):
        """The type of the token is the one asked for, in any case of letters."""
        assert None is responses.token(token_type=kind)

    @pytest.mark.parametrize("kind", [..., "DPoP", "mac", "N_A", "Bearer ", "bearer,dpop"])
    def test_another_type_is_refused(self, responses, kind):
        """An absent type, and one that nobody asked for, is refused."""
        assert TOKEN_TYPE == responses.token(token_type=kind)

    @pytest.mark.parametrize("life", [..., 0, -0.0, 0.5, 3600])
    def test_a_life_may_be_absent_or_from_zero_up(self, responses, life):
        """The access token is dropped unused, so that its life decides nothing."""
        assert None is responses.token(expires_in=life)

    @pytest.mark.parametrize("life", [-0.001, -1, -(2**40)])
    def test_a_life_below_zero_is_refused(self, responses, life):
        """A negative lifetime is nonsense, and what talks nonsense is refused."""
        assert LIFE == responses.token(expires_in=life)

    @pytest.mark.parametrize("life", ["3600", True, None])
    def test_a_life_is_a_number(self, responses, life):
        """A lifetime of another type is refused unread."""
        assert ("parsing", "token.expires_in") == responses.token(expires_in=life)

    @pytest.mark.parametrize("scope", [..., "openid", "openid age_band", "age_band openid profile"])
    def test_a_scope_covers_a_login(self, responses, scope):
        """An absent scope is as asked, and openid must be in one that is there."""
        assert None is responses.token(scope=scope)

    @pytest.mark.parametrize(
        "scope", ["age_band", "openid2", "OpenID", "openid\tage_band", "openid,age_band"]
    )
    def test_a_scope_without_openid_is_refused(self, responses, scope):
        """A reduced scope that covers no login is refused."""
        assert SCOPE == responses.token(scope=scope)

    def test_an_assertion_comes_with_it(self, responses):
        """A token response without assertion is no login."""
        assert ("check_id_token_present", "token.id_token_missing") == responses.token(id_token=...)
        assert ("parsing", "token.id_token_missing") == responses.token(id_token="")
