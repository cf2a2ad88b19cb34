"""Back-channel logout over real HTTP: what ends, what is refused, and what the issuer learns."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cyberid_client import (
    Client,
    ClientKey,
    ClientKeys,
    ConfigurationError,
    DecryptionKey,
    VerificationError,
)
from cyberid_client.refreshing import BUCKET_SIZE
from cyberid_client.stores.memory import MemoryReplayStore
from cyberid_client.testing import LOGOUT_FAULTS, LOGOUT_ODDITIES
from cyberid_client.testing.jose import b64url

from .notices import CLIENT_ID, App, connect, log_in, served

FORM = "application/x-www-form-urlencoded"
TOKEN_ODDITIES = sorted(name for name in LOGOUT_ODDITIES if name.startswith("logout_token."))


@pytest.fixture
def app(issuer, clock, new_client):
    app = App()
    with served(app):
        connect(app, issuer, clock, new_client=new_client)
        yield app


class Nowhere:
    """A transport to an issuer that is away."""

    def send(self, request):
        raise OSError

    def close(self):
        pass


def new_pem():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def told(issuer, **asked):
    """Let the issuer end a session and tell the app."""
    return issuer.log_out("adult", client_id=CLIENT_ID, **asked)


class TestWhatEnds:
    def test_a_session_that_is_named_ends(self, app, issuer, caplog):
        """The app is told the id that it knows from the login, and answers exactly 200 with nothing."""
        caplog.set_level("DEBUG", "cyberid_client")
        login = log_in(app, issuer)
        delivery = told(issuer, sid=login.session_id)
        [notice] = app.ended
        assert (login.session_id, login.pseudonym, login.issuer) == (
            notice.session_id,
            notice.pseudonym,
            notice.issuer,
        )
        assert (200, b"", ()) == (delivery.status, delivery.body, delivery.complaints)
        assert "no-store" == delivery.headers["cache-control"]
        assert [None] == app.transactions
        assert "receive_logout: ok" in caplog.text
        assert login.session_id not in caplog.text
        assert login.pseudonym.value not in caplog.text

    def test_without_one_all_sessions_of_the_person_end(self, app, issuer):
        """The person is named, and no session."""
        login = log_in(app, issuer)
        assert told(issuer).accepted
        assert [(None, login.pseudonym)] == [(each.session_id, each.pseudonym) for each in app.ended]

    def test_a_session_that_nobody_knows_is_over_already(self, app, issuer):
        """The answer does not tell whether the app knew it."""
        login = log_in(app, issuer)
        known = told(issuer, sid=login.session_id)
        unknown = told(issuer, sid="x" * 22)
        assert (known.status, known.body) == (unknown.status, unknown.body)
        assert dict(known.headers, date="") == dict(unknown.headers, date="")

    def test_a_login_is_not_needed_before(self, app, issuer):
        """A process that knows nothing yet fetches what it needs and judges the token."""
        assert told(issuer, sid="x" * 22).accepted

    def test_an_encrypted_token_is_opened(self, issuer, clock):
        """Where assertions are encrypted logout tokens are too, and a bare one is refused."""
        app = App()
        with served(app):
            keys = ClientKeys(
                signing=ClientKey.from_pem(new_pem()),
                decryption=(DecryptionKey.from_pem(new_pem(), algorithm="ECDH-ES"),),
            )
            registered = {"id_token": "jwe", "jwks": keys.jwks}
            connect(app, issuer, clock, registered=registered, id_token="jwe", keys=keys)
            login = log_in(app, issuer)
            delivery = told(issuer, sid=login.session_id)
            assert (200, None) == (delivery.status, app.last.code)
            connect(app, issuer, clock, id_token="jwe", keys=keys)
            assert told(issuer).refused
            assert "logout_token.not_encrypted" == app.last.code
            connect(app, issuer, clock, registered=registered, keys=keys)
            assert told(issuer).refused
            assert "logout_token.encrypted" == app.last.code
            assert 1 == len(app.ended)


class TestOnce:
    def test_a_token_that_comes_again_gets_the_same_answer_and_no_second_effect(self, app, issuer):
        """The issuer may lose an answer and send the same bytes."""
        posting = told(issuer, deliver=False)
        replies = [app.take("/logout", posting.body, posting.content_type) for _ in range(3)]
        assert [200, 200, 200] == [reply.status for reply in replies]
        assert 1 == len(app.ended)

    def test_a_handler_that_raises_leaves_the_token_unknown(self, app, issuer, caplog):
        """It had no effect, the issuer is told 400, and the same token has its effect later."""

        def fail(notice, transaction):
            message = f"no session {notice.session_id}"
            raise RuntimeError(message)

        posting = told(issuer, sid="y" * 22, deliver=False)
        app.end_sessions = fail
        first = app.take("/logout", posting.body, posting.content_type)
        app.end_sessions = None
        second = app.take("/logout", posting.body, posting.content_type)
        assert (400, "webhook.handler_failed", 200) == (first.status, first.code, second.status)
        assert 1 == len(app.ended)
        assert "webhook.handler_failed" in caplog.text
        assert "y" * 22 not in caplog.text

    def test_an_exception_that_cannot_be_compared_is_like_any_other(self, app, issuer):
        """Nothing is asked of what the app raises, and its frames go all the same."""

        class ProudError(Exception):
            def __eq__(self, other):
                raise AssertionError

            __hash__ = Exception.__hash__

        def fail(notice, transaction):
            raise ProudError

        posting = told(issuer, deliver=False)
        app.end_sessions = fail
        assert "webhook.handler_failed" == app.take("/logout", posting.body, posting.content_type).code

    def test_an_interrupt_shows_no_notice_and_leaves_the_token_unknown(self, issuer, clock):
        """Whoever stops the process in the middle of the handler sees no frame of ours, and nothing happened."""
        app = App()

        def stop(notice, transaction):
            raise KeyboardInterrupt

        with served(app):
            connect(app, issuer, clock)
            posting = told(issuer, deliver=False)
            app.end_sessions = stop
            with pytest.raises(KeyboardInterrupt) as stopped:
                app.take("/logout", posting.body, posting.content_type)
            assert "take" == stopped.traceback[-1].name
            app.end_sessions = None
            assert 200 == app.take("/logout", posting.body, posting.content_type).status

    def test_an_answer_that_is_changed_changes_no_other(self, app, issuer):
        """Each reply has headers of its own."""
        app.take("/logout", b"", FORM).headers["set-cookie"] = "made-up"
        assert {"cache-control": "no-store"} == app.take("/logout", b"", FORM).headers

    def test_a_coroutine_function_is_no_handler_of_this_client(self, app, issuer):
        """What nobody awaits ends no session, and is not taken for done."""

        async def later(notice, transaction):
            raise AssertionError

        posting = told(issuer, deliver=False)
        reply = app.client.receive_logout(posting.body, content_type=posting.content_type, end_sessions=later)
        assert (400, "webhook.handler_failed") == (reply.status, reply.code)
        assert 200 == app.take("/logout", posting.body, posting.content_type).status

    def test_a_store_that_cannot_remember_keeps_the_token_from_having_an_effect(self, issuer, clock):
        """When it is full, the token is refused and may come again."""
        app = App()
        with served(app):
            connect(app, issuer, clock, replay=MemoryReplayStore(max_entries=1))
            assert told(issuer).accepted
            assert told(issuer).refused
            assert ("store.full", 1) == (app.last.code, len(app.ended))

    @pytest.mark.parametrize("says", [True, False, None, 1])
    def test_a_store_that_says_what_did_not_happen_is_not_believed(self, issuer, clock, says):
        """A token whose effect a store left out is refused, whatever the store says, and so may come again."""

        class Forgetful(MemoryReplayStore):
            def once(self, key, effect, *, expires_at, now):
                if says is False:
                    effect(None)
                return says

        app = App()
        with served(app):
            connect(app, issuer, clock, replay=Forgetful())
            assert told(issuer).refused
            assert "store.failed" == app.last.code

    def test_it_is_forgotten_when_it_would_be_refused_anyway(self, issuer, clock):
        """The store holds no more than the tokens of the last minutes."""
        app, store = App(), MemoryReplayStore()
        with served(app):
            connect(app, issuer, clock, replay=store)
            posting = told(issuer, deliver=False)
            assert 200 == app.take("/logout", posting.body, posting.content_type).status
            clock.advance(120)
            assert "logout_token.expired" == app.take("/logout", posting.body, posting.content_type).code
            clock.advance(61)
            assert told(issuer).accepted
            assert 1 == len(store)


class TestWhatIsRefused:
    @pytest.mark.parametrize("name", sorted(LOGOUT_FAULTS))
    def test_a_fault_is_refused_with_its_code_and_nothing_is_told(self, app, issuer, caplog, name):
        """One broken rule, 400 and nothing more; the code is in the log, no session ends, then all is well."""
        fault = LOGOUT_FAULTS[name]
        issuer.arm(name)
        delivery = told(issuer, sid="s" * 22)
        assert (400, b"", ()) == (delivery.status, delivery.body, delivery.complaints)
        assert (fault.expected_code, []) == (app.last.code, app.ended)
        assert f"receive_logout: code={fault.expected_code}" in caplog.text
        assert delivery.posting.token not in caplog.text
        issuer.disarm()
        assert told(issuer).accepted

    @pytest.mark.parametrize("name", TOKEN_ODDITIES)
    def test_an_honest_oddity_is_accepted(self, app, issuer, name):
        """What the standard allows is answered with 200."""
        assert told(issuer, sid="s" * 22).accepted
        issuer.arm(name)
        assert told(issuer, sid="s" * 22).accepted
        assert (1 if name.endswith("jti_repeated") else 2) == len(app.ended)

    @pytest.mark.parametrize(
        ("body", "content_type", "code"),
        [
            (b"", FORM, "form"),
            (b"logout_token", FORM, "form"),
            (b"logout%5ftoken=a&logout_token=b", FORM, "form"),
            (b"logout_token=%ff", FORM, "form"),
            (b"\xff=\xff&logout_token=a.b.c", FORM, "form"),
            ("logout_token=a.b.c", FORM, "form"),
            (b"logout_token=abc", FORM, "malformed"),
            (b"logout_token=a.b.c", None, "content_type"),
            (b"logout_token=a.b.c", 7, "content_type"),
            (b"logout_token=a.b.c", "multipart/form-data", "content_type"),
            (b"logout_token=" + b"a" * (2 * 64 * 1024), FORM, "too_large"),
        ],
    )
    def test_whatever_arrives_the_answer_is_400(self, app, body, content_type, code):
        """No bytes and no header make another exception come out, or a request go out."""
        reply = app.take("/logout", body, content_type)
        assert {} == dict(app.client.outbound)
        assert (400, b"", f"logout_token.{code}") == (reply.status, reply.body, reply.code)

    def test_an_assertion_is_no_logout_token(self, app, issuer):
        """A token of another kind, signed by the very same key, ends no session."""
        header = b64url(b'{"alg":"ES256","typ":"JWT"}')
        reply = app.take("/logout", f"logout_token={header}.e30.AA".encode(), FORM)
        assert 400 == reply.status

    def test_an_issuer_that_is_away_gets_400_and_the_token_counts_later(self, issuer, clock):
        """Without keys nothing can be judged, so that nothing is acknowledged."""
        app = App()
        with served(app):
            connect(app, issuer, clock)
            posting = told(issuer, deliver=False)
            away = Client(app.rp, transport=Nowhere(), clock=clock, background=False)
            reply = away.receive_logout(
                posting.body, content_type=posting.content_type, end_sessions=app.note_logout
            )
            assert (400, "transport.failed") == (reply.status, reply.code)
            assert 200 == app.take("/logout", posting.body, posting.content_type).status

    def test_a_closed_client_says_so(self, app):
        """It is the app's own mistake, and no answer to anybody."""
        app.client.close()
        with pytest.raises(ConfigurationError) as refused:
            app.take("/logout", b"", FORM)
        assert "client.closed" == refused.value.code


