"""The cookie of a login: a name of its own, so that two tabs do not disturb each other (RFC 6265bis)."""

from __future__ import annotations

import hashlib
from typing import Final

from cyberid_client.wire.base64url import encode_base64url

__all__ = ["APP_COOKIE", "clear_cookie", "cookie_name", "set_cookie"]

PREFIX: Final = "__Host-cyberid-"
NAME_BYTES: Final = 16
# An app launches one login at a time, so that the newest takes the place of the one before.
APP_COOKIE: Final = PREFIX + "app"

# Lax: the issuer sends the browser back by a top-level GET, with which a Strict cookie would not come.
_ATTRIBUTES: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"


def cookie_name(state: str) -> str:
    """Return the name of the cookie of the login with this state.

    Args:
        state: maybe untrusted; the name is a hash of it.
    """
    digest = hashlib.sha256(b"cyberid-cookie-1" + state.encode("utf-8", "surrogatepass")).digest()
    return PREFIX + encode_base64url(digest[:NAME_BYTES])


def set_cookie(name: str, handle: str, *, max_age: int) -> str:
    """Return the whole value of the ``Set-Cookie`` header that keeps the handle."""
    return f"{name}={handle}; Max-Age={max_age}; {_ATTRIBUTES}"


def clear_cookie(name: str) -> str:
    """Return the whole value of the ``Set-Cookie`` header that forgets the handle."""
    return f"{name}=; Max-Age=0; {_ATTRIBUTES}"
