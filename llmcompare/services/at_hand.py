"""The model files at hand: what each is, whether it is in memory, and taking it away."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmcompare.core.tables import Cell, Table
from llmcompare.core.units import counted
from llmcompare.errors import InputError, StoreError
from llmcompare.models import library
from llmcompare.models.fetched import fetched_path
from llmcompare.models.hub_cache import cached_repositories
from llmcompare.models.hub_files import HubModel, models_of
from llmcompare.models.library import LocalModel
from llmcompare.models.origin import note_path
from llmcompare.services import plans, runs
from llmcompare.services.preflight import Preflight, preflight
from llmcompare.store.paths import folders

BYTES_PER_MB = 1e6
State = Literal["not loaded", "in memory", "answers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtHand:
    """A model file and what becomes of it."""

    model: LocalModel
    state: State
    using: int
    """Requests that it answers now."""
    pinned: bool
    peak_memory_bytes: int | None
    """The most that a run with it took here; None before there was one."""
    run_count: int
    """Replies in the log."""
    deletable: bool
    """Lies in the folder of models."""


def at_hand() -> list[AtHand]:
    """Every model file, the demo model first."""
    loaded, measured = runs.in_memory(), _measured()
    return [_one(model, loaded, measured) for model in runs.local_models()]


def one_at_hand(model: LocalModel) -> AtHand:
    """One file, wherever it lies."""
    return _one(model, runs.in_memory(), _measured())


def _one(model: LocalModel, loaded: dict[Path, bool], measured: dict[str, tuple[int | None, int]]) -> AtHand:
    pool = runs.pool()
    using = pool.using(model.path)
    busy = using > 0 or loaded.get(model.path, False)
    peak, count = measured.get(library.readable(model.path.name), (None, 0))
    return AtHand(
        model=model,
        state="answers" if busy else "in memory" if model.path in loaded else "not loaded",
        using=using,
        pinned=model.path in pool.pinned(),
        peak_memory_bytes=peak,
        run_count=count,
        deletable=_is_ours(model.path),
    )


def _measured() -> dict[str, tuple[int | None, int]]:
    """Highest memory and number of replies by file name."""
    found: dict[str, tuple[int | None, int]] = {}
    for run in runs.log().runs():
        for reply in run.replies:
            peak, count = found.get(reply.model, (None, 0))
            known = [size for size in (peak, reply.peak_memory_bytes) if size is not None]
            found[reply.model] = (max(known, default=None), count + 1)
    return found


def _is_ours(path: Path) -> bool:
    return path.absolute().is_relative_to(folders().models.absolute())


def looked_into(model: LocalModel) -> Preflight:
    """What to know of it, with the context that it is loaded with unless told otherwise."""
    return preflight(model, context_tokens=plans.DEFAULT_CONTEXT_TOKENS)


def answer(found: list[AtHand]) -> str:
    """How many, how large, and how many of them are no use."""
    size = sum(one.model.size_bytes for one in found)
    bad = sum(one.model.problem is not None for one in found)
    refused = f", {bad} of them cannot be loaded" if bad else ""
    return f"{counted(len(found), 'model file')} at hand, {size / 1e9:,.2f} GB{refused}"


# --- the cache of the Hub's client ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InCache:
    """A model that another program fetched; taken over by a download of it, with a network or without."""

    repository: str
    commit: str
    model: HubModel


def in_cache() -> list[InCache]:
    """Whole models that are not among the files at hand yet."""
    folder = folders().models
    return [
        InCache(repository=found.name, commit=found.commit, model=model)
        for found in cached_repositories()
        for model in models_of(found)
        if not model.missing and not (folder / found.name / model.path).exists()
    ]


def cache_table(found: list[InCache]) -> Table:
    """What the cache has."""
    return Table(
        name="models-in-cache",
        title="Models in the cache of the Hub's client",
        columns=("repository", "file", "format", "size_mb", "parts", "commit"),
        rows=tuple(
            (
                one.repository, one.model.path, one.model.format_name,
                round((one.model.size_bytes or 0) / BYTES_PER_MB, 1), len(one.model.files), one.commit[:7],
            )
            for one in found
        ),
    )  # fmt: skip


def state_text(one: AtHand) -> str:
    """Who uses it now."""
    if one.state == "answers":
        return f"answers {counted(max(one.using, 1), 'request')} now"
    return {"in memory": "in memory, nobody uses it", "not loaded": "not loaded"}[one.state]


def unload(one: AtHand) -> None:
    """Give its memory back. Raises InputError while somebody uses it."""
    if one.state == "answers":
        raise InputError(f"{one.model.path.name} {state_text(one)}: stop it first.")
    runs.pool().unload(one.model.path)


def delete(model: LocalModel) -> int:
    """Remove all its files, and the notes beside them; bytes that were freed.

    Raises InputError for what does not lie in the folder of models or is in use, StoreError for what cannot be removed.
    """
    one = one_at_hand(model)
    if not one.deletable:
        raise InputError(f"{model.path.name} does not lie in {folders().models.name}: delete it where it is.")
    unload(one)
    freed = 0
    for path in library.parts(model.path):
        try:
            freed += 0 if path.is_symlink() or not path.exists() else path.stat().st_size
            for gone in (path, note_path(path), fetched_path(path)):
                gone.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{path.name} cannot be deleted ({error.strerror}): correct its rights.") from error
    return freed


def from_path(text: str) -> LocalModel:
    """The model in a file anywhere. Raises InputError for a path that cannot be."""
    path = Path(text.strip()).expanduser()
    if not text.strip() or "\0" in text or path.suffix.lower() != ".gguf":
        raise InputError(f"{text.strip()!r} is no GGUF file: write its whole path, ending in .gguf.")
    return library.model_at(path.absolute())


def link(model: LocalModel) -> Path:
    """Make a file of anywhere one that can be chosen, by links in the folder of models.

    Raises InputError for a name that is taken or a refused file, StoreError for a folder that cannot be written.
    """
    if model.problem is not None:
        raise InputError(model.problem)
    folder = folders().models
    if _is_ours(model.path):
        return model.path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in library.parts(model.path):
            place = folder / part.name
            if place.exists() and place.resolve() != part.resolve():
                raise InputError(f"{part.name} is the name of another file in {folder.name}: rename one of them.")
            place.unlink(missing_ok=True)
            place.symlink_to(part)
    except OSError as error:
        raise StoreError(f"{model.path.name} cannot be linked ({error.strerror}): correct the rights.") from error
    return folder / model.path.name


def at_hand_table(found: list[AtHand]) -> Table:
    """Every file at hand."""
    return Table(
        name="models-at-hand",
        title="Model files at hand",
        columns=(
            "file", "format", "size_mb", "in_memory", "pinned", "measured_peak_mb", "replies", "params_million",
            "architecture", "trained_context_tokens", "origin", "note",
        ),
        rows=tuple(_row(one) for one in found),
    )  # fmt: skip


def _row(one: AtHand) -> tuple[Cell, ...]:
    model = one.model
    return (
        model.model_id, model.quantization, round(model.size_bytes / BYTES_PER_MB, 1), state_text(one),
        "yes" if one.pinned else "no",
        None if one.peak_memory_bytes is None else round(one.peak_memory_bytes / BYTES_PER_MB), one.run_count,
        None if model.parameters is None else round(model.parameters / 1e6, 1), model.architecture,
        model.trained_context_tokens, model.origin, model.problem or model.caveat,
    )  # fmt: skip


def lines(one: AtHand) -> list[str]:
    """For a terminal: what it is, what a run of it took, and what to know before the first question."""
    model = one.model
    if model.problem is not None:
        return [f"{model.model_id}: {model.problem}"]
    parts = [model.quantization or "format not stated", f"{model.size_bytes / BYTES_PER_MB:,.0f} MB", model.origin]
    if one.peak_memory_bytes is not None:
        parts.append(f"took {one.peak_memory_bytes / BYTES_PER_MB:,.0f} MB of memory at most")
    return [f"{model.model_id}: {', '.join(parts)}", *(f"  {warning}" for warning in looked_into(model).warnings)]


def as_json(one: AtHand) -> dict[str, Any]:
    """Plain values, units in the keys."""
    model = one.model
    return {
        "model_id": model.model_id,
        "path": library.readable(str(model.path)),
        "format": model.quantization,
        "size_bytes": model.size_bytes,
        "architecture": model.architecture,
        "trained_context_tokens": model.trained_context_tokens,
        "origin": model.origin,
        "caveat": model.caveat,
        "problem": model.problem,
        "warnings": [] if model.problem else list(looked_into(model).warnings),
        "peak_memory_bytes": one.peak_memory_bytes,
        "reply_count": one.run_count,
    }


def cache_json(one: InCache) -> dict[str, Any]:
    """Plain values, units in the keys."""
    return {
        "repository": one.repository,
        "file": one.model.path,
        "format": one.model.format_name,
        "size_bytes": one.model.size_bytes,
        "commit": one.commit,
    }
