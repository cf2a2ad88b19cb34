"""Judge what a wallet answered, keep what it proved for the browser's eyes only, and make the login of it.

An answer goes through three doors, and what fails at the first costs nobody the login:

(1) It is encrypted for the key of this one request. Whatever is not counts as a miss.
(2) What is inside answers the request: state, exactly the credential that was asked for.
(3) The credential's format believes it, and it is what the query asked for.

What passed the first and fails at the others was made for this request and is wrong: it uses the request up.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from cyberid_client.config import RelyingParty
from cyberid_client.errors import (
    LoginDeclinedError,
    LoginRestartError,
    SignatureError,
    VerificationError,
)
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import Check, run_checks
from cyberid_client.handshake.encryption import decrypt_agreed
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.formats import FORMATS, CredentialFormat, KnownAhead, VerifiedPresentation
from cyberid_client.handshake.presentation_ids import PresentationCode, PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.handshake.presentation_request import (
    KEY_ENCRYPTION,
    credential_id,
    format_named,
    private_key_of,
    wallet_of,
)
from cyberid_client.handshake.presentation_subjects import (
    PresentationEnvelopeSubject,
    PresentationResponseSubject,
    ProvedAnswerSubject,
    RequestKey,
)
from cyberid_client.handshake.signing import sign_message
from cyberid_client.models import AgeBand, Assurance, Channel, Evidence, Login, Persistence, Pseudonym
from cyberid_client.trust import verify_signature
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.jwe import UnverifiedJWE
from cyberid_client.wire.presentation import UnverifiedPresentation, parse_presentation

__all__ = [
    "ProvedAnswer",
    "believe_response",
    "login_of",
    "open_answer",
    "open_response",
    "pack_answer",
    "require_code",
    "require_digits",
]

# What is signed is nothing that any other document of ours could be taken for.
_LABEL: Final = b"cyberid-presentation-answer-1\x00"
_LENGTH_BYTES: Final = 2
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedAnswer:
    """What is kept between a wallet's answer and the browser's return.

    Attributes:
        verified: what the presentation proves.
        received_at: when it came, aware UTC.
        digits: that the person types; ``None`` on the same device.
        code_hash: of the response code: who changes the one in the record brings nobody back.
    """

    verified: VerifiedPresentation
    received_at: datetime
    digits: str | None = field(repr=False)
    code_hash: bytes = field(default=b"", repr=False)


def open_response(
    jwe: UnverifiedJWE,
    record: PresentationRecord,
    request_id: RequestId,
    *,
    checklists: Checklists = COMPLETE,
) -> bytes:
    """Return what is inside an answer that was encrypted for this very request.

    Args:
        jwe: untrusted.
        record: of the presentation that its key id names, which waits.
        request_id: of the same.
        checklists: what must hold.

    Raises:
        VerificationError: it was not; ``presentation.decryption`` whatever the reason.
        LoginRestartError: the request has no key any more.
    """
    key = RequestKey(private_key=private_key_of(record), algorithm=KEY_ENCRYPTION)
    run_checks(checklists.presentation_envelope, PresentationEnvelopeSubject(jwe=jwe, key=key))
    content = decrypt_agreed(jwe, key.private_key) if jwe.kid == request_id.text else None
    if content is None:
        raise VerificationError("presentation.decryption")
    return content


def believe_response(  # noqa: PLR0913 - all that an answer is judged with
    payload: bytes,
    record: PresentationRecord,
    request_id: RequestId,
    *,
    rp: RelyingParty,
    known: KnownAhead,
    epoch_length: int,
    now: datetime,
    checklists: Checklists = COMPLETE,
    formats: Mapping[str, CredentialFormat] = FORMATS,
) -> VerifiedPresentation | None:
    """Believe what was inside an encrypted answer; ``None`` when the wallet says no.

    Args:
        payload: untrusted.
        record: of the presentation.
        request_id: of the same.
        rp: who asked.
        known: what credentials are judged with; nothing is fetched.
        epoch_length: seconds, from the issuer's metadata.
        now: aware.
        checklists: what must hold.
        formats: that there are.

    Raises:
        VerificationError: it is not to be believed.
    """
    response = parse_presentation(payload)
    if response.error is not None:
        return None
    name = credential_id(record.format)
    subject = PresentationResponseSubject(response=response, state=request_id.text, credential_id=name)
    run_checks(checklists.presentation_response, subject)
    credential_format = format_named(record.format, formats)
    presentation = _only(response, name)
    if len(presentation) > credential_format.max_bytes:
        raise VerificationError("presentation.too_large")
    verified = credential_format.verify(
        presentation,
        expected=rp.expect_presentation(
            nonce=encode_base64url(record.nonce),
            audience=record.client_id,
            assurance=record.assurance,
            age_band=record.age_band,
            epoch_length=epoch_length,
        ),
        known=known,
        now=now,
        checklists=checklists,
    )
    proved = ProvedAnswerSubject(assurance=verified.assurance, age_band=verified.age_band, record=record)
    run_checks(checklists.presentation_query, proved)
    evidence = verified.evidence
    numbers = (*_numbers(checklists), *evidence.checks)
    return replace(verified, evidence=replace(evidence, checks=numbers))


def _numbers(checklists: Checklists) -> tuple[str, ...]:
    """Return the numbers of the checks around the credential."""
    around: tuple[Check[Any], ...] = (
        *checklists.pending_presentation,
        *checklists.presentation_envelope,
        *checklists.presentation_response,
        *checklists.presentation_query,
    )
    return tuple(each.number for each in around)


def _only(response: UnverifiedPresentation, name: str) -> str:
    return (response.presentations or {})[name][0]


def pack_answer(answer: ProvedAnswer, request_id: RequestId, *, rp: RelyingParty) -> Flow[bytes]:
    """Write an answer down, signed: who can write into the store makes no logins.

    Args:
        answer: that was proved.
        request_id: for which.
        rp: whose key signs: the one that wallets know.

    Raises:
        UnavailableError: the signer that holds the key failed.
    """
    verified, evidence = answer.verified, answer.verified.evidence
    ends = evidence.chain_expires_at
    members = [
        request_id.text,
        verified.pseudonym,
        verified.assurance.name,
        verified.persistence.value,
        None if verified.age_band is None else verified.age_band.value,
        answer.received_at.timestamp(),
        answer.digits,
        answer.code_hash.hex(),
        evidence.checks,
        evidence.algorithm,
        evidence.signer_sha256,
        evidence.anchor_sha256,
        None if ends is None else ends.timestamp(),
        evidence.trust_fingerprint,
        evidence.verified_at.timestamp(),
    ]
    plain = _encode(members).encode()
    _, identity = wallet_of(rp)
    signature = yield from sign_message(_LABEL + plain, identity.key)
    return len(signature).to_bytes(_LENGTH_BYTES, "big") + signature + plain


def open_answer(record: PresentationRecord, handle: PresentationHandle, *, rp: RelyingParty) -> ProvedAnswer:
    """Open what :func:`pack_answer` wrote and the record sealed, by the handle alone.

    Raises:
        LoginRestartError: it is another handle's, or was signed with another certificate's key.
    """
    packed = handle.open(record.answer)
    length = int.from_bytes(packed[:_LENGTH_BYTES], "big")
    signature, plain = packed[_LENGTH_BYTES : _LENGTH_BYTES + length], packed[_LENGTH_BYTES + length :]
    _, identity = wallet_of(rp)
    key = identity.key
    try:
        verify_signature(
            _LABEL + plain, signature, algorithm=key.algorithm, public_key_info=key.public_key_info
        )
        return _read(plain, handle.request_id)
    except (SignatureError, ValueError, TypeError, KeyError):
        raise LoginRestartError("login.other_settings") from None


def _read(plain: bytes, request_id: RequestId) -> ProvedAnswer:
    (
        answers,
        pseudonym,
        assurance,
        persistence,
        age_band,
        received_at,
        digits,
        code_hash,
        checks,
        algorithm,
        signer,
        anchor,
        ends,
        trust,
        verified_at,
    ) = json.loads(plain)
    if answers != request_id.text:
        raise ValueError
    return ProvedAnswer(
        verified=VerifiedPresentation(
            pseudonym=pseudonym,
            assurance=Assurance[assurance],
            persistence=Persistence(persistence),
            age_band=None if age_band is None else AgeBand(age_band),
            evidence=Evidence(
                checks=tuple(checks),
                algorithm=algorithm,
                signer_sha256=signer,
                anchor_sha256=anchor,
                chain_expires_at=None if ends is None else datetime.fromtimestamp(ends, UTC),
                trust_fingerprint=trust,
                verified_at=datetime.fromtimestamp(verified_at, UTC),
            ),
        ),
        received_at=datetime.fromtimestamp(received_at, UTC),
        digits=digits,
        code_hash=bytes.fromhex(code_hash),
    )


def require_code(answer: ProvedAnswer, code: PresentationCode) -> None:
    """Return if this is the response code that was given out for this very answer.

    Raises:
        LoginRestartError: ``presentation.response_code``.
    """
    if not hmac.compare_digest(answer.code_hash, code.hash):
        raise LoginRestartError("presentation.response_code")


def require_digits(answer: ProvedAnswer, typed: str) -> None:
    """Return if these are the digits that the wallet's device shows; the try was counted before.

    Raises:
        LoginDeclinedError: ``presentation.digits_wrong``.
    """
    if not hmac.compare_digest((answer.digits or "").encode(), typed.encode()):
        raise LoginDeclinedError("presentation.digits_wrong")


def login_of(answer: ProvedAnswer, record: PresentationRecord) -> Login:
    """Make the login of an answer that was proved."""
    verified = answer.verified
    evidence = verified.evidence
    return Login(
        pseudonym=Pseudonym(verified.pseudonym, issuer=record.issuer, sector=record.sector),
        assurance=verified.assurance,
        factors=verified.assurance.factors,
        channel=Channel.WALLET_OTHER if record.device == "other" else Channel.WALLET_SAME,
        authenticated_at=answer.received_at,
        issuer=record.issuer,
        sector=record.sector,
        persistence=verified.persistence,
        age_band=verified.age_band,
        session_id=None,
        return_to=record.return_to,
        _make_evidence=lambda: evidence,
    )
