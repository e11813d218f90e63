"""Parts of the results log: Parquet files of facts whose writers are gone, and the manifest that names them.

A part is complete before it gets its name, the manifest is replaced in one rename, and only then does what went into
the part go away. Killed in between, the log holds facts twice; readers and the next compaction keep one of each.
"""

import hashlib
import io
import json
import os
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from llmcompare.store.results_lines import VERSION, Fact, LogTable, UnreadableError, log_tables, to_fact, to_row
from llmcompare.store.results_segments import sync_folder

MANIFEST_NAME = "manifest.json"
SET_ASIDE_NAME = "set-aside"
SUFFIX = ".parquet"
TEMPORARY_SUFFIX = ".tmp"
ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "VARCHAR[]": pa.list_(pa.string()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEntry:
    """A part as the manifest names it."""

    name: str
    table: str
    version: int
    sha256: str | None
    """None for a part that was found without a manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Which parts belong to the log."""

    parts: tuple[PartEntry, ...] = ()
    segments: tuple[str, ...] = ()
    """Went into the newest parts, and are to be removed if they are still there."""


def read_manifest(folder: Path) -> Manifest:
    """What belongs to the log; a damaged manifest is set aside, and without one every part counts."""
    path = folder / MANIFEST_NAME
    try:
        record = json.loads(path.read_bytes())
        parts = tuple(PartEntry(**entry) for entry in record["parts"])
        return Manifest(parts=parts, segments=tuple(record["segments"]))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (ValueError, TypeError, KeyError):
        set_aside(path)
    return Manifest(parts=tuple(map(found_part, sorted(folder.glob(f"*{SUFFIX}")))))


def found_part(path: Path) -> PartEntry:
    """A part as it is taken without a manifest."""
    return PartEntry(name=path.name, table=path.name.split("-")[0], version=VERSION, sha256=None)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one rename. Raises OSError."""
    _put(folder / MANIFEST_NAME, json.dumps(asdict(manifest), indent=1).encode())


def _put(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{uuid.uuid4().hex}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def set_aside(path: Path) -> None:
    """Move a damaged file out of the way, for a person to look at; nothing happens when it cannot be moved."""
    folder = path.parent / SET_ASIDE_NAME
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        # The manifest has the same name each time.
        os.rename(path, target if not target.exists() else folder / f"{uuid.uuid4().hex[:8]}-{path.name}")


def write_part(folder: Path, table: LogTable, facts: list[Fact]) -> PartEntry:
    """A complete part on the disk, which no manifest names yet. Raises OSError."""
    schema = pa.schema([(c.name, ARROW_TYPES[c.type]) for c in table.columns] + [("exact", pa.string())])
    rows = pa.Table.from_pylist([to_row(fact) for fact in facts], schema=schema)
    buffer = io.BytesIO()
    parquet.write_table(rows, buffer, compression="zstd")
    content = buffer.getvalue()
    name = f"{table.name}-{uuid.uuid4().hex[:12]}{SUFFIX}"
    _put(folder / name, content)
    return PartEntry(name=name, table=table.name, version=VERSION, sha256=hashlib.sha256(content).hexdigest())


def read_part(folder: Path, entry: PartEntry) -> tuple[list[Fact], list[str]]:
    """Facts of a part and the columns that this version does not know.

    Raises UnreadableError for a damaged part, OSError for one that cannot be opened.
    """
    content = (folder / entry.name).read_bytes()
    if entry.sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise UnreadableError("its content has changed since it was written")
    try:
        rows = parquet.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise UnreadableError("it is no complete Parquet file") from error
    if entry.table not in log_tables():
        raise UnreadableError("it belongs to no table")
    table = log_tables()[entry.table]
    unknown = sorted(set(rows.column_names) - {column.name for column in table.columns} - {"exact"})
    return list(_facts(table, rows)), [f"{table.name}.{name}" for name in unknown]


def _facts(table: LogTable, rows: Any) -> list[Fact]:  # noqa: ANN401 pyarrow has no types
    names = rows.column_names
    columns = [rows.column(name).to_pylist() for name in names]
    return [to_fact(table, dict(zip(names, cells, strict=True))) for cells in zip(*columns, strict=True)]
