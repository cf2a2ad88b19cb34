"""Who says it, to whom, and in answer to what."""

from __future__ import annotations

import pytest

from cyberid_client.testing.jose import ALGORITHMS

KIND = ("check_kind", "id_token.kind")
ISSUER = ("check_assertion_issuer", "id_token.issuer")
AUDIENCE = ("check_audience", "id_token.audience")
PARTY = ("check_authorized_party", "id_token.authorized_party")
NONCE = ("check_nonce", "id_token.nonce")
HASH = ("check_access_token_hash", "id_token.access_token_hash")
WRONG_TYPE = ("parsing", "id_token.claim_type")


class TestKind:
    @pytest.mark.parametrize("claim", ["events", "bizSeq", "sub_id", "code", "state", "error"])
    @pytest.mark.parametrize("value", ["x", "", {}, None, False])
    def test_claims_of_other_documents_are_refused(self, assertion, claim, value):
        """A claim of a logout token, event, receipt or response is refused whatever it holds."""
        assert KIND == assertion.verdict(**{claim: value})

    def test_unknown_claims_are_dropped(self, assertion):
        """Claims that belong to no other kind of document change nothing."""
        assert None is assertion.verdict(status={"status_list": {}}, Events={}, name="Nobody", s_hash="x")


class TestIssuer:
    @pytest.mark.parametrize(
        "issuer",
        [
            "https://issuer.example/",
            "https://ISSUER.example",
            "http://issuer.example",
            "https://issuer.example:443",
            "https://issuer.example1",
            "https://issuer.exampl",
            "issuer.example",
            " https://issuer.example",
        ],
    )
    def test_another_spelling_is_another_issuer(self, assertion, issuer):
        """The issuer is compared byte for byte."""
        assert ISSUER == assertion.verdict(iss=issuer)

    @pytest.mark.parametrize(
        ("issuer", "code"), [(..., "claim_missing"), ("", "claim_type"), (1, "claim_type")]
    )
    def test_the_issuer_is_a_text(self, assertion, issuer, code):
        """An assertion without a readable issuer is refused unread."""
        assert ("parsing", f"id_token.{code}") == assertion.verdict(iss=issuer)


class TestAudience:
    @pytest.mark.parametrize("audience", ["shop", ["shop"]])
    def test_this_client_alone_is_the_audience(self, assertion, audience):
        """One audience may stand alone or in a list of one."""
        assert None is assertion.verdict(aud=audience)

    @pytest.mark.parametrize(
        "audience",
        [
            "shop1",
            "Shop",
            "sho",
            "shop ",
            ["shop", "shop1"],
            ["other", "shop"],
            ["other"],
            "https://issuer.example",
        ],
    )
    def test_anybody_else_is_one_too_many(self, assertion, audience):
        """Another audience is refused, also beside the right one."""
        assert AUDIENCE == assertion.verdict(aud=audience)

    def test_an_authorized_party_does_not_make_up_for_the_audience(self, assertion):
        """A second audience is refused even when azp names this client, and so is a foreign one."""
        assert AUDIENCE == assertion.verdict(aud=["shop", "other"], azp="shop")
        assert AUDIENCE == assertion.verdict(aud="other", azp="shop")

    @pytest.mark.parametrize("audience", [[], ["shop", "shop"], "", 7, [["shop"]], [None], {"shop": 1}, None])
    def test_an_audience_has_a_shape(self, assertion, audience):
        """An empty, repeated or misshapen audience is refused unread."""
        assert WRONG_TYPE == assertion.verdict(aud=audience)

    def test_an_audience_is_required(self, assertion):
        """An assertion for nobody is refused unread."""
        assert ("parsing", "id_token.claim_missing") == assertion.verdict(aud=...)


class TestAuthorizedParty:
    @pytest.mark.parametrize("party", [..., "shop"])
    def test_it_is_absent_or_this_client(self, assertion, party):
        """With one audience azp may be absent."""
        assert None is assertion.verdict(azp=party)

    @pytest.mark.parametrize("party", ["other", "shop1", "Shop", "shop "])
    def test_another_party_is_refused(self, assertion, party):
        """An assertion that was issued to somebody else is refused though the audience is right."""
        assert PARTY == assertion.verdict(azp=party)

    @pytest.mark.parametrize("party", ["", None, ["shop"], 1])
    def test_it_is_a_text(self, assertion, party):
        """A party that is no text is refused unread."""
        assert WRONG_TYPE == assertion.verdict(azp=party)


class TestNonce:
    @pytest.mark.parametrize(
        "nonce", [..., "made-up-nonce1", "made-up-nonc", "Made-up-nonce", "nonce\u00e9", "made-up-nonce\x00"]
    )
    def test_absent_and_different_are_refused_alike(self, assertion, nonce):
        """The nonce is that of this login and cannot be left out."""
        assert NONCE == assertion.verdict(nonce=nonce)

    @pytest.mark.parametrize("nonce", ["", None, 1, ["made-up-nonce"]])
    def test_it_is_a_text(self, assertion, nonce):
        """A nonce that is empty or no text is refused unread."""
        assert WRONG_TYPE == assertion.verdict(nonce=nonce)

    def test_it_is_compared_with_what_was_asked(self, assertion):
        """The same assertion answers one login and no other."""
        assert None is assertion.verdict(asked={"nonce": "made-up-nonce"})
        assert NONCE == assertion.verdict(asked={"nonce": "another"})


class TestAccessTokenHash:
    def test_it_may_be_absent(self, assertion):
        """An assertion without at_hash is believed, with and without an access token."""
        assert None is assertion.verdict(at_hash=...)
        assert None is assertion.verdict(at_hash=..., asked={"access_token": None})

    def test_it_is_refused_without_an_access_token(self, assertion):
        """A hash of something that is not here cannot be checked, so it is refused."""
        assert HASH == assertion.verdict(asked={"access_token": None})

    def test_it_is_that_of_the_token_beside_it(self, assertion):
        """One more character in the access token is another token."""
        assert HASH == assertion.verdict(asked={"access_token": assertion.access_token + "x"})

    def test_it_is_exactly_the_left_half(self, assertion):
        """Neither the whole hash, nor a shorter part, nor a padded one, nor another hash will do."""
        half = ALGORITHMS["ES256"].half_hash(assertion.access_token)
        for wrong in (
            half[:-1],
            half + "A",
            half + "=",
            half.swapcase(),
            ALGORITHMS["ES384"].half_hash(assertion.access_token),
        ):
            assert HASH == assertion.verdict(at_hash=wrong)
        assert None is assertion.verdict(at_hash=half)

    def test_it_may_hold_anything_without_harm(self, assertion):
        """Text beyond ASCII is compared like any other."""
        assert HASH == assertion.verdict(at_hash="网号")
        assert WRONG_TYPE == assertion.verdict(at_hash=None)
