"""Fetches a model from the Hub: into a part file that is kept when the connection ends, checked before it counts.

    what the Hub lists → room on the disk → each file: fetched from where it stopped, hashed, renamed

The Hub's client does the asking, the tokens and the retries of single requests. The loop over the bytes is ours,
because the client (2.4) begins again after a failure, and reports 10 MB at a time (docs/adr/0010).
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal

import httpx2
from huggingface_hub import hf_hub_url, try_to_load_from_cache

from llmcompare.errors import InputError, ModelRefusedError
from llmcompare.models.disk import free_disk_bytes
from llmcompare.models.fetched import Fetched, fetched_of, write_fetched
from llmcompare.models.hub import hub_errors
from llmcompare.models.hub_cache import cached_repository
from llmcompare.models.hub_files import HubFile, HubRepository, cache_folder, is_safe, model_of, repository
from llmcompare.models.part_files import locked_part, part_of
from llmcompare.models.receive import REQUEST_BYTES, receive

Phase = Literal["asking the Hub", "fetching", "checking", "done"]
HASH_BYTES = 1 << 20
CUTS_ALLOWED = 5
"""In a row, without a byte in between."""
WAIT_AFTER_CUT_S = 1.0
SPARE_BYTES = 200_000_000
"""Left free on the disk beside the file. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a download has come; plain values that any thread may read."""

    phase: Phase = "asking the Hub"
    file: str = ""
    done_bytes: int = 0
    """Of all files together, what was there before included."""
    total_bytes: int = 0
    kept_bytes: int = 0
    """That were there when it began."""
    cuts: int = 0
    """How often the connection was lost and taken up again."""


class CancelledError(Exception):
    """Somebody asked for an end; what came so far is kept."""


@dataclass(slots=True)
class Watch:
    """Who follows a download, and may end it."""

    note: Callable[[Progress], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False
    wait: Callable[[float], object] = lambda _: None
    """Sleeps, and wakes when it is cancelled."""
    progress: Progress = field(default_factory=Progress)

    def say(self, **changed: object) -> None:
        """A step further. Raises CancelledError."""
        self.progress = replace(self.progress, **changed)  # type: ignore[arg-type]
        self.note(self.progress)
        if self.cancelled():
            raise CancelledError


def download(
    name: str, path: str, models_folder: Path, watch: Watch, *, request_bytes: int = REQUEST_BYTES
) -> Path | None:
    """The first file of the model, whole and checked; None when it was cancelled.

    Raises InputError for names that cannot be, ModelRefusedError with the reason for what cannot be fetched.
    """
    try:
        watch.say(file=path)
        found = _repository(name, path)
        wanted = _wanted(found, path)
        folder = models_folder.absolute() / name
        _require_room(found, wanted, folder)
        kept = sum(_size_there(folder, one) for one in wanted)
        total = sum(_size(one) for one in wanted)
        watch.say(total_bytes=total, kept_bytes=kept, done_bytes=0)
        for one in wanted:
            _provide(found, one, folder, watch, request_bytes)
        watch.say(phase="done", done_bytes=total)
    except CancelledError:
        return None
    return folder / wanted[0].path


# --- before -----------------------------------------------------------------------------------------------------------


def _repository(name: str, path: str) -> HubRepository:
    """As the Hub lists it; where it does not answer, what its cache has of it."""
    try:
        return repository(name)
    except ModelRefusedError:
        cached = cached_repository(name, path)
        if cached is None:
            raise
        return cached


def _wanted(found: HubRepository, path: str) -> tuple[HubFile, ...]:
    if not path.lower().endswith(".gguf") or not is_safe(path):
        raise InputError(f"{path!r} is no GGUF file of a repository: write its path there, ending in .gguf.")
    model = model_of(found, path)
    if model.missing:
        count = len(model.files) + len(model.missing)
        raise ModelRefusedError(
            f"{found.name} has {len(model.files)} of {count} parts of this model, and {model.missing[0]} is missing: "
            "choose another file."
        )
    for one in model.files:
        if one.size_bytes is None or one.checksum is None:
            lacks = "size" if one.size_bytes is None else "checksum"
            raise ModelRefusedError(
                f"{one.path} is not fetched: the Hub names no {lacks} of it, so it cannot be checked."
            )
    return model.files


def _require_room(found: HubRepository, wanted: tuple[HubFile, ...], folder: Path) -> None:
    needed = sum(_size(one) - _size_there(folder, one) for one in wanted if _cached(found, one) is None)
    free = free_disk_bytes(folder)
    if needed + SPARE_BYTES > free:
        raise ModelRefusedError(
            f"there is no room for {wanted[0].path} of {found.name}: {needed / 1e6:,.0f} MB are to come and "
            f"{SPARE_BYTES / 1e6:,.0f} MB stay free, and the disk has {free / 1e6:,.0f} MB."
        )


def _size(one: HubFile) -> int:
    return one.size_bytes or 0


def _size_there(folder: Path, one: HubFile) -> int:
    for path in (folder / one.path, part_of(folder / one.path, one)):
        with suppress(OSError):
            return min(path.stat().st_size, _size(one))
    return 0


# --- one file ---------------------------------------------------------------------------------------------------------


def _provide(found: HubRepository, one: HubFile, folder: Path, watch: Watch, request_bytes: int) -> None:
    """The file at its place: there already, from the cache of the Hub's client, or fetched."""
    target = folder / one.path
    before = watch.progress.done_bytes
    if target.exists():
        _require_same(target, one)
    elif not _from_cache(found, one, target, watch):
        part = part_of(target, one)
        with locked_part(part) as stream:
            _fetch(found, one, stream, watch, request_bytes)
            _check(one, stream, part, watch)
            write_fetched(target, _note(found, one))
            part.rename(target)
    watch.say(done_bytes=before + _size(one))


