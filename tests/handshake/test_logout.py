"""What a logout token must say, and the page of the issuer on which people log out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from cyberid_client import ConfigurationError, Pseudonym
from cyberid_client.handshake.checks.logout import MAX_TOKEN_AGE
from cyberid_client.handshake.logout import logout_page
from cyberid_client.handshake.metadata import IssuerMetadata
from cyberid_client.handshake.notices import name_of

from .conftest import ISSUER, LOGOUT_CLAIMS, NOW, SECONDS

EVENT = "http://schemas.openid.net/event/backchannel-logout"
SUB, SID = LOGOUT_CLAIMS["sub"], LOGOUT_CLAIMS["sid"]
TLS = {"metadata_trust": "tls"}


class TestKind:
    @pytest.mark.parametrize("typ", ["logout+jwt", "Logout+JWT", "application/logout+jwt"])
    def test_it_says_that_it_is_a_logout_token(self, logout_token, typ):
        """The type is compared without regard to case, with or without application/."""
        assert None is logout_token.verdict(header={"typ": typ})

    @pytest.mark.parametrize("typ", [..., "JWT", "secevent+jwt", "at+jwt", "logout", "application/jwt"])
    def test_any_other_type_and_none_are_refused(self, logout_token, typ):
        """A token that does not name its kind could be one of another."""
        assert ("check_type", "logout_token.type") == logout_token.verdict(header={"typ": typ})

    @pytest.mark.parametrize("value", ["x", "", None, 0, {}])
    def test_a_nonce_is_refused_whatever_it_holds(self, logout_token, value):
        """Only an assertion has a nonce."""
        assert ("check_no_nonce", "logout_token.nonce") == logout_token.verdict(nonce=value)

    @pytest.mark.parametrize("value", [{}, {"any": {"thing": [1]}}])
    def test_the_event_has_an_object(self, logout_token, value):
        """The event's value is an object, empty or not, and may stand beside others."""
        assert None is logout_token.verdict(events={EVENT: value, "urn:other": None})

    @pytest.mark.parametrize(
        "events",
        [
            ...,
            None,
            {},
            [],
            EVENT,
            {EVENT: None},
            {EVENT: []},
            {EVENT: ""},
            {EVENT + "/foobar": {}},
            {EVENT.upper(): {}},
        ],
    )
    def test_without_the_event_it_is_none(self, logout_token, events):
        """What does not state a logout ends no session."""
        assert ("check_logout_event", "logout_token.event") == logout_token.verdict(events=events)

    def test_unknown_claims_are_dropped(self, logout_token):
        """What is not in the standard changes nothing."""
        assert None is logout_token.verdict(extra={"a": 1}, sub_id="x", state="y", auth_time="z", toe=1)


class TestParties:
    @pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER + "1", ISSUER.upper(), "issuer.example"])
    def test_another_issuer_is_refused(self, logout_token, issuer):
        """The issuer is compared byte for byte."""
        assert ("check_logout_issuer", "logout_token.issuer") == logout_token.verdict(iss=issuer)

    @pytest.mark.parametrize("audience", ["shop", ["shop"]])
    def test_this_client_alone_is_the_audience(self, logout_token, audience):
        """One audience may stand alone or in a list of one."""
        assert None is logout_token.verdict(aud=audience)

    @pytest.mark.parametrize("audience", ["shop1", "other", ["other"], ["shop", "other"], ISSUER])
    def test_anybody_else_is_one_too_many(self, logout_token, audience):
        """Another audience is refused, also beside the right one."""
        assert ("check_logout_audience", "logout_token.audience") == logout_token.verdict(aud=audience)


class TestTimes:
    @pytest.mark.parametrize("exp", [SECONDS + 1, SECONDS + 0.001, SECONDS + 10**9])
    def test_it_holds_until_its_expiry(self, logout_token, exp):
        """Any moment after now is good; the age is bounded by the time of issue."""
        assert None is logout_token.verdict(exp=exp)

    @pytest.mark.parametrize("exp", [SECONDS, SECONDS - 0.001, SECONDS - 10])
    def test_it_is_refused_from_the_very_second_of_its_expiry(self, logout_token, exp):
        """No leeway forgives an expiry."""
        assert ("check_logout_expiry", "logout_token.expired") == logout_token.verdict(exp=exp)

    @pytest.mark.parametrize("iat", [SECONDS + 10, SECONDS, SECONDS - MAX_TOKEN_AGE])
    def test_it_was_issued_just_now(self, logout_token, iat):
        """Ten minutes ago and ten seconds ahead are the bounds, themselves included."""
        assert None is logout_token.verdict(iat=iat)

    @pytest.mark.parametrize(
        ("iat", "code"),
        [
            (SECONDS + 10.001, "issued_in_future"),
            (SECONDS - MAX_TOKEN_AGE - 0.001, "issued_too_long_ago"),
            (SECONDS - 7 * 86_400, "issued_too_long_ago"),
        ],
    )
    def test_beyond_these_bounds_it_is_refused(self, logout_token, iat, code):
        """A token of last week is not taken though it has not expired."""
        assert ("check_logout_issued_at", f"logout_token.{code}") == logout_token.verdict(iat=iat)

    def test_it_is_not_used_before_its_time(self, logout_token):
        """The leeway forgives ten seconds and not one more."""
        assert None is logout_token.verdict(nbf=SECONDS + 10)
        refused = ("check_logout_not_before", "logout_token.not_yet_valid")
        assert refused == logout_token.verdict(nbf=SECONDS + 10.001)