class TestKeys:
    def test_a_new_key_of_the_issuer_is_fetched_at_once(self, app, issuer):
        """A token by a key that is certified and published, but not known here, is believed."""
        log_in(app, issuer)
        issuer.rotate_signing_key()
        assert told(issuer).accepted

    def test_a_signer_that_was_revoked_ends_no_session(self, app, issuer, clock):
        """The lists that are asked about assertions are asked about logout tokens."""
        log_in(app, issuer)
        issuer.revoke_signer()
        clock.advance(3600)
        assert told(issuer).refused
        assert ("revocation.revoked", []) == (app.last.code, app.ended)

    def test_the_lists_are_fetched_for_a_token_about_which_all_else_holds(self, app, issuer):
        """An authority that is new to this client is asked about at once."""
        log_in(app, issuer)
        issuer.renew_authority()
        before = app.client.outbound["crl"]
        assert told(issuer).accepted
        assert app.client.outbound["crl"] > before

    def test_forged_tokens_fetch_next_to_nothing(self, app, issuer):
        """A flood with unknown keys takes from a bucket of its own, and logins go on fetching."""
        log_in(app, issuer)
        before = app.client.outbound["jwks"]
        issuer.arm("logout_token.kid_unknown_without_chain")
        for _ in range(20):
            assert told(issuer).refused
            issuer.arm("logout_token.kid_unknown_without_chain")
        fetched = app.client.outbound["jwks"] - before
        assert 1 <= fetched <= BUCKET_SIZE
        # Another door has a bucket of its own.
        before = app.client.outbound["jwks"]
        issuer.arm("id_token.kid_unknown_without_chain")
        with pytest.raises(VerificationError):
            log_in(app, issuer)
        assert before + 1 == app.client.outbound["jwks"]
        issuer.disarm()
        issuer.rotate_signing_key()
        log_in(app, issuer)


