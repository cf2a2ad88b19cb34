"""One client for all threads of a process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cyberid_client import Client, ClientKey, HTTPLimits, RelyingParty, TrustStore
from cyberid_client.stores import MemoryPendingStore
from cyberid_client.transport import RequestsTransport

THREADS = 32
LOGINS = 4


def _make(issuer, transport, store):
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
    )
    return Client(rp, transport=transport, pending=store)


@pytest.mark.parametrize("over", ["memory", "http"])
def test_thirty_two_threads_share_one_client(issuer, over):
    """Each thread gets its own person and its own place back, every time; metadata are fetched once."""
    issuer.agree_automatically(None)
    # The limits are those of a busy two-core machine: 32 threads wait for each other in one process.
    limits = HTTPLimits(read_timeout=60, total_timeout=60, pool_size=8)
    transport = issuer.transport() if over == "memory" else RequestsTransport(limits)
    store, people = MemoryPendingStore(), sorted(issuer.people)
    gate = threading.Barrier(THREADS)

    def visit(number: int) -> list[tuple[str, str]]:
        person = people[number % len(people)]
        gate.wait(timeout=60)
        outcome = []
        for count in range(LOGINS):
            request = client.start_login(return_to=f"/{number}/{count}")
            callback = issuer.authorize(request.url, person=person)
            login = client.finish_login(callback, handle=request.handle)
            outcome.append((login.pseudonym.value, login.return_to))
        return outcome

    with _make(issuer, transport, store) as client, ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(visit, range(THREADS)))
    expected = [
        [
            (
                issuer.pseudonym(people[number % len(people)], sector="https://shop.example"),
                f"/{number}/{count}",
            )
            for count in range(LOGINS)
        ]
        for number in range(THREADS)
    ]
    assert expected == outcomes
    assert 0 == len(store)
    paths = [record.path for record in issuer.log]
    assert 1 == paths.count("/.well-known/openid-configuration")
    assert THREADS * LOGINS == paths.count("/token")


def test_one_handle_presented_by_many_threads_logs_in_once(issuer):
    """Thirty-two threads race with the same cookie and callback: one login, and 31 that start again."""
    client = _make(issuer, issuer.transport(), MemoryPendingStore())
    request = client.start_login()
    callback = issuer.authorize(request.url)
    gate = threading.Barrier(THREADS)

    def present(_number: int) -> str:
        gate.wait(timeout=60)
        try:
            return str(client.finish_login(callback, handle=request.handle).channel)
        except Exception as error:  # noqa: BLE001 - the outcome is what is counted
            return getattr(error, "code", repr(error))

    with client, ThreadPoolExecutor(THREADS) as pool:
        outcomes = sorted(pool.map(present, range(THREADS)))
    assert ["login.unknown"] * (THREADS - 1) + ["redirect"] == outcomes
