"""What a security event must say, and what the issuer is answered."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cyberid_client import Pseudonym
from cyberid_client.error_codes import CATALOGUE
from cyberid_client.errors import (
    ChainError,
    ConfigurationError,
    RevocationError,
    SignatureError,
    StoreError,
    TransportError,
    UnavailableError,
    VerificationError,
)
from cyberid_client.handshake.checks.events import SEQUENCE_MAX
from cyberid_client.handshake.events import REMEMBERED_FOR
from cyberid_client.handshake.webhooks import reply_to_event, reply_to_logout
from cyberid_client.notices import AccountStanding

from .conftest import EVENT_CLAIMS, ISSUER, NOW, SECONDS

URI = "urn:cyberid:event:account-state"
SUBJECT = EVENT_CLAIMS["sub_id"]
STATE = EVENT_CLAIMS["events"][URI]


def state(**changes):
    return {URI: {name: value for name, value in {**STATE, **changes}.items() if value is not ...}}


class TestKind:
    @pytest.mark.parametrize("typ", ["secevent+jwt", "SecEvent+JWT", "application/secevent+jwt"])
    def test_it_says_that_it_is_a_security_event(self, security_event, typ):
        """The type is compared without regard to case, with or without application/."""
        assert None is security_event.verdict(header={"typ": typ})

    @pytest.mark.parametrize("typ", [..., "JWT", "logout+jwt", "secevent", "application/jwt"])
    def test_any_other_type_and_none_are_refused(self, security_event, typ):
        """A token that does not name its kind could be one of another."""
        assert ("check_type", "security_event.type") == security_event.verdict(header={"typ": typ})

    @pytest.mark.parametrize("claim", ["sub", "nonce"])
    @pytest.mark.parametrize("value", ["x", "", None, {}])
    def test_members_of_an_assertion_are_refused(self, security_event, claim, value):
        """What could be taken for an assertion is no event."""
        assert ("check_event_kind", "security_event.kind") == security_event.verdict(**{claim: value})

    @pytest.mark.parametrize(
        "events", [{}, {URI + "2": STATE}, {**state(), "urn:other": {}}, {"urn:other": {}, "urn:more": 1}]
    )
    def test_exactly_one_event_of_the_one_kind(self, security_event, events):
        """Another event, a second one and none at all are refused: acknowledged, they would be lost."""
        assert ("check_event_type", "security_event.event") == security_event.verdict(events=events)

    def test_unknown_claims_are_dropped_also_inside(self, security_event):
        """What is not in the profile changes nothing, and no date ends an event."""
        inside = {"events": state(ticket=["x"]), "sub_id": {**SUBJECT, "more": 1}}
        assert None is security_event.verdict(txn="x", toe=1, exp=1, extra={"a": 1}, **inside)


class TestParties:
    @pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER + "1", ISSUER.upper()])
    def test_another_issuer_is_refused(self, security_event, issuer):
        """The issuer is compared byte for byte, as the sender and as the subject's own."""
        assert ("check_event_issuer", "security_event.issuer") == security_event.verdict(iss=issuer)
        refused = ("check_subject_issuer", "security_event.subject_issuer")
        assert refused == security_event.verdict(sub_id={**SUBJECT, "iss": issuer})

    @pytest.mark.parametrize("audience", ["shop", ["shop"]])
    def test_this_client_alone_is_the_audience(self, security_event, audience):
        """One audience may stand alone or in a list of one."""
        assert None is security_event.verdict(aud=audience)

    @pytest.mark.parametrize("audience", ["shop1", ["other"], ["shop", "other"]])
    def test_anybody_else_is_one_too_many(self, security_event, audience):
        """Another audience is refused, also beside the right one."""
        assert ("check_event_audience", "security_event.audience") == security_event.verdict(aud=audience)


class TestTimes:
    @pytest.mark.parametrize("iat", [SECONDS + 10, SECONDS, SECONDS - 10**8, 0])
    def test_it_may_be_of_any_age(self, security_event, iat):
        """After an outage events are late, and still true."""
        assert None is security_event.verdict(iat=iat)

    def test_it_was_not_issued_ahead_of_our_clock(self, security_event):
        """The leeway forgives ten seconds and not one more."""
        refused = ("check_event_issued_at", "security_event.issued_in_future")
        assert refused == security_event.verdict(iat=SECONDS + 10.001)


