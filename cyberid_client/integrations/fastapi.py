"""The endpoints in FastAPI: this module only translates.

Example::

    cyberid = CyberID(app, web=AsyncWebLogin(client=client, keys=keys, on_login=log_in))
    app.add_middleware(SessionMiddleware, secret_key=..., https_only=True)

    @app.get("/payout", dependencies=[Depends(cyberid.requires(assurance=Assurance.R04, max_age=300))])
    async def payout() -> str: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from typing import Final, cast

from cyberid_client.errors import ConfigurationError
from cyberid_client.integrations.endpoints import SESSIONLESS
from cyberid_client.integrations.sessions import SessionLogin
from cyberid_client.integrations.web import (
    BODY_MAX_BYTES,
    ENDPOINTS,
    AsyncWebLogin,
    WebReply,
    WebRequest,
    WebSession,
)
from cyberid_client.models import Assurance, Channel

try:
    from fastapi import FastAPI, Request, Response
    from starlette.requests import ClientDisconnect
except ModuleNotFoundError:
    raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[fastapi]"') from None

__all__ = ["CyberID", "StarletteSession"]

# What a thousand pages ask for every two seconds: neither headers nor cookies are looked at.
_QUERY_ONLY: Final = frozenset({"wallet_status"})


class StarletteSession:
    """``request.session`` as the endpoints' session.

    That of Starlette's ``SessionMiddleware`` is a signed cookie: a copy of it stays good until it expires,
    whatever the server does. An app whose sessions must end by a logout token keeps them on the server, with
    a :class:`WebSession` of its own.

    Args:
        request: of this browser. Its session is looked at only when an endpoint asks for it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request

    def get(self, name: str) -> str | None:
        """Return an entry, or ``None``."""
        value = self._request.session.get(name)
        return value if isinstance(value, str) else None

    def set(self, name: str, value: str) -> None:
        """Keep an entry."""
        self._request.session[name] = value

    def remove(self, name: str) -> None:
        """Drop an entry, if it is there."""
        self._request.session.pop(name, None)

    def replace(self, entries: Mapping[str, str]) -> None:
        """Begin a session with exactly these entries; a signed cookie has no id but its content."""
        self._request.session.clear()
        self._request.session.update(entries)

    def rotate(self) -> None:
        """Keep all entries; a signed cookie has no id but its content."""

    def clear(self) -> None:
        """End the session."""
        self._request.session.clear()


class CyberID:
    """Log people in with the ID in a FastAPI app.

    Args:
        app: the app; or give it to :meth:`init_app` later.
        web: the endpoints, with the app's hooks.
        session: gives the session of the browser that asks, and is not called for what the issuer and wallets
            ask, nor for ``wallet_status``; ``request.session`` by default, which needs ``SessionMiddleware``.

    Attributes:
        web: as given.
    """

    def __init__(
        self,
        app: FastAPI | None = None,
        *,
        web: AsyncWebLogin,
        session: Callable[[Request], WebSession] = StarletteSession,
    ) -> None:
        self.web = web
        self._session = session
        if app is not None:
            self.init_app(app)

    def init_app(self, app: FastAPI) -> None:
        """Add the endpoints to an app, by the names ``cyberid.login`` and so on, outside its OpenAPI schema."""
        for name in self.web.endpoints:
            path, methods = ENDPOINTS[name]
            app.add_route(
                self.web.prefix + path,
                self._endpoint(name),
                methods=list(methods),
                name=f"cyberid.{name}",
                include_in_schema=False,
            )
        app.add_exception_handler(_InsteadError, _answer_instead)

    def current(self, request: Request) -> SessionLogin | None:
        """Return who is logged in with the ID in this request's session; also as a dependency."""
        return self.web.current(self._session(request))

    async def require_login(self, request: Request) -> Response | None:
        """Return ``None`` when somebody is logged in with the ID, and else what to answer instead."""
        return _response(self.web.require_login(read_request(request), self._session(request)))

    async def require(
        self,
        request: Request,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
    ) -> Response | None:
        """Return ``None`` when the login is good enough, and else what to answer instead.

        The arguments are those of :meth:`cyberid_client.integrations.web.WebLogin.require`.
        """
        found = await self.web.require(
            read_request(request),
            self._session(request),
            assurance=assurance,
            max_age=max_age,
            return_to=return_to,
            channels=channels,
        )
        return _response(found)

    async def login_required(self, request: Request) -> SessionLogin:
        """Show a route only to who is logged in with the ID, and say who it is; a dependency.

        The routes belong to the app of :meth:`init_app`, or to routers of it: an app that is mounted in it has
        error handlers of its own, and needs a ``CyberID`` of its own.
        """
        return self._guarded(request, await self.require_login(request))

    def requires(
        self,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
    ) -> Callable[[Request], Awaitable[SessionLogin]]:
        """Return a dependency that shows a route only to whose login is good enough; as :meth:`require`."""

        async def guard(request: Request) -> SessionLogin:
            instead = await self.require(
                request, assurance=assurance, max_age=max_age, return_to=return_to, channels=channels
            )
            return self._guarded(request, instead)

        return guard

    def _guarded(self, request: Request, instead: Response | None) -> SessionLogin:
        if instead is not None:
            raise _InsteadError(instead)
        # Nothing is answered instead only when there is a login.
        return cast("SessionLogin", self.current(request))

    def _endpoint(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        read = _read_query if name in _QUERY_ONLY else _read_all
        # An app need not look a session up for what never touches one.
        find = StarletteSession if name in SESSIONLESS else self._session

        async def endpoint(request: Request) -> Response:
            return to_response(await self.web.answer(name, await read(request), find(request)))

        return endpoint


def read_request(request: Request, *, body: bytes = b"") -> WebRequest:
    """Return the request that FastAPI is answering; the body of a page of the app's own is left to that page."""
    scope = request.scope
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        # Of a header that came twice no half may be believed (RFC 9110 §5.3).
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return WebRequest(
        method=request.method,
        path=_path_below(scope["path"], scope.get("root_path", "")),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        cookies=request.cookies,
        body=body,
        path_parameters=request.path_params,
        root=scope.get("root_path", ""),
        is_secure=request.url.scheme == "https",
    )


def to_response(reply: WebReply) -> Response:
    """Return a reply as Starlette sends it."""
    response = Response(reply.body, status_code=reply.status)
    response.raw_headers += [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers
    ]
    return response


async def _read_all(request: Request) -> WebRequest:
    return read_request(request, body=await _body(request))


async def _read_query(request: Request) -> WebRequest:
    return WebRequest(method=request.method, path="", query=request.scope["query_string"].decode("latin-1"))


def _path_below(path: str, root: str) -> str:
    """Return the path below the mount: ASGI's has the mount in front, where a server keeps to the rules."""
    below = path.removeprefix(root)
    return below if below[:1] in {"", "/"} else path


async def _body(request: Request) -> bytes:
    """Return the body; one that is too large or cut is none, and is not read further."""
    parts: list[bytes] = []
    size = 0
    try:
        async with aclosing(request.stream()) as stream:
            async for part in stream:
                size += len(part)
                if size > BODY_MAX_BYTES:
                    return b""
                parts.append(part)
    except ClientDisconnect:
        return b""
    return b"".join(parts)


def _response(reply: WebReply | None) -> Response | None:
    return None if reply is None else to_response(reply)


class _InsteadError(Exception):
    """Say from within a dependency what is answered in the route's place."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def _answer_instead(request: Request, error: Exception) -> Response:
    del request
    return error.response if isinstance(error, _InsteadError) else Response(status_code=500)
