"""What an examination says of a real Redis server."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from servers import RedisServer, find_program, running

from cyberid_client.doctor.store import look_at_store
from cyberid_client.link import Environment


@pytest.mark.parametrize(
    ("aof", "settings", "verdicts"),
    [
        (True, (), {"store": "ok", "store durability": "ok"}),
        (False, (), {"store": "ok", "store durability": "ok"}),
        (False, ("--save", "3600 1"), {"store": "ok", "store durability": "warning"}),
        (
            True,
            ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"),
            {"store": "ok", "store durability": "ok", "store memory": "warning"},
        ),
        (
            True,
            ("--maxmemory", "64mb", "--maxmemory-policy", "noeviction"),
            {"store": "ok", "store durability": "ok"},
        ),
        (True, ("--rename-command", "CONFIG", ""), {"store": "ok", "store durability": "warning"}),
    ],
    ids=["append-only file", "nothing", "snapshots alone", "evicts", "refuses when full", "may not be asked"],
)
def test_redis_is_asked_how_it_keeps_its_data(not_here, aof, settings, verdicts):
    """Snapshots alone bring finished logins back, and eviction drops live ones: both are warned of."""
    if find_program("redis-server") is None:
        not_here("redis-server is not installed")
    with running(RedisServer, aof=aof, settings=settings) as server:
        findings = list(look_at_store(server.url, Environment(lambda: datetime.now(UTC))))
    assert verdicts == {finding.subject: str(finding.verdict) for finding in findings}
