"""Deployments as arrays for the roofline: what a model asks for, what the GPUs give, and how the engine splits it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from math import inf, log
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from llmcompare.core.calibration_traits import (
    FAMILIES,
    SPLITS_LAYERS,
    SUPPORTED,
    Traits,
    architecture,
    era,
    format_kind,
    has_kernels,
    memory_class,
    runs_on,
    serves,
    shares_memory,
)
from llmcompare.core.memory import (
    KV_BYTES_PER_ELEMENT,
    LLAMA_CPP_BATCH_TOKENS,
    kv_bytes_per_token_and_layer,
    usable_bytes,
)
from llmcompare.core.records import SpeedGpu
from llmcompare.core.roofline import Efficiency, Hardware, Number, Work
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.core.weights import expert_weights_bytes, read_weights_bytes, weights_bytes

Floats = NDArray[np.float64]
PCIE_BYTES_PER_S = 32e9
"""PCIe 4.0 x16, one way, where the catalogue names no link. Assumption."""
RATE_WHERE_UNKNOWN_FLOP_PER_BYTE = 100.0
"""Arithmetic rate over bandwidth of a card whose rate is not known: decode of one sequence hardly depends on it."""
OLD_INSTRUCTIONS_FRACTION = 0.62
"""Of Hopper's tensor rate, which only its own instructions reach; ggml's kernels use those of Ampere. Assumption: the
share was not read in a source, and the measured prefill of Hopper cards is met with it."""
KEEPS_WHOLE_CONTEXT = frozenset({"tensorrt-llm", "optimum-habana"})
"""Engines whose measurements show no window: Mistral 7B at 20,000 tokens is as slow as with a full cache."""
MEMORY_AFTER_DRIVER_FRACTION = 0.985
"""The driver keeps some for itself. Assumption."""
RUNTIME_BYTES_PER_GPU = 1e9
"""Context, libraries and workspaces of a serving engine. Assumption."""
FREE_FOR_CACHE_FRACTION = 0.9
"""Of what is left, for keys and values: free_gpu_memory_fraction of TensorRT-LLM
(nvidia.github.io/TensorRT-LLM/examples/kvcacheconfig.html)."""
SMALLEST_ROOM_FRACTION = 0.6
"""Of the GPUs' memory that weights may fill when the number of GPUs per copy is not given. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A model in a format, served by an engine on GPUs."""

    shape: ModelShape
    gpu: SpeedGpu
    gpu_count: int = 1
    tensor_parallel: int | None = None
    engine: str
    weight_format: str
    kv_format: str = "fp16"
    as_of: str | None = None
    """When the engine was released or measured; None for today."""
    random_weights: bool = False
    """Measured without a trained model: its router sends all tokens to the same experts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Many deployments, one number of each per field."""

    hardware: Hardware
    work: Work
    copies: Floats
    """Of the model, side by side."""
    free_bytes: Floats
    """Beside the weights of one copy, for keys and values."""
    step_tokens: Floats
    """Largest step of a prefill."""
    rate_is_known: NDArray[np.bool_]


Arrays = TypeVar("Arrays", Hardware, Work, Efficiency, Stack)


def taken(value: Arrays, index: NDArray[np.intp]) -> Arrays:
    """The deployments at these places, in this order."""
    found: dict[str, Any] = {}
    for field in fields(value):
        held = getattr(value, field.name)
        match held:
            case Hardware():
                found[field.name] = taken(held, index)
            case Work():
                found[field.name] = taken(held, index)
            case _:
                found[field.name] = held[index] if np.ndim(held) else held
    return replace(value, **found)


def reason_against(deployment: Deployment) -> str | None:
    """Why this deployment cannot exist; None where it can."""
    engine, gpu = deployment.engine, deployment.gpu
    if engine not in SUPPORTED:
        return f"no measurement of the engine {engine!r} is known: take one of {', '.join(sorted(SUPPORTED))}."
    if not serves(engine, deployment.weight_format):
        return f"{engine} does not serve {deployment.weight_format}: it takes {', '.join(SUPPORTED[engine])}."
    if not runs_on(engine, vendor=gpu.vendor, gpu_id=gpu.gpu_id):
        return f"{engine} does not run on {gpu.vendor} hardware: choose another engine."
    kind = architecture(gpu)
    if not has_kernels(engine, deployment.weight_format, vendor=gpu.vendor, generation=kind):
        return f"{engine} has no kernels for {deployment.weight_format} on {kind} cards: take another format or engine."
    if deployment.kv_format not in KV_BYTES_PER_ELEMENT:
        return f"{deployment.kv_format!r} is no format of a KV cache: take {', '.join(KV_BYTES_PER_ELEMENT)}."
    held = weights_bytes(deployment.shape, format_name=deployment.weight_format)
    room = (gpu.memory_gb or inf) * BYTES_PER_GIB * deployment.gpu_count
    if held > room and FAMILIES[engine] != "ggml":
        return (
            f"{held / BYTES_PER_GIB:,.1f} GiB of weights do not fit into {room / BYTES_PER_GIB:,.0f} GiB of "
            f"{deployment.gpu_count} × {gpu.gpu_id}: take more GPUs or a smaller format."
        )
    return None


