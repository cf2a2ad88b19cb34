"""What wallet logins are judged with: known ahead, never fetched because somebody logs in; and our own certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from cyberid_client import (
    Client,
    ClientKeys,
    ConfigurationError,
    CyberIDError,
    UnavailableError,
    VerificationError,
    WalletIdentity,
)
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.testing.jose import ALGORITHMS

from .conftest import CountingTransport
from .gate import ENDPOINT, SECTOR, Gate, code_in, make_gate

DAY = 86_400


@pytest.fixture
def gate(issuer: MockIssuer, clock: ManualClock, new_client: Callable[..., Client]) -> Gate:
    return make_gate(issuer, clock, new_client=new_client)


def code_of(function: Callable[..., object], *arguments: object, **named: object) -> str:
    with pytest.raises(CyberIDError) as caught:
        function(*arguments, **named)
    return caught.value.code


class TestNothingIsFetched:
    def test_who_knows_nothing_fetches_at_the_start_and_never_again(self, gate):
        """The first start brings metadata, keys and lists; no other call asks the issuer anything."""
        gate.client.start_presentation()
        known = list(gate.transport.purposes)
        assert {"discovery", "jwks", "crl", "status_aggregation", "status_list"} == set(known)
        for device in ("same", "other"):
            gate.log_in(device)
        ask = gate.client.start_presentation(device="other")
        gate.client.presentation_status(ask.status_handle)
        assert known == gate.transport.purposes

    def test_who_refreshed_fetches_nothing_at_all(self, gate):
        """After a refresh by a timer of the app's own the start fetches nothing."""
        gate.client.refresh()
        known = list(gate.transport.purposes)
        assert "status_list" in known
        assert gate.log_in()
        assert known == gate.transport.purposes

    def test_when_a_part_is_known_only_the_other_is_fetched(self, gate):
        """After a redirect login only the status lists are lacking."""
        request = gate.client.start_login()
        gate.client.finish_login(gate.issuer.authorize(request.url), handle=request.handle)
        before = len(gate.transport.purposes)
        gate.log_in()
        assert {"status_aggregation", "status_list"} == set(gate.transport.purposes[before:])

    def test_who_cannot_fetch_starts_nothing(self, gate):
        """Without an issuer, and knowing nothing, there is nothing to judge with."""
        gate.transport.is_cut = True
        with pytest.raises(UnavailableError):
            gate.client.start_presentation()
        assert 0 == len(gate.store)

    def test_who_knows_nothing_judges_nothing(self, gate, new_client):
        """A process that has just begun asks the wallet to come again, and uses nothing up."""
        ask = gate.client.start_presentation()
        posted = gate.hold(ask)
        quiet = CountingTransport(gate.issuer.transport())
        young = new_client(gate.rp, transport=quiet, pending=gate.store, clock=gate.clock, background=False)
        reply = young.receive_presentation(posted.body, content_type=posted.headers["content-type"])
        assert (503, []) == (reply.status, quiet.purposes)
        assert 200 == gate.receive(posted).status

    def test_a_process_that_knows_nothing_may_finish(self, gate, new_client):
        """What was proved in one process is a login in every other that shares the store."""
        ask, code = gate.start()
        quiet = CountingTransport(gate.issuer.transport())
        young = new_client(gate.rp, transport=quiet, pending=gate.store, clock=gate.clock, background=False)
        assert young.finish_presentation(handle=ask.handle, response_code=code)
        assert [] == quiet.purposes

    def test_an_unknown_key_is_refused_and_not_fetched(self, gate):
        """An issuer publishes a key before it signs with it."""
        gate.client.refresh()
        gate.issuer.rotate_credential_key()
        gate.clock.advance(2)
        stranger = gate.wallet.another("traveller")
        before = list(gate.transport.purposes)
        ask = gate.client.start_presentation()
        assert 400 == stranger.answer(ask.uri).status
        assert before == gate.transport.purposes
        gate.client.refresh()
        assert 200 == stranger.answer(gate.client.start_presentation().uri).status

    def test_logins_go_on_while_the_issuer_is_gone(self, gate):
        """For hours nobody notices; until what is known ends."""
        gate.client.refresh()
        known = list(gate.transport.purposes)
        gate.transport.is_cut = True
        gate.clock.advance(4 * 60)
        assert gate.log_in()
        assert gate.log_in("other")
        assert known == gate.transport.purposes

    def test_the_end_of_what_is_known(self, gate):
        """Beyond all grace nothing starts, nothing is judged, and still nothing is fetched."""
        gate.client.refresh()
        known = list(gate.transport.purposes)
        gate.transport.is_cut = True
        gate.clock.advance(9 * DAY)
        with pytest.raises(UnavailableError):
            gate.client.start_presentation()
        assert known == gate.transport.purposes

    def test_a_list_that_is_out_of_date_is_no_verdict(self, gate):
        """Whose list could not be refreshed is asked to come again, and is not used up."""
        gate.client.refresh()
        uris = gate.client.status_lists.snapshot.lists.by_uri
        ends = min(each.holds_until for each in uris.values())
        gate.clock.advance((ends - gate.clock()).total_seconds())
        ask = gate.client.start_presentation(device="other")
        posted = gate.hold(ask)
        assert 503 == gate.receive(posted).status
        assert "waiting" == gate.client.presentation_status(ask.status_handle)
        gate.client.refresh()
        assert 200 == gate.receive(posted).status


