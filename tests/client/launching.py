"""A shop with apps on phones, at a mock issuer, over a transport that can lose answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from cyberid_client import (
    AppLaunch,
    AppLaunchSettings,
    Client,
    ClientKey,
    CyberIDError,
    Login,
    RelyingParty,
    TrustStore,
)
from cyberid_client.models import AppOutcome
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import (
    MOCK_OUTCOMES,
    Fault,
    ManualClock,
    MockIssuer,
    Oddity,
    Phone,
    RegisteredApp,
)

PACKAGE = "com.example.shop"
ANDROID = RegisteredApp(app_id="shop-android", package=PACKAGE)
IOS = RegisteredApp(app_id="shop-ios", package="example.shop")
SETTINGS = AppLaunchSettings(
    org_id="shop-org",
    app_ids={"android": ANDROID.app_id, "ios": IOS.app_id},
    outcomes={code: AppOutcome(outcome) for code, outcome in MOCK_OUTCOMES.items()},
)


@dataclass
class LosingTransport:
    """Pass requests on, and lose the next answers about launches after the issuer has given them."""

    inner: Transport
    lose: int = 0
    asked: list[HTTPRequest] = field(default_factory=list)

    def send(self, request: HTTPRequest) -> HTTPResponse:
        response = self.inner.send(request)
        if request.purpose != "app_verification":
            return response
        self.asked.append(request)
        if not self.lose:
            return response
        self.lose -= 1
        return HTTPResponse(status=0, url=request.url, error="transport.timeout")

    def close(self) -> None:
        self.inner.close()


@dataclass
class Launcher:
    """One service with apps for two platforms."""

    issuer: MockIssuer
    clock: ManualClock
    rp: RelyingParty
    store: MemoryPendingStore
    transport: LosingTransport
    client: Client
    phone: Phone
    new_client: Callable[..., Client]

    def start(self, **asked: object) -> AppLaunch:
        return self.client.start_app_login(**{"platform": "android", **asked})

    def answer(self, launch: AppLaunch, **script: object) -> dict[str, str | None]:
        """Let the ID app answer the registered app of the platform, unless the script says otherwise."""
        package = {app.app_id: app.package for app in (ANDROID, IOS)}[launch.app_id]
        return self.phone.launch(launch.to_dict(), **{"package": package, **script})

    def log_in(self, asked: dict[str, object] | None = None, **script: object) -> Login:
        launch = self.start(**(asked or {}))
        return self.client.finish_app_login(self.answer(launch, **script), handle=launch.handle)

    def another_client(self, store: object = None, **changes: object) -> Client:
        """Make a client of the same service with another configuration, on the same store unless one is given."""
        return self.new_client(
            replace(self.rp, **changes),
            transport=self.transport,
            pending=store or self.store,
            clock=self.clock,
            background=False,
        )


def make_launcher(
    issuer: MockIssuer,
    clock: ManualClock,
    *,
    transport: Transport | None = None,
    new_client: Callable[..., Client] = Client,
    **settings: object,
) -> Launcher:
    """Register a service with two apps; without a transport it talks in process."""
    registered = issuer.register(
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        org_id="shop-org",
        apps={"android": ANDROID, "ios": IOS},
    )
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
        **{"app_launch": SETTINGS, **settings},
    )
    store, losing = MemoryPendingStore(), LosingTransport(transport or issuer.transport())
    client = new_client(rp, transport=losing, pending=store, clock=clock, background=False)
    return Launcher(issuer, clock, rp, store, losing, client, Phone(issuer), new_client)


def refused(call: Callable[..., object], *args: object, **kwargs: object) -> tuple[str, str]:
    """Return class and code of what a call raises."""
    with pytest.raises(CyberIDError) as error:
        call(*args, **kwargs)
    return type(error.value).__name__, error.value.code


def play_fault(shop: Launcher, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    """One broken rule, one typed error, a launch that is gone, a log that has the code; then all is well."""
    shop.issuer.arm(fault.name)
    expected = (fault.expected_error, fault.expected_code)
    if fault.stage == "metadata":
        assert expected == refused(shop.start)
    else:
        launch = shop.start()
        result = shop.answer(launch)
        finish = shop.client.finish_app_login
        assert expected == refused(finish, result, handle=launch.handle)
        assert 1 == len(shop.transport.asked)
        assert ("LoginRestartError", "login.unknown") == refused(finish, result, handle=launch.handle)
    assert fault.expected_code in caplog.text
    assert 0 == len(shop.store)
    shop.issuer.disarm()
    shop.clock.advance(30)  # What could not be fetched is asked for again after a while.
    assert shop.log_in().return_to == "/"


def play_oddity(shop: Launcher, oddity: Oddity) -> None:
    """Log in over something unusual and honest."""
    shop.issuer.arm(oddity.name)
    assert "/" == shop.log_in().return_to
    assert {} == shop.issuer.armed
