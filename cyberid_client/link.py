"""The line to the issuer: clock, randomness, and the flows that ask the issuer for documents."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from cyberid_client.config import RelyingParty
from cyberid_client.errors import ConfigurationError, VerificationError
from cyberid_client.handshake.flow import Flow
from cyberid_client.handshake.metadata import (
    FetchedKeys,
    FetchedMetadata,
    IssuerMetadata,
    fetch_key_set,
    fetch_metadata,
    paths_of,
)
from cyberid_client.handshake.revocation import FetchedLists, fetch_lists
from cyberid_client.handshake.status_list import fetch_status_aggregation, fetch_status_list
from cyberid_client.ports import Clock
from cyberid_client.trust import ChainCache, IssuedCertificate, KeySet, RevocationLists, StatusList

__all__ = ["Environment", "IssuerLink", "system_clock"]

T = TypeVar("T")


def system_clock() -> datetime:
    """Return the system's time, aware, UTC."""
    return datetime.now(UTC)


class Environment:
    """Time and randomness for the flows."""

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time.

        Raises:
            ConfigurationError: the app's clock gives times without a time zone.
        """
        now = self._clock()
        if now.tzinfo is None:
            raise ConfigurationError("time.naive", "clock")
        return now.astimezone(UTC)

    def token(self, nbytes: int) -> bytes:
        """Return ``nbytes`` from the system's random source."""
        return secrets.token_bytes(nbytes)


class IssuerLink:
    """Begin the flows that ask the issuer for documents; whoever holds a driver runs them.

    After a document was refused, only newer ones will do: a cache that a fleet shares must not bring the bad
    one back for as long as it claims to be fresh.

    Args:
        rp: who asks, whom, and what is believed.
        env: clock and randomness.
        cache: remembers chain verdicts.

    Attributes:
        rp: as given; replaced whole when the roots change.
    """

    def __init__(self, rp: RelyingParty, *, env: Environment, cache: ChainCache) -> None:
        self.rp = rp
        self._env = env
        self._cache = cache
        self._refused_at: float | None = None

    def now(self) -> datetime:
        """Return the current time."""
        return self._env.now()

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        return self._env.token(1)[0] / 255

    def fetch_metadata(
        self, newest_iat: float | None, crls: RevocationLists, newer_than: float | None
    ) -> Flow[FetchedMetadata]:
        """Fetch and believe the metadata, or raise."""
        return self._noting(
            fetch_metadata(
                self.rp,
                self._env,
                newest_iat=newest_iat,
                cache=self._cache,
                crls=crls,
                newer_than=self._newer_than(newer_than),
            )
        )

    def fetch_keys(self, metadata: IssuerMetadata, newer_than: float | None) -> Flow[FetchedKeys]:
        """Fetch the key set, or raise."""
        return self._noting(fetch_key_set(metadata, newer_than=self._newer_than(newer_than)))

    def paths_of(self, metadata: IssuerMetadata, keys: KeySet) -> tuple[IssuedCertificate, ...]:
        """Return what revocation lists must answer for: the paths of the metadata and of the keys."""
        if self.rp.revocation.name == "off":
            return ()
        published = paths_of(keys, rp=self.rp, now=self.now(), cache=self._cache)
        return tuple(dict.fromkeys((*metadata.path, *published)))

    def fetch_lists(
        self, certificates: Iterable[IssuedCertificate], known: RevocationLists
    ) -> Flow[FetchedLists]:
        """Fetch the revocation lists that answer for these certificates."""
        fetched = yield from fetch_lists(self.rp, self._env, certificates, known, refused_at=self._refused_at)
        if fetched.refused:
            self._refused_at = self._env.now().timestamp()
        return fetched

    def fetch_status_aggregation(
        self, metadata: IssuerMetadata, newer_than: float | None
    ) -> Flow[tuple[str, ...]]:
        """Fetch the addresses of all status lists, or raise."""
        return self._noting(
            fetch_status_aggregation(self.rp, metadata, newer_than=self._newer_than(newer_than))
        )

    def fetch_status_list(self, uri: str, known: StatusList | None) -> Flow[StatusList]:
        """Fetch and believe one status list, newer than the one that is known, or raise."""
        return self._noting(
            fetch_status_list(
                self.rp,
                self._env,
                uri,
                newest_iat=None if known is None else known.issued_at,
                newer_than=self._newer_than(None if known is None else known.fetched_at.timestamp()),
                cache=self._cache,
            )
        )

    def _newer_than(self, known_at: float | None) -> float | None:
        moments = [at for at in (known_at, self._refused_at) if at is not None]
        return max(moments, default=None)

    def _noting(self, flow: Flow[T]) -> Flow[T]:
        try:
            return (yield from flow)
        except VerificationError:
            self._refused_at = self._env.now().timestamp()
            raise
