"""Keep secrets and identity numbers out of logs: a last net, under loggers that should not need one.

This library logs none of it. What it cannot see is what an app, its web server and its other libraries
log: access logs hold the callback with its code, error logs hold forms.
"""

from __future__ import annotations

import copy
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final

from cyberid_client.error_codes import CATALOGUE
from cyberid_client.privacy.recognisers import find_identity_numbers

__all__ = ["REDACTED", "RedactingFilter", "redact", "redacted_record"]

REDACTED: Final = "[redacted]"
UNREADABLE: Final = "[a log record that could not be redacted]"

_SECRET_NAMES: Final = frozenset(
    {
        *("code", "state", "nonce", "code_verifier", "client_assertion", "assertion", "handle"),
        *("access_token", "refresh_token", "id_token", "logout_token", "vp_token", "token"),
        *("id_token_hint", "login_hint", "logout_hint", "response", "response_code"),
        *("status_handle", "typed_code", "wallet_nonce"),
        *("sub", "sid", "pseudonym", "session_id", "client_secret", "password"),
        *("bizseq", "idcardauthdata", "certpwddata"),
    }
)
# These are common words too: outside of a query, "code=404" and "state: ready" stay.
_ALSO_WORDS: Final = frozenset({"code", "state", "handle", "response", "assertion", "token", "sub"})
_SHORTEST_SECRET: Final = 8
_SHORTEST_IN_PROSE: Final = 20
_DEEPEST: Final = 6

# Every pattern takes a bounded number of characters before it either fails or consumes what it saw, so
# that a search is linear.
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL
)
_NAMED: Final = re.compile(
    r"(?P<head>(?:(?P<query>[?&]|%3F|%26)|(?<![A-Za-z0-9_]))"
    rf"(?P<name>{'|'.join(sorted(_SECRET_NAMES, key=len, reverse=True))})"
    r"""(?:(?P<prose>:\s{0,2})(?!["'\s])|["']?(?:\s{0,2}[=:]\s{0,2}|%3D)(?P<quote>["'])?))"""
    # What stands in quotes ends with the same quote, or with the line when it was cut off.
    r"""(?P<value>(?(quote)(?:\\.|(?!(?P=quote))[^\\\r\n])+|(?:(?!%26)[^\s"'&;,<>])+))""",
    re.IGNORECASE,
)
_COOKIE: Final = re.compile(r"(__Host-cyberid-[A-Za-z0-9_-]{1,64}(?:=|%3D))[^\s\"';,]+")
# Base64url of '{"': how every JSON Web Token begins, whole or cut off.
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){0,4}")
# 256 bits in base64url, as handles, states, nonces and verifiers are, and what a store lets a handle carry.
_HANDLE: Final = re.compile(
    r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])(?:\.[A-Za-z0-9_-]++){0,2}"
)

# What logging itself writes into a record; numbers of threads look like identity numbers.
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"asctime", "taskName"}


def redact(text: str) -> str:
    """Replace what looks like a secret or an identity number by ``[redacted]``; linear in time.

    That is: identity and mobile numbers; JSON Web Tokens; 43-character base64url texts in which capital
    and small letters stand, as handles, states and nonces are; the values of ``code``, ``state``,
    ``nonce`` and other secret names in queries, forms, JSON and ``name=value`` texts; private keys in
    PEM. A ``code`` of this library's own error catalogue stays, because operators need it.

    Not found: what has another form and no such name beside it, like a short code alone in a sentence,
    a pseudonym of another length, or anything encoded once more.

    Args:
        text: of any length, untrusted.

    Returns:
        The text; redacting it again changes nothing.
    """
    text = _PRIVATE_KEY.sub(REDACTED, text)
    text = _COOKIE.sub(rf"\g<1>{REDACTED}", text)
    text = _NAMED.sub(_without_value, text)
    text = _TOKEN.sub(REDACTED, text)
    text = _HANDLE.sub(_without_handle, text)
    return _without_numbers(text)


def _without_numbers(text: str) -> str:
    kept, end = [], 0
    for match in find_identity_numbers(text):
        kept.append(text[end : match.start])
        end = match.end
    return REDACTED.join([*kept, text[end:]])


def _without_value(match: re.Match[str]) -> str:
    # "response: application/json" is prose, '"response": "application/json"' is a member.
    is_prose = match["prose"] and match["name"].lower() in _ALSO_WORDS
    if is_prose and len(match["value"]) < _SHORTEST_IN_PROSE:
        return match[0]
    is_secret = _is_secret(match["name"], match["value"], in_query=match["query"] is not None)
    return match["head"] + REDACTED if is_secret else match[0]


