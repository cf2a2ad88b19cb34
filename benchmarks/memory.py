"""How much memory pending logins take: ``python memory.py`` writes bytes per login as JSON."""

from __future__ import annotations

import gc
import json
import secrets
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Final

from cyberid_client.handshake.pending import SECRET_BYTES, Handle, seal
from cyberid_client.models import Assurance, PendingLogin
from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.wire.base64url import encode_base64url

LOGINS: Final = 10_000


class Chance:
    """Time and randomness as a client has them."""

    def now(self) -> datetime:
        """Return the current time."""
        return datetime.now(UTC)

    def token(self, nbytes: int) -> bytes:
        """Return random bytes."""
        return secrets.token_bytes(nbytes)


def _keep_one(store: MemoryPendingStore, env: Chance) -> None:
    now = env.now()
    pending = PendingLogin(
        kind="redirect",
        issuer="https://issuer.example",
        client_id="shop",
        redirect_uri="https://shop.example/callback",
        state=encode_base64url(env.token(32)),
        nonce=encode_base64url(env.token(32)),
        code_verifier=encode_base64url(env.token(32)),
        assurance=Assurance.R02,
        max_age=None,
        return_to="/cart?item=12345",
        started_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    handle = Handle(env.token(SECRET_BYTES))
    store.put(handle.key, seal(pending, handle, env), expires_at=pending.expires_at, now=now)


def main() -> None:
    """Fill a store."""
    store, env = MemoryPendingStore(), Chance()
    _keep_one(store, env)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(LOGINS):
        _keep_one(store, env)
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0] - before
    json.dump({"logins": LOGINS, "bytes": taken, "per_login": taken / LOGINS}, sys.stdout)


if __name__ == "__main__":
    main()
