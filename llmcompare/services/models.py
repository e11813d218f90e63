"""The model library: what a person can run on this machine, in which format, how fast; and the files at hand."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from llmcompare.core import memory, offload
from llmcompare.core.calibration import Estimate
from llmcompare.core.families import FAMILY_NAMES
from llmcompare.core.families_words import STATE_WORDS
from llmcompare.core.licences import LicenceNeed, LicenceVerdict, verdict
from llmcompare.core.memory import Use
from llmcompare.core.records import Model
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tables import Cell, Table, estimate_cells
from llmcompare.core.this_machine import ModelInFormat
from llmcompare.core.units import BYTES_PER_GIB, rounded
from llmcompare.core.weights import WEIGHT_FORMATS
from llmcompare.models.hub_files import HubModel, HubRepository, models_of
from llmcompare.services import what_runs
from llmcompare.services.catalogue import Facts
from llmcompare.services.here import Here, gpu_text, room_text
from llmcompare.services.what_runs import GGUF

FORMATS = what_runs.formats_for(None)
"""Of GGUF files, most bits first."""
USUAL_FORMAT = "gguf-q4_k_m"
NEED = LicenceNeed(commercial_use=True)
"""What is asked of a licence until something else is."""
BYTES_PER_GB = 1e9
BASE = re.compile(r"\bbase\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model in one format on this machine."""

    format_name: str
    size_bytes: int
    """Of the weights."""
    is_exact: bool
    """As the Hub lists it; else as our formula has it."""
    total_bytes: int
    """With cache and buffers."""
    fits: bool
    largest_context_tokens: int | None
    """None where not one token fits."""
    decode_tokens_per_s: Estimate | None
    """None where nothing is predicted, and for what does not fit."""
    layer_count: int
    gpu_layers: int | None
    """That lie on the GPU, the rest in memory; None without a GPU."""

    @property
    def lies(self) -> Literal["in memory", "on the GPU", "in both"]:
        """Where its layers are."""
        if not self.gpu_layers:
            return "in memory"
        return "on the GPU" if self.gpu_layers == self.layer_count else "in both"

    @property
    def quantization(self) -> str:
        """As files name it."""
        return self.format_name.removeprefix(GGUF).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model of the library."""

    model: Model
    licence: LicenceVerdict
    offers: tuple[Offer, ...]
    """Most bits first; empty where no source gives its layers and heads."""
    reason: str | None
    """Why it does not run here; None where it does."""

    @property
    def best(self) -> Offer | None:
        """The format with most bits that fits."""
        return next((offer for offer in self.offers if offer.fits), None)

    def offer(self, format_name: str) -> Offer | None:
        """In this format."""
        return next((offer for offer in self.offers if offer.format_name == format_name), None)


def library_models(facts: Facts) -> list[Model]:
    """Models whose weights a person can have: those that chat, and whatever a repository of GGUF files is known of."""
    found = [model for model in facts.models.values() if model.gguf_repo or _is_chat_model(facts, model)]
    return sorted(found, key=lambda model: (model.released_on or "", model.model_id), reverse=True)


def _is_chat_model(facts: Facts, model: Model) -> bool:
    """Of the families, with weights for everybody, and no base model: that goes on with a text and answers nobody."""
    licence = facts.licences.get(model.license_id or "")
    is_published = licence is None or licence.weights_published != "no"
    return model.family in FAMILY_NAMES and is_published and not BASE.search(model.display_name.lower())


def entries(facts: Facts, machine_here: Here, need: LicenceNeed = NEED) -> list[Entry]:
    """Every model of the library on this machine, the newest first."""
    return [entry(facts, model, machine_here, need) for model in library_models(facts)]


def entry(facts: Facts, model: Model, machine_here: Here, need: LicenceNeed = NEED) -> Entry:
    """One model on this machine."""
    shape = facts.shapes.get(model.model_id)
    found = verdict(facts.licences.get(model.license_id or ""), need, model)
    if shape is None:
        return Entry(model=model, licence=found, offers=(), reason="no source gives its layers and heads")
    limit = shape.context_extended_tokens or shape.context_native_tokens
    if not _takes(shape, machine_here.use):
        return Entry(model=model, licence=found, offers=(), reason=f"its context ends at {limit:,} tokens")
    offers = tuple(offer(shape, name, machine_here) for name in FORMATS)
    return Entry(model=model, licence=found, offers=offers, reason=_reason(offers, machine_here))


def offer(shape: ModelShape, format_name: str, machine_here: Here, *, size_bytes: int | None = None) -> Offer:
    """A model in a format on this machine, with the size of a file where it is known.

    Raises InputError for a context that the model does not take.
    """
    use, room = machine_here.use, machine_here.room
    needed = memory.need(shape, use, format_name=format_name, file_weights_bytes=size_bytes)
    split = offload.shared(shape, needed, room)
    fits = offload.fits(shape, needed, room)
    quantization = format_name.removeprefix(GGUF).upper()
    made = ModelInFormat(shape=shape, weights_bytes=needed.weights_bytes, quantization=quantization)
    predict = machine_here.predictor(split, shape) if fits else None
    rate = None if predict is None else predict(made, machine_here.test)
    return Offer(
        format_name=format_name,
        size_bytes=needed.weights_bytes,
        is_exact=size_bytes is not None,
        total_bytes=needed.total_bytes,
        fits=fits,
        largest_context_tokens=offload.largest_context_tokens(shape, use, needed=needed, room=room),
        decode_tokens_per_s=None if rate is None else what_runs.estimate_of(rate),
        layer_count=shape.layer_count,
        gpu_layers=None if machine_here.gpu is None else split.gpu_layers,
    )


def _takes(shape: ModelShape, use: Use) -> bool:
    limit = shape.context_extended_tokens or shape.context_native_tokens
    return limit is None or use.context_tokens <= limit


def _reason(offers: Sequence[Offer], machine_here: Here) -> str | None:
    if any(one.fits for one in offers):
        return None
    least, gpu = offers[-1], machine_here.gpu
    return (
        f"does not fit: it needs {least.total_bytes / BYTES_PER_GIB:,.1f} GiB as {least.quantization}, and "
        f"{machine_here.memory_bytes / BYTES_PER_GIB:,.1f} GiB are free"
    ) + ("" if gpu is None else f" in memory and {gpu_text(gpu)}")


# --- what the Hub lists -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class HubOffer:
    """A model of a repository on this machine."""

    listed: HubModel
    offer: Offer | None
    """None where the shape, the size or the format is not known, or the model does not take the context."""


def hub_offers(found: HubRepository, shape: ModelShape | None, machine_here: Here) -> list[HubOffer]:
    """What a repository has, with the sizes that the Hub lists."""
    return [HubOffer(listed=one, offer=_hub_offer(one, shape, machine_here)) for one in models_of(found)]


def _hub_offer(one: HubModel, shape: ModelShape | None, machine_here: Here) -> Offer | None:
    name = f"{GGUF}{(one.format_name or '').lower()}"
    if shape is None or one.size_bytes is None or one.missing or name not in WEIGHT_FORMATS:
        return None
    if not _takes(shape, machine_here.use):
        return None
    return offer(shape, name, machine_here, size_bytes=one.size_bytes)


# --- in words ---------------------------------------------------------------------------------------------------------


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
    longest = (
        "" if best.largest_context_tokens is None else f", up to {best.largest_context_tokens:,} tokens of context"
    )
    where = place_text(best, machine_here)
    what = f"{best.quantization} ({gb_text(best.size_bytes)})"
    return f"{name} fits this machine as {what}{longest}.{where} {speed_text(best)}"


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
