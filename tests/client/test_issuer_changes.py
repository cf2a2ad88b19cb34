"""The issuer's metadata and keys change while logins go on."""

from __future__ import annotations

import pytest

from cyberid_client import UnavailableError, VerificationError
from cyberid_client.ports import HTTPResponse


def test_a_key_that_rotates_between_the_two_legs_is_fetched_at_once(shop):
    """An honest rotation costs one more call and no login."""
    request, callback = _start_then(shop, shop.issuer.rotate_signing_key)
    shop.client.finish_login(callback, handle=request.handle)
    assert shop.transport.purposes == ["discovery", "crl", "crl", "jwks", "par", "token", "jwks"]


def _start_then(shop, happening):
    request = shop.client.start_login()
    happening()
    return request, shop.issuer.authorize(request.url)


def test_two_rotations_in_a_row_both_succeed(shop):
    """There is no cool-down after an honest fetch."""
    for _ in range(2):
        request, callback = _start_then(shop, shop.issuer.rotate_signing_key)
        assert shop.client.finish_login(callback, handle=request.handle).return_to == "/"


def test_older_metadata_than_the_newest_are_refused_and_what_is_known_stays(shop):
    """A rollback is refused by refresh, and logins go on with what was believed before."""
    shop.log_in()
    shop.issuer.arm("metadata.rolled_back")
    with pytest.raises(VerificationError) as refused:
        shop.client.refresh()
    assert refused.value.code == "metadata.rolled_back"
    assert shop.log_in().return_to == "/"


def test_keys_are_fetched_again_before_their_time_is_over(shop):
    """Between 75 and 90 per cent of ten minutes the next login fetches the keys, and only them."""
    shop.log_in()
    shop.transport.purposes.clear()
    shop.clock.advance(449)
    shop.log_in()
    assert shop.transport.purposes == ["par", "token"]
    shop.transport.purposes.clear()
    shop.clock.advance(541 - 449)
    shop.log_in()
    assert shop.transport.purposes == ["jwks", "par", "token"]


def test_metadata_are_fetched_again_before_their_time_is_over(shop):
    """Before an hour is over the next login fetches metadata and keys."""
    shop.log_in()
    shop.transport.purposes.clear()
    shop.clock.advance(3241)
    shop.log_in()
    assert shop.transport.purposes == ["discovery", "jwks", "crl", "crl", "par", "token"]


class Unreachable:
    """An issuer whose back channel is partly down."""

    def __init__(self, inner, down):
        self._inner, self.down = inner, down

    def send(self, request):
        if request.purpose in self.down:
            return HTTPResponse(status=0, url=request.url, error="transport.timeout")
        return self._inner.send(request)

    def close(self):
        self._inner.close()


def test_a_failed_refresh_never_evicts_what_is_known(make, issuer):
    """While discovery is down, logins go on with the old metadata until 24 hours past their end."""
    shop = make()
    transport = Unreachable(issuer.transport(), set())
    client = shop.new_client(shop.rp, transport=transport, clock=shop.clock, background=False)
    client.refresh()
    transport.down = {"discovery", "jwks"}
    # The metadata of the mock live for a day, and 24 hours more while they cannot be refreshed; so do keys.
    shop.clock.advance(24 * 3600 + 599)
    request = client.start_login()
    assert client.finish_login(issuer.authorize(request.url), handle=request.handle).return_to == "/"
    shop.clock.advance(1)
    with pytest.raises(UnavailableError) as down:
        client.start_login()
    assert down.value.code == "transport.timeout"


@pytest.mark.parametrize("error", [StopIteration(), RuntimeError("secret"), OSError("secret")])
def test_a_transport_that_raises_never_ends_a_flow_as_a_result(shop, error, caplog):
    """Whatever a transport raises is an unavailable issuer, and its message stays out of the log."""

    class Raising:
        def send(self, request):
            raise error

        def close(self):
            pass

    client = shop.new_client(shop.rp, transport=Raising(), clock=shop.clock, background=False)
    with pytest.raises(UnavailableError) as failed:
        client.start_login()
    assert failed.value.code == "transport.failed"
    assert "secret" not in caplog.text


class BrokenStore:
    """A store of somebody else that fails in its own way."""

    single_use = shared = durable = True

    def put(self, key, record, *, expires_at, now):
        message = "secret"
        raise OSError(message)

    def take(self, key, *, carried, now):
        message = "secret"
        raise OSError(message)


def test_a_store_that_raises_is_unavailable_and_never_a_login(shop, caplog):
    """Only our own errors come out of a foreign store."""
    client = shop.new_client(shop.rp, transport=shop.transport, pending=BrokenStore(), clock=shop.clock)
    with pytest.raises(UnavailableError) as put:
        client.start_login()
    with pytest.raises(UnavailableError) as take:
        client.finish_login("code=x", handle="A" * 43)
    assert (put.value.code, take.value.code) == ("store.failed", "store.failed")
    assert "secret" not in caplog.text
