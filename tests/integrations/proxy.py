"""A small reverse proxy: it cuts a prefix off, passes everything else on, and notes which worker answered."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/tea"
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


class Proxy(ThreadingHTTPServer):
    """Pass requests below the prefix on to a server; everything else is not found.

    Attributes:
        seen: path below the prefix and the worker that answered, in order.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.target = ""
        self.seen = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PREFIX}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Proxy

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if not path.startswith(f"{PREFIX}/"):
            self.send_error(404)
            return
        inner = path.removeprefix(PREFIX)
        length = int(self.headers.get("content-length", 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        # What a client sends of its own in this header must not get through.
        headers = {name: value for name, value in headers.items() if name.lower() != "x-forwarded-prefix"}
        headers["X-Forwarded-Prefix"] = PREFIX
        connection = http.client.HTTPConnection(self.server.target, timeout=90)
        try:
            body = self.rfile.read(length)
            connection.request(
                self.command, f"{inner}?{query}" if query else inner, body=body, headers=headers
            )
            answer = connection.getresponse()
            self._pass_back(inner, answer, answer.read())
        finally:
            connection.close()

    do_POST = do_GET  # noqa: N815 - the base class names it so

    def _pass_back(self, path: str, answer: http.client.HTTPResponse, body: bytes) -> None:
        self.server.seen.append((path, answer.headers.get("x-worker")))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@contextmanager
def run_proxy() -> Iterator[Proxy]:
    """Listen on loopback until the block ends; ``target`` is set by whoever knows it."""
    with Proxy() as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
