"""Log in with many tasks at once: ``python concurrency.py [--quick]``; writes rates and a ratio as JSON.

The issuer answers in process, and each answer is held back by an event loop's timer for as long as a real
one would be under way, so that the rate at 200 ms is compared with the rate at none. Warm logins only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

from cyberid_client import AsyncClient, ClientKey, RelyingParty, TrustStore
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.testing import MockIssuer

TASKS: Final = 1_000
TASKS_QUICK: Final = 50
LOGINS: Final = 10
LATENCY: Final = 0.2


class DistantIssuer:
    """An in-process transport that answers after a while."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.latency = 0.0

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """Answer, and hold the answer back."""
        response = self._transport.send(request)
        await asyncio.sleep(self.latency)
        return response

    async def aclose(self) -> None:
        """Close the transport."""
        self._transport.close()


async def _log_in(client: AsyncClient, issuer: MockIssuer) -> None:
    request = await client.start_login()
    callback = issuer.authorize(request.url)
    await client.finish_login(callback, handle=request.handle)


async def _rate(client: AsyncClient, issuer: MockIssuer, tasks: int) -> float:
    """Return logins a second, of so many tasks that each log in again and again."""

    async def loop() -> None:
        for _ in range(LOGINS):
            await _log_in(client, issuer)

    start = time.perf_counter()
    await asyncio.gather(*(loop() for _ in range(tasks)))
    return tasks * LOGINS / (time.perf_counter() - start)


async def _measure(tasks: int) -> dict[str, float]:
    issuer = MockIssuer()
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
    )
    transport = DistantIssuer(issuer.transport())
    async with AsyncClient(rp, transport=transport, background=False) as client:
        await _log_in(client, issuer)
        before = dict(client.outbound)
        await _log_in(client, issuer)
        calls = sum(client.outbound.values()) - sum(before.values())
        near = await _rate(client, issuer, tasks)
        transport.latency = LATENCY
        far = await _rate(client, issuer, tasks)
    return {"calls_of_a_warm_login": calls, "near_per_s": near, "far_per_s": far, "ratio": far / near}


def main() -> None:
    """Measure and write."""
    tasks = TASKS_QUICK if "--quick" in sys.argv else TASKS
    json.dump(asyncio.run(_measure(tasks)), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
