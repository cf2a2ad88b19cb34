"""A keeper of status lists at a mock issuer, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from cyberid_client import ClientKey, RelyingParty, TrustStore
from cyberid_client.driver import Driver
from cyberid_client.link import Environment, IssuerLink
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.status_keeper import KeptStatusLists, StatusKeeper
from cyberid_client.stores import MemoryPendingStore
from cyberid_client.stores.memory import MemoryReplayStore
from cyberid_client.testing import ManualClock, MockIssuer
from cyberid_client.trust import ChainCache

SECTOR = "https://shop.example"


@dataclass
class CountingTransport:
    """Pass requests on and keep them; ``before`` is called with each."""

    inner: Transport
    requests: list[HTTPRequest] = field(default_factory=list)
    before: Callable[[HTTPRequest], None] = lambda _request: None

    def send(self, request: HTTPRequest) -> HTTPResponse:
        self.requests.append(request)
        self.before(request)
        return self.inner.send(request)

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Page:
    """The one member of the metadata that is read."""

    status_list_aggregation_endpoint: str | None


@dataclass
class Desk:
    """One app that keeps the status lists of one issuer."""

    issuer: MockIssuer
    clock: ManualClock
    transport: CountingTransport
    link: IssuerLink
    driver: Driver
    metadata: Page | None
    core: StatusKeeper = field(init=False)
    keeper: KeptStatusLists = field(init=False)

    def __post_init__(self) -> None:
        self.core = StatusKeeper(self.link, metadata=lambda: self.metadata)
        self.keeper = KeptStatusLists(self.core, self.driver.run)

    def new_keeper(self, **settings: object) -> KeptStatusLists:
        core = StatusKeeper(self.link, metadata=lambda: self.metadata, **settings)
        return KeptStatusLists(core, self.driver.run)

    def tick(self) -> datetime:
        """Do as the timer does."""
        return self.driver.run(self.core.refresh_if_due())

    def open(self, epoch: str = "1", bits: int = 1) -> str:
        return self.issuer.status_lists.open(sector=SECTOR, epoch=epoch, bits=bits)

    def set(self, idx: int, value: int, epoch: str = "1") -> None:
        self.issuer.status_lists.set(idx, value, sector=SECTOR, epoch=epoch)

    def purposes(self) -> list[str]:
        """Return what was asked since the last time, and forget it."""
        purposes = [request.purpose for request in self.transport.requests]
        self.transport.requests.clear()
        return purposes


def make_desk(issuer: MockIssuer, clock: ManualClock, transport: Transport, **settings: object) -> Desk:
    registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
        **settings,
    )
    counting = CountingTransport(transport)
    link = IssuerLink(rp, env=Environment(clock), cache=ChainCache())
    driver = Driver(transport=counting, pending=MemoryPendingStore(), replay=MemoryReplayStore())
    return Desk(issuer, clock, counting, link, driver, Page(f"{issuer.issuer}/status-lists"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def issuer(clock: ManualClock) -> MockIssuer:
    return MockIssuer(clock)


@pytest.fixture
def desk(issuer: MockIssuer, clock: ManualClock) -> Desk:
    return make_desk(issuer, clock, issuer.transport())
