"""The results log: runs, replies, votes, openings, measurements, real bills, appended by any processes, never changed.

See docs/adr/0003-results-are-an-append-only-log.md.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, RLock
from typing import Any

import duckdb

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
from llmcompare.errors import StoreError
from llmcompare.store.db import file_errors
from llmcompare.store.results_compaction import compact_folder
from llmcompare.store.results_lines import VERSION, Fact, UnreadableError, to_line
from llmcompare.store.results_parts import MANIFEST_NAME, SET_ASIDE_NAME, PartEntry, read_manifest, read_part, set_aside
from llmcompare.store.results_segments import SUFFIX, Segment, SegmentWriter, sole
from llmcompare.store.results_sql import ask

LOCK_NAME = "compact.lock"
ATTEMPTS = 3
"""At reading while another process compacts: what one look names may be gone at the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRun:
    """A run with the replies that are in the log so far."""

    run: RunFact
    replies: tuple[ReplyFact, ...]
    """By slot."""
    writer_alive: bool
    """Whether the process that wrote the run may still write replies."""

    @property
    def unfinished(self) -> bool:
        """Replies are missing, and none will come."""
        return len(self.replies) < len(self.run.models) and not self.writer_alive


@dataclass(slots=True)
class _Index:
    """All facts by what they are asked for, one per id."""

    runs: dict[str, RunFact] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    """Of runs that are not compacted."""
    replies: dict[str, dict[str, ReplyFact]] = field(default_factory=dict)
    openings: dict[str, dict[str, OpeningFact]] = field(default_factory=dict)
    stars: dict[str, dict[str, StarFact]] = field(default_factory=dict)
    measurements: dict[str, MeasurementFact] = field(default_factory=dict)
    machines: dict[str, MachineFact] = field(default_factory=dict)
    actual_months: dict[str, dict[str, ActualMonthFact]] = field(default_factory=dict)
    votes: dict[str, VoteFact] = field(default_factory=dict)
    ordered_votes: list[VoteFact] | None = None
    """Sorted once for all who look, until the next vote: a hundred thousand take 0.08 s."""

    def add(self, fact: Fact, segment: Segment | None) -> None:
        match fact:
            case RunFact():
                if fact.run_id not in self.runs and segment is not None:
                    self.segments[fact.run_id] = segment
                self.runs.setdefault(fact.run_id, fact)
            case ReplyFact():
                self.replies.setdefault(fact.run_id, {}).setdefault(fact.reply_id, fact)
            case OpeningFact():
                self.openings.setdefault(fact.person, {}).setdefault(fact.opening_id, fact)
            case StarFact():
                self.stars.setdefault(fact.person, {}).setdefault(fact.star_id, fact)
            case MeasurementFact():
                self.measurements.setdefault(fact.measurement_id, fact)
            case MachineFact():
                self.machines.setdefault(fact.machine_fact_id, fact)
            case ActualMonthFact():
                self.actual_months.setdefault(fact.person, {}).setdefault(fact.month_fact_id, fact)
            case VoteFact():
                self.votes.setdefault(fact.vote_id, fact)
                self.ordered_votes = None

    def run(self, run_id: str) -> LoggedRun:
        replies = sorted(self.replies.get(run_id, {}).values(), key=lambda reply: (reply.slot, reply.reply_id))
        segment = self.segments.get(run_id)
        alive = segment is not None and segment.held
        return LoggedRun(run=self.runs[run_id], replies=tuple(replies), writer_alive=alive)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    entry: PartEntry
    facts: list[Fact]
    unknown_fields: list[str]


