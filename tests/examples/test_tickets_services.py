"""The ticket office over real database servers, and in several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tickets.running import run_office
from tickets.walk import Walk

from ..services.servers import PostgreSQLServer, RedisServer, find_program, running  # noqa: TID252 - one way to start servers

EXAMPLES = Path(__file__).parents[2] / "examples"
pytestmark = pytest.mark.slow


def test_it_walks_over_postgresql_and_redis(issuer, tmp_path, not_here):
    """Tickets in PostgreSQL and logins under way in Redis: nothing on the walk is different."""
    for name in ("initdb", "postgres", "redis-server"):
        if find_program(name) is None:
            not_here(f"{name} is not installed")
    with running(PostgreSQLServer) as database, running(RedisServer) as redis:
        more = {
            "TICKETS_DATABASE_URL": database.url.replace("+psycopg", ""),
            "CYBERID_STORE": redis.url,
        }
        with run_office(issuer, tmp_path, more=more) as office:
            Walk(url=office.url, issuer=issuer).all()
    assert not (tmp_path / "tickets.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (["--port", "65536"], {}, "python -m tickets: error: argument --port: from 0 to 65535"),
        (["--data", "/nowhere"], {}, "The ticket office cannot start: No such file or directory"),
        ([], {"TICKETS_DATABASE_URL": "nonsense"}, "The ticket office cannot start: Could not parse"),
    ],
)
def test_what_cannot_start_says_why(arguments, environ, words):
    """A start that fails ends with one sentence, and with another code than 0."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "tickets", "--script", *arguments],
        cwd=EXAMPLES,
        env={**inherited, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (True, "") == (done.returncode != 0, done.stdout)
    assert done.stderr.splitlines()[-1].startswith(words)
