"""At most four logins are under way in one browser, and the oldest gives way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberid_client.integrations.login_cookies import LoginCookie, drop_oldest, write_login_cookie

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def name_of(letter):
    """Return a name as the library makes them."""
    return f"__Host-cyberid-{letter * 22}"


def dropped(cookies, **more):
    """Return the names that are forgotten."""
    return {each.partition("=")[0] for each in drop_oldest(cookies, **more)}


@pytest.mark.parametrize("is_step_up", [True, False])
def test_what_is_written_is_read(is_step_up):
    """The cookie says when the login began and of which kind it is, and its attributes stay."""
    rest = "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
    set_cookie = f"{name_of('a')}=h.k1.sealed; {rest}"
    written = write_login_cookie(set_cookie, now=NOW, is_step_up=is_step_up)
    pair, _, attributes = written.partition("; ")
    name, _, value = pair.partition("=")
    assert (name_of("a"), rest) == (name, attributes)
    expected = LoginCookie(handle="h.k1.sealed", started=int(NOW.timestamp()), is_step_up=is_step_up)
    assert expected == LoginCookie.read(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, LoginCookie(handle=None)),
        ("", LoginCookie(handle="")),
        ("handle", LoginCookie(handle="handle")),
        ("1!", LoginCookie(handle="", started=1)),
        ("1s!x!y", LoginCookie(handle="x!y", started=1, is_step_up=True)),
        ("1x!handle", LoginCookie(handle="1x!handle")),
        ("1234567890123!h", LoginCookie(handle="1234567890123!h")),
        ("१!h", LoginCookie(handle="१!h")),
    ],
)
def test_reading(value, expected):
    """What has no time counts as oldest, and nothing is refused here."""
    assert expected == LoginCookie.read(value)


@given(st.text(max_size=50))
def test_reading_never_fails(value):
    """Whatever a browser sends as a cookie can be read."""
    assert LoginCookie.read(value).handle is not None


def test_the_oldest_give_way():
    """All but the three newest are forgotten, so that the new one is the fourth; what has no time goes first."""
    cookies = {name_of("a"): "5!h", name_of("b"): "3!h", name_of("c"): "h", name_of("d"): "9s!h"}
    assert {name_of("c")} == dropped(cookies)
    assert {name_of("c"), name_of("b")} == dropped({**cookies, name_of("e"): "7!h"})
    assert set() == dropped({name: cookies[name] for name in list(cookies)[:3]})


def test_cookies_of_others_stay():
    """Only names that the library makes are forgotten, and no other text gets into a header."""
    names = ["session", "__Host-cyberid-short", name_of("a") + "a", name_of("a")[:-1] + "\n", "__Host-other"]
    assert set() == dropped(dict.fromkeys(names, "1!h"), keep=0)
