"""The record of a pending login: sealed under a key that only the browser's handle gives.

A store learns the hash of a handle and a sealed record, which together are worth nothing.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Final, Never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cyberid_client.errors import LoginRestartError
from cyberid_client.models import Assurance, PendingAppLogin, PendingLogin
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import WireError, decode_base64url, encode_base64url

__all__ = ["APP", "Handle", "seal", "unseal"]

# The kind of an app launch; a record of any other is one of a redirect, until that handshake refuses it.
APP: Final = "app"
SECRET_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAX_HANDLE: Final = 4096

# Made once: json.dumps makes a new one for every call that wants no white space.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Handle:
    """The secret that the browser keeps, and what a store made it carry.

    As text it is 43 characters of base64url, with a dot and more behind it when the store itself keeps
    nothing.
    """

    __slots__ = ("_secret", "carried")

    def __init__(self, secret: bytes, carried: str = "") -> None:
        self._secret = secret
        self.carried = carried

    @classmethod
    def parse(cls, text: str | None) -> Handle:
        """Read a handle out of a cookie.

        Args:
            text: untrusted.

        Raises:
            LoginRestartError: there is none, or it is damaged.
        """
        if not text:
            raise LoginRestartError("login.handle_missing")
        if not isinstance(text, str):
            raise LoginRestartError("login.handle_malformed")
        head, _, carried = text.partition(".")
        try:
            secret = decode_base64url(head) if len(text) <= MAX_HANDLE else b""
        except WireError:
            secret = b""
        if len(secret) != SECRET_BYTES:
            raise LoginRestartError("login.handle_malformed")
        return cls(secret, carried)

    @property
    def key(self) -> str:
        """What the store knows it by: a hash, 64 hex digits."""
        return hashlib.sha256(b"cyberid-pending-key-1" + self._secret).hexdigest()

    @property
    def cipher(self) -> AESGCM:
        """The cipher of this login's record."""
        return AESGCM(hashlib.sha256(b"cyberid-pending-record-1" + self._secret).digest())

    def text(self) -> str:
        """Return what goes into the cookie."""
        head = encode_base64url(self._secret)
        return f"{head}.{self.carried}" if self.carried else head

    def __repr__(self) -> str:
        return "Handle(redacted)"

    def __reduce__(self) -> Never:
        message = "Handle is not written out; its text is"
        raise TypeError(message)


def seal(pending: PendingLogin | PendingAppLogin, handle: Handle, env: FlowEnv) -> bytes:
    """Encrypt a pending login, of whichever handshake, for its handle."""
    members = _app_members(pending) if isinstance(pending, PendingAppLogin) else _redirect_members(pending)
    members |= {
        "kind": pending.kind,
        "issuer": pending.issuer,
        "client_id": pending.client_id,
        "assurance": pending.assurance.value,
        "return_to": pending.return_to,
        "started_at": pending.started_at.timestamp(),
        "expires_at": pending.expires_at.timestamp(),
    }
    nonce = env.token(NONCE_BYTES)
    plain = _encode(members).encode()
    return nonce + handle.cipher.encrypt(nonce, plain, handle.key.encode())


def unseal(record: bytes, handle: Handle) -> PendingLogin | PendingAppLogin:
    """Decrypt what :func:`seal` made; which handshake may finish it is *not* checked.

    Raises:
        LoginRestartError: the record was not made for this handle, or by another version.
    """
    try:
        plain = handle.cipher.decrypt(record[:NONCE_BYTES], record[NONCE_BYTES:], handle.key.encode())
        members = json.loads(plain)
        members["assurance"] = Assurance(members["assurance"])
        for name in ("started_at", "expires_at"):
            members[name] = datetime.fromtimestamp(members[name], UTC)
        return PendingAppLogin(**members) if members["kind"] == APP else PendingLogin(**members)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise LoginRestartError("login.unknown") from None


def _redirect_members(pending: PendingLogin) -> dict[str, object]:
    return {
        "redirect_uri": pending.redirect_uri,
        "state": pending.state,
        "nonce": pending.nonce,
        "code_verifier": pending.code_verifier,
        "max_age": pending.max_age,
        "dpop_key": pending.dpop_key,
        "person": pending.person,
        "person_key": pending.person_key,
    }


def _app_members(pending: PendingAppLogin) -> dict[str, object]:
    return {"app_id": pending.app_id, "biz_seq": pending.biz_seq}
