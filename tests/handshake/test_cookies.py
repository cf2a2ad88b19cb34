"""The cookie of a login."""

from __future__ import annotations

import pytest

from cyberid_client.handshake.cookies import APP_COOKIE, clear_cookie, cookie_name, set_cookie


def test_the_name_is_a_hash_of_the_state():
    """Each login has a cookie of its own: the prefix and 22 characters that depend on the state alone."""
    assert "__Host-cyberid-JTnFaGLI5g0eBFagevFK4Q" == cookie_name("made-up-state")


@pytest.mark.parametrize("state", ["", "a", "a" * 8000, "网号", "\ud800", "a;b=c\r\n"])
def test_any_state_gives_a_name_that_may_stand_in_a_header(state):
    """A name has only characters of a token, whatever a callback says."""
    name = cookie_name(state)
    assert (15 + 22, "__Host-cyberid-") == (len(name), name[:15])
    assert name.replace("-", "").replace("_", "").isalnum()
    assert name.isascii()


def test_different_states_have_different_names():
    """Two tabs do not disturb each other."""
    assert 1000 == len({cookie_name(str(number)) for number in range(1000)})


def test_a_launch_has_a_name_that_no_login_has():
    """An app launches one login at a time; the name is bound to this host like any other."""
    assert "__Host-cyberid-app" == APP_COOKIE
    assert len(APP_COOKIE) != len(cookie_name("made-up-state"))


def test_the_attributes_are_exact():
    """The cookie is bound to this host and https, unseen by scripts, and comes with a top-level GET."""
    expected = "__Host-cyberid-x=secret; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert expected == set_cookie("__Host-cyberid-x", "secret", max_age=600)


def test_clearing_has_the_same_attributes():
    """A browser forgets a cookie only under the attributes that it was set with."""
    expected = "__Host-cyberid-x=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert expected == clear_cookie("__Host-cyberid-x")
