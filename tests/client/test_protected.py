"""Real logins over HTTP and TLS under every protection, at a mock issuer that takes no less and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import product

import pytest

from cyberid_client import Client, ClientKey, ClientKeys, CyberIDError, Login, RelyingParty, TrustStore
from cyberid_client.config import ClientCertificate, HTTPLimits
from cyberid_client.testing import MockIssuer
from cyberid_client.testing.tls import make_client_certificate
from cyberid_client.transport import RequestsTransport

from .conftest import CountingTransport

METHODS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")
COMBINATIONS = list(product(("none", "dpop", "mtls"), METHODS, ("plain", "signed")))


@dataclass
class App:
    """One app at an issuer that listens on loopback."""

    issuer: MockIssuer
    registered: dict[str, str]
    configured: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = self.issuer.register(
            client_id="shop", redirect_uri="https://shop.example/callback", **self.registered
        )
        shown = (made.certificate_pem, made.certificate_key_pem)
        tls = ClientCertificate(certificate_pem=shown[0], key_pem=shown[1]) if all(shown) else None
        self.rp = RelyingParty(
            issuer=self.issuer.issuer,
            client_id=made.client_id,
            redirect_uri=made.redirect_uri,
            keys=ClientKeys(signing=ClientKey.from_pem(made.key_pem), tls=tls),
            trust=TrustStore.for_tests(self.issuer.root_pem),
            http=HTTPLimits(ca_pem=self.issuer.tls_ca_pem),
            **{**self.registered, **self.configured},
        )
        self.client = Client(self.rp, background=False)

    def log_in(self) -> Login:
        request = self.client.start_login()
        return self.client.finish_login(self.issuer.authorize(request.url), handle=request.handle)

    def calls_of(self, count: int) -> list[str]:
        """Log in so often, and return what was called after the first login."""
        self.log_in()
        before = len(self.issuer.log)
        for _ in range(count):
            self.log_in()
        return [
            record.path for record in self.issuer.log[before:] if not record.path.startswith("/authorize")
        ]


@pytest.fixture
def issuer() -> Iterator[MockIssuer]:
    """An issuer on loopback, with TLS."""
    issuer = MockIssuer()
    with issuer.serve(tls=True):
        yield issuer


@pytest.fixture
def make(issuer) -> Iterator[Callable[..., App]]:
    """Make apps whose connections end with the test."""
    made: list[App] = []

    def make_one(registered: dict[str, str], configured: dict[str, str] | None = None) -> App:
        made.append(App(issuer, registered, configured or {}))
        return made[-1]

    yield make_one
    for app in made:
        app.client.close()


def settings(constraint: str, method: str, request_object: str) -> dict[str, str]:
    return {
        "sender_constraint": constraint,
        "client_authentication": method,
        "request_object": request_object,
    }


def code_of(app: App) -> str:
    with pytest.raises(CyberIDError) as caught:
        app.log_in()
    return caught.value.code


@pytest.mark.parametrize(
    "asked", [settings(*each) for each in COMBINATIONS], ids=lambda each: "-".join(each.values())
)
def test_a_login_under_every_combination(make, asked):
    """Constraint, authentication and request object go together in every way."""
    app = make(asked)
    assert app.issuer.issuer == app.log_in().issuer


@pytest.mark.parametrize("constraint", ["none", "dpop", "mtls"])
def test_a_warm_login_makes_two_calls(make, constraint):
    """One push and one exchange, whatever protects them."""
    app = make(settings(constraint, "private_key_jwt", "signed"))
    assert 6 == len(app.calls_of(3))


def test_a_warm_login_makes_two_calls_where_a_nonce_is_demanded(issuer, make):
    """The nonce of each success serves the next login: nobody is asked twice (RFC 9449 §8.2)."""
    issuer.demand_dpop_nonce()
    app = make(settings("dpop", "private_key_jwt", "plain"))
    assert 6 == len(app.calls_of(3))


def test_the_first_login_learns_the_nonce_in_time(make):
    """The answer to the push brings it, so that even the first code is exchanged in one call."""
    app = make(settings("dpop", "private_key_jwt", "plain"))
    app.issuer.demand_dpop_nonce()
    app.log_in()
    assert 1 == [record.path for record in app.issuer.log].count("/token")


@pytest.mark.parametrize(
    ("registered", "configured"),
    [
        ({"sender_constraint": "dpop"}, {"sender_constraint": "none"}),
        ({"sender_constraint": "none"}, {"sender_constraint": "dpop"}),
        ({"request_object": "signed"}, {"request_object": "plain"}),
    ],
)
def test_protection_is_not_negotiated(make, registered, configured):
    """A client that does more or less than it registered is refused, and there is no login."""
    app = make(registered, configured)
    assert code_of(app) in {"par.request_refused", "token.token_type", "token.status"}


def test_an_issuer_that_demands_signed_requests_gets_them(issuer, make):
    """What the metadata demand is done without being configured."""
    issuer.demand_signed_requests()
    make({"request_object": "signed"}, {"request_object": "plain"}).log_in()


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_another_clients_certificate_is_refused(make, method):
    """Who shows a certificate that is not registered for the client gets nothing."""
    app = make(settings("none", method, "plain"))
    other = make_client_certificate("shop")
    tls = ClientCertificate(certificate_pem=other.certificate_pem, key_pem=other.key_pem)
    app.issuer.register(
        client_id="other",
        redirect_uri="https://other.example/",
        client_authentication=method,
        certificate_pem=other.certificate_pem,
    )
    rp = replace(app.rp, keys=ClientKeys(signing=app.rp.client_keys.signing, tls=tls))
    with Client(rp, background=False) as client, pytest.raises(CyberIDError) as caught:
        client.start_login()
    assert "par.client_refused" == caught.value.code


def test_only_push_and_exchange_show_the_certificate(make):
    """Documents that anybody may read are fetched without saying who reads them."""
    app = make(settings("mtls", "tls_client_auth", "plain"))
    inner = RequestsTransport(app.rp.http, certificate=app.rp.client_keys.tls)
    counting = CountingTransport(inner)
    with Client(app.rp, transport=counting, background=False) as client:
        request = client.start_login()
        client.finish_login(app.issuer.authorize(request.url), handle=request.handle)
    shown = [each.purpose for each in counting.requests if each.shows_certificate]
    assert ["par", "token"] == shown
    assert {"discovery", "jwks", "crl"} <= set(counting.purposes)
