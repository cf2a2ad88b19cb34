"""What a store of pending logins promises, taken away piece by piece: then the named attack works.

Each test first shows that the attack fails against the store as it is.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import create_engine, text

from cyberid_client import Client, CyberIDError, Login
from cyberid_client.errors import StoreError
from cyberid_client.handshake.pending import NONCE_BYTES, Handle, seal, unseal
from cyberid_client.models import Assurance, PendingLogin
from cyberid_client.stores import MemoryPendingStore, MemoryReplayStore, SealedCookieStore
from cyberid_client.stores.sql import SQLReplayStore

from .cases import Case
from .runner import App, without

LIFETIME = frozenset({("AUTHORIZATION_RESPONSE", "check_lifetime")})
SHARED_KEY = AESGCM(bytes(32))


class Dictionary:
    """A store with every promise, of which each test leaves one out."""

    single_use, shared, durable = True, False, False

    def __init__(self, *, removes=True, expires=True, room=None):
        self.records, self.removes, self.expires, self.room = {}, removes, expires, room

    def put(self, key, record, *, expires_at, now):
        if self.room is not None and len(self.records) >= self.room:
            del self.records[next(iter(self.records))]
        self.records[key] = (expires_at, record)
        return ""

    def take(self, key, *, carried, now):
        found = self.records.pop(key, None) if self.removes else self.records.get(key)
        return None if found is None or (self.expires and found[0] <= now) else found[1]


class Recorded:
    """Answer a token request with the recorded answer, as one who recorded it would; the first is honest."""

    def __init__(self, inner):
        self._inner, self._answer = inner, None

    def send(self, request):
        if request.purpose != "token":
            return self._inner.send(request)
        self._answer = self._answer or self._inner.send(request)
        return self._answer

    def close(self):
        self._inner.close()


def outcome(call):
    """Return a login, or the code of the error."""
    try:
        return call()
    except CyberIDError as error:
        return error.code


def twice(store, *, recorded):
    """Finish the same login twice; return both outcomes."""
    app = App(Case(""))
    transport = Recorded(app.transport) if recorded else app.transport
    client = Client(app.rp, transport=transport, pending=store, clock=app.clock)
    request = client.start_login()
    callback = app.issuer.authorize(request.url)
    return [outcome(lambda: client.finish_login(callback, handle=request.handle)) for _ in range(2)]


@pytest.mark.parametrize(
    "careless", [Dictionary(removes=False), SealedCookieStore({"k1": secrets.token_bytes(32)})]
)
def test_without_take_once_a_recorded_answer_logs_in_again(careless):
    """Taken once, a login cannot be replayed; without it only the issuer's one-time code is in the way."""
    assert "login.unknown" == twice(MemoryPendingStore(), recorded=True)[1]
    first, second = twice(careless, recorded=False)
    assert isinstance(first, Login)
    assert "login.code_refused" == second
    first, second = twice(careless, recorded=True)
    assert isinstance(second, Login)
    assert first.pseudonym == second.pseudonym


def an_hour_late(store, removed):
    app = App(Case(""), without(removed))
    metadata, keys = app.learn()
    pending = app.start(metadata).pending
    handle = Handle(app.env.token(32))
    store.put(
        handle.key, seal(pending, handle, app.env), expires_at=pending.expires_at, now=pending.started_at
    )
    app.clock.advance(3600)
    metadata, keys = app.learn()
    # A person who needs an hour: the issuer's own reference is fresh, the pending login is the old one.
    fresh = app.start(metadata)
    callback = app.issuer.authorize(fresh.url).replace(fresh.pending.state, pending.state)
    record = store.take(handle.key, carried="", now=app.clock())
    if record is None:
        return "gone"
    kept = unseal(record, handle)
    # What the issuer bound to the fresh request is not what this test is about.
    answered = PendingLogin(
        **{
            **{
                name: getattr(kept, name) for name in ("kind", "issuer", "client_id", "redirect_uri", "state")
            },
            **{name: getattr(kept, name) for name in ("assurance", "max_age", "return_to", "started_at")},
            "expires_at": kept.expires_at,
            "nonce": fresh.pending.nonce,
            "code_verifier": fresh.pending.code_verifier,
        }
    )
    return outcome(lambda: app.finish(callback, answered, metadata, keys))


def test_without_expiry_a_login_waits_for_ever():
    """Store and checklist both end a login in time; only without both a late callback is a login."""
    assert "gone" == an_hour_late(MemoryPendingStore(), frozenset())
    assert "gone" == an_hour_late(MemoryPendingStore(), LIFETIME)
    assert "login.expired" == an_hour_late(Dictionary(expires=False), frozenset())
    assert isinstance(an_hour_late(Dictionary(expires=False), LIFETIME), Login)


def members_of(pending):
    """Return a pending login as plain JSON, as a careless store would write it."""
    members = {one.name: getattr(pending, one.name) for one in fields(pending)}
    members["assurance"] = pending.assurance.value
    return json.dumps(members, default=str).encode()


