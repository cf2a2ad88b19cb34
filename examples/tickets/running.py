"""Serve the office, and what plays the wallets, in threads of this process: for the demo and for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from cyberid_client import WalletIdentity
from cyberid_client.testing import MockIssuer, WalletServer

from .camera import Camera
from .mock import register
from .serve import create

HOST = "127.0.0.1"
START_SECONDS = 20.0


def listen(port: int = 0) -> socket.socket:
    """Return a socket of this machine alone; with port 0 the system chooses one."""
    return socket.create_server((HOST, port))


class StartError(Exception):
    """The office does not start."""


class Announced(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()


@contextmanager
def serve(app: ASGIApp, where: socket.socket) -> Iterator[None]:
    """Serve an app until the block ends.

    Raises:
        StartError: it does not start; the log says why.
    """
    # No access log: the query of a callback holds a code.
    server = Announced(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [where]})
    thread.start()
    try:
        if not server.ready.wait(START_SECONDS) or server.should_exit:
            message = "the log says why"
            raise StartError(message)
        yield
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True, slots=True)
class Running:
    """An office that listens, and what plays the people's wallets.

    Attributes:
        url: of the office.
        environ: that it was made of.
        wallets: on a page of their own.
    """

    url: str
    environ: dict[str, str]
    wallets: WalletServer


@contextmanager
def run_office(
    issuer: MockIssuer, folder: Path, *, port: int = 0, more: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Register an office, and serve it and the wallets until the block ends.

    Args:
        issuer: a mock that listens.
        folder: where secrets and database are.
        port: of the office; 0 for any free one.
        more: variables of the office, in the place of those that the registration gives.
    """
    with closing(listen(port)) as where:
        url = f"http://{HOST}:{where.getsockname()[1]}"
        environ = {**register(issuer, url=url, folder=folder), **(more or {})}
        # The wallets fetch ahead when they are started: the office is in the directory by now.
        wallets = WalletServer(issuer, sectors=(url,))
        with wallets.serve() as wallet_uri:
            environ["CYBERID_WALLET_URI"] = wallet_uri
            with serve(with_camera(environ), where):
                yield Running(url, environ, wallets)


def with_camera(environ: dict[str, str]) -> ASGIApp:
    """Make the office, with something that plays the camera of a phone in front of its screens."""
    certificate, key = (
        Path(environ[f"CYBERID_WALLET_{each}_FILE"]).read_bytes() for each in ("CERTIFICATE", "KEY")
    )
    return Camera(
        create(environ),
        wallet_uri=environ["CYBERID_WALLET_URI"],
        endpoint=environ["CYBERID_WALLET_ENDPOINT"],
        client_id=WalletIdentity.from_pem(certificate, key).client_id,
    )
