"""The gate: a screen that belongs to the office, at which people show who they are with the wallet in their hand.

The screen logs a person in for a moment. Letting them in, or turning them away, ends that session: the next
one at the screen is somebody else.
"""

from __future__ import annotations

import time

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import Response

from .office import Event, Office
from .pages import require_own_form, show
from .sessions import session_of

NOT_FOUND = 404


def add_gate(app: FastAPI, office: Office) -> None:
    """Add the pages of the gate."""

    @app.get("/gate")
    async def gates(request: Request) -> Response:
        return show(request, "gates.html", events=await office.events())

    @app.get("/gate/{event_id}")
    async def gate(request: Request, event_id: str) -> Response:
        event, holder = await event_here(office, event_id), session_of(request).get("holder")
        ticket = None if holder is None else await office.ticket_for(event_id, holder)
        return show(request, "gate.html", event=event, is_known=holder is not None, ticket=ticket)

    @app.post("/gate/{event_id}", dependencies=[Depends(require_own_form)])
    async def admit(request: Request, event_id: str) -> Response:
        event, session = await event_here(office, event_id), session_of(request)
        holder = session.get("holder")
        is_in = holder is not None and await office.admit(event_id, holder, now=int(time.time()))
        session.clear()
        return show(request, "admitted.html", event=event, is_in=is_in)


async def event_here(office: Office, event_id: str) -> Event:
    """Return the event of a gate.

    Raises:
        HTTPException: 404.
    """
    event = await office.event(event_id)
    if event is None:
        raise HTTPException(NOT_FOUND)
    return event
