"""The line to the issuer: clock, randomness and transport, and the small driver that runs flows over them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from cyberid_client.config import RelyingParty
from cyberid_client.errors import ConfigurationError
from cyberid_client.handshake.flow import Answer, Flow, KeysWanted, ListsWanted, SignatureWanted, Signed
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
from cyberid_client.ports import Clock, HTTPRequest, HTTPResponse, Transport
from cyberid_client.trust import ChainCache, IssuedCertificate, KeySet, RevocationLists, StatusList

__all__ = ["Environment", "IssuerLink", "system_clock"]

T = TypeVar("T")

logger: Final = logging.getLogger("cyberid_client")


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
    """Run flows: send what they ask for and give back what came, until they return or raise.

    Args:
        rp: who asks, whom, and what is believed.
        transport: HTTP to the issuer.
        env: clock and randomness.
        cache: remembers chain verdicts.

    Attributes:
        rp: as given; replaced whole when the roots change.
    """

    def __init__(
        self, rp: RelyingParty, *, transport: Transport, env: Environment, cache: ChainCache
    ) -> None:
        self.rp = rp
        self._transport = transport
        self._env = env
        self._cache = cache

    def now(self) -> datetime:
        """Return the current time."""
        return self._env.now()

    def jitter(self) -> float:
        """Return a random number from 0 to 1."""
        return self._env.token(1)[0] / 255

    def fetch_metadata(
        self,
        newest_iat: float | None,
        crls: RevocationLists,
        newer_lists: Callable[[ListsWanted], RevocationLists],
    ) -> FetchedMetadata:
        """Fetch and believe the metadata, or raise."""
        flow = fetch_metadata(self.rp, self._env, newest_iat=newest_iat, cache=self._cache, crls=crls)
        return self.run(flow, newer_lists=newer_lists)

    def fetch_keys(self, metadata: IssuerMetadata) -> FetchedKeys:
        """Fetch the key set, or raise."""
        return self.run(fetch_key_set(metadata))

    def paths_of(self, metadata: IssuerMetadata, keys: KeySet) -> tuple[IssuedCertificate, ...]:
        """Return what revocation lists must answer for: the paths of the metadata and of the keys."""
        if self.rp.revocation.name == "off":
            return ()
        published = paths_of(keys, rp=self.rp, now=self.now(), cache=self._cache)
        return tuple(dict.fromkeys((*metadata.path, *published)))

    def fetch_lists(self, certificates: Iterable[IssuedCertificate], known: RevocationLists) -> FetchedLists:
        """Fetch the revocation lists that answer for these certificates."""
        return self.run(fetch_lists(self.rp, self._env, certificates, known))

    def fetch_status_aggregation(self, metadata: IssuerMetadata) -> tuple[str, ...]:
        """Fetch the addresses of all status lists, or raise."""
        return self.run(fetch_status_aggregation(self.rp, metadata))

    def fetch_status_list(self, uri: str, newest_iat: float | None) -> StatusList:
        """Fetch and believe one status list, or raise."""
        flow = fetch_status_list(self.rp, self._env, uri, newest_iat=newest_iat, cache=self._cache)
        return self.run(flow)

    def close(self) -> None:
        """Give back connections."""
        self._transport.close()

    def run(
        self,
        flow: Flow[T],
        newer_keys: Callable[[KeysWanted], KeySet] | None = None,
        newer_lists: Callable[[ListsWanted], RevocationLists] | None = None,
    ) -> T:
        """Drive a flow.

        Args:
            flow: not started yet.
            newer_keys: answers a flow that asks for keys; without it the keys that were tried stay.
            newer_lists: likewise for revocation lists.
        """
        try:
            effect = next(flow)
            while True:
                if isinstance(effect, HTTPRequest):
                    answer: Answer = self._send(effect)
                elif isinstance(effect, SignatureWanted):
                    answer = _sign(effect)
                elif isinstance(effect, KeysWanted):
                    answer = effect.tried if newer_keys is None else newer_keys(effect)
                else:
                    answer = effect.tried if newer_lists is None else newer_lists(effect)
                effect = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def _send(self, request: HTTPRequest) -> HTTPResponse:
        try:
            response = self._transport.send(request)
        except Exception as error:  # noqa: BLE001 - also StopIteration must not end a flow as if it had returned
            logger.warning("transport raised %s: purpose=%s", type(error).__name__, request.purpose)
            return HTTPResponse(status=0, url=request.url, error="transport.failed")
        if not _is_response(response):
            logger.warning("transport answered with something else: purpose=%s", request.purpose)
            return HTTPResponse(status=0, url=request.url, error="transport.failed")
        logger.debug("sent %s: status=%s error=%s", request.purpose, response.status, response.error)
        return response


def _sign(wanted: SignatureWanted) -> Signed:
    try:
        signature = wanted.signer.sign(wanted.message)
    except Exception as error:  # noqa: BLE001 - a signer that somebody else wrote may raise anything
        logger.warning("signer raised %s", type(error).__name__)
        return Signed(b"")
    return Signed(signature if isinstance(signature, bytes) else b"")


def _is_response(value: object) -> bool:
    """Tell whether a transport that somebody else may have written kept to its port."""
    if not isinstance(value, HTTPResponse):
        return False
    parts: tuple[tuple[object, type], ...] = (
        (value.status, int),
        (value.body, bytes),
        (value.headers, Mapping),
    )
    return all(isinstance(part, kind) for part, kind in parts)
