"""Moves the facts of writers that are gone from segments into parts; one process at a time, and any may be killed."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from llmcompare.store.results_lines import VERSION, Fact, UnreadableError, fact_id, log_tables, table_of
from llmcompare.store.results_parts import (
    SUFFIX,
    TEMPORARY_SUFFIX,
    Manifest,
    PartEntry,
    found_part,
    read_manifest,
    read_part,
    set_aside,
    write_manifest,
    write_part,
)
from llmcompare.store.results_segments import SUFFIX as SEGMENT_SUFFIX
from llmcompare.store.results_segments import UNLOCKED_SUFFIX, Segment, is_held

SMALL_PART_BYTES = 16_000_000
"""Smaller parts are written anew with every compaction, so that their number stays small."""
ABANDONED_AFTER_S = 3600
"""A segment without its name gets it at once, unless its writer was killed in between."""


@dataclass(slots=True)
class _Gathered:
    """One of each fact, by table and id."""

    facts: dict[str, dict[str, Fact]] = field(default_factory=lambda: {name: {} for name in log_tables()})

    def add(self, facts: list[Fact]) -> int:
        """How many of them are new."""
        before = self.count()
        for fact in facts:
            self.facts[table_of(fact).name].setdefault(fact_id(fact), fact)
        return self.count() - before

    def count(self) -> int:
        return sum(map(len, self.facts.values()))


def compact_folder(folder: Path) -> int:
    """Number of facts that went from segments into parts. The caller holds the lock. Raises OSError."""
    _clear(folder)
    manifest = read_manifest(folder)
    segments = []
    for segment in _closed(folder):
        if segment.path.name in manifest.segments:
            _put_away(segment)
        elif not _is_beyond(segment):
            segments.append(segment)
    if not segments:
        return 0
    gathered, kept, merged = _Gathered(), [], []
    for entry in [*manifest.parts, *_unnamed(folder, manifest)]:
        facts = _of_small_part(folder, entry)
        if facts is None:
            kept.append(entry)
        else:
            merged.append(entry)
            gathered.add(facts)
    new = sum(gathered.add(segment.facts) for segment in segments)
    written = [
        write_part(folder, log_tables()[name], list(rows.values())) for name, rows in gathered.facts.items() if rows
    ]
    names = tuple(segment.path.name for segment in segments)
    write_manifest(folder, Manifest(parts=(*kept, *written), segments=names))
    for entry in merged:
        (folder / entry.name).unlink(missing_ok=True)
    for segment in segments:
        _put_away(segment)
    return new


def _clear(folder: Path) -> None:
    """Remove what killed processes began and nobody has read."""
    for path in folder.glob(f"*{TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)
    for path in folder.glob(f"*{UNLOCKED_SUFFIX}"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER_S:
                path.unlink()


def _closed(folder: Path) -> Iterator[Segment]:
    for path in sorted(folder.glob(f"*{SEGMENT_SUFFIX}")):
        if not is_held(path):
            segment = Segment(path=path)
            segment.read_on()
            yield segment


def _is_beyond(segment: Segment) -> bool:
    """A newer version wrote it: this one would lose what it does not know."""
    return bool(segment.too_new or segment.unknown_fields)


def _put_away(segment: Segment) -> None:
    if segment.problems:
        set_aside(segment.path)
    else:
        segment.path.unlink(missing_ok=True)


def _unnamed(folder: Path, manifest: Manifest) -> list[PartEntry]:
    """Complete parts that a killed compaction left: double or not, they are merged and nothing is lost."""
    named = {entry.name for entry in manifest.parts}
    return [found_part(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if path.name not in named]


def _of_small_part(folder: Path, entry: PartEntry) -> list[Fact] | None:
    """None for a part that stays as it is; no facts for one that is lost or damaged."""
    if entry.table not in log_tables() or entry.version != VERSION:
        return None
    try:
        if (folder / entry.name).stat().st_size >= SMALL_PART_BYTES:
            return None
        facts, unknown = read_part(folder, entry)
    except FileNotFoundError:
        return []
    except UnreadableError:
        set_aside(folder / entry.name)
        return []
    return None if unknown else facts
