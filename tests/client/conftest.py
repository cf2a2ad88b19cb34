"""A shop at a mock issuer, with a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from cyberid_client import Client, ClientKey, Login, LoginRequest, RelyingParty, TrustStore
from cyberid_client.aio import AsyncClient
from cyberid_client.config import ClientCertificate, ClientKeys, DecryptionKey
from cyberid_client.ports import HTTPRequest, HTTPResponse, PendingStore, Transport
from cyberid_client.stores import SealedCookieStore
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
    new_client: Callable[..., Client] = Client

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
        return self.new_client(rp, transport=self.transport, pending=self.store, clock=self.clock)


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
    new_client: Callable[..., Client] = Client,
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
    client = new_client(rp, transport=counting, pending=store, clock=clock, background=False)
    return Shop(issuer, clock, rp, store, counting, client, new_client)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def issuer(clock: ManualClock) -> MockIssuer:
    return MockIssuer(clock)


# The same cases for the client that blocks and for the one that is awaited.
OF_BOTH_KINDS = frozenset(
    {
        "test_app_launch", "test_faults", "test_issuer_changes", "test_login",
        "test_parts", "test_logout", "test_presentation", "test_presentation_answers", "test_presentation_knowledge",
        "test_refreshing", "test_revocation",
        "test_rollover", "test_sealed_cookie", "test_status_lists",
        "test_step_up",
    }
)  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        both = Path(metafunc.module.__file__).stem in OF_BOTH_KINDS
        metafunc.parametrize("kind", ["blocking", "awaited"] if both else ["blocking"])


@pytest.fixture
def new_client(kind: str, request: pytest.FixtureRequest) -> Callable[..., Client]:
    """Return what makes a client of the kind under test, used as if it blocked."""
    if kind == "blocking":
        return Client
    awaited, unblocked = request.getfixturevalue("awaited"), request.getfixturevalue("unblocked")

    def make_client(
        rp: RelyingParty, *, transport: Transport, pending: PendingStore | None = None, **parts: object
    ) -> Client:
        if not isinstance(pending, MemoryPendingStore | SealedCookieStore | None):
            pending = unblocked(pending)
        return awaited(lambda: AsyncClient(rp, transport=unblocked(transport), pending=pending, **parts))

    return make_client


@pytest.fixture
def timers(kind: str, request: pytest.FixtureRequest) -> Callable[[], set[object]]:
    """Return a function that tells which threads or tasks refresh ahead of time now."""
    if kind == "awaited":
        return partial(request.getfixturevalue("beside").tasks, "cyberid-refresh")
    return lambda: {each for each in threading.enumerate() if each.name == "cyberid-refresh"}


@pytest.fixture
def make(issuer: MockIssuer, clock: ManualClock, new_client: Callable[..., Client]) -> Callable[..., Shop]:
    return lambda **settings: make_shop(issuer, clock, new_client=new_client, **settings)


@pytest.fixture
def shop(make: Callable[..., Shop]) -> Shop:
    return make()
