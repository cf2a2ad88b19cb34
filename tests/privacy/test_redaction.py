"""The filter for logs, in front of real handlers."""

from __future__ import annotations

import copy
import io
import json
import logging
import logging.config
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.errors import VerificationError
from cyberid_client.privacy.redaction import RedactingFilter, redact, redacted_record

HANDLE = "q2Wd-9_" * 6 + "A"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl"
MOBILE = "13000000000"
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----"
SECRETS = (HANDLE, TOKEN, MOBILE, KEY, "c0de-of-nobody")
COPIES = sys.version_info >= (3, 12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"call {MOBILE} now", "call [redacted] now"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [redacted]"),
        (f"cut off: {TOKEN[:30]}", "cut off: [redacted]"),
        (f"in_a_name_{TOKEN}", "in_a_name_[redacted]"),
        (f"a five-part one: {TOKEN}.a.b", "a five-part one: [redacted]"),
        (f"handle {HANDLE}.", "handle [redacted]."),
        (f"sealed {HANDLE}.k1.{'x' * 16}!", "sealed [redacted]!"),
        (KEY, "[redacted]"),
        (f"{KEY[:40]} and no end", "[redacted]"),
        (f"{KEY} between {KEY}", "[redacted] between [redacted]"),
        ("GET /callback?code=a&state=b&iss=i HTTP/1.1", "GET /callback?code=[redacted]&state=[redacted]&iss=i HTTP/1.1"),
        ("/start?next=%2Fcb%3Fcode%3Dab%26state%3Dcd", "/start?next=%2Fcb%3Fcode%3D[redacted]%26state%3D[redacted]"),
        ("code=c0de-of-nobody", "code=[redacted]"),
        ("grant_type=x&code_verifier=v&client_assertion=a", "grant_type=x&code_verifier=[redacted]&client_assertion=[redacted]"),
        ("{'code': 'c0de-of-nobody', 'a': 1}", "{'code': '[redacted]', 'a': 1}"),
        ('{"nonce": "n", "a": 1}', '{"nonce": "[redacted]", "a": 1}'),
        ('{"password": "four words, one & two", "a": 1}', '{"password": "[redacted]", "a": 1}'),
        (r'{"pseudonym": "a\"b c", "a": 1}', '{"pseudonym": "[redacted]", "a": 1}'),
        ("{'password': \"it's long\", 'a': 1}", "{'password': \"[redacted]\", 'a': 1}"),
        ('cut off: {"password": "four wor\nnext line', 'cut off: {"password": "[redacted]\nnext line'),
        ("the code: of-nobody-0123456789 was used", "the code: [redacted] was used"),
        ("STATE = c0de-of-nobody;", "STATE = [redacted];"),
        (f"__Host-cyberid-{'a' * 22}=short; Path=/", f"__Host-cyberid-{'a' * 22}=[redacted]; Path=/"),
    ],
)  # fmt: skip
def test_a_secret_is_replaced_and_what_stands_around_it_stays(text, expected):
    """Each form is found where it stands, up to its border."""
    assert expected == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "finish_login: code=callback.state reference=0AB1CD2E",
        "code=id_token.signature",
        "sent token: status=200 error=None",
        "exit code=1, state: ready, response:application/json, token: expired-already",
        "status_code=2026112208",
        "the_name_of_a_function_that_is_43_chars_lon",
        "THE_NAME_OF_A_CONSTANT_THAT_IS_43_CHARS_LON",
        "550e8400-e29b-41d4-a716-446655440000",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "2026-11-22T08:00:00+00:00 1763798400.123456",
        "",
    ],
)
def test_what_operators_need_stays(text):
    """Error codes, statuses, references, times, request ids and names of functions are no secrets."""
    assert text == redact(text)


WORDS = st.sampled_from(
    [*SECRETS, "code=", "state%3D", "nonce: ", "'", '"', "&", "?", "%26", " ", ".", "-", "eyJ", "[redacted]", "+86", "1", "x\n"]
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=4), max_size=12).map("".join))
def test_redacting_twice_is_redacting_once(text):
    """Two filters in a row, or one on two handlers, do no harm."""
    assert redact(redact(text)) == redact(text)


