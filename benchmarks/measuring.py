"""What every measuring script does: repeat, print against a target, append to results/<script>.csv."""

import csv
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COLUMNS = (
    "measured_at", "commit", "cpu", "core_count", "memory_gib", "load_1_min", "python", "streamlit", "duckdb", "plotly",
    "metric", "unit", "n", "median", "p95", "target", "judged_by", "met",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """What was promised: the median or the 95th percentile stays below a value, or the median reaches one."""

    below: float | None = None
    judged_by: str = "median"
    at_least: float | None = None

    def met(self, figure: float) -> bool:
        """Whether a figure keeps the promise."""
        return figure < self.below if self.below is not None else figure >= self.at_least

    def __str__(self) -> str:
        return f"{self.below:g}" if self.below is not None else f">= {self.at_least:g}"


class Results:
    """The figures of one script."""

    def __init__(self, script: str) -> None:
        self._file = PROJECT / "benchmarks" / "results" / f"{Path(script).stem}.csv"
        self._surroundings = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": _commit(),
            "cpu": _cpu(),
            "core_count": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "python": platform.python_version(),
        } | {name: importlib.metadata.version(name) for name in ("streamlit", "duckdb", "plotly")}

    def add(self, metric: str, values: Sequence[float], *, unit: str = "s", target: Target | None = None) -> None:
        """Print a line and append a row."""
        figures = {"median": statistics.median(values), "p95": percentile_95(values)}
        met = None if target is None else target.met(figures[target.judged_by])
        line = f"{metric}: median {figures['median']:.3g} {unit}, p95 {figures['p95']:.3g} {unit}, n = {len(values)}"
        if target is not None:
            sign = "< " if target.below is not None else ""
            line += f", target {target.judged_by} {sign}{target} {unit}: {'met' if met else 'MISSED'}"
        print(line, flush=True)
        row = self._surroundings | {
            "load_1_min": f"{os.getloadavg()[0]:.2f}",
            "metric": metric,
            "unit": unit,
            "n": len(values),
            "median": f"{figures['median']:.4g}",
            "p95": f"{figures['p95']:.4g}",
            "target": "" if target is None else str(target),
            "judged_by": "" if target is None else target.judged_by,
            "met": {None: "", True: "yes", False: "no"}[met],
        }
        self._append(row)

    def _append(self, row: dict[str, object]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._file.exists()
        with self._file.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)


def percentile_95(values: Sequence[float]) -> float:
    """The smallest value that at least 95 of 100 do not exceed.

    >>> percentile_95(range(1, 101)), percentile_95([3.0, 1.0])
    (95, 3.0)
    """
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1]


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
        ).stdout.strip()

    changed = git("status", "--porcelain", "--", "app.py", "pages", "llmcompare", "data")
    return git("rev-parse", "--short", "HEAD") + ("+changes" if changed else "")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def say_load() -> None:
    """Other work on the machine makes every figure worse; say how much there is."""
    one, five, _ = os.getloadavg()
    busy = "" if one < 0.7 * (os.cpu_count() or 1) else "  (busy: repeat when it is quieter)"
    print(f"load {one:.2f} over 1 min, {five:.2f} over 5 min, {os.cpu_count()} cores{busy}", flush=True)


def project_on_path() -> None:
    """The scripts are started by path; the browser tests' server and browser are used here too."""
    sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "e2e")]
