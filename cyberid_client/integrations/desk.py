"""What all endpoints of an app share: its client, its hooks, its places, and what happens at the end of a login."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cyberid_client.errors import ConfigurationError, CyberIDError, VerificationError
from cyberid_client.integrations.answers import kind_of
from cyberid_client.integrations.endpoints import ENDPOINTS
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession
from cyberid_client.integrations.sessions import (
    Finished,
    StepUpGuard,
    begin_session,
    raise_session,
    read_login,
)
from cyberid_client.integrations.site import Site
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.models import Login, PseudonymKeys
from cyberid_client.ports import Clock

if TYPE_CHECKING:
    from cyberid_client.aio import AsyncClient
    from cyberid_client.client import Client

__all__ = ["Desk", "Entries"]

logger: Final = logging.getLogger("cyberid_client")

# What a hook returns: the entries for the session, or something that is awaited for them.
Entries = Mapping[str, str] | Awaitable[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an endpoint needs to know of its app; the attributes are those of ``WebLogin``.

    Attributes:
        client: blocking or async; which one is the driver's business.
        site: where the app's places are.
    """

    client: Client | AsyncClient
    keys: PseudonymKeys
    on_login: Callable[[Login, WebSession], Entries]
    on_step_up: Callable[[Login, WebSession], Entries] | None
    end_sessions: Callable[..., object] | None
    apply_event: Callable[..., object] | None
    post_logout_redirect_uri: str | None
    clock: Clock
    site: Site = field(repr=False)

    def __post_init__(self) -> None:
        callback = self.site.prefix + ENDPOINTS["callback"].path
        if not any(each.endswith(callback) for each in self.client.redirect_uris):
            raise ConfigurationError("config.redirect_uri", "prefix")
        wallet = self.client.wallet_settings
        if wallet is not None and not wallet.endpoint.endswith(f"{self.site.prefix}/wallet"):
            raise ConfigurationError("config.wallet", "wallet.endpoint")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints that this app has."""
        return tuple(name for name in ENDPOINTS if self._has(name))

    def _has(self, name: str) -> bool:
        wallet = self.client.wallet_settings
        if name in _OTHER_DEVICE:
            return wallet is not None and wallet.cross_device == "allowed"
        match name.partition("_")[0]:
            case "app":
                return bool(self.client.app_platforms)
            case "wallet":
                return wallet is not None
            case "backchannel":
                return self.end_sessions is not None
            case "security":
                return self.apply_event is not None
        return True

    def admit(
        self, login: Login, session: WebSession, *, name: str = "", is_step_up: bool = False
    ) -> Steps[None]:
        """Open the session of a login, or raise the one that is open, if it is the same person's.

        Args:
            login: passed every check.
            session: of the browser that finished it.
            name: of the login's cookie, under which a reloaded page finds where it went on.
            is_step_up: whether somebody who is logged in was asked again.

        Raises:
            VerificationError: ``step_up.other_person``.
            LoginDeclinedError: the app said no.
        """
        current, finished = read_login(session), Finished(((name, login.return_to),) if name else ())
        if not is_step_up or current is None:
            entries: Mapping[str, str] = yield ask(self.on_login, login, session)
            begin_session(session, login, entries, keys=self.keys, finished=finished)
            return
        if not current.is_person_of(login, self.keys):
            raise VerificationError("step_up.other_person")
        more: Mapping[str, str] = {}
        if self.on_step_up is not None:
            more = yield ask(self.on_step_up, login, session)
        raise_session(session, login, more, keys=self.keys, finished=finished)
        StepUpGuard(session).set(login.assurance, now=self.clock())

    def failed(self, error: CyberIDError, request: WebRequest, *, is_step_up: bool = False) -> WebReply:
        """Return the page of an error, and log the reference that stands on it."""
        kind = kind_of(error, request, is_step_up=is_step_up)
        self.note(kind, error)
        is_https = self.client.redirect_uris[0].startswith("https:")
        if error.code == "login.handle_missing" and is_https and not request.is_secure:
            logger.warning("the callback came over http, where browsers send back no cookie of a login")
        return self.site.page(kind, request, reference=error.reference, is_logged_in=is_step_up)

    @staticmethod
    def note(kind: str, error: CyberIDError) -> None:
        """Log which page an error got."""
        logger.warning("page shown: kind=%s code=%s reference=%s", kind, error.code, error.reference)


_OTHER_DEVICE: Final = frozenset({"wallet_code", "wallet_status", "wallet_script", "wallet_finish"})
