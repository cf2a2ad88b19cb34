"""Look into an app's SQLite files: what did it store, and what is not in there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Table", "find_traces", "read_tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table with all its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def read_tables(folder: Path) -> tuple[Table, ...]:
    """Return every table of every ``*.sqlite3`` file in the folder."""
    return tuple(table for file in sorted(folder.glob("*.sqlite3")) for table in _tables_of(file))


def find_traces(folder: Path, values: dict[str, str]) -> tuple[str, ...]:
    """Return the names of those values that stand, as they are, in some file of the folder."""
    contents = [file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()]
    return tuple(
        name for name, value in values.items() if any(value.encode() in content for content in contents)
    )


def _tables_of(file: Path) -> Iterator[Table]:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as db:
        names = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
        ]
        for name in names:
            quoted = name.replace('"', '""')
            cursor = db.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - a name that SQLite gave, quoted
            columns = tuple(column[0] for column in cursor.description)
            yield Table(name=name, columns=columns, rows=tuple(tuple(map(str, row)) for row in cursor))
