"""The example shop: a login with the ID beside a login without, and orders."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from pathlib import Path

from accounts import SESSION_SECONDS, Accounts
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from login import add_login
from sessions import Sessions, Visitor, add_form_guard
from werkzeug.exceptions import HTTPException

from cyberid_client import (
    Client,
    ConfigurationError,
    CyberIDError,
    Login,
    LoginDeclinedError,
    LoginRestartError,
    PseudonymKeys,
    UnavailableError,
    VerificationError,
)

ITEMS = ("Jasmine tea", "Clay teapot", "Two small cups")
NAME_MAX, PASSWORD_MIN, PASSWORD_MAX = 40, 10, 200
# Where a login may lead; the ID login asks the library instead, which takes any path of this origin.
PLACES = frozenset({"/", "/orders"})

# Class of the error → HTTP status, heading, and what the person reads. Never more than that: the
# code is for the log, and nothing that arrived from outside is shown.
FAILURES: dict[type[CyberIDError], tuple[int, str, str]] = {
    LoginDeclinedError: (403, "You are not logged in", "The login was ended on the page of the ID platform."),
    LoginRestartError: (
        400,
        "This login is over",
        "It took too long, was finished before, or was started in another browser.",
    ),
    VerificationError: (403, "We could not log you in", "The answer that arrived here could not be trusted."),
    UnavailableError: (503, "Please try again soon", "The ID platform cannot be reached at the moment."),
    ConfigurationError: (
        500,
        "Our fault",
        "The login with the ID is not set up correctly. We have been told.",
    ),
}


def create_app(client: Client, database: Path, *, secret_key: bytes, keys: PseudonymKeys) -> Flask:
    """Make the shop.

    Args:
        client: logs people in with the ID.
        database: the SQLite file; made if it is not there.
        secret_key: signs the session cookie; the same after a restart.
        keys: hash the pseudonyms; the same after a restart, and never stored beside the database.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="__Host-shop-session",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        MAX_CONTENT_LENGTH=16 * 1024,
    )
    accounts = Accounts(database)
    sessions = Sessions(accounts)

    def log_in(login: Login) -> Response:
        digests = [str(login.pseudonym.digest(keys, key_id=key_id)) for key_id in keys.ids]
        user_id = accounts.user_of_pseudonym(digests)
        sessions.open(Visitor(user_id, f"Guest {short_form(digests[0], keys)}", in_words(login)))
        return Response(status=303, headers=[("Location", login.return_to)])

    add_form_guard(app)
    add_error_pages(app, client)
    add_login(app, client, log_in)
    add_local_login(app, accounts, sessions)
    add_pages(app, accounts, sessions)
    return app


def short_form(digest: str, keys: PseudonymKeys) -> str:
    """Return six characters of a keyed hash: enough to tell two accounts apart, nothing to look up."""
    return keys.mac(keys.newest, b"short form" + digest.encode()).hex()[:6]


def in_words(login: Login) -> str:
    """Return how somebody logged in, for the page."""
    return f"{login.assurance.name}: {' and '.join(sorted(login.factors))}"


def add_pages(app: Flask, accounts: Accounts, sessions: Sessions) -> None:
    """Add the pages of the shop itself."""

    @app.get("/")
    def home() -> str:
        return render_template("home.html", items=ITEMS)

    @app.get("/login")
    def choose_login() -> str:
        return render_template("login.html", return_to=request.args.get("return_to", "/"))

    @app.get("/orders")
    @_logged_in(sessions)
    def orders(visitor: Visitor) -> str:
        return render_template("orders.html", orders=accounts.orders_of(visitor.user_id))

    @app.post("/orders")
    @_logged_in(sessions)
    def order(visitor: Visitor) -> ResponseReturnValue:
        if request.form.get("item") in ITEMS:
            accounts.add_order(visitor.user_id, request.form["item"])
        return redirect(url_for("orders"), 303)

    @app.post("/logout")
    def log_out() -> ResponseReturnValue:
        sessions.close()
        return redirect(url_for("home"), 303)

    @app.context_processor
    def give_visitor() -> dict[str, object]:
        return {"visitor": sessions.visitor()}

    @app.after_request
    def harden(response: Response) -> Response:
        # No form-action: browsers apply it to the redirect that follows the ID login's form.
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        # An error page stands at the callback's URL, and what is in its query belongs to nobody else.
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response


def _logged_in(
    sessions: Sessions,
) -> Callable[[Callable[[Visitor], ResponseReturnValue]], Callable[[], ResponseReturnValue]]:
    """Call the page with the visitor, or lead to the login and back."""

    def decorate(page: Callable[[Visitor], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
        @wraps(page)
        def guarded() -> ResponseReturnValue:
            visitor = sessions.visitor()
            if visitor is None:
                return redirect(url_for("choose_login", return_to="/orders"), 303)
            return page(visitor)

        return guarded

    return decorate


def add_local_login(app: Flask, accounts: Accounts, sessions: Sessions) -> None:
    """Add the way in that needs no ID."""

    def refuse(why: str) -> ResponseReturnValue:
        return render_template(
            "login.html", return_to=_place(), why=why, name=request.form.get("name", "")
        ), 403

    def welcome(user_id: str, name: str) -> ResponseReturnValue:
        place = _place()
        sessions.open(Visitor(user_id, name, "name and password"))
        return redirect(place, 303)

    @app.post("/login/local")
    def local_login() -> ResponseReturnValue:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        user_id = accounts.authenticate(name, password[:PASSWORD_MAX])
        return refuse("Name and password do not fit together.") if user_id is None else welcome(user_id, name)

    @app.post("/register")
    def register() -> ResponseReturnValue:
        name, password = request.form.get("name", "").strip(), request.form.get("password", "")
        if not 1 <= len(name) <= NAME_MAX or not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            return refuse(f"Please choose a name, and a password of at least {PASSWORD_MIN} characters.")
        user_id = accounts.register(name, password)
        return refuse("This name is taken.") if user_id is None else welcome(user_id, name)


def _place() -> str:
    asked = request.form.get("return_to", "/")
    return asked if asked in PLACES else "/"


def add_error_pages(app: Flask, client: Client) -> None:
    """Show a plain page with a way on; the log has code and reference, and no value."""

    @app.errorhandler(CyberIDError)
    def no_login(error: CyberIDError) -> ResponseReturnValue:
        app.logger.warning("login failed: code=%s reference=%s", error.code, error.reference)
        status, heading, words = next(FAILURES[kind] for kind in type(error).__mro__ if kind in FAILURES)
        reply = make_response(page(heading, words, error.reference), status)
        forget = client.clear_cookie(request.query_string.decode("latin-1"))
        if forget:
            reply.headers.add("Set-Cookie", forget)
        return reply

    @app.errorhandler(HTTPException)
    def no_page(error: HTTPException) -> ResponseReturnValue:
        bad_request = error.code == HTTPStatus.BAD_REQUEST
        words = str(error.description) if bad_request else "There is nothing to see here."
        return page(error.name, words), error.code or HTTPStatus.INTERNAL_SERVER_ERROR

    def page(heading: str, words: str, reference: str | None = None) -> str:
        return render_template("message.html", heading=heading, words=words, reference=reference)
