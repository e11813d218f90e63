"""What the processor and the memory of this machine are. Linux tells most of it; elsewhere what Python knows."""

import platform
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from llmcompare.engines.machine import UNKNOWN_MEMORY_BYTES, available_memory_bytes

CPUINFO, MEMINFO = Path("/proc/cpuinfo"), Path("/proc/meminfo")
INSTRUCTION_SETS = (
    "ssse3", "sse4_1", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimdhp", "asimddp", "bf16", "i8mm",
    "sve", "sve2",
)  # fmt: skip
"""Those for which llama.cpp has code of its own."""
COPIED_BYTES = 256 * 1024**2
"""Several times what any cache holds."""
PASSES = 5
SYSCTL_LIMIT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """The CPU."""

    name: str
    instruction_sets: tuple[str, ...]


def processor() -> Processor:
    """Of this machine."""
    lines = dict(_pairs(CPUINFO))
    known = {*(lines.get("flags") or lines.get("Features") or "").split()}
    found = tuple(name for name in INSTRUCTION_SETS if name in known)
    return Processor(name=lines.get("model name") or _name_elsewhere(), instruction_sets=found)


def _name_elsewhere() -> str:
    if platform.system() == "Darwin":
        try:
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            said = subprocess.run(command, capture_output=True, text=True, timeout=SYSCTL_LIMIT_S, check=True)
            return said.stdout.strip()
        except (OSError, subprocess.SubprocessError):
            pass
    return platform.processor() or platform.machine()


def total_memory_bytes() -> int | None:
    """Of the machine, whatever a container may use of it; None where the system does not say."""
    total = dict(_pairs(MEMINFO)).get("MemTotal")
    return int(total.split()[0]) * 1024 if total else None


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Names and values of a file of Linux; of a name that occurs often, the first value."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    parts = [line.partition(":") for line in reversed(lines)]
    return [(name.strip(), value.strip()) for name, colon, value in parts if colon]


def copy_bandwidth_bytes_per_s(threads: int, *, copied_bytes: int = COPIED_BYTES) -> float | None:
    """Bytes read and written per second by a copy from memory to memory; None where memory is too short to tell.

    The best of several passes, as STREAM counts. numpy lets other threads run while it copies.
    """
    room = available_memory_bytes()
    if room != UNKNOWN_MEMORY_BYTES and 2 * copied_bytes > room // 2:
        return None
    size = copied_bytes // 8 // threads
    pieces = [(np.zeros(size), np.ones(size)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as workers:
        best_s = min(_copy_s(workers, pieces) for _ in range(PASSES))
    return 2 * 8 * size * threads / best_s


def _copy_s(workers: ThreadPoolExecutor, pieces: Sequence[tuple[npt.NDArray[np.float64], ...]]) -> float:
    began = time.perf_counter()
    for _ in workers.map(lambda piece: np.copyto(*piece), pieces):
        pass
    return time.perf_counter() - began
