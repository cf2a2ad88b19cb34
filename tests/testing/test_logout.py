"""Sessions of the mock, logout tokens judged by libraries of others, and their delivery over real HTTP."""

from __future__ import annotations

import json
import socket
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwe, jws
from joserfc.jwk import ECKey, KeySet

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import (
    CREDENTIAL_FAULTS,
    CREDENTIAL_ODDITIES,
    EVENT_FAULTS,
    EVENT_ODDITIES,
    FAULTS,
    LOGOUT_FAULTS,
    LOGOUT_ODDITIES,
    ODDITIES,
    RECEIPT_FAULTS,
    RECEIPT_ODDITIES,
    STATUS_FAULTS,
    WALLET_FAULTS,
    WALLET_ODDITIES,
    MockIssuer,
    Session,
)

from .conftest import REDIRECT_URI, make_in_process, parts_of, send_over_http
from .judges import is_signed, registry, verified
from .receiver import NO_STORE, listening

BYE = "https://shop.example/bye"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
ENTRIES = {**LOGOUT_FAULTS, **LOGOUT_ODDITIES}
TOKEN_STAGES = {"logout_token", "logout_delivery"}


@pytest.fixture
def app():
    with listening() as receiver:
        yield receiver


@pytest.fixture
def shop(issuer, app, clock):
    """A client that wants logout tokens."""
    return make_in_process(issuer, register(issuer, app, "shop", REDIRECT_URI), clock)


def register(issuer, app, client_id, redirect_uri, **more):
    return issuer.register(
        client_id=client_id,
        redirect_uri=redirect_uri,
        backchannel_logout_uri=f"{app.origin}/{client_id}",
        post_logout_redirect_uris=(BYE,),
        **more,
    )


def sid_of(raw, **choices):
    """Log in and return the session id of the assertion."""
    return parts_of(raw.log_in(**choices).json()["id_token"])[1]["sid"]


def token_of(request):
    """Return the one parameter of a logout request."""
    ((name, value),) = parse_qsl(request.body.decode(), strict_parsing=True)
    assert "logout_token" == name
    return value


def end_session_url(issuer, **parameters):
    return f"{issuer.issuer}/end-session?{urlencode({'client_id': 'shop', **parameters})}"


class TestSessions:
    def test_every_login_opens_a_session(self, shop, issuer, clock):
        """A finished login is remembered under the sid of its assertion."""
        assert () == issuer.sessions
        sid = sid_of(shop)
        assert (Session(session_id=sid, person="adult", client_id="shop", since=clock()),) == issuer.sessions

    def test_a_login_that_was_not_finished_opens_none(self, shop, issuer):
        """Before the assertion is issued there is no session."""
        shop.authorize()
        assert () == issuer.sessions

    def test_a_session_has_another_name_in_every_sector(self, shop, issuer, app, clock):
        """The same person in two sectors has two session ids."""
        bank = make_in_process(issuer, register(issuer, app, "bank", "https://bank.example/cb"), clock)
        assert 2 == len({sid_of(shop), sid_of(bank)})

    def test_a_session_says_no_name_of_it(self, shop, issuer):
        """A session id does not get into logs by way of a repr."""
        assert sid_of(shop) not in repr(issuer.sessions)

    def test_a_new_issuer_has_no_sessions(self, shop, issuer):
        """Sessions belong to the issuer identifier under which they began."""
        sid_of(shop)
        with issuer.serve():
            assert () == issuer.sessions


