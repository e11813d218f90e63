"""Which models a machine holds, in which format, and how fast it runs them: a GPU of the catalogue, or this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmcompare.core import memory, offload
from llmcompare.core.bench import SpeedTest
from llmcompare.core.calibration import Estimate
from llmcompare.core.memory import Need, Use
from llmcompare.core.offload import Room
from llmcompare.core.records import Gpu, Model
from llmcompare.core.shapes import ModelShape
from llmcompare.core.tables import Cell, Table, estimate_cells
from llmcompare.core.this_machine import ModelInFormat
from llmcompare.core.units import BYTES_PER_GIB, rounded
from llmcompare.services import fit, machine
from llmcompare.services.catalogue import Facts
from llmcompare.services.fit import FORMATS_BEST_FIRST
from llmcompare.services.hardware import engines_on
from llmcompare.services.here import Here, look_here
from llmcompare.services.predict import Choice, speeds

GGUF = "gguf-"
LOCAL_ENGINE = "llama.cpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A model on one machine: the format with most bits that fits, or why there is none."""

    model: Model
    shape: ModelShape | None
    format_name: str | None
    need: Need | None
    largest_context_tokens: int | None
    reason: str | None
    """None where it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A model on a machine with the engine that is fastest for its format there."""

    runnable: Runnable
    engine: str | None = None
    decode_tokens_per_s: Estimate | None = None
    """Of one stream; None where nothing is predicted."""
    ttft_ms: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatRuns:
    """What a machine runs, the newest models first."""

    name: str
    """Of the machine."""
    use: Use
    models: tuple[Running, ...]
    is_calibrated: bool
    """Speeds can be predicted."""

    @property
    def answer(self) -> str:
        """How many, and the largest."""
        fitting = [one.runnable for one in self.models if one.runnable.reason is None]
        asked = f"with {self.use.context_tokens:,} tokens of context"
        if not fitting:
            return f"{self.name} holds none of these {len(self.models)} models {asked}."
        largest = max(fitting, key=lambda one: one.model.params_total_billion or 0)
        return (
            f"{self.name} holds {len(fitting)} of {len(self.models)} models {asked}; the largest is "
            f"{largest.model.display_name} as {largest.format_name}."
        )


def formats_for(gpu: Gpu | None) -> tuple[str, ...]:
    """Formats that some engine serves on a GPU, most bits first; this machine runs GGUF files."""
    if gpu is None:
        return tuple(name for name in FORMATS_BEST_FIRST if name.startswith(GGUF))
    return tuple(name for name in FORMATS_BEST_FIRST if engines_on(gpu, name))


def what_runs(
    facts: Facts, use: Use, *, gpu: Gpu | None, gpu_count: int = 1, formats: Sequence[str], output_tokens: int
) -> WhatRuns:
    """Every size of every generation on a GPU of the catalogue, or on this machine where none is given."""
    if gpu is None:
        return _here(facts, use, formats, output_tokens)
    usable = fit.usable_bytes(gpu)
    found = [
        _on_gpu(facts, one, use, gpu, gpu_count, output_tokens)
        for one in models_on(facts, use, usable_bytes_per_gpu=usable, gpu_count=gpu_count, formats=formats)
    ]
    name = gpu.name if gpu_count == 1 else f"{gpu_count} × {gpu.name}"
    return WhatRuns(name=name, use=use, models=tuple(found), is_calibrated=True)


def _on_gpu(facts: Facts, one: Runnable, use: Use, gpu: Gpu, gpu_count: int, output_tokens: int) -> Running:
    if one.shape is None or one.format_name is None:
        return Running(runnable=one)
    choices = [
        Choice(gpu_id=gpu.gpu_id, gpu_count=gpu_count, engine=name, weight_format=one.format_name, concurrency=1.0)
        for name in engines_on(gpu, one.format_name)
    ]
    rates = speeds(facts, one.shape, choices, context_tokens=use.context_tokens, output_tokens=output_tokens)
    known = [(rate.decode_tokens_per_s, rate) for rate in rates if rate.decode_tokens_per_s is not None]
    if not known:
        return Running(runnable=one)
    decode, rate = max(known, key=lambda pair: pair[0].value)
    return Running(runnable=one, engine=rate.engine, decode_tokens_per_s=decode, ttft_ms=rate.ttft_ms)


def _here(facts: Facts, use: Use, formats: Sequence[str], output_tokens: int) -> WhatRuns:
    here = look_here(use)
    test = SpeedTest(prompt_tokens=0, generated_tokens=output_tokens, depth_tokens=use.context_tokens - output_tokens)
    found = [_runnable(facts, model, use, here.room, 1, formats) for model in one_per_size(facts.models)]
    return WhatRuns(
        name="This machine",
        use=use,
        models=tuple(_running_here(one, here, test) for one in found),
        is_calibrated=here.speeds_are_predicted,
    )


