"""The NVIDIA GPUs of this machine, as nvidia-ml-py names them. Not verified on a GPU.

The package is optional: without it, without a driver and without a GPU the answer is that none was seen.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGpu:
    """A GPU and its memory as it is now."""

    name: str
    memory_bytes: int
    free_bytes: int
    shares_memory: bool = False
    """With the processor: what is put there is taken from the memory of the machine."""


def nvml() -> Any | None:  # noqa: ANN401 a module without types
    """The module of nvidia-ml-py; None where it is not installed."""
    try:
        import pynvml
    except ImportError:
        return None
    return pynvml


def gpus() -> tuple[SeenGpu, ...]:
    """In the order of the driver; none where nvidia-ml-py sees none."""
    if (pynvml := nvml()) is None:
        return ()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())]
        return tuple(_seen(pynvml, handle) for handle in handles)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def _seen(pynvml: Any, handle: object) -> SeenGpu:  # noqa: ANN401 a module without types
    name = pynvml.nvmlDeviceGetName(handle)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    # Versions before 11.5 give bytes.
    text = name.decode("utf-8", errors="replace") if isinstance(name, bytes) else str(name)
    return SeenGpu(name=text, memory_bytes=int(memory.total), free_bytes=int(memory.free))
