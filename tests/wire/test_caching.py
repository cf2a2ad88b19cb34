"""How long an answer holds: what Cache-Control claims, less the Age that caches on the way report."""

from __future__ import annotations

import pytest

from cyberid_client.ports import HTTPResponse
from cyberid_client.wire.caching import age_of, freshness


def answer(**headers):
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HTTPResponse(status=200, headers=named, url="https://issuer.example/jwks")


@pytest.mark.parametrize(
    ("headers", "fresh_for"),
    [
        ({}, None),
        ({"cache_control": "public"}, None),
        ({"cache_control": "public, max-age=60"}, 60.0),
        ({"cache_control": "max-age=60", "age": "0"}, 60.0),
        ({"cache_control": "max-age=60", "age": "59"}, 1.0),
        ({"cache_control": "max-age=60", "age": "60"}, 0.0),
        ({"cache_control": "max-age=60", "age": "61"}, 0.0),
        ({"cache_control": "max-age=60, no-store"}, 0.0),
        ({"cache_control": "no-cache", "age": "5"}, 0.0),
        ({"age": "5"}, None),
    ],
)
def test_what_was_used_up_on_the_way_is_not_left(headers, fresh_for):
    """An answer is fresh for what its max-age leaves over its age, and never for less than nothing."""
    assert fresh_for == freshness(answer(**headers))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        (" 17\t", 17.0),
        ("999999999", 999_999_999.0),
        ("1000000000", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("1, 2", 0.0),
        ("\uff11\uff17", 0.0),
        ("", 0.0),
        ("x", 0.0),
    ],
)
def test_an_age_that_is_no_number_is_none(text, seconds):
    """An Age is a whole number of seconds of at most nine digits, or it is not there."""
    assert seconds == age_of(answer(age=text))
