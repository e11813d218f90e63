"""The user's own rows in var/overrides/: read, added, removed, replaced.

A change reads, edits, checks and writes under one lock, so two processes that write at once lose nothing, and a file
is replaced in one rename. A row that the rules of the schema refuse is never written.
"""

import csv
import io
from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import date

from llmcompare.errors import BadCell, DataError
from llmcompare.store import schema, seed
from llmcompare.store.csv_files import CsvFile, read_own_files
from llmcompare.store.db import file_errors
from llmcompare.store.paths import Folders
from llmcompare.store.whole_files import one_writer, put_in_place

Row = dict[str, str]
"""Cells as text by column; an empty one is unknown."""
LOCK_NAME = "lock"


def content(where: Folders, table: str) -> bytes | None:
    """The file of a table as it is, None where there is none. Raises StoreError."""
    found = read_own_files(where.overrides, [table])
    return found[0].content if found else None


def rows(where: Folders, table: str) -> list[Row]:
    """The rows of a table. Raises DataError for a file whose form is broken; its cells may be wrong all the same."""
    found = content(where, table)
    return [] if found is None else _rows(CsvFile(table=table, content=found, is_own=True))


def columns(table: str) -> list[str]:
    """Columns of a table's file."""
    return [column.name for column in columns_of(table)]


def columns_of(table: str) -> tuple[schema.Column, ...]:
    """The same with their types, units and words."""
    return _table(table).columns


def key(table: str) -> tuple[str, ...]:
    """Columns that tell its rows apart."""
    return _table(table).key


def add(where: Folders, table: str, row: Row, *, today: date) -> None:
    """Append a row, in the place of one with the same key. Raises DataError with every cell that is refused."""
    with _sole(where):
        others = [one for one in rows(where, table) if _key_of(table, one) != _key_of(table, row)]
        _write(where, table, _text(table, [*others, row]), today=today)


def add_all(where: Folders, table: str, new: bytes, *, today: date) -> None:
    """Append the rows of a file, each in the place of one with the same key.

    Raises DataError with every cell of the file that is refused; the rows then stay as they were.
    """
    if refused := _refused(where, table, new, today):
        # The lines are those of the new file, and not of the one that it would become part of.
        raise DataError(refused)
    added = _rows(CsvFile(table=table, content=new, is_own=True))
    same = {_key_of(table, row) for row in added}
    with _sole(where):
        others = [row for row in rows(where, table) if _key_of(table, row) not in same]
        _write(where, table, _text(table, [*others, *added]), today=today)


def remove(where: Folders, table: str, unwanted: list[Row]) -> None:
    """Take these rows out; those that another process took out already are no error."""
    with _sole(where):
        kept = [row for row in rows(where, table) if row not in unwanted]
        # Fewer rows break no further rule, and a row that is refused must be removable.
        _write(where, table, _text(table, kept) if kept else None, today=None)


def put(where: Folders, table: str, new: bytes, *, today: date) -> None:
    """Replace the whole file. Raises DataError with every cell that is refused; the file then stays as it was."""
    with _sole(where):
        _write(where, table, new, today=today)


def forget(where: Folders, table: str) -> None:
    """Delete the file of a table."""
    with _sole(where):
        _write(where, table, None, today=None)


def table_of(header: Collection[str]) -> str | None:
    """The table of own rows that shares most columns with a header, None where none shares any.

    Of two that share as many, the one that lacks fewer of its columns.
    """

    def shared(table: str) -> tuple[int, int]:
        both = len(set(header) & set(columns(table)))
        return both, both - len(columns(table))

    best = max(seed.own_tables(), key=shared)
    return best if shared(best)[0] else None


def _key_of(table: str, row: Row) -> tuple[str, ...]:
    return tuple(row.get(name, "") for name in key(table))


def _table(name: str) -> schema.Table:
    return next(table for table in schema.tables() if table.name == name)


def _rows(file: CsvFile) -> list[Row]:
    table = _table(file.table)
    parsed = seed.parsed_cells(file, table)
    if parsed.errors:
        raise DataError(parsed.errors)
    empty = {column.name: "" for column in table.columns}
    return [empty | dict(zip(parsed.header, cells, strict=True)) for _, cells in parsed.rows]


def _text(table: str, present: list[Row]) -> bytes:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns(table), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(present)
    return stream.getvalue().encode()


def _sole(where: Folders) -> AbstractContextManager[None]:
    return one_writer(where.overrides / LOCK_NAME)


def _write(where: Folders, table: str, new: bytes | None, *, today: date | None) -> None:
    """Put a file in place, or take it away. Checked first where a day is given."""
    path = where.overrides / f"{table}.csv"
    if new is None:
        with file_errors(path):
            path.unlink(missing_ok=True)
        return
    if today is not None and (refused := _refused(where, table, new, today)):
        raise DataError(refused)
    with file_errors(path):
        put_in_place(path, new)


def _refused(where: Folders, table: str, new: bytes, today: date) -> list[BadCell]:
    file = CsvFile(table=table, content=new, is_own=True)
    return seed.refused_if_own(file, where.data, where.var, today=today)
