"""No server, however slow, holds a login longer than the limits say."""

from __future__ import annotations

import gc
import socket
import time

import pytest

from cyberid_client import transport as transport_module

OK = b"HTTP/1.1 200 OK\r\n"


def _drip(*, first=b"", piece, pause=0.05):
    """Send ``first`` at once, then ``piece`` again and again."""

    def answer(connection, _request):
        connection.sendall(first)
        for _ in range(200):
            connection.sendall(piece)
            time.sleep(pause)
        return False

    return answer


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        _drip(piece=b"H"),
        _drip(first=OK, piece=b"X"),
        _drip(first=OK, piece=b"X: y\r\n", pause=0.1),
        _drip(first=OK + b"Content-Length: 5000\r\n\r\n", piece=b"x"),
        _drip(first=OK + b"\r\n", piece=b"x"),
        _drip(first=OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"1\r\nx\r\n"),
        _drip(first=OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"0"),
        _drip(piece=b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "header", "headers", "length", "until close", "chunks", "chunk size", "continue"],
)
def test_a_drip_ends_with_the_total_timeout(serve, transport, get, answer):
    """A server that is never silent for long still has no more than the total time."""
    server = serve(answer)
    started = time.monotonic()

    error = transport(read_timeout=0.5, total_timeout=0.6).send(get(server.url, max_bytes=100_000)).error

    assert "transport.timeout" == error
    assert 0.55 < time.monotonic() - started < 2.5


@pytest.mark.parametrize(
    "first", [b"", OK, OK + b"Content-Length: 5\r\n\r\nab"], ids=["at once", "in the headers", "in the body"]
)
def test_silence_ends_with_the_read_timeout(serve, transport, get, first):
    """A server that falls silent is left before the total time is over."""

    def answer(connection, _request):
        connection.sendall(first)
        server.over.wait(3)
        return False

    server = serve(answer)
    started = time.monotonic()

    error = transport(read_timeout=0.3, total_timeout=5.0).send(get(server.url)).error

    assert "transport.timeout" == error
    assert 0.25 < time.monotonic() - started < 2.5


def test_a_total_timeout_shorter_than_the_others_wins(serve, transport, get):
    """The total time bounds each single wait too."""

    def answer(_connection, _request):
        server.over.wait(3)
        return False

    server = serve(answer)
    started = time.monotonic()
    limits = {"connect_timeout": 3.0, "read_timeout": 3.0, "total_timeout": 0.3}
    assert "transport.timeout" == transport(**limits).send(get(server.url)).error
    assert time.monotonic() - started < 2.5


@pytest.mark.slow
@pytest.mark.parametrize("limits", [{"connect_timeout": 0.3}, {"total_timeout": 0.3}])
def test_a_handshake_that_does_not_come_ends(transport, get, limits):
    """A server that accepts and then says nothing of TLS is left after the connect timeout."""
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert "transport.timeout" == transport(**limits).send(get(url)).error
    assert 0.25 < time.monotonic() - started < 2.5
    # A socket that was left open says so when it is collected, and every warning is an error.
    gc.collect()


def test_a_server_that_does_not_accept_is_left(transport, get):
    """A connection that is neither taken nor refused ends with the connect timeout."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        started = time.monotonic()
        error = transport(connect_timeout=0.3).send(get(f"http://127.0.0.1:{full.getsockname()[1]}/")).error
        for one in waiting:
            one.close()
    assert "transport.timeout" == error
    assert 0.25 < time.monotonic() - started < 2.5


def test_a_closed_port_is_a_lost_connection(transport, get):
    """A refused connection is told apart from a slow one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "transport.connection" == transport().send(get(f"http://127.0.0.1:{port}/")).error


def test_an_endless_body_ends_at_the_byte_limit(serve, transport, get):
    """A body without end is left at the first byte too many, long before the time is up."""

    def answer(connection, _request):
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(bytes(65536))

    server = serve(answer)
    started = time.monotonic()
    assert (
        "transport.too_large" == transport(total_timeout=10.0).send(get(server.url, max_bytes=100_000)).error
    )
    assert time.monotonic() - started < 2.5


def test_a_name_that_cannot_be_found_is_a_lost_connection(transport, get):
    """A host that no name server could know is not reached."""
    host = ".".join(["a" * 60] * 5) + ".example"
    assert "transport.connection" == transport().send(get(f"https://{host}/")).error


def test_a_read_after_the_deadline_is_not_made():
    """Once the time is up nothing is read, though bytes may lie ready."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"ready")
        reader = transport_module._DeadlineReader(ours.makefile("rb", buffering=0), ours)
        token = transport_module._deadline.set(time.monotonic() - 1)
        with reader, pytest.raises(TimeoutError):
            reader.read(5)
        transport_module._deadline.reset(token)
