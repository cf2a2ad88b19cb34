"""Logins by the ID app on a phone: what is believed, what is refused, what a relay gets, and what is lost."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode
from dataclasses import replace

import pytest

from cyberid_client import (
    Assurance,
    Channel,
    ConfigurationError,
    CyberIDError,
    Factor,
    HTTPLimits,
    LoginDeclinedError,
    LoginRestartError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.stores import SealedCookieStore
from cyberid_client.testing import (
    MOCK_OUTCOMES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    ManualClock,
    MockIssuer,
    RegisteredApp,
)
from cyberid_client.transport import RequestsTransport

from .conftest import START
from .launching import ANDROID, IOS, PACKAGE, SETTINGS, make_launcher, play_fault, play_oddity, refused

RELAY = "com.evil.relay"
WAITING, DELIVERY = 130, 60
UNVERIFIED = replace(SETTINGS, app_caller="unverified")
# What differs on the wire; everything else is the same whatever carries it.
OVER_HTTP = (
    "receipt.caller_missing",
    "receipt.signature_bit_flipped",
    "receipt.answer_content_type",
    "receipt.answer_redirect",
    "receipt.answer_too_large",
)


@pytest.fixture
def shop(issuer, clock, new_client):
    return make_launcher(issuer, clock, new_client=new_client)


def claims_of(request):
    """Return the claims of a verification request that was sent."""
    part = request.body.decode().split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def verifications(issuer):
    return [each.status for each in issuer.log if each.path == "/app-verification"]


class TestHonest:
    def test_a_login_by_the_id_app_is_like_any_other(self, shop, caplog):
        """The pseudonym of this sector and nothing plain, by one call, and nothing secret in the log."""
        caplog.set_level("DEBUG")
        launch = shop.start(return_to="/cart")
        result = shop.answer(launch)
        login = shop.client.finish_app_login(result, handle=launch.handle)
        assert shop.issuer.pseudonym("adult", sector="https://shop.example") == login.pseudonym.value
        assert (Channel.APP, Assurance.R02) == (login.channel, login.assurance)
        assert {Factor.CERTIFICATE, Factor.PASSWORD} == login.factors
        assert (START, "/cart", None) == (login.authenticated_at, login.return_to, login.age_band)
        assert shop.issuer.sessions[0].session_id == login.session_id
        assert [200] == verifications(shop.issuer)
        assert 0 == len(shop.store)
        data = (result["idCardAuthData"], result["certPwdData"])
        secrets = (*data, launch.biz_seq, launch.handle, login.pseudonym.value, login.session_id)
        assert [] == [each for each in map(str, secrets) if each in caplog.text]

    def test_the_person_is_the_same_by_redirect(self, shop):
        """Two ways in, one account."""
        request = shop.client.start_login()
        redirected = shop.client.finish_login(
            shop.issuer.authorize(request.url, person="traveller"), handle=request.handle
        )
        assert redirected.pseudonym.value == shop.log_in(person="traveller").pseudonym.value

    def test_a_warm_login_makes_one_call(self, shop):
        """Nothing is fetched because somebody logs in; only the receipt is asked for."""
        shop.log_in()
        before = len(shop.issuer.log)
        shop.log_in()
        paths = [each.path for each in list(shop.issuer.log)[before:]]
        assert ["/phone/launch", "/app-verification"] == paths

    @pytest.mark.parametrize("form", [json.dumps, lambda result: json.dumps(result).encode(), dict])
    def test_the_answer_may_come_in_three_forms(self, shop, form):
        """As text, as bytes, or as a mapping that a framework has parsed."""
        launch = shop.start()
        assert shop.client.finish_app_login(form(shop.answer(launch)), handle=launch.handle)

    def test_platforms_have_ids_of_their_own(self, shop):
        """Each app is launched by its own id; the person is the same."""
        assert ("shop-android", "shop-ios") == tuple(
            shop.start(platform=name).app_id for name in ("android", "ios")
        )
        assert shop.log_in().pseudonym == shop.log_in({"platform": "ios"}).pseudonym

    def test_an_age_band_is_told_where_it_is_asked_for(self, issuer, clock, new_client):
        """Of a teenager one learns that, and no date."""
        shop = make_launcher(issuer, clock, new_client=new_client, age_band=True)
        assert "14_17" == shop.log_in(person="teenager").age_band.value


class TestModes:
    @pytest.mark.parametrize(
        ("assurance", "with_password"),
        [(Assurance.R01, 0), (Assurance.R02, 1), (Assurance.R03, 0), (Assurance.R04, 1)],
    )
    def test_a_mode_is_launched_asked_for_and_reached(self, shop, assurance, with_password):
        """The type says whether there is a password; a face is taken where the platform takes it."""
        shop.issuer.take_faces()
        launch = shop.start(assurance=assurance)
        login = shop.client.finish_app_login(shop.answer(launch), handle=launch.handle)
        assert (with_password, assurance) == (launch.type, login.assurance)
        assert assurance.factors == login.factors

    @pytest.mark.parametrize("assurance", [Assurance.R03, Assurance.R04])
    def test_no_face_is_launched_where_none_is_taken(self, shop, assurance):
        """The metadata say so, and nothing is started."""
        assert ("ConfigurationError", "config.app_launch_face") == refused(shop.start, assurance=assurance)
        assert 0 == len(shop.store)

    @pytest.mark.parametrize(
        ("asked", "shown"),
        [
            (Assurance.R02, {"certificate"}),
            (Assurance.R02, {"certificate", "face"}),
            (Assurance.R03, {"certificate", "password"}),
            (Assurance.R04, {"certificate", "face"}),
            (Assurance.R04, {"certificate", "password"}),
        ],
    )
    def test_what_was_not_executed_never_counts(self, shop, asked, shown):
        """What was reached includes what was asked for, factor by factor."""
        shop.issuer.take_faces()
        assert ("VerificationError", "receipt.assurance") == refused(
            shop.log_in, {"assurance": asked}, factors=shown
        )

    def test_more_than_was_asked_for_is_said(self, shop):
        """A login says what was reached."""
        login = shop.log_in({"assurance": Assurance.R01}, factors={"certificate", "password", "face"})
        assert (Assurance.R04, Assurance.R04.factors) == (login.assurance, login.factors)


# All of them are played every day for the client that blocks: tests/client/test_receipt_faults.py.
A_HANDFUL = frozenset(
    {*OVER_HTTP, "receipt.kid_unknown", "receipt.answer_lost_once", "receipt.unknown_claims"}
)


def rarely(names):
    """Leave out what is no handful where there is little time."""
    return [
        name if name in A_HANDFUL else pytest.param(name, marks=pytest.mark.slow) for name in sorted(names)
    ]


class TestFaults:
    @pytest.mark.parametrize("name", rarely(RECEIPT_FAULTS))
    def test_a_fault_is_refused(self, shop, name, caplog):
        """Whoever blocks and whoever waits refuses the same."""
        caplog.set_level("DEBUG", "cyberid_client")
        play_fault(shop, RECEIPT_FAULTS[name], caplog)

    @pytest.mark.parametrize("name", rarely(RECEIPT_ODDITIES))
    def test_an_honest_oddity_is_accepted(self, shop, name):
        """Whoever blocks and whoever waits accepts the same."""
        play_oddity(shop, RECEIPT_ODDITIES[name])

    def test_a_revoked_signer_is_refused(self, shop):
        """A receipt is believed as long as its signer is."""
        shop.issuer.revoke_signer()
        assert ("RevocationError", "revocation.revoked") == refused(shop.log_in)


class TestOutcomes:
    @pytest.mark.parametrize(
        ("code", "outcome"), [row for row in MOCK_OUTCOMES.items() if row[1] != "success"]
    )
    def test_the_phone_says_no(self, shop, code, outcome):
        """Each outcome is a decline of its own, only busy may be tried again, and nobody is asked."""
        launch = shop.start()
        result = shop.answer(launch, outcome=outcome)
        with pytest.raises(LoginDeclinedError) as declined:
            shop.client.finish_app_login(result, handle=launch.handle)
        error = declined.value
        assert (f"app.{outcome}", code, outcome == "busy") == (error.code, error.result_code, error.retryable)
        assert [] == verifications(shop.issuer)
        assert 0 == len(shop.store)

    @pytest.mark.parametrize(
        "outcome", ["factor_failed", "frozen", "cancelled_id", "expired", "device_changed", "busy"]
    )
    def test_the_issuer_says_no(self, shop, outcome):
        """A refusal that is signed is believed like a receipt, and means the same."""
        launch = shop.start()
        result = shop.answer(launch, outcome=outcome, decided_by="issuer")
        with pytest.raises(LoginDeclinedError) as declined:
            shop.client.finish_app_login(result, handle=launch.handle)
        assert (f"app.{outcome}", outcome == "busy") == (declined.value.code, declined.value.retryable)
        assert () == shop.issuer.sessions

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("receipt.signature_bit_flipped", "receipt.signature"),
            ("receipt.biz_seq_other", "receipt.biz_seq"),
            ("receipt.blobs_hash_other", "receipt.blobs_hash"),
            ("receipt.app_id_other", "receipt.app_id"),
            ("receipt.expired", "receipt.expired"),
            ("receipt.other_audience", "receipt.audience"),
            ("receipt.type_jwt", "receipt.type"),
        ],
    )
    def test_a_refusal_that_is_not_believed_is_no_decline(self, shop, name, code):
        """Nobody but the issuer ends a launch with a word about an account."""
        shop.issuer.arm(name)
        launch = shop.start()
        result = shop.answer(launch, outcome="frozen", decided_by="issuer")
        assert code == refused(shop.client.finish_app_login, result, handle=launch.handle)[1]

    @pytest.mark.parametrize(
        ("code", "kept"), [("C9999999", "C9999999"), ("<script>", None), ("C" * 33, None)]
    )
    def test_a_code_that_is_not_listed_is_a_decline_that_keeps_it(self, shop, code, kept):
        """Success is what the table says, and nothing else; what has no code's shape is not kept."""
        launch = shop.start()
        result = {**shop.answer(launch), "resultCode": code}
        with pytest.raises(LoginDeclinedError) as declined:
            shop.client.finish_app_login(result, handle=launch.handle)
        assert ("app.declined", kept) == (declined.value.code, declined.value.result_code)
        assert [] == verifications(shop.issuer)

    def test_busy_is_tried_again_by_a_new_launch(self, shop):
        """A number is never used for a second launch: the ID app would not take it, and a new launch has a new one."""
        first = shop.start()
        busy = shop.answer(first, outcome="busy")
        assert "app.busy" == refused(shop.client.finish_app_login, busy, handle=first.handle)[1]
        assert "C0500001" == shop.answer(first)["resultCode"]
        assert shop.start().biz_seq != first.biz_seq
        assert shop.log_in()

    def test_a_number_is_never_given_twice(self, shop):
        """32 letters and digits each, and no two the same."""
        numbers = [shop.start().biz_seq for _ in range(300)]
        assert 300 == len(set(numbers))
        assert all(len(each) == 32 and each.isascii() and each.isalnum() for each in numbers)


