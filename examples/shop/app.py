"""The example shop: a login with the ID beside a login without, orders, and a checkout."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from accounts import Accounts
from flask import Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from login import add_id_login
from sessions import SESSION_SECONDS, Sessions, Visitor, add_form_guard
from sqlalchemy import Engine
from tables import METADATA
from werkzeug.exceptions import HTTPException

from cyberid_client import Assurance, Client, PseudonymKeys
from cyberid_client.integrations.flask import CyberID

ITEMS = ("Jasmine tea", "Clay teapot", "Two small cups")
NAME_MAX, PASSWORD_MIN, PASSWORD_MAX = 40, 10, 200
# Where a local login may lead; the ID login asks the library instead, which takes any path of this origin.
PLACES = frozenset({"/", "/orders"})
# Who pays has shown all factors so many seconds ago at most.
CHECKOUT_SECONDS = 120


def create_app(client: Client, engine: Engine, *, url: str, secret_key: bytes, keys: PseudonymKeys) -> Flask:
    """Make the shop.

    Args:
        client: logs people in with the ID.
        engine: the shop's database; its tables are made if they are not there.
        url: where the shop is for browsers; the platform sends them back there after a logout.
        secret_key: signs the session cookie; the same after a restart.
        keys: hash the pseudonyms; the same after a restart, and never stored beside the database.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="__Host-shop-session",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        MAX_CONTENT_LENGTH=16 * 1024,
    )
    METADATA.create_all(engine)
    accounts, sessions = Accounts(engine), Sessions(engine)
    add_form_guard(app)
    cyberid = add_id_login(app, client, accounts, sessions, url=url, keys=keys)
    add_local_login(app, accounts, sessions)
    add_pages(app, accounts, sessions)
    add_checkout(app, accounts, sessions, cyberid)
    return app


def add_pages(app: Flask, accounts: Accounts, sessions: Sessions) -> None:
    """Add the pages of the shop itself."""

    @app.get("/")
    def home() -> str:
        return render_template("home.html", items=ITEMS)

    @app.get("/login")
    def choose_login() -> str:
        return render_template("login.html", return_to=request.args.get("return_to", url_for("home")))

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

    @app.errorhandler(HTTPException)
    def no_page(error: HTTPException) -> ResponseReturnValue:
        words = str(error.description) if error.code == 400 else "There is nothing to see here."  # noqa: PLR2004 - HTTP's word for what a form may say
        return render_template("message.html", heading=error.name, words=words), error.code or 500

    @app.context_processor
    def give_visitor() -> dict[str, object]:
        return {"visitor": sessions.visitor()}

    @app.after_request
    def harden(response: Response) -> Response:
        # No form-action: browsers apply it to the redirect that follows the ID login's form. The pages of
        # the ID login have headers of their own.
        policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def add_checkout(app: Flask, accounts: Accounts, sessions: Sessions, cyberid: CyberID) -> None:
    """Let people pay: who logged in with the ID proves it again, who has a password gives it again."""

    def prove_again() -> Response | None:
        if cyberid.current is None:
            return None
        return cyberid.require(
            assurance=Assurance.R04, max_age=CHECKOUT_SECONDS, return_to=url_for("checkout")
        )

    @app.get("/checkout")
    @_logged_in(sessions)
    def checkout(visitor: Visitor) -> ResponseReturnValue:
        count = accounts.unpaid(visitor.user_id)
        if count == 0:
            return redirect(url_for("orders"), 303)
        return prove_again() or show_checkout(count)

    @app.post("/checkout")
    @_logged_in(sessions)
    def pay(visitor: Visitor) -> ResponseReturnValue:
        count, password = accounts.unpaid(visitor.user_id), request.form.get("password", "")[:PASSWORD_MAX]
        if cyberid.current is None and accounts.authenticate(visitor.shown, password) != visitor.user_id:
            return show_checkout(count, why="This is not your password."), 403
        instead = prove_again()
        if instead is None:
            accounts.pay(visitor.user_id)
        return instead or redirect(url_for("orders"), 303)

    def show_checkout(count: int, *, why: str = "") -> str:
        return render_template("checkout.html", count=count, by_id=cyberid.current is not None, why=why)


def _logged_in(
    sessions: Sessions,
) -> Callable[[Callable[[Visitor], ResponseReturnValue]], Callable[[], ResponseReturnValue]]:
    """Call the page with the visitor, or lead to the login and back."""

    def decorate(page: Callable[[Visitor], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
        @wraps(page)
        def guarded() -> ResponseReturnValue:
            visitor = sessions.visitor()
            if visitor is None:
                return redirect(url_for("choose_login", return_to=url_for("orders")), 303)
            return page(visitor)

        return guarded

    return decorate


def add_local_login(app: Flask, accounts: Accounts, sessions: Sessions) -> None:
    """Add the way in that needs no ID."""

    def refuse(why: str) -> ResponseReturnValue:
        name = request.form.get("name", "")
        return render_template("login.html", return_to=_place(), why=why, name=name), 403

    def welcome(user_id: str, name: str) -> ResponseReturnValue:
        sessions.replace({"user": user_id, "shown": name, "assurance": "name and password"})
        return redirect(request.script_root + _place(), 303)

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
    asked = request.form.get("return_to", "/").removeprefix(request.script_root) or "/"
    return asked if asked in PLACES else "/"
