"""Security events of the mock, judged by libraries of others, and their delivery in every order."""

from __future__ import annotations

import json
import socket

import pytest

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import ConfigurationError
from cyberid_client.testing import EVENT_FAULTS, EVENT_ODDITIES
from cyberid_client.testing.events import ACCOUNT_STATES

from .conftest import REDIRECT_URI, parts_of
from .judges import is_signed, verified
from .receiver import listening

EVENT = "urn:cyberid:event:account-state"
SECTOR = "https://shop.example"
CODES = {
    "invalid_request",
    "invalid_key",
    "invalid_issuer",
    "invalid_audience",
    "authentication_failed",
    "access_denied",
}
JSON = {"content-type": "application/json"}


@pytest.fixture
def app():
    with listening() as receiver:
        receiver.always(202)
        yield receiver


@pytest.fixture
def shop(issuer, app):
    """A client that wants security events."""
    return issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, events_uri=f"{app.origin}/events")


def refusal(err, **more):
    return json.dumps({"err": err, **more}).encode()


def event_of(token):
    return parts_of(token)[1]["events"][EVENT]


def numbers_at(app):
    """Return the numbers of the events in the order in which they arrived."""
    return [event_of(request.body.decode())["seq"] for request in app.requests]


@pytest.mark.usefixtures("shop")
class TestTokens:
    def test_the_event_is_what_the_profile_says(self, issuer, clock):
        """Header, claims and media type, and nothing else: neither exp nor sub."""
        posting = issuer.send_event("adult", client_id="shop", reason="device.lost", deliver=False)
        header, claims = parts_of(posting.token)
        assert {"alg", "kid", "typ", "x5c"} == set(header)
        assert ("ES256", "secevent+jwt") == (header["alg"], header["typ"])
        subject = issuer.pseudonym("adult", sector=SECTOR)
        assert {
            "iss": issuer.issuer,
            "iat": int(clock().timestamp()),
            "jti": posting.jti,
            "aud": "shop",
            "sub_id": {"format": "iss_sub", "iss": issuer.issuer, "sub": subject},
            "events": {EVENT: {"state": "frozen", "reason": "device.lost", "seq": 1}},
        } == claims
        assert ("application/secevent+jwt", posting.token.encode()) == (posting.content_type, posting.body)

    def test_others_believe_the_event(self, issuer):
        """PyJWT believes it by its certificate."""
        token = issuer.send_event("adult", client_id="shop", deliver=False).token
        assert parts_of(token)[1] == verified(token, issuer=issuer.issuer, audience="shop")

    @pytest.mark.parametrize("state", ACCOUNT_STATES)
    def test_five_states(self, issuer, state):
        """Each state of the profile can be told."""
        token = issuer.send_event("adult", client_id="shop", state=state, deliver=False).token
        assert state == event_of(token)["state"]

    def test_a_pseudonym_has_one_count_in_its_sector(self, issuer):
        """Clients of one sector share the count; other people and other sectors have their own."""
        issuer.register(client_id="phone", redirect_uri="https://phone.example/cb", sector=SECTOR)
        issuer.register(client_id="bank", redirect_uri="https://bank.example/cb")
        asked = [
            ("adult", "shop"),
            ("adult", "phone"),
            ("traveller", "shop"),
            ("adult", "bank"),
            ("adult", "shop"),
        ]
        tokens = [issuer.send_event(who, client_id=where, deliver=False).token for who, where in asked]
        assert [1, 2, 1, 1, 3] == [event_of(token)["seq"] for token in tokens]

    def test_a_number_can_be_given(self, issuer):
        """A given number is used, and the count goes on from the highest."""
        given = [7, None, 3, None]
        tokens = [
            issuer.send_event("adult", client_id="shop", sequence=number, deliver=False).token
            for number in given
        ]
        assert [7, 8, 3, 9] == [event_of(token)["seq"] for token in tokens]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ({"person": "nobody"}, "testing.unknown_person"),
            ({"client_id": "other"}, "config.value"),
            ({"state": "asleep"}, "config.value"),
        ],
    )
    def test_unknown_names_are_mistakes(self, issuer, arguments, code):
        """A person, client or state that does not exist is the developer's mistake."""
        with pytest.raises(ConfigurationError) as caught:
            issuer.send_event(**{"person": "adult", "client_id": "shop", **arguments})
        assert code == caught.value.code