class TestLostAnswers:
    @pytest.mark.parametrize("lost", [1, 2])
    def test_a_lost_answer_is_asked_for_again(self, shop, lost):
        """The same question in a fresh request gets the same receipt, and one session is opened."""
        shop.transport.lose = lost
        login = shop.log_in()
        requests = [claims_of(each) for each in shop.transport.asked]
        assert lost + 1 == len(requests) == len({each["jti"] for each in requests})
        constant = [
            {name: each[name] for name in each if name not in {"jti", "iat", "exp"}} for each in requests
        ]
        assert [constant[0]] * (lost + 1) == constant
        assert [200] * (lost + 1) == verifications(shop.issuer)
        assert [login.session_id] == [each.session_id for each in shop.issuer.sessions]

    def test_three_lost_answers_are_the_end(self, shop):
        """Nobody is logged in, the issuer is not asked a fourth time, and the launch is gone."""
        shop.transport.lose = 3
        launch = shop.start()
        result = shop.answer(launch)
        with pytest.raises(UnavailableError) as lost:
            shop.client.finish_app_login(result, handle=launch.handle)
        assert "transport.timeout" == lost.value.code
        assert 3 == len(shop.transport.asked)
        with pytest.raises(LoginRestartError):
            shop.client.finish_app_login(result, handle=launch.handle)
        assert 3 == len(shop.transport.asked)

    def test_a_refusal_is_the_same_when_it_is_asked_for_again(self, shop):
        """An account that is frozen stays so."""
        shop.transport.lose = 2
        shop.issuer.set_account("adult", "frozen")
        assert ("LoginDeclinedError", "app.frozen") == refused(shop.log_in)


