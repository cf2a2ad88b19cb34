"""One person in one sector, and what an app stores in the place of that."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Never

from cyberid_client.errors import ConfigurationError
from cyberid_client.tracebacks import OwnFramesDropped

__all__ = ["Pseudonym", "PseudonymDigest", "PseudonymKeys"]

_KEY_ID: Final = re.compile("[a-z0-9]{1,16}")
_KEY_BYTES_MIN: Final = 32
_DIGEST: Final = re.compile(r"([a-z0-9]{1,16})\.([A-Za-z0-9_-]{43})", re.ASCII)


class PseudonymKeys:
    """The secret keys under which pseudonyms are digested for storage.

    The first key makes new digests; the others still recognise old ones.

    Args:
        keys: key id to key, newest first. An id is 1 to 16 characters ``[a-z0-9]``, a key at least
            32 bytes from a random source.

    Raises:
        ConfigurationError: there is no key, or an id or key is unfit.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        with OwnFramesDropped():
            if not _is_table_of_keys(keys):
                raise ConfigurationError("config.pseudonym_key")
        self._keys = dict(keys)

    def __repr__(self) -> str:
        return f"PseudonymKeys({', '.join(self._keys)})"

    def __reduce__(self) -> Never:
        _refuse_pickle("PseudonymKeys")

    @property
    def newest(self) -> str:
        """The id of the key that makes new digests."""
        return next(iter(self._keys))

    @property
    def ids(self) -> tuple[str, ...]:
        """All key ids, newest first."""
        return tuple(self._keys)

    def mac(self, key_id: str, message: bytes) -> bytes:
        """Return HMAC-SHA-256 of ``message`` under one of the keys.

        Raises:
            ConfigurationError: there is no key of this id.
        """
        with OwnFramesDropped():
            if key_id not in self._keys:
                raise ConfigurationError("config.pseudonym_key")
        return hmac.digest(self._keys[key_id], message, hashlib.sha256)


def _is_table_of_keys(keys: object) -> bool:
    return (
        isinstance(keys, Mapping)
        and len(keys) > 0
        and all(_is_key_id(name) and _is_key(key) for name, key in keys.items())
    )


def _is_key_id(name: object) -> bool:
    return isinstance(name, str) and _KEY_ID.fullmatch(name) is not None


def _is_key(key: object) -> bool:
    # Text, as it comes out of an environment variable, is no key.
    return isinstance(key, bytes) and len(key) >= _KEY_BYTES_MIN


@dataclass(frozen=True, slots=True)
class PseudonymDigest:
    """What an app stores in a pseudonym's place: a keyed hash, useless without the key.

    Attributes:
        key_id: which key of :class:`PseudonymKeys` made it.
        mac: 43 characters of base64url.
    """

    key_id: str
    mac: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.key_id}.{self.mac}"

    @classmethod
    def parse(cls, text: str) -> PseudonymDigest:
        """Read what ``str()`` wrote.

        Raises:
            ConfigurationError: the text is not a digest.
        """
        with OwnFramesDropped():
            given: object = text
            match = _DIGEST.fullmatch(given) if isinstance(given, str) else None
            if match is None:
                raise ConfigurationError("config.value", "pseudonym_digest")
        return cls(match[1], match[2])


class Pseudonym:
    """One person in one sector (网络身份应用标识); personal data in law, though no plain identity.

    It prints redacted and refuses to be pickled; :attr:`value` is the only way in. Store
    :meth:`digest`, never the value.
    """

    __slots__ = ("_issuer", "_sector", "_value")

    def __init__(self, value: str, *, issuer: str, sector: str) -> None:
        self._value = value
        self._issuer = issuer
        self._sector = sector

    @property
    def value(self) -> str:
        """The pseudonym itself."""
        return self._value

    def digest(self, keys: PseudonymKeys, *, key_id: str | None = None) -> PseudonymDigest:
        """Return the keyed hash of issuer, sector and value.

        Args:
            keys: the app's own keys; with another sector's keys nothing can be matched.
            key_id: an older key, to find a record made before a rotation; the newest by default.

        Raises:
            ConfigurationError: there is no key of this id.
        """
        name = keys.newest if key_id is None else key_id
        parts = (self._issuer.encode(), self._sector.encode(), self._value.encode())
        message = b"cyberid-pseudonym-1" + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        with OwnFramesDropped():
            mac = base64.urlsafe_b64encode(keys.mac(name, message)).rstrip(b"=").decode()
        return PseudonymDigest(name, mac)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pseudonym):
            return NotImplemented
        return (self._issuer, self._sector) == (other._issuer, other._sector) and hmac.compare_digest(
            self._value.encode(), other._value.encode()
        )

    def __hash__(self) -> int:
        return hash((self._issuer, self._sector, self._value))

    def __repr__(self) -> str:
        return "Pseudonym(redacted)"

    def __reduce__(self) -> Never:
        _refuse_pickle("Pseudonym")


def _refuse_pickle(name: str) -> Never:
    message = f"{name} is not written out; store Pseudonym.digest(keys)"
    raise TypeError(message)
