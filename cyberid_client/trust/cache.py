"""Verdicts on chains, kept as long as they hold."""

from __future__ import annotations

import hashlib
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.trust.profile import ChainProfile
from cyberid_client.trust.roots import TrustStore

if TYPE_CHECKING:
    from cyberid_client.trust.chains import Chain  # it imports this module

__all__ = ["ChainCache"]

_Key = tuple[bytes, str, ChainProfile]
_LENGTH_BYTES: Final = 4


class ChainCache:
    """A bounded cache of good verdicts, safe for threads; refusals are never kept.

    A verdict is found again only for the same bytes in the same order, an equal profile and the
    same set of roots, and only from the latest notBefore until before the earliest notAfter of its
    path. The table of algorithms is a constant of the process, so it is no part of the key.
    Revocation is not part of a verdict and is asked afresh on every hit.

    Args:
        max_entries: the least recently used verdict gives way to one more than this.

    Raises:
        ConfigurationError: ``config.value``, when ``max_entries`` is no positive number.
    """

    def __init__(self, max_entries: int = 256) -> None:
        if type(max_entries) is not int or max_entries < 1:
            raise ConfigurationError("config.value", "max_entries")
        self._max_entries = max_entries
        self._start_empty()
        _caches.add(self)

    def _start_empty(self) -> None:
        self._entries: OrderedDict[_Key, Chain] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    @staticmethod
    def key(leaf: bytes, intermediates: Sequence[bytes], trust: TrustStore, profile: ChainProfile) -> _Key:
        """Return the key of one question: exact bytes with their borders, roots, profile."""
        return _digest((leaf, *intermediates)), trust.fingerprint, profile

    def get(self, key: _Key, *, now: datetime) -> Chain | None:
        """Return the verdict if it is here and holds at ``now`` (aware)."""
        with self._lock:
            chain = self._entries.get(key)
            if chain is None or not chain.not_before <= now < chain.not_after:
                return None
            self._entries.move_to_end(key)
            return chain

    def put(self, key: _Key, chain: Chain) -> None:
        """Keep a verdict, in place of the least recently used one if there is no more room."""
        with self._lock:
            self._entries[key] = chain
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)


# An issuer sends the same chain with every token, and hashing it is most of a hit.
@lru_cache(maxsize=8)
def _digest(certificates: tuple[bytes, ...]) -> bytes:
    digest = hashlib.sha256()
    for der in certificates:
        digest.update(len(der).to_bytes(_LENGTH_BYTES, "big") + der)
    return digest.digest()


_caches: weakref.WeakSet[ChainCache] = weakref.WeakSet()


def _start_children_empty() -> None:
    for cache in _caches:
        cache._start_empty()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child, and
# the entries may be half changed; a verdict is soon made again.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_children_empty)
