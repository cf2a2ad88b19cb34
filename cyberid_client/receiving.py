"""What the issuer sends to the app by itself: logout tokens and security events, each as a leg.

A message that was judged takes effect once. What went wrong is logged here with its code; the issuer is told
no more than the standards ask for.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Final

from cyberid_client.effects import Advance, Call, Leg, Once
from cyberid_client.errors import CyberIDError, UnavailableError
from cyberid_client.handshake.events import BelievedEvent, believe_event, open_event_request
from cyberid_client.handshake.logout import BelievedLogout, believe_logout, open_logout_request
from cyberid_client.handshake.webhooks import reply_to_event, reply_to_logout
from cyberid_client.legs import Ending, Legs
from cyberid_client.notices import WebhookReply

__all__ = ["receive_event", "receive_logout"]

logger: Final = logging.getLogger("cyberid_client")


def receive_logout(
    legs: Legs, body: bytes, content_type: str | None, end_sessions: Callable[..., object]
) -> Leg[WebhookReply]:
    """Judge a logout request, let the app end the sessions once, and say what to answer."""
    legs.require_open()
    try:
        with Ending("receive_logout"):
            believed = yield from _believe_logout(legs, body, content_type)

            def effect(transaction: object) -> Leg[None]:
                yield from _hand_over(end_sessions, believed.notice, transaction)

            yield Once(key=believed.key, effect=effect, expires_at=believed.expires_at, now=legs.env.now())
    except CyberIDError as error:
        return reply_to_logout(error)
    return reply_to_logout(None)


def receive_event(
    legs: Legs, body: bytes, content_type: str | None, apply: Callable[..., object]
) -> Leg[WebhookReply]:
    """Judge a security event, let the app apply the state if it is news, and say what to answer.

    The key of the event, the counter of its subject and what the app writes are one transaction.
    """
    legs.require_open()
    try:
        with Ending("receive_event"):
            believed = yield from _believe_event(legs, body, content_type)
            state = believed.state

            def effect(transaction: object) -> Leg[None]:
                is_news = yield Advance(
                    transaction=transaction, subject=believed.subject, sequence=state.sequence
                )
                if is_news:
                    yield from _hand_over(apply, state, transaction)

            yield Once(key=believed.key, effect=effect, expires_at=believed.expires_at, now=legs.env.now())
    except CyberIDError as error:
        return reply_to_event(error)
    return reply_to_event(None)


def _believe_logout(legs: Legs, body: bytes, content_type: str | None) -> Leg[BelievedLogout]:
    token = open_logout_request(legs.rp, body, content_type)
    snapshot = yield from legs.current_snapshot()
    flow = believe_logout(
        legs.rp,
        token,
        keys=snapshot.keys,
        env=legs.env,
        cache=legs.cache,
        crls=snapshot.crls,
    )
    return (yield from legs.keeper.answering(flow))


def _believe_event(legs: Legs, body: bytes, content_type: str | None) -> Leg[BelievedEvent]:
    token = open_event_request(body, content_type)
    snapshot = yield from legs.current_snapshot()
    flow = believe_event(
        legs.rp,
        token,
        keys=snapshot.keys,
        env=legs.env,
        cache=legs.cache,
        crls=snapshot.crls,
    )
    return (yield from legs.keeper.answering(flow))


def _hand_over(handler: Callable[..., object], notice: object, transaction: object) -> Leg[None]:
    """Call the app's handler; whatever it raises, nothing took effect and the message may come again."""
    try:
        result: object = yield Call(handler, (notice, transaction))
    except Exception as error:
        logger.warning("the app's handler raised %s", type(error).__name__)
        raise UnavailableError("webhook.handler_failed") from error
    if inspect.isawaitable(result):
        # A coroutine function given to the client that does not wait: it did nothing.
        logger.warning("the app's handler is to be awaited, and this client does not wait")
        if inspect.iscoroutine(result):
            result.close()
        raise UnavailableError("webhook.handler_failed")
