"""The calls of a wallet presentation, each as a leg over one record in the store of pending logins (profile §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cyberid_client.effects import Leg
from cyberid_client.errors import ConfigurationError
from cyberid_client.legs import Legs
from cyberid_client.models import (
    Assurance,
    Login,
    PresentationReply,
    PresentationRequest,
    PresentationState,
)

__all__ = [
    "PresentationAsk",
    "finish_presentation",
    "presentation_cookie_name",
    "presentation_digits",
    "presentation_request_object",
    "presentation_status",
    "receive_presentation",
    "start_presentation",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationAsk:
    """What the app asks for in one presentation."""

    device: Literal["same", "other"] = "same"
    return_to: str = "/"
    assurance: Assurance | None = None


def start_presentation(legs: Legs, ask: PresentationAsk) -> Leg[PresentationRequest]:
    """Make the request and keep what must be kept until wallet and browser are back."""
    raise ConfigurationError("config.wallet", "wallet")


def presentation_request_object(legs: Legs, request_id: str, wallet_nonce: str | None) -> Leg[str]:
    """Sign the request object of a presentation that waits."""
    raise ConfigurationError("config.wallet", "wallet")


def receive_presentation(legs: Legs, body: bytes, content_type: str | None) -> Leg[PresentationReply]:
    """Judge what a wallet posted, keep what it proved, and say what to answer."""
    raise ConfigurationError("config.wallet", "wallet")


def presentation_status(legs: Legs, status_handle: str) -> Leg[PresentationState]:
    """Say how far a presentation from another device is."""
    raise ConfigurationError("config.wallet", "wallet")


def presentation_digits(legs: Legs, response_code: str) -> Leg[str]:
    """Return the six digits of an answered presentation."""
    raise ConfigurationError("config.wallet", "wallet")


def finish_presentation(
    legs: Legs, handle: str | None, response_code: str | None, typed_code: str | None
) -> Leg[Login]:
    """Give the login to the browser that asked for it."""
    raise ConfigurationError("config.wallet", "wallet")


def presentation_cookie_name(code: str) -> str | None:
    """Return the name of the cookie in which a presentation's handle is."""
    raise ConfigurationError("config.wallet", "wallet")