def outside_calibration(deployment: Deployment) -> str | None:
    """Why measurements do not carry a prediction of this deployment; None where they do.

    Left-out rows of these were wrong by half to forty times: their time is that of single kernels and of the host.
    """
    engine, format_name = deployment.engine, deployment.weight_format
    eager = FAMILIES[engine] == "eager"
    experts = deployment.shape.expert_count is not None
    if engine in ("lightning", "onnxruntime") or (eager and (experts or format_kind(format_name) != "16-bit")):
        return (
            f"outside the calibrated range: {engine} starts every operation of such a model in {format_name} from the "
            "host, whose speed no measurement names. Take a serving engine."
        )
    if experts and format_name == "gptq-int4":
        return (
            "outside the calibrated range: GPTQ kernels for experts were three times slower than their bytes in the "
            "one list that measured them. Take fp8 or bf16."
        )
    return None


def traits(deployment: Deployment) -> Traits:
    """What the constants of a deployment follow from."""
    return Traits(
        engine=deployment.engine,
        family=FAMILIES[deployment.engine],
        memory_class=memory_class(deployment.gpu),
        architecture=architecture(deployment.gpu),
        format_kind=format_kind(deployment.weight_format),
        experts="experts" if deployment.shape.expert_count else "dense",
        era=era(engine=deployment.engine, as_of=deployment.as_of, gpu_count=deployment.gpu_count),
    )


def gpus_per_copy(deployment: Deployment) -> int:
    """GPUs that share each layer; where it is not given, as few as leave room beside the weights."""
    if deployment.engine in SPLITS_LAYERS:
        return 1
    if deployment.tensor_parallel is not None:
        return deployment.tensor_parallel
    room = (deployment.gpu.memory_gb or inf) * BYTES_PER_GIB * SMALLEST_ROOM_FRACTION
    held = weights_bytes(deployment.shape, format_name=deployment.weight_format)
    fitting = [count for count in (1, 2, 4, 8) if held <= room * count and count <= deployment.gpu_count]
    return fitting[0] if fitting else min(deployment.gpu_count, 8)


def matmul_flop_per_s(gpu: SpeedGpu, *, engine: str, format_name: str) -> float | None:
    """Arithmetic rate of a GPU at the precision in which an engine multiplies a format; None where it is not known.

    FP8 and NVFP4 use their own units where the card has them. ggml adds up in FP16 on GeForce cards, at twice the rate.
    """
    if gpu.matmul_tflop_per_s is None:
        return None
    rate = gpu.matmul_tflop_per_s
    if format_name in ("fp8", "nvfp4") and gpu.fp8_dense_tflop_per_s:
        rate = gpu.fp8_dense_tflop_per_s * (2 if format_name == "nvfp4" else 1)
    if FAMILIES.get(engine) == "ggml":
        kind = architecture(gpu)
        if gpu.gpu_id.startswith("rtx-") and gpu.gpu_class == "consumer":
            rate *= 2
        rate *= OLD_INSTRUCTIONS_FRACTION if kind == "Hopper" else 1
    return rate * 1e12


def stacked(deployments: Sequence[Deployment]) -> Stack:
    """Arrays of these deployments, which must be possible ones."""
    rows = [_numbers(one) for one in deployments]
    names = [field.name for kind in (Hardware, Work, Stack) for field in fields(kind)]
    # Named without rows too: of no deployments the arrays are empty.
    columns = {name: np.array([row[name] for row in rows if name in row], dtype=float) for name in names}
    hardware = {field.name: columns[field.name] for field in fields(Hardware) if not rows or field.name in rows[0]}
    return Stack(
        hardware=Hardware(**hardware),
        work=Work(**{field.name: columns[field.name] for field in fields(Work)}),
        copies=columns["copies"],
        free_bytes=columns["free_bytes"],
        step_tokens=columns["step_tokens"],
        rate_is_known=columns["rate_is_known"] > 0,
    )


