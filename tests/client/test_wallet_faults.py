"""Every dishonest wallet and every wrong credential is refused with its code, and nobody is logged in by it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cyberid_client import (
    Assurance,
    Channel,
    CyberIDError,
    Login,
    LoginDeclinedError,
    LoginRestartError,
    PresentationState,
)
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.ports import HTTPRequest
from cyberid_client.testing import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    WALLET_FAULTS,
    WALLET_ODDITIES,
    ManualClock,
    MockIssuer,
    Wallet,
    WalletAnswer,
)
from cyberid_client.testing.drafts import Reply
from cyberid_client.testing.server import run_server
from cyberid_client.testing.wallet.presenting import draft_encrypted_answer

from .conftest import make_shop
from .presenting import SECTOR, another_shop, make_wallet_shop, response_code_of

# What does not decrypt could be anybody's, and costs nobody the login.
OF_NOBODY = frozenset({"answer_jwe", "post"})
R01 = "urn:cyberid:mode:r01"


@pytest.fixture(scope="module")
def shops():
    """One app at one issuer: as it is, and as one that asks for the age band; each with a wallet."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    plain = make_wallet_shop(issuer, clock)
    asking = another_shop(plain, age_band=True)
    return {"wallet": plain, "wallet_careless": plain, "wallet_age_band": asking}


@pytest.fixture(scope="module")
def wallets(shops):
    """A wallet for each of them, that has fetched ahead."""
    one, other = shops["wallet"].wallet(), shops["wallet_age_band"].wallet()
    return {"wallet": one, "wallet_careless": one, "wallet_age_band": other}


@pytest.fixture(autouse=True)
def honest_again(shops, wallets):
    """Leave nothing behind that the next test would meet."""
    kept = {id(wallet): wallet._holdings._held[SECTOR] for wallet in wallets.values()}
    yield
    for wallet in wallets.values():
        wallet._holdings._held[SECTOR] = kept[id(wallet)]
    for shop, wallet in zip(shops.values(), wallets.values(), strict=True):
        wallet.disarm()
        shop.issuer.disarm()
        shop.purposes.clear()


def refuse(shop, wallet, expected, caplog):
    """Let a dishonest answer come, and return the request that it was made to."""
    caplog.set_level("DEBUG", "cyberid_client")
    request = shop.client.start_presentation()
    answer = wallet.answer(request.uri)
    assert (None, 400) == (answer.refused, answer.status)
    assert {"error": "invalid_request"} == json.loads(answer.body)
    assert f"receive_presentation: code={expected.expected_code} " in caplog.text
    assert expected.expected_error == CATALOGUE[expected.expected_code].family
    assert [] == shop.purposes
    return request


@pytest.mark.parametrize("name", sorted(WALLET_FAULTS))
def test_a_dishonest_wallet_logs_nobody_in(shops, wallets, name, caplog):
    """One broken rule, one code, no login, and no call to the issuer.

    An answer that was made for the request's own key uses the request up; what does not decrypt does not.
    """
    fault = WALLET_FAULTS[name]
    shop, wallet = shops[fault.needs], wallets[fault.needs]
    wallet.arm(name)
    request = refuse(shop, wallet, fault, caplog)
    answer = wallet.answer(request.uri)
    if fault.stage in OF_NOBODY:
        assert shop.finish(request, answer).pseudonym.value == shop.issuer.pseudonym("adult", sector=SECTOR)
        return
    assert "fetch" == answer.refused
    with pytest.raises(LoginRestartError):
        shop.client.finish_presentation(handle=request.handle, response_code=None)


def hold_wrong(shop, wallet, name):
    """Give the wallet one wrong credential, as it would have fetched it with its whole bucket."""
    shop.issuer.arm(name)
    desk = shop.issuer._service.credentials
    enrolment = desk._enrolments[wallet._enrolment]
    key = wallet._holdings.public_jwk(SECTOR)
    wallet._holdings._held[SECTOR] = [desk._issue_one(enrolment, SECTOR, key, shop.clock())]


@pytest.mark.parametrize("name", sorted(CREDENTIAL_FAULTS))
def test_a_wrong_credential_logs_nobody_in(shops, wallets, name, caplog):
    """What the issuer got wrong is refused in the hands of an honest person, too."""
    fault = CREDENTIAL_FAULTS[name]
    shop, wallet = shops[fault.needs], wallets[fault.needs]
    kept = wallet._holdings._held[SECTOR]
    hold_wrong(shop, wallet, name)
    if fault.needs == "wallet_careless":
        # An honest wallet would not show what does not answer the question.
        wallet.arm("wallet.extra_disclosure")
    request = refuse(shop, wallet, fault, caplog)
    with pytest.raises(LoginRestartError):
        shop.client.finish_presentation(handle=request.handle, response_code=None)
    wallet._holdings._held[SECTOR] = kept
    assert isinstance(shop.log_in(wallet), Login)