def _running_here(one: Runnable, here: Here, test: SpeedTest) -> Running:
    if one.shape is None or one.format_name is None or one.need is None:
        return Running(runnable=one)
    quantization = one.format_name.removeprefix(GGUF).upper()
    made = ModelInFormat(shape=one.shape, weights_bytes=one.need.weights_bytes, quantization=quantization)
    predict = here.predictor(offload.shared(one.shape, one.need, here.room), one.shape)
    rate = None if predict is None else predict(made, test)
    return Running(runnable=one, engine=LOCAL_ENGINE, decode_tokens_per_s=None if rate is None else estimate_of(rate))


def estimate_of(rate: machine.Prediction) -> Estimate:
    """A prediction for this machine as the tables show speeds."""
    return Estimate(
        value=rate.tokens_per_s,
        low=rate.low_tokens_per_s,
        high=rate.high_tokens_per_s,
        basis="predicted, corrected on this machine",
        group="this machine",
        median_error=None,
        n=rate.measured_count,
    )


def what_runs_table(found: WhatRuns) -> Table:
    """All models with what they need, how fast they are, or why they do not run."""
    return Table(
        name="what-runs",
        title=f"What {found.name} runs",
        columns=(
            "model_id", "params_billion", "released_on", "weight_format", "engine", "tokens_per_s_one_stream",
            "tokens_per_s_one_stream_p10", "tokens_per_s_one_stream_p90", "ttft_ms", "basis", "memory_gib",
            "largest_context_tokens", "reason", "as_of", "source", "row_id",
        ),
        rows=tuple(_row(one) for one in found.models),
    )  # fmt: skip


def _row(one: Running) -> tuple[Cell, ...]:
    found, rate = one.runnable, one.decode_tokens_per_s
    return (
        found.model.model_id, found.model.params_total_billion, found.model.released_on, found.format_name,
        one.engine, *estimate_cells(rate), None if one.ttft_ms is None else rounded(one.ttft_ms.value),
        None if rate is None else rate.error_sentence,
        None if found.need is None else rounded(found.need.total_bytes / BYTES_PER_GIB),
        found.largest_context_tokens, found.reason, found.model.as_of, found.model.source, found.model.row_id,
    )  # fmt: skip


# --- what fits --------------------------------------------------------------------------------------------------------


def models_on(
    facts: Facts,
    use: Use,
    *,
    usable_bytes_per_gpu: int,
    gpu_count: int = 1,
    formats: Sequence[str] = FORMATS_BEST_FIRST,
) -> list[Runnable]:
    """Every size of every generation on equal GPUs, the newest first; of base and chat models one stands for both."""
    # Equal GPUs are one place to lie in: nothing is shared with the memory beside them.
    room = Room(ram_bytes=usable_bytes_per_gpu * gpu_count)
    return [_runnable(facts, model, use, room, gpu_count, formats) for model in one_per_size(facts.models)]


def one_per_size(models: Mapping[str, Model]) -> list[Model]:
    """Of the models of a generation with the same size, the newest that chats; newest generation first."""
    newest_first = sorted(models.values(), key=lambda model: (model.released_on or "", model.model_id), reverse=True)
    best: dict[tuple[str, str, float | None], Model] = {}
    for model in sorted(newest_first, key=_chats_first):
        best.setdefault((model.family, model.generation, model.params_total_billion), model)
    kept = {model.model_id for model in best.values()}
    return [model for model in newest_first if model.model_id in kept]


def _chats_first(model: Model) -> tuple[int, int]:
    """Of two that chat the one with the shorter name: the other has a longer context, or sees."""
    chats = any(word in model.model_id for word in ("instruct", "chat"))
    base = model.model_id.endswith("-base")
    return (0 if chats else 2 if base else 1, len(model.model_id))


def _runnable(facts: Facts, model: Model, use: Use, room: Room, gpu_count: int, formats: Sequence[str]) -> Runnable:
    shape = facts.shapes.get(model.model_id)
    if shape is None:
        return _not(model, None, "no source gives its layers and heads")
    limit = shape.context_extended_tokens or shape.context_native_tokens
    if limit is not None and use.context_tokens > limit:
        return _not(model, shape, f"its context ends at {limit:,} tokens")
    if gpu_count > shape.head_count:
        return _not(model, shape, f"{gpu_count} GPUs cannot share its {shape.head_count} heads")
    needed = None
    for name in formats:
        needed = memory.need(shape, use, format_name=name, gpu_count=gpu_count)
        if offload.fits(shape, needed, room):
            longest = offload.largest_context_tokens(shape, use, needed=needed, room=room)
            return Runnable(
                model=model, shape=shape, format_name=name, need=needed, largest_context_tokens=longest, reason=None
            )
    least = "" if needed is None else f": it needs {needed.total_bytes / BYTES_PER_GIB:,.1f} GiB as {formats[-1]}"
    usable_bytes = room.ram_bytes + room.usable_gpu_bytes
    return _not(model, shape, f"does not fit{least}, and {usable_bytes / BYTES_PER_GIB:,.1f} GiB can be used")


def _not(model: Model, shape: ModelShape | None, reason: str) -> Runnable:
    return Runnable(model=model, shape=shape, format_name=None, need=None, largest_context_tokens=None, reason=reason)
