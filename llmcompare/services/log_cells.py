"""Cells of a request log as numbers and times: whole columns at once, and why a single cell is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llmcompare.core.log_hours import Floats
from llmcompare.core.workload import MAX_TOKENS_PER_REQUEST

NUMBER = r"^\s*\d+(\.\d*)?([eE][+]?\d{1,2})?\s*$"
CLOCK = r"^\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
WITH_ZONE = CLOCK + r"(Z|[+-]\d{2}:?\d{2})\s*$"
WITHOUT_ZONE = CLOCK + r"\s*$"
EPOCH_NUMBER = r"^\s*\d{9,19}(\.\d*)?\s*$"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
UNIX = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From this size on a count since 1970 is in this fraction of a second; below, in seconds."""
MAX_CHARACTERS_PER_REQUEST = 10 * MAX_TOKENS_PER_REQUEST
MAX_DURATION_S = 7 * 86_400.0


def numbers(cells: Any) -> Floats:  # noqa: ANN401 - pyarrow has no types
    """The cells as numbers of 0 or more; NaN for every other."""
    if pa.types.is_floating(cells.type):
        found = cells.to_numpy(zero_copy_only=False).astype(float)
        return np.where(found >= 0, found, np.nan)
    fits = pc.match_substring_regex(cells, NUMBER)
    return _placed(fits, lambda some: _floats(pc.cast(pc.ascii_trim_whitespace(some), pa.float64())), cells)


def _floats(cells: Any) -> Floats:  # noqa: ANN401
    found: Floats = cells.to_numpy(zero_copy_only=False).astype(float)
    return found


def _placed(fits: Any, read: Callable[[Any], Floats], cells: Any) -> Floats:  # noqa: ANN401
    """What the cells that fit hold, NaN at the others."""
    mask = pc.fill_null(fits, False).to_numpy(zero_copy_only=False)
    found = np.full(len(cells), np.nan)
    if mask.any():
        found[mask] = read(cells if mask.all() else cells.filter(pa.array(mask)))
    return found


def are_blank(cells: Any) -> Any:  # noqa: ANN401
    """Which cells are empty."""
    if pa.types.is_floating(cells.type):
        return cells.is_null().to_numpy(zero_copy_only=False)
    blank = pc.match_substring_regex(cells, r"^\s*$")
    return pc.fill_null(blank, True).to_numpy(zero_copy_only=False)


def times(cells: Any) -> tuple[Floats, Any]:  # noqa: ANN401
    """Seconds since 1970, NaN for what is no time between 2000 and 2100, and which cells name no zone."""
    if pa.types.is_floating(cells.type):
        found = _of_epoch(numbers(cells))
        return _in_range(found), np.zeros(len(found), dtype=bool)
    found = np.full(len(cells), np.nan)
    zoneless = np.zeros(len(cells), dtype=bool)
    left = np.ones(len(cells), dtype=bool)
    for pattern, read, names_zone in (
        (WITH_ZONE, lambda some: _stamps(some, pa.timestamp("ns", tz="UTC")), True),
        (WITHOUT_ZONE, lambda some: _stamps(some, pa.timestamp("ns")), False),
        (EPOCH_NUMBER, lambda some: _of_epoch(_floats(pc.cast(pc.ascii_trim_whitespace(some), pa.float64()))), True),
    ):
        values = _placed(pc.match_substring_regex(cells, pattern), read, cells)
        known = ~np.isnan(values)
        found[known] = values[known]
        zoneless[known] = not names_zone
        left &= ~known
    for place in np.flatnonzero(left).tolist():
        moment = _other_form(text_of(cells[place]))
        if moment is not None:
            zoneless[place] = moment.tzinfo is None
            found[place] = _seconds(moment)
    return _in_range(found), zoneless


def _stamps(cells: Any, kind: Any) -> Floats:  # noqa: ANN401
    try:
        stamps = pc.cast(pc.ascii_trim_whitespace(cells), kind)
    except pa.ArrowInvalid:
        # A day that does not exist, for example: one by one.
        moments = [_other_form(text_of(cell)) for cell in cells]
        return np.asarray([np.nan if moment is None else _seconds(moment) for moment in moments])
    return _floats(pc.cast(stamps, pa.int64())) / 1e9


def _of_epoch(values: Floats) -> Floats:
    seconds = values.copy()
    for size, per_second in EPOCH_UNITS:
        seconds = np.where((values >= size) & (seconds == values), values / per_second, seconds)
    return seconds


def _in_range(seconds: Floats) -> Floats:
    fits = (seconds >= EARLIEST.timestamp()) & (seconds < LATEST.timestamp())
    return np.where(fits, seconds, np.nan)


def _other_form(text: str) -> datetime | None:
    """Further forms of ISO 8601, and UTC or GMT spelled out. A day without an hour says too little."""
    text = text.strip().replace(",", ".")
    for name in (" UTC", " GMT"):
        text = text.removesuffix(name) + ("Z" if text.endswith(name) else "")
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-11-25") else None
    except ValueError:
        return None


def _seconds(moment: datetime) -> float:
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - UNIX) / timedelta(seconds=1)


def text_of(cell: Any) -> str:  # noqa: ANN401
    """A cell for a reader; bytes that are no text become marks."""
    if not cell.is_valid:
        return ""
    if pa.types.is_floating(cell.type):
        return f"{cell.as_py():g}"
    return bytes(cell.as_buffer()).decode("utf-8", errors="replace")


def why_no_time(text: str) -> str:
    """The reason why a cell is no time."""
    if not text.strip():
        return "the time is empty"
    moment = _other_form(text)
    if moment is not None or _is_number(text):
        return "the time is not between 2000 and 2100"
    return "is no time: write 2026-11-25T10:30:00Z, or seconds since 1970"


def why_no_number(name: str, text: str) -> str:
    """The reason why a cell is no number of tokens or seconds."""
    if not text.strip():
        return f"{name} is empty"
    return f"{name} is no number of 0 or more"


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False
