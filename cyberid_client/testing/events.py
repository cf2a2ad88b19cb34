"""Security events about accounts, pushed to apps (RFC 8417, RFC 8935, RFC 9493).

The token has ``typ: secevent+jwt``, is signed by the signer of assertions and carries its chain. Its
claims, and no others::

    {
      "iss": the issuer,
      "iat": when it was made,
      "jti": its own name, the same in every repetition,
      "aud": the client id,
      "sub_id": {"format": "iss_sub", "iss": the issuer, "sub": the pseudonym in the client's sector},
      "events": {"urn:cyberid:event:account-state": {"state": ..., "reason": ..., "seq": ...}}
    }

There is no ``exp``, because an event stays true (RFC 8417 §2.2), and no ``sub``, so that none can be taken
for an assertion (RFC 8417 §4.5, RFC 9493 §4.1). ``events`` has exactly one member. ``state`` is the *resulting*
state: ``active``, ``frozen``, ``cancelled``, ``replaced`` or ``device-changed``; ``reason`` one word of at most
64 characters ``[A-Za-z0-9_.:-]``; ``seq`` a whole number that counts the states of this pseudonym from 1, so
that late, doubled and reordered events end right. All clients of a sector share the count.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from typing import Final

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import Clock
from cyberid_client.testing.arming import Arming
from cyberid_client.testing.clients import ClientDesk
from cyberid_client.testing.delivery import Delivery, PostDraft, Posting, hold_back
from cyberid_client.testing.keyring import Keyring
from cyberid_client.testing.logout import Courier, draft_notice
from cyberid_client.testing.people import PEOPLE, pseudonym_of
from cyberid_client.testing.registration import RegisteredClient

__all__ = ["ACCOUNT_STATES", "ACCOUNT_STATE_EVENT", "EventDesk"]

ACCOUNT_STATE_EVENT: Final = "urn:cyberid:event:account-state"
ACCOUNT_STATES: Final = ("active", "frozen", "cancelled", "replaced", "device-changed")
_MEDIA_TYPE: Final = "application/secevent+jwt"


class EventDesk:
    """Make security events, and deliver them now, late, twice or in another order.

    Args:
        keyring: the issuer's keys.
        clients: the registered clients.
        clock: aware, UTC.
        arming: the faults.
        lock: the issuer's; held while events are made.
        courier: who carries them.
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        clients: ClientDesk,
        clock: Clock,
        arming: Arming,
        lock: threading.RLock,
        courier: Courier,
    ) -> None:
        self._keyring = keyring
        self._clients = clients
        self._clock = clock
        self._arming = arming
        self._lock = lock
        self._courier = courier
        self._counts: dict[str, int] = {}
        self._previous: dict[str, object] = {}
        self._held: list[Posting] = []
        self._failed: list[Posting] = []
        self._is_holding = False

    @property
    def waiting(self) -> tuple[Posting, ...]:
        """What :meth:`release` will send, in the order in which it was made."""
        with self._lock:
            return tuple(self._held)

    @property
    def failed(self) -> tuple[Posting, ...]:
        """What :meth:`retry` will send once more: neither taken nor refused for good."""
        with self._lock:
            return tuple(self._failed)

    def hold(self) -> None:
        """Let events wait from now on, as if the way to the apps were cut."""
        with self._lock:
            self._is_holding = True

    def release(self, order: str | Iterable[int] = "made") -> tuple[Delivery, ...]:
        """Send what waits and hold nothing back any more.

        Args:
            order: ``made``, ``reversed``, or positions in :attr:`waiting`: one that stands there twice is
                sent twice, one that does not stand there never.

        Raises:
            ConfigurationError: ``config.value``: another word, or there is no such position.
        """
        with self._lock:
            positions = self._positions(order)
            postings = [self._held[position] for position in positions]
            self._held.clear()
            self._is_holding = False
        return tuple(self.send(posting) for posting in postings)

    def retry(self) -> tuple[Delivery, ...]:
        """Send what failed once more: the same bytes, and so the same ``jti``."""
        with self._lock:
            postings, self._failed = self._failed, []
        return tuple(self.send(posting) for posting in postings)

    def send(self, posting: Posting) -> Delivery:
        """Send an event now, or let it wait while :meth:`hold` is in force; keep one that failed."""
        with self._lock:
            if self._is_holding:
                self._held.append(posting)
                return hold_back(posting)
        delivery = self._courier.carry(posting)
        # An app that says so could not judge or keep it now, and has nothing against the event itself.
        for_now = delivery.err == "authentication_failed"
        if not delivery.accepted and (for_now or not delivery.refused):
            with self._lock:
                self._failed.append(posting)
        return delivery

    def make(self, person: str, *, client_id: str, state: str, reason: str, sequence: int | None) -> Posting:
        """Make the event and the request around it; nothing is sent.

        Args:
            person: a key of ``MockIssuer.people``.
            client_id: whose app it is for.
            state: the resulting state.
            reason: one word.
            sequence: ``None`` for the next number of this pseudonym; else this one, and the count goes on
                from it when it is higher.

        Raises:
            ConfigurationError: ``testing.unknown_person``; ``config.value``: there is
                no such state.
        """
        with self._lock:
            client = self._clients.find(client_id)
            if person not in PEOPLE:
                raise ConfigurationError("testing.unknown_person")
            if client is None:
                raise ConfigurationError("config.value", "client_id")
            if state not in ACCOUNT_STATES:
                raise ConfigurationError("config.value", "state")
            subject = pseudonym_of(PEOPLE[person], client.sector)
            count = self._counts.get(subject, 0)
            number = count + 1 if sequence is None else sequence
            self._counts[subject] = max(count, number)
            return self._write(client, subject, {"state": state, "reason": reason, "seq": number})

    def _write(self, client: RegisteredClient, subject: str, event: dict[str, object]) -> Posting:
        now, jti, issuer = self._clock(), secrets.token_urlsafe(24), self._keyring.issuer
        claims: dict[str, object] = {
            "iss": issuer,
            "iat": int(now.timestamp()),
            "jti": jti,
            "aud": client.client_id,
            "sub_id": {"format": "iss_sub", "iss": issuer, "sub": subject},
            "events": {ACCOUNT_STATE_EVENT: event},
        }
        draft = draft_notice(
            self._keyring, typ="secevent+jwt", claims=claims, previous=self._previous, now=now
        )
        self._previous = dict(claims)
        self._arming.apply("secevent", draft)
        token = draft.encode()
        request = PostDraft(content_type=_MEDIA_TYPE, body=token.encode(), keyring=self._keyring, now=now)
        self._arming.apply("event_delivery", request)
        return Posting(
            kind="event",
            client_id=client.client_id,
            uri=client.events_uri,
            content_type=request.content_type,
            body=request.body,
            token=token,
            jti=jti,
        )

    def _positions(self, order: str | Iterable[int]) -> list[int]:
        if isinstance(order, str):
            if order not in {"made", "reversed"}:
                raise ConfigurationError("config.value", "order")
            made = list(range(len(self._held)))
            return made if order == "made" else made[::-1]
        positions = list(order)
        if not set(positions) <= set(range(len(self._held))):
            raise ConfigurationError("config.value", "order")
        return positions
