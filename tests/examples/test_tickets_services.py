"""The ticket office over real database servers, and in several processes."""

from __future__ import annotations

import pytest
from tickets.running import run_office
from tickets.walk import Walk

from ..services.servers import PostgreSQLServer, RedisServer, find_program, running  # noqa: TID252 - one way to start servers

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