class TestWhom:
    @pytest.mark.parametrize("named", [{"sub": ...}, {"sid": ...}, {}])
    def test_a_person_a_session_or_both_are_named(self, logout_token, named):
        """One of the two is enough."""
        assert None is logout_token.verdict(**named)

    def test_nobody_is_refused(self, logout_token):
        """A token without both ends no session."""
        refused = ("check_somebody_is_named", "logout_token.nobody")
        assert refused == logout_token.verdict(sub=..., sid=...)

    @pytest.mark.parametrize("text", ["a" * 21, "a" * 129, "a" * 21 + ".", "a" * 21 + "é", "a" * 22 + "\n"])
    def test_both_have_the_shape_of_a_pseudonym(self, logout_token, text):
        """Shapes that no assertion could have are refused."""
        assert ("check_logout_subject", "logout_token.subject") == logout_token.verdict(sub=text)
        assert ("check_logout_session_id", "logout_token.session_id") == logout_token.verdict(sid=text)

    @pytest.mark.parametrize("text", ["a" * 22, "a" * 128])
    def test_the_bounds_of_the_shape_are_good(self, logout_token, text):
        """22 and 128 characters are themselves allowed."""
        assert None is logout_token.verdict(sub=text, sid=text)

    def test_an_identity_number_names_nobody(self, logout_token):
        """A subject that holds one is refused, and one that ends otherwise is not."""
        number = "110101189001010075"
        refused = ("check_no_identity_number_logged_out", "logout_token.identity_number")
        assert refused == logout_token.verdict(sub=f"user_{number}")
        assert None is logout_token.verdict(sub=f"userx{number}")

    def test_at_an_ordinary_provider_any_subject_is_good(self, logout_token):
        """OpenID Connect allows 1 to 255 visible characters."""
        modes = {"assurance_values": {"urn:loa": logout_token.rp.assurance}}
        assert None is logout_token.verdict(sub="1", sid="2", settings={**TLS, **modes})


class TestTypes:
    @pytest.mark.parametrize("claim", ["iss", "aud", "iat", "exp", "jti"])
    def test_a_required_claim_is_there(self, logout_token, claim):
        """Without one of them the token is refused unread."""
        assert ("parsing", "logout_token.claim_missing") == logout_token.verdict(**{claim: ...})

    @pytest.mark.parametrize("claim", ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "nbf"])
    @pytest.mark.parametrize("value", [None, "", True, [], {}])
    def test_a_claim_has_its_type(self, logout_token, claim, value):
        """Null, empty, truth values, lists and objects are none of them."""
        assert ("parsing", "logout_token.claim_type") == logout_token.verdict(**{claim: value})


class TestWhatIsBelieved:
    def test_a_notice_says_who_and_which_session(self, logout_token):
        """What the app is handed comes from the signed bytes."""
        notice = logout_token.judge(logout_token.token()).notice
        person = Pseudonym(SUB, issuer=ISSUER, sector="https://shop.example")
        assert (ISSUER, SID, person) == (notice.issuer, notice.session_id, notice.pseudonym)

    @pytest.mark.parametrize(("absent", "left"), [("sub", "session_id"), ("sid", "pseudonym")])
    def test_what_is_not_named_is_none(self, logout_token, absent, left):
        """A notice holds no person, or no session, that the token does not name."""
        notice = logout_token.judge(logout_token.token(**{absent: ...})).notice
        held = {name for name in ("session_id", "pseudonym") if getattr(notice, name) is not None}
        assert {left} == held

    def test_a_notice_shows_nothing(self, logout_token):
        """Neither session nor person can reach a log by way of a repr."""
        shown = repr(logout_token.judge(logout_token.token()))
        assert not {SUB, SID, "made-up-logout-token"} & set(shown.replace("'", " ").split())
        assert "redacted" not in shown

    def test_its_key_is_its_own(self, logout_token):
        """Another name, issuer or client makes another key, and no other claim does."""

        def key(settings=None, **changes):
            return logout_token.judge(logout_token.token(**changes), settings=settings).key

        assert key() == key(sid=..., iat=SECONDS - 1, exp=SECONDS + 1)
        assert key() != key(jti="another")
        assert key() != key(aud="shop2", settings={"client_id": "shop2"})
        assert 64 == len(key())

    def test_no_other_issuer_and_no_event_has_its_key(self, logout_token, security_event):
        """Two issuers choose names without knowing of each other, and so do two streams of one."""
        names = {"jti": "one-name-for-all"}
        elsewhere = {"issuer": ISSUER + "/other"}
        keys = [
            each.judge(each.token(**names), settings=settings, checks=()).key
            for each in (logout_token, security_event)
            for settings in (None, elsewhere)
        ]
        assert 4 == len(set(keys))

    @pytest.mark.parametrize(
        ("iat", "exp"), [(SECONDS, SECONDS + 120), (SECONDS, SECONDS + 10**9), (SECONDS - 600, SECONDS + 1)]
    )
    def test_it_is_remembered_for_as_long_as_it_would_be_believed(self, logout_token, iat, exp):
        """A store forgets it a minute after it would be refused anyway."""
        believed = logout_token.judge(logout_token.token(iat=iat, exp=exp))
        last = datetime.fromtimestamp(min(exp, iat + MAX_TOKEN_AGE), UTC)
        assert last + timedelta(minutes=1) == believed.expires_at
        assert None is not logout_token.verdict(iat=iat, exp=exp, now=last + timedelta(seconds=1))