@pytest.mark.parametrize("name", sorted(WALLET_ODDITIES))
def test_an_odd_wallet_is_let_in(shops, wallets, name):
    """What a standard allows is no reason to turn a person away."""
    shop, wallet = shops["wallet"], wallets["wallet"]
    wallet.arm(name)
    assert shop.log_in(wallet).pseudonym.value == shop.issuer.pseudonym("adult", sector=SECTOR)
    assert {} == wallet.armed


@pytest.mark.parametrize("name", sorted(CREDENTIAL_ODDITIES))
def test_an_odd_credential_is_let_in(shops, wallets, name):
    """What the profile allows of a credential is let in."""
    shop, wallet = shops["wallet"], wallets["wallet"]
    hold_wrong(shop, wallet, name)
    assert shop.log_in(wallet).pseudonym.value == shop.issuer.pseudonym("adult", sector=SECTOR)


@pytest.mark.parametrize("name", ["credential.old_epoch", "credential.holder_key_private"])
def test_a_wrong_credential_in_a_whole_bucket_is_refused(name, caplog):
    """Fetched as wallets fetch, it is refused as well."""
    fault, clock = CREDENTIAL_FAULTS[name], ManualClock()
    shop = make_wallet_shop(MockIssuer(clock), clock)
    shop.issuer.arm(name)
    wallet = shop.wallet()
    assert {} == dict(shop.issuer.armed)
    if fault.needs == "wallet_careless":
        wallet.arm("wallet.extra_disclosure")
    refuse(shop, wallet, fault, caplog)


@pytest.mark.parametrize(
    "person", ["adult", "teenager", "child", "traveller", "hong_kong_macau", "taiwan", "foreign_resident"]
)
def test_everybody_is_known_by_the_same_pseudonym_as_in_the_redirect_handshake(shops, person):
    """A wallet gives what the redirect gives, for everybody, with the age band that was asked for."""
    shop = shops["wallet_age_band"]
    login = shop.log_in(shop.wallet(person))
    browser = make_shop(shop.issuer, shop.clock, sector=SECTOR).log_in(person=person)
    assert browser.pseudonym == login.pseudonym
    assert shop.issuer.people[person].age_band == login.age_band.value
    assert (Channel.WALLET_SAME, SECTOR) == (login.channel, login.sector)
    assert shop.clock() == login.authenticated_at


@pytest.mark.parametrize("asked", [Assurance.R01, Assurance.R02])
@pytest.mark.parametrize("acr", [R01, "urn:cyberid:mode:r02"])
def test_the_mode_is_what_the_issuer_checked_about_the_key(shops, asked, acr):
    """A key that needs the password reaches both modes, one that does not reaches R01 alone."""
    shop = shops["wallet"]
    wallet = shop.wallet(acr=acr)
    request = shop.client.start_presentation(assurance=asked)
    answer = wallet.answer(request.uri)
    reached = Assurance.R01 if acr == R01 else Assurance.R02
    if reached is Assurance.R01 and asked is Assurance.R02:
        assert "query" == answer.refused
        return
    assert reached is shop.finish(request, answer).assurance


@pytest.mark.parametrize(
    ("need", "withhold", "shown"),
    [("wallet", (), None), ("wallet_age_band", (), "adult"), ("wallet_age_band", ("age_band",), None)],
)
@pytest.mark.parametrize(("device", "channel"), [("same", "wallet_same"), ("other", "wallet_other")])
def test_an_honest_wallet_logs_in(shops, wallets, need, withhold, shown, device, channel):
    """On both devices, with the age band only when it was asked for and granted, and without the issuer."""
    shop = shops[need]
    login = shop.log_in(wallets[need], withhold=withhold, device=device, return_to="/cart")
    assert (channel, "/cart") == (login.channel.value, login.return_to)
    assert shown == (None if login.age_band is None else login.age_band.value)
    assert [] == shop.purposes


def test_who_declines_is_not_logged_in(shops, wallets):
    """A refusal may come for everybody to read, and so ends nothing: the person may think again."""
    shop, wallet = shops["wallet"], wallets["wallet"]
    request = shop.client.start_presentation()
    answer = wallet.decline(request.uri)
    assert (True, None) == (answer.accepted, answer.refused)
    assert shop.finish(request, wallet.answer(request.uri)).pseudonym