class TestTokens:
    def test_the_token_is_what_the_standard_says(self, shop, issuer, clock):
        """Header, claims and request of Back-Channel Logout 1.0 §2.4 and §2.5, and nothing else."""
        sid = sid_of(shop)
        posting = issuer.log_out("adult", client_id="shop", sid=sid, deliver=False)
        header, claims = parts_of(posting.token)
        assert {"alg", "kid", "typ", "x5c"} == set(header)
        assert ("ES256", "logout+jwt") == (header["alg"], header["typ"])
        now = int(clock().timestamp())
        assert {
            "iss": issuer.issuer,
            "aud": "shop",
            "iat": now,
            "exp": now + 120,
            "jti": posting.jti,
            "events": {EVENT: {}},
            "sub": issuer.pseudonym("adult", sector="https://shop.example"),
            "sid": sid,
        } == claims
        assert "application/x-www-form-urlencoded" == posting.content_type
        assert urlencode({"logout_token": posting.token}).encode() == posting.body

    def test_others_believe_the_token(self, shop, issuer):
        """PyJWT believes it by its certificate, and joserfc by the published key."""
        token = issuer.log_out("adult", client_id="shop", deliver=False).token
        claims = verified(token, issuer=issuer.issuer, audience="shop")
        keys = KeySet.import_key_set(
            {
                "keys": [
                    {k: v for k, v in key.items() if k != "x5c"}
                    for key in shop.get("/jwks.json").json()["keys"]
                ]
            }
        )
        believed = jws.deserialize_compact(token, keys, registry=registry())
        assert claims == json.loads(believed.payload)

    def test_all_sessions_end_when_none_is_named(self, shop, issuer):
        """A token without sid names the person only, and every session with this client is over."""
        sid_of(shop), sid_of(shop), sid_of(shop, person="traveller")
        claims = parts_of(issuer.log_out("adult", client_id="shop", deliver=False).token)[1]
        assert "sid" not in claims
        assert ["traveller"] == [session.person for session in issuer.sessions]

    def test_one_session_ends_when_it_is_named(self, shop, issuer):
        """The other session of the same person stays."""
        first, second = sid_of(shop), sid_of(shop)
        issuer.log_out("adult", client_id="shop", sid=first, deliver=False)
        assert [second] == [session.session_id for session in issuer.sessions]

    def test_a_client_may_demand_sessions(self, issuer, app, clock):
        """A client that registered so is always told of a session; without one there is nothing to tell."""
        registered = register(issuer, app, "shop", REDIRECT_URI, backchannel_logout_session_required=True)
        with pytest.raises(ConfigurationError) as caught:
            issuer.log_out("adult", client_id="shop", deliver=False)
        assert "config.value" == caught.value.code
        sid = sid_of(make_in_process(issuer, registered, clock))
        claims = parts_of(issuer.log_out("adult", client_id="shop", deliver=False).token)[1]
        assert sid == claims["sid"]

    def test_every_token_has_a_name_of_its_own(self, shop, issuer):
        """No jti comes twice."""
        assert 20 == len({issuer.log_out("adult", client_id="shop", deliver=False).jti for _ in range(20)})

    def test_encrypted_where_assertions_are(self, issuer, app, clock):
        """A client with encrypted ID tokens gets its logout tokens encrypted for the same key."""
        registered = register(issuer, app, "shop", REDIRECT_URI, id_token="jwe")
        token = issuer.log_out("adult", client_id="shop", deliver=False).token
        key = ECKey.import_key(registered.decryption_key_pem)
        allowed = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"])
        inner = jwe.decrypt_compact(token, key, registry=allowed).plaintext.decode()
        assert {EVENT: {}} == verified(inner, issuer=issuer.issuer, audience="shop")["events"]

    @pytest.mark.parametrize(
        ("person", "client_id", "code"),
        [("nobody", "shop", "testing.unknown_person"), ("adult", "other", "config.value")],
    )
    def test_unknown_names_are_mistakes(self, shop, issuer, person, client_id, code):
        """A person or client that does not exist is the developer's mistake."""
        with pytest.raises(ConfigurationError) as caught:
            issuer.log_out(person, client_id=client_id)
        assert code == caught.value.code

    @pytest.mark.parametrize("argument", ["backchannel_logout_uri", "events_uri"])
    def test_a_place_is_a_url(self, issuer, argument):
        """Where messages go must be an absolute http or https URL."""
        with pytest.raises(ConfigurationError) as caught:
            issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, **{argument: "/logout"})
        assert "config.redirect_uri" == caught.value.code

    def test_a_post_logout_redirect_uri_is_a_url(self, issuer):
        """Where the browser goes must be one too."""
        with pytest.raises(ConfigurationError) as caught:
            issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, post_logout_redirect_uris=("bye",))
        assert "config.redirect_uri" == caught.value.code


