"""Count what is asked of the issuer."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping

from cyberid_client.ports import AsyncTransport, HTTPRequest, HTTPResponse, Transport

__all__ = ["AsyncCounted", "Counted", "Outbound"]


class Outbound(Mapping[str, int]):
    """How many requests were sent to the issuer, by purpose, whatever came of them.

    The purposes are those of :class:`cyberid_client.ports.HTTPRequest`; one that was never asked for counts
    0 and is not listed. What a shared cache answered was not sent.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._reset_locks()
        _all.add(self)

    def _reset_locks(self) -> None:
        self._lock = threading.Lock()

    def __getitem__(self, purpose: str) -> int:
        return self._counts.get(purpose, 0)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._counts))

    def __len__(self) -> int:
        return len(self._counts)

    # A counter is itself and changes; two of them are never the same.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Outbound({self._counts})"

    @property
    def total(self) -> int:
        """How many requests were sent in all."""
        return sum(dict(self._counts).values())

    def count(self, purpose: str) -> None:
        """Add one."""
        with self._lock:
            self._counts[purpose] = self._counts.get(purpose, 0) + 1


class Counted:
    """Pass requests on to a transport, and count them.

    Args:
        transport: sends them.
        outbound: counts.
    """

    def __init__(self, transport: Transport, outbound: Outbound) -> None:
        self._transport = transport
        self._outbound = outbound

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """As :meth:`cyberid_client.ports.Transport.send`."""
        self._outbound.count(request.purpose)
        return self._transport.send(request)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class AsyncCounted:
    """The same, awaited.

    Args:
        transport: as for :class:`Counted`.
        outbound: likewise.
    """

    def __init__(self, transport: AsyncTransport, outbound: Outbound) -> None:
        self._transport = transport
        self._outbound = outbound

    async def send(self, request: HTTPRequest) -> HTTPResponse:
        """As :meth:`cyberid_client.ports.AsyncTransport.send`."""
        self._outbound.count(request.purpose)
        return await self._transport.send(request)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


_all: weakref.WeakSet[Outbound] = weakref.WeakSet()


def _reset_in_child() -> None:
    for outbound in _all:
        outbound._reset_locks()  # noqa: SLF001 - this module's own class


# A lock that another thread held at the moment of the fork would never be released in the child.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
