"""Status lists that were believed: who is revoked, in one look (draft-ietf-oauth-status-list-21).

Nothing here fetches. A list that is not known, or that holds no more, gives no answer but a refusal.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from cyberid_client.errors import RevocationError, VerificationError

__all__ = ["INFLATED_MAX_BYTES", "StatusList", "StatusLists", "inflate_entries"]

INFLATED_MAX_BYTES: Final = 128 * 1024 * 1024

# Bounds of what a list may say about when to ask again (§11.5), and what holds when it says nothing.
LIFETIME_MIN: Final = 60.0
LIFETIME_MAX: Final = 24 * 3600.0
LIFETIME: Final = 3600.0
# How long a list serves after its time to live, if its own end is not sooner.
STALE_LIMIT: Final = timedelta(hours=24)

# So much goes into the decompressor at once, and so much comes out: neither is copied often.
_SLICE: Final = 16 * 1024
_PIECE: Final = 1024 * 1024

_VALID: Final = 0
_MEANINGS: Final[Mapping[int, str]] = MappingProxyType({1: "status.invalid", 2: "status.suspended"})


def inflate_entries(compressed: bytes, *, max_bytes: int = INFLATED_MAX_BYTES) -> memoryview:
    """Inflate the entries of a list: exactly one complete zlib stream (§4.1, RFC 1950).

    Never holds more than the limit and one piece, however far the stream would go.

    Args:
        compressed: the member ``lst``, decoded; from a believed signer.
        max_bytes: a longer result is given up.

    Returns:
        The entries, read-only.

    Raises:
        VerificationError: ``status_list.inflated_too_large``; ``status_list.compression`` for a
            stream that is damaged, cut off, or followed by anything.
    """
    decoder = zlib.decompressobj()
    # It grows in place: pieces that are joined in the end would be there twice.
    entries = bytearray()
    waiting = memoryview(compressed)
    try:
        while not decoder.eof:
            piece = decoder.decompress(waiting[:_SLICE], _PIECE)
            if not piece and not waiting:
                break
            waiting = waiting[min(_SLICE, len(waiting)) - len(decoder.unconsumed_tail) :]
            entries += piece
            if len(entries) > max_bytes:
                raise VerificationError("status_list.inflated_too_large")
    except zlib.error:
        # The error is raised below, outside of the handler: that of zlib says nothing more.
        waiting = memoryview(b"damaged")
    if not decoder.eof or decoder.unused_data or waiting:
        raise VerificationError("status_list.compression")
    return memoryview(entries).toreadonly()


def lifetime_of(*, ttl: float | None, exp: float | None, now: datetime) -> float:
    """Return the seconds after which a list should be fetched again (§11.5, §13.7).

    Args:
        ttl: what the list says, above 0.
        exp: when it ends; nobody waits for longer than that.
        now: when it was fetched, aware.

    Returns:
        From one minute to 24 hours, whatever the list says: no issuer can order a flood of requests.
    """
    lifetime = LIFETIME if ttl is None else ttl
    if exp is not None:
        lifetime = min(lifetime, exp - now.timestamp())
    return min(max(lifetime, LIFETIME_MIN), LIFETIME_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """A believed status list.

    Attributes:
        uri: its address, and its name in credentials.
        bits: how many stand for one entry: 1, 2, 4 or 8.
        entries: inflated, read-only; entry 0 is in the lowest bits of the first byte (§4.1).
        issued_at: ``iat``, seconds.
        expires_at: ``exp``, seconds, or ``None``.
        fetched_at: aware.
        lifetime: seconds from ``fetched_at`` after which a newer one should be fetched.
        holds_until: from this moment on it says nothing: ``exp``; without one, the end of its
            lifetime; and never more than 24 hours after that.
    """

    uri: str
    bits: int
    entries: memoryview = field(repr=False, hash=False)
    issued_at: float
    expires_at: float | None
    fetched_at: datetime
    lifetime: float
    holds_until: datetime = field(init=False)

    def __post_init__(self) -> None:
        until = self.fetched_at + timedelta(seconds=self.lifetime)
        if self.expires_at is not None:
            until = min(datetime.fromtimestamp(self.expires_at, UTC), until + STALE_LIMIT)
        object.__setattr__(self, "holds_until", until)

    def __len__(self) -> int:
        """Return the number of entries, those that nobody uses included."""
        return len(self.entries) * 8 // self.bits

    def status_at(self, idx: int) -> int:
        """Return the bare value of an entry, whatever it means.

        Args:
            idx: from a credential; believed as a whole number, and no further.

        Raises:
            RevocationError: ``status.index``, when there is no such entry (§8.3).
        """
        bits, entries = self.bits, self.entries
        place = idx * bits
        # A negative index would count from the end.
        if not 0 <= place >> 3 < len(entries):
            raise RevocationError("status.index")
        return entries[place >> 3] >> (place & 7) & (1 << bits) - 1


@dataclass(frozen=True, slots=True)
class StatusLists:
    """All lists that are known at one moment, by address; shared by threads, replaced as a whole.

    Attributes:
        by_uri: copied, so that nobody changes it later.
    """

    by_uri: Mapping[str, StatusList] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_uri", MappingProxyType(dict(self.by_uri)))

    def look_up(self, uri: object, idx: object, now: datetime) -> None:
        """Return if the credential with this address and index is valid, raise otherwise.

        Nothing is fetched for it, and neither argument is kept or shown (§13.8). That the credential
        itself is to be believed is *not* checked, and must have been before (§8.3).

        Args:
            uri: ``status_list.uri`` of a believed credential.
            idx: ``status_list.idx`` of the same.
            now: aware.

        Raises:
            RevocationError: ``status.list_unknown``, ``status.list_stale``, ``status.index``;
                ``status.invalid``, ``status.suspended``; ``status.value`` for a value that the
                profile gives no meaning (§7.1).
        """
        status_list = self.by_uri.get(uri) if isinstance(uri, str) else None
        if status_list is None:
            raise RevocationError("status.list_unknown")
        if now >= status_list.holds_until:
            raise RevocationError("status.list_stale")
        if type(idx) is not int:
            raise RevocationError("status.index")
        value = status_list.status_at(idx)
        if value != _VALID:
            raise RevocationError(_MEANINGS.get(value, "status.value"))