@pytest.mark.usefixtures("shop")
class TestDelivery:
    def test_an_event_arrives_as_one(self, issuer, app):
        """One POST whose body is the token (RFC 8935 §2.1)."""
        delivery = issuer.send_event("adult", client_id="shop")
        (request,) = app.requests
        assert ("/events", "application/secevent+jwt", "application/json") == (
            request.path,
            request.headers["content-type"],
            request.headers["accept"],
        )
        assert delivery.posting.token.encode() == request.body
        assert (True, (), None) == (delivery.accepted, delivery.complaints, delivery.err)
        assert (delivery,) == issuer.deliveries

    @pytest.mark.parametrize("err", sorted(CODES))
    def test_a_refusal_is_one(self, issuer, app, err):
        """400 with one of the six codes is a proper refusal."""
        app.always(400, {**JSON, "content-language": "en"}, refusal(err, description="Refused."))
        delivery = issuer.send_event("adult", client_id="shop")
        assert (True, err, ()) == (delivery.refused, delivery.err, delivery.complaints)

    @pytest.mark.parametrize(
        ("status", "headers", "body", "complaint"),
        [
            (200, {}, b"", "the status is neither 202 nor 400"),
            (204, {}, b"", "the status is neither 202 nor 400"),
            (302, {"location": "/login"}, b"", "the status is neither 202 nor 400"),
            (500, {}, b"", "the status is neither 202 nor 400"),
            (202, {}, b"{}", "the body of a 202 is not empty"),
            (400, {"content-type": "text/html"}, refusal("invalid_key"), "a 400 is not JSON"),
            (400, JSON, refusal("expired"), "err is no code of RFC 8935"),
            (400, JSON, b"[]", "err is no code of RFC 8935"),
            (400, JSON, b"no", "err is no code of RFC 8935"),
            (400, JSON, refusal("invalid_key", description="x"), "a description is in no language"),
            (202, {"set-cookie": "a=b"}, b"", "a cookie is set"),
        ],
    )
    def test_a_sloppy_answer_is_complained_about(self, issuer, app, status, headers, body, complaint):
        """Any other answer counts neither as accepted nor as refused."""
        app.always(status, headers, body)
        delivery = issuer.send_event("adult", client_id="shop")
        assert (status, (complaint,)) == (delivery.status, delivery.complaints)
        assert (False, False) == (delivery.accepted, delivery.refused)


