"""Ask the issuer about what a phone answered, in whatever wire form the platform has (profile §4)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from cyberid_client.config import AppLaunchSettings, RelyingParty
from cyberid_client.errors import (
    ConfigurationError,
    CyberIDError,
    LoginRestartError,
    TransportError,
    VerificationError,
)
from cyberid_client.handshake.app_envelope import SignedJWTEnvelope
from cyberid_client.handshake.flow import ANSWER_MAX_BYTES, SERVER_ERROR, Flow, expect_status, fetch
from cyberid_client.handshake.metadata import OK, IssuerMetadata
from cyberid_client.handshake.signing import sign_message
from cyberid_client.models import PendingAppLogin
from cyberid_client.ports import FlowEnv, HTTPRequest, HTTPResponse
from cyberid_client.wire.app_result import UnverifiedAppResult
from cyberid_client.wire.app_verification import AppEnvelope, AppVerification, UnverifiedReceipt
from cyberid_client.wire.base64url import encode_base64url
from cyberid_client.wire.responses import expect_media_type, parse_oauth_error

__all__ = ["ask_issuer", "launch_settings"]

REQUEST_LIFETIME: Final = 60
ATTEMPTS: Final = 3
JTI_BYTES: Final = 16

_CLIENT_REFUSED: Final = frozenset({"invalid_client", "unauthorized_client"})
# What kept an answer from coming that the issuer may have given; what is wrong with an answer stays so.
_LOST: Final = frozenset({"transport.timeout", "transport.connection", "transport.failed"})

T = TypeVar("T")

logger: Final = logging.getLogger("cyberid_client")


def launch_settings(rp: RelyingParty) -> AppLaunchSettings:
    """Return the settings of app launch.

    Raises:
        ConfigurationError: there are none.
    """
    if rp.app_launch is None:
        raise ConfigurationError("config.app_launch", "app_launch")
    return rp.app_launch


def ask_issuer(
    rp: RelyingParty,
    answer: UnverifiedAppResult,
    pending: PendingAppLogin,
    metadata: IssuerMetadata,
    env: FlowEnv,
) -> Flow[UnverifiedReceipt]:
    """Post the signed request and parse the answer; nothing in it is believed.

    Where the answer is lost it is asked twice more, each time with a request of its own: the issuer gives the same
    receipt for the same launch and the same answer of the ID app.

    Args:
        rp: who asks.
        answer: of the ID app, untrusted.
        pending: the launch.
        metadata: say where.
        env: clock and randomness.

    Raises:
        LoginRestartError: the issuer knows this launch with another answer.
        ConfigurationError: the issuer does not know this client, or refuses its request.
        VerificationError: what came is no receipt.
        UnavailableError: nothing came, or the signer failed.
    """
    envelope: AppEnvelope = launch_settings(rp).envelope or SignedJWTEnvelope()
    response = yield from _send(rp, envelope, answer, pending, metadata, env)
    body = _receipt_of(response, envelope)
    return _guarded(lambda: envelope.open(body), UnverifiedReceipt, "receipt.malformed")


def _send(
    rp: RelyingParty,
    envelope: AppEnvelope,
    answer: UnverifiedAppResult,
    pending: PendingAppLogin,
    metadata: IssuerMetadata,
    env: FlowEnv,
) -> Flow[HTTPResponse]:
    url = metadata.app_verification_endpoint
    if url is None:
        raise VerificationError("metadata.capability")
    left = ATTEMPTS
    while True:
        left -= 1
        request = HTTPRequest(
            method="POST",
            url=url,
            headers={"accept": envelope.accept, "content-type": envelope.content_type},
            body=(yield from _sealed(rp, envelope, _verification(rp, answer, pending, env))),
            max_bytes=ANSWER_MAX_BYTES,
            purpose="app_verification",
            shows_certificate=rp.uses_certificate,
        )
        try:
            response = yield from fetch(request)
        except TransportError as error:
            if error.code not in _LOST or not left:
                raise
        else:
            if response.status < SERVER_ERROR or not left:
                return response
        logger.info("app verification: answer lost, asked again: left=%s", left)


def _verification(
    rp: RelyingParty,
    answer: UnverifiedAppResult,
    pending: PendingAppLogin,
    env: FlowEnv,
) -> AppVerification:
    now = int(env.now().timestamp())
    return AppVerification(
        issuer=rp.issuer,
        client_id=rp.client_id,
        org_id=launch_settings(rp).org_id,
        app_id=pending.app_id,
        biz_seq=str(pending.biz_seq),
        mode=rp.acr_value(pending.assurance),
        scope="openid age_band" if rp.age_band else "openid",
        id_card_auth_data=answer.id_card_auth_data or "",
        cert_pwd_data=answer.cert_pwd_data,
        issued_at=now,
        expires_at=now + REQUEST_LIFETIME,
        jti=encode_base64url(env.token(JTI_BYTES)),
    )


def _sealed(rp: RelyingParty, envelope: AppEnvelope, verification: AppVerification) -> Flow[bytes]:
    key = rp.client_keys.signing
    prepared = _guarded(
        lambda: envelope.prepare(verification, algorithm=key.algorithm, kid=key.kid),
        bytes,
        "app_result.malformed",
    )
    signature = yield from sign_message(prepared, key)
    return _guarded(lambda: envelope.seal(prepared, signature), bytes, "app_result.malformed")


def _receipt_of(response: HTTPResponse, envelope: AppEnvelope) -> bytes:
    """Return the receipt in an answer, unread; its errors are those of a token endpoint (RFC 6749 §5.2)."""
    if response.status in {400, 401}:
        error = parse_oauth_error(response)
        if error in _CLIENT_REFUSED:
            raise ConfigurationError("app_verification.client_refused")
        if error == "invalid_grant":
            raise LoginRestartError("login.launch_refused")
        if error is not None:
            raise ConfigurationError("app_verification.request_refused")
    body = expect_status(response, OK).body
    expect_media_type(response, document="receipt", media_types=(envelope.accept.lower(),))
    return body


def _guarded(call: Callable[[], object], kind: type[T], code: str) -> T:
    """Let only our own errors out of an envelope that somebody else may have written, and what it promises."""
    try:
        made = call()
    except CyberIDError:
        raise
    except Exception as error:  # noqa: BLE001 - it may raise anything
        logger.warning("envelope raised %s", type(error).__name__)
    else:
        if isinstance(made, kind):
            return made
        logger.warning("envelope returned %s", type(made).__name__)
    raise VerificationError(code)
