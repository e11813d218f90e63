"""The catalogue file: which one is current, reading it from many threads and processes, replacing it safely.

A catalogue is never changed. New data make a new file; the pointer file `catalog-current` then names it. Renaming a
new file over an open path would leave every later connection of a process on the old data.
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from llmcompare.errors import StoreError

Connection = duckdb.DuckDBPyConnection
RowT = TypeVar("RowT")
POINTER_NAME = "catalog-current"
BUILD_PREFIX = "building-"
ABANDONED_AFTER_S = 3600
"""A build takes seconds."""


@contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """The edge where errors of the operating system and of DuckDB's files become StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror or error}): free some space or correct its rights,"
            " or name another folder in LLMCOMPARE_VAR."
        ) from error
    except duckdb.Error as error:
        if not _is_about_files(error):
            raise
        first_line = str(error).splitlines()[0]
        raise StoreError(
            f"{path} cannot be used ({first_line}): free some space or correct its rights,"
            " or name another folder in LLMCOMPARE_VAR."
        ) from error


def _is_about_files(error: duckdb.Error) -> bool:
    # A full disk that shows only at commit comes as a TransactionException.
    is_write = "Could not write file" in str(error)
    return is_write or isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException))


@contextmanager
def build_folder(var_folder: Path) -> Iterator[Path]:
    """A temporary folder on the file system of the catalogue, so that the result can be renamed into place."""
    with file_errors(var_folder):
        var_folder.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=var_folder, prefix=BUILD_PREFIX)
    with folder as name:
        yield Path(name)


def publish(catalog_path: Path) -> None:
    """Name this file as the current catalogue, in one rename."""
    pointer = catalog_path.parent / POINTER_NAME
    if _named_by(pointer) == catalog_path.name:
        return
    temporary = pointer.with_name(f"{POINTER_NAME}.{uuid.uuid4().hex}")
    with file_errors(pointer):
        try:
            with temporary.open("x", encoding="utf-8") as stream:
                stream.write(catalog_path.name)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, pointer)
        finally:
            temporary.unlink(missing_ok=True)


def current_path(var_folder: Path, schema_hash: str) -> Path | None:
    """The last good catalogue, None when there is none that this version can read."""
    name = _named_by(var_folder / POINTER_NAME)
    if name is None or not name.startswith(f"catalog-{schema_hash}-"):
        return None
    path = var_folder / name
    return path if path.is_file() else None


def _named_by(pointer: Path) -> str | None:
    try:
        return pointer.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def is_readable(path: Path) -> bool:
    """Whether a complete catalogue stands at this path; a damaged one is to be made again."""
    if not path.is_file():
        return False
    try:
        catalog = Catalog(path)
    except StoreError:
        return False
    _, found = catalog.table("SELECT table_name FROM duckdb_tables()")
    catalog.close()
    return bool(found)


def forget_unused(current: Path) -> None:
    """Delete what is of no more use: catalogues that no process has open, and builds of processes that were killed."""
    for folder in current.parent.glob(f"{BUILD_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(folder)
    for path in current.parent.glob("catalog-*.duckdb"):
        if path != current:
            # DuckDB refuses to open for writing what another process reads.
            with suppress(duckdb.Error, OSError):
                duckdb.connect(path).close()
                path.unlink()


class Catalog:
    """One catalogue file, open for reading. Any number of threads may call it."""

    def __init__(self, path: Path) -> None:
        """Raises StoreError for a file that is missing, damaged or written by another version of DuckDB."""
        self.path = path
        try:
            self._connection = duckdb.connect(path, read_only=True)
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"{path} is not a readable catalogue: delete it, it will be made again.") from error

    @property
    def fingerprint(self) -> str:
        """Hash of schema and data; two catalogues with the same one hold the same rows."""
        return self.path.stem.removeprefix("catalog-")

    def rows(self, row_type: type[RowT], sql: str, **parameters: str | None) -> list[RowT]:
        """Rows of a query as values of a dataclass whose fields are named like the columns."""
        names, cells = self.table(sql, **parameters)
        return [row_type(**dict(zip(names, row, strict=True))) for row in cells]

    def table(self, sql: str, **parameters: str | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query.

        One cursor per call, drained before it closes: threads that share a connection get each other's rows.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [column[0] for column in cursor.description or []], cursor.fetchall()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()
