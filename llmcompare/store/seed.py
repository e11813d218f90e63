"""Builds the catalogue from data/*.csv and the user's own rows in var/overrides/*.csv.

Nothing half-written is ever visible, and a bad cell changes nothing.
"""

import csv
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from llmcompare.core.records import YOURS
from llmcompare.errors import BadCell, DataError
from llmcompare.store import csv_files
from llmcompare.store.checks import cell_errors
from llmcompare.store.csv_files import CsvFile, read_own_files
from llmcompare.store.db import Connection, build_folder, file_errors, forget_unused, is_readable, publish
from llmcompare.store.paths import OVERRIDES
from llmcompare.store.schema import Table, schema_hash, tables, tables_sql, views_sql

SHOWN_NAMES = {"gpus": "name", "models": "display_name"}
"""The column under which pages and files name the thing of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The catalogue that now is the current one."""

    path: Path
    built: bool
    """False when the same data had been built before."""


def seed(data_folder: Path, var_folder: Path, *, today: date, with_own: bool = True) -> Seeded:
    """Make the catalogue of these CSV files and of the user's own rows in var/overrides/ the current one.

    Raises DataError with every refused cell, or StoreError for a file that cannot be read or written; in both
    cases the catalogue that was current stays so.
    """
    own = read_own_files(var_folder / OVERRIDES, own_tables()) if with_own else []
    seeded = _built(_data_files(data_folder) + own, var_folder, today)
    publish(seeded.path)
    forget_unused(seeded.path)
    return seeded


def refused_if_own(changed: CsvFile, data_folder: Path, var_folder: Path, *, today: date) -> list[BadCell]:
    """The cells of the user's own files that would be refused if this one was put in place; nothing is published."""
    own = read_own_files(var_folder / OVERRIDES, [table for table in own_tables() if table != changed.table])
    try:
        _built(_data_files(data_folder) + [*own, changed], var_folder, today)
    except DataError as error:
        own_cells = [cell for cell in error.cells if cell.is_own]
        return own_cells or _caused_in_data(error, own, data_folder, var_folder, today)
    return []


def refused_in_data(changed: CsvFile, data_folder: Path, var_folder: Path, *, today: date) -> list[BadCell]:
    """The cells that would be refused if this file of data/ was put in place; nothing is published."""
    files = [changed if file.table == changed.table else file for file in _data_files(data_folder)]
    try:
        _built(files, var_folder, today)
    except DataError as error:
        return list(error.cells)
    return []


def _caused_in_data(
    error: DataError, own: list[CsvFile], data_folder: Path, var_folder: Path, today: date
) -> list[BadCell]:
    """The refused cells of data/ that are good without the new own rows: another class of a GPU has other prices."""
    try:
        _built(_data_files(data_folder) + own, var_folder, today)
    except DataError as before:
        return [cell for cell in error.cells if cell not in before.cells]
    return list(error.cells)


def own_tables() -> list[str]:
    """Tables that take rows of the user's own."""
    return [table.name for table in tables() if table.takes_own_rows]


def _data_files(data_folder: Path) -> list[CsvFile]:
    return csv_files.read_files(data_folder, [table.name for table in tables()])


def _built(files: list[CsvFile], var_folder: Path, today: date) -> Seeded:
    target = var_folder / f"catalog-{schema_hash()}-{csv_files.fingerprint(files)}.duckdb"
    built = not is_readable(target)
    if built:
        with build_folder(var_folder) as folder:
            _build(folder, files, today)
            with file_errors(target):
                os.replace(folder / "catalog.duckdb", target)
    return Seeded(path=target, built=built)


def _build(folder: Path, files: list[CsvFile], today: date) -> None:
    by_name = {table.name: table for table in tables()}
    with file_errors(folder), duckdb.connect(folder / "catalog.duckdb") as connection:
        # One transaction: each statement on its own would wait for the disk. One thread: the tables are small.
        connection.execute("SET threads = 1")
        connection.execute("BEGIN")
        connection.execute(tables_sql())
        for name in by_name:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN row_id VARCHAR")
            connection.execute(f"ALTER TABLE {name} ADD COLUMN line INTEGER")
        errors = [cell for file in files for cell in _load(connection, folder, by_name[file.table], file, today)]
        for table in tables():
            if table.own_replaces:
                _put_own_in_place(connection, table)
        connection.execute(views_sql())
        errors += _errors_across_tables(connection)
        if errors:
            raise DataError(sorted(errors, key=lambda cell: (cell.file, cell.line)))
        connection.execute("COMMIT")
        # Closing would write the log into the file too, but keeps silent when the disk is full.
        connection.execute("CHECKPOINT")