def test_without_encryption_a_copy_of_the_store_tells_everything():
    """A record that is not encrypted under the handle shows all three secrets to whoever reads the store."""
    app = App(Case(""))
    pending = app.start(app.learn()[0]).pending
    handle = Handle(app.env.token(32))
    secrets_of_login = tuple(map(str, (pending.state, pending.nonce, pending.code_verifier)))
    sealed, plain = seal(pending, handle, app.env), members_of(pending)
    assert [] == [one for one in secrets_of_login if one.encode() in sealed]
    assert list(secrets_of_login) == [one for one in secrets_of_login if one.encode() in plain]


def test_without_the_hash_a_copy_of_the_store_is_a_list_of_handles():
    """What stands in a store opens nothing; were it the handle itself, it would open the victim's record."""
    app = App(Case(""))
    pending = app.start(app.learn()[0]).pending
    handle = Handle(app.env.token(32))
    record = seal(pending, handle, app.env)
    hashed, careless = {handle.key: record}, {handle.text(): record}
    for stolen, sealed in hashed.items():
        assert "login.handle_malformed" == outcome(lambda stolen=stolen: Handle.parse(stolen))
        as_secret = Handle(bytes.fromhex(stolen))
        assert "login.unknown" == outcome(lambda handle=as_secret, sealed=sealed: unseal(sealed, handle))
    for stolen, sealed in careless.items():
        assert pending == unseal(sealed, Handle.parse(stolen))


def seal_with_one_key(pending, handle, *, bound):
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + SHARED_KEY.encrypt(nonce, members_of(pending), handle.key.encode() if bound else None)


def unseal_with_one_key(record, handle, *, bound):
    key = handle.key.encode() if bound else None
    members = json.loads(SHARED_KEY.decrypt(record[:NONCE_BYTES], record[NONCE_BYTES:], key))
    dates = {name: datetime.fromisoformat(members[name]) for name in ("started_at", "expires_at")}
    return PendingLogin(**{**members, **dates, "assurance": Assurance(members["assurance"])})


def test_without_binding_a_record_opens_under_another_key():
    """A record that is bound to nothing, under a key that seals all, finishes the login of whoever moves it."""
    app = App(Case(""))
    metadata, keys = app.learn()
    started = app.start(metadata)
    victim, thief = Handle(app.env.token(32)), Handle(app.env.token(32))
    honest = seal(started.pending, victim, app.env)
    assert "login.unknown" == outcome(lambda: unseal(honest, thief))
    bound = seal_with_one_key(started.pending, victim, bound=True)
    with pytest.raises(InvalidTag):
        unseal_with_one_key(bound, thief, bound=True)
    moved = seal_with_one_key(started.pending, victim, bound=False)
    pending = unseal_with_one_key(moved, thief, bound=False)
    login = app.finish(app.issuer.authorize(started.url), pending, metadata, keys)
    assert isinstance(login, Login)


def outlive(store):
    """Start a login, let a stranger start two more, and finish the first."""
    app = App(Case(""))
    client = Client(app.rp, transport=app.transport, pending=store, clock=app.clock)
    request = client.start_login()
    strangers = []
    for _ in range(2):
        try:
            strangers.append(client.start_login())
        except StoreError as full:
            strangers.append(full.code)
    callback = app.issuer.authorize(request.url)
    return outcome(lambda: client.finish_login(callback, handle=request.handle)), strangers[-1]


def test_without_refusal_when_full_a_stranger_ends_the_logins_of_others():
    """A full store turns the newcomer away; one that makes room ends a login that was on its way."""
    login, stranger = outlive(MemoryPendingStore(max_entries=2))
    assert isinstance(login, Login)
    assert "store.full" == stranger
    assert "login.unknown" == outlive(Dictionary(room=2))[0]


def test_the_end_of_a_record_is_that_of_its_login():
    """What the store is told to keep lives one minute longer than the login, so that lateness has a name."""
    app = App(Case(""))
    store = Dictionary()
    client = Client(app.rp, transport=app.transport, pending=store, clock=app.clock)
    client.start_login()
    [(expires_at, _)] = store.records.values()
    assert app.clock() + timedelta(seconds=app.rp.pending_lifetime + 60) == expires_at


def notes_after_a_death(engine, store, write):
    """Let the app die right after it wrote what a message says, receive the message again, and count."""
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS notes"))
        connection.execute(text("CREATE TABLE notes (said TEXT)"))
    now = datetime(2026, 11, 22, 8, tzinfo=UTC)
    times = {"expires_at": now + timedelta(days=1), "now": now}

    def write_and_die(transaction):
        write(transaction)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.once("a" * 64, write_and_die, **times)
    assert store.once("a" * 64, write, **times)
    assert not store.once("a" * 64, write, **times)
    with engine.connect() as connection:
        return connection.execute(text("SELECT count(*) FROM notes")).scalar()


def test_without_one_transaction_a_death_repeats_the_effect(tmp_path):
    """Committed together, message and effect die together; apart, what was written is written again."""
    engine = create_engine(f"sqlite:///{tmp_path}/app.sqlite")
    together = SQLReplayStore(engine)
    together.create_tables()

    def write(connection):
        connection.execute(text("INSERT INTO notes VALUES ('frozen')"))

    def write_apart(_none):
        with engine.begin() as connection:
            write(connection)

    assert 1 == notes_after_a_death(engine, together, write)
    assert 2 == notes_after_a_death(engine, MemoryReplayStore(), write_apart)
    engine.dispose()
