"""Does it fit: a model of the catalogue, a local GGUF file or one on the Hub, against the GPUs of the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmcompare.core import memory, offload
from llmcompare.core.calibration_traits import shares_memory
from llmcompare.core.memory import GPU_COUNTS, Need, Split, Use
from llmcompare.core.records import Gpu, source_url
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import WEIGHT_FORMATS, weight_format
from llmcompare.errors import InputError, UnknownIdError
from llmcompare.models import gguf_shape, library
from llmcompare.models.gguf_header import GgufHeader
from llmcompare.models.remote_name import is_remote
from llmcompare.services import runs
from llmcompare.services.catalogue import Facts

USUAL_FORMAT = "bf16"
"""Of a model of the catalogue, where none is named: as most are published."""
LLAMA_CPP = "llama.cpp"
FORMATS_BEST_FIRST = (
    "bf16", "gguf-q8_0", "fp8", "gguf-q6_k", "gguf-q5_k_m", "gguf-q4_k_m", "awq-int4", "gguf-q3_k_m", "gguf-q2_k",
)  # fmt: skip
"""By bits per weight, which is not the same as by quality. The best one that fits is the first of these."""
ASSUMPTIONS = (
    f"{memory.USABLE_FRACTION:.0%} of a GPU's memory can be used ({memory.UNIFIED_USABLE_FRACTION:.0%} where the "
    "processor shares it); the vendor's GB are GiB.",
    "Buffers: llama.cpp's batch of 512 tokens and 0.4 GB for each GPU; serving engines 8,192 tokens and 1.5 GB.",
    "Several GPUs share weights and KV heads evenly (tensor parallelism).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is to fit."""

    name: str
    shape: ModelShape
    file_format: str | None = None
    """Of a file; None for a model of the catalogue."""
    file_weights_bytes: int | None = None
    """Exact, from the table of tensors."""
    row_ids: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFit:
    """One kind of GPU."""

    gpu_id: str
    name: str
    memory_bytes: int
    usable_bytes: int
    fits: bool
    """On one."""
    gpu_count: int | None
    """Fewest of 1, 2, 4 and 8 that hold it; None when eight do not."""
    largest_context_tokens: int | None
    """On gpu_count of them, eight where that is None; None when not one token fits."""
    largest_sequences: int
    """Of this context, on as many."""
    best_format: str | None
    """On one, the format with most bits per weight that fits; None when none does."""
    gpu_layers_on_one: int | None
    """Layers that one GPU holds, the rest in RAM; None for a format that llama.cpp does not run."""
    ram_bytes_beside_one: int | None
    """In RAM then."""
    ram_bytes_with_experts: int | None
    """In RAM when the routed experts lie there and the rest on one GPU; None where the rest does not fit either."""
    row_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The answer."""

    subject: Subject
    use: Use
    format_name: str
    engine: str
    need: Need
    """On one GPU."""
    gpus: tuple[GpuFit, ...]


def subject(facts: Facts, name: str) -> Subject:
    """The model of this id, alias, local file, file name in var/models or remote file. Raises LlmCompareError."""
    if name in facts.shapes:
        shape = facts.shapes[name]
        row = facts.models[shape.name]
        shown = row.display_name if name in facts.names else f"{name} (the architecture of {row.display_name})"
        return Subject(name=shown, shape=shape, row_ids=(row.row_id,), source=row.source)
    if name in facts.names:
        raise InputError(
            f"no source gives the layers and heads of {name}: `python -m llmcompare fit FILE.gguf` reads them from a "
            "file of it."
        )
    if is_remote(name):
        # Here: no page but this question needs the client of the Hub, and importing it takes 0.2 s.
        from llmcompare.models.hub import remote_headers

        return of_file(remote_headers(name))
    if name.lower().endswith(".gguf") and Path(name).is_file():
        return of_file(gguf_shape.local_headers(Path(name)))
    try:
        found = library.find(runs.local_models(), name)
    except InputError as problem:
        if name.lower().endswith(".gguf"):
            raise
        raise UnknownIdError("model", name, facts.shapes) from problem
    return of_file(gguf_shape.local_headers(found.path))


def of_file(headers: Sequence[GgufHeader]) -> Subject:
    """The model in a file, of which the headers of all parts are given."""
    header = headers[0]
    quantization = header.quantization or "F16"
    return Subject(
        name=library.readable(library.display_name(header.path)),
        shape=gguf_shape.shape_of(headers),
        file_format=f"gguf-{quantization.lower()}",
        file_weights_bytes=gguf_shape.weights_bytes(headers),
        source=library.readable(str(header.path)) if is_remote(f"hf://{header.path}") else header.path.name,
    )


def fit(facts: Facts, model: Subject, use: Use, *, format_name: str | None = None, gpu_id: str | None = None) -> Fit:
    """What the model needs, and what each GPU of the catalogue makes of it; of one GPU where it is named.

    Raises InputError for a context beyond the model, an unknown format, cache format or GPU.
    """
    kept = _format_of(model, format_name)
    gpus = [gpu for gpu in facts.gpus.values() if gpu.memory_gb is not None]
    if gpu_id is not None:
        gpus = [_named(facts, gpu_id)]
    return Fit(
        subject=model,
        use=use,
        format_name=kept,
        engine=memory.usual_engine(kept),
        need=need_of(model, use, format_name=kept),
        gpus=tuple(_on(gpu, model, use, kept) for gpu in gpus),
    )


def need_of(model: Subject, use: Use, *, format_name: str, gpu_count: int = 1) -> Need:
    """What a model needs in a format: exact weights for the format that its file has."""
    exact = model.file_weights_bytes if format_name == model.file_format else None
    return memory.need(model.shape, use, format_name=format_name, gpu_count=gpu_count, file_weights_bytes=exact)


def possible_counts(model: ModelShape, *, format_name: str, unified: bool) -> list[int]:
    """How many GPUs can share a model: machines whose processor shares the memory are not ganged, and serving engines
    give each GPU as many heads as every other."""
    if unified:
        return [1]
    by_layers = memory.usual_engine(format_name) == LLAMA_CPP
    return [count for count in GPU_COUNTS if count <= model.head_count and (by_layers or model.head_count % count == 0)]


def gpu_counts(
    facts: Facts, model: Subject, use: Use, *, formats: Iterable[str] = FORMATS_BEST_FIRST
) -> dict[tuple[str, str], int | None]:
    """Fewest of 1, 2, 4 and 8 GPUs by GPU and format; None when eight do not hold it. Fast enough for a slider."""
    needs = {
        (name, unified): [
            need_of(model, use, format_name=name, gpu_count=count)
            for count in possible_counts(model.shape, format_name=name, unified=unified)
        ]
        for name in formats
        for unified in (False, True)
    }
    return {
        (gpu.gpu_id, name): _fewest(needed, usable_bytes(gpu))
        for gpu in facts.gpus.values()
        if gpu.memory_gb is not None
        for (name, unified), needed in needs.items()
        if unified == shares_memory(gpu)
    }


def usable_bytes(gpu: Gpu) -> int:
    """Bytes of a GPU that a deployment may fill; 0 where its memory is not known."""
    return memory.usable_bytes(gpu.memory_gb or 0, unified=shares_memory(gpu))


def _fewest(needs: Sequence[Need], usable: int) -> int | None:
    return next((one.gpu_count for one in needs if memory.fits(one, usable_bytes_per_gpu=usable)), None)


def _on(gpu: Gpu, model: Subject, use: Use, format_name: str) -> GpuFit:
    usable = usable_bytes(gpu)
    counts = possible_counts(model.shape, format_name=format_name, unified=shares_memory(gpu))
    needs = [need_of(model, use, format_name=format_name, gpu_count=count) for count in counts]
    count = _fewest(needs, usable)
    needed = next((one for one in needs if one.gpu_count == count), needs[-1])
    context = memory.largest_context_tokens(model.shape, use, needed=needed, usable_bytes_per_gpu=usable)
    sequences = memory.largest_sequences(model.shape, use, needed=needed, usable_bytes_per_gpu=usable)
    split, experts = _beside_ram(model, needs[0], usable, format_name)
    return GpuFit(
        gpu_id=gpu.gpu_id,
        name=gpu.name,
        memory_bytes=round((gpu.memory_gb or 0) * BYTES_PER_GIB),
        usable_bytes=usable,
        fits=count == 1,
        gpu_count=count,
        largest_context_tokens=context,
        largest_sequences=sequences,
        best_format=memory.best_format(model.shape, use, formats=FORMATS_BEST_FIRST, usable_bytes_per_gpu=usable),
        gpu_layers_on_one=None if split is None else split.gpu_layers,
        ram_bytes_beside_one=None if split is None else split.ram_bytes,
        ram_bytes_with_experts=None if experts is None else experts.ram_bytes,
        row_id=gpu.row_id,
    )


def _beside_ram(model: Subject, needed: Need, usable: int, format_name: str) -> tuple[Split | None, Split | None]:
    """One GPU and RAM together: by layers, and with the experts in RAM. Only llama.cpp shares a model out so."""
    if memory.usual_engine(format_name) != LLAMA_CPP:
        return None, None
    layers = offload.layers_on_gpu(model.shape, needed, usable_gpu_bytes=usable)
    by_layers = memory.split_by_layers(model.shape, needed, gpu_layers=layers)
    if model.shape.expert_count is None:
        return by_layers, None
    experts = memory.split_experts(model.shape, needed, format_name=format_name)
    return by_layers, experts if experts.gpu_bytes <= usable else None


def _format_of(model: Subject, wanted: str | None) -> str:
    if wanted is not None:
        return weight_format(wanted).name
    if model.file_format is None:
        return USUAL_FORMAT
    if model.file_format not in WEIGHT_FORMATS:
        raise InputError(f"{model.name} has the format {model.file_format}, which is not known here: give --format.")
    return model.file_format


def _named(facts: Facts, gpu_id: str) -> Gpu:
    if gpu_id not in facts.gpus:
        raise UnknownIdError("GPU", gpu_id, facts.gpus)
    gpu = facts.gpus[gpu_id]
    if gpu.memory_gb is None:
        raise InputError(f"no source gives the memory of {gpu.name}: name another GPU.")
    return gpu


def fit_json(found: Fit) -> dict[str, Any]:
    """Plain values, units in the keys."""
    urls = {source_url(found.subject.source or ""), found.subject.source if found.subject.file_format else None}
    return {
        "model": found.subject.name,
        "shape": asdict(found.subject.shape),
        "format": found.format_name,
        "weights_are_exact": found.format_name == found.subject.file_format,
        "engine": found.engine,
        "context_tokens": found.use.context_tokens,
        "sequences": found.use.sequences,
        "kv_format": found.use.kv_format,
        "weights_bytes": found.need.weights_bytes,
        "kv_cache_bytes": found.need.kv_cache_bytes,
        "buffers_bytes": found.need.buffers_bytes,
        "total_bytes": found.need.total_bytes,
        "gpus": [asdict(gpu) for gpu in found.gpus],
        "warnings": list(found.need.warnings),
        "assumptions": list(ASSUMPTIONS),
        "sources": sorted(url for url in urls if url),
        "row_ids": [*found.subject.row_ids, *(gpu.row_id for gpu in found.gpus)],
    }


def sentences(found: Fit) -> list[str]:
    """The answer for a person: the parts, what to know, and each GPU that holds it."""
    need = found.need
    parts = ((need.weights_bytes, "weights"), (need.kv_cache_bytes, "KV cache"), (need.buffers_bytes, "buffers"))
    split = " + ".join(f"{size / BYTES_PER_GIB:.2f} {name}" for size, name in parts)
    total = f"{need.total_bytes / BYTES_PER_GIB:.2f} GiB = {split}"
    lines = [f"{found.subject.name} as {found.format_name} with {found.use.context_tokens:,} tokens: {total}"]
    lines += [f"  Note: {warning}" for warning in need.warnings]
    lines += [_gpu_sentence(gpu) for gpu in sorted(found.gpus, key=lambda gpu: (gpu.gpu_count or 99, gpu.usable_bytes))]
    return lines


def _gpu_sentence(gpu: GpuFit) -> str:
    if gpu.gpu_count is None:
        return f"  {gpu.name}: none hold it, neither one nor more; {_best(gpu)}"
    longest = "" if gpu.largest_context_tokens is None else f" with up to {gpu.largest_context_tokens:,} tokens"
    holds = "one holds it" if gpu.gpu_count == 1 else f"{gpu.gpu_count} hold it"
    return f"  {gpu.name}: {holds}{longest}; {_best(gpu)}"


def _best(gpu: GpuFit) -> str:
    best = f"one holds it as {gpu.best_format}" if gpu.best_format else "one holds it in no format"
    if gpu.fits or not gpu.gpu_layers_on_one or gpu.ram_bytes_beside_one is None:
        return best
    ram = f"{gpu.ram_bytes_beside_one / BYTES_PER_GIB:.1f} GiB of the rest in RAM"
    return f"{best}; {gpu.gpu_layers_on_one} layers fit on one, with {ram}"