class TestNames:
    def test_no_two_lists_of_parts_run_together(self):
        """Every part has its length before it."""
        names = [
            name_of("a", "bc", "d"),
            name_of("a", "b", "cd"),
            name_of("a", "bcd"),
            name_of("ab", "c", "d"),
            name_of("a", "bc", "d", ""),
        ]
        assert 5 == len(set(names))

    def test_any_text_has_a_name(self):
        """Also one that no UTF-8 can be made of."""
        assert 64 == len(name_of("a", "\ud800", "网号"))


@pytest.fixture
def metadata_of():
    def make(page):
        honest = IssuerMetadata(
            issuer=ISSUER,
            authorization_endpoint=f"{ISSUER}/authorize",
            par_endpoint=f"{ISSUER}/par",
            token_endpoint=f"{ISSUER}/token",
            jwks_uri=f"{ISSUER}/jwks",
            status_list_aggregation_endpoint=None,
            issued_at=None,
            expires_at=None,
        )
        return replace(honest, end_session_endpoint=page)

    return make


class TestPage:
    def page(self, rp, metadata, **asked):
        honest = {"session_id": SID, "post_logout_redirect_uri": None, "state": None}
        return logout_page(rp, metadata, **{**honest, **asked})

    @pytest.mark.parametrize("page", [f"{ISSUER}/logout", f"{ISSUER}/logout?tenant=1"])
    def test_it_names_client_and_session(self, logout_token, metadata_of, page):
        """The issuer's own query stays."""
        url = self.page(logout_token.rp, metadata_of(page))
        assert url.startswith(page)
        query = parse_qs(urlsplit(url).query)
        assert (["shop"], [SID]) == (query["client_id"], query["logout_hint"])

    def test_what_is_not_known_is_not_sent(self, logout_token, metadata_of):
        """Without a session the issuer asks who it is."""
        url = self.page(logout_token.rp, metadata_of(f"{ISSUER}/logout"), session_id=None)
        assert f"{ISSUER}/logout?client_id=shop" == url

    def test_the_browser_may_come_back(self, logout_token, metadata_of):
        """Place and state are sent, and escaped."""
        back = {"post_logout_redirect_uri": "https://shop.example/bye", "state": "a b&c"}
        query = parse_qs(urlsplit(self.page(logout_token.rp, metadata_of(f"{ISSUER}/x"), **back)).query)
        assert {name: [value] for name, value in back.items()} == {name: query[name] for name in back}

    @pytest.mark.parametrize(
        "place", ["/bye", "http://shop.example/bye", "https://shop.example/#x", "javascript:x", "", 1]
    )
    def test_a_place_that_is_none_is_refused(self, logout_token, metadata_of, place):
        """It is an absolute https URL without a fragment."""
        with pytest.raises(ConfigurationError) as refused:
            self.page(logout_token.rp, metadata_of(f"{ISSUER}/logout"), post_logout_redirect_uri=place)
        assert "config.redirect_uri" == refused.value.code

    def test_an_issuer_without_a_page_is_an_error(self, logout_token, metadata_of):
        """Nothing is made up where the issuer offers nothing."""
        with pytest.raises(ConfigurationError) as refused:
            self.page(logout_token.rp, metadata_of(None))
        assert "logout.not_offered" == refused.value.code


def test_the_clock_that_judges_is_the_one_that_is_given(logout_token):
    """Nothing but the argument says what time it is."""
    assert None is logout_token.verdict(now=NOW)
    later = logout_token.verdict(now=NOW + timedelta(seconds=120))
    assert ("check_logout_expiry", "logout_token.expired") == later
