"""Reads a request log: CSV or JSON lines, a million lines in seconds; what cannot be used is counted and shown."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llmcompare.core.log_hours import Floats
from llmcompare.core.request_log import RequestLog
from llmcompare.core.units import counted
from llmcompare.core.workload import MAX_TOKENS_PER_REQUEST
from llmcompare.errors import InputError
from llmcompare.services.log_cells import (
    MAX_CHARACTERS_PER_REQUEST,
    MAX_DURATION_S,
    are_blank,
    numbers,
    text_of,
    times,
    why_no_number,
    why_no_time,
)
from llmcompare.services.log_columns import Column
from llmcompare.services.log_files import BAD_LINES_SHOWN, BadLine, BadLines, Block, blocks

MAX_UPLOAD_MB = 500
OPTIONAL = ("cached_tokens", "cache_written_tokens", "thinking_tokens", "duration_s", "duration_ms")
LIMITS = {
    "input_characters": MAX_CHARACTERS_PER_REQUEST, "output_characters": MAX_CHARACTERS_PER_REQUEST,
    "duration_s": MAX_DURATION_S, "duration_ms": MAX_DURATION_S * 1e3,
}  # fmt: skip
APART_FROM = 0.01
"""Share of the requests with more thinking than output from which on thinking is taken as no part of the output."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadLog:
    """A log with how it was read."""

    name: str
    log: RequestLog
    columns: dict[str, str]
    """What is used, and under which name it stands in the file."""
    bad_count: int
    bad_lines: tuple[BadLine, ...]
    """The first ten."""
    notes: tuple[str, ...]
    """How columns were understood, in sentences."""


