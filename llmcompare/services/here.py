"""This machine as far as models on it go: free memory, the GPU that the engine uses, and how fast it was."""

import time
from dataclasses import dataclass
from functools import lru_cache

from llmcompare.core.bench import SpeedTest
from llmcompare.core.memory import Split, Use
from llmcompare.core.offload import Room
from llmcompare.core.shapes import ModelShape
from llmcompare.core.units import BYTES_PER_GIB
from llmcompare.engines.gpus import SeenGpu
from llmcompare.engines.machine import engine_gpu
from llmcompare.services import machine, runs

OUTPUT_TOKENS = 128
"""Written at the end of the context, for the speed."""
LOOK_AGAIN_S = 10.0
"""A look at the GPU starts a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What there is now."""

    memory_bytes: int
    """That can be used without swapping."""
    predict: machine.Predictor | None
    """Of a model in memory; None before one was measured here."""
    use: Use
    gpu: SeenGpu | None = None
    """That llama.cpp puts layers on."""
    predict_on_gpu: machine.Predictor | None = None
    """Of a model wholly on the GPU; None before one was measured there."""
    unused_gpu: str | None = None
    """One that is there and that llama.cpp was not built for."""

    @property
    def room(self) -> Room:
        """What a model can fill."""
        if self.gpu is None:
            return Room(ram_bytes=self.memory_bytes)
        return Room(ram_bytes=self.memory_bytes, gpu_bytes=self.gpu.free_bytes, is_shared=self.gpu.shares_memory)

    @property
    def test(self) -> SpeedTest:
        """What the predicted speed is of: the last tokens that fit the context."""
        written = min(OUTPUT_TOKENS, self.use.context_tokens // 2)
        return SpeedTest(prompt_tokens=0, generated_tokens=written, depth_tokens=self.use.context_tokens - written)

    def predictor(self, split: Split, shape: ModelShape) -> machine.Predictor | None:
        """For a model that lies in one place: nothing is known of those that are shared between two."""
        if not split.gpu_layers:
            return self.predict
        return self.predict_on_gpu if split.gpu_layers == shape.layer_count else None

    @property
    def speeds_are_predicted(self) -> bool:
        """Whether anything was measured."""
        return self.predict is not None or self.predict_on_gpu is not None


def look_here(use: Use) -> Here:
    """This machine now."""
    seen, log, gpu = machine.facts(), runs.log(), _gpu_at(int(time.monotonic() // LOOK_AGAIN_S))
    settings = machine.settings_measured(log, seen.machine_id)
    predictors = [
        next(
            (machine.predictor(log, seen.machine_id, one) for one in settings if (one.threads is None) == on_gpu), None
        )
        for on_gpu in (False, True)
    ]
    return Here(
        memory_bytes=seen.available_memory_bytes,
        predict=predictors[0],
        use=use,
        gpu=gpu,
        predict_on_gpu=predictors[1] if gpu else None,
        unused_gpu=seen.gpus[0].name if seen.gpus and gpu is None else None,
    )


@lru_cache(maxsize=1)
def _gpu_at(_period: int) -> SeenGpu | None:
    return engine_gpu()


def room_text(found: Here) -> str:
    """What is free.

    >>> room_text(Here(memory_bytes=8 * 2**30, predict=None, use=Use(context_tokens=4096)))
    '8.0 GiB free'
    """
    memory_text = f"{found.memory_bytes / BYTES_PER_GIB:,.1f} GiB free"
    return memory_text if found.gpu is None else f"{memory_text} in memory, {gpu_text(found.gpu)}"


def gpu_text(gpu: SeenGpu) -> str:
    """Its name and what is free on it."""
    of_it = "of it " if gpu.shares_memory else ""
    return f"{gpu.free_bytes / BYTES_PER_GIB:,.1f} GiB {of_it}on the GPU {gpu.name}"


def unused_gpu_text(found: Here) -> str | None:
    """What to do about a GPU that nothing is put on."""
    if found.unused_gpu is None:
        return None
    return (
        f"{found.unused_gpu} is not used: the engine here was built for the processor. Build it for the GPU with "
        "make install GPU=cuda."
    )
