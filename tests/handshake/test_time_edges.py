"""Times at their edges: far years, clocks that step back, and what the leeway forgives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cyberid_client import Client, ClientKey, CyberIDError, Login, RelyingParty, TrustStore
from cyberid_client.testing import ManualClock, MockIssuer

LAST_DATE = 253_370_764_800
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class TestNumbers:
    @pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "auth_time"])
    @pytest.mark.parametrize("value", [LAST_DATE + 1, LAST_DATE + 0.001, 1e300, 2**63, -1, -0.001, 10**17])
    def test_a_date_beyond_the_year_9999_or_before_1970_is_no_date(self, assertion, claim, value):
        """What no calendar can hold is refused as a wrong type, never as a crash."""
        assert ("parsing", "id_token.claim_type") == assertion.verdict(**{claim: value})

    @pytest.mark.parametrize("value", [LAST_DATE, float(LAST_DATE), 4_102_444_800.25])
    def test_an_assertion_may_live_long(self, assertion, value):
        """The last date of all is a date, and so is a fraction of one."""
        assert None is assertion.verdict(exp=value)

    def test_a_fraction_of_a_second_is_time(self, assertion):
        """The smallest step that a double can hold at this date separates life from death."""
        step = 2**-22
        assert None is assertion.verdict(exp=assertion.seconds + step)
        assert ("check_expiry", "id_token.expired") == assertion.verdict(exp=assertion.seconds - step)

    def test_the_time_of_authentication_keeps_its_fraction(self, assertion):
        """What the login says of the time is what was signed, to the microsecond."""
        login = assertion.judge(assertion.token(auth_time=assertion.seconds - 0.25))
        assert assertion.now - timedelta(seconds=0.25) == login.authenticated_at

    def test_someone_may_have_authenticated_at_the_beginning_of_time(self, assertion):
        """Without a maximum age zero is a date like any other."""
        login = assertion.judge(assertion.token(auth_time=0))
        assert datetime(1970, 1, 1, tzinfo=UTC) == login.authenticated_at


class Shop:
    """A shop with a clock of its own beside the issuer's."""

    def __init__(self, start: datetime, **settings: object) -> None:
        self.clock, self.issuers_clock = ManualClock(start), ManualClock(start)
        self.issuer = MockIssuer(self.issuers_clock)
        registered = self.issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
        rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id="shop",
            redirect_uri="https://shop.example/callback",
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            **settings,
        )
        self.client = Client(rp, transport=self.issuer.transport(), clock=self.clock)

    def log_in(self, *, meanwhile: float = 0, at_issuer: float = 0, **asked: object) -> str:
        """Log in, with both clocks stepping between the legs; return ``"login"`` or a code."""
        try:
            request = self.client.start_login(**asked)
            self.issuers_clock.advance(at_issuer)
            callback = self.issuer.authorize(request.url)
            self.clock.advance(meanwhile)
            login = self.client.finish_login(callback, handle=request.handle)
        except CyberIDError as error:
            return error.code
        assert isinstance(login, Login)
        return "login"


class TestYears:
    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC),
            datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
            datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
            datetime(2050, 1, 1, tzinfo=UTC),
            datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC),
            datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
            datetime(2400, 2, 29, 12, 0, tzinfo=UTC),
        ],
    )
    def test_a_login_on_either_side_of_a_full_counter(self, moment):
        """Where 31 or 32 bits of seconds are full, and where certificates change their spelling, nothing happens."""
        assert "login" == Shop(moment).log_in()

    @pytest.mark.parametrize(
        "moment", [datetime(2038, 1, 19, 3, 14, tzinfo=UTC), datetime(2106, 2, 7, 6, 28, tzinfo=UTC)]
    )
    def test_a_login_across_a_full_counter(self, moment):
        """A login that starts before such a second and ends after it is a login like any other."""
        assert "login" == Shop(moment).log_in(meanwhile=30, at_issuer=30, max_age=0)


class TestClocksThatStepBack:
    @pytest.mark.parametrize(
        ("seconds", "end"),
        [
            (-10, "login"),
            (-11, "id_token.issued_in_future"),
            (-59, "id_token.issued_in_future"),
            # From here on the issuer no longer believes who asks: what we sign has expired before it is sent.
            (-61, "token.client_refused"),
            (-3600, "token.client_refused"),
            (-40 * 365 * 86_400, "token.client_refused"),
        ],
    )
    def test_the_clock_of_the_app_alone(self, seconds, end):
        """A clock that went back is one that lags: forgiven as far as the leeway goes, then refused."""
        shop = Shop(START)
        assert "login" == shop.log_in()
        assert end == shop.log_in(meanwhile=seconds)

    @pytest.mark.parametrize("seconds", [-10, -11, -590])
    def test_both_clocks_without_a_maximum_age(self, seconds):
        """When both clocks agree, how they came to agree is nobody's business."""
        shop = Shop(START)
        assert "login" == shop.log_in(meanwhile=seconds, at_issuer=seconds)

    @pytest.mark.parametrize(("seconds", "end"), [(-10, "login"), (-11, "id_token.auth_time_stale")])
    def test_both_clocks_with_an_authentication_of_now(self, seconds, end):
        """Asked for an authentication of now, one from before the start is refused beyond the leeway."""
        shop = Shop(START)
        assert end == shop.log_in(meanwhile=seconds, at_issuer=seconds, max_age=0)

    def test_a_pending_login_lives_until_its_own_end(self):
        """A clock that goes back and forth again ends the login at the second at which it was to end."""
        shop = Shop(START)
        request = shop.client.start_login()
        shop.clock.advance(-3600)
        shop.clock.advance(3600 + 600)
        with pytest.raises(CyberIDError) as late:
            shop.client.finish_login("code=x&state=x", handle=request.handle)
        assert "login.expired" == late.value.code

    def test_metadata_of_before_the_step_go_on(self):
        """What was believed before the step back is used until it is due; new documents are then from the future."""
        shop = Shop(START)
        assert "login" == shop.log_in()
        shop.clock.advance(-5)
        assert "login" == shop.log_in()
        shop.clock.advance(-6)
        with pytest.raises(CyberIDError) as ahead:
            shop.client.refresh()
        assert "metadata.issued_in_future" == ahead.value.code


