"""The address that starts a wallet, from a link or a QR code (OpenID4VP 1.0 §5.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from cyberid_client.testing.wallet.refusal import WalletRefusal

__all__ = ["Invitation", "is_safe_url", "read_invitation"]

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_LENGTH_MAX: Final = 4096
# What a URL is made of (RFC 3986 §2). ``urlsplit`` drops line feeds, and a header that they stand in is two.
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What stands in the address; nothing of it is believed.

    Attributes:
        client_id: who is said to ask.
        request_uri: where the signed request is.
        method: how it is fetched.
    """

    client_id: str
    request_uri: str = field(repr=False)
    method: Literal["GET", "POST"]


def read_invitation(uri: str) -> Invitation:
    """Return what stands in an address of any scheme.

    Args:
        uri: untrusted.

    Raises:
        WalletRefusal: ``invitation``: a parameter is missing, stands there twice, or cannot be used.
    """
    try:
        query = urlsplit(uri).query if len(uri) <= _LENGTH_MAX else ""
        pairs = parse_qsl(query, strict_parsing=True, max_num_fields=10)
    except ValueError:
        raise WalletRefusal("invitation") from None
    found = dict(pairs)
    method = found.get("request_uri_method", "get")
    fits = len(found) == len(pairs) and {"client_id", "request_uri"} <= found.keys()
    # A request that stands in the address itself was signed by nobody.
    if not fits or "request" in found or method not in {"get", "post"}:
        raise WalletRefusal("invitation")
    if not is_safe_url(found["request_uri"]):
        raise WalletRefusal("plain_http")
    return Invitation(
        client_id=found["client_id"],
        request_uri=found["request_uri"],
        method="POST" if method == "post" else "GET",
    )


def is_safe_url(url: object) -> bool:
    """Tell whether this is an https URL, or an http one on a literal loopback address."""
    if not isinstance(url, str) or _VISIBLE.fullmatch(url) is None:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
