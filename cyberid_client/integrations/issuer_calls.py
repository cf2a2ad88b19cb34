"""What the issuer calls: its notices, and the keys by which it knows this client. No cookie is read here."""

from __future__ import annotations

import json

from cyberid_client.integrations.answers import from_webhook
from cyberid_client.integrations.desk import Desk
from cyberid_client.integrations.messages import WebReply, WebRequest, WebSession
from cyberid_client.integrations.steps import Steps, ask
from cyberid_client.notices import WebhookReply

__all__ = ["answer_backchannel_logout", "answer_jwks", "answer_security_events"]


def answer_backchannel_logout(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Take a logout token."""
    del session
    if desk.end_sessions is None:
        return WebReply(status=404)
    reply: WebhookReply = yield ask(
        desk.client.receive_logout,
        request.body,
        content_type=request.headers.get("content-type"),
        end_sessions=desk.end_sessions,
    )
    return from_webhook(reply)


def answer_security_events(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Take a security event."""
    del session
    if desk.apply_event is None:
        return WebReply(status=404)
    reply: WebhookReply = yield ask(
        desk.client.receive_event,
        request.body,
        content_type=request.headers.get("content-type"),
        apply=desk.apply_event,
    )
    return from_webhook(reply)


def answer_jwks(desk: Desk, request: WebRequest, session: WebSession) -> Steps[WebReply]:
    """Show the public keys."""
    del request, session
    headers = (("Content-Type", "application/jwk-set+json"), ("Cache-Control", "public, max-age=600"))
    keys = yield ask(desk.client.jwks)
    return WebReply(status=200, headers=headers, body=json.dumps(keys).encode())
