"""The login with the ID: what the shop does with a login, a logout notice and a security event."""

from __future__ import annotations

from collections.abc import Mapping

from accounts import Accounts
from flask import Flask
from sessions import Sessions, hash_of
from sqlalchemy import Connection

from cyberid_client import Client, Login, Persistence, Pseudonym, PseudonymKeys
from cyberid_client.integrations.flask import CyberID
from cyberid_client.integrations.web import WebLogin, WebSession, refuse_login
from cyberid_client.notices import AccountState, LogoutNotice

# The platform's names of the login and of each step-up, hashed: it may end the session by any of them.
ISSUER_SESSION = "issuer_session"


class IDLogin:
    """What the shop gives to the endpoints."""

    def __init__(self, accounts: Accounts, keys: PseudonymKeys) -> None:
        self._accounts = accounts
        self._keys = keys

    def log_in(self, login: Login, _before: WebSession) -> Mapping[str, str]:
        """Return what the new session begins with: the shop's own user id above all."""
        digests = self._digests(login.pseudonym)
        if login.persistence is Persistence.SESSION:  # The pseudonym does not come again: nothing to link.
            user_id: str | None = self._accounts.add_guest()
        else:
            user_id = self._accounts.user_of_pseudonym(digests, authenticated_at=login.authenticated_at)
        if user_id is None:
            refuse_login()
        shown = f"Guest {short_form(digests[0], self._keys)}"
        return {"user": user_id, "shown": shown, "assurance": in_words(login), **issuer_session(login)}

    def step_up(self, login: Login, _session: WebSession) -> Mapping[str, str]:
        """Return what is added to the session when the same person proved more."""
        return {"assurance": in_words(login), **issuer_session(login)}

    def end_sessions(self, notice: LogoutNotice, transaction: object) -> None:
        """End the session that the platform ended, or all of a person, in the transaction of the notice."""
        assert isinstance(transaction, Connection)  # noqa: S101 - the replay store is SQL's
        if notice.session_id is not None:
            hashes = [hash_of(notice.session_id)]
            Sessions.end_all(transaction, name=ISSUER_SESSION, values=hashes)
        elif notice.pseudonym is not None:
            users = self._accounts.users_of_pseudonym(transaction, self._digests(notice.pseudonym))
            Sessions.end_all(transaction, name="user", values=users)

    def apply_event(self, state: AccountState, transaction: object) -> None:
        """Note how an account stands: new logins with the ID depend on it, and nothing else does."""
        assert isinstance(transaction, Connection)  # noqa: S101 - as above
        digests = self._digests(state.pseudonym)
        self._accounts.note_standing(transaction, digests, standing=state.state, since=state.issued_at)

    def _digests(self, pseudonym: Pseudonym) -> list[str]:
        return [str(pseudonym.digest(self._keys, key_id=key_id)) for key_id in self._keys.ids]


def issuer_session(login: Login) -> Mapping[str, str]:
    """Return the entry by which the platform's name of this login finds the session."""
    if login.session_id is None:
        return {}
    hashed = hash_of(login.session_id)
    return {f"{ISSUER_SESSION}.{hashed[:16]}": hashed}


def in_words(login: Login) -> str:
    """Return how somebody logged in, for the page."""
    return f"{login.assurance.name}: {' and '.join(sorted(login.factors))}"


def short_form(digest: str, keys: PseudonymKeys) -> str:
    """Return six characters of a keyed hash: enough to tell two accounts apart, nothing to look up."""
    return keys.mac(keys.newest, b"short form" + digest.encode()).hex()[:6]


def add_id_login(
    app: Flask, client: Client, accounts: Accounts, sessions: Sessions, *, url: str, keys: PseudonymKeys
) -> CyberID:
    """Add all endpoints of the login with the ID, below ``/id``."""
    shop = IDLogin(accounts, keys)
    web = WebLogin(
        client=client,
        keys=keys,
        on_login=shop.log_in,
        on_step_up=shop.step_up,
        end_sessions=shop.end_sessions,
        apply_event=shop.apply_event,
        prefix="/id",
        login_page="/login",
        app_name="The tea shop",
        post_logout_redirect_uri=f"{url}/",
    )
    return CyberID(app, web=web, session=sessions)
