"""Runs the demo model in a network namespace without any interface, and appends what came out to results/offline.csv.

`python benchmarks/offline.py` starts itself again under `unshare --net` (Linux). It is the evidence for one statement
of data/claims.csv: that a model needs no network once its file is there.
"""

import csv
import platform
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from llmcompare.services import plans, runs

RESULTS = Path(__file__).with_name("results") / "offline.csv"
COLUMNS = ("measured_at", "machine", "model", "engine", "prompt", "end", "generated_tokens", "outside_reached")
PROMPTS = ("Why is the sky blue?", "Name three fruits.", "What is 2 + 2?")
OUTSIDE = ("1.1.1.1", 53)
INSIDE = "--inside"


def outside_is_reached() -> bool:
    """Whether a connection to another machine can be opened."""
    try:
        socket.create_connection(OUTSIDE, timeout=3).close()
    except OSError:
        return False
    return True


def run() -> None:
    """Ask the model each prompt, and write a row for each."""
    reached = outside_is_reached()
    is_new = not RESULTS.exists()
    with RESULTS.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        for prompt in PROMPTS:
            plan = plans.Plan(
                prompt=prompt,
                system=None,
                models=runs.models_named([]),
                sampling=runs.Sampling(max_tokens=24, temperature=0.0, top_p=1.0, seed=0),
                scheduling="in-turn",
                context_tokens=1024,
            )
            (reply,) = runs.run(plan)
            row = {
                "measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": platform.machine(),
                "model": reply.model, "engine": reply.engine, "prompt": prompt, "end": reply.end,
                "generated_tokens": reply.generated_tokens, "outside_reached": "yes" if reached else "no",
            }  # fmt: skip
            writer.writerow(row)
            print(row)


if __name__ == "__main__":
    if INSIDE in sys.argv:
        run()
    else:
        command = ["unshare", "--map-root-user", "--net", sys.executable, __file__, INSIDE]
        sys.exit(subprocess.run(command, check=False).returncode)
