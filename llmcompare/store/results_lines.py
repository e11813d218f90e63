"""One fact as one line of text and back: the columns of each table of the results log, checked in both directions."""

import json
import math
import re
import types
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from llmcompare.core.facts import (
    ActualMonthFact,
    MachineFact,
    MeasurementFact,
    OpeningFact,
    ReplyFact,
    RunFact,
    StarFact,
    VoteFact,
)

Fact = RunFact | ReplyFact | OpeningFact | StarFact | MeasurementFact | MachineFact | ActualMonthFact | VoteFact
VERSION = 1
"""Of the columns of all tables: raised when a fact changes in a way that an older version would misread."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
BIGINT_LIMIT = 2**63
EXACT_LIMIT = 2**53
"""Whole numbers up to here are the same as floating-point numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogColumn:
    """A field of a fact."""

    name: str
    type: str
    """In SQL."""
    required: bool
    always_fits: frozenset[Any]
    """Types of which every value fits: most cells need no further look (reading 3,000 facts: 83 → 45 ms)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTable:
    """All facts of one kind."""

    name: str
    key: str
    fact_type: type[Any]
    columns: tuple[LogColumn, ...]
    names: frozenset[str]
    """Of the columns."""


class UnreadableError(Exception):
    """A line or a row that is no fact; the message is the reason, without a subject."""


class TooNewError(UnreadableError):
    """Written by a version of llmcompare that knows more than this one."""


@cache
def log_tables() -> dict[str, LogTable]:
    """Every table of the log by name."""
    kinds = (
        ("runs", "run_id", RunFact),
        ("replies", "reply_id", ReplyFact),
        ("openings", "opening_id", OpeningFact),
        ("stars", "star_id", StarFact),
        ("measurements", "measurement_id", MeasurementFact),
        ("machines", "machine_fact_id", MachineFact),
        ("actual_months", "month_fact_id", ActualMonthFact),
        ("votes", "vote_id", VoteFact),
    )
    return {name: _table(name, key, kind) for name, key, kind in kinds}


def _table(name: str, key: str, fact_type: type[Any]) -> LogTable:
    columns = _columns(fact_type)
    names = frozenset(column.name for column in columns)
    return LogTable(name=name, key=key, fact_type=fact_type, columns=columns, names=names)


def _columns(fact_type: type[Any]) -> tuple[LogColumn, ...]:
    hints = get_type_hints(fact_type)
    return tuple(_column(field.name, hints[field.name]) for field in fields(fact_type))


def _column(name: str, hint: Any) -> LogColumn:  # noqa: ANN401 a type as typing gives it
    is_union = get_origin(hint) in (Union, types.UnionType)
    options = get_args(hint) if is_union else (hint,)
    (kind,) = (option for option in options if option is not type(None))
    sql = {int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", tuple[str, ...]: "VARCHAR[]"}
    is_text = kind is str or get_origin(kind) is Literal
    sql_type = "VARCHAR" if is_text else sql[kind]
    always: list[Any] = [str] if is_text else [bool] if kind is bool else []
    nothing = [option for option in options if option is type(None)]
    return LogColumn(name=name, type=sql_type, required=not nothing, always_fits=frozenset([*always, *nothing]))


def table_of(fact: Fact) -> LogTable:
    """The table that a fact belongs to."""
    return next(table for table in log_tables().values() if table.fact_type is type(fact))


def fact_id(fact: Fact) -> str:
    """What makes a fact the same one, wherever it stands."""
    return str(getattr(fact, table_of(fact).key))


def to_row(fact: Fact) -> dict[str, Any]:
    """Cells that JSON, Parquet and SQL can hold. Raises ValueError for a value that the column cannot.

    A lone surrogate is no Unicode text: its cell gets a replacement character, and `exact` keeps the fact as it was.
    """
    columns = table_of(fact).columns
    cells = {column.name: getattr(fact, column.name) for column in columns}
    for column in columns:
        if not _fits(column, cells[column.name]):
            raise ValueError(f"{type(fact).__name__}.{column.name} is {cells[column.name]!r}: give {_wanted(column)}.")
    clean = {name: _without_surrogates(value) for name, value in cells.items()}
    exact = None if clean == cells else json.dumps(cells, ensure_ascii=False)
    # Not JSON's own escapes: they would join two lone surrogates that stand side by side to one character.
    return clean | {"exact": exact and exact.encode("unicode_escape").decode("ascii")}


def to_fact(table: LogTable, row: dict[str, Any]) -> Fact:
    """The fact of a row; unknown cells are ignored, missing ones are None. Raises UnreadableError."""
    if row.get("exact") is not None:
        row = _exact(row["exact"])
    cells = {}
    for column in table.columns:
        value = cells[column.name] = row.get(column.name)
        if type(value) in column.always_fits:
            continue
        if column.type == "VARCHAR[]" and isinstance(value, list):
            value = cells[column.name] = tuple(value)
        if not _fits(column, value):
            raise UnreadableError(f"{column.name} is {str(value)[:60]!r}, not {_wanted(column)}")
    fact: Fact = table.fact_type(**cells)
    return fact


def _exact(text: object) -> dict[str, Any]:
    try:
        row = json.loads(str(text).encode("ascii").decode("unicode_escape"))
    except (ValueError, RecursionError) as error:
        raise UnreadableError("the exact text is damaged") from error
    return row if isinstance(row, dict) else {}


def _is_number(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _fits(column: LogColumn, value: Any) -> bool:  # noqa: ANN401 any cell
    if value is None:
        return not column.required
    match column.type:
        case "VARCHAR":
            return isinstance(value, str)
        case "BOOLEAN":
            return isinstance(value, bool)
        case "BIGINT":
            return _is_number(value, int) and -BIGINT_LIMIT <= value < BIGINT_LIMIT
        case "DOUBLE":
            return (_is_number(value, float) and math.isfinite(value)) or (
                _is_number(value, int) and abs(value) <= EXACT_LIMIT
            )
        case _:
            return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def _wanted(column: LogColumn) -> str:
    words = {"VARCHAR": "text", "BOOLEAN": "true or false", "BIGINT": "a whole number", "DOUBLE": "a finite number"}
    return words.get(column.type, "a list of texts") + ("" if column.required else " or nothing")


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 any cell
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    return tuple(map(_without_surrogates, value)) if isinstance(value, tuple) else value


def to_line(fact: Fact) -> bytes:
    """A line of a segment, in ASCII, with its line feed. Raises ValueError like `to_row`."""
    row = to_row(fact)
    exact = row.pop("exact")
    line = {"table": table_of(fact).name, "version": VERSION, "fact": row} | ({"exact": exact} if exact else {})
    return json.dumps(line, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def from_line(line: bytes) -> tuple[Fact, list[str]]:
    """The fact of a line and the names of fields that this version does not know. Raises UnreadableError."""
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is no JSON") from error
    if not isinstance(record, dict) or not isinstance(record.get("fact"), dict):
        raise UnreadableError("it holds no fact")
    name, version = record.get("table"), record.get("version")
    table = log_tables().get(name) if isinstance(name, str) else None
    if table is None or version != VERSION:
        raise TooNewError(f"it is of table {str(name)[:40]!r}, version {str(version)[:40]}")
    row = record["fact"]
    unknown = [] if row.keys() <= table.names else sorted(row.keys() - table.names)
    return to_fact(table, row | {"exact": record.get("exact")}), [f"{table.name}.{name}" for name in unknown]
