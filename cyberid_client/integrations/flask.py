"""The endpoints in Flask: this module only translates.

Example::

    cyberid = CyberID(app, web=WebLogin(client=client, keys=keys, on_login=log_in))

    @app.get("/payout")
    @cyberid.requires(assurance=Assurance.R04, max_age=300)
    def payout() -> str: ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial, wraps
from typing import ParamSpec
from urllib.parse import urlencode

from cyberid_client.errors import ConfigurationError
from cyberid_client.integrations.sessions import SessionLogin
from cyberid_client.integrations.web import (
    BODY_MAX_BYTES,
    ENDPOINTS,
    WebLogin,
    WebReply,
    WebRequest,
    WebSession,
)
from cyberid_client.models import Assurance, Channel

try:
    from flask import Blueprint, Flask, Response, current_app, request, session
    from flask.typing import ResponseReturnValue
    from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
except ModuleNotFoundError:
    raise ConfigurationError("config.missing_extra", 'pip install "cyberid_client[flask]"') from None

__all__ = ["CyberID", "FlaskSession"]

P = ParamSpec("P")


class FlaskSession:
    """``flask.session`` as the endpoints' session.

    Flask's own is a signed cookie: a copy of it stays good until it expires, whatever the server does.
    An app whose sessions must end by a logout token keeps them on the server: with Flask-Session, whose
    ``regenerate`` is called here, or with a :class:`WebSession` of its own.
    """

    def get(self, name: str) -> str | None:
        """Return an entry, or ``None``."""
        value = session.get(name)
        return value if isinstance(value, str) else None

    def set(self, name: str, value: str) -> None:
        """Keep an entry."""
        session[name] = value

    def remove(self, name: str) -> None:
        """Drop an entry, if it is there."""
        session.pop(name, None)

    def replace(self, entries: Mapping[str, str]) -> None:
        """Begin a session with exactly these entries under a new id."""
        session.clear()
        session.update(entries)
        # Only now: Flask-Session gives no new id to a session that is empty.
        self.rotate()

    def rotate(self) -> None:
        """Keep all entries under a new id."""
        regenerate = getattr(current_app.session_interface, "regenerate", None)
        if regenerate is not None:
            regenerate(session)

    def clear(self) -> None:
        """End the session."""
        session.clear()


class CyberID:
    """Log people in with the ID in a Flask app.

    Args:
        app: the app; or give it to :meth:`init_app` later.
        web: the endpoints, with the app's hooks.
        session: of the browser that asks; ``flask.session`` by default.

    Attributes:
        web: as given.
    """

    def __init__(self, app: Flask | None = None, *, web: WebLogin, session: WebSession | None = None) -> None:
        self.web = web
        self._session: WebSession = FlaskSession() if session is None else session
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the endpoints to an app, outside Flask-WTF's guard: they have one of their own."""
        blueprint = Blueprint("cyberid", __name__, url_prefix=self.web.prefix)
        guard = app.extensions.get("csrf")
        for name in self.web.endpoints:
            path, methods = ENDPOINTS[name]
            rule = path.replace("{", "<").replace("}", ">")
            blueprint.add_url_rule(rule, name, partial(self._answer, name), methods=methods)
        if guard is not None:
            guard.exempt(blueprint)
        app.register_blueprint(blueprint)
        app.extensions["cyberid"] = self

    @property
    def current(self) -> SessionLogin | None:
        """Who is logged in with the ID in this request's session."""
        return self.web.current(self._session)

    def require_login(self) -> Response | None:
        """Return ``None`` when somebody is logged in with the ID, and else what to answer instead."""
        return _response(self.web.require_login(read_request(), self._session))

    def require(
        self,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
    ) -> Response | None:
        """Return ``None`` when the login is strong and fresh enough, and else what to answer instead.

        The arguments are those of :meth:`cyberid_client.integrations.web.WebLogin.require`.
        """
        found = self.web.require(
            read_request(),
            self._session,
            assurance=assurance,
            max_age=max_age,
            return_to=return_to,
            channels=channels,
        )
        return _response(found)

    def login_required(self, view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
        """Show a page only to who is logged in with the ID."""
        return _guarded(view, self.require_login)

    def requires(
        self,
        *,
        assurance: Assurance,
        max_age: int | None = None,
        return_to: str | None = None,
        channels: Collection[Channel] | None = None,
    ) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
        """Show a page only to whose login is strong and fresh enough; as :meth:`require`."""
        ask = partial(
            self.require, assurance=assurance, max_age=max_age, return_to=return_to, channels=channels
        )
        return lambda view: _guarded(view, ask)

    def _answer(self, name: str, **path_parameters: str) -> Response:
        del path_parameters  # They are in the request, too.
        return to_response(self.web.answer(name, read_request(with_body=True), self._session))


def read_request(*, with_body: bool = False) -> WebRequest:
    """Return the request that Flask is answering; the body of a page of the app's own is left to that page."""
    return WebRequest(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers.items()},
        cookies=request.cookies,
        body=_body() if with_body else b"",
        path_parameters=request.view_args or {},
        root=request.script_root,
        is_secure=request.is_secure,
    )


def to_response(reply: WebReply) -> Response:
    """Return a reply as Flask sends it."""
    response = Response(reply.body, status=reply.status)
    response.headers.remove("Content-Type")  # Flask's own guess; the reply says what it is.
    response.headers.extend(list(reply.headers))
    return response


def _body() -> bytes:
    """Return the body; one that is too large or cut is none, and one that a hook parsed is put together again."""
    request.max_content_length = BODY_MAX_BYTES
    try:
        return request.get_data() or urlencode(list(request.form.items(multi=True))).encode()
    except (RequestEntityTooLarge, ClientDisconnected):
        return b""


def _response(reply: WebReply | None) -> Response | None:
    return None if reply is None else to_response(reply)


def _guarded(
    view: Callable[P, ResponseReturnValue], ask: Callable[[], Response | None]
) -> Callable[P, ResponseReturnValue]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        instead = ask()
        return view(*args, **kwargs) if instead is None else instead

    return guarded