def _note(found: HubRepository, one: HubFile) -> Fetched:
    return Fetched(
        repository=found.name,
        commit=found.commit,
        path=one.path,
        size_bytes=_size(one),
        checksum=one.checksum or "",
        fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _require_same(target: Path, one: HubFile) -> None:
    if target.stat().st_size != _size(one) or _checksum_there(target, one) != one.checksum:
        raise ModelRefusedError(
            f"{one.path} is there already and is not what the Hub has now: delete it first, then fetch it again."
        )


def _checksum_there(target: Path, one: HubFile) -> str:
    """As it was when it was fetched, else of what is there now."""
    if (there := fetched_of(target)) is not None:
        return there.checksum
    with target.open("rb") as stream:
        return _digest(one, stream, lambda _: None)


def _from_cache(found: HubRepository, one: HubFile, target: Path, watch: Watch) -> bool:
    """A link to what another program fetched; its content is checked like everything else."""
    cached = _cached(found, one)
    if cached is None:
        return False
    watch.say(phase="checking", file=one.path)
    with cached.open("rb") as stream:
        is_same = _digest(one, stream, lambda _: watch.say()) == one.checksum
    if not is_same and found.is_cached:
        raise ModelRefusedError(
            f"{one.path} is refused: its copy in the cache of the Hub is damaged, and the Hub cannot be reached."
        )
    if is_same:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_fetched(target, _note(found, one))
        target.symlink_to(cached.resolve())
    return is_same


def _cached(found: HubRepository, one: HubFile) -> Path | None:
    cached = try_to_load_from_cache(found.name, one.path, cache_dir=cache_folder(), revision=found.commit)
    is_whole = isinstance(cached, str) and Path(cached).stat().st_size == _size(one)
    return Path(str(cached)) if is_whole else None


def _fetch(found: HubRepository, one: HubFile, stream: BinaryIO, watch: Watch, request_bytes: int) -> None:
    """Until the part has as many bytes as the Hub said; a connection that ends is taken up again where it ended."""
    url = hf_hub_url(found.name, one.path, revision=found.commit, endpoint=os.environ.get("HF_ENDPOINT") or None)
    before, cuts = watch.progress.done_bytes, 0
    if stream.seek(0, os.SEEK_END) > _size(one):
        stream.truncate(0)
    while (have := stream.seek(0, os.SEEK_END)) < _size(one):
        watch.say(phase="fetching", file=one.path, done_bytes=before + have)
        with hub_errors(f"{found.name}:{one.path}"):
            try:
                receive(url, one, stream, request_bytes, lambda have: watch.say(done_bytes=before + have))
                continue
            except httpx2.TransportError as error:
                cuts = 1 if stream.tell() > have else cuts + 1
                _give_up_after(cuts, one, stream.tell(), error)
        watch.say(cuts=watch.progress.cuts + 1)
        watch.wait(WAIT_AFTER_CUT_S)


def _give_up_after(cuts: int, one: HubFile, have: int, error: Exception) -> None:
    if cuts > CUTS_ALLOWED:
        why = (str(error) or type(error).__name__)[:100]
        raise ModelRefusedError(
            f"{one.path} is not whole yet: the connection was lost {cuts} times in a row ({why}). "
            f"{have / 1e6:,.1f} of {_size(one) / 1e6:,.1f} MB are kept: start again to go on from there."
        ) from error


# --- the check --------------------------------------------------------------------------------------------------------


def _check(one: HubFile, stream: BinaryIO, part: Path, watch: Watch) -> None:
    watch.say(phase="checking", file=one.path)
    stream.seek(0)
    found = _digest(one, stream, lambda _: watch.say())
    if found != one.checksum:
        part.unlink()
        raise ModelRefusedError(
            f"{one.path} is refused: its checksum is {found[:16]}… and the Hub lists {(one.checksum or '')[:16]}…. It "
            "was removed; fetch it again."
        )


def _digest(one: HubFile, stream: BinaryIO, step: Callable[[int], None]) -> str:
    """SHA-256 of a large file, of a small one the SHA-1 that git gives it."""
    kind = hashlib.sha256() if one.sha256 else hashlib.sha1(f"blob {_size(one)}\0".encode(), usedforsecurity=False)
    while chunk := stream.read(HASH_BYTES):
        kind.update(chunk)
        step(len(chunk))
    return kind.hexdigest()
