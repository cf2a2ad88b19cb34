"""Where pending logins wait between their two legs, and which messages took effect.

Those over Redis and SQL are in :mod:`cyberid_client.stores.redis` and :mod:`cyberid_client.stores.sql`; they
need the extras ``redis`` and ``sql``.
"""

from cyberid_client.stores.memory import (
    AsyncMemoryPendingStore,
    AsyncMemoryReplayStore,
    MemoryPendingStore,
    MemoryReplayStore,
)
from cyberid_client.stores.requirements import require_single_use, require_transactional
from cyberid_client.stores.sealed_cookie import SealedCookieStore

__all__ = [
    "AsyncMemoryPendingStore",
    "AsyncMemoryReplayStore",
    "MemoryPendingStore",
    "MemoryReplayStore",
    "SealedCookieStore",
    "require_single_use",
    "require_transactional",
]
