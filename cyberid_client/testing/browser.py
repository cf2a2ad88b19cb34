"""A small scripted browser for tests of a login: real HTTP, its own cookie jar, forms and links.

Ordinary HTTP clients never send ``__Host-`` cookies to a test server on ``http://127.0.0.1``, and know
nothing of ``SameSite``: with them a login test passes or fails for reasons that no browser has. This
one treats loopback as Chromium and Firefox do, see :mod:`cyberid_client.testing.browser_cookies`.
It runs no scripts, loads no images and keeps no cache. A page is a frozen value: two pages of one
``Browser`` are two tabs, two ``Browser`` objects are two browsers.

Example::

    browser = Browser()
    page = browser.open("http://127.0.0.1:8000/")
    page = browser.click(page, "Log in")
    page = browser.submit(page, {"name": "made-up"}, button="Continue")
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

from cyberid_client.errors import ConfigurationError
from cyberid_client.testing.browser_cookies import Cookie, CookieJar, is_same_site
from cyberid_client.testing.browser_html import read_page
from cyberid_client.testing.browser_http import Answer, check_url, exchange, resolve
from cyberid_client.testing.browser_pages import FieldValue, Form, Page

__all__ = ["Browser", "Hop"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One request that the browser made; ``str()`` shows it without its query.

    Attributes:
        method: ``GET`` or ``POST``.
        url: absolute; its query may hold codes and states.
        status: the HTTP status of the answer.
        set_cookies: names of the cookies in the answer, in its order, kept or not.
        sent_cookies: names of the cookies that went along.
    """

    method: str
    url: str = field(repr=False)
    status: int
    set_cookies: tuple[str, ...] = ()
    sent_cookies: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.url.partition('?')[0]} → {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Navigation:
    """A request to make: where to, with what, and which page caused it."""

    method: str
    url: str
    body: bytes = b""
    initiator: str | None = None
    same_site: bool = True


class Browser:
    """Open pages, click, fill in forms; keep cookies as a browser does.

    Args:
        max_redirects: a navigation that needs more is an error.
        max_bytes: a response may be at most this long.
        timeout: seconds for a whole navigation, redirects included.
        clock: what time it is for cookies; the system's by default.
    """

    def __init__(
        self,
        *,
        max_redirects: int = 10,
        max_bytes: int = 1024 * 1024,
        timeout: float = 10.0,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._max_redirects = max_redirects
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._clock = clock or _utc_now
        self._history: list[Hop] = []
        self.jar = CookieJar()

    @property
    def history(self) -> tuple[Hop, ...]:
        """Every request so far, oldest first, redirects included."""
        return tuple(self._history)

    def cookies(self, url: str) -> tuple[Cookie, ...]:
        """Return the cookies that a navigation within the site would send to ``url``, in their order."""
        return self.jar.select(url, now=self._clock())

    def open(self, url: str, *, initiator: str | None = None) -> Page:
        """Navigate to a URL.

        Args:
            url: absolute, http or https.
            initiator: the URL of the page that caused it; ``None`` when a person typed it in.

        Returns:
            The page at the end of the redirects, whatever its status.

        Raises:
            ConfigurationError: the URL is not one to open, or there were too many redirects.
            TransportError: no complete answer within time and size.
        """
        return self._navigate(_Navigation(method="GET", url=url, initiator=initiator))

    def click(self, page: Page, text: str) -> Page:
        """Follow the link, or press the button, that a person reads as ``text``.

        Raises:
            ConfigurationError: the page has no such link or button; otherwise as for :meth:`open`.
            TransportError: as for :meth:`open`.
        """
        for link in page.links:
            if link.text == text:
                return self.open(link.url, initiator=page.url)
        for form in page.forms:
            if form.find_button(text) is not None:
                return self._send_form(page, form, {}, text)
        raise ConfigurationError("testing.no_button")

    def submit(
        self,
        page: Page,
        fields: Mapping[str, FieldValue] | None = None,
        *,
        form: int | str = 0,
        button: str | None = None,
    ) -> Page:
        """Fill in a form and send it.

        Args:
            page: where the form stands.
            fields: as for :meth:`Form.fill`; what is not named stays as the page has it.
            form: its place on the page or its ``id``.
            button: words, name or value of the button to press; the first one by default.

        Raises:
            ConfigurationError: there is no such form, field or button; otherwise as for :meth:`open`.
            TransportError: as for :meth:`open`.
        """
        return self._send_form(page, page.form(form), fields or {}, button)

    def _send_form(
        self, page: Page, form: Form, fields: Mapping[str, FieldValue], button: str | None
    ) -> Page:
        query, target = urlencode(form.fill(fields, button=button)), form.target(button=button)
        if form.method == "GET":
            target = f"{target.partition('?')[0]}?{query}"
            return self._navigate(_Navigation(method="GET", url=target, initiator=page.url))
        request = _Navigation(method="POST", url=target, body=query.encode(), initiator=page.url)
        return self._navigate(request)

    def _navigate(self, request: _Navigation) -> Page:
        deadline = time.monotonic() + self._timeout
        if request.initiator is not None:
            check_url(request.initiator)
        for _ in range(self._max_redirects + 1):
            check_url(request.url)
            same_site = request.initiator is None or is_same_site(request.initiator, request.url)
            request = replace(request, same_site=request.same_site and same_site)
            answer = self._send(request, deadline=deadline)
            target = next(iter(answer.all("location")), None)
            if answer.status not in _REDIRECTS or target is None:
                return read_page(
                    url=request.url, status=answer.status, headers=answer.joined(), body=answer.body
                )
            request = _follow(request, answer.status, target)
        raise ConfigurationError("testing.redirects")

    def _send(self, request: _Navigation, *, deadline: float) -> Answer:
        now = self._clock()
        sent = self.jar.select(request.url, now=now, method=request.method, same_site=request.same_site)
        answer = exchange(
            method=request.method,
            url=request.url,
            form=request.body,
            headers=_headers(request, sent),
            deadline=deadline,
            max_bytes=self._max_bytes,
        )
        set_cookies = answer.all("set-cookie")
        for header in set_cookies:
            self.jar.store(request.url, header, now=now)
        self._history.append(
            Hop(
                method=request.method,
                url=request.url,
                status=answer.status,
                set_cookies=tuple(header.partition("=")[0].strip() for header in set_cookies),
                sent_cookies=tuple(one.name for one in sent),
            )
        )
        return answer


def _headers(request: _Navigation, cookies: tuple[Cookie, ...]) -> dict[str, str]:
    headers = {"Accept": "text/html", "User-Agent": "cyberid-scripted-browser"}
    if cookies:
        headers["Cookie"] = "; ".join(f"{one.name}={one.value}" if one.name else one.value for one in cookies)
    if request.method == "POST":
        headers["Origin"] = _origin(request.initiator)
    return headers


def _origin(url: str | None) -> str:
    """Return what the Origin header says; "null" where browsers hide it (Fetch standard)."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else "null"


def _follow(request: _Navigation, status: int, location: str) -> _Navigation:
    """Return the next request: 307 and 308 repeat it, all others become a GET (Fetch standard)."""
    target = resolve(request.url, location)
    if status in _KEEP_METHOD:
        return replace(request, url=target)
    return replace(request, url=target, method="GET", body=b"")


def _utc_now() -> datetime:
    return datetime.now(UTC)
