"""Two processes behind a round robin finish each other's logins, over each store that they can share."""

from __future__ import annotations

import pytest
from fleet import registered, running_fleet, serve, serve_awaiting
from real_stores import PENDING, opener_of, url_of

from cyberid_client.testing import MockIssuer

LOGINS = 6


# Redis for every day, the others where there is time.
BOTH = [name if name == "redis" else pytest.param(name, marks=pytest.mark.slow) for name in PENDING]


@pytest.mark.parametrize("name", BOTH)
def test_two_processes_finish_each_others_logins(request, name):
    """Whichever process a login started in, another finishes it, once, and neither finishes it again."""
    issuer = MockIssuer()
    works = serve_awaiting if name.endswith("-async") else serve
    with issuer.serve():
        openers = {"pending": opener_of(name, url_of(name, request))}
        with running_fleet(registered(issuer), openers, size=2, works=works) as fleet:
            outcomes = []
            for number in range(LOGINS):
                # The two calls of a login come to different processes, because each takes the next turn.
                url, handle = fleet.call("start_login", return_to=f"/cart/{number}")
                callback = issuer.authorize(url)
                outcomes.append(fleet.call("finish_login", callback=callback, handle=handle))
                again = fleet.all_at_once("finish_login", callback=callback, handle=handle)
                assert ["login.unknown"] * 2 == again
    assert [f"/cart/{number}" for number in range(LOGINS)] == [return_to for _, return_to in outcomes]
    assert 1 == len({pseudonym for pseudonym, _ in outcomes})


@pytest.mark.slow
@pytest.mark.parametrize("name", PENDING)
def test_two_processes_that_finish_at_once_have_one_winner(request, name):
    """A callback that comes to two processes at the same moment is one login."""
    issuer = MockIssuer()
    works = serve_awaiting if name.endswith("-async") else serve
    with issuer.serve():
        openers = {"pending": opener_of(name, url_of(name, request))}
        with running_fleet(registered(issuer), openers, size=2, works=works) as fleet:
            for _ in range(LOGINS):
                url, handle = fleet.call("start_login")
                callback = issuer.authorize(url)
                both = fleet.all_at_once("finish_login", callback=callback, handle=handle)
                assert 1 == both.count("login.unknown")
                assert 1 == sum(isinstance(each, tuple) for each in both)
