"""Whether a model fits a machine with one GPU: as many layers there as its memory holds, the rest in RAM."""

from dataclasses import dataclass, replace

from llmcompare.core import memory
from llmcompare.core.memory import Need, Split, Use
from llmcompare.core.placement import GPU_RESERVE_FRACTION
from llmcompare.core.shapes import ModelShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Memory of a machine that is free now."""

    ram_bytes: int
    gpu_bytes: int = 0
    """0 without a GPU, and where the engine does not use it."""
    is_shared: bool = False
    """What lies on the GPU is taken from the RAM: processor and GPU have one memory."""

    @property
    def usable_gpu_bytes(self) -> int:
        """What the driver and a display do not need."""
        return int(self.gpu_bytes * (1 - GPU_RESERVE_FRACTION))


def layers_on_gpu(shape: ModelShape, needed: Need, *, usable_gpu_bytes: int) -> int:
    """Layers that the GPU holds beside the buffers."""
    return memory.layers_that_fit(
        layers=shape.layer_count,
        layer_bytes=(needed.weights_bytes + needed.kv_cache_bytes) // shape.layer_count,
        usable_gpu_bytes=usable_gpu_bytes - needed.buffers_bytes,
    )


def shared(shape: ModelShape, needed: Need, room: Room) -> Split:
    """What lies where. The buffers are counted in RAM too: the process keeps its own there."""
    layers = layers_on_gpu(shape, needed, usable_gpu_bytes=room.usable_gpu_bytes)
    split = memory.split_by_layers(shape, needed, gpu_layers=layers)
    ram_bytes = split.ram_bytes + needed.buffers_bytes
    return replace(split, ram_bytes=ram_bytes, gpu_bytes=split.gpu_bytes if layers else 0)


def fits(shape: ModelShape, needed: Need, room: Room) -> bool:
    """Whether what does not lie on the GPU fits the RAM; all of it where they are one memory."""
    if room.is_shared:
        return needed.total_bytes <= room.ram_bytes
    return shared(shape, needed, room).ram_bytes <= room.ram_bytes


def largest_context_tokens(shape: ModelShape, use: Use, *, needed: Need, room: Room) -> int | None:
    """The longest context that fits, at most what the model takes; None when not one token does.

    The longer the context, the fewer layers the GPU holds and the more lies in RAM, so halving finds it.
    """
    whole = room.ram_bytes + room.usable_gpu_bytes
    most = memory.largest_context_tokens(shape, use, needed=needed, usable_bytes_per_gpu=whole // needed.gpu_count)
    if most is None or not room.gpu_bytes:
        return most
    fitting, beyond = 0, most + 1
    while beyond - fitting > 1:
        tokens = (fitting + beyond) // 2
        cache_bytes = memory.kv_cache_bytes(shape, replace(use, context_tokens=tokens))
        if fits(shape, replace(needed, kv_cache_bytes=cache_bytes), room):
            fitting = tokens
        else:
            beyond = tokens
    return fitting or None
