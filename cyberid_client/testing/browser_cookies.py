"""The cookie jar of the scripted browser: what a current browser would keep and what it would send.

It follows RFC 6265bis, and on loopback it does as Chromium and Firefox do: plain http to
``127.0.0.0/8``, ``[::1]`` and ``localhost`` counts as trustworthy, so that ``Secure`` cookies are kept
and sent there. Where browsers differ the stricter reading is taken: a cookie without ``SameSite`` is
``Lax`` without a grace period, and one cross-site URL makes a whole chain of redirects cross-site.
There is no list of public suffixes: the site of a host is the last two labels of its name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

__all__ = ["Cookie", "CookieJar", "is_same_site", "is_trustworthy"]

SameSite = Literal["Strict", "Lax", "None"]

_MAX_PAIR_BYTES: Final = 4096
_MAX_ATTRIBUTE_BYTES: Final = 1024
_MAX_AGE: Final = timedelta(days=400)
_SITE_LABELS: Final = 2
_UNFIT: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")  # HTTP headers are Latin-1
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_SAME_SITE: Final[dict[str, SameSite]] = {"strict": "Strict", "lax": "Lax", "none": "None"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie as the jar keeps it.

    Attributes:
        name: as the server wrote it.
        value: as the server wrote it; a secret more often than not.
        host: the host that set it, or the one that its ``Domain`` names.
        host_only: whether it goes back to exactly ``host`` and to no host below it.
        path: it goes back to this path and to those below it.
        secure: it goes back over trustworthy connections only.
        http_only: no script of the page may read it.
        same_site: ``Strict``, ``Lax`` or ``None``.
        expires_at: aware, or ``None`` for the life of the browser.
    """

    name: str
    value: str = field(repr=False)
    host: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: SameSite
    expires_at: datetime | None

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a cookie the same cookie: name, host and path. The port is no part of it."""
        return self.name, self.host, self.path


class CookieJar:
    """Keep cookies and choose those that go with a request."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def store(self, url: str, set_cookie: str, *, now: datetime) -> Cookie | None:
        """Take one ``Set-Cookie`` header, or refuse it as a browser would.

        Args:
            url: the absolute URL whose response carried the header.
            set_cookie: the whole value of the header; untrusted.
            now: aware.

        Returns:
            The cookie as it is kept now, or ``None`` when it was refused or removed something.
        """
        cookie = _parse_set_cookie(url, set_cookie, now=now)
        if cookie is None or self._hides_secure_cookie(url, cookie):
            return None
        if cookie.expires_at is not None and cookie.expires_at <= now:
            self._cookies.pop(cookie.key, None)
            return None
        self._cookies[cookie.key] = cookie  # A dict keeps the place of a key that is set anew.
        return cookie

    def select(
        self,
        url: str,
        *,
        now: datetime,
        method: str = "GET",
        same_site: bool = True,
    ) -> tuple[Cookie, ...]:
        """Return the cookies that go with a top-level navigation, in the order of sending.

        Args:
            url: where the request goes.
            now: aware; what has expired is not sent.
            method: with another method than ``GET`` a cross-site navigation carries no ``Lax`` cookie.
            same_site: whether the page that caused the navigation is of the same site.

        Returns:
            Longest path first, and among equal paths the one that was first set first (RFC 6265bis).
        """
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path or "/"
        chosen = [
            cookie
            for cookie in self._cookies.values()
            if (host == cookie.host if cookie.host_only else _is_within(host, cookie.host))
            and _path_matches(path, cookie.path)
            and (not cookie.secure or is_trustworthy(url))
            and (cookie.expires_at is None or now < cookie.expires_at)
            and _goes_across(cookie, method=method, same_site=same_site)
        ]
        return tuple(sorted(chosen, key=lambda cookie: -len(cookie.path)))

    def clear(self) -> None:
        """Forget all cookies."""
        self._cookies.clear()

    def __iter__(self) -> Iterator[Cookie]:
        return iter(tuple(self._cookies.values()))

    def _hides_secure_cookie(self, url: str, cookie: Cookie) -> bool:
        """Tell whether an insecure page tries to overwrite or shadow a ``Secure`` cookie."""
        return not is_trustworthy(url) and any(
            kept.secure
            and kept.name == cookie.name
            and (_is_within(kept.host, cookie.host) or _is_within(cookie.host, kept.host))
            and _path_matches(cookie.path, kept.path)
            for kept in self._cookies.values()
        )


