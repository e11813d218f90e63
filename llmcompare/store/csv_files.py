"""Reads the CSV files of data/ and var/overrides/ and finds every structural error; what a cell means is the schema's
business."""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmcompare.errors import BadCell, StoreError

MAX_CELL_CHARACTERS = 20_000
OWN_FOLDER = "var/overrides"
"""Rows of the user's own, as messages name the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """The bytes of one table's file, read once."""

    table: str
    content: bytes
    is_own: bool = False
    """From var/overrides/."""

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"{OWN_FOLDER if self.is_own else 'data'}/{self.table}.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """Cells as text, stripped; each row stands behind the line it starts on."""

    header: list[str]
    rows: list[tuple[int, list[str]]]
    errors: list[BadCell]


def read_files(data_folder: Path, tables: list[str]) -> list[CsvFile]:
    """One file per table. Raises StoreError for a file that is missing or cannot be read."""
    return [CsvFile(table=table, content=_read(data_folder / f"{table}.csv")) for table in tables]


def read_own_files(folder: Path, tables: list[str]) -> list[CsvFile]:
    """The files of a folder of overrides; none of them need be there. Raises StoreError for one that cannot be read."""
    return [
        CsvFile(table=table, content=_read(path), is_own=True)
        for table in tables
        if (path := folder / f"{table}.csv").exists()
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"{path} cannot be read ({error.strerror}): put the file back or correct its rights."
        ) from error


def fingerprint(files: list[CsvFile], *more: bytes) -> str:
    """Hash of all contents, 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for part in [*(file.name.encode() + b"\0" + file.content for file in files), *more]:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def parse(file: CsvFile, columns: list[str], *, optional: Collection[str] = ()) -> CsvTable:
    """Rows of a file whose header must hold exactly these columns, in any order; optional ones may be missing."""
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        value = repr(file.content[error.start : error.start + 10])
        return _refused(BadCell(file=file.name, line=line, column="(text)", value=value, rule="save the file as UTF-8"))
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines: list[tuple[int, list[str]]] = []
    try:
        for numbered in _numbered_rows(text):
            lines.append(numbered)
    except csv.Error as error:
        rule = f"the row that begins here cannot be read ({error}): close every quote"
        after = lines[-1][0] + 1 if lines else 1
        return _refused(BadCell(file=file.name, line=after, column="(row)", value=_line(text, after), rule=rule))
    header = lines[0][1] if lines else []
    wrong = _header_errors(file, header, columns, optional)
    return CsvTable(header=[], rows=[], errors=wrong) if wrong else _table(file, header, lines[1:])


def _line(text: str, number: int) -> str:
    found = text.splitlines()[number - 1 : number]
    return found[0][:60] if found else ""


def _refused(cell: BadCell) -> CsvTable:
    return CsvTable(header=[], rows=[], errors=[cell])


def _numbered_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    for row in reader:
        if row:
            yield line, [cell.strip() for cell in row]
        line = reader.line_num + 1


def _header_errors(file: CsvFile, header: list[str], columns: list[str], optional: Collection[str]) -> list[BadCell]:
    missing = [name for name in columns if name not in header and name not in optional]
    unknown = [name for name in header if name not in columns]
    twice = sorted({name for name in header if header.count(name) > 1})
    return [
        BadCell(file=file.name, line=1, column=name, value=name, rule=rule)
        for names, rule in (
            (missing, "this column is missing from the header"),
            (unknown, "the table has no such column"),
            (twice, "the header names this column twice"),
        )
        for name in names
    ]


def _table(file: CsvFile, header: list[str], lines: list[tuple[int, list[str]]]) -> CsvTable:
    errors = [
        BadCell(
            file=file.name,
            line=line,
            column="(row)",
            value=",".join(row)[:60],
            rule=f"has {len(row)} cells, the header has {len(header)}; quote a cell that holds a comma",
        )
        for line, row in lines
        if len(row) != len(header)
    ]
    return CsvTable(header=header, rows=[(n, row) for n, row in lines if len(row) == len(header)], errors=errors)
