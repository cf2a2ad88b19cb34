"""Put a record into the store, take it again, and look whether the store may forget or remember too much."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol, cast

from cyberid_client.doctor.findings import Finding, bad, good, of_error, warning
from cyberid_client.errors import CyberIDError
from cyberid_client.ports import FlowEnv, PendingStore, RevisableStore
from cyberid_client.stores.opening import is_redis, open_pending_store
from cyberid_client.stores.requirements import require_revisable

__all__ = ["look_at_store"]

RECORD_BYTES: Final = 1024
LIFE: Final = timedelta(minutes=1)


def look_at_store(url: str | None, env: FlowEnv, *, revisable: bool = False) -> Iterator[Finding]:
    """Look at the store that a URL names.

    Args:
        url: as in :func:`open_pending_store`.
        env: clock and chance.
        revisable: whether records must be changed while they wait, as wallet presentations need it.
    """
    if url is None:
        yield warning(
            "store",
            "None is named, so that logins wait in the memory of one process.",
            "With several processes name a shared one: CYBERID_STORE, or --store.",
        )
        return
    try:
        store = open_pending_store(url)
        yield _round_trip(store, env)
        if revisable:
            yield _change(store, env)
    except CyberIDError as error:
        yield of_error("store", error)
        return
    if is_redis(url):
        yield from _look_at_redis(url)


def _round_trip(store: PendingStore, env: FlowEnv) -> Finding:
    key, record, now = _record(env)
    carried = store.put(key, record, expires_at=now + LIFE, now=now)
    first = store.take(key, carried=carried, now=now)
    second = store.take(key, carried=carried, now=now)
    if first != record:
        return bad("store", "A record did not come back.", "Look at the store's memory and eviction.")
    if store.single_use and second is not None:
        return bad("store", "A record came back twice.", "Use a store that gives each record once.")
    return good("store", "A record was put, taken once, and was gone.")


def _record(env: FlowEnv) -> tuple[str, bytes, datetime]:
    key = hashlib.sha256(b"cyberid-doctor-1" + env.token(32)).hexdigest()
    return key, env.token(RECORD_BYTES), env.now()


def _change(store: PendingStore, env: FlowEnv) -> Finding:
    """Change a record in its place once, which the second time must not work any more."""
    require_revisable(store)
    revisable = cast("RevisableStore", store)
    key, record, now = _record(env)
    carried = revisable.put(key, record, expires_at=now + LIFE, now=now)
    changed = record[::-1]
    first = revisable.swap(key, old=record, new=changed, now=now)
    second = revisable.swap(key, old=record, new=b"another", now=now)
    seen = revisable.peek(key, now=now)
    revisable.take(key, carried=carried, now=now)
    if (first, second, seen) != (True, False, changed):
        return bad(
            "store changes",
            "A record was not changed exactly once in its place.",
            "Use a store that passes the conformance suite.",
        )
    return good("store changes", "A record was changed in its place once, as wallet presentations need it.")


class _Server(Protocol):
    """The part of a Redis client that is used here."""

    def config_get(self, pattern: str) -> dict[str, str]: ...

    def close(self) -> None: ...


def _look_at_redis(url: str) -> Iterator[Finding]:
    from redis import Redis, RedisError  # noqa: PLC0415 - an extra

    server = cast("_Server", Redis.from_url(url, decode_responses=True, socket_timeout=5.0))
    try:
        settings = {
            name: server.config_get(name).get(name, "")
            for name in ("appendonly", "save", "maxmemory", "maxmemory-policy")
        }
    except RedisError:
        yield warning(
            "store durability",
            "This user may not ask the Redis server how it keeps its data.",
            "Ask who runs it: append-only file, or nothing at all, and never snapshots alone.",
        )
        return
    finally:
        server.close()
    yield _durability(settings)
    if settings["maxmemory"] not in {"", "0"} and settings["maxmemory-policy"] != "noeviction":
        yield warning(
            "store memory",
            f"When it is full the Redis server drops records ({settings['maxmemory-policy']}).",
            "Set maxmemory-policy noeviction: a full store then refuses new logins and keeps those under way.",
        )


def _durability(settings: dict[str, str]) -> Finding:
    if settings["appendonly"] == "yes":
        return good("store durability", "The Redis server writes an append-only file.")
    if settings["save"]:
        return warning(
            "store durability",
            "The Redis server writes snapshots alone: after a crash, logins that were finished may be back.",
            "Switch appendonly on, or snapshots off; the issuer's one-time code stops what comes back meanwhile.",
        )
    return good(
        "store durability", "The Redis server keeps nothing over a restart: people in mid-login start again."
    )
