"""What the issuer tells an app afterwards: frozen, and silent about whom it is."""

from __future__ import annotations

import dataclasses
import pickle
from datetime import UTC, datetime

import pytest

import cyberid_client
from cyberid_client import AccountStanding, AccountState, LogoutNotice, Pseudonym, WebhookReply

SECRET = "Zq3vT8wLx0aPf5RkYd2mNb_7uJcEi4oWs1gHt6lV9zA"
PERSON = Pseudonym(SECRET, issuer="https://issuer.example", sector="https://shop.example")
NOTICE = LogoutNotice(issuer="https://issuer.example", session_id=SECRET, pseudonym=PERSON)
STATE = AccountState(
    pseudonym=PERSON,
    state=AccountStanding.FROZEN,
    reason="reported-lost",
    sequence=7,
    issued_at=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
)


@pytest.mark.parametrize("value", [NOTICE, STATE])
class TestSilence:
    def test_its_repr_shows_nobody(self, value):
        """Neither person nor session can reach a log."""
        assert SECRET not in repr(value)

    def test_it_is_not_written_out(self, value):
        """What would copy the person refuses."""
        for write in (pickle.dumps, dataclasses.asdict):
            with pytest.raises(TypeError):
                write(value)

    def test_it_does_not_change(self, value):
        """A notice is what the issuer said."""
        with pytest.raises(dataclasses.FrozenInstanceError):
            value.pseudonym = None


def test_a_session_id_is_the_text_itself():
    """It can be compared with the one that the app keeps."""
    assert SECRET == NOTICE.session_id
    assert None is LogoutNotice(issuer="x", session_id=None, pseudonym=PERSON).session_id


def test_there_are_five_standings():
    """The words of the profile."""
    assert ["active", "frozen", "cancelled", "replaced", "device-changed"] == list(AccountStanding)


def test_a_reply_is_empty_and_without_code_when_all_is_well():
    """What is not said is not sent."""
    reply = WebhookReply(status=200, headers={})
    assert (b"", None) == (reply.body, reply.code)


def test_they_stand_at_the_front_door():
    """An app imports them from the package."""
    assert {"AccountStanding", "AccountState", "LogoutNotice", "WebhookReply"} <= set(cyberid_client.__all__)
