"""Where pending logins wait between their two legs."""

from cyberid_client.stores.memory import MemoryPendingStore
from cyberid_client.stores.requirements import require_single_use, require_transactional
from cyberid_client.stores.sealed_cookie import SealedCookieStore

__all__ = ["MemoryPendingStore", "SealedCookieStore", "require_single_use", "require_transactional"]
