"""The ticket office: one app of all its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from cyberid_client import AsyncClient, PseudonymKeys, UnavailableError

from .counter import add_counter
from .gate import add_gate
from .login import POLLED, add_id_login
from .office import Office
from .pages import Headers, add_error_pages, add_static_files
from .phone import add_phone
from .sessions import SessionMiddleware
from .stores import Stores

__all__ = ["create_app"]


def create_app(
    client: AsyncClient,
    stores: Stores,
    *,
    url: str,
    keys: PseudonymKeys,
    phone_url: str | None = None,
) -> FastAPI:
    """Make the ticket office.

    Args:
        client: logs people in; closed with the app.
        stores: the office's database, and where the client's logins wait; closed with the app.
        url: where the office is for browsers.
        keys: hash the pseudonyms; the same after a restart, and never stored beside the database.
        phone_url: the mock's page that plays the ID app; without it nothing plays the app on a phone.
    """
    office = Office(stores.engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            await stores.open()
            await office.open()
            async with client:
                # Ahead of the first person, because a wallet's login fetches nothing itself. With the platform
                # away the office opens all the same: the box office sells, and the client goes on asking.
                with suppress(UnavailableError):
                    await client.refresh()
                yield
        finally:
            await stores.close()

    app = FastAPI(title="The ticket office", openapi_url=None, lifespan=lifespan)
    app.state.origin, app.state.phone_url = url, phone_url
    cyberid = add_id_login(app, client, office, url=url, keys=keys)
    add_counter(app, office, cyberid)
    add_gate(app, office)
    add_phone(app)
    add_static_files(app)
    add_error_pages(app)
    app.add_middleware(SessionMiddleware, engine=stores.engine, without=POLLED)
    app.add_middleware(Headers, without=POLLED)
    return app
