"""Segments of the results log: a file of lines that one process appends to, and that anybody reads meanwhile.

The writer holds an exclusive lock on its segments for as long as it lives, so that others can tell. Where there are no
such locks (Windows) every segment counts as held, and nothing is compacted.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from llmcompare.store.results_lines import Fact, TooNewError, UnreadableError, from_line

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

SEGMENT_BYTES = 8_000_000
SUFFIX = ".jsonl"
UNLOCKED_SUFFIX = ".new"


def sync_folder(folder: Path) -> None:
    """Make new and renamed names in a folder last; where a folder cannot be opened there is no way to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process that writes this file is alive. Raises FileNotFoundError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return not _locked(descriptor, shared=True)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, *, shared: bool = False) -> bool:
    if fcntl is None:
        return False
    try:
        # Two readers that look at the same moment must not take each other for the writer: a shared lock.
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def sole(path: Path) -> Iterator[bool]:
    """Holds a lock file, released even by kill -9; False when another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


class SegmentWriter:
    """Appends lines to segments of its own. The caller sees to it that one thread does so at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: set[str] = set()
        self._writer = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        # Kept open to the end: whoever finds an early segment unlocked may take the writer of its runs for dead.
        self._descriptors: list[int] = []
        self._size_bytes: int | None = None
        """Of the segment that lines go to; None when there is none."""

    def append(self, line: bytes) -> None:
        """Returns when the line is on the disk. Raises OSError; the line is then in no segment."""
        if self._size_bytes is None or self._is_done(len(line)):
            self._start()
        descriptor, size = self._descriptors[-1], self._size_bytes or 0
        try:
            _write(descriptor, line)
        except OSError:
            # What is left of the line would spoil the next one.
            self._cut(size)
            raise
        try:
            os.fsync(descriptor)
        except OSError:
            # A reader may have seen the whole line: a file that only ever got shorter tells it to look again.
            self._cut(size)
            self._size_bytes = None
            raise
        self._size_bytes = size + len(line)

    def _is_done(self, more_bytes: int) -> bool:
        is_deleted = os.fstat(self._descriptors[-1]).st_nlink == 0
        return is_deleted or ((self._size_bytes or 0) > 0 and (self._size_bytes or 0) + more_bytes > SEGMENT_BYTES)

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self._writer}-{len(self.names) + 1:04}{SUFFIX}"
        # Nobody may find a segment before it is locked. Windows cannot rename an open file.
        unlocked = path.with_suffix(UNLOCKED_SUFFIX) if fcntl else path
        descriptor = os.open(unlocked, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o666)
        self.names.add(path.name)
        try:
            _locked(descriptor)
            os.rename(unlocked, path)
        except OSError:
            os.close(descriptor)
            raise
        sync_folder(self.folder)
        sync_folder(self.folder.parent)
        self._descriptors.append(descriptor)
        self._size_bytes = 0

    def _cut(self, size_bytes: int) -> None:
        try:
            os.ftruncate(self._descriptors[-1], size_bytes)
        except OSError:
            self._size_bytes = None

    def close(self) -> None:
        """Let the segments go; a later line starts a new one."""
        while self._descriptors:
            os.close(self._descriptors.pop())
        self.names.clear()
        self._size_bytes = None
        self._writer = f"{self._writer.rsplit('-', 1)[0]}-{uuid.uuid4().hex[:8]}"


def _write(descriptor: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@dataclass(slots=True, kw_only=True)
class Segment:
    """What was read of a segment so far."""

    path: Path
    held: bool = True
    facts: list[Fact] = field(default_factory=list)
    unknown_fields: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)
    """Sentences about lines that are no facts."""
    too_new: list[str] = field(default_factory=list)
    """Sentences about lines of a newer version."""
    torn: str | None = None
    """A sentence about a last line that was never finished."""
    read_bytes: int = 0
    line_count: int = 0
    seen: tuple[int, int] = (0, 0)
    """Inode and size at the last look."""

    @property
    def problems(self) -> list[str]:
        """All sentences about lines that are not used."""
        return [*self.unreadable, *self.too_new, *([self.torn] if self.torn else [])]

    def read_on(self, *, own: bool = False) -> list[Fact] | None:
        """New facts since the last call; None when the file is another one and was read from the start.

        Raises OSError, FileNotFoundError when the segment was compacted meanwhile.
        """
        # Before the bytes are read: a last line without an end is torn only if nobody can still finish it.
        was_held, self.held = self.held, self.held and (own or is_held(self.path))
        status = self.path.stat()
        now = (status.st_ino, status.st_size)
        if now == self.seen and was_held == self.held:
            return []
        is_another = self.seen[0] not in (0, status.st_ino) or status.st_size < self.read_bytes
        if is_another:
            self._forget()
        self.seen = now
        with self.path.open("rb") as stream:
            stream.seek(self.read_bytes)
            content = stream.read()
        before = len(self.facts)
        self._take(content)
        return None if is_another else self.facts[before:]

    def _forget(self) -> None:
        self.facts, self.unreadable, self.too_new, self.unknown_fields = [], [], [], set()
        self.read_bytes = self.line_count = 0

    def _take(self, content: bytes) -> None:
        *lines, rest = content.split(b"\n")
        for line in lines:
            self.line_count += 1
            self._take_line(line)
        self.read_bytes += len(content) - len(rest)
        self.torn = (
            f"{self.path}, line {self.line_count + 1} is not used: its writer ended in the middle of it."
            if rest and not self.held
            else None
        )

    def _take_line(self, line: bytes) -> None:
        where = f"{self.path}, line {self.line_count} is not used"
        try:
            fact, unknown = from_line(line)
        except TooNewError as error:
            self.too_new.append(f"{where}: {error}, written by a newer llmcompare; update this one to see it.")
        except UnreadableError as error:
            self.unreadable.append(f"{where}: {error}.")
        else:
            self.facts.append(fact)
            self.unknown_fields.update(unknown)
