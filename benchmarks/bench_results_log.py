"""How fast the results log is written and read: 3,000 facts, as many as a year of one person's runs."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.facts import ReplyFact, RunFact  # noqa: E402
from llmcompare.store.results import ResultsLog  # noqa: E402

RUNS = 1_000
REPEATS = 7
TEXT = "The sky is blue because of a process called Rayleigh scattering. " * 8
RUN = RunFact(
    run_id="", person="me", asked_at="2026-11-25T12:00:00+00:00", prompt="Why is the sky blue?", system=None,
    scheduling="in-turn", temperature=0.0, top_p=1.0, max_tokens=256, seed=0, context_tokens=4096, models=("a", "b"),
)  # fmt: skip
REPLY = ReplyFact(
    reply_id="", run_id="", slot=0, model="a", ended_at="2026-11-25T12:00:05+00:00", text=TEXT, end="end", error=None,
    prompt_text="Why is the sky blue?", prompt_tokens=36, generated_tokens=120, ttft_ms=130.5,
    generation_tokens_per_s=80.25,
)  # fmt: skip


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    with tempfile.TemporaryDirectory() as folder:
        results.add("append, flushed and on the disk", appended(Path(folder)), target=Target(0.02, "p95"))
        for form in ("JSONL", "Parquet"):
            reads = [first_and_again(Path(folder)) for _ in range(REPEATS)]
            first, again = zip(*reads, strict=True)
            results.add(f"all runs of 3,000 facts, first read, {form}", first, target=Target(0.1))
            results.add(f"all runs of 3,000 facts, read again, {form}", again, target=Target(0.02))
            ResultsLog(Path(folder)).compact()
    say_load()


def appended(folder: Path) -> list[float]:
    """Seconds of each append of a reply."""
    log, times = ResultsLog(folder), []
    for number in range(RUNS):
        run = replace(RUN, run_id=f"run-{number}")
        log.append(run)
        for slot in (0, 1):
            reply = replace(REPLY, reply_id=f"{run.run_id}-{slot}", run_id=run.run_id, slot=slot)
            times.append(timed(lambda reply=reply: log.append(reply)))
    log.close()
    return times


def first_and_again(folder: Path) -> tuple[float, float]:
    """Seconds of the first and of the second read by a new reader."""
    log = ResultsLog(folder)
    return timed(log.runs), timed(log.runs)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
