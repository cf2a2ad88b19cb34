"""What is asked about an app launch, what comes back, and the envelope that both travel in (profile §4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cyberid_client.wire.jws import UnverifiedJWS

__all__ = ["AppEnvelope", "AppVerification", "UnverifiedReceipt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppVerification:
    """What the app's backend asks the issuer: did this person just show this, for this launch?

    Attributes:
        issuer: whom it asks.
        client_id: who asks.
        org_id: the institution.
        app_id: the app on the phone's platform.
        biz_seq: of the launch.
        mode: the ``acr`` value that was asked for.
        scope: ``openid``, and ``age_band`` when it is asked for.
        id_card_auth_data: as the ID app gave it: opaque, secret, short-lived.
        cert_pwd_data: likewise; ``None`` without password.
        issued_at: seconds since 1970; fresh for every attempt, like ``expires_at`` and ``jti``.
        expires_at: likewise.
        jti: of this attempt.
    """

    issuer: str
    client_id: str
    org_id: str
    app_id: str
    biz_seq: str = field(repr=False)
    mode: str
    scope: str
    id_card_auth_data: str = field(repr=False)
    cert_pwd_data: str | None = field(repr=False)
    issued_at: int
    expires_at: int
    jti: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedReceipt:
    """The issuer's receipt for an app launch, parsed and not verified.

    Attributes:
        jws: what was signed, and by which key: whatever the envelope, the signature covers
            ``jws.signing_input``, and every claim below was read from there.
        iss: who says that it issued.
        aud: whom it is for.
        exp: seconds since 1970, maybe fractional; likewise ``iat``, ``nbf`` and ``auth_time``.
        iat: when it was issued.
        nbf: not valid before.
        auth_time: when the person authenticated; ``None`` in a refusal.
        biz_seq: of the launch that it answers.
        app_id: to which app the ID app gave its answer.
        blobs_hash: of what was asked about.
        caller: whether the ID app released its answer only to the registered app: ``verified``.
        outcome: ``success``, or why not.
        acr: the mode that was reached; ``None`` in a refusal.
        factors: factor to what became of it: ``passed``, ``failed`` or ``not_executed``.
        sub: the pseudonym, of any shape; ``""`` in a refusal.
        sector: for which sector the pseudonym was made.
        persistence: how long the pseudonym stays the same.
        sid: the issuer's name for the session.
        age_band: of the person.
        foreign: which claims stand in it that belong to documents of other kinds.
    """

    jws: UnverifiedJWS
    iss: str
    aud: tuple[str, ...]
    exp: float
    iat: float
    nbf: float | None
    auth_time: float | None = field(repr=False)
    biz_seq: str = field(repr=False)
    app_id: str
    blobs_hash: str = field(repr=False)
    caller: str | None
    outcome: str
    acr: str | None = field(repr=False)
    factors: Mapping[str, str] = field(repr=False)
    sub: str = field(repr=False)
    sector: str | None
    persistence: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    age_band: str | None = field(repr=False)
    foreign: frozenset[str]


class AppEnvelope(Protocol):
    """The wire form of verification: bytes to values and back; it decides and believes nothing.

    The handshake signs what :meth:`prepare` returns with the client's key, which may be held elsewhere, and
    judges what :meth:`open` returns. An envelope has no state and touches neither clock nor network.

    Attributes:
        content_type: of the request.
        accept: what the answer must be.
    """

    content_type: str
    accept: str

    def prepare(self, verification: AppVerification, *, algorithm: str, kid: str) -> bytes:
        """Return the bytes that are signed.

        Args:
            verification: what is asked.
            algorithm: the JWS name of the algorithm that signs.
            kid: the key id of the client's key.
        """
        ...

    def seal(self, prepared: bytes, signature: bytes) -> bytes:
        """Return the body of the request.

        Args:
            prepared: what :meth:`prepare` returned.
            signature: over that, in the form of JWS: raw ``r‖s`` for ECDSA (RFC 7518 §3.4).
        """
        ...

    def open(self, body: bytes) -> UnverifiedReceipt:
        """Parse an answer; nothing in it is believed.

        Args:
            body: untrusted.

        Raises:
            VerificationError: ``receipt.malformed``, ``receipt.too_large``, ``receipt.claim_missing``,
                ``receipt.claim_type``, ``receipt.critical``.
        """
        ...
