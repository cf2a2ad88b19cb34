"""The counter: what is on, buying one ticket, showing it, and giving it back."""

from __future__ import annotations

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from cyberid_client import Channel
from cyberid_client.integrations.fastapi import CyberID

from .office import AlreadyHasOneError, Office, SoldOutError, Ticket
from .pages import require_own_form, show
from .sessions import session_of

# Money goes back to whoever gives a ticket back. A wallet on another device proves that its owner typed six
# digits somewhere, and not that the owner is at this screen: good enough for the gate, not for money.
REFUND_CHANNELS = frozenset({Channel.REDIRECT, Channel.APP, Channel.WALLET_SAME})
SEE_OTHER, FORBIDDEN, NOT_FOUND, CONFLICT = 303, 403, 404, 409


def add_counter(app: FastAPI, office: Office, cyberid: CyberID) -> None:
    """Add the pages of the counter."""
    add_programme(app, office)
    add_sale(app, office, cyberid)
    add_refund(app, office, cyberid)


def add_programme(app: FastAPI, office: Office) -> None:
    """Add what everybody may see."""

    @app.get("/")
    async def programme(request: Request) -> Response:
        holder = session_of(request).get("holder")
        mine = [] if holder is None else await office.tickets_of(holder)
        return show(
            request,
            "programme.html",
            events=await office.events(),
            tickets={ticket.event.id: ticket.id for ticket in mine},
        )

    @app.get("/login")
    async def choose_login(request: Request, return_to: str = "/tickets") -> Response:
        return show(request, "login.html", return_to=return_to, has_phone=app.state.phone_url is not None)


def add_sale(app: FastAPI, office: Office, cyberid: CyberID) -> None:
    """Add what people do who are logged in."""
    logged_in = [Depends(cyberid.login_required)]

    @app.post("/events/{event_id}/ticket", dependencies=[Depends(require_own_form), *logged_in])
    async def buy(request: Request, event_id: str) -> Response:
        try:
            ticket_id = await office.sell(event_id, holder_of(request))
        except AlreadyHasOneError:
            words = "You have a ticket for this event already. Everybody gets one."
            return show(request, "message.html", status=CONFLICT, heading="One each", words=words)
        except SoldOutError:
            words = "There is no seat left. Tickets that are given back appear in the programme."
            return show(request, "message.html", status=CONFLICT, heading="Sold out", words=words)
        return RedirectResponse(f"/tickets/{ticket_id}", SEE_OTHER)

    @app.get("/tickets", dependencies=logged_in)
    async def tickets(request: Request) -> Response:
        return show(request, "tickets.html", tickets=await office.tickets_of(holder_of(request)))

    @app.get("/tickets/{ticket_id}", dependencies=logged_in)
    async def ticket(request: Request, ticket_id: str) -> Response:
        return show(request, "ticket.html", ticket=await own_ticket(request, office, ticket_id))


def add_refund(app: FastAPI, office: Office, cyberid: CyberID) -> None:
    """Add the way of the money back, which is not open to every way in."""
    logged_in = [Depends(cyberid.login_required)]

    def refused(request: Request, ticket: Ticket) -> Response | None:
        login = cyberid.current(request)
        if login is not None and login.channel in REFUND_CHANNELS:
            return None
        return show(request, "refund_refused.html", status=FORBIDDEN, ticket=ticket)

    @app.get("/tickets/{ticket_id}/refund", dependencies=logged_in)
    async def ask(request: Request, ticket_id: str) -> Response:
        ticket = await own_ticket(request, office, ticket_id)
        return refused(request, ticket) or show(request, "refund.html", ticket=ticket)

    @app.post("/tickets/{ticket_id}/refund", dependencies=[Depends(require_own_form), *logged_in])
    async def refund(request: Request, ticket_id: str) -> Response:
        ticket = await own_ticket(request, office, ticket_id)
        instead = refused(request, ticket)
        if instead is not None:
            return instead
        if not await office.refund(ticket_id, holder_of(request)):
            words = "Somebody was let in with this ticket: it is used."
            return show(request, "message.html", status=CONFLICT, heading="Too late", words=words)
        words = f"Your seat for {ticket.event.title} is on sale again. No money moved: all this is made up."
        return show(request, "message.html", heading="Given back", words=words)


def holder_of(request: Request) -> str:
    """Return who is logged in."""
    return session_of(request).entries["holder"]


async def own_ticket(request: Request, office: Office, ticket_id: str) -> Ticket:
    """Return a ticket of the person who is logged in.

    Raises:
        HTTPException: 404, also for the tickets of others.
    """
    ticket = await office.ticket(ticket_id, holder_of(request))
    if ticket is None:
        raise HTTPException(NOT_FOUND)
    return ticket
