"""What a wallet is asked: the link that starts it, and the signed request that it fetches (OpenID4VP 1.0 §5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec

from cyberid_client.config import DecryptionKey, RelyingParty, WalletIdentity, WalletSettings
from cyberid_client.errors import (
    ChainError,
    ConfigurationError,
    LoginRestartError,
    VerificationError,
)
from cyberid_client.handshake.bundle import COMPLETE, Checklists
from cyberid_client.handshake.check import run_checks
from cyberid_client.handshake.checks.presentation import OFFERED_ENCRYPTIONS
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.formats import FORMATS, CredentialFormat
from cyberid_client.handshake.presentation_ids import PresentationHandle, RequestId
from cyberid_client.handshake.presentation_record import PresentationRecord
from cyberid_client.handshake.presentation_subjects import PendingPresentationSubject
from cyberid_client.handshake.signing import sign_jws
from cyberid_client.models import Assurance
from cyberid_client.ports import FlowEnv
from cyberid_client.trust import ChainCache, ChainProfile, verify_chain
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.urls import is_local_path

__all__ = [
    "PresentationAsk",
    "credential_id",
    "decryption_key_of",
    "format_named",
    "new_record",
    "request_object",
    "require_wallet",
    "wallet_of",
    "wallet_uri",
]

NONCE_BYTES: Final = 32
KEY_ENCRYPTION: Final = "ECDH-ES"
KIND: Final = "oauth-authz-req+jwt"
# OpenID4VP 1.0 §5.8: whom a request is for when nobody knows which wallet will come.
ANY_WALLET: Final = "https://self-issued.me/v2"

# A wallet may say anything there; what it says comes back in a header of nothing, but in a signed document.
_WALLET_NONCE: Final = re.compile(r"[!-~]{1,512}", re.ASCII)
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
# A credential says what the issuer checked about its key; a face is not among that.
_REACHED: Final = (Assurance.R01, Assurance.R02)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationAsk:
    """What the app asks for in one presentation; ``None`` stands for the configured value."""

    device: Literal["same", "other"] = "same"
    return_to: str = "/"
    assurance: Assurance | None = None


def wallet_of(rp: RelyingParty) -> tuple[WalletSettings, WalletIdentity]:
    """Return how wallets reach the relying party, and what it shows them.

    Raises:
        ConfigurationError: ``config.wallet``: this relying party takes no presentations.
    """
    identity = rp.client_keys.wallet
    if rp.wallet is None or identity is None:
        raise ConfigurationError("config.wallet", "wallet")
    return rp.wallet, identity


def require_wallet(
    rp: RelyingParty,
    now: datetime,
    *,
    cache: ChainCache | None = None,
    formats: Mapping[str, CredentialFormat] = FORMATS,
) -> None:
    """Refuse a configuration for wallets that no wallet would answer; return when there is none.

    Args:
        rp: the configuration.
        now: aware.
        cache: remembers chain verdicts.
        formats: that there are.

    Raises:
        ConfigurationError: ``presentation.certificate``: the relying party's own certificate does not lead to a
            pinned root, names another sector or host, or has ended; ``config.wallet``: there is no such
            credential format.
    """
    if rp.wallet is None:
        return
    settings, identity = wallet_of(rp)
    format_named(settings.credential_format, formats)
    if rp.trust is None:
        raise ConfigurationError("config.trust_missing", "trust")
    profile = ChainProfile.relying_party(
        rp.sector_identifier, response_uri=settings.response_uri, purposes=rp.purposes
    )
    try:
        verify_chain(
            identity.chain[0], identity.chain[1:], trust=rp.trust, profile=profile, now=now, cache=cache
        )
    except ChainError as error:
        raise ConfigurationError("presentation.certificate", "keys.wallet") from error


def format_named(name: str, formats: Mapping[str, CredentialFormat] = FORMATS) -> CredentialFormat:
    """Return the entry of the registry.

    Raises:
        ConfigurationError: ``config.wallet``: there is none of this name.
    """
    if name not in formats:
        raise ConfigurationError("config.wallet", "wallet.credential_format")
    return formats[name]


def credential_id(name: str) -> str:
    """Return what the one credential is called in query and answer (§6.1): the format's name, as an id."""
    return _NOT_IN_IDS.sub("-", name)


def new_record(
    rp: RelyingParty, ask: PresentationAsk, handle: PresentationHandle, env: FlowEnv
) -> PresentationRecord:
    """Decide what is asked for, and make all that this one request is known by.

    Args:
        rp: who asks.
        ask: for what.
        handle: fresh.
        env: clock and randomness.

    Raises:
        ConfigurationError: this configuration can never ask for it.
        VerificationError: ``return_to.refused``.
    """
    settings, identity = wallet_of(rp)
    if ask.device not in ("same", "other"):
        raise ConfigurationError("config.value", "device")
    if ask.device == "other" and settings.cross_device != "allowed":
        raise ConfigurationError("presentation.other_device", "wallet.cross_device")
    if not is_local_path(ask.return_to):
        raise VerificationError("return_to.refused")
    assurance = rp.assurance if ask.assurance is None else ask.assurance
    # The value of a mode is a string, and a string is no mode.
    if not isinstance(assurance, Assurance):
        raise ConfigurationError("config.assurance", "assurance")
    if assurance not in _REACHED:
        raise ConfigurationError("presentation.assurance", "assurance")
    private_number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    now = env.now()
    return PresentationRecord(
        device=ask.device,
        started_at=now,
        expires_at=now + timedelta(seconds=settings.lifetime),
        status_hash=handle.status.hash,
        answer_key=handle.public_key,
        decryption_key=private_number.to_bytes(32, "big"),
        nonce=env.token(NONCE_BYTES),
        issuer=rp.issuer,
        sector=rp.sector_identifier,
        client_id=identity.client_id,
        format=settings.credential_format,
        assurance=assurance,
        age_band=rp.age_band,
        return_to=ask.return_to,
    )


