"""What a client holds, it gives back."""

from __future__ import annotations

import threading
import warnings

import pytest

from cyberid_client import Client, ClientKey, ConfigurationError, HTTPLimits, RelyingParty, TrustStore
from cyberid_client.ports import HTTPRequest
from cyberid_client.transport import RequestsTransport

COUNTS = """
import gc, os, sys, threading, time

def held():
    gc.collect()
    return len(os.listdir("/proc/self/fd")), sorted(each.name for each in threading.enumerate())

def settled(expected):
    # A socket's other end and a thread's last steps take their moment.
    for _ in range(200):
        if held() == expected:
            break
        time.sleep(0.05)
    return held()

config = read_config(sys.argv[1])
with make_client(config) as first:
    log_in(first)  # whatever is loaded once is loaded now
before = held()
"""

CLOSED = """
client = make_client(config)
workers = [threading.Thread(target=lambda: [log_in(client) for _ in range(3)]) for _ in range(4)]
for each in workers:
    each.start()
for each in workers:
    each.join()
assert held()[0] > before[0], "nothing was open, so nothing would be found"
client.close()
print(settled(before) == before, held(), before)
"""

AFTER_AN_ERROR = """
try:
    with make_client(config) as client:
        log_in(client)
        raise LookupError
except LookupError:
    pass
print(settled(before) == before, held(), before)
"""

FORGOTTEN = """
client = make_client(config)
log_in(client)
del client
gc.collect()
# The refresher holds the client weakly and ends by itself, when it next wakes up.
print(settled((before[0], held()[1]))[0] == before[0], held(), before)
"""


@pytest.mark.parametrize("script", [CLOSED, AFTER_AN_ERROR], ids=["closed", "left by an error"])
def test_no_socket_and_no_thread_is_left_after_close(run, script):
    """The process holds exactly what it held before the client, and no ResourceWarning was worth a word."""
    printed = run(COUNTS + script)
    assert printed.startswith("True"), printed


def test_a_client_that_is_forgotten_leaves_no_socket(run):
    """Without close the connections end with the object, silently."""
    printed = run(COUNTS + FORGOTTEN)
    assert printed.startswith("True"), printed


class ClosingTransport:
    """Count how often it is closed."""

    def __init__(self) -> None:
        self.closed = 0

    def send(self, request):
        raise AssertionError

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def rp(issuer) -> RelyingParty:
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    return RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
    )


def test_close_closes_the_transport_once(rp):
    """Closing twice is harmless, and so is a with-block around a client that is closed inside."""
    transport = ClosingTransport()
    with Client(rp, transport=transport) as client:
        client.close()
        client.close()
    assert 1 == transport.closed


def test_a_closed_client_refuses_every_call_to_the_issuer(rp):
    """Nothing is sent after close; what needs no issuer still answers."""
    client = Client(rp, transport=ClosingTransport())
    client.close()
    for call in (client.start_login, client.refresh, lambda: client.__enter__().start_login()):
        with pytest.raises(ConfigurationError) as closed:
            call()
        assert "client.closed" == closed.value.code
    assert client.cookie_name_for("state=x") is not None
    assert client.clear_cookie("state=x").endswith("SameSite=Lax")


def test_a_client_that_was_never_used_holds_nothing(rp):
    """The constructor opens no socket and starts no thread, and forgetting the object is no event."""
    threads = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client = Client(rp)
        assert threads == threading.active_count()
        del client


def test_a_closed_transport_sends_nothing(issuer):
    """Every later request fails, and closing again is harmless."""
    transport = RequestsTransport(HTTPLimits())
    url = f"{issuer.issuer}/.well-known/openid-configuration"
    request = HTTPRequest(method="GET", url=url, max_bytes=100_000, purpose="discovery")
    assert 200 == transport.send(request).status
    transport.close()
    transport.close()
    assert "transport.failed" == transport.send(request).error
