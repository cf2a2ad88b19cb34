"""The values that an app holds: frozen, typed, and unable to carry plain identity data."""

from __future__ import annotations

from cyberid_client.models.asks import (
    AppLaunch,
    LoginRequest,
    PresentationReply,
    PresentationRequest,
    PresentationState,
)
from cyberid_client.models.assurance import AgeBand, Assurance, Channel, Factor, Persistence
from cyberid_client.models.login import Evidence, Login
from cyberid_client.models.outcomes import AppOutcome
from cyberid_client.models.pending import PendingAppLogin, PendingLogin
from cyberid_client.models.pseudonyms import Pseudonym, PseudonymDigest, PseudonymKeys
from cyberid_client.models.secrets import Secret, keep_secret

__all__ = [
    "AgeBand",
    "AppLaunch",
    "AppOutcome",
    "Assurance",
    "Channel",
    "Evidence",
    "Factor",
    "Login",
    "LoginRequest",
    "PendingAppLogin",
    "PendingLogin",
    "Persistence",
    "PresentationReply",
    "PresentationRequest",
    "PresentationState",
    "Pseudonym",
    "PseudonymDigest",
    "PseudonymKeys",
    "Secret",
    "keep_secret",
]
