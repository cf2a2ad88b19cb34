"""The relying party's configuration: frozen values that are checked when they are made.

Nothing here reads a file, the environment or the network.
"""

from __future__ import annotations

from cyberid_client.config.app_launch import AppLaunchSettings
from cyberid_client.config.bounds import PENDING_LIFETIME_LIMIT, check_max_age
from cyberid_client.config.client_keys import ClientKeys
from cyberid_client.config.expected import Expected, ExpectedPresentation
from cyberid_client.config.keys import (
    CONTENT_ENCRYPTIONS,
    KEY_ENCRYPTIONS,
    ClientCertificate,
    ClientKey,
    DecryptionKey,
)
from cyberid_client.config.limits import HTTPLimits
from cyberid_client.config.relying_party import RelyingParty
from cyberid_client.config.wallet import WalletIdentity, WalletSettings

__all__ = [
    "CONTENT_ENCRYPTIONS",
    "KEY_ENCRYPTIONS",
    "PENDING_LIFETIME_LIMIT",
    "AppLaunchSettings",
    "ClientCertificate",
    "ClientKey",
    "ClientKeys",
    "DecryptionKey",
    "Expected",
    "ExpectedPresentation",
    "HTTPLimits",
    "RelyingParty",
    "WalletIdentity",
    "WalletSettings",
    "check_max_age",
]
