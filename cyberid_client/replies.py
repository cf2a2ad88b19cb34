"""What becomes of transports, stores and signers that somebody else may have written, and of their answers."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from typing import Any, Final

from cyberid_client.errors import ConfigurationError, StoreError
from cyberid_client.handshake.flow import SignatureWanted, Signed
from cyberid_client.ports import HTTPRequest, HTTPResponse

__all__ = [
    "as_ran",
    "as_response",
    "as_signed",
    "failed_response",
    "failed_signature",
    "failed_store",
    "require_kind",
    "sign_now",
]

logger: Final = logging.getLogger("cyberid_client")


def as_response(request: HTTPRequest, value: object) -> HTTPResponse:
    """Return the response, or a failure when the transport did not keep to its port."""
    if not isinstance(value, HTTPResponse) or not _is_typed(value):
        logger.warning("transport answered with something else: purpose=%s", request.purpose)
        return HTTPResponse(status=0, url=request.url, error="transport.failed")
    logger.debug("sent %s: status=%s error=%s", request.purpose, value.status, value.error)
    return value


def _is_typed(value: HTTPResponse) -> bool:
    parts: tuple[tuple[object, type], ...] = (
        (value.status, int),
        (value.body, bytes),
        (value.headers, Mapping),
    )
    return all(isinstance(part, kind) for part, kind in parts) and _are_texts(value.headers)


def _are_texts(headers: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(text, str) for name, text in headers.items())


def failed_response(request: HTTPRequest, error: Exception) -> HTTPResponse:
    """Return what stands for a response where the transport raised."""
    logger.warning("transport raised %s: purpose=%s", type(error).__name__, request.purpose)
    return HTTPResponse(status=0, url=request.url, error="transport.failed")


def failed_store(error: Exception) -> StoreError:
    """Return the error of ours for what a store raised."""
    logger.warning("store raised %s", type(error).__name__)
    return StoreError("store.failed")


def as_ran(value: object, *, took_effect: bool) -> bool:
    """Return what a replay store says of an effect.

    Raises:
        StoreError: it says something else than what happened, so that nothing it says can be relied on.
    """
    if value is not took_effect:
        logger.warning("replay store says something else than what happened")
        raise StoreError("store.failed")
    return took_effect


def as_signed(value: object) -> Signed:
    """Return the signature, empty when the signer gave something else."""
    return Signed(value if isinstance(value, bytes) else b"")


def failed_signature(error: Exception) -> Signed:
    """Return what stands for a signature where the signer raised."""
    logger.warning("signer raised %s", type(error).__name__)
    return Signed(b"")


def sign_now(wanted: SignatureWanted) -> Signed:
    """Let a blocking signer sign, in whatever thread this is called; raises nothing."""
    try:
        return as_signed(wanted.signer.sign(wanted.message))
    except Exception as error:  # noqa: BLE001 - a signer that somebody else wrote may raise anything
        return failed_signature(error)


def require_kind(part: object, method: str, setting: str, *, awaited: bool) -> None:
    """Return if a method of a part is awaited, or is not, as the client needs it.

    Args:
        part: a store or a signer.
        method: one of its port's.
        setting: what the part is called.
        awaited: whether the client is async.

    Raises:
        ConfigurationError: it is of the other kind.
    """
    if inspect.iscoroutinefunction(getattr(part, method, None)) is not awaited:
        raise ConfigurationError("client.wrong_kind", setting)
