"""The tables of the SQL stores and the statements over them, PostgreSQL's and SQLite's alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cyberid_client.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Executable, MetaData, Table

__all__ = ["PendingTables", "ReplayTables", "pending_tables", "replay_tables"]

KEY_LENGTH: Final = 64
# So many rows are tidied up at once: nobody waits long for it.
PURGED_AT_ONCE: Final = 500
_PREFIX: Final = re.compile(r"([a-z_][a-z0-9_]{0,31})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTables:
    """What :class:`cyberid_client.stores.sql.SQLPendingStore` runs."""

    metadata: MetaData
    put: Executable
    take: Executable
    peek: Executable
    swap: Executable
    purge: Executable


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayTables:
    """What :class:`cyberid_client.stores.sql.SQLReplayStore` runs."""

    metadata: MetaData
    remember: Executable
    advance: Executable
    purge: Executable


def pending_tables(prefix: str) -> PendingTables:
    """Return table and statements of pending logins.

    Args:
        prefix: in front of the table's name; at most 32 characters ``[a-z0-9_]``.

    Raises:
        ConfigurationError: the prefix is another.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - an extra, which is missed only by who uses it

    metadata = sa.MetaData()
    table = sa.Table(
        f"{_checked(prefix)}pending",
        metadata,
        sa.Column("key", sa.String(KEY_LENGTH), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("record", sa.LargeBinary, nullable=False),
    )
    return PendingTables(
        metadata=metadata,
        put=sa.insert(table),
        # One statement finds and removes: two callers cannot both find.
        take=sa.delete(table)
        .where(table.c.key == sa.bindparam("wanted"))
        .returning(table.c.expires_at, table.c.record),
        peek=sa.select(table.c.expires_at, table.c.record).where(table.c.key == sa.bindparam("wanted")),
        # One statement compares and changes: of two callers with the same old record the second finds another.
        swap=sa.update(table)
        .where(
            table.c.key == sa.bindparam("wanted"),
            table.c.record == sa.bindparam("old"),
            table.c.expires_at > sa.bindparam("moment"),
        )
        .values(record=sa.bindparam("new"))
        .returning(table.c.key),
        purge=_purge(table),
    )


def replay_tables(prefix: str, dialect: str) -> ReplayTables:
    """Return tables and statements of messages that took effect.

    Args:
        prefix: as for :func:`pending_tables`.
        dialect: ``postgresql`` or ``sqlite``.

    Raises:
        ConfigurationError: the prefix is another.
    """
    import sqlalchemy as sa  # noqa: PLC0415 - an extra, as above
    from sqlalchemy.dialects import postgresql, sqlite  # noqa: PLC0415 - as above

    metadata = sa.MetaData()
    known = sa.Table(
        f"{_checked(prefix)}replay",
        metadata,
        sa.Column("key", sa.String(KEY_LENGTH), primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )
    counters = sa.Table(
        f"{prefix}sequence",
        metadata,
        sa.Column("subject", sa.String(KEY_LENGTH), primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    counted = insert(counters)
    return ReplayTables(
        metadata=metadata,
        remember=insert(known).on_conflict_do_nothing(index_elements=["key"]).returning(known.c.key),
        advance=counted.on_conflict_do_update(
            index_elements=["subject"],
            set_={"sequence": counted.excluded.sequence},
            where=counted.excluded.sequence > counters.c.sequence,
        ).returning(counters.c.subject),
        purge=_purge(known),
    )


def _purge(table: Table) -> Executable:
    import sqlalchemy as sa  # noqa: PLC0415 - an extra, as above

    # Two processes that tidy up at once take different rows (SQLite has one writer, and no such words).
    over = (
        sa.select(table.c.key)
        .where(table.c.expires_at <= sa.bindparam("moment"))
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return sa.delete(table).where(table.c.key.in_(over)).returning(table.c.key)


def _checked(prefix: object) -> str:
    if not isinstance(prefix, str) or _PREFIX.fullmatch(prefix) is None:
        raise ConfigurationError("config.value", "table_prefix")
    return prefix
