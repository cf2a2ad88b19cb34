"""Who is logged in, and which forms are ours."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from accounts import Accounts
from flask import Flask, abort, g, request, session


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in.

    Attributes:
        user_id: the shop's own.
        shown: what the page calls the person: a short hash, or the name of a local login.
        assurance: how the person logged in, for the page.
    """

    user_id: str
    shown: str
    assurance: str


class Sessions:
    """Open and close sessions; the cookie is signed by Flask, the session itself is in the database."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def open(self, visitor: Visitor) -> None:
        """Log somebody in under a token that nobody knew before: nothing of the old session stays."""
        self.close()
        session["token"] = self._accounts.open_session(visitor.user_id)
        session["shown"] = visitor.shown
        session["assurance"] = visitor.assurance

    def close(self) -> None:
        """Log out, here and in every copy of the cookie."""
        if "token" in session:
            self._accounts.close_session(session["token"])
        session.clear()
        g.pop("visitor", None)

    def visitor(self) -> Visitor | None:
        """Return who is logged in, asked once per request."""
        if "visitor" not in g:
            user_id = self._accounts.user_of_session(session.get("token", ""))
            g.visitor = None if user_id is None else Visitor(user_id, session["shown"], session["assurance"])
        visitor: Visitor | None = g.visitor
        return visitor


def add_form_guard(app: Flask) -> None:
    """Refuse every POST that does not come from one of the shop's own pages."""

    @app.before_request
    def check_form() -> None:
        sent, expected = request.form.get("csrf", ""), session.get("csrf", "")
        if request.method == "POST" and not (
            expected and hmac.compare_digest(sent.encode(), expected.encode())
        ):
            abort(400, "This page was too old. Please open it again.")

    @app.context_processor
    def give_form_token() -> dict[str, object]:
        def form_token() -> str:
            return str(session.setdefault("csrf", secrets.token_urlsafe(32)))

        return {"form_token": form_token}
