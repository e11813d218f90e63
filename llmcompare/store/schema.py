"""What schema.sql says: tables, columns, units, keys and rules. The rules exist nowhere else."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from llmcompare.store import csv_files
from llmcompare.store.db import Connection

SQL_FOLDER = Path(__file__).parent
_CHOICES = re.compile(r"\(\"?(?P<column>\w+)\"? IN \((?P<words>'[^()]*')\)\)")
_WORD = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a CSV file."""

    name: str
    type: str
    required: bool
    unit: str | None
    """The column's comment: unit and meaning."""
    choices: tuple[str, ...]
    """The words that it may hold; none where any will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A CHECK; the first of its columns is the one to blame."""

    expression: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What schema.sql says of one table."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: tuple[Check, ...]
    takes_own_rows: bool
    """Whether rows of the same form are read from var/overrides/ too."""

    @property
    def own_replaces(self) -> bool:
        """Whether an own row stands in the place of the listed one of the same name, and not beside it."""
        return self.takes_own_rows and len(self.key) == 1


def tables_sql() -> str:
    """CREATE TABLE statements."""
    return (SQL_FOLDER / "schema.sql").read_text(encoding="utf-8")


def views_sql() -> str:
    """CREATE VIEW statements; they need the tables' row_id and line."""
    return (SQL_FOLDER / "views.sql").read_text(encoding="utf-8")


@cache
def schema_hash() -> str:
    """Changes with the tables, the views and the file format; a catalogue of another hash cannot be read."""
    parts = (tables_sql(), views_sql(), duckdb.__version__)
    return csv_files.fingerprint([], *(part.encode() for part in parts))[:8]


@cache
def tables() -> tuple[Table, ...]:
    """All tables of schema.sql, in its order."""
    with duckdb.connect() as connection:
        connection.execute(tables_sql())
        names = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY table_oid").fetchall()
        return tuple(_read_table(connection, name) for (name,) in names)


def _read_table(connection: Connection, name: str) -> Table:
    columns = connection.execute(
        "SELECT column_name, data_type, NOT is_nullable, comment FROM duckdb_columns()"
        " WHERE table_name = ? AND column_default IS NULL ORDER BY column_index",
        [name],
    ).fetchall()
    constraints = connection.execute(
        "SELECT constraint_type, expression, constraint_column_names FROM duckdb_constraints() WHERE table_name = ?",
        [name],
    ).fetchall()
    key = next(names for kind, _, names in constraints if kind in ("PRIMARY KEY", "UNIQUE"))
    choices = {
        found["column"]: tuple(_WORD.findall(found["words"]))
        for kind, expression, _ in constraints
        if kind == "CHECK" and (found := _CHOICES.fullmatch(expression))
    }
    return Table(
        name=name,
        columns=tuple(Column(name=n, type=t, required=r, unit=c, choices=choices.get(n, ())) for n, t, r, c in columns),
        key=tuple(column for column in key if column != "is_own"),
        takes_own_rows="is_own" in key,
        checks=tuple(
            Check(expression=expression, columns=tuple(dict.fromkeys(names)))
            for kind, expression, names in constraints
            if kind == "CHECK"
        ),
    )
