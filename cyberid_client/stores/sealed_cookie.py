"""Pending logins that the browser itself keeps: sealed, so that it can neither read nor change them."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cyberid_client.config import PENDING_LIFETIME_LIMIT
from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.handshake.cookies import cookie_name, set_cookie
from cyberid_client.handshake.pending import SECRET_BYTES, Handle
from cyberid_client.stores.times import EXPIRY_BYTES, expiry_as_bytes, is_over
from cyberid_client.tracebacks import OwnFramesDropped
from cyberid_client.wire.base64url import decode_base64url, encode_base64url

__all__ = ["SealedCookieStore"]

# RFC 6265 §6.1: a browser keeps a cookie whose name, value and attributes have together 4096 bytes.
COOKIE_BYTES: Final = 4096
_AROUND: Final = set_cookie(
    cookie_name(""), Handle(bytes(SECRET_BYTES), ".").text(), max_age=PENDING_LIFETIME_LIMIT
)
MAX_CARRIED: Final = COOKIE_BYTES - (len(_AROUND) - 1)

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
KEY_BYTES_MIN: Final = 32

_KEY_ID: Final = re.compile(r"[a-z0-9]{1,16}")
_LABEL: Final = b"cyberid-sealed-cookie-1"


class SealedCookieStore:
    """Let the browser carry a redirect login's record; :class:`cyberid_client.ports.PendingStore`.

    Nothing is kept on the server: :meth:`put` seals the record with AES-256-GCM, together with its
    expiry and bound to its key, and the sealed text becomes part of the handle in the login's cookie.
    Every process that has the keys can finish a login that any other started.

    It is **not single use** (``single_use = False``): what nobody keeps, nobody can remove. Until the
    record expires (10 minutes by default), whoever holds both the cookie and the callback can present
    them again. For the redirect handshake the issuer's one-time code then stops it (RFC 6749 §4.1.2):
    the second exchange is refused, ``login.code_refused``. Handshakes without such a code must not use
    this store; :func:`cyberid_client.stores.require_single_use` refuses it for them.

    Args:
        keys: key id to key, newest first: the first one seals, all of them open. An id is 1 to 16
            characters ``[a-z0-9]``, a key at least 32 bytes from a random source. A key should seal at
            most 2**32 logins (NIST SP 800-38D §8.3).

    Raises:
        ConfigurationError: there is no key, or an id or key is unfit.
    """

    __slots__ = ("_ciphers", "_newest")

    single_use: bool = False
    shared: bool = True
    durable: bool = True

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        with OwnFramesDropped():
            if not _is_table_of_keys(keys):
                raise ConfigurationError("config.store_key", "keys")
        # The label keeps a key that the app also uses elsewhere from opening what was made there.
        self._ciphers = {name: AESGCM(hmac.digest(key, _LABEL, hashlib.sha256)) for name, key in keys.items()}
        self._newest = next(iter(keys))

    def __repr__(self) -> str:
        return f"SealedCookieStore({', '.join(self._ciphers)})"

    def __reduce__(self) -> Never:
        message = "SealedCookieStore is not written out"
        raise TypeError(message)

    @property
    def max_record_bytes(self) -> int:
        """How large a record may be, so that its cookie is one that browsers keep."""
        characters = MAX_CARRIED - len(self._newest) - 1
        return characters * 3 // 4 - NONCE_BYTES - EXPIRY_BYTES - TAG_BYTES

    def put(self, key: str, record: bytes, *, expires_at: datetime, now: datetime) -> str:  # noqa: ARG002 - nothing is kept that could have expired
        """Seal ``record`` for the browser.

        Args:
            key: 64 hex digits, the hash of a handle; the record opens for this key only.
            record: opaque and encrypted, at most :attr:`max_record_bytes`.
            expires_at: aware; sealed with the record, which does not open from this moment on.
            now: not looked at.

        Returns:
            The id of the newest key, a dot, and the sealed record in base64url.

        Raises:
            StoreError: the cookie would be larger than browsers keep (``store.record_too_large``).
        """
        if len(record) > self.max_record_bytes:
            raise StoreError("store.record_too_large")
        nonce = secrets.token_bytes(NONCE_BYTES)
        plain = expiry_as_bytes(expires_at) + record
        sealed = nonce + self._ciphers[self._newest].encrypt(nonce, plain, _bytes(key))
        return f"{self._newest}.{encode_base64url(sealed)}"

    def take(self, key: str, *, carried: str, now: datetime) -> bytes | None:
        """Open what the browser brought back; ``None`` for anything but a live record of this key.

        It removes nothing: the same text opens again until it expires.

        Args:
            key: as for :meth:`put`.
            carried: untrusted.
            now: the client's clock.
        """
        name, _, text = carried.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None or len(carried) > MAX_CARRIED:
            return None
        try:
            sealed = decode_base64url(text)
            plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bytes(key))
        except (InvalidTag, ValueError):
            return None
        return None if is_over(plain[:EXPIRY_BYTES], now) else plain[EXPIRY_BYTES:]


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _is_table_of_keys(keys: object) -> bool:
    return (
        isinstance(keys, Mapping)
        and len(keys) > 0
        and all(_is_key_id(name) and _is_key(key) for name, key in keys.items())
    )


def _is_key_id(name: object) -> bool:
    return isinstance(name, str) and _KEY_ID.fullmatch(name) is not None


def _is_key(key: object) -> bool:
    # Text, as it comes out of an environment variable, is no key.
    return isinstance(key, bytes) and len(key) >= KEY_BYTES_MIN
