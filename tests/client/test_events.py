"""Security events over real HTTP, into the app's own database: what ends right, and what is refused."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import create_async_engine

from cyberid_client import Client, ConfigurationError
from cyberid_client.aio import AsyncClient
from cyberid_client.notices import AccountStanding
from cyberid_client.stores.memory import MemoryReplayStore
from cyberid_client.stores.redis import RedisReplayStore
from cyberid_client.stores.sql import AsyncSQLReplayStore, SQLReplayStore
from cyberid_client.testing import EVENT_FAULTS, EVENT_ODDITIES, ManualClock, MockIssuer

from .conftest import START
from .notices import CLIENT_ID, App, AwaitedTransport, connect, log_in, served
from .test_logout import Nowhere

EVENT = "application/secevent+jwt"
STATES = ("active", "frozen", "cancelled", "replaced", "device-changed")

tables = MetaData()
accounts = Table(
    "accounts",
    tables,
    Column("person", String, primary_key=True),
    Column("state", String),
    Column("seq", Integer),
)


def write(state, transaction):
    """Write the state of an account as an app would, without looking at its number."""
    values = {"person": state.pseudonym.value, "state": state.state.value, "seq": state.sequence}
    row = insert(accounts).values(**values)
    transaction.execute(row.on_conflict_do_update(index_elements=["person"], set_=values))


def fail_after_writing(state, transaction):
    write(state, transaction)
    message = "the app's own mistake"
    raise RuntimeError(message)


class Database:
    """The app's own database, in which the replay store has its tables too."""

    def __init__(self, path):
        self.engine = create_engine(f"sqlite:///{path}")
        # No test cuts the power: nothing has to reach the disk.
        event.listen(
            self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF")
        )
        self.replay = SQLReplayStore(self.engine)
        self.replay.create_tables()
        tables.create_all(self.engine)

    def states(self):
        with self.engine.connect() as connection:
            return {row.person: (row.state, row.seq) for row in connection.execute(select(accounts))}

    def clear(self):
        with self.engine.begin() as connection:
            for table in (*self.replay.metadata.sorted_tables, accounts):
                connection.execute(delete(table))


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "app.sqlite")
    yield database
    database.engine.dispose()


@pytest.fixture
def app(issuer, clock, database):
    app = App(apply=write)
    with served(app):
        connect(app, issuer, clock, replay=database.replay)
        yield app


def told(issuer, **asked):
    """Let the issuer tell the app the state of the adult's account."""
    return issuer.send_event("adult", client_id=CLIENT_ID, **asked)


def person(issuer, name="adult"):
    return issuer.pseudonym(name, sector="https://shop.example")


