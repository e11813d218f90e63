"""Every deployment of many models as arrays, put together from what the deployments share, not one by one.

A hundred thousand deployments are some two hundred models in a few formats on some fifty GPUs: what follows from a GPU
and an engine, or from a model and a format, is computed once and taken by index.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from llmcompare.core import memory
from llmcompare.core.calibration_traits import (
    FAMILIES,
    SPLITS_LAYERS,
    Traits,
    architecture,
    has_kernels,
    runs_on,
    serves,
    shares_memory,
)
from llmcompare.core.memory import GPU_COUNTS, Use
from llmcompare.core.records import Gpu
from llmcompare.core.serving import most_sequences
from llmcompare.core.shapes import ModelShape
from llmcompare.core.speed import (
    Deployment,
    Stack,
    free_bytes,
    outside_calibration,
    ram_fraction,
    stacked,
    taken,
    traits,
)
from llmcompare.core.weights import bits_per_weight, weights_bytes

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
LAYERED = "llama.cpp"
"""Gives each GPU its own layers, so that the heads need not be shared out evenly."""


class Out(IntEnum):
    """Why a deployment is out, in the order in which it is asked; NOT where it is in."""

    NOT = 0
    UNDER_FLOOR = 1
    BEYOND_CONTEXT = 2
    NOT_SERVED = 3
    NOT_ON_VENDOR = 4
    NO_KERNELS = 5
    NOT_CALIBRATED = 6
    TOO_LARGE = 7
    TTFT = 8
    TPOT = 9
    NO_PRICE = 10
    OVER_BUDGET = 11
    NOT_HERE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """What deployments are made of: every model in every format on every GPU with every engine."""

    models: tuple[ModelShape, ...]
    formats: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    engines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The deployments that exist, one place of each array per deployment, and why the others do not."""

    axes: Axes
    out: NDArray[np.int8]
    """An Out for every model, format, GPU and engine, in this order of axes."""
    bits: Floats
    """Bits per weight of every model and format."""
    model: Places
    weight_format: Places
    gpu: Places
    engine: Places
    gpu_count: Floats
    """The fewest of 1, 2, 4 and 8 that hold the model."""
    fitting_sequences: Floats
    """Of the use's context, beside weights and buffers, as many as the engine runs at once; at least 1."""
    stack: Stack
    traits: tuple[Traits, ...]
    """Different ones."""
    trait: Places
    """Each deployment's."""


def fleet(axes: Axes, use: Use, *, min_bits_per_weight: float, context_tokens: Sequence[int] | None = None) -> Fleet:
    """All deployments that hold one sequence of the use, on as few equal GPUs as do.

    context_tokens: of each model where they differ, in place of the use's.
    """
    uses = [use] * len(axes.models)
    if context_tokens is not None:
        uses = [replace(use, context_tokens=each) for each in context_tokens]
    bits = np.array([[bits_per_weight(one, format_name=name) for name in axes.formats] for one in axes.models])
    counts, fitting = _fits(axes, uses)
    out = _reasons(axes, uses, bits < min_bits_per_weight, counts)
    model, weight_format, gpu, engine = np.nonzero(out == Out.NOT)
    gpu_count = counts[model, weight_format, gpu]
    most = np.array([most_sequences(name) for name in axes.engines])
    stack = _stack(axes, use, model, weight_format, gpu, engine, gpu_count)
    kinds, trait = _traits(axes, model, weight_format, gpu, engine)
    return Fleet(
        axes=axes,
        out=out,
        bits=bits,
        model=model,
        weight_format=weight_format,
        gpu=gpu,
        engine=engine,
        gpu_count=gpu_count,
        fitting_sequences=np.maximum(1.0, np.minimum(fitting[model, weight_format, gpu], most[engine])),
        stack=stack,
        traits=kinds,
        trait=trait,
    )


# --- memory -----------------------------------------------------------------------------------------------------------


