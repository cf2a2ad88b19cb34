"""The one record of a wallet presentation, and who may open which part of it (profile §5).

Three parties come in any order and know different things. All of it comes out of the browser's handle by one-way
steps, each under a label of its own:

- the *request id* stands in the link or the QR code. It finds the record and opens it: what was asked, with which
  key the answer is to be encrypted, and how far it is.
- the *status handle* lets the page that shows the QR code ask how far it is.
- the *handle* alone opens the answer, which is sealed (HPKE, RFC 9180) for a key that comes out of it. Who has the
  store and the QR code learns nothing about the person: the request id is a hash of that key, so that no other
  key gets an answer.

The record goes from ``WAITING`` to one of the other stages, once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, Literal, Never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from cyberid_client.errors import LoginRestartError
from cyberid_client.models import Assurance, PresentationState
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.base64url import WireError, decode_base64url, encode_base64url
from cyberid_client.wire.urls import is_local_path

__all__ = [
    "PresentationCode",
    "PresentationHandle",
    "PresentationRecord",
    "RequestId",
    "Stage",
    "read_state",
]

SECRET_BYTES: Final = 32
REQUEST_ID_BYTES: Final = 16
CIPHER_NONCE_BYTES: Final = 12
DIGITS: Final = 6
VERSION: Final = 1

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_CODE: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})", re.ASCII)
_NOTHING: Final = bytes(SECRET_BYTES)
# Version, stage, whether it is another device, wrong answers, tries with digits, two times, two hashes, and then
# what the answer is made for: all that is asked for often, at fixed places.
_HEAD: Final = struct.Struct(">BBBBBdd32s32s")
_SECRETS: Final = struct.Struct(">32s32s32sH")
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
# Made once: json.dumps makes a new one for every call that wants no white space.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Stage(IntEnum):
    """How far a presentation is: one number in the record."""

    WAITING = 0
    ANSWERED = 1
    DECLINED = 2
    SPENT = 3


_STATES: Final = {Stage.WAITING: PresentationState.WAITING, Stage.ANSWERED: PresentationState.ANSWERED}


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
        self.request_id = _id_of(self.public_key)

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
            return _SUITE.decrypt(sealed, self._private_key, info=_info(self.request_id))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationRecord:
    """What is kept of a presentation from its start to its finish.

    Attributes:
        stage: how far it is.
        device: where the wallet is, seen from the browser.
        misses: how many answers did not decrypt.
        tries: how many times digits were typed.
        started_at: when it was asked for, aware UTC.
        expires_at: from this moment on it is too late for everything.
        status_hash: of the status handle.
        code_hash: of the response code; nothing while it waits.
        answer_key: for which the answer is sealed.
        decryption_key: the private number of the key that the wallet encrypts for; gone when it was used.
        nonce: of the request; likewise.
        issuer: whose credential was asked for.
        sector: for which.
        client_id: the OpenID4VP client id that the request was made with.
        format: the name of the credential format.
        assurance: the mode that was asked for.
        age_band: whether it was asked for.
        return_to: a path of this origin.
        answer: sealed for the handle; empty while it waits.
    """

    stage: Stage = Stage.WAITING
    device: Literal["same", "other"]
    misses: int = 0
    tries: int = 0
    started_at: datetime
    expires_at: datetime
    status_hash: bytes = field(repr=False)
    code_hash: bytes = field(default=_NOTHING, repr=False)
    answer_key: bytes = field(repr=False)
    decryption_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    issuer: str
    sector: str
    client_id: str
    format: str
    assurance: Assurance
    age_band: bool
    return_to: str = field(repr=False)
    answer: bytes = field(default=b"", repr=False)

    def answered(self, answer: bytes, code: PresentationCode) -> PresentationRecord:
        """Return the record with what the wallet proved, for the handle's eyes only.

        Args:
            answer: is sealed here.
            code: brings the browser back, or gives the digits.

        Raises:
            LoginRestartError: the key for which it is to be sealed is not that of this presentation.
        """
        if _id_of(self.answer_key) != code.request_id:
            # Whoever has store and link could put a key of his own there, and read who answered.
            raise LoginRestartError("login.unknown")
        public_key = X25519PublicKey.from_public_bytes(self.answer_key)
        sealed = _SUITE.encrypt(answer, public_key, info=_info(code.request_id))
        return self._over(Stage.ANSWERED, code_hash=code.hash, answer=sealed)

    def declined(self, code: PresentationCode) -> PresentationRecord:
        """Return the record of a presentation to which the wallet said no."""
        return self._over(Stage.DECLINED, code_hash=code.hash)

    def spent(self) -> PresentationRecord:
        """Return the record of a presentation that nothing will come of."""
        return self._over(Stage.SPENT)

    def _over(self, stage: Stage, *, code_hash: bytes = _NOTHING, answer: bytes = b"") -> PresentationRecord:
        # Nonce and key have served.
        return replace(
            self, stage=stage, code_hash=code_hash, answer=answer, decryption_key=_NOTHING, nonce=_NOTHING
        )

    def seal(self, request_id: RequestId, env: FlowEnv) -> bytes:
        """Encrypt the record for its request id."""
        texts = _encode(
            [
                self.issuer,
                self.sector,
                self.client_id,
                self.format,
                self.assurance.name,
                self.age_band,
                self.return_to,
            ]
        ).encode()
        plain = b"".join(
            (
                _HEAD.pack(
                    VERSION,
                    self.stage,
                    self.device == "other",
                    self.misses,
                    self.tries,
                    self.started_at.timestamp(),
                    self.expires_at.timestamp(),
                    self.status_hash,
                    self.code_hash,
                ),
                _SECRETS.pack(self.answer_key, self.decryption_key, self.nonce, len(texts)),
                texts,
                self.answer,
            )
        )
        nonce = env.token(CIPHER_NONCE_BYTES)
        return nonce + request_id.cipher.encrypt(nonce, plain, request_id.key.encode())

    @classmethod
    def unseal(cls, record: bytes, request_id: RequestId) -> PresentationRecord:
        """Decrypt what :meth:`seal` made.

        Raises:
            LoginRestartError: the record was not made for this request id, or by another version.
        """
        try:
            return cls._read(_open(record, request_id))
        except (ValueError, KeyError, TypeError, struct.error, OverflowError):
            raise LoginRestartError("login.unknown") from None

    @classmethod
    def _read(cls, plain: bytes) -> PresentationRecord:
        _, stage, is_other, misses, tries, started_at, expires_at, status_hash, code_hash = _HEAD.unpack_from(
            plain
        )
        answer_key, decryption_key, nonce, length = _SECRETS.unpack_from(plain, _HEAD.size)
        start = _HEAD.size + _SECRETS.size
        issuer, sector, client_id, name, assurance, age_band, return_to = json.loads(
            plain[start : start + length]
        )
        if not is_local_path(return_to):
            # Whoever has store and link could send people elsewhere after the login.
            raise ValueError
        return cls(
            stage=Stage(stage),
            device="other" if is_other else "same",
            misses=misses,
            tries=tries,
            started_at=datetime.fromtimestamp(started_at, UTC),
            expires_at=datetime.fromtimestamp(expires_at, UTC),
            status_hash=status_hash,
            code_hash=code_hash,
            answer_key=answer_key,
            decryption_key=decryption_key,
            nonce=nonce,
            issuer=issuer,
            sector=sector,
            client_id=client_id,
            format=name,
            assurance=Assurance[assurance],
            age_band=age_band,
            return_to=return_to,
            answer=plain[start + length :],
        )


def read_state(record: bytes, code: PresentationCode, now: datetime) -> PresentationState:
    """Say how far a presentation from another device is; of the record only the head is read.

    Args:
        record: sealed.
        code: the status handle, untrusted but for its shape.
        now: aware.
    """
    try:
        _, stage, is_other, _, _, _, expires_at, status_hash, _ = _HEAD.unpack_from(
            _open(record, code.request_id)
        )
    except (LoginRestartError, struct.error):
        return PresentationState.OVER
    if not is_other or now.timestamp() >= expires_at or not hmac.compare_digest(status_hash, code.hash):
        return PresentationState.OVER
    return _STATES.get(stage, PresentationState.OVER)


def _open(record: bytes, request_id: RequestId) -> bytes:
    try:
        plain = request_id.cipher.decrypt(
            record[:CIPHER_NONCE_BYTES], record[CIPHER_NONCE_BYTES:], request_id.key.encode()
        )
    except (InvalidTag, ValueError, TypeError):
        plain = b""
    if plain[:1] != bytes([VERSION]):
        raise LoginRestartError("login.unknown")
    return plain


def _id_of(answer_key: bytes) -> RequestId:
    """Return the request id, which is bound to the key that the answer is sealed for."""
    drawn = hashlib.sha256(b"cyberid-presentation-request-1" + answer_key).digest()
    return RequestId(encode_base64url(drawn[:REQUEST_ID_BYTES]))


def _info(request_id: RequestId) -> bytes:
    return b"cyberid-presentation-answer-1" + request_id.key.encode()
