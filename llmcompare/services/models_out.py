"""The model library in words, tables and JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from llmcompare.core.families_words import STATE_WORDS
from llmcompare.core.tables import Cell, Table, estimate_cells
from llmcompare.core.units import BYTES_PER_GIB, rounded
from llmcompare.models.hub_files import HubRepository
from llmcompare.services.here import Here, room_text
from llmcompare.services.models import USUAL_FORMAT, Entry, HubOffer, Offer

BYTES_PER_GB = 1e9


def answer(found: Sequence[Entry], machine_here: Here) -> str:
    """How many run here, and the largest."""
    memory_text = room_text(machine_here)
    asked = f"with {machine_here.use.context_tokens:,} tokens of context"
    fitting = [one for one in found if one.best is not None]
    if not fitting:
        return f"This machine ({memory_text}) holds none of these {len(found)} models {asked}."
    largest = max(fitting, key=lambda one: one.model.params_total_billion or 0)
    best = largest.best
    as_what = "" if best is None else f" as {best.quantization}"
    return (
        f"This machine ({memory_text}) holds {len(fitting)} of {len(found)} models {asked}; the largest is "
        f"{largest.model.display_name}{as_what}."
    )


def entry_answer(one: Entry, machine_here: Here) -> str:
    """Whether it fits, at which context, how fast."""
    best, name = one.best, one.model.display_name
    if best is None:
        return f"{name} does not run here: {one.reason}."
    where = place_text(best, machine_here)
    what = f"{best.quantization} ({gb_text(best.size_bytes)})"
    return f"{name} fits this machine as {what}{_context_text(one, best)}.{where} {speed_text(best)}"


def _context_text(one: Entry, best: Offer) -> str:
    longest, trained = best.largest_context_tokens, one.model.context_native_tokens
    if longest is None:
        return ""
    beyond = "" if trained is None or longest <= trained else f" (trained with {trained:,})"
    return f", up to {longest:,} tokens of context{beyond}"


def why_text(one: Entry) -> str:
    """Why this format, and what a smaller one would change; nothing for what does not run here."""
    best, usual = one.best, one.offer(USUAL_FORMAT)
    if best is None:
        return ""
    why = f"{best.quantization} has the most bits of the quantised formats that fit."
    if usual is None or not usual.fits or usual.size_bytes >= best.size_bytes:
        return why
    speed = "" if usual.decode_tokens_per_s is None else f" {speed_text(usual)}"
    return f"{why} {usual.quantization} takes {gb_text(usual.size_bytes)}.{speed}"


def licence_text(one: Entry) -> str:
    """Which licence, and whether it allows what is asked."""
    named = f" {one.model.license_id}" if one.model.license_id else ""
    return f"Licence{named}: {STATE_WORDS[one.licence.state]}. {one.licence.reason}"


def place_text(one: Offer, machine_here: Here) -> str:
    """How much of it lies on the GPU; nothing where there is none."""
    if machine_here.gpu is None or one.gpu_layers is None:
        return ""
    free = f"({machine_here.gpu.name}, {machine_here.gpu.free_bytes / BYTES_PER_GIB:,.1f} GiB free)"
    if one.lies == "on the GPU":
        return f" All {one.layer_count} layers lie on the GPU {free}."
    if one.lies == "in memory":
        return f" No layer of it fits the GPU {free}: all lies in memory."
    return f" {one.gpu_layers} of {one.layer_count} layers lie on the GPU {free}, the rest in memory."


def speed_text(one: Offer) -> str:
    """A predicted speed with its band, in a sentence."""
    rate = one.decode_tokens_per_s
    if rate is None and one.lies == "in both":
        return "How fast is not predicted for a model that is shared between GPU and memory."
    if rate is None:
        where = "the GPU" if one.lies == "on the GPU" else "this machine"
        return f"How fast is not predicted before one model was measured on {where}."
    band = f"{rounded(rate.low)} to {rounded(rate.high)} in 8 of 10 cases"
    return f"It should write {rounded(rate.value)} tokens/s ({band})."


def gb_text(size_bytes: int) -> str:
    """Of a file, as the Hub counts."""
    return f"{size_bytes / BYTES_PER_GB:,.2f} GB"


# --- tables -----------------------------------------------------------------------------------------------------------


def library_table(found: Iterable[Entry]) -> Table:
    """Every model of the library with what it is here."""
    return Table(
        name="model-library",
        title="Models for this machine",
        columns=(
            "name", "fits_as", "size_gb", "largest_context_tokens", "tokens_per_s", "tokens_per_s_p10",
            "tokens_per_s_p90", "licence", "licence_verdict", "params_billion", "released_on", "reason", "gguf_repo",
            "model_id", "as_of", "source", "row_id",
        ),
        rows=tuple(_library_row(one) for one in found),
    )  # fmt: skip


def _library_row(one: Entry) -> tuple[Cell, ...]:
    best, model = one.best, one.model
    shown = best or one.offer(USUAL_FORMAT)
    return (
        model.display_name, best.quantization if best else None,
        rounded(shown.size_bytes / BYTES_PER_GB) if shown else None, *_here_cells(best), model.license_id,
        STATE_WORDS[one.licence.state], model.params_total_billion, model.released_on, one.reason, model.gguf_repo,
        model.model_id, model.as_of, model.source, model.row_id,
    )  # fmt: skip


def _here_cells(one: Offer | None) -> tuple[Cell, ...]:
    """The longest context and the speed with its band."""
    if one is None:
        return (None,) * 4
    return (one.largest_context_tokens, *estimate_cells(one.decode_tokens_per_s))


def format_table(one: Entry) -> Table:
    """One model in every format, with sizes of our formula."""
    return Table(
        name=f"formats-{one.model.model_id}",
        title=f"{one.model.display_name} in every format",
        columns=(
            "format", "size_gb", "size_is", "memory_gib", "fits", "gpu_layers", "largest_context_tokens",
            "tokens_per_s", "tokens_per_s_p10", "tokens_per_s_p90", "as_of", "source", "row_id",
        ),
        rows=tuple((*_offer_cells(two), one.model.as_of, one.model.source, one.model.row_id) for two in one.offers),
    )  # fmt: skip


def _offer_cells(one: Offer) -> tuple[Cell, ...]:
    return (
        one.quantization, rounded(one.size_bytes / BYTES_PER_GB), "listed by the Hub" if one.is_exact else "computed",
        rounded(one.total_bytes / BYTES_PER_GIB), "yes" if one.fits else "no", one.gpu_layers, *_here_cells(one),
    )  # fmt: skip


def hub_table(repository: HubRepository, found: Iterable[HubOffer]) -> Table:
    """What the Hub lists now."""
    return Table(
        name="hub-files",
        title=f"Files of {repository.name}",
        columns=(
            "file", "format", "size_gb", "fits", "gpu_layers", "largest_context_tokens", "tokens_per_s",
            "tokens_per_s_p10", "tokens_per_s_p90", "parts", "missing_part", "sha256",
        ),
        rows=tuple(_hub_row(one) for one in found),
    )  # fmt: skip


def _hub_row(one: HubOffer) -> tuple[Cell, ...]:
    listed, here_now = one.listed, one.offer
    size = listed.size_bytes
    return (
        listed.path, listed.format_name, None if size is None else rounded(size / BYTES_PER_GB),
        None if here_now is None else "yes" if here_now.fits else "no",
        None if here_now is None else here_now.gpu_layers, *_here_cells(here_now),
        len(listed.files) + len(listed.missing),
        listed.missing[0] if listed.missing else None, " ".join(file.sha256 or "" for file in listed.files).strip(),
    )  # fmt: skip


def library_json(found: Sequence[Entry], machine_here: Here) -> dict[str, Any]:
    """Plain values of these models, units in the keys."""
    table = library_table(found)
    return {
        "available_memory_bytes": machine_here.memory_bytes,
        "gpu": None if machine_here.gpu is None else asdict(machine_here.gpu),
        "context_tokens": machine_here.use.context_tokens,
        "speeds_are_predicted": machine_here.speeds_are_predicted,
        "models": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
        "formats": {
            one.model.model_id: [
                {
                    "format": two.quantization, "size_bytes": two.size_bytes, "total_bytes": two.total_bytes,
                    "fits": two.fits, "gpu_layers": two.gpu_layers,
                    "largest_context_tokens": two.largest_context_tokens,
                }
                for two in one.offers
            ]
            for one in found
        },
    }  # fmt: skip
