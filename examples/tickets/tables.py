"""What the office keeps, in SQLite or PostgreSQL.

Of a person it keeps a keyed hash of the pseudonym. "One ticket per person and event" is a constraint of the
database, not a question that is asked before: two requests at once cannot both be told "not yet".
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint

METADATA = MetaData()

EVENTS = Table(
    "events",
    METADATA,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("place", String, nullable=False),
    Column("starts", String, nullable=False),
    Column("seats_left", Integer, nullable=False),
    CheckConstraint("seats_left >= 0"),
)

HOLDERS = Table(
    "holders",
    METADATA,
    Column("id", String, primary_key=True),
    Column("pseudonym_digest", String, nullable=False, unique=True),
)

TICKETS = Table(
    "tickets",
    METADATA,
    Column("id", String, primary_key=True),
    Column("event_id", ForeignKey("events.id"), nullable=False),
    Column("holder_id", ForeignKey("holders.id"), nullable=False),
    # Seconds since 1970; empty until somebody was let in with it.
    Column("admitted_at", Integer),
    UniqueConstraint("event_id", "holder_id"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", String, primary_key=True),
    Column("entries", String, nullable=False),
    Column("expires_at", Integer, nullable=False),
)
