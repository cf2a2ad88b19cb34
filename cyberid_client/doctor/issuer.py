"""Ask the issuer what a login would ask, and look at what came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from cyberid_client.client import Client
from cyberid_client.config import RelyingParty
from cyberid_client.doctor.findings import Finding, bad, good, of_error, warning
from cyberid_client.doctor.ways_in import look_at_issuer_of_ways_in
from cyberid_client.errors import CyberIDError
from cyberid_client.health import Health
from cyberid_client.ports import HTTPRequest, HTTPResponse, Transport

__all__ = ["ObservedTransport", "look_at_issuer"]

SOON: Final = timedelta(days=90)
SIGNER_SOON: Final = timedelta(days=3)


class ObservedTransport:
    """Pass requests on, and remember what was asked and when the issuer says that it was.

    Args:
        inner: does the work.
        now: this machine's clock.
    """

    def __init__(self, inner: Transport, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._now = now
        self.purposes: list[str] = []
        self.ahead_by: timedelta | None = None

    def send(self, request: HTTPRequest) -> HTTPResponse:
        """Send the request."""
        before = self._now()
        response = self._inner.send(request)
        self.purposes.append(request.purpose)
        middle = before + (self._now() - before) / 2
        date = _date_of(response)
        if date is not None:
            self.ahead_by = middle - date
        return response

    def close(self) -> None:
        """Give back connections."""
        self._inner.close()


def _date_of(response: HTTPResponse) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
    except (AttributeError, TypeError, ValueError, OverflowError):
        # What is no date, or none that a datetime can hold; a foreign transport may have brought it.
        return None
    return date if date.tzinfo is not None else None


def look_at_issuer(
    rp: RelyingParty, client: Client, transport: ObservedTransport, *, now: datetime, handshake: bool
) -> Iterator[Finding]:
    """Fetch metadata, keys and revocation lists, and push one request that nobody follows.

    Args:
        rp: the configuration.
        client: of this configuration, over ``transport``.
        transport: observed.
        now: this machine's time.
        handshake: push the request.
    """
    failure: CyberIDError | None = None
    try:
        client.refresh()
    except CyberIDError as error:
        failure = error
    yield _clock(rp, transport.ahead_by)
    if failure is not None:
        yield of_error("issuer", failure)
        return
    yield good("issuer", f"Metadata, keys and revocation lists came: {len(transport.purposes)} requests.")
    yield from _ends(client.health(), now)
    yield from look_at_issuer_of_ways_in(rp, client, client.health(), now=now)
    if handshake:
        yield _pushed(client)


def _clock(rp: RelyingParty, ahead_by: timedelta | None) -> Finding:
    if ahead_by is None:
        return warning(
            "clock", "The issuer's answers named no time.", "Compare this machine's clock with another."
        )
    # The Date header has whole seconds, and the answer was on its way.
    seconds = ahead_by.total_seconds()
    apart = f"It is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the issuer's."
    if abs(seconds) > rp.clock_leeway + 1:
        return bad("clock", apart, "Set this machine's clock, and keep it set with NTP.")
    if abs(seconds) > rp.clock_leeway / 2 + 1:
        return warning("clock", apart, "Keep this machine's clock set with NTP.")
    return good("clock", apart)


def _ends(health: Health, now: datetime) -> Iterator[Finding]:
    for anchor in health.anchors:
        yield _end(
            f"root {anchor.sha256[:8]}",
            anchor.expires_at,
            now,
            SOON,
            "Pin the platform's next root beside it.",
        )
    if health.signer_expires_at is not None:
        yield _end(
            "signer",
            health.signer_expires_at,
            now,
            SIGNER_SOON,
            "Ask the issuer when it renews its certificate.",
        )
    if health.metadata_expire_at is not None:
        yield _end("metadata", health.metadata_expire_at, now, timedelta(0), "Tell the issuer.")
    if health.lists_until is not None:
        yield _end("revocation lists", health.lists_until, now, timedelta(0), "Tell the issuer.")


def _end(subject: str, end: datetime, now: datetime, early: timedelta, advice: str) -> Finding:
    says = f"Good until {end:%Y-%m-%d %H:%M} UTC."
    if now >= end:
        return bad(subject, f"Ended at {end:%Y-%m-%d %H:%M} UTC.", advice)
    return warning(subject, says, advice) if now >= end - early else good(subject, says)


def _pushed(client: Client) -> Finding:
    try:
        client.start_login()
    except CyberIDError as error:
        return of_error("handshake", error)
    return good("handshake", "The issuer accepted a pushed request of this client; nobody follows it.")
