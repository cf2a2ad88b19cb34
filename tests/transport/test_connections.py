"""Connections are kept, shared between threads, and never between processes."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: seen=1; Path=/\r\n\r\n{}"


def _keep(connection, _request):
    connection.sendall(ANSWER)
    return True


def test_a_connection_is_used_again(serve, transport, get):
    """Requests one after the other travel over one connection."""
    server, client = serve(_keep), transport()
    for _ in range(3):
        assert client.send(get(server.url)).error is None
    assert (1, 3) == (server.connections, len(server.requests))


def test_a_connection_that_the_server_closed_is_replaced(serve, transport, get):
    """An idle connection that the other side gave up costs nobody a login."""
    server, client = serve(ANSWER), transport()
    first = client.send(get(server.url)).error
    server.settle()
    assert (None, None) == (first, client.send(get(server.url)).error)
    assert 2 == server.connections


def test_a_connection_with_a_rest_in_it_is_not_used_again(serve, transport, get):
    """What was left unread of a refused answer can never be taken for the next answer."""

    def answer(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + ANSWER * 20)
        return True

    server, client = serve(answer), transport()
    errors = [client.send(get(server.url, max_bytes=10)).error for _ in range(2)]
    assert ["transport.too_large"] * 2 == errors
    assert 2 == server.connections


def test_no_cookie_is_kept(serve, transport, get):
    """What the issuer sets is never sent back."""
    server, client = serve(_keep), transport()
    client.send(get(server.url))
    client.send(get(server.url))
    assert all(b"cookie" not in request.lower() for request in server.requests)


def test_threads_share_a_transport(serve, transport, get):
    """Every thread gets the answer to its own question."""

    def echo(connection, request):
        path = request.split(b" ")[1]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
        return True

    server, client = serve(echo), transport(pool_size=4)
    answers = {}

    def ask(name):
        answers[name] = [client.send(get(f"{server.url}/{name}/{turn}")).body for turn in range(5)]

    threads = [threading.Thread(target=ask, args=(name,)) for name in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: [f"/{name}/{turn}".encode() for turn in range(5)] for name in range(12)} == answers


_FORK = """
import os, sys
from cyberid_client.config import HTTPLimits
from cyberid_client.ports import HTTPRequest
from cyberid_client.transport import RequestsTransport
transport = RequestsTransport(HTTPLimits())
def ask(who):
    request = HTTPRequest(method="GET", url=sys.argv[1] + "/" + who, max_bytes=10, purpose="jwks")
    return transport.send(request).body == b"{}"
first = ask("before")
child = os.fork()
if child == 0:
    works = ask("child") and ask("child")
    transport.close()
    sys.exit(0 if works else 1)
_, status = os.waitpid(child, 0)
sys.exit(0 if first and ask("parent") and status == 0 else 1)
"""


def test_a_child_opens_connections_of_its_own(serve):
    """After a fork the child's requests do not travel in the parent's connection, which lives on."""
    server = serve(_keep)
    result = subprocess.run([sys.executable, "-W", "error", "-c", _FORK, server.url], check=False, timeout=60)  # noqa: S603 - our own script
    assert 0 == result.returncode
    assert [b"/before", b"/child", b"/child", b"/parent"] == [one.split(b" ")[1] for one in server.requests]
    assert 2 == server.connections


def test_a_closed_transport_sends_nothing(serve, transport, get):
    """After close every request fails, and closing again does no harm."""
    server, client = serve(_keep), transport()
    client.send(get(server.url))
    client.close()
    client.close()
    assert "transport.failed" == client.send(get(server.url)).error
    assert 1 == len(server.requests)


@pytest.mark.parametrize("max_bytes", [1, 10])
def test_no_socket_is_left_open(serve, transport, get, max_bytes):
    """Close gives every connection back, also after an answer that was refused half-way."""
    server, client = serve(_keep), transport()
    client.send(get(server.url, max_bytes=max_bytes))
    client.close()
    # A socket that was forgotten would warn here, and warnings are errors.
    gc.collect()
