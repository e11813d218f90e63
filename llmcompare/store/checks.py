"""Finds every cell of a staged table that breaks a rule of the schema."""

from collections.abc import Iterator
from datetime import date

from llmcompare.store.db import Connection
from llmcompare.store.schema import Column, Table

NUMBER_PATTERN = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
WHOLE_NUMBER_PATTERN = r"[+-]?\d+"
DATE_PATTERN = r"(19|[2-9]\d)\d{2}(-\d{2}(-\d{2})?)?"

CellError = tuple[int, str, str | None, str]
"""Line, column, value, rule."""


def cell_errors(connection: Connection, table: Table, today: date) -> Iterator[CellError]:
    """The first error of every cell in `staged`, a table of text cells with the line of each row."""
    seen = set()
    for error in _all_errors(connection, table, today):
        line, column, *_ = error
        if (line, column) not in seen:
            seen.add((line, column))
            yield error


def _all_errors(connection: Connection, table: Table, today: date) -> Iterator[CellError]:
    for column in table.columns:
        name = f'"{column.name}"'
        if column.required:
            yield from _refused(connection, column.name, f"{name} IS NULL", "a value is required here")
        if column.type != "VARCHAR":
            yield from _refused(connection, column.name, _not_a_number(name, column.type), _number_rule(column))
        if column.name == "as_of" or column.name.endswith("_on"):
            yield from _date_errors(connection, column.name, today)
    yield from _key_errors(connection, table)
    yield from _check_errors(connection, table)


def _refused(connection: Connection, column: str, condition: str, rule: str) -> Iterator[CellError]:
    found = connection.execute(f'SELECT line, "{column}" FROM staged WHERE {condition}').fetchall()
    return ((line, column, value, rule) for line, value in found)


def _not_a_number(name: str, kind: str) -> str:
    pattern = WHOLE_NUMBER_PATTERN if kind in ("INTEGER", "BIGINT") else NUMBER_PATTERN
    # An overflow such as 1e999 fits the pattern and casts to nothing or to infinity.
    cast = f"TRY_CAST({name} AS {kind})"
    return (
        f"{name} IS NOT NULL AND (NOT regexp_full_match({name}, '{pattern}')"
        f" OR {cast} IS NULL OR NOT isfinite({cast}::DOUBLE))"
    )


def _number_rule(column: Column) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    if column.type in ("INTEGER", "BIGINT"):
        return f"is not a whole number{unit}; write 8, not 8.0 or 8x"
    return f"is not a number{unit}; write 0.71, not $0.71 or 0,71"


def _date_errors(connection: Connection, column: str, today: date) -> Iterator[CellError]:
    is_written_as_date = f"regexp_full_match(\"{column}\", '{DATE_PATTERN}')"
    # 2024 and 2024-05 become 2024-01-01 and 2024-05-01.
    as_date = f'TRY_CAST("{column}" || right(\'-01-01\', 10 - length("{column}")) AS DATE)'
    yield from _refused(
        connection,
        column,
        f'"{column}" IS NOT NULL AND (NOT {is_written_as_date} OR {as_date} IS NULL)',
        "is not a date; write 2026-11-23, 2026-11 or 2026",
    )
    yield from _refused(
        connection,
        column,
        f'{is_written_as_date} AND "{column}" > left(\'{today}\', length("{column}"))',
        f"lies in the future (today is {today})",
    )


def _key_errors(connection: Connection, table: Table) -> Iterator[CellError]:
    # By value, not by spelling: 1 and 01 are the same number of GPUs.
    types = {column.name: column.type for column in table.columns}
    key = ", ".join(f'TRY_CAST("{name}" AS {types[name]})' for name in table.key)
    found = connection.execute(
        f'SELECT line, "{table.key[0]}", first FROM (SELECT *, min(line) OVER (PARTITION BY {key}) AS first'
        " FROM staged) WHERE line > first"
    ).fetchall()
    names = ", ".join(table.key)
    return ((line, table.key[0], value, f"the same {names} stand on line {first}") for line, value, first in found)


def _check_errors(connection: Connection, table: Table) -> Iterator[CellError]:
    casts = ", ".join(f'TRY_CAST("{c.name}" AS {c.type}) AS "{c.name}"' for c in table.columns)
    for check in table.checks:
        blamed = check.columns[0]
        found = connection.execute(
            f'SELECT line, written FROM (SELECT line, "{blamed}" AS written, {casts} FROM staged)'
            f" WHERE NOT ({check.expression})"
        ).fetchall()
        for line, value in found:
            yield line, blamed, value, f"must satisfy {check.expression}"
