"""Make the office of its environment, once for each process: ``uvicorn --factory tickets.serve:create``.

The login is configured by the variables ``CYBERID_…``; ``CYBERID_STORE`` may be a ``redis://`` address, where
logins that are under way wait instead of the database. The office's own variables:

``TICKETS_DATABASE_URL``
    ``sqlite:///tickets.sqlite3`` by default, or ``postgresql://…``.
``TICKETS_TEST_ROOTS_FILE``, ``TICKETS_PHONE_URL``
    The root of a mock issuer, and its page that plays the ID app. Never set where people log in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI

from cyberid_client import AsyncClient, ConfigurationError, RelyingParty, TrustStore
from cyberid_client.loading import store_url

from .app import create_app
from .login import PREFIX
from .stores import open_stores

CALLBACK = f"{PREFIX}/callback"


def create(environ: Mapping[str, str] | None = None) -> FastAPI:
    """Make the app.

    Args:
        environ: the process's own by default.

    Raises:
        ConfigurationError: a setting is missing or wrong; the error names it.
    """
    environ = os.environ if environ is None else environ
    roots = environ.get("TICKETS_TEST_ROOTS_FILE")
    trust = None if roots is None else TrustStore.for_tests(Path(roots).read_bytes())
    party = RelyingParty.from_env(environ, trust=trust)
    if party.pseudonym_keys is None:
        raise ConfigurationError("config.pseudonym_key", "CYBERID_PSEUDONYM_KEYS")
    stores = open_stores(environ.get("TICKETS_DATABASE_URL", "sqlite:///tickets.sqlite3"), store_url(environ))
    return create_app(
        AsyncClient(party, pending=stores.pending),
        stores,
        url=party.redirect_uri.removesuffix(CALLBACK),
        keys=party.pseudonym_keys,
        phone_url=environ.get("TICKETS_PHONE_URL"),
    )
