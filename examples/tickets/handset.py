"""A scripted app on a phone: the program that ``static/phone.js`` plays in a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from cyberid_client.testing import MockIssuer, Phone

from .login import PREFIX
from .mock import PACKAGE
from .phone import PLATFORM

SECONDS = 20


class Handset:
    """The office's app on somebody's phone; it keeps its own cookies.

    Args:
        url: of the office.
        issuer: whose ID app is on the phone.
    """

    def __init__(self, url: str, issuer: MockIssuer) -> None:
        self._address = urlsplit(url).netloc
        self._phone = Phone(issuer)
        self._cookies: dict[str, str] = {}

    def start(self, *, return_to: str = "/tickets") -> dict[str, object]:
        """Ask the office for a launch."""
        _, launch = self.post(f"{PREFIX}/app/start", {"platform": PLATFORM, "return_to": return_to})
        return launch

    def log_in(self, person: str = "adult", *, outcome: str | None = None) -> tuple[int, dict[str, object]]:
        """Log somebody in with the ID app, and return what the office answers."""
        result = self._phone.launch(self.start(), package=PACKAGE, person=person, outcome=outcome)
        return self.finish(result)

    def finish(self, result: Mapping[str, object]) -> tuple[int, dict[str, object]]:
        """Give the office what the ID app answered."""
        return self.post(f"{PREFIX}/app/finish", result)

    def post(self, path: str, body: Mapping[str, object]) -> tuple[int, dict[str, object]]:
        """Send JSON, and return status and JSON."""
        status, answer = self._send("POST", path, json.dumps(body).encode(), "application/json")
        return status, json.loads(answer)

    def open(self, path: str) -> tuple[int, str]:
        """Open a page."""
        status, answer = self._send("GET", path, b"", None)
        return status, answer.decode()

    def _send(self, method: str, path: str, body: bytes, kind: str | None) -> tuple[int, bytes]:
        headers = {"Accept": "application/json"} if kind else {}
        if kind is not None:
            headers["Content-Type"] = kind
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        with closing(HTTPConnection(self._address, timeout=SECONDS)) as line:
            line.request(method, path, body=body or None, headers=headers)
            answer = line.getresponse()
            self._remember(answer)
            return answer.status, answer.read()

    def _remember(self, answer: HTTPResponse) -> None:
        for header in answer.headers.get_all("set-cookie") or ():
            for name, cookie in SimpleCookie(header).items():
                self._cookies[name] = cookie.value
                if not cookie.value:
                    del self._cookies[name]
