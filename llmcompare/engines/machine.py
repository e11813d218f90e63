"""What this machine can give at the moment. Linux tells all of it; elsewhere every core counts as free."""

import os
import time
from pathlib import Path

from llmcompare.core.placement import Machine

SAMPLE_S = 0.2
UNKNOWN_MEMORY_BYTES = 2**62
"""Where the system does not say, the load itself decides."""


def machine() -> Machine:
    """Cores that nobody uses and memory that is available; takes a fifth of a second to look."""
    return Machine(free_cores=free_cores(), available_memory_bytes=available_memory_bytes())


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_cores() -> int:
    """Usable cores less those that other work kept busy in the last moment, at least one."""
    before = _busy_ticks()
    if before is None:
        return usable_cores()
    time.sleep(SAMPLE_S)
    after = _busy_ticks()
    if after is None:
        return usable_cores()
    busy = (after - before) / (SAMPLE_S * os.sysconf("SC_CLK_TCK"))
    return max(1, usable_cores() - round(busy))


def _busy_ticks() -> int | None:
    try:
        fields = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, fields[1:])
    return user + nice + system + sum(rest[:3])


def available_memory_bytes() -> int:
    """Memory that can be had without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return UNKNOWN_MEMORY_BYTES
    found = dict(line.split(":", 1) for line in lines)
    return int(found["MemAvailable"].split()[0]) * 1024