class TestPage:
    def test_a_person_logs_out_at_the_issuer(self, issuer, clock):
        """The page is given the session; the app is told by the back channel, and the browser comes back."""
        app = App()
        back = "https://shop.example/bye"
        with served(app):
            connect(app, issuer, clock, registered={"post_logout_redirect_uris": (back,)})
            login = log_in(app, issuer)
            url = app.client.logout_url(
                session_id=login.session_id, post_logout_redirect_uri=back, state="made-up"
            )
            assert f"{back}?state=made-up" == issuer.end_session(url)
            assert [login.session_id] == [notice.session_id for notice in app.ended]

    @pytest.mark.parametrize("name", ["session_id", "state"])
    @pytest.mark.parametrize("value", ["", "\ud800", "张", "a\nb", "a" * 1025, 7, b"x"])
    def test_what_cannot_stand_in_an_address_is_refused(self, app, name, value):
        """The app is told which value it is, and not by an error of somebody else's."""
        with pytest.raises(ConfigurationError) as refused:
            app.client.logout_url(**{"session_id": None, name: value})
        assert ("config.value", name) == (refused.value.code, refused.value.setting)

    def test_a_stranger_to_the_issuer_may_log_out_too(self, app, issuer):
        """Without a session the client alone is named."""
        assert app.client.logout_url(session_id=None).endswith(f"client_id={CLIENT_ID}")
