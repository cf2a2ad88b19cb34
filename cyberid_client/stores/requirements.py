"""What a handshake may demand of the store that an app brought."""

from __future__ import annotations

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import PendingStore

__all__ = ["require_single_use"]


def require_single_use(store: PendingStore) -> None:
    """Refuse a store out of which a record can be taken more than once.

    For every handshake in which nothing but the store stops a replay: step-up, app launch, wallet
    presentation. The redirect login of a person does not call it: there the issuer's one-time code
    stops a replay (RFC 6749 §4.1.2). What the store declares is believed; the conformance suite in
    :mod:`cyberid_client.testing.store_conformance` tests it.

    Args:
        store: the client's store of pending logins.

    Raises:
        ConfigurationError: the store does not declare ``single_use = True``
            (``store.not_single_use``).
    """
    if getattr(store, "single_use", False) is not True:
        raise ConfigurationError("store.not_single_use", "pending")