def test_a_second_answer_changes_nothing(shops, wallets):
    """Of two answers the first counts, and the second is refused."""
    shop, wallet, other = shops["wallet"], wallets["wallet"], shops["wallet"].wallet("teenager")
    request = shop.client.start_presentation()
    asked = [each.read(request.uri) for each in (wallet, other)]
    first, second = wallet.present(asked[0]), other.present(asked[1])
    assert (200, 400) == (first.status, second.status)
    assert shop.finish(request, first).pseudonym.value == shop.issuer.pseudonym("adult", sector=SECTOR)


def test_a_relayed_answer_is_refused(shops):
    """A hostile app takes our nonce and key, and forwards what the wallet answers to it: refused.

    The wallet answers by the certificate of who asks, so that it is the hostile app's credential.
    """
    shop = shops["wallet"]
    hostile = make_wallet_shop(
        shop.issuer, shop.clock, host="hostile.example", sector="https://hostile.example"
    )
    ours = shop.client.start_presentation()
    wallet = Wallet(shop.issuer, send=shop.send).enrol()
    wallet.prefetch(SECTOR, "https://hostile.example")
    asked = wallet.read(ours.uri)
    stolen = _asked_by(hostile, asked)
    answer = wallet.present(stolen)
    assert 400 == answer.status
    with pytest.raises(LoginRestartError):
        shop.client.finish_presentation(handle=ours.handle, response_code=None)


def _asked_by(hostile, asked):
    """Put our nonce, state and key into the mouth of the hostile app."""
    identity = hostile.rp.client_keys.wallet
    asker = replace(asked.asker, sector=hostile.rp.sector_identifier, client_id=identity.client_id)
    return replace(asked, asker=asker)


def test_the_request_of_an_app_is_not_answered_to_another(shops):
    """A hostile app serves its own request under its own certificate with our address in it: the wallet refuses."""
    shop = shops["wallet"]
    hostile = make_wallet_shop(
        shop.issuer, shop.clock, host="hostile.example", sector="https://hostile.example"
    )
    request = hostile.client.start_presentation()
    uri = request.uri.replace("hostile.example", "shop.example")
    wallet = shop.wallet()
    assert "fetch" == wallet.answer(uri).refused


def test_who_is_revoked_is_refused_from_the_refresh_on(caplog):
    """A revocation counts once the list is fetched, and no login fetches it."""
    caplog.set_level("INFO", "cyberid_client")
    clock = ManualClock()
    issuer = MockIssuer(clock)
    shop = make_wallet_shop(issuer, clock)
    wallet = shop.wallet("teenager")
    issuer.revoke_credentials("teenager", sector=SECTOR)
    clock.advance(300)
    assert shop.log_in(wallet)
    shop.client.refresh()
    shop.purposes.clear()
    with pytest.raises(CyberIDError):
        shop.log_in(wallet)
    assert "code=status.invalid " in caplog.text
    assert shop.log_in(shop.wallet("adult"))
    assert [] == shop.purposes


def test_a_rotation_of_the_credential_key_fails_nobody(caplog):
    """Old credentials are good under the old key, new ones under the new one; an emergency stop ends both."""
    caplog.set_level("INFO", "cyberid_client")
    clock = ManualClock()
    issuer = MockIssuer(clock)
    shop = make_wallet_shop(issuer, clock)
    old = shop.wallet()
    issuer.rotate_credential_key()
    shop.client.refresh()
    new = shop.wallet("teenager")
    assert shop.log_in(old)
    assert shop.log_in(new)
    issuer.withdraw_credential_keys()
    shop.client.refresh()
    for wallet in (old, new):
        with pytest.raises(CyberIDError):
            shop.log_in(wallet)
    assert "code=credential.key_unpublished " in caplog.text


@pytest.mark.parametrize(
    ("algorithm", "holder"),
    [
        ("ES384", "ES384"),
        ("EdDSA", "EdDSA"),
        ("ML-DSA-44", "ES256"),
        pytest.param("PS256", "ES256", marks=pytest.mark.slow),
        pytest.param("ML-DSA-87", "EdDSA", marks=pytest.mark.slow),
    ],
)
def test_issuer_and_holder_sign_each_in_their_own_way(algorithm, holder):
    """The algorithm of the credential says nothing about that of the key that it is bound to."""
    clock = ManualClock()
    issuer = MockIssuer(clock, algorithm=algorithm)
    shop = make_wallet_shop(issuer, clock, holder_algorithm=holder, algorithm=algorithm)
    wallet = Wallet(issuer, send=shop.send, algorithm=holder).enrol()
    wallet.prefetch(SECTOR)
    assert shop.log_in(wallet).pseudonym.value == issuer.pseudonym("adult", sector=SECTOR)
    other = Wallet(issuer, send=shop.send, algorithm="ES256" if holder != "ES256" else "EdDSA").enrol()
    other.prefetch(SECTOR)
    assert 400 == other.answer(shop.client.start_presentation().uri).status


