"""What a call that starts a login gives the app, and what a wallet's message gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from cyberid_client.models.qr import draw_qr_svg
from cyberid_client.models.secrets import keep_secret

__all__ = ["AppLaunch", "LoginRequest", "PresentationReply", "PresentationRequest", "PresentationState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """What the app does next: send the browser to ``url`` with ``set_cookie``.

    Attributes:
        url: where the browser goes; holds the client id and a one-time reference, nothing else.
        handle: the secret that the browser keeps; give it back to ``finish_login``.
        cookie_name: the name of this login's own cookie.
        set_cookie: the whole value of the ``Set-Cookie`` header.
    """

    url: str
    handle: str = field(repr=False)
    cookie_name: str
    set_cookie: str = field(repr=False)

    def __post_init__(self) -> None:
        keep_secret(self, "handle", "set_cookie")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLaunch:
    """What the app's backend hands to its own app on the phone, and what it keeps for itself.

    Attributes:
        org_id: the institution, as registered.
        app_id: the app on this platform, as registered.
        biz_seq: 32 random letters and digits, used for one launch only.
        type: 0 when the ID app shows the certificate, 1 when it asks for the password, too.
        handle: ties the answer to the session of the app that began; kept in that session, never sent
            along with the launch, and given back to ``finish_app_login``.
        cookie_name: a name for the cookie that keeps the handle, the same for every launch: an app launches
            one login at a time.
        set_cookie: the whole value of the ``Set-Cookie`` header.
        expires_at: from this moment on the answer is too late.
    """

    org_id: str
    app_id: str
    biz_seq: str = field(repr=False)
    type: Literal[0, 1]
    handle: str = field(repr=False)
    cookie_name: str
    set_cookie: str = field(repr=False)
    expires_at: datetime

    def __post_init__(self) -> None:
        keep_secret(self, "biz_seq", "handle", "set_cookie")

    def to_dict(self) -> dict[str, str | int]:
        """Return what the app on the phone launches the ID app with, by the names of the wire; no handle."""
        return {"orgID": self.org_id, "appID": self.app_id, "bizSeq": str(self.biz_seq), "type": self.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationRequest:
    """What starts the wallet, and what the browser keeps.

    Attributes:
        uri: opens the wallet on the same device; on another device it stands in the QR code.
        handle: the secret that the browser keeps; give it back to ``finish_presentation``.
        status_handle: what a page that waits may ask the status with; ``None`` on the same device, where
            nothing is polled.
        cookie_name: the name of this presentation's own cookie.
        set_cookie: the whole value of the ``Set-Cookie`` header.
        expires_at: from this moment on the answer is too late.
    """

    uri: str = field(repr=False)
    handle: str = field(repr=False)
    status_handle: str | None = field(default=None, repr=False)
    cookie_name: str
    set_cookie: str = field(repr=False)
    expires_at: datetime

    def __post_init__(self) -> None:
        keep_secret(self, "uri", "handle", "status_handle", "set_cookie")

    def qr_svg(self, *, title: str = "QR code") -> str:
        """Return the QR code of :attr:`uri` as an SVG element that a page can hold.

        Args:
            title: said in the place of the picture by a screen reader.

        Raises:
            ConfigurationError: the extra that draws is not installed, or the address is too long to be
                scanned by a phone.
        """
        return draw_qr_svg(self.uri, title=title)


class PresentationState(StrEnum):
    """How far a presentation from another device is.

    ``WAITING`` for the wallet, ``ANSWERED`` by it, so that the six digits can be typed, or ``OVER``: too late,
    used up, declined, or never begun.
    """

    WAITING = "waiting"
    ANSWERED = "answered"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationReply:
    """What the wallet is answered: send it as it is.

    Attributes:
        status: of HTTP.
        headers: of HTTP.
        body: JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
