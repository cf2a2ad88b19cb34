"""The office: events, holders, and tickets, of which nobody has two for the same event."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .tables import EVENTS, HOLDERS, TICKETS

# No 0, O, 1 or I: somebody may read it out.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
ID_LENGTH = 8

# What is on.
PROGRAMME = (
    ("lanterns", "The Night of a Thousand Lanterns", "West Lake stage", "2031-10-01 19:30", 200),
    ("erhu", "An Evening of Erhu", "Old Tea House", "2031-10-03 20:00", 40),
    ("dawn", "Dawn Choir", "City Wall, South Gate", "2031-10-05 06:00", 1),
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that one can go to."""

    id: str
    title: str
    place: str
    starts: str
    seats_left: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A seat for one person, who alone can use it.

    Attributes:
        id: eight letters and digits; it opens nothing, because the gate asks who comes.
        event: what it is for.
        holder_id: whose it is.
        admitted_at: seconds since 1970, or ``None`` while nobody was let in with it.
    """

    id: str
    event: Event
    holder_id: str
    admitted_at: int | None


class AlreadyHasOneError(Exception):
    """This person has a ticket for this event."""


class SoldOutError(Exception):
    """There is no seat left, or no such event."""


class Office:
    """What can be done at the counter; each call is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def open(self) -> None:
        """Write down the programme, as far as it is not there yet."""
        try:
            async with self._engine.begin() as db:
                known = set((await db.execute(select(EVENTS.c.id))).scalars())
                rows = [
                    dict(zip(EVENTS.c.keys(), row, strict=True)) for row in PROGRAMME if row[0] not in known
                ]
                if rows:
                    await db.execute(insert(EVENTS), rows)
        except IntegrityError:  # Another process did, at the same moment.
            return

    async def events(self) -> list[Event]:
        """Return all that is on."""
        async with self._engine.connect() as db:
            return [_event(row) for row in await db.execute(select(EVENTS).order_by(EVENTS.c.starts))]

    async def event(self, event_id: str) -> Event | None:
        """Return one event."""
        async with self._engine.connect() as db:
            row = (await db.execute(select(EVENTS).where(EVENTS.c.id == event_id))).first()
        return None if row is None else _event(row)

    async def holder_of(self, digests: Sequence[str]) -> str:
        """Return the office's own id of a person, a new one at the first visit.

        Args:
            digests: of one pseudonym, one under each key of the office, newest first. A record under an old
                key is written anew under the newest, so that a change of key makes nobody a second person.
        """
        try:
            return await self._find_or_add(digests)
        except IntegrityError:  # The same person came twice for the first time, at the same moment.
            return await self._find_or_add(digests)

    async def _find_or_add(self, digests: Sequence[str]) -> str:
        async with self._engine.begin() as db:
            found = await db.execute(select(HOLDERS).where(HOLDERS.c.pseudonym_digest.in_(digests)))
            row = found.first()
            if row is None:
                holder_id = secrets.token_hex(8)
                await db.execute(insert(HOLDERS).values(id=holder_id, pseudonym_digest=digests[0]))
                return holder_id
            if row.pseudonym_digest != digests[0]:
                renewed = update(HOLDERS).where(HOLDERS.c.id == row.id)
                await db.execute(renewed.values(pseudonym_digest=digests[0]))
            return str(row.id)

    async def sell(self, event_id: str, holder_id: str) -> str:
        """Sell one seat to one person, and return the ticket's id.

        Raises:
            AlreadyHasOneError: the database knows of a ticket of this person for this event.
            SoldOutError: likewise of no seat.
        """
        ticket_id = "".join(secrets.choice(LETTERS) for _ in range(ID_LENGTH))
        row = {"id": ticket_id, "event_id": event_id, "holder_id": holder_id}
        try:
            async with self._engine.begin() as db:
                # The seat first: SQLite then waits for other writers here, and never in between.
                await self._take_seat(db, event_id)
                await db.execute(insert(TICKETS).values(row))
        except IntegrityError:
            raise AlreadyHasOneError from None
        return ticket_id

    @staticmethod
    async def _take_seat(db: AsyncConnection, event_id: str) -> None:
        seat = update(EVENTS).where(EVENTS.c.id == event_id, EVENTS.c.seats_left > 0)
        taken = await db.execute(seat.values(seats_left=EVENTS.c.seats_left - 1).returning(EVENTS.c.id))
        if taken.first() is None:
            raise SoldOutError

    async def tickets_of(self, holder_id: str) -> list[Ticket]:
        """Return a person's tickets."""
        return await self._tickets(_TICKETS.where(TICKETS.c.holder_id == holder_id))

    async def ticket(self, ticket_id: str, holder_id: str) -> Ticket | None:
        """Return a ticket, to its holder only."""
        wanted = _TICKETS.where(TICKETS.c.id == ticket_id, TICKETS.c.holder_id == holder_id)
        return next(iter(await self._tickets(wanted)), None)

    async def ticket_for(self, event_id: str, holder_id: str) -> Ticket | None:
        """Return a person's ticket for an event: what the gate wants to know."""
        wanted = _TICKETS.where(TICKETS.c.event_id == event_id, TICKETS.c.holder_id == holder_id)
        return next(iter(await self._tickets(wanted)), None)

    async def admit(self, event_id: str, holder_id: str, *, now: int) -> bool:
        """Let a person in, once; return whether this was the time."""
        mine = TICKETS.c.event_id == event_id, TICKETS.c.holder_id == holder_id
        entry = update(TICKETS).where(*mine, TICKETS.c.admitted_at.is_(None)).values(admitted_at=now)
        async with self._engine.begin() as db:
            return (await db.execute(entry.returning(TICKETS.c.id))).first() is not None

    async def refund(self, ticket_id: str, holder_id: str) -> bool:
        """Take back a ticket that was not used, and put its seat on sale; return whether there was one."""
        mine = TICKETS.c.id == ticket_id, TICKETS.c.holder_id == holder_id
        gone = delete(TICKETS).where(*mine, TICKETS.c.admitted_at.is_(None)).returning(TICKETS.c.event_id)
        async with self._engine.begin() as db:
            row = (await db.execute(gone)).first()
            if row is None:
                return False
            seat = update(EVENTS).where(EVENTS.c.id == row.event_id)
            await db.execute(seat.values(seats_left=EVENTS.c.seats_left + 1))
            return True

    async def _tickets(self, wanted: Select[tuple[str, ...]]) -> list[Ticket]:
        async with self._engine.connect() as db:
            rows = await db.execute(wanted)
            return [Ticket(row.ticket_id, _event(row), row.holder_id, row.admitted_at) for row in rows]


_TICKETS = (
    select(TICKETS.c.id.label("ticket_id"), TICKETS.c.holder_id, TICKETS.c.admitted_at, EVENTS)
    .join_from(TICKETS, EVENTS)
    .order_by(EVENTS.c.starts)
)


def _event(row: Row[tuple[str, ...]]) -> Event:
    return Event(row.id, row.title, row.place, row.starts, row.seats_left)
