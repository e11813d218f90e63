"""Builds the catalogue from data/*.csv. Nothing half-written is ever visible, and a bad cell changes nothing."""

import csv
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from llmcompare.errors import BadCell, DataError
from llmcompare.store import csv_files
from llmcompare.store.checks import cell_errors
from llmcompare.store.csv_files import CsvFile
from llmcompare.store.db import Connection, build_folder, file_errors, forget_unused, is_readable, publish
from llmcompare.store.schema import Table, schema_hash, tables, tables_sql, views_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """The catalogue that now is the current one."""

    path: Path
    built: bool
    """False when the same data had been built before."""


def seed(data_folder: Path, var_folder: Path, *, today: date) -> Seeded:
    """Make the catalogue of these CSV files the current one.

    Raises DataError with every refused cell, or StoreError for a file that cannot be read or written; in both
    cases the catalogue that was current stays so.
    """
    files = csv_files.read_files(data_folder, [table.name for table in tables()])
    name = f"catalog-{schema_hash()}-{csv_files.fingerprint(files)}.duckdb"
    target = var_folder / name
    built = not is_readable(target)
    if built:
        with build_folder(var_folder) as folder:
            _build(folder, files, today)
            with file_errors(target):
                os.replace(folder / "catalog.duckdb", target)
    publish(target)
    forget_unused(target)
    return Seeded(path=target, built=built)


def _build(folder: Path, files: list[CsvFile], today: date) -> None:
    with file_errors(folder), duckdb.connect(folder / "catalog.duckdb") as connection:
        # One transaction: each statement on its own would wait for the disk. One thread: the tables are small.
        connection.execute("SET threads = 1")
        connection.execute("BEGIN")
        connection.execute(tables_sql())
        errors = [
            cell
            for table, file in zip(tables(), files, strict=True)
            for cell in _load(connection, folder, table, file, today)
        ]
        connection.execute(views_sql())
        errors += _errors_across_tables(connection)
        if errors:
            raise DataError(sorted(errors, key=lambda cell: (cell.file, cell.line)))
        connection.execute("COMMIT")
        # Closing would write the log into the file too, but keeps silent when the disk is full.
        connection.execute("CHECKPOINT")


def _load(connection: Connection, folder: Path, table: Table, file: CsvFile, today: date) -> list[BadCell]:
    parsed = csv_files.parse(file, [column.name for column in table.columns])
    for extra in ("row_id VARCHAR", "line INTEGER"):
        connection.execute(f"ALTER TABLE {table.name} ADD COLUMN {extra}")
    if not parsed.header:
        return parsed.errors
    _stage(connection, folder / f"{table.name}.csv", parsed)
    errors = parsed.errors + [
        BadCell(file=file.name, line=line, column=column, value=value or "", rule=rule)
        for line, column, value, rule in cell_errors(connection, table, today)
    ]
    # The other rows are needed to find errors across tables, so that all errors are listed at once.
    bad_lines = sorted({cell.line for cell in errors})
    connection.execute("DELETE FROM staged WHERE line IN (SELECT unnest(?::INTEGER[]))", [bad_lines])
    _insert(connection, table)
    return errors


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


def _insert(connection: Connection, table: Table) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    casts = {column.name: f'"{column.name}"::{column.type}' for column in table.columns}
    key = ", ".join(f"coalesce({casts[name]}::VARCHAR, '')" for name in table.key)
    connection.execute(
        f"INSERT INTO {table.name} ({names}, row_id, line)"
        f" SELECT {', '.join(casts.values())}, '{table.name}:' || left(md5(concat_ws(chr(31), {key})), 10), line"
        " FROM staged ORDER BY line"
    )


def _errors_across_tables(connection: Connection) -> list[BadCell]:
    views = connection.execute("SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'refused_%'").fetchall()
    return [
        BadCell(file=f"data/{table}.csv", line=line, column=column, value=value, rule=rule)
        for (view,) in views
        for table, line, column, value, rule in connection.execute(
            f"SELECT table_name, line, column_name, value, rule FROM {view}"
        ).fetchall()
    ]
