"""The credential formats that wallets may present; a second one is a second entry here and no change elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cyberid_client.handshake.formats.format import CredentialFormat, KnownAhead, VerifiedPresentation
from cyberid_client.handshake.formats.sd_jwt import SDJWTFormat

__all__ = ["FORMATS", "CredentialFormat", "KnownAhead", "VerifiedPresentation"]

_ENTRIES: Final[tuple[CredentialFormat, ...]] = (SDJWTFormat(),)

FORMATS: Final[Mapping[str, CredentialFormat]] = MappingProxyType({each.name: each for each in _ENTRIES})
