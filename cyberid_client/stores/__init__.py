"""Where pending logins wait between their two legs."""

from cyberid_client.stores.memory import MemoryPendingStore

__all__ = ["MemoryPendingStore"]
