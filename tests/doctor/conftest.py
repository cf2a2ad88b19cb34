"""A mock issuer over real HTTP, and the environment of an app that logs people in there."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cyberid_client import RelyingParty, TrustStore
from cyberid_client.testing import MockIssuer


@dataclass
class Deployment:
    """What an operator has: an issuer somewhere, and an environment."""

    issuer: MockIssuer
    environ: dict[str, str]

    def rp(self, **changes: str) -> RelyingParty:
        return RelyingParty.from_env(
            {**self.environ, **changes}, trust=TrustStore.for_tests(self.issuer.root_pem)
        )


@pytest.fixture
def deployment():
    """Serve an issuer on loopback while the test runs."""
    issuer = MockIssuer()
    with issuer.serve() as origin:
        registered = issuer.register(client_id="shop", redirect_uri="http://127.0.0.1:9/callback")
        environ = {
            "CYBERID_ISSUER": origin,
            "CYBERID_CLIENT_ID": "shop",
            "CYBERID_REDIRECT_URI": registered.redirect_uri,
            "CYBERID_KEY": registered.key_pem.decode(),
        }
        yield Deployment(issuer, environ)
