"""Log people in with a national virtual ID and keep a pseudonym, never an ID number.

The names below are loaded when they are first used (PEP 562), so that importing the package costs next
to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cyberid_client.aio import AsyncClient
    from cyberid_client.client import Client
    from cyberid_client.config import (
        AppLaunchSettings,
        ClientCertificate,
        ClientKey,
        ClientKeys,
        DecryptionKey,
        HTTPLimits,
        RelyingParty,
        WalletIdentity,
        WalletSettings,
    )
    from cyberid_client.errors import (
        ChainError,
        ConfigurationError,
        CyberIDError,
        LoginDeclinedError,
        LoginRestartError,
        RevocationError,
        SignatureError,
        StoreError,
        TransportError,
        UnavailableError,
        VerificationError,
    )
    from cyberid_client.models import (
        AgeBand,
        AppLaunch,
        AppOutcome,
        Assurance,
        Channel,
        Evidence,
        Factor,
        Login,
        LoginRequest,
        Persistence,
        PresentationReply,
        PresentationRequest,
        PresentationState,
        Pseudonym,
        PseudonymDigest,
        PseudonymKeys,
    )
    from cyberid_client.notices import AccountStanding, AccountState, LogoutNotice, WebhookReply
    from cyberid_client.trust import ChainProfile, PurposeTable, RevocationPolicy, TrustStore

__version__: Final = "0.1.0"

_HOME: Final = {
    "aio": ("AsyncClient",),
    "client": ("Client",),
    "config": (
        "AppLaunchSettings",
        "ClientCertificate",
        "ClientKey",
        "ClientKeys",
        "DecryptionKey",
        "HTTPLimits",
        "RelyingParty",
        "WalletIdentity",
        "WalletSettings",
    ),
    "errors": (
        "ChainError",
        "ConfigurationError",
        "CyberIDError",
        "LoginDeclinedError",
        "LoginRestartError",
        "RevocationError",
        "SignatureError",
        "StoreError",
        "TransportError",
        "UnavailableError",
        "VerificationError",
    ),
    "models": (
        "AgeBand",
        "AppLaunch",
        "AppOutcome",
        "Assurance",
        "Channel",
        "Evidence",
        "Factor",
        "Login",
        "LoginRequest",
        "Persistence",
        "PresentationReply",
        "PresentationRequest",
        "PresentationState",
        "Pseudonym",
        "PseudonymDigest",
        "PseudonymKeys",
    ),
    "notices": ("AccountStanding", "AccountState", "LogoutNotice", "WebhookReply"),
    "trust": ("ChainProfile", "PurposeTable", "RevocationPolicy", "TrustStore"),
}
_MODULE_OF: Final = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AccountStanding",
    "AccountState",
    "AgeBand",
    "AppLaunch",
    "AppLaunchSettings",
    "AppOutcome",
    "Assurance",
    "AsyncClient",
    "ChainError",
    "ChainProfile",
    "Channel",
    "Client",
    "ClientCertificate",
    "ClientKey",
    "ClientKeys",
    "ConfigurationError",
    "CyberIDError",
    "DecryptionKey",
    "Evidence",
    "Factor",
    "HTTPLimits",
    "Login",
    "LoginDeclinedError",
    "LoginRequest",
    "LoginRestartError",
    "LogoutNotice",
    "Persistence",
    "PresentationReply",
    "PresentationRequest",
    "PresentationState",
    "Pseudonym",
    "PseudonymDigest",
    "PseudonymKeys",
    "PurposeTable",
    "RelyingParty",
    "RevocationError",
    "RevocationPolicy",
    "SignatureError",
    "StoreError",
    "TransportError",
    "TrustStore",
    "UnavailableError",
    "VerificationError",
    "WalletIdentity",
    "WalletSettings",
    "WebhookReply",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
