"""How the app's backend and the ID app on a phone know each other."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from cyberid_client.errors import ConfigurationError
from cyberid_client.models import AppOutcome
from cyberid_client.wire.app_verification import AppEnvelope

__all__ = ["AppLaunchSettings"]

logger: Final = logging.getLogger("cyberid_client")

_NAME: Final = re.compile("[A-Za-z0-9._-]{1,128}", re.ASCII)
_RESULT_CODE: Final = re.compile("[A-Za-z0-9]{1,32}", re.ASCII)
_SUCCESS: Final = MappingProxyType({"C0000000": AppOutcome.SUCCESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLaunchSettings:
    """The app-launch handshake of one service (profile §4).

    Attributes:
        org_id: the institution, as registered.
        app_ids: platform to app id, as registered: ``{"android": "…", "ios": "…"}``; no id stands there twice.
            All are one sector.
        app_caller: ``"unverified"`` accepts receipts that do not say that the ID app released its answer to
            the registered app only. Any app on the phone could then relay a login. It is logged.
        outcomes: what a ``resultCode`` of the ID app means; one that is not listed is a decline that keeps its
            code.
        envelope: the wire form of verification, when the platform's is another than the profile's.

    Raises:
        ConfigurationError: ``config.app_launch``: one of them cannot be used.
    """

    org_id: str
    app_ids: Mapping[str, str] = field(hash=False)
    app_caller: Literal["verified", "unverified"] = "verified"
    outcomes: Mapping[str, AppOutcome] = field(default_factory=lambda: _SUCCESS, hash=False)
    envelope: AppEnvelope | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _is_name(self.org_id):
            raise ConfigurationError("config.app_launch", "app_launch.org_id")
        if not _is_table(self.app_ids, _NAME, str) or not all(map(_is_name, self.app_ids.values())):
            raise ConfigurationError("config.app_launch", "app_launch.app_ids")
        if len(set(self.app_ids.values())) < len(self.app_ids):
            # One id for two platforms would let one app's answer pass for the other's.
            raise ConfigurationError("config.app_launch", "app_launch.app_ids")
        if self.app_caller not in ("verified", "unverified"):
            raise ConfigurationError("config.app_launch", "app_launch.app_caller")
        if not _is_table(self.outcomes, _RESULT_CODE, AppOutcome):
            raise ConfigurationError("config.app_launch", "app_launch.outcomes")
        if AppOutcome.SUCCESS not in self.outcomes.values():
            raise ConfigurationError("config.app_launch", "app_launch.outcomes")
        if self.envelope is not None and not _is_envelope(self.envelope):
            raise ConfigurationError("config.app_launch", "app_launch.envelope")
        object.__setattr__(self, "app_ids", MappingProxyType(dict(self.app_ids)))
        object.__setattr__(self, "outcomes", MappingProxyType(dict(self.outcomes)))
        if self.app_caller == "unverified":
            logger.warning("app_caller='unverified': any app on the phone can relay a login")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_envelope(value: object) -> bool:
    texts = [getattr(value, name, None) for name in ("content_type", "accept")]
    functions = [getattr(value, name, None) for name in ("prepare", "seal", "open")]
    return all(isinstance(each, str) for each in texts) and all(map(callable, functions))


def _is_table(value: object, key: re.Pattern[str], kind: type) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(
        isinstance(name, str) and key.fullmatch(name) is not None and isinstance(member, kind)
        for name, member in value.items()
    )
