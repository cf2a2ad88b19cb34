"""What a call may demand of the store that an app brought."""

from __future__ import annotations

from cyberid_client.errors import ConfigurationError
from cyberid_client.ports import AsyncPendingStore, AsyncReplayStore, PendingStore, ReplayStore

__all__ = ["require_revisable", "require_single_use", "require_transactional"]


def require_single_use(store: PendingStore | AsyncPendingStore) -> None:
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


def require_revisable(store: PendingStore | AsyncPendingStore) -> None:
    """Refuse a store whose records cannot be read and changed before they are taken, or are taken twice.

    For wallet presentations.

    Args:
        store: the client's store of pending logins.

    Raises:
        ConfigurationError: ``store.not_single_use``; ``store.not_revisable``: it has no ``peek`` and ``swap``.
    """
    require_single_use(store)
    if not callable(getattr(store, "peek", None)) or not callable(getattr(store, "swap", None)):
        raise ConfigurationError("store.not_revisable", "pending")


def require_transactional(store: ReplayStore | AsyncReplayStore) -> None:
    """Refuse a replay store whose keys and effects are not one transaction.

    For security events, which change accounts: were a key kept and its effect lost, the account would stay
    as it was for ever. What the store declares is believed.

    Args:
        store: the client's replay store.

    Raises:
        ConfigurationError: the store does not declare ``transactional = True``
            (``replay.not_transactional``).
    """
    if getattr(store, "transactional", False) is not True:
        raise ConfigurationError("replay.not_transactional", "replay")
