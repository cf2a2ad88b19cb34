"""Real HTTP: on loopback and nowhere else, with limits, and blind to cookies."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from cyberid_client.errors import ConfigurationError


@pytest.fixture
def address(issuer):
    with issuer.serve(slow_seconds=0.2) as url:
        yield urlsplit(url).hostname, urlsplit(url).port


def ask(address, data: bytes) -> bytes:
    """Send bytes as they are and read until the server hangs up."""
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "192.0.2.1", "127.0.0.2", "example.com", ""])  # noqa: S104 - refused
def test_loopback_only(issuer, host):
    """Anything but the two literal loopback addresses is refused before a socket is opened."""
    with pytest.raises(ConfigurationError) as caught, issuer.serve(host=host):
        pass
    assert caught.value.code == "testing.not_loopback"


@pytest.mark.parametrize(("host", "origin"), [("127.0.0.1", "http://127.0.0.1:"), ("[::1]", "http://[::1]:")])
def test_origin(issuer, host, origin):
    """The issuer identifier is the literal origin."""
    with issuer.serve(host=host) as url:
        assert url.startswith(origin)
        assert issuer.issuer == url
    assert issuer.issuer == "https://issuer.example"


def test_chosen_port(issuer):
    """A port of one's own is taken as it is."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with issuer.serve(port=port) as url:
        assert url == f"http://127.0.0.1:{port}"


def test_keep_alive(address):
    """One connection carries several requests."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    connection.request("GET", "/jwks.json")
    response = connection.getresponse()
    first = response.read()
    used = connection.sock
    connection.request("GET", "/jwks.json")
    assert connection.getresponse().read() == first
    assert connection.sock is used
    connection.close()


def test_cookies_leave_no_trace(issuer, address):
    """Cookies of other apps on loopback are not kept, not logged, not answered."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    connection.request("GET", "/jwks.json", headers={"Cookie": "__Host-other=secret-of-another-app"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.getheader("set-cookie") is None
    assert b"secret-of-another-app" not in body
    assert "secret-of-another-app" not in repr(issuer.log) + repr(vars(issuer._service))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /par HTTP/1.1\r\nHost: HOST\r\nContent-Length: 65537\r\n\r\n", 413),
        (b"POST /par HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        (b"POST /par HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /par HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 411),
        (b"POST /par HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /authorize?" + b"x" * 8_200 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n", 414),
        (b"GET /jwks.json HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (b"GET /jwks.json HTTP/1.1\r\n\r\n", 421),
        (b"GET /jwks.json HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n", 421),
        (b"GET /jwks.json HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", 200),
        (b"DELETE /jwks.json HTTP/1.1\r\nHost: HOST\r\n\r\n", 501),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"rubbish\r\n\r\n", 400),
    ],
)
def test_requests_have_limits(address, head, status):
    """Bodies, targets and hosts beyond the limits are refused."""
    host = f"{address[0]}:{address[1]}".encode()
    answer = ask(address, head.replace(b"HOST", host))
    assert status_of(answer if answer.startswith(b"HTTP/1.1") else b"HTTP/1.1 400 ") == status


def test_largest_body_is_read(address):
    """A body of exactly 64 KiB is read and judged."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    connection.request("POST", "/par", body=b"x" * 65_536)
    assert connection.getresponse().status == 400
    connection.close()


def test_cut(served):
    """A cut answer announces more than it sends."""
    served.issuer.arm("transport.cut_jwks")
    with pytest.raises(http.client.IncompleteRead):
        served.get("/jwks.json")
    assert served.get("/jwks.json").status == 200


def test_slow(served):
    """A slow answer comes late and whole."""
    served.issuer.arm("transport.slow_jwks")
    begun = time.monotonic()
    assert served.get("/jwks.json").status == 200
    assert time.monotonic() - begun >= 0.1


def test_drip_and_the_end_of_serving(issuer):
    """A dripping answer is cut short when serving ends; nothing hangs."""
    with issuer.serve(slow_seconds=60) as url:
        issuer.arm("transport.drip_jwks")
        connection = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5)
        connection.sendall(f"GET /jwks.json HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode())
        begun = time.monotonic()
        assert connection.recv(16).startswith(b"HTTP/1.1 200")
    connection.close()
    assert time.monotonic() - begun < 5


def test_idle_connections_do_not_hold_the_end_up(issuer):
    """An idle keep-alive connection is closed when serving ends."""
    with issuer.serve() as url:
        connection = http.client.HTTPConnection(urlsplit(url).hostname, urlsplit(url).port, timeout=5)
        connection.request("GET", "/jwks.json")
        connection.getresponse().read()
        begun = time.monotonic()
    assert connection.sock.recv(1) == b""
    connection.close()
    assert time.monotonic() - begun < 5


def test_redirect_fault_points_nowhere(served):
    """The redirect of a fault leads to a path that does not exist."""
    served.issuer.arm("transport.redirect_jwks")
    answer = served.get("/jwks.json")
    assert (answer.status, answer.headers["location"]) == (
        307,
        f"{served.issuer.issuer}/unsigned/elsewhere",
    )


def test_many_at_once(served):
    """Many clients are served side by side, and every code is exchanged once."""
    results = []

    def log_in():
        results.append(served.log_in().status)

    threads = [threading.Thread(target=log_in) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 12
