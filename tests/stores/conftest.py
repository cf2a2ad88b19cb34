"""The helpers beside the tests of stores are importable, also in the processes that the tests start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "services"))

from servers import PostgreSQLServer, RedisServer, find_program, running  # noqa: E402 - found by the path above


@pytest.fixture(scope="session")
def redis_server(not_here):
    """Return a Redis server that writes everything to disk, and that nobody kills."""
    if find_program("redis-server") is None:
        not_here("redis-server is not installed")
    with running(RedisServer) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(not_here):
    """Return a PostgreSQL server that nobody kills."""
    if find_program("postgres") is None or find_program("initdb") is None:
        not_here("PostgreSQL is not installed")
    with running(PostgreSQLServer) as server:
        yield server
