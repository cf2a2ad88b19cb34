"""What an app launch must not leak: launch, handle, blobs, receipt and person, whatever goes wrong on the way."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import pytest

from cyberid_client import AppLaunchSettings, Client, ClientKey, CyberIDError, RelyingParty, TrustStore
from cyberid_client.models import AppOutcome
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.testing import (
    MOCK_OUTCOMES,
    RECEIPT_FAULTS,
    ManualClock,
    MockIssuer,
    Phone,
    RegisteredApp,
)
from cyberid_client.testing.jose import decode_part

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PACKAGE = "com.example.shop"
# One fault for each code: what is said and kept of an error depends on nothing else.
FAULT_OF = {
    fault.expected_code: name for name, fault in RECEIPT_FAULTS.items() if fault.stage.startswith("receipt")
}


@dataclass
class Ear:
    """Pass requests on and remember what of them is nobody's business."""

    inner: Transport
    learned: set[str] = field(default_factory=set)

    def send(self, request: HTTPRequest) -> HTTPResponse:
        response = self.inner.send(request)
        if request.purpose == "app_verification":
            for body in (request.body, response.body):
                self.learned |= set(secrets_of(body.decode("latin-1")))
        return response

    def close(self) -> None:
        self.inner.close()


def secrets_of(token: str) -> Iterator[str]:
    """Yield a token, its payload and signature, and the claims inside that name person or launch."""
    yield token
    parts = token.split(".")[1:]
    yield from parts
    try:
        claims = json.loads(decode_part(parts[0]))
    except (ValueError, IndexError):
        return
    names = ("sub", "sid", "bizSeq", "blobs_hash", "idCardAuthData", "certPwdData", "jti")
    yield from (
        claims[name] for name in names if isinstance(claims, dict) and isinstance(claims.get(name), str)
    )


class Records(logging.Handler):
    """Keep everything that any logger says, with all its fields."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.getMessage()} {record.__dict__!r}")


class WatchedStore(MemoryPendingStore):
    """Remember what whoever reads the store would see."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, bytes]] = []

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:
        self.seen.append((key, record))
        return super().put(key, record, expires_at=expires_at, now=now)


@dataclass
class Shop:
    """A service with an app, its issuer, and whoever listens."""

    issuer: MockIssuer
    client: Client
    ear: Ear
    records: Records
    store: WatchedStore
    new_client: Callable[[], Client]

    def finish(self, **script: object) -> object:
        """Launch and finish; return the login or the error, and remember what was secret."""
        launch = self.client.start_app_login(platform="android", return_to="/cart")
        result = Phone(self.issuer).launch(launch.to_dict(), package=PACKAGE, **script)
        blobs = [each for each in (result["idCardAuthData"], result["certPwdData"]) if each]
        self.ear.learned |= {str(launch.biz_seq), str(launch.handle), *blobs}
        try:
            return self.client.finish_app_login(result, handle=launch.handle)
        except CyberIDError as error:
            return error

    def leaked(self, *texts: str) -> list[str]:
        secrets = {each for each in self.ear.learned if len(each) >= 16}
        assert len(secrets) >= 2, "nothing was learned, so nothing would be found"
        return [text[:200] for text in (*self.records.seen, *texts) if any(each in text for each in secrets)]


@pytest.fixture(scope="module")
def one_shop() -> Iterator[Shop]:
    clock = ManualClock(START)
    issuer = MockIssuer(clock)
    registered = issuer.register(
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        org_id="org-1",
        apps={"android": RegisteredApp(app_id="app-1", package=PACKAGE)},
    )
    rp = RelyingParty(
        issuer=issuer.issuer,
        client_id="shop",
        redirect_uri=registered.redirect_uri,
        key=ClientKey.from_pem(registered.key_pem),
        trust=TrustStore.for_tests(issuer.root_pem),
        app_launch=AppLaunchSettings(
            org_id="org-1",
            app_ids={"android": "app-1"},
            outcomes={code: AppOutcome(outcome) for code, outcome in MOCK_OUTCOMES.items()},
        ),
    )
    ear, records, root = Ear(issuer.transport()), Records(), logging.getLogger()
    before = root.level
    root.addHandler(records)
    root.setLevel(logging.DEBUG)
    store = WatchedStore()
    new_client = partial(Client, rp, transport=ear, pending=store, clock=clock, background=False)
    yield Shop(issuer, new_client(), ear, records, store, new_client)
    root.removeHandler(records)
    root.setLevel(before)


@pytest.fixture
def shop(one_shop: Shop) -> Iterator[Shop]:
    """The one shop, with a client that knows nothing of the issuer yet."""
    for memory in (one_shop.ear.learned, one_shop.records.seen, one_shop.store.seen):
        memory.clear()
    one_shop.client = one_shop.new_client()
    with one_shop.client:
        yield one_shop
    one_shop.issuer.disarm()


def shown(error: BaseException) -> str:
    """Return what an error tracker shows: all frames with their local variables, but for the test's own."""
    ours = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [
        f"{frame.name} {frame.locals!r}"
        for frame in ours.stack
        if not frame.filename.endswith(__file__[-30:])
    ]
    return "\n".join([*frames, *ours.format_exception_only(), repr(error), repr(vars(error))])


def test_a_login_leaves_nothing_in_the_log(shop):
    """Everything that is logged about an honest launch could stand in a newspaper."""
    login = shop.finish()
    assert [] == shop.leaked(repr(login), repr(login.evidence))
    assert any("finish_app_login: ok" in line for line in shop.records.seen)


@pytest.mark.parametrize("code", sorted(FAULT_OF))
def test_a_fault_leaves_nothing_in_log_or_error(shop, code):
    """An error, its frames and its pickled form hold nothing of launch or person."""
    shop.issuer.arm(FAULT_OF[code])
    error = shop.finish()
    assert code == error.code
    assert [] == shop.leaked(shown(error), pickle.dumps(error).decode("latin-1"), str(error))


@pytest.mark.parametrize("outcome", ["frozen", "busy"])
def test_a_decline_leaves_nothing_in_log_or_error(shop, outcome):
    """What the ID app answered is kept as its code alone."""
    error = shop.finish(outcome=outcome)
    assert f"app.{outcome}" == error.code
    assert [] == shop.leaked(shown(error))


def test_a_launch_shows_nothing_of_itself(shop):
    """What the app is handed is secret until it asks for it."""
    launch = shop.client.start_app_login(platform="android")
    shop.ear.learned |= {str(launch.biz_seq), str(launch.handle)}
    assert [] == shop.leaked(repr(launch), str(launch))
    with pytest.raises(TypeError):
        pickle.dumps(launch)


def test_a_store_sees_nothing_of_a_launch(shop):
    """Key and record of a pending launch are worth nothing without the handle."""
    launch = shop.client.start_app_login(platform="android", return_to="/secret-place-of-nobody")
    shop.ear.learned |= {str(launch.biz_seq), str(launch.handle), "/secret-place-of-nobody"}
    [(key, record)] = shop.store.seen
    assert 64 == len(key)
    assert [] == shop.leaked(key, record.decode("latin-1"), record.hex(), repr(shop.store))
