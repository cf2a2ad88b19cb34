"""Screens that wait for a wallet, and what they cost: ``python polling.py [--quick]``; writes seconds as JSON.

One process serves the example ticket office with uvicorn, and an app with one empty route beside it. This one is a
thousand screens that begin a login by QR code and then ask every two seconds how far it is, each over a connection of
its own; in turn with that they ask the empty route. What counts is the processor time of the serving process. The
office is measured with each of its stores: logins under way wait in Redis, or in its SQLite file.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import median
from typing import Final

PAGES: Final = 1_000
PAGES_QUICK: Final = 100
PERIOD: Final = 2.0
# So many turns of one period for each of the two, side by side; the pair in the middle counts, because a busy machine
# lets requests come in bunches, which cost less.
TURNS: Final = 7
TURNS_QUICK: Final = 2
HERE: Final = Path(__file__)
EMPTY: Final = "/"
_PLACE: Final = re.compile(rb'data-place="([^"]+)"')
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _serve(environ: Mapping[str, str], listening: Sequence[socket.socket]) -> None:
    """Serve the office on one socket and an empty route on the other, until standard input ends."""
    import uvicorn  # noqa: PLC0415 - only the serving process pays for these
    from fastapi import FastAPI  # noqa: PLC0415 - as above
    from tickets.serve import create  # noqa: PLC0415 - as above

    bare = FastAPI()

    @bare.get(EMPTY)
    async def empty() -> None:
        pass

    # Longer than a turn takes on a machine that also does other things.
    servers = [
        uvicorn.Server(
            uvicorn.Config(app, log_level="warning", access_log=False, timeout_keep_alive=60, lifespan="on")
        )
        for app in (create(environ), bare)
    ]
    serving = [
        asyncio.create_task(server.serve(sockets=[each]))
        for server, each in zip(servers, listening, strict=True)
    ]
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)
    print(json.dumps([each.getsockname()[1] for each in listening]), flush=True)
    # Standard input ends when the measuring process is done, or is no more.
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*serving)


def _open_office(store: str | None) -> None:
    """Register the office at a mock issuer in this process, and serve it."""
    sys.path.insert(0, str(HERE.parents[1] / "examples"))
    from tickets.mock import register  # noqa: PLC0415 - only the serving process pays for these

    from cyberid_client.testing import MockIssuer  # noqa: PLC0415 - as above

    listening = [socket.create_server(("127.0.0.1", 0), backlog=PAGES) for _ in range(2)]
    url = f"http://127.0.0.1:{listening[0].getsockname()[1]}"
    issuer = MockIssuer()
    with tempfile.TemporaryDirectory() as folder, issuer.serve():
        environ = register(issuer, url=url, folder=Path(folder))
        if store is not None:
            environ["CYBERID_STORE"] = store
        asyncio.run(_serve(environ, listening))


async def _ask(streams: _Streams, target: str) -> bytes:
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


async def _turn(streams: Sequence[_Streams], targets: Sequence[str]) -> set[bytes]:
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


async def _begin(streams: _Streams, port: int) -> str:
    """Begin a login by QR code, as the form of the login page does; return where its status is."""
    reader, writer = streams
    origin = f"http://127.0.0.1:{port}"
    form = b"device=other&return_to=%2F"
    writer.write(
        f"POST /id/wallet/start HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: {origin}\r\n"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(form)}\r\n\r\n".encode()
        + form
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
    )
    found = _PLACE.search(await reader.readexactly(length))
    if found is None:
        raise SystemExit(head.decode())
    return unescape(found[1].decode())


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two that are compared: connections, and what each asks."""

    streams: list[_Streams]
    targets: list[str]


async def _measure(pid: int, ports: Sequence[int], pages: int, turns: int) -> dict[str, float]:
    office, bare = [
        [await asyncio.open_connection("127.0.0.1", port) for _ in range(pages)] for port in ports
    ]
    sides = {
        "empty": _Side(bare, [EMPTY] * pages),
        "status": _Side(office, [await _begin(each, ports[0]) for each in office]),
    }
    spent: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        await _turn(side.streams, side.targets)
    for _ in range(turns):
        for name, side in sides.items():
            before = _processor_time(pid)
            answers = await _turn(side.streams, side.targets)
            spent[name].append(_processor_time(pid) - before)
            if name == "status" and not all(b'"waiting"' in each for each in answers):
                raise SystemExit(f"the screens were answered {answers!r}")
    for side in sides.values():
        for _, writer in side.streams:
            writer.close()
    typical = {name: median(times) for name, times in spent.items()}
    ratio = median(status / empty for empty, status in zip(*spent.values(), strict=True))
    return {**typical, "pages": pages, "ratio": ratio}


@contextmanager
def _store(name: str) -> Iterator[str | None]:
    """Give the address of a store; ``None`` for the office's own database."""
    if name != "redis":
        yield None
        return
    sys.path.insert(0, str(HERE.parents[1] / "tests" / "services"))
    from servers import RedisServer, running  # noqa: PLC0415 - found by the path above

    with running(RedisServer, aof=False) as server:
        yield server.url


def _measured(store: str, *, pages: int, turns: int) -> dict[str, float]:
    with _store(store) as address:
        command = [sys.executable, str(HERE), "--serve", *([address] if address else [])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as served:  # noqa: S603 - our own script
            assert served.stdin is not None  # noqa: S101 - asked for above
            assert served.stdout is not None  # noqa: S101 - asked for above
            ports = json.loads(served.stdout.readline())
            found = asyncio.run(_measure(served.pid, ports, pages, turns))
            served.stdin.close()
    return found


def main() -> None:
    """Serve, or measure and write."""
    if "--serve" in sys.argv:
        _open_office(next(iter(sys.argv[sys.argv.index("--serve") + 1 :]), None))
        return
    quick = "--quick" in sys.argv
    pages, turns = (PAGES_QUICK, TURNS_QUICK) if quick else (PAGES, TURNS)
    found = {name: _measured(name, pages=pages, turns=turns) for name in ("redis", "sqlite")}
    json.dump(found, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
