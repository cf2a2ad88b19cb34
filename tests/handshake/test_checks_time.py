"""The times in an assertion: what is forgiven, and by how much."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cyberid_client import ConfigurationError

MILLISECOND = 0.001
LEEWAY = 10
EXPIRED = ("check_expiry", "id_token.expired")
AHEAD = ("check_issued_at", "id_token.issued_in_future")
OLD = ("check_issued_at", "id_token.issued_too_long_ago")
EARLY = ("check_not_before", "id_token.not_yet_valid")
MISSING = ("check_authentication_time", "id_token.auth_time_missing")
FUTURE = ("check_authentication_time", "id_token.auth_time_in_future")
STALE = ("check_authentication_time", "id_token.auth_time_stale")


class TestExpiry:
    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(300, None), (MILLISECOND, None), (0, EXPIRED), (-MILLISECOND, EXPIRED), (-360, EXPIRED)],
    )
    def test_an_assertion_is_refused_from_the_very_second_of_exp(self, assertion, offset, verdict):
        """An assertion whose exp is now is expired; a millisecond of life is enough."""
        assert verdict == assertion.verdict(exp=assertion.seconds + offset)

    def test_no_leeway_is_given_to_exp(self, assertion):
        """The largest leeway that can be set does not keep an expired assertion alive."""
        assert EXPIRED == assertion.verdict(exp=assertion.seconds, settings={"clock_leeway": 60})

    def test_exp_is_compared_with_the_time_that_is_given(self, assertion):
        """The same bytes are believed before exp and refused at exp, by the clock alone."""
        assert None is assertion.verdict(now=assertion.now + timedelta(seconds=299.999))
        assert EXPIRED == assertion.verdict(now=assertion.now + timedelta(seconds=300))


class TestIssuedAt:
    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(0, None), (LEEWAY, None), (LEEWAY + MILLISECOND, AHEAD), (3600, AHEAD)],
    )
    def test_iat_may_be_ahead_by_the_leeway_and_no_more(self, assertion, offset, verdict):
        """An iat of now and ten seconds is forgiven, one millisecond more is not."""
        assert verdict == assertion.verdict(iat=assertion.seconds + offset, exp=assertion.seconds + 7200)

    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(-600, None), (-600 - MILLISECOND, OLD), (-7 * 86_400, OLD)],
    )
    def test_iat_may_be_ten_minutes_old_and_no_more(self, assertion, offset, verdict):
        """An iat of exactly ten minutes ago is believed, one millisecond older is not."""
        assert verdict == assertion.verdict(iat=assertion.seconds + offset)

    @pytest.mark.parametrize(("leeway", "at", "past"), [(0, 0, MILLISECOND), (60, 60, 60 + MILLISECOND)])
    def test_the_leeway_is_the_configured_one(self, assertion, leeway, at, past):
        """No leeway forgives nothing, and sixty seconds forgive sixty."""
        settings = {"clock_leeway": leeway}
        assert None is assertion.verdict(iat=assertion.seconds + at, settings=settings)
        assert AHEAD == assertion.verdict(iat=assertion.seconds + past, settings=settings)

    def test_the_leeway_does_not_lengthen_the_ten_minutes(self, assertion):
        """A leeway forgives only what lies ahead of our clock."""
        assert OLD == assertion.verdict(iat=assertion.seconds - 601, settings={"clock_leeway": 60})


class TestNotBefore:
    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(-300, None), (0, None), (LEEWAY, None), (LEEWAY + MILLISECOND, EARLY), (60, EARLY)],
    )
    def test_nbf_may_be_ahead_by_the_leeway_and_no_more(self, assertion, offset, verdict):
        """An nbf of now and ten seconds is forgiven, one millisecond more is not."""
        assert verdict == assertion.verdict(nbf=assertion.seconds + offset)

    def test_nbf_may_be_absent(self, assertion):
        """An assertion without nbf is valid from its issue."""
        assert None is assertion.verdict(nbf=...)


class TestAuthenticationTime:
    def test_it_is_required_even_when_no_age_was_asked_for(self, assertion):
        """An assertion that does not say when the person authenticated is refused."""
        assert MISSING == assertion.verdict(auth_time=...)

    @pytest.mark.parametrize(
        ("offset", "verdict"),
        [(0, None), (LEEWAY, None), (LEEWAY + MILLISECOND, FUTURE), (3600, FUTURE)],
    )
    def test_it_may_be_ahead_by_the_leeway_and_no_more(self, assertion, offset, verdict):
        """An auth_time of now and ten seconds is forgiven, one millisecond more is not."""
        assert verdict == assertion.verdict(auth_time=assertion.seconds + offset)

    @pytest.mark.parametrize("max_age", [0, 1, 300])
    def test_it_is_at_least_the_start_less_age_and_leeway(self, assertion, max_age):
        """The earliest auth_time is start less max_age less leeway; a millisecond before is stale."""
        earliest = assertion.seconds - 10 - max_age - LEEWAY
        asked = {"max_age": max_age}
        assert None is assertion.verdict(auth_time=earliest, asked=asked)
        assert STALE == assertion.verdict(auth_time=earliest - MILLISECOND, asked=asked)

    def test_an_age_of_zero_counts_from_the_start_of_the_request(self, assertion):
        """With max_age 0 a person who was slow is not too old, and one who logged in before is."""
        asked = {"max_age": 0, "started_at": assertion.now - timedelta(seconds=500)}
        assert None is assertion.verdict(auth_time=assertion.seconds - 499, asked=asked)
        assert STALE == assertion.verdict(auth_time=assertion.seconds - 511, asked=asked)

    def test_without_an_age_any_past_time_is_believed(self, assertion):
        """Without max_age an old session of the issuer is good enough."""
        assert None is assertion.verdict(auth_time=assertion.seconds - 86_400 * 30)
        assert None is assertion.verdict(auth_time=0)

    def test_without_leeway_the_bound_is_exact(self, assertion):
        """With no leeway the earliest auth_time is start less max_age."""
        asked, settings = {"max_age": 0}, {"clock_leeway": 0}
        start = assertion.seconds - 10
        assert None is assertion.verdict(auth_time=start, asked=asked, settings=settings)
        assert STALE == assertion.verdict(auth_time=start - MILLISECOND, asked=asked, settings=settings)

    def test_the_login_says_when(self, assertion):
        """The login carries the issuer's auth_time, aware and in UTC."""
        login = assertion.judge(assertion.token(auth_time=assertion.seconds - 5))
        assert assertion.now - timedelta(seconds=5) == login.authenticated_at


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", ["1795334400", True, None, [1_795_334_400], -1, 1e300])
def test_a_time_is_a_number_in_range(assertion, claim, value):
    """A time that is a text, a truth value, nothing, a list, negative or endless is refused unread."""
    assert ("parsing", "id_token.claim_type") == assertion.verdict(**{claim: value})


@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_exp_and_iat_are_required(assertion, claim):
    """An assertion without exp or iat is refused unread."""
    assert ("parsing", "id_token.claim_missing") == assertion.verdict(**{claim: ...})


def test_a_time_without_zone_is_a_mistake_of_the_caller(assertion):
    """The time of judgement must be aware."""
    with pytest.raises(ConfigurationError) as caught:
        assertion.judge(assertion.token(), now=assertion.now.replace(tzinfo=None))
    assert "time.naive" == caught.value.code
