"""What every page has: a template, the visitor, headers, and a guard for its forms."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .sessions import session_of

HERE = Path(__file__).parent
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
# No form-action: browsers apply it to the redirect that follows the form of a login.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
BAD_REQUEST = 400


def show(request: Request, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page."""
    visitor = session_of(request).entries
    body = TEMPLATES.get_template(template).render(visitor=visitor, **values)
    return HTMLResponse(body, status_code=status)


def require_own_form(request: Request) -> None:
    """Refuse a POST that does not come from a page of the office (Fetch Metadata; else RFC 6454 §7).

    Raises:
        HTTPException: 400.
    """
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin":
        return
    if site is not None or request.headers.get("origin") != request.app.state.origin:
        raise HTTPException(BAD_REQUEST, "This form did not come from a page of the ticket office.")


def add_error_pages(app: FastAPI) -> None:
    """Say in plain words that there is no such page, or why a form was refused."""

    @app.exception_handler(AnyHTTPException)
    async def no_page(request: Request, error: AnyHTTPException) -> HTMLResponse:
        words = error.detail if error.status_code == BAD_REQUEST else "There is nothing to see here."
        return show(request, "message.html", status=error.status_code, heading="Not here", words=words)


def add_static_files(app: FastAPI) -> None:
    """Serve the style and the one script."""
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")


class Headers:
    """Give every answer the headers of a careful site, where it has none of its own.

    Args:
        app: inside.
        without: paths whose answers have their own: what is polled.
    """

    def __init__(self, app: ASGIApp, *, without: frozenset[str]) -> None:
        self._app = app
        self._without = without

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["path"] in self._without:
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
