"""Revocation in a whole login: when lists are fetched, what they end, and what an outage costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cyberid_client import CyberIDError
from cyberid_client.ports import HTTPResponse
from cyberid_client.trust import RevocationPolicy

HOUR, DAY = 3600, 24 * 3600


def code_of(call):
    with pytest.raises(CyberIDError) as refused:
        call()
    return refused.value.code


def refuse_lists(shop):
    """Let no list come any more, and return what undoes it."""
    send = shop.transport.send

    def without_lists(request):
        if request.purpose == "crl":
            shop.transport.purposes.append("crl")
            return HTTPResponse(status=0, url=request.url, error="transport.timeout")
        return send(request)

    shop.transport.send = without_lists
    return lambda: setattr(shop.transport, "send", send)


@pytest.mark.parametrize("reason", ["key_compromise", "superseded", "certificate_hold"])
def test_a_signer_that_is_taken_back_logs_nobody_in_any_more(shop, reason):
    """From the next look at the list on, whatever the reason; an honest successor is let in."""
    shop.log_in()
    shop.issuer.revoke_signer(reason=reason)
    shop.clock.advance(HOUR)
    assert "revocation.revoked" == code_of(shop.log_in)
    shop.issuer.rotate_signing_key()
    assert "/" == shop.log_in().return_to


def test_metadata_of_a_signer_that_was_taken_back_serve_no_longer(shop):
    """What was believed before is dropped when its signer is found on the list."""
    shop.log_in()
    shop.issuer.revoke_signer("metadata")
    shop.clock.advance(HOUR)
    assert "revocation.revoked" == code_of(shop.log_in)
    shop.issuer.renew_metadata_signer()
    assert "/" == shop.log_in().return_to


def test_an_authority_that_is_taken_back_ends_everything_below_it(shop):
    """A new authority under the same root, with a list of its own, is fetched and believed."""
    shop.log_in()
    shop.issuer.revoke_authority()
    shop.clock.advance(HOUR)
    assert "revocation.revoked" == code_of(shop.log_in)
    shop.issuer.renew_authority()
    assert "/" == shop.log_in().return_to


def test_lists_are_fetched_on_timers_and_not_because_of_logins(shop):
    """Between two looks no login asks for anything but its own two answers."""
    shop.log_in()
    shop.transport.purposes.clear()
    for _ in range(3):
        shop.log_in()
    assert ["par", "token"] * 3 == shop.transport.purposes
    shop.clock.advance(0.95 * HOUR)
    shop.transport.purposes.clear()
    shop.log_in()
    assert 2 == shop.transport.purposes.count("crl")


def test_a_login_under_a_new_authority_fetches_its_list_once(shop):
    """An honest rollover in the middle of logins costs one more list, however many come at once."""
    shop.log_in()
    legs = [shop.client.start_login() for _ in range(16)]
    shop.issuer.renew_authority()
    callbacks = [shop.issuer.authorize(leg.url) for leg in legs]
    shop.transport.purposes.clear()
    with ThreadPoolExecutor(8) as pool:
        logins = list(
            pool.map(
                lambda pair: shop.client.finish_login(pair[1], handle=pair[0].handle),
                zip(legs, callbacks, strict=True),
            )
        )
    assert 16 == len(logins)
    assert 1 == shop.transport.purposes.count("crl")


def test_an_authority_without_a_list_is_asked_once_in_a_while(shop):
    """Whoever holds a certificate of such an authority cannot make us ask again and again."""
    shop.log_in()
    shop.transport.purposes.clear()
    for _ in range(3):
        shop.issuer.arm("revocation.list_without_right")
        assert "revocation.list_key_usage" == code_of(shop.log_in)
    assert 3 == shop.transport.purposes.count("crl")  # each time another authority


def test_logins_go_on_while_lists_cannot_be_fetched_until_their_end(shop):
    """A failed refresh evicts nothing; the end of the list is the end of the login."""
    shop.log_in()
    mend = refuse_lists(shop)
    shop.clock.advance(6 * DAY)
    assert "/" == shop.log_in().return_to
    shop.clock.advance(DAY)
    assert "revocation.unreachable" == code_of(shop.log_in)
    assert "revocation.unreachable" == code_of(shop.log_in)
    mend()
    shop.clock.advance(60)
    assert "/" == shop.log_in().return_to


def test_an_outage_is_tolerated_as_configured(make):
    """The named policy lets logins go on for so many minutes after the end."""
    shop = make(revocation=RevocationPolicy.tolerate_outage(minutes=30))
    shop.log_in()
    refuse_lists(shop)
    # Metadata are checked against the lists, too.
    shop.clock.advance(7 * DAY + 29 * 60)
    assert "/" == shop.log_in().return_to
    shop.clock.advance(60)
    assert "revocation.unreachable" == code_of(shop.log_in)


def test_switched_off_no_list_is_fetched(make):
    """The named choice is a choice: nothing is asked and nobody is refused."""
    shop = make(revocation=RevocationPolicy.off())
    shop.issuer.revoke_signer()
    assert "/" == shop.log_in().return_to
    assert "crl" not in shop.transport.purposes


def test_lists_come_from_configured_hosts_only(make):
    """A list elsewhere is not fetched, not even to find out."""
    shop = make(revocation_hosts=frozenset({"lists.example"}))
    assert "revocation.unknown" == code_of(shop.log_in)
    assert ["discovery"] == shop.transport.purposes


def test_forged_metadata_fetch_no_list(shop):
    """Nothing is fetched for a document whose signature or chain does not hold."""
    for fault in ("metadata.signature_bit_flipped", "metadata.chain_of_other_root", "metadata.expired"):
        shop.issuer.arm(fault)
        code_of(shop.client.start_login)
    assert ["discovery"] * 3 == shop.transport.purposes


def test_what_was_seen_revoked_stays_so_when_the_fetch_failed(shop):
    """A list that was part of a failed fetch is remembered all the same."""
    shop.issuer.arm("revocation.authority")
    assert "revocation.revoked" == code_of(shop.client.start_login)
    assert "revocation.revoked" == code_of(shop.client.start_login)


def test_the_refresher_fetches_lists_ahead_of_time(shop):
    """With a thread of its own, a client that never logs anybody in knows who was taken back."""
    with shop.new_client(shop.rp, transport=shop.transport, clock=shop.clock) as client:
        client.start_login()
        keeper = client._legs.keeper
        shop.issuer.revoke_signer()
        shop.clock.advance(0.95 * HOUR)
        client._driver.run(keeper.refresh_if_due())
        assert keeper.snapshot.crls.revokes(
            [one for one in keeper.snapshot.certificates if one not in keeper.snapshot.metadata.path]
        )
