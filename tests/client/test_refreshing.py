"""One fetch at a time, ahead of time, for honest reasons only."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cyberid_client import CyberIDError, UnavailableError, VerificationError
from cyberid_client.ports import HTTPResponse
from cyberid_client.refreshing import BUCKET_SIZE


def _start_all(shop, count):
    requests = [shop.client.start_login() for _ in range(count)]
    shop.issuer.rotate_signing_key()
    callbacks = [shop.issuer.authorize(request.url) for request in requests]
    shop.transport.purposes.clear()
    return zip(requests, callbacks, strict=True)


def test_many_threads_with_honest_tokens_of_a_new_key_fetch_once(shop):
    """A rotation under load costs the issuer one request."""
    with ThreadPoolExecutor(32) as pool:
        logins = list(
            pool.map(
                lambda leg: shop.client.finish_login(leg[1], handle=leg[0].handle),
                _start_all(shop, 64),
            )
        )
    assert len(logins) == 64
    assert shop.transport.purposes.count("jwks") == 1


def _failing(shop, fault):
    """Try one login under a fault and return the code of its end."""
    request = shop.client.start_login()
    shop.issuer.arm(fault)
    callback = shop.issuer.authorize(request.url)
    with pytest.raises(CyberIDError) as refused:
        shop.client.finish_login(callback, handle=request.handle)
    shop.issuer.disarm()
    return refused.value.code


def test_forged_tokens_fetch_nothing(shop):
    """Neither a broken signature nor a chain to another root is a reason to ask the issuer."""
    shop.log_in()
    shop.transport.purposes.clear()
    for fault in ("id_token.signature_bit_flipped", "chain.other_root"):
        _failing(shop, fault)
    assert shop.transport.purposes == ["par", "token", "par", "token"]


def test_unproven_unknown_keys_empty_a_bucket_and_then_fetch_nothing(shop):
    """Without a chain anybody could have named the key: a few fetches, and then one in half a minute."""
    shop.log_in()
    shop.transport.purposes.clear()
    for _ in range(BUCKET_SIZE + 3):
        assert _failing(shop, "id_token.kid_unknown_without_chain") == "id_token.key_unknown"
    assert shop.transport.purposes.count("jwks") == BUCKET_SIZE
    shop.clock.advance(30)
    _failing(shop, "id_token.kid_unknown_without_chain")
    _failing(shop, "id_token.kid_unknown_without_chain")
    assert shop.transport.purposes.count("jwks") == BUCKET_SIZE + 1


def test_an_empty_bucket_does_not_stop_an_honest_rotation(shop):
    """What the national roots vouch for is fetched at once, whatever others tried before."""
    shop.log_in()
    for _ in range(BUCKET_SIZE + 1):
        _failing(shop, "id_token.kid_unknown_without_chain")
    [(request, callback)] = _start_all(shop, 1)
    assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"


def test_a_certified_key_that_the_issuer_took_out_fetches_once_in_a_while(shop):
    """Whoever holds a retired key cannot make us ask again and again."""
    shop.log_in()
    shop.transport.purposes.clear()
    shop.issuer.withdraw_signing_key()
    shop.client.refresh()
    for _ in range(3):
        request, callback = shop.start()
        with pytest.raises(VerificationError) as refused:
            shop.client.finish_login(callback, handle=request.handle)
        assert refused.value.code == "id_token.key_unpublished"
    assert shop.transport.purposes.count("jwks") == 2
    shop.issuer.disarm()
    shop.clock.advance(30)
    assert shop.log_in().return_to == "/"


def test_keys_that_moved_are_found_by_way_of_new_metadata(shop):
    """A key set at an old address that fails leads back to the metadata."""
    known = shop.transport.send

    def old_address_is_gone(request):
        if request.purpose == "jwks" and "discovery" not in shop.transport.purposes:
            shop.transport.purposes.append("jwks")
            return HTTPResponse(status=404, url=request.url)
        return known(request)

    [(request, callback)] = _start_all(shop, 1)
    shop.transport.send = old_address_is_gone
    assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"
    assert shop.transport.purposes == ["token", "jwks", "discovery", "jwks"]


def test_waiting_threads_share_the_failure_of_a_fetch(shop):
    """An issuer that is down is asked once by those who come at once, and all hear why."""
    arrived = threading.Barrier(9)

    class Slow:
        calls = 0

        def send(self, request):
            self.calls += 1
            arrived.wait(5)
            time.sleep(0.05)
            return HTTPResponse(status=0, url=request.url, error="transport.timeout")

        def close(self):
            pass

    transport = Slow()
    client = shop.new_client(shop.rp, transport=transport, clock=shop.clock, background=False)

    def attempt(number):
        if number:
            arrived.wait(5)
        with pytest.raises(UnavailableError) as down:
            client.start_login()
        return down.value.code

    with ThreadPoolExecutor(9) as pool:
        codes = list(pool.map(attempt, range(9)))
    assert codes == ["transport.timeout"] * 9
    assert transport.calls == 1


def test_the_refresher_fetches_ahead_and_ends_with_the_client(shop, timers):
    """With a thread or a task of its own, a login finds fresh keys and fetches nothing."""
    others = timers()
    client = shop.new_client(shop.rp, transport=shop.transport, clock=shop.clock)
    with client:
        request = client.start_login()
        client.finish_login(shop.issuer.authorize(request.url), handle=request.handle)
        [timer] = timers() - others
        assert getattr(timer, "daemon", True)
    assert timer not in timers()


def test_a_process_that_slept_does_not_believe_a_key_that_was_taken_out(shop):
    """What is out of date is fetched before it serves, also when a thread is to do so ahead of time."""
    with shop.new_client(shop.rp, transport=shop.transport, pending=shop.store, clock=shop.clock) as client:
        client.refresh()  # before the fork, or before the machine slept: no thread runs yet
        shop.clock.advance(20 * 3600)
        request = shop.client.start_login()
        callback = shop.issuer.authorize(request.url)
        shop.issuer.withdraw_signing_key()
        with pytest.raises(VerificationError) as refused:
            client.finish_login(callback, handle=request.handle)
    assert refused.value.code == "id_token.key_unpublished"


@pytest.mark.parametrize("oddity", ["id_token.kid_absent_single_key", None])
def test_a_new_key_under_an_old_name_or_under_none_is_fetched_at_once(shop, oddity):
    """What the national roots vouch for is an honest rotation, whatever the key is called."""
    shop.log_in()
    old = shop.issuer._service.keyring.signer("assertion")
    request = shop.client.start_login()
    shop.issuer.rotate_signing_key()
    keyring = shop.issuer._service.keyring
    if oddity is None:
        keyring._signers["assertion"] = replace(keyring.signer("assertion"), kid=old.kid)
    else:
        shop.issuer.arm(oddity)
    callback = shop.issuer.authorize(request.url)
    shop.transport.purposes.clear()
    assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"
    assert shop.transport.purposes == ["token", "jwks"]


def test_a_key_that_is_published_under_another_name_fetches_once_in_a_while(shop):
    """An issuer that mixes up its names is not asked anew for every login."""
    shop.log_in()
    keyring = shop.issuer._service.keyring
    signer = keyring.signer("assertion")
    keyring.publish({**signer.to_jwk(), "kid": "another-name"})
    keyring.publish_own_key = False
    shop.client.refresh()
    shop.transport.purposes.clear()
    for _ in range(5):
        request, callback = shop.start()
        with pytest.raises(VerificationError) as refused:
            shop.client.finish_login(callback, handle=request.handle)
        assert refused.value.code == "id_token.key_unpublished"
    assert shop.transport.purposes.count("jwks") == 1
