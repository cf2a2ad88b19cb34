"""The ticket office's counter, without a login: what the database allows, and what a session is."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select
from tickets.office import AlreadyHasOneError, Office, SoldOutError
from tickets.stores import open_stores
from tickets.tables import EVENTS, HOLDERS, TICKETS

from cyberid_client import PseudonymKeys
from cyberid_client.models import Pseudonym


@pytest.fixture
def play(tmp_path):
    """Give a function that plays a scene in an office of its own, and returns what came of it."""

    def run(scene):
        async def whole():
            stores = open_stores(f"sqlite:///{tmp_path / 'tickets.sqlite3'}")
            try:
                await stores.open()
                office = Office(stores.engine)
                await office.open()
                return await scene(office, stores.engine)
            finally:
                await stores.close()

        return asyncio.run(whole())

    return run


async def count(engine, table):
    """Return how many rows there are."""
    async with engine.connect() as db:
        return (await db.execute(select(func.count()).select_from(table))).scalar_one()


class TestOneTicketEach:
    def test_a_second_ticket_for_the_same_event_is_refused(self, play):
        """A person gets one ticket per event, and the seat of the refused one stays on sale."""

        async def scene(office, _engine):
            holder = await office.holder_of(["k1.made-up"])
            await office.sell("lanterns", holder)
            with pytest.raises(AlreadyHasOneError):
                await office.sell("lanterns", holder)
            await office.sell("erhu", holder)
            return (await office.event("lanterns")).seats_left, len(await office.tickets_of(holder))

        assert (199, 2) == play(scene)

    def test_of_many_requests_at_once_one_gets_a_ticket(self, play):
        """Ten requests of one person at the same moment sell one ticket and one seat."""

        async def scene(office, engine):
            holder = await office.holder_of(["k1.made-up"])
            sold = await asyncio.gather(
                *(office.sell("lanterns", holder) for _ in range(10)), return_exceptions=True
            )
            kinds = sorted(type(each).__name__ for each in sold)
            return kinds, await count(engine, TICKETS), (await office.event("lanterns")).seats_left

        assert (["AlreadyHasOneError"] * 9 + ["str"], 1, 199) == play(scene)

    def test_the_same_person_at_two_counters_is_one_person(self, play):
        """Who comes twice for the first time, at the same moment, is one holder."""

        async def scene(office, engine):
            found = await asyncio.gather(*(office.holder_of(["k1.made-up"]) for _ in range(5)))
            return len(set(found)), await count(engine, HOLDERS)

        assert (1, 1) == play(scene)

    def test_a_change_of_key_makes_nobody_a_second_person(self, play):
        """A holder is found under an old key, and written anew under the newest."""
        person = Pseudonym("made-up", issuer="https://issuer.example", sector="https://tickets.example")

        def digests(keys):
            return [str(person.digest(keys, key_id=each)) for each in keys.ids]

        async def scene(office, engine):
            first = await office.holder_of(digests(PseudonymKeys({"k1": b"1" * 32})))
            again = await office.holder_of(digests(PseudonymKeys({"k2": b"2" * 32, "k1": b"1" * 32})))
            later = await office.holder_of(digests(PseudonymKeys({"k2": b"2" * 32})))
            return len({first, again, later}), await count(engine, HOLDERS)

        assert (1, 1) == play(scene)

    def test_the_last_seat_is_sold_once(self, play):
        """Of many people who want the last seat at the same moment one gets it."""

        async def scene(office, _engine):
            people = [await office.holder_of([f"k1.made-up-{number}"]) for number in range(5)]
            sold = await asyncio.gather(
                *(office.sell("dawn", each) for each in people), return_exceptions=True
            )
            return sorted(type(each).__name__ for each in sold), (await office.event("dawn")).seats_left

        assert (["SoldOutError"] * 4 + ["str"], 0) == play(scene)

    def test_there_are_no_tickets_for_what_is_not_on(self, play):
        """An event that is in nobody's programme has no seats."""

        async def scene(office, _engine):
            with pytest.raises(SoldOutError):
                await office.sell("the moon", await office.holder_of(["k1.made-up"]))
            return await office.event("the moon")

        assert play(scene) is None


class TestAfterTheSale:
    def test_a_ticket_lets_its_holder_in_once(self, play):
        """The second time at the gate, and without a ticket, nobody is let in."""

        async def scene(office, _engine):
            holder, other = [await office.holder_of([f"k1.made-up-{number}"]) for number in range(2)]
            await office.sell("erhu", holder)
            asked = (holder, holder, other)
            return [await office.admit("erhu", each, now=7) for each in asked]

        assert [True, False, False] == play(scene)

    def test_a_ticket_that_is_given_back_puts_its_seat_on_sale(self, play):
        """The holder gives it back once, nobody else does, and a used one stays used."""

        async def scene(office, _engine):
            holder, other = [await office.holder_of([f"k1.made-up-{number}"]) for number in range(2)]
            ticket = await office.sell("dawn", holder)
            given = [await office.refund(ticket, each) for each in (other, holder, holder)]
            seats = (await office.event("dawn")).seats_left
            used = await office.sell("dawn", holder)
            await office.admit("dawn", holder, now=7)
            return given, seats, await office.refund(used, holder)

        assert ([False, True, False], 1, False) == play(scene)

    def test_nobody_sees_the_ticket_of_another(self, play):
        """A ticket's number shows it to its holder only."""

        async def scene(office, _engine):
            holder, other = [await office.holder_of([f"k1.made-up-{number}"]) for number in range(2)]
            ticket = await office.sell("erhu", holder)
            return (await office.ticket(ticket, holder)).id == ticket, await office.ticket(ticket, other)

        assert (True, None) == play(scene)

    def test_the_programme_is_written_once(self, play):
        """An office that opens again finds the seats as they were."""

        async def scene(office, engine):
            await office.sell("erhu", await office.holder_of(["k1.made-up"]))
            await office.open()
            return await count(engine, EVENTS), (await office.event("erhu")).seats_left

        assert (3, 39) == play(scene)


def test_many_processes_may_open_at_once(tmp_path):
    """Offices that open the same empty database at the same moment all open, and the programme is there once."""

    async def scene():
        offices = [open_stores(f"sqlite:///{tmp_path / 'tickets.sqlite3'}") for _ in range(4)]
        await asyncio.gather(*(each.open() for each in offices))
        await asyncio.gather(*(Office(each.engine).open() for each in offices))
        found = await count(offices[0].engine, EVENTS)
        await asyncio.gather(*(each.close() for each in offices))
        return found

    assert 3 == asyncio.run(scene())


def test_logins_under_way_may_wait_in_redis():
    """Where a Redis server is named, the database holds what the office keeps, and nothing of the library's."""
    stores = open_stores("sqlite://", "redis://127.0.0.1:1/0")
    assert "AsyncRedisPendingStore" == type(stores.pending).__name__
    asyncio.run(stores.close())