class TestSubject:
    @pytest.mark.parametrize(
        "subject",
        [
            {"format": "opaque", "id": "x"},
            {"format": "ISS_SUB", "iss": ISSUER, "sub": SUBJECT["sub"]},
            {"format": "iss_sub", "iss": ISSUER},
            {"format": "iss_sub", "sub": SUBJECT["sub"]},
            {"format": "aliases", "identifiers": [SUBJECT]},
        ],
    )
    def test_it_is_named_by_issuer_and_identifier(self, security_event, subject):
        """Every other format is refused, and so is half of this one."""
        refused = ("check_subject_format", "security_event.subject_format")
        assert refused == security_event.verdict(sub_id=subject)

    @pytest.mark.parametrize("sub", ["a" * 21, "a" * 129, "a" * 21 + "."])
    def test_it_has_the_shape_of_a_pseudonym(self, security_event, sub):
        """Shapes that no assertion could have are refused."""
        refused = ("check_event_subject", "security_event.subject")
        assert refused == security_event.verdict(sub_id={**SUBJECT, "sub": sub})

    def test_an_identity_number_names_nobody(self, security_event):
        """A subject that holds one is refused."""
        refused = ("check_no_identity_number_reported", "security_event.identity_number")
        assert refused == security_event.verdict(sub_id={**SUBJECT, "sub": "user_110101189001010075"})


class TestState:
    @pytest.mark.parametrize("name", ["active", "frozen", "cancelled", "replaced", "device-changed"])
    def test_there_are_five(self, security_event, name):
        """Each of the profile's states is handed to the app as what it is."""
        token = security_event.token(events=state(state=name))
        assert AccountStanding(name) is security_event.judge(token).state.state

    @pytest.mark.parametrize("name", ["Active", "thawed", "device_changed", " frozen"])
    def test_there_is_no_sixth(self, security_event, name):
        """A state that is not known cannot be applied."""
        refused = ("check_account_state", "security_event.state")
        assert refused == security_event.verdict(events=state(state=name))

    @pytest.mark.parametrize("reason", ["x", "a" * 64, "reported-lost", "urn:x.y_z:1"])
    def test_a_reason_is_one_word(self, security_event, reason):
        """Letters, digits and four marks, at most 64 of them."""
        assert None is security_event.verdict(events=state(reason=reason))

    @pytest.mark.parametrize("reason", ["a" * 65, "two words", "line\n", "<b>", "原因", "a=b"])
    def test_a_reason_is_no_text(self, security_event, reason):
        """What could be read as more than a word is refused."""
        refused = ("check_event_reason", "security_event.reason")
        assert refused == security_event.verdict(events=state(reason=reason))

    @pytest.mark.parametrize("sequence", [0, 1, SEQUENCE_MAX])
    def test_a_number_fits_a_column_of_a_database(self, security_event, sequence):
        """From 0 to 2⁶³ - 1, both included."""
        assert None is security_event.verdict(events=state(seq=sequence))

    @pytest.mark.parametrize("sequence", [-1, SEQUENCE_MAX + 1, 2**64])
    def test_other_numbers_are_refused(self, security_event, sequence):
        """What no counter can hold is refused before it meets one."""
        refused = ("check_event_sequence", "security_event.sequence")
        assert refused == security_event.verdict(events=state(seq=sequence))


class TestTypes:
    @pytest.mark.parametrize("claim", ["iss", "aud", "iat", "jti", "sub_id", "events"])
    def test_a_required_claim_is_there(self, security_event, claim):
        """Without one of them the event is refused unread."""
        assert ("parsing", "security_event.claim_missing") == security_event.verdict(**{claim: ...})

    @pytest.mark.parametrize("claim", ["iss", "aud", "iat", "jti", "sub_id", "events"])
    @pytest.mark.parametrize("value", [None, "", True, []])
    def test_a_claim_has_its_type(self, security_event, claim, value):
        """Null, empty, truth values and lists are none of them."""
        assert ("parsing", "security_event.claim_type") == security_event.verdict(**{claim: value})

    @pytest.mark.parametrize("member", ["state", "reason", "seq"])
    def test_the_event_is_whole(self, security_event, member):
        """State, reason and number are all there."""
        missing = security_event.verdict(events=state(**{member: ...}))
        assert ("parsing", "security_event.claim_missing") == missing

    @pytest.mark.parametrize(
        "changes", [{"state": 1}, {"reason": None}, {"seq": True}, {"seq": "7"}, {"seq": 7.0}, {"seq": None}]
    )
    def test_a_member_of_the_event_has_its_type(self, security_event, changes):
        """A number is whole and no truth value, a word is a text."""
        assert ("parsing", "security_event.claim_type") == security_event.verdict(events=state(**changes))

    @pytest.mark.parametrize("event", [None, [], "frozen"])
    def test_the_event_is_an_object(self, security_event, event):
        """Anything else has no members to be read."""
        assert ("parsing", "security_event.claim_type") == security_event.verdict(events={URI: event})


