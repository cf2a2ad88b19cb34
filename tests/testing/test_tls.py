"""TLS on loopback: the server's own certificate, and those that clients show."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from urllib.parse import urlencode, urlsplit

import pytest

from .conftest import FORM, RawClient, send_over_http


def client_side(issuer, registered=None, folder=None):
    """Return a client's side of TLS: it knows the throwaway authority and maybe shows a certificate."""
    context = ssl.create_default_context(cadata=issuer.tls_ca_pem.decode())
    if registered is not None:
        file = folder / "client.pem"
        file.write_bytes(registered.certificate_pem + registered.certificate_key_pem)
        context.load_cert_chain(file)
    return context


def post(url, context, path, form):
    """Post a form over TLS and return status and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=context)
    try:
        connection.request("POST", path, body=urlencode(form), headers=FORM)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(("host", "origin"), [("127.0.0.1", "https://127.0.0.1:"), ("::1", "https://[::1]:")])
def test_the_authority_proves_the_server(issuer, host, origin):
    """Who knows the authority gets through, under either literal address; who does not, does not."""
    with issuer.serve(tls=True, host=host) as url:
        assert url.startswith(origin)
        assert issuer.issuer == url
        parts = urlsplit(url)
        with (
            socket.create_connection((parts.hostname, parts.port), timeout=5) as plain,
            client_side(issuer).wrap_socket(plain, server_hostname=parts.hostname) as connection,
        ):
            assert connection.version() in {"TLSv1.2", "TLSv1.3"}
        with (
            socket.create_connection((parts.hostname, parts.port), timeout=5) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname=parts.hostname)


def test_the_authority_stays_and_is_of_this_issuer_alone(issuer, new_issuer):
    """One authority for the life of an issuer; another issuer has another."""
    before = issuer.tls_ca_pem
    with issuer.serve(tls=True):
        assert issuer.tls_ca_pem == before
    assert new_issuer().tls_ca_pem != before


def test_log_in_with_a_certificate_that_tls_proved(issuer, clock, tmp_path, protected):
    """The certificate that counts is the one of the handshake."""
    registered = protected("tls_client_auth").registered
    with issuer.serve(tls=True) as url:
        shown, hidden = client_side(issuer, registered, tmp_path), client_side(issuer)
        raw = RawClient(issuer, registered, clock, send_over_http)
        refused = post(url, hidden, "/mtls/par", raw.par_form())
        assert (refused[0], b"no certificate was shown" in refused[1]) == (401, True)
        assert post(url, shown, "/par", raw.par_form())[0] == 400
        assert post(url, shown, "/mtls/par", raw.par_form())[0] == 201


def test_registration_while_it_serves(issuer, clock, tmp_path, protected):
    """A certificate counts from the moment of its registration."""
    with issuer.serve(tls=True) as url:
        for name in ("first", "second"):
            registered = issuer.register(
                client_id=name, redirect_uri="https://shop.example/cb", sender_constraint="mtls"
            )
            raw = RawClient(issuer, registered, clock, send_over_http)
            context = client_side(issuer, registered, tmp_path)
            assert post(url, context, "/mtls/par", raw.par_form())[0] == 201


def test_certificate_that_nobody_registered(issuer, new_issuer, tmp_path):
    """A stranger's certificate ends the handshake."""
    stranger = new_issuer().register(
        client_id="shop", redirect_uri="https://shop.example/cb", sender_constraint="mtls"
    )
    with issuer.serve(tls=True) as url, pytest.raises((ssl.SSLError, ConnectionError)):
        post(url, client_side(issuer, stranger, tmp_path), "/mtls/par", {})


def test_plain_http_at_the_tls_port(issuer):
    """Who speaks no TLS gets no answer, and the server goes on."""
    with issuer.serve(tls=True) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as plain:
            plain.sendall(b"GET /jwks.json HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert not plain.recv(65_536).startswith(b"HTTP/1.1")
        assert post(url, client_side(issuer), "/token", {})[0] == 401


def test_idle_connections_do_not_hold_the_end_up(issuer):
    """Neither one that waits in the middle of its handshake nor one that waits after it."""
    with issuer.serve(tls=True) as url:
        parts = urlsplit(url)
        silent = socket.create_connection((parts.hostname, parts.port), timeout=5)
        idle = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=5, context=client_side(issuer))
        idle.request("GET", "/jwks.json")
        idle.getresponse().read()
    silent.close()
    idle.close()
