"""Where the app's places are, which requests come from its own pages, and which page leads where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from cyberid_client.integrations.endpoints import ENDPOINTS
from cyberid_client.integrations.messages import WebReply, WebRequest
from cyberid_client.integrations.pages import Way, page
from cyberid_client.wire.urls import is_local_path, parse_web_url

__all__ = ["RETURN_TO_MAX", "Site"]

# Longer ones would make the login's cookie or the session larger than browsers keep.
RETURN_TO_MAX: Final = 1024

# Of a mount only what stands outside ASCII, or would end a path, is quoted; the rest is judged as it is.
_MOUNT_KEPT: Final = "".join(set(map(chr, range(128))) - set("%?#"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The app as a browser sees it.

    Attributes:
        redirect_uris: of the client; they also say what the app's own origin is.
        prefix: where the endpoints are, below the place where the app is mounted.
        login_page: the app's page with all its ways to log in, if it has one.
        home: where one goes who came from nowhere.
        app_name: stands on the pages.
        devices: on which a wallet may be, ``same`` and ``other``; none without wallets.
    """

    redirect_uris: tuple[str, ...]
    prefix: str
    login_page: str | None
    home: str
    app_name: str
    devices: tuple[str, ...] = ()

    def endpoint(self, request: WebRequest, name: str) -> str:
        """Return the path of an endpoint for a browser."""
        return f"{_root(request)}{self.prefix}{ENDPOINTS[name].path}"

    def home_page(self, request: WebRequest) -> str:
        """Return the path of the home page for a browser."""
        return f"{_root(request)}{self.home}"

    def login_place(self, request: WebRequest) -> str:
        """Return where one logs in: the app's own page, or the one with the button."""
        if self.login_page is None:
            return self.endpoint(request, "login")
        return f"{_root(request)}{self.login_page}"

    def is_own(self, request: WebRequest) -> bool:
        """Tell whether a POST comes from a page of this origin (Fetch Metadata; else RFC 6454 §7).

        The app's own origin is that of the redirect URI, which is configured: no header tells it.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site == "same-origin"
        origins = {url.origin for each in self.redirect_uris if (url := parse_web_url(each))}
        return request.headers.get("origin") in origins

    def here(self, request: WebRequest) -> str:
        """Return where this page is for a browser; the home page for one that cannot be gone back to."""
        query = f"?{request.query}" if request.query else ""
        here = f"{_root(request)}{_quoted(request.path)}{query}" if request.method == "GET" else None
        return self.place(request, here)

    def place(self, request: WebRequest, asked: str | None) -> str:
        """Return a place of this origin: the one that is asked for, or the home page."""
        if asked is not None and len(asked) <= RETURN_TO_MAX and is_local_path(asked):
            return asked
        return self.home_page(request)

    def start_page(self, request: WebRequest, return_to: str) -> WebReply:
        """Return the page with the buttons that start a login, one for each way in."""
        others = self._others(request)
        if not self.devices:
            return self._show("start", request, (self._start(request, "go_on", return_to), *others))
        wallets = (
            Way(
                words=f"wallet_{device}",
                target=self.endpoint(request, "wallet_start"),
                fields={"device": device, "return_to": return_to},
            )
            for device in self.devices
        )
        first = self._start(request, "redirect", return_to)
        return self._show("start_ways", request, (first, *wallets, *others))

    def page(
        self,
        kind: str,
        request: WebRequest,
        *,
        reference: str | None = None,
        is_logged_in: bool = False,
        inside: str = "",
        script: str | None = None,
    ) -> WebReply:
        """Return a page that says why it goes no further, and where one can go.

        Args:
            kind: a key of ``pages.PAGES``.
            request: untrusted.
            reference: of the error.
            is_logged_in: another login would end the session that a failed step-up leaves as it was.
            inside: as for ``pages.page``.
            script: likewise.
        """
        home = Way(words="home", target=self.home_page(request))
        again = self._again(request)
        others = self._others(request)
        ways = {
            "step_up": (home,),
            "foreign_form": (home,),
            "setup": (*others, home),
            "refused": (again, *others, home),
            # The wallet's device is not the one on which the person goes on.
            "code": (),
            "code_over": (),
            "code_declined": (),
        }
        chosen = (home,) if is_logged_in else ways.get(kind, (again, *others))
        return self._show(kind, request, chosen, reference=reference, inside=inside, script=script)

    def _show(
        self,
        kind: str,
        request: WebRequest,
        ways: tuple[Way, ...],
        *,
        reference: str | None = None,
        inside: str = "",
        script: str | None = None,
    ) -> WebReply:
        return page(
            kind,
            accept_language=request.headers.get("accept-language"),
            ways=ways,
            app_name=self.app_name,
            reference=reference,
            inside=inside,
            script=script,
        )

    def _again(self, request: WebRequest) -> Way:
        """Return the way to another login: a choice where there are several ways in, else straight on."""
        if self.devices:
            return Way(words="start_again", target=self.endpoint(request, "login"))
        return self._start(request, "start_again", self.home_page(request))

    def _start(self, request: WebRequest, words: str, return_to: str) -> Way:
        return Way(words=words, target=self.endpoint(request, "login"), fields={"return_to": return_to})

    def _others(self, request: WebRequest) -> tuple[Way, ...]:
        return () if self.login_page is None else (Way(words="other_ways", target=self.login_place(request)),)


def _root(request: WebRequest) -> str:
    """Return the prefix of the mount; one that a proxy got wrong, and that leads away, counts as none."""
    root = quote(request.root, safe=_MOUNT_KEPT, errors="replace")
    return root if is_local_path(f"{root}/") else ""


def _quoted(path: str) -> str:
    """Return a path as it stands in a URL: routers see it decoded (RFC 3986 §3.3)."""
    return quote(path, safe="/:@!$&'()*+,;=~", errors="replace")
