"""New rows behind those of a file in data/: checked as the catalogue that they would make, or refused."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

from llmcompare.errors import BadCell, DataError, StoreError
from llmcompare.store import csv_files, seed
from llmcompare.store.csv_files import CsvFile
from llmcompare.store.paths import Folders
from llmcompare.store.whole_files import one_writer, put_in_place

Cells = Mapping[str, str]
LOCK_NAME = "data-lock"


def append(where: Folders, table: str, rows: Sequence[Cells], *, today: date) -> None:
    """Put rows behind those that are there, which stay byte for byte as they are.

    Raises DataError with every cell that is refused, or StoreError; the file then stays as it was.
    """
    with one_writer(where.var / LOCK_NAME):
        file, _ = _appended(where, table, rows)
        if refused := seed.refused_in_data(file, where.data, where.var, today=today):
            raise DataError(refused)
        path = where.data / f"{table}.csv"
        try:
            put_in_place(path, file.content)
        except OSError as error:
            raise StoreError(
                f"{path} cannot be written ({error.strerror or error}): free some space or correct its rights, or name "
                "another folder in LLMCOMPARE_DATA."
            ) from error


def refused(where: Folders, table: str, rows: Sequence[Cells], *, today: date) -> dict[int, list[BadCell]]:
    """The refused cells of each row, by its place. Raises DataError where the files are bad without them."""
    file, first_line = _appended(where, table, rows)
    found: dict[int, list[BadCell]] = {}
    others = []
    for cell in seed.refused_in_data(file, where.data, where.var, today=today):
        if cell.file == file.name and cell.line >= first_line:
            found.setdefault(cell.line - first_line, []).append(cell)
        else:
            others.append(cell)
    if others:
        raise DataError(others)
    return found


def _appended(where: Folders, table: str, rows: Sequence[Cells]) -> tuple[CsvFile, int]:
    """The file with the rows, one line each, and the line of the first of them."""
    (file,) = csv_files.read_files(where.data, [table])
    content = file.content if file.content.endswith(b"\n") else file.content + b"\n"
    header = next(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
    writer.writerows({name: " ".join(cell.split()) for name, cell in row.items()} for row in rows)
    return CsvFile(table=table, content=content + stream.getvalue().encode()), content.count(b"\n") + 1
