"""The model library: what a person can run on this machine, in which format, how fast."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmcompare.core import memory, offload
from llmcompare.core.calibration import Estimate
from llmcompare.core.families import FAMILY_NAMES
from llmcompare.core.licences import LicenceNeed, LicenceVerdict, verdict
from llmcompare.core.memory import Use
from llmcompare.core.records import Model
from llmcompare.core.shapes import ModelShape
from llmcompare.core.this_machine import ModelInFormat
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import WEIGHT_FORMATS
from llmcompare.models.hub_files import HubModel, HubRepository, models_of
from llmcompare.services import what_runs
from llmcompare.services.catalogue import Facts
from llmcompare.services.here import Here, gpu_text
from llmcompare.services.what_runs import GGUF

FORMATS = what_runs.formats_for(None)
"""Of GGUF files, most bits first."""
USUAL_FORMAT = "gguf-q4_k_m"
NEED = LicenceNeed(commercial_use=True)
"""What is asked of a licence until something else is."""
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
    """Models that chat and whose weights a person can have, the newest first."""
    found = [model for model in facts.models.values() if _is_chat_model(model) and _can_be_had(facts, model)]
    return sorted(found, key=lambda model: (model.released_on or "", model.model_id), reverse=True)


def _is_chat_model(model: Model) -> bool:
    """A base model goes on with a text and answers nobody."""
    return not BASE.search(model.display_name.lower())


def _can_be_had(facts: Facts, model: Model) -> bool:
    licence = facts.licences.get(model.license_id or "")
    is_published = licence is None or licence.weights_published != "no"
    return model.gguf_repo is not None or (model.family in FAMILY_NAMES and is_published)


def entries(facts: Facts, machine_here: Here, need: LicenceNeed = NEED) -> list[Entry]:
    """Every model of the library on this machine: those that fit before those that do not, each the newest first."""
    found = [entry(facts, model, machine_here, need) for model in library_models(facts)]
    return sorted(found, key=lambda one: one.best is None)


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


def first_choice(offers: Sequence[HubOffer], one: Entry | None) -> HubOffer:
    """In the format that is named for a model, else the largest that fits, else the smallest."""
    fitting = [two for two in offers if two.offer is not None and two.offer.fits]
    wanted = None if one is None or one.best is None else one.best.quantization
    named = next((two for two in fitting if two.listed.format_name == wanted), None)
    return named or (fitting[-1] if fitting else offers[0])


def _hub_offer(one: HubModel, shape: ModelShape | None, machine_here: Here) -> Offer | None:
    name = f"{GGUF}{(one.format_name or '').lower()}"
    if shape is None or one.size_bytes is None or one.missing or name not in WEIGHT_FORMATS:
        return None
    if not _takes(shape, machine_here.use):
        return None
    return offer(shape, name, machine_here, size_bytes=one.size_bytes)
