"""The status lists that the issuer publishes: one per sector and epoch, padded, changed on fixed ticks."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock
from cyberid_client.testing.drafts import SignedDraft
from cyberid_client.testing.jose import b64url
from cyberid_client.testing.keyring import Keyring, x5c_of

__all__ = ["ENTRIES", "STATUS_LISTS_PATH", "TICK", "StatusPublisher", "draft_status_list", "pack_statuses"]

STATUS_LISTS_PATH: Final = "/status-lists"
# Seconds. What is set between two ticks is published at the second, together with all else.
TICK: Final = 300
_LIST_LIFE: Final = 4 * 3600
# Every list has so many entries, so that its size tells nothing about how many people there are.
ENTRIES: Final = 131_072
_BITS: Final = frozenset({1, 2, 4, 8})


@dataclass(slots=True, kw_only=True)
class _OpenList:
    """One list: what was set, and from which tick on it counts."""

    bits: int
    changes: list[tuple[int, int, int]] = field(default_factory=list)


class StatusPublisher:
    """Keep the status lists of one issuer; ``MockIssuer.status_lists``.

    A list is named by a sector and an epoch. Its address tells neither.

    Args:
        clock: aware, UTC.
        issuer: returns the issuer identifier, which :meth:`MockIssuer.serve` changes.
    """

    def __init__(self, *, clock: Clock, issuer: Callable[[], str]) -> None:
        self._clock = clock
        self._issuer = issuer
        self._lists: dict[str, _OpenList] = {}
        self._lock = threading.Lock()

    @property
    def uris(self) -> tuple[str, ...]:
        """The addresses of all lists, as the aggregation page names them."""
        with self._lock:
            return tuple(self._issuer() + path for path in self._lists)

    def open(self, *, sector: str, epoch: str, bits: int = 1) -> str:
        """Publish a list from now on, all entries 0, and return its address.

        Args:
            sector: the sector identifier.
            epoch: any name, for example the day on which the epoch begins.
            bits: 1, 2, 4 or 8; the profile has 1.

        Raises:
            ConfigurationError: ``config.value``: another number of bits.
        """
        if bits not in _BITS:
            raise ConfigurationError("config.value", "bits")
        path = _path_of(sector, epoch)
        with self._lock:
            self._lists.setdefault(path, _OpenList(bits=bits))
        return self._issuer() + path

    def address(self, *, sector: str, epoch: str) -> str:
        """Return where the list of a sector and epoch is, or would be."""
        return self._issuer() + _path_of(sector, epoch)

    def set(self, idx: int, value: int, *, sector: str, epoch: str) -> None:
        """Set an entry; everybody sees it from the next tick on.

        Args:
            idx: 0 to 131,071.
            value: 0 valid, 1 invalid, 2 suspended; as many as the bits of the list allow.
            sector: as for :meth:`open`; a list that is not open yet is opened with one bit.
            epoch: likewise.

        Raises:
            ConfigurationError: ``config.value``: there is no such entry, or no room for the value.
        """
        self.open(sector=sector, epoch=epoch)
        with self._lock:
            opened = self._lists[_path_of(sector, epoch)]
            if not 0 <= idx < ENTRIES or not 0 <= value < 1 << opened.bits:
                raise ConfigurationError("config.value", "idx")
            opened.changes.append((_tick_of(self._clock()) + TICK, idx, value))

    def close(self, *, sector: str, epoch: str) -> None:
        """Publish a list no more."""
        with self._lock:
            self._lists.pop(_path_of(sector, epoch), None)

    def published(self, path: str, now: datetime) -> tuple[int, bytes] | None:
        """Return bits and bytes of the list at ``path`` as of the last tick; ``None``: there is none."""
        with self._lock:
            opened = self._lists.get(path)
            if opened is None:
                return None
            tick = _tick_of(now)
            statuses = {idx: value for since, idx, value in opened.changes if since <= tick}
            return opened.bits, pack_statuses(statuses, bits=opened.bits)


def _path_of(sector: str, epoch: str) -> str:
    digest = hashlib.sha256(f"{sector}\n{epoch}".encode()).digest()
    return f"{STATUS_LISTS_PATH}/{b64url(digest[:16])}"


def _tick_of(now: datetime) -> int:
    seconds = int(now.timestamp())
    return seconds - seconds % TICK


def pack_statuses(statuses: dict[int, int], *, bits: int, entries: int = ENTRIES) -> bytes:
    """Return the byte array: entry 0 in the lowest bits of the first byte (draft, §4.1).

    Args:
        statuses: index to value; all others are 0.
        bits: 1, 2, 4 or 8.
        entries: how many there are.
    """
    packed = bytearray(entries * bits // 8)
    for idx, value in statuses.items():
        byte, shift = idx * bits // 8, idx * bits % 8
        packed[byte] = packed[byte] & ~((2**bits - 1) << shift) | value << shift
    return bytes(packed)


def draft_status_list(keyring: Keyring, uri: str, bits: int, packed: bytes, *, now: datetime) -> SignedDraft:
    """Draft the status list token (draft-ietf-oauth-status-list-21 §5.1): dated by the tick."""
    signer, tick = keyring.signer("status"), _tick_of(now)
    claims: dict[str, object] = {
        "sub": uri,
        "iat": tick,
        "exp": tick + _LIST_LIFE,
        "ttl": TICK,
        "status_list": {"bits": bits, "lst": b64url(zlib.compress(packed, 9))},
    }
    header: dict[str, object] = {
        "alg": signer.algorithm.name,
        "kid": signer.kid,
        "typ": "statuslist+jwt",
        "x5c": x5c_of(signer.chain),
    }
    return SignedDraft(
        header=header, claims=claims, signer=signer, keyring=keyring, now=datetime.fromtimestamp(tick, UTC)
    )
