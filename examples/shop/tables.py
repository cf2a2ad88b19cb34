"""What the shop keeps, in SQLite or PostgreSQL.

Of a person who logs in with the ID it keeps a keyed hash of the pseudonym. There is no column for a
name, a number or a birth date, and none for a token.
"""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, String, Table

METADATA = MetaData()

USERS = Table("users", METADATA, Column("id", String, primary_key=True))

ID_LOGINS = Table(
    "id_logins",
    METADATA,
    Column("pseudonym_digest", String, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    # The platform's last word about the person's account there, and when it said so (seconds since 1970).
    Column("standing", String, nullable=False),
    Column("standing_since", Integer, nullable=False),
)

LOCAL_LOGINS = Table(
    "local_logins",
    METADATA,
    Column("name", String, primary_key=True),
    Column("password_hash", String, nullable=False),
    Column("user_id", ForeignKey("users.id"), nullable=False),
)

# One row for each entry of a session, so that a session can be found by what is in it.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("expires_at", Integer, nullable=False),
)

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("item", String, nullable=False),
    Column("paid", Boolean, nullable=False),
)
