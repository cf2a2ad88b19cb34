"""A page that plays the office's own app on a phone, which launches the ID app.

A real app is a program and asks the same two endpoints. What the page does is in ``static/phone.js``: it asks
``/id/app/start`` for a launch, goes to the mock's page that plays the ID app, comes back with the four
fields, and gives them to ``/id/app/finish``.
"""

from __future__ import annotations

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response

from .pages import show

PLATFORM = "android"
PATH = "/phone"
NOT_FOUND = 404


def add_phone(app: FastAPI) -> None:
    """Add the page, where something plays the ID app for it."""

    @app.get(PATH)
    async def phone(request: Request, return_to: str = "/tickets") -> Response:
        if app.state.phone_url is None:
            raise HTTPException(NOT_FOUND)
        return show(
            request,
            "phone.html",
            platform=PLATFORM,
            phone_url=app.state.phone_url,
            return_url=f"{app.state.origin}{PATH}",
            return_to=return_to,
        )
