"""The whole exception tree, by what the caller must do.

::

    CyberIDError
    ├── ConfigurationError   fix the deployment
    ├── LoginDeclinedError   the person or the issuer said no: show a message
    ├── LoginRestartError    this attempt is gone: offer to start again
    ├── VerificationError    deny, log the code, tell the user nothing more
    │   ├── SignatureError
    │   ├── ChainError
    │   └── RevocationError
    └── UnavailableError     no decision was possible; never a login
        ├── TransportError
        └── StoreError

Every error carries a ``code`` from :mod:`cyberid_client.error_codes`, and its message is the fixed
sentence that stands there: no received value can reach a message, because none can be passed in.
"""

from __future__ import annotations

import secrets
from typing import Final

from cyberid_client.error_codes import CATALOGUE, ErrorCode, FixedBy

__all__ = [
    "ChainError",
    "ConfigurationError",
    "CyberIDError",
    "FixedBy",
    "LoginDeclinedError",
    "LoginRestartError",
    "RevocationError",
    "SignatureError",
    "StoreError",
    "TransportError",
    "UnavailableError",
    "VerificationError",
]

# Crockford's alphabet: what an operator hears on the phone cannot be mistyped as another character.
_REFERENCE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class CyberIDError(Exception):
    """Say that no login came out of it, and who must act.

    Args:
        code: a code that the catalogue lists for exactly this class.
    """

    def __init__(self, code: str) -> None:
        entry = CATALOGUE[code]
        if entry.family != type(self).__name__:
            message = f"{code} belongs to {entry.family}, not to {type(self).__name__}"
            raise TypeError(message)
        super().__init__(code)
        self._entry: ErrorCode = entry
        self._reference: str | None = None

    @property
    def code(self) -> str:
        """The stable, unique code: what logs, dashboards and tests compare."""
        return self._entry.code

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later with nothing changed."""
        return self._entry.retryable

    @property
    def fixed_by(self) -> FixedBy:
        """Who must act: ``user``, ``operator``, ``developer``, ``issuer`` or ``nobody``."""
        return self._entry.fixed_by

    @property
    def reference(self) -> str:
        """Eight random characters for the log and the page; made when first read."""
        if self._reference is None:
            self._reference = "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(8))
        return self._reference

    def __str__(self) -> str:
        return self._entry.sentence


class ConfigurationError(CyberIDError):
    """Fix the deployment: raised by constructors, at start-up, or by a ``start_*`` call.

    Args:
        code: as for every error.
        setting: the dotted name of the setting that is wrong, never its value.
    """

    def __init__(self, code: str, setting: str | None = None) -> None:
        super().__init__(code)
        self.setting = setting

    def __str__(self) -> str:
        sentence = super().__str__()
        return sentence if self.setting is None else f"{sentence} Setting: {self.setting}."

    def __reduce__(self) -> tuple[type[ConfigurationError], tuple[str, str | None], dict[str, object]]:
        return type(self), (self.code, self.setting), self.__dict__


class LoginDeclinedError(CyberIDError):
    """The person or the issuer said no: show a message, offer the app's other ways to log in.

    Args:
        code: as for every error.
        result_code: what the ID app on a phone answered, 1 to 32 letters and digits; ``None`` when it did not
            answer, or in another shape. It is for the log: anybody who has the phone can choose it.
    """

    def __init__(self, code: str, *, result_code: str | None = None) -> None:
        super().__init__(code)
        self.result_code = result_code


class LoginRestartError(CyberIDError):
    """This attempt is gone (late, reloaded, cookie lost, other browser): offer to start again."""


class VerificationError(CyberIDError):
    """Something that arrived is not to be believed: deny, log the code, say nothing more.

    Args:
        code: as for every error.
        clock_offset: whole seconds by which another clock was ahead of ours, or behind it if negative, when
            that is what was wrong.
    """

    def __init__(self, code: str, *, clock_offset: int | None = None) -> None:
        super().__init__(code)
        self.clock_offset = clock_offset

    def __str__(self) -> str:
        sentence = super().__str__()
        return sentence if self.clock_offset is None else f"{sentence} Offset: {self.clock_offset} s."


class SignatureError(VerificationError):
    """A signature does not verify."""


class ChainError(VerificationError):
    """A certificate chain does not lead, rule by rule, to a pinned root."""


class RevocationError(VerificationError):
    """A certificate is revoked, or its standing could not be proved."""


class UnavailableError(CyberIDError):
    """No decision was possible because something could not be reached; never a login."""


class TransportError(UnavailableError):
    """A request to the issuer got no complete answer within its limits."""


class StoreError(UnavailableError):
    """The store of pending logins could not do its part."""