@pytest.mark.parametrize(("length", "is_good"), [(60, True), (14 * 86_400, True), (14 * 86_400 + 1, False)])
def test_an_epoch_has_a_length_that_apps_believe(length, is_good):
    """Up to fourteen days an epoch may last; an issuer whose epochs are longer is refused."""
    clock = ManualClock()
    issuer = MockIssuer(clock, credential_epoch_length=length)
    if is_good:
        shop = make_wallet_shop(issuer, clock)
        assert shop.log_in(shop.wallet()).pseudonym
        return
    with pytest.raises(CyberIDError) as refused:
        make_wallet_shop(issuer, clock)
    assert "metadata.epoch_length" == refused.value.code


def test_a_wallet_goes_on_from_epoch_to_epoch():
    """For four epochs a wallet that fetches when it is due is let in, every other day."""
    clock = ManualClock()
    issuer = MockIssuer(clock)
    shop = make_wallet_shop(issuer, clock)
    wallet = shop.wallet()
    seen = set()
    for _ in range(14):
        clock.advance(2 * 86_400)
        shop.client.refresh()
        wallet.prefetch()
        login = shop.log_in(wallet)
        seen.add(wallet.holding(SECTOR).iat)
        assert login.pseudonym.value == issuer.pseudonym("adult", sector=SECTOR)
    assert 3 <= len(seen) <= 5


def test_a_waiting_page_sees_the_answer_and_no_more(shops, wallets):
    """The state goes from waiting to answered to over, whoever answered."""
    shop = shops["wallet"]
    request = shop.client.start_presentation(device="other")
    states = [shop.client.presentation_status(request.status_handle)]
    answer = wallets["wallet"].answer(request.uri)
    states.append(shop.client.presentation_status(request.status_handle))
    shop.finish(request, answer)
    states.append(shop.client.presentation_status(request.status_handle))
    assert [PresentationState.WAITING, PresentationState.ANSWERED, PresentationState.OVER] == states


def test_who_says_no_inside_is_declined(shops, wallets):
    """A refusal that was encrypted for the request is the wallet's own, and ends it."""
    shop, wallet = shops["wallet"], wallets["wallet"]
    request = shop.client.start_presentation()
    asked = wallet.read(request.uri)
    token = draft_encrypted_answer(asked, b'{"error":"access_denied"}').encode()
    reply = shop.client.receive_presentation(f"response={token}".encode())
    assert 200 == reply.status
    answer = WalletAnswer(status=200, redirect_uri=json.loads(reply.body)["redirect_uri"])
    with pytest.raises(LoginDeclinedError) as declined:
        shop.client.finish_presentation(handle=request.handle, response_code=response_code_of(answer))
    assert "presentation.declined" == declined.value.code


OVER_HTTP = (
    "wallet.signed_by_other_key",
    "wallet.unencrypted",
    "wallet.form_as_json",
    "wallet.form_too_large",
    "wallet.nonce_other",
    "wallet.fetched_twice",
    "wallet.fetched_by_get",
    "wallet.clock_slow",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", OVER_HTTP)
def test_the_verdict_over_real_http_is_the_same(name, caplog):
    """Wallet, app and issuer on three ports: what is refused in process is refused there, with the same code."""
    caplog.set_level("INFO", "cyberid_client")
    clock = ManualClock()
    issuer = MockIssuer(clock)
    reached = []

    def handle(call):
        [shop] = reached
        request = HTTPRequest(
            method=call.method,
            url=f"{shop.rp.wallet.endpoint}{call.path.removeprefix('/wallet')}",
            headers=call.headers,
            body=call.body,
            max_bytes=1,
            purpose="wallet",
        )
        response = shop.send(request)
        return Reply(status=response.status, headers=dict(response.headers), body=response.body)

    with issuer.serve(), run_server(host="127.0.0.1", port=0, handle=handle, slow_seconds=0) as origin:
        shop = make_wallet_shop(issuer, clock, endpoint=f"{origin}/wallet")
        reached.append(shop)
        wallet = Wallet(issuer.issuer, root_pem=issuer.root_pem, clock=clock).enrol()
        wallet.prefetch(SECTOR)
        wallet.arm(name)
        request = shop.client.start_presentation()
        answer = wallet.answer(request.uri)
        if name in WALLET_ODDITIES:
            assert shop.finish(request, answer).pseudonym.value == issuer.pseudonym("adult", sector=SECTOR)
            return
        assert answer.status in {400, 413}
        expected = WALLET_FAULTS[name].expected_code
        assert answer.status == 413 or f"code={expected} " in caplog.text
        with pytest.raises(CyberIDError):
            shop.finish(request, answer)