class TestRefresh:
    def test_without_wallets_no_status_list_is_fetched(self, gate, new_client):
        """A client for redirect logins only is not made to fetch what it never reads."""
        rp = replace(gate.rp, wallet=None)
        quiet = CountingTransport(gate.issuer.transport())
        client = new_client(rp, transport=quiet, clock=gate.clock, background=False)
        client.refresh()
        assert not {"status_list", "status_aggregation"} & set(quiet.purposes)

    def test_a_status_list_that_fails_is_told_after_all_else_was_fetched(self, gate):
        """What else came serves, and who called hears that something did not."""
        gate.issuer.arm("status_list.signature_bit_flipped", count=50)
        with pytest.raises(VerificationError):
            gate.client.refresh()
        assert {"discovery", "jwks", "status_list"} <= set(gate.transport.purposes)
        assert gate.client.health().ok

    def test_a_status_list_that_fails_keeps_nobody_else_out(self, gate):
        """A client that knows nothing starts all the same, when the page of the lists came."""
        gate.issuer.arm("status_list.signature_bit_flipped", count=1)
        assert gate.client.start_presentation()

    def test_lists_of_those_who_sign_credentials_are_fetched_ahead(self, gate):
        """The revocation lists answer for the signers of credentials, too."""
        gate.client.refresh()
        assert gate.log_in()
        purposes = gate.transport.purposes.count("crl")
        assert purposes
        assert gate.log_in("other")
        assert purposes == gate.transport.purposes.count("crl")

    def test_both_timers_run_from_the_first_use(self, gate, new_client, timers):
        """With a background, keys and status lists are refreshed ahead of time."""
        before = len(timers())
        client = new_client(gate.rp, transport=gate.transport, clock=gate.clock, background=True)
        try:
            client.start_presentation()
            assert before + 2 == len(timers())
        finally:
            client.close()


class TestCertificate:
    def test_a_wrong_one_is_found_when_the_client_is_made(self, gate, new_client):
        """A certificate of another app is refused before anybody logs in."""
        certificate, key = gate.issuer.certify_relying_party(
            sector="https://other.example", endpoint=ENDPOINT
        )
        keys = ClientKeys(
            signing=gate.rp.client_keys.signing, wallet=WalletIdentity.from_pem(certificate, key)
        )
        with pytest.raises(ConfigurationError) as caught:
            new_client(replace(gate.rp, keys=keys), transport=gate.transport, clock=gate.clock)
        assert ("presentation.certificate", "keys.wallet") == (caught.value.code, caught.value.setting)

    def test_one_that_ends_while_the_client_lives(self, gate):
        """Health tells of its end a month ahead; from its end on nothing starts, and redirects go on."""
        end = gate.client.health().wallet_certificate_expires_at
        assert "wallet_certificate_expires_soon" not in gate.client.health().warnings
        gate.clock.advance((end - timedelta(days=30) - gate.clock()).total_seconds() + 1)
        assert "wallet_certificate_expires_soon" in gate.client.health().warnings
        gate.clock.advance((end - gate.clock()).total_seconds())
        assert "wallet_certificate_expired" not in gate.client.health().warnings
        gate.clock.advance(1)
        assert "wallet_certificate_expired" in gate.client.health().warnings
        assert "presentation.certificate" == code_of(gate.client.start_presentation)

    def test_without_wallets_there_is_none(self, gate, new_client):
        """Who takes no presentations has no certificate that ends."""
        client = new_client(
            replace(gate.rp, wallet=None), transport=gate.transport, clock=gate.clock, background=False
        )
        assert None is client.health().wallet_certificate_expires_at
        assert "config.wallet" == code_of(client.start_presentation)

    def test_a_new_one_while_people_are_on_their_way(self, gate, new_client):
        """Who fetched the request before may answer it; who comes later starts again."""
        fetched, late = gate.client.start_presentation(), gate.client.start_presentation()
        posted = gate.hold(fetched)
        certificate, key = gate.issuer.certify_relying_party(sector=SECTOR, endpoint=ENDPOINT)
        keys = ClientKeys(
            signing=gate.rp.client_keys.signing, wallet=WalletIdentity.from_pem(certificate, key)
        )
        rp = replace(gate.rp, keys=keys)
        newer = new_client(
            rp, transport=gate.transport, pending=gate.store, clock=gate.clock, background=False
        )
        newer.refresh()
        later = late.uri.partition("request%2F")[2][:22]
        assert "login.other_settings" == code_of(newer.presentation_request_object, later)
        reply = newer.receive_presentation(posted.body, content_type=posted.headers["content-type"])
        code = reply.body.decode().partition("response_code=")[2].rstrip('"}')
        assert newer.finish_presentation(handle=fetched.handle, response_code=code)


def test_a_signer_that_fails_is_no_verdict(gate, new_client):
    """When the key that wallets know cannot sign, the wallet is asked to come again."""
    own = gate.rp.client_keys.wallet

    class Held:
        algorithm = own.key.algorithm
        public_key_info = own.key.public_key_info
        is_there = True

        def sign(self, message: bytes) -> bytes:
            if not self.is_there:
                raise OSError
            return ALGORITHMS["ES256"].sign(own.key.private_key, message)

    held = Held()
    identity = replace(own, key=type(own.key).from_signer(held))
    keys = ClientKeys(signing=gate.rp.client_keys.signing, wallet=identity)
    signing = gate.with_client(new_client, keys=keys)
    ask = signing.client.start_presentation()
    posted = signing.hold(ask)
    held.is_there = False
    assert 503 == signing.receive(posted).status
    held.is_there = True
    assert 200 == signing.receive(posted).status
    assert code_in(signing.wallet.answer(signing.client.start_presentation().uri))