def _fits(axes: Axes, uses: Sequence[Use]) -> tuple[Floats, Floats]:
    """Fewest GPUs of every model, format and GPU, NaN where eight do not hold it, and how many sequences fit there."""
    usable = np.array([memory.usable_bytes(one.memory_gb or 0, unified=shares_memory(one)) for one in axes.gpus], float)
    alone = np.array([shares_memory(one) for one in axes.gpus])
    shape = (len(axes.models), len(axes.formats), len(axes.gpus))
    counts, fitting = np.full(shape, np.nan), np.zeros(shape)
    logits = np.array([(one.vocabulary_size or 0) * memory.FLOAT_BYTES for one in axes.models], float)
    sequences = uses[0].sequences if uses else 1
    for count in reversed(GPU_COUNTS):
        held, cache, buffers, possible = _needs(axes, uses, count)
        total = held + cache + buffers
        fits = possible[..., None] & (total[..., None] <= usable * count) & ~(alone & (count > 1))
        counts[fits] = count
        one = cache / sequences + logits[:, None] * count
        fixed = held + buffers - sequences * logits[:, None] * count
        room = np.floor((usable * count - fixed[..., None]) / np.maximum(1.0, one)[..., None])
        fitting = np.where(fits, room, fitting)
    return counts, fitting


