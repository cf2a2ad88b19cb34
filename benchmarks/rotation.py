"""Count what a key rotation and a flood of forgeries cost the issuer: ``python benchmarks/rotation.py``.

1,000 threads finish honest logins signed with a key that nobody has seen; then 10,000 logins end with
forged assertions. Requests for the key set are counted.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter

from cyberid_client import Client, ClientKey, CyberIDError, RelyingParty, TrustStore
from cyberid_client.ports import HTTPRequest, HTTPResponse
from cyberid_client.testing import MockIssuer

THREADS = 1_000
FORGERIES = 10_000


class Counting:
    """Count requests by purpose."""

    def __init__(self, issuer: MockIssuer) -> None:
        self._inner = issuer.transport()
        self._lock = threading.Lock()
        self.sent: Counter[str] = Counter()

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Count and pass on."""
        with self._lock:
            self.sent[request.purpose] += 1
        return self._inner.send(request)

    def close(self) -> None:
        """Pass on."""
        self._inner.close()


def honest_threads(issuer: MockIssuer, client: Client) -> int:
    """Finish logins in as many threads, all at once, and return how many succeeded."""
    requests = [client.start_login() for _ in range(THREADS)]
    issuer.rotate_signing_key()
    callbacks = [issuer.authorize(request.url) for request in requests]
    together, done = threading.Barrier(THREADS), []

    def finish(number: int) -> None:
        together.wait(60)
        client.finish_login(callbacks[number], handle=requests[number].handle)
        done.append(number)

    threads = [threading.Thread(target=finish, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def forgeries(issuer: MockIssuer, client: Client) -> Counter[str]:
    """End logins with forged assertions and return the codes."""
    codes: Counter[str] = Counter()
    for number in range(FORGERIES):
        issuer.arm("chain.other_root" if number % 2 else "id_token.kid_unknown_and_forged")
        request = client.start_login()
        try:
            client.finish_login(issuer.authorize(request.url), handle=request.handle)
        except CyberIDError as error:
            codes[error.code] += 1
        issuer.disarm()
    return codes


def main() -> int:
    """Run both and print what was counted."""
    logging.disable(logging.WARNING)
    issuer = MockIssuer()
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id=registered.client_id,
        redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
    )
    transport = Counting(issuer)
    with Client(rp, transport=transport, background=False) as client:
        client.refresh()
        transport.sent.clear()
        logins = honest_threads(issuer, client)
        fetched = transport.sent["jwks"]
        print(f"{logins} of {THREADS} honest logins with a new key: {fetched} request for the key set")
        transport.sent.clear()
        codes = forgeries(issuer, client)
        forged = transport.sent["jwks"]
        print(f"{sum(codes.values())} forged assertions {dict(codes)}: {forged} requests for the key set")
    return 0 if (logins, fetched, forged) == (THREADS, 1, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
