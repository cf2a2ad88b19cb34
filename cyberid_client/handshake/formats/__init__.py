"""The credential formats that wallets may present; a second one is a second entry here and no change elsewhere."""

from __future__ import annotations

from cyberid_client.handshake.formats.format import CredentialFormat, KnownAhead, VerifiedPresentation

__all__ = ["CredentialFormat", "KnownAhead", "VerifiedPresentation"]