class TestHandles:
    @pytest.mark.parametrize(
        "result", [b"", b"[]", b"\xff", {}, {"resultCode": 7}, "{" * 5_000, b"x" * 70_000, 7, None]
    )
    def test_whatever_comes_uses_the_launch_up(self, shop, result):
        """What is no answer of an ID app is refused, and the real one comes too late then."""
        launch = shop.start()
        assert "VerificationError" == refused(shop.client.finish_app_login, result, handle=launch.handle)[0]
        real = shop.answer(launch)
        assert "LoginRestartError" == refused(shop.client.finish_app_login, real, handle=launch.handle)[0]

    def test_a_launch_is_finished_once(self, shop):
        """The second time it is gone, and nobody is asked."""
        launch = shop.start()
        result = shop.answer(launch)
        assert shop.client.finish_app_login(result, handle=launch.handle)
        assert "LoginRestartError" == refused(shop.client.finish_app_login, result, handle=launch.handle)[0]
        assert [200] == verifications(shop.issuer)

    @pytest.mark.parametrize("handle", [None, "", "x", "x" * 10_000, "\ud800"])
    def test_without_the_handle_there_is_no_login(self, shop, handle):
        """The answer of the phone alone is worth nothing, and uses nothing up."""
        launch = shop.start()
        result = shop.answer(launch)
        assert "LoginRestartError" == refused(shop.client.finish_app_login, result, handle=handle)[0]
        assert shop.client.finish_app_login(result, handle=launch.handle)

    def test_of_two_at_once_one_wins(self, shop):
        """However close they come, the issuer is asked once."""
        launch = shop.start()
        result = shop.answer(launch)
        together, outcomes = threading.Barrier(2), []

        def finish():
            together.wait()
            try:
                outcomes.append(shop.client.finish_app_login(result, handle=launch.handle).channel)
            except CyberIDError as error:
                outcomes.append(error.code)

        threads = [threading.Thread(target=finish) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert {Channel.APP, "login.unknown"} == set(outcomes)
        assert [200] == verifications(shop.issuer)

    def test_a_launch_is_no_redirect_and_a_redirect_no_launch(self, shop):
        """What began in one way does not end in another."""
        launch, request = shop.start(), shop.client.start_login()
        callback = shop.issuer.authorize(request.url)
        assert "LoginRestartError" == refused(shop.client.finish_login, callback, handle=launch.handle)[0]
        other = shop.start()
        result = shop.answer(other)
        assert "LoginRestartError" == refused(shop.client.finish_app_login, result, handle=request.handle)[0]
        assert shop.client.finish_app_login(result, handle=other.handle)

    @pytest.mark.parametrize(
        ("late", "code"), [(0.001, None), (0, "login.expired"), (-3600, "login.expired")]
    )
    def test_a_launch_waits_130_seconds_and_60_for_delivery(self, shop, late, code):
        """From the very moment on it is too late, whatever the issuer would say."""
        launch = shop.start()
        assert WAITING + DELIVERY == (launch.expires_at - START).total_seconds()
        shop.clock.advance(WAITING + 0.5)
        result = shop.answer(launch)
        shop.clock.advance(DELIVERY - 0.5 - late)
        if code is None:
            assert shop.client.finish_app_login(result, handle=launch.handle)
            return
        assert "LoginRestartError" == refused(shop.client.finish_app_login, result, handle=launch.handle)[0]
        assert [] == verifications(shop.issuer)

    def test_a_sealed_cookie_is_refused(self, shop):
        """A record that can be taken twice would be a launch that can be finished twice."""
        client = shop.another_client(SealedCookieStore({"one": b"1" * 32}))
        with pytest.raises(ConfigurationError) as wrong:
            client.start_app_login(platform="android")
        assert "store.not_single_use" == wrong.value.code


class TestRelay:
    """A hostile app on the victim's phone, an attacker with a session of their own, and one shop."""

    def test_an_answer_that_another_app_got_is_refused(self, shop):
        """The hostile app launches the attacker's login on the victim's phone and forwards what it gets: it loses."""
        attacker = shop.start()
        forwarded = shop.answer(attacker, package=RELAY, person="traveller")
        assert "C0000000" == forwarded["resultCode"]
        finish = shop.client.finish_app_login
        assert ("VerificationError", "receipt.caller") == refused(finish, forwarded, handle=attacker.handle)
        assert [200] == verifications(shop.issuer)

    def test_where_any_caller_will_do_the_relay_wins(self, issuer, clock, new_client):
        """This is what app_caller="unverified" costs: the attacker is logged in as the victim."""
        shop = make_launcher(issuer, clock, new_client=new_client, app_launch=UNVERIFIED)
        attacker = shop.start()
        forwarded = shop.answer(attacker, package=RELAY, person="traveller")
        login = shop.client.finish_app_login(forwarded, handle=attacker.handle)
        assert issuer.pseudonym("traveller", sector="https://shop.example") == login.pseudonym.value

    def test_where_any_caller_will_do_an_absent_word_will_too(self, issuer, clock, new_client):
        """An issuer that never says who called is what the setting is for."""
        shop = make_launcher(issuer, clock, new_client=new_client, app_launch=UNVERIFIED)
        issuer.arm("receipt.caller_missing")
        assert shop.log_in()

    @pytest.mark.parametrize("settings", [SETTINGS, UNVERIFIED])
    def test_an_answer_to_the_attackers_launch_is_none_to_the_victims(
        self, issuer, clock, new_client, settings
    ):
        """Pasted into the victim's session it logs nobody in: not the attacker there, not anybody anywhere."""
        shop = make_launcher(issuer, clock, new_client=new_client, app_launch=settings)
        victim, attacker = shop.start(), shop.start()
        planted = shop.answer(attacker, person="adult")
        finish = shop.client.finish_app_login
        assert ("LoginRestartError", "login.launch_refused") == refused(finish, planted, handle=victim.handle)
        assert () == issuer.sessions

    def test_an_answer_that_was_overheard_is_worth_nothing_elsewhere(self, shop):
        """Who has the victim's answer but not the handle finishes no login with it, before or after the victim."""
        victim, attacker = shop.start(), shop.start()
        overheard = shop.answer(victim)
        finish = shop.client.finish_app_login
        assert ("LoginRestartError", "login.launch_refused") == refused(
            finish, overheard, handle=attacker.handle
        )
        assert finish(overheard, handle=victim.handle)
        late = shop.start()
        assert ("LoginRestartError", "login.launch_refused") == refused(finish, overheard, handle=late.handle)

    def test_a_receipt_for_another_launch_is_refused_whatever_the_issuer_believes(self, shop):
        """The library compares by itself: a receipt is for this launch, this app and this answer."""
        for name, code in (
            ("biz_seq_other", "biz_seq"),
            ("app_id_other", "app_id"),
            ("blobs_hash_other", "blobs_hash"),
        ):
            shop.issuer.arm(f"receipt.{name}")
            assert ("VerificationError", f"receipt.{code}") == refused(shop.log_in)

    def test_the_app_of_the_other_platform_is_another_app(self, shop):
        """One sector, two apps: what one was given does not finish the launch of the other."""
        launch = shop.start()
        other = {**launch.to_dict(), "appID": IOS.app_id}
        result = shop.phone.launch(other, package=IOS.package)
        assert "C0000000" == result["resultCode"]
        finish = shop.client.finish_app_login
        assert ("LoginRestartError", "login.launch_refused") == refused(finish, result, handle=launch.handle)

    def test_the_app_of_another_service_is_another_app(self, shop):
        """A hostile app that is itself registered gets answers for itself, and for nobody else."""
        evil = RegisteredApp(app_id="evil-android", package=RELAY)
        shop.issuer.register(
            client_id="evil", redirect_uri="https://evil.example/", org_id="evil-org", apps={"android": evil}
        )
        launch = shop.start()
        mine = {**launch.to_dict(), "orgID": "evil-org", "appID": evil.app_id}
        result = shop.phone.launch(mine, package=RELAY, person="traveller")
        assert "C0000000" == result["resultCode"]
        finish = shop.client.finish_app_login
        assert ("LoginRestartError", "login.launch_refused") == refused(finish, result, handle=launch.handle)

    @pytest.mark.parametrize("package", [IOS.package, ANDROID.app_id, PACKAGE.upper(), ""])
    def test_a_caller_is_registered_for_this_very_app(self, shop, package):
        """Neither the app of another platform nor a name that looks like it is verified."""
        assert ("VerificationError", "receipt.caller") == refused(shop.log_in, package=package)


class TestConfiguration:
    def test_without_settings_there_is_no_launch(self, issuer, clock, new_client):
        """A service that configured no apps launches none."""
        shop = make_launcher(issuer, clock, new_client=new_client, app_launch=None)
        assert ("ConfigurationError", "config.app_launch") == refused(shop.start)

    def test_a_platform_that_is_not_configured_is_refused(self, shop):
        """There is no app to launch."""
        assert ("ConfigurationError", "config.platform_unknown") == refused(shop.start, platform="harmony")

    def test_a_service_that_registered_otherwise_is_told(self, shop):
        """Its apps, or its key, are not those that the issuer knows: the deployment is to be mended."""
        finish = shop.client.finish_app_login
        launch = shop.start()
        result = shop.answer(launch)
        known = {**shop.rp.client_keys.signing.public_jwk, "use": "sig"}
        where = {"client_id": "shop", "redirect_uri": "https://shop.example/callback"}
        shop.issuer.register(**where, jwks={"keys": [known]})
        found = refused(finish, result, handle=launch.handle)
        assert ("ConfigurationError", "app_verification.request_refused") == found
        launch = shop.start()
        shop.issuer.register(**where)
        found = refused(finish, result, handle=launch.handle)
        assert ("ConfigurationError", "app_verification.client_refused") == found

    def test_nothing_that_leads_away_is_returned_to(self, shop):
        """A path of this origin, as for every login."""
        with pytest.raises(VerificationError):
            shop.start(return_to="//evil.example")


@pytest.fixture(scope="module")
def listening():
    """One issuer on loopback for all that is tried there."""
    clock = ManualClock(START)
    issuer = MockIssuer(clock)
    with issuer.serve(slow_seconds=0.5):
        yield issuer, clock


@pytest.fixture
def reached(listening, new_client):
    issuer, clock = listening
    transport = RequestsTransport(HTTPLimits(read_timeout=5.0, total_timeout=8.0))
    yield make_launcher(issuer, clock, transport=transport, new_client=new_client)
    transport.close()
    issuer.disarm()


class TestOverHTTP:
    def test_a_login_and_its_phone_come_over_http(self, reached):
        """The scripted phone reaches a mock by its origin alone."""
        reached.phone = type(reached.phone)(reached.issuer.issuer)
        assert Channel.APP is reached.log_in().channel

    @pytest.mark.parametrize("name", OVER_HTTP)
    def test_a_fault_has_the_same_code(self, reached, name):
        """What is refused in process is refused over loopback, and nobody asks again."""
        reached.issuer.arm(name)
        fault = RECEIPT_FAULTS[name]
        assert (fault.expected_error, fault.expected_code) == refused(reached.log_in)
        assert 1 == len(reached.transport.asked)

    def test_a_connection_that_breaks_is_tried_again(self, reached):
        """Twice cut off, the third answer comes, and it is the first one's receipt."""
        before = len(reached.issuer.sessions)
        reached.issuer.arm("receipt.answer_lost_once", count=2)
        assert reached.log_in()
        assert (3, before + 1) == (len(reached.transport.asked), len(reached.issuer.sessions))

    def test_the_relay_loses_here_too(self, reached):
        """The receipt says who got the answer, whatever carries it."""
        assert ("VerificationError", "receipt.caller") == refused(reached.log_in, package=RELAY)
