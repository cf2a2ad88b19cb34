"""Start an app's ``demo.py`` as a process of its own, wait until it listens, and end it."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from cyberid_client.testing import MockIssuer, RegisteredClient

__all__ = ["AppProcess", "free_port", "run_app"]

_FIRST_PORT: Final = 20_000
_PORTS: Final = 12_000
_HOST: Final = "127.0.0.1"
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class AppProcess:
    """An app that listens.

    Attributes:
        url: its origin.
        data: the folder in which it keeps what it stores.
        log: the file with everything that it said.
        process: the process itself.
    """

    url: str
    data: Path
    log: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """Return a loopback port that is free now, below those that systems hand out by themselves."""
    while True:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((_HOST, port))
            return port


@contextmanager
def run_app(
    app: Path,
    *,
    issuer: MockIssuer,
    client: RegisteredClient,
    port: int,
    folder: Path,
    start_seconds: float = 30.0,
    stop_seconds: float = 5.0,
) -> Iterator[AppProcess]:
    """Run ``app/demo.py`` until the block ends.

    Args:
        app: the folder with ``demo.py``.
        issuer: the one that the app asks; its root is pinned.
        client: as the issuer registered it.
        port: where the app listens.
        folder: an empty folder for keys, data and log.
        start_seconds: how long the app may take until it listens.
        stop_seconds: how long it may take to end before it is killed.

    Raises:
        ClickException: the app did not start; with the last line of its log.
    """
    data, log = folder / "data", folder / "app.log"
    data.mkdir()
    (folder / "root.pem").write_bytes(issuer.root_pem)
    key = folder / "key.pem"
    key.touch(mode=0o600)
    key.write_bytes(client.key_pem)
    command = [
        sys.executable,
        str(app / "demo.py"),
        "--issuer",
        issuer.issuer,
        "--client-id",
        client.client_id,
    ]
    command += [
        "--root",
        str(folder / "root.pem"),
        "--key",
        str(key),
        "--port",
        str(port),
        "--data",
        str(data),
        "--alg",
        issuer.algorithm,
    ]
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - the folder that the caller named, no shell
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=_environment()
        ) as process,
    ):
        running = AppProcess(url=f"http://{_HOST}:{port}", data=data, log=log, process=process)
        try:
            _wait_until_ready(running, seconds=start_seconds)
            yield running
        finally:
            _end(process, seconds=stop_seconds)


def _environment() -> dict[str, str]:
    """Return this process's environment, in which a script finds the modules beside it."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


def _wait_until_ready(app: AppProcess, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    ready = f"ready {app.url}"
    while ready not in app.log.read_text(errors="replace").splitlines():
        if app.process.poll() is not None:
            message = f"The app did not start: {_last_line(app.log)}"
            raise click.ClickException(message)
        if time.monotonic() > deadline:
            message = f"The app did not listen within {seconds:g} seconds: {_last_line(app.log)}"
            raise click.ClickException(message)
        time.sleep(_POLL_SECONDS)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing."


def _end(process: subprocess.Popen[bytes], *, seconds: float) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
