"""The results log as views of SQL, one for each table, with one row per id."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from llmcompare.store.results_lines import VERSION, LogTable, log_tables

LINE_BYTES = 16_777_216
"""What DuckDB takes for a line unless told otherwise."""


def ask(
    segments: Sequence[Path], parts: dict[str, list[Path]], sql: str, parameters: dict[str, str | None]
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query about the views. Raises duckdb.IOException for a file that went away."""
    # A connection of its own for each question: threads that share one get each other's rows.
    with duckdb.connect() as connection:
        for table in log_tables().values():
            connection.execute(_view(table, segments, parts.get(table.name, [])))
        cursor = connection.execute(sql, parameters or None)
        return [column[0] for column in cursor.description or []], cursor.fetchall()


def _view(table: LogTable, segments: Sequence[Path], parts: list[Path]) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    nothing = ", ".join(f'NULL::{column.type} AS "{column.name}"' for column in table.columns)
    sources = [f"SELECT {nothing} WHERE false"]
    if segments:
        sources.append(_lines(table, segments))
    if parts:
        sources.append(f"SELECT * FROM read_parquet([{_listed(parts)}], union_by_name = true)")
    complete = " AND ".join(f'"{column.name}" IS NOT NULL' for column in table.columns if column.required)
    rows = " UNION ALL BY NAME ".join(sources)
    return f"CREATE VIEW {table.name} AS SELECT DISTINCT ON ({table.key}) {names} FROM ({rows}) WHERE {complete}"


def _lines(table: LogTable, segments: Sequence[Path]) -> str:
    struct = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    line_bytes = max(LINE_BYTES, *(path.stat().st_size + 1 for path in segments if path.exists()), 0)
    return (
        f"SELECT fact.* FROM read_json([{_listed(segments)}], format = 'newline_delimited', ignore_errors = true,"
        f" maximum_object_size = {line_bytes}, columns = {{'table': 'VARCHAR', 'version': 'BIGINT',"
        f" 'fact': 'STRUCT({struct})'}}) WHERE \"table\" = '{table.name}' AND version = {VERSION}"
    )


def _listed(paths: Sequence[Path]) -> str:
    # A name is a pattern to DuckDB: [x] would mean x.
    plain = [re.sub(r"[\[*?]", lambda found: f"[{found[0]}]", str(path)).replace("'", "''") for path in paths]
    return ", ".join(f"'{path}'" for path in plain)
