"""The shop's users, the ways in which they log in, and their orders."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from tables import ID_LOGINS, LOCAL_LOGINS, ORDERS, USERS
from werkzeug.security import check_password_hash, generate_password_hash

# Checked when a name is unknown, so that the time of an answer does not tell which names exist.
_NOBODY = generate_password_hash("a password that nobody has")

# What the platform may say of an account that is still good for logins.
_GOOD = frozenset({"active", "device-changed"})


class Accounts:
    """Users and orders; each call is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def user_of_pseudonym(self, digests: Sequence[str], *, authenticated_at: datetime) -> str | None:
        """Return the user behind a pseudonym, a new one if there is none; ``None`` if it is not let in.

        Args:
            digests: of the same pseudonym, one under each of the shop's keys, newest first. A record
                under an old key is written anew under the newest.
            authenticated_at: a login at the platform after it froze the account proves that it thawed.
        """
        try:
            return self._find_or_add(digests, int(authenticated_at.timestamp()))
        except IntegrityError:  # The same person logged in twice for the first time, at the same moment.
            return self._find_or_add(digests, int(authenticated_at.timestamp()))

    def _find_or_add(self, digests: Sequence[str], seconds: int) -> str | None:
        with self._engine.begin() as db:
            row = db.execute(select(ID_LOGINS).where(ID_LOGINS.c.pseudonym_digest.in_(digests))).first()
            if row is None:
                user_id = _add_user(db)
                db.execute(
                    insert(ID_LOGINS).values(
                        pseudonym_digest=digests[0],
                        user_id=user_id,
                        standing="active",
                        standing_since=seconds,
                    )
                )
                return user_id
            if row.standing not in _GOOD and seconds <= row.standing_since:
                return None
            db.execute(
                update(ID_LOGINS)
                .where(ID_LOGINS.c.pseudonym_digest == row.pseudonym_digest)
                .values(pseudonym_digest=digests[0], standing="active")
            )
            return str(row.user_id)

    def add_guest(self) -> str:
        """Make a user whom no later login finds again."""
        with self._engine.begin() as db:
            return _add_user(db)

    def note_standing(
        self, db: Connection, digests: Sequence[str], *, standing: str, since: datetime
    ) -> None:
        """Note what the platform says about an account, in the transaction that it is said in.

        The account in the shop, its orders and its other ways in stay as they are.
        """
        where = ID_LOGINS.c.pseudonym_digest.in_(digests)
        db.execute(
            update(ID_LOGINS).where(where).values(standing=standing, standing_since=int(since.timestamp()))
        )

    def users_of_pseudonym(self, db: Connection, digests: Sequence[str]) -> list[str]:
        """Return whose sessions end when the platform ends all sessions of a person."""
        where = ID_LOGINS.c.pseudonym_digest.in_(digests)
        return [str(row.user_id) for row in db.execute(select(ID_LOGINS.c.user_id).where(where))]

    def register(self, name: str, password: str) -> str | None:
        """Make a user who logs in with a password; ``None`` if the name is taken."""
        password_hash = generate_password_hash(password)
        try:
            with self._engine.begin() as db:
                user_id = _add_user(db)
                row = {"name": name, "password_hash": password_hash, "user_id": user_id}
                db.execute(insert(LOCAL_LOGINS).values(row))
        except IntegrityError:
            return None
        return user_id

    def authenticate(self, name: str, password: str) -> str | None:
        """Return the user with this name and password, or ``None``."""
        with self._engine.begin() as db:
            row = db.execute(select(LOCAL_LOGINS).where(LOCAL_LOGINS.c.name == name)).first()
        known = check_password_hash(_NOBODY if row is None else row.password_hash, password)
        return str(row.user_id) if known and row is not None else None

    def add_order(self, user_id: str, item: str) -> None:
        """Keep an order that is not paid yet."""
        with self._engine.begin() as db:
            db.execute(insert(ORDERS).values(user_id=user_id, item=item, paid=False))

    def pay(self, user_id: str) -> None:
        """Pay all that is not paid."""
        with self._engine.begin() as db:
            db.execute(update(ORDERS).where(ORDERS.c.user_id == user_id).values(paid=True))

    def orders_of(self, user_id: str) -> list[tuple[str, bool]]:
        """Return what a user ordered and whether it is paid, oldest first."""
        with self._engine.begin() as db:
            rows = db.execute(select(ORDERS).where(ORDERS.c.user_id == user_id).order_by(ORDERS.c.id))
            return [(str(row.item), bool(row.paid)) for row in rows]

    def unpaid(self, user_id: str) -> int:
        """Return how many orders wait to be paid."""
        where = (ORDERS.c.user_id == user_id) & ~ORDERS.c.paid
        with self._engine.begin() as db:
            return int(db.execute(select(func.count()).select_from(ORDERS).where(where)).scalar_one())


def _add_user(db: Connection) -> str:
    user_id = secrets.token_hex(8)
    db.execute(insert(USERS).values(id=user_id))
    return user_id
