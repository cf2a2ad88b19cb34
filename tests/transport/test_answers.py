"""What a transport brings back, and how much of it."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyberid_client.ports import HTTPRequest, HTTPResponse

OK = b"HTTP/1.1 200 OK\r\n"


def _with_length(body: bytes, *headers: bytes) -> bytes:
    lines = [*headers, b"Content-Length: %d" % len(body)]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


def _chunked(body: bytes) -> bytes:
    return OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def _until_close(body: bytes) -> bytes:
    return OK + b"\r\n" + body


FRAMINGS = [_with_length, _chunked, _until_close]


def test_an_answer_arrives_whole(serve, transport, get):
    """Status, body and URL arrive as sent; header names in lower case, repeated headers joined."""
    server = serve(_with_length(b"{}", b"Content-Type: application/json", b"X-Twice: a", b"x-twice: b"))
    url = server.url + "/jwks?page=1"

    answer = transport().send(get(url))

    expected = {"content-type": "application/json", "x-twice": "a, b", "content-length": "2"}
    assert HTTPResponse(status=200, headers=expected, body=b"{}", url=url) == answer


def test_a_request_leaves_as_it_stands(serve, transport):
    """A form is sent with its own headers, its length, a fixed user agent, and nothing else."""
    server = serve(_with_length(b""))
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "other"}
    request = HTTPRequest(
        method="POST", url=server.url + "/par", headers=headers, body=b"a=1&b=2", max_bytes=10, purpose="par"
    )

    transport().send(request)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    expected = {
        f"host: 127.0.0.1:{server.port}",
        "accept-encoding: gzip",
        "content-type: application/x-www-form-urlencoded",
        "user-agent: cyberid_client",
        "content-length: 7",
    }
    assert b"a=1&b=2" == body
    assert "POST /par HTTP/1.1" == head.decode().splitlines()[0]
    assert expected == {_lower_name(line) for line in head.decode().splitlines()[1:]}


def _lower_name(line: str) -> str:
    name, _, value = line.partition(":")
    return f"{name.lower()}:{value}"


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 404, 500, 503])
def test_every_other_status_is_for_the_flow_to_judge(serve, transport, get, status):
    """A status outside 3xx is brought back without an opinion."""
    server = serve(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    answer = transport().send(get(server.url))
    assert (status, None) == (answer.status, answer.error)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize(("size", "error"), [(999, None), (1000, None), (1001, "transport.too_large")])
def test_a_body_may_be_exactly_as_long_as_allowed(serve, transport, get, framing, size, error):
    """The last byte allowed passes and the next one ends the answer, however its length is told."""
    server = serve(framing(b"x" * size))
    answer = transport().send(get(server.url, max_bytes=1000))
    assert (error, b"" if error else b"x" * size) == (answer.error, answer.body)


@pytest.mark.parametrize(("size", "error"), [(0, None), (1000, None), (1001, "transport.too_large")])
@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b" GZIP "])
def test_a_packed_body_is_measured_unpacked(serve, transport, get, coding, size, error):
    """The byte limit counts what comes out of gzip."""
    server = serve(_with_length(gzip.compress(b"x" * size), b"Content-Encoding: " + coding))
    answer = transport().send(get(server.url, max_bytes=1000))
    assert (error, b"" if error else b"x" * size) == (answer.error, answer.body)


def test_a_body_that_cannot_be_packed_may_be_a_little_longer_on_the_wire(serve, transport, get):
    """The frame that gzip adds does not count against a body of exactly the allowed size."""
    body = bytes(range(250)) * 4
    server = serve(_with_length(gzip.compress(body, compresslevel=0), b"Content-Encoding: gzip"))
    assert body == transport().send(get(server.url, max_bytes=len(body))).body


def test_a_bomb_is_not_unpacked(serve, transport, get):
    """A hundred megabytes packed into one tenth of one is refused after the first bytes too many."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    server = serve(_with_length(bomb, b"Content-Encoding: gzip"))
    answer = transport().send(get(server.url, max_bytes=200_000))
    assert ("transport.too_large", b"") == (answer.error, answer.body)


def test_blocks_that_unpack_to_nothing_end_as_well(serve, transport, get):
    """A stream of empty gzip blocks is measured by what came over the wire."""
    empty_blocks = gzip.compress(b"")[:10] + b"\x00\x00\x00\xff\xff" * 1000
    server = serve(_until_close(b"").replace(OK, OK + b"Content-Encoding: gzip\r\n") + empty_blocks)
    assert "transport.too_large" == transport().send(get(server.url, max_bytes=1000)).error


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"br", b"x"),
        (b"deflate", zlib.compress(b"x")),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"x"))),
        (b"gzip", b"not gzip"),
        (b"gzip", b""),
        (b"gzip", gzip.compress(b"x")[:-1]),
        (b"gzip", gzip.compress(b"x") + b"y"),
        (b"gzip", gzip.compress(b"x") + gzip.compress(b"y")),
        (b"gzip", gzip.compress(b"x") + bytes(40_000)),
    ],
    ids=["brotli", "deflate", "twice", "garbage", "empty", "cut", "trailing", "two members", "long tail"],
)
def test_an_odd_content_coding_is_refused(serve, transport, get, coding, body):
    """Only gzip is understood, and only one whole stream of it."""
    server = serve(_with_length(body, b"Content-Encoding: " + coding))
    answer = transport().send(get(server.url, max_bytes=100_000))
    assert ("transport.content_coding", b"") == (answer.error, answer.body)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_a_redirect_is_an_error(serve, transport, get, status):
    """A 3xx is never followed: the place that it names sees no request."""
    target = serve(_with_length(b"{}"))
    server = serve(
        b"HTTP/1.1 %d X\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n" % (status, target.url.encode())
    )

    answer = transport().send(get(server.url))

    assert ("transport.redirect", status, b"") == (answer.error, answer.status, answer.body)
    assert 0 == target.connections


@pytest.mark.parametrize(
    "script",
    [
        b"",
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"X: y\r\n" * 200 + b"\r\n",
        OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
    ],
    ids=[
        "nothing", "body cut", "chunk cut", "chunk size", "two lengths", "many headers",
        "long header", "no HTTP", "no status", "TLS on http",
    ],
)  # fmt: skip
def test_half_an_answer_is_none(serve, transport, get, script):
    """An answer that is cut off or no HTTP is a lost connection."""
    server = serve(script)
    answer = transport().send(get(server.url))
    assert ("transport.connection", b"") == (answer.error, answer.body)


@pytest.mark.slow
@given(script=st.binary(max_size=200).map(lambda tail: OK + tail) | st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_arrives_the_transport_raises_nothing(serve, transport, get, script):
    """Any bytes from the other side come back as a value."""
    server = serve(script)
    answer = transport().send(get(server.url))
    assert answer.error is None or answer.error.startswith("transport.")