# What lies how far from the clock, and what is said of it without any leeway and with the largest.
FORGIVEN = [
    ({"iat": 60}, "id_token.issued_in_future"),
    ({"nbf": 60}, "id_token.not_yet_valid"),
    ({"auth_time": 60}, "id_token.auth_time_in_future"),
    ({"auth_time": -70, "max_age": 0}, "id_token.auth_time_stale"),
]
NEVER_FORGIVEN = [
    ({"exp": 0}, "id_token.expired"),
    ({"exp": -60}, "id_token.expired"),
    ({"iat": -601}, "id_token.issued_too_long_ago"),
    ({"iat": 61}, "id_token.issued_in_future"),
    ({"nbf": 61}, "id_token.not_yet_valid"),
    ({"auth_time": 61}, "id_token.auth_time_in_future"),
    ({"auth_time": -71, "max_age": 0}, "id_token.auth_time_stale"),
]


class TestLeeway:
    """The login of the bench started ten seconds ago."""

    def code(self, assertion, times, leeway):
        asked = {"max_age": times["max_age"]} if "max_age" in times else {}
        dates = {name: assertion.seconds + offset for name, offset in times.items() if name != "max_age"}
        verdict = assertion.verdict(**dates, asked=asked, settings={"clock_leeway": leeway})
        return verdict and verdict[1]

    @pytest.mark.parametrize(("times", "code"), FORGIVEN)
    def test_it_forgives_what_is_ahead_and_the_rule_about_authentication(self, assertion, times, code):
        """Sixty seconds ahead, or before the start, are forgiven with a leeway of sixty and not without."""
        assert (None, code) == (self.code(assertion, times, 60), self.code(assertion, times, 0))

    @pytest.mark.parametrize(("times", "code"), NEVER_FORGIVEN)
    def test_it_forgives_nothing_else(self, assertion, times, code):
        """The end of an assertion, its greatest age, and one second more than the leeway stay refused."""
        assert (code, code) == (self.code(assertion, times, 60), self.code(assertion, times, 0))

    @pytest.mark.parametrize("leeway", [0, 60])
    def test_it_forgives_no_end_of_metadata(self, metadata, leeway):
        """Metadata end at their second; only their issue may lie ahead."""
        now, settings = metadata.seconds, {"clock_leeway": leeway}
        expired = metadata.verdict(iat=now - 60, exp=now, settings=settings)
        assert ("check_metadata_expiry", "metadata.expired") == expired
        assert None is metadata.verdict(iat=now - 60, exp=now + 0.5, settings=settings)
        ahead = metadata.verdict(iat=now + 60, exp=now + 600, settings=settings)
        assert (None if leeway else ("check_metadata_issued_at", "metadata.issued_in_future")) == ahead

    @pytest.mark.parametrize("leeway", [0, 60])
    def test_it_forgives_no_end_of_a_pending_login(self, leeway):
        """A pending login ends at its second, whatever the leeway."""
        shop = Shop(START, clock_leeway=leeway, pending_lifetime=60)
        assert "login" == shop.log_in(meanwhile=59.999, at_issuer=59.999)
        assert "login.expired" == shop.log_in(meanwhile=60, at_issuer=59.999)

    @pytest.mark.parametrize("leeway", [0, 60])
    def test_it_forgives_no_date_of_a_certificate(self, assertion, leeway):
        """A signer's certificate ends and begins at its second, whatever the leeway."""
        leaf = assertion.keyring.signer("assertion").chain[0]
        ends, begins = leaf.not_valid_after_utc, leaf.not_valid_before_utc
        for moment, code in (
            (ends, None),
            (ends + timedelta(seconds=1), "chain.expired"),
            (begins, None),
            (begins - timedelta(seconds=1), "chain.not_yet_valid"),
        ):
            seconds = moment.timestamp()
            verdict = assertion.verdict(
                now=moment,
                iat=seconds,
                exp=seconds + 5,
                auth_time=seconds,
                settings={"clock_leeway": leeway},
                crls=assertion.lists_of(assertion.keyring, moment),
            )
            assert code == (verdict and verdict[1])
