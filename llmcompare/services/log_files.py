"""A request log as blocks of columns: CSV and JSON lines, with what is no line of either put aside."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.json as pa_json

from llmcompare.core.log_hours import Whole
from llmcompare.errors import InputError
from llmcompare.services.log_columns import Column, columns, knows_any, leaves

DELIMITERS = ",;\t"
LINE_END = re.compile(rb"\r\n|\n|\r")
BLOCK_BYTES = 4 * 2**20
LOOKED_AT_BYTES = 2**16
RECORDS_LOOKED_AT = 200
"""For the columns of JSON lines: an optional one may be missing in the first record."""
STRETCHES = 50
"""Of lines that are alike in one block; behind that many each line is looked at by itself, ten times as slowly."""
ROW_NAMED = re.compile(r"in row (\d+)")
BAD_LINES_SHOWN = 10
VALUE_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that is left out."""

    line: int
    """From 1, the header counted."""
    value: str
    why: str


@dataclass(slots=True)
class BadLines:
    """How many lines are left out, and the first of them."""

    count: int = 0
    first: list[BadLine] = field(default_factory=list)
    """In the order of the file, whichever order they are found in."""

    def add(self, line: int, value: str, why: str) -> None:
        """One line more."""
        self.count += 1
        self.first.append(BadLine(line=line, value=value.strip()[:VALUE_SHOWN], why=why))
        self.first.sort(key=lambda bad: bad.line)
        del self.first[BAD_LINES_SHOWN:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some lines of the file, column by column."""

    lines: Whole
    cells: Mapping[str, Any]
    """By field: arrow arrays of text or of numbers."""


def blocks(content: bytes, *, file: str, bad: BadLines) -> tuple[dict[str, Column], Iterator[Block]]:
    """The columns that are used, and the lines. Raises InputError for what is no log at all."""
    content = _text(content, file=file)
    if content.lstrip()[:1] in (b"{", b"["):
        used = columns(_paths(content, file=file), file=file)
        return used, _json_blocks(content, used, bad)
    names, delimiter = _header(content, file=file)
    used = columns([(name,) for name in names], file=file)
    return used, _csv_blocks(content, used, bad, width=len(names), delimiter=delimiter, file=file)


def _text(content: bytes, *, file: str) -> bytes:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", errors="replace").encode()
    content = content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise InputError(f"{file} is empty: give a log with a header and a line for each request.")
    if content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise InputError(f"{file} is a packed file: unpack it first.")
    if b"\0" in content[:LOOKED_AT_BYTES]:
        raise InputError(f"{file} is no text: give a log as CSV or JSON lines.")
    try:
        content.decode()
    except UnicodeDecodeError:
        # Marks in the place of bytes that are no text: they can only stand in cells that are refused or not used.
        content = content.decode(errors="replace").encode()
    return content


# --- CSV --------------------------------------------------------------------------------------------------------------


def _header(content: bytes, *, file: str) -> tuple[list[str], str]:
    line = LINE_END.split(content, 1)[0].decode()
    found = {delimiter: _cells(line, delimiter) for delimiter in DELIMITERS}
    delimiter = max(found, key=lambda one: len(found[one]))
    if not knows_any(found[delimiter]):
        raise InputError(
            f"{file} begins with {line[:VALUE_SHOWN]!r}, which is no header: the first line must name the columns, as "
            "in timestamp,input_tokens,output_tokens."
        )
    return found[delimiter], delimiter


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _csv_blocks(
    content: bytes, used: Mapping[str, Column], bad: BadLines, *, width: int, delimiter: str, file: str
) -> Iterator[Block]:
    skipped: list[int] = []

    def refuse(row: Any) -> str:  # noqa: ANN401 - pyarrow has no types
        skipped.append(row.number)
        open_quote = "; a quotation mark is not closed" if "\n" in row.text else ""
        bad.add(row.number, row.text, f"it has {row.actual_columns} cells, the header {width}{open_quote}")
        return "skip"

    if len(LINE_END.split(content.strip(), 1)) == 1:
        return
    names = [f"c{place}" for place in range(width)]
    kept = {column.field: names[column.place] for column in used.values()}
    lines_before = 1
    try:
        reader = pa_csv.open_csv(
            pa.BufferReader(content),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=refuse,
                newlines_in_values=b'"' in content,
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=sorted(set(kept.values())), check_utf8=False, strings_can_be_null=False,
                column_types={name: pa.string() for name in names},
            ),
        )  # fmt: skip
        for batch in reader:
            lines = _line_numbers(len(batch), lines_before, skipped)
            if len(lines):
                lines_before = int(lines[-1])
            yield Block(lines=lines, cells={field: batch.column(name) for field, name in kept.items()})
    except pa.ArrowInvalid as problem:
        said = str(problem).split("\n", 1)[0]
        raise InputError(
            f"{file} cannot be read as CSV: {said}. Look for a quotation mark that is not closed."
        ) from None


def _line_numbers(count: int, before: int, skipped: list[int]) -> Whole:
    """Numbers of lines that were read, those between them that were skipped left out."""
    left_out = np.asarray([line for line in skipped if line > before], dtype=np.int64)
    numbers = before + 1 + np.arange(count + len(left_out), dtype=np.int64)
    return numbers[~np.isin(numbers, left_out)][:count]


# --- JSON lines -------------------------------------------------------------------------------------------------------


def _paths(content: bytes, *, file: str) -> list[tuple[str, ...]]:
    """Where the first records hold what."""
    found: dict[tuple[str, ...], None] = {}
    lines = io.BytesIO(content[: 16 * BLOCK_BYTES])
    for line, _ in zip(lines, range(RECORDS_LOOKED_AT), strict=False):
        record = _record(line)
        if record is not None:
            found |= dict.fromkeys(leaves(record))
    if not found:
        first = LINE_END.split(content, 1)[0].decode().strip()
        raise InputError(
            f"{file} begins with {first[:VALUE_SHOWN]!r}: give CSV with a header, or one JSON object per line."
        )
    return list(found)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _json_blocks(content: bytes, used: Mapping[str, Column], bad: BadLines) -> Iterator[Block]:
    stream, before = io.BytesIO(content), 0
    while lines := stream.readlines(BLOCK_BYTES):
        numbers = before + 1 + np.arange(len(lines), dtype=np.int64)
        before += len(lines)
        written = [place for place, line in enumerate(lines) if not line.isspace()]
        if len(written) < len(lines):
            lines, numbers = [lines[place] for place in written], numbers[written]
        yield from _joined(_pieces(lines, numbers, used, bad))


def _pieces(lines: list[bytes], numbers: Whole, used: Mapping[str, Column], bad: BadLines) -> Iterator[Block]:
    """Stretches of lines that are alike, which are read at once, and those between them one by one."""
    at = 0
    for _ in range(STRETCHES):
        found = _alike(lines[at:], numbers[at:], used)
        if isinstance(found, Block):
            yield found
            return
        # Arrow names the line or the one behind it.
        good, end = at + max(0, found - 1), at + found + 1
        before = _alike(lines[at:good], numbers[at:good], used)
        if not isinstance(before, Block):
            break
        yield before
        yield _one_by_one(lines[good:end], numbers[good:end], used, bad)
        at = end
    yield _one_by_one(lines[at:], numbers[at:], used, bad)


def _joined(pieces: Iterator[Block]) -> Iterator[Block]:
    """One block of those whose columns have the same types: few large blocks cost less than many small ones."""
    by_type: dict[tuple[Any, ...], list[Block]] = {}
    for piece in pieces:
        by_type.setdefault(tuple(cells.type for cells in piece.cells.values()), []).append(piece)
    for group in by_type.values():
        yield Block(
            lines=np.concatenate([piece.lines for piece in group]),
            cells={name: pa.concat_arrays([piece.cells[name] for piece in group]) for name in group[0].cells},
        )


def _alike(lines: list[bytes], numbers: Whole, used: Mapping[str, Column]) -> Block | int:
    """The lines at once, or about which of them is not like the first."""
    if not lines:
        return _block_of_texts([], numbers, used)
    first = _record(lines[0])
    if first is None:
        return 0
    schema = _schema(first, used)
    if schema is None:
        return len(lines)
    try:
        table = pa_json.read_json(
            pa.BufferReader(b"".join(lines)),
            read_options=pa_json.ReadOptions(use_threads=False, block_size=64 * BLOCK_BYTES),
            parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pa.ArrowInvalid as problem:
        named = ROW_NAMED.search(str(problem))
        return min(int(named[1]), len(lines) - 1) if named else len(lines)
    if len(table) != len(lines):
        return len(lines)
    return Block(lines=numbers, cells={name: _column(table, column.path) for name, column in used.items()})


def _schema(record: dict[str, Any], used: Mapping[str, Column]) -> Any:  # noqa: ANN401 - pyarrow has no types
    """Text where the record has text, numbers elsewhere; None where one column lies within another."""
    tree: dict[str, Any] = {}
    for column in used.values():
        branch = tree
        for name in column.path[:-1]:
            branch = branch.setdefault(name, {})
            if not isinstance(branch, dict):
                return None
        branch[column.path[-1]] = pa.string() if isinstance(_at(record, column.path), str) else pa.float64()
    return pa.schema(_fields(tree))


def _fields(tree: Mapping[str, Any]) -> list[Any]:
    return [(name, pa.struct(_fields(value)) if isinstance(value, dict) else value) for name, value in tree.items()]


def _column(table: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401
    found = table.column(path[0]).combine_chunks()
    return pc.struct_field(found, list(path[1:])) if len(path) > 1 else found


def _one_by_one(lines: list[bytes], numbers: Whole, used: Mapping[str, Column], bad: BadLines) -> Block:
    kept, rows = [], []
    for number, line in zip(numbers.tolist(), lines, strict=True):
        record = _record(line)
        if record is None:
            bad.add(number, line.decode(), "it is no JSON object")
            continue
        kept.append(number)
        rows.append([_cell(_at(record, column.path)) for column in used.values()])
    return _block_of_texts(rows, np.asarray(kept, dtype=np.int64), used)


def _block_of_texts(rows: list[list[str]], numbers: Whole, used: Mapping[str, Column]) -> Block:
    cells = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(used)}
    return Block(lines=numbers, cells=cells)


def _at(record: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _cell(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return ""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else json.dumps(value)