class TestDelivery:
    def test_a_token_arrives_as_a_form(self, shop, issuer, app):
        """One POST to the registered place, with one parameter, no cookie and no credentials."""
        delivery = issuer.log_out("adult", client_id="shop")
        (request,) = app.requests
        assert "/shop" == request.path
        assert "application/x-www-form-urlencoded" == request.headers["content-type"]
        assert not {"cookie", "authorization"} & set(request.headers)
        assert delivery.posting.token == token_of(request)
        assert (delivery.accepted, delivery.refused, ()) == (True, False, delivery.complaints)
        assert (delivery,) == issuer.deliveries

    def test_a_refusal_is_one(self, shop, issuer, app):
        """Exactly 400, not to be kept, is a proper refusal."""
        app.always(400, NO_STORE)
        delivery = issuer.log_out("adult", client_id="shop")
        assert (delivery.accepted, delivery.refused, ()) == (False, True, delivery.complaints)

    @pytest.mark.parametrize(
        ("status", "headers", "body", "complaint"),
        [
            (204, NO_STORE, b"", "the status is neither 200 nor 400"),
            (302, {**NO_STORE, "location": "/login"}, b"", "the status is neither 200 nor 400"),
            (403, NO_STORE, b"", "the status is neither 200 nor 400"),
            (500, NO_STORE, b"", "the status is neither 200 nor 400"),
            (200, {}, b"", "Cache-Control lacks no-store"),
            (200, {"cache-control": "no-cache"}, b"", "Cache-Control lacks no-store"),
            (400, {"cache-control": "max-age=0"}, b"", "Cache-Control lacks no-store"),
            (200, NO_STORE, b"ok", "the body is not empty"),
            (200, {**NO_STORE, "set-cookie": "a=b"}, b"", "a cookie is set"),
        ],
    )
    def test_a_sloppy_answer_is_complained_about(self, shop, issuer, app, status, headers, body, complaint):
        """Any other answer counts neither as accepted nor as refused."""
        app.always(status, headers, body)
        delivery = issuer.log_out("adult", client_id="shop")
        assert (status, (complaint,)) == (delivery.status, delivery.complaints)
        assert (False, False) == (delivery.accepted, delivery.refused)
        assert 1 == len(app.requests)

    def test_no_store_may_stand_among_others(self, shop, issuer, app):
        """Cache-Control is a list, compared without case."""
        app.always(200, {"cache-control": "No-Cache, NO-STORE"})
        assert issuer.log_out("adult", client_id="shop").accepted

    def test_an_app_that_is_gone(self, issuer):
        """Where nobody listens there is an error and no answer."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening, so that nobody else listens either
            uri = f"http://127.0.0.1:{taken.getsockname()[1]}/logout"
            issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, backchannel_logout_uri=uri)
            delivery = issuer.log_out("adult", client_id="shop")
        assert (None, "transport.connection") == (delivery.status, delivery.error)
        assert (False, False) == (delivery.accepted, delivery.refused)

    def test_a_client_without_a_place(self, issuer):
        """Without a registered place nothing is sent."""
        issuer.register(client_id="shop", redirect_uri=REDIRECT_URI)
        assert "testing.url" == issuer.log_out("adult", client_id="shop").error

    def test_no_secret_in_what_is_shown(self, shop, issuer):
        """Neither token nor its name is in the repr of a delivery."""
        delivery = issuer.log_out("adult", client_id="shop")
        shown = repr(delivery)
        assert not [part for part in (delivery.posting.token, delivery.posting.jti) if part in shown]


class TestEndSession:
    def test_the_metadata_name_it(self, shop, issuer):
        """The signed metadata name the endpoint and what the issuer can do; the unsigned page lies."""
        page = shop.get("/.well-known/openid-configuration").json()
        metadata = parts_of(page["signed_metadata"])[1]
        assert f"{issuer.issuer}/end-session" == metadata["end_session_endpoint"]
        assert metadata["backchannel_logout_supported"] is True
        assert metadata["backchannel_logout_session_supported"] is True
        assert metadata["end_session_endpoint"] != page["end_session_endpoint"]

    def test_a_person_logs_out_everywhere(self, shop, issuer, app, clock):
        """Every app in which the person is logged in is told of its own session, and nobody else's."""
        bank = make_in_process(issuer, register(issuer, app, "bank", "https://bank.example/cb"), clock)
        quiet = issuer.register(client_id="quiet", redirect_uri="https://quiet.example/cb")
        sids = {"shop": sid_of(shop), "bank": sid_of(bank)}
        sid_of(make_in_process(issuer, quiet, clock))
        sid_of(bank, person="traveller")
        url = end_session_url(
            issuer, logout_hint=sids["shop"], post_logout_redirect_uri=BYE, state="of the app"
        )
        assert f"{BYE}?state=of%20the%20app" == issuer.end_session(url)
        told = {claims["aud"]: claims["sid"] for claims in map(self.claims_of, app.requests)}
        assert sids == told
        assert [("traveller", "bank")] == [(each.person, each.client_id) for each in issuer.sessions]

    @staticmethod
    def claims_of(request):
        return parts_of(token_of(request))[1]

    def test_the_person_may_stay(self, shop, issuer, app):
        """Who does not want to log out stays logged in, and is not sent back."""
        url = end_session_url(issuer, logout_hint=sid_of(shop), post_logout_redirect_uri=BYE)
        assert issuer.end_session(url, confirm=False) is None
        assert (1, []) == (len(issuer.sessions), app.requests)

    def test_without_a_place_the_issuer_shows_a_page(self, shop, issuer):
        """Without post_logout_redirect_uri the session ends all the same."""
        assert issuer.end_session(end_session_url(issuer, logout_hint=sid_of(shop))) is None
        assert () == issuer.sessions

    def test_nobody_is_asked_when_somebody_agrees_to_everything(self, shop, issuer):
        """With an automatic person the browser goes straight back."""
        sid = sid_of(shop)
        issuer.agree_automatically()
        form = {"client_id": "shop", "logout_hint": sid, "post_logout_redirect_uri": BYE}
        answer = shop.get(f"/end-session?{urlencode(form)}")
        assert ("transport.redirect", ()) == (answer.error, issuer.sessions)

    def test_a_form_does_as_well(self, shop, issuer):
        """The endpoint takes POST like GET (RP-Initiated Logout 1.0 §2)."""
        answer = shop.post("/end-session", {"client_id": "shop", "logout_hint": sid_of(shop)})
        assert (200, True) == (answer.status, b'name="interaction"' in answer.body)

    def test_the_page_leads_here_and_back_to_the_app_and_nowhere_else(self, shop, issuer):
        """The form may lead to the issuer and, after it, to the registered place; a hint is not shown."""
        sid = sid_of(shop)
        form = {"client_id": "shop", "logout_hint": sid, "post_logout_redirect_uri": BYE}
        answer = shop.post("/end-session", form)
        assert "form-action 'self' https://shop.example;" in answer.headers["content-security-policy"]
        assert ("no-store", False) == (answer.headers["cache-control"], sid.encode() in answer.body)

    def test_a_page_is_good_for_one_answer(self, shop, issuer):
        """The form of a page that was answered is refused."""
        answer = shop.post("/end-session", {"client_id": "shop", "logout_hint": sid_of(shop)})
        interaction = answer.body.split(b'name="interaction" value="')[1].split(b'"')[0].decode()
        form = {"interaction": interaction, "decision": "end"}
        assert [200, 400] == [shop.post("/end-session", form).status for _ in range(2)]

    def test_a_page_does_not_stand_open_for_ever(self, shop, issuer, clock):
        """After ten minutes the page is answered no more."""
        answer = shop.post("/end-session", {"client_id": "shop", "logout_hint": sid_of(shop)})
        interaction = answer.body.split(b'name="interaction" value="')[1].split(b'"')[0].decode()
        clock.advance(600)
        assert 400 == shop.post("/end-session", {"interaction": interaction, "decision": "end"}).status

    @pytest.mark.parametrize("hint", [{}, {"logout_hint": "x" * 32}])
    def test_a_session_that_is_over_is_over(self, shop, issuer, app, hint):
        """Without a session the browser goes straight back, and no app is told anything."""
        url = end_session_url(issuer, post_logout_redirect_uri=BYE, state="s", **hint)
        assert (f"{BYE}?state=s", []) == (issuer.end_session(url), app.requests)

    def test_a_session_of_another_sector_is_none(self, shop, issuer, app, clock):
        """An app cannot end what it has no name for."""
        bank = make_in_process(issuer, register(issuer, app, "bank", "https://bank.example/cb"), clock)
        url = end_session_url(issuer, logout_hint=sid_of(bank))
        assert (None, 1) == (issuer.end_session(url), len(issuer.sessions))

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "other"},
            {"post_logout_redirect_uri": f"{BYE}/"},
            {"post_logout_redirect_uri": "https://other.example/"},
            {"id_token_hint": "e30.e30."},
        ],
    )
    def test_what_is_not_registered_ends_on_a_page(self, shop, issuer, changes):
        """Nothing is redirected to a place that nobody registered, and no session ends."""
        url = end_session_url(issuer, logout_hint=sid_of(shop), **changes)
        with pytest.raises(ConfigurationError) as caught:
            issuer.end_session(url)
        assert ("testing.request_refused", 1) == (caught.value.code, len(issuer.sessions))

    @pytest.mark.parametrize("query", ["", "client_id=shop&client_id=shop", "client_id", "a=1&" * 20])
    def test_a_malformed_request_ends_on_a_page(self, shop, query):
        """What cannot be read, or says something twice, is refused."""
        assert 400 == shop.get(f"/end-session?{query}").status

    def test_another_address_is_none(self, issuer):
        """Only the endpoint's own address is opened."""
        with pytest.raises(ConfigurationError):
            issuer.end_session("https://other.example/end-session?client_id=shop")

    def test_an_app_may_fetch_keys_before_it_answers(self, issuer, app):
        """Sessions end without a lock that an app would wait for: it asks the issuer from its handler."""
        register(issuer, app, "shop", REDIRECT_URI)
        with issuer.serve() as origin:
            raw = make_in_process(issuer, register(issuer, app, "shop", REDIRECT_URI), issuer._clock)
            url = end_session_url(issuer, logout_hint=sid_of(raw), post_logout_redirect_uri=BYE)

            def fetch_keys(_request):
                return send_over_http("GET", f"{origin}/jwks.json", b"", {}).status, NO_STORE, b""

            app.answer = fetch_keys
            issuer.agree_automatically()
            answer = send_over_http("GET", url, b"", {})
        assert (303, [200]) == (answer.status, [delivery.status for delivery in issuer.deliveries])

    def test_the_log_names_the_endpoint(self, shop, issuer):
        """A call is logged by path and client, without what it asked."""
        issuer.end_session(end_session_url(issuer, logout_hint=sid_of(shop)))
        assert ("/end-session", "shop", 200) == (
            issuer.log[-1].path,
            issuer.log[-1].client_id,
            issuer.log[-1].status,
        )

    @pytest.mark.parametrize(
        ("name", "query"),
        [("post_logout.other_state", {"state": ["another-state"]}), ("post_logout.without_state", {})],
    )
    def test_the_way_back_may_be_odd(self, shop, issuer, name, query):
        """The state of the way back is another one, or is not there, and nothing else changes."""
        issuer.arm(name)
        url = end_session_url(issuer, post_logout_redirect_uri=BYE, state="mine")
        back = issuer.end_session(url)
        assert (BYE, query) == (back.partition("?")[0], parse_qs(urlsplit(back).query))
        assert f"{BYE}?state=mine" == issuer.end_session(url)


