"""The way back from a logout at the issuer: nothing of the app's logout depends on it."""

from __future__ import annotations

import pytest

from .conftest import ORIGIN, location

BACK = f"{ORIGIN}/"


@pytest.mark.parametrize("name", [None, "post_logout.other_state", "post_logout.without_state"])
def test_whatever_state_comes_back_the_person_is_logged_out(with_settings, name):
    """The app's session ended before the browser left; no state that comes back, or none, changes that."""
    visitor = with_settings(post_logout_redirect_uri=BACK)
    visitor.log_in()
    leaving = f"{location(visitor.post('logout'))}&state=made-up"
    if name is not None:
        visitor.issuer.arm(name)
    assert BACK == visitor.issuer.end_session(leaving).partition("?")[0]
    assert ({}, {}, ()) == (visitor.issuer.armed, visitor.session.entries, visitor.issuer.sessions)
    visitor.log_in()
    assert visitor.session.get("user") is not None


def test_staying_logged_in_at_the_issuer_is_no_login_at_the_app(with_settings):
    """Who does not want to log out at the issuer is logged out at the app all the same."""
    visitor = with_settings(post_logout_redirect_uri=BACK)
    visitor.log_in()
    assert visitor.issuer.end_session(location(visitor.post("logout")), confirm=False) is None
    assert ({}, 1) == (visitor.session.entries, len(visitor.issuer.sessions))
