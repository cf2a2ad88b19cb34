"""The one record of a wallet presentation (profile §5): sealed for its request id, with an answer sealed once more.

It goes from ``WAITING`` to one of the other stages, once.
"""

from __future__ import annotations

import hmac
import json
import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from cyberid_client.errors import LoginRestartError
from cyberid_client.handshake.presentation_ids import (
    ANSWER_SUITE,
    SECRET_BYTES,
    PresentationCode,
    RequestId,
    answer_info,
    request_id_of,
)
from cyberid_client.models import Assurance, PresentationState
from cyberid_client.ports import FlowEnv
from cyberid_client.wire.urls import is_local_path

__all__ = ["PresentationRecord", "Stage", "read_state"]

CIPHER_NONCE_BYTES: Final = 12
VERSION: Final = 1
_NOTHING: Final = bytes(SECRET_BYTES)
# Version, stage, whether it is another device, wrong answers, tries with digits, two times, two hashes, and then
# what the answer is made for: all that is asked for often, at fixed places.
_HEAD: Final = struct.Struct(">BBBBBdd32s32s")
_SECRETS: Final = struct.Struct(">32s32s32sH")
# Made once: json.dumps makes a new one for every call that wants no white space.
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Stage(IntEnum):
    """How far a presentation is: one number in the record."""

    WAITING = 0
    ANSWERED = 1
    DECLINED = 2
    SPENT = 3


_STATES: Final = {Stage.WAITING: PresentationState.WAITING, Stage.ANSWERED: PresentationState.ANSWERED}


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
        if request_id_of(self.answer_key) != code.request_id:
            # Whoever has store and link could put a key of his own there, and read who answered.
            raise LoginRestartError("login.unknown")
        public_key = X25519PublicKey.from_public_bytes(self.answer_key)
        sealed = ANSWER_SUITE.encrypt(answer, public_key, info=answer_info(code.request_id))
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