def is_trustworthy(url: str) -> bool:
    """Tell whether browsers treat the origin as secure: https anywhere, http on loopback."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return True
    address = _address(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_same_site(one: str, other: str) -> bool:
    """Tell whether two URLs are of one site: same scheme and same registrable name, whatever the port."""
    return _site(one) == _site(other)


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _address(host) is not None:
        return parts.scheme, host
    return parts.scheme, ".".join(host.split(".")[-_SITE_LABELS:])


def _goes_across(cookie: Cookie, *, method: str, same_site: bool) -> bool:
    if same_site or cookie.same_site == "None":
        return True
    return cookie.same_site == "Lax" and method in _SAFE_METHODS


def _parse_set_cookie(url: str, header: str, *, now: datetime) -> Cookie | None:
    if _UNFIT.search(header):
        return None
    pair, *rest = header.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(" \t"), value.strip(" \t")
    if (not name and not value) or len(name + value) > _MAX_PAIR_BYTES:
        return None
    attributes = _parse_attributes(rest)
    parts = urlsplit(url)
    host = parts.hostname or ""
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if domain and domain != host and not _may_set_domain(host, domain):
        return None
    path = attributes.get("path", "")
    cookie = Cookie(
        name=name,
        value=value,
        host=domain or host,
        host_only=not domain or _address(host) is not None,
        path=path if path.startswith("/") else _default_path(parts.path),
        secure="secure" in attributes,
        http_only="httponly" in attributes,
        same_site=_SAME_SITE.get(attributes.get("samesite", "").lower(), "Lax"),
        expires_at=_expires_at(attributes, now=now),
    )
    return cookie if _is_acceptable(cookie, attributes, url=url) else None


def _parse_attributes(parts: list[str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if len(value) <= _MAX_ATTRIBUTE_BYTES:
            attributes[name.strip(" \t").lower()] = value.strip(" \t")
    return attributes


def _is_acceptable(cookie: Cookie, attributes: dict[str, str], *, url: str) -> bool:
    """Apply what ties a cookie to secure origins: Secure, SameSite=None and the two prefixes."""
    if cookie.secure and not is_trustworthy(url):
        return False
    if cookie.same_site == "None" and not cookie.secure:
        return False
    # Servers look prefixes up without regard to case, so browsers judge them so; and a cookie without
    # a name must not look like one that has a prefix when it is sent.
    shown = (cookie.name or cookie.value).lower()
    if shown.startswith(("__secure-", "__host-")) and not (cookie.secure and cookie.name):
        return False
    return not shown.startswith("__host-") or ("domain" not in attributes and attributes.get("path") == "/")


def _expires_at(attributes: dict[str, str], *, now: datetime) -> datetime | None:
    """Read Max-Age, or Expires when there is no Max-Age that can be read; at most 400 days ahead."""
    max_age = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", max_age):
        seconds = min(int(max_age[:12]), int(_MAX_AGE.total_seconds()))
        return now + timedelta(seconds=max(seconds, 0))
    try:
        moment = parsedate_to_datetime(attributes["expires"].replace("-", " "))
    except (KeyError, ValueError, OverflowError):
        return None
    return min(moment if moment.tzinfo else moment.replace(tzinfo=UTC), now + _MAX_AGE)


def _default_path(path: str) -> str:
    return path.rpartition("/")[0] or "/" if path.startswith("/") else "/"


def _path_matches(path: str, cookie_path: str) -> bool:
    if path == cookie_path:
        return True
    return path.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")


def _may_set_domain(host: str, domain: str) -> bool:
    return _address(host) is None and "." in domain and _is_within(host, domain)


def _is_within(host: str, domain: str) -> bool:
    return host == domain or (host.endswith("." + domain) and _address(host) is None)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
