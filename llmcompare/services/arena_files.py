"""Votes as CSV: every vote of the log as a row, and a file of votes taken whole or refused whole."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast, get_args

from llmcompare.core.facts import Vote, VoteFact
from llmcompare.core.tables import Table
from llmcompare.core.votes import once_per_pair
from llmcompare.errors import InputError
from llmcompare.services.export import inert, table_csv
from llmcompare.services.plans import is_text
from llmcompare.services.runs import log
from llmcompare.store.paths import Folders

COLUMNS = (
    "voted_at", "voter", "prompt", "left_model", "right_model", "vote", "run_id", "left_reply_id", "right_reply_id",
)  # fmt: skip
NEEDED = ("voter", "left_model", "right_model", "vote")
"""Without the others, a voter counts once for two models."""
MAX_UPLOAD_MB = 50
MAX_ROWS = 100_000
MAX_CHARACTERS = 200_000
"""Of a cell."""
ERRORS_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a file."""

    new_count: int
    known_count: int
    """Rows whose voter had voted on the pair already, in the log or in an earlier row."""


def vote_table(votes: Sequence[VoteFact]) -> Table:
    """A row for each vote, in the columns that can be imported again."""
    rows = tuple(tuple(getattr(vote, name) for name in COLUMNS) for vote in votes)
    return Table(name="votes", title="Votes", columns=COLUMNS, rows=rows)


def votes_csv(votes: Iterable[VoteFact]) -> bytes:
    """A file of votes that can be imported again; without votes a form to fill in."""
    return table_csv(vote_table(list(votes)))


def read_file(path: Path) -> list[VoteFact]:
    """Votes of a CSV file. Raises InputError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): name a CSV file of votes.") from error
    return read_votes(content, name=path.name)


def read_votes(content: bytes, *, name: str) -> list[VoteFact]:
    """Votes of a CSV file. Raises InputError that lists every refused cell; nothing of the file is used then."""
    header, rows = _cells(content, name)
    found: list[VoteFact] = []
    refused: list[str] = []
    for line, row in rows:
        cells = dict(zip(header, map(_as_written, row), strict=False))
        problems = [f"has {len(row)} cells, the header {len(header)}"] if len(row) != len(header) else _problems(cells)
        refused += [f"line {line} {problem}" for problem in problems]
        if not refused:
            found.append(_vote(cells, name))
    if refused:
        more = len(refused) - ERRORS_LISTED
        listing = "; ".join(refused[:ERRORS_LISTED]) + (f"; and {more:,} more" if more > 0 else "")
        raise InputError(f"{name} is refused whole: {listing}. Correct these cells.")
    if not found:
        raise InputError(f"{name} holds a header and no vote: give a line for each.")
    return found


def _cells(content: bytes, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name} is no text in UTF-8: save it as CSV.") from None
    csv.field_size_limit(MAX_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        rows = list(_numbered(reader))
    except csv.Error as problem:
        raise InputError(
            f"{name} line {reader.line_num} cannot be read as CSV: {problem}. Close every quote."
        ) from None
    if len(header) == 1 and (other := next((one for one in ";\t|" if one in header[0]), None)):
        raise InputError(f"{name} has its cells parted by {other!r}: save it with commas.")
    wrong = [f"no column {one}" for one in NEEDED if one not in header]
    wrong += [f"column {one} twice" for one in sorted({one for one in header if header.count(one) > 1})]
    if wrong:
        raise InputError(f"{name} has {' and '.join(wrong)}: it needs {', '.join(NEEDED)}, and takes the columns of an"
                         f" export ({', '.join(COLUMNS)}).")  # fmt: skip
    if len(rows) > MAX_ROWS:
        raise InputError(f"{name} has {len(rows):,} rows: import {MAX_ROWS:,} at most at a time.")
    return header, rows


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    line = reader.line_num + 1  # type: ignore[attr-defined]
    for row in reader:
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1  # type: ignore[attr-defined]


def _as_written(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from running the text."""
    return (cell[1:] if cell[:1] == "'" and inert(cell[1:]) == cell else cell).strip()


def _problems(cells: Mapping[str, str]) -> Iterator[str]:
    for column in NEEDED:
        if not cells[column]:
            yield f"has no {column}"
    if cells["vote"] and cells["vote"] not in get_args(Vote):
        yield f"has the vote {cells['vote'][:40]!r}: write {', '.join(get_args(Vote))}"
    if cells["left_model"] and cells["left_model"] == cells["right_model"]:
        yield f"compares {cells['left_model'][:60]!r} with itself"
    if cells.get("voted_at") and _moment(cells["voted_at"]) is None:
        yield f"was voted at {cells['voted_at'][:40]!r}: write 2026-11-25T12:00:00+00:00"
    if bool(cells.get("left_reply_id")) != bool(cells.get("right_reply_id")):
        yield "names one reply of two"
    elif cells.get("left_reply_id") and cells["left_reply_id"] == cells["right_reply_id"]:
        yield "names one reply twice"
    if not all(map(is_text, cells.values())):
        yield "holds characters that are no text"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _vote(cells: Mapping[str, str], name: str) -> VoteFact:
    known = {column: cells.get(column) or None for column in COLUMNS}
    moment = _moment(known["voted_at"] or "") or datetime.now(UTC)
    content = "\x1f".join(cells.get(column, "") for column in COLUMNS)
    return VoteFact(
        # The same row is the same fact, however often it is imported.
        vote_id=f"row-{hashlib.sha256(content.encode()).hexdigest()[:32]}",
        voter=cells["voter"],
        voted_at=moment.isoformat(timespec="microseconds"),
        left_model=cells["left_model"],
        right_model=cells["right_model"],
        vote=cast(Vote, cells["vote"]),
        prompt=known["prompt"],
        run_id=known["run_id"],
        left_reply_id=known["left_reply_id"],
        right_reply_id=known["right_reply_id"],
        imported_from=name,
    )


def keep(votes: Sequence[VoteFact], where: Folders | None = None) -> Imported:
    """Into the log, those whose voter has not voted on the pair yet."""
    into = log(where)
    known = once_per_pair(into.votes())
    before = {vote.vote_id for vote in known}
    new = [vote for vote in once_per_pair([*known, *votes]) if vote.vote_id not in before]
    if new:
        into.append_all(new)
    return Imported(new_count=len(new), known_count=len(votes) - len(new))
