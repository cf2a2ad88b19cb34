"""Serve the office in a thread of this process: for the demo and for tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

HOST = "127.0.0.1"
START_SECONDS = 20.0


def listen(port: int = 0) -> socket.socket:
    """Return a socket of this machine alone; with port 0 the system chooses one."""
    return socket.create_server((HOST, port))


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
def serve(app: FastAPI, where: socket.socket) -> Iterator[None]:
    """Serve an app until the block ends.

    Raises:
        RuntimeError: it does not start; the log says why.
    """
    # No access log: the query of a callback holds a code.
    server = Announced(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [where]})
    thread.start()
    try:
        if not server.ready.wait(START_SECONDS) or server.should_exit:
            message = "the office does not start"
            raise RuntimeError(message)
        yield
    finally:
        server.should_exit = True
        thread.join()
