"""Results as files: CSV and Parquet of a table, the HTML report."""

import csv
import io
import os
import uuid
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from llmcompare.core.comparison import Comparison
from llmcompare.core.tables import Table
from llmcompare.errors import StoreError
from llmcompare.reports.html import html
from llmcompare.reports.report import cost_report


def table_csv(table: Table) -> bytes:
    """UTF-8 CSV after RFC 4180; an unknown cell is empty. Text that a spreadsheet would run gets an apostrophe."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(table.columns)
    writer.writerows([inert(cell) for cell in row] for row in table.rows)
    return stream.getvalue().encode()


def inert(cell: object) -> object:
    """A cell that no spreadsheet runs."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def table_parquet(table: Table) -> bytes:
    """Parquet with the column names of the table; an unknown cell is null."""
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    arrays = {name: pa.array(list(column)) for name, column in zip(table.columns, columns, strict=True)}
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(arrays), stream)
    return stream.getvalue()


def report_html(comparison: Comparison, *, made_on: date) -> str:
    """The cost report as one HTML file."""
    return html(cost_report(comparison, made_on=made_on))


def write_file(path: Path, text: str) -> None:
    """Write a whole file or nothing. Raises StoreError."""
    try:
        if path.exists() and not path.is_file():
            # A pipe or a terminal is written to, never replaced.
            path.write_text(text, encoding="utf-8")
        else:
            _replace_whole(path, text)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error}): name another file or free some space."
        ) from error


def _replace_whole(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
