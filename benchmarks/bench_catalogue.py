"""How long the catalogue takes: `python -m llmcompare seed` on the real data, each time into an empty folder."""

import json
import os
import subprocess
import sys
import tempfile
import time

from measuring import PROJECT, Results, Target, say_load

REPEATS = 7


def build() -> tuple[float, float]:
    """Seconds of the whole command in a new process, and of the build inside it."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"LLMCOMPARE_VAR": folder, "LLMCOMPARE_DATA": str(PROJECT / "data")}
        started = time.perf_counter()
        ran = subprocess.run(
            [sys.executable, "-m", "llmcompare", "seed", "--json"],
            cwd=PROJECT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return time.perf_counter() - started, json.loads(ran.stdout)["seconds"]


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    times = [build() for _ in range(REPEATS)]
    results.add("catalogue build, whole command in a new process", [whole for whole, _ in times], target=Target(5))
    results.add("catalogue build, without starting Python", [inside for _, inside in times])


if __name__ == "__main__":
    main()
