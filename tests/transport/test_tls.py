"""TLS is always verified, and only what is configured says against what."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading

import certifi
import pytest

from cyberid_client.tls import make_context

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def test_the_configured_authority_is_accepted(serve, transport, get, authority):
    """A server whose certificate leads to ``ca_pem`` and names the host is believed."""
    server = serve(ANSWER, tls=authority.server_context())
    answer = transport(ca_pem=authority.pem).send(get(server.url))
    assert (None, b"{}") == (answer.error, answer.body)


def test_several_authorities_may_be_configured(serve, transport, get, make_authority):
    """``ca_pem`` may hold more than one certificate."""
    first, second = make_authority(), make_authority()
    client = transport(ca_pem=first.pem + second.pem)
    for one in (first, second):
        assert client.send(get(serve(ANSWER, tls=one.server_context()).url)).error is None


def test_another_authority_is_refused(serve, transport, get, make_authority):
    """A certificate of any other authority is refused before the request is sent."""
    server = serve(ANSWER, tls=make_authority().server_context())
    answer = transport(ca_pem=make_authority().pem).send(get(server.url))
    assert ("transport.tls", 0) == (answer.error, answer.status)
    assert [] == server.requests


def test_an_unknown_authority_is_refused_by_default(serve, transport, get, authority):
    """Without ``ca_pem`` the built-in list decides."""
    server = serve(ANSWER, tls=authority.server_context())
    assert "transport.tls" == transport().send(get(server.url)).error


@pytest.mark.parametrize("host", ["issuer.example", "127.0.0.2"])
def test_another_host_is_refused(serve, transport, get, authority, host):
    """A certificate for another host is refused, whatever its common name says."""
    server = serve(ANSWER, tls=authority.server_context(host))
    assert "transport.tls" == transport(ca_pem=authority.pem).send(get(server.url)).error
    assert [] == server.requests


def test_an_expired_certificate_is_refused(serve, transport, get, authority):
    """A server's certificate that has expired is refused."""
    server = serve(ANSWER, tls=authority.server_context(days=-1))
    assert "transport.tls" == transport(ca_pem=authority.pem).send(get(server.url)).error


def test_a_server_without_tls_is_refused(serve, transport, get, authority):
    """An https URL is never asked in the clear."""
    server = serve(ANSWER)
    answer = transport(ca_pem=authority.pem, connect_timeout=0.3).send(
        get(server.url.replace("http:", "https:"))
    )
    assert answer.error in {"transport.tls", "transport.connection", "transport.timeout"}
    assert [] == server.requests


def test_a_handshake_that_is_cut_is_a_lost_connection(transport, get):
    """A server that hangs up during the handshake may be asked again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"

        def hang_up():
            select.select([listener], [], [], 5)
            connection, _ = listener.accept()
            connection.recv(10_000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        assert "transport.connection" == transport().send(get(url)).error
        thread.join()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_adds_no_authority(
    serve, transport, get, make_authority, monkeypatch, tmp_path, name
):
    """A bundle named in the environment makes nobody believed, with or without ``ca_pem``."""
    theirs = make_authority()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(theirs.pem)
    monkeypatch.setenv(name, str(bundle))
    server = serve(ANSWER, tls=theirs.server_context())
    assert "transport.tls" == transport().send(get(server.url)).error
    assert "transport.tls" == transport(ca_pem=make_authority().pem).send(get(server.url)).error


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("value", ["", "/nonexistent"])
def test_the_environment_takes_no_authority_away(serve, transport, get, authority, monkeypatch, name, value):
    """``ca_pem`` counts whatever the environment names."""
    monkeypatch.setenv(name, value)
    server = serve(ANSWER, tls=authority.server_context())
    assert transport(ca_pem=authority.pem).send(get(server.url)).error is None


def test_the_environment_gets_no_session_keys(serve, transport, get, authority, monkeypatch, tmp_path):
    """SSLKEYLOGFILE writes nothing: whoever sets it could read the tokens off the wire."""
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    server = serve(ANSWER, tls=authority.server_context())
    assert transport(ca_pem=authority.pem).send(get(server.url)).error is None
    assert not keys.exists()


def _relay(connection, request):
    """Do what a proxy does with CONNECT."""
    host, _, port = request.split(b" ")[1].decode().partition(":")
    with socket.create_connection((host, int(port))) as upstream, contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        while True:
            for source in select.select([connection, upstream], [], [])[0]:
                piece = source.recv(65536)
                if not piece:
                    return False
                (upstream if source is connection else connection).sendall(piece)


@pytest.mark.parametrize("no_proxy", [None, "*", "127.0.0.1"])
def test_the_configured_proxy_is_used(serve, transport, get, authority, monkeypatch, no_proxy):
    """Requests go through the proxy and are verified end to end; NO_PROXY changes nothing."""
    if no_proxy is not None:
        monkeypatch.setenv("NO_PROXY", no_proxy)
    server = serve(ANSWER, tls=authority.server_context())
    proxy = serve(_relay)

    answer = transport(ca_pem=authority.pem, proxy=proxy.url).send(get(server.url))

    assert (None, b"{}") == (answer.error, answer.body)
    assert [f"CONNECT 127.0.0.1:{server.port} HTTP/1.".encode()] == [
        one.split(b"\r\n")[0][:-1] for one in proxy.requests
    ]


def test_a_proxy_does_not_stand_in_for_the_issuer(serve, transport, get, make_authority):
    """Behind a proxy another authority is refused as well."""
    server = serve(ANSWER, tls=make_authority().server_context())
    proxy = serve(_relay)
    assert (
        "transport.tls" == transport(ca_pem=make_authority().pem, proxy=proxy.url).send(get(server.url)).error
    )


def test_a_proxy_that_refuses_is_a_lost_connection(serve, transport, get):
    """The proxy's own answers are never taken for the issuer's."""
    proxy = serve(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\n{}")
    answer = transport(proxy=proxy.url).send(get("https://issuer.example/"))
    assert ("transport.connection", 0) == (answer.error, answer.status)


def test_a_loopback_issuer_is_asked_directly(serve, transport, get):
    """Plain http to this machine never passes the proxy."""
    server, proxy = serve(ANSWER), serve(_relay)
    assert transport(proxy=proxy.url).send(get(server.url)).error is None
    assert 0 == proxy.connections


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("lower", [False, True])
def test_the_environment_names_no_proxy(serve, transport, get, authority, monkeypatch, name, lower):
    """A proxy in the environment sees nothing."""
    proxy = serve(_relay)
    monkeypatch.setenv(name.lower() if lower else name, proxy.url)
    secure, plain = serve(ANSWER, tls=authority.server_context()), serve(ANSWER)
    client = transport(ca_pem=authority.pem)
    assert [None, None] == [client.send(get(server.url)).error for server in (secure, plain)]
    assert 0 == proxy.connections


def test_the_environment_names_no_password(serve, transport, get, monkeypatch, tmp_path):
    """A .netrc for the issuer's host adds no Authorization header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password made-up\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = serve(ANSWER)
    transport().send(get(server.url))
    assert b"authorization" not in server.requests[0].lower()


def test_nothing_older_than_tls_1_2_is_spoken():
    """What the issuer is asked with refuses every older version, whatever the machine's own settings are."""
    context = make_context(None, default_ca_path=certifi.where())
    assert ssl.TLSVersion.TLSv1_2 == context.minimum_version
    assert (ssl.CERT_REQUIRED, True) == (context.verify_mode, context.check_hostname)