def _is_secret(name: str, value: object, *, in_query: bool = False) -> bool:
    if name.lower() not in _SECRET_NAMES:
        return False
    text = str(value)
    is_long = in_query or name.lower() not in _ALSO_WORDS or len(text) >= _SHORTEST_SECRET
    return is_long and text not in CATALOGUE


def _without_handle(match: re.Match[str]) -> str:
    # A long name in snake_case or a constant is no secret.
    return match[0] if match[1].lower() == match[1] or match[1].upper() == match[1] else REDACTED


_MAY_RETURN_A_COPY: Final[bool] = sys.version_info >= (3, 12)


class RedactingFilter(logging.Filter):
    """Redact every record that passes; never raise, never drop one.

    Add it to *handlers*: the filter of a logger does not see what its children log. It redacts the
    message, its arguments, ``extra`` fields, the text of exceptions and of stacks. Arguments keep their
    places where they can, since some formatters unpack them; an exception is handed on as text only,
    because a handler that looks into its frames would see what no pattern can find.

    From Python 3.12 on the handler gets a copy and other handlers see the record as it was. In Python
    3.11 a filter cannot hand on a copy: the record itself is changed, so handlers that come later see it
    redacted; there, call :func:`redact` in a formatter of your own when that is not wanted.

    It is a net for texts of known forms, with the limits of :func:`redact`, and no reason to log what
    one would not have logged without it.
    """

    def __init__(self) -> None:
        super().__init__()

    def filter(self, record: logging.LogRecord) -> Any:  # noqa: ANN401 - a bool in 3.11, a record from 3.12 on
        """Return the redacted copy, or in Python 3.11 ``True`` after changing ``record`` itself."""
        clean = redacted_record(record)
        if _MAY_RETURN_A_COPY:
            return clean
        record.__dict__.clear()
        record.__dict__.update(clean.__dict__)
        return True


def redacted_record(record: logging.LogRecord) -> logging.LogRecord:
    """Return a redacted copy of a log record; never raises, and leaves the record as it is.

    Whatever cannot be redacted, for example an argument that raises when it is printed, makes the whole
    record say so and nothing else.
    """
    try:
        clean = copy.copy(record)
        _redact_message(clean)
        _redact_exception(clean)
        for name, value in record.__dict__.items():
            if name not in _STANDARD:
                clean.__dict__[name] = _redact_value(value, name=name)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything when it is printed
        return logging.LogRecord(
            record.name, record.levelno, record.pathname, record.lineno, UNREADABLE, None, None
        )
    return clean


def _redact_message(record: logging.LogRecord) -> None:
    original = _formatted(record)
    record.msg, record.args = _redact_value(record.msg), _redact_value(record.args)
    # A number whose place holds a text now cannot be formatted any more; the original could.
    shown = _formatted(record) if original is not None else repr((record.msg, record.args))
    clean = redact(original or "" if shown is None else shown)
    if clean != shown or original is None:
        # A secret stood across template and arguments, or logging would print both as they are.
        record.msg, record.args = clean, None


def _formatted(record: logging.LogRecord) -> str | None:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - template and arguments that do not fit, or a value that cannot be printed
        return None


def _redact_exception(record: logging.LogRecord) -> None:
    if record.exc_info and not record.exc_text:
        record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
    record.exc_info = None
    record.exc_text = redact(record.exc_text) if record.exc_text else None
    record.stack_info = redact(record.stack_info) if record.stack_info else None


def _redact_value(value: Any, *, name: object = None, depth: int = 0) -> Any:  # noqa: ANN401 - whatever was logged
    """Redact one value, keeping its type where nothing in it looks secret."""
    if value is None or isinstance(value, bool | float):
        return value
    if depth > _DEEPEST or (isinstance(name, str) and _is_secret(name, value)):
        return REDACTED
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return _redact_members(value, depth + 1)
    if isinstance(value, bytes):
        return _changed(value, redact(value.decode("latin-1")).encode("latin-1"))
    if isinstance(value, str):
        return _changed(value, redact(value))
    shown, described = str(value), repr(value)
    return value if (redact(shown), redact(described)) == (shown, described) else redact(shown)


def _redact_members(value: Any, depth: int) -> Any:  # noqa: ANN401 - a collection of whatever was logged
    if isinstance(value, Mapping):
        return {
            _redact_value(key, depth=depth): _redact_value(item, name=key, depth=depth)
            for key, item in value.items()
        }
    members = [_redact_value(item, depth=depth) for item in value]
    # A tuple with names would ask for them; plain types take their members.
    return tuple(members) if isinstance(value, tuple) else type(value)(members)


def _changed(before: Any, after: Any) -> Any:  # noqa: ANN401 - text or bytes
    return before if after == before else after
