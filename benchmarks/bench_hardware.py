"""How long the Hardware page computes: the grid of GPUs and formats, every deployment, what one GPU runs."""

import time
from collections.abc import Callable
from datetime import date

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.memory import Use  # noqa: E402
from llmcompare.services import catalogue, fit, hardware, what_runs  # noqa: E402

REPEATS = 15
CONTEXTS = (8_192, 131_072)
OUTPUT_TOKENS = 300
WITHIN_S = 0.5


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    facts = catalogue.current(date.today()).usable()
    model = fit.subject(facts, "llama-3.3-70b-instruct")
    gpus = hardware.known_gpus(facts)
    gpu = facts.gpus["rtx-4090-24gb"]

    def places(use: Use) -> list[hardware.Place]:
        return hardware.places(facts, model, use, gpus=gpus, billing="on-demand")

    def deployments(use: Use) -> None:
        hardware.served(facts, model, use, places(use), output_tokens=OUTPUT_TOKENS)

    def runs(use: Use) -> None:
        what_runs.what_runs(facts, use, gpu=gpu, formats=what_runs.formats_for(gpu), output_tokens=OUTPUT_TOKENS)

    name = f"{len(gpus)} GPUs x {len(fit.FORMATS_BEST_FIRST)} formats"
    for label, work in (
        (f"grid of {name}", places),
        (f"grid of {name} with the speed and price of every deployment", deployments),
        ("what one GPU runs, with speeds", runs),
    ):
        results.add(label, timed(work), target=Target(WITHIN_S, "p95"))


def timed(work: Callable[[Use], object]) -> list[float]:
    """Seconds of each run, the context in turn short and long, after one run of each."""
    for context in CONTEXTS:
        work(Use(context_tokens=context))
    times = []
    for at in range(REPEATS):
        began = time.perf_counter()
        work(Use(context_tokens=CONTEXTS[at % len(CONTEXTS)]))
        times.append(time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