def read_file(path: Path) -> ReadLog:
    """A log on this machine. Raises InputError."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InputError(f"{path} cannot be read: {problem.strerror}. Name a log as CSV or JSON lines.") from problem
    return read(content, name=path.name)


def read(content: bytes, *, name: str) -> ReadLog:
    """A log from its bytes. Raises InputError for one without a usable line."""
    bad = BadLines()
    used, found = blocks(content, file=name, bad=bad)
    parts = [_usable(block, used, bad) for block in found]
    total = sum(len(part["time"]) for part in parts)
    if total == 0:
        raise InputError(_nothing(name, bad))
    joined = {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
    zoneless = joined.pop("zoneless") > 0
    log, notes = _log(joined, used)
    if zoneless.any() and not zoneless.all():
        notes.append(f"{counted(int(zoneless.sum()), 'time')} without a zone: taken as UTC, like the others.")
    return ReadLog(
        name=name,
        log=RequestLog(has_zone=not zoneless.all(), **log),
        columns={column.field: column.name for column in used.values()},
        bad_count=bad.count,
        bad_lines=tuple(bad.first),
        notes=tuple(notes),
    )


def _nothing(name: str, bad: BadLines) -> str:
    if not bad.count:
        return f"{name} holds a header and no request: give a line for each."
    first = bad.first[0]
    lines = "its only line is" if bad.count == 1 else f"all {bad.count:,} lines are"
    return f"{name} holds no usable line: {lines} refused. Line {first.line} is {first.value!r}: {first.why}."


def _usable(block: Block, used: Mapping[str, Column], bad: BadLines) -> dict[str, Floats]:
    """The columns of the lines that can be used; the others are added to the bad ones."""
    seconds, zoneless = times(block.cells["time"])
    values = {field: numbers(block.cells[field]) for field in used if field != "time"}
    usable, blank = ~np.isnan(seconds), are_blank(block.cells["time"])
    for field, column in values.items():
        empty = are_blank(block.cells[field])
        blank &= empty
        if field in OPTIONAL:
            values[field] = column = np.where(empty, np.nan if field.startswith("duration") else 0.0, column)
            usable &= ~np.isnan(column) | empty
        else:
            usable &= ~np.isnan(column)
        with np.errstate(invalid="ignore"):
            usable &= ~(column > LIMITS.get(field, MAX_TOKENS_PER_REQUEST))
    usable &= _tokens_in(values) + _tokens_out(values) != 0
    usable &= ~_too_much_cached(values, used)
    refused = np.flatnonzero(~usable & ~blank)
    for place in refused[:BAD_LINES_SHOWN].tolist():
        value, why = _why(block, used, place)
        bad.add(int(block.lines[place]), value, why)
    bad.count += len(refused[BAD_LINES_SHOWN:])
    return {"time": seconds[usable], "zoneless": zoneless[usable].astype(float)} | {
        field: column[usable] for field, column in values.items()
    }


def _tokens_in(values: Mapping[str, Floats]) -> Floats:
    return values["input_tokens"] if "input_tokens" in values else values["input_characters"]


def _tokens_out(values: Mapping[str, Floats]) -> Floats:
    return values["output_tokens"] if "output_tokens" in values else values["output_characters"]


def _is_apart(used: Mapping[str, Column]) -> bool:
    """Whether input tokens leave out those of the cache, as Anthropic counts: told by the names it gives both."""
    return {"cache_read_input_tokens", "input_tokens"} <= {column.alias for column in used.values()}


def _too_much_cached(values: Mapping[str, Floats], used: Mapping[str, Column]) -> Any:  # noqa: ANN401 - a mask
    if "cached_tokens" not in values or "input_tokens" not in values or _is_apart(used):
        return np.zeros(len(_tokens_in(values)), dtype=bool)
    return values["cached_tokens"] > values["input_tokens"]


def _why(block: Block, used: Mapping[str, Column], place: int) -> tuple[str, str]:
    """The cell at fault and the reason."""
    texts = {field: text_of(block.cells[field][place]) for field in used}
    one = slice(place, place + 1)
    if math.isnan(times(block.cells["time"][one])[0][0]):
        return texts["time"], why_no_time(texts["time"])
    read_values: dict[str, float] = {}
    for field, column in used.items():
        if field == "time" or (field in OPTIONAL and not texts[field].strip()):
            continue
        read_values[field] = value = float(numbers(block.cells[field][one])[0])
        if math.isnan(value):
            return texts[field], why_no_number(column.name, texts[field])
        if value > (limit := LIMITS.get(field, MAX_TOKENS_PER_REQUEST)):
            return texts[field], f"{column.name} is above {limit:,.0f}"
    cached = read_values.get("cached_tokens", 0.0)
    if not _is_apart(used) and cached > read_values.get("input_tokens", math.inf):
        return texts["cached_tokens"], "more cached than input tokens"
    return "0", "a request without any token, perhaps one that failed"


def _log(values: dict[str, Floats], used: Mapping[str, Column]) -> tuple[dict[str, Any], list[str]]:
    """Fields of a RequestLog, and how columns were understood."""
    notes = list(_notes(used))
    given, made = _tokens_in(values), _tokens_out(values)
    cached, thinking = values.get("cached_tokens"), values.get("thinking_tokens")
    if _is_apart(used) and cached is not None:
        given = given + cached + values.get("cache_written_tokens", 0.0)
    if thinking is not None:
        if float((thinking > made).mean()) >= APART_FROM:
            made = made + thinking
            notes.append("Thinking tokens are added to the output: many requests have more of them than of output.")
        else:
            thinking = np.minimum(thinking, made)
            notes.append("Thinking tokens are part of the output tokens, as OpenAI and Anthropic count them.")
    duration = values.get("duration_s")
    if "duration_ms" in values:
        duration = values["duration_ms"] / 1e3
    return {
        "seconds": values["time"],
        "input_tokens": given,
        "output_tokens": made,
        "cached_tokens": cached,
        "thinking_tokens": thinking,
        "duration_s": duration,
        "input_is_characters": "input_characters" in used,
        "output_is_characters": "output_characters" in used,
    }, notes


def _notes(used: Mapping[str, Column]) -> Iterator[str]:
    if _is_apart(used):
        written = " and those written to it" if "cache_written_tokens" in used else ""
        yield (
            f"Tokens read from the cache{written} are added to input_tokens, which leaves them out, as Anthropic does. "
            "The dearer price of writing to a cache is not in any figure here."
        )
    elif {"cached_tokens", "input_tokens"} <= used.keys():
        yield f"{used['cached_tokens'].name} is part of {used['input_tokens'].name}, as OpenAI counts."