def _load(connection: Connection, folder: Path, table: Table, file: CsvFile, today: date) -> list[BadCell]:
    parsed = parsed_cells(file, table)
    if not parsed.header:
        return parsed.errors
    _stage(connection, folder / f"{table.name}.csv", parsed)
    if file.is_own:
        _complete_own(connection, table, parsed.header)
    errors = parsed.errors + [
        BadCell(file=file.name, line=line, column=column, value=value or "", rule=rule)
        for line, column, value, rule in cell_errors(connection, table, today)
    ]
    # The other rows are needed to find errors across tables, so that all errors are listed at once.
    bad_lines = sorted({cell.line for cell in errors})
    connection.execute("DELETE FROM staged WHERE line IN (SELECT unnest(?::INTEGER[]))", [bad_lines])
    _insert(connection, table, is_own=file.is_own)
    return errors


def parsed_cells(file: CsvFile, table: Table) -> csv_files.CsvTable:
    """The cells of a table's file as text, and every error of its form."""
    # What was saved before a column was added to the table can still be read. Their source is the user.
    optional = [column.name for column in table.columns if not column.required or column.name == "source"]
    return csv_files.parse(file, [column.name for column in table.columns], optional=optional if file.is_own else ())


def _put_own_in_place(connection: Connection, table: Table) -> None:
    """Every reader then finds one row of a name."""
    (key,) = table.key
    connection.execute(
        f"DELETE FROM {table.name} WHERE NOT is_own AND {key} IN (SELECT {key} FROM {table.name} WHERE is_own)"
    )


def _complete_own(connection: Connection, table: Table, header: list[str]) -> None:
    """The columns that the file lacks, and in every row the mark that it is the user's."""
    for column in table.columns:
        if column.name not in header:
            connection.execute(f'ALTER TABLE staged ADD COLUMN "{column.name}" VARCHAR')
    connection.execute(
        f"UPDATE staged SET source = concat_ws(': ', '{YOURS}', source) WHERE coalesce(source, '') NOT LIKE '{YOURS}%'"
    )
    if shown := SHOWN_NAMES.get(table.name):
        # Wherever the thing is named, it is then said to be the user's.
        connection.execute(f"UPDATE staged SET {shown} = {shown} || ' ({YOURS})' WHERE {shown} NOT LIKE '%({YOURS})'")


def _stage(connection: Connection, path: Path, parsed: csv_files.CsvTable) -> None:
    """Table `staged`: all cells as text, NULL where empty. executemany would insert row by row."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(["line", *parsed.header])
        writer.writerows([line, *row] for line, row in parsed.rows)
    connection.execute("DROP TABLE IF EXISTS staged")
    connection.execute(
        "CREATE TEMP TABLE staged AS SELECT * REPLACE (line::INTEGER AS line) FROM read_csv(?, all_varchar = true,"
        " header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = true,"
        " auto_detect = false, columns = ?)",
        [str(path), {"line": "VARCHAR"} | dict.fromkeys(parsed.header, "VARCHAR")],
    )


def _insert(connection: Connection, table: Table, *, is_own: bool) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    casts = {column.name: f'"{column.name}"::{column.type}' for column in table.columns}
    key = ", ".join(f"coalesce({casts[name]}::VARCHAR, '')" for name in table.key)
    # A row of the user's own may have the key of a listed one.
    prefix = f"{table.name}:{YOURS}:" if is_own else f"{table.name}:"
    row_id = f"'{prefix}' || left(md5(concat_ws(chr(31), {key})), 10)"
    connection.execute(
        f"INSERT INTO {table.name} ({names}, {'is_own, ' if is_own else ''}row_id, line)"
        f" SELECT {', '.join(casts.values())}, {'true, ' if is_own else ''}{row_id}, line FROM staged ORDER BY line"
    )


def _errors_across_tables(connection: Connection) -> list[BadCell]:
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'refused_%'").fetchall()
    return [
        BadCell(
            file=CsvFile(table=row["table_name"], content=b"", is_own=row.get("is_own", False)).name,
            line=row["line"],
            column=row["column_name"],
            value=row["value"],
            rule=row["rule"],
        )
        for (view,) in views
        for row in _dictionaries(connection, f"SELECT * FROM {view}")
    ]


def _dictionaries(connection: Connection, sql: str) -> list[dict[str, Any]]:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