def _needs(axes: Axes, uses: Sequence[Use], count: int) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Bytes of weights, cache and buffers of every model and format on so many GPUs, and whether these can share it."""
    shape = (len(axes.models), len(axes.formats))
    held, cache, buffers = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    possible = np.zeros(shape, dtype=bool)
    engines = [memory.usual_engine(name) for name in axes.formats]
    for at, (one, use) in enumerate(zip(axes.models, uses, strict=True)):
        keys = round(memory.kv_cache_bytes(one, use) * memory.kv_copies(one, count))
        per_gpu = {name: memory.buffers_bytes(one, engine=name, sequences=use.sequences) for name in set(engines)}
        for place, (name, engine) in enumerate(zip(axes.formats, engines, strict=True)):
            held[at, place] = weights_bytes(one, format_name=name)
            buffers[at, place] = per_gpu[engine] * count
            cache[at, place] = keys
            shared = one.head_count % count == 0 or engine == LAYERED
            possible[at, place] = count <= one.head_count and shared
    return held, cache, buffers, possible


def _reasons(axes: Axes, uses: Sequence[Use], under_floor: NDArray[np.bool_], counts: Floats) -> NDArray[np.int8]:
    """The first reason against each; the last to be written is the first to be asked."""
    shape = (len(axes.models), len(axes.formats), len(axes.gpus), len(axes.engines))
    out = np.zeros(shape, dtype=np.int8)
    out[np.broadcast_to(np.isnan(counts)[..., None], shape)] = Out.TOO_LARGE
    experts = np.array([one.expert_count is not None for one in axes.models])
    for at, engine in enumerate(axes.engines):
        for place, name in enumerate(axes.formats):
            here = out[:, place, :, at]
            for has_experts in (False, True):
                if _is_outside(axes, engine, name, has_experts=has_experts):
                    here[experts == has_experts] = Out.NOT_CALIBRATED
            kernels = [_has_kernels(one, engine, name) for one in axes.gpus]
            here[:, ~np.array(kernels, dtype=bool)] = Out.NO_KERNELS
            runs = [runs_on(engine, vendor=one.vendor, gpu_id=one.gpu_id) for one in axes.gpus]
            here[:, ~np.array(runs, dtype=bool)] = Out.NOT_ON_VENDOR
            if not serves(engine, name):
                here[:] = Out.NOT_SERVED
    limits = [one.context_extended_tokens or one.context_native_tokens for one in axes.models]
    beyond = [limit is not None and use.context_tokens > limit for limit, use in zip(limits, uses, strict=True)]
    out[beyond] = Out.BEYOND_CONTEXT
    out[under_floor] = Out.UNDER_FLOOR
    return out


def _has_kernels(gpu: Gpu, engine: str, format_name: str) -> bool:
    return has_kernels(engine, format_name, vendor=gpu.vendor, generation=architecture(gpu))


def _is_outside(axes: Axes, engine: str, format_name: str, *, has_experts: bool) -> bool:
    """Whether measurements do not carry a prediction; it hangs on engine, format and experts alone."""
    alike = next((one for one in axes.models if (one.expert_count is not None) == has_experts), None)
    if alike is None:
        return False
    tried = Deployment(shape=alike, gpu=axes.gpus[0], engine=engine, weight_format=format_name)
    return outside_calibration(tried) is not None


# --- speed ------------------------------------------------------------------------------------------------------------


def _stack(
    axes: Axes, use: Use, model: Places, weight_format: Places, gpu: Places, engine: Places, gpu_count: Floats
) -> Stack:
    """Arrays of the deployments: parts that hang on the GPU taken with any model, parts of the model with any GPU."""
    alone = np.array([name in SPLITS_LAYERS or FAMILIES[name] in ("ggml", "mlx") for name in axes.engines])[engine]
    shared = np.where(alone, 1, gpu_count.astype(int))

    def parts(*keys: Places) -> tuple[Stack, Places]:
        """A stack of the different keys, each with the first deployment that has it, and everyone's place there."""
        _, first, place = np.unique(np.stack(keys), axis=1, return_index=True, return_inverse=True)
        listed = [
            Deployment(
                shape=axes.models[model[at]],
                gpu=axes.gpus[gpu[at]],
                gpu_count=int(gpu_count[at]),
                tensor_parallel=int(shared[at]),
                engine=axes.engines[engine[at]],
                weight_format=axes.formats[weight_format[at]],
                kv_format=use.kv_format,
            )
            for at in first.tolist()
        ]
        return stacked(listed), place.reshape(-1)

    machines, machine = parts(gpu, engine, weight_format, gpu_count.astype(int))
    works, work = parts(model, weight_format, shared, engine)
    hardware, asked = taken(machines.hardware, machine), taken(works.work, work)
    layered = np.array([FAMILIES[name] != "serving" for name in axes.engines])[engine]
    held = np.array([[weights_bytes(one, format_name=name) for name in axes.formats] for one in axes.models], float)
    held = held.reshape(len(axes.models), len(axes.formats))
    here = held[model, weight_format]
    memory_gb = np.array([one.memory_gb or 1e6 for one in axes.gpus])[gpu]
    gpus = np.where(layered, gpu_count, shared)
    usable = np.array([memory.usable_bytes(one.memory_gb or 1e6, unified=shares_memory(one)) for one in axes.gpus])
    from_ram = np.array([FAMILIES[name] == "ggml" for name in axes.engines])[engine]
    share = np.where(from_ram, ram_fraction(room_bytes=usable[gpu] * gpus, held_bytes=here), 0.0)
    return Stack(
        hardware=hardware,
        work=replace(asked, ram_fraction=share),
        copies=machines.copies[machine],
        free_bytes=np.asarray(free_bytes(memory_gb=memory_gb, gpus=gpus, held_bytes=here)),
        step_tokens=machines.step_tokens[machine],
        rate_is_known=machines.rate_is_known[machine],
    )


def _traits(
    axes: Axes, model: Places, weight_format: Places, gpu: Places, engine: Places
) -> tuple[tuple[Traits, ...], Places]:
    """The different traits among the deployments, and everyone's place there."""
    experts = np.array([one.expert_count is not None for one in axes.models])[model]
    _, first, place = np.unique(
        np.stack([weight_format, gpu, engine, experts]), axis=1, return_index=True, return_inverse=True
    )
    listed = [
        traits(
            Deployment(
                shape=axes.models[model[at]],
                gpu=axes.gpus[gpu[at]],
                engine=axes.engines[engine[at]],
                weight_format=axes.formats[weight_format[at]],
            )
        )
        for at in first.tolist()
    ]
    kinds = tuple(dict.fromkeys(listed))
    at_kind = {kind: at for at, kind in enumerate(kinds)}
    return kinds, np.array([at_kind[one] for one in listed], dtype=np.intp)[place.reshape(-1)]