class TestFaults:
    def test_names_are_not_used_twice(self):
        """A name means one thing, whoever arms it."""
        groups = (
            FAULTS,
            STATUS_FAULTS,
            ODDITIES,
            LOGOUT_FAULTS,
            EVENT_FAULTS,
            LOGOUT_ODDITIES,
            EVENT_ODDITIES,
            RECEIPT_FAULTS,
            RECEIPT_ODDITIES,
            CREDENTIAL_FAULTS,
            CREDENTIAL_ODDITIES,
            WALLET_FAULTS,
            WALLET_ODDITIES,
        )
        assert sum(map(len, groups)) == len({name for group in groups for name in group})

    @pytest.mark.parametrize("name", LOGOUT_FAULTS)
    def test_rows_are_complete(self, name):
        """A fault names check, law, need, and an error that the catalogue has for this class."""
        fault = LOGOUT_FAULTS[name]
        assert CATALOGUE[fault.expected_code].family == fault.expected_error
        assert (name, "logout", None) == (fault.name, fault.needs, fault.err)
        assert fault.numbers
        assert fault.law.endswith(".")
        assert fault.stage in TOKEN_STAGES

    @pytest.mark.parametrize("name", LOGOUT_ODDITIES)
    def test_rows_of_oddities_are_complete(self, name):
        """An oddity names check, law and need."""
        odd = LOGOUT_ODDITIES[name]
        assert (name, "logout") == (odd.name, odd.needs)
        assert odd.numbers
        assert odd.law.endswith(".")

    @pytest.mark.parametrize("name", [name for name, each in ENTRIES.items() if each.stage in TOKEN_STAGES])
    def test_one_message_is_changed(self, shop, issuer, name):
        """The next message is changed in some way, and the one after it is honest again."""
        issuer.log_out("adult", client_id="shop", sid="s" * 32, deliver=False)
        issuer.arm(name)
        changed = issuer.log_out("adult", client_id="shop", sid="s" * 32, deliver=False)
        assert {} == issuer.armed
        assert not self.is_honest(issuer, changed)
        issuer.disarm()
        assert self.is_honest(issuer, issuer.log_out("adult", client_id="shop", sid="s" * 32, deliver=False))

    @staticmethod
    def is_honest(issuer, posting):
        """Tell whether an honest issuer could have sent this, byte for byte but for what is fresh."""
        now, signer = int(issuer._clock().timestamp()), issuer._service.keyring.signer("assertion")
        header = {"alg": "ES256", "kid": signer.kid, "typ": "logout+jwt", "x5c": signer.to_jwk()["x5c"]}
        claims = {
            "iss": issuer.issuer,
            "aud": "shop",
            "iat": now,
            "exp": now + 120,
            "jti": posting.jti,
            "events": {EVENT: {}},
            "sub": issuer.pseudonym("adult", sector="https://shop.example"),
            "sid": "s" * 32,
        }
        return (
            posting.content_type == "application/x-www-form-urlencoded"
            and posting.body == urlencode({"logout_token": posting.token}).encode()
            and is_signed(posting.token, header, claims, signer)
        )

    def test_the_plan_of_the_suite_is_complete(self):
        """Each module of the plan for back-channel logout has its fault, and the happy one its oddity."""
        prefix = "oidcc-client-test-rp-backchannel-rpinitlogout"
        named = ("alg-none", "no-event", "with-nonce", "wrong-alg", "wrong-aud", "wrong-event", "wrong-iss")
        found = {fault.module for fault in LOGOUT_FAULTS.values()} - {None}
        assert {f"{prefix}-{name}" for name in named} == found
        assert prefix in {odd.module for odd in LOGOUT_ODDITIES.values()}

    def test_another_issuer_can_be_faulty_too(self, app, clock):
        """Faults do not depend on the algorithm of the issuer."""
        issuer = MockIssuer(clock, algorithm="EdDSA")
        register(issuer, app, "shop", REDIRECT_URI)
        for name in LOGOUT_FAULTS:
            issuer.arm(name)
            issuer.log_out("adult", client_id="shop", deliver=False)
            issuer.disarm()