class TestWhatIsBelieved:
    def test_a_state_says_who_what_and_when(self, security_event):
        """What the app is handed comes from the signed bytes."""
        state = security_event.judge(security_event.token(iat=SECONDS - 5)).state
        person = Pseudonym(SUBJECT["sub"], issuer=ISSUER, sector="https://shop.example")
        assert (
            person,
            AccountStanding.FROZEN,
            "reported-lost",
            7,
            datetime.fromtimestamp(SECONDS - 5, UTC),
        ) == (
            state.pseudonym,
            state.state,
            state.reason,
            state.sequence,
            state.issued_at,
        )

    def test_the_subject_is_the_same_for_all_clients_of_a_sector(self, security_event):
        """Two clients of one sector share the counter; two sectors do not."""
        here = security_event.judge(security_event.token())
        other_client = {"client_id": "phone", "sector": "https://shop.example"}
        there = security_event.judge(security_event.token(aud="phone"), settings=other_client)
        elsewhere = security_event.judge(security_event.token(), settings={"sector": "https://other.example"})
        assert here.subject == there.subject
        assert here.subject != elsewhere.subject
        assert here.key != there.key

    def test_it_shows_nothing(self, security_event):
        """The person cannot reach a log by way of a repr."""
        assert SUBJECT["sub"] not in repr(security_event.judge(security_event.token()))

    def test_it_is_remembered_for_400_days(self, security_event):
        """An event has no end; after that its number alone keeps it from having an effect."""
        assert NOW + REMEMBERED_FOR == security_event.judge(security_event.token(iat=0)).expires_at
        assert timedelta(days=400) == REMEMBERED_FOR


def err_of(error):
    return json.loads(reply_to_event(error).body)["err"]


class TestReplies:
    def test_an_event_is_acknowledged_with_202_and_nothing(self):
        """RFC 8935 §2.2."""
        reply = reply_to_event(None)
        assert (202, {"cache-control": "no-store"}, b"", None) == (
            reply.status,
            reply.headers,
            reply.body,
            reply.code,
        )

    def test_a_refusal_is_400_and_json_in_a_language(self):
        """RFC 8935 §2.3: err, and a description in the language of Content-Language."""
        reply = reply_to_event(VerificationError("security_event.state"))
        assert (400, "application/json", "en", "no-store") == (
            reply.status,
            reply.headers["content-type"],
            reply.headers["content-language"],
            reply.headers["cache-control"],
        )
        assert {"err", "description"} == set(json.loads(reply.body))
        assert "security_event.state" == reply.code
        assert b"state" not in reply.body

    @pytest.mark.parametrize(
        ("error", "err"),
        [
            (VerificationError("security_event.malformed"), "invalid_request"),
            (VerificationError("security_event.content_type"), "invalid_request"),
            (VerificationError("security_event.type"), "invalid_request"),
            (VerificationError("security_event.event"), "invalid_request"),
            (VerificationError("security_event.subject_issuer"), "invalid_request"),
            (VerificationError("security_event.issued_in_future"), "invalid_request"),
            (VerificationError("security_event.issuer"), "invalid_issuer"),
            (VerificationError("security_event.audience"), "invalid_audience"),
            (VerificationError("security_event.algorithm"), "invalid_key"),
            (VerificationError("security_event.key_unknown"), "invalid_key"),
            (SignatureError("security_event.signature"), "invalid_key"),
            (ChainError("chain.expired"), "invalid_key"),
            (RevocationError("revocation.revoked"), "invalid_key"),
            (RevocationError("revocation.unreachable"), "authentication_failed"),
            (VerificationError("metadata.expired"), "authentication_failed"),
            (TransportError("transport.timeout"), "authentication_failed"),
            (StoreError("store.unavailable"), "authentication_failed"),
            (UnavailableError("webhook.handler_failed"), "authentication_failed"),
            (ConfigurationError("trust.expired"), "authentication_failed"),
        ],
    )
    def test_err_says_whose_affair_it_is(self, error, err):
        """What is wrong with the event is told from what keeps us from judging it."""
        assert err == err_of(error)

    def test_every_code_of_an_event_has_an_err(self):
        """No code of the catalogue is left without one of the registered answers."""
        families = {"VerificationError": VerificationError, "SignatureError": SignatureError}
        codes = [code for code in CATALOGUE if code.startswith("security_event.")]
        found = {err_of(families[CATALOGUE[code].family](code)) for code in codes}
        assert {"invalid_request", "invalid_key", "invalid_issuer", "invalid_audience"} == found

    def test_a_logout_is_answered_with_200_or_400_and_nothing(self):
        """Back-Channel Logout 1.0 §2.8: nothing is kept in caches, and nothing is told."""
        good, bad = reply_to_logout(None), reply_to_logout(VerificationError("logout_token.event"))
        assert ((200, b"", None), (400, b"", "logout_token.event")) == (
            (good.status, good.body, good.code),
            (bad.status, bad.body, bad.code),
        )
        assert {"cache-control": "no-store"} == good.headers == bad.headers
