"""What is never sent."""

from __future__ import annotations

import pytest

from cyberid_client.config import HTTPLimits
from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import HTTPRequest


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/",
        "http://localhost/",
        "http://127.0.0.2/",
        "http://127.0.0.1.issuer.example/",
        "http://2130706433/",
        "https://user:secret@issuer.example/",
        "https://user@issuer.example/",
        "ftp://issuer.example/",
        "file:///etc/hostname",
        "//issuer.example/",
        "issuer.example",
        "https://",
        "https://[::1",
        "https://issuer.example:port/",
        "https://issuer.example:99999/",
        "",
    ],
)
def test_a_url_that_is_not_https_is_not_asked(transport, get, url):
    """Only https, and http to a literal loopback address, is ever sent, and never with credentials."""
    assert "transport.request" == transport().send(get(url)).error


@pytest.mark.parametrize(
    "headers", [{"X": "a\r\nY: b"}, {"X\r\nY": "b"}, {"X": "a\nb"}, {"X": " a"}, {"X": "\u7f51"}]
)
def test_a_header_that_would_become_two_is_not_sent(serve, transport, get, headers):
    """A line break or a character outside Latin-1 in a header stops the request before anything leaves."""
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    answer = transport().send(get(server.url, headers=headers))
    assert ("transport.request", 0) == (answer.error, answer.status)
    assert [] == server.requests


def test_the_ipv6_loopback_is_a_literal_too(transport, get):
    """Plain http to [::1] is tried (and nobody listens there)."""
    assert "transport.connection" == transport().send(get("http://[::1]:1/")).error


@pytest.mark.parametrize(
    "ca_pem",
    [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\xfe", b"text"],
    ids=["empty", "no certificate", "not ASCII", "no PEM"],
)
def test_an_unreadable_authority_is_a_configuration_error(over, ca_pem):
    """Certificates that cannot be read are found when the transport is made, not at the first login."""
    with pytest.raises(ConfigurationError) as caught:
        over(HTTPLimits(ca_pem=ca_pem))
    assert ("config.value", "http.ca_pem") == (caught.value.code, caught.value.setting)


def test_a_failed_request_is_answered_with_its_own_url(over):
    """The URL that failed is the URL that was asked."""
    transport = over(HTTPLimits())
    request = HTTPRequest(method="GET", url="ftp://issuer.example/", max_bytes=1, purpose="jwks")
    assert request.url == transport.send(request).url
    transport.close()
