"""By what a wallet presentation is known, and who may open which part of its record (profile §5).

Three parties come in any order and know different things. All of it comes out of the browser's handle by one-way
steps, each under a label of its own:

- the *request id* stands in the link or the QR code. It finds the record and opens it: what was asked, with which
  key the answer is to be encrypted, and how far it is.
- the *status handle* lets the page that shows the QR code ask how far it is.
- the *handle* alone opens the answer, which is sealed (HPKE, RFC 9180) for a key that comes out of it. Who has the
  store and the QR code learns nothing about the person: the request id is a hash of that key, so that no other
  key gets an answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final, Never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from cyberid_client.errors import LoginRestartError
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import WireError, decode_base64url, encode_base64url

__all__ = [
    "ANSWER_SUITE",
    "SECRET_BYTES",
    "PresentationCode",
    "PresentationHandle",
    "RequestId",
    "answer_info",
    "request_id_of",
]

SECRET_BYTES: Final = 32
REQUEST_ID_BYTES: Final = 16
DIGITS: Final = 6
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_CODE: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})", re.ASCII)
ANSWER_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class RequestId:
    """What the link or the QR code names a presentation by: 128 bits, 22 characters of base64url.

    Args:
        text: of the right shape; see :meth:`parse`.
    """

    __slots__ = ("_raw", "key")

    def __init__(self, text: str) -> None:
        self._raw = text.encode()
        self.key = hashlib.sha256(b"cyberid-presentation-key-1" + self._raw).hexdigest()

    @classmethod
    def parse(cls, text: object) -> RequestId:
        """Read a request id.

        Args:
            text: untrusted.

        Raises:
            LoginRestartError: it is none.
        """
        if not isinstance(text, str) or _REQUEST_ID.fullmatch(text) is None:
            raise LoginRestartError("login.unknown")
        return cls(text)

    @property
    def text(self) -> str:
        """The 22 characters."""
        return self._raw.decode()

    @property
    def cipher(self) -> AESGCM:
        """The cipher of this presentation's record."""
        return AESGCM(hashlib.sha256(b"cyberid-presentation-record-1" + self._raw).digest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RequestId) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return "RequestId(redacted)"


class PresentationCode:
    """A response code or a status handle: a request id, a dot, and a secret of 256 bits.

    Args:
        request_id: of the presentation.
        secret: 43 characters of base64url.
    """

    __slots__ = ("_secret", "request_id")

    def __init__(self, request_id: RequestId, secret: str) -> None:
        self.request_id = request_id
        self._secret = secret.encode()

    @classmethod
    def new(cls, request_id: RequestId, env: FlowEnv) -> PresentationCode:
        """Make a fresh one."""
        return cls(request_id, encode_base64url(env.token(SECRET_BYTES)))

    @classmethod
    def parse(cls, text: object) -> PresentationCode:
        """Read one.

        Args:
            text: untrusted.

        Raises:
            LoginRestartError: it is none.
        """
        match = _CODE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise LoginRestartError("login.unknown")
        return cls(RequestId(match[1]), match[2])

    @property
    def hash(self) -> bytes:
        """What the record keeps in its place."""
        return hashlib.sha256(b"cyberid-presentation-code-1" + self._secret).digest()

    @property
    def digits(self) -> str:
        """The six digits that stand for this code where people type."""
        drawn = hashlib.sha256(b"cyberid-presentation-digits-1" + self._secret).digest()
        return f"{int.from_bytes(drawn, 'big') % 10**DIGITS:0{DIGITS}}"

    def text(self) -> str:
        """Return it as it travels."""
        return f"{self.request_id.text}.{self._secret.decode()}"

    def __repr__(self) -> str:
        return "PresentationCode(redacted)"

    def __reduce__(self) -> Never:
        message = "PresentationCode is not written out; its text is"
        raise TypeError(message)


class PresentationHandle:
    """The secret that the browser keeps; everything else about a presentation comes out of it.

    Args:
        secret: 256 random bits.
    """

    __slots__ = ("_secret", "request_id")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.request_id = request_id_of(self.public_key)

    @classmethod
    def parse(cls, text: object) -> PresentationHandle:
        """Read a handle out of a cookie.

        Args:
            text: untrusted.

        Raises:
            LoginRestartError: there is none, or it is damaged.
        """
        if not text:
            raise LoginRestartError("login.handle_missing")
        try:
            secret = (
                decode_base64url(text) if isinstance(text, str) and len(text) <= SECRET_BYTES * 2 else b""
            )
        except WireError:
            secret = b""
        if len(secret) != SECRET_BYTES:
            raise LoginRestartError("login.handle_malformed")
        return cls(secret)

    @property
    def status(self) -> PresentationCode:
        """What the page that waits may ask the status with."""
        return PresentationCode(self.request_id, encode_base64url(self._derive(b"status")))

    @property
    def public_key(self) -> bytes:
        """The key that the answer is sealed for."""
        return self._private_key.public_key().public_bytes_raw()

    @property
    def _private_key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self._derive(b"answer"))

    def open(self, sealed: bytes) -> bytes:
        """Return the answer that was sealed for this handle.

        Raises:
            LoginRestartError: it was sealed for another one.
        """
        try:
            return ANSWER_SUITE.decrypt(sealed, self._private_key, info=answer_info(self.request_id))
        except InvalidTag:
            raise LoginRestartError("login.unknown") from None

    def text(self) -> str:
        """Return what goes into the cookie."""
        return encode_base64url(self._secret)

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._secret, b"cyberid-presentation-" + purpose + b"-1", hashlib.sha256)

    def __repr__(self) -> str:
        return "PresentationHandle(redacted)"

    def __reduce__(self) -> Never:
        message = "PresentationHandle is not written out; its text is"
        raise TypeError(message)


def request_id_of(answer_key: bytes) -> RequestId:
    """Return the request id, which is bound to the key that the answer is sealed for."""
    drawn = hashlib.sha256(b"cyberid-presentation-request-1" + answer_key).digest()
    return RequestId(encode_base64url(drawn[:REQUEST_ID_BYTES]))


def answer_info(request_id: RequestId) -> bytes:
    """Return what an answer is sealed together with (RFC 9180 §5.1): it opens as the answer of no other request."""
    return b"cyberid-presentation-answer-1" + request_id.key.encode()
