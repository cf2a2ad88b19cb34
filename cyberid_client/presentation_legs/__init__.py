"""The calls of a wallet presentation, each as a leg over one record in the store of pending logins (profile §5).

Nothing here fetches, except the start of a client that knows nothing at all about its issuer yet.
"""

from __future__ import annotations

from cyberid_client.handshake.presentation_request import PresentationAsk
from cyberid_client.presentation_legs.asking import (
    presentation_cookie_name,
    presentation_digits,
    presentation_request_object,
    presentation_status,
    start_presentation,
)
from cyberid_client.presentation_legs.finishing import finish_presentation
from cyberid_client.presentation_legs.receiving import receive_presentation

__all__ = [
    "PresentationAsk",
    "finish_presentation",
    "presentation_cookie_name",
    "presentation_digits",
    "presentation_request_object",
    "presentation_status",
    "receive_presentation",
    "start_presentation",
]