class ResultsLog:
    """One folder of facts. Any number of threads and processes may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Creates nothing: a missing folder is an empty log."""
        self.folder = folder
        self._appending = Lock()
        self._writer = SegmentWriter(folder)
        self._reading = RLock()
        self._segments: dict[str, Segment] = {}
        self._parts: dict[str, _Part] = {}
        self._missing: dict[str, str] = {}
        """Sentences about files that cannot be read, by name."""
        self._manifest_seen: tuple[int, int, int] | None = None
        self._index = _Index()

    def append(self, fact: Fact) -> None:
        """Returns when the fact is on the disk. Raises StoreError when it could not be written: it is not in the log.

        Raises ValueError for a value that the table cannot hold, such as NaN.
        """
        self.append_all([fact])

    def append_all(self, facts: Iterable[Fact]) -> None:
        """Many at once, in a single write: an import of thousands would wait for the disk thousands of times."""
        lines = b"".join(map(to_line, facts))
        with self._appending, file_errors(self.folder):
            self._writer.append(lines)

    def runs(self) -> list[LoggedRun]:
        """All runs, newest first."""
        with self._reading:
            self._refresh()
            found = sorted(self._index.runs.values(), key=lambda run: (_moment(run.asked_at), run.run_id), reverse=True)
            return [self._index.run(run.run_id) for run in found]

    def run(self, run_id: str) -> LoggedRun | None:
        """The run with this id."""
        with self._reading:
            self._refresh()
            return self._index.run(run_id) if run_id in self._index.runs else None

    def openings(self, person: str) -> list[OpeningFact]:
        """What a person opened by link, oldest first."""
        with self._reading:
            self._refresh()
            found = self._index.openings.get(person, {}).values()
        return sorted(found, key=lambda opening: (_moment(opening.opened_at), opening.opening_id))

    def starred(self, person: str) -> set[str]:
        """Ids of the runs that bear a person's mark."""
        with self._reading:
            self._refresh()
            found = list(self._index.stars.get(person, {}).values())
        ordered = sorted(found, key=lambda star: (_moment(star.starred_at), star.star_id))
        newest = {star.run_id: star.is_starred for star in ordered}
        return {run_id for run_id, is_starred in newest.items() if is_starred}

    def measurements(self) -> list[MeasurementFact]:
        """How fast machines were, oldest first."""
        with self._reading:
            self._refresh()
            found = list(self._index.measurements.values())
        return sorted(found, key=lambda fact: (_moment(fact.measured_at), fact.measurement_id))

    def machines(self) -> list[MachineFact]:
        """What machines consist of, oldest look first."""
        with self._reading:
            self._refresh()
            found = list(self._index.machines.values())
        return sorted(found, key=lambda fact: (_moment(fact.looked_at), fact.machine_fact_id))

    def actual_months(self, person: str) -> list[ActualMonthFact]:
        """What a person typed in of real months, oldest entry first."""
        with self._reading:
            self._refresh()
            found = list(self._index.actual_months.get(person, {}).values())
        return sorted(found, key=lambda fact: (_moment(fact.typed_at), fact.month_fact_id))

    def votes(self) -> list[VoteFact]:
        """What people thought of two replies, oldest first."""
        with self._reading:
            self._refresh()
            if self._index.ordered_votes is None:
                # As text: all are of one time zone, and a hundred thousand dates take half a second to read.
                found = self._index.votes.values()
                self._index.ordered_votes = sorted(found, key=lambda fact: (fact.voted_at, fact.vote_id))
            return list(self._index.ordered_votes)

    def problems(self) -> list[str]:
        """A sentence for everything that is in the folder but not in the answers."""
        with self._reading:
            self._refresh()
            lines = [problem for segment in self._segments.values() for problem in segment.problems]
            unknown = set().union(*(part.unknown_fields for part in self._parts.values()))
            unknown = unknown.union(*(segment.unknown_fields for segment in self._segments.values()))
            missing = [self._missing[name] for name in sorted(self._missing)]
        return [*lines, *missing, *_aside(self.folder / SET_ASIDE_NAME), *_unknown_fields(sorted(unknown))]

    def query(self, sql: str, **parameters: str | None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query about the views `runs`, `replies` and so on, one for each table."""
        for attempt in range(ATTEMPTS):
            with self._reading:
                self._refresh()
                segments = [segment.path for segment in self._segments.values()]
                parts: dict[str, list[Path]] = {}
                for part in self._parts.values():
                    parts.setdefault(part.entry.table, []).append(self.folder / part.entry.name)
            with _read_errors(self.folder):
                try:
                    return ask(segments, parts, sql, parameters)
                except duckdb.IOException:
                    if attempt == ATTEMPTS - 1:
                        raise
        raise AssertionError("unreachable")

    def compact(self) -> int:
        """Move the facts of writers that are gone into Parquet files; how many. 0 while another process does it."""
        if not self.folder.is_dir():
            return 0
        with file_errors(self.folder), sole(self.folder / LOCK_NAME) as is_ours:
            return compact_folder(self.folder) if is_ours else 0

    def close(self) -> None:
        """Let others know that no reply will come from here; an append afterwards starts anew."""
        with self._appending:
            self._writer.close()

    def _refresh(self) -> None:
        with _read_errors(self.folder):
            self._read_new()

    def _read_new(self) -> None:
        # Segments first: what is compacted in between is then found twice, not nowhere.
        is_smaller = self._read_segments()
        is_smaller |= self._read_parts()
        if is_smaller:
            self._index = _Index()
            for segment in self._segments.values():
                self._take(segment.facts, segment)
            for part in self._parts.values():
                self._take(part.facts, None)

    def _take(self, facts: list[Fact], segment: Segment | None) -> None:
        for fact in facts:
            self._index.add(fact, segment)

    def _read_segments(self) -> bool:
        """Whether facts went from where they were."""
        names = sorted(_segment_names(self.folder))
        gone = self._segments.keys() - names
        is_smaller = bool(gone)
        for name in gone:
            del self._segments[name]
        for name in names:
            is_smaller |= self._read_segment(name)
        return is_smaller

    def _read_segment(self, name: str) -> bool:
        segment = self._segments.setdefault(name, Segment(path=self.folder / name))
        self._missing.pop(name, None)
        try:
            new = segment.read_on(own=name in self._writer.names)
        except FileNotFoundError:
            del self._segments[name]
            return True
        except OSError as error:
            self._missing[name] = f"{segment.path} cannot be read ({error.strerror}): correct its rights."
            return False
        self._take(new or [], segment)
        return new is None

    def _read_parts(self) -> bool:
        is_smaller = False
        for _ in range(ATTEMPTS):
            seen = _seen(self.folder / MANIFEST_NAME)
            if seen is not None and seen == self._manifest_seen:
                break
            entries = {entry.name: entry for entry in read_manifest(self.folder).parts}
            gone = self._parts.keys() - entries
            is_smaller |= bool(gone)
            for name in gone:
                del self._parts[name]
            self._missing = {name: text for name, text in self._missing.items() if name.endswith(SUFFIX)}
            for name in entries.keys() - self._parts:
                self._read_part(entries[name])
            self._manifest_seen = seen
            if seen is None:
                break
        return is_smaller

    def _read_part(self, entry: PartEntry) -> None:
        path = self.folder / entry.name
        if entry.version != VERSION:
            self._missing[entry.name] = f"{path} was written by a newer llmcompare; update this one to see it."
            return
        try:
            facts, unknown = read_part(self.folder, entry)
        except UnreadableError:
            set_aside(path)
        except OSError as error:
            if not (path.parent / SET_ASIDE_NAME / path.name).exists():
                self._missing[entry.name] = f"{path} cannot be read ({error.strerror}): put the file back."
        else:
            self._parts[entry.name] = _Part(entry=entry, facts=facts, unknown_fields=unknown)
            self._take(facts, None)


@contextmanager
def _read_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise StoreError(f"{folder} cannot be read ({error}): correct its rights.") from error


def _segment_names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.name.endswith(SUFFIX))
    except (FileNotFoundError, NotADirectoryError):
        return


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _aside(folder: Path) -> list[str]:
    return [
        f"{path} was damaged and is set aside; what could be read of it is used. Look at it, then delete it."
        for path in sorted(folder.glob("*"))
    ]


def _unknown_fields(names: list[str]) -> list[str]:
    listed = ", ".join(names)
    return [f"the log holds fields that this version does not know ({listed}): update it to see them."] if names else []