@pytest.mark.usefixtures("shop")
class TestOutages:
    def test_held_events_wait(self, issuer, app):
        """While events are held back nobody hears of them; then they arrive as they were made."""
        issuer.events.hold()
        held = [issuer.send_event("adult", client_id="shop") for _ in range(3)]
        assert ([None] * 3, ["held"] * 3) == (
            [each.status for each in held],
            [each.error for each in held],
        )
        assert ([], tuple(each.posting for each in held)) == (app.requests, issuer.events.waiting)
        assert all(each.accepted for each in issuer.events.release())
        assert ([1, 2, 3], ()) == (numbers_at(app), issuer.events.waiting)
        issuer.send_event("adult", client_id="shop")
        assert [1, 2, 3, 4] == numbers_at(app)

    @pytest.mark.parametrize(
        ("order", "numbers"),
        [
            ("made", [1, 2, 3]),
            ("reversed", [3, 2, 1]),
            ((2, 0, 1), [3, 1, 2]),
            ((0, 0, 2, 0), [1, 1, 3, 1]),
            ((), []),
        ],
    )
    def test_any_order(self, issuer, app, order, numbers):
        """After an outage events come late, doubled and reordered, and some are lost."""
        issuer.events.hold()
        for _ in range(3):
            issuer.send_event("adult", client_id="shop")
        issuer.events.release(order)
        assert (numbers, ()) == (numbers_at(app), issuer.events.waiting)

    def test_a_doubled_event_is_the_same(self, issuer, app):
        """What is sent twice has the same bytes both times."""
        issuer.events.hold()
        issuer.send_event("adult", client_id="shop")
        issuer.events.release([0, 0])
        assert 1 == len({request.body for request in app.requests})

    @pytest.mark.parametrize("order", ["backwards", [3], [-1]])
    def test_an_order_that_is_none(self, issuer, order):
        """Another word or another position is a mistake, and what waits goes on waiting."""
        issuer.events.hold()
        for _ in range(3):
            issuer.send_event("adult", client_id="shop")
        with pytest.raises(ConfigurationError) as caught:
            issuer.events.release(order)
        assert ("config.value", 3) == (caught.value.code, len(issuer.events.waiting))

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            (500, {}, b""),
            (503, {}, b""),
            (400, JSON, refusal("authentication_failed")),
            (400, {}, b""),
        ],
    )
    def test_a_failure_is_tried_again(self, issuer, app, status, headers, body):
        """What was neither taken nor refused for good comes again with the same bytes, until it is taken."""
        app.always(status, headers, body)
        failed = issuer.send_event("adult", client_id="shop")
        issuer.events.retry()
        app.always(202)
        (retried,) = issuer.events.retry()
        assert (True, failed.posting) == (retried.accepted, retried.posting)
        assert (3, 1) == (len(app.requests), len({request.body for request in app.requests}))
        assert ((), ()) == (issuer.events.retry(), issuer.events.failed)

    def test_a_refusal_is_not_tried_again(self, issuer, app):
        """What the app refused for good is dropped."""
        app.always(400, JSON, refusal("invalid_request"))
        issuer.send_event("adult", client_id="shop")
        assert () == issuer.events.failed

    def test_an_app_that_is_gone(self, issuer):
        """Where nobody listens the event waits for the next try."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening, so that nobody else listens either
            uri = f"http://127.0.0.1:{taken.getsockname()[1]}/events"
            issuer.register(client_id="shop", redirect_uri=REDIRECT_URI, events_uri=uri)
            delivery = issuer.send_event("adult", client_id="shop")
        assert ("transport.connection", (delivery.posting,)) == (delivery.error, issuer.events.failed)


@pytest.mark.usefixtures("shop")
class TestFaults:
    @pytest.mark.parametrize("name", EVENT_FAULTS)
    def test_rows_are_complete(self, name):
        """A fault names check, law, need, answer, and an error that the catalogue has for this class."""
        fault = EVENT_FAULTS[name]
        assert CATALOGUE[fault.expected_code].family == fault.expected_error
        assert (name, "events") == (fault.name, fault.needs)
        assert fault.err in CODES - {"authentication_failed", "access_denied"}
        assert fault.numbers
        assert fault.law.endswith(".")
        assert fault.stage in {"secevent", "event_delivery"}

    @pytest.mark.parametrize("name", EVENT_ODDITIES)
    def test_rows_of_oddities_are_complete(self, name):
        """An oddity names check, law and need."""
        odd = EVENT_ODDITIES[name]
        assert (name, "events") == (odd.name, odd.needs)
        assert odd.numbers
        assert odd.law.endswith(".")

    def test_every_answer_that_a_message_can_earn_is_earned(self):
        """Four of the six codes are about the message; the other two are about who sends it."""
        answers = {fault.err for fault in EVENT_FAULTS.values()}
        assert CODES - {"authentication_failed", "access_denied"} == answers

    @pytest.mark.parametrize("name", [*EVENT_FAULTS, *EVENT_ODDITIES])
    def test_one_message_is_changed(self, issuer, name):
        """The next message is changed in some way, and the one after it is honest again."""
        send = {"person": "adult", "client_id": "shop", "sequence": 5, "deliver": False}
        issuer.send_event(**send)
        issuer.arm(name)
        changed = issuer.send_event(**send)
        assert {} == issuer.armed
        assert not self.is_honest(issuer, changed)
        issuer.disarm()
        assert self.is_honest(issuer, issuer.send_event(**send))

    @staticmethod
    def is_honest(issuer, posting):
        """Tell whether an honest issuer could have sent this, byte for byte but for what is fresh."""
        signer = issuer._service.keyring.signer("assertion")
        header = {"alg": "ES256", "kid": signer.kid, "typ": "secevent+jwt", "x5c": signer.to_jwk()["x5c"]}
        subject = issuer.pseudonym("adult", sector=SECTOR)
        claims = {
            "iss": issuer.issuer,
            "iat": int(issuer._clock().timestamp()),
            "jti": posting.jti,
            "aud": "shop",
            "sub_id": {"format": "iss_sub", "iss": issuer.issuer, "sub": subject},
            "events": {EVENT: {"state": "frozen", "reason": "reported", "seq": 5}},
        }
        return (
            posting.content_type == "application/secevent+jwt"
            and posting.body == posting.token.encode()
            and is_signed(posting.token, header, claims, signer)
        )
