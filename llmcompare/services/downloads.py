"""Downloads as jobs: one for each file, followed by any number of pages, gone on with after a restart."""

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from llmcompare.core.units import counted
from llmcompare.errors import StoreError
from llmcompare.models import downloads, part_files
from llmcompare.models.disk import free_disk_bytes
from llmcompare.models.downloads import SPARE_BYTES, Progress, Watch
from llmcompare.models.hub_files import require_name
from llmcompare.services.jobs import Job, registry
from llmcompare.store.paths import Folders, folders

TITLE = "download"
SPEED_WINDOW_S = 10.0
"""Over which the speed is taken."""
LOOKS_KEPT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast it goes and how long it will take."""

    bytes_per_s: float | None
    remaining_s: float | None
    """At this speed; None where nothing came lately."""


@dataclass(slots=True)
class DownloadWork:
    """A download as the work of a job."""

    repository: str
    file: str
    models_folder: Path
    progress: Progress = Progress()
    path: Path | None = None
    """Of the model, once it is whole and checked."""
    looks: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=LOOKS_KEPT))

    def __call__(self, job: Job) -> None:
        """Until it is there, or somebody stops it."""
        watch = Watch(note=self._note, cancelled=job.stopping.is_set, wait=job.stopping.wait)
        self.path = downloads.download(self.repository, self.file, self.models_folder, watch)

    def _note(self, progress: Progress) -> None:
        now = time.monotonic()
        # At most so many looks a second that the window holds: a chunk may be a few hundred bytes.
        if not self.looks or now - self.looks[-1][0] > SPEED_WINDOW_S / LOOKS_KEPT:
            self.looks.append((now, progress.done_bytes))
        self.progress = progress

    def pace(self) -> Pace:
        """Over the last seconds."""
        return pace(list(self.looks), self.progress, now_s=time.monotonic())


def pace(looks: list[tuple[float, int]], progress: Progress, *, now_s: float) -> Pace:
    """From when how many bytes were there.

    >>> pace([(0.0, 0), (2.0, 10_000)], Progress(phase="fetching", done_bytes=10_000, total_bytes=30_000), now_s=2.0)
    Pace(bytes_per_s=5000.0, remaining_s=4.0)
    """
    recent = [look for look in looks if now_s - look[0] <= SPEED_WINDOW_S]
    if progress.phase != "fetching" or len(recent) < 2:
        return Pace(bytes_per_s=None, remaining_s=None)
    began_s, began = recent[0]
    came = progress.done_bytes - began
    if came <= 0 or now_s <= began_s:
        return Pace(bytes_per_s=0.0, remaining_s=None)
    bytes_per_s = came / (now_s - began_s)
    return Pace(bytes_per_s=bytes_per_s, remaining_s=(progress.total_bytes - progress.done_bytes) / bytes_per_s)


def start(repository: str, file: str, where: Folders | None = None) -> Job:
    """Begin, or attach to the one that runs. Raises InputError for a name that cannot be."""
    name, path = require_name(repository.strip()), file.strip()
    work = DownloadWork(name, path, (where or folders()).models)
    return registry.start(TITLE, work, job_id=job_id(name, path))


def room_text(size_bytes: int, where: Folders | None = None) -> str:
    """Before a download: what comes, and what the disk has."""
    free = free_disk_bytes((where or folders()).models.absolute())
    text = f"{size_text(size_bytes)} will come; the disk has {size_text(free)}."
    short = size_bytes + SPARE_BYTES > free
    return (
        f"{text} That is too little, with {size_text(SPARE_BYTES)} that stay free: make room first." if short else text
    )


def path_here(repository: str, file: str, where: Folders | None = None) -> Path | None:
    """Of a file that was fetched; None while it is not here."""
    path = (where or folders()).models.absolute() / repository / file
    return path if path.exists() else None


def work_of(job: Job) -> DownloadWork:
    """What a job of start does."""
    return cast(DownloadWork, job.work)


def job_id(repository: str, file: str) -> str:
    """One job for one file, whoever asks."""
    return f"{TITLE} {repository}:{file}"


def running(repository: str, file: str) -> Job | None:
    """The job of this file, running or ended."""
    return registry.get(job_id(repository, file))


def every() -> list[Job]:
    """All downloads of this process, the newest last."""
    return [job for job in registry.titled(TITLE) if isinstance(job.work, DownloadWork)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """What an earlier download left."""

    path: Path
    repository: str
    file: str
    size_bytes: int


def unfinished(where: Folders | None = None) -> list[Unfinished]:
    """Parts that can be gone on with; those that are being fetched now are left out."""
    folder = (where or folders()).models
    found = []
    for path in part_files.unfinished(folder):
        source = part_files.source_of_part(path, folder)
        if source is not None and not _is_running(*source):
            found.append(Unfinished(path=path, repository=source[0], file=source[1], size_bytes=path.stat().st_size))
    return found


def remove(left: Unfinished) -> None:
    """Take away what came so far. Raises StoreError."""
    try:
        left.path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{left.path.name} cannot be deleted ({error.strerror}): correct its rights.") from error


def _is_running(repository: str, file: str) -> bool:
    works = [job.work for job in every() if not job.ended.is_set()]
    return any(
        isinstance(one, DownloadWork) and (one.repository, one.progress.file) == (repository, file) for one in works
    )


def in_words(work: DownloadWork, state: str) -> str:
    """Where a download stands, in a sentence."""
    now, name = work.progress, Path(work.file).name
    if state == "stopped":
        return f"{name} was stopped; {size_text(now.done_bytes)} of {size_text(now.total_bytes)} are kept."
    if now.phase == "asking the Hub":
        return f"Asking the Hub for {name}."
    if now.phase == "checking":
        return f"{name} has come; its checksum is being compared."
    if now.phase == "done":
        return f"{name} is here and checked: {size_text(now.total_bytes)}, checksum as listed{_history(now)}."
    rate = work.pace()
    speed = "" if rate.bytes_per_s is None else f", {size_text(round(rate.bytes_per_s))}/s"
    left = "" if rate.remaining_s is None else f", {_duration(rate.remaining_s)} to go"
    return f"{name}: {size_text(now.done_bytes)} of {size_text(now.total_bytes)}{speed}{left}{_history(now)}."


def _history(now: Progress) -> str:
    kept = f"; {size_text(now.kept_bytes)} were here already" if now.kept_bytes else ""
    return f"{kept}; the connection was lost {counted(now.cuts, 'time')} and taken up again" if now.cuts else kept


def size_text(size: int) -> str:
    """Of a file, short.

    >>> size_text(95_000), size_text(4_250_000), size_text(2_497_280_256), size_text(78_353_000_000)
    ('95 kB', '4.2 MB', '2,497 MB', '78.4 GB')
    """
    if size >= 1e10:
        return f"{size / 1e9:,.1f} GB"
    if size < 1e6:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e6:,.1f} MB" if size < 1e7 else f"{size / 1e6:,.0f} MB"


def _duration(seconds: float) -> str:
    """Short.

    >>> _duration(42), _duration(600), _duration(7_300)
    ('42 s', '10 min', '2.0 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def as_json(work: DownloadWork) -> dict[str, object]:
    """Plain values, units in the keys."""
    now = work.progress
    return {
        "repository": work.repository,
        "file": work.file,
        "path": None if work.path is None else str(work.path),
        "phase": now.phase,
        "done_bytes": now.done_bytes,
        "total_bytes": now.total_bytes,
        "kept_bytes": now.kept_bytes,
        "connections_lost": now.cuts,
    }
