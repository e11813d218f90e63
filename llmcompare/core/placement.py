"""How a model is placed on a machine: threads, GPU layers, context. Pure, so that every case can be tested.

GPU behaviour is not verified on a GPU.
"""

from dataclasses import dataclass

from llmcompare.core.memory import layers_that_fit
from llmcompare.core.units import BYTES_PER_GIB

RUNTIME_BYTES = 150_000_000
"""Python, llama.cpp and its compute buffers beside weights and KV cache. Assumption."""
GPU_RESERVE_FRACTION = 0.1
"""Of the GPU's free memory, left to the driver and the compute buffers. Assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What a model needs."""

    weights_bytes: int
    layers: int
    kv_bytes_per_token: int
    """Of all layers together."""
    trained_context_tokens: int | None = None
    """No longer context is made than the model was trained for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a machine can give now."""

    free_cores: int
    available_memory_bytes: int
    gpu_free_bytes: int = 0
    """0 without a GPU, or with an engine that was built for the CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How a model is to be loaded."""

    context_tokens: int
    threads: int
    gpu_layers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoesNotFit:
    """Why a model is not loaded."""

    reason: str


def place(
    model: ModelSize, machine: Machine, *, context_tokens: int, sharing: int = 1, most_gpu_layers: int | None = None
) -> Placement | DoesNotFit:
    """All layers on the GPU when they fit, else as many as fit, else the CPU; the rest must fit in memory.

    Whoever asks may want fewer on the GPU, never more.

    The free cores are shared out among the models that run at the same time: llama.cpp with more threads than free
    cores collapses by 10 to 20 times.

    >>> small = ModelSize(weights_bytes=100_000_000, layers=30, kv_bytes_per_token=23_040)
    >>> place(small, Machine(free_cores=4, available_memory_bytes=8_000_000_000), context_tokens=2048, sharing=2)
    Placement(context_tokens=2048, threads=2, gpu_layers=0)
    """
    context_tokens = min(context_tokens, model.trained_context_tokens or context_tokens)
    kv_bytes = model.kv_bytes_per_token * context_tokens
    layer_bytes = max(1, (model.weights_bytes + kv_bytes) // max(1, model.layers))
    usable_gpu_bytes = int(machine.gpu_free_bytes * (1 - GPU_RESERVE_FRACTION))
    gpu_layers = layers_that_fit(layers=model.layers, layer_bytes=layer_bytes, usable_gpu_bytes=usable_gpu_bytes)
    gpu_layers = gpu_layers if most_gpu_layers is None else min(gpu_layers, most_gpu_layers)
    needed = RUNTIME_BYTES + (model.layers - gpu_layers) * layer_bytes
    if needed > machine.available_memory_bytes:
        return DoesNotFit(
            reason=f"it needs {needed / BYTES_PER_GIB:.1f} GiB with a context of {context_tokens:,} tokens, and "
            f"{machine.available_memory_bytes / BYTES_PER_GIB:.1f} GiB of memory are free"
        )
    threads = threads_each(machine.free_cores, max(1, sharing))[-1]
    return Placement(context_tokens=context_tokens, threads=threads, gpu_layers=gpu_layers)


def threads_each(free_cores: int, running: int) -> list[int]:
    """Threads of each running model: the free cores shared out, at least one each.

    >>> threads_each(8, 3), threads_each(2, 4)
    ([3, 3, 2], [1, 1, 1, 1])
    """
    return [max(1, free_cores // running + (slot < free_cores % running)) for slot in range(running)]
