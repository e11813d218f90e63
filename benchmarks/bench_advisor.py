"""How long the Advisor computes over all deployments: a first question, a moved weight, a moved volume, 2,000 draws.

python benchmarks/bench_advisor.py
"""

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from measuring import Results, Target, project_on_path, say_load

project_on_path()

from llmcompare.core.advice import DRAWS  # noqa: E402
from llmcompare.core.capability_scores import CATEGORIES  # noqa: E402
from llmcompare.core.needs import PRESETS, Need  # noqa: E402
from llmcompare.core.scenario import Scenario  # noqa: E402
from llmcompare.services import advice, advice_out, capability, catalogue  # noqa: E402
from llmcompare.services.catalogue import Facts  # noqa: E402

REPEATS = 9
PAGE = Target(1.0, "p95")
RAG = PRESETS["RAG"]
ON_CARD = Need(
    languages=("de",), data_stays_here=True, hardware="rtx-4090-24gb", weights=RAG.weights,
    categories=RAG.categories_of_all(CATEGORIES),
)  # fmt: skip
QUESTIONS = {
    "anything, everywhere": (Scenario(), Need()),
    "RAG in German on one RTX 4090": (
        Scenario(requests_per_month=50_000, input_tokens=RAG.input_tokens, output_tokens=RAG.output_tokens),
        ON_CARD,
    ),
}


def main() -> None:
    """Measure and write down."""
    say_load()
    results = Results(__file__)
    facts = catalogue.current(date.today()).usable()
    # What the server does at its start.
    capability.ranked(facts, capability.Asked())
    for name, (scenario, need) in QUESTIONS.items():
        first = seconds(lambda facts=facts, scenario=scenario, need=need: answer(facts, scenario, need))
        count = advice.advise(facts, scenario, need).deployment_count
        what = f"{name}, {count:,} deployments, {DRAWS:,} draws"
        results.add(f"{what}: first question of a process", [first])
        weights = [replace(need, weights=replace(need.weights, cost=1 + step / 4)) for step in range(1, 1 + REPEATS)]
        times = [seconds(lambda need=need, at=scenario: answer(facts, at, need)) for need in weights]
        results.add(f"{what}: a moved weight", times, target=PAGE)
        volumes = [
            replace(scenario, requests_per_month=scenario.requests_per_month * (1 + step / 10))
            for step in range(1, 1 + REPEATS)
        ]
        times = [seconds(lambda at=at, need=need: answer(facts, at, need)) for at in volumes]
        results.add(f"{what}: a moved volume", times, target=PAGE)


def answer(facts: Facts, scenario: Scenario, need: Need) -> None:
    """What the page shows whatever is opened, and the table of the ranking."""
    found = advice.advise(facts, scenario, need)
    advice_out.line_table(facts, found, most=200)


def seconds(work: Callable[[], object]) -> float:
    """Of one run."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