def wallet_uri(rp: RelyingParty, record: PresentationRecord, request_id: RequestId) -> str:
    """Return what opens the wallet: who asks, and where the request is (§5, RFC 9101 §5.2.2).

    A wallet that cannot fetch by POST fetches by GET (§5.10).
    """
    settings, _ = wallet_of(rp)
    query = urlencode(
        {
            "client_id": record.client_id,
            "request_uri": f"{settings.request_uri}/{request_id.text}",
            "request_uri_method": "post",
        }
    )
    return f"{settings.wallet_uri}{'&' if '?' in settings.wallet_uri else '?'}{query}"


def request_object(
    rp: RelyingParty,
    record: PresentationRecord,
    request_id: RequestId,
    *,
    wallet_nonce: str | None,
    now: datetime,
    checklists: Checklists = COMPLETE,
    formats: Mapping[str, CredentialFormat] = FORMATS,
) -> Flow[str]:
    """Sign the request of a presentation that waits; the same one however often it is fetched.

    Args:
        rp: who asks.
        record: of the presentation.
        request_id: of the same.
        wallet_nonce: is repeated, so that the wallet knows the request for a fresh one (§5.10); untrusted.
        now: aware.
        checklists: what must hold.
        formats: that there are.

    Raises:
        LoginRestartError: it waits no more, or was begun with another certificate.
        VerificationError: ``presentation.wallet_nonce``.
        UnavailableError: the signer that holds the key failed.
    """
    run_checks(checklists.pending_presentation, PendingPresentationSubject(record=record, rp=rp, now=now))
    settings, identity = wallet_of(rp)
    credential_format = format_named(record.format, formats)
    if record.client_id != identity.client_id:
        raise LoginRestartError("login.other_settings")
    claims: dict[str, object] = {
        "response_type": "vp_token",
        "client_id": record.client_id,
        "response_mode": "direct_post.jwt",
        "response_uri": settings.response_uri,
        "aud": ANY_WALLET,
        "nonce": encode_base64url(record.nonce),
        "state": request_id.text,
        "iat": int(record.started_at.timestamp()),
        "exp": int(record.expires_at.timestamp()),
        "dcql_query": {"credentials": [_credential_query(record, credential_format)]},
        "client_metadata": _client_metadata(rp, settings, record, request_id, credential_format),
    }
    given: object = wallet_nonce
    if given is not None:
        if not isinstance(given, str) or _WALLET_NONCE.fullmatch(given) is None:
            raise VerificationError("presentation.wallet_nonce")
        claims["wallet_nonce"] = given
    return (yield from sign_jws(claims, typ=KIND, key=identity.key, chain=identity.chain))


def _credential_query(record: PresentationRecord, credential_format: CredentialFormat) -> dict[str, object]:
    modes = tuple(mode.value for mode in _REACHED if mode.satisfies(record.assurance))
    query = credential_format.query(acr_values=modes, age_band=record.age_band)
    return {"id": credential_id(record.format), **query}


def _client_metadata(
    rp: RelyingParty,
    settings: WalletSettings,
    record: PresentationRecord,
    request_id: RequestId,
    credential_format: CredentialFormat,
) -> Mapping[str, object]:
    """Say what an answer may look like (§11.1), and for which key it is encrypted: this request's own."""
    return {
        "jwks": {"keys": [decryption_key_of(record, request_id).public_jwk]},
        "encrypted_response_enc_values_supported": list(OFFERED_ENCRYPTIONS),
        "vp_formats_supported": {
            credential_format.identifier: credential_format.abilities(
                algorithm=settings.algorithm or rp.algorithm, holder_algorithm=settings.holder_algorithm
            )
        },
    }


def decryption_key_of(record: PresentationRecord, request_id: RequestId) -> DecryptionKey:
    """Return the key that answers to this one request are encrypted for; its key id is the request id.

    Raises:
        LoginRestartError: there is none (any more).
    """
    return DecryptionKey(private_key_of(record), algorithm=KEY_ENCRYPTION, kid=request_id.text)


def private_key_of(record: PresentationRecord) -> ec.EllipticCurvePrivateKey:
    """Return the private half of it.

    Raises:
        LoginRestartError: there is none (any more).
    """
    try:
        return ec.derive_private_key(int.from_bytes(record.decryption_key, "big"), ec.SECP256R1())
    except ValueError:
        raise LoginRestartError("login.unknown") from None
