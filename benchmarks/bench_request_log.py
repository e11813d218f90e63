"""How fast a request log of a million lines is read and summed up, and how much memory that takes.

python benchmarks/bench_request_log.py
"""

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.request_log import summary  # noqa: E402
from llmcompare.services.request_log import read_file  # noqa: E402

LINE_COUNT = 1_000_000
REPETITIONS = 5
FORMS = {
    "CSV": "log.csv",
    "JSON lines with nested usage": "log.jsonl",
    "CSV with every hundredth line bad": "bad.csv",
    "JSON lines with every thousandth line bad": "bad.jsonl",
}


def main() -> None:
    results = Results(__file__)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        for form, name in FORMS.items():
            # A process of its own each time: what a read left in memory would flatter the next one.
            runs = [measured(Path(folder) / name) for _ in range(REPETITIONS)]
            metric = f"1,000,000 lines of {form}"
            results.add(f"{metric}: read", [run["read_s"] for run in runs], target=Target(below=5))
            results.add(f"{metric}: summed up", [run["summary_s"] for run in runs])
            sizes = [run["memory_mb"] for run in runs]
            results.add(f"{metric}: most memory beyond the file and the program", sizes, unit="MB")
    say_load()


def write(folder: Path) -> None:
    """The same requests in every form: a Poisson stream over a month."""
    drawn = np.random.default_rng(1)
    seconds = datetime(2026, 9, 1, tzinfo=UTC).timestamp() + np.cumsum(drawn.exponential(2.6, LINE_COUNT))
    given, made = drawn.integers(10, 4_000, LINE_COUNT), drawn.integers(1, 900, LINE_COUNT)
    cached = (given * drawn.random(LINE_COUNT)).astype(int)
    moments = [
        datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for second in seconds.tolist()
    ]
    columns = list(zip(moments, given.tolist(), made.tolist(), cached.tolist(), strict=True))
    rows = [f"{moment},gpt-4o,{a},{b},{c},{20 * b}\n" for moment, a, b, c in columns]
    records = [record(*cells) for cells in columns]
    header = "timestamp,model,input_tokens,output_tokens,cached_tokens,latency_ms\n"
    (folder / "log.csv").write_text(header + "".join(rows), encoding="utf-8")
    (folder / "log.jsonl").write_text("".join(records), encoding="utf-8")
    rows[::100] = ["yesterday,gpt-4o,1,1,1,1\n"] * len(rows[::100])
    records[::1_000] = ["{broken\n"] * len(records[::1_000])
    (folder / "bad.csv").write_text(header + "".join(rows), encoding="utf-8")
    (folder / "bad.jsonl").write_text("".join(records), encoding="utf-8")


def record(moment: str, given: int, made: int, cached: int) -> str:
    usage = {
        "prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
        "prompt_tokens_details": {"cached_tokens": cached},
    }  # fmt: skip
    return json.dumps({"created_at": moment, "model": "gpt-4o", "usage": usage, "latency_ms": 20 * made}) + "\n"


def measured(path: Path) -> dict[str, float]:
    ran = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def measure(path: Path) -> None:
    """In a process of its own: prints what it measured."""
    before = memory_mb("VmRSS")
    started = time.perf_counter()
    read = read_file(path)
    read_at = time.perf_counter()
    found = summary(read.log, time_zone="Europe/Berlin")
    done = time.perf_counter()
    if found.requests + read.bad_count != LINE_COUNT:
        raise AssertionError(f"{found.requests} and {read.bad_count} lines")
    grown = memory_mb("VmHWM") - before - path.stat().st_size / 1e6
    print(json.dumps({"read_s": read_at - started, "summary_s": done - read_at, "memory_mb": grown}))


def memory_mb(name: str) -> float:
    """Of this process, as Linux says it. Not getrusage: its peak is that of the parent before the start."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024 / 1e6


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
    else:
        main()
