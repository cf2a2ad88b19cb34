"""Any change to an honest notice is refused, and no bytes make another exception come out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from cyberid_client import Client, ClientKey, RelyingParty, TrustStore
from cyberid_client.stores.sql import SQLReplayStore
from cyberid_client.testing import MockIssuer

FORM, EVENT = "application/x-www-form-urlencoded", "application/secevent+jwt"
STATUSES = {"logout": (200, 400), "event": (202, 400)}


class Receiver:
    """A client, one honest notice of each kind, and what became of them."""

    def __init__(self, path):
        issuer = MockIssuer()
        registered = issuer.register(client_id="shop", redirect_uri="https://shop.example/callback")
        rp = RelyingParty(
            issuer=issuer.issuer,
            client_id="shop",
            redirect_uri=registered.redirect_uri,
            key=ClientKey.from_pem(registered.key_pem),
            trust=TrustStore.for_tests(issuer.root_pem),
        )
        self.engine = create_engine(f"sqlite:///{path}")
        replay = SQLReplayStore(self.engine)
        replay.create_tables()
        self.client = Client(rp, transport=issuer.transport(), replay=replay, background=False)
        self.effects = []
        self.honest = {
            "logout": issuer.log_out("adult", client_id="shop", deliver=False).body,
            "event": issuer.send_event("adult", client_id="shop", deliver=False).body,
        }

    def take(self, kind, body, content_type):
        def note(notice, _transaction):
            self.effects.append(notice)

        if kind == "event":
            return self.client.receive_event(body, content_type=content_type, apply=note)
        return self.client.receive_logout(body, content_type=content_type, end_sessions=note)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    receiver = Receiver(tmp_path_factory.mktemp("fuzz") / "app.sqlite")
    yield receiver
    receiver.engine.dispose()


@pytest.mark.parametrize(("kind", "content_type"), [("logout", FORM), ("event", EVENT)])
class TestNotices:
    @given(data=st.data())
    def test_a_byte_that_changed_makes_it_refused(self, receiver, kind, content_type, data):
        """Every byte of the request counts, and none can be another."""
        honest = receiver.honest[kind]
        place = data.draw(st.integers(0, len(honest) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda value: value != honest[place]))
        changed = honest[:place] + bytes([byte]) + honest[place + 1 :]
        receiver.effects.clear()
        reply = receiver.take(kind, changed, content_type)
        assert (400, []) == (reply.status, receiver.effects)
        assert reply.code is not None

    @given(data=st.data())
    def test_a_piece_that_is_missing_makes_it_refused(self, receiver, kind, content_type, data):
        """A request that was cut, at either end or in the middle, has no effect."""
        honest = receiver.honest[kind]
        start = data.draw(st.integers(0, len(honest) - 1))
        end = data.draw(st.integers(start + 1, len(honest)))
        receiver.effects.clear()
        reply = receiver.take(kind, honest[:start] + honest[end:], content_type)
        assert (400, []) == (reply.status, receiver.effects)

    @given(body=st.binary(max_size=200), header=st.none() | st.text(max_size=60))
    def test_whatever_arrives_the_answer_is_one_of_two(self, receiver, kind, content_type, body, header):
        """No bytes and no header make another exception, or another status, come out."""
        for sent in (header, content_type):
            for prefix in (b"", b"logout_token="):
                reply = receiver.take(kind, prefix + body, sent)
                assert STATUSES[kind][1] == reply.status

    def test_what_is_honest_has_its_effect_once(self, receiver, kind, content_type):
        """After all that was refused the honest request is still good, and then good for nothing more."""
        receiver.effects.clear()
        replies = [receiver.take(kind, receiver.honest[kind], content_type) for _ in range(2)]
        assert [STATUSES[kind][0]] * 2 == [reply.status for reply in replies]
        assert len(receiver.effects) <= 1
