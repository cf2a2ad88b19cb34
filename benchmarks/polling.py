"""Pages that wait for a wallet, and what they cost: ``python polling.py [--quick]``; writes seconds as JSON.

One process serves a FastAPI app with uvicorn, this one is a thousand pages that ask every two seconds how far their
presentation is, each over a connection of its own. In turn with it they ask a route of the same app that does
nothing. What counts is the processor time of the serving process.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport

PAGES: Final = 1_000
PAGES_QUICK: Final = 100
PERIOD: Final = 2.0
# So many turns of one period for each of the two, side by side; the pair in the middle counts, because a busy machine
# lets requests come in bunches, which cost less.
TURNS: Final = 7
TURNS_QUICK: Final = 2
SECTOR: Final = "https://shop.example"
HERE: Final = Path(__file__)
STATUS: Final = "/cyberid/wallet/status?status_handle="
EMPTY: Final = "/empty"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class NearIssuer:
    """An in-process transport for a client that awaits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """Answer at once."""
        return self._transport.send(request)

    async def aclose(self) -> None:
        """Close the transport."""
        self._transport.close()


async def _serve(pages: int) -> None:
    """Start so many presentations, serve, and write port and handles to standard output."""
    import secrets  # noqa: PLC0415 - only the serving process pays for these

    import uvicorn  # noqa: PLC0415 - as above
    from fastapi import FastAPI  # noqa: PLC0415 - as above

    from cyberid_client import (  # noqa: PLC0415 - as above
        AsyncClient,
        ClientKey,
        ClientKeys,
        PseudonymKeys,
        RelyingParty,
        TrustStore,
        WalletIdentity,
        WalletSettings,
    )
    from cyberid_client.integrations.fastapi import CyberID  # noqa: PLC0415 - as above
    from cyberid_client.integrations.web import AsyncWebLogin  # noqa: PLC0415 - as above
    from cyberid_client.testing import MockIssuer  # noqa: PLC0415 - as above

    issuer = MockIssuer()
    registered = issuer.register(client_id="shop", redirect_uri=f"{SECTOR}/cyberid/callback")
    endpoint = f"{SECTOR}/cyberid/wallet"
    identity = WalletIdentity.from_pem(*issuer.certify_relying_party(sector=SECTOR, endpoint=endpoint))
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        keys=ClientKeys(signing=ClientKey.from_pem(registered.key_pem), wallet=identity),
        trust=TrustStore.for_tests(issuer.root_pem),
        wallet=WalletSettings(endpoint=endpoint, cross_device="allowed"),
    )
    app = FastAPI()

    @app.get(EMPTY)
    async def empty() -> None:
        pass

    async with AsyncClient(rp, transport=NearIssuer(issuer.transport()), background=False) as client:
        keys = PseudonymKeys({"k1": secrets.token_bytes(32)})
        CyberID(app, web=AsyncWebLogin(client=client, keys=keys, on_login=lambda _login, _session: {}))
        started = [await client.start_presentation(device="other") for _ in range(pages)]
        # Longer than a turn takes on a machine that also does other things.
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=60)
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0), backlog=pages) as listening:
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            handles = [each.status_handle for each in started]
            print(json.dumps({"port": listening.getsockname()[1], "handles": handles}), flush=True)
            # Standard input ends when the measuring process is done, or is no more.
            await asyncio.to_thread(sys.stdin.read)
            server.should_exit = True
            await serving


async def _ask(streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], target: str) -> bytes:
    """Send one request on a connection that stays open, and return the body of the answer."""
    reader, writer = streams
    writer.write(f"GET {target} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/json\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(head.decode())
    length = next(
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    return await reader.readexactly(length)


async def _turn(
    streams: Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]], targets: Sequence[str]
) -> set[bytes]:
    """Let every page ask once, spread over one period."""
    start = time.perf_counter()

    async def page(number: int) -> bytes:
        await asyncio.sleep(start + PERIOD * number / len(streams) - time.perf_counter())
        return await _ask(streams[number], targets[number])

    return set(await asyncio.gather(*map(page, range(len(streams)))))


def _processor_time(pid: int) -> float:
    """Return the seconds that a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def _measure(pid: int, port: int, handles: Sequence[str], turns: int) -> dict[str, float]:
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in handles]
    wanted = {"empty": [EMPTY] * len(handles), "status": [STATUS + each for each in handles]}
    spent: dict[str, list[float]] = {name: [] for name in wanted}
    for targets in wanted.values():
        await _turn(streams, targets)
    for _ in range(turns):
        for name, targets in wanted.items():
            before = _processor_time(pid)
            answers = await _turn(streams, targets)
            spent[name].append(_processor_time(pid) - before)
            if name == "status" and not all(b'"waiting"' in each for each in answers):
                raise SystemExit(f"the pages were answered {answers!r}")
    for _, writer in streams:
        writer.close()
    typical = {name: median(times) for name, times in spent.items()}
    ratio = median(status / empty for empty, status in zip(*spent.values(), strict=True))
    return {**typical, "pages": len(handles), "ratio": ratio}


def main() -> None:
    """Serve, or measure and write."""
    quick = "--quick" in sys.argv
    pages, turns = (PAGES_QUICK, TURNS_QUICK) if quick else (PAGES, TURNS)
    if "--serve" in sys.argv:
        asyncio.run(_serve(pages))
        return
    command = [sys.executable, str(HERE), "--serve", *(["--quick"] if quick else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as served:  # noqa: S603 - our own script
        assert served.stdin is not None  # noqa: S101 - asked for above
        assert served.stdout is not None  # noqa: S101 - asked for above
        said = json.loads(served.stdout.readline())
        found = asyncio.run(_measure(served.pid, said["port"], said["handles"], turns))
        served.stdin.close()
    json.dump(found, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
