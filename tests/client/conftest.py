"""A shop at a mock issuer, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from cyberid_client import Client, ClientKey, Login, LoginRequest, RelyingParty, TrustStore
from cyberid_client.config import ClientCertificate, ClientKeys, DecryptionKey
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import ManualClock, MockIssuer, RegisteredClient

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
# What a client registers, and so is configured with, for the word that a fault needs.
PROTECTIONS = {
    "dpop": {"sender_constraint": "dpop"},
    "dpop_nonce": {"sender_constraint": "dpop"},
    "mtls": {"sender_constraint": "mtls"},
    "tls_client_auth": {"sender_constraint": "mtls", "client_authentication": "tls_client_auth"},
    "jarm": {"response": "jarm"},
    "jwe": {"id_token": "jwe"},
    "jwe_rsa": {"id_token": "jwe", "key_encryption": "RSA-OAEP-256"},
    "request_object": {"request_object": "signed"},
}


class CountingTransport:
    """Pass requests on and keep their purposes and answers."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.purposes: list[str] = []
        self.requests: list[HTTPRequest] = []

    def send(self, request: HTTPRequest) -> HTTPResponse:
        self.purposes.append(request.purpose)
        self.requests.append(request)
        return self._inner.send(request)

    def close(self) -> None:
        self._inner.close()


@dataclass
class Shop:
    """One app at one issuer."""

    issuer: MockIssuer
    clock: ManualClock
    rp: RelyingParty
    store: MemoryPendingStore
    transport: CountingTransport
    client: Client

    def log_in(self, *, person: str = "adult", **asked: object) -> Login:
        request = self.client.start_login(**asked)
        return self.client.finish_login(
            self.issuer.authorize(request.url, person=person), handle=request.handle
        )

    def start(self, **asked: object) -> tuple[LoginRequest, str]:
        """Start a login and let the adult agree; return the request and the callback."""
        request = self.client.start_login(**asked)
        return request, self.issuer.authorize(request.url)

    def another_client(self, **changes: object) -> Client:
        rp = replace(self.rp, **changes) if changes else self.rp
        return Client(rp, transport=self.transport, pending=self.store, clock=self.clock)


def keys_of(registered: RegisteredClient) -> ClientKeys:
    """Return the keys that the mock made for a client."""
    tls, decryption = None, ()
    if registered.certificate_pem:
        tls = ClientCertificate(
            certificate_pem=registered.certificate_pem, key_pem=registered.certificate_key_pem
        )
    if registered.encryption_key is not None:
        algorithm = registered.encryption_key.algorithm
        decryption = (DecryptionKey.from_pem(registered.decryption_key_pem, algorithm=algorithm),)
    return ClientKeys(signing=ClientKey.from_pem(registered.key_pem), decryption=decryption, tls=tls)


def make_shop(
    issuer: MockIssuer,
    clock: ManualClock,
    transport: Transport | Callable[[ClientKeys], Transport] | None = None,
    *,
    protection: dict[str, str] | None = None,
    **settings: object,
) -> Shop:
    """Register a shop and configure it as it registered; without a transport it talks in process."""
    chosen = protection or {}
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback", **chosen)
    keys = keys_of(registered)
    if transport is None:
        transport = issuer.transport(certificate_pem=registered.certificate_pem or None)
    elif callable(transport):
        transport = transport(keys)
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id=registered.client_id,
        redirect_uri=registered.redirect_uri,
        keys=keys,
        trust=TrustStore.for_tests(issuer.root_pem),
        **{name: value for name, value in chosen.items() if name != "key_encryption"},
        **settings,
    )
    store, counting = MemoryPendingStore(), CountingTransport(transport)
    client = Client(rp, transport=counting, pending=store, clock=clock, background=False)
    return Shop(issuer, clock, rp, store, counting, client)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def issuer(clock: ManualClock) -> MockIssuer:
    return MockIssuer(clock)


@pytest.fixture
def make(issuer: MockIssuer, clock: ManualClock) -> Callable[..., Shop]:
    return lambda **settings: make_shop(issuer, clock, **settings)


@pytest.fixture
def shop(make: Callable[..., Shop]) -> Shop:
    return make()
