"""What this machine can give at the moment. Linux tells all of it; elsewhere every core counts as free."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from llmcompare.core.placement import Machine
from llmcompare.engines.gpus import SeenGpu

TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
UNKNOWN_MEMORY_BYTES = 2**62
"""Where the system does not say, the load itself decides."""
CGROUPS = Path("/sys/fs/cgroup")
DEVICES_LIMIT_S = 20
_no_gpu_build = threading.Event()
"""Set once llama.cpp has said that it was built for the CPU: that does not change while this process lives."""


def machine(free_cores: int) -> Machine:
    """The machine with so many cores to give, and its memory as it is now."""
    return Machine(
        free_cores=free_cores, available_memory_bytes=available_memory_bytes(), gpu_free_bytes=gpu_free_bytes()
    )


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LoadMeter:
    """Measures, from one call to the next, how many cores other processes keep busy."""

    def __init__(self, own_process_ids: Iterable[int] = ()) -> None:
        self._seen = self._look(own_process_ids)

    @property
    def knows(self) -> bool:
        """Whether the system tells it."""
        return self._seen.busy > 0

    def others_busy_cores(self, own_process_ids: Iterable[int]) -> float:
        """Cores kept busy since the last call by processes that are neither this one nor in the list; 0 if unknown."""
        before, self._seen = self._seen, self._look(own_process_ids)
        elapsed_ticks = (self._seen.time_s - before.time_s) * TICKS_PER_S
        # One that is new in the list began in between, or loaded a model: all that it did so far is our own.
        own = sum(ticks - before.own.get(pid, 0) for pid, ticks in self._seen.own.items())
        return max(0.0, self._seen.busy - before.busy - own) / max(elapsed_ticks, 1.0)

    def _look(self, own_process_ids: Iterable[int]) -> "_Look":
        own = {pid: _process_ticks(pid) for pid in {os.getpid(), *own_process_ids}}
        return _Look(time.monotonic(), _busy_ticks(), own)


class _Look(NamedTuple):
    time_s: float
    busy: int
    own: dict[int, int]


def _busy_ticks() -> int:
    """Of the cores that this process may use."""
    try:
        lines = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    return sum(_line_ticks(line) for line in lines if line.split(" ", 1)[0] in ours)


def _line_ticks(line: str) -> int:
    user, nice, system, _idle, _waiting, *rest = map(int, line.split()[1:])
    return user + nice + system + sum(rest[:3])


def _process_ticks(process_id: int) -> int:
    try:
        # The name in parentheses may hold blanks.
        fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def available_memory_bytes() -> int:
    """Memory that can be had without swapping and within the limit of a container."""
    return min(_machine_memory_bytes(), cgroup_room_bytes(CGROUPS, _own_cgroup()))


def _machine_memory_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return UNKNOWN_MEMORY_BYTES
    found = dict(line.split(":", 1) for line in lines)
    return int(found["MemAvailable"].split()[0]) * 1024


def cgroup_room_bytes(root: Path, own: str) -> int:
    """What the memory limits (cgroup v2) of this group and of all above it leave; file cache counts as free."""
    inner = root / own.strip("/")
    return min(_room_bytes(group) for group in (inner, *inner.parents) if group.is_relative_to(root))


def _room_bytes(group: Path) -> int:
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        # No such file, or "max": no limit here.
        return UNKNOWN_MEMORY_BYTES
    cached = int(dict(line.split(" ", 1) for line in lines).get("inactive_file", 0))
    return max(0, limit - used + cached)


def _own_cgroup() -> str:
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")
    return "" if ".." in own else own


def gpu_free_bytes() -> int:
    """Free memory of the GPU that models go to; 0 without one."""
    found = engine_gpu()
    return 0 if found is None else found.free_bytes


def engine_gpu() -> SeenGpu | None:
    """The first GPU that llama.cpp sees; None without one, and where it was built for the CPU. Not verified on a GPU.

    The first only: how llama.cpp places a model over several GPUs is not ours yet.
    """
    if _no_gpu_build.is_set():
        return None
    try:
        # In a child, as all of llama.cpp: a driver that hangs or crashes takes only the child with it.
        said = subprocess.run(
            [sys.executable, "-m", "llmcompare.engines.worker", "--devices"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEVICES_LIMIT_S,
            check=True,
        )
        # The last line: what a driver prints while it is loaded comes before.
        found = json.loads((said.stdout.splitlines() or [b""])[-1])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    if not found["gpu_offload"]:
        _no_gpu_build.set()
    return gpu_of(found["devices"])


def gpu_of(devices: Sequence[Mapping[str, Any]]) -> SeenGpu | None:
    """The one that models go to, of those that the worker names."""
    if not devices:
        return None
    first = devices[0]
    return SeenGpu(
        name=first["name"],
        memory_bytes=int(first["total_bytes"]),
        free_bytes=int(first["free_bytes"]),
        shares_memory=bool(first["shares_memory"]),
    )
