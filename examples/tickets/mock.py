"""Register the office at a mock issuer, and say so in the variables that the office reads.

At a real platform a person does this once, and the files come from where your secrets are.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cyberid_client.testing import MOCK_OUTCOMES, MockIssuer, RegisteredApp

from .login import PREFIX
from .phone import PATH, PLATFORM

CLIENT_ID = "tickets"
ORG_ID = "org-tickets"
APP_ID = "app-tickets-android"
PACKAGE = "example.tickets.android"


def register(issuer: MockIssuer, *, url: str, folder: Path) -> dict[str, str]:
    """Register the office, put its secrets into files, and return its environment, all but what opens a wallet.

    Args:
        issuer: a mock that listens.
        url: where the office is for browsers.
        folder: where the files and the database are.
    """
    app = RegisteredApp(app_id=APP_ID, package=PACKAGE, return_urls=(f"{url}{PATH}",))
    client = issuer.register(
        client_id=CLIENT_ID,
        redirect_uri=f"{url}{PREFIX}/callback",
        post_logout_redirect_uris=(f"{url}/",),
        org_id=ORG_ID,
        apps={PLATFORM: app},
    )
    endpoint = f"{url}{PREFIX}/wallet"
    certificate, key = issuer.certify_relying_party(sector=client.sector, endpoint=endpoint)
    return {
        "CYBERID_ISSUER": issuer.issuer,
        "CYBERID_CLIENT_ID": CLIENT_ID,
        "CYBERID_REDIRECT_URI": client.redirect_uri,
        "CYBERID_ALGORITHM": issuer.algorithm,
        "CYBERID_KEY_FILE": keep(folder / "key.pem", client.key_pem),
        "CYBERID_PSEUDONYM_KEYS_FILE": pseudonym_keys(folder / "pseudonym-keys.txt"),
        "CYBERID_WALLET_ENDPOINT": endpoint,
        "CYBERID_WALLET_CROSS_DEVICE": "allowed",
        "CYBERID_WALLET_ALGORITHM": "ES256",
        "CYBERID_WALLET_CERTIFICATE_FILE": keep(folder / "wallet.pem", certificate),
        "CYBERID_WALLET_KEY_FILE": keep(folder / "wallet-key.pem", key),
        "CYBERID_APP_LAUNCH_ORG_ID": ORG_ID,
        "CYBERID_APP_LAUNCH_APP_IDS": f"{PLATFORM}={APP_ID}",
        "CYBERID_APP_LAUNCH_OUTCOMES": " ".join(f"{code}={name}" for code, name in MOCK_OUTCOMES.items()),
        "TICKETS_DATABASE_URL": f"sqlite:///{folder / 'tickets.sqlite3'}",
        # The mock's root carries the test mark, which no variable of the library makes acceptable.
        "TICKETS_TEST_ROOTS_FILE": keep(folder / "roots.pem", issuer.root_pem),
        "TICKETS_PHONE_URL": f"{issuer.issuer}/phone",
    }


def keep(path: Path, content: bytes) -> str:
    """Write a file that nobody else reads, and return its name."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    return str(path)


def pseudonym_keys(path: Path) -> str:
    """Make the key of the digests at the first start; with another key everybody would be a new person."""
    if not path.exists():
        keep(path, b"k1=" + base64.b64encode(secrets.token_bytes(32)))
    return str(path)