@given(st.text(), st.sampled_from(SECRETS[:4]), st.text(alphabet=" ,;!?()<>\n证", min_size=1, max_size=3))
def test_no_secret_of_a_known_form_stays(text, secret, border):
    """Whatever text stands before and behind it."""
    assert secret not in redact(text + border + secret + border + text)


@pytest.mark.parametrize(
    "unit",
    ["eyJ", "eyJ.", "eyJaaaaaaaa.", "code=", "code='", 'code="\\\\', "&code=", "a" * 43 + " ", HANDLE, HANDLE + ".", MOBILE + " ",
     "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "__Host-cyberid-", "?", "%26", "state  ", "sub: "],
)  # fmt: skip
def test_a_hostile_text_costs_linear_time(unit):
    """Half a million characters made to look like beginnings take seconds at most."""
    text = unit * (500_000 // len(unit))
    begin = time.thread_time()
    redact(text)
    assert time.thread_time() - begin < 10


class Shown:
    """A logger with two handlers, the first of which has the filter."""

    def __init__(self) -> None:
        self.filtered, self.other = io.StringIO(), io.StringIO()
        self.logger = logging.Logger("app", logging.DEBUG)  # noqa: LOG001 - in no one's way
        for stream, filters in ((self.filtered, [RedactingFilter()]), (self.other, [])):
            handler = logging.StreamHandler(stream)
            handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
            for each in filters:
                handler.addFilter(each)
            self.logger.addHandler(handler)

    def __call__(self) -> str:
        return self.filtered.getvalue()


@pytest.fixture
def shown() -> Shown:
    return Shown()


class Clumsy:
    def __str__(self) -> str:
        raise RuntimeError(TOKEN)

    __repr__ = __str__


class Careless:
    def __repr__(self) -> str:
        return f"Careless({TOKEN})"


@pytest.mark.parametrize(
    ("message", "arguments", "expected"),
    [
        ("person %s", (MOBILE,), "person [redacted]"),
        ("person %d of %d", (int(MOBILE), 2), "person [redacted] of 2"),
        ("code=%s", ("c0de-of-nobody",), "code=[redacted]"),
        ("code=%s", ("callback.state",), "code=callback.state"),
        (f"{TOKEN} %s", ("x",), "[redacted] x"),
        ("%(a)s %(nonce)s", ({"a": 1, "nonce": "n"},), "1 [redacted]"),
        ("form %s", ({"code": "c0de-of-nobody", "more": [MOBILE]},), "form {'code': '[redacted]', 'more': ['[redacted]']}"),
        ("bytes %s", (TOKEN.encode(),), "bytes b'[redacted]'"),
        ("thing %s", (Careless(),), "thing Careless([redacted])"),
        ("error %s", (ValueError(TOKEN),), "error [redacted]"),
        ("ours: %s", (VerificationError("callback.state"),), f"ours: {VerificationError('callback.state')}"),
        ("share %.2f%%", (99.5,), "share 99.50%"),
        ("cut %.4s", (TOKEN,), "cut [red"),
        ({"event": TOKEN}, (), "{'event': '[redacted]'}"),
        ("wrong %d", ("c0de",), "('wrong %d', ('c0de',))"),
        ("too few %s %s", (TOKEN,), "('too few %s %s', ('[redacted]',))"),
        ("%s", (Clumsy(),), "[a log record that could not be redacted]"),
    ],
)  # fmt: skip
def test_message_and_arguments_are_redacted(shown, message, arguments, expected):
    """What the handler writes holds no secret, also where it stands across template and argument."""
    shown.logger.warning(message, *arguments)
    assert f"WARNING {expected}\n" == shown()


def test_arguments_keep_their_places():
    """A formatter that unpacks them, as those of web servers do, still can."""
    record = logging.makeLogRecord(
        {"msg": '%s - "%s %s" %d', "args": ("127.0.0.1", "GET", "/callback?code=a&state=b", 200)}
    )
    clean = redacted_record(record)
    assert ("127.0.0.1", "GET", "/callback?code=[redacted]&state=[redacted]", 200) == clean.args
    assert record.msg == clean.msg


def test_a_secret_cut_off_by_the_template_leaves_the_arguments_too(shown):
    """A handler that looks at the arguments finds none."""
    record = logging.makeLogRecord({"msg": "cut %.4s", "args": (TOKEN,)})
    assert TOKEN not in repr(redacted_record(record).__dict__)


def _raise(secret):
    error = ValueError(f"inner {secret}")
    error.add_note(f"note {secret}")
    raise error


def test_exceptions_and_stacks_are_redacted(shown):
    """Text of an exception, of its cause and of its notes; its frames are not handed on."""
    try:
        try:
            _raise(TOKEN)
        except ValueError as error:
            raise RuntimeError(MOBILE) from error
    except RuntimeError:
        shown.logger.exception("failed", stack_info=True)
    assert "RuntimeError: [redacted]" in shown()
    assert "ValueError: inner [redacted]" in shown()
    assert "note [redacted]" in shown()
    assert "Stack (most recent call last)" in shown()
    assert TOKEN not in shown()
    assert MOBILE not in shown()
    record = logging.makeLogRecord({"msg": "x", "exc_text": TOKEN, "stack_info": TOKEN})
    clean = redacted_record(record)
    assert ("[redacted]", "[redacted]", None) == (clean.exc_text, clean.stack_info, clean.exc_info)


def test_extra_fields_are_redacted_by_name_and_by_form():
    """What a JSON formatter would write out beside the message."""
    record = logging.makeLogRecord(
        {"msg": "x", "state": HANDLE, "nonce": "n", "person": {"phone": [MOBILE], "n": 1}, "flag": True, "a": (HANDLE,)}
    )  # fmt: skip
    clean = redacted_record(record)
    assert ("[redacted]", "[redacted]", ("[redacted]",), True) == (
        clean.state,
        clean.nonce,
        clean.a,
        clean.flag,
    )
    assert {"phone": ["[redacted]"], "n": 1} == clean.person


def test_what_is_nested_without_end_is_cut():
    """A value that holds itself ends as redacted."""
    endless: list[object] = []
    endless.append(endless)
    clean = redacted_record(logging.makeLogRecord({"msg": "x", "a": endless}))
    assert "[redacted]" in json.dumps(clean.a)


def test_the_record_itself_is_left_as_it_is():
    """The copy shares nothing with it that was changed."""
    record = logging.makeLogRecord({"msg": "code=%s", "args": ({"a": [MOBILE]}, "x"), "extra": [TOKEN]})
    before = copy.deepcopy(record.__dict__)
    redacted_record(record)
    assert before == record.__dict__


def test_other_handlers_see_the_record_as_it_was_where_python_can_do_it(shown):
    """From 3.12 on a filter hands on a copy; in 3.11 it must change the record, which errs on the safe side."""
    shown.logger.warning("person %s", MOBILE)
    assert f"WARNING person {MOBILE if COPIES else '[redacted]'}\n" == shown.other.getvalue()
    assert "WARNING person [redacted]\n" == shown()


def test_two_filters_do_the_same_as_one(shown):
    """A redacted record comes through unchanged."""
    once = redacted_record(logging.makeLogRecord({"msg": "%s %s", "args": (MOBILE, "x"), "a": TOKEN}))
    assert once.__dict__ == redacted_record(once).__dict__


def test_a_record_that_cannot_be_redacted_shows_nothing_of_itself(shown):
    """Also when an extra field raises; the filter never does."""
    clean = redacted_record(
        logging.makeLogRecord({"msg": TOKEN, "a": Clumsy(), "levelno": 30, "name": "app"})
    )
    assert "[a log record that could not be redacted]" == clean.getMessage()
    assert (30, "app") == (clean.levelno, clean.name)
    assert TOKEN not in repr(clean.__dict__)


def test_the_filter_can_be_named_in_a_configuration():
    """As ``logging.config`` wants it: no arguments."""
    stream = io.StringIO()
    name = "redaction-test"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"redact": {"()": "cyberid_client.privacy.redaction.RedactingFilter"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "stream": stream, "filters": ["redact"]}},
            "loggers": {name: {"handlers": ["out"], "propagate": False}},
        }
    )
    logging.getLogger(name).warning("person %s", MOBILE)
    logging.getLogger(name).handlers.clear()
    assert "person [redacted]\n" == stream.getvalue()