def shown_locals(error):
    """Return what an error tracker would show of the library's frames."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return repr([frame.f_locals for frame in frames if "cyberid_client" in frame.f_globals["__name__"]])


class TestWhatIsApplied:
    def test_a_state_is_applied_in_the_transaction_of_its_key(self, app, issuer, database, caplog):
        """The app is handed the state and the open transaction, and answers exactly 202 with nothing."""
        caplog.set_level("DEBUG", "cyberid_client")
        login = log_in(app, issuer)
        delivery = told(issuer, state="frozen", reason="reported-lost")
        [state] = app.applied
        assert (login.pseudonym, AccountStanding.FROZEN, "reported-lost", 1, START) == (
            state.pseudonym,
            state.state,
            state.reason,
            state.sequence,
            state.issued_at,
        )
        assert (202, b"", ()) == (delivery.status, delivery.body, delivery.complaints)
        assert isinstance(app.transactions[0], Connection)
        assert {person(issuer): ("frozen", 1)} == database.states()
        assert "receive_event: ok" in caplog.text
        assert login.pseudonym.value not in caplog.text

    @pytest.mark.parametrize("state", STATES)
    def test_every_state_arrives(self, app, issuer, database, state):
        """Each of the five is the resulting state."""
        assert told(issuer, state=state).accepted
        assert {person(issuer): (state, 1)} == database.states()

    def test_replaced_names_the_old_pseudonym_only(self, app, issuer):
        """No event tells an app to link a new one: there is no place for it."""
        told(issuer, state="replaced")
        [state] = app.applied
        assert {"pseudonym", "state", "reason", "sequence", "issued_at"} == set(type(state).__slots__)

    def test_an_event_that_comes_again_has_no_second_effect(self, app, issuer):
        """The same bytes get the same answer."""
        posting = told(issuer, deliver=False)
        replies = [app.take("/events", posting.body, posting.content_type) for _ in range(3)]
        assert [(202, b"")] * 3 == [(reply.status, reply.body) for reply in replies]
        assert 1 == len(app.applied)

    @pytest.mark.parametrize("sequence", [0, 6, 7])
    def test_what_is_not_later_is_acknowledged_and_ignored(self, app, issuer, database, sequence):
        """A number below or equal to the last is no news, whatever it says."""
        assert told(issuer, state="frozen", sequence=7).accepted
        assert told(issuer, state="active", sequence=sequence).accepted
        assert {person(issuer): ("frozen", 7)} == database.states()
        assert told(issuer, state="active", sequence=8).accepted
        assert {person(issuer): ("active", 8)} == database.states()

    def test_people_have_counters_of_their_own(self, app, issuer, database):
        """The state of one says nothing about another."""
        told(issuer, state="frozen", sequence=9)
        issuer.send_event("teenager", client_id=CLIENT_ID, state="cancelled", sequence=1)
        assert {
            person(issuer): ("frozen", 9),
            person(issuer, "teenager"): ("cancelled", 1),
        } == database.states()

    def test_two_clients_of_a_sector_share_one_counter(self, app, issuer, clock, database):
        """The same state is told to both and takes effect once."""
        told(issuer, state="frozen", sequence=3)
        phone = App(apply=write, uri=app.uri)
        connect(phone, issuer, clock, replay=database.replay, client_id="phone")
        posting = issuer.send_event("adult", client_id="phone", state="frozen", sequence=3, deliver=False)
        assert 202 == phone.take("/events", posting.body, posting.content_type).status
        assert [] == phone.applied


class TestOneTransaction:
    def test_a_handler_that_raises_leaves_nothing_behind(self, app, issuer, database, caplog):
        """Neither its writes, nor the key, nor the counter stay; sent again, the event has its effect."""
        posting = told(issuer, state="frozen", deliver=False)
        app.apply = fail_after_writing
        reply = app.take("/events", posting.body, posting.content_type)
        assert (400, "webhook.handler_failed") == (reply.status, reply.code)
        assert "authentication_failed" == json.loads(reply.body)["err"]
        assert {} == database.states()
        app.apply = write
        assert 202 == app.take("/events", posting.body, posting.content_type).status
        assert {person(issuer): ("frozen", 1)} == database.states()
        assert "RuntimeError" in caplog.text
        assert "the app's own mistake" not in caplog.text

    def test_a_coroutine_function_is_no_handler_of_this_client(self, app, issuer):
        """What nobody awaits applies nothing, and is not taken for done."""

        async def later(state, transaction):
            raise AssertionError

        posting = told(issuer, deliver=False)
        reply = app.client.receive_event(posting.body, content_type=EVENT, apply=later)
        assert (400, "webhook.handler_failed") == (reply.status, reply.code)
        assert 202 == app.take("/events", posting.body, EVENT).status

    def test_anything_else_that_is_to_be_awaited_is_none_either(self, app, issuer):
        """A future is no result."""

        class Later:
            def __await__(self):
                raise AssertionError

        posting = told(issuer, deliver=False)
        reply = app.client.receive_event(posting.body, content_type=EVENT, apply=lambda *_: Later())
        assert (400, "webhook.handler_failed") == (reply.status, reply.code)

    def test_two_threads_with_the_same_event_apply_it_once(self, app, issuer, database):
        """Both are answered, at the latest when they come again, and one of them had the effect."""
        posting = told(issuer, deliver=False)
        start = threading.Barrier(4)

        def deliver():
            start.wait()
            statuses = (app.take("/events", posting.body, EVENT).status for _ in range(100))
            assert 202 in statuses

        threads = [threading.Thread(target=deliver) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 == len(app.applied)
        assert {person(issuer): ("frozen", 1)} == database.states()

    def test_threads_that_race_end_in_the_last_state(self, app, issuer, database):
        """Whoever comes first, no state is written over a later one."""
        postings = [told(issuer, state=state, deliver=False) for state in STATES]
        start = threading.Barrier(len(postings))

        def deliver(posting):
            start.wait()
            statuses = (app.take("/events", posting.body, EVENT).status for _ in range(100))
            assert 202 in statuses

        threads = [threading.Thread(target=deliver, args=(posting,)) for posting in postings]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {person(issuer): (STATES[-1], len(STATES))} == database.states()

    @pytest.mark.parametrize(
        "new_store",
        [lambda: None, MemoryReplayStore, lambda: RedisReplayStore("redis://127.0.0.1:9")],
        ids=["default", "memory", "redis"],
    )
    def test_a_store_without_transactions_is_never_used(self, issuer, clock, new_store):
        """Silently weaker is not an option: it is an error before anything is looked at."""
        app = App(uri="http://127.0.0.1:9")
        connect(app, issuer, clock, replay=new_store())
        with pytest.raises(ConfigurationError) as refused:
            app.client.receive_event(b"made-up event", content_type=None, apply=print)
        assert ("replay.not_transactional", "replay") == (refused.value.code, refused.value.setting)
        assert "made-up event" not in shown_locals(refused.value)

    def test_a_database_that_does_not_answer_gets_the_event_again(self, issuer, clock, tmp_path):
        """Without its tables nothing can be remembered, so that nothing is acknowledged."""
        engine = create_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
        app = App(uri="http://127.0.0.1:9")
        connect(app, issuer, clock, replay=SQLReplayStore(engine))
        posting = told(issuer, deliver=False)
        reply = app.take("/events", posting.body, posting.content_type)
        engine.dispose()
        assert (400, "authentication_failed") == (reply.status, json.loads(reply.body)["err"])
        assert [] == app.applied

    def test_an_issuer_that_is_away_gets_the_event_again(self, app, issuer, clock, database):
        """Without keys nothing can be judged."""
        posting = told(issuer, deliver=False)
        away = Client(app.rp, transport=Nowhere(), replay=database.replay, clock=clock, background=False)
        reply = away.receive_event(posting.body, content_type=EVENT, apply=app.note_state)
        assert (400, "transport.failed") == (reply.status, reply.code)
        assert "authentication_failed" == json.loads(reply.body)["err"]


class TestWhatIsRefused:
    def test_a_signer_that_was_revoked_says_nothing_any_more(self, app, issuer, clock):
        """The lists that are asked about assertions are asked about events."""
        log_in(app, issuer)
        issuer.revoke_signer()
        clock.advance(3600)
        delivery = told(issuer)
        assert ("revocation.revoked", "invalid_key", []) == (app.last.code, delivery.err, app.applied)

    def test_a_new_key_of_the_issuer_is_fetched_at_once(self, app, issuer):
        """An event by a key that is certified and published, but not known here, is believed."""
        log_in(app, issuer)
        issuer.rotate_signing_key()
        assert told(issuer).accepted

    @pytest.mark.parametrize("name", sorted(EVENT_FAULTS))
    def test_a_fault_is_refused_with_its_code_and_its_err(self, app, issuer, database, caplog, name):
        """One broken rule, 400 and err; the code is in the log, nothing is applied, then all is well."""
        fault = EVENT_FAULTS[name]
        issuer.arm(name)
        delivery = told(issuer)
        assert (400, fault.err, ()) == (delivery.status, delivery.err, delivery.complaints)
        assert (fault.expected_code, []) == (app.last.code, app.applied)
        assert f"receive_event: code={fault.expected_code}" in caplog.text
        assert delivery.posting.token not in caplog.text
        assert {} == database.states()
        issuer.disarm()
        assert told(issuer).accepted

    @pytest.mark.parametrize("name", sorted(EVENT_ODDITIES))
    def test_an_honest_oddity_is_accepted(self, app, issuer, name):
        """What the standards allow is answered with 202."""
        if name.endswith("jti_repeated"):
            assert told(issuer).accepted
        issuer.arm(name)
        assert told(issuer).accepted
        assert 1 == len(app.applied)

    @pytest.mark.parametrize(
        ("body", "content_type", "code"),
        [
            (b"", EVENT, "malformed"),
            ("a.b.c", EVENT, "malformed"),
            (b"\xff.\xff.\xff", EVENT, "malformed"),
            (b"a" * (64 * 1024 + 1), EVENT, "too_large"),
            (b"a.b.c", None, "content_type"),
            (b"a.b.c", "application/jwt", "content_type"),
        ],
    )
    def test_whatever_arrives_the_answer_is_400(self, app, body, content_type, code):
        """No bytes and no header make another exception come out, or a request go out."""
        reply = app.take("/events", body, content_type)
        assert {} == dict(app.client.outbound)
        assert (400, f"security_event.{code}") == (reply.status, reply.code)
        assert "invalid_request" == json.loads(reply.body)["err"]


@pytest.fixture(scope="module")
def outage(tmp_path_factory):
    """Events that wait for an app: six states of each of two people, made once."""
    clock = ManualClock(START)
    issuer = MockIssuer(clock)
    database = Database(tmp_path_factory.mktemp("outage") / "app.sqlite")
    app = App(uri="http://127.0.0.1:9")
    connect(app, issuer, clock, replay=database.replay)
    people = ("adult", "teenager")
    postings = [
        issuer.send_event(name, client_id=CLIENT_ID, state=state, deliver=False)
        for name in people
        for state in ("frozen", "active", "device-changed", "frozen", "cancelled", "active")
    ]
    yield app, database, postings, {person(issuer, name): ("active", 6) for name in people}
    database.engine.dispose()


@given(
    deliveries=st.lists(st.tuples(st.integers(0, 11), st.booleans()), max_size=30),
    last=st.permutations(range(12)),
)
def test_after_an_outage_every_account_ends_in_its_last_state(outage, deliveries, last):
    """Late, doubled, reordered, with handlers that fail in between: the highest number wins, once each."""
    app, database, postings, expected = outage
    database.clear()
    app.applied.clear()
    acknowledged: set[int] = set()
    # What was not acknowledged is sent until it is, in any order.
    for number, fails in itertools.chain(deliveries, ((number, False) for number in last)):
        app.apply = fail_after_writing if fails else write
        reply = app.take("/events", postings[number].body, EVENT)
        assert reply.status == 202 or (fails and number not in acknowledged)
        if reply.status == 202:
            acknowledged.add(number)
    assert expected == database.states()
    for who in expected:
        numbers = [state.sequence for state in app.applied if state.pseudonym.value == who]
        assert sorted(set(numbers)) == numbers


class TestAwaited:
    def run(self, issuer, clock, tmp_path, scenario):
        app = App(uri="http://127.0.0.1:9")
        connect(app, issuer, clock)

        async def main():
            engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'app.sqlite'}")
            replay = AsyncSQLReplayStore(engine)
            await replay.create_tables()
            transport = AwaitedTransport(issuer.transport())
            async with engine.begin() as connection:
                await connection.run_sync(tables.create_all)
            client = AsyncClient(app.rp, transport=transport, replay=replay, clock=clock, background=False)
            try:
                async with client:
                    await scenario(client, engine)
            finally:
                await engine.dispose()

        asyncio.run(main())

    def test_a_handler_may_be_awaited(self, issuer, clock, tmp_path):
        """It writes through the same transaction, and what it raises takes everything back."""

        async def states(engine):
            async with engine.connect() as connection:
                return {row.person: row.state for row in await connection.execute(select(accounts))}

        async def scenario(client, engine):
            fails = True

            async def apply(state, transaction):
                values = {"person": state.pseudonym.value, "state": state.state.value, "seq": state.sequence}
                await transaction.execute(insert(accounts).values(**values))
                if fails:
                    raise RuntimeError

            posting = told(issuer, deliver=False)
            first = await client.receive_event(posting.body, content_type=EVENT, apply=apply)
            assert (400, "webhook.handler_failed", {}) == (first.status, first.code, await states(engine))
            fails = False
            for _ in range(2):
                reply = await client.receive_event(posting.body, content_type=EVENT, apply=apply)
                assert 202 == reply.status
            assert {person(issuer): "frozen"} == await states(engine)

        self.run(issuer, clock, tmp_path, scenario)

    def test_whoever_is_cancelled_leaves_nothing_behind(self, issuer, clock, tmp_path):
        """In the middle of the handler: neither its writes nor the key stay, and the event counts later."""

        async def scenario(client, engine):
            begun = asyncio.Event()

            async def never_ends(state, transaction):
                values = {"person": state.pseudonym.value, "state": state.state.value, "seq": state.sequence}
                await transaction.execute(insert(accounts).values(**values))
                begun.set()
                await asyncio.Event().wait()

            async def states():
                async with engine.connect() as connection:
                    return [row.state for row in await connection.execute(select(accounts))]

            async def apply(state, transaction):
                applied.append(state.sequence)

            applied = []
            posting = told(issuer, deliver=False)
            taking = asyncio.create_task(
                client.receive_event(posting.body, content_type=EVENT, apply=never_ends)
            )
            await begun.wait()
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
            assert [] == await states()
            reply = await client.receive_event(posting.body, content_type=EVENT, apply=apply)
            assert (202, [1]) == (reply.status, applied)

        self.run(issuer, clock, tmp_path, scenario)

    def test_a_logout_is_taken_too(self, issuer, clock, tmp_path):
        """An ordinary function is called, a coroutine function awaited; each token has one effect."""

        async def scenario(client, _engine):
            ended = []

            async def later(notice, transaction):
                ended.append(notice)

            for end_sessions in (lambda notice, _: ended.append(notice), later):
                posting = issuer.log_out("adult", client_id=CLIENT_ID, deliver=False)
                for _ in range(2):
                    reply = await client.receive_logout(
                        posting.body, content_type=posting.content_type, end_sessions=end_sessions
                    )
                    assert (200, b"") == (reply.status, reply.body)
            assert 2 == len(ended)
            refused = await client.receive_logout(b"", content_type=None, end_sessions=later)
            assert (400, "logout_token.content_type") == (refused.status, refused.code)

        self.run(issuer, clock, tmp_path, scenario)

    def test_without_transactions_it_is_an_error(self, issuer, clock):
        """As for the client that does not await."""
        app = App(uri="http://127.0.0.1:9")
        connect(app, issuer, clock)

        async def main():
            async with AsyncClient(app.rp, clock=clock, background=False) as client:
                with pytest.raises(ConfigurationError) as refused:
                    await client.receive_event(b"", content_type=None, apply=print)
                assert "replay.not_transactional" == refused.value.code

        asyncio.run(main())
