"""Counters of energy that are read before and after a reply: the processor's (RAPL) and those of NVIDIA GPUs (NVML).

A counter that cannot be read leaves its part unknown. Not verified on a GPU.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from llmcompare.engines import rapl
from llmcompare.engines.gpus import nvml

MILLIJOULES_PER_J = 1000


class Reading(NamedTuple):
    """All counters at one moment; None for those that cannot be read."""

    processor: Mapping[str, rapl.Zone] | None
    gpus_mj: tuple[int, ...] | None
    """Of each GPU since its driver was loaded, in the order of the driver."""


class Used(NamedTuple):
    """Between two readings."""

    processor_j: float | None
    gpus_j: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meters:
    """Where the counters are."""

    powercap: Path = rapl.POWERCAP
    nvml: Any | None = field(default_factory=nvml)

    def reading(self) -> Reading:
        """The counters now."""
        return Reading(rapl.reading(self.powercap), _gpus_mj(self.nvml))


def used(first: Reading, last: Reading) -> Used:
    """What was taken between two readings, by everything that ran.

    >>> used(Reading(None, (5_000, 0)), Reading(None, (6_500, 250)))
    Used(processor_j=None, gpus_j=1.75)
    """
    gpus_j = None
    if first.gpus_mj is not None and last.gpus_mj is not None and len(first.gpus_mj) == len(last.gpus_mj):
        each = [after - before for before, after in zip(first.gpus_mj, last.gpus_mj, strict=True)]
        # A driver that was loaded anew in between counts from 0: what was before is lost.
        gpus_j = sum(each) / MILLIJOULES_PER_J if min(each, default=0) >= 0 else None
    return Used(rapl.joules(first.processor, last.processor), gpus_j)


def _gpus_mj(nvml: Any | None) -> tuple[int, ...] | None:  # noqa: ANN401
    if nvml is None or not _is_ready(nvml):
        return None
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]
        return tuple(int(nvml.nvmlDeviceGetTotalEnergyConsumption(one)) for one in handles) or None
    except nvml.NVMLError:
        # Cards before Volta have no such counter.
        return None


@lru_cache(maxsize=4)
def _is_ready(nvml: Any) -> bool:  # noqa: ANN401
    # Once for the process: it may take longer than a short reply.
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return False
    return True
