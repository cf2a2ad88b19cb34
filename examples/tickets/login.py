"""The three ways in: what the office does with a login, whichever way it came."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI

from cyberid_client import AsyncClient, Channel, Login, Persistence, PseudonymKeys
from cyberid_client.integrations.fastapi import CyberID
from cyberid_client.integrations.web import AsyncWebLogin, WebSession, refuse_login

from .office import Office
from .sessions import session_of

PREFIX = "/id"
# What every screen that waits asks for every two seconds; it needs no session.
POLLED = frozenset({f"{PREFIX}/wallet/status", f"{PREFIX}/wallet/waiting.js"})

IN_WORDS: Mapping[Channel, str] = {
    Channel.REDIRECT: "on the platform’s page",
    Channel.APP: "with the ID app",
    Channel.WALLET_SAME: "with the wallet on this device",
    Channel.WALLET_OTHER: "with a wallet on another device",
}


class IDLogin:
    """What the office gives to the endpoints."""

    def __init__(self, office: Office, keys: PseudonymKeys) -> None:
        self._office = office
        self._keys = keys

    async def log_in(self, login: Login, _before: WebSession) -> Mapping[str, str]:
        """Return what the new session begins with: the office's own id of the person, and what pages say."""
        if login.persistence is Persistence.SESSION:
            # A pseudonym that does not come again cannot say that somebody was here before.
            refuse_login()
        digests = [str(login.pseudonym.digest(self._keys, key_id=key_id)) for key_id in self._keys.ids]
        holder = await self._office.holder_of(digests)
        return {"holder": holder, "shown": self._short_form(digests[0]), "way": IN_WORDS[login.channel]}

    async def step_up(self, login: Login, _session: WebSession) -> Mapping[str, str]:
        """Return what changes in the session when the same person proved more."""
        return {"way": IN_WORDS[login.channel]}

    def _short_form(self, digest: str) -> str:
        """Return six characters of a keyed hash: enough to tell two people apart, nothing to look up."""
        return self._keys.mac(self._keys.newest, b"short form" + digest.encode()).hex()[:6]


def add_id_login(
    app: FastAPI, client: AsyncClient, office: Office, *, url: str, keys: PseudonymKeys
) -> CyberID:
    """Add all endpoints of the login with the ID, below ``/id``."""
    desk = IDLogin(office, keys)
    web = AsyncWebLogin(
        client=client,
        keys=keys,
        on_login=desk.log_in,
        on_step_up=desk.step_up,
        prefix=PREFIX,
        login_page="/login",
        app_name="The ticket office",
        post_logout_redirect_uri=f"{url}/",
    )
    return CyberID(app, web=web, session=session_of)