def _numbers(one: Deployment) -> dict[str, float]:
    family, shared = FAMILIES[one.engine], gpus_per_copy(one)
    groups = one.gpu_count / shared
    layered = family != "serving"
    rate = matmul_flop_per_s(one.gpu, engine=one.engine, format_name=one.weight_format)
    bandwidth = one.gpu.memory_bandwidth_gb_per_s * 1e9
    held = weights_bytes(one.shape, format_name=one.weight_format)
    unified = shares_memory(one.gpu)
    gpus = one.gpu_count if layered else shared
    room = usable_bytes(one.gpu.memory_gb or 1e6, unified=unified) * gpus
    return {
        "bandwidth_bytes_per_s": bandwidth,
        "matmul_flop_per_s": rate or bandwidth * RATE_WHERE_UNKNOWN_FLOP_PER_BYTE,
        "rate_is_known": float(rate is not None),
        "link_bytes_per_s": _link_bytes_per_s(one.gpu),
        "tensor_parallel": float(shared),
        "stages": groups if layered else 1.0,
        "copies": 1.0 if layered else groups,
        "free_bytes": float(free_bytes(memory_gb=one.gpu.memory_gb or 1e6, gpus=gpus, held_bytes=held)),
        "step_tokens": float(LLAMA_CPP_BATCH_TOKENS) if family == "ggml" else inf,
        "ram_fraction": float(ram_fraction(room_bytes=room, held_bytes=held)) if family == "ggml" else 0.0,
        "routing_spread": 0.0 if one.random_weights else 1.0,
        **_work(_as_kept(one), one.weight_format, one.kv_format, shared),
    }


def _as_kept(one: Deployment) -> ModelShape:
    """The shape as the engine keeps its cache: without windows where it does not use them."""
    shape = one.shape
    if one.engine not in KEEPS_WHOLE_CONTEXT or not shape.window_kv_layer_count:
        return shape
    every = shape.full_kv_layer_count + shape.window_kv_layer_count
    return replace(shape, full_kv_layer_count=every, window_kv_layer_count=0, window_tokens=None)


def free_bytes(*, memory_gb: Number, gpus: Number, held_bytes: Number) -> Number:
    """What keys and values may fill: nine tenths of what weights and the engine leave (kv_cache_free_gpu_mem_fraction).

    Nearly all memory is counted, not nine tenths as for what surely fits: two 80 GB cards do serve 70B in 16 bits.
    """
    left = memory_gb * BYTES_PER_GIB * MEMORY_AFTER_DRIVER_FRACTION * gpus - held_bytes
    return np.maximum(FREE_FOR_CACHE_FRACTION * (left - RUNTIME_BYTES_PER_GPU * gpus), 1.0)


def ram_fraction(*, room_bytes: Number, held_bytes: Number) -> Number:
    """Share of the weights that does not fit on the GPUs."""
    return np.maximum(0.0, 1 - room_bytes / held_bytes)


def _link_bytes_per_s(gpu: SpeedGpu) -> float:
    if gpu.gpu_to_gpu_gb_per_s:
        return gpu.gpu_to_gpu_gb_per_s * 1e9
    # Vendors state NVLink for both directions together.
    return gpu.nvlink_gb_per_s / 2 * 1e9 if gpu.nvlink_gb_per_s else PCIE_BYTES_PER_S


@lru_cache(maxsize=4096)
def _work(shape: ModelShape, weight_format: str, kv_format: str, tensor_parallel: int) -> dict[str, float]:
    everything = float(read_weights_bytes(shape, format_name=weight_format))
    experts = float(expert_weights_bytes(shape, format_name=weight_format))
    # Whole KV heads are shared out: beyond their number each GPU keeps a copy of one.
    copies = -(-shape.kv_head_count // tensor_parallel) * tensor_parallel / shape.kv_head_count
    each = kv_bytes_per_token_and_layer(shape, kv_format=kv_format) * copies
    head_sizes = shape.key_size + shape.value_size
    return {
        "layers": float(shape.layer_count),
        "hidden_size": float(shape.hidden_size),
        "dense_bytes": everything - experts,
        "expert_bytes": experts,
        "expert_count": float(shape.expert_count or 1),
        "active_expert_count": float(shape.active_expert_count or 1),
        "active_params": shape.params_active,
        "cache_bytes_per_token": each * shape.full_kv_layer_count,
        "window_bytes_per_token": each * shape.window_kv_layer_count,
        "window_tokens": float(shape.window_tokens or 1),
        "attention_flop_per_pair": 2.0 * shape.full_kv_layer_count * shape.head_count * head_sizes,
    }


def shape_from_params(name: str, params_total: float) -> ModelShape:
    """A dense model of this many parameters, with the usual layers and widths: Llama's, in between on a log scale.

    >>> shape_from_params("some-34b", 33.7e9).layer_count
    48
    """
    sizes = (1.1e9, 8e9, 13e9, 34e9, 70e9, 405e9)
    layers, widths = (22, 32, 40, 48, 80, 126), (2048, 4096, 5120, 8192, 8192, 16384)
    logs = [log(size) for size in sizes]
    layer_count = round(float(np.interp(log(params_total), logs, layers)))
    width = 128 * round(float(np.interp(log(params_total), logs, widths)) / 128)
    return ModelShape(
        name=name,
        params_total=params_total,
        params_active=params_total,
        layer_count=layer_count,
        hidden_size=width,
        head_count=width // 128,
        kv_head_count=min(8, width // 128),
        key_size=128,
        value_size=128,
        full_kv_layer_count=layer_count,
        vocabulary_size=32_000,
        tied_embeddings=False,
    )
