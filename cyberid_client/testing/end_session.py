"""The page at which a person logs out at the issuer (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.delivery import Posting
from cyberid_client.testing.drafts import CallbackDraft, Reply
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.logout import LogoutDesk
from cyberid_client.testing.pages import (
    end_session_page,
    error_page,
    page_headers,
    session_ended_page,
    session_kept_page,
)
from cyberid_client.testing.registration import RegisteredClient

__all__ = ["EndSessionDesk", "Ending"]

_PAGE_LIFE: Final = 600
_MAX_WAITING: Final = 10_000
_NO_STORE: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What comes of a call to the endpoint.

    Attributes:
        reply: what the browser gets.
        postings: what apps must be told before the browser gets it.
        client_id: who sent the browser, once that is known.
    """

    reply: Reply
    postings: tuple[Posting, ...] = ()
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    client: RegisteredClient
    redirect_uri: str | None
    state: str | None = field(repr=False)
    person: str | None
    expires_at: float


class EndSessionDesk:
    """Ask the person, end the sessions, and send the browser back.

    A request names ``client_id``, and may name ``logout_hint`` (the ``sid`` of the assertion),
    ``post_logout_redirect_uri`` (a registered one, byte by byte) and ``state``. ``id_token_hint`` is never
    used. A session that is not known has ended already: the browser goes back as if it had ended now.

    Args:
        keyring: the issuer's keys.
        clients: the registered clients.
        logout: the sessions.
        arming: the faults.
        asks: whether the person is asked now.
        action: the path of the endpoint.
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        clients: ClientDesk,
        logout: LogoutDesk,
        arming: Arming,
        asks: Callable[[], bool],
        action: str,
    ) -> None:
        self._keyring = keyring
        self._clients = clients
        self._logout = logout
        self._arming = arming
        self._asks = asks
        self._action = action
        self._waiting: dict[str, _Request] = {}

    def forget_all(self) -> None:
        """Drop every page that stands open."""
        self._waiting.clear()

    def answer(self, form: Mapping[str, str], now: datetime) -> Ending:
        """Answer a request from a browser, or the form of the page that it got.

        Args:
            form: the parameters of query or body, untrusted.
            now: the issuer's time.
        """
        if "interaction" in form:
            return self._decide(form, now)
        request = self._read(form, now.timestamp())
        if isinstance(request, str):
            return Ending(reply=_page(error_page(request), 400))
        if request.person is None or not self._asks():
            return self._end(request, now)
        return self._ask(request, now.timestamp())

    def _read(self, form: Mapping[str, str], seconds: float) -> _Request | str:
        """Return what is asked, or why it is not answered."""
        client = self._clients.find(form.get("client_id"))
        redirect_uri = form.get("post_logout_redirect_uri")
        if "id_token_hint" in form:
            return "id_token_hint is never used"
        if client is None:
            return "client_id is absent or not registered"
        if redirect_uri is not None and redirect_uri not in client.post_logout_redirect_uris:
            return "post_logout_redirect_uri is not byte-equal to a registered one"
        return _Request(
            client=client,
            redirect_uri=redirect_uri,
            state=form.get("state"),
            person=self._logout.person_of(form.get("logout_hint"), client),
            expires_at=seconds + _PAGE_LIFE,
        )

    def _ask(self, request: _Request, seconds: float) -> Ending:
        self._waiting = {key: kept for key, kept in self._waiting.items() if kept.expires_at > seconds}
        if len(self._waiting) >= _MAX_WAITING:
            return Ending(reply=_page(error_page("too many pages stand open"), 503))
        interaction = secrets.token_urlsafe(32)
        self._waiting[interaction] = request
        page = end_session_page(
            client_id=request.client.client_id, interaction=interaction, action=self._action
        )
        return Ending(
            reply=_page(page, 200, leads_to=request.redirect_uri), client_id=request.client.client_id
        )

    def _decide(self, form: Mapping[str, str], now: datetime) -> Ending:
        request = self._waiting.pop(form["interaction"], None)
        if request is None or request.expires_at <= now.timestamp():
            return Ending(
                reply=_page(error_page("this page was used before or stood open for too long"), 400)
            )
        if form.get("decision") != "end":
            return Ending(reply=_page(session_kept_page(), 200), client_id=request.client.client_id)
        return self._end(request, now)

    def _end(self, request: _Request, now: datetime) -> Ending:
        postings = () if request.person is None else self._logout.end_everywhere(request.person)
        return Ending(
            reply=self._go_back(request, now), postings=postings, client_id=request.client.client_id
        )

    def _go_back(self, request: _Request, now: datetime) -> Reply:
        """Send the browser where the app wants it (§3), or show that it is done; 303 as after any form."""
        if request.redirect_uri is None:
            return _page(session_ended_page(), 200)
        draft = CallbackDraft(
            redirect_uri=request.redirect_uri,
            parameters=[] if request.state is None else [("state", request.state)],
            keyring=self._keyring,
            now=now,
        )
        self._arming.apply("post_logout", draft)
        bare = not draft.parameters and not draft.raw_suffix
        location = draft.redirect_uri if bare else draft.encode()
        return Reply(status=303, headers={"location": location, **_NO_STORE})


def _page(page: bytes, status: int, *, leads_to: str | None = None) -> Reply:
    return Reply(status=status, headers=page_headers(leads_to), body=page)
